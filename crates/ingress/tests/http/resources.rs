use engine::Vault;
use ingress::http::HttpSettings;
use model::resources::Secret;
use serde_json::json;

use crate::gateway::{ADMIN, Gateway, OTHER, SHOP, hello};

#[tokio::test]
async fn accounts_are_made_changed_and_deleted() {
    let gateway = Gateway::start().await;
    let body = json!({ "name": "New", "api_token": "fresh-token", "default_sender": "NEW" });
    let made = gateway.put("/v1/accounts/new", ADMIN, body).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/accounts/new")), "{}", made.text());
    assert_eq!(made.json(), json!({ "id": "new", "name": "New", "default_sender": "NEW" }), "no token, no hash");
    assert_eq!(gateway.post("/v1/messages", "fresh-token", hello()).await.status, 202, "in force at once");

    let changed = gateway.put("/v1/accounts/new", ADMIN, json!({ "id": "new", "enabled": false })).await;
    assert_eq!((changed.status, changed.json()), (200, json!({ "id": "new", "enabled": false })));
    let refused = gateway.post("/v1/messages", "fresh-token", hello()).await;
    assert_eq!(refused.code(), "account_disabled", "the token that was left out stayed");

    assert_eq!(gateway.delete("/v1/accounts/new", ADMIN).await.status, 204);
    assert_eq!(gateway.get("/v1/accounts/new", ADMIN).await.status, 404);
    assert_eq!(gateway.delete("/v1/accounts/new", ADMIN).await.code(), "not_found");
    assert_eq!(gateway.post("/v1/messages", "fresh-token", hello()).await.code(), "token_unknown");
}

