//! Messages that are to say something else: what waits says it, what a session has goes out as it was.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::collections::HashMap;

use engine::dispatch::Outcome;
use engine::{BatchWish, CarrierError, ReplaceError};
use model::submission::EncodingChoice;
use model::{Message, MessageId, Reason, Replacement, Status};
use store::{Store, StoreError};
use support::*;

const HELLO: &str = r#"{"to":"07700 900123","text":"hello"}"#;

fn text(text: &str) -> Replacement {
    Replacement { text: Some(text.into()), ..Replacement::default() }
}

async fn replace(bench: &Bench, id: MessageId, with: Replacement) -> Result<Message, ReplaceError> {
    bench.engine.replace(&bench.caller, id, with).await
}

async fn texts(bench: &Bench, count: usize) -> Vec<String> {
    let mut session = bench.session();
    let jobs = take(&mut session, count).await;
    for job in &jobs {
        sent(&mut session, job, &format!("R{}-{}", job.body.id, job.part)).await;
    }
    jobs.iter().map(|job| job.body.content.text().unwrap_or_default().to_owned()).collect()
}

fn whats(message: &Message) -> Vec<&str> {
    message.progress.events.iter().map(|event| &*event.what).collect()
}

#[tokio::test]
async fn what_waits_says_something_else_also_after_a_restart() {
    let bench = start(CONNECTOR).await;
    let id = bench.submit(HELLO).await.unwrap().body.id;
    let long = replace(&bench, id, text(&"é漢".repeat(40))).await.unwrap();
    assert_eq!((long.progress.parts.len(), long.body.encoding), (2, model::Encoding::Ucs2));
    let replaced = replace(&bench, id, text("good bye")).await.unwrap();
    assert_eq!((replaced.progress.parts.len(), replaced.body.encoding), (1, model::Encoding::Gsm7));
    assert_eq!(whats(&replaced), ["accepted", "replaced", "replaced"]);
    let bench = restart(bench.stop().await, CONNECTOR).await;
    assert_eq!(bench.engine.message(&bench.caller, id).await.unwrap().unwrap(), replaced);
    assert_eq!(texts(&bench, 1).await, ["good bye"]);
    bench.until(id, Status::Sent).await;
    let at_carrier = replace(&bench, id, text("too late")).await;
    assert_eq!(at_carrier, Err(CarrierError::NoSession("a".into()).into()));
    let nobody = MessageId(model::id::Uuid::nil());
    assert_eq!(replace(&bench, nobody, text("x")).await, Err(ReplaceError::NoSuchMessage));
}

#[tokio::test]
async fn another_time_is_another_place_and_another_end() {
    let bench = start(CONNECTOR).await;
    let id = bench.submit(HELLO).await.unwrap().body.id;
    let at = bench.engine.now().plus_seconds(3600);
    let later = Replacement { send_at: Some(at.to_string()), ..Replacement::default() };
    let message = replace(&bench, id, later).await.unwrap();
    assert_eq!((message.progress.status, message.progress.due), (Status::Scheduled, Some(at)));
    assert_eq!((message.body.content.text(), message.body.expires_at), (Some("hello"), at.plus_seconds(3 * 86_400)));
    assert_eq!(bench.store.queue_entry(id).await.unwrap().map(|entry| entry.due), Some(at));
    let shorter = Replacement { validity_seconds: Some(60), ..Replacement::default() };
    let message = replace(&bench, id, shorter).await.unwrap();
    assert_eq!((message.body.expires_at, message.body.validity_given), (at.plus_seconds(60), true));
    let now = Replacement { send_at: Some("2020-01-01T00:00:00Z".into()), ..text("now") };
    let message = replace(&bench, id, now).await.unwrap();
    assert_eq!((message.progress.status, message.body.send_at), (Status::Queued, None));
    assert_eq!(texts(&bench, 1).await, ["now"]);
    bench.until(id, Status::Sent).await;
}

