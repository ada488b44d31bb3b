//! Inbound rules with webhooks of their own.

use scenarios::carrier::Carrier;
use scenarios::{Client, Place, SECRET, Sink, ask_until, connector, resources};
use serde_json::json;
use simulator::{Mo, MoContent, MoForm, SmscSettings};

const PHONE: &str = "+447700900123";
const NUMBER: &str = "+447700900000";

/// A place whose rules are these, before the one that takes everything.
fn place(sink: &Sink, carrier: &Carrier, rules: &str) -> Place {
    let text = resources(sink, "carrier", &connector("carrier", carrier.address(), ""));
    let (before, rest) = text.split_once("[[inbound]]").expect("a rule");
    Place::new(&format!("{before}{rules}\n[[inbound]]{rest}"))
}

/// Writes to the gateway's number from a phone, as soon as there is a session.
fn write(carrier: &Carrier, text: &str) {
    let content = MoContent::Text { text: text.into(), form: MoForm::Udh, reference: 1 };
    let mo = Mo { from: PHONE.into(), to: NUMBER.into(), content, system_id: None };
    ask_until("bound session", || (carrier.inject_mo(&mo).expect("a text") > 0).then_some(()));
}

/// A message from a phone, once it is there.
fn received(client: &mut Client, text: &str) -> String {
    ask_until("incoming message", || {
        let found = client.get("/v1/messages?direction=mo").json();
        let found = found["data"].as_array()?.iter().find(|message| message["text"] == text)?.clone();
        Some(found["id"].as_str()?.to_owned())
    })
}

/// The events that a sink was told of a message.
fn events(sink: &Sink, id: &str) -> Vec<String> {
    sink.look(|seen| seen.of_message.get(id).cloned().unwrap_or_default())
}

#[test]
fn a_rule_calls_its_own_webhook_instead_of_the_accounts() {
    let (carrier, sink, orders) = (Carrier::start(SmscSettings::default()), Sink::start(), Sink::start());
    let rules = format!(
        r#"
[[inbound]]
id = "orders"
match = {{ keyword = ["order"] }}
account = "shop"
webhook = {{ url = "{}", secret = "{SECRET}" }}

[[inbound]]
id = "old"
match = {{ keyword = ["old"] }}
account = "shop"
webhook = {{ url = "{}?from=%q&text=%a&service=%n", style = "kannel" }}
"#,
        orders.url(),
        orders.url()
    );
    let gateway = place(&sink, &carrier, &rules).into_gateway();
    let mut client = gateway.client();

    write(&carrier, "order 5 shoes");
    let id = received(&mut client, "order 5 shoes");
    orders.wait_event(&id, "message.received");
    let call = orders.look(|seen| seen.calls[0].clone());
    assert!(call.headers["webhook-signature"].starts_with("v1,"), "{call:?}");
    assert_eq!((&call.data["direction"], &call.data["from"]), (&"mo".into(), &PHONE.into()));

    write(&carrier, "Old and & new");
    let call = orders.wait("Kannel's call", |call| call.path.contains("service=").then(|| call.clone()));
    assert_eq!(call.path, "/events?from=%2B447700900123&text=Old+and+%26+new&service=old");

    write(&carrier, "hello");
    let other = received(&mut client, "hello");
    sink.wait_event(&other, "message.received");
    assert_eq!((events(&sink, &id), events(&orders, &other)), (vec![], vec![]));

    let hooks = client.get("/v1/webhooks").json();
    assert_eq!(hooks["data"].as_array().map(Vec::len), Some(1), "a rule's webhook is part of the rule");
    let metrics = client.get("/metrics").body;
    for series in [
        r#"postrider_webhook_calls_total{webhook="rule:orders",outcome="taken"} 1"#,
        r#"postrider_webhook_calls_total{webhook="rule:old",outcome="taken"} 1"#,
    ] {
        assert!(metrics.contains(series), "{series} in\n{metrics}");
    }
}

/// What waits for a webhook that does not answer survives a kill and is called when it is there.
#[test]
fn what_a_rules_webhook_is_owed_survives_a_kill() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let rule =
        |url: &str| format!("[[inbound]]\nid = \"orders\"\naccount = \"shop\"\nwebhook = {{ url = \"{url}\" }}\n");
    let place = place(&sink, &carrier, &rule(&format!("http://{closed}/")));
    let gateway = place.start();
    let mut client = gateway.client();
    write(&carrier, "order");
    let id = received(&mut client, "order");
    let waiting = |client: &mut Client| {
        let found = client.get("/v1/deliveries?endpoint=rule:orders").json();
        found["data"].as_array().and_then(|all| all.first().cloned())
    };
    let owed = ask_until("failed call", || waiting(&mut client).filter(|owed| owed["attempts"] != 0));
    assert_eq!((&owed["message"], &owed["event"]), (&id.as_str().into(), &"message.received".into()));
    gateway.kill();

    let text = std::fs::read_to_string(place.resources()).expect("it can be read");
    place.write_resources(&text.replace(&format!("http://{closed}/"), &sink.url()));
    let gateway = place.start();
    let mut client = gateway.client();
    let path = format!("/v1/deliveries/{}/redeliver", owed["id"].as_str().expect("an id"));
    client.post(&path, &json!({}));
    sink.wait_event(&id, "message.received");
    ask_until("empty queue", || waiting(&mut client).is_none().then_some(()));

    // A rule that is gone calls nobody, whatever waits for it.
    place.write_resources(&text);
    drop(gateway);
    let gateway = place.start();
    let mut client = gateway.client();
    write(&carrier, "another");
    let owed = ask_until("failed call", || waiting(&mut client).filter(|owed| owed["attempts"] != 0));
    drop(gateway);
    place.write_resources(&text.replace("id = \"orders\"", "id = \"others\""));
    let gateway = place.start();
    let mut client = gateway.client();
    client.post(&format!("/v1/deliveries/{}/redeliver", owed["id"].as_str().expect("an id")), &json!({}));
    let why = ask_until("given up", || {
        waiting(&mut client).filter(|owed| owed["state"] == "failed")?["last_error"].as_str().map(str::to_owned)
    });
    assert_eq!(why, "there is no webhook \"rule:orders\" any more");
}
