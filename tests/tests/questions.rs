//! What can be asked of a carrier that has a message already: to take it back, to send another text, and what
//! became of it. And a carrier that connects by itself.

use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Answer, Client, Place, Process, Sink, command, connector, resources};
use serde_json::{Value, json};
use simulator::{Cimd2SmscSettings, Counters, ReceiptsFor, SmscSettings, UcpSmscSettings};
use smpp::CommandStatus;

const HOUR: Duration = Duration::from_secs(3600);

/// A carrier that keeps messages for an hour before they end.
fn slow() -> SmscSettings {
    let mut settings = SmscSettings::default();
    settings.receipts.delay = (HOUR, HOUR);
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

/// A carrier that keeps messages for an hour, as a test uses it whatever it speaks.
struct Asked<'a> {
    protocol: &'static str,
    address: String,
    refuse: &'a dyn Fn(bool),
    counters: &'a dyn Fn() -> Counters,
    /// The texts that it has.
    texts: &'a dyn Fn() -> Vec<Box<str>>,
}

impl Asked<'_> {
    fn place(&self, sink: &Sink) -> Place {
        let more = if self.protocol == "ucp" { "ucp = { alert = false }" } else { "" };
        let connector = connector("carrier", &self.address, more).replace("\"smpp\"", &format!("{:?}", self.protocol));
        Place::new(&resources(sink, "carrier", &connector))
    }

    /// A message is asked about and taken back, in several parts; at first it refuses both.
    fn tells_and_takes_back(&self) {
        let sink = Sink::start();
        let place = self.place(&sink);
        let gateway = place.start();
        let mut client = gateway.client();
        let id = client.send(&json!({ "to": "+447700900001", "text": "a".repeat(400) }));
        sink.wait_event(&id, "message.sent");
        (self.refuse)(true);
        assert_eq!(told(&ask(&mut client, &id, "query")), (409, json!("query_refused")));
        assert_eq!(told(&ask(&mut client, &id, "cancel")), (409, json!("cancel_refused")));
        assert_eq!(statuses(&client.message(&id)), ["sent"; 3]);
        (self.refuse)(false);
        let known = ask(&mut client, &id, "query");
        assert_eq!((known.status, &known.json()["status"]), (200, &json!("sent")), "{known:?}");
        assert_eq!(whats(&mut client, &id).iter().filter(|what| *what == "query").count(), 3);
        let canceled = ask(&mut client, &id, "cancel");
        assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("canceled")), "{canceled:?}");
        assert_eq!(statuses(&canceled.json()), ["canceled"; 3]);
        sink.wait_event(&id, "message.canceled");
        assert_eq!((self.counters)().canceled, 3);
        assert_eq!(told(&ask(&mut client, &id, "cancel")), (409, json!("too_late_to_cancel")));
        gateway.kill();
        assert_eq!(place.start().client().message(&id)["status"], "canceled");
    }

    /// It sends another text, but not at first, and not of several parts.
    fn replaces(&self) {
        let sink = Sink::start();
        let place = self.place(&sink);
        let gateway = place.start();
        let mut client = gateway.client();
        let id = client.send(&json!({ "to": "+447700900002", "text": "Your table is at 7" }));
        sink.wait_event(&id, "message.sent");
        let path = format!("/v1/messages/{id}");
        let other = json!({ "text": "Your table is at 8", "validity_seconds": 7200 });
        (self.refuse)(true);
        assert_eq!(told(&client.patch(&path, &other)), (409, json!("replace_refused")));
        assert_eq!(client.message(&id)["text"], "Your table is at 7");
        (self.refuse)(false);
        let replaced = client.patch(&path, &other);
        assert_eq!((replaced.status, &replaced.json()["text"]), (200, &other["text"]), "{replaced:?}");
        assert_eq!(replaced.json()["status"], "sent");
        assert_eq!((self.texts)().last().map(|text| &**text), Some("Your table is at 8"));
        let refused = client.patch(&path, &json!({ "text": "a".repeat(200) }));
        assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/text")), "{refused:?}");
        gateway.kill();

        let gateway = place.start();
        let mut client = gateway.client();
        assert_eq!(client.message(&id)["text"], "Your table is at 8");
        let asked = ["replace_asked", "replace_refused", "replace_asked", "replaced"];
        assert_eq!(whats(&mut client, &id)[2..], asked);
        let long = client.send(&json!({ "to": "+447700900001", "text": "b".repeat(200) }));
        sink.wait_event(&long, "message.sent");
        let in_parts = client.patch(&format!("/v1/messages/{long}"), &other);
        assert_eq!(told(&in_parts), (409, json!("too_late_to_replace")));
        assert!(in_parts.json()["detail"].as_str().is_some_and(|detail| detail.contains("2 parts")), "{in_parts:?}");
        assert_eq!((self.counters)().replaced, 1);
    }
}

