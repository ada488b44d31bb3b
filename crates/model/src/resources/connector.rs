//! Connectors: links to carriers. The SMPP settings carry every quirk that real SMSCs need.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::account::{is_no, is_yes, yes};
use super::{Cimd2Settings, HttpSettings, ModemSettings, Pace, PriceList, Secret, UcpSettings};
use crate::form;
use crate::receipt::{ReceiptPolicy, ReceiptState};
use crate::transition::DoubtPolicy;

/// A configured link to a carrier. Unset options have the defaults named beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Its id.
    pub id: String,
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// `host:port`; `smpps://host:port`, `ucps://…` or `cimd2s://…` for TLS; over HTTP the address that paths
    /// follow, such as `https://api.example.com`. Left out with `outbind`. Of a modem its device, such as
    /// `/dev/ttyUSB0`, or `tcp://host:port`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// What only UCP/EMI has; with `protocol = "ucp"`.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub ucp: Option<Box<UcpSettings>>,
    /// What only CIMD2 has; with `protocol = "cimd2"`.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub cimd2: Option<Box<Cimd2Settings>>,
    /// The provider's API; with `protocol = "http"`.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub http: Option<Box<HttpSettings>>,
    /// What only modems have; with `protocol = "modem"`.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub modem: Option<Box<ModemSettings>>,
    /// Wait for the carrier to connect and to ask for the bind, instead of connecting to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbind: Option<Box<OutbindSettings>>,
    /// Is it to be connected? Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// SMPP `system_id`; the account's short code or name of a UCP login; the user of a CIMD2 login; what an
    /// HTTP API knows us by.
    #[serde(default)]
    pub system_id: String,
    /// Its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// SMPP `system_type`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system_type: String,
    /// How it binds.
    #[serde(default)]
    pub bind: BindKind,
    /// SMPP version to bind with.
    #[serde(default)]
    pub interface_version: InterfaceVersion,
    /// `address_range` of the bind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address_range: String,
    /// Binds (or pairs of binds) at a time. Default 1.
    #[serde(default = "one")]
    pub sessions: u16,
    /// Unanswered submits allowed per session; requests, over HTTP. Default 10.
    #[serde(default = "ten")]
    pub window: u16,
    /// How far apart messages of one sender, and to one recipient, go over it.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub pace: Option<Box<Pace>>,
    /// Parts a second over all sessions; default no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<u32>,
    /// TLS details for `smpps://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,

    /// Seconds without anything received before an `enquire_link`. Default 30.
    #[serde(default = "thirty")]
    pub enquire_link_seconds: u32,
    /// Seconds to wait for an answer. Default 60.
    #[serde(default = "sixty")]
    pub response_timeout_seconds: u32,
    /// Seconds to wait for a connection and for the bind's answer. Default 30.
    #[serde(default = "thirty")]
    pub bind_timeout_seconds: u32,
    /// Seconds without any submit after which the session is closed; default never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactivity_seconds: Option<u32>,
    /// Waits between attempts to connect.
    #[serde(default)]
    pub reconnect: Reconnect,

    /// How long texts are sent.
    #[serde(default)]
    pub long_messages: LongForm,
    /// What `data_coding` 0 means to this SMSC.
    #[serde(default)]
    pub default_alphabet: DefaultAlphabet,
    /// How flash messages are marked.
    #[serde(default)]
    pub flash: FlashForm,
    /// How validity and scheduling are written.
    #[serde(default)]
    pub validity: ValidityForm,
    /// `service_type` of what is sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_type: String,
    /// `protocol_id` of what is sent.
    #[serde(default)]
    pub protocol_id: u8,
    /// TON and NPI of senders; found by the address's kind otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<AddressForm>,
    /// TON and NPI of recipients; found by the address's kind otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<AddressForm>,
    /// Send international numbers with their `+`. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub plus_sign: bool,

    /// How the ids in receipts relate to those in answers.
    #[serde(default)]
    pub receipt_id: ReceiptIdForm,
    /// How the receipts of a long message's parts make its state.
    #[serde(default)]
    pub receipt_policy: ReceiptPolicy,
    /// Take the id and state from the receipt's text even when there are TLVs. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub receipt_text_first: bool,
    /// Take a `deliver_sm` for a receipt by its look when `esm_class` does not say so. Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub receipt_by_look: bool,
    /// Words of receipts with a meaning of their own here, upper case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receipt_states: BTreeMap<String, ReceiptState>,

    /// What becomes of parts that were unanswered when a link was lost.
    #[serde(default)]
    pub in_doubt: DoubtPolicy,
    /// Record a part as handed over before it is sent: at most once. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub mark_first: bool,
    /// `command_status` values (`"0x45"` or `"69"`) that mean something else here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub status_overrides: BTreeMap<String, StatusClass>,
    /// Ask the carrier (SMPP: `cancel_sm`) to take a message back that it has already. Default true;
    /// false where it can't.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub cancel: bool,
    /// Ask the carrier (SMPP: `query_sm`) what became of a part, when somebody wants to know. Default
    /// true; false where it can't.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub query: bool,
    /// Ask the carrier (SMPP: `replace_sm`, UCP: 54) to put another text in the place of one that it has
    /// already. Default true; false where it can't. Other protocols have no such operation.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub replace: bool,
    /// Seconds after which the carrier is asked about messages whose final receipt has not come, and
    /// again after each further such time; default never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_after_seconds: Option<u32>,
    /// Attempts at a part that is refused for now, before it fails. Default 20.
    #[serde(default = "twenty")]
    pub max_attempts: u16,
    /// What the carrier takes for a part, for members of pools that don't say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Box<PriceList>>,
    /// When pools pass it over.
    #[serde(default, skip_serializing_if = "HealthSettings::is_default")]
    pub health: HealthSettings,
}

