use serde_json::{Value, json};

use crate::gateway::{ADMIN, Gateway, OTHER, READER, SHOP};

const CHOIR: &str = "/v1/groups/choir";
const MEMBERS: &str = "/v1/groups/choir/members";

async fn put(gateway: &Gateway, path: &str) -> u16 {
    gateway.call("PUT", path, SHOP, &[], b"").await.status
}

async fn add(gateway: &Gateway, numbers: &[&str]) -> Value {
    let answer = gateway.post(MEMBERS, SHOP, json!({ "numbers": numbers })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The numbers of all members, in pages of two.
async fn numbers(gateway: &Gateway) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = gateway.get(&format!("{MEMBERS}?limit=2{cursor}"), READER).await.json();
        let number = |member: &Value| member["number"].as_str().unwrap().to_owned();
        all.extend(page["data"].as_array().unwrap().iter().map(number));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn groups_are_made_filled_and_deleted() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.get(CHOIR, SHOP).await.code(), "not_found");
    assert_eq!((put(&gateway, CHOIR).await, put(&gateway, CHOIR).await), (201, 200));
    assert_eq!(put(&gateway, "/v1/groups/band").await, 201);
    let first = gateway.get("/v1/groups?limit=1", READER).await.json();
    assert_eq!((&first["data"][0]["name"], &first["next_cursor"]), (&json!("band"), &json!("band")));
    let next = gateway.get("/v1/groups?limit=1&cursor=band", READER).await.json();
    assert_eq!((&next["data"][0]["name"], &next["data"][0]["members"]), (&json!("choir"), &json!(0)));

    let added = add(&gateway, &["+44 7700 900001", "+447700900002", "447700900001", "60777"]).await;
    assert_eq!(added, json!({ "added": 3, "members": 3 }));
    assert_eq!(add(&gateway, &["447700900002"]).await, json!({ "added": 0, "members": 3 }));
    assert_eq!(numbers(&gateway).await, ["+447700900001", "+447700900002", "60777"]);

    let third = format!("{MEMBERS}/+447700900003");
    assert_eq!(gateway.get(&third, READER).await.code(), "not_found");
    assert_eq!((put(&gateway, &third).await, put(&gateway, &third).await), (201, 200));
    let member = gateway.get(&format!("{MEMBERS}/%2B447700900003"), READER).await.json();
    assert_eq!(
        (&member["number"], &member["how"], &member["message"]),
        (&json!("+447700900003"), &json!("api"), &Value::Null)
    );
    assert_eq!(gateway.delete(&third, SHOP).await.status, 204);
    assert_eq!(gateway.delete(&third, SHOP).await.code(), "not_found");
    assert_eq!(gateway.get(CHOIR, READER).await.json()["members"], 3);

    assert_eq!(gateway.delete(CHOIR, SHOP).await.status, 204);
    assert_eq!(gateway.delete(CHOIR, SHOP).await.code(), "not_found");
    assert_eq!(put(&gateway, CHOIR).await, 201);
    assert_eq!(numbers(&gateway).await, Vec::<String>::new(), "nobody was left in it");
}

