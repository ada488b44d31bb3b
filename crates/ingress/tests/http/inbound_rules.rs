use engine::dispatch::{Incoming, LinkEvent, MobileOriginated};
use model::{Address, Content, Encoding};
use serde_json::{Value, json};

use crate::gateway::{ADMIN, Gateway, SHOP};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn the_secret_of_a_rules_webhook_is_kept_and_never_shown() {
    let gateway = Gateway::start().await;
    let secret = || gateway.engine.world().rule_webhook("orders").and_then(|hook| hook.secret.clone());
    let rule = |webhook: Value| json!({ "account": "shop", "webhook": webhook });
    let path = "/v1/inbound-rules/orders";
    let made = gateway.put(path, ADMIN, rule(json!({ "url": "https://x.example/", "secret": SECRET }))).await;
    assert_eq!((made.status, &made.json()["webhook"]), (201, &json!({ "url": "https://x.example/" })));
    let changed = gateway.put(path, ADMIN, rule(json!({ "url": "https://y.example/", "style": "kannel" }))).await;
    assert_eq!(
        (changed.status, &changed.json()["webhook"]),
        (200, &json!({ "url": "https://y.example/", "style": "kannel" }))
    );
    assert_eq!(secret().as_deref(), Some(SECRET), "it was left out");
    for path in ["/v1/inbound-rules", path] {
        assert!(!gateway.get(path, ADMIN).await.text().contains("whsec_"));
    }
    let stored = gateway.engine.store().resources().await.unwrap();
    assert!(stored.documents.iter().all(|document| !document.json.contains(SECRET)), "it is sealed");
    gateway.put(path, ADMIN, json!({ "account": "shop" })).await;
    assert_eq!(secret(), None);
    for (webhook, pointer) in [
        (json!({ "url": "ftp://x" }), "/webhook/url"),
        (json!({ "url": "https://x.example/", "secret": "hunter2" }), "/webhook/secret"),
        (json!({ "url": "https://x.example/", "secret": { "sealed": "AAAA" } }), "/webhook/secret"),
        (json!(["https://x.example/"]), "/webhook"),
    ] {
        let refused = gateway.put(path, ADMIN, rule(webhook)).await;
        assert_eq!((refused.status, refused.pointer().as_str()), (422, pointer), "{}", refused.text());
    }
}

