//! The engine from end to end, on a store in memory: each test is one thing that happens to
//! messages, and asserts the rows that are left.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::time::Duration;

use engine::dispatch::Outcome;
use engine::{Accepted, CancelError, CancelRefused, Refusal};
use model::{PartStatus, Reason, ReceiptState, Status};
use sms::Concat;
use store::{DeliveryFilter, Store, StoreError};
use support::*;

const PLAIN: &str = r#"{"to":"07700 900123","text":"hello"}"#;

fn with(option: &str) -> String {
    CONNECTOR.replace("\"id\"", &format!("{option},\"id\""))
}

fn reason(code: &str) -> Reason {
    Reason::new(code, code, false)
}

#[tokio::test]
async fn a_message_goes_out_and_its_receipt_comes_back() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    assert_eq!(message.progress.status, Status::Queued);
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    assert_eq!((jobs[0].body.id, jobs[0].part, jobs[0].parts), (message.body.id, 0, 1));
    sent(&mut session, &jobs[0], "R1").await;
    bench.until(message.body.id, Status::Sent).await;
    receipt(&mut session, "R1", ReceiptState::Delivered).await;
    let done = bench.until(message.body.id, Status::Delivered).await;
    let whats: Vec<_> = done.progress.events.iter().map(|e| e.what.to_string()).collect();
    assert_eq!(whats, ["accepted", "sent", "receipt", "delivered"]);
    let owed = bench.engine.deliveries(&bench.caller, DeliveryFilter::default(), None, 10).await.unwrap();
    let mut events: Vec<_> = owed.iter().map(|d| d.event.to_string()).collect();
    events.sort();
    assert_eq!(events, ["message.delivered", "message.sent"]);
    assert_eq!(bench.store.queue_depths().await.unwrap(), []);
}

#[tokio::test]
async fn a_long_message_is_one_message_of_several_parts() {
    let bench = start(CONNECTOR).await;
    let text = "x".repeat(400);
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 3).await;
    assert_eq!(jobs.iter().map(|j| (j.part, j.parts)).collect::<Vec<_>>(), [(0, 3), (1, 3), (2, 3)]);
    for (n, job) in jobs.iter().enumerate() {
        sent(&mut session, job, &format!("P{n}")).await;
    }
    bench.until(message.body.id, Status::Sent).await;
    for n in 0..3 {
        receipt(&mut session, &format!("P{n}"), ReceiptState::Delivered).await;
    }
    bench.until(message.body.id, Status::Delivered).await;
}

#[tokio::test]
async fn a_receipt_before_the_answer_waits_for_it_in_any_form() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    receipt(&mut session, "1626196074", ReceiptState::Delivered).await;
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 1);
    sent(&mut session, &jobs[0], "60EDC86A").await;
    bench.until(message.body.id, Status::Delivered).await;
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_receipt_and_the_answer_after_it_may_be_reported_together() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    session.receive(delivered("1626196074"), 42);
    session.settle(jobs[0].ticket, Outcome::Sent { remote_id: "60EDC86A".into() });
    session.report().await;
    bench.until(message.body.id, Status::Delivered).await;
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0);
}

/// Long enough on the test's own clock for the recorder to have seen everything.
async fn recorder_has_looked() {
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
}

#[tokio::test(start_paused = true)]
async fn a_receipt_may_come_while_its_answer_is_on_its_way_to_the_disk() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    bench.store.hold(true);
    sent(&mut session, &jobs[0], "R1").await;
    recorder_has_looked().await;
    session.receive(delivered("R1"), 42);
    session.report().await;
    recorder_has_looked().await;
    bench.store.hold(false);
    let done = bench.until(message.body.id, Status::Delivered).await;
    let told: Vec<&str> = done.progress.events.iter().map(|e| &*e.what).collect();
    assert_eq!(told, ["accepted", "sent", "receipt", "delivered"]);
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_finds_the_receipt_that_is_on_its_way_to_the_disk() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    bench.store.hold(true);
    session.receive(delivered("R1"), 42);
    session.report().await;
    recorder_has_looked().await;
    sent(&mut session, &jobs[0], "R1").await;
    recorder_has_looked().await;
    bench.store.hold(false);
    bench.until(message.body.id, Status::Delivered).await;
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_on_its_way_takes_only_acceptances_with_it() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    bench.store.hold(true);
    let submitted = async {
        let first = bench.submit(PLAIN);
        let second = async {
            recorder_has_looked().await;
            bench.submit(PLAIN).await
        };
        tokio::join!(first, second)
    };
    let meanwhile = async {
        recorder_has_looked().await;
        sent(&mut session, &jobs[0], "R1").await;
        recorder_has_looked().await;
        recorder_has_looked().await;
        bench.store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
        bench.store.hold(false);
    };
    let ((first, second), ()) = tokio::join!(submitted, meanwhile);
    assert!(matches!(first, Err(Refusal::StoreAway(_))), "it was on its way: {first:?}");
    assert!(matches!(second, Err(Refusal::StoreAway(_))), "it was in the open draft: {second:?}");
    bench.store.fail_with(None);
    // From here on the test looks again and again, and the clock would stand still.
    tokio::time::resume();
    bench.until(message.body.id, Status::Sent).await;
}

