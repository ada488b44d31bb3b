//! An SMSC made of the PyPI package `smpp.twisted3`, over a pair of connections: one to send, one to
//! receive.

use scenarios::{Place, Process, Sink, connector, peers, resources, skip};
use serde_json::{Value, json};

#[test]
fn messages_receipts_and_replies_pass_through_a_twisted_smsc() {
    let python = match peers::python("smpp.twisted.server") {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let mut smsc = Process::start(std::process::Command::new(&python).arg(peers::script("smsc.py")));
    let port = smsc.wait_key("listening");
    let sink = Sink::start();
    let pair = connector("twisted", format!("127.0.0.1:{port}"), "bind = \"transmitter+receiver\"");
    let mut gateway = Place::new(&resources(&sink, "twisted", &pair)).into_gateway();

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

    let submits = smsc.all_of("submit");
    assert_eq!(submits.len(), 5, "{submits:?}");
    let octets = |at: usize| submits[at]["octets"].as_str().expect("hexadecimal");
    assert_eq!(octets(0), "506c61696e");
    // The header of an 8-bit reference in both parts, then "Gr" and the GSM code of "ü".
    assert_eq!((&octets(1)[..6], &octets(1)[8..12]), ("050003", "0201"));
    assert_eq!(octets(1)[12..18], *"47727e");
    assert!(octets(3).starts_with("017d006c"), "{}", octets(3));

    smsc.tell(&json!({ "mo": { "from": "447700900055", "to": "60777", "text": "STOP" } }));
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert_eq!((&received["text"], &received["to"]), (&json!("STOP"), &json!("60777")));

    assert!(gateway.stop().success());
    assert_eq!(smsc.all_of("fault"), Vec::<Value>::new());
    assert_eq!(smsc.all_of("deliver_answer").len(), 6, "{}", smsc.out.tail());
}
