//! A GSM modem: the gateway drives one that is simulated, over TCP and a pseudo-terminal, and programs that
//! others have written drive it, too.

use std::collections::HashMap;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Sink, ask_until, command, resources};
use serde_json::{Value, json};
use simulator::{ModemFault, ModemFaultKind, ModemSettings, SimModem};

const KILLS: usize = 3;
const MESSAGES: usize = 60;
/// What may be sent again after a crash: what the modem had, and what was not settled yet.
const AGAIN_PER_KILL: usize = 1 + 64;

fn address(modem: &SimModem) -> String {
    match (modem.address(), modem.path()) {
        (Some(address), _) => format!("tcp://{address}"),
        (None, path) => path.expect("a terminal has a name").display().to_string(),
    }
}

fn modem(id: &str, modem: &SimModem, more: &str) -> String {
    let reconnect = "reconnect = { min_ms = 50, max_ms = 200 }";
    format!(
        "[[connector]]\nid = \"{id}\"\nprotocol = \"modem\"\naddress = \"{}\"\n{reconnect}\n{more}\n",
        address(modem)
    )
}

fn place(carrier: &Carrier<SimModem>, sink: &Sink, more: &str) -> Place {
    Place::new(&resources(sink, "gsm", &modem("gsm", carrier, more)))
}

/// A gateway whose resources are in its store, with one who may do everything.
fn administered(place: &Place) -> (Gateway, Client) {
    let gateway = place.start_without_file();
    asked(place, &["apply", &place.resources().display().to_string()]);
    let token = asked(place, &["token", "create", "--account", "shop", "--scope", "admin", "--scope", "messages"]);
    let mut client = gateway.client().with_token(&token);
    ask_until("gateway that knows the token", || (client.get("/v1/connectors").status == 200).then_some(()));
    (gateway, client)
}

