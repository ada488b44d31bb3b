//! One UCP session as a struct without I/O: bytes, commands and the time in; bytes, events and the next deadline
//! out. See the crate's documentation for the loop round it.

mod buffer;
mod commands;
mod config;
mod counters;
mod event;
mod incoming;
mod outstanding;
mod peers;
mod tally;
mod timers;

use std::time::Duration;

pub use config::{ClientConfig, ConfigError, KeepAlive, Login, ServerConfig, SessionConfig};
pub use counters::Counters;
pub use event::{CloseReason, Event, Fault, RespondError, SubmitError};
pub use tally::FrameCount;

use crate::code::ErrorCode;
use crate::frame::{Kind, Trn};
use crate::hex::Hex;
use crate::ot::OperationType;
use crate::pdu::{Alert, Answer, Operation, SessionManagement, encode, encode_answer};
use crate::secret::Secret;
use crate::values::SessionType;
use buffer::{Input, Output};
use outstanding::Outstanding;
use peers::PeerRequests;
use tally::Tally;

/// One session, on either side. All times are measured from any one moment of the caller's choice.
pub struct Session {
    config: SessionConfig,
    role: Role,
    state: State,
    input: Input,
    output: Output,
    outstanding: Outstanding,
    /// The peer's operations that the caller has not answered.
    peers: PeerRequests,
    /// Operations that came before the login was settled, to be looked at after it.
    early: Vec<u8>,
    /// What to tell next, after an event that had two things to say.
    pending: Option<Event<'static>>,
    /// The connection has ended: what is in `input` is all there will be.
    end_of_input: bool,
    /// Octets since the last good frame that belong to none.
    junk: usize,
    /// When the last octet came.
    last_received: Duration,
    /// When the last operation or result other than those of 31 came or went.
    last_activity: Duration,
    /// When it was asked whether the peer is there, if nothing has come since.
    probed: Option<Duration>,
    counters: Counters,
    tally: Tally,
}

/// Which side we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// An application; with or without a login of its own.
    Client { logs_in: bool, announces: bool },
    /// An SMSC; with whether an application has logged in.
    Server { logged_in: bool },
}

/// Where the session is in its life. Deadlines are for leaving the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Server: waiting for a login.
    Waiting {
        deadline: Duration,
    },
    /// Client: our login is sent.
    LoggingIn {
        deadline: Duration,
    },
    /// Server: the caller decides about a login.
    Deciding {
        trn: Trn,
        deadline: Duration,
    },
    Open,
    /// Server: the login was refused; the peer should close.
    Refused {
        code: ErrorCode,
        deadline: Duration,
    },
    /// We want to end: open results are awaited.
    Finishing {
        deadline: Duration,
    },
    Closed,
}

impl Session {
    /// An application's session. Its login is in the output at once; without one it is open.
    ///
    /// # Errors
    /// When the configuration can't work.
    pub fn client(config: ClientConfig, now: Duration) -> Result<Self, ConfigError> {
        config.session.check()?;
        if config.announce && config.session.keep_alive.is_none() {
            return Err(ConfigError::Announcement);
        }
        let deadline = now.saturating_add(config.session.login_timeout);
        let role = Role::Client { logs_in: config.login.is_some(), announces: config.announce };
        let mut session = Self::new(config.session, role, State::LoggingIn { deadline }, now)?;
        match config.login {
            Some(login) => session.send_login(&login)?,
            None => {
                session.pending = Some(Event::Opened { sm: b"" });
                session.enter_open(now);
            }
        }
        Ok(session)
    }

    /// An SMSC's session, which waits for a login if one is required.
    ///
    /// # Errors
    /// When the configuration can't work.
    pub fn server(config: ServerConfig, now: Duration) -> Result<Self, ConfigError> {
        config.session.check()?;
        let deadline = now.saturating_add(config.session.login_timeout);
        let role = Role::Server { logged_in: false };
        let mut session = Self::new(config.session, role, State::Waiting { deadline }, now)?;
        if !config.login_required {
            session.pending = Some(Event::Opened { sm: b"" });
            session.enter_open(now);
        }
        Ok(session)
    }

    /// Hands over octets that were received, and says how many were taken. All are, unless complete
    /// frames have piled up: then take events (and write output) before handing over the rest.
    #[must_use = "what was not taken must be handed over again"]
    pub fn receive(&mut self, bytes: &[u8], now: Duration) -> usize {
        if self.is_closed() {
            return bytes.len();
        }
        let taken = self.input.fill(bytes);
        if taken > 0 {
            self.last_received = now;
            self.probed = None;
            self.counters.bytes_in += taken as u64;
        }
        taken
    }

    /// The connection has ended. Events tell what had come before, then `Closed`. From now on a full
    /// output holds nothing up any more, for nobody will read it: it may grow beyond
    /// [`output_limit`](SessionConfig::output_limit) by the answers to what is in the input still, which
    /// is at most one longest frame and a read of 64 KiB.
    pub fn transport_closed(&mut self) {
        self.end_of_input = true;
    }

