//! MQTT bridges at their limits: a quota that is used up, a flood, packets that are too long, and settings that change
//! while the broker remembers the earlier ones.

use rustix::process::Signal;
use scenarios::broker::{Broker, said, until_connected};
use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Sink, ask_until, connector, resources};
use serde_json::json;
use simulator::{Mo, SmscSettings};

/// More than may wait in a bridge.
const FLOOD: usize = 25_000;
const WINDOW: usize = 20;

/// Resources whose account has a bridge at this topic, and these other settings.
fn bridged(carrier: &Carrier, sink: &Sink, broker: &Broker, topic: &str, more: &str) -> String {
    let mqtt = format!(
        "{more}mqtt = {{ url = \"mqtt://127.0.0.1:{}\", username = \"bridge\", password = \"secret\", topic = \"{topic}\", \
         window = {WINDOW} }}\ndefault_country",
        broker.port()
    );
    resources(sink, "smsc", &connector("smsc", carrier.address(), "")).replacen("default_country", &mqtt, 1)
}

/// What the bridge has counted of its messages.
fn counted(client: &mut Client, outcome: &str) -> u64 {
    let metrics = client.get("/metrics").body;
    let of = format!("outcome=\"{outcome}\"");
    let line = metrics.lines().find(|line| line.contains("mqtt_messages") && line.contains(&of));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

fn has_lost_the_broker(gateway: &Gateway) -> bool {
    gateway.log().all().iter().any(|line| line.contains("the MQTT broker is not connected"))
}

#[test]
fn a_quota_that_is_used_up_and_a_flood_hold_up_nothing_else() {
    let Some(broker) = Broker::start("") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = Place::new(&bridged(&carrier, &sink, &broker, "fleet/7", "quota = { monthly = 1 }\n"));
    let gateway = place.start();
    until_connected(&gateway);
    let listener = broker.listen("fleet/7/#");
    broker.publish("fleet/7/send/447700900001", "within the quota");
    said(&listener, "fleet/7/accepted", |message| message["to"] == "+447700900001");
    broker.publish("fleet/7/send/447700900002", "beyond it");

    // What is promised nothing is dropped where it would pile up.
    let lines = (0..FLOOD).map(|number| format!("flood {number}\n")).collect::<String>();
    let file = broker.directory().join("lines");
    std::fs::write(&file, lines).expect("it can be written");
    let lines = std::fs::File::open(&file).expect("it is there");
    let mut flood = broker.client("mosquitto_pub");
    let flood = flood.args(["-q", "0", "-t", "fleet/7/send/447700900003", "-l"]).stdin(lines).status();
    assert!(flood.expect("mosquitto_pub runs").success());
    let mut client = gateway.client();
    ask_until("message that is dropped", || (counted(&mut client, "dropped") > 0).then_some(()));

    carrier.inject_mo(&Mo::text("447700900055", "60777", "Anybody there?")).expect("it can be sent");
    let received = said(&listener, "fleet/7/events/message.received", |_| true);
    assert_eq!(received["data"]["text"], "Anybody there?");
    assert_eq!(carrier.counters().accepted, 1, "{:?}", carrier.seen());

    // The quota begins anew in days; a message that waits for it goes as soon as it is raised.
    place.write_resources(&bridged(&carrier, &sink, &broker, "fleet/7", ""));
    gateway.signal(Signal::HUP);
    said(&listener, "fleet/7/accepted", |message| message["to"] == "+447700900002");
    broker.publish("fleet/7/send/447700900004", "afterwards");
    said(&listener, "fleet/7/accepted", |message| message["to"] == "+447700900004");
    assert!(!has_lost_the_broker(&gateway), "{}", gateway.log().tail());
}

#[test]
fn a_topic_of_earlier_settings_is_not_listened_to() {
    let Some(broker) = Broker::start("") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = Place::new(&bridged(&carrier, &sink, &broker, "fleet/7", ""));
    let gateway = place.start();
    until_connected(&gateway);
    let from = gateway.log().all().len();
    place.write_resources(&bridged(&carrier, &sink, &broker, "fleet/8", ""));
    gateway.signal(Signal::HUP);
    gateway.log().wait_from(from, "another connection", |line| line.contains("fleet/8").then_some(()));
    // The broker goes on with what the client of this name has subscribed to.
    let listener = broker.listen("fleet/#");
    broker.publish("fleet/7/send", &json!({ "to": "+447700900001", "text": "to the earlier topic" }).to_string());
    broker.publish("fleet/7/send/447700900001", "to the earlier topic");
    broker.publish("fleet/8/send/447700900002", "to the present topic");
    said(&listener, "fleet/8/accepted", |message| message["to"] == "+447700900002");
    carrier.block_on(carrier.wait_until(|counters| counters.accepted >= 1));
    let texts: Vec<String> = carrier.seen().iter().map(|message| message.text.to_string()).collect();
    assert_eq!(texts, ["to the present topic"]);
    let answered = |line: &String| line.contains("/refused") || line.contains("earlier topic\\\"");
    assert!(!listener.out.all().iter().any(answered), "{:?}", listener.out.all());
}

#[test]
fn packets_that_are_too_long_hold_up_no_others() {
    // The broker takes no longer ones from its clients, and says so.
    let Some(broker) = Broker::start("max_packet_size 2000") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let gateway = Place::new(&bridged(&carrier, &sink, &broker, "fleet/7", "")).into_gateway();
    until_connected(&gateway);
    let listener = broker.listen("fleet/7/#");
    let mut client = gateway.client();
    let long = client.send(&json!({ "to": "+447700900001", "text": "long ".repeat(300) }));
    sink.wait_event(&long, "message.delivered");
    let short = client.send(&json!({ "to": "+447700900001", "text": "short" }));
    said(&listener, "fleet/7/events/message.delivered", |event| event["data"]["id"] == short.as_str());
    let failed = ask_until("delivery that has failed", || {
        let failed = client.get("/v1/deliveries?state=failed&endpoint=mqtt:shop").json();
        Some(failed["data"][0].clone()).filter(|one| one["message"] == long.as_str())
    });
    let why = failed["last_error"].as_str().expect("a reason");
    assert!(why.contains("longer than the packets"), "{why}");
    assert!(!has_lost_the_broker(&gateway), "{}", gateway.log().tail());
}

#[test]
fn what_is_longer_than_the_bridge_takes_stays_with_the_broker() {
    let Some(broker) = Broker::start("") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let gateway = Place::new(&bridged(&carrier, &sink, &broker, "fleet/7", "")).into_gateway();
    until_connected(&gateway);
    let listener = broker.listen("fleet/7/accepted");
    let file = broker.directory().join("long");
    std::fs::write(&file, "x".repeat(300 * 1024)).expect("it can be written");
    let mut publishing = broker.client("mosquitto_pub");
    let sent = publishing.args(["-q", "1", "-t", "fleet/7/send/447700900001", "-f"]).arg(&file).status();
    assert!(sent.expect("mosquitto_pub runs").success());
    broker.publish("fleet/7/send/447700900002", "short");
    said(&listener, "fleet/7/accepted", |message| message["to"] == "+447700900002");
    carrier.block_on(carrier.wait_until(|counters| counters.accepted == 1));
    assert!(!has_lost_the_broker(&gateway), "{}", gateway.log().tail());
}
