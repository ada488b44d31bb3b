//! What carriers send by themselves, as connectors hand it over.

use model::{Address, Content, Encoding, Receipt, Timestamp};
use sms::Concat;

/// Something that a carrier sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// A receipt.
    Receipt {
        /// The ids that it names, the most trusted first (SMPP: TLV, then text).
        remote_ids: Vec<Box<str>>,
        /// What it says.
        receipt: Receipt,
        /// The addresses that it names; one of them should be the phone.
        addresses: [Box<str>; 2],
    },
    /// A receipt by names that carriers give again after a while, as modems do: of the parts that still have one of
    /// them the one that was sent next to a time is meant.
    Report {
        /// What the part may be called, the likeliest first.
        remote_ids: Vec<Box<str>>,
        /// What it says.
        receipt: Receipt,
        /// The phone.
        phone: Box<str>,
        /// When the carrier took the part, if it says so.
        taken_at: Option<Timestamp>,
    },
    /// A message from a phone, or a part of one.
    Mo(Box<MobileOriginated>),
    /// Somebody calls the number of a modem.
    Call {
        /// Who, unless that is withheld.
        from: Option<Address>,
        /// The number that was called.
        to: Address,
    },
}

/// A message from a phone, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct MobileOriginated {
    /// The phone.
    pub from: Address,
    /// The number that it was sent to.
    pub to: Address,
    /// Text, or octets where no alphabet fits.
    pub content: Content,
    /// How it came over the air.
    pub encoding: Encoding,
    /// Message class.
    pub class: Option<u8>,
    /// Which part of which message, if it is one.
    pub concat: Option<Concat>,
}
