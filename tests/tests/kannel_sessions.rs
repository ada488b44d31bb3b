//! Kannel as an application of the gateway over UCP and CIMD2: it sends and receives as over any SMSC, and its
//! receipts find their messages, also after the gateway was killed.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Process, Sink, ask_until, command, connector, resources, skip};
use simulator::{Mo, MoContent, MoForm, ReceiptSettings, SeenMessage, Smsc, SmscSettings};
use tempfile::TempDir;

/// A protocol, as Kannel and the gateway are told of it.
#[derive(Clone, Copy)]
struct Protocol {
    /// In the gateway's configuration and an account's settings.
    name: &'static str,
    /// What Kannel calls it, and its keys.
    smsc: &'static str,
}

const UCP: Protocol = Protocol { name: "ucp", smsc: "emi\nkeepalive = 30" };
const CIMD2: Protocol = Protocol { name: "cimd2", smsc: "cimd2\nkeepalive = 30" };

#[test]
fn kannel_sends_and_receives_over_ucp() {
    sends_and_receives(UCP);
}

#[test]
fn kannel_sends_and_receives_over_cimd2() {
    sends_and_receives(CIMD2);
}

#[test]
fn kannel_hears_over_ucp_of_what_a_killed_gateway_had_accepted() {
    outlives_the_gateway(UCP);
}

#[test]
fn kannel_hears_over_cimd2_of_what_a_killed_gateway_had_accepted() {
    outlives_the_gateway(CIMD2);
}

fn sends_and_receives(protocol: Protocol) {
    if !Path::new("/usr/sbin/bearerbox").exists() {
        return skip("Kannel is not installed");
    }
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = place(protocol, &carrier, &sink);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut gateway = start(&place, protocol, address);
    let mut kannel = Kannel::start(protocol, address, &sink);

    let long = "Gr%C3%BC%C3%9Fe+aus+K%C3%B6ln.+".repeat(20);
    kannel.send("%2B447700900123", "text=Hello+%E2%82%AC+%5B%40%5D&charset=UTF-8");
    kannel.send("447700900124", "coding=2&charset=UTF-16BE&text=%03%A8%04%36");
    kannel.send("447700900125", &format!("text={long}&charset=UTF-8"));
    kannel.send("447700900126", "coding=1&udh=%06%05%04%0B%84%00%00&text=%00%01%FF");
    for phone in ["447700900123", "447700900124", "447700900125", "447700900126"] {
        kannel.hears_of(phone, 1);
    }
    let seen = carrier.seen();
    let to = |number: &str| -> Vec<&SeenMessage> {
        seen.iter().filter(|message| &*message.destination.2 == number).collect()
    };
    assert_eq!(&*to("447700900123")[0].text, "Hello € [@]");
    assert_eq!(&*to("447700900124")[0].text, "Ψж");
    let mut parts = to("447700900125");
    parts.sort_by_key(|part| part.concat.map(|concat| concat.sequence));
    let text: String = parts.iter().map(|part| &*part.text).collect();
    assert_eq!((parts.len(), text), (3, "Grüße aus Köln. ".repeat(20)));
    assert_eq!(to("447700900126")[0].user_data[..], [6, 5, 4, 0x0B, 0x84, 0, 0, 0, 1, 0xFF]);

    let long = "Wie geht's? [ü] € ".repeat(20);
    for text in ["Danke", &long] {
        let content = MoContent::Text { text: text.into(), form: MoForm::Udh, reference: 7 };
        let mo = Mo { from: "+447700900055".into(), to: "60777".into(), content, system_id: None };
        carrier.inject_mo(&mo).expect("it can be sent");
    }
    for part in ["mo=Danke&", "mo=Wie+geht's%3F+%5B%C3%BC%5D+%E2%82%AC"] {
        let told = sink.wait("call of the get-url", |call| call.path.contains(part).then(|| call.path.clone()));
        assert!(told.contains("447700900055"), "{told}");
    }
    assert!(gateway.stop().success());
}

/// What was accepted before a kill is delivered after it, and Kannel, which has connected again by itself, is told.
fn outlives_the_gateway(protocol: Protocol) {
    const MESSAGES: usize = 40;
    if !Path::new("/usr/sbin/bearerbox").exists() {
        return skip("Kannel is not installed");
    }
    // Receipts come when the gateway is there again.
    let late = Duration::from_secs(3);
    let receipts = ReceiptSettings { delay: (late, late), ..ReceiptSettings::default() };
    let carrier = Carrier::start(SmscSettings { receipts, ..SmscSettings::default() });
    let sink = Sink::start();
    let place = place(protocol, &carrier, &sink);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let gateway = start(&place, protocol, address);
    let mut kannel = Kannel::start(protocol, address, &sink);
    // Two to each phone, in the same second as far as it goes.
    let phone = |n: usize| format!("4477009001{:02}", n / 2);
    for n in 0..MESSAGES {
        kannel.send(&phone(n), &format!("text=number+{n}"));
    }
    kannel.all_accepted(MESSAGES);
    gateway.kill();
    let mut gateway = start(&place, protocol, address);
    for n in 0..MESSAGES {
        kannel.hears_of_text(&phone(n), &format!("number+{n}"));
    }
    assert!(gateway.stop().success());
}

