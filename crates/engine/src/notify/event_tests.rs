use std::sync::Arc;

use model::delivery::DeliveryState;
use model::message::Progress;
use model::resources::{Account, EventFilter, ResourceSet, Secret, Webhook};
use model::{Body, Content, MessageId, Status};
use serde_json::{Value, json};

use super::*;
use model::id::Uuid;

fn webhook(id: &str, events: &[&str]) -> Webhook {
    Webhook {
        id: Some(id.into()),
        url: format!("https://example.com/{id}"),
        style: CallbackStyle::Webhook,
        secret: Some(Secret::Plain("whsec_AAAA".into())),
        events: events.iter().map(|e| EventFilter((*e).into())).collect(),
        enabled: true,
    }
}

fn world(webhooks: Vec<Webhook>) -> World {
    let account: Account = serde_json::from_value(json!({"id": "shop"})).unwrap();
    World::compile(1, ResourceSet { accounts: vec![Account { webhooks, ..account }], ..ResourceSet::default() })
}

fn message() -> Message {
    let at = Timestamp::from_millis(1_795_378_496_007);
    let body = Body {
        id: MessageId(Uuid::from_u128(5)),
        content: Content::Text("Hello \"you\"\n".into()),
        expires_at: at.plus_seconds(60),
        ..model::samples::body(at)
    };
    Message { body: Arc::new(body), progress: Progress::accepted(Status::Queued, None, 1, at) }
}

fn owed_for(world: &World, message: &Message, event: &str) -> Vec<Delivery> {
    let mut ids = 0;
    owed(world, message, event, Timestamp::from_millis(1_795_378_497_000), || {
        ids += 1;
        DeliveryId(Uuid::from_u128(ids))
    })
}

#[test]
fn each_webhook_that_wants_the_event_is_owed_it() {
    let mut disabled = webhook("off", &[]);
    disabled.enabled = false;
    let world = world(vec![webhook("a", &[]), webhook("b", &["message.*"]), webhook("c", &["batch.*"]), disabled]);
    let owed = owed_for(&world, &message(), "message.delivered");
    let endpoints: Vec<&str> = owed.iter().map(|d| &*d.endpoint).collect();
    assert_eq!(endpoints, ["a", "b"]);
    assert_ne!(owed[0].id, owed[1].id);
    assert_eq!(owed[0].url, None);
    assert_eq!((owed[0].attempts, owed[0].state), (0, DeliveryState::Pending));
    assert_eq!(owed[0].due, Timestamp::from_millis(1_795_378_497_000));
    let payload: Value = serde_json::from_str(&owed[0].payload).unwrap();
    assert_eq!(payload["type"], "message.delivered");
    assert_eq!(payload["timestamp"], "2026-11-22T20:14:57.000Z");
    let mut data = String::new();
    message_json(&message(), &mut data);
    assert_eq!(payload["data"], serde_json::from_str::<Value>(&data).unwrap());
    assert_eq!(owed[0].payload, owed[1].payload);
}

#[test]
fn a_callback_url_takes_the_webhooks_place() {
    let mut message = message();
    Arc::make_mut(&mut message.body).callback_url = Some("https://Other.example/cb?a=1".into());
    let world = world(vec![webhook("a", &[])]);
    let owed = owed_for(&world, &message, "message.failed");
    assert_eq!(owed.len(), 1);
    assert_eq!(&*owed[0].endpoint, "https://other.example");
    assert_eq!(owed[0].url.as_deref(), Some("https://Other.example/cb?a=1"));
    assert_eq!(owed_for(&world, &message, "message.sent"), []);
    Arc::make_mut(&mut message.body).receipt = ReceiptWish::All;
    assert_eq!(owed_for(&world, &message, "message.sent").len(), 1);
    for (wish, heard) in [(ReceiptWish::Failure, ["message.failed"]), (ReceiptWish::Success, ["message.delivered"])] {
        Arc::make_mut(&mut message.body).receipt = wish;
        let events = ["message.sent", "message.failed", "message.delivered"];
        let owed: Vec<_> = events.into_iter().filter(|event| !owed_for(&world, &message, event).is_empty()).collect();
        assert_eq!(owed, heard);
    }
}

#[test]
fn nobody_is_owed_anything_by_an_account_without_webhooks() {
    assert_eq!(owed_for(&world(vec![]), &message(), "message.sent"), []);
    assert_eq!(owed_for(&World::default(), &message(), "message.sent"), []);
}
