//! One CIMD2 session as a struct without I/O: bytes, commands and the time in; bytes, events and the
//! next deadline out. See the crate's documentation for the loop round it.

mod buffer;
mod commands;
mod config;
mod counters;
mod event;
mod handled;
mod incoming;
mod nacks;
mod numbers;
mod outstanding;
mod tally;
mod timers;

use std::time::Duration;

pub use config::{ClientConfig, ConfigError, SessionConfig};
pub use counters::Counters;
pub use event::{CloseReason, Event, RespondError, SubmitError};
pub use tally::PacketCount;

use crate::error::EncodeError;
use crate::error_code::ErrorCode;
use crate::operation::OperationCode;
use crate::packet::{Answer, Login, Operation, Packet, Writer, encode};
use crate::values::Secret;
use buffer::{Input, Output};
use handled::Handled;
use incoming::Greeting;
use nacks::StaleNacks;
use numbers::Numbers;
use outstanding::Outstanding;
use tally::Tally;

/// The number of every login.
const LOGIN_SEQUENCE: u16 = 1;

/// One session, on either side. All times are measured from any one moment of the caller's choice.
pub struct Session {
    config: SessionConfig,
    role: Role,
    state: State,
    input: Input,
    output: Output,
    outstanding: Outstanding,
    numbers: Numbers,
    /// The number that the peer's next request should have.
    expected: u16,
    handled: Handled,
    /// Requests that came before the login was settled, to be looked at after it.
    early: Vec<u8>,
    greeting: Greeting,
    /// What the SMSC said when it refused the login.
    refusal: Vec<u8>,
    /// nacks that are on their way still, and mean what has been sent again already.
    stale_nacks: StaleNacks,
    /// What to tell next, after an event that had two things to say.
    pending: Option<Event<'static>>,
    /// The connection has ended: what is in `input` is all there will be.
    end_of_input: bool,
    /// When the last octet came.
    last_received: Duration,
    /// When the alive was sent that nothing has followed yet.
    asked: Option<Duration>,
    counters: Counters,
    tally: Tally,
}

/// Which side we are.
enum Role {
    Client {
        /// The login, ready to be sent.
        login: Vec<u8>,
        /// How often it was answered with a nack.
        nacks: u32,
    },
    Server,
}

/// Where the session is in its life. Deadlines are for leaving the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Server: waiting for a login.
    Open {
        deadline: Duration,
    },
    /// Client: our login is sent.
    LoggingIn {
        deadline: Duration,
    },
    /// Server: the caller decides about a login.
    Deciding {
        sequence: u16,
        deadline: Duration,
    },
    LoggedIn,
    /// Server: the login was refused; the peer should close.
    Refused {
        error: ErrorCode,
        deadline: Duration,
    },
    /// We want to end: first open answers are awaited, then the logout is sent. A server has none to send.
    LoggingOut {
        sent: bool,
        deadline: Duration,
    },
    /// The peer wants to end: its logout is answered when all its requests are.
    PeerLoggingOut {
        unanswered: Option<u16>,
        deadline: Duration,
    },
    Closed,
}

impl Session {
    /// An application's session. Its login is in the output at once.
    ///
    /// # Errors
    /// When the configuration can't work.
    pub fn client(config: ClientConfig, now: Duration) -> Result<Self, ConfigError> {
        config.session.check()?;
        let window = u16::try_from(config.session.window).ok().filter(|_| config.announce_window);
        let body = Login {
            user: &config.user,
            password: Secret(&config.password),
            subaddress: config.subaddress,
            window,
            ..Login::default()
        };
        let mut login = Vec::new();
        encode(&body, LOGIN_SEQUENCE, config.session.send_checksum, &mut login)?;
        let mut session = Self::new(config.session, Role::Client { login, nacks: 0 }, now);
        // The login has taken the first number.
        session.numbers = Numbers::starting_at(3);
        session.state = State::LoggingIn { deadline: now.saturating_add(session.config.login_timeout) };
        session.send_login();
        Ok(session)
    }

    /// An SMSC's session, which waits for a login.
    ///
    /// # Errors
    /// When the configuration can't work.
    pub fn server(config: SessionConfig, now: Duration) -> Result<Self, ConfigError> {
        config.check()?;
        let mut session = Self::new(config, Role::Server, now);
        session.expected = LOGIN_SEQUENCE;
        session.greeting = Greeting::Over;
        Ok(session)
    }

    /// Hands over octets that were received, and says how many were taken. All are, unless complete
    /// packets have piled up: then take events (and write output) before handing over the rest.
    #[must_use = "what was not taken must be handed over again"]
    pub fn receive(&mut self, bytes: &[u8], now: Duration) -> usize {
        if self.is_closed() {
            return bytes.len();
        }
        let taken = self.input.fill(bytes);
        if taken > 0 {
            self.last_received = now;
            self.asked = None;
            self.counters.bytes_in += taken as u64;
        }
        taken
    }

