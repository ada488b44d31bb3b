use super::super::fixtures::{START, delivery, world};
use super::*;

/// Answers every read as if the store were empty.
fn read_all(lanes: &mut Lanes, now: Timestamp) {
    while let Some((name, read)) = lanes.begin_read(now) {
        lanes.with(&name, now, |lane, limit, out| match read {
            Read::Retrying => lane.recalled([]),
            Read::Page { .. } => lane.loaded(vec![], true, None, limit, out),
        });
    }
}

/// Opens a lane and puts `deliveries` into it that a page has brought.
fn load(lanes: &mut Lanes, endpoint: &str, deliveries: usize) {
    let name: Name = endpoint.into();
    assert!(lanes.open(&name, START));
    let first = lanes.next_ticket as u128 + 1_000_000 * lanes.lanes.len() as u128;
    let page: Vec<_> = (0..deliveries as u128)
        .map(|n| Delivery {
            endpoint: name.clone(),
            url: Some("https://x.example".into()),
            ..delivery(first + n, 0, 0)
        })
        .collect();
    lanes.with(&name, START, |lane, limit, out| {
        lane.begin_read(PAGE, START);
        lane.recalled([]);
        lane.begin_read(PAGE, START);
        lane.loaded(page, true, None, limit, out);
    });
}

fn take_all(lanes: &mut Lanes) -> Vec<Taken> {
    let world = world(&[]);
    std::iter::from_fn(|| lanes.take(&world, START)).collect()
}

#[test]
fn lanes_take_turns() {
    let mut lanes = Lanes::new(64, None);
    load(&mut lanes, "a", 3);
    load(&mut lanes, "b", 3);
    let order: Vec<_> = take_all(&mut lanes).iter().map(|t| t.delivery.endpoint.to_string()).collect();
    assert_eq!(order, ["a", "b", "a", "b", "a", "b"]);
}

#[test]
fn many_slow_endpoints_leave_room_for_one_more() {
    let mut lanes = Lanes::new(64, None);
    for n in 0..100 {
        load(&mut lanes, &format!("slow-{n}"), 100);
    }
    let slow = take_all(&mut lanes);
    assert!(slow.len() > CALLS_MAX / 2 && slow.len() < CALLS_MAX, "{} calls under way", slow.len());
    load(&mut lanes, "quick", 1);
    let next = take_all(&mut lanes);
    assert_eq!(next.iter().filter(|t| &*t.delivery.endpoint == "quick").count(), 1);
    // What was held back goes on when calls end.
    for taken in &slow {
        lanes.finish(taken, CallResult::Taken, &world(&[]), START, 0);
    }
    assert!(take_all(&mut lanes).len() > CALLS_MAX / 2);
}

#[test]
fn a_lane_alone_uses_all_that_an_endpoint_may() {
    let mut lanes = Lanes::new(64, None);
    load(&mut lanes, "a", 500);
    assert_eq!(take_all(&mut lanes).len(), 64);
}

#[test]
fn a_lane_with_nothing_to_do_is_dropped_and_one_without_room_is_found_later() {
    let mut lanes = Lanes::new(1, None);
    lanes.take_unlisted();
    for n in 0..LANES_MAX {
        assert!(lanes.open(&format!("e{n}").into(), START));
    }
    assert!(!lanes.open(&"more".into(), START), "all of them have something to read");
    assert!(lanes.take_unlisted());
    read_all(&mut lanes, START);
    assert_eq!(lanes.view(), []);
    assert!(lanes.open(&"more".into(), START) && !lanes.is_unlisted());
}

#[test]
fn a_lane_that_only_waits_makes_room_for_one_that_is_due() {
    let mut lanes = Lanes::new(1, None);
    for n in 0..LANES_MAX {
        let name: Name = format!("e{n}").into();
        lanes.open(&name, START);
        lanes.with(&name, START, |lane, limit, out| {
            lane.begin_read(1, START);
            lane.recalled([]);
            lane.begin_read(1, START);
            lane.loaded(vec![], true, Some(START.plus_seconds(9)), limit, out);
        });
    }
    assert!(lanes.open(&"due".into(), START));
    assert_eq!(lanes.lanes.len(), LANES_MAX);
    assert!(lanes.is_unlisted(), "the one that made room is looked for again");
}

#[test]
fn memory_over_all_lanes_is_bounded_and_every_lane_has_a_little() {
    let mut lanes = Lanes::new(1, None);
    let large: Box<str> = "x".repeat(100_000).into();
    for n in 0..200u128 {
        let name: Name = format!("e{n}").into();
        lanes.open(&name, START);
        let page: Vec<_> = (0..100)
            .map(|k| Delivery { endpoint: name.clone(), payload: large.clone(), ..delivery(n * 1000 + k, 0, 0) })
            .collect();
        lanes.with(&name, START, |lane, limit, out| {
            lane.begin_read(100, START);
            lane.recalled([]);
            lane.begin_read(100, START);
            lane.loaded(page, true, None, limit, out);
        });
    }
    assert!(lanes.weight <= WEIGHT_MAX + 200 * 101_000, "{} octets", lanes.weight);
    assert!(lanes.view().iter().all(|view| view.waiting > 0));
}

#[test]
fn alarms_ring_in_order_and_only_once() {
    let mut lanes = Lanes::new(1, None);
    load(&mut lanes, "a", 1);
    let taken = take_all(&mut lanes).remove(0);
    lanes.abandon(&taken, START);
    let at = lanes.ring(START).unwrap();
    assert_eq!(at, START.plus_millis(1000));
    assert!(take_all(&mut lanes).is_empty());
    lanes.signals();
    assert_eq!(lanes.ring(at), None);
    assert!(lanes.signals().callers);
    assert!(lanes.take(&world(&[]), at).is_some());
}
