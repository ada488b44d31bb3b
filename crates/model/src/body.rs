//! What was asked for: the half of a message that hardly ever changes.

use serde::{Deserialize, Serialize};

use crate::message::Status;
use crate::{Address, BatchId, Charge, Dialect, Ingress, MessageId, Name, PassedOn, Plan, Timestamp};

/// What was asked for. Fixed when the message is accepted (or, for an MO, received), but for what a
/// [`Replacement`](crate::Replacement) puts in its place: while all of it waits, or when
/// the carrier that has all of it has done so.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The message's id; its time part is when it was made.
    pub id: MessageId,
    /// Out to a phone, or in from one.
    pub direction: Direction,
    /// The way in that it came by. An MO came by none, and says [`Ingress::Http`].
    pub ingress: Ingress,
    /// Whose message it is.
    pub account: Name,
    /// The recipient.
    pub to: Address,
    /// The sender.
    pub from: Address,
    /// The text or octets.
    pub content: Content,
    /// How `content` goes over the air.
    pub encoding: Encoding,
    /// Replace typographic characters so that the text fits GSM 7-bit.
    pub transliterate: bool,
    /// Message class, 0 (flash) to 3 (3GPP 23.038 §4).
    pub class: Option<u8>,
    /// 0 to 3; 3 goes first.
    pub priority: u8,
    /// Which receipts the application wants to hear of.
    pub receipt: ReceiptWish,
    /// The application's own reference, given back everywhere.
    pub client_ref: Option<Box<str>>,
    /// A newer message of the account with this key to the same recipient takes this one's place
    /// while it waits.
    pub supersede_key: Option<Box<str>>,
    /// It goes in the account's quiet hours too.
    pub ignore_quiet_hours: bool,
    /// Searchable pairs, at most 16, sorted by key.
    pub tags: Vec<(Box<str>, Box<str>)>,
    /// Events go here instead of to the account's webhooks.
    pub callback_url: Option<Box<str>>,
    /// What it keeps of a request in another gateway's dialect.
    pub dialect: Option<Box<Dialect>>,
    /// SMPP TLVs to pass on: tag and value.
    pub tlvs: Vec<Tlv>,
    /// What else it says to carriers.
    pub passed_on: Option<Box<PassedOn>>,
    /// Reference number of a concatenated message; the same for all its parts.
    pub reference: u16,
    /// The parts carry 16-bit references; decided with the route, for it decides where the text
    /// is cut.
    pub wide_reference: bool,
    /// National language tables of a GSM 7-bit text, locking and single shift (3GPP 23.038
    /// §6.2.1.2.4); 0 is the default table.
    pub shift: (u8, u8),
    /// The batch that it came in.
    pub batch: Option<BatchId>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it is due; `None` is at once.
    pub send_at: Option<Timestamp>,
    /// After this it expires, wherever it is.
    pub expires_at: Timestamp,
    /// The application named a validity, so the carrier is told of it too.
    pub validity_given: bool,
    /// What the route made of it, beyond one connector.
    pub plan: Option<Box<Plan>>,
    /// What was charged for it, if anything was.
    pub charge: Option<Box<Charge>>,
}

impl Body {
    /// A message of which nothing is known but this: GSM 7-bit out to a phone over HTTP, nobody's yet,
    /// without a receipt and without time to live. Take it and say what differs:
    /// `Body { account, ..Body::plain(…) }`.
    #[must_use]
    pub fn plain(id: MessageId, (from, to): (Address, Address), content: Content, at: Timestamp) -> Self {
        Self {
            id,
            direction: Direction::Mt,
            ingress: Ingress::Http,
            account: "".into(),
            to,
            from,
            content,
            encoding: Encoding::Gsm7,
            transliterate: false,
            class: None,
            priority: 1,
            receipt: ReceiptWish::None,
            client_ref: None,
            supersede_key: None,
            ignore_quiet_hours: false,
            tags: Vec::new(),
            callback_url: None,
            dialect: None,
            tlvs: Vec::new(),
            passed_on: None,
            reference: 0,
            wide_reference: false,
            shift: (0, 0),
            batch: None,
            created_at: at,
            send_at: None,
            expires_at: at,
            validity_given: false,
            plan: None,
            charge: None,
        }
    }
}

/// Out to a phone, or in from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Mobile terminated.
    Mt,
    /// Mobile originated.
    Mo,
}

/// Text, or octets with their own header and coding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 text.
    Text(Box<str>),
    /// Octets, for applications that build their own user data.
    Binary {
        /// The octets after the header.
        data: Box<[u8]>,
        /// A user data header with its length octet, or nothing.
        udh: Box<[u8]>,
        /// The data coding scheme as 3GPP 23.038 §4 has it.
        dcs: u8,
    },
}

impl Content {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Content::Text(text) => Some(text),
            Content::Binary { .. } => None,
        }
    }
}

/// How a message's content goes over the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// GSM 7-bit default alphabet (3GPP 23.038 §6.2.1), with whatever shift tables it needs.
    Gsm7,
    /// UTF-16, big-endian.
    Ucs2,
    /// ISO 8859-1.
    Latin1,
    /// Octets that are nobody's text.
    Binary,
}

/// Which receipts an application wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptWish {
    /// None; the carrier is not asked for any.
    None,
    /// The final one.
    #[default]
    Final,
    /// Intermediate ones too.
    All,
    /// The final one, if the message did not arrive.
    Failure,
    /// The final one, if the message arrived.
    Success,
}

impl ReceiptWish {
    /// Every wish.
    pub const EVERY: [Self; 5] = [Self::None, Self::Final, Self::All, Self::Failure, Self::Success];

    /// The API's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Final => "final",
            Self::All => "all",
            Self::Failure => "failure",
            Self::Success => "success",
        }
    }

    /// Is a receipt wanted when a message comes to `status`?
    #[must_use]
    pub fn wants(self, status: Status) -> bool {
        match self {
            Self::None => false,
            Self::Final => status.is_final(),
            Self::All => true,
            Self::Failure => status.is_final() && status != Status::Delivered,
            Self::Success => status == Status::Delivered,
        }
    }
}

/// An SMPP TLV that is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlv {
    /// The tag.
    pub tag: u16,
    /// The value's octets.
    pub value: Box<[u8]>,
}
