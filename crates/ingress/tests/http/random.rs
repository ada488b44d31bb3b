//! Whatever comes, the gateway answers as its document says, and never with its own fault.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use crate::gateway::{ADMIN, Gateway, SHOP};

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&strategy, test).unwrap();
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "\\+?[0-9]{0,16}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(field(), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    let known = [
        "to",
        "from",
        "text",
        "binary",
        "data",
        "udh",
        "dcs",
        "encoding",
        "class",
        "priority",
        "send_at",
        "max_parts",
        "validity_seconds",
        "receipt",
        "tags",
        "tlvs",
        "tag",
        "hex",
        "messages",
        "defaults",
        "id",
        "account",
        "url",
        "protocol",
        "address",
        "match",
        "order",
        "scopes",
        "secret",
        "webhooks",
        "password",
        "callback_url",
        "connector",
        "webhook",
        "answer",
    ];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

/// A message that is nearly right.
fn nearly() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(field(), any_json(), 0..4).prop_map(|odd| {
        let mut fields: Map<String, Value> =
            json!({ "to": "+447700900123", "text": "x" }).as_object().cloned().unwrap_or_default();
        fields.extend(odd);
        Value::Object(fields)
    })
}

#[test]
fn random_json_is_answered_as_declared() {
    let runtime = Runtime::new().unwrap();
    let gateway = runtime.block_on(Gateway::start());
    let targets = prop::sample::select(vec![
        ("POST", "/v1/messages"),
        ("POST", "/v1/batches"),
        ("POST", "/v1/encode"),
        ("POST", "/v1/explain"),
        ("POST", "/v1/explain-inbound"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/webhooks"),
        ("PUT", "/v1/webhooks/shop-1"),
        ("PUT", "/v1/accounts/random"),
        ("PUT", "/v1/connectors/random"),
        ("PUT", "/v1/routes/random"),
        ("PUT", "/v1/inbound-rules/random"),
    ]);
    run(600, (targets, prop_oneof![any_json(), nearly()]), |((method, path), body)| {
        let answer = runtime.block_on(gateway.call(method, path, ADMIN, &[], body.to_string().as_bytes()));
        // The harness has held the answer against the document.
        prop_assert!(answer.status < 500, "{} {} {}: {}", method, path, body, answer.text());
        Ok(())
    });
}

#[test]
fn random_targets_are_answered_as_declared() {
    let runtime = Runtime::new().unwrap();
    let gateway = runtime.block_on(Gateway::start());
    let segment = prop_oneof![
        prop::sample::select(vec![
            "messages",
            "batches",
            "events",
            "cancel",
            "accounts",
            "shop",
            "deliveries",
            "webhooks",
            "tokens",
            "routes"
        ])
        .prop_map(str::to_owned),
        "[A-Za-z0-9._~!$&'()*+,;=:@-]{0,8}",
        "(%[0-9A-F]{2}){1,3}",
    ];
    let query = prop::collection::vec(
        ("(limit|cursor|to|tag|status|batch|created_after|[a-z]{1,4})", "[A-Za-z0-9._~!$'()*+,;:@/?-]{0,10}"),
        0..3,
    )
    .prop_map(|pairs| pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"));
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]);
    run(400, (methods, prop::collection::vec(segment, 0..4), query), |(method, segments, query)| {
        let target = format!("/v1/{}?{query}", segments.join("/"));
        let answer = runtime.block_on(gateway.call(method, &target, SHOP, &[], b""));
        prop_assert!(answer.status < 500 || answer.status == 501, "{} {}: {}", method, target, answer.text());
        Ok(())
    });
}

#[test]
fn random_octets_never_give_a_500() {
    let runtime = Runtime::new().unwrap();
    let gateway = runtime.block_on(Gateway::start());
    let lines = prop::collection::vec(
        prop_oneof![
            "(GET|POST|PUT|\\PC{0,4}) /\\PC{0,12} HTTP/1\\.[012]\r\n",
            "(host|content-length|transfer-encoding|connection|expect|authorization|idempotency-key): \\PC{0,12}\r\n",
            Just("\r\n".to_owned()),
            "\\PC{0,20}",
        ]
        .prop_map(String::into_bytes),
        0..8,
    )
    .prop_map(|lines| lines.concat());
    let octets = prop_oneof![prop::collection::vec(any::<u8>(), 0..200), lines];
    run(300, octets, |octets| {
        let answered = runtime.block_on(async {
            let mut socket = gateway.connect().await;
            let _ = socket.write_all(&octets).await;
            let _ = socket.shutdown().await;
            let mut answered = Vec::new();
            let _ = socket.read_to_end(&mut answered).await;
            answered
        });
        prop_assert!(!String::from_utf8_lossy(&answered).contains("HTTP/1.1 500"));
        Ok(())
    });
    assert_eq!(runtime.block_on(gateway.get("/livez", "")).status, 200);
}
