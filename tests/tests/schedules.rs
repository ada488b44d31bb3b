//! Schedules of a gateway that is killed while many of them are due: each occurrence becomes one batch, or
//! one message, whatever happens; what is refused is told of.

use std::collections::HashMap;
use std::sync::Mutex;

use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

const KILLS: usize = 6;
const CONNECTIONS: usize = 4;

/// Due at once: its first time is long over, and is made up for.
fn due(name: &str, messages: Value) -> Value {
    json!({ "name": name, "messages": messages, "repeat": "0 0 1 1 *", "time_zone": "UTC",
        "starts_at": "2026-01-01T00:00:00Z", "if_missed": "send" })
}

fn message(text: &str) -> Value {
    json!({ "to": "+447700900001", "text": text })
}

/// Every schedule there is.
fn all(client: &mut Client) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/schedules?limit=500{cursor}")).json();
        all.extend(page["data"].as_array().expect("a page").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[test]
fn what_is_due_happens_once_however_often_the_gateway_is_killed() {
    let seed = std::env::var("POSTRIDER_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("schedules: POSTRIDER_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let with = |address: String| resources(&sink, "carrier", &connector("carrier", address, ""));
    // Nobody listens there: what is accepted waits.
    let place = Place::new(&with("127.0.0.1:1".into()));
    let made = Mutex::new(Vec::new());
    for round in 0..KILLS {
        let goal = made.lock().expect("no loader has failed").len() + random.usize(20..120);
        make_until_killed(place.start(), &made, goal, round);
        // What was due and not done is due again as soon as the gateway starts.
        let gateway = place.start();
        let left = all(&mut gateway.client()).iter().filter(|schedule| schedule["times"] == 0).count();
        println!("schedules: {left} were left to be done when it was killed");
        gateway.kill();
    }
    place.write_resources(&with(carrier.address().to_string()));
    let gateway = place.start();
    let mut client = gateway.client();
    let schedules = ask_until("occurrence of every schedule", || {
        Some(all(&mut client)).filter(|all| all.iter().all(|schedule| schedule["times"] == 1))
    });
    let made = made.into_inner().expect("no loader has failed");
    assert!(made.iter().all(|id| schedules.iter().any(|schedule| schedule["id"] == **id)), "one that was made is gone");
    let mut wanted = HashMap::new();
    for schedule in &schedules {
        assert_eq!((&schedule["refused"], &schedule["skipped"]), (&json!(0), &json!(0)), "{schedule}");
        let id = schedule["id"].as_str().expect("an id");
        let messages = client.get(&format!("/v1/messages?limit=500&tag=schedule:{id}")).json();
        let messages = messages["data"].as_array().expect("a page").clone();
        assert_eq!(json!(messages.len()), schedule["message_count"], "{schedule}");
        for message in &messages {
            *wanted.entry(message["text"].as_str().expect("a text").to_owned()).or_insert(0) += 1;
            assert_eq!(message["batch_id"], schedule["last_batch"], "{schedule}");
        }
        if schedule["message_count"] == 1 {
            assert_eq!(schedule["last_message"], messages[0]["id"]);
        }
    }
    let sent: usize = wanted.values().sum();
    sink.wait_until("end of every message", |seen| (seen.ended == sent).then_some(()));
    let mut seen = HashMap::new();
    carrier.seen().into_iter().for_each(|message| *seen.entry(message.text.to_string()).or_insert(0) += 1);
    assert_eq!(seen, wanted, "what the carrier has is what was to be sent");
}

/// Makes schedules that are due at once, and kills the gateway when there are so many.
fn make_until_killed(gateway: Gateway, made: &Mutex<Vec<String>>, goal: usize, round: usize) {
    let address = gateway.address();
    std::thread::scope(|scope| {
        for loader in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut client = Client::new(address);
                for n in 0.. {
                    let name = format!("{round}-{loader}-{n}");
                    let messages = (0..=n % 3).map(|part| message(&format!("{name} {part}"))).collect();
                    let Ok(answer) = client.try_post("/v1/schedules", &due(&name, messages)) else { break };
                    assert_eq!(answer.status, 201, "{answer:?}");
                    let id = answer.json()["id"].as_str().expect("an id").to_owned();
                    made.lock().expect("no loader has failed").push(id);
                }
            });
        }
        ask_until("so many schedules", || (made.lock().expect("no loader has failed").len() >= goal).then_some(()));
        gateway.kill();
    });
}

#[test]
fn an_occurrence_that_can_not_be_paid_is_told_of() {
    let sink = Sink::start();
    let all = resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", ""));
    let prepaid = "price = { currency = \"EUR\", default = \"1\" }\nprepaid = { currency = \"EUR\" }\ndefault_sender";
    let place = Place::new(&all.replacen("default_sender", prepaid, 1));
    let gateway = place.start();
    let mut client = gateway.client();
    let answer = client.post("/v1/schedules", &due("news", json!([message("one"), message("two")])));
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.json();
    let told = sink.wait("the refusal", |call| (call.event == "schedule.failed").then(|| call.data.clone()));
    assert_eq!(
        (&told["id"], &told["name"], &told["reason"]["code"], &told["occurrence"]),
        (&made["id"], &json!("news"), &json!("balance_too_low"), &json!("2026-01-01T00:00:00.000Z"))
    );
    let schedule = client.get(&format!("/v1/schedules/{}", made["id"].as_str().expect("an id"))).json();
    assert_eq!((&schedule["refused"], &schedule["next_at"]), (&json!(1), &told["next_at"]));
    assert_eq!(schedule["last_refusal"]["code"], "balance_too_low");
    let counted = r#"postrider_schedule_occurrences_total{account="shop",outcome="refused"} 1"#;
    let text = client.get("/metrics").body;
    assert!(text.lines().any(|line| line == counted), "{text}");
}