/// What a command prints about the gateway on this place.
fn asked(place: &Place, arguments: &[&str]) -> String {
    let output = command().args(arguments).arg("--data").arg(place.data()).output().expect("it starts");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Waits until something is so about a connector.
fn connector_until<T>(client: &mut Client, id: &str, what: &str, find: impl Fn(&Value) -> Option<T>) -> T {
    ask_until(what, || find(&client.get(&format!("/v1/connectors/{id}")).json()["status"]))
}

fn everything_passes(carrier: &Carrier<SimModem>) {
    let sink = Sink::start();
    let mut gateway = place(carrier, &sink, "").into_gateway();
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
    let seen = carrier.seen();
    let texts: Vec<&str> = seen.iter().map(|message| &*message.text).collect();
    assert_eq!((texts[0], texts[3], texts[4]), ("Plain", "Žluťoučký kůň", "Flash"));
    assert_eq!([texts[1], texts[2]].concat(), long);
    assert_eq!((&*seen[0].to, seen[4].class, seen[0].report), ("+447700900001", Some(0), true));

    carrier.inject_mo("+447700900055", &long, 7).expect("it can be sent");
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert_eq!((&received["text"], &received["from"]), (&json!(long), &json!("+447700900055")));
    assert_eq!(received["to"], "+447700900999");
    // Nothing is left on the SIM.
    ask_until("empty store", || (carrier.stored() == 0).then_some(()));
    assert!(gateway.stop().success());
}

#[test]
fn messages_reports_and_replies_pass_over_tcp() {
    everything_passes(&Carrier::start_modem(ModemSettings::default()));
}

#[test]
fn messages_reports_and_replies_pass_over_a_terminal() {
    everything_passes(&Carrier::start_modem_on_pty(ModemSettings { pin: None, ..ModemSettings::default() }));
}

#[test]
fn a_modem_without_pdu_mode_is_driven_by_text() {
    everything_passes(&Carrier::start_modem(ModemSettings { pdu_mode: false, ..ModemSettings::default() }));
}

#[test]
fn a_modem_without_pdu_mode_and_ucs_2_is_driven_by_text() {
    let settings = ModemSettings { pdu_mode: false, ucs2: false, ..ModemSettings::default() };
    everything_passes(&Carrier::start_modem(settings));
}

#[test]
fn a_text_that_looks_like_an_answer_is_one_message() {
    for pdu_mode in [true, false] {
        let settings = ModemSettings { pdu_mode, ucs2: false, ..ModemSettings::default() };
        let (carrier, sink) = (Carrier::start_modem(settings), Sink::start());
        let _gateway = place(&carrier, &sink, "").into_gateway();
        for text in ["OK", "Are you in?\r\nOK\r\nERROR", "First\n+CMTI: \"SM\",9\n\nlast"] {
            carrier.inject_mo("+447700900055", text, 1).expect("it can be sent");
            sink.wait(text, |call| (call.event == "message.received" && call.data["text"] == text).then_some(()));
        }
        ask_until("empty store", || (carrier.stored() == 0).then_some(()));
    }
}

#[test]
fn reports_find_their_messages_when_references_come_again() {
    // One more than there are references.
    const ONE_PHONE: u64 = 257;
    let settings = ModemSettings { holds_reports: true, ..ModemSettings::default() };
    let (carrier, sink) = (Carrier::start_modem(settings), Sink::start());
    let place = place(&carrier, &sink, "");
    let gateway = place.start();
    let mut client = gateway.client();
    let message = json!({ "to": "+447700900001", "text": "The phone is off" });
    let ids: Vec<String> = (0..ONE_PHONE).map(|_| client.send(&message)).collect();
    carrier.block_on(carrier.wait_until(|counters| counters.accepted == ONE_PHONE));
    for id in &ids {
        ask_until("sent message", || (client.message(id)["status"] == "sent").then_some(()));
    }
    carrier.change(|settings| settings.holds_reports = false);
    for id in &ids {
        sink.wait_event(id, "message.delivered");
    }
}

#[test]
fn what_was_accepted_is_sent_however_often_the_gateway_is_killed() {
    let settings = ModemSettings { send_delay: Duration::from_millis(3), ..ModemSettings::default() };
    let (carrier, sink) = (Carrier::start_modem(settings), Sink::start());
    let place = place(&carrier, &sink, "");
    let mut ids = HashMap::new();
    for kill in 0..KILLS {
        let gateway = place.start();
        let mut client = gateway.client();
        for number in 0..MESSAGES {
            let text = format!("message {number} before kill {kill}");
            ids.insert(client.send(&json!({ "to": "+447700900001", "text": text })), text);
        }
        // What comes in is in the modem until it is on disk here.
        carrier.inject_mo("+447700900055", &format!("reply {kill}"), 1).expect("it can be sent");
        gateway.kill();
    }
    let gateway = place.start();
    let mut client = gateway.client();
    carrier.block_on(carrier.wait_until(|counters| counters.distinct == (KILLS * MESSAGES) as u64));
    let seen = carrier.seen();
    let times = |text: &str| seen.iter().filter(|message| &*message.text == text).count();
    let lost: Vec<&String> = ids.values().filter(|text| times(text) == 0).collect();
    assert!(lost.is_empty(), "accepted and never sent: {lost:?}");
    let again = carrier.counters().duplicates as usize;
    assert!(again <= KILLS * AGAIN_PER_KILL, "{again} messages were sent again");
    for id in ids.keys() {
        ask_until("message that is sent or delivered", || {
            let status = client.message(id)["status"].clone();
            ["sent", "delivered"].iter().any(|word| status == *word).then_some(())
        });
    }
    for kill in 0..KILLS {
        let text = format!("reply {kill}");
        sink.wait("reply", |call| (call.event == "message.received" && call.data["text"] == *text).then_some(()));
    }
    ask_until("empty store", || (carrier.stored() == 0).then_some(()));
}

#[test]
fn a_modem_that_hangs_is_reset_and_nothing_is_lost() {
    let fault = |kind, at_send| ModemFault { kind, at_send, times: 1 };
    let faults = vec![
        fault(ModemFaultKind::Error, 2),
        fault(ModemFaultKind::Garbage, 3),
        fault(ModemFaultKind::News, 4),
        fault(ModemFaultKind::Restart, 5),
        fault(ModemFaultKind::Unplug, 8),
        fault(ModemFaultKind::HangSent, 10),
    ];
    let (carrier, sink) = (Carrier::start_modem(ModemSettings { faults, ..ModemSettings::default() }), Sink::start());
    let more = "response_timeout_seconds = 1\nmodem = { boot_seconds = 1, poll_seconds = 1 }";
    let gateway = place(&carrier, &sink, more).into_gateway();
    let mut client = gateway.client();
    let texts: Vec<String> = (0..12).map(|number| format!("message {number}")).collect();
    let ids: Vec<String> =
        texts.iter().map(|text| client.send(&json!({ "to": "+447700900001", "text": text }))).collect();
    for id in &ids {
        ask_until("message that is sent or delivered", || {
            let status = client.message(id)["status"].clone();
            ["sent", "delivered"].iter().any(|word| status == *word).then_some(())
        });
    }
    let seen = carrier.seen();
    for text in &texts {
        assert!(seen.iter().any(|message| *message.text == **text), "{text} was never sent");
    }
    // Sent twice is only what the modem did not answer for: in the restart, the unplugging and the hang.
    assert!(carrier.counters().duplicates <= 3, "{:?}", carrier.counters());
    assert!(carrier.counters().faults >= 6, "{:?}", carrier.counters());
}

#[test]
fn a_sim_s_limit_holds_over_a_restart_and_pools_go_on_with_another() {
    for (limit, reason) in [("per_day", "limit of 3 parts a day"), ("per_month", "limit of 3 parts a month")] {
        a_limit_of_three_holds(limit, reason);
    }
}

fn a_limit_of_three_holds(limit: &str, reason: &str) {
    let [first, second] = [0, 1].map(|_| Carrier::start_modem(ModemSettings::default()));
    let sink = Sink::start();
    let limit = format!("modem = {{ limits = {{ {limit} = 3 }} }}");
    let connectors = modem("first", &first, &limit) + &modem("second", &second, "");
    let pool = "[[pool]]\nid = \"sims\"\nstrategy = \"failover\"\n\
                members = [{ connector = \"first\" }, { connector = \"second\" }]\n";
    let place = Place::new(&resources(&sink, "sims", &(connectors + pool)));
    let send = |client: &mut scenarios::Client, number: usize| {
        let id = client.send(&json!({ "to": "+447700900001", "text": format!("message {number}") }));
        sink.wait_event(&id, "message.delivered");
    };
    let (mut gateway, mut client) = administered(&place);
    for number in 0..2 {
        send(&mut client, number);
    }
    assert!(gateway.stop().success());
    let gateway = place.start_without_file();
    let mut client = gateway.client();
    for number in 2..6 {
        send(&mut client, number);
    }
    assert_eq!((first.seen().len(), second.seen().len()), (3, 3));
    let token = asked(&place, &["token", "create", "--account", "shop", "--scope", "admin"]);
    let mut client = client.with_token(&token);
    ask_until("gateway that knows the token", || (client.get("/v1/connectors").status == 200).then_some(()));
    let paused = connector_until(&mut client, "first", "paused connector", |status| {
        status["paused"].as_str().map(str::to_owned)
    });
    assert!(paused.contains(reason), "{paused}");
}

#[test]
fn a_pin_is_entered_and_a_wrong_one_is_tried_once() {
    let sim = || ModemSettings { pin: Some("1234".into()), ..ModemSettings::default() };
    let (carrier, sink) = (Carrier::start_modem(sim()), Sink::start());
    let gateway = place(&carrier, &sink, "modem = { pin = \"1234\" }").into_gateway();
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "Open" }));
    sink.wait_event(&id, "message.delivered");
    drop(gateway);

    let carrier = Carrier::start_modem(sim());
    let place = place(&carrier, &sink, "modem = { pin = \"4321\" }");
    let (mut gateway, mut client) = administered(&place);
    let reason = |status: &Value| status["sessions"][0]["reason"].as_str().map(str::to_owned);
    let refused = connector_until(&mut client, "gsm", "refused PIN", reason);
    assert!(refused.contains("the PIN was refused"), "{refused}");
    for want in ["stop", "start"] {
        client.post(&format!("/v1/connectors/gsm/{want}"), &json!({}));
    }
    connector_until(&mut client, "gsm", "session without a PIN", |status| {
        reason(status).filter(|reason| reason.contains("none is configured"))
    });
    // Nor after a restart.
    assert!(gateway.stop().success());
    let gateway = place.start_without_file();
    let token = asked(&place, &["token", "create", "--account", "shop", "--scope", "admin"]);
    let mut client = gateway.client().with_token(&token);
    connector_until(&mut client, "gsm", "session without a PIN", |status| {
        reason(status).filter(|reason| reason.contains("none is configured"))
    });
    assert_eq!(carrier.pin_tries(), 2);
}

