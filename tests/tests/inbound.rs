//! Messages from phones, and what inbound rules send because of them.

use std::collections::HashMap;

use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::phones::{NUMBER, details, every, id_of, received, sent, texts, timeline, write};
use scenarios::{Client, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

const PHONE: &str = "+447700900123";

const RULES: &str = r#"
[[inbound]]
id = "hours"
match = { to = ["447700900000"], keyword = ["info", "Öffnungszeiten"] }
account = "shop"
reply = "{keyword} for {from}: {rest}? 9 to 5."

[[inbound]]
id = "codes"
match = { text = '^\d{6}$', from_prefix = ["4477"] }
account = "shop"
deliver = ["smpp"]
reply = "Got {text}"
forward = ["+447700900111", "+447700900112"]
forward_text = "{from} says {text}"

[[inbound]]
id = "everything"
account = "shop"
"#;

/// A place whose account has `more` settings.
fn place(sink: &Sink, carrier: &Carrier, more: &str) -> Place {
    let text = resources(sink, "carrier", &connector("carrier", carrier.address(), ""));
    let (before, _) = text.split_once("[[inbound]]").expect("a rule");
    Place::new(&format!("{}{RULES}", before.replacen("default_sender", &format!("{more}\ndefault_sender"), 1)))
}

#[test]
fn rules_answer_and_send_on_in_the_name_of_their_account() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let gateway = place(&sink, &carrier, "").into_gateway();
    let mut client = gateway.client();

    write(&carrier, PHONE, "Info! on shoes");
    let (id, events) = received(&mut client, "Info! on shoes");
    sink.wait_event(&id, "message.received");
    assert_eq!(details(&events, "received"), ["rule hours"]);
    let (reply, to) = sent(details(&events, "replied")[0]);
    assert_eq!(to, PHONE);
    sink.wait_event(reply, "message.delivered");
    assert_eq!(texts(&carrier, PHONE), [format!("Info for {PHONE}: on shoes? 9 to 5.")]);
    let message = client.message(reply);
    assert_eq!((&message["from"], &message["ingress"]), (&NUMBER.into(), &"gateway".into()));
    assert_eq!(details(&timeline(&mut client, reply), "reply_to"), [id]);

    write(&carrier, PHONE, "123456");
    let (id, events) = received(&mut client, "123456");
    assert_eq!(details(&events, "received"), ["rule codes"]);
    let forwarded = details(&events, "forwarded");
    let numbers: Vec<&str> = forwarded.iter().map(|detail| sent(detail).1).collect();
    assert_eq!(numbers, ["+447700900111", "+447700900112"]);
    for detail in forwarded {
        let (forward, to) = sent(detail);
        sink.wait_event(forward, "message.delivered");
        assert_eq!(texts(&carrier, to), [format!("{PHONE} says 123456")]);
        assert_eq!(details(&timeline(&mut client, forward), "forward_of"), [id.as_str()]);
    }
    let deliveries = client.get(&format!("/v1/deliveries?message={id}"));
    assert_eq!(deliveries.json()["data"].as_array().map(Vec::len), Some(0), "it is for SMPP alone: {deliveries:?}");

    write(&carrier, PHONE, "öffnungszeiten");
    let (_, events) = received(&mut client, "öffnungszeiten");
    assert_eq!(details(&events, "received"), ["rule hours"]);
    write(&carrier, PHONE, "hello");
    let (id, events) = received(&mut client, "hello");
    sink.wait_event(&id, "message.received");
    assert_eq!(events, [("received".to_owned(), "rule everything".to_owned())]);

    let metrics = client.get("/metrics").body;
    for series in [
        r#"postrider_inbound_messages_total{rule="hours"} 2"#,
        r#"postrider_inbound_messages_total{rule="everything"} 1"#,
        r#"postrider_inbound_responses_total{rule="codes",action="forward",outcome="sent"} 2"#,
        r#"postrider_inbound_responses_total{rule="codes",action="reply",outcome="sent"} 1"#,
        r#"postrider_messages_accepted_total{account="shop"} 5"#,
    ] {
        assert!(metrics.contains(series), "{series} in\n{metrics}");
    }
}

