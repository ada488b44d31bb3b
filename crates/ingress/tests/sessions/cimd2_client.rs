//! A CIMD2 client that sees everything.

use std::net::SocketAddr;
use std::time::Duration;

use cimd2::*;

use crate::link::Link;

pub struct Client {
    link: Link,
    session: Session,
    next: u64,
    /// All octets that came.
    pub heard: Vec<u8>,
}

/// What came, owned. Packets are written as Rust shows them.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Greeting(String),
    LoggedIn,
    Refused(ErrorCode),
    Answer { token: u64, error: ErrorCode, packet: String, stamp: String },
    Report { sequence: u16, to: String, from: String, at: String, outcome: (u8, Option<u16>) },
    Message(Box<Came>),
    Closed,
}

/// A message from a phone.
#[derive(Debug, Clone, PartialEq)]
pub struct Came {
    pub sequence: u16,
    pub to: String,
    pub from: String,
    pub dcs: Option<u8>,
    pub header: Vec<u8>,
    pub text: String,
    pub octets: Vec<u8>,
}

/// A text to +447700900123 with reports of all ends.
pub fn message(text: &[u8]) -> Submit<'_> {
    Submit {
        destinations: Values::one(b"447700900123"),
        originator: b"60777",
        text: Some(text),
        status_reports: Some(StatusReports::FINAL),
        ..Submit::default()
    }
}

impl Client {
    pub async fn connect(address: SocketAddr, user: &str, password: &str, window: usize) -> Self {
        let session = SessionConfig { window, ..SessionConfig::default() };
        let config = ClientConfig {
            user: user.into(),
            password: password.into(),
            announce_window: window > 1,
            session,
            ..ClientConfig::default()
        };
        let session = Session::client(config, Duration::ZERO).unwrap();
        let mut client = Self { link: Link::connect(address).await, session, next: 0, heard: Vec::new() };
        match client.next().await {
            Seen::Greeting(line) => assert_eq!(line, "CIMD2-A Postrider"),
            Seen::Closed => {}
            other => panic!("{other:?}"),
        }
        client
    }

    /// One that is logged in.
    pub async fn login(address: SocketAddr, window: usize) -> Self {
        let mut client = Self::connect(address, "60777", "secret", window).await;
        assert_eq!(client.next().await, Seen::LoggedIn);
        client
    }

    pub fn request(&mut self, operation: &impl Operation) -> u64 {
        self.next += 1;
        self.session.request(operation, self.next, self.link.now()).unwrap();
        self.next
    }

    /// What this is answered with: the error, the packet, and the time stamp in it.
    pub async fn ask(&mut self, operation: &impl Operation) -> (ErrorCode, String, String) {
        let wanted = self.request(operation);
        match self.next().await {
            Seen::Answer { token, error, packet, stamp } if token == wanted => (error, packet, stamp),
            other => panic!("no answer but {other:?}"),
        }
    }

    /// The time stamp that a message is taken with.
    pub async fn submit(&mut self, message: &Submit<'_>) -> String {
        let (error, packet, stamp) = self.ask(message).await;
        assert_eq!(error, ErrorCode::OK, "{packet}");
        stamp
    }

    /// The next message from a phone.
    pub async fn came(&mut self) -> Came {
        match self.next().await {
            Seen::Message(came) => *came,
            other => panic!("no message but {other:?}"),
        }
    }

    pub async fn acknowledge(&mut self, sequence: u16, of: &impl Operation) {
        self.session.respond(sequence, of, self.link.now()).unwrap();
        self.write().await;
    }

    /// What comes next.
    pub async fn next(&mut self) -> Seen {
        loop {
            self.write().await;
            if let Some(seen) = self.seen() {
                return seen;
            }
            match self.link.read().await {
                octets if octets.is_empty() => self.session.transport_closed(),
                octets => {
                    self.heard.extend_from_slice(&octets);
                    assert_eq!(self.session.receive(&octets, self.link.now()), octets.len());
                }
            }
        }
    }

    async fn write(&mut self) {
        let octets = self.session.output().to_vec();
        self.session.consume_output(octets.len());
        self.link.write(&octets).await;
    }

    fn seen(&mut self) -> Option<Seen> {
        let words = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        while let Some(event) = self.session.next_event(self.link.now()) {
            return Some(match event {
                Event::Greeting { text } => Seen::Greeting(words(text)),
                Event::LoggedIn => Seen::LoggedIn,
                Event::LoginRefused { error, .. } => Seen::Refused(error),
                Event::Response { token, error, packet } => {
                    let stamp = match packet {
                        Packet::SubmitResp(answer) => words(answer.timestamp),
                        Packet::GetResp(answer) => words(answer.smsc_time),
                        _ => String::new(),
                    };
                    Seen::Answer { token, error, packet: format!("{packet:?}"), stamp }
                }
                Event::Request { sequence, packet: Packet::StatusReport(report) } => Seen::Report {
                    sequence,
                    to: words(report.destination),
                    from: words(report.originator),
                    at: words(report.timestamp),
                    outcome: (report.status.unwrap().0, report.status_error.map(|error| error.0)),
                },
                Event::Request { sequence, packet: Packet::Deliver(message) } => {
                    let septets: Vec<u8> = septets(message.text.unwrap_or_default()).collect();
                    Seen::Message(Box::new(Came {
                        sequence,
                        to: words(message.destination),
                        from: words(message.originator),
                        dcs: message.dcs,
                        header: message.header.to_vec(),
                        text: sms::decode_gsm7(&septets, sms::Shift::default()),
                        octets: message.binary.to_vec(),
                    }))
                }
                Event::Closed(_) => Seen::Closed,
                _ => continue,
            });
        }
        None
    }
}
