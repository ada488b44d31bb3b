//! A client that does what a test says, one step at a time.

use std::time::{Duration, Instant};

use simulator::{Smsc, SmscSettings};
use smpp::{
    Address, BindMode, CancelSm, ClientConfig, CloseReason, CommandStatus, DeliverSmResp, Event, Pdu, QuerySm,
    RegisteredDelivery, Session, SubmitSm, Tag,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    Bound,
    Answer {
        token: u64,
        status: CommandStatus,
        id: String,
    },
    /// An answer to cancel_sm, or to query_sm with its state.
    Told {
        token: u64,
        status: CommandStatus,
        state: Option<u8>,
    },
    Deliver(Deliver),
    Closed(CloseReason),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Deliver {
    pub sequence: u32,
    pub esm_class: u8,
    pub data_coding: u8,
    pub text: Vec<u8>,
    pub tlv_id: Option<Vec<u8>>,
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

pub struct Peer {
    stream: TcpStream,
    session: Session,
    began: Instant,
    came: std::collections::VecDeque<Came>,
    /// Acknowledges what is delivered.
    pub answers: bool,
}

pub async fn start(settings: SmscSettings) -> Smsc {
    Smsc::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), settings)
}

impl Peer {
    pub async fn connect(smsc: &Smsc, mode: BindMode, system_id: &str) -> Self {
        let stream = TcpStream::connect(smsc.address()).await.unwrap();
        let config =
            ClientConfig { mode, system_id: system_id.into(), password: b"secret".to_vec(), ..ClientConfig::default() };
        let session = Session::client(config, Duration::ZERO).unwrap();
        Self { stream, session, began: Instant::now(), came: Default::default(), answers: true }
    }

    pub async fn bound(smsc: &Smsc, mode: BindMode, system_id: &str) -> Self {
        let mut peer = Self::connect(smsc, mode, system_id).await;
        assert_eq!(peer.next().await, Came::Bound);
        peer
    }

    pub fn submit(&mut self, token: u64, text: &str) {
        let message = SubmitSm {
            source: Address::alphanumeric(b"SHOP"),
            destination: Address::international(b"447700900123"),
            registered_delivery: RegisteredDelivery(1),
            short_message: text.as_bytes(),
            ..SubmitSm::default()
        };
        self.session.submit(&message, token, self.began.elapsed()).unwrap();
    }

    pub async fn cancel(&mut self, id: &str) -> CommandStatus {
        let (source, destination) = (Address::alphanumeric(b"SHOP"), Address::international(b"447700900123"));
        let cancel = CancelSm { service_type: b"", message_id: id.as_bytes(), source, destination };
        self.session.request(&cancel, 77, self.began.elapsed()).unwrap();
        match self.next().await {
            Came::Told { token: 77, status, state: None } => status,
            other => panic!("not an answer to cancel_sm: {other:?}"),
        }
    }

    pub async fn query(&mut self, id: &str) -> (CommandStatus, u8) {
        let query = QuerySm { message_id: id.as_bytes(), source: Address::alphanumeric(b"SHOP") };
        self.session.request(&query, 78, self.began.elapsed()).unwrap();
        match self.next().await {
            Came::Told { token: 78, status, state: Some(state) } => (status, state),
            other => panic!("not an answer to query_sm: {other:?}"),
        }
    }

    pub async fn next(&mut self) -> Came {
        loop {
            let now = self.began.elapsed();
            let mut acknowledge = Vec::new();
            while let Some(event) = self.session.next_event(now) {
                match event {
                    Event::Bound { .. } => self.came.push_back(Came::Bound),
                    Event::Response { token, status, pdu: Pdu::SubmitSmResp(body) } => {
                        let id = String::from_utf8(body.message_id.to_vec()).unwrap();
                        self.came.push_back(Came::Answer { token, status, id });
                    }
                    Event::Response { token, status, pdu: Pdu::CancelSmResp } => {
                        self.came.push_back(Came::Told { token, status, state: None });
                    }
                    Event::Response { token, status, pdu: Pdu::QuerySmResp(body) } => {
                        self.came.push_back(Came::Told { token, status, state: Some(body.message_state.0) });
                    }
                    Event::Request { sequence, pdu: Pdu::DeliverSm(deliver) } => {
                        self.came.push_back(Came::Deliver(Deliver {
                            sequence,
                            esm_class: deliver.esm_class.0,
                            data_coding: deliver.data_coding.0,
                            text: deliver.user_data().to_vec(),
                            tlv_id: deliver.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).map(|tlv| tlv.text().to_vec()),
                            from: deliver.source.addr.to_vec(),
                            to: deliver.destination.addr.to_vec(),
                        }));
                        acknowledge.push(sequence);
                    }
                    Event::Closed(reason) => self.came.push_back(Came::Closed(reason)),
                    _ => {}
                }
            }
            if self.answers {
                for sequence in acknowledge {
                    self.session.respond(sequence, CommandStatus::ROK, &DeliverSmResp::default(), now).unwrap();
                }
            }
            let output = self.session.output().to_vec();
            if !output.is_empty() && self.stream.write_all(&output).await.is_ok() {
                self.session.consume_output(output.len());
            }
            if let Some(came) = self.came.pop_front() {
                return came;
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => self.session.transport_closed(),
                Ok(read) => assert_eq!(self.session.receive(&buffer[..read], now), read),
            }
        }
    }

    pub async fn answer(&mut self) -> (u64, CommandStatus, String) {
        match self.next().await {
            Came::Answer { token, status, id } => (token, status, id),
            other => panic!("not an answer: {other:?}"),
        }
    }

    pub async fn deliver(&mut self) -> Deliver {
        match self.next().await {
            Came::Deliver(deliver) => deliver,
            other => panic!("nothing delivered: {other:?}"),
        }
    }
}
