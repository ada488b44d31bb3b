//! What is to be done next, and writing it.

use std::time::Duration;

use super::setup::Setup;
use super::step::{Running, Step};
use super::{Client, CloseReason, Phase, Ussd};
use crate::hex::to_hex;

/// How long a modem that wakes up may take to answer `AT`.
const PROBE: Duration = Duration::from_millis(1500);
/// When it is looked again whether the caller has room for more.
const FULL: Duration = Duration::from_secs(1);

impl Client {
    /// Begins the next command; or goes on without one. False if there is nothing to do now.
    pub(super) fn go_on(&mut self, now: Duration) -> bool {
        if self.running.is_some() || self.not_before.is_some_and(|at| now < at) {
            return false;
        }
        self.not_before = None;
        match self.phase {
            Phase::Probing(tries) => {
                // What an earlier session left behind, such as a prompt, is ended first.
                self.lines.clear();
                let escape: &[u8] = if tries.is_multiple_of(2) { b"\x1B\r" } else { b"" };
                self.output.extend_from_slice(escape);
                self.write(Step::Probe, "AT".into(), now.saturating_add(PROBE));
                true
            }
            Phase::Setup(step) => {
                match self.setup_command(step) {
                    Some(command) => {
                        let patience = match step {
                            Setup::PowerOn | Setup::Pin | Setup::Operator => {
                                self.config.command_timeout.saturating_mul(3)
                            }
                            _ => self.config.command_timeout,
                        };
                        self.write(Step::Setup(step), command, now.saturating_add(patience));
                    }
                    None => self.setup_done(step, None, &[], now),
                }
                true
            }
            Phase::Ready | Phase::Finishing { .. } => self.do_next(now),
            Phase::Waiting { .. } | Phase::Resetting { .. } | Phase::Closed => false,
        }
    }

    fn do_next(&mut self, now: Duration) -> bool {
        let Some(step) = self.next_step(now) else {
            if matches!(self.phase, Phase::Finishing { .. }) && self.inbox.is_empty() {
                self.close(CloseReason::Finished);
                return true;
            }
            return false;
        };
        let Some(command) = self.command_of(&step) else { return false };
        let patience = match step {
            Step::List | Step::Ussd | Step::Operator => self.config.command_timeout.saturating_mul(3),
            _ => self.config.command_timeout,
        };
        if step == Step::Ussd {
            self.ussd = Ussd::Asking;
        }
        self.write(step.clone(), command, now.saturating_add(patience));
        if step == Step::Send
            && let Some(running) = &mut self.running
        {
            running.outgoing = self.waiting.pop_front();
        }
        true
    }

    fn next_step(&mut self, now: Duration) -> Option<Step> {
        if self.inbox.take_owed() {
            return Some(Step::Acknowledge);
        }
        if self.hang_up {
            return Some(Step::HangUp);
        }
        if let Some(place) = self.inbox.next_to_delete().cloned() {
            return Some(self.in_store(place, Step::Delete));
        }
        if matches!(self.phase, Phase::Finishing { .. }) {
            return None;
        }
        if let Some(place) = self.inbox.next_to_read() {
            return Some(self.in_store(place, Step::Read));
        }
        if now >= self.next_poll && !self.inbox.has_room() {
            self.next_poll = now.saturating_add(FULL);
        }
        if now >= self.next_poll || std::mem::take(&mut self.look_soon) {
            if let Some(store) = self.store.clone().filter(|store| self.selected.as_ref() != Some(store)) {
                return Some(Step::Select(store));
            }
            self.next_poll = now.saturating_add(self.config.poll);
            return Some(Step::List);
        }
        if now >= self.next_status {
            self.next_status = now.saturating_add(self.config.status);
            self.status_steps = vec![Step::Usage, Step::Operator, Step::Signal, Step::Registration];
            if self.indication.is_some() {
                self.status_steps.push(Step::Indications);
            }
        }
        if let Some(step) = self.status_steps.pop() {
            return Some(step);
        }
        match self.ussd {
            Ussd::Asked(_) => return Some(Step::Ussd),
            Ussd::Ending => return Some(Step::UssdEnd),
            _ => {}
        }
        let next = self.waiting.front()?;
        Some(match () {
            () if next.parameters.is_some() => Step::Parameters,
            () if next.more => Step::MoreFollows,
            () => Step::Send,
        })
    }

    /// The step, or what has to come before it.
    fn in_store(&self, place: (String, u16), step: impl Fn((String, u16)) -> Step) -> Step {
        if self.selected.as_ref().is_none_or(|selected| *selected == place.0) {
            step(place)
        } else {
            Step::Select(place.0)
        }
    }

    fn command_of(&mut self, step: &Step) -> Option<String> {
        Some(match step {
            Step::Probe => "AT".into(),
            Step::Setup(setup) => self.setup_command(*setup)?,
            Step::Parameters => format!("AT+CSMP={}", self.waiting.front_mut()?.parameters.take()?),
            Step::MoreFollows => {
                self.waiting.front_mut()?.more = false;
                "AT+CMMS=1".into()
            }
            Step::Send => format!("AT+CMGS={}", self.waiting.front()?.argument),
            Step::Read((_, index)) => format!("AT+CMGR={index}"),
            Step::List if self.status.text_mode => "AT+CMGL=\"ALL\"".into(),
            Step::List => "AT+CMGL=4".into(),
            Step::Delete((_, index)) => format!("AT+CMGD={index}"),
            Step::Select(store) => format!("AT+CPMS=\"{store}\""),
            Step::Acknowledge if self.status.text_mode => "AT+CNMA".into(),
            Step::Acknowledge => "AT+CNMA=0".into(),
            Step::Ussd => {
                let Ussd::Asked(code) = &self.ussd else { return None };
                format!("AT+CUSD=1,\"{}\",15", self.ussd_written(code))
            }
            Step::UssdEnd => "AT+CUSD=2".into(),
            Step::HangUp => "AT+CHUP".into(),
            Step::HangUpOtherwise => "ATH".into(),
            Step::Signal => "AT+CSQ".into(),
            Step::Registration => "AT+CREG?".into(),
            Step::Operator => "AT+COPS?".into(),
            Step::Usage => "AT+CPMS?".into(),
            Step::Indications => indication_command(self.indication?),
        })
    }

    fn ussd_written(&self, code: &str) -> String {
        if self.packed_ussd {
            let septets = sms::encode_gsm7(code, sms::Shift::default()).unwrap_or_default();
            return to_hex(&sms::pack_with_cr(&septets));
        }
        self.written(code)
    }

    pub(super) fn write(&mut self, step: Step, command: String, deadline: Duration) {
        self.output.extend_from_slice(command.as_bytes());
        self.output.push(b'\r');
        self.running = Some(Running {
            step,
            sent: command,
            lines: Vec::new(),
            texts: Vec::new(),
            octets: 0,
            deadline,
            outgoing: None,
            body_written: false,
        });
    }
}

/// `AT+CNMI` with mode, mt and ds.
pub(super) fn indication_command((mode, mt, ds): (u8, u8, u8)) -> String {
    format!("AT+CNMI={mode},{mt},0,{ds},0")
}
