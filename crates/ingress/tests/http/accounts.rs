//! What accounts may do, as their applications see it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::gateway::{ADMIN, Gateway, OTHER, SHOP, hello};

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway whose account `other` has these fields.
async fn with_account(fields: Value) -> Gateway {
    let gateway = Gateway::start().await;
    put_account(&gateway, fields).await;
    gateway
}

async fn put_account(gateway: &Gateway, mut fields: Value) {
    fields["default_sender"] = json!("OTHER");
    let answer = gateway.put("/v1/accounts/other", ADMIN, fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn message(from: &str, to: &str) -> Value {
    json!({ "to": to, "from": from, "text": "hello" })
}

#[tokio::test]
async fn senders_and_countries_that_are_not_allowed_are_refused() {
    let gateway = with_account(json!({
        "allowed_senders": ["SHOP", { "prefix": "4477" }, { "regex": "^INFO[0-9]$" }],
        "allowed_countries": ["GB", "US"], "denied_countries": ["US"],
    }))
    .await;
    for (from, to, code, pointer) in [
        ("SHOP", "+447700900123", "", ""),
        ("+447700900999", "+447700900123", "", ""),
        ("INFO5", "+447700900123", "", ""),
        ("OTHER", "+447700900123", "sender_not_allowed", "/from"),
        ("SHOP", "+4930123456", "country_not_allowed", "/to"),
        ("SHOP", "+12125550123", "country_not_allowed", "/to"),
    ] {
        let answer = gateway.post("/v1/messages", OTHER, message(from, to)).await;
        if code.is_empty() {
            assert_eq!(answer.status, 202, "{from} {to}: {}", answer.text());
        } else {
            assert_eq!((answer.status, answer.code().as_str(), answer.pointer().as_str()), (403, code, pointer));
        }
    }
    let batch = json!({ "messages": [message("SHOP", "+447700900123"), message("SHOP", "+4930123456")] });
    let taken = gateway.post("/v1/batches", OTHER, batch).await.json();
    assert_eq!((&taken["accepted"], &taken["rejected"][0]["index"]), (&json!(1), &json!(1)));
    assert_eq!(taken["rejected"][0]["problem"]["code"], "country_not_allowed");
}

#[tokio::test]
async fn limits_are_shown_and_checked_when_they_are_put() {
    let gateway = Gateway::start().await;
    let limits =
        json!({ "allowed_senders": ["SHOP", { "type": "numeric" }], "denied_countries": ["FR"], "throughput": 5 });
    put_account(&gateway, limits.clone()).await;
    let shown = gateway.get("/v1/accounts/other", ADMIN).await.json();
    for (field, value) in limits.as_object().unwrap() {
        assert_eq!(&shown[field], value);
    }
    let bad = json!({ "allowed_senders": [{ "regex": "(" }] });
    let answer = gateway.put("/v1/accounts/other", ADMIN, bad).await;
    assert_eq!((answer.status, answer.pointer().as_str()), (422, "/allowed_senders/0/regex"));
}

#[tokio::test]
async fn more_than_the_throughput_is_told_when_to_come_again() {
    let gateway = with_account(json!({ "throughput": 2 })).await;
    let mut refused = None;
    for _ in 0..100 {
        let answer = gateway.post("/v1/messages", OTHER, hello()).await;
        if answer.status != 202 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a hundred messages are more than two a second");
    assert_eq!((refused.status, refused.code().as_str()), (429, "throughput_exceeded"));
    assert_eq!(refused.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_batch_is_taken_whole_and_then_paid_back() {
    let gateway = with_account(json!({ "throughput": 1 })).await;
    let batch = json!({ "messages": vec![hello(); 1000] });
    assert_eq!(gateway.post("/v1/batches", OTHER, batch.clone()).await.status, 202);
    let refused = gateway.post("/v1/batches", OTHER, batch).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "throughput_exceeded"));
    assert!((500..=1000).contains(&refused.header("retry-after").unwrap().parse::<u32>().unwrap()));
    // New settings don't make good what was used up.
    put_account(&gateway, json!({ "throughput": 1, "name": "renamed" })).await;
    assert_eq!(gateway.post("/v1/messages", OTHER, hello()).await.status, 429);
    put_account(&gateway, json!({})).await;
    assert_eq!(gateway.post("/v1/messages", OTHER, hello()).await.status, 202);
}

#[tokio::test]
async fn more_than_may_be_queued_is_refused_until_there_is_room() {
    let gateway = Gateway::start().await;
    put_account(&gateway, json!({})).await;
    // From before there is a limit, and for tomorrow.
    let mut tomorrow = hello();
    tomorrow["send_at"] = json!(gateway.engine.now().plus_seconds(86_400));
    let first = gateway.post("/v1/messages", OTHER, tomorrow).await;
    assert_eq!(first.status, 202, "{}", first.text());
    let limited = json!({ "max_queue": 3 });
    put_account(&gateway, limited.clone()).await;
    let batch = |count: usize| json!({ "messages": vec![hello(); count] });
    let whole = gateway.post("/v1/batches", OTHER, batch(3)).await;
    assert_eq!((whole.status, whole.code().as_str()), (429, "queue_full"));
    let fits = gateway.post("/v1/batches", OTHER, batch(2)).await;
    assert_eq!(fits.status, 202, "{}", fits.text());
    let full = gateway.post("/v1/messages", OTHER, hello()).await;
    assert_eq!((full.status, full.code().as_str()), (429, "queue_full"));
    assert_eq!(full.header("retry-after"), Some("1"));
    assert!(full.text().contains("the room in the queue of the account other is used up"), "{}", full.text());
    let shown = gateway.get("/v1/accounts/other", ADMIN).await.json();
    assert_eq!((&shown["max_queue"], &shown["queued"]), (&json!(3), &json!(3)));
    assert_eq!(gateway.put("/v1/accounts/other", ADMIN, shown).await.status, 200, "it may be sent back as it is");
    // What is canceled makes room; it is believed for a moment that there is none.
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(gateway.post(&format!("/v1/messages/{id}/cancel"), OTHER, json!({})).await.status, 200);
    let trying = async { while gateway.post("/v1/messages", OTHER, hello()).await.status != 202 {} };
    tokio::time::timeout(PATIENCE, trying).await.expect("there is room again");
    // Without a limit anything goes, and all of that counts when there is one again.
    put_account(&gateway, json!({})).await;
    assert_eq!(gateway.post("/v1/batches", OTHER, batch(5)).await.status, 202);
    put_account(&gateway, limited).await;
    assert_eq!(gateway.post("/v1/messages", OTHER, hello()).await.code(), "queue_full");
    put_account(&gateway, json!({ "max_queue": 9 })).await;
    assert_eq!(gateway.post("/v1/messages", OTHER, hello()).await.status, 202);
    assert_eq!(gateway.get("/v1/accounts/other", ADMIN).await.json()["queued"], 9);
}

#[tokio::test]
async fn the_room_in_queues_is_that_of_an_account_and_all_below_it() {
    let gateway = Gateway::start().await;
    put_account(&gateway, json!({ "parent": "shop" })).await;
    let mut shop = gateway.get("/v1/accounts/shop", ADMIN).await.json();
    shop["max_queue"] = json!(2);
    assert_eq!(gateway.put("/v1/accounts/shop", ADMIN, shop).await.status, 200);
    assert_eq!(gateway.post("/v1/messages", OTHER, hello()).await.status, 202);
    assert_eq!(gateway.post("/v1/messages", SHOP, hello()).await.status, 202);
    for token in [OTHER, SHOP] {
        assert_eq!(gateway.post("/v1/messages", token, hello()).await.code(), "queue_full");
    }
    let queued = async |id: &str| gateway.get(&format!("/v1/accounts/{id}"), ADMIN).await.json()["queued"].clone();
    assert_eq!((queued("shop").await, queued("other").await), (json!(2), json!(1)));
    let metrics = gateway.engine.metrics_text();
    assert!(metrics.contains("\"max_queue\""), "{metrics}");
}