#[tokio::test]
async fn receipts_find_their_messages_when_the_form_of_ids_is_learnt_too() {
    let bench = start(CONNECTOR).await;
    let mut session = bench.session();
    for number in 0..20 {
        let message = bench.submit(PLAIN).await.unwrap();
        let jobs = take(&mut session, 1).await;
        let id = format!("R{number}");
        sent(&mut session, &jobs[0], &id).await;
        bench.until(message.body.id, Status::Sent).await;
        receipt(&mut session, &id, ReceiptState::Delivered).await;
        bench.until(message.body.id, Status::Delivered).await;
    }
}

#[tokio::test]
async fn the_same_receipt_twice_changes_nothing_the_second_time() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    sent(&mut session, &jobs[0], "R1").await;
    receipt(&mut session, "R1", ReceiptState::Delivered).await;
    receipt(&mut session, "R1", ReceiptState::Undelivered).await;
    let done = bench.until(message.body.id, Status::Delivered).await;
    assert_eq!(done.progress.parts[0].status, PartStatus::Delivered);
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0, "it is known, not unmatched");
}

#[tokio::test]
async fn a_refusal_ends_the_message_with_the_carriers_reason() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    settle(&mut session, &jobs[0], Outcome::Refused(reason("carrier_refused"))).await;
    let done = bench.until(message.body.id, Status::Rejected).await;
    assert_eq!(&*done.progress.reason.unwrap().code, "carrier_refused");
}

#[tokio::test]
async fn a_retry_comes_back_when_it_is_due_and_gives_up_in_the_end() {
    let bench = start(&with(r#""max_attempts":3"#)).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    for _ in 0..3 {
        let jobs = take(&mut session, 1).await;
        let retry = Outcome::Retry { after: Duration::from_millis(5), reason: reason("carrier_busy") };
        settle(&mut session, &jobs[0], retry).await;
    }
    let done = bench.until(message.body.id, Status::Failed).await;
    assert_eq!(&*done.progress.reason.unwrap().code, "retries_used_up");
    assert_eq!(done.progress.attempts, 2);
}

#[tokio::test]
async fn a_busy_carrier_gets_the_same_part_first_after_a_pause() {
    let bench = start(CONNECTOR).await;
    bench.submit(PLAIN).await.unwrap();
    let second = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let first = take(&mut session, 1).await.remove(0);
    session.settle(first.ticket, Outcome::Throttled(reason("carrier_busy")));
    assert!(session.take(10, std::time::Instant::now()).is_empty(), "it pauses");
    let jobs = take(&mut session, 2).await;
    assert_eq!((jobs[0].body.id, jobs[1].body.id), (first.body.id, second.body.id));
}

#[tokio::test]
async fn what_a_dropped_session_had_is_sent_again() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    take(&mut session, 1).await;
    drop(session);
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    sent(&mut session, &jobs[0], "R").await;
    let done = bench.until(message.body.id, Status::Sent).await;
    assert!(done.progress.events.iter().any(|e| e.what == "in_doubt"));
}

