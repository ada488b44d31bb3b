//! A client and a server session joined in memory, on a clock that only tests move.

use std::time::Duration;

use smpp::*;

/// An event without its borrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Bound { system_id: Vec<u8>, version: Option<InterfaceVersion> },
    BindRefused(CommandStatus),
    BindRequest { mode: BindMode, system_id: Vec<u8> },
    Request { sequence: u32, id: CommandId, text: Vec<u8> },
    Response { token: u64, status: CommandStatus, message_id: Vec<u8> },
    Nacked { token: u64, status: CommandStatus },
    TimedOut(u64),
    Malformed(CommandStatus),
    PeerUnbinding,
    Closed(CloseReason),
}

/// What the server does with what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Accepts binds and answers every request at once.
    Answers,
    /// Accepts binds and leaves requests open.
    Waits,
    /// Decides nothing by itself.
    Passive,
}

pub struct Pair {
    pub client: Session,
    pub server: Session,
    pub now: Duration,
    pub client_seen: Vec<Seen>,
    pub server_seen: Vec<Seen>,
    pub manner: Manner,
    /// Octets are handed over in pieces of this size.
    pub chunk: usize,
}

impl Pair {
    pub fn new(client: ClientConfig, server: SessionConfig) -> Self {
        let now = Duration::from_secs(1_000);
        Self {
            client: Session::client(client, now).unwrap(),
            server: Session::server(server, now).unwrap(),
            now,
            client_seen: Vec::new(),
            server_seen: Vec::new(),
            manner: Manner::Answers,
            chunk: usize::MAX,
        }
    }

    /// A pair that is bound, with nothing seen yet.
    pub fn bound(client: ClientConfig, server: SessionConfig) -> Self {
        let mut pair = Self::new(client, server);
        pair.exchange();
        assert!(pair.client.is_bound() && pair.server.is_bound());
        pair.client_seen.clear();
        pair.server_seen.clear();
        pair
    }

    /// Carries octets to and fro until both are quiet.
    pub fn exchange(&mut self) {
        loop {
            let to_server = take_output(&mut self.client);
            let to_client = take_output(&mut self.server);
            let seen = feed(&mut self.server, &to_server, self.now, self.chunk);
            self.serve(&seen);
            self.server_seen.extend(seen);
            let seen = feed(&mut self.client, &to_client, self.now, self.chunk);
            for event in &seen {
                if let Seen::Request { sequence, id: CommandId::DELIVER_SM, .. } = event {
                    let answer = DeliverSmResp::default();
                    self.client.respond(*sequence, CommandStatus::ROK, &answer, self.now).unwrap();
                }
            }
            self.client_seen.extend(seen);
            if self.client.output().is_empty() && self.server.output().is_empty() {
                return;
            }
        }
    }

    /// Moves the clock, stopping at every deadline on the way.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            self.exchange();
            let next = [self.client.next_deadline(), self.server.next_deadline()].into_iter().flatten().min();
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
        }
        self.now = end;
        self.exchange();
    }

    pub fn submit(&mut self, token: u64) -> Result<u32, SubmitError> {
        self.client.submit(&message(), token, self.now)
    }

    fn serve(&mut self, seen: &[Seen]) {
        for event in seen {
            match event {
                Seen::BindRequest { .. } if self.manner != Manner::Passive => {
                    self.server.accept_bind(b"centre", self.now).unwrap();
                }
                Seen::Request { sequence, id: CommandId::SUBMIT_SM, .. } if self.manner == Manner::Answers => {
                    let id = sequence.to_string();
                    let answer = SubmitSmResp { message_id: id.as_bytes(), ..Default::default() };
                    self.server.respond(*sequence, CommandStatus::ROK, &answer, self.now).unwrap();
                }
                _ => {}
            }
        }
    }
}

pub fn message() -> SubmitSm<'static> {
    SubmitSm {
        source: Address::alphanumeric(b"shop"),
        destination: Address::international(b"4915123456789"),
        short_message: b"hello",
        ..Default::default()
    }
}

pub fn client_config() -> ClientConfig {
    ClientConfig { system_id: b"shop".to_vec(), password: b"secret".to_vec(), ..Default::default() }
}