    /// The connection has ended. Events tell what had come before, then `Closed`. From now on a full
    /// output holds nothing up any more, for nobody will read it: it may grow beyond
    /// [`output_limit`](SessionConfig::output_limit) by the answers to what is in the input still, which
    /// is at most one longest packet and a read of 64 KiB.
    pub fn transport_closed(&mut self) {
        self.end_of_input = true;
    }

    /// What happened next: packets first, then timers that have run out. Call it until it gives `None`
    /// after each `receive`, and when the deadline has come. While the output is full it takes no packets.
    #[inline]
    pub fn next_event(&mut self, now: Duration) -> Option<Event<'_>> {
        let found = loop {
            match self.step(now) {
                incoming::Step::Again => {}
                incoming::Step::Idle => return None,
                incoming::Step::Event(event) => return Some(event),
                incoming::Step::Found(found) => break found,
            }
        };
        Some(self.tell(found))
    }

    /// When `next_event` must be called even if nothing is received.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.earliest_deadline()
    }

    /// Octets to write to the peer. Call [`consume_output`](Self::consume_output) with what was written.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.pending()
    }

    /// Forgets octets that were written.
    pub fn consume_output(&mut self, written: usize) {
        let before = self.output.len();
        self.output.consume(written);
        self.counters.bytes_out += (before - self.output.len()) as u64;
    }

    /// Whether so much output waits that neither input nor requests are taken.
    #[must_use]
    pub fn output_is_full(&self) -> bool {
        self.output.len() >= self.config.output_limit
    }

    /// After `Closed` (or whenever the caller gives up): takes the tokens of all requests that were
    /// sent and not answered, in the order of sending. What the peer did with them is in doubt.
    pub fn drain_outstanding(&mut self) -> impl Iterator<Item = u64> + '_ {
        std::iter::from_fn(|| self.outstanding.pop_oldest())
    }

    /// How many requests can be sent now.
    #[must_use]
    pub fn window_room(&self) -> usize {
        match self.state {
            State::LoggedIn => {
                let room = self.config.window.saturating_sub(self.outstanding.len());
                self.numbers.room(&self.outstanding, room)
            }
            _ => 0,
        }
    }

    /// How many of our requests are unanswered.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.tokens()
    }

    /// How many of the peer's requests the caller has not answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.handled.unanswered()
    }

    /// Whether the login succeeded and nobody has begun to log out.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.state == State::LoggedIn
    }

    /// Whether the session is over. Output may be left to write.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Totals since the session began.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Packets by operation and error code since this was asked for last.
    pub fn take_packet_counts(&mut self) -> impl Iterator<Item = PacketCount> + '_ {
        self.tally.take()
    }

    fn new(config: SessionConfig, role: Role, now: Duration) -> Self {
        Self {
            role,
            state: State::Open { deadline: now.saturating_add(config.login_timeout) },
            input: Input::new(config.max_packet),
            output: Output::default(),
            outstanding: Outstanding::default(),
            numbers: Numbers::starting_at(0),
            expected: 0,
            handled: Handled::new(config.max_unanswered),
            early: Vec::new(),
            greeting: Greeting::Gathering(Vec::new()),
            refusal: Vec::new(),
            stale_nacks: StaleNacks::default(),
            pending: None,
            end_of_input: false,
            last_received: now,
            asked: None,
            counters: Counters::default(),
            tally: Tally::default(),
            config,
        }
    }

    fn send_login(&mut self) {
        if let Role::Client { login, .. } = &self.role {
            self.output.bytes.extend_from_slice(login);
            self.sent(OperationCode::LOGIN, ErrorCode::OK);
        }
    }

    /// Sends a packet of this session's own that has no parameters but an error.
    fn send_bare(&mut self, code: OperationCode, error: ErrorCode, sequence: u16) {
        put_bare(&mut self.output.bytes, code, error, sequence, self.config.send_checksum);
        self.sent(code, error);
    }

    /// Counts a packet that was put into the output.
    #[inline]
    fn sent(&mut self, code: OperationCode, error: ErrorCode) {
        self.counters.packets_out += 1;
        self.tally.add(false, code, error);
    }

    fn close(&mut self, reason: CloseReason) {
        if self.state != State::Closed {
            self.state = State::Closed;
            self.input.clear();
            self.early = Vec::new();
            self.pending = Some(Event::Closed(reason));
        }
    }
}

/// An answer, or another packet without parameters, by its code.
struct Bare<'a> {
    code: OperationCode,
    error: ErrorCode,
    text: &'a [u8],
}

impl Operation for Bare<'_> {
    fn code(&self) -> OperationCode {
        self.code
    }

    fn write_parameters(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let answer = Answer { error: self.error, error_text: self.text, ..Answer::default() };
        Packet::GeneralError(answer).write_parameters(writer)
    }

    fn error(&self) -> ErrorCode {
        self.error
    }
}

fn put_bare(out: &mut Vec<u8>, code: OperationCode, error: ErrorCode, sequence: u16, with_checksum: bool) {
    let bare = encode(&Bare { code, error, text: b"" }, sequence, with_checksum, out);
    debug_assert_eq!(bare, Ok(()), "codes and numbers of ours and those that were received can be written");
}