#[tokio::test]
async fn what_a_session_has_goes_out_as_it_was() {
    let bench = start(CONNECTOR).await;
    let id = bench.submit(HELLO).await.unwrap().body.id;
    let mut session = bench.session();
    let jobs = take(&mut session, 1).await;
    assert_eq!(replace(&bench, id, text("x")).await, Err(ReplaceError::TooLate));
    // The carrier refused it for now, so it does not have it.
    let after = std::time::Duration::from_secs(3600);
    let reason = Reason::new("carrier_busy", "busy", false);
    settle(&mut session, &jobs[0], Outcome::Retry { after, reason }).await;
    let waits = bench.until_that(id, |message| message.progress.attempts == 1).await;
    let replaced = replace(&bench, id, text("y")).await.unwrap();
    assert_eq!(replaced.progress.due, waits.progress.due, "it is tried again when it would have been");
    // Whoever had it when the link broke may have sent it.
    let id = bench.submit(HELLO).await.unwrap().body.id;
    let jobs = take(&mut session, 1).await;
    settle(&mut session, &jobs[0], Outcome::InDoubt).await;
    bench.until_that(id, |message| whats(message).contains(&"in_doubt")).await;
    assert_eq!(replace(&bench, id, text("x")).await, Err(ReplaceError::TooLate));
    assert_eq!(take(&mut session, 1).await[0].body.content.text(), Some("hello"));
}

