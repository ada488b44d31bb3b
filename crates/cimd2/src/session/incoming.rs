//! What becomes of each packet that comes in.
//!
//! A packet is judged by its header first ([`Session::step`]), because most of the judging changes the
//! session. Only when it is for the caller are its parameters read, borrowed from the buffer
//! ([`Session::tell`]).

use std::ops::Range;
use std::time::Duration;

use super::buffer::{Place, READ_SIZE, Taken};
use super::handled::Known;
use super::{CloseReason, Event, Role, Session, State, put_bare};
use crate::error_code::ErrorCode;
use crate::frame::{Checksum, Header};
use crate::operation::OperationCode;
use crate::packet::Packet;

/// Octets of the longest greeting, and of the longest reason for a refused login, that are kept.
const LONGEST_NOTE: usize = 512;

/// What one look at the input came to.
pub(super) enum Step {
    /// Something was dealt with: look again.
    Again,
    /// Nothing more to do for now.
    Idle,
    /// An event that borrows nothing.
    Event(Event<'static>),
    /// Something for the caller that lies in our buffers.
    Found(Found),
}

/// Something for the caller, by its place.
pub(super) enum Found {
    Packet { place: Place, purpose: Purpose, now: Duration },
    Greeting,
    Refusal(ErrorCode),
}

#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Login,
    Request,
    Response { token: u64 },
}

/// The line before the first packet.
pub(super) enum Greeting {
    Gathering(Vec<u8>),
    /// To be told next.
    Whole(Vec<u8>),
    Over,
}

impl Session {
    /// Looks for the next thing to do: something left to tell, a packet, the end of the input, a timer.
    #[inline]
    pub(super) fn step(&mut self, now: Duration) -> Step {
        if let Some(event) = self.pending.take() {
            return Step::Event(event);
        }
        if self.state == State::Closed {
            return Step::Idle;
        }
        if !self.early.is_empty() && !matches!(self.state, State::LoggingIn { .. } | State::Deciding { .. }) {
            self.input.put_back(&std::mem::take(&mut self.early));
        }
        if self.end_of_input || !self.output_is_full() {
            if !matches!(self.greeting, Greeting::Over) && self.greeting_is_whole() {
                return Step::Found(Found::Greeting);
            }
            match self.input.take() {
                Some(Taken::Packet(place)) => return self.judge(place, now),
                Some(Taken::Stray(range)) => {
                    self.counters.stray += range.len() as u64;
                    self.gather_greeting(range);
                    return Step::Again;
                }
                Some(Taken::Broken(error)) => {
                    // It has no number to answer to. What it asked for will be repeated.
                    self.counters.broken += 1;
                    return Step::Event(Event::Broken(error));
                }
                None if self.end_of_input => {
                    self.close(self.reason_at_end());
                    return Step::Again;
                }
                None => {}
            }
        }
        self.run_timers(now)
    }

