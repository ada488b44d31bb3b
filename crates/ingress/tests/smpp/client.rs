//! A client that sees everything.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smpp::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Client<S = TcpStream> {
    stream: S,
    session: Session,
    began: Instant,
    next: u64,
}

/// What came, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Bound { system_id: String, version: Option<InterfaceVersion> },
    BindRefused(CommandStatus),
    Answer { token: u64, status: CommandStatus, id: String },
    Multi { id: String, failures: Vec<(String, CommandStatus)> },
    Query { status: CommandStatus, id: String, state: u8, final_date: String },
    Deliver(Box<Deliver>),
    Closed(CloseReason),
}

/// A deliver_sm.
#[derive(Debug, Clone, PartialEq)]
pub struct Deliver {
    pub sequence: u32,
    pub from: String,
    pub to: String,
    pub esm_class: u8,
    pub data_coding: u8,
    pub text: Vec<u8>,
    pub tlvs: Vec<(u16, Vec<u8>)>,
}

impl Deliver {
    pub fn tlv(&self, tag: Tag) -> Option<&[u8]> {
        self.tlvs.iter().find(|(t, _)| *t == tag.0).map(|(_, value)| value.as_slice())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap()
    }
}

pub fn config(mode: BindMode) -> ClientConfig {
    ClientConfig { mode, system_id: b"shop".to_vec(), password: b"secret".to_vec(), ..ClientConfig::default() }
}

/// A text to +447700900123.
pub fn message(text: &[u8]) -> SubmitSm<'_> {
    SubmitSm {
        source: Address::alphanumeric(b"SHOP"),
        destination: Address::international(b"447700900123"),
        registered_delivery: RegisteredDelivery::ALWAYS,
        short_message: text,
        ..SubmitSm::default()
    }
}

impl Client {
    pub async fn connect(address: SocketAddr, config: ClientConfig) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), config)
    }

    /// Connects, and is let in.
    pub async fn bind(address: SocketAddr, mode: BindMode) -> Self {
        let mut client = Self::connect(address, config(mode)).await;
        assert!(matches!(client.next().await, Seen::Bound { .. }));
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub fn over(stream: S, config: ClientConfig) -> Self {
        Self { stream, session: Session::client(config, Duration::ZERO).unwrap(), began: Instant::now(), next: 0 }
    }

    /// Sends a request; its token.
    pub fn request(&mut self, operation: &impl Operation) -> u64 {
        self.next += 1;
        self.session.request(operation, self.next, self.began.elapsed()).unwrap();
        self.next
    }

    pub fn respond(&mut self, sequence: u32, status: CommandStatus) {
        self.session.respond(sequence, status, &DeliverSmResp::default(), self.began.elapsed()).unwrap();
    }

    pub fn unbind(&mut self) {
        self.session.unbind(self.began.elapsed());
    }

    /// Writes what there is to write.
    pub async fn flush(&mut self) {
        self.stream.write_all(self.session.output()).await.unwrap();
        self.session.consume_output(self.session.output().len());
    }

    /// The next thing that comes.
    pub async fn next(&mut self) -> Seen {
        let mut buffer = [0; 4096];
        loop {
            if let Some(seen) = self.seen() {
                let _ = self.stream.write_all(self.session.output()).await;
                self.session.consume_output(self.session.output().len());
                return seen;
            }
            self.flush().await;
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => self.session.transport_closed(),
                Ok(read) => assert_eq!(self.session.receive(&buffer[..read], self.began.elapsed()), read),
            }
        }
    }

    /// The next answer: status and message id.
    pub async fn answer(&mut self) -> (CommandStatus, String) {
        match self.next().await {
            Seen::Answer { status, id, .. } => (status, id),
            other => panic!("{other:?}"),
        }
    }

    /// The next deliver_sm.
    pub async fn deliver(&mut self) -> Deliver {
        match self.next().await {
            Seen::Deliver(deliver) => *deliver,
            other => panic!("{other:?}"),
        }
    }

    fn seen(&mut self) -> Option<Seen> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        loop {
            return Some(match self.session.next_event(self.began.elapsed())? {
                Event::Bound { system_id, version } => Seen::Bound { system_id: text(system_id), version },
                Event::BindRefused { status } => Seen::BindRefused(status),
                Event::Response { pdu: Pdu::SubmitMultiResp(body), .. } => {
                    let failures = body.failures.iter().map(|f| (text(f.address.addr), f.status)).collect();
                    Seen::Multi { id: text(body.message_id), failures }
                }
                Event::Response { status, pdu: Pdu::QuerySmResp(body), .. } => Seen::Query {
                    status,
                    id: text(body.message_id),
                    state: body.message_state.0,
                    final_date: text(body.final_date),
                },
                Event::Response { token, status, pdu } => {
                    let id = match pdu {
                        Pdu::SubmitSmResp(body) => text(body.message_id),
                        Pdu::DataSmResp(body) => text(body.message_id),
                        _ => String::new(),
                    };
                    Seen::Answer { token, status, id }
                }
                Event::Nacked { token, status } => Seen::Answer { token, status, id: "nack".into() },
                Event::Request { sequence, pdu: Pdu::DeliverSm(body) } => Seen::Deliver(Box::new(Deliver {
                    sequence,
                    from: text(body.source.addr),
                    to: text(body.destination.addr),
                    esm_class: body.esm_class.0,
                    data_coding: body.data_coding.0,
                    text: body.user_data().to_vec(),
                    tlvs: body.tlvs.iter().map(|tlv| (tlv.tag.0, tlv.value.to_vec())).collect(),
                })),
                Event::Closed(reason) => Seen::Closed(reason),
                _ => continue,
            });
        }
    }
}
