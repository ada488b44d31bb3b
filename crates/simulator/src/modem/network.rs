//! The network behind the modem: it takes messages, reports on them, and brings others.

use std::time::Duration;

use sms::tpdu::{Address, Deliver, Direction, StatusReport, Submit, Timestamp, Tpdu, UserData, join_smsc, split_smsc};
use sms::{Concat, DateTime, Dcs, TextError, TextOptions};

use super::device::{Condition, Device};
use super::settings::ModemFaultKind;
use super::sim::{Lock, Stored};
use crate::settings::{Memory, ReceiptsFor};

/// How long the network waits for an acknowledgement (3GPP 27.005 §4.1).
const ACKNOWLEDGED_IN: Duration = Duration::from_secs(15);

/// A message that a simulated modem has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemSeen {
    /// When, since the modem was started.
    pub at: Duration,
    /// The recipient, with `+` if it was international.
    pub to: Box<str>,
    /// The text without the header; empty if it is none.
    pub text: Box<str>,
    /// Its place in a long message.
    pub concat: Option<Concat>,
    /// Message class.
    pub class: Option<u8>,
    /// A status report was asked for.
    pub report: bool,
    /// The whole TPDU, without the address of the SMSC.
    pub tpdu: Box<[u8]>,
}

/// Something that the network has for the modem.
#[derive(Clone, Debug)]
pub(super) struct Inbound {
    pub(super) report: bool,
    /// With the address of the SMSC in front.
    pub(super) pdu: Vec<u8>,
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) until: Duration,
    submit: Submit,
    fault: Option<ModemFaultKind>,
}

impl Device {
    /// A message is to be sent.
    pub(super) fn send(&mut self, submit: Submit, now: Duration) {
        let fault = self.fault();
        if fault == Some(ModemFaultKind::Restart) {
            return self.restart(now);
        }
        self.sending = Some(Sending { until: now + self.settings.send_delay, submit, fault });
        self.sent(now);
    }

    /// Answers for a message whose sending is done.
    pub(super) fn sent(&mut self, now: Duration) {
        let Some(sending) = self.sending.take_if(|sending| now >= sending.until) else { return };
        if self.settings.smsc.is_empty() && self.sim.smsc.is_empty() {
            return self.refuse(330);
        }
        if !matches!(self.settings.registration, 1 | 5) {
            return self.refuse(331);
        }
        let refusals = self.settings.clone();
        for (error, odds) in &refusals.fail {
            if self.random.f64() < *odds {
                return self.refuse(*error);
            }
        }
        self.reference = self.reference.wrapping_add(1);
        self.take(&sending.submit, now);
        match sending.fault {
            Some(ModemFaultKind::HangSent) => {
                self.condition = Condition::Hung;
                self.counters.dropped += 1;
                return;
            }
            Some(ModemFaultKind::Unplug) => {
                self.breaks = true;
                self.counters.dropped += 1;
                return;
            }
            Some(ModemFaultKind::Garbage) => self.line.raw(b"\r\n\xFF\x00\x80~{garbage\r\n\x01\x02\r\n"),
            Some(ModemFaultKind::News) => {
                self.line.line("^RSSI: 18");
                self.line.line("+CREG: 1");
            }
            _ => {}
        }
        self.line.line(&format!("+CMGS: {}", self.reference));
        if sending.fault == Some(ModemFaultKind::News) {
            self.line.line("+CIEV: 2,4");
        }
        self.line.line("OK");
        self.counters.responses += 1;
    }

    fn refuse(&mut self, error: u16) {
        self.counters.refused += 1;
        self.line.line(&format!("+CMS ERROR: {error}"));
    }

    fn take(&mut self, submit: &Submit, now: Duration) {
        self.counters.accepted += 1;
        let to = submit.destination.to_string();
        let received = submit.user_data.decode(submit.coding);
        let concat = received.udh.and_then(|udh| udh.concat());
        let text = match received.body {
            sms::Body::Text(text) => text,
            sms::Body::Octets(_) => String::new(),
        };
        let class = received.class.map(|class| class.number());
        let memory = self.settings.memory;
        self.taken.remember(memory, to.as_bytes(), &submit.user_data.octets, || ModemSeen {
            at: now,
            to: to.as_str().into(),
            text: text.into(),
            concat,
            class,
            report: submit.status_report,
            tpdu: submit.encode().into(),
        });
        debug_assert!(memory != Memory::Off || self.taken.is_empty(), "nothing is remembered");
        let reports = match self.settings.receipts {
            ReceiptsFor::Nothing => false,
            ReceiptsFor::Asked => submit.status_report,
            ReceiptsFor::Everything => true,
        };
        if reports {
            self.report(submit, now);
        }
    }

    fn report(&mut self, submit: &Submit, now: Duration) {
        let (least, most) = self.settings.receipt_delay;
        let spread = most.saturating_sub(least).as_secs_f64() * self.random.f64();
        let at = now + least + Duration::from_secs_f64(spread);
        let total: f64 = self.settings.outcomes.iter().map(|(_, weight)| weight).sum();
        let mut left = total * self.random.f64();
        let chosen = self.settings.outcomes.iter().find(|(_, weight)| {
            left -= weight;
            left <= 0.0
        });
        let report = StatusReport {
            more_messages: false,
            loop_prevention: false,
            answers_command: false,
            reference: self.reference,
            recipient: submit.destination.clone(),
            submitted: self.stamp(now),
            discharged: self.stamp(at),
            status: chosen.map_or(0, |(status, _)| *status),
            parameters: sms::tpdu::Parameters::default(),
        };
        let pdu = self.behind_smsc(&report.encode());
        self.later.push(at, now, Inbound { report: true, pdu });
    }