#[test]
fn a_modem_is_found_by_its_imei_and_again_under_another_name() {
    let with_imei =
        |imei: &str| Carrier::start_modem_on_pty(ModemSettings { imei: imei.into(), ..ModemSettings::default() });
    let (other, wanted, sink) = (with_imei("490154203237518"), with_imei("356938035643809"), Sink::start());
    let devices = tempfile::tempdir().expect("a directory");
    let plug = |modem: &SimModem, name: &str| {
        let device = modem.path().expect("a terminal has a name");
        std::os::unix::fs::symlink(device, devices.path().join(name)).expect("a link can be made");
    };
    plug(&other, "ttyUSB0");
    plug(&wanted, "ttyUSB1");
    let connector = format!(
        "[[connector]]\nid = \"gsm\"\nprotocol = \"modem\"\naddress = \"{}/ttyUSB*\"\n\
         reconnect = {{ min_ms = 50, max_ms = 200 }}\nmodem = {{ imei = \"356938035643809\" }}\n",
        devices.path().display()
    );
    let gateway = Place::new(&resources(&sink, "gsm", &connector)).into_gateway();
    let mut client = gateway.client();
    let first = client.send(&json!({ "to": "+447700900001", "text": "first" }));
    sink.wait_event(&first, "message.delivered");
    // It is unplugged, and comes back as another device.
    wanted.unplug();
    std::fs::remove_file(devices.path().join("ttyUSB1")).expect("it is there");
    let again = with_imei("356938035643809");
    plug(&again, "ttyUSB7");
    let second = client.send(&json!({ "to": "+447700900001", "text": "second" }));
    sink.wait_event(&second, "message.delivered");
    assert_eq!((other.seen().len(), wanted.seen().len(), again.seen().len()), (0, 1, 1));
}

