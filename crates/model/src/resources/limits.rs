//! What an account may do: senders, countries, how fast and how much.

use serde::{Deserialize, Serialize};

use super::account::is_no;
use super::{Amount, Currency};

/// Most entries of a list of senders or countries.
pub const LIMIT_LIST_MAX: usize = 1000;

/// Largest share of an account.
pub const SHARE_MAX: u32 = 1000;

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

/// Parts that an account may hand in, by the calendar of its time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// From midnight to midnight; default as many as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<u64>,
    /// From the first of a month to the next; default as many as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly: Option<u64>,
}

/// How an account pays before it sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prepaid {
    /// The currency of its balance.
    pub currency: Currency,
    /// How far below zero the balance may go; default not at all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overdraft: Amount,
    /// The event `account.balance_low` comes when the balance falls below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_below: Option<Amount>,
    /// Are parts given back that the carrier refused? Default false: only those that never went out.
    #[serde(default, skip_serializing_if = "is_no")]
    pub refund_rejected: bool,
}

fn is_zero(amount: &Amount) -> bool {
    amount.micros() == 0
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
