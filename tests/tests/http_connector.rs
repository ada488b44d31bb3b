//! Providers with an HTTP API: the gateway as client of simulated ones, and of a gateway that others have
//! written, Kannel, whose receipts come back by call.

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Process, Sink, ask_until, command, connector, resources, skip};
use serde_json::json;
use simulator::{HttpApi, HttpProvider, HttpProviderSettings, SmscSettings};

const KILLS: usize = 4;
const MESSAGES: usize = 150;
const WINDOW: usize = 8;
/// What may be sent again after a crash: the window, and what was not settled yet.
const AGAIN_PER_KILL: usize = WINDOW + 64;
/// The part of a call-back's path that nobody else knows.
const SECRET: &str = "a-secret-of-the-path";

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A place whose gateway listens where providers are told to call, and has one connector.
struct Called {
    place: Place,
    port: u16,
}

impl Called {
    fn new(sink: &Sink, preset: &str, address: &str, more: &str) -> Self {
        let port = free_port();
        let callback = format!("callback = {{ url = \"http://127.0.0.1:{port}\", secret = \"{SECRET}\" }}");
        let more = format!("window = {WINDOW}\nhttp = {{ preset = \"{preset}\", {callback}{more} }}");
        let provider = connector("provider", address, &more).replace("\"smpp\"", "\"http\"");
        Self { place: Place::new(&resources(sink, "provider", &provider)), port }
    }

    fn of(sink: &Sink, preset: &str, carrier: &Carrier<HttpProvider>, more: &str) -> Self {
        let called = Self::new(sink, preset, &format!("http://{}", carrier.address()), more);
        carrier.change(|settings| settings.callback = Some(called.callback()));
        called
    }

    fn callback(&self) -> String {
        format!("http://127.0.0.1:{}/carriers/provider/{SECRET}", self.port)
    }

    fn start(&self) -> Gateway {
        let listen = format!("[\"127.0.0.1:{}\"]", self.port);
        self.place.start_with(command().env("POSTRIDER_HTTP__LISTEN", listen))
    }
}

fn settings(api: HttpApi) -> HttpProviderSettings {
    HttpProviderSettings { user: "gateway".into(), ..HttpProviderSettings::new(api) }
}

#[test]
fn messages_receipts_and_replies_pass_over_http() {
    let (carrier, sink) = (Carrier::start_http(settings(HttpApi::Twilio)), Sink::start());
    let called = Called::of(&sink, "twilio", &carrier, "");
    carrier.change(|settings| settings.callback = None);
    let mut gateway = called.start();
    let mut client = gateway.client();
    let long = "Grüße aus Köln. ".repeat(15);
    for text in ["Plain", &long, "Žluťoučký kůň"] {
        let id = client.send(&json!({ "to": "+447700900001", "text": text }));
        let delivered = sink.wait_event(&id, "message.delivered").data;
        assert_eq!(delivered["parts"].as_array().map(Vec::len), Some(1), "{delivered}");
    }
    let seen = carrier.seen();
    let texts: Vec<&str> = seen.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, ["Plain", &long, "Žluťoučký kůň"]);
    assert_eq!((&*seen[0].from, &*seen[0].to), ("SHOP", "+447700900001"));

    // Who does not know the path, or can't sign, is told nothing and changes nothing.
    let mut other = Client::new(gateway.address());
    let form = "MessageSid=SM1&From=%2B447700900055&To=60777&Body=forged";
    for (path, status) in [("wrong-secret-of-the-path", 404), (SECRET, 403)] {
        let path = format!("/carriers/provider/{path}?{form}");
        assert_eq!(other.get(&path).status, status, "{path}");
    }
    assert!(gateway.stop().success());
    let log = gateway.log().all().join("\n");
    assert!(!log.contains(SECRET), "the path's secret is in the log");
}

#[test]
fn messages_from_phones_are_kept_before_the_provider_is_answered() {
    let (carrier, sink) = (Carrier::start_http(settings(HttpApi::Sinch)), Sink::start());
    let called = Called::of(&sink, "sinch", &carrier, "");
    let gateway = called.start();
    // It is brought again until it is taken.
    ask_until("address to call", || carrier.inject_mo("+447700900055", "60777", "Wie geht's? ü").then_some(()));
    ask_until("acknowledgement", || (carrier.counters().mo_acked == 1).then_some(()));
    gateway.kill();
    let _gateway = called.start();
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert_eq!((&received["text"], &received["from"]), (&json!("Wie geht's? ü"), &json!("+447700900055")));
}

