use std::time::Duration;

use super::super::fixtures::{START, delivery, id};
use super::*;

const ROOM: usize = 1 << 20;

fn at(millis: i64) -> Timestamp {
    START.plus_millis(millis)
}

fn target(_: &Delivery) -> Result<Target, Box<str>> {
    Ok(Target {
        url: "https://hook.example".into(),
        style: model::CallbackStyle::Webhook,
        secret: None,
        answer: super::super::AnswerWish::No,
    })
}

/// A lane that has looked at an empty store.
fn lane(now: Timestamp) -> Lane {
    let mut lane = Lane::new();
    assert_eq!(lane.begin_read(9, now), Read::Retrying);
    lane.recalled([]);
    assert_eq!(lane.begin_read(9, now), Read::Page { after: None, limit: 9 });
    lane.loaded(vec![], true, None, ROOM, &mut vec![]);
    assert!(lane.is_idle());
    lane
}

fn offer(lane: &mut Lane, deliveries: &[Delivery], now: Timestamp) {
    let mut out = vec![];
    deliveries.iter().for_each(|d| lane.offer(d.clone(), ROOM, now, &mut out));
    assert_eq!(out, []);
}

fn take(lane: &mut Lane, now: Timestamp) -> Option<Taken> {
    lane.can_start(64, now).then(|| lane.take(target, &mut vec![]).unwrap())
}

fn finish(lane: &mut Lane, taken: &Taken, result: CallResult, now: Timestamp) -> Vec<Settled> {
    let mut out = vec![];
    lane.finish(&taken.delivery, taken.probe, result, now, 150, &mut out);
    out
}

fn failure() -> CallResult {
    CallResult::Failed { detail: "HTTP 500".into(), retry_after: None }
}

#[test]
fn a_failed_delivery_holds_up_its_message_and_nothing_else() {
    let mut lane = lane(at(0));
    offer(&mut lane, &[delivery(1, 7, 0), delivery(2, 7, 0), delivery(3, 8, 0), delivery(4, 7, 0)], at(0));
    let first = take(&mut lane, at(0)).unwrap();
    let other = take(&mut lane, at(0)).unwrap();
    assert_eq!((first.delivery.id, other.delivery.id), (id(1), id(3)));
    assert!(take(&mut lane, at(0)).is_none(), "the others wait for the first");
    let out = finish(&mut lane, &first, failure(), at(100));
    let written: Vec<_> = out.iter().map(|s| s.put.as_ref().map(|p| (p.id, p.due, p.attempts)).unwrap()).collect();
    let due = at(5100);
    assert_eq!(written, [(id(1), due, 1), (id(2), due, 1), (id(4), due, 1)], "the later ones come after it");
    assert_eq!(out[0].done, DeliveryKey { endpoint: "hook".into(), due: at(0), id: id(1) });
    assert_eq!(out[0].put.as_ref().unwrap().last_error.as_deref(), Some("HTTP 500"));
    assert_eq!((lane.waiting(), lane.under_way(), lane.retrying()), (0, 1, 3));
    for n in [1, 2, 4] {
        lane.durable(id(n), at(200));
    }
    lane.begin_read(9, due);
    let mut page: Vec<_> = out.into_iter().filter_map(|s| s.put).collect();
    page.sort_by_key(|d| (d.due, d.id));
    lane.loaded(page, true, None, ROOM, &mut vec![]);
    let retry = take(&mut lane, due).unwrap();
    finish(&mut lane, &retry, CallResult::Taken, due);
    let next = take(&mut lane, due).unwrap();
    assert_eq!((next.delivery.id, next.delivery.attempts), (id(2), 0), "it was never attempted");
}

#[test]
fn a_page_that_shows_an_older_state_is_not_believed() {
    let mut lane = lane(at(0));
    offer(&mut lane, &[delivery(1, 7, 0), delivery(2, 0, 10)], at(0));
    let taken = take(&mut lane, at(10)).unwrap();
    finish(&mut lane, &taken, CallResult::Taken, at(10));
    assert_eq!(lane.begin_read(9, at(10)), Read::Page { after: None, limit: 9 });
    lane.durable(id(1), at(10));
    lane.loaded(vec![delivery(1, 7, 0), delivery(2, 0, 10)], true, None, ROOM, &mut vec![]);
    assert_eq!(take(&mut lane, at(11)).map(|t| t.delivery.id), Some(id(2)));
    assert!(take(&mut lane, at(11)).is_none());
}

