//! Jasmin's interfaces, HTTP and REST: their paths, arguments, answers and codes.

use ingress::http::{HttpSettings, Interfaces};
use model::dialect::JasminTerms;
use model::{CallbackStyle, Dialect, Ingress, Message};
use serde_json::{Value, json};
use store::{DeliveryFilter, Store as _};

use crate::gateway::{ADMIN, Answer, Gateway};

const USER: &str = "username=shop-user&password=shop-pass";
/// shop-user:shop-pass
const BASIC: &str = "Authorization: Basic c2hvcC11c2VyOnNob3AtcGFzcw==\r\n";

async fn gateway() -> Gateway {
    let interfaces = Interfaces { jasmin: true, jasmin_rest: true, ..Interfaces::default() };
    Gateway::start_with(HttpSettings { interfaces, ..HttpSettings::default() }).await
}

async fn get(gateway: &Gateway, path: &str) -> Answer {
    gateway.once(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
}

async fn rest(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n{BASIC}\r\n", body.len());
    gateway.once(&(head + &body)).await
}

fn said(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text())
}

/// The messages that were accepted, oldest first.
async fn accepted(gateway: &Gateway) -> Vec<Message> {
    let caller = gateway.engine.authenticate(ADMIN).unwrap();
    let mut messages = gateway.engine.search(&caller, Default::default(), None, 100).await.unwrap().0;
    messages.reverse();
    messages
}

