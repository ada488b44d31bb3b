use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::message::Body;
use crate::receipt::ReceiptState;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn message(parts: usize) -> Message {
    let body = Body { expires_at: at(1000), ..crate::samples::body(at(0)) };
    Message { body: Arc::new(body), progress: Progress::accepted(Status::Queued, Some("a".into()), parts, at(0)) }
}

fn sent(part: u8) -> Change {
    Change::Sent { part, remote_id: format!("id{part}").into(), policy: ReceiptPolicy::All }
}

fn receipt(part: u8, state: ReceiptState, policy: ReceiptPolicy) -> Change {
    let stat = format!("{state:?}").into();
    Change::Receipt { part, receipt: Receipt { state, stat, err: Some("000".into()) }, policy }
}

fn run(parts: usize, changes: impl IntoIterator<Item = Change>) -> Message {
    let mut message = message(parts);
    for (step, change) in changes.into_iter().enumerate() {
        message.apply(change, Some(&"a".into()), at(step as i64 + 1));
    }
    message
}

fn whats(message: &Message) -> Vec<&str> {
    message.progress.events.iter().map(|e| e.what.as_ref()).collect()
}

#[test]
fn the_plain_way_leads_to_delivered() {
    let m = run(1, [sent(0), receipt(0, ReceiptState::Delivered, ReceiptPolicy::All)]);
    assert_eq!(m.progress.status, Status::Delivered);
    assert_eq!(m.progress.submitted_at, Some(at(1)));
    assert_eq!(m.progress.final_at, Some(at(2)));
    assert_eq!(m.progress.reason, None);
    assert_eq!(whats(&m), ["accepted", "sent", "receipt", "delivered"]);
}

#[test]
fn a_long_message_is_sent_when_all_its_parts_are() {
    let m = run(2, [sent(1)]);
    assert_eq!(m.progress.status, Status::Queued);
    assert_eq!(m.progress.unsent().collect::<Vec<_>>(), [0]);
    let m = run(2, [sent(1), sent(0)]);
    assert_eq!(m.progress.status, Status::Sent);
    assert!(m.progress.is_settled());
}

#[test]
fn each_policy_makes_its_own_state_of_the_parts() {
    use ReceiptState::{Delivered, Undelivered};
    let state = |policy, first, second| {
        run(2, [sent(0), sent(1), receipt(0, first, policy), receipt(1, second, policy)]).progress.status
    };
    assert_eq!(state(ReceiptPolicy::All, Delivered, Undelivered), Status::Undelivered);
    assert_eq!(state(ReceiptPolicy::All, Delivered, Delivered), Status::Delivered);
    assert_eq!(state(ReceiptPolicy::Any, Undelivered, Delivered), Status::Delivered);
    assert_eq!(state(ReceiptPolicy::Any, Undelivered, Undelivered), Status::Undelivered);
    assert_eq!(state(ReceiptPolicy::First, Delivered, Undelivered), Status::Delivered);
    assert_eq!(state(ReceiptPolicy::Last, Delivered, Undelivered), Status::Undelivered);
    let half = run(2, [sent(0), sent(1), receipt(0, Delivered, ReceiptPolicy::All)]);
    assert_eq!(half.progress.status, Status::Sent, "one receipt of two is not the end");
}

#[test]
fn an_intermediate_receipt_is_noted_and_changes_nothing() {
    let m = run(1, [sent(0), receipt(0, ReceiptState::Intermediate, ReceiptPolicy::All)]);
    assert_eq!(m.progress.status, Status::Sent);
    assert_eq!(whats(&m), ["accepted", "sent", "receipt"]);
}

#[test]
fn a_refused_part_ends_the_message_and_what_is_left_of_it_is_not_sent() {
    let m = run(3, [sent(0), Change::Refused { part: 1, reason: Reason::new("carrier_refused", "0x0000000B", true) }]);
    assert_eq!(m.progress.status, Status::Rejected);
    assert_eq!(m.progress.parts[2].status, PartStatus::Canceled);
    assert_eq!(m.progress.unsent().count(), 0);
}

#[test]
fn a_retry_keeps_the_message_queued_with_its_reason() {
    let m = run(1, [Change::Retry { part: 0, reason: Reason::new("carrier_busy", "0x00000058", false) }]);
    assert_eq!((m.progress.status, m.progress.attempts), (Status::Queued, 1));
    assert_eq!(m.progress.reason.as_ref().unwrap().code.as_ref(), "carrier_busy");
    let m = run(1, [Change::Retry { part: 0, reason: Reason::new("carrier_busy", "x", false) }, sent(0)]);
    assert_eq!(m.progress.reason, None, "it was sent after all");
}

