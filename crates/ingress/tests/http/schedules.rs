use serde_json::{Value, json};

use crate::gateway::{ADMIN, Answer, Gateway, OTHER, READER, SHOP, hello};

/// Once a year: it is not due while the test runs.
fn yearly() -> Value {
    json!({ "name": "New year", "messages": [hello()], "repeat": "0 0 1 1 *", "time_zone": "Europe/Berlin" })
}

fn with(more: Value) -> Value {
    let mut asked = yearly();
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked
}

async fn made(gateway: &Gateway, asked: Value) -> (String, Value) {
    let answer = gateway.post("/v1/schedules", SHOP, asked).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let schedule = answer.json();
    let path = format!("/v1/schedules/{}", schedule["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(path.as_str()));
    (path, schedule)
}

fn told(answer: &Answer) -> (u16, String, String) {
    (answer.status, answer.code(), answer.pointer())
}

#[tokio::test]
async fn a_schedule_is_made_seen_changed_and_deleted() {
    let gateway = Gateway::start().await;
    let (path, schedule) = made(&gateway, yearly()).await;
    assert_eq!(
        (&schedule["state"], &schedule["account"], &schedule["times"]),
        (&json!("active"), &json!("shop"), &json!(0))
    );
    let next = schedule["next_at"].as_str().unwrap();
    assert!(next.ends_with("-12-31T23:00:00.000Z"), "{next}");
    assert!(schedule.get("messages").is_none() && schedule["message_count"] == 1);
    let seen = gateway.get(&path, READER).await.json();
    assert_eq!((&seen["messages"][0]["to"], &seen["next_at"]), (&hello()["to"], &schedule["next_at"]));
    let edit = json!({ "name": null, "repeat": "30 6 * * mon-fri", "count": 10, "messages": [hello(), hello()] });
    let edited = gateway.patch(&path, SHOP, edit).await.json();
    assert_eq!(
        (&edited["name"], &edited["repeat"], &edited["count"], &edited["message_count"]),
        (&Value::Null, &json!("30 6 * * mon-fri"), &json!(10), &json!(2))
    );
    assert_ne!(edited["next_at"], schedule["next_at"]);
    for (what, state) in [("pause", "paused"), ("pause", "paused"), ("resume", "active"), ("resume", "active")] {
        let answer = gateway.post(&format!("{path}/{what}"), SHOP, json!({})).await;
        assert_eq!((answer.status, &answer.json()["state"]), (200, &json!(state)), "{what}");
    }
    assert_eq!(gateway.call("DELETE", &path, SHOP, &[], b"").await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(gateway.call(method, &path, SHOP, &[], b"").await.code(), "not_found");
    }
    gateway.engine.stop().await;
}

#[tokio::test]
async fn lists_go_on_where_they_ended_and_can_be_narrowed() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(made(&gateway, with(json!({ "name": n.to_string() }))).await.1["id"].clone());
    }
    ids.reverse();
    let paused = format!("/v1/schedules/{}/pause", ids[1].as_str().unwrap());
    gateway.post(&paused, SHOP, json!({})).await;
    let list = async |query: &str| {
        let page = gateway.get(&format!("/v1/schedules{query}"), SHOP).await.json();
        let ids: Vec<Value> = page["data"].as_array().unwrap().iter().map(|schedule| schedule["id"].clone()).collect();
        (ids, page["next_cursor"].as_str().unwrap_or_default().to_owned())
    };
    let (first, cursor) = list("?limit=2").await;
    assert_eq!(
        (first.as_slice(), list(&format!("?limit=2&cursor={cursor}")).await.0.as_slice()),
        (&ids[..2], &ids[2..])
    );
    assert_eq!(list("?state=paused").await.0, [ids[1].clone()]);
    assert_eq!(list("?state=ended").await.0, Vec::<Value>::new());
    let wrong = gateway.get("/v1/schedules?state=asleep", SHOP).await;
    assert_eq!(told(&wrong), (400, "bad_query".into(), "/query/state".into()));
}