#[tokio::test]
async fn no_list_shows_a_secret() {
    let gateway = Gateway::start().await;
    for path in [
        "/v1/accounts",
        "/v1/accounts/shop",
        "/v1/connectors",
        "/v1/tokens",
        "/v1/tokens/admin",
        "/v1/webhooks",
        "/v1/webhooks/shop-1",
    ] {
        let answer = gateway.get(path, ADMIN).await;
        assert_eq!(answer.status, 200);
        for secret in ["hunter2", "whsec_", "sha256", "\"secret\"", "\"password\"", "\"token\"", "sealed", ADMIN] {
            assert!(!answer.text().contains(secret), "{path} shows {secret}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_shown_connector_can_be_put_back() {
    let gateway = Gateway::start().await;
    let mut connector = gateway.get("/v1/connectors/carrier", ADMIN).await.json();
    connector["window"] = json!(20);
    let changed = gateway.put("/v1/connectors/carrier", ADMIN, connector).await;
    assert_eq!((changed.status, &changed.json()["window"]), (200, &json!(20)), "{}", changed.text());
    let world = gateway.engine.world();
    let password = world.connector("carrier").and_then(|c| c.password.clone()).unwrap();
    assert_eq!(password.reveal().unwrap(), "hunter2", "the password stayed");
}

#[tokio::test]
async fn faults_of_resources_have_pointers() {
    let gateway = Gateway::start().await;
    let connector = |change: fn(&mut serde_json::Value)| {
        let mut body = json!({ "protocol": "smpp", "address": "smsc.example:2775", "system_id": "me" });
        change(&mut body);
        body
    };
    for (path, body, pointer) in [
        ("/v1/connectors/c", connector(|c| c["address"] = json!("nowhere")), "/address"),
        ("/v1/connectors/c", connector(|c| c["protocol"] = json!("telex")), "/protocol"),
        ("/v1/connectors/c", connector(|c| c["reconnect"] = json!({ "min": 1 })), "/reconnect/min"),
        ("/v1/connectors/c", connector(|c| c["id"] = json!("d")), "/id"),
        ("/v1/connectors/c", connector(|c| c["password"] = json!({ "sealed": "AAAA" })), "/password"),
        ("/v1/connectors/c%2Fd", connector(|_| {}), "/id"),
        ("/v1/connectors/c", connector(|c| c["tls"] = json!([])), "/tls"),
        ("/v1/accounts/a", json!({ "webhooks": [["https://x"]] }), "/webhooks/0"),
        ("/v1/accounts/a", json!({ "webhooks": [{ "id": "", "url": "https://x" }] }), "/webhooks/0/id"),
        ("/v1/accounts/a", json!({ "default_country": "XX" }), "/default_country"),
        (
            "/v1/accounts/a",
            json!({ "webhooks": [{ "url": "https://x", "secret": { "sealed": "A" } }] }),
            "/webhooks/0/secret",
        ),
        ("/v1/routes/r", json!({ "to": "nowhere" }), "/to"),
        ("/v1/routes/r", json!({ "to": "carrier", "match": { "to_prefix": ["+44"] } }), "/match/to_prefix"),
        ("/v1/inbound-rules/i", json!({ "account": "nobody" }), "/account"),
    ] {
        let answer = gateway.put(path, ADMIN, body.clone()).await;
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.pointer().as_str()),
            (422, "invalid", pointer),
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn faults_inside_an_account_name_the_very_field() {
    let gateway = Gateway::start().await;
    let good = json!({ "url": "https://example.org/" });
    let nowhere = json!({ "env": "POSTRIDER_NO_SUCH_VARIABLE" });
    for (body, pointer) in [
        (json!({ "api_token": nowhere }), "/api_token"),
        (json!({ "api_token": { "file": "/no/such/file" } }), "/api_token"),
        (json!({ "api_token": { "sealed": "AAAA" } }), "/api_token"),
        (json!({ "webhooks": [good, { "url": "ftp://example.org/" }] }), "/webhooks/1/url"),
        (json!({ "webhooks": [good, { "url": "https://x", "id": "shop-1" }] }), "/webhooks/1/id"),
        (json!({ "languages": ["turkish", "klingon"] }), "/languages/1"),
    ] {
        let answer = gateway.put("/v1/accounts/new", ADMIN, body.clone()).await;
        let seen = (answer.status, answer.pointer());
        assert_eq!(seen, (422, pointer.to_owned()), "{body}: {}", answer.text());
    }
    assert_eq!(gateway.get("/v1/accounts/new", ADMIN).await.status, 404, "nothing of it was kept");
}

#[tokio::test]
async fn what_this_installation_has_sealed_may_be_given_back() {
    let gateway = Gateway::start().await;
    let mut secret = Secret::Plain("correct horse".into());
    Vault::new(&[7; 32]).seal(&mut secret).unwrap();
    let connector =
        json!({ "protocol": "smpp", "address": "smsc.example:2775", "system_id": "me", "password": secret });
    let made = gateway.put("/v1/connectors/again", ADMIN, connector).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let world = gateway.engine.world();
    let password = world.connector("again").and_then(|c| c.password.clone()).unwrap();
    assert_eq!(password.reveal().unwrap(), "correct horse");
}

#[tokio::test]
async fn whole_numbers_may_be_written_with_a_point_in_resources_too() {
    let gateway = Gateway::start().await;
    let body = r#"{"protocol":"smpp","address":"h:1","system_id":"me","window":20.0,"throughput":1e2,
        "reconnect":{"min_ms":5.0},"source":{"ton":5.0,"npi":0}}"#;
    let made = gateway.call("PUT", "/v1/connectors/c", ADMIN, &[], body.as_bytes()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let shown = made.json();
    assert_eq!((&shown["window"], &shown["throughput"]), (&json!(20), &json!(100)));
    let broken = gateway.call("PUT", "/v1/routes/r", ADMIN, &[], br#"{"to":"carrier","order":1.5}"#).await;
    assert_eq!((broken.status, broken.pointer().as_str()), (422, "/order"));
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let gateway = Gateway::start().await;
    let answer = gateway.delete("/v1/connectors/carrier", ADMIN).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "still_used"));
    assert!(answer.text().contains(r#"route \"all\""#), "{}", answer.text());
    for path in ["/v1/routes/all", "/v1/inbound-rules/in", "/v1/connectors/carrier"] {
        assert_eq!(gateway.delete(path, ADMIN).await.status, 204, "{path}");
    }
}

#[tokio::test]
async fn routes_and_inbound_rules_are_made() {
    let gateway = Gateway::start().await;
    let route = json!({ "order": 5, "match": { "to_prefix": ["44"] }, "to": "carrier" });
    let made = gateway.put("/v1/routes/uk", ADMIN, route).await;
    assert_eq!((made.status, &made.json()["match"]["to_prefix"]), (201, &json!(["44"])));
    let rule = json!({ "order": 5, "match": { "keyword": ["INFO"] }, "account": "other" });
    assert_eq!(gateway.put("/v1/inbound-rules/info", ADMIN, rule).await.status, 201);
    assert_eq!(gateway.get("/v1/inbound-rules", ADMIN).await.json()["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(gateway.get("/v1/routes/uk", ADMIN).await.json()["order"], 5);
}

#[tokio::test]
async fn a_token_is_shown_once() {
    let gateway = Gateway::start().await;
    let body = json!({ "account": "other", "scopes": ["read"], "expires_at": "2999-01-01T00:00:00Z" });
    let made = gateway.post("/v1/tokens", ADMIN, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("pr_") && token.len() == 46, "{token}");
    let path = made.header("location").unwrap().to_owned();
    let shown = gateway.get(&path, ADMIN).await;
    assert!(!shown.text().contains(&token));
    assert_eq!(shown.json()["scopes"], json!(["read"]));
    assert_eq!(gateway.get("/v1/messages", &token).await.status, 200);
    assert_eq!(gateway.post("/v1/messages", &token, hello()).await.code(), "scope_missing");
    assert_eq!(gateway.delete(&path, ADMIN).await.status, 204);
    assert_eq!(gateway.get("/v1/messages", &token).await.code(), "token_unknown");

    let named = json!({ "account": "other", "id": "mine" });
    assert_eq!(gateway.post("/v1/tokens", ADMIN, named.clone()).await.json()["scopes"], json!(["messages"]));
    assert_eq!(gateway.post("/v1/tokens", ADMIN, named).await.code(), "already_exists");
    let nobody = gateway.post("/v1/tokens", ADMIN, json!({ "account": "nobody" })).await;
    assert_eq!((nobody.status, nobody.pointer().as_str()), (422, "/account"));
}

#[tokio::test]
async fn the_tokens_of_an_account_go_with_it() {
    let gateway = Gateway::start().await;
    let token = gateway.post("/v1/tokens", ADMIN, json!({ "account": "other" })).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(gateway.delete("/v1/accounts/other", ADMIN).await.status, 204);
    for token in [token.as_str(), OTHER] {
        assert_eq!(gateway.get("/v1/messages", token).await.code(), "token_unknown");
    }
    assert_eq!(gateway.get("/v1/messages", SHOP).await.status, 200);
}

#[tokio::test]
async fn a_resources_file_is_the_only_authority() {
    let gateway = Gateway::start_under(HttpSettings::default(), Some("resources.toml".into())).await;
    for answer in [
        gateway.put("/v1/accounts/x", ADMIN, json!({})).await,
        gateway.delete("/v1/routes/all", ADMIN).await,
        gateway.post("/v1/tokens", ADMIN, json!({ "account": "shop" })).await,
        gateway.post("/v1/webhooks", ADMIN, json!({ "url": "https://example.com" })).await,
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (409, "resources_read_only"));
        assert!(answer.text().contains("resources.toml"), "{}", answer.text());
    }
}

#[tokio::test]
async fn pools_are_made_used_and_kept_while_they_are_used() {
    let gateway = Gateway::start().await;
    let pool = json!({ "strategy": "failover", "members": [{ "connector": "carrier" }], "failover_after": 5 });
    let made = gateway.put("/v1/pools/europe", ADMIN, pool).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/pools/europe")), "{}", made.text());
    let shown =
        json!({ "id": "europe", "strategy": "failover", "members": [{ "connector": "carrier" }], "failover_after": 5 });
    assert_eq!(gateway.get("/v1/pools", ADMIN).await.json(), json!({ "data": [shown] }));
    let rewrite = json!({ "from": { "force": "60777" } });
    let price = json!({ "currency": "EUR", "prefixes": { "44": "0.035" } });
    let route = json!({ "to": "europe", "order": -1, "rewrite": rewrite, "price": price });
    assert_eq!(gateway.put("/v1/routes/first", ADMIN, route).await.status, 201);
    let sent = gateway.post("/v1/messages", SHOP, hello()).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let message = sent.json();
    assert_eq!((&message["route"], &message["connector"]), (&json!("first"), &json!("carrier")));
    assert_eq!(message["sent_as"], json!({ "from": "60777" }));
    assert_eq!(message["price"], json!({ "amount": "0.035", "currency": "EUR" }));
    let path = format!("/v1/messages/{}", message["id"].as_str().unwrap());
    assert_eq!(gateway.get(&path, SHOP).await.json()["sent_as"], message["sent_as"], "it is kept");

    let used = gateway.delete("/v1/pools/europe", ADMIN).await;
    assert_eq!((used.status, used.code().as_str()), (409, "still_used"), "{}", used.text());
    assert_eq!(gateway.delete("/v1/connectors/carrier", ADMIN).await.code(), "still_used");
    assert_eq!(gateway.delete("/v1/routes/first", ADMIN).await.status, 204);
    assert_eq!(gateway.delete("/v1/pools/europe", ADMIN).await.status, 204);
    for (body, pointer) in [
        (json!({ "members": [] }), "/members"),
        (json!({ "members": [{ "connector": "nobody" }] }), "/members/0/connector"),
        (json!({ "members": [["carrier"]] }), "/members/0"),
        (json!({ "members": [{ "connector": "carrier", "cost": ["EUR"] }] }), "/members/0/cost"),
        (json!({ "members": [{ "connector": "carrier" }], "strategy": { "failover": null } }), "/strategy"),
    ] {
        let answer = gateway.put("/v1/pools/bad", ADMIN, body.clone()).await;
        assert_eq!((answer.status, answer.pointer().as_str()), (422, pointer), "{body} {}", answer.text());
    }
}

#[tokio::test]
async fn what_would_become_of_a_message_is_explained() {
    let gateway = Gateway::start().await;
    let route = json!({ "to": "carrier", "order": -2, "match": { "to_prefix": ["49"] } });
    assert_eq!(gateway.put("/v1/routes/de", ADMIN, route).await.status, 201);
    let no = json!({ "action": "reject", "order": -1, "match": { "text": "casino" }, "reason": "no gambling" });
    assert_eq!(gateway.put("/v1/routes/no", ADMIN, no).await.status, 201);
    let to = json!({ "to": "+447700900123", "from": "SHOP" });
    let answer = gateway.post("/v1/explain", SHOP, to.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = answer.json();
    let tried =
        json!({ "route": "de", "action": "send", "matches": false, "against": "match.to_prefix", "wanted": ["49"] });
    assert_eq!((&told["account"], &told["outcome"], &told["routes"][0]), (&json!("shop"), &json!("send"), &tried));
    assert_eq!(told["routes"][1]["against"], "match.text", "a text that is not given matches nothing");
    assert_eq!((&told["connectors"][0]["connector"], &told["connectors"][0]["queued"]), (&json!("carrier"), &json!(0)));
    let id = told["message"]["id"].as_str().unwrap();
    assert_eq!(gateway.get(&format!("/v1/messages/{id}"), SHOP).await.status, 404, "nothing was kept");

    let with = |key: &str, value: serde_json::Value| {
        let mut body = to.clone();
        body[key] = value;
        body
    };
    let refused = gateway.post("/v1/explain", SHOP, with("text", json!("casino"))).await.json();
    assert_eq!((&refused["outcome"], &refused["problem"]["code"]), (&json!("refuse"), &json!("route_rejects")));
    assert!(refused["problem"]["detail"].as_str().unwrap().ends_with("no gambling"));
    assert_eq!(gateway.post("/v1/explain", OTHER, with("account", json!("shop"))).await.code(), "scope_missing");
    assert_eq!(gateway.post("/v1/explain", ADMIN, with("account", json!("shop"))).await.json()["account"], "shop");
    for (key, value, pointer) in [
        ("account", json!("nobody"), "/account"),
        ("account", json!(7), "/account"),
        ("ingress", json!("fax"), "/ingress"),
        ("to", json!("nonsense"), "/to"),
        ("txt", json!("x"), "/txt"),
    ] {
        let answer = gateway.post("/v1/explain", ADMIN, with(key, value)).await;
        assert_eq!((answer.status, answer.pointer().as_str()), (422, pointer), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_draft_of_routes_is_replayed() {
    let gateway = Gateway::start().await;
    for (order, id) in [(-2, "de"), (-1, "uk")] {
        let prefix = if id == "de" { "49" } else { "44" };
        let price = json!({ "currency": "EUR", "default": "0.05" });
        let route = json!({ "to": "carrier", "order": order, "match": { "to_prefix": [prefix] }, "price": price });
        assert_eq!(gateway.put(&format!("/v1/routes/{id}"), ADMIN, route).await.status, 201);
    }
    for to in ["+447700900123", "+447700900124", "+4915112345678"] {
        let sent = gateway.post("/v1/messages", SHOP, json!({ "to": to, "text": "hello", "from": "SHOP" })).await;
        assert_eq!(sent.status, 202, "{}", sent.text());
    }
    let kept = json!({ "id": "uk", "to": "carrier", "match": { "to_prefix": ["44"] }, "price": { "currency": "EUR", "default": "0.05" } });
    let draft = json!({ "routes": [kept, { "id": "rest", "action": "reject" }], "until": "2100-01-01T00:00:00Z" });
    let routes = gateway.get("/v1/routes", ADMIN).await.json();
    let answer = gateway.post("/v1/routes/replay", ADMIN, draft).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let report = answer.json();
    assert_eq!((&report["messages"], &report["changed"], &report["complete"]), (&json!(3), &json!(1), &json!(true)));
    assert_eq!(report["connectors"], json!([{ "id": "carrier", "before": 3, "after": 2 }]));
    assert_eq!(
        report["outcomes"],
        json!([{ "id": "reject", "before": 0, "after": 1 }, { "id": "send", "before": 3, "after": 2 }])
    );
    assert_eq!(report["prices"], json!([{ "currency": "EUR", "before": "0.15", "after": "0.1" }]));
    let difference = &report["differences"][0];
    assert_eq!((&difference["to"], &difference["after"]["outcome"]), (&json!("+4915112345678"), &json!("reject")));
    assert_eq!(gateway.get("/v1/routes", ADMIN).await.json(), routes, "nothing was changed");

    assert_eq!(gateway.post("/v1/routes/replay", SHOP, json!({ "routes": [] })).await.code(), "scope_missing");
    for (body, pointer) in [
        (json!({ "routes": [{ "id": "x", "to": "nowhere" }] }), "/to"),
        (json!({ "routes": [["x"]] }), "/routes/0"),
        (json!({ "routes": [], "limit": 100_001 }), "/limit"),
        (json!({ "since": null }), "/routes"),
    ] {
        let answer = gateway.post("/v1/routes/replay", ADMIN, body.clone()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        assert!(answer.pointer() == pointer || pointer == "/routes", "{body}: {}", answer.text());
    }
}
