//! Phones that opted out get nothing, by whichever way in it comes, and each way in says so in its own
//! words.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use scenarios::carrier::Carrier;
use scenarios::{PATIENCE, Place, Sink, ask_until, command, connector, resources_with_smpp};
use serde_json::json;
use simulator::SmscSettings;

const PHONE: &str = "447700900123";
const OTHER: &str = "447700900124";

/// An application that speaks SMPP 3.4, octet by octet.
struct Smpp(TcpStream, u32);

impl Smpp {
    fn bind(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut smpp = Self(stream, 0);
        assert_eq!(smpp.ask(9, b"shop\0secret\0\0\x34\0\0\0"), 0, "bind_transceiver (SMPP 3.4 \u{a7}4.1.5)");
        smpp
    }

    /// submit_sm (SMPP 3.4 §4.4.1): the answer's command_status.
    fn submit(&mut self, to: &str) -> u32 {
        let head = [b"\0\x05\0SHOP\0\x01\x01", to.as_bytes(), b"\0\0\0\0\0\0\0\0\0\0\x05hello"].concat();
        self.ask(4, &head)
    }

    /// Sends a request and gives the command_status of its answer; what else comes is passed over.
    fn ask(&mut self, command: u32, body: &[u8]) -> u32 {
        self.1 += 1;
        let words = [16 + body.len() as u32, command, 0, self.1];
        let head: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        self.0.write_all(&[&head, body].concat()).expect("it can be written");
        loop {
            let mut head = [0; 16];
            self.0.read_exact(&mut head).expect("an answer");
            let word = |n: usize| u32::from_be_bytes(head[n * 4..n * 4 + 4].try_into().expect("four octets"));
            let mut body = vec![0; word(0) as usize - 16];
            self.0.read_exact(&mut body).expect("a body");
            if word(1) == command | 0x8000_0000 && word(3) == self.1 {
                return word(2);
            }
        }
    }
}

#[test]
fn every_way_in_refuses_what_goes_to_phones_that_opted_out() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let resources = resources_with_smpp(&sink, "carrier", &connector("carrier", carrier.address(), ""), "");
    let login = "compat = { username = \"user\", password = \"pass\" }\ndefault_sender";
    let place = Place::new(&resources.replacen("default_sender", login, 1));
    let mut serve = command();
    for interface in ["KANNEL", "JASMIN", "OZEKI"] {
        serve.env(format!("POSTRIDER_{interface}__ON_HTTP"), "true");
    }
    let gateway = place.start_with(&mut serve);
    ask_until("bind", || (carrier.bound() > 0).then_some(()));
    let mut client = gateway.client();
    assert_eq!(client.post("/v1/opt-outs", &json!({ "phone": format!("+{PHONE}") })).status, 201);
    let mut said = |path: &str| {
        let answer = client.get(path);
        (answer.status, answer.body)
    };

    let kannel = |to: &str| format!("/cgi-bin/sendsms?username=user&password=pass&from=SHOP&to={to}&text=hello");
    let denied = "Number(s) has/have been denied by white- and/or black-lists.";
    assert_eq!(said(&kannel(PHONE)), (400, denied.to_owned()));
    assert_eq!(said(&kannel(OTHER)), (202, "0: Accepted for delivery".to_owned()));

    let jasmin = |to: &str| format!("/send?username=user&password=pass&from=SHOP&to={to}&content=hello");
    let (status, text) = said(&jasmin(PHONE));
    assert_eq!(status, 400, "{text}");
    assert!(text.starts_with("Error \"Value filter failed for user [user]") && text.contains("opted out"), "{text}");
    assert_eq!(said(&jasmin(OTHER)).0, 200);

    let ozeki = |to: &str| {
        format!(
            "/api?action=sendmessage&username=user&password=pass&recipient=%2B{to}&messagetype=SMS:TEXT\
             &messagedata=hello&originator=SHOP"
        )
    };
    let (status, text) = said(&ozeki(PHONE));
    assert!(status == 200 && text.contains("opted out") && !text.contains("<statuscode>0<"), "{status} {text}");
    let (status, text) = said(&ozeki(OTHER));
    assert!(status == 200 && text.contains("<statuscode>0<"), "{status} {text}");

    let mut smpp = Smpp::bind(gateway.smpp());
    assert_eq!((smpp.submit(PHONE), smpp.submit(OTHER)), (0x0b, 0), "ESME_RINVDSTADR and ESME_ROK");

    // Of many recipients at once the others get theirs.
    let (status, text) = said(&kannel(&format!("{PHONE}+{OTHER}")));
    assert_eq!((status, text.as_str()), (202, "0: Accepted for delivery"));
    let batch = json!({ "defaults": { "text": "hello" }, "messages": [{ "to": format!("+{PHONE}") }, { "to": format!("+{OTHER}") }] });
    let answer = client.post("/v1/batches", &batch).json();
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["problem"]["code"]), (&json!(1), &json!("opted_out")));

    let sent = ask_until("six messages at the carrier", || {
        let seen = carrier.seen();
        (seen.len() >= 6).then_some(seen)
    });
    assert!(sent.len() == 6 && sent.iter().all(|message| *message.destination.2 == *OTHER));
    let metrics = client.get("/metrics").body;
    assert!(metrics.contains(r#"postrider_opt_outs_heeded_total{account="shop"} 6"#), "{metrics}");
}