#[test]
fn in_doubt_follows_the_connectors_policy() {
    let doubt = |policy| Change::InDoubt { part: 0, policy };
    assert_eq!(run(1, [doubt(DoubtPolicy::Retry)]).progress.unsent().count(), 1);
    let held = run(1, [doubt(DoubtPolicy::Hold)]);
    assert_eq!((held.progress.status, held.progress.unsent().count()), (Status::Queued, 0));
    assert_eq!(run(1, [doubt(DoubtPolicy::Fail)]).progress.status, Status::Unknown);
    let found = run(1, [doubt(DoubtPolicy::Hold), receipt(0, ReceiptState::Delivered, ReceiptPolicy::All)]);
    assert_eq!(found.progress.status, Status::Delivered, "a receipt settles it");
}

#[test]
fn what_was_marked_and_not_sent_waits_again_and_what_is_in_doubt_does_not() {
    let (marked, not_sent) = (Change::Marked { part: 0 }, Change::NotSent { part: 0 });
    let m = run(2, [sent(1), marked.clone()]);
    assert!(m.progress.is_marked(0) && !m.progress.is_marked(1) && m.progress.has_work());
    assert_eq!(run(1, [marked.clone(), not_sent.clone(), Change::Expire]).progress.status, Status::Expired);
    let held = Change::InDoubt { part: 0, policy: DoubtPolicy::Hold };
    let m = run(1, [marked.clone(), held, not_sent.clone()]);
    assert_eq!((m.progress.parts[0].status, m.progress.has_work()), (PartStatus::InDoubt, false));
    let m = run(1, [marked, sent(0), not_sent]);
    assert_eq!((m.progress.status, m.progress.has_work()), (Status::Sent, false));
}

#[test]
fn expiry_says_unknown_of_what_the_carrier_may_have() {
    assert_eq!(run(1, [Change::Expire]).progress.status, Status::Expired);
    assert_eq!(run(1, [sent(0), Change::Expire]).progress.status, Status::Unknown);
    assert_eq!(run(1, [Change::Marked { part: 0 }, Change::Expire]).progress.status, Status::Unknown);
    let late = run(1, [sent(0), Change::Expire, receipt(0, ReceiptState::Undelivered, ReceiptPolicy::All)]);
    assert_eq!(late.progress.status, Status::Undelivered, "a late receipt upgrades unknown");
}

#[test]
fn what_was_in_doubt_once_may_have_reached_the_carrier() {
    let doubt = Change::InDoubt { part: 0, policy: DoubtPolicy::Retry };
    let m = run(3, [doubt, sent(1), Change::Expire]);
    assert_eq!(m.progress.parts[0].status, m.progress.parts[2].status, "both wait in vain");
    let never: Vec<bool> = (0..4).map(|n| m.progress.never_reached(n)).collect();
    assert_eq!(never, [false, false, true, false]);
}

#[test]
fn only_what_is_not_sent_can_be_canceled() {
    assert_eq!(run(1, [Change::Cancel]).progress.status, Status::Canceled);
    assert_eq!(run(1, [sent(0), Change::Cancel]).progress.status, Status::Sent);
}

fn withdrawn(part: u8, policy: ReceiptPolicy) -> Change {
    Change::Withdrawn { part, policy }
}

fn queried(part: u8, state: ReceiptState) -> Change {
    let receipt = Receipt { state, stat: format!("{state:?}").into(), err: None };
    Change::Queried { part, receipt, policy: ReceiptPolicy::All }
}

#[test]
fn what_the_carrier_takes_back_is_canceled() {
    let all = ReceiptPolicy::All;
    let m = run(2, [sent(0), sent(1), withdrawn(0, all), withdrawn(1, all)]);
    assert_eq!((m.progress.status, m.progress.reason.is_none()), (Status::Canceled, true));
    assert_eq!(whats(&m), ["accepted", "sent", "sent", "withdrawn", "withdrawn", "canceled"]);
    assert_eq!(run(1, [withdrawn(0, all)]).progress.status, Status::Queued, "the carrier does not have it");
    let late = run(1, [sent(0), withdrawn(0, all), receipt(0, ReceiptState::Delivered, all)]);
    assert_eq!(late.progress.status, Status::Canceled);
}

#[test]
fn a_part_that_the_carrier_keeps_holds_the_message() {
    for policy in [ReceiptPolicy::All, ReceiptPolicy::Any, ReceiptPolicy::First, ReceiptPolicy::Last] {
        for kept in [0, 1] {
            let reason = Reason::new("carrier_refused", "0x00000011", true);
            let declined = Change::Declined { part: kept, what: "cancel_refused", reason };
            let half = run(2, [sent(0), sent(1), withdrawn(1 - kept, policy), declined.clone(), declined]);
            assert_eq!(half.progress.status, Status::Sent, "{policy:?} {kept}");
            assert_eq!(whats(&half)[3..], ["withdrawn", "cancel_refused"]);
        }
    }
    let then =
        [sent(0), sent(1), withdrawn(0, ReceiptPolicy::All), receipt(1, ReceiptState::Delivered, ReceiptPolicy::All)];
    assert_eq!(run(2, then).progress.status, Status::Canceled, "half of it is not delivered");
}

