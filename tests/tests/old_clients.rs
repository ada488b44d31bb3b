//! Programs that were written for other gateways, and only have another address now: Kannel itself,
//! whose `http` link is a client of `sendsms` and of `dlr-url`, and Ozeki's client library.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Process, Sink, TOKEN, ask_until, command, connector, peers, skip};
use serde_json::json;
use simulator::{Mo, SmscSettings};

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn wait_for(port: u16) {
    ask_until("listener", || TcpStream::connect(("127.0.0.1", port)).ok());
}

/// A gateway at `place` that serves the interface which `variable` switches on, with its carrier bound.
fn gateway(place: &Place, variable: &str, carrier: &Carrier) -> Gateway {
    let gateway = place.start_with(command().env(variable, "true"));
    scenarios::ask_until("bind", || (carrier.bound() > 0).then_some(()));
    gateway
}

/// An account that old clients know, whose incoming messages go to `incoming` as Kannel would send them.
fn resources(carrier: &Carrier, incoming: &str) -> String {
    format!(
        r#"
[[account]]
id = "shop"
api_token = "{TOKEN}"
default_sender = "SHOP"
compat = {{ username = "tester", password = "foobar" }}
webhooks = [{{ url = "{incoming}", style = "kannel", events = ["message.received"] }}]

{}

[[inbound]]
id = "all"
account = "shop"
"#,
        connector("carrier", carrier.address(), "")
    )
}

#[test]
fn kannel_sends_through_it_and_hears_of_receipts_and_replies() {
    if !std::path::Path::new("/usr/sbin/bearerbox").exists() {
        return skip("Kannel is not installed");
    }
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let [admin, boxes, link, sendsms] = [free_port(), free_port(), free_port(), free_port()];
    let back = format!("http://127.0.0.1:{link}/?username=tester&password=foobar");
    let place = Place::new(&resources(&carrier, &format!("{back}&from=%p&to=%P&text=%b&coding=%c")));
    let gateway = gateway(&place, "POSTRIDER_KANNEL__ON_HTTP", &carrier);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("kannel.conf");
    let configuration = format!(
        "group = core\nadmin-port = {admin}\nadmin-password = x\nsmsbox-port = {boxes}\ndlr-storage = internal\n\n\
         group = smsc\nsmsc = http\nsmsc-id = postrider\nsystem-type = kannel\nsmsc-username = tester\n\
         smsc-password = foobar\nport = {link}\nconnect-allow-ip = \"127.0.0.1\"\n\
         send-url = \"http://{}/cgi-bin/sendsms\"\ndlr-url = \"{back}&from=%P&to=%p&text=%A\"\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\n\n\
         group = sendsms-user\nusername = app\npassword = app\n\n\
         group = sms-service\nkeyword = default\nomit-empty = true\nmax-messages = 0\n\
         get-url = \"{}?mo=%b&phone=%p\"\n",
        gateway.address(),
        sink.url()
    );
    std::fs::write(&file, configuration).expect("it can be written");
    let _bearerbox = Process::start(Command::new("/usr/sbin/bearerbox").arg(&file).current_dir(directory.path()));
    wait_for(boxes);
    wait_for(link);
    let _smsbox = Process::start(Command::new("/usr/sbin/smsbox").arg(&file).current_dir(directory.path()));
    wait_for(sendsms);

    let receipt = sink.url().replace(':', "%3A").replace('/', "%2F") + "%3Fevent%3D%25d%26said%3D%25A%26phone%3D%25p";
    let query = format!(
        "username=app&password=app&from=447700900999&to=447700900123&text=Hello+%E2%82%AC&dlr-mask=31&dlr-url={receipt}"
    );

    let answer = ask_until("answer of smsbox", || {
        let answer = scenarios::Client::new(([127, 0, 0, 1], sendsms).into()).get(&format!("/cgi-bin/sendsms?{query}"));
        answer.body.starts_with("0:").then_some(answer)
    });

    assert_eq!((answer.status, answer.body.as_str()), (202, "0: Accepted for delivery"));
    let delivered = sink.wait("call of the dlr-url", |call| call.path.contains("event=1&").then(|| call.path.clone()));
    assert!(delivered.contains("stat%3ADELIVRD") && delivered.contains("phone=447700900123"), "{delivered}");
    let seen = carrier.seen();
    assert!(seen.iter().any(|message| message.destination.2.ends_with("447700900123")), "{seen:?}");

    carrier.inject_mo(&Mo::text("447700900055", "60777", "Wie geht's? ü")).expect("it can be sent");
    let incoming = sink.wait("call of the get-url", |call| call.path.contains("mo=").then(|| call.path.clone()));
    assert!(incoming.contains("Wie+geht's%3F+%C3%BC") && incoming.contains("447700900055"), "{incoming}");
    drop(gateway);
}

#[test]
fn ozekis_library_sends_through_it() {
    let python = match peers::python("ozekilibsrest") {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let carrier = Carrier::start(SmscSettings::default());
    let place = Place::new(&resources(&carrier, "http://127.0.0.1:9/"));
    let gateway = gateway(&place, "POSTRIDER_OZEKI__ON_HTTP", &carrier);
    let address = gateway.address().to_string();
    for (password, expected) in [("foobar", "Success\n"), ("wrong", "")] {
        let script = peers::script("ozeki.py");
        let arguments = [&*address, "tester", password, "+447700900123", "From Ozeki's library"];
        let output = Command::new(&python).arg(script).args(arguments).output().expect("Python runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    }
    assert_eq!(carrier.seen().len(), 1);
    assert_eq!(gateway.client().get("/v1/messages").json()["data"][0]["ingress"], json!("ozeki"));
}
