//! One SMPP session as a struct without I/O: bytes, commands and the time in; bytes, events and the
//! next deadline out. See the crate's documentation for the loop round it.

mod buffer;
mod commands;
mod config;
mod counters;
mod event;
mod incoming;
mod outstanding;
mod tally;
mod timers;

use std::time::Duration;

pub use config::{ClientConfig, ConfigError, OutbindCredentials, SessionConfig};
pub use counters::Counters;
pub use event::{CloseReason, Event, RespondError, SubmitError};
pub use tally::PduCount;

use crate::command::CommandId;
use crate::error::EncodeError;
use crate::pdu::{Address, Bind, BindMode, Operation, Pdu, encode};
use crate::status::CommandStatus;
use crate::values::InterfaceVersion;
use buffer::{Input, Output};
use outstanding::Outstanding;
use tally::Tally;

/// The highest sequence number; 1 follows (SMPP 3.4 §5.1.4).
const LAST_SEQUENCE: u32 = 0x7FFF_FFFF;

/// One session, on either side. All times are measured from any one moment of the caller's choice.
pub struct Session {
    config: SessionConfig,
    role: Role,
    state: State,
    input: Input,
    output: Output,
    outstanding: Outstanding,
    next_sequence: u32,
    /// The peer's requests that the caller has not answered.
    unanswered: usize,
    /// Requests that came before the bind was settled, to be looked at after it.
    early: Vec<u8>,
    /// What to tell next, after an event that had two things to say.
    pending: Option<Event<'static>>,
    /// The connection has ended: what is in `input` is all there will be.
    end_of_input: bool,
    mode: Option<BindMode>,
    with_tlvs: bool,
    peer_version: Option<InterfaceVersion>,
    congestion: Option<u8>,
    /// When the last octet came.
    last_received: Duration,
    /// When the last request or response other than enquire_link came or went.
    last_activity: Duration,
    /// When the enquire_link was sent that nothing has followed yet.
    enquired: Option<Duration>,
    counters: Counters,
    tally: Tally,
}

/// Which side we are.
enum Role {
    Client {
        /// The bind, with sequence number 1, ready to be sent.
        bind: Vec<u8>,
        await_outbind: Option<OutbindCredentials>,
    },
    Server,
}

/// Where the session is in its life. Deadlines are for leaving the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waiting for a bind (server) or an outbind (client).
    Open {
        deadline: Duration,
    },
    /// Client: our bind is sent.
    Binding {
        deadline: Duration,
    },
    /// Server: the caller decides about a bind.
    Deciding {
        sequence: u32,
        deadline: Duration,
    },
    Bound,
    /// Server: the bind was refused; the peer should close.
    Refused {
        status: CommandStatus,
        deadline: Duration,
    },
    /// We want to end: first open answers are awaited, then the unbind is sent.
    Unbinding {
        sent: bool,
        deadline: Duration,
    },
    /// The peer wants to end: its unbind is answered when all its requests are.
    PeerUnbinding {
        unanswered: Option<u32>,
        deadline: Duration,
    },
    Closed,
}

impl Session {
    /// An ESME's session. Its bind is in the output at once, unless it waits for an outbind.
    ///
    /// # Errors
    /// When the configuration can't work.
    pub fn client(config: ClientConfig, now: Duration) -> Result<Self, ConfigError> {
        config.session.check()?;
        if config.mode == BindMode::Transceiver && !config.session.version.has_tlvs() {
            return Err(ConfigError::TransceiverNeeds34);
        }
        let body = Bind {
            system_id: &config.system_id,
            password: &config.password,
            system_type: &config.system_type,
            interface_version: config.session.version,
            address_range: Address::new(config.addr_ton, config.addr_npi, &config.address_range),
        };
        let mut bind = Vec::new();
        encode(&Pdu::Bind(config.mode, body), 1, CommandStatus::ROK, &mut bind)?;
        let waits = config.await_outbind.is_some();
        let role = Role::Client { bind, await_outbind: config.await_outbind };
        let mut session = Self::new(config.session, role, now);
        session.mode = Some(config.mode);
        session.next_sequence = 2;
        if !waits {
            session.send_bind(now);
        }
        Ok(session)
    }

