//! Batches that come as streams: taken chunk by chunk, gone on with when they broke off, paused and
//! canceled meanwhile, and finished when they have ended and not before.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::time::Duration;

use engine::{
    Accepted, BatchTaken, BatchWish, Idempotency, Limit, Refusal, UnderKey, Upload, UploadState, UploadStopped,
};
use model::submission::Fault;
use model::{BatchId, Status, Submission};
use store::{Batch, BatchCounts, BatchPhase, Store, StoreError};
use support::*;

type Lines = Vec<Result<Submission, Fault>>;

fn good(count: usize) -> Lines {
    let line = |_| Ok(serde_json::from_str(r#"{"to":"07700 900123","text":"hello"}"#).unwrap());
    (0..count).map(line).collect()
}

fn bad(count: usize) -> Lines {
    (0..count).map(|_| Err(Fault::new("", "is no message"))).collect()
}

/// What lines until here come to: any number will do.
fn digest(n: u8) -> Option<[u8; 32]> {
    Some([n; 32])
}

impl Bench {
    async fn begin(&self, key: Option<&str>) -> Upload {
        self.engine.begin_upload(&self.caller, key).await.unwrap()
    }

    async fn batch_of(&self, id: BatchId) -> (Batch, BatchCounts) {
        self.engine.batch(&self.caller, id).await.unwrap().unwrap()
    }

    async fn until_batch(&self, id: BatchId, wanted: impl Fn(&Batch, &BatchCounts) -> bool) -> (Batch, BatchCounts) {
        let looking = async {
            loop {
                let (batch, counts) = self.batch_of(id).await;
                if wanted(&batch, &counts) {
                    return (batch, counts);
                }
                tokio::task::yield_now().await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), looking).await {
            Ok(found) => found,
            Err(_) => panic!("it never came to that: {:?}", self.batch_of(id).await),
        }
    }

    async fn want(&self, id: BatchId, wish: BatchWish) {
        self.engine.want_batch(&self.caller, id, wish).await.unwrap();
    }

    async fn queued(&self) -> u64 {
        self.store.queue_depths().await.unwrap().iter().map(|(_, depth)| depth).sum()
    }
}

fn count(counts: &BatchCounts, status: Status) -> u64 {
    counts.0.iter().find(|(of, _)| *of == status).map_or(0, |(_, count)| *count)
}

#[tokio::test]
async fn what_is_sound_is_taken_chunk_by_chunk_and_the_rest_is_told() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(None).await;
    let id = upload.batch().id;
    upload.add([good(2), bad(1), good(1)].concat(), None, false).await.unwrap();
    upload.settle().await.unwrap();
    let (batch, counts) = bench.batch_of(id).await;
    assert_eq!((batch.accepted, batch.rejected, batch.complete), (3, 1, false));
    assert_eq!((count(&counts, Status::Queued), bench.engine.upload_state(&batch)), (3, UploadState::Receiving));
    upload.add([bad(1), good(1)].concat(), None, true).await.unwrap();
    upload.settle().await.unwrap();
    let places: Vec<u64> = upload.rejected().iter().map(|(place, _)| *place).collect();
    assert_eq!((places, upload.lines()), (vec![2, 4], 6));
    drop(upload);
    let (batch, counts) = bench.batch_of(id).await;
    assert_eq!((batch.accepted, batch.rejected, count(&counts, Status::Queued)), (4, 2, 4));
    assert_eq!(bench.engine.upload_state(&batch), UploadState::Complete);
}

/// Also when the process ended in between.
#[tokio::test]
async fn a_stream_that_broke_off_is_gone_on_with_under_its_key() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(Some("k")).await;
    let id = upload.batch().id;
    assert_eq!(bench.engine.under_key(&bench.caller, "k").await, Ok(UnderKey::Nothing));
    upload.add(good(3), digest(1), false).await.unwrap();
    upload.settle().await.unwrap();
    assert_eq!(bench.engine.under_key(&bench.caller, "k").await, Ok(UnderKey::Upload(id)));
    let twice = bench.engine.begin_upload(&bench.caller, Some("k")).await.unwrap_err();
    assert_eq!(twice, Refusal::KeyInUse.into());
    drop(upload);
    let bench = restart(bench.stop().await, CONNECTOR).await;
    assert_eq!(bench.engine.upload_state(&bench.batch_of(id).await.0), UploadState::Incomplete);
    let mut upload = bench.begin(Some("k")).await;
    assert_eq!((upload.batch().id, upload.lines(), upload.batch().digest), (id, 3, digest(1)));
    upload.add(good(2), digest(2), true).await.unwrap();
    upload.settle().await.unwrap();
    drop(upload);
    let upload = bench.begin(Some("k")).await;
    assert_eq!((upload.lines(), upload.batch().digest, upload.batch().complete), (5, digest(2), true));
    // What was asked as a whole is no stream, and the other way round.
    let whole = async |key| {
        let idempotency = Some(Idempotency { key, fingerprint: [9; 32] });
        let render = |taken: &BatchTaken| (202, taken.batch.id.to_string().into());
        bench.engine.submit_batch(&bench.caller, good(1), idempotency, render).await
    };
    drop(upload);
    assert_eq!(whole("k").await.unwrap_err(), Refusal::KeyReused);
    assert!(matches!(whole("w").await.unwrap(), Accepted::New(..)));
    let refused = bench.engine.begin_upload(&bench.caller, Some("w")).await.unwrap_err();
    assert_eq!(refused, Refusal::KeyReused.into());
    let under = bench.engine.under_key(&bench.caller, "w").await.unwrap();
    assert!(matches!(under, UnderKey::Answered { fingerprint: [9, ..], .. }), "{under:?}");
}

