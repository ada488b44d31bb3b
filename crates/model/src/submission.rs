//! What an application asks for, in the words of the API, before anybody looked at it.
//!
//! Every ingress, whatever its dialect, makes this one type. Nothing in it is checked yet: the
//! engine's `validate` step finds all faults at once, each with a JSON pointer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::dialect::Dialect;
use crate::form;
use crate::message::{Ingress, ReceiptWish};

/// One message as an application asks for it: the body of `POST /v1/messages`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Recipient: E.164 with or without `+`, or as the account's default country writes it.
    #[serde(default)]
    pub to: String,
    /// Sender: number, short code or up to 11 characters; the account's default otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The text. Either this or `binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Octets with their own header and coding, instead of a text.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub binary: Option<BinarySubmission>,
    /// The alphabet; default `auto`.
    #[serde(default, deserialize_with = "form::word")]
    pub encoding: EncodingChoice,
    /// Replace typographic characters so that the text fits GSM 7-bit.
    #[serde(default)]
    pub transliterate: bool,
    /// Refuse a text that needs more parts; default 10.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub max_parts: Option<u32>,
    /// Message class, 0 (flash) to 3.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub class: Option<u32>,
    /// 0 to 3, default 1; 3 goes first.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// When to send it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<String>,
    /// Seconds after which it expires, wherever it is.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub validity_seconds: Option<u64>,
    /// Which receipts to hear of; default `final`.
    #[serde(default, deserialize_with = "form::word")]
    pub receipt: ReceiptWish,
    /// The application's reference, at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ref: Option<String>,
    /// A newer message with this key to the same recipient takes this one's place while it waits; at
    /// most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersede_key: Option<String>,
    /// Send it in the account's quiet hours too, if the account lets its messages say so.
    #[serde(default)]
    pub ignore_quiet_hours: bool,
    /// At most 16 searchable pairs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Where events of this message go, instead of to the account's webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The route to take, if the account may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The connector to take, if the account may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// SMPP TLVs to pass on.
    #[serde(default, deserialize_with = "form::objects", skip_serializing_if = "Vec::is_empty")]
    pub tlvs: Vec<TlvSubmission>,
    /// TP-PID of the message, 0–255 (3GPP 23.040 §9.2.3.9).
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub protocol_id: Option<u32>,
    /// SMPP `service_type`, at most 5 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// A reply may take the way that the message took (TP-RP).
    #[serde(default)]
    pub reply_path: bool,
    /// The carrier is to put it in the place of one that it has still.
    #[serde(default)]
    pub replace_if_present: bool,
    /// An SMPP client's `priority_flag`, where the priority does not tell it: set by the ingress.
    #[serde(skip)]
    pub priority_flag: Option<u8>,
    /// The way in that it came by: set by the ingress, never read from what an application wrote.
    #[serde(skip)]
    pub ingress: Ingress,
    /// What another gateway's dialect has beyond these: set by the ingress too.
    #[serde(skip)]
    pub dialect: Option<Box<Dialect>>,
    /// What a policy service has decided: set by the engine.
    #[serde(skip)]
    pub decided: Option<Box<Decided>>,
}

/// What a policy service has decided about a message, beyond the fields that it has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Another recipient.
    pub to: Option<Address>,
    /// Another sender.
    pub from: Option<Address>,
    /// The network that the recipient belongs to: MCC and MNC.
    pub network: Option<Box<str>>,
    /// The route or connector is not the application's wish, and needs no leave.
    pub imposed: bool,
    /// What was decided, for the timeline.
    pub told: Box<str>,
}

/// Octets instead of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinarySubmission {
    /// The octets, base64.
    pub data: String,
    /// A user data header with its length octet, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udh: Option<String>,
    /// Data coding scheme (3GPP 23.038 §4), 0–255; default 4, 8-bit data.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub dcs: Option<u32>,
}

/// A TLV to pass on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlvSubmission {
    /// The tag, 0–65535.
    #[serde(deserialize_with = "form::integer")]
    pub tag: u32,
    /// The value in hexadecimal.
    pub hex: String,
}

/// The alphabet that an application asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncodingChoice {
    /// The cheapest that holds the text.
    #[default]
    Auto,
    /// GSM 7-bit; a text that does not fit is refused.
    Gsm7,
    /// UTF-16.
    Ucs2,
    /// ISO 8859-1; a text that does not fit is refused.
    Latin1,
}

/// One thing that is wrong with a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Fault {
    /// A fault of the field at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}
