//! Batches that are paused, go on, and are canceled: what a carrier gets of them, also while they flow
//! and when the gateway is killed meanwhile.

use std::collections::HashSet;

use scenarios::carrier::Carrier;
use scenarios::{Client, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

const MESSAGES: usize = 1500;

fn send(client: &mut Client) -> String {
    let messages: Vec<Value> = (0..MESSAGES).map(|n| json!({ "to": format!("+44770090{n:04}") })).collect();
    let batch = json!({ "defaults": { "text": "of the batch" }, "messages": messages });
    let answer = client.post("/v1/batches", &batch);
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["id"].as_str().expect("a batch has an id").to_owned()
}

fn want(client: &mut Client, id: &str, what: &str) {
    let answer = client.post(&format!("/v1/batches/{id}/{what}"), &json!({}));
    assert_eq!(answer.status, 202, "{answer:?}");
}

fn batch(client: &mut Client, id: &str) -> Value {
    client.get(&format!("/v1/batches/{id}")).json()
}

fn until(client: &mut Client, id: &str, status: &str) -> Value {
    ask_until(status, || Some(batch(client, id)).filter(|batch| batch["status"] == status))
}

/// The recipients of the batch's messages that the carrier has.
fn seen(carrier: &Carrier) -> HashSet<Box<str>> {
    carrier.seen().into_iter().filter(|m| &*m.text == "of the batch").map(|m| m.destination.2).collect()
}

#[test]
fn a_paused_batch_waits_over_a_kill_and_holds_nobody_up() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let with = |address: String| resources(&sink, "carrier", &connector("carrier", address, ""));
    // Nobody listens there: what is accepted waits.
    let place = Place::new(&with("127.0.0.1:1".into()));
    let gateway = place.start();
    let mut client = gateway.client();
    let id = send(&mut client);
    let later = client.send(&json!({ "to": "+447700900001", "text": "not of the batch" }));
    want(&mut client, &id, "pause");
    // Killed while it is being paused, most likely.
    gateway.kill();
    let gateway = place.start();
    let mut client = gateway.client();
    let paused = until(&mut client, &id, "paused");
    assert_eq!(
        (&paused["total"], &paused["done"], &paused["counts"]),
        (&json!(MESSAGES), &json!(0), &json!({ "queued": MESSAGES }))
    );
    gateway.kill();

    place.write_resources(&with(carrier.address().to_string()));
    let gateway = place.start();
    let mut client = gateway.client();
    sink.wait_event(&later, "message.delivered");
    assert_eq!((seen(&carrier).len(), &batch(&mut client, &id)["status"]), (0, &json!("paused")));
    want(&mut client, &id, "resume");
    let done = until(&mut client, &id, "completed");
    assert_eq!((&done["done"], &done["counts"]), (&json!(MESSAGES), &json!({ "delivered": MESSAGES })));
    assert_eq!(seen(&carrier).len(), MESSAGES);
    assert_eq!(carrier.seen().len(), MESSAGES + 1, "nothing went twice");
    let told = sink.wait("the batch's end", |call| (call.event == "batch.completed").then(|| call.data.clone()));
    assert_eq!((&told["id"], &told["counts"]), (&json!(id), &json!({ "delivered": MESSAGES })));
    assert_eq!(batch(&mut client, &id)["finished_at"], told["finished_at"]);
    // Nobody is told again.
    gateway.kill();
    let gateway = place.start();
    let last = gateway.client().send(&json!({ "to": "+447700900001", "text": "the last" }));
    sink.wait_event(&last, "message.delivered");
    let told: HashSet<String> = sink.look(|seen| {
        let calls = seen.calls.iter().filter(|call| call.event == "batch.completed");
        calls.map(|call| call.headers["webhook-id"].clone()).collect()
    });
    assert_eq!(told.len(), 1, "a call may come again after a kill, but it is the same one");
}

#[test]
fn a_batch_is_paused_and_canceled_while_it_flows() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let slow = connector("carrier", carrier.address(), "throughput = 200\nwindow = 10");
    let place = Place::new(&resources(&sink, "carrier", &slow));
    let gateway = place.start();
    let mut client = gateway.client();
    let id = send(&mut client);
    ask_until("some of the batch", || (!seen(&carrier).is_empty()).then_some(()));
    want(&mut client, &id, "pause");
    until(&mut client, &id, "paused");
    // What sessions had is through when this has ended.
    let other = client.send(&json!({ "to": "+447700900001", "text": "not of the batch" }));
    sink.wait_event(&other, "message.delivered");
    let held = seen(&carrier).len();
    let other = client.send(&json!({ "to": "+447700900001", "text": "not of the batch" }));
    sink.wait_event(&other, "message.delivered");
    assert_eq!(seen(&carrier).len(), held);
    assert!(held < MESSAGES, "it was paused too late");

    want(&mut client, &id, "cancel");
    gateway.kill();
    let gateway = place.start();
    let mut client = gateway.client();
    let canceled = ask_until("end of all", || {
        Some(batch(&mut client, &id)).filter(|batch| batch["status"] == "canceled" && batch["done"] == MESSAGES)
    });
    assert_eq!(canceled["counts"], json!({ "delivered": held, "canceled": MESSAGES - held }));
    assert_eq!(seen(&carrier).len(), held);
    sink.wait_until("every end", |seen| (seen.ended == MESSAGES + 2).then_some(()));
    let again = client.post(&format!("/v1/batches/{id}/resume"), &json!({}));
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("batch_canceled")));
}
