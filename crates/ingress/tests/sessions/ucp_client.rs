//! A UCP client that sees everything.

use std::net::SocketAddr;
use std::time::Duration;

use ucp::*;

use crate::link::Link;

pub struct Client {
    link: Link,
    session: Session,
    next: u64,
}

/// What came, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Opened,
    Refused(ErrorCode),
    Answer { token: u64, code: Option<ErrorCode>, sm: String },
    Operation(Box<Came>),
    Closed,
}

/// A 52, 53 or 57.
#[derive(Debug, Clone, PartialEq)]
pub struct Came {
    pub trn: Trn,
    pub ot: OperationType,
    pub adc: String,
    pub oadc: String,
    pub otoa: Option<AddressType>,
    pub scts: String,
    pub outcome: Option<(u8, u16)>,
    pub text: String,
    pub octets: Vec<u8>,
    pub udh: Vec<u8>,
    pub more: bool,
}

/// A text to +447700900123 with notifications of both ends.
pub fn message(text: &[u8]) -> ShortMessage<'_> {
    ShortMessage {
        adc: b"00447700900123",
        oadc: b"60777",
        nrq: Some(1),
        nt: Some(NotificationType::FINAL),
        content: Content::alphanumeric(text),
        ..ShortMessage::default()
    }
}

impl Client {
    pub async fn connect(address: SocketAddr, user: &str, password: &str) -> Self {
        let login = Login { oadc: user.into(), password: password.into(), ..Login::default() };
        let session = SessionConfig { window: 100, ..SessionConfig::default() };
        let config = ClientConfig { login: Some(login), session, ..ClientConfig::default() };
        let session = Session::client(config, Duration::ZERO).unwrap();
        Self { link: Link::connect(address).await, session, next: 0 }
    }

    /// One that is logged in.
    pub async fn login(address: SocketAddr) -> Self {
        let mut client = Self::connect(address, "60777", "secret").await;
        assert_eq!(client.next().await, Seen::Opened);
        client
    }

    pub fn request(&mut self, operation: &Operation<'_>) -> u64 {
        self.next += 1;
        self.session.request(operation, self.next, self.link.now()).unwrap();
        self.next
    }

    /// What this is answered with.
    pub async fn ask(&mut self, operation: &Operation<'_>) -> (Option<ErrorCode>, String) {
        let wanted = self.request(operation);
        match self.next().await {
            Seen::Answer { token, code, sm } if token == wanted => (code, sm),
            other => panic!("no answer but {other:?}"),
        }
    }

    /// The time stamp that a message is taken with.
    pub async fn submit(&mut self, message: &ShortMessage<'_>) -> String {
        let (code, sm) = self.ask(&Operation::Submit(*message)).await;
        assert_eq!(code, None, "{sm}");
        let (adc, scts) = sm.split_once(':').unwrap();
        assert_eq!(adc.as_bytes(), message.adc);
        scts.to_owned()
    }

    /// The next operation of the server's.
    pub async fn came(&mut self) -> Came {
        match self.next().await {
            Seen::Operation(came) => *came,
            other => panic!("no operation but {other:?}"),
        }
    }

    pub async fn acknowledge(&mut self, trn: Trn) {
        self.session.respond(trn, &Answer::ACK, self.link.now()).unwrap();
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
                octets => assert_eq!(self.session.receive(&octets, self.link.now()), octets.len()),
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
                Event::Opened { .. } => Seen::Opened,
                Event::LoginRefused { code, .. } => Seen::Refused(code),
                Event::Response { token, answer, .. } => {
                    Seen::Answer { token, code: answer.code(), sm: words(answer.sm()) }
                }
                Event::Request { trn, operation } => {
                    let (Operation::Deliver(message)
                    | Operation::Notify(message)
                    | Operation::InquiryResponse(message)) = operation
                    else {
                        panic!("{operation:?}")
                    };
                    let octets = message.content.octets().map(|hex| hex.to_vec()).unwrap_or_default();
                    Seen::Operation(Box::new(Came {
                        trn,
                        ot: operation.ot(),
                        adc: words(message.adc),
                        oadc: words(message.oadc),
                        otoa: message.otoa,
                        scts: words(message.scts),
                        outcome: message.dst.map(|dst| (dst.0, message.rsn.unwrap_or_default().0)),
                        text: sms::decode_gsm7(&octets, sms::Shift::default()),
                        octets,
                        udh: message.xser.udh().map(|udh| udh.to_vec()).unwrap_or_default(),
                        more: message.mms == Some(1),
                    }))
                }
                Event::Closed(_) => Seen::Closed,
                _ => continue,
            });
        }
        None
    }
}
