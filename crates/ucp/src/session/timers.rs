//! What happens when nothing comes, and how a session ends in order.

use std::time::Duration;

use super::incoming::Step;
use super::{CloseReason, Event, Session, State};

impl Session {
    /// Acts on one timer that has run out.
    pub(super) fn run_timers(&mut self, now: Duration) -> Step {
        self.outstanding.wake(now);
        if self.outstanding.deadline().is_some_and(|deadline| now >= deadline)
            && let Some(token) = self.outstanding.expire_oldest(now.saturating_add(self.config.response_timeout))
        {
            let Some(token) = token else { return Step::Again };
            self.counters.timeouts += 1;
            return Step::Event(Event::TimedOut { token });
        }
        match self.state {
            State::Open => self.run_link_timers(now),
            State::Waiting { deadline } | State::LoggingIn { deadline } | State::Deciding { deadline, .. } => {
                if now >= deadline {
                    self.close(CloseReason::LoginTimeout);
                }
            }
            State::Refused { code, deadline } => {
                if now >= deadline {
                    self.close(CloseReason::LoginRefused(code));
                }
            }
            State::Finishing { .. } => self.settle_finish(now),
            State::Closed => {}
        }
        if self.pending.is_some() { Step::Again } else { Step::Idle }
    }

    /// Ends a session that is to end, if nothing is open any more.
    pub(super) fn settle_finish(&mut self, now: Duration) {
        if let State::Finishing { deadline } = self.state {
            let open = self.outstanding.len() - usize::from(self.outstanding.has_probe());
            if now >= deadline || (open == 0 && self.peers.len() == 0) {
                self.close(CloseReason::WeClosed);
            }
        }
    }

    /// The first moment at which a timer runs out.
    pub(super) fn earliest_deadline(&self) -> Option<Duration> {
        let state = match self.state {
            State::Closed => return None,
            State::Open => earlier(self.keep_alive_deadline(), self.inactivity_deadline()),
            State::Waiting { deadline }
            | State::LoggingIn { deadline }
            | State::Deciding { deadline, .. }
            | State::Refused { deadline, .. }
            | State::Finishing { deadline } => Some(deadline),
        };
        earlier(state, earlier(self.outstanding.deadline(), self.outstanding.rested_at()))
    }

    fn run_link_timers(&mut self, now: Duration) {
        if self.inactivity_deadline().is_some_and(|deadline| now >= deadline) {
            self.close(CloseReason::Inactivity);
        } else if self.keep_alive_deadline().is_some_and(|deadline| now >= deadline) {
            let unanswered = self.probed.is_some() || self.output_is_full();
            let borne = self.config.keep_alive.as_ref().is_some_and(|keep_alive| keep_alive.timeout.is_none());
            if unanswered && !borne {
                self.close(CloseReason::KeepAliveTimeout);
            } else {
                // While the window is full, or an alert is open still, the peer owes us an answer anyway.
                if !self.outstanding.has_probe() {
                    self.send_alert(now);
                }
                self.probed = Some(now);
            }
        }
    }

    /// When to ask whether the peer is there, or when to give up waiting after that. A peer that does not read is
    /// not asked on top of the full output, and has no more time than one that was.
    fn keep_alive_deadline(&self) -> Option<Duration> {
        let keep_alive = self.config.keep_alive.as_ref()?;
        let (interval, timeout) = (keep_alive.interval, keep_alive.timeout);
        match self.probed {
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