    /// A text from a phone; how many parts it has.
    pub(super) fn phone_sends(
        &mut self,
        from: &str,
        text: &str,
        reference: u16,
        now: Duration,
    ) -> Result<usize, TextError> {
        let plan = sms::plan(text, &TextOptions::default())?;
        let address = |text: &str| Address::number(text).or_else(|_| Address::alphanumeric(text)).ok();
        let Some(originator) = address(from).or_else(|| address("0")) else { return Ok(0) };
        let coding =
            if plan.alphabet() == sms::Alphabet::Ucs2 { Dcs::general_octet(sms::Coding::Ucs2, None) } else { 0 };
        let mut count = 0;
        for part in plan.parts() {
            let user_data = UserData::from_part(&part, reference).unwrap_or_default();
            let deliver = Deliver {
                more_messages: false,
                loop_prevention: false,
                status_report: false,
                reply_path: false,
                originator: originator.clone(),
                protocol: 0,
                coding,
                timestamp: self.stamp(now),
                user_data,
            };
            let pdu = self.behind_smsc(&deliver.encode());
            self.inbound.push_back(Inbound { report: false, pdu });
            count += 1;
        }
        Ok(count)
    }

    /// Brings what the network has, as it was asked to.
    pub(super) fn bring(&mut self, now: Duration) {
        if self.direct.as_ref().is_some_and(|(_, until)| now >= *until)
            && let Some((unheard, _)) = self.direct.take()
        {
            // It gives up bringing anything directly (3GPP 27.005 §3.4.4).
            self.inbound.push_front(unheard);
            (self.told.messages, self.told.reports) = (0, 0);
        }
        let open = self.condition == Condition::Working && self.sim.lock == Lock::Open && self.told.on;
        if !open || !matches!(self.settings.registration, 1 | 5) {
            return;
        }
        while self.direct.is_none()
            && !self.line.is_prompted()
            && let Some(inbound) = self.inbound.pop_front()
        {
            let way = if inbound.report { self.told.reports } else { self.told.messages };
            let directly = (inbound.report && way == 1) || (!inbound.report && matches!(way, 2 | 3));
            if directly {
                self.directly(inbound, now);
                continue;
            }
            let stored = Stored { state: 0, report: inbound.report, pdu: inbound.pdu.clone() };
            let Some(index) = self.sim.store(stored) else {
                self.inbound.push_front(inbound);
                break;
            };
            self.count_sent(inbound.report);
            match (inbound.report, way) {
                (true, 2) => self.line.line(&format!("+CDSI: \"SM\",{index}")),
                (false, 1) => self.line.line(&format!("+CMTI: \"SM\",{index}")),
                _ => {}
            }
        }
    }

    fn directly(&mut self, inbound: Inbound, now: Duration) {
        self.count_sent(inbound.report);
        let text = self.direct_text(&inbound);
        self.line.line(&text);
        if self.told.acknowledged {
            self.direct = Some((inbound, now + ACKNOWLEDGED_IN));
        } else {
            self.count_acknowledged(inbound.report);
        }
    }

    /// The terminal has it; false if there was nothing.
    pub(super) fn acknowledged(&mut self) -> bool {
        let Some((inbound, _)) = self.direct.take() else { return false };
        self.count_acknowledged(inbound.report);
        true
    }

    fn count_sent(&mut self, report: bool) {
        *(if report { &mut self.counters.receipts_sent } else { &mut self.counters.mo_sent }) += 1;
    }

    pub(super) fn count_acknowledged(&mut self, report: bool) {
        *(if report { &mut self.counters.receipts_acked } else { &mut self.counters.mo_acked }) += 1;
    }

    fn direct_text(&self, inbound: &Inbound) -> String {
        if self.told.text
            && let Some(text) = self.as_text(&inbound.pdu, true, "+CMT: ", "+CDS: ")
        {
            return text;
        }
        let length = split_smsc(&inbound.pdu).map_or(0, |(_, tpdu)| tpdu.len());
        let head = if inbound.report { format!("+CDS: {length}") } else { format!("+CMT: ,{length}") };
        format!("{head}\r\n{}", at::to_hex(&inbound.pdu))
    }

    fn behind_smsc(&self, tpdu: &[u8]) -> Vec<u8> {
        join_smsc(Address::number(&self.settings.smsc).ok().as_ref(), tpdu)
    }

    fn stamp(&self, now: Duration) -> Option<Timestamp> {
        let seconds = self.epoch.saturating_add(i64::try_from(now.as_secs()).unwrap_or(0));
        DateTime::from_unix(seconds).map(|local| Timestamp { local, offset_quarters: 0 })
    }
}

/// A message to be sent, from what the terminal wrote at the prompt.
pub(super) fn submit_of(pdu: &[u8]) -> Option<(Submit, usize)> {
    let (_, tpdu) = split_smsc(pdu).ok()?;
    match Tpdu::decode(tpdu, Direction::FromPhone).ok()? {
        Tpdu::Submit(submit) => Some((submit, tpdu.len())),
        _ => None,
    }
}
