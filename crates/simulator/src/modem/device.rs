//! A modem without its line: octets and the time in, octets and the next deadline out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use at::{ModemLine, Request};

use super::network::{Inbound, ModemSeen, Sending};
use super::settings::{ModemFaultKind, ModemSettings};
use super::sim::{Lock, Sim};
use crate::counters::Counters;
use crate::record::Taken;
use crate::timeline::Timeline;

/// A modem with its SIM and its network.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) settings: Arc<ModemSettings>,
    pub(super) line: ModemLine,
    pub(super) random: fastrand::Rng,
    /// What it has been told since it started.
    pub(super) told: Told,
    pub(super) sim: Sim,
    pub(super) condition: Condition,
    pub(super) reference: u8,
    /// A message whose text is awaited.
    pub(super) announced: Option<super::text::Announced>,
    /// What is being sent, and when that is done.
    pub(super) sending: Option<Sending>,
    pub(super) sends: u64,
    /// What the network has for us, in its order.
    pub(super) inbound: VecDeque<Inbound>,
    /// What came directly and is not acknowledged, and until when that is awaited.
    pub(super) direct: Option<(Inbound, Duration)>,
    pub(super) later: Timeline<Inbound>,
    pub(super) counters: Counters,
    pub(super) taken: Taken<ModemSeen>,
    pub(super) hung_up: u64,
    /// Rings that are still to come, and when the next does.
    pub(super) call: Option<(String, u8, Duration)>,
    /// The line is to break.
    pub(super) breaks: bool,
    /// Seconds since 1970 at the zero of its clock.
    pub(super) epoch: i64,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Working,
    /// It does nothing until it is reset.
    Hung,
    Starting(Duration),
}

/// What it has been told, and forgets when it starts anew.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) text: bool,
    pub(super) numeric_errors: bool,
    pub(super) on: bool,
    /// `AT+CNMI`: mt and ds.
    pub(super) messages: u8,
    pub(super) reports: u8,
    pub(super) acknowledged: bool,
    pub(super) caller: bool,
    pub(super) charset: String,
    /// `AT+CSMP`: first octet, validity, PID, DCS.
    pub(super) parameters: [u8; 4],
    pub(super) details: bool,
    pub(super) registration: u8,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            text: false,
            numeric_errors: false,
            on: true,
            messages: 0,
            reports: 0,
            acknowledged: false,
            caller: false,
            charset: "GSM".into(),
            parameters: [17, 167, 0, 0],
            details: false,
            registration: 0,
        }
    }
}

impl Device {
    pub(super) fn new(settings: Arc<ModemSettings>, epoch: i64) -> Self {
        let sim = Sim::new(settings.pin.is_some(), settings.pin_tries, &settings.smsc, settings.places);
        Self {
            random: fastrand::Rng::with_seed(settings.seed),
            told: Told { text: !settings.pdu_mode, ..Told::default() },
            settings,
            line: ModemLine::new(),
            sim,
            condition: Condition::Working,
            reference: 0,
            announced: None,
            sending: None,
            sends: 0,
            inbound: VecDeque::new(),
            direct: None,
            later: Timeline::new(),
            counters: Counters::default(),
            taken: Taken::default(),
            hung_up: 0,
            call: None,
            breaks: false,
            epoch,
        }
    }

    /// Takes what came over the line.
    pub(super) fn receive(&mut self, mut octets: &[u8], now: Duration) {
        while !octets.is_empty() {
            let taken = self.line.receive(octets);
            octets = octets.get(taken..).unwrap_or_default();
            self.turn(now);
            if taken == 0 {
                break;
            }
        }
    }

    /// Does what is due.
    pub(super) fn turn(&mut self, now: Duration) {
        if let Condition::Starting(until) = self.condition
            && now >= until
        {
            self.condition = Condition::Working;
            self.line.line("RDY");
        }
        if self.settings.silent {
            while self.line.next_request().is_some() {}
            let said = self.line.output().len();
            return self.line.consume_output(said);
        }
        self.sent(now);
        while !self.settings.holds_reports
            && let Some(inbound) = self.later.pop(now)
        {
            self.inbound.push_back(inbound);
        }
        while self.sending.is_none()
            && let Some(request) = self.line.next_request()
        {
            match (self.condition, request) {
                (Condition::Working, Request::Command(line)) => self.command_line(&line, now),
                (Condition::Working, Request::Text(text)) => self.text(&text, now),
                (Condition::Working, Request::Canceled) => {
                    self.announced = None;
                    self.line.line("OK");
                }
                // That much it still does.
                (Condition::Hung, Request::Command(line)) if is_reset(&line) => self.restart(now),
                _ => {}
            }
        }
        self.bring(now);
        self.ring(now);
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let start = match self.condition {
            Condition::Starting(until) => Some(until),
            Condition::Hung => return None,
            Condition::Working => None,
        };
        let sending = self.sending.as_ref().map(|sending| sending.until);
        let direct = self.direct.as_ref().map(|(_, until)| *until);
        let call = self.call.as_ref().map(|(_, _, at)| *at);
        let report = self.later.next().filter(|_| !self.settings.holds_reports);
        [start, sending, direct, call, report].into_iter().flatten().min()
    }

    /// It forgets what it was told, and takes a while to be there again.
    pub(super) fn restart(&mut self, now: Duration) {
        self.line.restart();
        self.told = Told { text: !self.settings.pdu_mode, ..Told::default() };
        if self.settings.pin.is_some() && self.sim.lock == Lock::Open {
            self.sim.lock = Lock::Pin;
        }
        (self.announced, self.sending, self.call) = (None, None, None);
        if let Some((unheard, _)) = self.direct.take() {
            self.inbound.push_front(unheard);
        }
        self.condition = Condition::Starting(now + self.settings.boot);
    }

    /// A connection has begun: what was on the line before is gone.
    pub(super) fn connected(&mut self) {
        let output = self.line.output().len();
        self.line.consume_output(output);
        self.breaks = false;
        self.counters.connections += 1;
    }

    /// The fault that strikes at the message that is being sent.
    pub(super) fn fault(&mut self) -> Option<ModemFaultKind> {
        let sends = self.sends;
        let strikes =
            |fault: &&super::ModemFault| (fault.at_send..fault.at_send.saturating_add(fault.times)).contains(&sends);
        let kind = self.settings.faults.iter().find(strikes)?.kind;
        self.counters.faults += 1;
        Some(kind)
    }

    /// Somebody calls; it rings so often.
    pub(super) fn called(&mut self, from: &str, rings: u8, now: Duration) {
        self.call = Some((from.into(), rings, now));
    }

    fn ring(&mut self, now: Duration) {
        let Some((from, rings, at)) = self.call.take() else { return };
        if self.condition != Condition::Working || now < at {
            self.call = Some((from, rings, at));
            return;
        }
        if rings == 0 {
            return self.line.line("NO CARRIER");
        }
        self.line.line("RING");
        if self.told.caller {
            self.line.line(&format!("+CLIP: \"{from}\",145"));
        }
        self.call = Some((from, rings - 1, now + Duration::from_secs(3)));
    }
}

fn is_reset(line: &str) -> bool {
    let line = line.to_ascii_uppercase();
    line.contains("+CFUN=1,1") || line == "ATZ"
}
