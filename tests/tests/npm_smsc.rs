//! An SMSC made of the npm package `smpp`: messages of every kind go out, receipts with decimal ids
//! for hexadecimal ones come back, and so does a message from a phone.

use scenarios::{Place, Process, Sink, connector, peers, resources, skip};
use serde_json::{Value, json};

#[test]
fn messages_receipts_and_replies_pass_through_a_node_smsc() {
    let (mut node, python) = match (peers::node("smpp"), peers::python("standardwebhooks")) {
        (Ok(node), Ok(python)) => (node, python),
        (Err(why), _) | (_, Err(why)) => return skip(&why),
    };
    let mut smsc = Process::start(node.arg(peers::script("smsc.js")));
    let port = smsc.wait_key("listening");
    let sink = Sink::start();
    let carrier = connector("node", format!("127.0.0.1:{port}"), "");
    let mut gateway = Place::new(&resources(&sink, "node", &carrier)).into_gateway();
    assert_eq!(smsc.wait_key("bound"), "bind_transceiver");

    let mut client = gateway.client();
    let long = "0123456789".repeat(20);
    let messages = [
        json!({ "to": "+447700900001", "from": "SHOP", "text": "Plain: @£$ {€}" }),
        json!({ "to": "447700900002", "from": "447700900999", "text": long }),
        json!({ "to": "+447700900003", "text": "Привет, 😀" }),
        json!({ "to": "07700900004", "text": "Flash", "class": 0 }),
    ];
    for message in &messages {
        let id = client.send(message);
        let delivered = sink.wait_event(&id, "message.delivered").data;
        assert_eq!(delivered["status"], "delivered");
        assert_eq!(delivered["text"], message["text"]);
        // In order, and each once.
        let events = sink.look(|seen| seen.of_message[&id].clone());
        assert_eq!(events, ["message.sent", "message.delivered"]);
    }

    let submits = smsc.all_of("submit");
    assert_eq!(submits.len(), 5, "{submits:?}");
    let (plain, long_parts, unicode, flash) = (&submits[0], &submits[1..3], &submits[3], &submits[4]);
    assert_eq!(plain["text"], "Plain: @£$ {€}");
    assert_eq!((&plain["from"], &plain["from_ton"]), (&json!("SHOP"), &json!(5)));
    assert_eq!((&plain["to"], &plain["to_ton"]), (&json!("447700900001"), &json!(1)));
    assert_eq!((&plain["data_coding"], &plain["registered_delivery"]), (&json!(0), &json!(1)));
    let joined: String = long_parts.iter().filter_map(|part| part["text"].as_str()).collect();
    assert_eq!(joined, long);
    assert!(
        long_parts.iter().all(|part| part["esm_class"] == 0x40 && part["udh"].as_array().is_some_and(|u| u.len() == 1))
    );
    assert_eq!((&unicode["text"], &unicode["data_coding"]), (&json!("Привет, 😀"), &json!(8)));
    assert_eq!((&flash["to"], &flash["data_coding"]), (&json!("447700900004"), &json!(0x10)));

    for (text, data_coding) in [("INFO please", 0), ("Привет", 8)] {
        smsc.tell(
            &json!({ "mo": { "from": "447700900055", "to": "60777", "text": text, "data_coding": data_coding } }),
        );
        let received = sink.wait("message.received", |call| {
            (call.event == "message.received" && call.data["text"] == text).then(|| call.data.clone())
        });
        assert_eq!((&received["direction"], &received["to"]), (&json!("mo"), &json!("60777")));
        assert_eq!(received["from"].as_str().map(|from| from.trim_start_matches('+')), Some("447700900055"));
    }

    assert!(gateway.stop().success());
    assert_eq!(smsc.wait_key("unbound"), Value::Bool(true));
    let answers = [smsc.all_of("receipt_answer"), smsc.all_of("mo_answer")].concat();
    assert_eq!(answers, vec![json!(0); 7], "everything was acknowledged");
    assert_eq!(smsc.all_of("fault"), Vec::<Value>::new());

    let calls = sink.look(|seen| seen.calls.clone());
    assert!(peers::genuine(&python, &calls).into_iter().all(|genuine| genuine), "a signature is wrong");
    let mut forged = calls[0].clone();
    forged.body.push(' ');
    assert_eq!(peers::genuine(&python, &[forged]), [false]);
}
