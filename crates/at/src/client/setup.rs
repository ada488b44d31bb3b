//! What a modem is asked and told before messages flow, step by step.

use super::{Client, Phase};
use crate::answer::{indications, operator, own_number, pin_tries, registration, signal_dbm, smsc, stores, usage};
use crate::client::config::Mode;
use crate::client::event::{CloseReason, Event};
use crate::error::{CmeError, Failure};
use crate::fields::after;
use std::time::Duration;

/// How long to wait before a SIM or network is asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// Ways of indication that are tried at the most.
const INDICATIONS_MAX: usize = 8;

/// A step of setting up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    Echo,
    Verbose,
    Errors,
    Power,
    PowerOn,
    SimState,
    PinTries,
    PinTriesOtherwise,
    Pin,
    Maker,
    Model,
    Revision,
    Serial,
    Subscriber,
    Number,
    Quiet,
    UssdText,
    Init(usize),
    EchoAgain,
    ErrorsAgain,
    Phase2Plus,
    Pdu,
    Text,
    Details,
    Charset,
    CharsetGsm,
    SetSmsc,
    AskSmsc,
    Stores,
    Storage,
    AskIndications,
    Indications(usize),
    Caller,
    RegistrationNews,
    InitLast(usize),
    Registration,
    Signal,
    OperatorForm,
    Operator,
}

impl Client {
    /// The command of a step; `None` if there is nothing to do in it.
    pub(super) fn setup_command(&self, step: Setup) -> Option<String> {
        let huawei = self.is_huawei();
        let text = self.status.text_mode;
        Some(match step {
            Setup::Echo => "ATE0".into(),
            Setup::Verbose => "ATQ0V1".into(),
            Setup::Errors => "AT+CMEE=1".into(),
            Setup::Power => "AT+CFUN?".into(),
            Setup::PowerOn => "AT+CFUN=1".into(),
            Setup::SimState => "AT+CPIN?".into(),
            Setup::PinTries => "AT+CPINR=\"SIM PIN\"".into(),
            Setup::PinTriesOtherwise => "AT+SPIC".into(),
            Setup::Pin => self.config.pin.as_ref()?.command(),
            Setup::Maker => "AT+CGMI".into(),
            Setup::Model => "AT+CGMM".into(),
            Setup::Revision => "AT+CGMR".into(),
            Setup::Serial => "AT+CGSN".into(),
            Setup::Subscriber => "AT+CIMI".into(),
            Setup::Number => "AT+CNUM".into(),
            Setup::Quiet => huawei.then(|| "AT^CURC=0".into())?,
            Setup::UssdText => huawei.then(|| "AT^USSDMODE=0".into())?,
            Setup::Init(n) => self.config.init.get(n)?.clone(),
            // They may have set everything back.
            Setup::EchoAgain => (!self.config.init.is_empty()).then(|| "ATE0Q0V1".into())?,
            Setup::ErrorsAgain => (!self.config.init.is_empty()).then(|| "AT+CMEE=1".into())?,
            Setup::Phase2Plus => "AT+CSMS=1".into(),
            Setup::Pdu => (self.config.mode != Mode::Text).then(|| "AT+CMGF=0".into())?,
            Setup::Text => text.then(|| "AT+CMGF=1".into())?,
            Setup::Details => text.then(|| "AT+CSDH=1".into())?,
            Setup::Charset => if text { "AT+CSCS=\"UCS2\"" } else { "AT+CSCS=\"GSM\"" }.into(),
            Setup::CharsetGsm => (text && !self.ucs2).then(|| "AT+CSCS=\"GSM\"".into())?,
            Setup::SetSmsc => {
                let smsc = self.config.smsc.as_ref()?;
                let kind = if smsc.starts_with('+') { 145 } else { 129 };
                format!("AT+CSCA=\"{}\",{kind}", self.written(smsc))
            }
            Setup::AskSmsc => "AT+CSCA?".into(),
            Setup::Stores => "AT+CPMS=?".into(),
            Setup::Storage => {
                let store = self.store.as_ref()?;
                format!("AT+CPMS=\"{store}\",\"{store}\",\"{store}\"")
            }
            Setup::AskIndications => "AT+CNMI=?".into(),
            Setup::Indications(n) => super::choose::indication_command(*self.indications.get(n)?),
            Setup::Caller => "AT+CLIP=1".into(),
            Setup::RegistrationNews => "AT+CREG=1".into(),
            Setup::InitLast(n) => self.config.init_last.get(n)?.clone(),
            Setup::Registration => "AT+CREG?".into(),
            Setup::Signal => "AT+CSQ".into(),
            Setup::OperatorForm => "AT+COPS=3,0".into(),
            Setup::Operator => "AT+COPS?".into(),
        })
    }