    /// Makes an event of something that lies in the buffers.
    #[inline]
    pub(super) fn tell(&mut self, found: Found) -> Event<'_> {
        let (place, purpose, now) = match found {
            Found::Packet { place, purpose, now } => (place, purpose, now),
            Found::Greeting => return self.tell_greeting(),
            Found::Refusal(error) => return Event::LoginRefused { error, text: &self.refusal },
        };
        let Header { operation, sequence } = place.header;
        let packet = match Packet::decode(operation, self.input.parameters(&place)) {
            Ok(packet) => packet,
            Err(error) => {
                let (code, answer) = (operation.response(), error.error_code(operation));
                put_bare(&mut self.output.bytes, code, answer, sequence, self.config.send_checksum);
                self.counters.packets_out += 1;
                self.tally.add(false, code, answer);
                self.counters.malformed += 1;
                return Event::Malformed { sequence, operation, error };
            }
        };
        match (purpose, packet) {
            (Purpose::Login, Packet::Login(login)) => {
                let deadline = now.saturating_add(self.config.login_timeout);
                self.state = State::Deciding { sequence, deadline };
                Event::LoginRequest { login }
            }
            (Purpose::Response { token }, packet) => {
                self.counters.responses += 1;
                Event::Response { token, error: packet.outcome().0, packet }
            }
            (_, packet) => {
                self.handled.insert(place.header, self.input.parameters(&place).raw());
                self.counters.peer_requests += 1;
                Event::Request { sequence, packet }
            }
        }
    }

    /// Decides by the header what becomes of a packet.
    #[inline]
    fn judge(&mut self, place: Place, now: Duration) -> Step {
        let Header { operation, sequence } = place.header;
        self.counters.packets_in += 1;
        self.tally.add(true, operation, place.error);
        let wrong = matches!(place.checksum, Checksum::Wrong { .. });
        self.counters.wrong_checksums += u64::from(wrong);
        if operation.is_response() {
            // Even with a wrong checksum: dropping it would leave its request in doubt.
            return self.judge_response(place, now);
        }
        if wrong && self.config.verify_checksum {
            self.send_bare(OperationCode::NACK, ErrorCode::OK, self.expected);
            return Step::Again;
        }
        let settled = !matches!(self.state, State::LoggingIn { .. } | State::Deciding { .. });
        if settled || operation == OperationCode::ALIVE {
            self.expected = (sequence % 256 + 2) % 256;
        }
        if operation == OperationCode::ALIVE {
            self.send_bare(OperationCode::ALIVE_RESP, ErrorCode::OK, sequence);
            return Step::Again;
        }
        match self.state {
            State::LoggedIn | State::LoggingOut { .. } => self.judge_request(place, now),
            State::LoggingIn { .. } if operation == OperationCode::LOGOUT => {
                self.send_bare(OperationCode::LOGOUT_RESP, ErrorCode::OK, sequence);
                self.close(CloseReason::PeerLoggedOut);
                Step::Again
            }
            State::LoggingIn { .. } | State::Deciding { .. } => self.hold(&place),
            State::Open { .. } => self.judge_before_login(place, now),
            State::Refused { .. } | State::PeerLoggingOut { .. } => {
                self.refuse_request(place.header, ErrorCode::UNEXPECTED_OPERATION);
                Step::Again
            }
            State::Closed => Step::Idle,
        }
    }

    #[inline]
    fn judge_response(&mut self, place: Place, now: Duration) -> Step {
        let Header { operation, sequence } = place.header;
        match (operation, self.state) {
            (OperationCode::NACK, _) => return self.take_nack(sequence, now),
            // Matched by state, for there is only one login.
            (OperationCode::LOGIN_RESP | OperationCode::GENERAL_ERROR, State::LoggingIn { .. }) => {
                return self.settle_login(&place);
            }
            (OperationCode::LOGOUT_RESP | OperationCode::GENERAL_ERROR, State::LoggingOut { sent: true, .. }) => {
                self.close(CloseReason::WeLoggedOut);
                return Step::Again;
            }
            _ => {}
        }
        let of = |request: OperationCode| operation == OperationCode::GENERAL_ERROR || request.response() == operation;
        let Some(number) = u8::try_from(sequence).ok() else {
            self.counters.unknown_responses += 1;
            return Step::Again;
        };
        match self.outstanding.remove_if(number, of) {
            Some(Some(token)) => Step::Found(Found::Packet { place, purpose: Purpose::Response { token }, now }),
            // Our alive; any octet has already counted as a sign of life.
            Some(None) => Step::Again,
            None => {
                self.numbers.found(number);
                self.counters.unknown_responses += 1;
                Step::Again
            }
        }
    }

    fn settle_login(&mut self, place: &Place) -> Step {
        let packet = Packet::decode(place.header.operation, self.input.parameters(place));
        // Responses are never refused.
        let (error, text) = packet.map_or((ErrorCode::SYNTAX, &b""[..]), |packet| packet.outcome());
        if error.is_ok() {
            self.state = State::LoggedIn;
            return Step::Event(Event::LoggedIn);
        }
        self.refusal = text.get(..LONGEST_NOTE).unwrap_or(text).to_vec();
        self.close(CloseReason::LoginRefused(error));
        Step::Found(Found::Refusal(error))
    }

    #[inline]
    fn judge_request(&mut self, place: Place, now: Duration) -> Step {
        use OperationCode as Op;
        let header = place.header;
        let from_application = matches!(self.role, Role::Server);
        let allowed = match header.operation {
            Op::LOGOUT => {
                self.begin_peer_logout(header, now);
                return if self.pending.is_some() { Step::Again } else { Step::Event(Event::PeerLoggingOut) };
            }
            Op::DELIVER | Op::STATUS_REPORT => !from_application,
            Op::SUBMIT | Op::ENQUIRE_STATUS | Op::DELIVERY_REQUEST | Op::CANCEL | Op::SET | Op::GET => from_application,
            _ => false,
        };
        if !allowed {
            self.refuse_request(header, ErrorCode::UNEXPECTED_OPERATION);
            return Step::Again;
        }
        match self.handled.find(header, self.input.parameters(&place).raw()) {
            Known::New => {}
            Known::Waiting => {
                self.counters.peer_repeated += 1;
                return Step::Again;
            }
            Known::Answered(answer) => {
                self.output.bytes.extend_from_slice(answer);
                self.counters.peer_repeated += 1;
                self.sent(header.operation.response(), ErrorCode::OK);
                return Step::Again;
            }
        }
        if self.handled.is_full() {
            self.counters.throttled += 1;
            self.send_bare(header.operation.response(), ErrorCode::CONGESTION, header.sequence);
            return Step::Again;
        }
        Step::Found(Found::Packet { place, purpose: Purpose::Request, now })
    }

    /// Only a login leads on; the rest is answered.
    fn judge_before_login(&mut self, place: Place, now: Duration) -> Step {
        match place.header.operation {
            OperationCode::LOGIN => return Step::Found(Found::Packet { place, purpose: Purpose::Login, now }),
            OperationCode::LOGOUT => {
                self.send_bare(OperationCode::LOGOUT_RESP, ErrorCode::OK, place.header.sequence);
                self.close(CloseReason::PeerLoggedOut);
            }
            _ => self.refuse_request(place.header, ErrorCode::UNEXPECTED_OPERATION),
        }
        Step::Again
    }

    /// Keeps a request until the login is settled: SMSCs send messages right behind, or even before, their answer to
    /// the login, and some applications do not wait for it.
    fn hold(&mut self, place: &Place) -> Step {
        let octets = self.input.whole(place);
        if self.early.len() + octets.len() <= READ_SIZE {
            self.early.extend_from_slice(octets);
            self.counters.packets_in -= 1;
            self.counters.wrong_checksums -= u64::from(matches!(place.checksum, Checksum::Wrong { .. }));
            self.tally.take_back(place.header.operation);
        } else {
            self.counters.throttled += 1;
            self.send_bare(place.header.operation.response(), ErrorCode::CONGESTION, place.header.sequence);
        }
        Step::Again
    }

    fn begin_peer_logout(&mut self, header: Header, now: Duration) {
        if let State::LoggingOut { .. } = self.state {
            // Both sides at once: ours goes on.
            self.send_bare(OperationCode::LOGOUT_RESP, ErrorCode::OK, header.sequence);
            return;
        }
        let deadline = now.saturating_add(self.config.drain_timeout);
        self.state = State::PeerLoggingOut { unanswered: Some(header.sequence), deadline };
        self.settle_logout(now);
    }

    /// Answers a request that can't be: by its own response if it has one, else by a general error.
    fn refuse_request(&mut self, header: Header, error: ErrorCode) {
        self.counters.refused += 1;
        let known = header.operation.name().is_some();
        let code = if known { header.operation.response() } else { OperationCode::GENERAL_ERROR };
        self.send_bare(code, error, header.sequence);
    }

    fn reason_at_end(&self) -> CloseReason {
        match self.state {
            State::LoggingOut { .. } => CloseReason::WeLoggedOut,
            State::PeerLoggingOut { .. } => CloseReason::PeerLoggedOut,
            State::Refused { error, .. } => CloseReason::LoginRefused(error),
            _ => CloseReason::PeerClosed,
        }
    }

    /// Adds octets from outside packets to the greeting, until its line ends.
    fn gather_greeting(&mut self, range: Range<usize>) {
        let Greeting::Gathering(line) = &mut self.greeting else {
            return;
        };
        for octet in self.input.slice(range) {
            match octet {
                b'\r' | b'\n' if !line.is_empty() => {
                    self.greeting = Greeting::Whole(std::mem::take(line));
                    return;
                }
                0x20..=0x7E | 0xA0.. if line.len() < LONGEST_NOTE => line.push(*octet),
                _ => {}
            }
        }
    }

    /// Whether there is a greeting to tell. It also ends where the first packet begins, or the connection.
    fn greeting_is_whole(&mut self) -> bool {
        let ends = self.input.begins_packet() || (self.end_of_input && self.input.is_empty());
        if let Greeting::Gathering(line) = &mut self.greeting
            && ends
        {
            let line = std::mem::take(line);
            self.greeting = if line.is_empty() { Greeting::Over } else { Greeting::Whole(line) };
        }
        matches!(self.greeting, Greeting::Whole(_))
    }

    fn tell_greeting(&mut self) -> Event<'_> {
        if let Greeting::Whole(line) = std::mem::replace(&mut self.greeting, Greeting::Over) {
            // Nothing else is kept there until the login is refused, which ends the session.
            self.refusal = line;
        }
        Event::Greeting { text: &self.refusal }
    }
}
