//! CIMD2: the gateway as client of an SMSC that speaks it, also of one that others have written, and that SMSC
//! with a client of theirs: Kannel.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::kannel::{Kannel, free_port};
use scenarios::{Place, Process, Sink, ask_until, connector, resources, skip};
use serde_json::json;
use simulator::{Cimd2Smsc, Cimd2SmscSettings};

const WINDOW: usize = 20;
const KILLS: usize = 4;
const MESSAGES: usize = 150;
/// What may be sent again after a crash: the window, and what was not settled yet.
const AGAIN_PER_KILL: usize = WINDOW + 64;

fn place(address: std::net::SocketAddr, sink: &Sink, window: usize) -> Place {
    let cimd2 = connector("nokia", address, &format!("window = {window}")).replace("\"smpp\"", "\"cimd2\"");
    Place::new(&resources(sink, "nokia", &cimd2))
}

#[test]
fn messages_receipts_and_replies_pass_over_cimd2() {
    let settings = Cimd2SmscSettings {
        user: Some("gateway".into()),
        password: Some("secret".into()),
        ..Cimd2SmscSettings::default()
    };
    let (carrier, sink) = (Carrier::start_cimd2(settings), Sink::start());
    let mut gateway = place(carrier.address(), &sink, 10).into_gateway();
    let mut client = gateway.client();
    let long = "Grüße aus Köln. ".repeat(15);
    for message in [
        json!({ "to": "+447700900001", "text": "Plain" }),
        json!({ "to": "+447700900002", "text": long }),
        json!({ "to": "+447700900003", "text": "Žluťoučký kůň" }),
        json!({ "to": "+447700900004", "text": "Flash", "class": 0 }),
    ] {
        let id = client.send(&message);
        let delivered = sink.wait_event(&id, "message.delivered").data;
        let parts = delivered["parts"].as_array().expect("parts");
        assert!(parts.iter().all(|part| part["status"] == "delivered"), "{delivered}");
        assert_eq!(parts.len(), if message["text"] == long.as_str() { 2 } else { 1 });
    }
    let seen = carrier.seen();
    let texts: Vec<&str> = seen.iter().map(|message| &*message.text).collect();
    assert_eq!((texts[0], texts[3], texts[4]), ("Plain", "Žluťoučký kůň", "Flash"));
    assert_eq!([texts[1], texts[2]].concat(), long);
    assert_eq!((&*seen[0].from, &*seen[0].to, seen[4].dcs), ("SHOP", "447700900001", 0x10));

    carrier.inject_mo("447700900055", "60777", &long, 7).expect("it can be sent");
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert_eq!((&received["text"], &received["from"]), (&json!(long), &json!("+447700900055")));
    assert!(gateway.stop().success());
}

fn times(carrier: &Carrier<Cimd2Smsc>, text: &str) -> u32 {
    carrier.times_seen("447700900001", text.as_bytes())
}

#[test]
fn what_was_accepted_is_sent_however_often_the_gateway_is_killed() {
    let settings = Cimd2SmscSettings { resp_delay: Duration::from_millis(2), ..Cimd2SmscSettings::default() };
    let (carrier, sink) = (Carrier::start_cimd2(settings), Sink::start());
    let place = place(carrier.address(), &sink, WINDOW);
    let mut ids = HashMap::new();
    for kill in 0..KILLS {
        let gateway = place.start();
        let mut client = gateway.client();
        for number in 0..MESSAGES {
            let text = format!("message {number} before kill {kill}");
            ids.insert(client.send(&json!({ "to": "+447700900001", "text": text })), text);
        }
        gateway.kill();
    }
    let gateway = place.start();
    let mut client = gateway.client();
    carrier.block_on(carrier.wait_until(|counters| counters.distinct == (KILLS * MESSAGES) as u64));
    let lost: Vec<&String> = ids.values().filter(|text| times(&carrier, text) == 0).collect();
    assert!(lost.is_empty(), "accepted and never sent: {lost:?}");
    let again = carrier.counters().duplicates as usize;
    assert!(again <= KILLS * AGAIN_PER_KILL, "{again} messages were sent again");
    for id in ids.keys() {
        ask_until("message that is sent or delivered", || {
            let status = client.message(id)["status"].clone();
            ["sent", "delivered"].iter().any(|word| status == *word).then_some(())
        });
    }
}

#[test]
fn kannel_logs_in_to_the_simulated_smsc_and_sends_and_receives() {
    let settings = Cimd2SmscSettings {
        user: Some("kannel".into()),
        password: Some("secret".into()),
        ..Cimd2SmscSettings::default()
    };
    let (carrier, sink) = (Carrier::start_cimd2(settings), Sink::start());
    let smsc = format!(
        "smsc = cimd2\nhost = 127.0.0.1\nport = {}\nsmsc-username = kannel\nsmsc-password = secret\nkeepalive = 5\n",
        carrier.address().port()
    );
    let Some(kannel) = Kannel::start(&smsc, &sink) else { return };
    ask_until("login", || (carrier.bound() > 0).then_some(()));

    kannel.send("60777", "447700900123", "text=Hello+%E2%82%AC+%7B%40%7D&charset=UTF-8");
    kannel.send("60777", "447700900124", "coding=2&text=%03%A8");
    for phone in ["447700900123", "447700900124"] {
        kannel.until_delivered(&sink, phone);
    }
    let mut seen = carrier.seen();
    seen.sort_by(|one, other| one.to.cmp(&other.to));
    let what: Vec<(&str, &str)> = seen.iter().map(|message| (&*message.to, &*message.text)).collect();
    assert_eq!(what, [("447700900123", "Hello € {@}"), ("447700900124", "Ψ")]);

    carrier.inject_mo("447700900055", "60777", "Wie geht's? ü", 1).expect("it can be sent");
    let incoming = kannel.received(&sink);
    assert!(incoming.contains("Wie+geht's%3F+%C3%BC") && incoming.contains("447700900055"), "{incoming}");
    carrier.block_on(carrier.wait_until(|counters| counters.mo_acked == 1 && counters.receipts_acked == 2));
    assert_eq!(carrier.counters().deliveries_refused, 0);
}

/// Kannel's own SMSC for its tests. It answers submissions, sends a message of random content now and then,
/// and knows no reports.
#[test]
fn the_gateway_is_a_client_of_kannels_test_smsc() {
    const SMSC: &str = "/usr/lib/kannel/test/test_cimd2";
    if !Path::new(SMSC).exists() {
        return skip("kannel-extras is not installed");
    }
    let (port, sink) = (free_port(), Sink::start());
    let port_argument = port.to_string();
    let arguments = ["--user", "gateway", "--password", "secret", "--port", &port_argument, "--activity", "2"];
    let _smsc =
        Process::start(Command::new(SMSC).args(arguments).args(["--max", "2", "--intro", "CIMD2-A Connection"]));
    let gateway = place(([127, 0, 0, 1], port).into(), &sink, 1).into_gateway();
    let mut client = gateway.client();
    for text in ["Plain", "Grüße €", "Žluťoučký kůň"] {
        let id = client.send(&json!({ "to": "+447700900001", "text": text }));
        ask_until("message that was sent", || (client.message(&id)["status"] == "sent").then_some(()));
        let remote_id = client.message(&id)["parts"][0]["remote_id"].clone();
        assert!(remote_id.as_str().is_some_and(|id| id.starts_with("447700900001:")), "{remote_id}");
    }
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert!(received["text"].is_string() || received["binary"].is_object(), "{received}");
}
