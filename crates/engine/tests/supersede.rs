//! Messages that take each other's place: what waits, and what became of the others.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use engine::Refusal;
use engine::dispatch::Outcome;
use model::{Message, MessageId, Reason, Status};
use store::{DeliveryFilter, Store, StoreError};
use support::*;

const KEYED: &str = r#"{"to":"07700 900123","text":"hello","supersede_key":"order 7"}"#;

fn in_an_hour() -> String {
    let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = model::Timestamp::from_millis(at.as_millis() as i64).plus_seconds(3600);
    KEYED.replacen('{', &format!(r#"{{"send_at":"{at}","#), 1)
}

fn why(message: &Message) -> Option<&str> {
    message.progress.reason.as_ref().map(|reason| &*reason.code)
}

async fn queued(bench: &Bench) -> u64 {
    bench.store.queue_depths().await.unwrap().iter().map(|(_, depth)| depth).sum()
}

async fn taken(bench: &Bench, count: usize) -> Vec<MessageId> {
    let mut session = bench.session();
    let jobs = take(&mut session, count).await;
    let ids = jobs.iter().map(|job| job.body.id).collect();
    for job in &jobs {
        sent(&mut session, job, &format!("R{}", job.body.id)).await;
    }
    ids
}

#[tokio::test]
async fn a_newer_message_takes_the_place_of_one_that_waits() {
    let bench = start(CONNECTOR).await;
    for older in [KEYED.to_owned(), in_an_hour()] {
        let older = bench.submit(&older).await.unwrap();
        let newer = bench.submit(KEYED).await.unwrap();
        // In the commit of the newer one: nobody has to wait for it.
        let older = bench.engine.message(&bench.caller, older.body.id).await.unwrap().unwrap();
        assert_eq!((older.progress.status, why(&older)), (Status::Canceled, Some("superseded")));
        let named = older.progress.reason.as_ref().unwrap().detail.contains(&newer.body.id.to_string());
        assert!(named, "{older:?}");
        let filter = DeliveryFilter { message: Some(older.body.id), ..DeliveryFilter::default() };
        let owed = bench.engine.deliveries(&bench.caller, filter, None, 10).await.unwrap();
        assert_eq!(owed.iter().map(|d| &*d.event).collect::<Vec<_>>(), ["message.canceled"]);
        assert_eq!(queued(&bench).await, 1);
        assert_eq!(taken(&bench, 1).await, [newer.body.id]);
        bench.until(newer.body.id, Status::Sent).await;
    }
}

#[tokio::test]
async fn other_recipients_and_keys_are_other_messages() {
    let bench = start(CONNECTOR).await;
    bench.submit(KEYED).await.unwrap();
    bench.submit(&KEYED.replace("900123", "900124")).await.unwrap();
    bench.submit(&KEYED.replace("order 7", "order 8")).await.unwrap();
    bench.submit(&KEYED.replace(r#","supersede_key":"order 7""#, "")).await.unwrap();
    assert_eq!(queued(&bench).await, 4);
    // However the number is written.
    bench.submit(&KEYED.replace("07700 900123", "+447700900123")).await.unwrap();
    assert_eq!(queued(&bench).await, 4);
}

#[tokio::test]
async fn what_a_session_has_taken_goes_out() {
    let bench = start(CONNECTOR).await;
    let older = bench.submit(KEYED).await.unwrap();
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    let newer = bench.submit(KEYED).await.unwrap();
    assert_eq!(queued(&bench).await, 2);
    sent(&mut session, &jobs[0], "R1").await;
    bench.until(older.body.id, Status::Sent).await;
    let newest = bench.submit(KEYED).await.unwrap();
    bench.until(newer.body.id, Status::Canceled).await;
    let jobs = take(&mut session, 1).await;
    assert_eq!(jobs[0].body.id, newest.body.id);
    // One that the carrier refused for now waits again.
    let outcome = Outcome::Retry {
        after: std::time::Duration::from_secs(3600),
        reason: Reason::new("carrier_busy", "busy", false),
    };
    settle(&mut session, &jobs[0], outcome).await;
    bench.until_that(newest.body.id, |message| message.progress.attempts == 1).await;
    bench.submit(KEYED).await.unwrap();
    bench.until(newest.body.id, Status::Canceled).await;
}

#[tokio::test]
async fn of_many_that_come_at_once_one_is_left() {
    let bench = start(CONNECTOR).await;
    bench.store.hold(true);
    let submits =
        async { tokio::join!(bench.submit(KEYED), bench.submit(KEYED), bench.submit(KEYED), bench.submit(KEYED)) };
    let (all, ()) = tokio::join!(submits, async {
        // All of them are on their way, and the first in a commit.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        bench.store.hold(false);
    });
    let all = [all.0, all.1, all.2, all.3].map(Result::unwrap);
    let mut waiting = Vec::new();
    for message in &all {
        let message = bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap();
        match message.progress.status {
            Status::Queued => waiting.push(message.body.id),
            _ => assert_eq!((message.progress.status, why(&message)), (Status::Canceled, Some("superseded"))),
        }
    }
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!((queued(&bench).await, taken(&bench, 1).await), (1, waiting));
}

#[tokio::test]
async fn one_that_is_not_accepted_takes_nobodys_place() {
    let bench = start(CONNECTOR).await;
    let older = bench.submit(KEYED).await.unwrap();
    bench.store.hold(true);
    bench.store.fail_with(Some(StoreError::Unavailable("full".into())));
    let (refused, ()) = tokio::join!(bench.submit(KEYED), async {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        bench.store.hold(false);
    });
    assert!(matches!(refused, Err(Refusal::StoreAway(_))), "{refused:?}");
    bench.store.fail_with(None);
    let again = bench.engine.message(&bench.caller, older.body.id).await.unwrap().unwrap();
    assert_eq!(again.progress, older.progress);
    assert_eq!(taken(&bench, 1).await, [older.body.id]);
    let sent = bench.until(older.body.id, Status::Sent).await;
    assert!(sent.progress.events.iter().all(|event| event.what != "canceled"), "{sent:?}");
    let owed = bench.engine.deliveries(&bench.caller, DeliveryFilter::default(), None, 10).await.unwrap();
    assert_eq!(owed.iter().map(|d| &*d.event).collect::<Vec<_>>(), ["message.sent"]);
}

#[tokio::test]
async fn what_waits_since_before_a_restart_gives_way_too() {
    let bench = start(CONNECTOR).await;
    let older = bench.submit(KEYED).await.unwrap();
    let bench = restart(bench.stop().await, CONNECTOR).await;
    let newer = bench.submit(KEYED).await.unwrap();
    bench.until(older.body.id, Status::Canceled).await;
    assert_eq!(taken(&bench, 1).await, [newer.body.id]);
}

#[tokio::test]
async fn of_two_that_are_read_together_the_second_takes_the_place_of_the_first() {
    let bench = start(CONNECTOR).await;
    let plain = r#"{"to":"07700 900123","text":"hello"}"#;
    let submissions = [KEYED, plain, KEYED].map(|json| serde_json::from_str(json).unwrap());
    let ids = bench.engine.submit_each(&bench.caller, submissions.into()).await;
    let ids: Vec<MessageId> = ids.into_iter().map(|id| id.unwrap()).collect();
    let first = bench.until(ids[0], Status::Canceled).await;
    assert_eq!(why(&first), Some("superseded"));
    assert_eq!(queued(&bench).await, 2);
    assert_eq!(taken(&bench, 2).await, ids[1..]);
}