    /// The step was answered, or had nothing to do: what comes next.
    pub(super) fn setup_done(
        &mut self,
        step: Setup,
        result: Option<&Result<(), Failure>>,
        lines: &[String],
        now: Duration,
    ) {
        let good = matches!(result, Some(Ok(())));
        let next = match step {
            Setup::Echo => Setup::Verbose,
            Setup::Verbose => Setup::Errors,
            Setup::Errors => Setup::Power,
            Setup::Power => {
                let off = lines.iter().find_map(|line| after(line, "+CFUN")).is_some_and(|at| at == "0" || at == "4");
                if off { Setup::PowerOn } else { Setup::SimState }
            }
            Setup::PowerOn => Setup::SimState,
            Setup::SimState => return self.sim_state(result, lines, now),
            Setup::PinTries | Setup::PinTriesOtherwise => return self.pin_tries(step, lines),
            Setup::Pin => return self.pin_answered(result, now),
            Setup::Maker => {
                self.status.maker = first(lines);
                Setup::Model
            }
            Setup::Model => {
                self.status.model = first(lines);
                Setup::Revision
            }
            Setup::Revision => {
                self.status.revision = first(lines);
                Setup::Serial
            }
            Setup::Serial => {
                self.status.imei = lines.iter().find_map(|line| digits(line));
                Setup::Subscriber
            }
            Setup::Subscriber => {
                self.status.imsi = lines.iter().find_map(|line| digits(line));
                Setup::Number
            }
            Setup::Number => {
                self.status.number = lines.iter().find_map(|line| own_number(line));
                Setup::Quiet
            }
            Setup::Quiet => Setup::UssdText,
            Setup::UssdText => {
                self.packed_ussd = self.is_huawei() && !good;
                Setup::Init(0)
            }
            Setup::Init(n) if n < self.config.init.len() => Setup::Init(n + 1),
            Setup::Init(_) => Setup::EchoAgain,
            Setup::EchoAgain => Setup::ErrorsAgain,
            Setup::ErrorsAgain => Setup::Phase2Plus,
            Setup::Phase2Plus => {
                self.acknowledges = good;
                Setup::Pdu
            }
            Setup::Pdu => {
                self.status.text_mode = !good;
                if !good && self.config.mode == Mode::Pdu {
                    return self.close(CloseReason::Unable("do PDU mode"));
                }
                Setup::Text
            }
            Setup::Text if self.status.text_mode && !good => {
                return self.close(CloseReason::Unable("send messages, neither as PDUs nor as text"));
            }
            Setup::Text => Setup::Details,
            Setup::Details => {
                self.details = self.status.text_mode && good;
                Setup::Charset
            }
            Setup::Charset => {
                self.ucs2 = self.status.text_mode && good;
                Setup::CharsetGsm
            }
            Setup::CharsetGsm => Setup::SetSmsc,
            Setup::SetSmsc => Setup::AskSmsc,
            Setup::AskSmsc => {
                let known = lines.iter().find_map(|line| smsc(line)).filter(|smsc| !smsc.is_empty());
                self.status.smsc = known.or_else(|| self.config.smsc.clone());
                Setup::Stores
            }
            Setup::Stores => {
                let offered = lines.iter().find_map(|line| stores(line)).unwrap_or_default();
                self.store = self.choose_store(&offered);
                Setup::Storage
            }
            Setup::Storage => {
                if !good {
                    self.store = None;
                }
                self.selected.clone_from(&self.store);
                self.status.store = lines.iter().find_map(|line| usage(line));
                Setup::AskIndications
            }
            Setup::AskIndications => {
                self.indications = self.choose_indications(lines.iter().find_map(|line| indications(line)));
                Setup::Indications(0)
            }
            // One was taken, or none is.
            Setup::Indications(n) if good || n >= self.indications.len() => {
                // Where the last word is another one, ours is not said again.
                let overruled =
                    self.config.init_last.iter().any(|command| command.to_ascii_uppercase().contains("+CNMI="));
                self.indication = self.indications.get(n).copied().filter(|_| !overruled);
                Setup::Caller
            }
            Setup::Indications(n) => Setup::Indications(n + 1),
            Setup::Caller => Setup::RegistrationNews,
            Setup::RegistrationNews => Setup::InitLast(0),
            Setup::InitLast(n) if n < self.config.init_last.len() => Setup::InitLast(n + 1),
            Setup::InitLast(_) => {
                self.patience = Some(now.saturating_add(self.config.registration_timeout));
                Setup::Registration
            }
            Setup::Registration => return self.registered(lines, now),
            Setup::Signal => {
                self.status.signal_dbm = lines.iter().find_map(|line| signal_dbm(line)).flatten();
                Setup::OperatorForm
            }
            Setup::OperatorForm => Setup::Operator,
            Setup::Operator => {
                self.status.operator = lines.iter().find_map(|line| operator(line)).flatten();
                return self.ready(now);
            }
        };
        self.phase = Phase::Setup(next);
    }

