//! UCP/EMI: the gateway as client of an SMSC that speaks it, and that SMSC with a client that others have
//! written: Kannel.

use std::collections::HashMap;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::kannel::Kannel;
use scenarios::{Place, Sink, ask_until, connector, resources};
use serde_json::json;
use simulator::{UcpSmsc, UcpSmscSettings};

const WINDOW: usize = 20;
const KILLS: usize = 4;
const MESSAGES: usize = 150;
/// What may be sent again after a crash: the window, and what was not settled yet.
const AGAIN_PER_KILL: usize = WINDOW + 64;

fn place(carrier: &Carrier<UcpSmsc>, sink: &Sink) -> Place {
    let more = format!("window = {WINDOW}\nucp = {{ alert_address = \"12345\" }}");
    let emi = connector("emi", carrier.address(), &more).replace("\"smpp\"", "\"ucp\"");
    Place::new(&resources(sink, "emi", &emi))
}

#[test]
fn messages_receipts_and_replies_pass_over_ucp() {
    let settings = UcpSmscSettings {
        account: Some("gateway".into()),
        password: Some("secret".into()),
        ..UcpSmscSettings::default()
    };
    let (carrier, sink) = (Carrier::start_ucp(settings), Sink::start());
    let mut gateway = place(&carrier, &sink).into_gateway();
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
    assert_eq!((&*seen[0].from, &*seen[0].to, seen[4].class), ("SHOP", "00447700900001", Some(0)));

    carrier.inject_mo("+447700900055", "60777", &long, 7).expect("it can be sent");
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert_eq!((&received["text"], &received["from"]), (&json!(long), &json!("+447700900055")));
    assert!(gateway.stop().success());
}

#[test]
fn what_was_accepted_is_sent_however_often_the_gateway_is_killed() {
    let settings = UcpSmscSettings { resp_delay: Duration::from_millis(2), ..UcpSmscSettings::default() };
    let (carrier, sink) = (Carrier::start_ucp(settings), Sink::start());
    let place = place(&carrier, &sink);
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
    let times = |text: &str| carrier.times_seen("00447700900001", text.as_bytes());
    let lost: Vec<&String> = ids.values().filter(|text| times(text) == 0).collect();
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
    let settings = UcpSmscSettings {
        account: Some("kannel".into()),
        password: Some("secret".into()),
        ..UcpSmscSettings::default()
    };
    let (carrier, sink) = (Carrier::start_ucp(settings), Sink::start());
    let smsc = format!(
        "smsc = emi\nhost = 127.0.0.1\nport = {}\nsmsc-username = kannel\nsmsc-password = secret\nkeepalive = 5\n\
         my-number = 12345\n",
        carrier.address().port()
    );
    let Some(kannel) = Kannel::start(&smsc, &sink) else { return };
    ask_until("login", || (carrier.bound() > 0).then_some(()));

    kannel.send("60777", "+447700900123", "text=Hello+%E2%82%AC&charset=UTF-8");
    kannel.send("60777", "447700900124", "coding=2&text=%03%A8");
    for phone in ["447700900123", "447700900124"] {
        kannel.until_delivered(&sink, phone);
    }
    let mut seen = carrier.seen();
    seen.sort_by(|one, other| one.to.cmp(&other.to));
    let what: Vec<(&str, &str)> = seen.iter().map(|message| (&*message.to, &*message.text)).collect();
    assert_eq!(what, [("00447700900123", "Hello €"), ("447700900124", "Ψ")]);

    carrier.inject_mo("+447700900055", "60777", "Wie geht's? ü", 1).expect("it can be sent");
    let incoming = kannel.received(&sink);
    assert!(incoming.contains("Wie+geht's%3F+%C3%BC") && incoming.contains("447700900055"), "{incoming}");
    carrier.block_on(carrier.wait_until(|counters| counters.mo_acked == 1 && counters.receipts_acked == 2));
    assert_eq!(carrier.counters().deliveries_refused, 0);
}