    /// What happened next: frames first, then timers that have run out. Call it until it gives `None`
    /// after each `receive`, and when the deadline has come. While the output is full it takes no frames.
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

    /// When `next_event` must be called even if nothing is received. The window may have more room then.
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

    /// Whether so much output waits that neither input nor operations are taken.
    #[must_use]
    pub fn output_is_full(&self) -> bool {
        self.output.len() >= self.config.output_limit
    }

    /// After `Closed` (or whenever the caller gives up): takes the tokens of all operations that were
    /// sent and not answered, in the order of sending. What the peer did with them is in doubt.
    pub fn drain_outstanding(&mut self) -> impl Iterator<Item = u64> + '_ {
        std::iter::from_fn(|| self.outstanding.pop_oldest()).flatten()
    }

    /// How many operations can be sent now.
    #[must_use]
    pub fn window_room(&self) -> usize {
        match self.state {
            State::Open => self.outstanding.room(self.config.window),
            _ => 0,
        }
    }

    /// How many of our operations are unanswered, an alert of the session's own among them.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// How many of the peer's operations the caller has not answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.peers.len()
    }

    /// Whether messages can go: the login succeeded, or none is needed, and the end has not begun.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
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

    /// Frames by sort since this was asked for last.
    pub fn take_frame_counts(&mut self) -> impl Iterator<Item = FrameCount> + '_ {
        self.tally.take()
    }

    fn new(config: SessionConfig, role: Role, state: State, now: Duration) -> Result<Self, ConfigError> {
        let session = Self {
            role,
            state,
            input: Input::new(config.frames),
            output: Output::default(),
            outstanding: Outstanding::new(),
            peers: PeerRequests::new(),
            early: Vec::new(),
            pending: None,
            end_of_input: false,
            junk: 0,
            last_received: now,
            last_activity: now,
            probed: None,
            counters: Counters::default(),
            tally: Tally::default(),
            config,
        };
        // So that no alert fails later on.
        if let Some(alert) = session.alert() {
            encode(&alert, Trn::default(), &mut Vec::new()).map_err(ConfigError::KeepAlive)?;
        }
        Ok(session)
    }

    fn send_login(&mut self, login: &Login) -> Result<(), ConfigError> {
        let operation = Operation::Session(SessionManagement {
            oadc: &login.oadc,
            oton: Some(login.oton),
            onpi: Some(login.onpi),
            styp: Some(SessionType::OPEN),
            pwd: Secret(Hex::octets(&login.password)),
            vers: &login.version,
            ..SessionManagement::default()
        });
        let trn = self.outstanding.fresh().unwrap_or_default();
        encode(&operation, trn, &mut self.output.bytes).map_err(ConfigError::Login)?;
        // Its result is matched by the state, and its timer is that of the state.
        self.outstanding.skip(trn);
        self.sent(Kind::Operation, OperationType::SESSION, None);
        Ok(())
    }

    /// The alert that asks whether the peer is there.
    fn alert(&self) -> Option<Operation<'_>> {
        let keep_alive = self.config.keep_alive.as_ref()?;
        Some(Operation::Alert(Alert { adc: &keep_alive.adc, pid: Some(keep_alive.pid) }))
    }

    /// Sends an alert of the session's own, if the window and the output allow.
    fn send_alert(&mut self, now: Duration) {
        let Some(trn) = self.outstanding.fresh().filter(|_| self.window_room() > 0 && !self.output_is_full()) else {
            return;
        };
        let mut frame = Vec::new();
        if self.alert().is_some_and(|alert| encode(&alert, trn, &mut frame).is_ok()) {
            self.output.bytes.extend_from_slice(&frame);
            let deadline = now.saturating_add(self.config.response_timeout);
            self.outstanding.insert(trn, OperationType::ALERT, None, deadline);
            self.counters.alerts += 1;
            self.sent(Kind::Operation, OperationType::ALERT, None);
        }
    }

    /// Sends a result that has nothing in it that could be wrong.
    fn send_answer(&mut self, trn: Trn, ot: OperationType, answer: &Answer<'static>) {
        put_answer(&mut self.output.bytes, trn, ot, answer);
        self.sent(Kind::Result, ot, answer.code());
    }

    /// Counts a frame that was put into the output.
    #[inline]
    fn sent(&mut self, kind: Kind, ot: OperationType, code: Option<ErrorCode>) {
        self.counters.frames_out += 1;
        self.tally.add(false, kind, ot, code);
    }

    fn enter_open(&mut self, now: Duration) {
        self.state = State::Open;
        self.last_activity = now;
        if matches!(self.role, Role::Client { announces: true, .. }) {
            self.send_alert(now);
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if self.state != State::Closed {
            self.state = State::Closed;
            self.pending = Some(Event::Closed(reason));
        }
    }
}

fn put_answer(out: &mut Vec<u8>, trn: Trn, ot: OperationType, answer: &Answer<'static>) {
    let put = encode_answer(ot, answer, trn, out);
    debug_assert_eq!(put, Ok(()), "our own answers are well formed");
}