#[test]
fn what_was_accepted_is_sent_however_often_the_gateway_is_killed() {
    let resp_delay = (Duration::from_millis(1), Duration::from_millis(3));
    let carrier = Carrier::start_http(HttpProviderSettings { resp_delay, ..settings(HttpApi::Telnyx) });
    let sink = Sink::start();
    let called = Called::of(&sink, "telnyx", &carrier, "");
    let mut ids = HashMap::new();
    for kill in 0..KILLS {
        let gateway = called.start();
        let mut client = gateway.client();
        for number in 0..MESSAGES {
            let text = format!("message {number} before kill {kill}");
            ids.insert(client.send(&json!({ "to": "+447700900001", "text": text })), text);
        }
        gateway.kill();
    }
    let gateway = called.start();
    let mut client = gateway.client();
    ask_until("distinct messages", || (carrier.counters().distinct == (KILLS * MESSAGES) as u64).then_some(()));
    let mut times: HashMap<String, usize> = HashMap::new();
    for seen in carrier.seen() {
        *times.entry(seen.text.into()).or_default() += 1;
    }
    let lost: Vec<&String> = ids.values().filter(|text| !times.contains_key(*text)).collect();
    assert!(lost.is_empty(), "accepted and never sent: {lost:?}");
    let again = carrier.counters().duplicates as usize;
    assert!(again <= KILLS * AGAIN_PER_KILL, "{again} messages were sent again");
    // Receipts that came while nobody was there come again.
    for id in ids.keys() {
        ask_until("message that is delivered", || (client.message(id)["status"] == "delivered").then_some(()));
    }
}

#[test]
fn kannel_takes_messages_and_tells_what_became_of_them() {
    if !std::path::Path::new("/usr/sbin/bearerbox").exists() {
        return skip("Kannel is not installed");
    }
    let smsc = SmscSettings { system_id: Some("kannel".into()), ..SmscSettings::default() };
    let (carrier, sink) = (Carrier::start(smsc), Sink::start());
    let [admin, boxes, sendsms] = [free_port(), free_port(), free_port()];
    let called = Called::new(&sink, "kannel", &format!("http://127.0.0.1:{sendsms}"), "");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("kannel.conf");
    let configuration = format!(
        "group = core\nadmin-port = {admin}\nadmin-password = x\nsmsbox-port = {boxes}\ndlr-storage = internal\n\n\
         group = smsc\nsmsc = smpp\nsmsc-id = c\nhost = 127.0.0.1\nport = {}\nsmsc-username = kannel\n\
         smsc-password = secret\nsystem-type = VMA\ntransceiver-mode = true\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\n\n\
         group = sendsms-user\nusername = gateway\npassword = secret\n\n\
         group = sms-service\nkeyword = default\nomit-empty = true\nmax-messages = 0\n\
         get-url = \"{}?from=%p&to=%P&text=%b\"\n",
        carrier.address().port(),
        called.callback()
    );
    std::fs::write(&file, configuration).expect("it can be written");
    let _bearerbox = Process::start(Command::new("/usr/sbin/bearerbox").arg(&file).current_dir(directory.path()));
    let listens = |port: u16| ask_until("listener", || TcpStream::connect(("127.0.0.1", port)).ok());
    listens(boxes);
    let _smsbox = Process::start(Command::new("/usr/sbin/smsbox").arg(&file).current_dir(directory.path()));
    listens(sendsms);

    let gateway = called.start();
    let mut client = gateway.client();
    for text in ["Hello € & good-bye", "Žluťoučký kůň"] {
        let id = client.send(&json!({ "to": "+447700900123", "from": "60777", "text": text }));
        sink.wait_event(&id, "message.delivered");
    }
    let texts: Vec<String> = carrier.seen().iter().map(|message| message.text.to_string()).collect();
    assert_eq!(texts, ["Hello € & good-bye", "Žluťoučký kůň"]);

    let from = simulator::Mo::text("+447700900055", "60777", "Wie geht's? ü");
    carrier.inject_mo(&from).expect("it can be sent");
    let received = sink.wait("message.received", |call| (call.event == "message.received").then(|| call.data.clone()));
    assert_eq!((&received["text"], &received["from"]), (&json!("Wie geht's? ü"), &json!("+447700900055")));
}
