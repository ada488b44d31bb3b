//! Paces: messages of one sender, and to one recipient, go one after the other, and hold up nobody; what
//! waits for its turn is kept over a kill.

use model::Timestamp;
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
    let pace = "pace = { per_sender = { parts = 1, seconds = 3600 } }";
    let gateway =
        Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), pace))).into_gateway();
    let mut client = gateway.client();
    let mut send = |from: &str, n: u32| {
        client.send(&json!({ "to": format!("+4477009000{n:02}"), "from": from, "text": format!("{n:02}") }))
    };
    let senders =
        [("ONE", [1, 2, 3]), ("TWO", [11, 12, 13])].map(|(from, numbers)| (from, numbers.map(|n| send(from, n))));
    for (from, [first, second, third]) in &senders {
        // The other's first goes although this one's second waits.
        sink.wait_event(first, "message.delivered");
        let turn = |client: &mut scenarios::Client, id: &String| {
            let paced = ask_until("turn", || Some(client.message(id)).filter(|m| m["reason"]["code"] == "paced"));
            let detail = paced["reason"]["detail"].as_str().expect("a detail").to_owned();
            assert!(detail.contains(&format!("sender {from}")), "{detail}");
            detail.rsplit(' ').next().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time at the end")
        };
        let (second, third) = (turn(&mut client, second), turn(&mut client, third));
        assert_eq!(third.millis_since(second), 3_600_000, "{from}");
        let first = client.message(first);
        let at = |key: &str| first[key].as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time");
        let (accepted, submitted) = (at("created_at"), at("submitted_at"));
        // A millisecond either way is rounding.
        let after_accepted = second.millis_since(accepted.plus_seconds(3600));
        let before_submitted = submitted.plus_seconds(3600).millis_since(second);
        assert!(after_accepted >= -1 && before_submitted >= -1, "{from}: {second} of {first}");
    }
    assert_eq!(carrier.seen().len(), 2);
}
