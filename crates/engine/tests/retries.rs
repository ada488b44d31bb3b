//! Parts of one message that are to be tried again at different times, as sessions with pauses of their
//! own will have it.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::time::Duration;

use engine::dispatch::Outcome;
use model::{Reason, Status};
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
