use serde_json::{Value, json};

use crate::gateway::{Gateway, OTHER, SHOP, hello};

#[tokio::test]
async fn what_is_sound_in_a_batch_is_accepted_and_the_rest_told() {
    let gateway = Gateway::start().await;
    let batch = json!({
        "defaults": { "from": "SHOP", "text": "hi" },
        "messages": [{ "to": "+447700900123" }, { "to": "nobody" }, { "to": "+447700900124", "x": 1 }, { "to": "+33612345678" }]
    });
    let answer = gateway.post("/v1/batches", SHOP, batch).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let taken = answer.json();
    assert_eq!(taken["accepted"], 1);
    let rejected: Vec<(u64, &str, &str)> = taken["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            let pointer = r["problem"]["errors"][0]["pointer"].as_str().unwrap_or("");
            (r["index"].as_u64().unwrap(), r["problem"]["code"].as_str().unwrap(), pointer)
        })
        .collect();
    assert_eq!(rejected, [(1, "invalid", "/to"), (2, "invalid", "/x"), (3, "route_rejects", "")]);

    let id = taken["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/v1/batches/{id}").as_str()));
    let state = gateway.get(&format!("/v1/batches/{id}"), SHOP).await.json();
    assert_eq!((&state["accepted"], &state["rejected"], &state["status"]), (&json!(1), &json!(3), &json!("running")));
    assert_eq!(state["counts"], json!({ "queued": 1 }));
    assert_eq!((&state["total"], &state["done"]), (&json!(1), &json!(0)));
    assert_eq!(gateway.get(&format!("/v1/batches/{id}"), OTHER).await.status, 404);
    let messages = gateway.get(&format!("/v1/messages?batch={id}"), SHOP).await.json();
    assert_eq!(messages["data"][0]["batch_id"], id);
}

#[tokio::test]
async fn a_batch_may_be_one_message_a_line() {
    let gateway = Gateway::start().await;
    let lines = format!("{}\n\n{{broken\n{}\n", hello(), hello());
    let headers = [("content-type", "application/x-ndjson")];
    let answer = gateway.call("POST", "/v1/batches", SHOP, &headers, lines.as_bytes()).await;
    let taken: Value = answer.json();
    assert_eq!((answer.status, &taken["accepted"], &taken["rejected"][0]["index"]), (202, &json!(2), &json!(1)));
}

#[tokio::test]
async fn batches_are_paused_and_canceled_by_those_whose_they_are() {
    let gateway = Gateway::start().await;
    let taken = gateway.post("/v1/batches", SHOP, json!({ "messages": [hello()] })).await.json();
    let path = |what: &str| format!("/v1/batches/{}/{what}", taken["id"].as_str().unwrap());
    for what in ["pause", "resume", "cancel"] {
        assert_eq!(gateway.post(&path(what), OTHER, json!({})).await.status, 404, "{what}");
        assert_eq!(gateway.post(&format!("/v1/batches/x/{what}"), SHOP, json!({})).await.status, 404, "{what}");
    }
    for (what, status) in [("pause", "paus"), ("resume", "r"), ("cancel", "cancel"), ("cancel", "cancel")] {
        let answer = gateway.post(&path(what), SHOP, json!({})).await;
        let now = answer.json()["status"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 202 && now.starts_with(status), "{what}: {}", answer.text());
    }
    for what in ["pause", "resume"] {
        let answer = gateway.post(&path(what), SHOP, json!({})).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "batch_canceled"), "{what}");
    }
}

#[tokio::test]
async fn batches_have_their_limits() {
    let gateway = Gateway::start().await;
    for body in [json!({ "messages": [] }), json!({ "messages": vec![json!({}); 10_001] })] {
        let answer = gateway.post("/v1/batches", SHOP, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.pointer().as_str()),
            (422, "batch_size", "/messages")
        );
    }
    for (body, pointer) in [
        (json!({}), ""),
        (json!({ "messages": 1 }), "/messages"),
        (json!({ "messages": [{}], "x": 1 }), "/x"),
        (json!({ "messages": [{}], "defaults": { "y": 1 } }), "/defaults/y"),
    ] {
        let answer = gateway.post("/v1/batches", SHOP, body.clone()).await;
        assert_eq!((answer.status, answer.pointer().as_str()), (422, pointer), "{body}");
    }
    let many = json!({ "defaults": { "text": "x" }, "messages": vec![json!({ "to": "+447700900123" }); 10_000] });
    let answer = gateway.post("/v1/batches", SHOP, many).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(10_000)));
}
