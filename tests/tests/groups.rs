//! Groups: phones join and leave by writing, and what a member writes goes to all others, once.

use std::collections::HashMap;

use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::phones::{self, Timeline, details, every, id_of, sent, texts, timeline, write};
use scenarios::{Client, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

const ALICE: &str = "+447700900101";
const BOB: &str = "+447700900102";
const CAROL: &str = "+447700900103";
const DAVE: &str = "+447700900104";
const STRANGER: &str = "+447700900109";

const RULES: &str = r#"
[[inbound]]
id = "join"
match = { keyword = ["JOIN"] }
account = "shop"
reply = "Welcome to the choir"
group = { name = "choir", action = "join" }

[[inbound]]
id = "leave"
match = { keyword = ["LEAVE"] }
account = "shop"
reply = "Goodbye"
group = { name = "choir", action = "leave" }

[[inbound]]
id = "choir"
account = "shop"
reply = "Sent"
reply_limit = 100
forward_text = "{from}: {text}"
group = { name = "choir", action = "forward" }
"#;

/// A place whose account has `more` settings.
fn place(sink: &Sink, carrier: &Carrier, more: &str) -> Place {
    let text = resources(sink, "carrier", &connector("carrier", carrier.address(), ""));
    let (before, _) = text.split_once("[[inbound]]").expect("a rule");
    Place::new(&format!("{}{RULES}", before.replacen("default_sender", &format!("{more}\ndefault_sender"), 1)))
}

/// What became of a message from a phone, when what it wants of the group was done.
fn done(client: &mut Client, text: &str) -> (String, Timeline) {
    let (id, _) = phones::received(client, text);
    let events = finished(client, &id);
    (id, events)
}

fn finished(client: &mut Client, id: &str) -> Timeline {
    const ENDS: [&str; 6] = ["joined", "not_joined", "left", "not_left", "forwarded", "not_forwarded"];
    ask_until("a group task that is done", || {
        let events = timeline(client, id);
        events.iter().any(|(event, _)| ENDS.contains(&event.as_str())).then_some(events)
    })
}

fn members(client: &mut Client) -> Vec<(String, String)> {
    let page = client.get("/v1/groups/choir/members").json();
    let text = |member: &Value, field: &str| member[field].as_str().expect("a text").to_owned();
    let members = page["data"].as_array().expect("members");
    members.iter().map(|member| (text(member, "number"), text(member, "how"))).collect()
}

fn join(carrier: &Carrier, client: &mut Client, phones: &[&str]) {
    for phone in phones {
        let text = format!("join {phone}");
        write(carrier, phone, &text);
        let (_, events) = done(client, &text);
        assert_eq!(details(&events, "joined"), ["choir"], "{events:?}");
        assert_eq!(details(&events, "replied").len(), 1, "{events:?}");
    }
}

#[test]
fn members_write_to_each_other_and_nobody_else_does() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = place(&sink, &carrier, "");
    let gateway = place.start();
    let mut client = gateway.client();
    join(&carrier, &mut client, &[ALICE, BOB, CAROL]);
    write(&carrier, BOB, "Join again");
    let (_, events) = done(&mut client, "Join again");
    assert_eq!(details(&events, "joined"), ["choir, as before"]);
    assert_eq!(client.put(&format!("/v1/groups/choir/members/{DAVE}")).status, 201);
    assert_eq!(client.post("/v1/opt-outs", &json!({ "phone": CAROL })).status, 201);
    let by = |how: &str, phone: &str| (phone.to_owned(), how.to_owned());
    assert_eq!(members(&mut client), [by("sms", ALICE), by("sms", BOB), by("sms", CAROL), by("api", DAVE)]);

    write(&carrier, ALICE, "hello all");
    let (id, events) = done(&mut client, "hello all");
    let (batch, to) = sent(details(&events, "forwarded")[0]);
    assert_eq!(to, "2 members of choir");
    assert_eq!(details(&events, "not_forwarded").len(), 1, "{events:?}");
    assert!(details(&events, "not_forwarded")[0].starts_with(&format!("to {CAROL}: ")), "{events:?}");
    let (reply, _) = sent(details(&events, "replied")[0]);
    sink.wait_event(reply, "message.delivered");
    let completed = sink.wait("batch.completed", |call| (call.event == "batch.completed").then(|| call.clone()));
    assert_eq!((&completed.data["id"], &completed.data["accepted"]), (&json!(batch), &json!(2)));
    assert_eq!(completed.data["rejected"], 1);
    let told = format!("{ALICE}: hello all");
    for phone in [BOB, DAVE] {
        assert_eq!(texts(&carrier, phone).iter().filter(|text| **text == told).count(), 1, "{phone}");
    }
    for phone in [ALICE, CAROL] {
        assert!(!texts(&carrier, phone).contains(&told), "{phone}");
    }
    let page = every(&mut client, "mt");
    let forward = page.iter().find(|message| message["text"] == told.as_str()).expect("a message to a member");
    assert_eq!((&forward["from"], &forward["ingress"]), (&phones::NUMBER.into(), &"gateway".into()));
    assert_eq!(details(&timeline(&mut client, &id_of(forward)), "forward_of"), [id]);

    write(&carrier, STRANGER, "buy this");
    let (_, events) = done(&mut client, "buy this");
    assert_eq!(details(&events, "not_forwarded"), [format!("{STRANGER} is no member of choir")]);
    assert_eq!(details(&events, "replied").len(), 0, "{events:?}");

    write(&carrier, BOB, "leave");
    let (_, events) = done(&mut client, "leave");
    assert_eq!((details(&events, "left"), details(&events, "replied").len()), (vec!["choir"], 1));
    gateway.kill();
    let gateway = place.start();
    let mut client = gateway.client();
    assert_eq!(members(&mut client), [by("sms", ALICE), by("sms", CAROL), by("api", DAVE)]);
    write(&carrier, ALICE, "bob has left");
    let (_, events) = done(&mut client, "bob has left");
    assert_eq!(sent(details(&events, "forwarded")[0]).1, "1 member of choir");
    write(&carrier, BOB, "let me in");
    let (_, events) = done(&mut client, "let me in");
    assert_eq!(details(&events, "not_forwarded"), [format!("{BOB} is no member of choir")]);

    let rehearsal = json!({ "to_group": "choir", "defaults": { "text": "Rehearsal at 8" } });
    let taken = client.post("/v1/batches", &rehearsal).json();
    assert_eq!((&taken["accepted"], &taken["rejected"][0]["to"]), (&json!(2), &json!(CAROL)), "{taken}");
    for phone in [ALICE, DAVE] {
        ask_until("the text at a member", || texts(&carrier, phone).contains(&"Rehearsal at 8".into()).then_some(()));
    }
    assert!(texts(&carrier, STRANGER).is_empty() && !texts(&carrier, BOB).contains(&"Rehearsal at 8".into()));
    let metrics = client.get("/metrics").body;
    for series in [
        r#"postrider_inbound_responses_total{rule="choir",action="forward",outcome="sent"} 1"#,
        r#"postrider_inbound_responses_total{rule="choir",action="forward",outcome="refused"} 1"#,
        r#"postrider_inbound_responses_total{rule="choir",action="forward",outcome="held_back"} 1"#,
        r#"postrider_inbound_responses_total{rule="choir",action="reply",outcome="sent"} 1"#,
    ] {
        assert!(metrics.contains(series), "{series} in\n{metrics}");
    }
}

