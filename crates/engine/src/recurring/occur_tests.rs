use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_376_096_000).plus_seconds(seconds)
}

#[test]
fn what_came_while_nobody_looked_was_missed() {
    let mut awake = Awake::new(at(0));
    assert!(!awake.missed(at(-60)), "a short restart misses nothing");
    assert!(awake.missed(at(-61)));
    // However late it is, what came while somebody looked was not missed.
    for seconds in (0..=3600).step_by(60) {
        awake.look(at(seconds));
        awake.done(at(seconds));
    }
    assert!(!awake.missed(at(10)));
    // The machine slept, or the store was away: it looked, and could do nothing.
    for seconds in (3600..=7200).step_by(60) {
        awake.look(at(seconds));
    }
    assert!(awake.missed(at(7139)) && !awake.missed(at(7140)));
    // A clock that goes back is no break.
    awake.done(at(7200));
    awake.look(at(7000));
    assert!(!awake.missed(at(7140)));
}
