//! The transfer layer between a phone and its SMSC (3GPP 23.040 §9.2), as modems speak it.
//!
//! A TPDU does not say which way it goes, and the same message type number means two things: the
//! reader must know the [`Direction`]. Over AT commands a TPDU stands behind the address of the
//! SMSC; [`split_smsc`] takes that off, [`join_smsc`] puts it in front.
//!
//! Decoding keeps what is there: time stamps that are no dates become `None`, a length that
//! promises more than was sent is cut to what was, and octets after the end are ignored.

mod address;
mod deliver;
mod reader;
mod reports;
mod status_report;
mod submit;
mod time;
mod user_data;
mod validity;

pub use address::{Address, AddressError, TypeOfNumber};
pub use deliver::Deliver;
pub use reports::{DeliverReport, Parameters, SubmitReport};
pub use status_report::{StatusReport, receipt_state};
pub use submit::Submit;
pub use time::Timestamp;
pub use user_data::{UserData, UserDataTooLong};
pub use validity::{EnhancedValidity, Validity};

use reader::Reader;

/// Which way a TPDU goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the SMSC to the phone: DELIVER, SUBMIT-REPORT, STATUS-REPORT.
    ToPhone,
    /// From the phone to the SMSC: DELIVER-REPORT, SUBMIT.
    FromPhone,
    /// Unknown: of each pair the message is assumed, not its report.
    Either,
}

/// Why octets are no TPDU. All of these are the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TpduError {
    /// The octets end inside a field.
    #[error("the TPDU ends inside {field}")]
    Truncated {
        /// The field, by its name in 3GPP 23.040.
        field: &'static str,
    },
    /// An address longer than the standard allows: 20 digits, or 12 octets for an SMSC.
    #[error("{field} claims a length of {length}")]
    AddressTooLong {
        /// The field.
        field: &'static str,
        /// Its length octet.
        length: u8,
    },
    /// A message type that is not read here: SMS-COMMAND, or the reserved one from a phone.
    #[error("message type {0} is not supported in this direction")]
    Unsupported(u8),
}

/// A TPDU of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tpdu {
    /// A message to the phone.
    Deliver(Deliver),
    /// The phone's answer to it.
    DeliverReport(DeliverReport),
    /// A message from the phone.
    Submit(Submit),
    /// The SMSC's answer to it.
    SubmitReport(SubmitReport),
    /// What became of a message.
    StatusReport(StatusReport),
}

impl Tpdu {
    /// Decodes a TPDU, without an SMSC address in front. The reserved message type 3 is read as a
    /// DELIVER, as §9.2.3.1 wants it of a phone.
    ///
    /// Whether a report is positive is told by the layer below; here it counts as negative if its
    /// second octet is a failure cause (0x80 or more).
    pub fn decode(octets: &[u8], direction: Direction) -> Result<Self, TpduError> {
        let &first = octets.first().ok_or(TpduError::Truncated { field: "the first octet" })?;
        match (first & 3, direction) {
            (0, Direction::FromPhone) => DeliverReport::decode(octets).map(Self::DeliverReport),
            (0, _) | (3, Direction::ToPhone | Direction::Either) => Deliver::decode(octets).map(Self::Deliver),
            (1, Direction::ToPhone) => SubmitReport::decode(octets).map(Self::SubmitReport),
            (1, _) => Submit::decode(octets).map(Self::Submit),
            (2, Direction::ToPhone | Direction::Either) => StatusReport::decode(octets).map(Self::StatusReport),
            (kind, _) => Err(TpduError::Unsupported(kind)),
        }
    }

    /// Encodes the TPDU.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Deliver(tpdu) => tpdu.encode(),
            Self::DeliverReport(tpdu) => tpdu.encode(),
            Self::Submit(tpdu) => tpdu.encode(),
            Self::SubmitReport(tpdu) => tpdu.encode(),
            Self::StatusReport(tpdu) => tpdu.encode(),
        }
    }
}

/// Takes the SMSC address off the front of what a modem gave (3GPP 27.005 §3.1 `<pdu>`); `None`
/// for an empty one.
pub fn split_smsc(octets: &[u8]) -> Result<(Option<Address>, &[u8]), TpduError> {
    let mut reader = Reader::new(octets);
    let smsc = Address::read_smsc(&mut reader)?;
    Ok((smsc, reader.rest()))
}

/// A TPDU with the SMSC address in front; `None` lets the modem take its own (`AT+CSCA`).
pub fn join_smsc(smsc: Option<&Address>, tpdu: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(12 + tpdu.len());
    match smsc {
        None => octets.push(0),
        Some(address) => address.write_smsc(&mut octets),
    }
    octets.extend_from_slice(tpdu);
    octets
}
