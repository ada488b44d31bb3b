//! What only modems do to the engine: their messages' names are given again, and somebody calls.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;

use engine::dispatch::{Incoming, LinkSession};
use model::{Address, Message, MessageId, Receipt, ReceiptState, Status, Timestamp};
use serde_json::{Value, json};
use store::{DeliveryFilter, MemoryStore};
use support::*;

const NOON: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T12:10:00Z";
const EVENING: &str = "2026-11-23T20:00:00Z";

/// A report about a message that has one of these names, and that was taken at a time.
async fn report(session: &mut LinkSession, names: &[&str], taken_at: Option<&str>) {
    let receipt = Receipt { state: ReceiptState::Delivered, stat: "DELIVRD".into(), err: None };
    let remote_ids = names.iter().map(|name| (*name).into()).collect();
    let taken_at = taken_at.map(|at| at.parse::<Timestamp>().unwrap());
    incoming(session, Incoming::Report { remote_ids, receipt, phone: "447700900123".into(), taken_at }).await;
}

async fn sent_under(bench: &Bench, session: &mut LinkSession, name: &str) -> Message {
    let message = bench.submit(r#"{"to":"+447700900123","text":"hello"}"#).await.unwrap();
    let jobs = take(session, 1).await;
    sent(session, &jobs[0], name).await;
    bench.until(message.body.id, Status::Sent).await
}

async fn status(bench: &Bench, id: MessageId) -> Status {
    bench.engine.message(&bench.caller, id).await.unwrap().unwrap().progress.status
}

#[tokio::test]
async fn a_report_is_for_the_message_that_was_taken_then() {
    let clock = Clock::at(NOON);
    let bench = restart(Arc::new(MemoryStore::new(clock.reader())), CONNECTOR).await;
    let mut session = bench.session();
    let first = sent_under(&bench, &mut session, "00900123:7:0").await.body.id;
    clock.set(LATER);
    let second = sent_under(&bench, &mut session, "00900123:7:1").await.body.id;
    // The phone was off: the older one arrives first.
    let names = ["00900123:7:1", "00900123:7:0", "00900123:7:15"];
    report(&mut session, &names, Some(NOON)).await;
    assert_eq!((status(&bench, first).await, status(&bench, second).await), (Status::Delivered, Status::Sent));
    report(&mut session, &names, Some(LATER)).await;
    assert_eq!(status(&bench, second).await, Status::Delivered);
}

#[tokio::test]
async fn so_it_is_after_a_restart() {
    let clock = Clock::at(NOON);
    let bench = restart(Arc::new(MemoryStore::new(clock.reader())), CONNECTOR).await;
    let mut session = bench.session();
    let first = sent_under(&bench, &mut session, "00900123:7:0").await.body.id;
    clock.set(LATER);
    let second = sent_under(&bench, &mut session, "00900123:7:1").await.body.id;
    session.close().await;
    let bench = restart(bench.stop().await, CONNECTOR).await;
    let mut session = bench.session();
    clock.set(EVENING);
    let names = ["00900123:7:1", "00900123:7:0"];
    report(&mut session, &names, Some(NOON)).await;
    assert_eq!((status(&bench, first).await, status(&bench, second).await), (Status::Delivered, Status::Sent));
    // A clock in another zone: what is left is what it is about.
    report(&mut session, &names, Some("2026-11-23T10:10:00Z")).await;
    assert_eq!(status(&bench, second).await, Status::Delivered);
}

#[tokio::test]
async fn a_report_about_something_older_settles_nothing() {
    let clock = Clock::at(NOON);
    let bench = restart(Arc::new(MemoryStore::new(clock.reader())), CONNECTOR).await;
    let mut session = bench.session();
    let message = sent_under(&bench, &mut session, "00900123:7:1").await.body.id;
    let names = ["00900123:7:1", "00900123:7:0"];
    report(&mut session, &names, Some("2026-11-21T12:00:00Z")).await;
    assert_eq!(status(&bench, message).await, Status::Sent);
    let parked = bench.engine.unmatched(None, 10).await.unwrap();
    assert_eq!(parked.len(), 1);
    // One that does not say when is about the last.
    report(&mut session, &names, None).await;
    assert_eq!(status(&bench, message).await, Status::Delivered);
}

/// One account that hears of these events, and whether an inbound rule gives it anything.
async fn listening(store: Arc<MemoryStore>, events: &[&str], rule: Value) -> Bench {
    let mut wanted = resources(&[CONNECTOR], &[], &[]);
    let account = json!({ "id": "shop", "api_token": "secret", "default_country": "GB",
        "webhooks": [{ "url": "http://127.0.0.1:9/", "events": events }] });
    wanted.accounts = vec![serde_json::from_value(account).unwrap()];
    wanted.inbound = vec![serde_json::from_value(rule).unwrap()];
    restart_on(store, wanted).await
}

async fn owed(bench: &Bench) -> Vec<Value> {
    let owed = bench.engine.deliveries(&bench.caller, DeliveryFilter::default(), None, 10).await.unwrap();
    owed.iter().map(|delivery| serde_json::from_str(&delivery.payload).unwrap()).collect()
}

fn call(from: Option<&str>) -> Incoming {
    let address = |text: &str| Address::from_carrier(text, false);
    Incoming::Call { from: from.map(address), to: address("+447700900999") }
}

#[tokio::test]
async fn a_call_is_told_to_whom_the_inbound_rules_name() {
    let clock = Clock::at(NOON);
    let store = Arc::new(MemoryStore::new(clock.reader()));
    let rule = json!({ "id": "in", "account": "shop", "match": { "to": ["447700900999"] } });
    let bench = listening(store, &["call.received"], rule.clone()).await;
    let mut session = bench.session();
    incoming(&mut session, call(Some("+447700900055"))).await;
    incoming(&mut session, call(None)).await;
    session.close().await;
    // It is as durable as all that is owed.
    let bench = listening(bench.stop().await, &["call.received"], rule).await;
    let mut told = owed(&bench).await;
    told.sort_by_key(|call| call["data"]["from"].is_null());
    assert_eq!(told.len(), 2);
    let data = json!({ "account": "shop", "connector": "a", "from": "+447700900055", "to": "+447700900999",
        "rule": "in", "received_at": "2026-11-23T12:00:00.000Z" });
    assert_eq!((&told[0]["type"], &told[0]["data"]), (&json!("call.received"), &data));
    assert_eq!(told[1]["data"]["from"], Value::Null);
}

#[tokio::test]
async fn a_call_that_nobody_is_to_hear_of_is_not_told() {
    for (events, rule) in [
        (&["message.*"][..], json!({ "id": "in", "account": "shop" })),
        (&[], json!({ "id": "in", "account": "shop", "match": { "keyword": ["STOP"] } })),
        (&[], json!({ "id": "in", "account": "shop", "match": { "from": ["447700900111"] } })),
    ] {
        let bench = listening(Arc::new(MemoryStore::new(Clock::at(NOON).reader())), events, rule).await;
        let mut session = bench.session();
        incoming(&mut session, call(Some("+447700900055"))).await;
        incoming(&mut session, call(None)).await;
        assert_eq!(owed(&bench).await, [] as [Value; 0]);
    }
}
