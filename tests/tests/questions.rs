//! What can be asked of a carrier that has a message already: to take it back, and what became of it.
//! And a carrier that connects by itself.

use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Place, Process, Sink, command, connector, resources};
use serde_json::{Value, json};
use simulator::{ReceiptsFor, SmscSettings};
use smpp::CommandStatus;

/// A carrier that keeps messages for an hour before they end.
fn slow() -> SmscSettings {
    let mut settings = SmscSettings::default();
    settings.receipts.delay = (Duration::from_secs(3600), Duration::from_secs(3600));
    settings
}

fn statuses(message: &Value) -> Vec<&str> {
    message["parts"].as_array().expect("parts").iter().filter_map(|part| part["status"].as_str()).collect()
}

#[test]
fn a_message_that_was_sent_is_taken_back_by_its_carrier() {
    let (carrier, sink) = (Carrier::start(slow()), Sink::start());
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
    let gateway = place.start();
    let mut client = gateway.client();
    let long = json!({ "to": "+447700900001", "text": "a".repeat(400) });
    let id = client.send(&long);
    sink.wait_event(&id, "message.sent");

    carrier.change(|settings| settings.refuse_cancels = Some(CommandStatus::RCANCELFAIL));
    let refused = client.post(&format!("/v1/messages/{id}/cancel"), &json!({}));
    let problem = refused.json();
    assert_eq!((refused.status, &problem["code"]), (409, &json!("cancel_refused")), "{refused:?}");
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.contains("0x00000011 ESME_RCANCELFAIL")),
        "{problem}"
    );
    assert_eq!(client.message(&id)["status"], "sent");

    carrier.change(|settings| settings.refuse_cancels = None);
    let canceled = client.post(&format!("/v1/messages/{id}/cancel"), &json!({}));
    assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("canceled")), "{canceled:?}");
    sink.wait_event(&id, "message.canceled");
    assert_eq!(carrier.counters().canceled, 3);
    let again = client.post(&format!("/v1/messages/{id}/cancel"), &json!({}));
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("too_late_to_cancel")));

    // It is canceled for good, whatever becomes of the gateway.
    gateway.kill();
    let gateway = place.start();
    let mut client = gateway.client();
    let message = client.message(&id);
    assert_eq!(message["status"], "canceled");
    assert_eq!(statuses(&message), ["canceled"; 3]);
    let events = client.get(&format!("/v1/messages/{id}/events")).json();
    let whats: Vec<_> = events["data"].as_array().expect("a list").iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(whats.iter().filter(|what| **what == "withdrawn").count(), 3, "{whats:?}");
    assert_eq!(whats.iter().filter(|what| **what == "cancel_refused").count(), 3, "{whats:?}");
}

#[test]
fn a_receipt_that_never_came_is_asked_for() {
    let mut silent = SmscSettings::default();
    silent.receipts.send = ReceiptsFor::Nothing;
    let (carrier, sink) = (Carrier::start(silent), Sink::start());
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
    let gateway = place.start();
    let mut client = gateway.client();
    let id = client.send(&json!({ "to": "+447700900001", "text": "a".repeat(200) }));
    sink.wait_event(&id, "message.sent");
    let known = client.post(&format!("/v1/messages/{id}/query"), &json!({}));
    assert_eq!((known.status, &known.json()["status"]), (200, &json!("delivered")), "{known:?}");
    assert_eq!(statuses(&known.json()), ["delivered"; 2]);
    sink.wait_event(&id, "message.delivered");
    let events = client.get(&format!("/v1/messages/{id}/events"));
    assert!(events.body.contains(r#""event":"query""#), "{events:?}");

    // Nobody can be asked while no session is bound.
    let id = client.send(&json!({ "to": "+447700900001", "text": "b" }));
    sink.wait_event(&id, "message.sent");
    carrier.change(|settings| settings.refuse_binds = Some(CommandStatus::RSYSERR));
    carrier.close_all();
    gateway.log().wait("the loss of the session", |line| line.contains("not bound").then_some(()));
    for what in ["query", "cancel"] {
        let nobody = client.post(&format!("/v1/messages/{id}/{what}"), &json!({}));
        assert_eq!((nobody.status, &nobody.json()["code"]), (503, &json!("carrier_unavailable")), "{nobody:?}");
        assert!(nobody.header("retry-after").is_some() && nobody.json()["retryable"] == true);
    }
}

#[test]
fn a_carrier_connects_by_itself() {
    let sink = Sink::start();
    let waits = r#"
[[connector]]
id = "carrier"
protocol = "smpp"
system_id = "gateway"
password = "secret"
outbind = { listen = "127.0.0.1:0", system_id = "centre", password = "knock", allow = ["127.0.0.0/8"] }
"#;
    let place = Place::new(&resources(&sink, "carrier", waits));
    let mut gateway = place.start();
    let listen = gateway.log().wait("where the connector listens", |line| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["listen"].as_str().map(str::to_owned)
    });
    let simulate = |password: &str, more: &[&str]| {
        let outbind = ["--outbind", &listen, "--outbind-system-id", "centre", "--outbind-password", password];
        let mut simulate = command();
        simulate.args(["simulate", "smpp", "--listen", "127.0.0.1:0"]).args(outbind).args(more);
        Process::start(&mut simulate)
    };
    let mut stranger = simulate("guess", &[]);
    gateway.log().wait("a refused outbind", |line| line.contains("wrong credentials").then_some(()));
    stranger.kill();

    let _carrier = simulate("knock", &["--mo-rate", "10", "--mo-to", "60777", "--mo-text", "moin {n}"]);
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "over its own connection" }));
    sink.wait_event(&id, "message.delivered");
    sink.wait("the second message from a phone", |call| {
        (call.event == "message.received" && call.data["text"] == "moin 2").then_some(())
    });
    assert_eq!(gateway.stop().code(), Some(0), "{}", gateway.log().tail());
    std::net::TcpListener::bind(listen.as_str()).expect("the port is free again");
}