impl Connector {
    /// How it sends long texts: over HTTP whole, unless the description says otherwise.
    #[must_use]
    pub fn long_form(&self) -> LongForm {
        match (self.protocol, &self.http) {
            (Protocol::Http, Some(http)) if http.parts => self.long_messages,
            (Protocol::Http, _) => LongForm::Payload,
            _ => self.long_messages,
        }
    }
}

/// When a connector counts as sick, and pools pass it over for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSettings {
    /// So many of a hundred answers of the last minute may be failures. Default 50; 101 is any number.
    pub max_error_percent: u8,
    /// Of a hundred final receipts so many must say "delivered"; default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_delivered_percent: Option<u8>,
    /// With fewer answers or receipts nothing is concluded. Default 20.
    pub min_samples: u32,
    /// Seconds until it gets a few messages as probes, the first time; twice as long after each
    /// relapse, up to ten minutes. Default 30.
    pub probe_after_seconds: u32,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { max_error_percent: 50, min_delivered_percent: None, min_samples: 20, probe_after_seconds: 30 }
    }
}

impl HealthSettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The protocol of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// SMPP 3.3, 3.4 or 5.0.
    Smpp,
    /// UCP/EMI 4.x and 5.x.
    Ucp,
    /// CIMD2, of Nokia's SMSCs.
    Cimd2,
    /// A provider's HTTP API.
    Http,
    /// AT commands of a GSM modem.
    Modem,
}

impl Protocol {
    /// The word for it in the resources file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smpp => "smpp",
            Self::Ucp => "ucp",
            Self::Cimd2 => "cimd2",
            Self::Http => "http",
            Self::Modem => "modem",
        }
    }

    /// Has it an operation that replaces a message which the carrier has?
    #[must_use]
    pub const fn can_replace(self) -> bool {
        matches!(self, Self::Smpp | Self::Ucp)
    }
}

/// How a connector binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindKind {
    /// One connection that sends and receives.
    #[default]
    #[serde(rename = "transceiver")]
    Transceiver,
    /// Two connections, one to send and one to receive.
    #[serde(rename = "transmitter+receiver")]
    Pair,
    /// Sends only.
    #[serde(rename = "transmitter")]
    Transmitter,
    /// Receives only.
    #[serde(rename = "receiver")]
    Receiver,
}

/// An SMPP version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InterfaceVersion {
    /// 3.3: no TLVs, no transceiver.
    #[serde(rename = "3.3")]
    V33,
    /// 3.4, which nearly every SMSC speaks.
    #[default]
    #[serde(rename = "3.4")]
    V34,
    /// 5.0.
    #[serde(rename = "5.0")]
    V50,
}

