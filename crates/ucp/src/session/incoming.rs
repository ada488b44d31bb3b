//! What becomes of each frame that comes in.
//!
//! A frame is judged by its header first ([`Session::step`]), because most of the judging changes the session.
//! Only when it is for the caller are its fields read, borrowed from the buffer ([`Session::tell`]).

use std::time::Duration;

use super::buffer::{self, Place, READ_SIZE};
use super::event::Fault;
use super::{CloseReason, Event, Role, Session, State, put_answer};
use crate::code::ErrorCode;
use crate::frame::{Header, Kind};
use crate::ot::OperationType;
use crate::pdu::{Answer, Operation, Pdu};
use crate::values::SessionType;

/// What our result of an alert says: how many messages wait.
const NONE_WAIT: Answer<'static> = Answer::ack(b"0000");

/// What one look at the input came to.
// It lives for a moment, and boxing the event would be an allocation a message.
#[allow(clippy::large_enum_variant)]
pub(super) enum Step {
    /// Something was dealt with: look again.
    Again,
    /// Nothing more to do for now.
    Idle,
    /// An event that borrows nothing.
    Event(Event<'static>),
    /// A frame for the caller.
    Found(Found),
}

/// A frame for the caller, by its place in the input.
pub(super) struct Found {
    place: Place,
    purpose: Purpose,
    now: Duration,
}

#[derive(Clone, Copy)]
enum Purpose {
    Login,
    Opened,
    LoginRefused,
    Alert,
    Request,
    Response { token: u64 },
    NoAnswer,
}

impl Session {
    /// Looks for the next thing to do: something left to tell, a frame, the end of the input, a timer.
    #[inline]
    pub(super) fn step(&mut self, now: Duration) -> Step {
        if let Some(event) = self.pending.take() {
            if let Event::Closed(_) = event {
                self.input.clear();
                self.early = Vec::new();
            }
            return Step::Event(event);
        }
        if self.state == State::Closed {
            return Step::Idle;
        }
        if !self.early.is_empty() && !matches!(self.state, State::LoggingIn { .. } | State::Deciding { .. }) {
            self.input.put_back(&std::mem::take(&mut self.early));
        }
        if self.end_of_input || !self.output_is_full() {
            let taken = self.input.take();
            self.count_junk(taken.junk);
            if self.pending.is_some() {
                return Step::Again;
            }
            match taken.found {
                Some(Ok(place)) => {
                    self.junk = 0;
                    self.counters.frames_in += 1;
                    return self.judge(place, now);
                }
                Some(Err(fault)) => return self.judge_fault(&fault),
                None if self.end_of_input => {
                    self.close(self.reason_at_end());
                    return Step::Again;
                }
                None => {}
            }
        }
        self.run_timers(now)
    }

    /// Reads the fields of a frame for the caller and makes it an event.
    #[inline]
    pub(super) fn tell(&mut self, found: Found) -> Event<'_> {
        let Found { place, purpose, now } = found;
        let header @ Header { trn, ot, .. } = place.header;
        let pdu = match Pdu::decode(header.kind, ot, self.input.slice(place.data())) {
            Ok(pdu) => pdu,
            Err(error) => {
                self.counters.malformed += 1;
                let answer = Answer::nack(error.code());
                if header.kind == Kind::Operation && self.peers.get(trn).is_none() {
                    put_answer(&mut self.output.bytes, trn, ot, &answer);
                    self.counters.frames_out += 1;
                    self.tally.add(false, Kind::Result, ot, answer.code());
                }
                return Event::Malformed { header: Some(header), error: error.into() };
            }
        };
        match (purpose, pdu) {
            (Purpose::Login, Pdu::Operation(Operation::Session(login))) => {
                let deadline = now.saturating_add(self.config.login_timeout);
                self.state = State::Deciding { trn, deadline };
                Event::LoginRequest { login }
            }
            (Purpose::Alert, Pdu::Operation(Operation::Alert(alert))) => {
                put_answer(&mut self.output.bytes, trn, ot, &NONE_WAIT);
                self.counters.frames_out += 1;
                self.tally.add(false, Kind::Result, ot, None);
                Event::Alert(alert)
            }
            (Purpose::LoginRefused, Pdu::Answer(_, answer)) => {
                let code = answer.code().unwrap_or_default();
                // Not by `close`, which does not know that the input is borrowed; the effect is the same.
                self.state = State::Closed;
                self.pending = Some(Event::Closed(CloseReason::LoginRefused(code)));
                Event::LoginRefused { code, sm: answer.sm() }
            }
            (Purpose::Response { token }, Pdu::Answer(_, answer)) => {
                self.counters.responses += 1;
                self.counters.nacks += u64::from(!answer.is_ack());
                Event::Response { token, ot, answer }
            }
            (_, Pdu::Answer(_, answer)) => Event::Opened { sm: answer.sm() },
            (_, Pdu::Operation(operation)) => {
                self.peers.insert(trn, ot);
                self.counters.peer_requests += 1;
                Event::Request { trn, operation }
            }
        }
    }

