//! A second SIGTERM or SIGINT while the gateway stops: it ends at once, says so, and loses nothing.

use std::io::Write as _;
use std::net::TcpStream;

use rustix::process::Signal;
use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, TOKEN, ask_until, command, connector, resources};
use serde_json::json;
use simulator::SmscSettings;

#[test]
fn a_second_sigterm_ends_it_at_once() {
    ends_at_once(Signal::TERM);
}

#[test]
fn a_second_sigint_ends_it_at_once() {
    ends_at_once(Signal::INT);
}

fn ends_at_once(signal: Signal) {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    // Nobody listens there, so that the message is still in the queue at the end.
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", "")));
    let mut patient = command();
    for limit in ["HEADER_TIMEOUT", "REQUEST_TIMEOUT", "SHUTDOWN_GRACE"] {
        patient.env(format!("POSTRIDER_HTTP__LIMITS__{limit}"), "1h");
    }
    let mut gateway = place.start_with(&mut patient);
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "kept" }));

    // A request without its end is under way for as long as the limits allow.
    let mut held = TcpStream::connect(gateway.address()).expect("it listens");
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    );
    held.write_all(head.as_bytes()).expect("it reads");
    let mut begun = [0; 12];
    std::io::Read::read_exact(&mut held, &mut begun).expect("it waits for the body");
    assert_eq!(&begun, b"HTTP/1.1 100");

    let stopping = |line: &str| line.contains("\"stopping\"").then_some(());
    gateway.signal(signal);
    gateway.log().wait("\"stopping\"", stopping);
    assert!(gateway.ended().is_none(), "it waits for the request");
    // Those that follow the first within a moment count as one with it.
    let status = ask_until("end", || {
        gateway.signal(signal);
        gateway.ended()
    });
    assert_eq!(status.code(), Some(1), "{}", gateway.log().tail());
    gateway.log().wait("the reason", |line| line.contains("stopped at once").then_some(()));
    assert!(!gateway.log().all().iter().any(|line| line.contains("\"stopped\"")), "{}", gateway.log().tail());

    place.write_resources(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
    let _gateway = place.start();
    sink.wait_event(&id, "message.delivered");
    assert_eq!(carrier.seen().len(), 1);
}