fn place(protocol: Protocol, carrier: &Carrier<Smsc>, sink: &Sink) -> Place {
    let connector = connector("carrier", carrier.address(), "");
    let login = format!("{} = {{ user = \"12345\", password = \"secret\", incoming = \"always\" }}", protocol.name);
    Place::new(&resources(sink, "carrier", &connector).replacen(
        "default_country",
        &format!("{login}\ndefault_country"),
        1,
    ))
}

fn start(place: &Place, protocol: Protocol, address: SocketAddr) -> Gateway {
    let listen = format!("POSTRIDER_{}__LISTEN", protocol.name.to_uppercase());
    place.start_with(command().env(listen, format!("[\"{address}\"]")))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A running Kannel, and how it is asked to send.
struct Kannel<'a> {
    client: Client,
    status: Client,
    receipt: String,
    sink: &'a Sink,
    _boxes: [Process; 2],
    _directory: TempDir,
}

impl<'a> Kannel<'a> {
    /// Starts it, and waits until it is logged in to the gateway.
    fn start(protocol: Protocol, gateway: SocketAddr, sink: &'a Sink) -> Self {
        let [admin, boxes, sendsms] = [free_port(), free_port(), free_port()];
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("kannel.conf");
        let configuration = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = x\nsmsbox-port = {boxes}\ndlr-storage = internal\n\n\
             group = smsc\nsmsc = {}\nsmsc-id = gateway\nhost = 127.0.0.1\nport = {}\nsmsc-username = 12345\n\
             smsc-password = secret\nmy-number = 12345\nreconnect-delay = 1\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\n\n\
             group = sendsms-user\nusername = app\npassword = app\nconcatenation = true\nmax-messages = 9\n\n\
             group = sms-service\nkeyword = default\nomit-empty = true\nmax-messages = 0\n\
             get-url = \"{}?mo=%b&phone=%p\"\n",
            protocol.smsc,
            gateway.port(),
            sink.url()
        );
        std::fs::write(&file, configuration).expect("it can be written");
        let start = |program: &str| Process::start(Command::new(program).arg(&file).current_dir(directory.path()));
        let listens = |port: u16| ask_until("listener", || TcpStream::connect(("127.0.0.1", port)).ok());
        let bearerbox = start("/usr/sbin/bearerbox");
        listens(boxes);
        let smsbox = start("/usr/sbin/smsbox");
        listens(sendsms);
        let receipt = sink.url().replace(':', "%3A").replace('/', "%2F");
        let receipt = receipt + "%3Fevent%3D%25d%26phone%3D%25p%26about%3D";
        let client = |port: u16| Client::new(([127, 0, 0, 1], port).into());
        let mut kannel = Self {
            client: client(sendsms),
            status: client(admin),
            receipt,
            sink,
            _boxes: [bearerbox, smsbox],
            _directory: directory,
        };
        ask_until("login", || kannel.status("(online").then_some(()));
        kannel
    }

    fn status(&mut self, what: &str) -> bool {
        self.status.get("/status.txt?password=x").body.contains(what)
    }

    /// Hands a message in; its receipts say what it was.
    fn send(&mut self, to: &str, what: &str) {
        let about = what.split(['=', '&']).nth(1).unwrap_or_default().replace('+', "-").replace('%', "");
        let query = format!(
            "/cgi-bin/sendsms?username=app&password=app&from=60777&to={to}&{what}&dlr-mask=31&dlr-url={}{about}",
            self.receipt
        );
        ask_until("answer of smsbox", || {
            let answer = self.client.get(&query);
            answer.body.starts_with("0:").then_some(())
        });
    }

    /// Waits until the gateway has answered so many.
    fn all_accepted(&mut self, count: usize) {
        for n in 0..count {
            let part = format!("about=number-{n}");
            self.sink.wait("call of the dlr-url", |call| {
                (call.path.contains("event=8&") && call.path.ends_with(&part)).then_some(())
            });
        }
    }

    fn hears_of(&self, phone: &str, event: u8) {
        let event = format!("event={event}&");
        self.sink.wait("call of the dlr-url", |call| {
            (call.path.contains(&event) && call.path.contains(phone)).then_some(())
        });
    }

    fn hears_of_text(&self, phone: &str, text: &str) {
        let about = format!("about={}", text.replace('+', "-"));
        self.sink.wait("call of the dlr-url", |call| {
            let it = call.path.contains("event=1&") && call.path.contains(phone) && call.path.ends_with(&about);
            it.then_some(())
        });
    }
}