    /// Decides by the header what becomes of a frame.
    #[inline]
    fn judge(&mut self, place: Place, now: Duration) -> Step {
        let header @ Header { trn, ot, .. } = place.header;
        if header.kind == Kind::Result {
            return self.judge_result(place, now);
        }
        self.tally.add(true, Kind::Operation, ot, None);
        // The peer has given up the operation before, and takes the next result for that of this one. It must not
        // be the one that the caller is going to send.
        if self.peers.get(trn).is_some() {
            self.refuse(header, ErrorCode::NOT_ALLOWED);
            return Step::Again;
        }
        if ot == OperationType::ALERT {
            return Step::Found(Found { place, purpose: Purpose::Alert, now });
        }
        match self.state {
            State::Open => self.judge_request(place, now),
            State::LoggingIn { .. } | State::Deciding { .. } => self.hold(&place),
            State::Waiting { .. } if ot == OperationType::SESSION => self.judge_session(place, now),
            // What is left unanswered comes again after the peer has connected again; a negative result could be
            // the end of a message.
            State::Finishing { .. } => {
                self.counters.refused += 1;
                Step::Again
            }
            State::Waiting { .. } | State::Refused { .. } => {
                self.refuse(header, ErrorCode::NOT_ALLOWED);
                Step::Again
            }
            State::Closed => Step::Idle,
        }
    }

    fn judge_result(&mut self, place: Place, now: Duration) -> Step {
        let Header { trn, ot, .. } = place.header;
        let answer = Answer::decode(ot, self.input.slice(place.data()));
        self.tally.add(true, Kind::Result, ot, answer.ok().and_then(|answer| answer.code()));
        let is_ack = answer.map(|answer| answer.is_ack());
        let purpose = match (is_ack, self.state) {
            (Err(_), _) => Purpose::NoAnswer,
            // Matched by the state, for what else could it belong to?
            (Ok(true), State::LoggingIn { .. }) if ot == OperationType::SESSION => {
                self.enter_open(now);
                Purpose::Opened
            }
            (Ok(false), State::LoggingIn { .. }) if ot == OperationType::SESSION => Purpose::LoginRefused,
            (Ok(_), _) => match self.outstanding.remove(trn, ot) {
                Some(Some(token)) => {
                    self.last_activity = now;
                    Purpose::Response { token }
                }
                // An alert of our own: any octet has already counted as a sign of life.
                Some(None) => return Step::Again,
                None => {
                    self.counters.unknown_responses += 1;
                    return Step::Again;
                }
            },
        };
        Step::Found(Found { place, purpose, now })
    }

