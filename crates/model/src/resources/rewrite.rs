//! How a route changes the messages that it takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most characters that a route may append to a text.
pub const TEXT_APPEND_MAX: usize = 1000;

/// How a route changes the messages that it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AddressRewrite>,
    /// The recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<AddressRewrite>,
    /// Put at the end of every text; at most [`TEXT_APPEND_MAX`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_append: Option<String>,
}

/// How an address is changed. The steps follow one another as the fields do, each on what the one
/// before has made, in digits without `+`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRewrite {
    /// This address, whatever it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
    /// One of these, at random. Not with `force`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub random: Vec<String>,
    /// A regular expression whose first match is replaced by `with`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<String>,
    /// What replaces it: `$1` is the first group, `$$` a dollar sign. Default nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Taken off the front if it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
    /// Put in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_prefix: Option<String>,
    /// Senders only: what replaces a name in countries that take none, by the recipient's country
    /// (ISO 3166-1 alpha-2); `*` is every other country.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alphanumeric: BTreeMap<String, String>,
}