fn ask(client: &mut Client, id: &str, what: &str) -> Answer {
    client.post(&format!("/v1/messages/{id}/{what}"), &json!({}))
}

fn told(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["code"].clone())
}

/// What the timeline of a message says happened.
fn whats(client: &mut Client, id: &str) -> Vec<String> {
    let events = client.get(&format!("/v1/messages/{id}/events")).json();
    let events = events["data"].as_array().expect("a list").clone();
    events.iter().filter_map(|event| event["event"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_carrier_over_smpp_sends_another_text() {
    let carrier = Carrier::start(slow());
    let asked = Asked {
        protocol: "smpp",
        address: carrier.address().to_string(),
        refuse: &|yes| carrier.change(|settings| settings.refuse_replaces = yes.then_some(CommandStatus::RREPLACEFAIL)),
        counters: &|| carrier.counters(),
        texts: &|| carrier.seen().into_iter().map(|message| message.text).collect(),
    };
    asked.replaces();
}

#[test]
fn a_carrier_over_ucp_tells_takes_back_and_sends_another_text() {
    let settings = UcpSmscSettings { receipt_delay: (HOUR, HOUR), ..UcpSmscSettings::default() };
    let carrier = Carrier::start_ucp(settings);
    let asked = Asked {
        protocol: "ucp",
        address: carrier.address().to_string(),
        refuse: &|yes| carrier.change(|settings| settings.refuse_inquiries = yes.then_some(ucp::ErrorCode::FORWARDED)),
        counters: &|| carrier.counters(),
        texts: &|| carrier.seen().into_iter().map(|message| message.text).collect(),
    };
    asked.tells_and_takes_back();
    asked.replaces();
}

#[test]
fn a_carrier_over_cimd2_tells_and_takes_back_and_has_no_way_to_replace() {
    let settings = Cimd2SmscSettings { receipt_delay: (HOUR, HOUR), ..Cimd2SmscSettings::default() };
    let carrier = Carrier::start_cimd2(settings);
    let asked = Asked {
        protocol: "cimd2",
        address: carrier.address().to_string(),
        refuse: &|yes| {
            carrier.change(|settings| settings.refuse_inquiries = yes.then_some(cimd2::ErrorCode::NOT_FOUND))
        },
        counters: &|| carrier.counters(),
        texts: &|| carrier.seen().into_iter().map(|message| message.text).collect(),
    };
    asked.tells_and_takes_back();
    let sink = Sink::start();
    let gateway = asked.place(&sink).into_gateway();
    let mut client = gateway.client();
    let id = client.send(&json!({ "to": "+447700900002", "text": "Your table is at 7" }));
    sink.wait_event(&id, "message.sent");
    let refused = client.patch(&format!("/v1/messages/{id}"), &json!({ "text": "Your table is at 8" }));
    assert_eq!(told(&refused), (409, json!("carrier_not_asked")));
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("over cimd2")), "{refused:?}");
    assert_eq!(whats(&mut client, &id), ["accepted", "sent"]);
}