#[test]
fn a_page_ends_where_something_was_written_meanwhile_that_comes_earlier() {
    let mut lane = lane(at(0));
    let [seen, early, late] = [delivery(9, 0, 20), delivery(1, 7, 10), delivery(2, 7, 30)];
    lane.paging.left((seen.due, seen.id), at(40));
    lane.begin_read(9, at(40));
    lane.loaded(vec![seen], true, None, ROOM, &mut vec![]);
    // A commit took its time: its row comes before the cursor, the next one's behind it.
    lane.paging.left((late.due, late.id), at(40));
    lane.begin_read(9, at(40));
    offer(&mut lane, &[early.clone(), late.clone()], at(40));
    lane.loaded(vec![late.clone()], true, None, ROOM, &mut vec![]);
    assert_eq!(lane.waiting(), 1, "only what was seen before");
    lane.begin_read(9, at(40));
    lane.loaded(vec![early, delivery(9, 0, 20), late], true, None, ROOM, &mut vec![]);
    let ids: Vec<_> = std::iter::from_fn(|| take(&mut lane, at(40))).map(|t| t.delivery.id).collect();
    assert_eq!(ids, [id(9), id(1)]);
}

#[test]
fn what_is_being_written_is_not_loaded_and_comes_back_when_it_is_due() {
    let mut lane = lane(at(0));
    offer(&mut lane, &[delivery(1, 7, 0)], at(0));
    let taken = take(&mut lane, at(0)).unwrap();
    let out = finish(&mut lane, &taken, failure(), at(0));
    assert!(!lane.is_idle());
    let put = out[0].put.clone().unwrap();
    offer(&mut lane, std::slice::from_ref(&put), at(1));
    assert_eq!(lane.next_wake(at(1)), None, "the store does not have it yet");
    lane.durable(id(1), at(2));
    assert_eq!(lane.next_wake(at(2)), Some(at(5000)));
    assert!(!lane.is_hungry(ROOM, at(4999)) && lane.is_hungry(ROOM, at(5000)));
    assert!(lane.is_asleep(at(4999)) && !lane.is_idle());
    let Read::Page { after, .. } = lane.begin_read(9, at(5000)) else { panic!("a page") };
    assert!(after < Some((put.due, put.id)));
    lane.loaded(vec![put], true, None, ROOM, &mut vec![]);
    let again = take(&mut lane, at(5000)).unwrap();
    assert_eq!(finish(&mut lane, &again, CallResult::Taken, at(5001))[0].put, None);
    lane.durable(id(1), at(5002));
    assert!(lane.is_idle());
}

#[test]
fn after_a_restart_later_ones_still_wait_for_a_retry() {
    let mut lane = Lane::new();
    offer(&mut lane, &[delivery(9, 0, 0)], at(0));
    assert!(!lane.can_start(64, at(0)), "nothing goes before the store was asked for retries");
    lane.begin_read(9, at(0));
    lane.recalled([(delivery(1, 7, 0).message, id(1), at(60_000))]);
    lane.begin_read(9, at(0));
    let mut out = vec![];
    lane.loaded(vec![delivery(2, 7, 0), delivery(9, 0, 0)], true, Some(at(60_000)), ROOM, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].put.as_ref().map(|p| (p.id, p.due)), Some((id(2), at(60_000))));
    assert_eq!(take(&mut lane, at(0)).map(|t| t.delivery.id), Some(id(9)));
}

#[test]
fn twenty_failures_suspend_and_send_the_rest_back_to_the_store() {
    let mut lane = lane(at(0));
    let many: Vec<_> = (1..=100).map(|n| delivery(n, 0, 0)).collect();
    offer(&mut lane, &many, at(0));
    for n in 1..=20 {
        assert_eq!(lane.waiting(), 101 - n);
        let taken = take(&mut lane, at(0)).unwrap();
        finish(&mut lane, &taken, failure(), at(0));
    }
    assert_eq!(lane.suspended_until(), Some(at(1000)));
    assert_eq!((lane.waiting(), lane.weight()), (0, 0));
    let Read::Page { limit, .. } = lane.begin_read(500, at(0)) else { panic!("a page") };
    assert_eq!(limit, SUSPENDED_MAX);
    lane.loaded(many[20..20 + limit].to_vec(), false, None, ROOM, &mut vec![]);
    assert_eq!(lane.waiting(), SUSPENDED_MAX);
    assert!(take(&mut lane, at(999)).is_none());
    assert_eq!(lane.next_wake(at(0)), Some(at(1000)));
    let probe = take(&mut lane, at(1000)).unwrap();
    assert!(probe.probe && take(&mut lane, at(1000)).is_none(), "one probe at a time");
    assert_eq!(probe.delivery.attempts, 0, "nothing was used up while it waited");
    finish(&mut lane, &probe, failure(), at(1000));
    assert!(take(&mut lane, at(2999)).is_none());
    let probe = take(&mut lane, at(3000)).unwrap();
    finish(&mut lane, &probe, CallResult::Taken, at(3000));
    assert!(take(&mut lane, at(3000)).is_some() && take(&mut lane, at(3000)).is_some());
    assert!(lane.is_hungry(ROOM, at(3000)));
}

