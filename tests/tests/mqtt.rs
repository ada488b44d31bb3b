//! MQTT bridges, with Mosquitto as the broker and its own clients as devices and applications.

use scenarios::broker::{Broker, said, until_connected};
use scenarios::carrier::Carrier;
use scenarios::kannel::free_port;
use scenarios::{Client, Place, Process, Sink, TOKEN, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

const WINDOW: usize = 20;
const MESSAGES: usize = 400;
const KILLS: usize = 3;

fn place(carrier: &Carrier, sink: &Sink, broker: &Broker, more: &str) -> Place {
    let smsc = connector("smsc", carrier.address(), &format!("window = {WINDOW}"));
    let mqtt = format!(
        "mqtt = {{ url = \"mqtt://127.0.0.1:{}\", username = \"bridge\", password = \"secret\", topic = \"fleet/7\", \
         window = {WINDOW}{more} }}\ndefault_country",
        broker.port()
    );
    Place::new(&resources(sink, "smsc", &smsc).replacen("default_country", &mqtt, 1))
}

#[test]
fn devices_send_and_are_told_what_became_of_it() {
    let Some(broker) = Broker::start("") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    // What was kept at the topic is not to be sent at each connection.
    let kept = broker.client("mosquitto_pub").args(["-r", "-t", "fleet/7/send/447700900009", "-m", "old"]).status();
    assert!(kept.expect("mosquitto_pub runs").success());
    let mut gateway = place(&carrier, &sink, &broker, "").into_gateway();
    until_connected(&gateway);
    let listener = broker.listen("fleet/7/#");

    broker.publish("fleet/7/send", r#"{"to":"+447700900001","text":"Pump 4 is dry","client_ref":"pump-4"}"#);
    let accepted = said(&listener, "fleet/7/accepted", |message| message["client_ref"] == "pump-4");
    let id = accepted["id"].as_str().expect("an id");
    let is_ours = |event: &Value| event["data"]["id"] == id;
    let delivered = said(&listener, "fleet/7/events/message.delivered", is_ours);
    assert_eq!((&delivered["type"], &delivered["data"]["ingress"]), (&json!("message.delivered"), &json!("mqtt")));
    sink.wait_event(id, "message.delivered");

    broker.publish("fleet/7/send/447700900002", "Überdruck");
    carrier.block_on(carrier.wait_until(|counters| counters.accepted == 2));
    let texts: Vec<String> = carrier.seen().iter().map(|message| message.text.to_string()).collect();
    assert_eq!(texts, ["Pump 4 is dry", "Überdruck"]);

    broker.publish("fleet/7/send", r#"{"to":"nobody","text":"x","client_ref":"bad"}"#);
    let refused = said(&listener, "fleet/7/refused", |problem| problem["client_ref"] == "bad");
    assert_eq!((&refused["code"], &refused["errors"][0]["pointer"]), (&json!("invalid"), &json!("/to")));

    // The same under the same key is the same message.
    let asked = r#"{"to":"+447700900003","text":"once"}"#;
    let key = ["-D", "publish", "user-property", "idempotency-key", "k1"];
    let [first, again] = [(); 2].map(|()| broker.ask("fleet/7/send", asked, &key));
    assert!(first["id"].is_string() && first == again, "{first} {again}");
    let other = broker.ask("fleet/7/send", r#"{"to":"+447700900003","text":"twice"}"#, &key);
    assert_eq!(other["code"], "idempotency_key_reused", "{other}");

    carrier.inject_mo(&simulator::Mo::text("447700900055", "60777", "Stop pump 4")).expect("it can be sent");
    let received = said(&listener, "fleet/7/events/message.received", |_| true);
    assert_eq!(received["data"]["text"], "Stop pump 4");
    assert_eq!(carrier.counters().accepted, 3, "{:?}", carrier.seen());
    assert!(gateway.stop().success());
}

#[test]
fn what_devices_have_published_is_sent_however_often_the_gateway_is_killed() {
    let Some(broker) = Broker::start("") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = place(&carrier, &sink, &broker, "");
    // The broker keeps what comes from when the bridge has been there once.
    let mut gateway = Some(place.start());
    until_connected(gateway.as_ref().expect("it runs"));
    for kill in 0..KILLS {
        let lines: String = (0..MESSAGES).map(|number| format!("message {number} before kill {kill}\n")).collect();
        let file = broker.directory().join("lines");
        std::fs::write(&file, lines).expect("it can be written");
        let lines = std::fs::File::open(&file).expect("it is there");
        let mut publishing = broker.client("mosquitto_pub");
        publishing.args(["-q", "1", "-t", "fleet/7/send/447700900001", "-l"]).stdin(lines);
        let mut publishing = Process::start_with_input(&mut publishing);
        let seen = (kill * MESSAGES + MESSAGES / 4) as u64;
        carrier.block_on(carrier.wait_until(|counters| counters.distinct >= seen));
        gateway.take().expect("it runs").kill();
        assert!(publishing.wait_end().success());
        gateway = Some(place.start());
    }
    carrier.block_on(carrier.wait_until(|counters| counters.distinct == (KILLS * MESSAGES) as u64));
    // Handed in again: a window that was not acknowledged, and what was on its way. Sent again: a window, and what
    // was not settled.
    let again = carrier.counters().duplicates as usize;
    assert!(again <= KILLS * (3 * WINDOW + 64), "{again} messages were sent again");
}

#[test]
fn events_wait_for_a_broker_that_is_away() {
    let Some(mut broker) = Broker::start("") else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let gateway = place(&carrier, &sink, &broker, ", events = [\"message.delivered\"]").into_gateway();
    until_connected(&gateway);
    // An application that the broker keeps things for while it is away.
    let known = ["-i", "app", "-c", "-q", "1", "-F", "%t %p", "-t", "fleet/7/events/#"];
    let mut subscribing = broker.client("mosquitto_sub");
    assert!(subscribing.args(known).arg("-E").status().expect("mosquitto_sub runs").success());
    broker.kill();
    gateway.log().wait("end of the connection", |line| line.contains("the MQTT broker is not connected").then_some(()));
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "while it was away" }));
    sink.wait_event(&id, "message.delivered");
    let lanes = |client: &mut Client| {
        let owed = client.get("/v1/deliveries").json();
        owed["data"].as_array().expect("a list").iter().filter(|one| one["endpoint"] == "mqtt:shop").count()
    };
    let mut client = Client::new(gateway.address()).with_token(TOKEN);
    assert_eq!(lanes(&mut client), 1);
    broker.begin();
    let listener = Process::start(broker.client("mosquitto_sub").args(known));
    let delivered = said(&listener, "fleet/7/events/message.delivered", |event| event["data"]["id"] == id.as_str());
    assert_eq!(delivered["data"]["status"], "delivered");
    ask_until("end of the delivery", || (lanes(&mut client) == 0).then_some(()));
}

#[test]
fn bridges_speak_tls() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(path("cert.pem"), made.cert.pem()).expect("it can be written");
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).expect("it can be written");
    let (own, plain) = (free_port(), format!("certfile {}\nkeyfile {}", path("cert.pem"), path("key.pem")));
    let Some(broker) = Broker::start(&format!("listener {own} 127.0.0.1\n{plain}")) else { return };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let tls = format!(", tls = {{ ca = \"{}\" }}", path("cert.pem"));
    let place = place(&carrier, &sink, &broker, &tls);
    let resources = std::fs::read_to_string(place.resources()).expect("it is there");
    let there = format!("mqtt://127.0.0.1:{}", broker.port());
    place.write_resources(&resources.replace(&there, &format!("mqtts://localhost:{own}")));
    let gateway = place.into_gateway();
    until_connected(&gateway);
    broker.publish("fleet/7/send/447700900001", "secretly");
    carrier.block_on(carrier.wait_until(|counters| counters.accepted == 1));
}
