//! What a connector that speaks HTTP needs beside what all connectors have: a description of the
//! provider's API, as data.
//!
//! A connector names a [`preset`], says what differs, or describes the whole API itself: what is sent
//! ([`HttpRequest`], whose texts are [`template`]s), how an answer is read ([`HttpAnswer`]), and how receipts and
//! messages from phones come ([`HttpReceipt`], [`HttpMessage`]): by call-back or by polling.

mod check;
pub mod place;
pub mod preset;
pub mod template;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Secret;
use crate::form;
use crate::receipt::ReceiptState;
pub(super) use check::faults;
pub use preset::HttpPreset;
pub use words::{HttpAlgorithm, HttpAuthKind, HttpClass, HttpDigest, HttpMethod};

/// Octets of a provider's answer that are read; more is an answer that can't be read.
pub const HTTP_ANSWER_OCTETS: usize = 1024 * 1024;
/// Messages in one request at the most.
pub const HTTP_BATCH_MAX: u16 = 1000;

/// `http = { … }` of a connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// The preset that everything left out here is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// What templates call `{value:NAME}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// What templates call `{secret:NAME}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Secret>,
    /// A long text goes in parts of its own, cut here. Default false: the provider cuts it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parts: bool,
    /// How requests say who we are.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
    /// The request that sends a text.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub send: Option<HttpRequest>,
    /// The request that sends octets; without it they can't be sent.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub binary: Option<HttpRequest>,
    /// Several messages in one request.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub batch: Option<HttpBatch>,
    /// What an answer to these means.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub answer: Option<HttpAnswer>,
    /// How a receipt is read.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub receipt: Option<HttpReceipt>,
    /// How a message from a phone is read.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub message: Option<HttpMessage>,
    /// Where the provider calls us.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub callback: Option<HttpCallback>,
    /// What a call is answered with once it is durable.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub reply: Option<HttpReply>,
    /// The signature that calls must have.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub signature: Option<HttpSignature>,
    /// Asked once at the start, so that the provider calls back.
    #[serde(deserialize_with = "form::objects_or_null", skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Vec<HttpSubscribe>>,
    /// How the provider is asked what became of one message.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub query: Option<HttpQuery>,
    /// Where receipts and messages are fetched from, again and again.
    #[serde(deserialize_with = "form::objects_or_null", skip_serializing_if = "Option::is_none")]
    pub poll: Option<Vec<HttpPoll>>,
}

/// How requests say who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpAuth {
    /// Which way. Default none: what headers and parameters say by themselves.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub kind: Option<HttpAuthKind>,
    /// The user's name of Basic authentication (RFC 7617). Default `{user}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its password, or the bearer token. Default `{password}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Where an OAuth 2.0 token is fetched (RFC 6749 §4.4): a path at the address, or a whole URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// The form that it is asked for with. Default `grant_type=client_credentials`, `client_id={user}`,
    /// `client_secret={password}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub token_form: BTreeMap<String, String>,
    /// Ask for it with Basic authentication instead of name and password in the form. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub token_basic: bool,
    /// How an HMAC is made.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<HttpAlgorithm>,
    /// How it is written. Default hex.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub encoding: Option<HttpDigest>,
    /// Over what: a template that also knows `{method}`, `{path}`, `{timestamp}` and `{body}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Its key. Default `{password}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The headers that carry it, as `{signature}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// A request. Its texts are templates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpRequest {
    /// The method. Default POST with a body, GET without.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,
    /// What follows the connector's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Parameters of the URL.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body as a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<BTreeMap<String, String>>,
    /// The body as JSON: its strings are templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// The body as XML: values are escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// The body as plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Several messages in one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpBatch {
    /// So many at the most. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u16>,
    /// JSON pointer (RFC 6901) to the list in `send.json` whose one entry stands for each message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
}

/// What an answer means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpAnswer {
    /// JSON pointer to the list that has an entry for each message of a batch, in order, or `xml:/path` of such
    /// elements. The places below are looked for in that entry then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// When it was accepted, beside a status of 200 to 299.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub accepted: Option<HttpWhen>,
    /// Where the provider's id is. Default nowhere: receipts can't be matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where the provider's error code is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where it says for people what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What statuses and codes mean; the first that fits counts.
    #[serde(deserialize_with = "form::objects", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<HttpError>,
}

