//! What to do when the peer answers a request with a nack: its checksum was wrong, or its number was not the one that
//! the peer expects. The nack's own number is the expected one, so it does not always say which request it means.

use std::time::Duration;

use super::incoming::Step;
use super::{CloseReason, Event, Role, Session, State};
use crate::error_code::ErrorCode;

/// When all requests get new numbers, each of the others that were on their way with old ones draws a nack too, and
/// these mean nothing any more.
#[derive(Debug, Default)]
pub(super) struct StaleNacks {
    expected: u16,
    left: usize,
}

impl StaleNacks {
    /// Whether this nack is one of them.
    fn takes(&mut self, expected: u16) -> bool {
        let stale = self.left > 0 && self.expected == expected;
        self.left -= usize::from(stale);
        stale
    }
}

impl Session {
    pub(super) fn take_nack(&mut self, expected: u16, now: Duration) -> Step {
        self.counters.nacks += 1;
        match self.state {
            State::LoggingIn { .. } => {
                self.repeat_login();
                return Step::Again;
            }
            State::LoggingOut { sent: true, .. } => {
                self.close(CloseReason::WeLoggedOut);
                return Step::Again;
            }
            State::LoggedIn | State::LoggingOut { .. } | State::PeerLoggingOut { .. } => {}
            State::Open { .. } | State::Deciding { .. } | State::Refused { .. } | State::Closed => return Step::Again,
        }
        if self.stale_nacks.takes(expected) {
            return Step::Again;
        }
        let ours = u8::try_from(expected).ok().filter(|number| self.numbers.are_like(*number));
        match ours {
            // This very request did not arrive whole. What was sent behind it is not touched: the peer may have it.
            Some(number) if self.outstanding.contains(number) => self.repeat_nacked(number, now),
            Some(number) => self.renumber_all(number, now),
            None => {
                let only = if self.outstanding.len() == 1 { self.outstanding.first_due() } else { None };
                // Of several, nobody knows which is meant; its answer will not come in time.
                only.map(|request| request.sequence).map_or(Step::Again, |number| self.repeat_nacked(number, now))
            }
        }
    }

    fn repeat_login(&mut self) {
        if let Role::Client { nacks, .. } = &mut self.role {
            *nacks += 1;
            if *nacks > self.config.max_nacks {
                self.close(CloseReason::OutOfStep);
            } else {
                self.send_login();
            }
        }
    }

    /// Sends one request again as it was.
    fn repeat_nacked(&mut self, number: u8, now: Duration) -> Step {
        let (deadline, max_nacks) = (now.saturating_add(self.config.response_timeout), self.config.max_nacks);
        let Some(request) = self.outstanding.get(number) else {
            return Step::Again;
        };
        request.nacks += 1;
        if request.nacks > max_nacks {
            return self.give_up(number);
        }
        request.deadline = deadline;
        let operation = request.operation;
        self.output.bytes.extend_from_slice(&request.octets);
        self.counters.repeated += 1;
        self.sent(operation, ErrorCode::OK);
        Step::Again
    }

    /// The peer counts otherwise than we do: what is unanswered is sent again with the numbers that it expects.
    fn renumber_all(&mut self, first: u8, now: Duration) -> Step {
        let deadline = now.saturating_add(self.config.response_timeout);
        let max_nacks = self.config.max_nacks;
        let mut requests = self.outstanding.iter_mut();
        let worn = requests.find(|request| request.nacks >= max_nacks).map(|request| request.sequence);
        drop(requests);
        if let Some(number) = worn {
            return self.give_up(number);
        }
        let mut number = first;
        let mut operations = Vec::new();
        for request in self.outstanding.iter_mut() {
            request.nacks += 1;
            request.deadline = deadline;
            request.renumber(number);
            self.output.bytes.extend_from_slice(&request.octets);
            operations.push(request.operation);
            number = number.wrapping_add(2);
        }
        self.numbers.continue_at(number);
        self.stale_nacks = StaleNacks { expected: u16::from(first), left: operations.len().saturating_sub(1) };
        for operation in operations {
            self.counters.repeated += 1;
            self.sent(operation, ErrorCode::OK);
        }
        Step::Again
    }

    /// The request was refused too often, and so would be any other.
    fn give_up(&mut self, number: u8) -> Step {
        let token = self.outstanding.remove_if(number, |_| true).flatten();
        self.close(CloseReason::OutOfStep);
        token.map_or(Step::Again, |token| Step::Event(Event::Nacked { token }))
    }
}