#[test]
fn the_last_failure_and_410_give_up_and_keep_the_row() {
    for (attempts, result, detail) in [(9, failure(), "HTTP 500"), (0, CallResult::Gone, GONE)] {
        let mut lane = lane(at(0));
        let first = Delivery { attempts, ..delivery(1, 7, 0) };
        offer(&mut lane, &[first, delivery(2, 7, 0)], at(0));
        let taken = take(&mut lane, at(0)).unwrap();
        let out = finish(&mut lane, &taken, result, at(0));
        let put = out[0].put.as_ref().unwrap();
        assert_eq!((put.state, put.attempts), (DeliveryState::Failed, attempts + 1));
        assert_eq!(put.last_error.as_deref(), Some(detail));
        assert_eq!(take(&mut lane, at(0)).map(|t| t.delivery.id), Some(id(2)), "the next of the message goes on");
    }
}

#[test]
fn retry_after_is_kept_to() {
    let mut lane = lane(at(0));
    offer(&mut lane, &[delivery(1, 0, 0)], at(0));
    let taken = take(&mut lane, at(0)).unwrap();
    let asked = CallResult::Failed { detail: "HTTP 429".into(), retry_after: Some(Duration::from_secs(90)) };
    assert_eq!(finish(&mut lane, &taken, asked, at(0))[0].put.as_ref().unwrap().due, at(90_000));
}

#[test]
fn without_a_target_a_delivery_fails_and_no_attempt_is_counted() {
    let mut lane = lane(at(0));
    offer(&mut lane, &[delivery(1, 7, 0), delivery(2, 7, 0)], at(0));
    let mut out = vec![];
    assert!(lane.take(|_| Err("no webhook".into()), &mut out).is_none());
    let failed: Vec<_> = out.into_iter().filter_map(|s| s.put).collect();
    assert!(failed.iter().all(|p| p.state == DeliveryState::Failed && p.attempts == 0), "{failed:?}");
    assert_eq!(failed.len(), 2);
    assert_eq!((lane.weight(), lane.waiting()), (0, 0));
}

#[test]
fn an_abandoned_call_is_tried_again_soon_and_first() {
    let mut lane = lane(at(0));
    offer(&mut lane, &[delivery(1, 7, 0), delivery(2, 7, 0)], at(0));
    let taken = take(&mut lane, at(0)).unwrap();
    lane.abandon(taken.delivery.id, taken.probe, at(0));
    assert!(take(&mut lane, at(0)).is_none());
    assert_eq!(lane.next_wake(at(0)), Some(at(1000)));
    lane.wake(at(1000));
    let again = take(&mut lane, at(1000)).unwrap();
    assert_eq!((again.delivery.id, again.delivery.attempts), (id(1), 0));
}

#[test]
fn what_does_not_fit_stays_in_the_store_in_order() {
    let mut lane = lane(at(0));
    let room = 3 * weight_of(&delivery(1, 0, 0));
    let rows: Vec<_> = (1..=5).map(|n| delivery(n, 0, n as i64)).collect();
    for row in &rows {
        lane.offer(row.clone(), room, at(10), &mut vec![]);
    }
    assert_eq!(lane.waiting(), 3);
    assert!(!lane.is_hungry(room, at(10)), "it is full");
    let first = take(&mut lane, at(10)).unwrap();
    finish(&mut lane, &first, CallResult::Taken, at(10));
    let second = take(&mut lane, at(10)).unwrap();
    finish(&mut lane, &second, CallResult::Taken, at(10));
    assert!(lane.is_hungry(room, at(10)));
    lane.begin_read(9, at(10));
    // 1 and 2 are being written away, 3 is in memory, and there is room for 4 and 5.
    lane.loaded(rows, true, None, room, &mut vec![]);
    let ids: Vec<_> = std::iter::from_fn(|| take(&mut lane, at(10))).map(|t| t.delivery.id).collect();
    assert_eq!(ids, [id(3), id(4), id(5)]);
}
