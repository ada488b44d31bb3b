use std::sync::Arc;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::gateway::{ADMIN, Gateway, OTHER, READER, SHOP};

#[tokio::test]
async fn a_webhook_is_made_with_a_secret_that_is_shown_once() {
    let gateway = Gateway::start().await;
    let body = json!({ "account": "other", "url": "https://example.org/h", "events": ["message.*"] });
    let made = gateway.post("/v1/webhooks", ADMIN, body).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/webhooks/other-1")), "{}", made.text());
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(gateway.engine.world().webhook("other-1").unwrap().secret.as_deref(), Some(secret.as_str()));
    let shown = gateway.get("/v1/webhooks/other-1", OTHER).await.json();
    assert_eq!(
        shown,
        json!({ "id": "other-1", "account": "other", "url": "https://example.org/h", "style": "webhook", "events": ["message.*"], "enabled": true })
    );

    let changed = json!({ "url": "http://example.org/i", "enabled": false });
    let changed = gateway.put("/v1/webhooks/other-1", ADMIN, changed).await.json();
    assert_eq!(
        (&changed["url"], &changed["enabled"], &changed["events"]),
        (&json!("http://example.org/i"), &json!(false), &json!([]))
    );
    assert_eq!(gateway.engine.world().webhook("other-1").unwrap().secret.as_deref(), Some(secret.as_str()));
    assert_eq!(gateway.get("/v1/webhooks/other-1", SHOP).await.status, 404, "another account's");
    assert_eq!(gateway.post("/v1/webhooks", SHOP, json!({ "url": "https://x" })).await.code(), "scope_missing");
}

#[tokio::test]
async fn webhooks_are_listed_by_account() {
    let gateway = Gateway::start().await;
    gateway.post("/v1/webhooks", ADMIN, json!({ "account": "other", "url": "https://example.org/" })).await;
    let ids = async |path: &str, token: &str| {
        let list = gateway.get(path, token).await.json();
        list["data"].as_array().unwrap().iter().map(|w| w["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("/v1/webhooks", READER).await, ["shop-1"]);
    assert_eq!(ids("/v1/webhooks", OTHER).await, ["other-1"]);
    assert_eq!(ids("/v1/webhooks", ADMIN).await, ["other-1", "shop-1"]);
    assert_eq!(ids("/v1/webhooks?account=shop", ADMIN).await, ["shop-1"]);
    assert_eq!(gateway.get("/v1/webhooks?account=shop", OTHER).await.pointer(), "/query/account");
}

#[tokio::test]
async fn the_others_keep_their_ids_when_one_is_deleted() {
    let gateway = Gateway::start().await;
    for _ in 0..2 {
        gateway.post("/v1/webhooks", ADMIN, json!({ "url": "https://example.org/" })).await;
    }
    let third = gateway.engine.world().webhook("shop-3").unwrap().secret.clone();
    assert_eq!(gateway.delete("/v1/webhooks/shop-2", ADMIN).await.status, 204);
    assert_eq!(gateway.get("/v1/webhooks/shop-2", ADMIN).await.status, 404);
    assert_eq!(gateway.engine.world().webhook("shop-3").unwrap().secret, third);
    let made = gateway.post("/v1/webhooks", ADMIN, json!({ "url": "https://example.org/" })).await;
    assert_eq!(made.json()["id"], "shop-2", "the free id is used again");
}

#[tokio::test]
async fn faults_of_webhooks_have_pointers() {
    let gateway = Gateway::start().await;
    for (body, pointer) in [
        (json!({ "url": "ftp://x" }), "/url"),
        (json!({}), ""),
        (json!({ "url": "https://x", "secret": "short" }), "/secret"),
        (json!({ "url": "https://x", "secret": { "sealed": "x" } }), "/secret"),
        (json!({ "url": "https://x", "account": "nobody" }), "/account"),
        (json!({ "url": "https://x", "id": "a/b" }), "/id"),
        (json!({ "url": "https://x", "events": ["message.*", 7] }), "/events/1"),
        (json!({ "url": "https://x", "colour": 1 }), "/colour"),
    ] {
        let answer = gateway.post("/v1/webhooks", ADMIN, body.clone()).await;
        assert_eq!((answer.status, answer.pointer().as_str()), (422, pointer), "{body}");
    }
    let taken = gateway.post("/v1/webhooks", ADMIN, json!({ "url": "https://x", "id": "shop-1" })).await;
    assert_eq!(taken.code(), "already_exists");
    let moved = gateway.put("/v1/webhooks/shop-1", ADMIN, json!({ "url": "https://x", "account": "other" })).await;
    assert_eq!(moved.pointer(), "/account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn webhooks_that_are_made_at_the_same_moment_are_all_kept() {
    let gateway = Arc::new(Gateway::start().await);
    let start = Arc::new(Barrier::new(16));
    let mut makers = JoinSet::new();
    for _ in 0..16 {
        let (gateway, start) = (gateway.clone(), start.clone());
        makers.spawn(async move {
            let body = json!({ "url": "https://example.org/", "account": "other" }).to_string();
            let head = format!("POST /v1/webhooks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN}\r\n");
            start.wait().await;
            gateway.once(&format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await
        });
    }
    let mut promised = Vec::new();
    while let Some(answer) = makers.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        promised.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    promised.sort();
    let listed = gateway.get("/v1/webhooks?account=other", ADMIN).await.json();
    let mut kept: Vec<_> = listed["data"].as_array().unwrap().iter().map(|w| w["id"].as_str().unwrap()).collect();
    kept.sort_unstable();
    assert_eq!(kept, promised);
}
