//! Quotas, balances and sub-accounts, as applications and operators see them.

use model::Name;
use serde_json::{Value, json};
use store::DeliveryFilter;

use crate::gateway::{ADMIN, Gateway, OTHER, READER, SHOP, hello};

/// A gateway whose account `other` has these fields.
async fn with_account(fields: Value) -> Gateway {
    let gateway = Gateway::start().await;
    put(&gateway, "other", fields).await;
    gateway
}

async fn put(gateway: &Gateway, account: &str, fields: Value) {
    let answer = gateway.put(&format!("/v1/accounts/{account}"), ADMIN, fields).await;
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
}

async fn send(gateway: &Gateway, token: &str) -> (u16, String) {
    let answer = gateway.post("/v1/messages", token, hello()).await;
    let code = if answer.status == 202 { String::new() } else { answer.code() };
    (answer.status, code)
}

async fn credit(gateway: &Gateway, account: &str, amount: &str) {
    let answer = gateway.post(&format!("/v1/accounts/{account}/credit"), ADMIN, json!({ "amount": amount })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn balance(gateway: &Gateway, account: &str) -> String {
    let usage = gateway.get(&format!("/v1/accounts/{account}/usage"), ADMIN).await.json();
    let ledger = gateway.get(&format!("/v1/accounts/{account}/ledger?limit=500"), ADMIN).await.json();
    let amounts = ledger["data"].as_array().unwrap().iter().map(|entry| entry["amount"].as_str().unwrap());
    let sum: i64 = amounts.map(|amount| amount.parse::<model::Sum>().unwrap().micros()).sum();
    let balance = usage["balance"]["amount"].as_str().unwrap().to_owned();
    assert_eq!(balance, model::Sum::from_micros(sum).to_string(), "the balance is the sum of the ledger");
    balance
}

fn prepaid() -> Value {
    json!({ "price": { "currency": "EUR", "prefixes": { "44": "0.035", "49": 1 } }, "prepaid": { "currency": "EUR" } })
}

#[tokio::test]
async fn a_quota_is_used_up_and_says_when_it_begins_anew() {
    let gateway =
        with_account(json!({ "quota": { "daily": 3, "monthly": 100 }, "time_zone": "Pacific/Auckland" })).await;
    for _ in 0..2 {
        assert_eq!(send(&gateway, OTHER).await.0, 202);
    }
    let two = json!({ "messages": [hello(), hello()] });
    let refused = gateway.post("/v1/batches", OTHER, two).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "quota_exceeded"),
        "a batch is taken whole or not at all"
    );
    assert_eq!(send(&gateway, OTHER).await.0, 202);
    let refused = gateway.post("/v1/messages", OTHER, hello()).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota_exceeded"));
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=90_000).contains(&wait), "{wait}");
    let usage = gateway.get("/v1/accounts/other/usage", OTHER).await.json();
    assert_eq!(
        (&usage["daily"]["used"], &usage["daily"]["limit"], &usage["monthly"]["used"]),
        (&json!(3), &json!(3), &json!(3))
    );
    assert_eq!(usage["balance"], Value::Null);
    let metrics = gateway.get("/metrics", ADMIN).await.text();
    assert!(metrics.contains("requests_limited_total{account=\"other\",limit=\"daily_quota\"} 2"), "{metrics}");
    // A quota that is raised gives more at once.
    put(&gateway, "other", json!({ "quota": { "daily": 4 } })).await;
    assert_eq!((send(&gateway, OTHER).await.0, send(&gateway, OTHER).await.0), (202, 429));
}

#[tokio::test]
async fn a_prepaid_account_pays_before_it_sends() {
    let gateway = with_account(prepaid()).await;
    assert_eq!(send(&gateway, OTHER).await, (402, "balance_too_low".into()));
    credit(&gateway, "other", "0.10").await;
    let message = gateway.post("/v1/messages", OTHER, hello()).await.json();
    assert_eq!(message["price"], json!({ "amount": "0.035", "currency": "EUR" }));
    assert_eq!(balance(&gateway, "other").await, "0.065");
    assert_eq!((send(&gateway, OTHER).await.0, send(&gateway, OTHER).await.0), (202, 402));
    assert_eq!(balance(&gateway, "other").await, "0.03");
    let long = json!({ "to": "+447700900123", "from": "SHOP", "text": "x".repeat(161) });
    credit(&gateway, "other", "0.04").await;
    assert_eq!(gateway.post("/v1/messages", OTHER, long).await.status, 202, "two parts");
    assert_eq!(balance(&gateway, "other").await, "0");
    let france = json!({ "to": "+33612345678", "from": "SHOP", "text": "x", "connector": "carrier" });
    put(&gateway, "other", {
        let mut fields = prepaid();
        fields["may_choose_connector"] = json!(true);
        fields
    })
    .await;
    let unpriced = gateway.post("/v1/messages", OTHER, france).await;
    assert_eq!((unpriced.status, unpriced.code().as_str()), (422, "no_price"));
    let account = gateway.get("/v1/accounts/other", ADMIN).await.json();
    assert_eq!(account["balance"], json!({ "amount": "0", "currency": "EUR" }));
    assert_eq!(gateway.put("/v1/accounts/other", ADMIN, account).await.status, 200, "what is shown may be sent back");
}

