//! How an account's applications bind to the gateway's SMPP server.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::account::is_no;
use super::{DefaultAlphabet, Secret};

/// What an account binds with, and how its sessions are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppLogin {
    /// The `system_id` of its binds; no two accounts share one.
    pub system_id: String,
    /// The password in plain; replaced by its salted hash before it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The salted hash of the password: 32 hexadecimal digits of salt, a colon, 64 of the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_sha256: Option<Secret>,
    /// Binds at a time. Default 4.
    #[serde(default = "four")]
    pub max_binds: u16,
    /// Requests that may be unanswered in each direction of a session. Default 100.
    #[serde(default = "hundred")]
    pub window: u16,
    /// Networks that it may bind from; none is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<IpNet>,
    /// The `system_type` that a bind must have; default any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_type: Option<String>,
    /// Refuse binds without TLS. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub tls_required: bool,
    /// What `data_coding` 0 means, in both directions.
    #[serde(default)]
    pub default_alphabet: DefaultAlphabet,
    /// How message ids are written.
    #[serde(default)]
    pub message_id: MessageIdForm,
    /// How the dates of receipts are written.
    #[serde(default)]
    pub receipt_format: ReceiptForm,
    /// Which incoming messages are handed over by SMPP.
    #[serde(default)]
    pub incoming: IncomingWay,
}

/// How message ids are written to an SMPP client. All but the last are the message's whole id, and
/// are taken back in every form. A session of SMPP 3.3 has room for the short form only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageIdForm {
    /// As the API writes it, 36 characters.
    #[default]
    Uuid,
    /// 32 hexadecimal digits.
    Hex,
    /// Up to 39 decimal digits.
    Decimal,
    /// The last 8 hexadecimal digits, which are random: two messages of the same day may share them.
    Short,
}

/// How receipts are written to an SMPP client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptForm {
    /// Dates of ten digits, to the minute (SMPP 3.4 Appendix B).
    #[default]
    Standard,
    /// Dates of twelve digits, to the second.
    Seconds,
}

/// Which incoming messages an account is given by SMPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncomingWay {
    /// Those that no webhook of the account wants.
    #[default]
    Auto,
    /// All, whatever webhooks get as well.
    Always,
    /// None.
    Never,
}

fn four() -> u16 {
    4
}

fn hundred() -> u16 {
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let login: SmppLogin = serde_json::from_str(r#"{"system_id":"shop"}"#).unwrap();
        assert_eq!((login.max_binds, login.window, login.message_id), (4, 100, MessageIdForm::Uuid));
        assert!(serde_json::from_str::<SmppLogin>(r#"{"system_id":"shop","windows":1}"#).is_err());
    }
}
