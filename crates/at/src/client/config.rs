//! What a client session is to do.

use std::fmt;
use std::time::Duration;

/// How a client session treats its modem.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The SIM's PIN, if it has one. It is tried once in a session, and not where one try is left only.
    pub pin: Option<Pin>,
    /// The address of the SMSC, if not the SIM's own is to be used.
    pub smsc: Option<String>,
    /// Further commands, sent after the modem was asked who it is, and before it is told how messages are to be
    /// handled, so that they may set everything back. What they answer is of no interest.
    pub init: Vec<String>,
    /// Further commands, sent when the modem was told everything, and before a network is waited for: they have the
    /// last word. What they answer is of no interest.
    pub init_last: Vec<String>,
    /// How messages are written.
    pub mode: Mode,
    /// The store that incoming messages are read from, such as `SM` or `ME`; the modem's choice otherwise.
    pub storage: Option<String>,
    /// How often it is looked what lies in the store: some modems forget to tell.
    pub poll: Duration,
    /// How often signal, operator and registration are asked for.
    pub status: Duration,
    /// What becomes of incoming calls.
    pub calls: Calls,
    /// What resets a modem that does not answer.
    pub reset: Vec<String>,
    /// How long a reset takes.
    pub boot: Duration,
    /// How long an answer may take.
    pub command_timeout: Duration,
    /// How long it may take to send a message.
    pub send_timeout: Duration,
    /// How long an answer by USSD may take.
    pub ussd_timeout: Duration,
    /// How long the SIM may take to be ready, and then the network to let us in.
    pub registration_timeout: Duration,
    /// How long an orderly end may take.
    pub drain_timeout: Duration,
    /// A pause after each command, for slow phones.
    pub gap: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            pin: None,
            smsc: None,
            init: Vec::new(),
            init_last: Vec::new(),
            mode: Mode::Auto,
            storage: None,
            poll: Duration::from_secs(30),
            status: Duration::from_secs(60),
            calls: Calls::Reject,
            reset: vec!["AT+CFUN=1,1".into()],
            boot: Duration::from_secs(20),
            command_timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(60),
            ussd_timeout: Duration::from_secs(60),
            registration_timeout: Duration::from_secs(120),
            drain_timeout: Duration::from_secs(10),
            gap: Duration::ZERO,
        }
    }
}

/// How messages are written on the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As PDUs; as text where the modem has no PDU mode.
    #[default]
    Auto,
    /// As PDUs (3GPP 27.005 §4).
    Pdu,
    /// As text (3GPP 27.005 §3).
    Text,
}

/// What becomes of incoming calls. They are told of in any case, but for the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Calls {
    /// They are hung up on.
    #[default]
    Reject,
    /// They ring until the caller gives up.
    Report,
    /// Nothing.
    Ignore,
}

/// A PIN, which no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl Pin {
    /// A PIN of four to eight digits; `None` for anything else.
    #[must_use]
    pub fn new(digits: &str) -> Option<Self> {
        let good = (4..=8).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        good.then(|| Self(digits.to_owned()))
    }

    pub(super) fn command(&self) -> String {
        format!("AT+CPIN=\"{}\"", self.0)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pin(…)")
    }
}