#[tokio::test]
async fn a_batch_is_paid_for_whole_or_refused_whole() {
    let gateway = with_account(prepaid()).await;
    credit(&gateway, "other", "0.1").await;
    let batch = |count: usize| json!({ "messages": vec![hello(); count] });
    let refused = gateway.post("/v1/batches", OTHER, batch(3)).await;
    assert_eq!((refused.status, refused.code().as_str()), (402, "balance_too_low"));
    assert_eq!(gateway.get("/v1/messages?account=other", ADMIN).await.json()["data"], json!([]));
    assert_eq!(gateway.post("/v1/batches", OTHER, batch(2)).await.status, 202);
    assert_eq!(balance(&gateway, "other").await, "0.03");
}

#[tokio::test]
async fn what_was_canceled_is_given_back_once() {
    let gateway = with_account(prepaid()).await;
    credit(&gateway, "other", "1").await;
    let id = gateway.post("/v1/messages", OTHER, hello()).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(balance(&gateway, "other").await, "0.965");
    assert_eq!(gateway.post(&format!("/v1/messages/{id}/cancel"), OTHER, json!({})).await.status, 200);
    assert_eq!(gateway.post(&format!("/v1/messages/{id}/cancel"), OTHER, json!({})).await.status, 409);
    assert_eq!(balance(&gateway, "other").await, "1");
    let ledger = gateway.get("/v1/accounts/other/ledger", OTHER).await.json();
    let kinds: Vec<&str> = ledger["data"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["refund", "charge", "credit"]);
    assert_eq!((&ledger["data"][0]["message"], &ledger["data"][0]["amount"]), (&json!(id), &json!("0.035")));
    let page = gateway.get("/v1/accounts/other/ledger?limit=2", OTHER).await.json();
    let next = page["next_cursor"].as_str().unwrap();
    let rest = gateway.get(&format!("/v1/accounts/other/ledger?limit=2&cursor={next}"), OTHER).await.json();
    assert_eq!((rest["data"][0]["kind"].as_str(), &rest["next_cursor"]), (Some("credit"), &Value::Null));
}

