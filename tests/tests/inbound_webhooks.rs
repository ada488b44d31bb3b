//! Inbound rules with webhooks of their own.

use std::collections::HashMap;

use scenarios::carrier::Carrier;
use scenarios::{Client, Nobody, Place, SECRET, Sink, ask_until, connector, resources};
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
    let nobody = Nobody::listens();
    let closed = nobody.address();
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

/// A service that answers, and a gateway whose rule calls it.
fn service(carrier: &Carrier, sink: &Sink, service: &Sink, more: &str) -> Place {
    let url = service.url();
    place(
        sink,
        carrier,
        &format!(
            "[[inbound]]\nid = \"quiz\"\naccount = \"shop\"\nmatch = {{ keyword = [\"quiz\"] }}\n\
             webhook = {{ url = \"{url}?text=%b&id=%I\", style = \"kannel\", answer = \"reply\"{more} }}\n"
        ),
    )
}

/// The timeline of a message from a phone when it has such an event.
fn told(client: &mut Client, id: &str, event: &str) -> Vec<String> {
    ask_until(event, || {
        let events = client.get(&format!("/v1/messages/{id}/events")).json();
        let events = events["data"].as_array().expect("a timeline");
        let of = events.iter().filter(|told| told["event"] == event);
        let details: Vec<String> = of.map(|told| told["detail"].as_str().unwrap_or_default().to_owned()).collect();
        (!details.is_empty()).then_some(details)
    })
}

/// What the carrier took for a number, as soon as it is so much.
fn texts(carrier: &Carrier, to: &str, count: usize) -> Vec<String> {
    let of = |message: &simulator::SeenMessage| *message.destination.2 == *to.trim_start_matches('+');
    ask_until("messages at the carrier", || {
        let seen: Vec<String> = carrier.seen().iter().filter(|m| of(m)).map(|m| m.text.to_string()).collect();
        (seen.len() >= count).then_some(seen)
    })
}

#[test]
fn what_a_service_answers_goes_back_to_the_phone() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let quiz = Sink::answering(|call| match call.path.as_str() {
        path if path.contains("latin") => ("Content-Type: text/plain; charset=UTF-16BE\r\n".into(), "\0o\0k".into()),
        path if path.contains("html") => ("Content-Type: text/html\r\n".into(), "<b>1 &lt; 2</b><br>or not".into()),
        path if path.contains("long") => ("X-Kannel-From: 60777\r\n".into(), "x".repeat(500)),
        path if path.contains("json") => ("Content-Type: application/json\r\n".into(), "{}".into()),
        path if path.contains("silent") => (String::new(), " \n".into()),
        _ => (String::new(), "The answer is 42 \u{20ac}\n".into()),
    });
    let place = service(&carrier, &sink, &quiz, ", max_parts = 2, kannel_headers = true");
    let gateway = place.into_gateway();
    let mut client = gateway.client();
    for (text, answer) in [
        ("quiz 1", "The answer is 42 \u{20ac}"),
        ("quiz latin", "ok"),
        ("quiz html", "1 < 2\nor not"),
        ("quiz long", &"x".repeat(306)),
    ] {
        write(&carrier, text);
        let id = received(&mut client, text);
        let reply = told(&mut client, &id, "replied").remove(0);
        let (reply, to) = reply.split_once(" to ").expect("an id and a number");
        assert_eq!((to, client.message(reply)["text"].as_str()), (PHONE, Some(answer)), "{text}");
        let from = if text.ends_with("long") { "60777" } else { NUMBER };
        assert_eq!(client.message(reply)["from"], from);
        sink.wait_event(reply, "message.delivered");
        assert_eq!(events(&sink, &id), Vec::<String>::new(), "the account hears of replies only");
    }
    write(&carrier, "quiz json");
    let id = received(&mut client, "quiz json");
    assert_eq!(told(&mut client, &id, "not_replied"), ["the service answered with application/json, which is no text"]);
    write(&carrier, "quiz silent");
    let id = received(&mut client, "quiz silent");
    quiz.wait("call", |call| call.path.contains("silent").then_some(()));
    ask_until("empty queue", || {
        let waiting = client.get("/v1/deliveries?endpoint=rule:quiz").json();
        (waiting["data"].as_array().map(Vec::len) == Some(0)).then_some(())
    });
    let events = client.get(&format!("/v1/messages/{id}/events")).json();
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1), "{events}");
    assert_eq!(texts(&carrier, PHONE, 5).len(), 5, "the long one is two parts");
    let metrics = client.get("/metrics").body;
    let series = r#"postrider_inbound_responses_total{rule="quiz",action="reply",outcome="sent"} 4"#;
    assert!(metrics.contains(series), "{metrics}");
}

