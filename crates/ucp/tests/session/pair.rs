//! A client and a server session joined in memory, on a clock that only tests move.

use std::time::Duration;

use ucp::*;

/// An event without its borrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Opened(Vec<u8>),
    LoginRefused(ErrorCode),
    LoginRequest { oadc: Vec<u8>, password: Vec<u8> },
    Request { trn: u8, ot: OperationType, text: Vec<u8> },
    Response { token: u64, ot: OperationType, answer: Result<Vec<u8>, ErrorCode> },
    TimedOut(u64),
    Alert(Vec<u8>),
    Malformed(ErrorCode),
    Closed(CloseReason),
}

/// What the server does with what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Accepts logins and answers every operation at once.
    Answers,
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
    pub fn new(client: ClientConfig, server: ServerConfig) -> Self {
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

    /// A pair that is open, with nothing seen yet.
    pub fn open(client: ClientConfig, server: ServerConfig) -> Self {
        let mut pair = Self::new(client, server);
        pair.exchange();
        assert!(pair.client.is_open() && pair.server.is_open());
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
                if let Seen::Request { trn, .. } = event {
                    self.client.respond(Trn::new(*trn).unwrap(), &Answer::ACK, self.now).unwrap();
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

    pub fn submit(&mut self, token: u64) -> Result<Trn, SubmitError> {
        self.client.submit(&message(), token, self.now)
    }

    fn serve(&mut self, seen: &[Seen]) {
        for event in seen {
            match event {
                Seen::LoginRequest { .. } if self.manner != Manner::Passive => {
                    self.server.accept_login(b"welcome", self.now).unwrap();
                }
                Seen::Request { trn, .. } if self.manner == Manner::Answers => {
                    let sm = format!("4915123456789:2210261836{trn:02}");
                    self.server.respond(self::trn(*trn), &Answer::ack(sm.as_bytes()), self.now).unwrap();
                }
                _ => {}
            }
        }
    }
}

pub fn trn(number: u8) -> Trn {
    Trn::new(number).unwrap()
}

pub fn message() -> ShortMessage<'static> {
    ShortMessage {
        adc: b"4915123456789",
        oadc: b"60777",
        content: Content::alphanumeric(b"hello"),
        ..ShortMessage::default()
    }
}

pub fn client_config() -> ClientConfig {
    let login = Login { oadc: b"60777".to_vec(), password: b"secret".to_vec(), ..Login::default() };
    ClientConfig { login: Some(login), ..ClientConfig::default() }
}

/// A client that asks every thirty seconds whether the SMSC is there.
pub fn asking(timeout: Option<Duration>) -> ClientConfig {
    let interval = Duration::from_secs(30);
    let keep_alive = Some(KeepAlive { interval, timeout, ..KeepAlive::every_minute(b"60777") });
    ClientConfig { session: SessionConfig { keep_alive, ..SessionConfig::default() }, ..client_config() }
}

/// A client that has logged in, in front of a server that the test plays itself.
pub fn lone_client(config: ClientConfig) -> Session {
    let logs_in = config.login.is_some();
    let mut client = Session::client(config, Duration::ZERO).unwrap();
    take_output(&mut client);
    let result = answer_wire(OperationType::SESSION, &Answer::ACK, 0);
    let seen = feed(&mut client, if logs_in { &result } else { b"" }, Duration::ZERO, usize::MAX);
    assert_eq!(seen, [Seen::Opened(Vec::new())]);
    client
}

/// A server that a client has logged in to, which the test plays itself.
pub fn lone_server(session: SessionConfig) -> Session {
    let config = ServerConfig { session, ..ServerConfig::default() };
    let mut server = Session::server(config, Duration::ZERO).unwrap();
    let seen = feed(&mut server, &wire(&login(), 0), Duration::ZERO, usize::MAX);
    assert_eq!(seen, [Seen::LoginRequest { oadc: b"60777".to_vec(), password: b"secret".to_vec() }]);
    server.accept_login(b"", Duration::ZERO).unwrap();
    take_output(&mut server);
    server
}

pub fn login() -> Operation<'static> {
    Operation::Session(SessionManagement {
        oadc: b"60777",
        styp: Some(SessionType::OPEN),
        pwd: Secret(Hex::octets(b"secret")),
        ..SessionManagement::default()
    })
}

pub fn alert() -> Operation<'static> {
    Operation::Alert(Alert { adc: b"60777", pid: Some(Pid::PC_TCP) })
}

pub fn wire(operation: &Operation<'_>, number: u8) -> Vec<u8> {
    let mut out = Vec::new();
    encode(operation, trn(number), &mut out).unwrap();
    out
}

pub fn answer_wire(ot: OperationType, answer: &Answer<'_>, number: u8) -> Vec<u8> {
    let mut out = Vec::new();
    encode_answer(ot, answer, trn(number), &mut out).unwrap();
    out
}

/// What each frame in some output says: `51`, or for results `R51`, the TRN, and the error code of negative ones.
pub fn frames(mut bytes: &[u8]) -> Vec<(String, u8, Option<u8>)> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let next = next_frame(bytes, &FrameRules::default());
        let frame = next.found.expect("output holds whole frames").expect("and good ones");
        assert_eq!(next.junk, 0);
        let (name, code) = match frame.decode().unwrap() {
            Pdu::Operation(operation) => (format!("{:02}", operation.ot().0), None),
            Pdu::Answer(ot, answer) => (format!("R{:02}", ot.0), answer.code().map(|code| code.0)),
        };
        frames.push((name, frame.header.trn.get(), code));
        bytes = &bytes[next.used..];
    }
    frames
}

/// One frame as `frames` gives it.
pub fn frame(name: &str, number: u8, code: Option<u8>) -> (String, u8, Option<u8>) {
    (name.to_owned(), number, code)
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
        Event::Opened { sm } => Seen::Opened(sm.to_vec()),
        Event::LoginRefused { code, .. } => Seen::LoginRefused(code),
        Event::LoginRequest { login } => {
            Seen::LoginRequest { oadc: login.oadc.to_vec(), password: login.pwd.0.to_vec() }
        }
        Event::Request { trn, operation } => {
            let text = match operation {
                Operation::Submit(message) | Operation::Deliver(message) | Operation::Notify(message) => {
                    message.content.octets().map(|octets| octets.to_vec()).unwrap_or_default()
                }
                _ => Vec::new(),
            };
            Seen::Request { trn: trn.get(), ot: operation.ot(), text }
        }
        Event::Response { token, ot, answer } => {
            let answer = answer.code().map_or(Ok(answer.sm().to_vec()), Err);
            Seen::Response { token, ot, answer }
        }
        Event::TimedOut { token } => Seen::TimedOut(token),
        Event::Alert(alert) => Seen::Alert(alert.adc.to_vec()),
        Event::Malformed { error, .. } => Seen::Malformed(error.code()),
        Event::Closed(reason) => Seen::Closed(reason),
    }
}
