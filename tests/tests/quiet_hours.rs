//! Quiet hours of an account: what a message that comes in them is told, what a carrier gets of those
//! that waited when they began, and what is exempt.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, ask_until, connector, resources};
use serde_json::json;
use simulator::{Mo, MoContent, MoForm, SmscSettings};

/// Hours around this one, by the clock of UTC.
fn now_is_quiet(more: &str) -> String {
    let minutes = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 60;
    let clock = |hours: u64| format!("{:02}:{:02}", (minutes / 60 + hours) % 24, minutes % 60);
    let (from, to) = (clock(21), clock(3));
    format!("quiet_hours = {{ from = \"{from}\", to = \"{to}\", time_zone = \"UTC\"{more} }}\ndefault_country")
}

#[test]
fn what_waits_when_quiet_hours_begin_does_not_go_in_them() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let with = |address: String, quiet: &str| {
        resources(&sink, "carrier", &connector("carrier", address, "")).replacen("default_country", quiet, 1)
    };
    // Nobody listens there: what is accepted waits.
    let place = Place::new(&with("127.0.0.1:1".into(), "default_country"));
    let gateway = place.start();
    let mut client = gateway.client();
    let message = |text: &str, priority: u8| json!({ "to": "+447700900001", "text": text, "priority": priority });
    let waiting: Vec<String> = (0..50).map(|n| client.send(&message(&format!("waits {n}"), 1))).collect();
    let code = client.send(&message("a code", 3));
    gateway.kill();

    let quiet = now_is_quiet(", exempt_priority = 3, may_ignore = true");
    place.write_resources(&with(carrier.address().to_string(), &quiet));
    let gateway = place.start();
    let mut client = gateway.client();
    sink.wait_event(&code, "message.delivered");
    let put_off = |client: &mut scenarios::Client, id: &str| {
        ask_until("reason", || Some(client.message(id)).filter(|m| m["reason"]["code"] == "quiet_hours"))
    };
    for id in &waiting {
        assert_eq!(put_off(&mut client, id)["status"], "queued");
    }
    let events = client.get(&format!("/v1/messages/{}/events", waiting[0])).json();
    let last = events["data"].as_array().and_then(|events| events.last()).expect("a timeline").clone();
    assert_eq!(last["event"], "put_off");
    assert!(last["detail"].as_str().is_some_and(|why| why.contains("quiet hours")), "{last}");

    // What comes now is scheduled, and explain says so.
    let late = client.send(&message("late", 1));
    let shown = client.message(&late);
    assert_eq!((&shown["status"], &shown["reason"]["code"]), (&json!("scheduled"), &json!("quiet_hours")));
    let explained = client.post("/v1/explain", &message("late", 1)).json();
    assert_eq!(explained["quiet_hours_of"], json!(["UTC"]));
    assert!(explained["due_at"].as_str() > explained["message"]["created_at"].as_str(), "{explained}");
    let mut short = message("too short", 1);
    short["validity_seconds"] = json!(60);
    let refused = client.post("/v1/messages", &short);
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("quiet_hours")), "{refused:?}");
    assert!(refused.json()["detail"].as_str().is_some_and(|why| why.contains("has expired")), "{refused:?}");
    let mut ignores = message("ignores them", 1);
    ignores["ignore_quiet_hours"] = json!(true);
    let ignores = client.send(&ignores);
    sink.wait_event(&ignores, "message.delivered");
    let metrics = client.get("/metrics").body;
    let counted = metrics.lines().find(|line| line.starts_with("postrider_messages_put_off_total"));
    let counted = counted.expect("it is counted");
    assert!(counted.contains("reason=\"quiet_hours\"") && counted.ends_with(" 50"), "{counted}");

    // They wait on, whatever becomes of the gateway, and can be canceled.
    gateway.kill();
    let gateway = place.start();
    let mut client = gateway.client();
    assert_eq!(client.post(&format!("/v1/messages/{}/cancel", waiting[0]), &json!({})).json()["status"], "canceled");
    let code = client.send(&message("another code", 3));
    sink.wait_event(&code, "message.delivered");
    let mut texts: Vec<Box<str>> = carrier.seen().into_iter().map(|message| message.text).collect();
    texts.sort();
    assert_eq!(texts, ["a code".into(), "another code".into(), "ignores them".into()]);

    // An account may refuse instead.
    place.write_resources(&with(carrier.address().to_string(), &now_is_quiet(", action = \"reject\"")));
    gateway.signal(Signal::HUP);
    let refused = ask_until("refusal", || {
        Some(client.post("/v1/messages", &message("refused", 1))).filter(|answer| answer.status != 202)
    });
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("quiet_hours")), "{refused:?}");
}

#[test]
fn a_phone_is_answered_in_quiet_hours_too() {
    const PHONE: &str = "+447700900001";
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let quiz = Sink::answering(|_| (String::new(), "42".into()));
    let text = resources(&sink, "carrier", &connector("carrier", carrier.address(), ""));
    let text = text.replacen("default_country", &now_is_quiet(""), 1);
    let (before, rest) = text.split_once("[[inbound]]").expect("a rule");
    let rules = format!(
        "[[inbound]]\nid = \"quiz\"\naccount = \"shop\"\nmatch = {{ keyword = [\"quiz\"] }}\n\
         webhook = {{ url = \"{}\", answer = \"reply\" }}\n\n\
         [[inbound]]\nid = \"hours\"\naccount = \"shop\"\nmatch = {{ keyword = [\"hours\"] }}\n\
         reply = \"nine to five\"\nforward = [\"+447700900111\"]\n\n[[inbound]]",
        quiz.url()
    );
    let gateway = Place::new(&format!("{before}{rules}{rest}")).into_gateway();
    let mut client = gateway.client();
    for text in ["quiz 1", "hours"] {
        let content = MoContent::Text { text: text.into(), form: MoForm::Udh, reference: 1 };
        let mo = Mo { from: PHONE.into(), to: "+447700900000".into(), content, system_id: None };
        ask_until("bound session", || (carrier.inject_mo(&mo).expect("a text") > 0).then_some(()));
    }
    let answers = ask_until("answers", || {
        let seen = carrier.seen();
        (seen.len() == 2).then(|| seen.into_iter().map(|message| message.text).collect::<HashSet<_>>())
    });
    assert_eq!(answers, HashSet::from(["42".into(), "nine to five".into()]));
    let on = client.get("/v1/messages?to=%2B447700900111").json();
    assert_eq!(
        (&on["data"][0]["status"], &on["data"][0]["reason"]["code"]),
        (&json!("scheduled"), &json!("quiet_hours"))
    );
}