#[test]
fn all_of_a_group_is_paid_for_or_nothing_is_sent() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    // Enough for two answers to those who join, and for one message more.
    let money =
        "price = { currency = \"EUR\", default = \"0.03\" }\nprepaid = { currency = \"EUR\", overdraft = \"0.10\" }";
    let gateway = place(&sink, &carrier, money).into_gateway();
    let mut client = gateway.client();
    join(&carrier, &mut client, &[ALICE, BOB]);
    for phone in [CAROL, DAVE] {
        client.put(&format!("/v1/groups/choir/members/{phone}"));
    }
    write(&carrier, ALICE, "hello all");
    let (_, events) = done(&mut client, "hello all");
    let told = details(&events, "not_forwarded");
    assert!(told.len() == 1 && told[0].contains("balance"), "{events:?}");
    assert_eq!((details(&events, "forwarded").len(), details(&events, "replied").len()), (0, 0), "{events:?}");
    assert_eq!(every(&mut client, "mt").len(), 2, "the answers to those who joined");
    let metrics = client.get("/metrics").body;
    let series = r#"postrider_inbound_responses_total{rule="choir",action="forward",outcome="refused"} 3"#;
    assert!(metrics.contains(series), "{metrics}");
}

/// Whatever was recorded of a message to a group goes to every other member once.
#[test]
fn what_a_member_writes_is_neither_lost_nor_doubled_by_kills() {
    const KILLS: usize = 5;
    const TEXTS: usize = 20;
    const MEMBERS: usize = 9;
    let seed = fastrand::u64(..1 << 32);
    println!("groups: seed {seed}");
    let mut random = Rng::with_seed(seed);
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = place(&sink, &carrier, "");
    let members: Vec<String> = (0..MEMBERS).map(|n| format!("+44770090020{n}")).collect();
    for kill in 0..KILLS {
        let gateway = place.start();
        let mut client = gateway.client();
        if kill == 0 {
            client.put("/v1/groups/choir");
            assert_eq!(client.post("/v1/groups/choir/members", &json!({ "numbers": members })).status, 200);
        }
        let before = every(&mut client, "mo").len();
        for n in 0..TEXTS {
            write(&carrier, &members[n % MEMBERS], &format!("text {kill} {n}"));
        }
        let goal = before + random.usize(1..TEXTS);
        ask_until("so many messages", || (every(&mut client, "mo").len() >= goal).then_some(()));
        gateway.kill();
    }
    let gateway = place.start();
    let mut client = gateway.client();
    let asked = every(&mut client, "mo");
    let mut forwarded = HashMap::new();
    for message in &asked {
        let events = finished(&mut client, &id_of(message));
        let batches = details(&events, "forwarded");
        assert_eq!(batches.len(), 1, "{events:?}");
        let (batch, to) = sent(batches[0]);
        assert_eq!(to, format!("{} members of choir", MEMBERS - 1));
        assert_eq!(forwarded.insert(batch.to_owned(), message.clone()), None, "a batch of its own");
        assert_eq!(details(&events, "replied").len(), 1, "{events:?}");
    }
    // Each text to each other member, as often as it was recorded.
    let mut wanted: HashMap<(String, String), i64> = HashMap::new();
    for message in forwarded.values() {
        let [from, text] = ["from", "text"].map(|field| message[field].as_str().expect("a text"));
        for member in members.iter().filter(|member| *member != from) {
            *wanted.entry((member.clone(), format!("{from}: {text}"))).or_default() += 1;
        }
        *wanted.entry((from.to_owned(), "Sent".to_owned())).or_default() += 1;
    }
    let all = every(&mut client, "mt");
    for message in &all {
        let [to, text] = ["to", "text"].map(|field| message[field].as_str().expect("a text").to_owned());
        *wanted.entry((to, text)).or_default() -= 1;
    }
    wanted.retain(|_, count| *count != 0);
    assert!(wanted.is_empty() && all.len() == asked.len() * MEMBERS, "too few or too many: {wanted:?}");
    for message in &all {
        sink.wait_event(&id_of(message), "message.delivered");
    }
}
