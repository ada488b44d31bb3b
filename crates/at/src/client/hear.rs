//! What the modem says.

use std::time::Duration;

use super::config::Calls;
use super::event::Event;
use super::step::{Running, Step};
use super::{Call, Client, CloseReason, Phase, Ussd, reading};
use crate::answer::{final_result, operator, reference, registration, signal_dbm, usage};
use crate::error::{ErrorClass, Failure};
use crate::line::Token;
use crate::urc::{self, Urc};
use crate::ussd::{UssdState, read_ussd};

/// How long the line may take that follows a header.
const FOLLOWS: Duration = Duration::from_secs(5);
/// Rings that are further apart are of different calls.
const RING: Duration = Duration::from_secs(8);
/// How long the number of a caller is waited for.
const CALLER: Duration = Duration::from_secs(1);
/// Characters of a text that spans lines.
const JOINED_MAX: usize = 2048;

/// How long its lines may take.
const JOINED_TIME: Duration = Duration::from_secs(1);

/// How long answers to earlier questions may still come.
const SETTLE: Duration = Duration::from_millis(300);

impl Client {
    pub(super) fn hear(&mut self, token: Token, now: Duration) {
        match token {
            Token::Prompt => self.write_body(now),
            Token::Line(line) => self.hear_line(line, now),
        }
    }

    fn write_body(&mut self, now: Duration) {
        let Some(running) = &mut self.running else { return };
        let Some(outgoing) = &running.outgoing else { return };
        self.output.extend_from_slice(outgoing.body.as_bytes());
        self.output.push(0x1A);
        running.body_written = true;
        running.deadline = now.saturating_add(self.config.send_timeout);
    }

    pub(super) fn hear_line(&mut self, line: String, now: Duration) {
        if let Some(body) = self.body.take() {
            return self.hear_text(body, line, now);
        }
        if let Some((joined, until)) = self.joining.take() {
            if now <= until {
                return self.join(joined + "\n" + &line, until);
            }
            self.ussd_said(&joined);
        }
        if let Some((report, until)) = self.follows.take()
            && now <= until
        {
            return self.came_directly(report, &line);
        }
        if matches!(self.phase, Phase::Resetting { .. }) {
            return;
        }
        let expected = self.running.as_ref().is_some_and(|running| running.expects(&line));
        if self.running.as_ref().is_some_and(|running| running.is_echo(&line)) {
            return;
        }
        if !expected && let Some(urc) = urc::read(&line) {
            return self.unasked(urc, &line, now);
        }
        self.not_over();
        match final_result(&line) {
            Some(result) if self.may_be_text() => self.perhaps_over(line, result, now),
            Some(result) => self.conclude(result, now),
            None => self.hear_answer(line, now),
        }
    }

    fn hear_answer(&mut self, line: String, now: Duration) {
        let Some(running) = &mut self.running else { return };
        running.add(line.clone());
        // Wavecom leaves out the OK behind this.
        if running.step == Step::Setup(super::Setup::SimState) && running.lines.len() == 1 {
            running.deadline = running.deadline.min(now.saturating_add(CALLER));
        }
        self.header_heard(&line, now);
    }

    /// The running command was answered.
    pub(super) fn conclude(&mut self, result: Result<(), Failure>, now: Duration) {
        if let Some(running) = self.running.take() {
            self.not_before = Some(now.saturating_add(self.config.gap));
            self.answered(running, result, now);
        }
    }

    fn join(&mut self, joined: String, until: Duration) {
        if is_open(&joined) && joined.len() < JOINED_MAX {
            self.joining = Some((joined, until));
        } else {
            self.ussd_said(&joined);
        }
    }