#[test]
fn an_answer_about_a_part_is_as_good_as_a_receipt_and_is_told_once() {
    use ReceiptState::{Delivered, Intermediate};
    let m = run(1, [sent(0), queried(0, Intermediate), queried(0, Intermediate), queried(0, Delivered)]);
    assert_eq!(m.progress.status, Status::Delivered);
    assert_eq!(whats(&m), ["accepted", "sent", "query", "query", "delivered"]);
    let m = run(1, [sent(0), Change::Expire, queried(0, Delivered), queried(0, ReceiptState::Undelivered)]);
    assert_eq!(m.progress.status, Status::Delivered, "states only move forward");
}

#[test]
fn a_part_that_waits_is_sent_whatever_the_receipts_of_others_say() {
    let early = receipt(0, ReceiptState::Delivered, ReceiptPolicy::First);
    let m = run(2, [sent(0), early.clone()]);
    assert_eq!((m.progress.status, m.progress.unsent().count()), (Status::Queued, 1));
    let rest = Change::Sent { part: 1, remote_id: "x".into(), policy: ReceiptPolicy::First };
    assert_eq!(run(2, [sent(0), early, rest]).progress.status, Status::Delivered);
}

fn any_policy() -> impl Strategy<Value = ReceiptPolicy> + Clone {
    prop::sample::select(vec![ReceiptPolicy::All, ReceiptPolicy::Any, ReceiptPolicy::First, ReceiptPolicy::Last])
}

fn any_change() -> impl Strategy<Value = Change> {
    let part = 0u8..4;
    let states = prop::sample::select(vec![
        ReceiptState::Intermediate,
        ReceiptState::Delivered,
        ReceiptState::Expired,
        ReceiptState::Undelivered,
        ReceiptState::Rejected,
        ReceiptState::Unknown,
    ]);
    let policies = any_policy();
    let doubts = prop::sample::select(vec![DoubtPolicy::Retry, DoubtPolicy::Hold, DoubtPolicy::Fail]);
    prop_oneof![
        part.clone().prop_map(sent),
        part.clone().prop_map(|part| Change::Refused { part, reason: Reason::new("r", "r", true) }),
        part.clone().prop_map(|part| Change::Retry { part, reason: Reason::new("r", "r", false) }),
        (part.clone(), doubts).prop_map(|(part, policy)| Change::InDoubt { part, policy }),
        part.clone().prop_map(|part| Change::Marked { part }),
        part.clone().prop_map(|part| Change::NotSent { part }),
        (part.clone(), policies.clone()).prop_map(|(part, policy)| Change::Withdrawn { part, policy }),
        (part.clone(), states.clone()).prop_map(|(part, state)| queried(part, state)),
        part.clone().prop_map(|part| Change::Declined {
            part,
            what: "query_refused",
            reason: Reason::new("r", "r", true)
        }),
        (part, states, policies).prop_map(|(part, state, policy)| receipt(part, state, policy)),
        Just(Change::Expire),
        Just(Change::Fail(Reason::new("no_route", "", true))),
        Just(Change::Cancel),
    ]
}

proptest! {
    #[test]
    fn states_only_move_forward(parts in 1usize..4, changes in prop::collection::vec(any_change(), 0..24)) {
        let mut message = message(parts);
        for (step, change) in changes.into_iter().enumerate() {
            let applied = message.apply(change, None, at(step as i64));
            if applied.moved() {
                prop_assert!(
                    !applied.before.is_final() && applied.after > applied.before
                        || matches!(applied.before, Status::Unknown | Status::Expired),
                    "{:?} became {:?}", applied.before, applied.after
                );
                prop_assert!(applied.changed);
            }
            let p = &message.progress;
            prop_assert_eq!(p.final_at.is_some(), p.status.is_final());
            prop_assert!(!p.status.is_final() || p.unsent().count() == 0);
            prop_assert!(p.events.len() <= crate::message::EVENTS_MAX);
        }
    }

    #[test]
    fn nothing_changes_a_closed_message_but_its_timeline(
        parts in 1usize..4, before in prop::collection::vec(any_change(), 0..12),
        after in prop::collection::vec(any_change(), 1..12), policy in any_policy(),
    ) {
        let mut message = message(parts);
        let receipts = (0..parts as u8).map(|part| receipt(part, ReceiptState::Delivered, policy));
        let changes = before.into_iter().chain((0..parts as u8).map(sent)).chain(receipts);
        for change in changes {
            message.apply(change, Some(&"a".into()), at(1));
        }
        prop_assume!(message.is_closed());
        let closed = message.clone();
        for change in after {
            message.apply(change, Some(&"b".into()), at(2));
        }
        message.progress.events = closed.progress.events.clone();
        prop_assert_eq!(message, closed);
    }
}