#[test]
fn machines_are_not_answered_for_ever() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let gateway = place(&sink, &carrier, "").into_gateway();
    let mut client = gateway.client();
    let mut answered = Vec::new();
    for n in 0..5 {
        write(&carrier, PHONE, &format!("info {n}"));
        let (_, events) = received(&mut client, &format!("info {n}"));
        answered.push(details(&events, "replied").len());
        assert_eq!(details(&events, "not_replied").len(), 1 - answered[n], "{events:?}");
    }
    assert_eq!(answered, [1, 1, 1, 0, 0]);
    for (from, why) in [(NUMBER, "is a number of this gateway"), ("BANK", "a name can't be answered")] {
        write(&carrier, from, &format!("info from {from}"));
        let (_, events) = received(&mut client, &format!("info from {from}"));
        let told = details(&events, "not_replied");
        assert!(told.len() == 1 && told[0].ends_with(why), "{events:?}");
    }
    write(&carrier, "+447700900124", "info, me too");
    let (_, events) = received(&mut client, "info, me too");
    assert_eq!(details(&events, "replied").len(), 1, "another phone is another conversation");
}

#[test]
fn what_can_not_be_paid_for_is_told_and_the_message_is_kept() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let money =
        "price = { currency = \"EUR\", default = \"0.035\" }\nprepaid = { currency = \"EUR\", overdraft = \"0.04\" }";
    let gateway = place(&sink, &carrier, money).into_gateway();
    let mut client = gateway.client();
    write(&carrier, PHONE, "123456");
    let (_, events) = received(&mut client, "123456");
    assert_eq!(details(&events, "replied").len(), 1, "one can be paid for: {events:?}");
    let told = details(&events, "not_forwarded");
    assert!(told.len() == 2 && told.iter().all(|why| why.contains("balance")), "{events:?}");
    write(&carrier, PHONE, "info");
    let (id, events) = received(&mut client, "info");
    sink.wait_event(&id, "message.received");
    assert_eq!(details(&events, "not_replied").len(), 1, "{events:?}");
    let all = client.get("/v1/messages?direction=mt").json();
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_phone_that_opts_out_gets_nothing_more_until_it_opts_in() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = place(&sink, &carrier, "opt_out = { help_reply = \"Call us\" }");
    let gateway = place.start();
    let mut client = gateway.client();
    write(&carrier, PHONE, "yes");
    let (_, events) = received(&mut client, "yes");
    assert_eq!(events.len(), 1, "who never opted out may say yes: {events:?}");

    write(&carrier, PHONE, "Arrêt!");
    let (id, events) = received(&mut client, "Arrêt!");
    assert_eq!(details(&events, "opted_out"), [format!("{PHONE} from every sender")]);
    let call = sink.wait("opt_out.created", |call| (call.event == "opt_out.created").then(|| call.clone()));
    assert_eq!(
        (&call.data["phone"], &call.data["message"], &call.data["sender"]),
        (&PHONE.into(), &id.as_str().into(), &Value::Null,)
    );
    let (reply, _) = sent(details(&events, "replied")[0]);
    sink.wait_event(reply, "message.delivered");
    assert!(texts(&carrier, PHONE)[0].starts_with("You have opted out"));

    // Neither by the API nor by a rule, and not after a restart either.
    let refused = |client: &mut Client| {
        let answer = client.post("/v1/messages", &json!({ "to": PHONE, "text": "hello" }));
        assert_eq!((answer.status, &answer.json()["code"]), (403, &"opted_out".into()), "{answer:?}");
    };
    refused(&mut client);
    client.send(&json!({ "to": "+447700900124", "text": "hello" }));
    write(&carrier, PHONE, "info");
    let (_, events) = received(&mut client, "info");
    assert!(details(&events, "helped").len() == 1 && details(&events, "replied").len() == 1, "{events:?}");
    write(&carrier, PHONE, "info on shoes");
    let (_, events) = received(&mut client, "info on shoes");
    assert!(details(&events, "not_replied")[0].ends_with("has opted out of messages from this account"), "{events:?}");
    gateway.kill();
    let gateway = place.start();
    let mut client = gateway.client();
    refused(&mut client);
    let metrics = client.get("/metrics").body;
    assert!(metrics.contains(r#"postrider_opt_outs_heeded_total{account="shop"} 1"#), "{metrics}");

    write(&carrier, PHONE, "START");
    let (_, events) = received(&mut client, "START");
    assert_eq!(details(&events, "opted_in"), [PHONE]);
    let id = client.send(&json!({ "to": PHONE, "text": "hello again" }));
    sink.wait_event(&id, "message.delivered");
    assert_eq!(client.get("/v1/opt-outs").json()["data"], json!([]));
}

#[test]
fn opt_outs_are_made_and_taken_back_by_the_api() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let gateway = place(&sink, &carrier, "").into_gateway();
    let mut client = gateway.client();
    let wanted = json!({ "phone": "07700 900123", "sender": "SHOP" });
    let made = client.post("/v1/opt-outs", &wanted);
    assert_eq!((made.status, &made.json()["phone"]), (201, &PHONE.into()), "{made:?}");
    let again = client.post("/v1/opt-outs", &wanted);
    assert_eq!((again.status, again.json()), (200, made.json()));
    let path = made.header("location").expect("an address").to_owned();
    assert_eq!(client.get(&path).json(), made.json());
    assert_eq!(client.get("/v1/opt-outs?phone=447700900123").json()["data"], json!([made.json()]));
    let message = json!({ "to": PHONE, "text": "hello" });
    assert_eq!(client.post("/v1/messages", &message).status, 403);
    client.send(&json!({ "to": PHONE, "from": "60777", "text": "from another sender" }));
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.delete(&path).status, 404);
    client.send(&message);
    let wrong = client.post("/v1/opt-outs", &json!({ "phone": "x" }));
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["pointer"]), (422, &"/phone".into()));
}

