//! What a client session tells.

use sms::tpdu::{Deliver, StatusReport};

use crate::answer::Registration;
use crate::error::Failure;
use crate::ussd::UssdAnswer;

/// Something has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The modem is set up and registered: messages may flow.
    Ready,
    /// [`status`](crate::Client::status) says something new.
    Status,
    /// A message was taken by the network, under this reference if the modem has told.
    Sent {
        /// Its token.
        token: u64,
        /// TP-MR.
        reference: Option<u8>,
    },
    /// A message was not taken.
    Refused {
        /// Its token.
        token: u64,
        /// What the modem said.
        failure: Failure,
    },
    /// A message was certainly not sent.
    Unsent {
        /// Its token.
        token: u64,
    },
    /// A message was handed to the modem, which has not said what became of it.
    InDoubt {
        /// Its token.
        token: u64,
    },
    /// Something came in. It stays in the modem until it is [acknowledged](crate::Client::acknowledge).
    Received {
        /// What it is acknowledged by.
        ack: u64,
        /// What it is.
        message: Received,
    },
    /// Something in the modem's store can't be read, and is thrown away.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// The network has said something by USSD.
    Ussd {
        /// It was asked.
        asked: bool,
        /// What it says.
        answer: UssdAnswer,
    },
    /// The network was asked something by USSD, and nothing came of it.
    UssdFailed(Failure),
    /// Somebody calls.
    Call {
        /// Who, if that was told.
        from: Option<String>,
    },
    /// The PIN was wrong. It must not be tried again.
    PinRefused,
    /// The modem does not answer, and is being reset.
    Reset,
    /// The session is over.
    Closed(CloseReason),
}

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A message.
    Message(Deliver),
    /// What became of a message that was sent.
    Report(StatusReport),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The connection has ended: unplugged, perhaps.
    #[error("the modem has gone")]
    Gone,
    /// Nobody answers to AT, not even after a reset.
    #[error("the modem does not answer")]
    Silent,
    /// The SIM can't be used.
    #[error("the SIM can't be used: {0}")]
    Sim(String),
    /// No network lets us in.
    #[error("no network: {}", .0.as_str())]
    NotRegistered(Registration),
    /// The modem can't do what it must.
    #[error("the modem can't {0}")]
    Unable(&'static str),
    /// It was asked to end.
    #[error("ended")]
    Finished,
}

impl CloseReason {
    /// Whether a person has to do something before trying again is of any use.
    #[must_use]
    pub const fn needs_somebody(&self) -> bool {
        matches!(self, Self::Sim(_) | Self::Unable(_))
    }
}

/// What is known of the modem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Who made it.
    pub maker: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its software.
    pub revision: Option<String>,
    /// IMEI.
    pub imei: Option<String>,
    /// IMSI of the SIM.
    pub imsi: Option<String>,
    /// The SIM's own number, if it knows it.
    pub number: Option<String>,
    /// Registration with the network.
    pub registration: Registration,
    /// Signal strength in dBm.
    pub signal_dbm: Option<i16>,
    /// The network.
    pub operator: Option<String>,
    /// The address of the SMSC.
    pub smsc: Option<String>,
    /// Messages in the store, and places in it.
    pub store: Option<(u16, u16)>,
    /// Messages are written as text: the modem has no PDU mode.
    pub text_mode: bool,
}