#[tokio::test]
async fn schedules_belong_to_accounts_and_take_scopes() {
    let gateway = Gateway::start().await;
    let (path, schedule) = made(&gateway, yearly()).await;
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/pause")),
        ("POST", format!("{path}/resume")),
        ("GET", "/v1/schedules/x".into()),
    ] {
        assert_eq!(gateway.call(method, &path, OTHER, &[], b"").await.code(), "not_found", "{method} {path}");
    }
    assert_eq!(gateway.patch(&path, OTHER, json!({})).await.code(), "not_found");
    assert_eq!(gateway.get("/v1/schedules", OTHER).await.json()["data"], json!([]));
    assert_eq!(gateway.get("/v1/schedules?account=shop", OTHER).await.status, 400);
    let all = gateway.get("/v1/schedules?account=shop", ADMIN).await.json();
    assert_eq!(all["data"][0]["id"], schedule["id"]);
    for (method, path) in
        [("POST", "/v1/schedules".to_owned()), ("DELETE", path.clone()), ("POST", format!("{path}/pause"))]
    {
        assert_eq!(gateway.call(method, &path, READER, &[], b"").await.code(), "scope_missing", "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let gateway = Gateway::start().await;
    for (more, status, code, pointer) in [
        (json!({ "repeat": "0 25 * * *" }), 422, "invalid", "/repeat"),
        (json!({ "repeat": "0 0 30 2 *" }), 422, "invalid", "/repeat"),
        (json!({ "time_zone": "Mars/Phobos" }), 422, "invalid", "/time_zone"),
        (json!({ "time_zone": null }), 422, "invalid", "/time_zone"),
        (json!({ "starts_at": "tomorrow" }), 422, "invalid", "/starts_at"),
        (json!({ "ends_at": "2020-01-01T00:00:00Z" }), 422, "invalid", "/ends_at"),
        (json!({ "count": 0 }), 422, "invalid", "/count"),
        (json!({ "if_missed": "maybe" }), 422, "invalid", "/if_missed"),
        (json!({ "messages": [] }), 422, "invalid", "/messages"),
        (json!({ "messages": [hello(), { "to": 1 }] }), 422, "invalid", "/messages/1/to"),
        (json!({ "messages": [hello(), { "to": "nobody", "text": "x" }] }), 422, "invalid", "/messages/1/to"),
        (json!({ "messages": [{ "to": "+33612345678", "text": "x" }] }), 422, "route_rejects", "/messages/0"),
        (json!({ "every": "day" }), 422, "invalid", "/every"),
    ] {
        let answer = gateway.post("/v1/schedules", SHOP, with(more.clone())).await;
        assert_eq!(told(&answer), (status, code.into(), pointer.into()), "{more}: {}", answer.text());
    }
    let many = with(json!({ "messages": vec![hello(); 1001] }));
    assert_eq!(told(&gateway.post("/v1/schedules", SHOP, many).await), (422, "invalid".into(), "/messages".into()));
}

#[tokio::test]
async fn one_that_is_asked_for_again_is_made_once() {
    let gateway = Gateway::start().await;
    let body = yearly().to_string();
    let headers = [("idempotency-key", "one")];
    let first = gateway.call("POST", "/v1/schedules", SHOP, &headers, body.as_bytes()).await;
    let again = gateway.call("POST", "/v1/schedules", SHOP, &headers, body.as_bytes()).await;
    assert_eq!((first.status, again.status, first.text()), (201, 201, again.text()));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(gateway.get("/v1/schedules", SHOP).await.json()["data"].as_array().unwrap().len(), 1);
    let other = with(json!({ "count": 1 })).to_string();
    let other = gateway.call("POST", "/v1/schedules", SHOP, &headers, other.as_bytes()).await;
    assert_eq!(other.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn one_that_has_ended_goes_on_when_there_is_something_to_come() {
    let gateway = Gateway::start().await;
    let due = with(json!({ "starts_at": "2025-12-01T00:00:00Z", "if_missed": "send", "count": 1 }));
    let (path, _) = made(&gateway, due).await;
    let ended = loop {
        let schedule = gateway.get(&path, SHOP).await.json();
        if schedule["state"] == "ended" {
            break schedule;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&ended["times"], &ended["next_at"]), (&json!(1), &Value::Null));
    let sent = gateway.get(&format!("/v1/messages?tag=schedule:{}", ended["id"].as_str().unwrap()), SHOP).await.json();
    assert_eq!((sent["data"].as_array().unwrap().len(), &sent["data"][0]["id"]), (1, &ended["last_message"]));
    let paused = gateway.post(&format!("{path}/pause"), SHOP, json!({})).await;
    assert_eq!((paused.status, paused.code()), (409, "schedule_ended".into()));
    let going_on = gateway.patch(&path, SHOP, json!({ "count": null })).await.json();
    assert_eq!(
        (&going_on["state"], &going_on["ended_at"], &going_on["count"]),
        (&json!("active"), &Value::Null, &Value::Null)
    );
}
