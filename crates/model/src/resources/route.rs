//! Routes: what becomes of messages that go out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{is_yes, yes};
use super::{PriceList, Rewrite};
use crate::{Encoding, Ingress, form};

/// Ways in for applications, as `match.ingress` names them.
pub const INGRESSES: [&str; Ingress::ALL.len()] = words();
/// Most digits of a prefix: those of the longest number (ITU-T E.164 §6.2.1).
pub const PREFIX_MAX: usize = crate::address::E164_DIGITS_MAX;

/// An ordered rule: which messages, and what becomes of them. The first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its id.
    pub id: String,
    /// Place in the order, lowest first; routes of one order stand as they were written.
    #[serde(default)]
    pub order: i64,
    /// Which messages; empty is all.
    #[serde(default, rename = "match")]
    pub matches: RouteMatch,
    /// The connector or pool that takes them, with `action` send or copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What becomes of them; default send.
    #[serde(default, deserialize_with = "form::word")]
    pub action: RouteAction,
    /// What the application is told, with `action` reject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How they are changed, with `action` send or copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<Rewrite>,
    /// What the account pays for a part, with `action` send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceList>,
    /// The same as the pool's, for what this route sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover_after: Option<u32>,
    /// Is it looked at? Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

/// Which messages a route is for. Every field that is given must match; a list matches when one
/// of its entries does. What is not known of a message matches no field that asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteMatch {
    /// Digits that the recipient's number begins with, country code first, without `+`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_prefix: Vec<String>,
    /// Countries of the recipient's number, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_country: Vec<String>,
    /// Networks of the recipient, MCC and MNC, as a policy service has told them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// Accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
    /// Ways in: some of [`INGRESSES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ingress: Vec<String>,
    /// Senders, as they are after normalising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// What the sender begins with, without `+`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_prefix: Vec<String>,
    /// A regular expression that the sender, without `+`, holds a match of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_regex: Option<String>,
    /// 0 to 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<u8>,
    /// How the content goes over the air.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoding: Vec<Encoding>,
    /// How many parts the message has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartRange>,
    /// Tags, each with the values that match; an empty list is any value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Vec<String>>,
    /// When the message is due: when it is accepted, or its `send_at`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time: Vec<TimeWindow>,
    /// A regular expression that the text holds a match of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a route does with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteAction {
    /// Send it over `to`.
    #[default]
    Send,
    /// Refuse it: the application is told.
    Reject,
    /// Accept it and send nothing.
    Drop,
    /// Send a copy of it over `to`; later routes decide about the message itself.
    Copy,
}

impl RouteAction {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RouteAction::Send => "send",
            RouteAction::Reject => "reject",
            RouteAction::Drop => "drop",
            RouteAction::Copy => "copy",
        }
    }

    /// Does it need a connector or pool to send over?
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, RouteAction::Send | RouteAction::Copy)
    }
}

/// A range of parts, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRange {
    /// The fewest; default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u16>,
    /// The most; default any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u16>,
}

/// A stretch of the week that comes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// Days on which it begins; empty is every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// When it begins, `HH:MM`; default 00:00.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When it ends, `HH:MM` and no longer in it; default 24:00. Before or at `from` it is that
    /// time on the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The clock that is meant, an IANA time zone such as `Europe/London`; default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

const fn words() -> [&'static str; Ingress::ALL.len()] {
    let mut words = [""; Ingress::ALL.len()];
    let mut n = 0;
    while n < words.len() {
        words[n] = Ingress::ALL[n].as_str();
        n += 1;
    }
    words
}