#[tokio::test]
async fn what_would_become_of_a_message_from_a_phone_is_explained() {
    let gateway = Gateway::start().await;
    let put = async |id: &str, rule: Value| {
        let answer = gateway.put(&format!("/v1/inbound-rules/{id}"), ADMIN, rule).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    };
    put("a", json!({ "order": -2, "account": "shop", "match": { "keyword": ["QUIZ"] }, "webhook": { "url": "https://x.example/?a=%b", "style": "kannel", "answer": "reply" } })).await;
    put("b", json!({ "order": -1, "account": "shop", "match": { "to": ["60777"] }, "reply": "Hello {from}: {rest}", "forward": ["+447700900111"] })).await;
    let explain = async |connector: Option<&str>, from: &str, text: Option<&str>| {
        let asked = json!({ "connector": connector, "from": from, "to": "60777", "text": text });
        let answer = gateway.post("/v1/explain-inbound", ADMIN, asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let quiz = explain(Some("carrier"), "+447700900123", Some("quiz 1")).await;
    assert_eq!(quiz["rules"], json!([{ "rule": "a", "matches": true }]));
    assert_eq!((&quiz["rule"], &quiz["answers"], &quiz["responses"]), (&json!("a"), &json!(true), &json!([])));
    assert_eq!(quiz["deliveries"][0], json!({ "endpoint": "rule:a", "style": "kannel" }));

    let hello = explain(None, "+447700900123", Some("hi there")).await;
    assert_eq!(
        hello["rules"],
        json!([{ "rule": "a", "matches": false, "against": "match.keyword", "wanted": ["QUIZ"] }, { "rule": "b", "matches": true }])
    );
    let responses = hello["responses"].as_array().unwrap();
    let told: Vec<_> = responses.iter().map(|r| (r["action"].clone(), r["to"].clone(), r["text"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!("reply"), json!("+447700900123"), json!("Hello +447700900123: there")),
            (json!("forward"), json!("+447700900111"), json!("hi there")),
        ]
    );
    assert!(responses.iter().all(|r| r["outcome"] == "send" && r["message"]["from"] == "60777"), "{hello}");
    let endpoints: Vec<_> = hello["deliveries"].as_array().unwrap().iter().map(|d| d["endpoint"].clone()).collect();
    assert!(endpoints.contains(&json!("shop-1")), "{hello}");

    let held = explain(None, "BANK", None).await;
    let why: Vec<_> = held["responses"].as_array().unwrap().iter().map(|r| r["reason"].clone()).collect();
    assert_eq!(why, [json!("a name can't be answered"), json!("it is no text")]);
    let own = explain(None, "60777", Some("x")).await;
    assert_eq!(own["responses"][0]["reason"], "60777 is a number of this gateway");

    // Nothing was done.
    assert_eq!(gateway.get("/v1/messages", ADMIN).await.json()["data"], json!([]));
    for (asked, pointer) in [
        (json!({ "from": "", "to": "60777" }), "/from"),
        (json!({ "from": "1", "to": "60777", "connector": "x" }), "/connector"),
        (json!({ "from": "60777" }), ""),
    ] {
        let refused = gateway.post("/v1/explain-inbound", ADMIN, asked).await;
        assert_eq!((refused.status, refused.pointer().as_str()), (422, pointer), "{}", refused.text());
    }
    let asked = json!({ "from": "+447700900123", "to": "60777" });
    assert_eq!(gateway.post("/v1/explain-inbound", SHOP, asked).await.code(), "scope_missing");
}

#[tokio::test]
async fn a_word_of_opting_out_is_explained() {
    let gateway = Gateway::start().await;
    let mut account = gateway.get("/v1/accounts/shop", ADMIN).await.json();
    account["opt_out"] = json!({ "stop_reply": "Bye" });
    assert_eq!(gateway.put("/v1/accounts/shop", ADMIN, account).await.status, 200);
    let rule = json!({ "order": -1, "account": "shop", "reply": "Hello", "forward": ["+447700900111"] });
    gateway.put("/v1/inbound-rules/all", ADMIN, rule).await;
    let explain = async |text: &str| {
        let asked = json!({ "from": "+447700900123", "to": "60777", "text": text });
        gateway.post("/v1/explain-inbound", ADMIN, asked).await.json()
    };
    let stop = explain("Stop!").await;
    assert_eq!((&stop["word"], &stop["responses"][0]["text"]), (&json!("stop"), &json!("Bye")));
    assert_eq!(stop["responses"].as_array().map(Vec::len), Some(1));
    assert_eq!(explain("yes").await["word"], json!(null), "it has not opted out");
    gateway.post("/v1/opt-outs", SHOP, json!({ "phone": "+447700900123" })).await;
    let start = explain("yes").await;
    assert_eq!((&start["word"], &start["responses"][0]["outcome"]), (&json!("start"), &json!("send")));
    let hello = explain("hello").await;
    assert_eq!(hello["responses"][0]["problem"]["code"], "opted_out");
}

#[tokio::test]
async fn the_address_of_a_rules_webhook_is_for_operators() {
    let gateway = Gateway::start().await;
    let hook = json!({ "url": "https://x.example/?key=hunter2&from=%p", "style": "kannel" });
    gateway.put("/v1/inbound-rules/in", ADMIN, json!({ "account": "shop", "webhook": hook })).await;
    let mut carrier = gateway.engine.link("carrier").unwrap().session();
    let mo = MobileOriginated {
        from: Address::from_carrier("447700900123", true),
        to: Address::from_carrier("60777", false),
        content: Content::Text("hi".into()),
        encoding: Encoding::Gsm7,
        class: None,
        concat: None,
    };
    carrier.receive(Incoming::Mo(Box::new(mo)), 1);
    while !matches!(carrier.event(false).await, LinkEvent::Acknowledged(_)) {}
    let owed = gateway.get("/v1/deliveries?endpoint=rule:in", ADMIN).await.json()["data"][0].clone();
    assert!(owed["url"].as_str().is_some_and(|url| url.contains("key=hunter2&from=%2B447700900123")), "{owed}");
    let id = owed["id"].as_str().unwrap();
    for answer in [
        gateway.get("/v1/deliveries", SHOP).await,
        gateway.get(&format!("/v1/deliveries/{id}"), SHOP).await,
        gateway.post(&format!("/v1/deliveries/{id}/redeliver"), SHOP, json!({})).await,
    ] {
        assert!(answer.status == 200 && answer.text().contains(id), "{}", answer.text());
        assert!(!answer.text().contains("x.example"), "{}", answer.text());
    }
}
