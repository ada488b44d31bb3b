//! Messages that take each other's place while they wait: what a carrier gets, what the application
//! hears and what it pays, also when the gateway is killed in between.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::{ACCOUNT, Call, Client, Gateway, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

const KILLS: usize = 4;
const CONNECTIONS: usize = 4;
const KEYS: usize = 5;

fn keyed(text: &str) -> Value {
    json!({ "to": "+447700900001", "text": text, "supersede_key": "delivery 17" })
}

#[test]
fn only_the_newest_of_a_key_reaches_the_phone() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let with = |address: String| resources(&sink, "carrier", &connector("carrier", address, ""));
    // Nobody listens there: what is accepted waits.
    let place = Place::new(&with("127.0.0.1:1".into()));
    let gateway = place.start();
    let mut client = gateway.client();
    let first = client.send(&keyed("at nine"));
    let second = client.send(&keyed("at ten"));
    let superseded = client.message(&first);
    assert_eq!(
        (&superseded["status"], &superseded["reason"]["code"], &superseded["supersede_key"]),
        (&json!("canceled"), &json!("superseded"), &json!("delivery 17"))
    );
    gateway.kill();

    let gateway = place.start();
    let mut client = gateway.client();
    let batch =
        json!({ "defaults": keyed("at eleven"), "messages": [{}, { "text": "at noon" }, { "to": "+447700900002" }] });
    let taken = client.post("/v1/batches", &batch).json();
    assert_eq!(
        (&taken["accepted"], &taken["rejected"][0]["index"], &taken["rejected"][0]["problem"]["errors"][0]["pointer"]),
        (&json!(2), &json!(0), &json!("/supersede_key"))
    );
    sink.wait_event(&first, "message.canceled");
    let event = sink.wait_event(&second, "message.canceled");
    assert_eq!(event.data["reason"]["code"], "superseded");
    gateway.kill();

    place.write_resources(&with(carrier.address().to_string()));
    let _gateway = place.start();
    sink.wait_until("both messages", |seen| {
        let delivered = seen.of_message.values().filter(|events| events.iter().any(|e| e == "message.delivered"));
        (delivered.count() == 2).then_some(())
    });
    let mut texts: Vec<Box<str>> = carrier.seen().into_iter().map(|message| message.text).collect();
    texts.sort();
    assert_eq!(texts, ["at eleven".into(), "at noon".into()]);
}

/// A newer message that can't be paid leaves the older one as it is, and what the older one cost is
/// there for the newer.
#[test]
fn a_message_that_is_not_paid_takes_nobodys_place() {
    let sink = Sink::start();
    let all = resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", ""));
    let prepaid = "price = { currency = \"EUR\", default = \"1\" }\nprepaid = { currency = \"EUR\", overdraft = 1 }\n\
        default_sender";
    let place = Place::new(&all.replacen("default_sender", prepaid, 1));
    let gateway = place.start();
    let mut client = gateway.client();
    let first = client.send(&keyed("one"));
    let two_parts = client.post("/v1/messages", &keyed(&"x".repeat(200)));
    assert_eq!((two_parts.status, &two_parts.json()["code"]), (402, &json!("balance_too_low")), "{two_parts:?}");
    assert_eq!(client.message(&first)["status"], "queued");
    let second = client.send(&keyed("two"));
    assert_eq!(client.message(&first)["status"], "canceled");
    let ledger = client.get(&format!("/v1/accounts/{ACCOUNT}/ledger")).json();
    let mut entries: Vec<(&str, &str)> = ledger["data"]
        .as_array()
        .expect("a ledger")
        .iter()
        .map(|entry| (entry["kind"].as_str().expect("a kind"), entry["message"].as_str().expect("a message")))
        .collect();
    entries.sort_unstable();
    let mut wanted = [("charge", &*first), ("charge", &*second), ("refund", &*first)];
    wanted.sort_unstable();
    assert_eq!(entries, wanted);
    sink.wait_event(&first, "message.canceled");
    gateway.kill();
    let gateway = place.start();
    assert_eq!(gateway.client().message(&second)["status"], "queued");
    // A call may come again after a kill, but it is the same one.
    let of_first = |call: &&Call| call.data["id"] == *first;
    let told: HashSet<(String, String)> = sink.look(|seen| {
        let calls = seen.calls.iter().filter(of_first);
        calls.map(|call| (call.event.clone(), call.headers["webhook-id"].clone())).collect()
    });
    assert!(told.len() == 1 && told.iter().all(|(event, _)| event == "message.canceled"), "{told:?}");
}

/// Many at once, and kills in between: of each key just one waits.
#[test]
fn one_of_each_key_waits_whatever_happens() {
    let seed = std::env::var("POSTRIDER_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("scheduling: POSTRIDER_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let sink = Sink::start();
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", "")));
    let accepted = AtomicUsize::new(0);
    for _ in 0..KILLS {
        let goal = accepted.load(SeqCst) + random.usize(20..300);
        load_until_killed(place.start(), &accepted, goal);
    }
    let gateway = place.start();
    let mut client = gateway.client();
    let (mut waiting, mut gone) = (HashMap::<String, usize>::new(), 0);
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/v1/messages?limit=100{cursor}")).json();
        for message in page["data"].as_array().expect("a page") {
            match message["status"].as_str() {
                Some("queued") => *waiting.entry(message["supersede_key"].to_string()).or_default() += 1,
                _ => {
                    assert_eq!(message["reason"]["code"], "superseded", "{message}");
                    gone += 1;
                }
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(waiting.len() == KEYS && waiting.values().all(|count| *count == 1), "{waiting:?}");
    assert!(gone + KEYS >= accepted.load(SeqCst), "{gone} of {}", accepted.load(SeqCst));
}

fn load_until_killed(gateway: Gateway, accepted: &AtomicUsize, goal: usize) {
    let address = gateway.address();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut client = Client::new(address);
                for n in 0.. {
                    let message =
                        json!({ "to": "+447700900001", "text": "x", "supersede_key": format!("{}", n % KEYS) });
                    let Ok(answer) = client.try_post("/v1/messages", &message) else { return };
                    assert_eq!(answer.status, 202, "{answer:?}");
                    accepted.fetch_add(1, SeqCst);
                }
            });
        }
        ask_until("so many accepted messages", || (accepted.load(SeqCst) >= goal).then_some(()));
        gateway.kill();
    });
}
