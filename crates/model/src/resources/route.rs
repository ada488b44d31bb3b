//! Routes for messages going out, inbound rules for those coming in.

use serde::{Deserialize, Serialize};

use super::account::{is_yes, yes};

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
    /// The connector that takes them, with `action` send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What becomes of them; default send.
    #[serde(default)]
    pub action: RouteAction,
    /// Is it looked at? Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

/// Which messages a route is for. Every field that is given must match; a list matches when one
/// of its entries does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteMatch {
    /// Digits that the recipient's number begins with, country code first, without `+`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_prefix: Vec<String>,
    /// Accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
    /// Senders, as they are after normalising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
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
}

/// Which incoming messages go to which account. The first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    /// Its id.
    pub id: String,
    /// Place in the order, lowest first; rules of one order stand as they were written.
    #[serde(default)]
    pub order: i64,
    /// Which messages; empty is all.
    #[serde(default, rename = "match")]
    pub matches: InboundMatch,
    /// The account that gets them, as `message.received`.
    pub account: String,
    /// Is it looked at? Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

/// Which incoming messages an inbound rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundMatch {
    /// Connectors that they came in over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connector: Vec<String>,
    /// The numbers they were sent to, with or without `+`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// The numbers they were sent from, with or without `+`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// First words of the text, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyword: Vec<String>,
}