/// How a long text is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongForm {
    /// Parts with a user data header and an 8-bit reference.
    #[default]
    Udh,
    /// Parts with a user data header and a 16-bit reference.
    Udh16,
    /// Parts with the `sar_*` TLVs.
    Sar,
    /// One `submit_sm` with the whole in `message_payload`; the SMSC splits it.
    Payload,
}

/// What `data_coding` 0 means to an SMSC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet an octet.
    #[default]
    Gsm7,
    /// GSM 7-bit, packed as over the air.
    Gsm7Packed,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// UTF-8, as some aggregators have it.
    Utf8,
}

/// How flash messages are marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlashForm {
    /// `data_coding` 0x10 and 0x18: the general group with a class.
    #[default]
    General,
    /// `data_coding` 0xF0 for GSM 7-bit; 0x18 for UCS-2, which has no other.
    ClassGroup,
    /// TLV `dest_addr_subunit` 1.
    Subunit,
}

/// How validity and scheduling are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValidityForm {
    /// Relative: no clocks to disagree.
    #[default]
    Relative,
    /// Absolute, UTC.
    Absolute,
    /// Not told to the carrier.
    None,
}

/// TON and NPI, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressForm {
    /// Type of number (SMPP 3.4 §5.2.5).
    pub ton: u8,
    /// Numbering plan indicator (SMPP 3.4 §5.2.6).
    pub npi: u8,
}

/// How ids in receipts relate to ids in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptIdForm {
    /// Learnt from what arrives.
    #[default]
    Auto,
    /// The same characters.
    AsIs,
    /// The answer has hexadecimal, the receipt decimal.
    HexToDec,
    /// The answer has decimal, the receipt hexadecimal.
    DecToHex,
    /// The same number: case and leading zeros do not matter.
    Loose,
}

/// What a `command_status` means for a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusClass {
    /// The message is refused.
    Permanent,
    /// The part is tried again later.
    Temporary,
    /// The connector pauses, and the part goes first when it resumes.
    Throttled,
    /// As good as accepted.
    Accepted,
}

/// Waits between attempts to connect: doubled from `min` to `max`, with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconnect {
    /// Milliseconds before the second attempt. Default 1000.
    #[serde(default = "Reconnect::default_min")]
    pub min_ms: u32,
    /// Milliseconds at the most. Default 300000.
    #[serde(default = "Reconnect::default_max")]
    pub max_ms: u32,
}

impl Reconnect {
    fn default_min() -> u32 {
        1000
    }

    fn default_max() -> u32 {
        300_000
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { min_ms: Self::default_min(), max_ms: Self::default_max() }
    }
}

/// How a carrier that connects by itself is awaited (SMPP 3.4 §4.1.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutbindSettings {
    /// `address:port` to listen on, without TLS.
    pub listen: SocketAddr,
    /// The carrier's `system_id` in its `outbind`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system_id: String,
    /// The carrier's `password` in its `outbind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Networks that it may come from, such as `192.0.2.0/24`; `192.0.2.1/32` is one host.
    pub allow: Vec<IpNet>,
}

/// TLS to a carrier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// PEM file of the authorities to trust; the system's otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// PEM file of a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// PEM file of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The name in the server's certificate; the address's host otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

fn one() -> u16 {
    1
}

fn ten() -> u16 {
    10
}

fn twenty() -> u16 {
    20
}

fn thirty() -> u32 {
    30
}

fn sixty() -> u32 {
    60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let text = r#"
            id = "carrier-a"
            protocol = "smpp"
            address = "smsc.example:2775"
            system_id = "me"
            password = { env = "CARRIER_A_PASSWORD" }
            bind = "transmitter+receiver"
            sessions = 2
            window = 50
            throughput = 200
            receipt_id = "hex-to-dec"
            status_overrides = { "0x45" = "temporary" }
        "#;
        let connector: Connector = toml::from_str(text).unwrap();
        assert_eq!(connector.bind, BindKind::Pair);
        assert_eq!(connector.receipt_id, ReceiptIdForm::HexToDec);
        assert_eq!((connector.window, connector.enquire_link_seconds), (50, 30));
        assert!(connector.cancel && connector.query && connector.replace && connector.query_after_seconds.is_none());
        let again: Connector = serde_json::from_str(&serde_json::to_string(&connector).unwrap()).unwrap();
        assert_eq!(again, connector);
        assert!(format!("{connector:?}").contains("Secret(env CARRIER_A_PASSWORD)"));
    }
}
