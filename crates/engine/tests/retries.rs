//! Messages of several parts of which some are with sessions while others are tried again, at times of
//! their own, or expire.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::dispatch::Outcome;
use model::{Reason, Status};
use store::MemoryStore;
use support::*;

fn retry(after: Duration) -> Outcome {
    Outcome::Retry { after, reason: Reason::new("carrier_busy", "ESME_RSYSERR", false) }
}

#[tokio::test]
async fn the_time_that_was_recorded_last_counts() {
    let bench = start(CONNECTOR).await;
    let text = "x".repeat(200);
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await.unwrap();
    let (mut one, mut other) = (bench.session(), bench.session());
    let (first, second) = (take(&mut one, 1).await.remove(0), take(&mut other, 1).await.remove(0));
    assert_eq!((first.part, second.part), (0, 1));
    settle(&mut one, &first, retry(Duration::from_secs(3600))).await;
    settle(&mut other, &second, retry(Duration::from_millis(1))).await;
    let again = take(&mut one, 2).await;
    assert_eq!(again.iter().map(|job| job.part).collect::<Vec<_>>(), [0, 1]);
    for job in &again {
        sent(&mut one, job, &format!("S{}", job.part)).await;
    }
    bench.until(message.body.id, Status::Sent).await;
}

#[tokio::test]
async fn what_expires_while_a_session_has_a_part_of_it_does_not_end_as_if_nothing_was_sent() {
    let clock = Clock::at("2026-01-10T12:00:00Z");
    let bench = restart(Arc::new(MemoryStore::new(clock.reader())), CONNECTOR).await;
    let text = "x".repeat(200);
    let json = format!(r#"{{"to":"+447700900123","text":"{text}","validity_seconds":60}}"#);
    let message = bench.submit(&json).await.unwrap();
    let mut session = bench.session();
    let first = take(&mut session, 1).await.remove(0);
    clock.set("2026-01-10T12:02:00Z");
    assert_eq!(session.take(9, Instant::now()).len(), 0);
    // What the lane has to say of that is recorded before the answer.
    bench.submit(r#"{"to":"+447700900123","text":"another"}"#).await.unwrap();
    sent(&mut session, &first, "S0").await;
    let ended = bench.until(message.body.id, Status::Unknown).await;
    assert_eq!(ended.progress.parts[0].remote_id.as_deref(), Some("S0"));
}
