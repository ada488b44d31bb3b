//! Paces: messages of one sender, and to one recipient, go one after the other, and hold up nobody; what
//! waits for its turn is kept over a kill.

use std::time::{Duration, Instant};

use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

#[test]
fn what_comes_faster_than_its_recipient_may_get_it_waits_and_holds_up_nobody() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let pace = "pace = { per_recipient = { messages = 1, seconds = 3600 } }\ndefault_country";
    let all = resources(&sink, "carrier", &connector("carrier", carrier.address(), ""));
    let place = Place::new(&all.replacen("default_country", pace, 1));
    let gateway = place.start();
    let mut client = gateway.client();
    let to = |number: &str, text: &str| json!({ "to": number, "text": text });
    let first = client.send(&to("+447700900001", "first"));
    sink.wait_event(&first, "message.delivered");
    let waits: Vec<String> = (0..3).map(|n| client.send(&to("+447700900001", &format!("waits {n}")))).collect();
    let other = client.send(&to("+447700900002", "other"));
    sink.wait_event(&other, "message.delivered");
    let paced = |client: &mut scenarios::Client, id: &str| -> Value {
        ask_until("turn", || Some(client.message(id)).filter(|message| message["reason"]["code"] == "paced"))
    };
    let turns: Vec<String> = waits.iter().map(|id| paced(&mut client, id)["reason"]["detail"].to_string()).collect();
    assert!(turns.iter().all(|turn| turn.contains("recipient +447700900001")), "{turns:?}");
    assert!(turns.is_sorted() && turns[0] < turns[1], "{turns:?}");
    let explained = client.post("/v1/explain", &to("+447700900001", "and now?")).json();
    assert!(explained["paced_until"].as_str() > explained["due_at"].as_str(), "{explained}");
    let explained = client.post("/v1/explain", &to("+447700900003", "and this?")).json();
    assert_eq!(explained["paced_until"], Value::Null);
    gateway.kill();

    // Their turns stand.
    let gateway = place.start();
    let mut client = gateway.client();
    let last = client.send(&to("+447700900004", "last"));
    sink.wait_event(&last, "message.delivered");
    assert!(waits.iter().all(|id| client.message(id)["status"] == "queued"));
    let mut texts: Vec<Box<str>> = carrier.seen().into_iter().map(|message| message.text).collect();
    texts.sort();
    assert_eq!(texts, ["first".into(), "last".into(), "other".into()]);
}

#[test]
fn a_connector_paces_each_sender() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let paced = connector("carrier", carrier.address(), "pace = { per_sender = { parts = 10, seconds = 1 } }");
    let gateway = Place::new(&resources(&sink, "carrier", &paced)).into_gateway();
    let mut client = gateway.client();
    let begun = Instant::now();
    let ids: Vec<String> = (0..40)
        .map(|n| {
            let from = if n % 2 == 0 { "ONE" } else { "TWO" };
            client.send(&json!({ "to": format!("+4477009000{n:02}"), "from": from, "text": format!("{n:02}") }))
        })
        .collect();
    ids.iter().for_each(|id| drop(sink.wait_event(id, "message.delivered")));
    // Twenty of each, the first at once: no less than this, however slow the machine.
    assert!(begun.elapsed() >= Duration::from_millis(1650), "{:?}", begun.elapsed());
    let seen = carrier.seen();
    assert_eq!(seen.len(), 40);
}