    fn sim_state(&mut self, result: Option<&Result<(), Failure>>, lines: &[String], now: Duration) {
        let patience = *self.patience.get_or_insert(now.saturating_add(self.config.registration_timeout));
        let state = lines.iter().find_map(|line| after(line, "+CPIN")).map(|state| state.trim_matches('"').to_owned());
        match (state.as_deref(), result) {
            (Some("READY"), _) => {
                self.patience = None;
                self.phase = Phase::Setup(Setup::Maker);
            }
            (Some("SIM PIN"), _) if self.pin_entered => self.wait_for_sim(patience, "it still wants its PIN", now),
            (Some("SIM PIN"), _) if self.config.pin.is_none() => {
                self.close(CloseReason::Sim("it wants a PIN, and none is configured".into()));
            }
            (Some("SIM PIN"), _) => self.phase = Phase::Setup(Setup::PinTries),
            (Some(locked), _) => {
                let locked: String = locked.chars().take(30).collect();
                self.close(CloseReason::Sim(format!("it wants its {locked}, which a person has to enter")));
            }
            (None, Some(Err(Failure::Cme(error @ CmeError(10 | 13 | 15))))) => {
                self.wait_for_sim(patience, &error.to_string(), now);
            }
            // The SIM is starting, or the modem has no such command: that shows later.
            (None, Some(Err(Failure::Cme(error @ CmeError(14 | 515))))) => {
                self.wait_for_sim(patience, &error.to_string(), now);
            }
            _ => self.phase = Phase::Setup(Setup::Maker),
        }
    }

    fn wait_for_sim(&mut self, patience: Duration, why: &str, now: Duration) {
        if now >= patience {
            return self.close(CloseReason::Sim(why.to_owned()));
        }
        self.phase = Phase::Waiting { until: now.saturating_add(AGAIN), then: Setup::SimState };
    }