/// What is on its way when the client goes counts, and nobody goes on with it before.
#[tokio::test]
async fn a_chunk_on_its_way_lands_though_nobody_waits_for_it() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(Some("k")).await;
    bench.store.hold(true);
    upload.add(good(2), digest(1), false).await.unwrap();
    drop(upload);
    let in_use = bench.engine.begin_upload(&bench.caller, Some("k")).await.unwrap_err();
    assert_eq!(in_use, Refusal::KeyInUse.into());
    bench.store.hold(false);
    let upload = loop {
        match bench.engine.begin_upload(&bench.caller, Some("k")).await {
            Ok(upload) => break upload,
            Err(why) => assert_eq!(why, Refusal::KeyInUse.into()),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((upload.lines(), upload.batch().digest), (2, digest(1)));
}

#[tokio::test]
async fn one_that_took_nothing_leaves_nothing() {
    let bench = start(CONNECTOR).await;
    let upload = bench.begin(Some("k")).await;
    let id = upload.batch().id;
    drop(upload);
    assert_eq!(bench.engine.batch(&bench.caller, id).await.unwrap(), None);
    assert_eq!(bench.engine.under_key(&bench.caller, "k").await, Ok(UnderKey::Nothing));
}

#[tokio::test]
async fn a_chunk_that_is_refused_leaves_no_trace_and_those_before_it_stay() {
    let account = r#"{"id":"shop","api_token":"secret","default_sender":"SHOP","default_country":"GB",
        "quota":{"daily":5}}"#;
    let bench = start(CONNECTOR).await;
    let bench = restart_as(account, bench.stop().await, CONNECTOR).await;
    let mut upload = bench.begin(Some("k")).await;
    upload.add(good(4), digest(1), false).await.unwrap();
    upload.add([good(2), bad(1)].concat(), digest(2), false).await.unwrap();
    // Nobody asks: it is told by itself.
    let stopped = upload.stopped().await;
    let UploadStopped::Refused(Refusal::Limited { limit: Limit::DailyQuota, .. }) = stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!((upload.lines(), upload.batch().digest, upload.rejected()), (4, digest(1), &[][..]));
    drop(upload);
    // One fits, and so it goes on.
    let mut upload = bench.begin(Some("k")).await;
    assert_eq!(upload.lines(), 4);
    upload.add(good(1), digest(3), true).await.unwrap();
    upload.settle().await.unwrap();
    assert_eq!((bench.queued().await, bench.batch_of(upload.batch().id).await.0.accepted), (5, 5));
}

#[tokio::test]
async fn a_store_that_is_away_stops_it_and_it_goes_on_when_the_store_is_back() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(Some("k")).await;
    upload.add(good(2), digest(1), false).await.unwrap();
    upload.settle().await.unwrap();
    bench.store.fail_with(Some(StoreError::Unavailable("full".into())));
    upload.add(good(2), digest(2), false).await.unwrap();
    assert!(matches!(upload.stopped().await, UploadStopped::Refused(Refusal::StoreAway(_))));
    assert_eq!(upload.lines(), 2);
    drop(upload);
    let refused = bench.engine.begin_upload(&bench.caller, Some("k")).await.unwrap_err();
    assert!(matches!(refused, UploadStopped::Refused(Refusal::StoreAway(_))), "{refused:?}");
    bench.store.fail_with(None);
    bench.engine.health().wait_for(|health| health.store.is_none()).await.unwrap();
    let mut upload = bench.begin(Some("k")).await;
    assert_eq!(upload.lines(), 2);
    upload.add(good(2), digest(2), true).await.unwrap();
    upload.settle().await.unwrap();
    assert_eq!(bench.queued().await, 4);
}