#[test]
fn an_answer_is_held_back_from_who_opted_out_and_who_can_not_pay() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let quiz = Sink::answering(|_| (String::new(), "42".into()));
    let resources = std::fs::read_to_string(service(&carrier, &sink, &quiz, "").resources()).expect("it is there");
    let money = "opt_out = { stop = [\"quiz stop\"] }\nprice = { currency = \"EUR\", default = \"0.035\" }\n\
                 prepaid = { currency = \"EUR\", overdraft = \"0.08\" }\ndefault_sender";
    let place = Place::new(&resources.replacen("default_sender", money, 1));
    let gateway = place.into_gateway();
    let mut client = gateway.client();
    write(&carrier, "quiz 1");
    let id = received(&mut client, "quiz 1");
    told(&mut client, &id, "replied");
    write(&carrier, "quiz stop");
    let id = received(&mut client, "quiz stop");
    told(&mut client, &id, "opted_out");
    let why = told(&mut client, &id, "not_replied");
    assert_eq!(why, ["it was heeded as a word of opting out (opted_out)"]);
    write(&carrier, "quiz 2");
    let id = received(&mut client, "quiz 2");
    assert!(told(&mut client, &id, "not_replied")[0].contains("opted out"));
    let other = "+447700900124";
    let content = MoContent::Text { text: "quiz 3".into(), form: MoForm::Udh, reference: 1 };
    carrier.inject_mo(&Mo { from: other.into(), to: NUMBER.into(), content, system_id: None }).expect("a text");
    let id = received(&mut client, "quiz 3");
    assert!(told(&mut client, &id, "not_replied")[0].contains("balance"));
}

/// A service may be asked twice, but its answer is sent once: the end of the call and the reply are one
/// commit.
#[test]
fn a_phone_gets_one_answer_however_often_the_gateway_is_killed() {
    const KILLS: usize = 5;
    const PHONES: usize = 40;
    let seed = fastrand::u64(..1 << 32);
    println!("inbound_webhooks: seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let quiz = Sink::answering(|_| (String::new(), "42".into()));
    let place = service(&carrier, &sink, &quiz, "");
    let ask = |carrier: &Carrier, n: usize| {
        let content = MoContent::Text { text: "quiz".into(), form: MoForm::Udh, reference: 1 };
        let mo = Mo { from: format!("+44770091{n:04}"), to: NUMBER.into(), content, system_id: None };
        ask_until("bound session", || (carrier.inject_mo(&mo).expect("a text") > 0).then_some(()));
    };
    for kill in 0..KILLS {
        let gateway = place.start();
        let before = quiz.look(|seen| seen.calls.len());
        (0..PHONES).for_each(|n| ask(&carrier, kill * PHONES + n));
        let goal = before + random.usize(1..PHONES);
        ask_until("so many calls", || (quiz.look(|seen| seen.calls.len()) >= goal).then_some(()));
        gateway.kill();
    }
    let gateway = place.start();
    let mut client = gateway.client();
    ask_until("empty queue", || {
        let waiting = client.get("/v1/deliveries?endpoint=rule:quiz").json();
        (waiting["data"].as_array().map(Vec::len) == Some(0)).then_some(())
    });
    let asked = messages(&mut client, "mo");
    assert!(!asked.is_empty());
    // Each has one answer. What phones write meanwhile, for the carrier may not have heard that a message was
    // taken and then gives it again, is not among these.
    let mut replies = HashMap::new();
    for message in &asked {
        let replied = told(&mut client, message, "replied");
        let [reply] = replied.as_slice() else { panic!("{message}: {replied:?}") };
        replies.insert(message.clone(), reply.split(' ').next().unwrap_or_default().to_owned());
    }
    let mut answered: HashMap<String, Vec<String>> = HashMap::new();
    for answer in messages(&mut client, "mt") {
        let causes = told(&mut client, &answer, "reply_to");
        let [cause] = causes.as_slice() else { panic!("{answer}: {causes:?}") };
        answered.entry(cause.clone()).or_default().push(answer);
    }
    for (message, reply) in replies {
        assert_eq!(answered.remove(&message), Some(vec![reply]), "one answer for {message}");
    }
}

/// The ids of all messages of a direction.
fn messages(client: &mut Client, direction: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/messages?direction={direction}&limit=100{cursor}")).json();
        let page_ids = page["data"].as_array().expect("a page").iter().map(|message| message["id"].as_str());
        ids.extend(page_ids.map(|id| id.expect("an id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}
