use model::Address;
use model::id::Uuid;

use super::*;

fn body(n: u128, from: &str, to: &str, priority: u8) -> Body {
    let at = Timestamp::from_millis(0);
    Body {
        id: MessageId(Uuid::from_u128(n)),
        to: Address::recipient(to, None).unwrap(),
        from: Address::sender(from, None).unwrap(),
        priority,
        expires_at: at,
        ..model::samples::body(at)
    }
}

fn rule(json: &str) -> PaceRule {
    PaceRule::new(Owner::Account("shop".into()), &serde_json::from_str(json).unwrap())
}

/// When its turn is, in milliseconds; `None` if it went.
fn ask(paces: &Paces, rule: &PaceRule, body: &Body, now: i64) -> Option<i64> {
    let turn = paces.ask(std::iter::once(rule), body, 1, Timestamp::from_millis(now));
    turn.map(|turn| turn.at.as_millis())
}

const PHONE: &str = "+447700900123";
const OTHER: &str = "+447700900124";

#[test]
fn messages_of_a_sender_go_evenly_and_each_is_put_off_once() {
    let (paces, rule) = (Paces::default(), rule(r#"{"per_sender":{"parts":2,"seconds":1}}"#));
    let bodies: Vec<Body> = (0..100).map(|n| body(n, "SHOP", PHONE, 1)).collect();
    let turns: Vec<i64> = bodies.iter().filter_map(|body| ask(&paces, &rule, body, 0)).collect();
    assert_eq!(turns, (1..100).map(|n| n * 500).collect::<Vec<_>>());
    // Another sender is held up by nobody.
    assert_eq!(ask(&paces, &rule, &body(500, "BANK", PHONE, 1), 0), None);
    // Each comes a little late, and goes.
    for (body, at) in bodies[1..].iter().zip(turns) {
        assert_eq!(ask(&paces, &rule, body, at + 7), None);
    }
    // A long message takes the time of its parts.
    let long = body(600, "BANK", PHONE, 1);
    assert_eq!(paces.ask(std::iter::once(&rule), &long, 5, Timestamp::from_millis(1000)), None);
    assert_eq!(ask(&paces, &rule, &body(601, "BANK", PHONE, 1), 1000), Some(3500));
}

#[test]
fn those_that_come_late_all_at_once_go_one_by_one_again() {
    let (paces, rule) = (Paces::default(), rule(r#"{"per_sender":{"parts":1,"seconds":1}}"#));
    let bodies: Vec<Body> = (0..10).map(|n| body(n, "SHOP", PHONE, 1)).collect();
    assert_eq!(bodies.iter().filter_map(|body| ask(&paces, &rule, body, 0)).count(), 9);
    // The connector was down for an hour.
    let turns: Vec<Option<i64>> = bodies[1..].iter().map(|body| ask(&paces, &rule, body, 3_600_000)).collect();
    assert_eq!(turns[0], None);
    assert_eq!(turns[1..], (1..9).map(|n| Some(3_600_000 + n * 1000)).collect::<Vec<_>>());
}

#[test]
fn who_waits_for_a_recipient_holds_up_nobody_else() {
    let pace = r#"{"per_sender":{"parts":1,"seconds":1},"per_recipient":{"messages":1,"seconds":30}}"#;
    let (paces, rule) = (Paces::default(), rule(pace));
    assert_eq!(ask(&paces, &rule, &body(1, "SHOP", PHONE, 1), 0), None);
    let second = body(2, "SHOP", PHONE, 1);
    assert_eq!(ask(&paces, &rule, &second, 10), Some(30_000));
    assert_eq!(ask(&paces, &rule, &body(3, "SHOP", PHONE, 1), 20), Some(60_000));
    // The sender's time is still its own.
    assert_eq!(ask(&paces, &rule, &body(4, "SHOP", OTHER, 1), 1000), None);
    // Its recipient may get it, but its sender is busy for a while.
    assert_eq!(ask(&paces, &rule, &body(5, "SHOP", "+447700900125", 1), 29_500), None);
    assert_eq!(ask(&paces, &rule, &second, 30_001), Some(30_500));
    assert_eq!(ask(&paces, &rule, &second, 30_501), None);
}

#[test]
fn a_higher_priority_goes_before_all_turns_of_lower_ones() {
    let (paces, rule) = (Paces::default(), rule(r#"{"per_sender":{"parts":1,"seconds":1}}"#));
    let low: Vec<Body> = (0..100).map(|n| body(n, "SHOP", PHONE, 1)).collect();
    assert_eq!(low.iter().filter_map(|body| ask(&paces, &rule, body, 0)).count(), 99);
    let code = body(500, "SHOP", OTHER, 3);
    assert_eq!(ask(&paces, &rule, &code, 10), Some(1000));
    assert_eq!(ask(&paces, &rule, &code, 1000), None);
    // Who had that turn gets another one, and the next is in time.
    assert_eq!(ask(&paces, &rule, &low[1], 1000), Some(100_000));
    assert_eq!(ask(&paces, &rule, &low[2], 2000), None);
}

#[test]
fn what_was_given_back_goes_again_and_is_counted_once() {
    let (paces, rule) = (Paces::default(), rule(r#"{"per_recipient":{"messages":1,"seconds":30}}"#));
    let message = body(1, "SHOP", PHONE, 1);
    assert_eq!([0, 500, 900].map(|now| ask(&paces, &rule, &message, now)), [None; 3]);
    assert_eq!(ask(&paces, &rule, &body(2, "SHOP", PHONE, 1), 1000), Some(30_000));
    let turn = paces.peek(std::iter::once(&rule), &body(3, "SHOP", PHONE, 1), 1, Timestamp::from_millis(1000));
    assert_eq!(turn.map(|turn| (turn.at.as_millis(), turn.of)), Some((60_000, Of::Recipient)));
}

#[test]
fn what_has_passed_is_forgotten() {
    let (paces, rule) = (Paces::default(), rule(r#"{"per_recipient":{"messages":1,"seconds":1}}"#));
    for n in 0..50_000_u32 {
        let message = body(n.into(), "SHOP", &format!("+4477{n:08}"), 1);
        assert_eq!(ask(&paces, &rule, &message, i64::from(n)), None);
    }
    // A thousand go each second.
    assert!(paces.state().tracks.len() <= 2 * SWEEP_FROM, "{}", paces.state().tracks.len());
}

#[test]
fn where_there_is_no_room_little_is_looked_through_for_each_that_finds_none() {
    let (mut sweeping, mut held, mut looked_at) = (Sweeping::default(), 0, 0);
    for added in 1..=4 * TRACKS_MAX {
        if sweeping.is_due() {
            looked_at += held;
            sweeping.done(held, TRACKS_MAX);
        }
        held = (held + 1).min(TRACKS_MAX);
        assert!(looked_at <= added * SWEEP_FULL, "{looked_at} for {added}");
    }
    // Once there is room again, that is seen.
    assert!((0..=TRACKS_MAX / SWEEP_FULL).any(|_| sweeping.is_due()));
}

#[test]
fn who_finds_no_room_goes_unpaced_until_there_is_some() {
    let (paces, rule) = (Paces::default(), rule(r#"{"per_recipient":{"messages":1,"seconds":3600}}"#));
    let track = Track { next: 3_600_000_000, turns: [i64::MIN; PRIORITIES], last: MessageId(Uuid::nil()) };
    paces.state().tracks.extend((0..TRACKS_MAX as u64).map(|hash| (hash, track.clone())));
    let ask_of = |n: usize, now| ask(&paces, &rule, &body(n as u128 + 1, "SHOP", &format!("+4477{n:08}"), 1), now);
    assert_eq!([ask_of(0, 0), ask_of(1, 0)], [None; 2]);
    assert_eq!(paces.state().tracks.len(), TRACKS_MAX);
    (2..TRACKS_MAX / SWEEP_FULL + 2).for_each(|n| assert_eq!(ask_of(n, 3_600_000), None));
    assert!(paces.state().tracks.len() < SWEEP_FROM, "{}", paces.state().tracks.len());
}
