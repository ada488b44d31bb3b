//! Parts that are recorded as handed over before they are (`mark_first`): what comes back, what is
//! answered out of order, and what a process leaves behind.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::dispatch::{Job, LinkSession, Outcome};
use model::{Message, PartStatus, Reason, Status};
use store::{MemoryStore, Store};
use support::*;

const MARKS: &str = r#"{"id":"a","protocol":"smpp","address":"127.0.0.1:1","system_id":"x","mark_first":true}"#;
const PLAIN: &str = r#"{"to":"+447700900123","text":"hello"}"#;

fn long() -> String {
    format!(r#"{{"to":"+447700900123","text":"{}"}}"#, "x".repeat(200))
}

fn busy() -> Outcome {
    Outcome::Throttled(Reason::new("busy", "ESME_RTHROTTLED", false))
}

fn statuses(message: &Message) -> Vec<PartStatus> {
    message.progress.parts.iter().map(|part| part.status).collect()
}

#[tokio::test]
async fn what_came_back_is_put_off_as_anything_else() {
    const QUIET: &str = r#"{"id":"shop","api_token":"secret","default_sender":"SHOP","default_country":"GB",
        "quiet_hours":{"from":"21:00","to":"08:00"}}"#;
    let clock = Clock::at("2026-01-10T20:59:00Z");
    let bench = restart_as(QUIET, Arc::new(MemoryStore::new(clock.reader())), MARKS).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    let job = take(&mut session, 1).await.remove(0);
    settle(&mut session, &job, busy()).await;
    clock.set("2026-01-10T21:00:00Z");
    let waits = async {
        loop {
            assert_eq!(session.take(1, Instant::now()).len(), 0);
            let message = bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap();
            if message.progress.reason.as_ref().is_some_and(|reason| &*reason.code == "quiet_hours") {
                return message;
            }
            tokio::task::yield_now().await;
        }
    };
    let waits = tokio::time::timeout(Duration::from_secs(20), waits).await.expect("it is put off");
    assert_eq!(waits.progress.due.unwrap().to_string(), "2026-01-11T08:00:00.000Z");
    clock.set("2026-01-11T08:00:00Z");
    let job = take_when_due(&mut session).await;
    sent(&mut session, &job, "S").await;
    bench.until(message.body.id, Status::Sent).await;
}

/// The one part that there is to send once the clock was moved: the engine's own timers go by the wall clock.
async fn take_when_due(session: &mut LinkSession) -> Job {
    match session.take(1, Instant::now()).pop() {
        Some(job) => job,
        None => take(session, 1).await.remove(0),
    }
}

#[tokio::test]
async fn what_came_back_is_sent_after_a_restart_for_it_is_in_no_doubt() {
    let bench = start(MARKS).await;
    let message = bench.submit(PLAIN).await.unwrap();
    let mut session = bench.session();
    for end in [true, false] {
        let job = take(&mut session, 1).await.remove(0);
        assert_eq!(bench.until_that(message.body.id, |_| true).await.progress.parts[0].status, PartStatus::InDoubt);
        match end {
            true => session.settle(job.ticket, busy()),
            false => session.give_back(job.ticket),
        }
        if session.unreported() > 0 {
            session.report().await;
        }
        bench.until_that(message.body.id, |m| statuses(m) == [PartStatus::Queued]).await;
    }
    drop(session);
    let bench = restart(bench.stop().await, MARKS).await;
    let mut session = bench.session();
    let job = take(&mut session, 1).await.remove(0);
    sent(&mut session, &job, "S").await;
    bench.until(message.body.id, Status::Sent).await;
}

#[tokio::test]
async fn a_part_whose_sibling_is_answered_first_comes_back_too() {
    for retry in [false, true] {
        let bench = start(MARKS).await;
        let message = bench.submit(&long()).await.unwrap();
        let mut session = bench.session();
        let jobs = take(&mut session, 2).await;
        sent(&mut session, &jobs[0], "S0").await;
        bench.until_that(message.body.id, |m| m.progress.parts[0].status == PartStatus::Sent).await;
        let reason = Reason::new("carrier_busy", "ESME_RSYSERR", false);
        let back = if retry { Outcome::Retry { after: Duration::from_millis(1), reason } } else { busy() };
        settle(&mut session, &jobs[1], back).await;
        let again = take(&mut session, 1).await.remove(0);
        assert_eq!(again.part, 1);
        sent(&mut session, &again, "S1").await;
        bench.until(message.body.id, Status::Sent).await;
        assert_eq!(bench.store.queue_depths().await.unwrap(), []);
    }
}

#[tokio::test]
async fn one_part_that_was_never_answered_puts_its_message_in_doubt_after_a_restart() {
    // The other one was answered, or had not gone yet.
    for answered in [true, false] {
        let bench = start(MARKS).await;
        let message = bench.submit(&long()).await.unwrap();
        let mut session = bench.session();
        let jobs = take(&mut session, if answered { 2 } else { 1 }).await;
        if answered {
            sent(&mut session, &jobs[0], "S0").await;
            bench.until_that(message.body.id, |m| m.progress.parts[0].status == PartStatus::Sent).await;
        }
        std::mem::forget(session);
        let bench = restart(bench.stop().await, MARKS).await;
        let mut session = bench.session();
        let done = bench.until(message.body.id, Status::Unknown).await;
        assert_eq!(&*done.progress.reason.unwrap().code, "in_doubt");
        assert_eq!(session.take(9, Instant::now()).len(), 0);
        assert_eq!(bench.store.queue_depths().await.unwrap(), []);
    }
}
