//! What a simulated modem is, and what it should do. Every field may be changed while it runs.

use std::time::Duration;

use crate::settings::{Memory, ReceiptsFor};

/// How a modem, its SIM and its network behave. `Default` is a quick, correct one without a PIN.
#[derive(Clone, Debug)]
pub struct ModemSettings {
    /// Who made it (`AT+CGMI`).
    pub maker: String,
    /// Its model (`AT+CGMM`).
    pub model: String,
    /// IMEI (`AT+CGSN`).
    pub imei: String,
    /// IMSI of the SIM (`AT+CIMI`).
    pub imsi: String,
    /// The SIM's own number.
    pub number: String,
    /// The address of the SMSC on the SIM; empty for none.
    pub smsc: String,
    /// The network's name.
    pub operator: String,
    /// Signal strength, 0 to 31 (3GPP 27.007 §8.5).
    pub signal: u8,
    /// Registration (3GPP 27.007 §7.2): 1 is at home, 2 searching.
    pub registration: u8,
    /// The SIM's PIN, if it has one.
    pub pin: Option<String>,
    /// How often a wrong PIN may be entered.
    pub pin_tries: u8,
    /// Whether it tells how many tries are left (`AT+CPINR`).
    pub tells_tries: bool,
    /// Messages that the store has room for.
    pub places: u16,
    /// It has PDU mode.
    pub pdu_mode: bool,
    /// It takes texts in hexadecimal UCS-2 (`AT+CSCS="UCS2"`).
    pub ucs2: bool,
    /// It tells in text mode all that there is to tell of a message, with its length (`AT+CSDH=1`).
    pub details: bool,
    /// It says nothing at all: something else is plugged in there.
    pub silent: bool,
    /// It awaits acknowledgements of what comes directly (`AT+CSMS=1`).
    pub phase2plus: bool,

    /// How long it takes to send a message.
    pub send_delay: Duration,
    /// `+CMS ERROR`s that messages fail with, each with its probability.
    pub fail: Vec<(u16, f64)>,
    /// For which messages status reports come.
    pub receipts: ReceiptsFor,
    /// How long after the message: at least and at most.
    pub receipt_delay: (Duration, Duration),
    /// Those that are due wait until this is false.
    pub holds_reports: bool,
    /// Final statuses (TP-ST) with their weights.
    pub outcomes: Vec<(u8, f64)>,
    /// What the network answers by USSD, by code. Others are not supported.
    pub ussd: Vec<(String, String)>,

    /// How it breaks.
    pub faults: Vec<ModemFault>,
    /// How long it takes to start.
    pub boot: Duration,
    /// What it remembers of the messages that it sent.
    pub memory: Memory,
    /// Where randomness starts.
    pub seed: u64,
}

impl Default for ModemSettings {
    fn default() -> Self {
        Self {
            maker: "Postrider".into(),
            model: "Simulated modem".into(),
            imei: "490154203237518".into(),
            imsi: "234150123456789".into(),
            number: "+447700900999".into(),
            smsc: "+447700900000".into(),
            operator: "Simulated".into(),
            signal: 21,
            registration: 1,
            pin: None,
            pin_tries: 3,
            tells_tries: true,
            places: 20,
            pdu_mode: true,
            ucs2: true,
            details: true,
            silent: false,
            phase2plus: true,
            send_delay: Duration::ZERO,
            fail: Vec::new(),
            receipts: ReceiptsFor::Asked,
            receipt_delay: (Duration::from_millis(10), Duration::from_millis(10)),
            holds_reports: false,
            outcomes: vec![(0, 1.0)],
            ussd: vec![("*100#".into(), "Your balance is 10.00".into())],
            faults: Vec::new(),
            boot: Duration::from_millis(200),
            memory: Memory::Messages,
            seed: 1,
        }
    }
}

/// Something that goes wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemFault {
    /// What.
    pub kind: ModemFaultKind,
    /// At which message, counted from 1 over all connections.
    pub at_send: u64,
    /// With how many messages from there on.
    pub times: u64,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemFaultKind {
    /// Instead of the prompt nothing comes, and nothing more, until it is reset.
    Hang,
    /// The message is sent, and nothing more is heard until it is reset.
    HangSent,
    /// `ERROR` instead of the prompt.
    Error,
    /// Rubbish in front of the answer.
    Garbage,
    /// It starts anew instead of sending.
    Restart,
    /// The line breaks after the message was sent, before the answer.
    Unplug,
    /// Other news in the middle of the answer.
    News,
}
