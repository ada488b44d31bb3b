//! Silence, trouble and the clock.

use std::time::Duration;

use super::event::Event;
use super::step::Step;
use super::{Client, CloseReason, Phase, Setup, Ussd};
use crate::error::Failure;

/// How often a modem is asked whether it is there.
const PROBES: u8 = 6;
/// Resets before the session is given up.
const RESETS: u8 = 1;
/// Failures in a row that a modem is reset after.
const TROUBLE_MAX: u8 = 3;

impl Client {
    /// Does what is due; false if nothing is.
    pub(super) fn look_at_clock(&mut self, now: Duration) -> bool {
        if self.follows.is_some_and(|(_, until)| now >= until) {
            self.follows = None;
        }
        if self.body.as_ref().is_some_and(|body| now >= body.until) {
            self.give_up_text(now);
            return true;
        }
        if self.perhaps_over.as_ref().is_some_and(|over| now >= over.until) {
            self.over(now);
            return true;
        }
        if self.call.as_ref().and_then(|call| call.tell_at).is_some_and(|at| now >= at) {
            self.tell_call();
            return true;
        }
        if matches!(self.ussd, Ussd::Waiting { deadline } if now >= deadline) {
            self.ussd = Ussd::Ending;
            self.events.push_back(Event::UssdFailed(Failure::TimedOut));
            return true;
        }
        if self.running.as_ref().is_some_and(|running| now >= running.deadline) {
            self.silent(now);
            return true;
        }
        match self.phase {
            Phase::Finishing { deadline } if now >= deadline => self.close(CloseReason::Finished),
            Phase::Waiting { until, then } if now >= until && self.running.is_none() => self.phase = Phase::Setup(then),
            Phase::Resetting { until } if now >= until => {
                self.lines.clear();
                self.phase = Phase::Probing(0);
            }
            Phase::Ready => return self.watch_registration(now),
            _ => return false,
        }
        true
    }

    /// When a network that has been lost is waited for no more.
    pub(super) fn lost_patience(&self) -> Option<Duration> {
        self.patience.filter(|_| self.phase == Phase::Ready)
    }

    fn watch_registration(&mut self, now: Duration) -> bool {
        if self.status.registration.is_registered() {
            self.patience = None;
            return false;
        }
        self.give_back_waiting();
        let patience = *self.patience.get_or_insert(now.saturating_add(self.config.registration_timeout));
        if now >= patience {
            self.close(CloseReason::NotRegistered(self.status.registration));
            return true;
        }
        !self.events.is_empty()
    }

    /// The running command was not answered in time.
    fn silent(&mut self, now: Duration) {
        let Some(running) = &self.running else { return };
        match running.step.clone() {
            Step::Probe => {
                self.running = None;
                match self.phase {
                    Phase::Probing(tries) => self.probe_again(tries, now),
                    _ => self.reset(now),
                }
            }
            // Wavecom says nothing behind the state of the SIM, and others nothing at all to what they don't know.
            Step::Setup(step @ Setup::SimState) if !running.lines.is_empty() => {
                let lines = self.running.take().map(|running| running.lines).unwrap_or_default();
                self.setup_done(step, Some(&Ok(())), &lines, now);
            }
            // To enter it again would cost a try.
            Step::Setup(Setup::Pin) => {
                self.close(CloseReason::Sim("no answer to its PIN".into()));
            }
            Step::Setup(step) => {
                self.running = None;
                self.in_trouble(now);
                // Some say nothing to what they don't know.
                if self.phase == Phase::Setup(step) {
                    self.setup_done(step, Some(&Err(Failure::TimedOut)), &[], now);
                }
            }
            _ => {
                self.give_up_running();
                self.in_trouble(now);
                if matches!(self.phase, Phase::Ready) {
                    self.begin_again();
                }
            }
        }
    }

    /// Something happened that speaks of a modem in trouble.
    pub(super) fn in_trouble(&mut self, now: Duration) {
        self.trouble = self.trouble.saturating_add(1);
        if self.trouble >= TROUBLE_MAX {
            self.reset(now);
        }
    }

    /// `AT` was not answered, or not well.
    pub(super) fn probe_again(&mut self, tries: u8, now: Duration) {
        if tries + 1 < PROBES {
            self.phase = Phase::Probing(tries + 1);
        } else {
            self.reset(now);
        }
    }

    /// Asks whether the modem is there, and sets it up anew.
    pub(super) fn begin_again(&mut self) {
        self.give_up_running();
        self.give_back_waiting();
        self.forget();
        self.phase = Phase::Probing(0);
    }

    /// Resets the modem; if that was of no use before, the session is over.
    fn reset(&mut self, now: Duration) {
        if self.resets >= RESETS {
            return self.close(CloseReason::Silent);
        }
        self.give_up_running();
        self.give_back_waiting();
        self.forget();
        self.resets = self.resets.saturating_add(1);
        self.trouble = 0;
        self.output.extend_from_slice(b"\x1B\r");
        for command in &self.config.reset {
            self.output.extend_from_slice(command.as_bytes());
            self.output.push(b'\r');
        }
        self.phase = Phase::Resetting { until: now.saturating_add(self.config.boot) };
        self.events.push_back(Event::Reset);
    }

    fn forget(&mut self) {
        self.inbox.restarted();
        (self.body, self.perhaps_over) = (None, None);
        (self.follows, self.joining, self.call, self.hang_up, self.patience) = (None, None, None, false, None);
        self.status_steps.clear();
        if !matches!(self.ussd, Ussd::Idle) {
            self.ussd = Ussd::Idle;
            self.events.push_back(Event::UssdFailed(Failure::TimedOut));
        }
    }
}
