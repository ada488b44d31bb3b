//! How nodes must go about a fleet, as a model that is checked against the real store in memory.
//!
//! A node becomes a member for a time, and counts that time by its own clock from when it *asked*, less a margin
//! for clocks that go wrong. It asks nobody else before it does what only the holder of a slot may do. Requests
//! and answers take as long as they like, or get lost, or arrive when nobody waits for them any more; processes
//! stop, die and come back at any point. Then the rules that keep two nodes from acting on one slot are these:
//!
//! 1. Count from when the membership was asked for, with a margin for how far clocks can differ in that time.
//! 2. Commit under the membership.
//! 3. Release a slot only when every commit for it is known to have ended; else leave.
//! 4. Claim no slot that may have been released: a release whose end is not known may come yet. Leave instead.
//! 5. Who leaves comes back as another process.
//! 6. The node's clock goes on while the machine stands still.
//!
//! Each rule is broken below, too, and the same search finds what goes wrong then.

mod explore;
mod goes_on;
mod remote;
mod words;
mod world;

use explore::{Found, at_random, everything};
use words::{Fault, Rules, Wrong};

/// Time in fours: a tick of 4 on the store's clock is 3 on the slow clock of a node. With a quarter of the time as
/// margin the slow node stops in the very moment in which the store lets others in.
fn coarse(slots: u8) -> Rules {
    Rules { ttl: 8, margin: 2, rates: vec![750_000, 1_000_000], slots, mishaps: 2, fault: None }
}

/// Ten seconds, and clocks that are wrong by one in a hundred: the store's and the node's.
fn fine() -> Rules {
    Rules { ttl: 10_000, margin: 200, rates: vec![1_000_000; 3], slots: 2, mishaps: usize::MAX, fault: None }
}

const DRIFT: i64 = 20_000;

fn wrong_of(rules: &Rules) -> Wrong {
    match everything(rules, 4, 100_000) {
        Found::Wrong(wrong, history) => {
            println!("{wrong:?} after {history:?}");
            wrong
        }
        Found::Nothing { states, all } => panic!("nothing is wrong in {states} states, all of them: {all}"),
    }
}

fn broken(fault: Fault) -> Rules {
    Rules { fault: Some(fault), ..coarse(1) }
}

/// With nothing out of the daily round, and with one such thing at any point: in every state that there is.
#[test]
fn two_nodes_never_act_on_one_slot() {
    for mishaps in [0, 1] {
        let found = everything(&Rules { mishaps, ..coarse(1) }, 4, 1_000_000);
        assert!(matches!(found, Found::Nothing { all: true, states } if states > 5000), "{found:?}");
    }
}

/// In the shortest histories of many mishaps.
#[test]
fn nor_when_mishaps_add_up() {
    for rules in [
        Rules { mishaps: 3, ..coarse(1) },
        coarse(2),
        Rules { rates: vec![750_000, 1_000_000, 1_250_000], ..coarse(1) },
    ] {
        let found = everything(&rules, 4, 20_000);
        assert!(matches!(found, Found::Nothing { .. }), "{found:?}");
    }
}

#[test]
fn nor_three_nodes_with_drifting_clocks_in_long_histories() {
    let found = at_random(&fine(), DRIFT, 400, 600);
    assert!(matches!(found, Found::Nothing { .. }), "{found:?}");
}

#[test]
fn without_a_margin_a_slow_clock_lets_two_act() {
    assert_eq!(wrong_of(&Rules { margin: 0, ..coarse(1) }), Wrong::TwoAct(0));
    let found = at_random(&Rules { margin: 0, ..fine() }, DRIFT, 400, 600);
    assert!(matches!(found, Found::Wrong(Wrong::TwoAct(_), _)), "{found:?}");
}

#[test]
fn time_counted_from_the_answer_lets_two_act() {
    assert_eq!(wrong_of(&broken(Fault::CountsFromTheAnswer)), Wrong::TwoAct(0));
    let found = at_random(&Rules { fault: Some(Fault::CountsFromTheAnswer), ..fine() }, DRIFT, 400, 600);
    assert!(matches!(found, Found::Wrong(Wrong::TwoAct(_), _)), "{found:?}");
}

#[test]
fn a_commit_without_a_fence_comes_too_late() {
    assert_eq!(wrong_of(&broken(Fault::CommitsWithoutAFence)), Wrong::LateCommit(0));
}

#[test]
fn a_slot_released_with_a_commit_under_way_is_written_to_too_late() {
    assert_eq!(wrong_of(&broken(Fault::ReleasesWithACommitUnderWay)), Wrong::LateCommit(0));
}

#[test]
fn a_release_that_comes_late_takes_a_slot_that_was_claimed_again() {
    assert_eq!(wrong_of(&broken(Fault::ClaimsWhatItMayHaveReleased)), Wrong::TwoAct(0));
}

#[test]
fn leaving_that_comes_late_ends_a_membership_that_was_kept_again() {
    assert_eq!(wrong_of(&broken(Fault::ComesBackAfterLeaving)), Wrong::TwoAct(0));
}

#[test]
fn a_clock_that_stands_still_with_the_machine_lets_two_act() {
    assert_eq!(wrong_of(&broken(Fault::ClockStandsStill)), Wrong::TwoAct(0));
}
