//! What a connector that is a GSM modem needs beside what all connectors have.

use serde::{Deserialize, Serialize};

use super::Secret;

/// Baud rates that a serial port may be set to.
const BAUD: std::ops::RangeInclusive<u32> = 300..=4_000_000;
/// What a list of commands must be.
const COMMANDS: &str = "must be up to 20 commands that begin with AT, of printable characters";
/// Commands in a list, and characters of one.
const COMMANDS_MAX: usize = 20;
const COMMAND_MAX: usize = 200;

/// `modem = { … }` of a connector: how the modem and its SIM are treated. All have defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModemSettings {
    /// Speed of a serial port; USB and TCP know none. Default 115200.
    pub baud: u32,
    /// Handshake of a serial port. Default none.
    pub flow_control: FlowControl,
    /// The IMEI of the modem that is meant: others at the same address are left alone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub imei: String,
    /// The SIM's PIN. It is tried once, and never where one try is left only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Secret>,
    /// The SIM's own number: what messages to it are to. Asked from the SIM otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// The address of the SMSC, if not the SIM's own is to be used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub smsc: String,
    /// Further commands at each start, such as `AT^CURC=0`, before the modem is told how messages are to be handled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init: Vec<String>,
    /// Further commands at each start, when the modem was told everything: they have the last word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_last: Vec<String>,
    /// How messages are written. Default `auto`.
    pub mode: ModemMode,
    /// The store that incoming messages are read from, such as `SM` or `ME`; the modem's own choice otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage: String,
    /// Seconds between looks into the store: modems forget to tell of messages. Default 30.
    pub poll_seconds: u32,
    /// What becomes of incoming calls. Default `reject`.
    pub calls: ModemCalls,
    /// What resets a modem that does not answer any more. Default `AT+CFUN=1,1`.
    pub reset: Vec<String>,
    /// Seconds that it takes to start again. Default 20.
    pub boot_seconds: u32,
    /// Seconds that the SIM and the network may take to let it in. Default 120.
    pub registration_seconds: u32,
    /// Milliseconds of silence between commands, for slow phones. Default 0.
    pub gap_ms: u32,
    /// How much the SIM may send.
    #[serde(skip_serializing_if = "SimLimits::is_none")]
    pub limits: SimLimits,
}

/// Handshake of a serial port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowControl {
    /// None.
    #[default]
    None,
    /// RTS and CTS.
    Hardware,
    /// XON and XOFF.
    Software,
}

/// How messages are written on a modem's line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModemMode {
    /// As PDUs; as text where the modem has no PDU mode.
    #[default]
    Auto,
    /// As PDUs.
    Pdu,
    /// As text.
    Text,
}

/// What becomes of incoming calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModemCalls {
    /// They are hung up on, and told of.
    #[default]
    Reject,
    /// They are told of, and ring until the caller gives up.
    Report,
    /// Nothing.
    Ignore,
}

/// How much a SIM may send. What is counted survives restarts: it is in the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimLimits {
    /// Parts in any 60 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u32>,
    /// Parts in any 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// Parts in a calendar month, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u32>,
    /// Different recipients in any 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients_per_day: Option<u32>,
}

impl SimLimits {
    /// Is nothing limited?
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ModemSettings {
    fn default() -> Self {
        Self {
            baud: 115_200,
            flow_control: FlowControl::None,
            imei: String::new(),
            pin: None,
            number: String::new(),
            smsc: String::new(),
            init: Vec::new(),
            init_last: Vec::new(),
            mode: ModemMode::Auto,
            storage: String::new(),
            poll_seconds: 30,
            calls: ModemCalls::Reject,
            reset: vec!["AT+CFUN=1,1".into()],
            boot_seconds: 20,
            registration_seconds: 120,
            gap_ms: 0,
            limits: SimLimits::default(),
        }
    }
}

impl ModemSettings {
    /// Each field that can't be used as it is, and what it must be.
    pub(super) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let digits = |text: &str, longest| text.len() <= longest && text.bytes().all(|octet| octet.is_ascii_digit());
        let number =
            |text: &str| text.is_empty() || (text != "+" && digits(text.strip_prefix('+').unwrap_or(text), 20));
        let store =
            |text: &str| text.len() <= 4 && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
        let positive = |limit: Option<u32>| limit != Some(0);
        let limits = self.limits;
        [
            (BAUD.contains(&self.baud), "baud", "must be 300 to 4000000"),
            (digits(&self.imei, 16), "imei", "must be up to 16 digits"),
            (number(&self.number), "number", "must be a number of up to 20 digits"),
            (number(&self.smsc), "smsc", "must be a number of up to 20 digits, with + if it is international"),
            (are_commands(&self.init), "init", COMMANDS),
            (are_commands(&self.init_last), "init_last", COMMANDS),
            (are_commands(&self.reset), "reset", COMMANDS),
            (store(&self.storage), "storage", "must be the name of a store such as SM or ME"),
            ((1..=86_400).contains(&self.poll_seconds), "poll_seconds", "must be 1 to 86400"),
            ((1..=600).contains(&self.boot_seconds), "boot_seconds", "must be 1 to 600"),
            ((5..=3600).contains(&self.registration_seconds), "registration_seconds", "must be 5 to 3600"),
            (self.gap_ms <= 10_000, "gap_ms", "must be at most 10000"),
            (positive(limits.per_hour), "limits.per_hour", "must be at least 1; leave it out for no limit"),
            (positive(limits.per_day), "limits.per_day", "must be at least 1; leave it out for no limit"),
            (positive(limits.per_month), "limits.per_month", "must be at least 1; leave it out for no limit"),
            (
                positive(limits.recipients_per_day),
                "limits.recipients_per_day",
                "must be at least 1; leave it out for no limit",
            ),
        ]
        .into_iter()
        .filter_map(|(good, field, detail)| (!good).then_some((field, detail)))
        .collect()
    }
}

fn are_commands(commands: &[String]) -> bool {
    let good = |command: &String| {
        let begins = command.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case("at"));
        begins && command.len() <= COMMAND_MAX && command.bytes().all(|octet| (0x20..0x7F).contains(&octet))
    };
    commands.len() <= COMMANDS_MAX && commands.iter().all(good)
}