    fn unasked(&mut self, urc: Urc, line: &str, now: Duration) {
        match urc {
            Urc::Stored { store, index } => self.inbox.told((store, index)),
            Urc::Direct { report: true } if self.status.text_mode => {
                self.take_direct(
                    crate::fields::after(line, "+CDS").and_then(super::text::report_line).map(super::Received::Report),
                );
            }
            Urc::Direct { report: false } if self.status.text_mode => self.direct_text(line, now),
            Urc::Direct { report } => self.follows = Some((report, now.saturating_add(FOLLOWS))),
            Urc::Ussd(text) => self.join(text, now.saturating_add(JOINED_TIME)),
            Urc::Ring => self.ring(now),
            Urc::Caller(number) => self.caller(number, now),
            Urc::Registration(registration) => {
                if self.status.registration != registration {
                    self.status.registration = registration;
                    self.events.push_back(Event::Status);
                }
            }
            // What it was told before it has forgotten.
            Urc::Restarted if matches!(self.phase, Phase::Ready) => self.begin_again(),
            Urc::Restarted | Urc::Other => {}
        }
    }

    fn ring(&mut self, now: Duration) {
        if self.config.calls == Calls::Ignore {
            return;
        }
        match &mut self.call {
            Some(call) if now.saturating_sub(call.rang) <= RING => call.rang = now,
            _ => self.call = Some(Call { from: None, rang: now, tell_at: Some(now.saturating_add(CALLER)) }),
        }
    }

    fn caller(&mut self, number: String, now: Duration) {
        let Some(call) = self.call.as_mut().filter(|call| call.tell_at.is_some()) else { return };
        call.from = Some(number.chars().take(40).collect::<String>()).filter(|number| !number.is_empty());
        call.tell_at = Some(now);
    }

    pub(super) fn tell_call(&mut self) {
        let Some(call) = &mut self.call else { return };
        call.tell_at = None;
        self.events.push_back(Event::Call { from: call.from.clone() });
        self.hang_up = self.config.calls == Calls::Reject;
    }

    fn ussd_said(&mut self, text: &str) {
        let answer = read_ussd(text, self.packed_ussd);
        if answer.state == UssdState::Other {
            return;
        }
        // "Released" without a word may come before what was asked for.
        let bare = answer.text.is_empty() && answer.state == UssdState::Ended;
        let asked = matches!(self.ussd, Ussd::Asking | Ussd::Waiting { .. });
        if bare && (!asked || matches!(self.ussd, Ussd::Asking)) {
            return;
        }
        if asked {
            self.ussd = Ussd::Idle;
        }
        self.events.push_back(Event::Ussd { asked, answer });
    }

    fn came_directly(&mut self, report: bool, line: &str) {
        let read = reading::of_pdu(line).ok().filter(|read| matches!(read, super::Received::Report(_)) == report);
        self.take_direct(read);
    }

    pub(super) fn take_direct(&mut self, read: Option<super::Received>) {
        match read {
            Some(message) => {
                let ack = self.inbox.hold(None);
                self.events.push_back(Event::Received { ack, message });
            }
            None => {
                // It would come again and again.
                let ack = self.inbox.hold(None);
                self.inbox.acknowledge(ack, self.acknowledges);
                let reason = "what came directly is no TPDU".to_owned();
                self.events.push_back(Event::Unreadable { reason });
            }
        }
    }

