//! A client and a server session joined in memory, on a clock that only tests move.

use std::time::Duration;

use cimd2::*;

/// An event without its borrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Greeting(String),
    LoggedIn,
    LoginRefused(ErrorCode, String),
    LoginRequest { user: String, password: String, window: Option<u16> },
    Request { sequence: u16, operation: OperationCode, text: Vec<u8> },
    Response { token: u64, error: ErrorCode, id: String },
    Nacked(u64),
    TimedOut(u64),
    Malformed(u16, DecodeError),
    Broken(FrameError),
    PeerLoggingOut,
    Closed(CloseReason),
}

/// What the server does with what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Accepts logins and answers every request at once.
    Answers,
    /// Accepts logins and leaves requests open.
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

    /// A pair that is logged in, with nothing seen yet.
    pub fn logged_in(client: ClientConfig, server: SessionConfig) -> Self {
        let mut pair = Self::new(client, server);
        pair.exchange();
        assert!(pair.client.is_logged_in() && pair.server.is_logged_in());
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
                if let Seen::Request { sequence, operation: OperationCode::DELIVER, .. } = event {
                    self.client.respond(*sequence, &Packet::DeliverResp(Answer::default()), self.now).unwrap();
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

    pub fn submit(&mut self, token: u64) -> Result<u8, SubmitError> {
        self.client.submit(&message(), token, self.now)
    }

    fn serve(&mut self, seen: &[Seen]) {
        for event in seen {
            match event {
                Seen::LoginRequest { .. } if self.manner != Manner::Passive => {
                    self.server.accept_login(self.now).unwrap();
                }
                Seen::Request { sequence, operation: OperationCode::SUBMIT, .. } if self.manner == Manner::Answers => {
                    let id = sequence.to_string();
                    let answer = SubmitResp { timestamp: id.as_bytes(), ..Default::default() };
                    self.server.respond(*sequence, &answer, self.now).unwrap();
                }
                _ => {}
            }
        }
    }
}

pub fn message() -> Submit<'static> {
    Submit {
        destinations: Values::one(b"4915123456789"),
        originator: b"999",
        text: Some(b"hello"),
        ..Default::default()
    }
}

pub fn delivery(text: &'static [u8]) -> Deliver<'static> {
    Deliver {
        destination: b"999",
        originator: b"4915123456789",
        text: Some(text),
        timestamp: b"261122183420",
        ..Default::default()
    }
}

pub fn client_config() -> ClientConfig {
    ClientConfig { user: b"shop".to_vec(), password: b"secret".to_vec(), ..Default::default() }
}

/// The same with a window.
pub fn with_window(window: usize) -> ClientConfig {
    ClientConfig { session: SessionConfig { window, ..Default::default() }, ..client_config() }
}

/// A client that is logged in, in front of a server that the test plays itself.
pub fn lone_client(config: ClientConfig) -> Session {
    let mut client = Session::client(config, Duration::ZERO).unwrap();
    take_output(&mut client);
    let answer = wire(&Packet::LoginResp(Answer::default()), 1);
    assert_eq!(feed(&mut client, &answer, Duration::ZERO, usize::MAX), [Seen::LoggedIn]);
    client
}

/// A server that is logged in, in front of a client that the test plays itself.
pub fn lone_server(config: SessionConfig) -> Session {
    let mut server = Session::server(config, Duration::ZERO).unwrap();
    let seen = feed(&mut server, &wire(&Login { user: b"shop", ..Default::default() }, 1), Duration::ZERO, usize::MAX);
    assert!(matches!(seen[..], [Seen::LoginRequest { .. }]), "{seen:?}");
    server.accept_login(Duration::ZERO).unwrap();
    take_output(&mut server);
    server
}

pub fn wire(operation: &impl Operation, sequence: u16) -> Vec<u8> {
    let mut out = Vec::new();
    encode(operation, sequence, true, &mut out).unwrap();
    out
}

/// Operation, number and error of each packet in some output.
pub fn headers(mut bytes: &[u8]) -> Vec<(OperationCode, u16, ErrorCode)> {
    let mut headers = Vec::new();
    while let Some(piece) = next_piece(bytes, usize::MAX) {
        let Piece::Frame(frame) = piece else { panic!("output holds packets only: {piece:?}") };
        assert_eq!(frame.checksum, Checksum::Right);
        headers.push((frame.header.operation, frame.header.sequence, frame.error()));
        bytes = &bytes[piece.wire_len()..];
    }
    assert!(bytes.is_empty(), "output holds whole packets");
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
    let string = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match event {
        Event::Greeting { text } => Seen::Greeting(string(text)),
        Event::LoggedIn => Seen::LoggedIn,
        Event::LoginRefused { error, text } => Seen::LoginRefused(error, string(text)),
        Event::LoginRequest { login } => {
            Seen::LoginRequest { user: string(login.user), password: string(login.password.0), window: login.window }
        }
        Event::Request { sequence, packet } => {
            let text = match packet {
                Packet::Submit(body) => body.text,
                Packet::Deliver(body) => body.text,
                _ => None,
            };
            Seen::Request { sequence, operation: packet.code(), text: text.unwrap_or_default().to_vec() }
        }
        Event::Response { token, error, packet } => {
            let id = match packet {
                Packet::SubmitResp(body) => body.timestamp,
                _ => b"",
            };
            Seen::Response { token, error, id: string(id) }
        }
        Event::Nacked { token } => Seen::Nacked(token),
        Event::TimedOut { token } => Seen::TimedOut(token),
        Event::Malformed { sequence, error, .. } => Seen::Malformed(sequence, error),
        Event::Broken(error) => Seen::Broken(error),
        Event::PeerLoggingOut => Seen::PeerLoggingOut,
        Event::Closed(reason) => Seen::Closed(reason),
    }
}
