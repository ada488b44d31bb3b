//! What happens when nothing comes, and how a session ends in order.

use std::time::Duration;

use super::incoming::Step;
use super::{CloseReason, Event, Session, State};
use crate::command::CommandId;
use crate::status::CommandStatus;

impl Session {
    /// Acts on one timer that has run out.
    pub(super) fn run_timers(&mut self, now: Duration) -> Step {
        if self.outstanding.deadline().is_some_and(|deadline| now >= deadline)
            && let Some(token) = self.outstanding.pop_oldest()
        {
            self.counters.timeouts += 1;
            return Step::Event(Event::TimedOut { token });
        }
        match self.state {
            State::Bound => self.run_link_timers(now),
            State::Open { deadline } | State::Binding { deadline } | State::Deciding { deadline, .. } => {
                if now >= deadline {
                    self.close(CloseReason::BindTimeout);
                }
            }
            State::Refused { status, deadline } => {
                if now >= deadline {
                    self.close(CloseReason::BindRefused(status));
                }
            }
            State::Unbinding { .. } | State::PeerUnbinding { .. } => self.settle_unbind(now),
            State::Closed => {}
        }
        if self.pending.is_some() { Step::Again } else { Step::Idle }
    }

    /// Takes the next step of an orderly end, if it is due.
    pub(super) fn settle_unbind(&mut self, now: Duration) {
        let settled = self.outstanding.len() == 0 && self.unanswered == 0;
        match self.state {
            State::Unbinding { sent: false, deadline } if settled || now >= deadline => {
                self.send_own(CommandId::UNBIND);
                let deadline = now.saturating_add(self.config.drain_timeout);
                self.state = State::Unbinding { sent: true, deadline };
            }
            State::Unbinding { sent: true, deadline } if now >= deadline => self.close(CloseReason::WeUnbound),
            State::PeerUnbinding { unanswered, deadline } => {
                let over = now >= deadline;
                let mut left = unanswered;
                if let Some(sequence) = unanswered.filter(|_| over || self.unanswered == 0) {
                    self.send_bare(CommandId::UNBIND_RESP, CommandStatus::ROK, sequence);
                    left = None;
                    self.state = State::PeerUnbinding { unanswered: None, deadline };
                }
                if left.is_none() && (over || settled) {
                    self.close(CloseReason::PeerUnbound);
                }
            }
            _ => {}
        }
    }

    /// The first moment at which a timer runs out.
    pub(super) fn earliest_deadline(&self) -> Option<Duration> {
        let state = match self.state {
            State::Closed => return None,
            State::Bound => earlier(self.enquire_deadline(), self.inactivity_deadline()),
            State::Open { deadline }
            | State::Binding { deadline }
            | State::Deciding { deadline, .. }
            | State::Refused { deadline, .. }
            | State::Unbinding { deadline, .. }
            | State::PeerUnbinding { deadline, .. } => Some(deadline),
        };
        earlier(state, self.outstanding.deadline())
    }

    fn run_link_timers(&mut self, now: Duration) {
        if self.inactivity_deadline().is_some_and(|deadline| now >= deadline) {
            self.send_own(CommandId::UNBIND);
            self.close(CloseReason::Inactivity);
        } else if self.enquire_deadline().is_some_and(|deadline| now >= deadline) {
            let unanswered = self.enquired.is_some() || self.output_is_full();
            if unanswered && self.config.enquire_timeout.is_some() {
                self.close(CloseReason::EnquireTimeout);
            } else {
                self.send_own(CommandId::ENQUIRE_LINK);
                self.counters.enquires += 1;
                self.enquired = Some(now);
            }
        }
    }

    /// When to send the next enquire_link, or when to give up waiting after the last. A peer that does
    /// not read gets none on top of the full output, and has no more time than one that got it.
    fn enquire_deadline(&self) -> Option<Duration> {
        let interval = self.config.enquire_interval?;
        let timeout = self.config.enquire_timeout;
        match self.enquired {
            None if self.output_is_full() => Some(self.last_received.saturating_add(interval).saturating_add(timeout?)),
            None => Some(self.last_received.saturating_add(interval)),
            Some(_) if self.output_is_full() && timeout.is_none() => None,
            Some(sent) => Some(sent.saturating_add(timeout.unwrap_or(interval))),
        }
    }

    fn inactivity_deadline(&self) -> Option<Duration> {
        Some(self.last_activity.saturating_add(self.config.inactivity_timeout?))
    }
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