    #[inline]
    fn judge_request(&mut self, place: Place, now: Duration) -> Step {
        let header = place.header;
        if header.ot.name().is_none() {
            self.refuse(header, ErrorCode::NOT_SUPPORTED);
            return Step::Again;
        }
        let allowed = match self.role {
            Role::Server { .. } => header.ot.goes_to_smsc(),
            Role::Client { .. } if header.ot == OperationType::SESSION => return self.judge_session(place, now),
            Role::Client { .. } => header.ot.goes_to_application(),
        };
        if !allowed {
            self.refuse(header, ErrorCode::NOT_ALLOWED);
            return Step::Again;
        }
        if self.peers.len() >= self.config.max_unanswered {
            self.counters.throttled += 1;
            self.send_answer(header.trn, header.ot, &Answer::nack(ErrorCode::NOT_ALLOWED));
            return Step::Again;
        }
        if header.ot == OperationType::SESSION {
            return self.judge_session(place, now);
        }
        self.last_activity = now;
        Step::Found(Found { place, purpose: Purpose::Request, now })
    }

    /// A 60: a login, or something that the caller decides about.
    fn judge_session(&mut self, place: Place, now: Duration) -> Step {
        let Header { trn, ot, .. } = place.header;
        let styp = match Operation::decode(ot, self.input.slice(place.data())) {
            Ok(Operation::Session(operation)) => operation.styp.unwrap_or(SessionType::OPEN),
            // Will be told to be malformed.
            _ => return Step::Found(Found { place, purpose: Purpose::Request, now }),
        };
        let purpose = match (self.role, self.state, styp) {
            // An SMSC that connects to us and logs in: who may do so was decided when it connected.
            (Role::Client { logs_in: false, .. }, _, SessionType::OPEN) => {
                self.send_answer(trn, ot, &Answer::ACK);
                return Step::Again;
            }
            (Role::Server { logged_in: false }, _, SessionType::OPEN) => Purpose::Login,
            (Role::Server { .. }, State::Open, styp) if styp != SessionType::OPEN => Purpose::Request,
            _ => {
                self.refuse(place.header, ErrorCode::NOT_ALLOWED);
                return Step::Again;
            }
        };
        self.last_activity = now;
        Step::Found(Found { place, purpose, now })
    }

    /// Answers octets that are no frame, if it is clear to what: a TRN that waits already may be garbled, and the
    /// result would be taken for that of an operation that is well.
    fn judge_fault(&mut self, fault: &buffer::Fault) -> Step {
        self.counters.malformed += 1;
        let header = fault.error.header();
        if let Some(header) = header.filter(|header| header.kind == Kind::Operation)
            && self.peers.get(header.trn).is_none()
        {
            self.send_answer(header.trn, header.ot, &Answer::nack(fault.error.code()));
        }
        self.count_junk(fault.octets);
        if self.pending.is_some() {
            return Step::Again;
        }
        Step::Event(Event::Malformed { header, error: Fault::Frame(fault.error) })
    }

    /// Keeps an operation until the login is settled: SMSCs send messages right behind, or even before, their
    /// result of the login, and some applications do not wait for it.
    fn hold(&mut self, place: &Place) -> Step {
        let octets = self.input.slice(place.frame.clone());
        let header = place.header;
        if self.early.len() + octets.len() <= READ_SIZE {
            self.early.extend_from_slice(octets);
            self.counters.frames_in -= 1;
            self.tally.take_back(header.ot);
        } else {
            self.counters.throttled += 1;
            self.send_answer(header.trn, header.ot, &Answer::nack(ErrorCode::NOT_ALLOWED));
        }
        Step::Again
    }

    /// Answers an operation that can't be.
    fn refuse(&mut self, header: Header, code: ErrorCode) {
        self.counters.refused += 1;
        self.send_answer(header.trn, header.ot, &Answer::nack(code));
    }

    fn count_junk(&mut self, octets: usize) {
        self.counters.junk += octets as u64;
        self.junk = self.junk.saturating_add(octets);
        if self.junk > self.config.max_junk {
            self.close(CloseReason::Junk(self.junk));
        }
    }

    fn reason_at_end(&self) -> CloseReason {
        match self.state {
            State::Finishing { .. } => CloseReason::WeClosed,
            State::Refused { code, .. } => CloseReason::LoginRefused(code),
            _ => CloseReason::PeerClosed,
        }
    }
}
