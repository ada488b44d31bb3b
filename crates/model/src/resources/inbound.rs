//! Inbound rules: what becomes of messages that came in.

use serde::{Deserialize, Serialize};

use super::Secret;
use super::account::{is_no, is_yes, yes};
use crate::{CallbackStyle, GroupAction, form};

/// Most numbers that one rule sends on to.
pub const FORWARD_MAX: usize = 100;
/// Most parts that the answer of a webhook may have as a reply.
pub const ANSWER_PARTS_MAX: u32 = 100;
/// Most answers that a rule may give one phone in ten minutes.
pub const REPLY_LIMIT_MAX: u32 = 100;

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
    /// Where they go instead of the account's webhooks.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Box<RuleWebhook>>,
    /// A text that answers them, with `{from}`, `{to}`, `{keyword}`, `{text}`, `{rest}`, `{date}` and
    /// `{time}` filled in; `{{` and `}}` are braces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Answers that one phone gets by this rule in ten minutes, so that two machines don't answer each
    /// other for ever; default 3.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub reply_limit: Option<u32>,
    /// Numbers that they are sent on to, whatever becomes of the `group`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward: Vec<String>,
    /// The text that is sent on, with the placeholders of `reply`; default `{text}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_text: Option<String>,
    /// What is done with a list of phones.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub group: Option<InboundGroup>,
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

/// What an inbound rule does with a group of its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundGroup {
    /// The group; the first phone that joins makes it.
    pub name: String,
    /// What is done with it.
    #[serde(deserialize_with = "form::word")]
    pub action: GroupAction,
    /// Only what members write goes on to the others. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members_only: Option<bool>,
}

impl Inbound {
    /// Does it send texts on to a group?
    #[must_use]
    pub fn forwards_to_group(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.action == GroupAction::Forward)
    }
}

/// Where what an inbound rule takes goes, instead of its account's webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleWebhook {
    /// `https://…` or `http://…`.
    pub url: String,
    /// How it is called.
    #[serde(default, deserialize_with = "form::word", skip_serializing_if = "CallbackStyle::is_webhook")]
    pub style: CallbackStyle,
    /// The signing secret, `whsec_` and base64 of 24–64 octets; calls are not signed without one. One that
    /// is left out stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// What becomes of the answer's body.
    #[serde(default, deserialize_with = "form::word", skip_serializing_if = "AnswerUse::is_ignore")]
    pub answer: AnswerUse,
    /// Parts that a reply may have; a longer answer is cut. Default 10.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub max_parts: Option<u32>,
    /// Headers such as `X-Kannel-From` of an answer are heeded. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub kannel_headers: bool,
}

/// What becomes of the body with which a rule's webhook answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerUse {
    /// Nothing.
    #[default]
    Ignore,
    /// Its text goes back to the phone.
    Reply,
}

impl AnswerUse {
    fn is_ignore(&self) -> bool {
        *self == Self::Ignore
    }
}

impl RuleWebhook {
    /// Does its answer go back to the phone?
    #[must_use]
    pub fn replies(&self) -> bool {
        self.answer == AnswerUse::Reply
    }
}

/// How an account takes what came in for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handover {
    /// A webhook call.
    Webhook,
    /// A deliver_sm over a bind of the account.
    Smpp,
    /// A 52 over a UCP session of the account.
    Ucp,
    /// A deliver message over a CIMD2 session of the account.
    Cimd2,
}