/// Whatever was recorded of a message from a phone was recorded with its answer.
#[test]
fn a_message_and_its_answer_survive_kills_together() {
    const KILLS: usize = 4;
    const PHONES: usize = 60;
    let seed = fastrand::u64(..1 << 32);
    println!("inbound: seed {seed}");
    let mut random = Rng::with_seed(seed);
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = place(&sink, &carrier, "");
    for kill in 0..KILLS {
        let gateway = place.start();
        let before = every(&mut gateway.client(), "mo").len();
        for n in 0..PHONES {
            write(&carrier, &format!("+4477009{kill:02}{n:03}"), "info");
        }
        let goal = before + random.usize(1..PHONES / 2);
        let mut client = gateway.client();
        ask_until("so many messages", || (every(&mut client, "mo").len() >= goal).then_some(()));
        gateway.kill();
    }
    let gateway = place.start();
    let mut client = gateway.client();
    let answers: HashMap<String, Value> =
        every(&mut client, "mt").into_iter().map(|message| (id_of(&message), message)).collect();
    let asked = every(&mut client, "mo");
    assert!(!asked.is_empty());
    let mut answered = 0;
    for message in &asked {
        let events = timeline(&mut client, &id_of(message));
        for detail in details(&events, "replied") {
            answered += 1;
            let answer = answers.get(sent(detail).0).unwrap_or_else(|| panic!("no answer to {message}"));
            assert_eq!(answer["to"], message["from"]);
        }
    }
    assert_eq!(answered, answers.len(), "no answer without its message");
    for id in answers.keys() {
        sink.wait_event(id, "message.delivered");
    }
}
