//! Kannel as an application of the gateway over UCP and CIMD2: it sends and receives as over any SMSC, and its
//! receipts find their messages, also after the gateway was killed.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Process, Sink, ask_until, command, connector, resources, skip};
use simulator::{MoRequest, ReceiptSettings, Seen, SmscSettings};
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
    let to = |number: &str| -> Vec<&Seen> { seen.iter().filter(|message| &*message.to == number).collect() };
    assert_eq!(&*to("447700900123")[0].text, "Hello € [@]");
    assert_eq!(&*to("447700900124")[0].text, "Ψж");
    let mut parts = to("447700900125");
    parts.sort_by_key(|part| part.concat.map(|concat| concat.sequence));
    let text: String = parts.iter().map(|part| &*part.text).collect();
    assert_eq!((parts.len(), text), (3, "Grüße aus Köln. ".repeat(20)));
    assert_eq!(to("447700900126")[0].user_data[..], [6, 5, 4, 0x0B, 0x84, 0, 0, 0, 1, 0xFF]);

    let text = "Wie geht's? [ü] € ".repeat(20);
    for text in ["Danke", &text] {
        carrier
            .inject_mo(MoRequest { from: "+447700900055", to: "60777", text, ..MoRequest::default() })
            .expect("it can be sent");
    }
    for part in ["mo=Danke&", "mo=Wie+geht's%3F+%5B%C3%BC%5D+%E2%82%AC"] {
        let told = kannel.sink.wait("call of the get-url", |call| call.path.contains(part).then(|| call.path.clone()));
        assert!(told.contains("447700900055"), "{told}");
    }
    assert!(gateway.stop().success());
}