    fn pin_tries(&mut self, step: Setup, lines: &[String]) {
        self.phase = Phase::Setup(match (lines.iter().find_map(|line| pin_tries(line)), step) {
            (Some(left), _) if left <= 1 => {
                return self.close(CloseReason::Sim("one try is left for its PIN, which is left to a person".into()));
            }
            (None, Setup::PinTries) => Setup::PinTriesOtherwise,
            _ => Setup::Pin,
        });
    }

    fn pin_answered(&mut self, result: Option<&Result<(), Failure>>, now: Duration) {
        self.pin_entered = true;
        match result {
            Some(Ok(())) => {
                self.patience = Some(now.saturating_add(self.config.registration_timeout));
                self.phase = Phase::Waiting { until: now, then: Setup::SimState };
            }
            Some(Err(failure)) => {
                self.events.push_back(Event::PinRefused);
                self.close(CloseReason::Sim(format!("the PIN was refused: {failure}")));
            }
            None => self.close(CloseReason::Sim("it wants a PIN, and none is configured".into())),
        }
    }

    fn registered(&mut self, lines: &[String], now: Duration) {
        if let Some(found) = lines.iter().find_map(|line| registration(line, true)) {
            self.status.registration = found;
        }
        if self.status.registration.is_registered() {
            self.patience = None;
            self.phase = Phase::Setup(Setup::Signal);
        } else if self.patience.is_some_and(|patience| now >= patience) {
            self.close(CloseReason::NotRegistered(self.status.registration));
        } else {
            self.phase = Phase::Waiting { until: now.saturating_add(AGAIN), then: Setup::Registration };
        }
    }

    fn choose_store(&self, offered: &[String]) -> Option<String> {
        if let Some(wanted) = &self.config.storage {
            return Some(wanted.clone());
        }
        // What has the most room: modems deliver to it in most cases.
        ["SM", "ME", "MT"]
            .iter()
            .find(|store| offered.iter().any(|known| known == *store))
            .map(|&store| store.to_owned())
    }

    /// Ways of indication, the best first: messages that are stored survive a crash of ours.
    fn choose_indications(&self, offered: Option<Vec<Vec<u8>>>) -> Vec<(u8, u8, u8)> {
        let offers = |at: usize, value: u8| {
            offered
                .as_ref()
                .is_none_or(|lists| lists.get(at).is_none_or(|list| list.is_empty() || list.contains(&value)))
        };
        // What comes directly has no second chance, unless the network waits for an acknowledgement.
        let direct = if self.acknowledges && !self.status.text_mode { &[1u8, 2, 0][..] } else { &[1, 0][..] };
        let ds = if self.acknowledges { [1u8, 2, 0] } else { [2, 1, 0] };
        let mut ways = Vec::new();
        for mt in direct.iter().copied().filter(|mt| offers(1, *mt)) {
            for ds in ds.into_iter().filter(|ds| offers(3, *ds)) {
                for mode in [2u8, 1, 3].into_iter().filter(|mode| offers(0, *mode)) {
                    ways.push((mode, mt, ds));
                }
            }
        }
        // The last ones rather than none.
        if ways.len() > INDICATIONS_MAX {
            ways.drain(INDICATIONS_MAX - 1..ways.len() - 1);
        }
        ways
    }

    fn is_huawei(&self) -> bool {
        self.status.maker.as_ref().is_some_and(|maker| maker.to_ascii_lowercase().contains("huawei"))
    }
}

fn first(lines: &[String]) -> Option<String> {
    let line = lines.first()?;
    let bare = line.split_once(':').filter(|(name, _)| name.starts_with('+')).map_or(line.as_str(), |(_, rest)| rest);
    Some(bare.trim().trim_matches('"').chars().take(64).collect())
}

/// A line of digits, as an IMEI or IMSI is, whatever is in front of it.
fn digits(line: &str) -> Option<String> {
    let found: String = line.chars().filter(char::is_ascii_digit).take(20).collect();
    (found.len() >= 10).then_some(found)
}
