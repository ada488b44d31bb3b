use serde_json::json;
use store::StoreError;

use crate::gateway::{ADMIN, Gateway, READER, SHOP, hello};

#[tokio::test]
async fn tokens_and_scopes_are_asked_for() {
    let gateway = Gateway::start().await;
    let body = hello().to_string();
    let cases = [
        ("", 401, "token_missing"),
        ("nobody", 401, "token_unknown"),
        ("old-token", 401, "token_expired"),
        ("closed-token", 403, "account_disabled"),
        (READER, 403, "scope_missing"),
    ];
    for (token, status, code) in cases {
        let answer = gateway.call("POST", "/v1/messages", token, &[], body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{token}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    let basic = gateway.call("GET", "/v1/messages", "", &[("authorization", "Basic eDp5")], b"").await;
    assert_eq!(basic.code(), "token_missing");
    for path in [
        "/v1/accounts",
        "/v1/connectors",
        "/v1/tokens",
        "/v1/routes",
        "/v1/inbound-rules",
        "/v1/receipts/unmatched",
        "/v1/fleet",
    ] {
        assert_eq!(gateway.get(path, SHOP).await.code(), "scope_missing", "{path}");
        assert_eq!(gateway.get(path, ADMIN).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems() {
    let gateway = Gateway::start().await;
    let answer = gateway.call("DELETE", "/v1/messages", SHOP, &[], b"").await;
    assert_eq!((answer.code().as_str(), answer.header("allow")), ("method_not_allowed", Some("GET, HEAD, POST")));
    let answer = gateway.call("PATCH", "/v1/accounts/shop", "", &[], b"").await;
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PUT, DELETE"));
    for path in ["/", "/v1/nothing", "/v2/messages", "/v1/messages/", "/v1/messages/a/b/c/d"] {
        let answer = gateway.get(path, SHOP).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    for path in ["/v1/messages/xyz", "/v1/batches/xyz", "/v1/deliveries/xyz", "/v1/webhooks/xyz"] {
        assert_eq!(gateway.get(path, SHOP).await.code(), "not_found", "{path}");
    }
    for (method, path) in [("GET", "/v1/senders"), ("GET", "/v1/events")] {
        let answer = gateway.call(method, path, SHOP, &[], b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (501, "not_supported_yet"));
        assert!(answer.json()["detail"].as_str().unwrap().contains(path));
    }
}

#[tokio::test]
async fn bodies_that_are_wrong_say_where() {
    let gateway = Gateway::start().await;
    let post = async |body: &str| gateway.call("POST", "/v1/messages", SHOP, &[], body.as_bytes()).await;
    for body in ["{", "{\"to\":}", "\u{1}", "{} {}", "{\"to\":\"\\ud800\"}"] {
        let answer = post(body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed_json"), "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("line 1 column"), "{body}");
    }
    assert_eq!(post("").await.json()["detail"], "the body is empty");
    let not_utf8 = gateway.call("POST", "/v1/messages", SHOP, &[], b"{\"to\":\"\xff\"}").await;
    assert_eq!(not_utf8.code(), "malformed_json");
    for (body, pointer) in [
        (r#"{"to":"+447700900123","text":"x","superseded_by":"k"}"#, "/superseded_by"),
        (r#"{"to":["+447700900123"],"text":"x"}"#, "/to"),
        (r#"{"to":"+447700900123","text":"x","supersede_key":""}"#, "/supersede_key"),
        (r#"{"to":"+447700900123","text":"x","priority":9}"#, "/priority"),
        (r#"{"to":"+447700900123","text":"x","tlvs":[{"tag":1,"hex":"0"}]}"#, "/tlvs/0/hex"),
        (r#"{"to":"+447700900123","text":"x","encoding":"utf8"}"#, "/encoding"),
        (r#"{"text":"x"}"#, "/to"),
        (r#"{"to":"+447700900123"}"#, "/text"),
        (r#"{"to":"+447700900123","binary":["AAAA"]}"#, "/binary"),
        (r#"{"to":"+447700900123","text":"x","tlvs":[{"tag":1,"hex":"00"},[1,"00"]]}"#, "/tlvs/1"),
        (r#"{"to":"+447700900123","text":"x","tlvs":{"tag":1,"hex":"00"}}"#, "/tlvs"),
        (r#"{"to":"+447700900123","text":"x","encoding":{"gsm7":null}}"#, "/encoding"),
        (r#"{"to":"+447700900123","text":"x","receipt":{"all":null}}"#, "/receipt"),
        (r#"{"to":"+447700900123","text":"x","max_parts":49.5}"#, "/max_parts"),
        (r#"{"to":"+447700900123","text":"x","priority":1e300}"#, "/priority"),
        (r#"{"to":"+447700900123","text":"x","class":-1.0}"#, "/class"),
        ("[]", ""),
        ("7", ""),
    ] {
        let answer = post(body).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "invalid"), "{body}");
        let first = answer.json()["errors"][0].clone();
        assert!(pointer.is_empty() || first["pointer"] == pointer, "{body}: {first}");
    }
    let both = post(r#"{"to":"x","text":"y","priority":7,"class":9}"#).await.json();
    assert_eq!(both["errors"].as_array().map(Vec::len), Some(3), "all faults at once: {both}");
}

#[tokio::test]
async fn whole_numbers_may_be_written_with_a_point() {
    let gateway = Gateway::start().await;
    let body = r#"{"to":"+447700900123","text":"x","max_parts":49.0,"class":-0.0,"priority":3.0,
        "validity_seconds":6e2,"tlvs":[{"tag":5200.0,"hex":"00"}]}"#;
    let sent = gateway.call("POST", "/v1/messages", SHOP, &[], body.as_bytes()).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let message = sent.json();
    assert_eq!((&message["priority"], &message["validity_seconds"]), (&json!(3), &json!(600)));
    let batch = r#"{"defaults":{"max_parts":2.0},"messages":[
        {"to":"+447700900123","binary":{"data":"AAAA","dcs":4.0},"priority":2.0},
        {"to":"+447700900123","binary":["AAAA"]}]}"#;
    let taken = gateway.call("POST", "/v1/batches", SHOP, &[], batch.as_bytes()).await.json();
    assert_eq!((&taken["accepted"], &taken["rejected"][0]["index"]), (&json!(1), &json!(1)), "{taken}");
    assert_eq!(taken["rejected"][0]["problem"]["errors"][0]["pointer"], "/binary");
    let defaults = gateway.call("POST", "/v1/batches", SHOP, &[], br#"{"defaults":[],"messages":[{}]}"#).await;
    assert_eq!((defaults.status, defaults.pointer().as_str()), (422, "/defaults"), "{}", defaults.text());
}

#[tokio::test]
async fn routes_that_refuse_are_told() {
    let gateway = Gateway::start().await;
    let france = gateway.post("/v1/messages", SHOP, json!({ "to": "+33612345678", "text": "x" })).await;
    assert_eq!((france.status, france.code().as_str()), (422, "route_rejects"));
    assert!(france.json()["detail"].as_str().unwrap().contains("no-france"));
    gateway.delete("/v1/routes/all", ADMIN).await;
    let nowhere = gateway.post("/v1/messages", SHOP, hello()).await;
    assert_eq!((nowhere.status, nowhere.code().as_str(), nowhere.pointer().as_str()), (422, "no_route", "/to"));
}

#[tokio::test]
async fn content_types_and_queries_are_checked() {
    let gateway = Gateway::start().await;
    let body = hello().to_string();
    let with =
        async |headers: &[(&str, &str)]| gateway.call("POST", "/v1/messages", SHOP, headers, body.as_bytes()).await;
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/x-ndjson", ""] {
        let answer = with(&[("content-type", content_type)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_media_type"), "{content_type:?}");
    }
    assert_eq!(with(&[("content-encoding", "gzip")]).await.code(), "unsupported_media_type");
    assert_eq!(with(&[("content-type", "Application/JSON ; charset=utf-8")]).await.status, 202);
    for query in [
        "color=red",
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=x",
        "status=lost",
        "to=abc",
        "created_after=now",
        "direction=up",
        "limit=1&limit=2",
        "tag=",
        "batch=1",
        "to=%zz",
        "to=%FF",
    ] {
        let answer = gateway.get(&format!("/v1/messages?{query}"), SHOP).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_query"), "{query}");
    }
    let stray = gateway.call("POST", "/v1/messages?x=1", SHOP, &[], body.as_bytes()).await;
    assert_eq!((stray.code().as_str(), stray.pointer().as_str()), ("bad_query", "/query/x"));
}

#[tokio::test]
async fn a_store_that_cannot_commit_answers_503_and_readyz_says_so() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.get("/readyz", "").await.json(), json!({ "status": "ok" }));
    gateway.store.fail_with(Some(StoreError::Unavailable("disk full at /var/secret".into())));
    let answer = gateway.post("/v1/messages", SHOP, hello()).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "store_unavailable"));
    assert_eq!((answer.header("retry-after"), &answer.json()["retryable"]), (Some("5"), &json!(true)));
    assert!(!answer.text().contains("secret"), "what the store says is for the operator");
    let ready = gateway.get("/readyz", "").await;
    assert_eq!((ready.status, ready.code().as_str()), (503, "store_unavailable"));
    assert_eq!(gateway.get("/livez", "").await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_drains_takes_nothing_new() {
    let gateway = Gateway::start().await;
    gateway.engine.drain();
    let answer = gateway.post("/v1/messages", SHOP, hello()).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "draining"));
    assert_eq!(gateway.get("/readyz", "").await.code(), "draining");
}