#[tokio::test]
async fn a_longer_text_is_paid_for_and_a_shorter_one_given_back() {
    let mut fields = prepaid();
    fields["quota"] = json!({ "daily": 4 });
    let gateway = with_account(fields).await;
    credit(&gateway, "other", "0.11").await;
    let id = gateway.post("/v1/messages", OTHER, hello()).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/messages/{id}");
    let replace = async |length: usize| {
        let body = json!({ "text": "x".repeat(length) }).to_string();
        let answer = gateway.call("PATCH", &path, OTHER, &[], body.as_bytes()).await;
        (answer.status, answer.json())
    };
    let (status, replaced) = replace(161).await;
    assert_eq!((status, &replaced["price"]["amount"]), (200, &json!("0.07")));
    assert_eq!(balance(&gateway, "other").await, "0.04");
    // A third part can be paid for, and a fourth can't; nothing has changed then.
    let (status, refused) = replace(460).await;
    assert_eq!((status, &refused["code"]), (402, &json!("balance_too_low")));
    let kept = gateway.get(&path, OTHER).await.json();
    assert_eq!((kept["text"].as_str().map(str::len), kept["parts"].as_array().map(Vec::len)), (Some(161), Some(2)));
    assert_eq!(replace(459).await.0, 200);
    assert_eq!(balance(&gateway, "other").await, "0.005");
    credit(&gateway, "other", "1").await;
    let (status, refused) = replace(800).await;
    assert_eq!((status, &refused["code"]), (429, &json!("quota_exceeded")));
    assert_eq!(replace(5).await.0, 200);
    assert_eq!(balance(&gateway, "other").await, "1.075");
    let usage = gateway.get("/v1/accounts/other/usage", OTHER).await.json();
    assert_eq!(usage["daily"]["used"], 3, "what was handed in stays handed in");
    // What was never sent is given back whole.
    assert_eq!(gateway.post(&format!("{path}/cancel"), OTHER, json!({})).await.status, 200);
    assert_eq!(balance(&gateway, "other").await, "1.11");
    let (status, refused) = replace(5).await;
    assert_eq!((status, &refused["code"]), (409, &json!("too_late_to_replace")));
    let metrics = gateway.get("/metrics", ADMIN).await.text();
    for (outcome, count) in [("replaced", 3), ("refused", 2), ("too_late", 1)] {
        let line = format!("message_replacements_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

#[tokio::test]
async fn a_credit_that_is_repeated_moves_nothing() {
    let gateway = with_account(prepaid()).await;
    let body = json!({ "amount": "12.5", "note": "invoice 7" }).to_string();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let key = [("idempotency-key", "k1")];
        answers.push(gateway.call("POST", "/v1/accounts/other/credit", ADMIN, &key, body.as_bytes()).await);
    }
    assert_eq!((answers[0].status, answers[1].status), (201, 201));
    assert_eq!(answers[0].json(), answers[1].json());
    assert_eq!(
        (answers[0].json()["note"].as_str(), answers[0].json()["amount"].as_str()),
        (Some("invoice 7"), Some("12.5"))
    );
    assert_eq!(balance(&gateway, "other").await, "12.5");
    credit(&gateway, "other", "-12.5").await;
    assert_eq!(balance(&gateway, "other").await, "0");
    for (body, status) in [
        (json!({ "amount": "0" }), 422),
        (json!({ "amount": "0.0000001" }), 422),
        (json!({ "amount": 5 }), 422),
        (json!({ "amount": "1000000001" }), 422),
        (json!({ "amount": "1", "note": "x".repeat(201) }), 422),
        (json!({}), 422),
    ] {
        assert_eq!(gateway.post("/v1/accounts/other/credit", ADMIN, body.clone()).await.status, status, "{body}");
    }
    let one = json!({ "amount": "1" });
    assert_eq!(gateway.post("/v1/accounts/shop/credit", ADMIN, one.clone()).await.status, 422, "it is not prepaid");
    assert_eq!(gateway.post("/v1/accounts/nobody/credit", ADMIN, one.clone()).await.status, 404);
    assert_eq!(gateway.post("/v1/accounts/other/credit", OTHER, one).await.status, 403);
}

#[tokio::test]
async fn a_low_balance_is_told_once() {
    let mut fields = prepaid();
    fields["prepaid"]["warn_below"] = json!("0.9");
    fields["webhooks"] = json!([{ "id": "money", "url": "https://example.com/hook" }]);
    let gateway = with_account(fields).await;
    let told = async |count: usize| {
        let filter = DeliveryFilter { endpoint: Some(Name::from("money")), ..DeliveryFilter::default() };
        loop {
            let found = gateway.engine.store().deliveries(&filter, None, 100).await.unwrap();
            let low: Vec<_> = found.into_iter().filter(|d| &*d.event == "account.balance_low").collect();
            if low.len() == count {
                return low;
            }
            assert!(low.len() < count, "told {} times", low.len());
            tokio::task::yield_now().await;
        }
    };
    let warned = async |wanted: bool| loop {
        let rows = gateway.engine.store().tallies(&["other".into()]).await.unwrap();
        if rows.iter().any(|row| row.tally == store::Tally::LowTold && row.value == 1) == wanted {
            return;
        }
        tokio::task::yield_now().await;
    };
    credit(&gateway, "other", "0.92").await;
    assert_eq!(send(&gateway, OTHER).await.0, 202);
    let first = told(1).await;
    let payload: Value = serde_json::from_str(&first[0].payload).unwrap();
    assert_eq!(payload["type"], "account.balance_low");
    assert_eq!(
        payload["data"],
        json!({ "account": "other", "balance": "0.885", "warn_below": "0.9", "currency": "EUR" })
    );
    // Less and less is no news; it is again after there was enough.
    assert_eq!(send(&gateway, OTHER).await.0, 202);
    credit(&gateway, "other", "-0.01").await;
    warned(true).await;
    credit(&gateway, "other", "1").await;
    warned(false).await;
    told(1).await;
    credit(&gateway, "other", "-1").await;
    told(2).await;
}

#[tokio::test]
async fn limits_and_balances_above_an_account_hold_for_it() {
    let gateway = Gateway::start().await;
    let mut reseller = prepaid();
    reseller["quota"] = json!({ "daily": 3 });
    reseller["allowed_countries"] = json!(["GB"]);
    put(&gateway, "shop", reseller).await;
    put(&gateway, "other", json!({ "parent": "shop" })).await;
    credit(&gateway, "shop", "1").await;
    assert_eq!((send(&gateway, OTHER).await.0, send(&gateway, SHOP).await.0), (202, 202));
    assert_eq!(balance(&gateway, "shop").await, "0.93");
    let abroad = json!({ "to": "+4930123456", "from": "SHOP", "text": "x" });
    assert_eq!(gateway.post("/v1/messages", OTHER, abroad).await.code(), "country_not_allowed");
    assert_eq!((send(&gateway, OTHER).await.0, send(&gateway, OTHER).await.1), (202, "quota_exceeded".into()));
    // The one above sees what the one below has, and not the other way round.
    assert_eq!(gateway.get("/v1/accounts/other/usage", READER).await.status, 200);
    assert_eq!(gateway.get("/v1/accounts/shop/usage", OTHER).await.status, 404);
    let act = async |account: &str, token: &str| {
        let header = [("postrider-account", account)];
        gateway.call("GET", "/v1/messages", token, &header, b"").await
    };
    let theirs = act("other", SHOP).await.json();
    assert!(theirs["data"].as_array().unwrap().iter().all(|message| message["account"] != "shop"));
    assert_eq!(theirs["data"].as_array().unwrap().len(), 2);
    assert_eq!((act("shop", OTHER).await.code().as_str(), act("nobody", SHOP).await.status), ("not_below", 403));
    let circle = gateway.put("/v1/accounts/shop", ADMIN, json!({ "parent": "other" })).await;
    assert_eq!((circle.status, circle.pointer().as_str()), (422, "/parent"));
    assert_eq!(gateway.delete("/v1/accounts/shop", ADMIN).await.code(), "still_used");
    put(&gateway, "shop", json!({ "enabled": false })).await;
    assert_eq!(gateway.get("/v1/accounts/other/usage", OTHER).await.code(), "account_disabled");
}

#[tokio::test]
async fn many_at_once_spend_no_more_than_there_is() {
    let gateway = with_account(prepaid()).await;
    credit(&gateway, "other", "0.35").await;
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {OTHER}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{}",
        hello().to_string().len(),
        hello()
    );
    let all = futures_of(30, || gateway.once(&request)).await;
    let accepted = all.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(accepted, 10);
    assert!(all.iter().filter(|answer| answer.status != 202).all(|answer| answer.code() == "balance_too_low"));
    assert_eq!(balance(&gateway, "other").await, "0");
}

/// The outcomes of `count` of them, all begun before any is waited for.
async fn futures_of<T, F: Future<Output = T>>(count: usize, make: impl Fn() -> F) -> Vec<T> {
    let mut all: Vec<_> = (0..count).map(|_| Some(Box::pin(make()))).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        for place in &mut all {
            let ready = place.as_mut().map(|future| future.as_mut().poll(context));
            if let Some(std::task::Poll::Ready(outcome)) = ready {
                done.push(outcome);
                *place = None;
            }
        }
        if done.len() == count { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

#[tokio::test]
async fn a_token_may_be_bound_to_networks() {
    let gateway = Gateway::start().await;
    for (networks, status, code) in [("127.0.0.0/8", 200, ""), ("192.0.2.0/24", 403, "token_network")] {
        let wanted = json!({ "account": "shop", "scopes": ["read"], "networks": [networks] });
        let made = gateway.post("/v1/tokens", ADMIN, wanted).await.json();
        assert_eq!(made["networks"], json!([networks]));
        let answer = gateway.get("/v1/messages", made["token"].as_str().unwrap()).await;
        assert_eq!(answer.status, status);
        assert!(code.is_empty() || answer.code() == code);
    }
    let bad = gateway.post("/v1/tokens", ADMIN, json!({ "account": "shop", "networks": ["here"] })).await;
    assert_eq!((bad.status, bad.pointer().as_str()), (422, "/networks/0"));
}
