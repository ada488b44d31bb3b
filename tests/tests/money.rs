//! The gateway is killed again and again while an account is charged and gives messages back: what
//! it paid is what it has messages for, what was canceled was given back once, and its quota counts
//! just what was accepted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use fastrand::Rng;
use scenarios::{ACCOUNT, Client, Gateway, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};

const KILLS: usize = 5;
const CONNECTIONS: usize = 3;
/// Millionths that a part costs.
const PRICE: i64 = 35_000;

#[test]
fn money_and_quotas_are_exact_over_kills() {
    let seed = std::env::var("POSTRIDER_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("money: POSTRIDER_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let sink = Sink::start();
    // Nobody listens there: what is accepted waits, and can be canceled.
    let all = resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", ""));
    let limits = "quota = { monthly = 1000000 }\nprice = { currency = \"EUR\", default = \"0.035\" }\n\
        prepaid = { currency = \"EUR\", overdraft = 1000000 }\ndefault_sender";
    let place = Place::new(&all.replacen("default_sender", limits, 1));
    let taken = AtomicUsize::new(0);
    for _ in 0..KILLS {
        load_until_killed(place.start(), &taken, taken.load(SeqCst) + random.usize(20..200));
    }
    let gateway = place.start();
    let mut client = gateway.client();
    let messages = every(&mut client, "/v1/messages");
    let mut paid: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for entry in every(&mut client, &format!("/v1/accounts/{ACCOUNT}/ledger")) {
        let message = entry["message"].as_str().expect("an entry for a message").to_owned();
        let amount = micros(&entry["amount"]);
        let (charged, given_back) = paid.entry(message).or_default();
        match entry["kind"].as_str() {
            Some("charge") => *charged += amount,
            Some("refund") => *given_back += amount,
            other => panic!("{other:?}"),
        }
    }
    assert!(messages.len() >= taken.load(SeqCst) && messages.len() > KILLS, "{} messages", messages.len());
    assert_eq!(paid.len(), messages.len(), "every message is charged, and nothing else");
    let mut canceled = 0;
    for message in &messages {
        let back = if message["status"] == "canceled" { PRICE } else { 0 };
        canceled += usize::from(back > 0);
        assert_eq!(paid.get(message["id"].as_str().expect("an id")), Some(&(-PRICE, back)), "{message}");
    }
    assert!(canceled > 0 && canceled < messages.len(), "{canceled} of {} were canceled", messages.len());
    let usage = client.get(&format!("/v1/accounts/{ACCOUNT}/usage")).json();
    assert_eq!(usage["monthly"]["used"], messages.len());
    let kept = i64::try_from(messages.len() - canceled).expect("few");
    assert_eq!(micros(&usage["balance"]["amount"]), -PRICE * kept);
    println!("money: {} messages, {canceled} canceled, after {KILLS} kills", messages.len());
}

/// Sends and cancels until so many were accepted, then kills.
fn load_until_killed(gateway: Gateway, taken: &AtomicUsize, goal: usize) {
    let address = gateway.address();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut client = Client::new(address);
                while one(&mut client, taken) {}
            });
        }
        ask_until("so many accepted messages", || (taken.load(SeqCst) >= goal).then_some(()));
        gateway.kill();
    });
}

/// Sends one message and cancels every third; `false` when the gateway is gone.
fn one(client: &mut Client, taken: &AtomicUsize) -> bool {
    let message = json!({ "to": "+447700900001", "text": "hello" });
    let Ok(answer) = client.try_post("/v1/messages", &message) else { return false };
    if answer.status != 202 {
        assert_eq!(answer.status, 503, "{answer:?}");
        return true;
    }
    if !taken.fetch_add(1, SeqCst).is_multiple_of(3) {
        return true;
    }
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    client.try_post(&format!("/v1/messages/{id}/cancel"), &json!({})).is_ok()
}

/// Everything in a list, page by page.
fn every(client: &mut Client, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = client.get(&format!("{path}?limit=100{cursor}")).json();
        all.append(page["data"].as_array_mut().expect("a page"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn micros(amount: &Value) -> i64 {
    let text = amount.as_str().expect("an amount");
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{whole}{fraction:0<6}").parse::<i64>().expect("digits")
}
