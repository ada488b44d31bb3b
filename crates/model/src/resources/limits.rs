//! What an account may do: senders, countries, how fast and how much.

use serde::{Deserialize, Serialize};

/// Most entries of a list of senders or countries.
pub const LIMIT_LIST_MAX: usize = 1000;

/// Senders that an account may use. A plain text is one sender; the rest are families.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SenderRule {
    /// This sender: a number, a short code or a name. Names differ by the case of their letters.
    Exact(String),
    /// `{ prefix = … }`, `{ regex = … }` or `{ type = … }`.
    Family(SenderFamily),
}

/// Many senders at once. Just one of the fields is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderFamily {
    /// What the sender begins with, without `+`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// A regular expression that the sender, without `+`, holds a match of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// What kind of sender.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<SenderKind>,
}

/// What a sender is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SenderKind {
    /// Digits: a phone number or a short code.
    Numeric,
    /// A name.
    Alphanumeric,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_texts_and_families() {
        let json = r#"["SHOP",{"prefix":"4477"},{"regex":"^[A-Z]+$"},{"type":"numeric"}]"#;
        let rules: Vec<SenderRule> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&rules).unwrap(), json);
        let numeric = SenderFamily { kind: Some(SenderKind::Numeric), ..SenderFamily::default() };
        assert_eq!(rules[3], SenderRule::Family(numeric));
        assert!(serde_json::from_str::<SenderRule>(r#"{"prefixes":"44"}"#).is_err());
    }
}