/// A client that is bound, in front of a server that the test plays itself.
pub fn lone_client(config: ClientConfig) -> Session {
    let mut client = Session::client(config, Duration::ZERO).unwrap();
    take_output(&mut client);
    let mode = client.mode().unwrap();
    let answer = wire(&Pdu::BindResp(mode, BindResp { system_id: b"MC", ..Default::default() }), 1, CommandStatus::ROK);
    let seen = feed(&mut client, &answer, Duration::ZERO, usize::MAX);
    assert_eq!(seen, [Seen::Bound { system_id: b"MC".to_vec(), version: None }]);
    client
}

/// A server that is bound, in front of a client that the test plays itself.
pub fn lone_server(config: SessionConfig, mode: BindMode, version: InterfaceVersion) -> Session {
    let mut server = Session::server(config, Duration::ZERO).unwrap();
    let bind = Bind { system_id: b"shop", interface_version: version, ..Default::default() };
    let seen = feed(&mut server, &wire(&Pdu::Bind(mode, bind), 1, CommandStatus::ROK), Duration::ZERO, usize::MAX);
    assert_eq!(seen, [Seen::BindRequest { mode, system_id: b"shop".to_vec() }]);
    server.accept_bind(b"centre", Duration::ZERO).unwrap();
    take_output(&mut server);
    server
}

pub fn wire(operation: &impl Operation, sequence: u32, status: CommandStatus) -> Vec<u8> {
    let mut out = Vec::new();
    encode(operation, sequence, status, &mut out).unwrap();
    out
}

/// Id, status and sequence number of each PDU in some output.
pub fn headers(mut bytes: &[u8]) -> Vec<(CommandId, CommandStatus, u32)> {
    let mut headers = Vec::new();
    while let Some(frame) = next_frame(bytes, usize::MAX).unwrap() {
        headers.push((frame.header.command_id, frame.header.command_status, frame.header.sequence_number));
        bytes = &bytes[frame.wire_len()..];
    }
    assert!(bytes.is_empty(), "output holds whole PDUs");
    headers
}

pub fn take_output(session: &mut Session) -> Vec<u8> {
    let output = session.output().to_vec();
    session.consume_output(output.len());
    output
}

/// Hands over octets in pieces and gathers the events.
pub fn feed(session: &mut Session, bytes: &[u8], now: Duration, chunk: usize) -> Vec<Seen> {
    let mut seen = drain(session, now);
    for mut piece in bytes.chunks(chunk.min(bytes.len()).max(1)) {
        while !piece.is_empty() {
            let taken = session.receive(piece, now);
            piece = &piece[taken..];
            let before = seen.len();
            seen.extend(drain(session, now));
            assert!(taken > 0 || seen.len() > before, "a drained session takes input");
        }
    }
    seen
}

pub fn drain(session: &mut Session, now: Duration) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(event) = session.next_event(now) {
        seen.push(own(event));
    }
    seen
}

fn own(event: Event<'_>) -> Seen {
    match event {
        Event::Bound { system_id, version } => Seen::Bound { system_id: system_id.to_vec(), version },
        Event::BindRefused { status } => Seen::BindRefused(status),
        Event::BindRequest { mode, bind } => Seen::BindRequest { mode, system_id: bind.system_id.to_vec() },
        Event::Request { sequence, pdu } => {
            let text = match pdu {
                Pdu::SubmitSm(body) => body.user_data().to_vec(),
                Pdu::DeliverSm(body) => body.user_data().to_vec(),
                Pdu::DataSm(body) => body.user_data().to_vec(),
                _ => Vec::new(),
            };
            Seen::Request { sequence, id: pdu.command_id(), text }
        }
        Event::Response { token, status, pdu } => {
            let message_id = match pdu {
                Pdu::SubmitSmResp(body) => body.message_id.to_vec(),
                _ => Vec::new(),
            };
            Seen::Response { token, status, message_id }
        }
        Event::Nacked { token, status } => Seen::Nacked { token, status },
        Event::TimedOut { token } => Seen::TimedOut(token),
        Event::Malformed { error, .. } => Seen::Malformed(error.status()),
        Event::PeerUnbinding => Seen::PeerUnbinding,
        Event::Closed(reason) => Seen::Closed(reason),
    }
}