#[tokio::test]
async fn what_is_wrong_adds_nobody() {
    let gateway = Gateway::start().await;
    put(&gateway, CHOIR).await;
    let refused =
        gateway.post(MEMBERS, SHOP, json!({ "numbers": ["+447700900001", "x", "+44 7700 900002", ""] })).await;
    let pointers: Vec<_> =
        refused.json()["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].clone()).collect();
    assert_eq!((refused.status, pointers), (422, vec![json!("/numbers/1"), json!("/numbers/3")]));
    for (body, pointer) in [
        (json!({ "numbers": [] }), "/numbers"),
        (json!({ "numbers": vec!["+447700900001"; 10_001] }), "/numbers"),
        (json!({ "numbers": "+447700900001" }), "/numbers"),
        (json!({}), ""),
    ] {
        let refused = gateway.post(MEMBERS, SHOP, body).await;
        assert_eq!((refused.status, refused.pointer().as_str()), (422, pointer), "{}", refused.text());
    }
    assert_eq!(gateway.get(CHOIR, SHOP).await.json()["members"], 0);
    for path in ["/v1/groups/a%20b", &format!("{MEMBERS}/x"), "/v1/groups/none/members/+447700900001"] {
        assert_eq!(gateway.call("PUT", path, SHOP, &[], b"").await.code(), "not_found", "{path}");
    }
    assert_eq!(
        gateway.post("/v1/groups/none/members", SHOP, json!({ "numbers": ["+447700900001"] })).await.status,
        404
    );
    assert_eq!(gateway.get(&format!("{MEMBERS}?cursor=x"), SHOP).await.pointer(), "/query/cursor");
}

#[tokio::test]
async fn a_group_has_ten_thousand_members_at_most() {
    let gateway = Gateway::start().await;
    put(&gateway, CHOIR).await;
    let numbers: Vec<String> = (0..10_000).map(|n| format!("+4477{n:08}")).collect();
    let body = json!({ "numbers": numbers });
    assert_eq!(gateway.post(MEMBERS, SHOP, body.clone()).await.json(), json!({ "added": 10_000, "members": 10_000 }));
    assert_eq!(gateway.post(MEMBERS, SHOP, body).await.json()["added"], 0, "all of them are there");
    let more = gateway.post(MEMBERS, SHOP, json!({ "numbers": ["+447700000000", "+15550001111"] })).await;
    assert_eq!((more.status, more.code()), (409, "group_limit".to_owned()));
    assert_eq!(gateway.call("PUT", &format!("{MEMBERS}/+15550001111"), SHOP, &[], b"").await.code(), "group_limit");
    assert_eq!(gateway.get(CHOIR, SHOP).await.json()["members"], 10_000);
    // All of them can be written to at once.
    let body = json!({ "to_group": "choir", "defaults": { "text": "hello", "from": "SHOP" } });
    let sent = gateway.post("/v1/batches", SHOP, body).await.json();
    assert_eq!((&sent["accepted"], &sent["rejected"]), (&json!(10_000), &json!([])));
}

#[tokio::test]
async fn an_account_makes_a_thousand_groups() {
    let gateway = Gateway::start().await;
    for n in 0..1000 {
        assert_eq!(put(&gateway, &format!("/v1/groups/g{n}")).await, 201);
    }
    assert_eq!(gateway.call("PUT", CHOIR, SHOP, &[], b"").await.code(), "group_limit");
    assert_eq!(put(&gateway, "/v1/groups/g7").await, 200);
    assert_eq!(gateway.call("PUT", CHOIR, OTHER, &[], b"").await.status, 201, "another account");
}

#[tokio::test]
async fn accounts_have_groups_of_their_own() {
    let gateway = Gateway::start().await;
    put(&gateway, CHOIR).await;
    add(&gateway, &["+447700900001"]).await;
    assert_eq!(gateway.call("PUT", CHOIR, READER, &[], b"").await.code(), "scope_missing");
    assert_eq!(gateway.get(CHOIR, OTHER).await.code(), "not_found");
    assert_eq!(gateway.get("/v1/groups", OTHER).await.json()["data"], json!([]));
    assert_eq!(gateway.call("PUT", CHOIR, OTHER, &[], b"").await.status, 201);
    assert_eq!(gateway.get(MEMBERS, OTHER).await.json()["data"], json!([]));
    let body = json!({ "to_group": "choir", "defaults": { "text": "hello", "from": "SHOP" } });
    let empty = gateway.post("/v1/batches", OTHER, body).await;
    assert_eq!((empty.code(), empty.pointer()), ("batch_size".to_owned(), "/to_group".to_owned()));
    let acting = [("postrider-account", "other")];
    assert_eq!(gateway.call("DELETE", CHOIR, ADMIN, &acting, b"").await.status, 204);
    assert_eq!(gateway.get(CHOIR, SHOP).await.json()["members"], 1, "theirs stays");
}

#[tokio::test]
async fn a_group_is_written_to_as_a_batch() {
    let gateway = Gateway::start().await;
    put(&gateway, CHOIR).await;
    add(&gateway, &["+447700900001", "+447700900002", "+447700900003"]).await;
    gateway.post("/v1/opt-outs", SHOP, json!({ "phone": "+447700900002" })).await;
    let body =
        json!({ "to_group": "choir", "defaults": { "text": "Rehearsal at 8", "from": "SHOP", "tags": { "a": "1" } } });
    let octets = body.to_string();
    let send = async || gateway.call("POST", "/v1/batches", SHOP, &[("idempotency-key", "k")], octets.as_bytes()).await;
    let sent = send().await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let taken = sent.json();
    assert_eq!(taken["accepted"], 2);
    let rejected = &taken["rejected"][0];
    assert_eq!(
        (&rejected["index"], &rejected["to"], &rejected["problem"]["code"]),
        (&json!(1), &json!("+447700900002"), &json!("opted_out"))
    );
    assert_eq!(send().await.json(), taken, "the same key");
    let all = gateway.get("/v1/messages?tag=a:1", SHOP).await.json();
    let mut to: Vec<_> = all["data"].as_array().unwrap().iter().map(|message| message["to"].clone()).collect();
    to.sort_by_key(ToString::to_string);
    assert_eq!(to, [json!("+447700900001"), json!("+447700900003")]);
    let none = gateway.post("/v1/batches", SHOP, json!({ "to_group": "none", "defaults": { "text": "x" } })).await;
    assert_eq!((none.status, none.pointer().as_str()), (422, "/to_group"));
}

#[tokio::test]
async fn what_a_rule_would_do_with_a_group_is_explained() {
    let gateway = Gateway::start().await;
    let rules = [
        json!({ "order": -3, "account": "shop", "match": { "keyword": ["JOIN"] }, "reply": "Welcome", "group": { "name": "choir", "action": "join" } }),
        json!({ "order": -2, "account": "shop", "match": { "keyword": ["LEAVE"] }, "group": { "name": "choir", "action": "leave" } }),
        json!({ "order": -1, "account": "shop", "reply": "Sent", "forward_text": "{from}: {text}", "group": { "name": "choir", "action": "forward" } }),
    ];
    for (n, rule) in rules.into_iter().enumerate() {
        let answer = gateway.put(&format!("/v1/inbound-rules/r{n}"), ADMIN, rule).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let explain = async |text: &str| {
        let asked = json!({ "from": "+447700900001", "to": "60777", "text": text });
        let answer = gateway.post("/v1/explain-inbound", ADMIN, asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let join = explain("join").await;
    assert_eq!(
        join["group"],
        json!({ "name": "choir", "action": "join", "members": null, "is_member": false, "recipients": 0,
            "text": null, "outcome": "do", "reason": null })
    );
    assert_eq!(join["responses"][0]["outcome"], "send");
    put(&gateway, CHOIR).await;
    add(&gateway, &["+447700900002", "+447700900003"]).await;
    let stranger = explain("hello").await;
    let why = json!("+447700900001 is no member of choir");
    assert_eq!((&stranger["group"]["outcome"], &stranger["group"]["reason"]), (&json!("hold_back"), &why));
    assert_eq!(
        (&stranger["responses"][0]["outcome"], &stranger["responses"][0]["reason"]),
        (&json!("hold_back"), &why)
    );
    add(&gateway, &["+447700900001"]).await;
    let member = explain("hello").await;
    assert_eq!(
        member["group"],
        json!({ "name": "choir", "action": "forward", "members": 3, "is_member": true, "recipients": 2,
            "text": "+447700900001: hello", "outcome": "do", "reason": null })
    );
    assert_eq!(explain("leave").await["group"]["is_member"], true);
    assert_eq!(gateway.get(CHOIR, SHOP).await.json()["members"], 3, "nothing was done");
}

#[tokio::test]
async fn a_rule_says_what_is_done_with_which_group() {
    let gateway = Gateway::start().await;
    for (group, pointer) in [
        (json!({ "name": "a b", "action": "join" }), "/group/name"),
        (json!({ "name": "choir" }), "/group"),
        (json!({ "name": "choir", "action": "sing" }), "/group/action"),
        (json!({ "name": "choir", "action": "join", "members_only": true }), "/group/members_only"),
        (json!("choir"), "/group"),
    ] {
        let refused = gateway.put("/v1/inbound-rules/r", ADMIN, json!({ "account": "shop", "group": group })).await;
        assert_eq!((refused.status, refused.pointer().as_str()), (422, pointer), "{}", refused.text());
    }
    let rule = json!({ "account": "shop", "group": { "name": "choir", "action": "forward", "members_only": false }, "forward_text": "{text}" });
    let made = gateway.put("/v1/inbound-rules/r", ADMIN, rule.clone()).await;
    assert_eq!((made.status, &made.json()["group"]), (201, &rule["group"]));
}