#[tokio::test]
async fn what_comes_into_a_paused_batch_is_put_aside_with_the_rest() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(None).await;
    let id = upload.batch().id;
    upload.add(good(2), None, false).await.unwrap();
    upload.settle().await.unwrap();
    bench.want(id, BatchWish::Pause).await;
    upload.add(good(3), None, false).await.unwrap();
    upload.settle().await.unwrap();
    bench.until_batch(id, |batch, _| batch.phase == BatchPhase::Paused).await;
    assert_eq!(bench.queued().await, 0);
    bench.want(id, BatchWish::Resume).await;
    upload.add(good(1), None, true).await.unwrap();
    upload.settle().await.unwrap();
    bench.until_batch(id, |batch, _| batch.phase == BatchPhase::Running).await;
    assert_eq!(bench.queued().await, 6);
}

#[tokio::test]
async fn a_batch_that_is_canceled_takes_no_more_however_late_it_comes() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(Some("k")).await;
    let id = upload.batch().id;
    upload.add(good(2), digest(1), false).await.unwrap();
    upload.settle().await.unwrap();
    bench.want(id, BatchWish::Cancel).await;
    assert_eq!(upload.stopped().await, UploadStopped::Canceled);
    // It is not told by its phase any more when all messages know.
    bench.until_batch(id, |batch, _| batch.phase == BatchPhase::Canceled).await;
    upload.add(good(2), digest(2), true).await.unwrap();
    assert_eq!(upload.settle().await, Err(UploadStopped::Canceled));
    assert_eq!(upload.lines(), 2);
    drop(upload);
    let again = bench.engine.begin_upload(&bench.caller, Some("k")).await.unwrap_err();
    assert_eq!(again, UploadStopped::Canceled);
    let (batch, counts) = bench.until_batch(id, |batch, _| batch.finished_at.is_some()).await;
    assert_eq!((batch.accepted, count(&counts, Status::Canceled)), (2, 2));
}

/// Batches are looked at all together, so one that came after it tells that it was looked at.
#[tokio::test]
async fn a_batch_is_finished_when_no_more_of_it_comes_and_again_when_it_was_gone_on_with() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(Some("k")).await;
    let id = upload.batch().id;
    upload.add(bad(2), digest(1), false).await.unwrap();
    upload.settle().await.unwrap();
    let render = |_: &BatchTaken| (202, "".into());
    let Ok(Accepted::New(other, _)) = bench.engine.submit_batch(&bench.caller, bad(1), None, render).await else {
        panic!("it is taken");
    };
    bench.until_batch(other.batch.id, |batch, _| batch.finished_at.is_some()).await;
    assert_eq!(bench.batch_of(id).await.0.finished_at, None);
    drop(upload);
    bench.until_batch(id, |batch, _| batch.finished_at.is_some()).await;
    let mut upload = bench.begin(Some("k")).await;
    upload.add(good(1), digest(2), true).await.unwrap();
    upload.settle().await.unwrap();
    assert_eq!(bench.batch_of(id).await.0.finished_at, None);
    drop(upload);
    bench.want(id, BatchWish::Cancel).await;
    let (batch, _) = bench.until_batch(id, |batch, _| batch.finished_at.is_some()).await;
    assert!(batch.complete);
}

#[tokio::test]
async fn who_sends_too_fast_waits_and_small_throughputs_make_small_chunks() {
    let account = r#"{"id":"shop","api_token":"secret","default_sender":"SHOP","default_country":"GB",
        "throughput":5}"#;
    let bench = start(CONNECTOR).await;
    assert_eq!(bench.begin(None).await.chunk_lines(), 1000);
    let bench = restart_as(account, bench.stop().await, CONNECTOR).await;
    let mut upload = bench.begin(None).await;
    assert_eq!(upload.chunk_lines(), 10);
    let begun = std::time::Instant::now();
    for last in [false, true] {
        upload.add(good(10), None, last).await.unwrap();
    }
    upload.settle().await.unwrap();
    // Ten at five a second, of which one second's worth may come at once.
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(bench.queued().await, 20);
}

#[tokio::test]
async fn the_end_of_the_gateway_ends_it_too() {
    let bench = start(CONNECTOR).await;
    let mut upload = bench.begin(None).await;
    upload.add(good(1), None, false).await.unwrap();
    bench.engine.drain();
    assert_eq!(upload.stopped().await, Refusal::Draining.into());
    assert_eq!(upload.lines(), 1, "what was handed in before counts");
}
