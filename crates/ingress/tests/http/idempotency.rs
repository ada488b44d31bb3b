use serde_json::json;

use crate::gateway::{Gateway, OTHER, SHOP, hello};

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let gateway = Gateway::start().await;
    let body = hello().to_string();
    let send = async |key: &str, token: &str, body: &str| {
        gateway.call("POST", "/v1/messages", token, &[("idempotency-key", key)], body.as_bytes()).await
    };
    let first = send("k1", SHOP, &body).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (202, None));
    let second = send("k1", SHOP, &body).await;
    assert_eq!((second.status, second.header("idempotent-replayed")), (202, Some("true")));
    assert_eq!(second.body, first.body);
    assert_eq!(second.header("location"), first.header("location"));
    let reused = send("k1", SHOP, &body.replace("hello", "other")).await;
    assert_eq!((reused.status, reused.code().as_str()), (422, "idempotency_key_reused"));
    assert_ne!(send("k2", SHOP, &body).await.body, first.body);
    assert_eq!(send("k1", OTHER, &body).await.header("idempotent-replayed"), None, "keys belong to accounts");
    let bad = send("k3", SHOP, "{\"to\":\"x\"}").await;
    assert_eq!(bad.status, 422);
    assert_eq!(send("k3", SHOP, &body).await.status, 202, "a refusal is not kept");
    assert_eq!(gateway.get("/v1/messages", SHOP).await.json()["data"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn keys_are_printable_ascii() {
    let gateway = Gateway::start().await;
    let long = "k".repeat(256);
    for key in ["", "é", long.as_str()] {
        let headers = [("idempotency-key", key)];
        let answer = gateway.call("POST", "/v1/messages", SHOP, &headers, hello().to_string().as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_header"), "{key}");
    }
    let headers = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = gateway.call("POST", "/v1/messages", SHOP, &headers, hello().to_string().as_bytes()).await;
    assert_eq!(answer.code(), "bad_header");
}

#[tokio::test]
async fn batches_are_repeated_as_well() {
    let gateway = Gateway::start().await;
    let body = json!({ "messages": [hello(), { "to": "x" }] }).to_string();
    let send = async || gateway.call("POST", "/v1/batches", SHOP, &[("idempotency-key", "b")], body.as_bytes()).await;
    let (first, second) = (send().await, send().await);
    assert_eq!(first.body, second.body);
    assert_eq!((second.status, second.header("idempotent-replayed")), (202, Some("true")));
    assert_eq!(second.header("location"), first.header("location"));
}
