//! What happens when nothing comes, and how a session ends in order.

use std::time::Duration;

use super::incoming::Step;
use super::{CloseReason, Event, Role, Session, State};
use crate::error_code::ErrorCode;
use crate::operation::OperationCode;
use crate::packet::{Packet, encode};

impl Session {
    /// Acts on one timer that has run out.
    pub(super) fn run_timers(&mut self, now: Duration) -> Step {
        if self.outstanding.deadline().is_some_and(|deadline| now >= deadline) {
            return self.miss_answer(now);
        }
        match self.state {
            State::LoggedIn => self.run_link_timers(now),
            State::Open { deadline } | State::LoggingIn { deadline } | State::Deciding { deadline, .. } => {
                if now >= deadline {
                    self.close(CloseReason::LoginTimeout);
                }
            }
            State::Refused { error, deadline } => {
                if now >= deadline {
                    self.close(CloseReason::LoginRefused(error));
                }
            }
            State::LoggingOut { .. } | State::PeerLoggingOut { .. } => self.settle_logout(now),
            State::Closed => {}
        }
        if self.pending.is_some() { Step::Again } else { Step::Idle }
    }

    /// Takes the next step of an orderly end, if it is due.
    pub(super) fn settle_logout(&mut self, now: Duration) {
        let settled = self.outstanding.tokens() == 0 && self.handled.unanswered() == 0;
        match self.state {
            State::LoggingOut { sent: false, deadline } if settled || now >= deadline => match self.role {
                Role::Client { .. } => {
                    let sequence = self.numbers.next_anyway();
                    self.send_bare(OperationCode::LOGOUT, ErrorCode::OK, u16::from(sequence));
                    let deadline = now.saturating_add(self.config.drain_timeout);
                    self.state = State::LoggingOut { sent: true, deadline };
                }
                Role::Server => self.close(CloseReason::WeLoggedOut),
            },
            State::LoggingOut { sent: true, deadline } if now >= deadline => self.close(CloseReason::WeLoggedOut),
            State::PeerLoggingOut { unanswered, deadline } => {
                let over = now >= deadline;
                let mut left = unanswered;
                if let Some(sequence) = unanswered.filter(|_| over || self.handled.unanswered() == 0) {
                    self.send_bare(OperationCode::LOGOUT_RESP, ErrorCode::OK, sequence);
                    left = None;
                    self.state = State::PeerLoggingOut { unanswered: None, deadline };
                }
                if left.is_none() && (over || settled) {
                    self.close(CloseReason::PeerLoggedOut);
                }
            }
            _ => {}
        }
    }

    /// The first moment at which a timer runs out.
    pub(super) fn earliest_deadline(&self) -> Option<Duration> {
        let state = match self.state {
            State::Closed => return None,
            State::LoggedIn => earlier(self.alive_deadline(), self.silence_deadline()),
            State::Open { deadline }
            | State::LoggingIn { deadline }
            | State::Deciding { deadline, .. }
            | State::Refused { deadline, .. }
            | State::LoggingOut { deadline, .. }
            | State::PeerLoggingOut { deadline, .. } => Some(deadline),
        };
        earlier(state, self.outstanding.deadline())
    }

    /// The answer to a request did not come in time: it is sent again, or given up.
    fn miss_answer(&mut self, now: Duration) -> Step {
        let repeats = if self.state == State::LoggedIn && !self.output_is_full() { self.config.repeats } else { 0 };
        let timeout = self.config.response_timeout;
        let Some(request) = self.outstanding.first_due() else {
            return Step::Again;
        };
        let (sequence, operation) = (request.sequence, request.operation);
        if request.token.is_some() && request.repeats < repeats {
            request.repeats += 1;
            request.deadline = now.saturating_add(timeout);
            self.output.bytes.extend_from_slice(&request.octets);
            self.counters.repeated += 1;
            self.sent(operation, ErrorCode::OK);
            return Step::Again;
        }
        self.numbers.lose(sequence);
        match self.outstanding.remove_if(sequence, |_| true).flatten() {
            Some(token) => {
                self.counters.timeouts += 1;
                Step::Event(Event::TimedOut { token })
            }
            None => Step::Again,
        }
    }

    fn run_link_timers(&mut self, now: Duration) {
        if self.silence_deadline().is_some_and(|deadline| now >= deadline) {
            self.close(CloseReason::Silence);
        } else if self.alive_deadline().is_some_and(|deadline| now >= deadline) {
            let unanswered = self.asked.is_some() || self.output_is_full();
            if unanswered && self.config.alive_timeout.is_some() {
                self.close(CloseReason::AliveTimeout);
            } else {
                self.send_alive(now);
            }
        }
    }

    fn send_alive(&mut self, now: Duration) {
        let Some(sequence) = self.numbers.fresh(&self.outstanding) else {
            return;
        };
        let start = self.output.bytes.len();
        let sent = encode(&Packet::Alive, u16::from(sequence), self.config.send_checksum, &mut self.output.bytes);
        debug_assert_eq!(sent, Ok(()), "a packet without parameters has none that could be wrong");
        self.numbers.used(sequence);
        let deadline = now.saturating_add(self.config.response_timeout);
        let octets = self.output.bytes.get(start..).unwrap_or_default();
        self.outstanding.insert(sequence, OperationCode::ALIVE, None, deadline, octets);
        self.sent(OperationCode::ALIVE, ErrorCode::OK);
        self.counters.alives += 1;
        self.asked = Some(now);
    }

    /// When to send the next alive, or when to give up waiting after the last. It is a request like others: while the
    /// window is full, the answers that are missing tell as much. A peer that does not read gets none on top of the
    /// full output, and has no more time than one that got it.
    fn alive_deadline(&self) -> Option<Duration> {
        let Role::Client { .. } = self.role else {
            return None;
        };
        let interval = self.config.alive_interval?;
        let timeout = self.config.alive_timeout;
        match self.asked {
            None if self.output_is_full() => Some(self.last_received.saturating_add(interval).saturating_add(timeout?)),
            Some(sent) if timeout.is_some() => Some(sent.saturating_add(timeout?)),
            _ if self.output_is_full() || !self.can_ask() => None,
            None => Some(self.last_received.saturating_add(interval)),
            Some(sent) => Some(sent.saturating_add(interval)),
        }
    }

    fn can_ask(&self) -> bool {
        self.outstanding.len() < self.config.window && self.numbers.fresh(&self.outstanding).is_some()
    }

    fn silence_deadline(&self) -> Option<Duration> {
        Some(self.last_received.saturating_add(self.config.silence_timeout?))
    }
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
