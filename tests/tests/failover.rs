//! A carrier that never comes: what waits for it goes to the other one of its pool, also when the
//! gateway is killed while it does.

use scenarios::carrier::Carrier;
use scenarios::{Client, Nobody, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;
use std::collections::HashSet;

const MESSAGES: usize = 300;
const POOL: &str = "[[pool]]\nid = \"both\"\nstrategy = \"failover\"\nfailover_after = 1\n\
    members = [{ connector = \"gone\" }, { connector = \"there\" }]\n";

#[test]
fn what_waits_for_a_carrier_that_is_gone_reaches_the_other() {
    let gone = Nobody::listens();
    let nobody = gone.address();
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let with = |there| {
        let quick = "window = 5\nthroughput = 100";
        resources(
            &sink,
            "both",
            &[connector("gone", nobody, ""), connector("there", there, quick), POOL.into()].concat(),
        )
    };
    let place = Place::new(&with(nobody));
    let gateway = place.start();
    let mut client = gateway.client();
    let ids: Vec<String> = (0..MESSAGES).map(|n| client.send(&message(n))).collect();
    let first = shown(&mut client, &ids[0]);
    assert_eq!((&first["connector"], &first["connectors"]), (&json!("gone"), &json!(["gone", "there"])));
    gateway.kill();

    place.write_resources(&with(carrier.address()));
    let gateway = place.start();
    ask_until("message at the other carrier", || (!carrier.seen().is_empty()).then_some(()));
    gateway.kill();

    let mut gateway = place.start();
    for id in &ids {
        sink.wait_event(id, "message.delivered");
    }
    let seen: HashSet<Box<str>> = carrier.seen().into_iter().map(|message| message.destination.2).collect();
    assert_eq!(seen.len(), MESSAGES, "nothing is lost");
    let mut client = gateway.client();
    let last = shown(&mut client, &ids[MESSAGES - 1]);
    assert_eq!(
        (&last["connector"], &last["route"], &last["pool"]),
        (&json!("there"), &json!("everything"), &json!("both"))
    );
    let events = client.get(&format!("/v1/messages/{}/events", ids[0])).json();
    let moved: Vec<&Value> =
        events["data"].as_array().expect("events").iter().filter(|e| e["event"] == "moved").collect();
    assert_eq!(moved.len(), 1, "{events}");
    assert!(gateway.stop().success());
}

fn message(n: usize) -> Value {
    json!({ "to": format!("+447700900{n:03}"), "text": "hello", "receipt": "final" })
}

fn shown(client: &mut Client, id: &str) -> Value {
    client.get(&format!("/v1/messages/{id}")).json()
}
