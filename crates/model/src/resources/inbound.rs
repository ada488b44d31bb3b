//! Inbound rules: what becomes of messages that came in.

use serde::{Deserialize, Serialize};

use super::account::{is_yes, yes};

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
    /// How the account takes them; empty is every way that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliver: Vec<Handover>,
    /// A text that answers them, with `{from}`, `{to}`, `{keyword}` and `{text}` filled in; `{{` and
    /// `}}` are braces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Numbers that they are sent on to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward: Vec<String>,
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
    /// What the sender's number begins with, without `+`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_prefix: Vec<String>,
    /// First words of the text, in any case and language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyword: Vec<String>,
    /// A regular expression that the text holds a match of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How an account takes what came in for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handover {
    /// A webhook call.
    Webhook,
    /// A deliver_sm over a bind of the account.
    Smpp,
}