#[tokio::test]
async fn in_doubt_is_held_or_given_up_where_the_connector_says_so() {
    for (policy, status) in [("hold", Status::Queued), ("fail", Status::Unknown)] {
        let bench = start(&with(&format!(r#""in_doubt":"{policy}""#))).await;
        let message = bench.submit(PLAIN).await.unwrap();
        let mut session = bench.session();
        let jobs = take(&mut session, 1).await;
        settle(&mut session, &jobs[0], Outcome::InDoubt).await;
        let noted = |m: &model::Message| m.progress.reason.as_ref().is_some_and(|r| &*r.code == "in_doubt");
        let held = bench.until_that(message.body.id, noted).await;
        assert_eq!(held.progress.status, status);
        assert!(session.take(1, std::time::Instant::now()).is_empty(), "it is not sent again");
        assert_eq!(bench.store.queue_depths().await.unwrap(), []);
    }
}

#[tokio::test]
async fn at_most_once_survives_the_end_of_the_process() {
    let connector = with(r#""mark_first":true"#);
    let bench = start(&connector).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    assert_eq!(jobs.len(), 1);
    let marked = bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap();
    assert_eq!(marked.progress.parts[0].status, PartStatus::InDoubt, "recorded before it is sent");
    // The process ends here: nobody reports what the session had.
    std::mem::forget(session);
    let bench = restart(bench.stop().await, &connector).await;
    let _session = bench.session();
    let done = bench.until(message.body.id, Status::Unknown).await;
    assert_eq!(&*done.progress.reason.unwrap().code, "in_doubt");
}

#[tokio::test]
async fn what_was_accepted_is_sent_after_a_restart() {
    let bench = start(CONNECTOR).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(bench.submit(PLAIN).await.unwrap().body.id);
    }
    let bench = restart(bench.stop().await, CONNECTOR).await;
    let mut session = bench.session();
    let jobs = take(&mut session, 10).await;
    assert_eq!(jobs.iter().map(|j| j.body.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_scheduled_message_waits_for_its_time() {
    let bench = start(CONNECTOR).await;
    let at = bench.engine.now().plus_millis(300);
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"x","send_at":"{at}"}}"#)).await.unwrap();
    assert_eq!(message.progress.status, Status::Scheduled);
    let mut session = bench.session();
    assert!(session.take(1, std::time::Instant::now()).is_empty());
    let jobs = take(&mut session, 1).await;
    assert!(bench.engine.now() >= at);
    sent(&mut session, &jobs[0], "R").await;
    bench.until(message.body.id, Status::Sent).await;
}

#[tokio::test]
async fn a_message_expires_where_it_waits() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(r#"{"to":"+447700900123","text":"x","validity_seconds":1}"#).await.unwrap();
    let done = bench.until(message.body.id, Status::Expired).await;
    assert_eq!(&*done.progress.reason.unwrap().code, "expired");
    let mut session = bench.session();
    assert!(session.take(1, std::time::Instant::now()).is_empty());
}

#[tokio::test]
async fn a_message_is_canceled_unless_a_session_has_it() {
    let bench = start(CONNECTOR).await;
    let first = bench.submit(PLAIN).await.unwrap();
    let second = bench.submit(PLAIN).await.unwrap();
    let canceled = bench.engine.cancel(&bench.caller, second.body.id).await.unwrap();
    assert_eq!(canceled.progress.status, Status::Canceled);
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    assert_eq!(jobs[0].body.id, first.body.id);
    let late = bench.engine.cancel(&bench.caller, first.body.id).await;
    assert_eq!(late, Err(CancelError::Refused(CancelRefused::TooLate)));
    assert!(session.take(1, std::time::Instant::now()).is_empty());
    assert_eq!(bench.store.queue_depths().await.unwrap(), [("a".into(), 1)]);
}

#[tokio::test]
async fn an_idempotency_key_answers_the_same_and_refuses_another_body() {
    let bench = start(CONNECTOR).await;
    let Accepted::New(first, answer) = bench.submit_keyed(PLAIN, Some("k")).await.unwrap() else { panic!() };
    match bench.submit_keyed(PLAIN, Some("k")).await.unwrap() {
        Accepted::Replayed(again) => assert_eq!(again, answer),
        Accepted::New(..) => panic!("accepted twice"),
    }
    let other = bench.submit_keyed(r#"{"to":"+447700900123","text":"other"}"#, Some("k")).await;
    assert_eq!(other.err(), Some(Refusal::KeyReused));
    let mut session = bench.session();
    assert_eq!(take(&mut session, 1).await[0].body.id, first.body.id);
    assert!(session.take(1, std::time::Instant::now()).is_empty());
}

#[tokio::test]
async fn a_store_that_fails_refuses_new_messages_and_loses_no_answer() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    bench.store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
    let refused = bench.submit(PLAIN).await.unwrap_err();
    assert!(matches!(refused, Refusal::StoreAway(_)), "{refused:?}");
    sent(&mut session, &jobs[0], "R1").await;
    bench.store.fail_with(None);
    bench.until(message.body.id, Status::Sent).await;
    let accepted = async {
        while bench.submit(PLAIN).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), accepted).await.expect("it recovers by itself");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_back_when_it_has_been_written_and_then_for_good() {
    let bench = start(CONNECTOR).await;
    let mut health = bench.engine.health();
    bench.store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
    for _ in 0..10 {
        assert!(matches!(bench.submit(PLAIN).await, Err(Refusal::StoreAway(_))));
        // Nobody sends anything, so there is nothing to write.
        let back = health.wait_for(|health| health.store.is_none());
        assert!(tokio::time::timeout(Duration::from_secs(60), back).await.is_err(), "it can't be used yet");
        bench.store.fail_with(None);
        health.wait_for(|health| health.store.is_none()).await.unwrap();
        bench.submit(PLAIN).await.expect("it was said to be back");
        bench.store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
    }
}

async fn received(bench: &Bench) -> Vec<String> {
    let filter = store::MessageFilter { direction: Some(model::Direction::Mo), ..Default::default() };
    let (found, _) = bench.engine.search(&bench.caller, filter, None, 10).await.unwrap();
    found.iter().filter_map(|m| m.body.content.text().map(str::to_owned)).collect()
}

#[tokio::test]
async fn incoming_parts_become_one_message_for_the_account_even_across_a_restart() {
    let bench = start(CONNECTOR).await;
    let part = |sequence| Some(Concat { reference: 7, total: 3, sequence, wide: false });
    let mut session = bench.session();
    incoming(&mut session, mo("single", None)).await;
    incoming(&mut session, mo("three", part(3))).await;
    incoming(&mut session, mo("one ", part(1))).await;
    incoming(&mut session, mo("one ", part(1))).await;
    assert_eq!(received(&bench).await, ["single"]);
    session.close().await;
    let bench = restart(bench.stop().await, CONNECTOR).await;
    let mut session = bench.session();
    incoming(&mut session, mo("two ", part(2))).await;
    assert_eq!(received(&bench).await, ["one two three", "single"]);
    assert_eq!(bench.store.mo_parts().await.unwrap(), []);
    let owed = bench.engine.deliveries(&bench.caller, DeliveryFilter::default(), None, 10).await.unwrap();
    assert!(owed.iter().all(|d| &*d.event == "message.received"));
    assert_eq!(owed.len(), 2);
}

#[tokio::test]
async fn a_payload_that_the_store_does_not_keep_is_made_again_octet_by_octet() {
    let bench = start(CONNECTOR).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    sent(&mut session, &jobs[0], "R1").await;
    receipt(&mut session, "R1", ReceiptState::Delivered).await;
    incoming(&mut session, mo("from a phone", None)).await;
    bench.until(message.body.id, Status::Delivered).await;
    session.close().await;
    let payloads = async |bench: &Bench| {
        let owed = bench.engine.deliveries(&bench.caller, DeliveryFilter::default(), None, 10).await.unwrap();
        owed.into_iter().map(|d| (d.event.to_string(), d.payload.to_string())).collect::<Vec<_>>()
    };
    let listed = payloads(&bench).await;
    let kept = bench.store.deliveries(&DeliveryFilter::default(), None, 10).await.unwrap();
    let bare: Vec<_> = kept.iter().filter(|d| d.payload.is_empty()).map(|d| &*d.event).collect();
    assert_eq!(bare.len(), 2, "{kept:?}");
    assert!(bare.contains(&"message.delivered") && bare.contains(&"message.received"), "{bare:?}");
    // What is in memory was made when it happened; what comes after a restart is made from the row.
    let at_hand = calls(&bench);
    let bench = restart(bench.stop().await, CONNECTOR).await;
    assert_eq!(payloads(&bench).await, listed);
    let mut again = Vec::new();
    while again.len() < at_hand.len() {
        let call = bench.engine.outbox().next().await;
        again.push((call.delivery.event.to_string(), call.delivery.payload.to_string()));
    }
    again.sort();
    assert_eq!(again, at_hand);
    assert!(again.iter().all(|call| listed.contains(call)));
}

/// The calls that may be made now, each left unfinished.
fn calls(bench: &Bench) -> Vec<(String, String)> {
    let calls: Vec<_> = std::iter::from_fn(|| bench.engine.outbox().try_next()).collect();
    let mut calls: Vec<_> =
        calls.iter().map(|call| (call.delivery.event.to_string(), call.delivery.payload.to_string())).collect();
    calls.sort();
    calls
}