#[tokio::test]
async fn a_message_is_sent_by_query_form_or_json() {
    let gateway = gateway().await;
    let by_query =
        get(&gateway, &format!("/send?{USER}&to=447700900123&content=by+query&dlr-url=http://x.example/d")).await;
    let form = format!("{USER}&to=447700900123&content=by+form");
    let by_form = gateway
        .once(&format!(
            "POST /send HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        ))
        .await;
    let body = json!({ "username": "shop-user", "password": "shop-pass", "to": "447700900123", "content": "by json",
        "coding": 0, "custom_tlvs": [[0x1400, null, "OctetString", "0102"]] })
    .to_string();
    let by_json = gateway
        .once(&format!(
            "POST /send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    let messages = accepted(&gateway).await;
    for ((answer, message), text) in
        [by_query, by_form, by_json].iter().zip(&messages).zip(["by query", "by form", "by json"])
    {
        assert_eq!(said(answer), (200, format!("Success \"{}\"", message.body.id)));
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!((message.body.content.text(), message.body.ingress), (Some(text), Ingress::Jasmin));
    }
    let asked = Dialect::Jasmin(JasminTerms { level: 1, get: false });
    assert_eq!(messages[0].body.dialect.as_deref(), Some(&asked));
    assert_eq!(messages[0].body.callback_url.as_deref(), Some("http://x.example/d"));
    assert_eq!((messages[2].body.tlvs[0].tag, &*messages[2].body.tlvs[0].value), (0x1400, &[1, 2][..]));
}

#[tokio::test]
async fn what_is_refused_is_told_as_jasmin_does() {
    let gateway = gateway().await;
    for (query, status, text) in [
        (format!("{USER}&content=x"), 400, "Mandatory argument [to] is not found."),
        (format!("{USER}&to=abc&content=x"), 400, "Argument [to] has an invalid value: [abc]."),
        (format!("{USER}&to=447700900123&content=x&what=1"), 400, "Argument [what] is unknown."),
        (format!("{USER}&to=447700900123"), 400, "content or hex-content not present."),
        (
            "username=shop-user&password=no&to=447700900123&content=x".into(),
            403,
            "Authentication failure for username:shop-user",
        ),
        (format!("{USER}&to=33612345678&content=x"), 412, "No route found"),
        (
            format!("{USER}&to=447700900123&content=x&from=A+name+too+long"),
            400,
            "Argument [from] has an invalid value: [A name too long].",
        ),
    ] {
        let answer = get(&gateway, &format!("/send?{query}")).await;
        assert_eq!(said(&answer), (status, format!("Error \"{text}\"")), "{query}");
    }
    gateway.engine.drain();
    let stopping = get(&gateway, &format!("/send?{USER}&to=447700900123&content=x")).await;
    let text = "Error \"Cannot send submit_sm, check SMPPClientManagerPB log file for details\"";
    assert_eq!(said(&stopping), (500, text.into()));
}

#[tokio::test]
async fn rate_balance_and_ping_answer() {
    let gateway = gateway().await;
    let rate = get(&gateway, &format!("/rate?{USER}&to=447700900123&content={}", "x".repeat(200))).await;
    assert_eq!((rate.status, rate.json()), (200, json!({ "unit_rate": 0.0, "submit_sm_count": 2 })));
    let none = get(&gateway, &format!("/rate?{USER}&to=33612345678")).await;
    assert_eq!(said(&none), (412, "\"No route found\"".into()));
    let balance = get(&gateway, &format!("/balance?{USER}")).await;
    assert_eq!((balance.status, balance.json()), (200, json!({ "balance": "ND", "sms_count": "ND" })));
    let wrong = get(&gateway, "/balance?username=x&password=y").await;
    assert_eq!(said(&wrong), (403, "\"Authentication failure for username:x\"".into()));
    assert_eq!(said(&get(&gateway, "/ping").await), (200, "Jasmin/PONG".into()));
    assert!(accepted(&gateway).await.is_empty());
}

#[tokio::test]
async fn the_rest_api_speaks_json() {
    let gateway = gateway().await;
    let sent =
        rest(&gateway, "POST", "/secure/send", &json!({ "to": 447700900123u64, "content": "hi", "dlr_level": 2 }))
            .await;
    let id = accepted(&gateway).await[0].body.id;
    // The HTTP API's answer without the quotation mark at its end, as Jasmin's REST API gives it.
    assert_eq!((sent.status, sent.json()), (200, json!({ "data": format!("Success \"{id}") })));
    let refused = rest(&gateway, "POST", "/secure/send", &json!({ "to": "33612345678", "content": "hi" })).await;
    assert_eq!((refused.status, refused.json()), (412, json!({ "message": "Error \"No route found" })));
    let balance = rest(&gateway, "GET", "/secure/balance", &Value::Null).await;
    assert_eq!(balance.json(), json!({ "data": { "balance": "ND", "sms_count": "ND" } }));
    let rate = rest(&gateway, "GET", "/secure/rate?to=447700900123&content=x", &Value::Null).await;
    assert_eq!(rate.json(), json!({ "data": { "unit_rate": 0.0, "submit_sm_count": 1 } }));
    let nobody = get(&gateway, "/secure/balance").await;
    assert_eq!((nobody.status, nobody.header("www-authenticate").is_some()), (401, true));
    let broken =
        gateway.once(&format!("POST /secure/send HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n{BASIC}\r\n{{")).await;
    assert_eq!((broken.status, broken.json()["title"].clone()), (412, json!("Cannot parse JSON data")));
    let interfaces = Interfaces { jasmin_rest: true, ..Interfaces::none() };
    let alone = Gateway::start_with(HttpSettings { interfaces, ..HttpSettings::default() }).await;
    assert_eq!(get(&alone, "/ping").await.json(), json!({ "data": "Jasmin/PONG" }));
}

#[tokio::test]
async fn a_batch_is_answered_at_once_and_its_messages_by_call_back() {
    let gateway = gateway().await;
    let batch = json!({
        "globals": { "from": "SHOP", "content": "hello" },
        "messages": [
            { "to": ["447700900123", "447700900124"] },
            { "to": "33612345678" },
            { "to": "447700900125", "hex_content": "68", "content": "x" },
            { "content": "to nobody" },
        ],
        "batch_config": { "callback_url": "http://127.0.0.1:9/ok?x=1", "errback_url": "http://127.0.0.1:9/no" },
    });
    let answer = rest(&gateway, "POST", "/secure/sendbatch", &batch).await;
    let data = &answer.json()["data"];
    assert_eq!((answer.status, &data["messageCount"]), (200, &json!(4)), "{}", answer.text());
    let messages = accepted(&gateway).await;
    assert_eq!(messages.len(), 2);
    let mut owed = gateway.store.deliveries(&DeliveryFilter::default(), None, 100).await.unwrap();
    owed.sort_by_key(|delivery| delivery.id);
    assert!(owed.iter().all(|delivery| delivery.style == CallbackStyle::Kannel));
    let urls: Vec<&str> = owed.iter().filter_map(|delivery| delivery.url.as_deref()).collect();
    let id = data["batchId"].as_str().unwrap();
    let first = messages[0].body.id;
    assert_eq!(
        urls[0],
        format!("http://127.0.0.1:9/ok?x=1&batchId={id}&to=447700900123&status=1&statusText=Success+%22{first}%22")
    );
    assert!(urls[2].starts_with(&format!(
        "http://127.0.0.1:9/no?batchId={id}&to=33612345678&status=0&statusText=HTTPAPI+error%3A+Error"
    )));
    assert_eq!(urls.len(), 4);
    let later =
        json!({ "messages": [{ "to": "447700900123", "content": "x" }], "batch_config": { "schedule_at": "60s" } });
    let scheduled = rest(&gateway, "POST", "/secure/sendbatch", &later).await;
    assert_eq!(scheduled.json()["data"]["scheduled"], "60s");
    assert!(accepted(&gateway).await[2].body.send_at.is_some());
    let bad = json!({ "messages": [], "batch_config": { "schedule_at": "soon" } });
    assert_eq!(rest(&gateway, "POST", "/secure/sendbatch", &bad).await.status, 412);
}