#[tokio::test]
async fn nobody_takes_what_is_being_replaced() {
    let bench = start(CONNECTOR).await;
    let id = bench.submit(HELLO).await.unwrap().body.id;
    let mut session = bench.session();
    bench.store.hold(true);
    let (replaced, canceled) = tokio::join!(replace(&bench, id, text("other")), async {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(session.take(1, std::time::Instant::now()).is_empty());
        bench.store.hold(false);
        bench.engine.cancel(&bench.caller, id).await
    });
    assert_eq!(replaced.unwrap().body.content.text(), Some("other"));
    let canceled = canceled.unwrap();
    assert_eq!((canceled.progress.status, canceled.body.content.text()), (Status::Canceled, Some("other")));
    assert!(bench.store.queue_depths().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let bench = start(CONNECTOR).await;
    let before = bench.submit(HELLO).await.unwrap();
    let id = before.body.id;
    for (replacement, pointer) in [
        (text(&"x".repeat(2000)), "/text"),
        (Replacement { max_parts: Some(1), ..text(&"x".repeat(161)) }, "/text"),
        (Replacement { send_at: Some("soon".into()), ..text("x") }, "/send_at"),
        (Replacement { validity_seconds: Some(0), ..text("x") }, "/validity_seconds"),
        (Replacement { max_parts: Some(0), ..text("x") }, "/max_parts"),
        (Replacement { max_parts: Some(1), ..Replacement::default() }, "/max_parts"),
        (Replacement { encoding: Some(EncodingChoice::Ucs2), ..Replacement::default() }, "/encoding"),
    ] {
        let refused = replace(&bench, id, replacement).await;
        let Err(ReplaceError::Refused(engine::Refusal::Invalid(faults))) = refused else { panic!("{refused:?}") };
        assert_eq!(faults[0].pointer, pointer);
    }
    assert_eq!(bench.engine.message(&bench.caller, id).await.unwrap().unwrap(), before);
    assert_eq!(texts(&bench, 1).await, ["hello"]);
}

#[tokio::test]
async fn while_the_store_is_away_it_is_done_later_or_refused() {
    let bench = start(CONNECTOR).await;
    let id = bench.submit(HELLO).await.unwrap().body.id;
    bench.store.fail_with(Some(StoreError::Unavailable("away".into())));
    let (replaced, ()) = tokio::join!(replace(&bench, id, text("other")), async {
        bench.engine.health().wait_for(|health| health.store.is_some()).await.unwrap();
        let refused = replace(&bench, id, text("x")).await;
        assert!(matches!(refused, Err(ReplaceError::Refused(engine::Refusal::StoreAway(_)))), "{refused:?}");
        bench.store.fail_with(None);
    });
    assert_eq!(replaced.unwrap().body.content.text(), Some("other"));
    assert_eq!(texts(&bench, 1).await, ["other"]);
}

#[tokio::test]
async fn what_was_put_aside_with_its_batch_goes_on_with_it() {
    let bench = start(CONNECTOR).await;
    let submission = serde_json::from_str(HELLO).unwrap();
    let taken = bench.engine.submit_batch(&bench.caller, vec![Ok(submission)], None, |_| (202, "".into())).await;
    let Ok(engine::Accepted::New(taken, _)) = taken else { panic!() };
    let (batch, id) = (taken.batch.id, taken.accepted[0]);
    bench.engine.want_batch(&bench.caller, batch, BatchWish::Pause).await.unwrap();
    bench.until_that(id, |message| message.progress.due.is_none()).await;
    let at = bench.engine.now().plus_millis(50);
    let message = replace(&bench, id, Replacement { send_at: Some(at.to_string()), ..text("other") }).await.unwrap();
    assert_eq!(message.progress.due, None);
    bench.engine.want_batch(&bench.caller, batch, BatchWish::Resume).await.unwrap();
    assert_eq!(texts(&bench, 1).await, ["other"]);
}

/// Sessions take while applications replace: what was said to be replaced goes out as it was replaced
/// last, everything else as it was, and everything once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_old_one_goes_out_or_the_new_one() {
    const MESSAGES: usize = 300;
    let bench = std::sync::Arc::new(start(CONNECTOR).await);
    let mut ids = Vec::new();
    for _ in 0..MESSAGES {
        ids.push(bench.submit(HELLO).await.unwrap().body.id);
    }
    let (taking, ids) = (bench.clone(), std::sync::Arc::new(ids));
    let taker = tokio::spawn(async move {
        let mut session = taking.session();
        let mut gone: HashMap<MessageId, String> = HashMap::new();
        while gone.len() < MESSAGES {
            for job in session.take(1, std::time::Instant::now()) {
                let text = job.body.content.text().unwrap().to_owned();
                assert_eq!(gone.insert(job.body.id, text), None, "sent twice");
                session.settle(job.ticket, Outcome::Sent { remote_id: format!("R{}", job.body.id).into() });
            }
            if gone.len() < MESSAGES {
                session.event(true).await;
            }
        }
        session.close().await;
        gone
    });
    let mut tasks = Vec::new();
    for n in 0..3 {
        let (bench, ids) = (bench.clone(), ids.clone());
        tasks.push(tokio::spawn(async move {
            let mut said = Vec::new();
            // From the other end, so that some are still there.
            for id in ids.iter().rev() {
                if let Ok(message) = replace(&bench, *id, text(&format!("by {n}"))).await {
                    said.push((*id, whats(&message).len(), message.body.content.text().unwrap().to_owned()));
                }
            }
            said
        }));
    }
    let mut last: HashMap<MessageId, (usize, String)> = HashMap::new();
    for task in tasks {
        for (id, count, text) in task.await.unwrap() {
            if last.get(&id).is_none_or(|(before, _)| *before < count) {
                last.insert(id, (count, text));
            }
        }
    }
    let gone = taker.await.unwrap();
    assert_eq!(gone.len(), MESSAGES);
    for (id, text) in gone {
        let expected = last.get(&id).map_or("hello", |(_, text)| text);
        assert_eq!(text, expected, "{id}");
    }
    assert!(!last.is_empty());
}

#[tokio::test]
async fn what_routes_refuse_can_not_be_said_later_either() {
    let routes = [
        r#"{"id":"no-bets","match":{"text":"(?i)bet"},"action":"reject","reason":"no bets"}"#,
        r#"{"id":"no-novels","match":{"parts":{"min":2}},"action":"drop"}"#,
        r#"{"id":"copies","match":{"text":"."},"action":"copy","to":"a"}"#,
        r#"{"id":"all","to":"a"}"#,
    ];
    let bench = start_with(&[CONNECTOR], &[], &routes).await;
    let id = bench.submit(HELLO).await.unwrap().body.id;
    let refused = |replaced: Result<Message, ReplaceError>| match replaced {
        Err(ReplaceError::Refused(engine::Refusal::Rejected { route, .. })) => route.to_string(),
        replaced => panic!("{replaced:?}"),
    };
    assert_eq!(refused(replace(&bench, id, text("Bet now")).await), "no-bets");
    assert_eq!(refused(replace(&bench, id, text(&"x".repeat(200))).await), "no-novels");
    let message = replace(&bench, id, text("bye")).await.unwrap();
    assert_eq!(message.body.content.text(), Some("bye"));
    assert_eq!(message.progress.route(), Some("all"));
}