/// Something is one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpWhen {
    /// Where it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What it may be; without any it has to be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
}

/// What an error means. What is left out fits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpError {
    /// Statuses: `429`, or `5xx`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// The provider's codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<String>,
    /// A regular expression that fits the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What it means.
    #[serde(deserialize_with = "form::word")]
    pub class: HttpClass,
}

/// How a receipt is read, wherever it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpReceipt {
    /// JSON pointer to a list of them, or `xml:/path` of the elements that are; the whole is one otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// When it is one. Default when it has an id and a state.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub when: Option<HttpWhen>,
    /// Where the id is that the answer had.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Where the word is that says what became of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Where an error code is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where the recipient is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What the words mean, whatever their case; `REJECTED_*` are all that begin so. Other words say nothing
    /// final.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, ReceiptState>,
}

/// How a message from a phone is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpMessage {
    /// JSON pointer to a list of them, or `xml:/path` of the elements that are; the whole is one otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// When it is one. Default when it has a sender, and a text or octets.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub when: Option<HttpWhen>,
    /// Where the phone's number is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// Where the number is that it was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The number that it was sent to, if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_to: Option<String>,
    /// Where the text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where octets are, instead of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// How these, and the header, are written. Default hex.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub data_form: Option<HttpDigest>,
    /// Where their user data header is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udh: Option<String>,
    /// Where the reference is that the parts of a long message share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_reference: Option<String>,
    /// Where it says how many parts there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_count: Option<String>,
    /// Where it says which one this is, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// Where the provider calls us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpCallback {
    /// The address under which the provider reaches the gateway's HTTP listener, without a path of its
    /// own: `https://sms.example.com`. `/carriers/{connector}/{secret}` follows it.
    pub url: String,
    /// The part of the path that nobody else knows. It has to be given once, and stays when it is left
    /// out of a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// What a call-back is answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpReply {
    /// The status. Default 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The type of the body. Default plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body. Default none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// The signature that call-backs must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSignature {
    /// Look at it at all. Default true; false where the provider does not sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<bool>,
    /// How it is made. Default `hmac-sha256`.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<HttpAlgorithm>,
    /// The header that has it. Default `authorization` with `jwt-hs256`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header: String,
    /// How it is written. Default base64.
    #[serde(deserialize_with = "form::word_or_null", skip_serializing_if = "Option::is_none")]
    pub encoding: Option<HttpDigest>,
    /// Over what: a template that knows `{url}`, `{body}`, `{params}` and `{header:NAME}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub over: String,
    /// Its key; for `ed25519` the public key in base64. Default `{password}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was made: a template like `over` that gives seconds or milliseconds since 1970, or RFC 3339. It should be
    /// a part of what is signed. A token says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// How long it is good, before and after that moment. Default for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

/// Asked once at the start, if there is a call-back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSubscribe {
    /// The request.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// Codes (as `answer.code` finds them) that say that it is so already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
}

/// How the provider is asked what became of one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpQuery {
    /// The request; it knows `{remote_id}` and what the message had.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// Where the word is that says what became of it; `receipt.states` says what it means.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Where an error code is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where receipts and messages are fetched from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpPoll {
    /// The request.
    #[serde(deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// How often. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u32>,
}

impl HttpSettings {
    /// Every secret, with the path of its field below `http`.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = (String, &mut Secret)> {
        let named = self.secrets.iter_mut().map(|(name, secret)| (format!("secrets.{name}"), secret));
        let path = self.callback.as_mut().and_then(|callback| callback.secret.as_mut());
        named.chain(path.map(|secret| ("callback.secret".to_owned(), secret)))
    }
}

impl HttpRequest {
    /// The method that it goes by.
    #[must_use]
    pub fn method(&self) -> HttpMethod {
        let has_body = self.form.is_some() || self.json.is_some() || self.xml.is_some() || self.text.is_some();
        self.method.unwrap_or(if has_body { HttpMethod::Post } else { HttpMethod::Get })
    }
}

impl HttpError {
    /// Does this status fit one of its own? One that names none fits all.
    #[must_use]
    pub fn fits_status(&self, status: u16) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix("xx") {
            Some(hundreds) => hundreds.parse() == Ok(status / 100),
            None => pattern.parse() == Ok(status),
        };
        self.status.is_empty() || self.status.iter().any(fits)
    }
}
