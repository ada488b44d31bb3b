use serde_json::json;

use crate::gateway::{ADMIN, Gateway, OTHER, READER, SHOP, hello};

#[tokio::test]
async fn a_message_is_accepted_found_followed_and_taken_back() {
    let gateway = Gateway::start().await;
    let mut body = hello();
    body["client_ref"] = json!("order-1");
    body["tags"] = json!({ "campaign": "spring" });
    let sent = gateway.post("/v1/messages", SHOP, body).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let message = sent.json();
    let id = message["id"].as_str().unwrap();
    assert_eq!(sent.header("location"), Some(format!("/v1/messages/{id}").as_str()));
    assert_eq!(
        (&message["status"], &message["to"], &message["connector"]),
        (&json!("queued"), &json!("+447700900123"), &json!("carrier"))
    );

    assert_eq!(gateway.get(&format!("/v1/messages/{id}"), READER).await.json(), message);
    let events = gateway.get(&format!("/v1/messages/{id}/events"), SHOP).await.json();
    assert_eq!(events["data"][0]["event"], "accepted");

    let canceled = gateway.post(&format!("/v1/messages/{id}/cancel"), SHOP, json!({})).await;
    assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("canceled")));
    let again = gateway.post(&format!("/v1/messages/{id}/cancel"), SHOP, json!({})).await;
    assert_eq!((again.status, again.code().as_str()), (409, "too_late_to_cancel"));
}

#[tokio::test]
async fn others_messages_are_not_there() {
    let gateway = Gateway::start().await;
    let id = gateway.post("/v1/messages", SHOP, hello()).await.json()["id"].as_str().unwrap().to_owned();
    for (method, path) in [
        ("GET", format!("/v1/messages/{id}")),
        ("GET", format!("/v1/messages/{id}/events")),
        ("POST", format!("/v1/messages/{id}/cancel")),
    ] {
        let answer = gateway.call(method, &path, OTHER, &[], b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{method} {path}");
    }
    assert_eq!(gateway.get("/v1/messages", OTHER).await.json()["data"], json!([]));
    assert_eq!(gateway.get("/v1/messages?account=shop", OTHER).await.pointer(), "/query/account");
    assert_eq!(gateway.get("/v1/messages?account=shop", ADMIN).await.json()["data"][0]["id"], id);
    assert_eq!(gateway.get(&format!("/v1/messages/{id}"), ADMIN).await.status, 200);
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    let gateway = Gateway::start().await;
    let mut one = hello();
    one["client_ref"] = json!("r1");
    one["tags"] = json!({ "kind": "otp" });
    let id = gateway.post("/v1/messages", SHOP, one).await.json()["id"].as_str().unwrap().to_owned();
    let two = json!({ "to": "60777", "text": "x", "send_at": "2027-01-01T00:00:00Z" });
    gateway.post("/v1/messages", SHOP, two).await;
    let matching = [
        "status=queued",
        "to=%2B447700900123",
        "to=+447700900123",
        "to=447700900123",
        "tag=kind",
        "tag=kind:otp",
        "client_ref=r1",
        "created_after=2026-01-01T00:00:00Z&to=447700900123",
        "direction=mt&from=SHOP&client_ref=r1",
        "connector=carrier&tag=kind",
        "created_before=2999-01-01T00:00:00%2B01:00&status=queued",
    ];
    for query in matching {
        let answer = gateway.get(&format!("/v1/messages?{query}"), SHOP).await;
        let data = answer.json()["data"].clone();
        assert_eq!(data.as_array().map(Vec::len), Some(1), "{query}: {data}");
        assert_eq!(data[0]["id"], id, "{query}");
    }
    for query in ["status=sent", "to=447700900124", "tag=kind:x", "tag=other", "direction=mo", "connector=x", "from=ME"]
    {
        assert_eq!(gateway.get(&format!("/v1/messages?{query}"), SHOP).await.json()["data"], json!([]), "{query}");
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(gateway.post("/v1/messages", SHOP, hello()).await.json()["id"].as_str().unwrap().to_owned());
    }
    ids.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = gateway.get(&format!("/v1/messages?limit=2{cursor}"), SHOP).await.json();
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        seen.extend(data.iter().map(|m| m["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn all_forms_of_a_message_are_answered_as_declared() {
    let gateway = Gateway::start().await;
    let full = json!({
        "to": "+447700900123", "from": "+447700900000", "text": "Zażółć", "encoding": "auto", "transliterate": true,
        "max_parts": 3, "class": 0, "priority": 3, "send_at": "2027-01-01T00:00:00Z", "validity_seconds": 60,
        "receipt": "all", "client_ref": "c", "tags": { "a": "b" }, "callback_url": "https://example.com/x",
        "tlvs": [{ "tag": 5122, "hex": "00ff" }]
    });
    let answer = gateway.post("/v1/messages", SHOP, full).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json()["status"], "scheduled");
    let binary = json!({ "to": "+447700900123", "binary": { "data": "AAEC", "udh": "BgUEC4Qj8A==", "dcs": 4 } });
    let answer = gateway.post("/v1/messages", SHOP, binary).await;
    assert_eq!((answer.status, &answer.json()["encoding"]), (202, &json!("binary")), "{}", answer.text());
    let chosen = json!({ "to": "+447700900123", "from": "X", "text": "x", "connector": "carrier" });
    assert_eq!(gateway.post("/v1/messages", OTHER, chosen.clone()).await.status, 202);
    let refused = gateway.post("/v1/messages", SHOP, chosen).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "not_allowed"));
}

#[tokio::test]
async fn a_text_is_encoded_without_being_sent() {
    let gateway = Gateway::start().await;
    let answer = gateway.post("/v1/encode", READER, json!({ "text": "ż" })).await;
    assert_eq!((answer.status, &answer.json()["alphabet"]), (200, &json!("ucs2")));
    assert_eq!(answer.json()["forced_by"], json!([{ "char": "ż", "code_point": "U+017C", "position": 0 }]));
    let refused = gateway.post("/v1/encode", READER, json!({ "text": "ż", "encoding": "gsm7" })).await;
    assert_eq!((refused.status, refused.pointer().as_str()), (422, "/text"));
    assert_eq!(gateway.get("/v1/messages", READER).await.json()["data"], json!([]));
}