    fn answered(&mut self, mut running: Running, result: Result<(), Failure>, now: Duration) {
        let good = result.is_ok();
        let lines = std::mem::take(&mut running.lines);
        if let (Err(failure), Phase::Ready | Phase::Finishing { .. }) = (&result, self.phase)
            && failure.class() == ErrorClass::Modem
        {
            self.in_trouble(now);
        }
        match running.step {
            Step::Probe => {
                if good {
                    self.phase = Phase::Setup(super::Setup::Echo);
                    // A modem that was away answers everything that it was asked meanwhile: nobody is to take that
                    // for the answer to what is asked next.
                    self.not_before = Some(now.saturating_add(self.config.gap.max(SETTLE)));
                } else if let Phase::Probing(tries) = self.phase {
                    self.not_before = Some(now.saturating_add(CALLER));
                    self.probe_again(tries, now);
                }
            }
            Step::Setup(step) => self.setup_done(step, Some(&result), &lines, now),
            Step::Send => self.sent(running, result, &lines),
            Step::Read(place) => self.was_read(&place, result, (&lines, &running.texts)),
            Step::List => self.was_listed(result.is_ok(), (&lines, &running.texts), now),
            Step::Delete(place) => {
                // What is not there any more is deleted, too.
                let gone = matches!(&result, Err(failure) if reading::is_empty_place(failure));
                self.inbox.deleted(&place, good || gone);
            }
            Step::Select(store) => {
                if good {
                    self.selected = Some(store);
                } else {
                    self.inbox.forget_store(&store);
                    if self.store.as_ref() == Some(&store) {
                        self.store = None;
                    }
                    self.selected = None;
                }
            }
            Step::Acknowledge => {}
            Step::Ussd => self.ussd_asked(result, now),
            Step::UssdEnd => self.ussd = Ussd::Idle,
            Step::HangUp if !good => {
                let deadline = now.saturating_add(self.config.command_timeout);
                self.hang_up = false;
                self.write(Step::HangUpOtherwise, "ATH".into(), deadline);
            }
            Step::HangUp | Step::HangUpOtherwise => self.hang_up = false,
            Step::Signal => {
                self.news(|status| status.signal_dbm = lines.iter().find_map(|line| signal_dbm(line)).flatten())
            }
            Step::Registration => self.news(|status| {
                let found = lines.iter().find_map(|line| registration(line, true));
                status.registration = found.unwrap_or(status.registration);
            }),
            Step::Operator => {
                self.news(|status| status.operator = lines.iter().find_map(|line| operator(line)).flatten())
            }
            Step::Usage => {
                (self.trouble, self.resets) = (0, 0);
                self.news(|status| status.store = lines.iter().find_map(|line| usage(line)));
            }
            Step::Parameters | Step::MoreFollows | Step::Indications => {}
        }
    }

    fn news(&mut self, change: impl FnOnce(&mut super::Status)) {
        let before = self.status.clone();
        change(&mut self.status);
        if self.status != before {
            self.events.push_back(Event::Status);
        }
    }

    fn sent(&mut self, running: Running, result: Result<(), Failure>, lines: &[String]) {
        let Some(outgoing) = running.outgoing else { return };
        let token = outgoing.token;
        match result {
            Ok(()) if running.body_written => {
                (self.trouble, self.resets) = (0, 0);
                self.events.push_back(Event::Sent { token, reference: lines.iter().find_map(|line| reference(line)) });
            }
            // It did not ask for the message, or will do so yet: nothing else is to be typed into it.
            Ok(()) => {
                self.output.push(0x1B);
                self.events.push_back(Event::Refused { token, failure: Failure::Plain });
            }
            Err(failure) => {
                if !running.body_written {
                    self.output.push(0x1B);
                }
                let sim = (failure.class() == ErrorClass::Sim).then(|| CloseReason::Sim(failure.to_string()));
                self.events.push_back(Event::Refused { token, failure });
                if let Some(reason) = sim {
                    self.close(reason);
                }
            }
        }
    }

    fn ussd_asked(&mut self, result: Result<(), Failure>, now: Duration) {
        match result {
            // It was answered before the OK, perhaps.
            Ok(()) if matches!(self.ussd, Ussd::Asking) => {
                self.ussd = Ussd::Waiting { deadline: now.saturating_add(self.config.ussd_timeout) };
            }
            Ok(()) => {}
            Err(failure) => {
                self.ussd = Ussd::Idle;
                self.events.push_back(Event::UssdFailed(failure));
            }
        }
    }
}

/// Does the text of a `+CUSD` go on in the next line? It ends with a quotation mark, and perhaps its coding; those within
/// are the network's, and need not come in pairs.
fn is_open(said: &str) -> bool {
    let text = said.split_once(',').map_or("", |(_, text)| text.trim());
    let Some(text) = text.strip_prefix('"') else { return false };
    let end = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').trim_end();
    !end.strip_suffix(',').unwrap_or(end).trim_end().ends_with('"')
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn a_text_ends_with_its_last_quotation_mark() {
        for whole in ["0", "2", "0,\"Balance 5\",15", "0,\"a 5\" screen\",15", "0,\"x\"", "0,\"\",15", "1,\"a\" , 72"] {
            assert!(!is_open(whole), "{whole}");
        }
        for more in ["0,\"Line one", "0,\"You have 5", "0,\"a 5\" screen"] {
            assert!(is_open(more), "{more}");
        }
    }
}