#[test]
fn a_modem_tells_of_itself_and_its_network_answers_by_ussd() {
    let (carrier, sink) = (Carrier::start_modem(ModemSettings::default()), Sink::start());
    let place = place(&carrier, &sink, "modem = { poll_seconds = 1 }");
    let (gateway, mut client) = administered(&place);
    let modem = connector_until(&mut client, "gsm", "modem", |status| {
        Some(status["modem"].clone()).filter(|modem| modem["operator"].is_string())
    });
    for (field, value) in [
        ("imei", json!("490154203237518")),
        ("operator", json!("Simulated")),
        ("registration", json!("home")),
        ("signal_dbm", json!(-71)),
        ("number", json!("+447700900999")),
        ("places", json!(20)),
        ("pdu_mode", json!(true)),
    ] {
        assert_eq!(modem[field], value, "{field} in {modem}");
    }
    let mut ask = |code: &str| client.post("/v1/connectors/gsm/ussd", &json!({ "code": code }));
    assert_eq!(ask("*100#").json(), json!({ "state": "done", "text": "Your balance is 10.00" }));
    assert_eq!(ask("*999#").json()["state"], "not_supported");
    assert_eq!(ask("\"").status, 422);
    let token = asked(&place, &["token", "create", "--account", "shop", "--scope", "admin"]);
    let mut known = gateway.client().with_token(&token);
    ask_until("gateway that knows the token", || (known.get("/v1/connectors").status == 200).then_some(()));
    let by_command = |code: &str| {
        let asked =
            ["connector", "ussd", "gsm", code, "--token", &token, "--data", &place.data().display().to_string()];
        let output = command().args(asked).output().expect("it starts");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(by_command("*100#"), (true, "Your balance is 10.00\n".to_owned()));
    assert_eq!(by_command("*999#"), (false, String::new()));
    carrier.call("+447700900055", 3);
    let call = sink.wait("call", |call| (call.event == "call.received").then(|| call.data.clone()));
    for (field, value) in
        [("from", "+447700900055"), ("to", "+447700900999"), ("connector", "gsm"), ("account", "shop")]
    {
        assert_eq!(call[field], value, "{field} in {call}");
    }
    ask_until("call that was hung up on", || (carrier.hung_up() == 1).then_some(()));
    let metrics = client.get("/metrics").body;
    for line in [
        "postrider_modem_signal_dbm{connector=\"gsm\"} -71",
        "postrider_modem_incidents_total{connector=\"gsm\",incident=\"call\"} 1",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
}