    /// A message centre's session, which waits for a bind.
    ///
    /// # Errors
    /// When the configuration can't work.
    pub fn server(config: SessionConfig, now: Duration) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self::new(config, Role::Server, now))
    }

    /// Hands over octets that were received, and says how many were taken. All are, unless complete
    /// PDUs have piled up: then take events (and write output) before handing over the rest.
    #[must_use = "what was not taken must be handed over again"]
    pub fn receive(&mut self, bytes: &[u8], now: Duration) -> usize {
        if self.is_closed() {
            return bytes.len();
        }
        let taken = self.input.fill(bytes);
        if taken > 0 {
            self.last_received = now;
            self.enquired = None;
            self.counters.bytes_in += taken as u64;
        }
        taken
    }

    /// The connection has ended. Events tell what had come before, then `Closed`. From now on a full
    /// output holds nothing up any more, for nobody will read it: it may grow beyond
    /// [`output_limit`](SessionConfig::output_limit) by the answers to what is in the input still, which
    /// is at most one longest PDU and a read of 64 KiB.
    pub fn transport_closed(&mut self) {
        self.end_of_input = true;
    }

    /// What happened next: PDUs first, then timers that have run out. Call it until it gives `None`
    /// after each `receive`, and when the deadline has come. While the output is full it takes no PDUs.
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
            State::Bound => self.config.window.saturating_sub(self.outstanding.len()),
            _ => 0,
        }
    }

    /// How many of our requests are unanswered.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// How many of the peer's requests the caller has not answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// Client: whether the outbind that it was told to wait for has not come yet.
    #[must_use]
    pub fn awaits_outbind(&self) -> bool {
        matches!((&self.role, self.state), (Role::Client { .. }, State::Open { .. }))
    }

    /// Whether the bind succeeded and nobody has begun to unbind.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.state == State::Bound
    }

    /// Whether the session is over. Output may be left to write.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The directions of the session, once known.
    #[must_use]
    pub fn mode(&self) -> Option<BindMode> {
        self.mode
    }

    /// The version that the peer named in its bind or bind_resp.
    #[must_use]
    pub fn peer_version(&self) -> Option<InterfaceVersion> {
        self.peer_version
    }

    /// Whether TLVs are sent; otherwise the session is SMPP 3.3, TLVs are left out, and message ids
    /// in our answers have at most 8 characters.
    #[must_use]
    pub fn with_tlvs(&self) -> bool {
        self.with_tlvs
    }

    /// The last congestion_state that the peer sent, 0–100; 5.0 wants 80–89 (SMPP 5.0 §4.8.4.18).
    #[must_use]
    pub fn congestion_state(&self) -> Option<u8> {
        self.congestion
    }

    /// Totals since the session began.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// PDUs by operation and status since this was asked for last.
    pub fn take_pdu_counts(&mut self) -> impl Iterator<Item = PduCount> + '_ {
        self.tally.take()
    }

    fn new(config: SessionConfig, role: Role, now: Duration) -> Self {
        Self {
            role,
            state: State::Open { deadline: now.saturating_add(config.bind_timeout) },
            input: Input::new(config.max_pdu),
            output: Output::default(),
            outstanding: Outstanding::new(config.window),
            next_sequence: 1,
            unanswered: 0,
            early: Vec::new(),
            pending: None,
            end_of_input: false,
            mode: None,
            with_tlvs: config.version.has_tlvs(),
            peer_version: None,
            congestion: None,
            last_received: now,
            last_activity: now,
            enquired: None,
            counters: Counters::default(),
            tally: Tally::default(),
            config,
        }
    }

    fn fresh_sequence(&self) -> u32 {
        let mut sequence = self.next_sequence;
        while self.outstanding.contains(sequence) {
            sequence = following(sequence);
        }
        sequence
    }

    fn send_bind(&mut self, now: Duration) {
        if let Role::Client { bind, .. } = &self.role {
            self.output.bytes.extend_from_slice(bind);
            let mode = self.mode.unwrap_or(BindMode::Transceiver);
            self.sent(Pdu::Bind(mode, Bind::default()).command_id(), CommandStatus::ROK);
            self.state = State::Binding { deadline: now.saturating_add(self.config.bind_timeout) };
        }
    }

    /// Sends a PDU of this session's own that has no body.
    fn send_own(&mut self, id: CommandId) {
        let sequence = self.fresh_sequence();
        self.next_sequence = following(sequence);
        self.send_bare(id, CommandStatus::ROK, sequence);
    }

    /// Sends a PDU without a body.
    fn send_bare(&mut self, id: CommandId, status: CommandStatus, sequence: u32) {
        put_bare(&mut self.output.bytes, id, status, sequence);
        self.sent(id, status);
    }

    /// Counts a PDU that was put into the output.
    #[inline]
    fn sent(&mut self, id: CommandId, status: CommandStatus) {
        self.counters.pdus_out += 1;
        self.tally.add(false, id, status);
    }

    fn enter_bound(&mut self, now: Duration) {
        self.state = State::Bound;
        self.last_activity = now;
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

fn following(sequence: u32) -> u32 {
    if sequence >= LAST_SEQUENCE { 1 } else { sequence + 1 }
}

fn put_bare(out: &mut Vec<u8>, id: CommandId, status: CommandStatus, sequence: u32) {
    let bare: Result<(), EncodeError> = encode(&Pdu::Unknown { id, body: b"" }, sequence, status, out);
    debug_assert_eq!(bare, Ok(()), "a PDU without fields has none that could be wrong");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::SubmitSm;

    #[test]
    fn sequence_numbers_begin_again_at_one_and_skip_those_in_use() {
        let mut session = Session::server(SessionConfig::default(), Duration::ZERO).unwrap();
        session.state = State::Bound;
        session.mode = Some(BindMode::Transceiver);
        session.next_sequence = LAST_SEQUENCE - 1;
        session.outstanding.insert(1, 0, Duration::ZERO);
        let sequences = [(); 3].map(|()| session.submit(&SubmitSm::default(), 0, Duration::ZERO).unwrap());
        assert_eq!(sequences, [LAST_SEQUENCE - 1, LAST_SEQUENCE, 2]);
    }
}
