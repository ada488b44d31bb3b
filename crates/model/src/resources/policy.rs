//! Whom to ask about an account's messages before they are routed: where a number was ported to, whether
//! a recipient may be written to, which way a message shall take.

use serde::{Deserialize, Serialize};

use super::Secret;
use super::account::is_no;
use crate::form;

/// Milliseconds that an answer may take, where nobody says.
pub const POLICY_TIMEOUT_MS: u32 = 300;
/// The longest that an answer may take, in milliseconds: applications wait for it.
pub const POLICY_TIMEOUT_MS_MAX: u32 = 10_000;
/// The longest that an answer may hold for its recipient: a day.
pub const POLICY_CACHE_SECONDS_MAX: u32 = 86_400;

/// A service that is asked about every message of an account, and of those below it, before it is routed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyHook {
    /// `https://…` or `http://…`.
    pub url: String,
    /// The signing secret, `whsec_` and base64 of 24–64 octets; calls are not signed without one. One that
    /// is left out stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Milliseconds that an answer may take; default [`POLICY_TIMEOUT_MS`].
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// What becomes of a message when there is no answer.
    #[serde(default, deserialize_with = "form::word", skip_serializing_if = "OnFailure::is_continue")]
    pub on_failure: OnFailure,
    /// Seconds that an answer holds for all messages of an account to its recipient; default none.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub cache_seconds: Option<u32>,
    /// Is the text told? Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub send_text: bool,
}

/// What becomes of a message when a policy service does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It goes on as if nobody had been asked.
    #[default]
    Continue,
    /// It is refused for now: the application may try again.
    Reject,
}

impl OnFailure {
    fn is_continue(&self) -> bool {
        *self == Self::Continue
    }
}

/// Is this a network's code: three digits of its country (MCC) and two or three of its own (MNC), ITU-T
/// E.212 §4?
#[must_use]
pub fn is_network(text: &str) -> bool {
    (5..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
