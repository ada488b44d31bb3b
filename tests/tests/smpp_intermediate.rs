//! What a carrier says while a message is on its way: an SMPP client hears of it that asks for
//! intermediate notifications, and so does an application of Kannel's whose `dlr-mask` has bits for it.

use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Place, Process, Sink, TOKEN, ask_until, command, connector, peers, resources_with_smpp, skip};
use serde_json::{Value, json};
use simulator::SmscSettings;
use sms::receipt::ReceiptState;

/// A carrier that says that it has accepted a message, and what became of it a little later.
fn carrier() -> Carrier {
    let mut settings = SmscSettings::default();
    settings.receipts.intermediate = ReceiptState::Accepted;
    settings.receipts.delay = (Duration::from_millis(200), Duration::from_millis(200));
    Carrier::start(settings)
}

#[test]
fn a_client_that_asks_for_it_hears_what_the_carrier_says_in_between() {
    let mut node = match peers::node("smpp") {
        Ok(node) => node,
        Err(why) => return skip(&why),
    };
    let (carrier, sink) = (carrier(), Sink::start());
    let connector = connector("carrier", carrier.address(), "");
    let gateway = Place::new(&resources_with_smpp(&sink, "carrier", &connector, "")).into_gateway();
    let mut client = Process::start(node.arg(peers::script("client.js")).arg(gateway.smpp().to_string()));
    assert_eq!(client.wait_key("bound"), 0);
    let heard = |client: &Process, to: &str, stat: &str| {
        client.out.wait(stat, |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let deliver = &line["deliver"];
            let said = deliver["from"] == to && deliver["text"].as_str()?.contains(&format!(" stat:{stat} "));
            said.then(|| (deliver["esm_class"].clone(), deliver["state"].clone()))
        })
    };
    let asked = json!({ "registered_delivery": 0x11 });
    client.tell(&json!({ "submit": { "to": "447700900001", "text": "all", "more": asked } }));
    client.tell(&json!({ "submit": { "to": "447700900002", "text": "the end" } }));
    assert_eq!(heard(&client, "447700900001", "ACCEPTD"), (json!(0x20), json!(6)));
    assert_eq!(heard(&client, "447700900001", "DELIVRD"), (json!(4), json!(2)));
    assert_eq!(heard(&client, "447700900002", "DELIVRD"), (json!(4), json!(2)));
    let others: Vec<Value> =
        client.all_of("deliver").into_iter().filter(|deliver| deliver["from"] == "447700900002").collect();
    assert_eq!(others.len(), 1, "{others:?}");
}

#[test]
fn kannels_mask_has_bits_for_it() {
    let (carrier, sink) = (carrier(), Sink::start());
    let resources = format!(
        "[[account]]\nid = \"shop\"\napi_token = \"{TOKEN}\"\ndefault_sender = \"SHOP\"\n\
         compat = {{ username = \"tester\", password = \"foobar\" }}\n{}\n[[route]]\nid = \"all\"\nto = \"carrier\"\n",
        connector("carrier", carrier.address(), "")
    );
    let place = Place::new(&resources);
    let gateway = place.start_with(command().env("POSTRIDER_KANNEL__ON_HTTP", "true"));
    ask_until("bind", || (carrier.bound() > 0).then_some(()));
    let back = sink.url().replace(':', "%3A").replace('/', "%2F");
    let mut client = gateway.client();
    for (n, mask) in [5, 33, 63, 27].into_iter().enumerate() {
        let query = format!(
            "username=tester&password=foobar&to=%2B44770090000{n}&text=hello&dlr-mask={mask}&\
             dlr-url={back}%3Fevent%3D%25d%26said%3D%25A%26n%3D{n}%26"
        );
        let answer = client.get(&format!("/cgi-bin/sendsms?{query}"));
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let heard = |n: usize, event: u8| {
        sink.wait("a call", |call| {
            let found = call.path.contains(&format!("n={n}&")) && call.path.contains(&format!("event={event}&"));
            found.then(|| call.path.clone())
        })
    };
    for (n, event) in [(0, 4), (1, 32), (2, 4)] {
        let said = heard(n, event);
        assert!(said.contains("stat%3AACCEPTD"), "{said}");
        heard(n, 1);
    }
    heard(2, 8);
    heard(3, 8);
    heard(3, 1);
    let counts =
        |n: usize| sink.look(|seen| seen.calls.iter().filter(|call| call.path.contains(&format!("n={n}&"))).count());
    assert_eq!([0, 1, 2, 3].map(counts), [2, 2, 3, 2]);
    let asked: Vec<u8> = carrier.seen().iter().map(|message| message.registered_delivery).collect();
    assert_eq!(asked.iter().filter(|flag| **flag == 0x11).count(), 3, "{asked:?}");
}
