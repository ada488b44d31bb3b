//! Other gateways' dialects: how an application that was written for one of them is called, and what
//! a message keeps of the request that it came with.

use serde::{Deserialize, Serialize};

/// How an application is called: what the call looks like, and which answer says that it was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackStyle {
    /// A signed POST of JSON (Standard Webhooks 1.0); any 2xx takes it.
    #[default]
    Webhook,
    /// Kannel's: a GET of a URL whose escapes (`%p`, `%d` …) are filled in; any 2xx takes it.
    Kannel,
    /// Jasmin's: a POST of a form; a status below 400 with `ACK/Jasmin` as its body takes it.
    Jasmin,
    /// The same as a GET with a query.
    JasminGet,
}

impl CallbackStyle {
    /// Every style, in the order of their numbers in the store.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Kannel, Self::Jasmin, Self::JasminGet];

    /// Is this how one calls that wants no other?
    #[must_use]
    pub fn is_webhook(&self) -> bool {
        *self == Self::Webhook
    }
}

/// What a message keeps of a request in another dialect, for what comes back is said in that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Kannel's `sendsms`.
    Kannel(KannelTerms),
    /// Jasmin's `/send`.
    Jasmin(JasminTerms),
    /// A submission by UCP or CIMD2.
    Named(NamedTerms),
}

/// What a UCP or CIMD2 client knows its message by: to whom, and when it was taken, to the second. No other
/// message of the account to this recipient has the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTerms {
    /// The recipient as the client wrote it.
    pub to: Box<str>,
    /// Where receipts are addressed to, as the client wrote it: the sender, or what it named for them.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub from: Box<str>,
    /// The service centre's time stamp: twelve digits, as the protocol has them.
    pub at: Box<str>,
    /// The sum of [`named_wish`]'s bits: which receipts are wanted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wish: u8,
}

/// Which receipts a UCP or CIMD2 client wants.
pub mod named_wish {
    /// On the phone.
    pub const DELIVERED: u8 = 1;
    /// Not delivered, for whatever reason has no bit of its own.
    pub const FAILED: u8 = 2;
    /// Waits at the carrier: what it says in between.
    pub const BUFFERED: u8 = 4;
    /// The validity ran out.
    pub const EXPIRED: u8 = 8;
    /// Taken back by the client.
    pub const CANCELED: u8 = 16;
}

fn is_zero(sum: &u8) -> bool {
    *sum == 0
}

/// What Kannel's `dlr-url` can ask for, and what is sent along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KannelTerms {
    /// `dlr-mask`: the sum of [`kannel_dlr`]'s bits that are wanted.
    pub mask: u8,
    /// The recipient as it was given (`%p`).
    pub to: Box<str>,
    /// The sender as it was given (`%P`).
    pub from: Box<str>,
    /// The user's name (`%n`).
    pub service: Box<str>,
    /// `coding` (`%c`).
    pub coding: u8,
    /// `account` (`%o`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<str>>,
    /// `binfo` (`%B`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binfo: Option<Box<str>>,
    /// `meta-data` (`%D`, `%#group#param#`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<Box<str>>,
    /// `mwi` (`%M`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mwi: Option<u8>,
    /// `pid`: TP-PID (3GPP 23.040 §9.2.3.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u8>,
    /// `rpi` = 1: TP-RP (3GPP 23.040 §9.2.3.17).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reply_path: bool,
}

/// The events of Kannel's `dlr-mask` and `%d`.
pub mod kannel_dlr {
    /// On the phone.
    pub const DELIVERED: u8 = 1;
    /// Not delivered.
    pub const FAILED: u8 = 2;
    /// Waits at the carrier.
    pub const BUFFERED: u8 = 4;
    /// The carrier accepted it.
    pub const ACCEPTED: u8 = 8;
    /// The carrier refused it, or no carrier could be given it.
    pub const REJECTED: u8 = 16;
    /// The carrier said something in between.
    pub const INTERMEDIATE: u8 = 32;
    /// The largest sum that is taken.
    pub const ALL: u8 = 63;
}

/// What Jasmin's `dlr` parameters ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JasminTerms {
    /// `dlr-level`: 1 the carrier's answer, 2 the phone's receipt, 3 both.
    pub level: u8,
    /// `dlr-method` is GET.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub get: bool,
}

impl Dialect {
    /// How the message's own `callback_url` is called; `None` where nothing in it says so.
    #[must_use]
    pub fn style(&self) -> Option<CallbackStyle> {
        match self {
            Dialect::Kannel(_) => Some(CallbackStyle::Kannel),
            Dialect::Jasmin(JasminTerms { get: true, .. }) => Some(CallbackStyle::JasminGet),
            Dialect::Jasmin(_) => Some(CallbackStyle::Jasmin),
            Dialect::Named(_) => None,
        }
    }

    /// What a UCP or CIMD2 client knows the message by.
    #[must_use]
    pub fn name(&self) -> Option<&NamedTerms> {
        match self {
            Dialect::Named(terms) => Some(terms),
            Dialect::Kannel(_) | Dialect::Jasmin(_) => None,
        }
    }

    /// The protocol identifier that was asked for (3GPP 23.040 §9.2.3.9).
    #[must_use]
    pub fn protocol_id(&self) -> Option<u8> {
        match self {
            Dialect::Kannel(terms) => terms.pid,
            Dialect::Jasmin(_) | Dialect::Named(_) => None,
        }
    }

    /// A reply is to take the way that the message took (3GPP 23.040 §9.2.3.17).
    #[must_use]
    pub fn reply_path(&self) -> bool {
        matches!(self, Dialect::Kannel(terms) if terms.reply_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let kannel = Dialect::Kannel(KannelTerms { mask: 31, to: "07700".into(), ..KannelTerms::default() });
        let jasmin = Dialect::Jasmin(JasminTerms { level: 3, get: true });
        let named = Dialect::Named(NamedTerms {
            to: "0044".into(),
            from: Box::default(),
            at: "221126201456".into(),
            wish: named_wish::DELIVERED,
        });
        assert_eq!(named.style(), None);
        for dialect in [kannel, jasmin, named] {
            let text = serde_json::to_string(&dialect).unwrap();
            assert_eq!(serde_json::from_str::<Dialect>(&text).unwrap(), dialect, "{text}");
        }
        assert_eq!(serde_json::to_string(&CallbackStyle::JasminGet).unwrap(), r#""jasmin-get""#);
    }
}
