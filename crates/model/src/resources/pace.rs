//! How far apart messages of one sender, and to one recipient, go.

use serde::{Deserialize, Serialize};

use crate::form;

/// Most parts or messages that go in the seconds of a pace.
pub const PACE_COUNT_MAX: u32 = 1000;
/// Longest time that a pace counts in: a day.
pub const PACE_SECONDS_MAX: u32 = 86_400;

/// The pace of an account or a connector: what comes faster waits for its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// For each sender.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub per_sender: Option<SenderPace>,
    /// For each recipient.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub per_recipient: Option<RecipientPace>,
}

/// So many parts in so many seconds, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderPace {
    /// How many parts.
    #[serde(deserialize_with = "form::integer")]
    pub parts: u32,
    /// In how many seconds.
    #[serde(deserialize_with = "form::integer")]
    pub seconds: u32,
}

/// So many messages in so many seconds, evenly; a long message is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientPace {
    /// How many messages.
    #[serde(deserialize_with = "form::integer")]
    pub messages: u32,
    /// In how many seconds.
    #[serde(deserialize_with = "form::integer")]
    pub seconds: u32,
}

impl Pace {
    /// Each field that is out of bounds, and what it must be.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let Self { per_sender, per_recipient } = self;
        let sender = per_sender.map(|pace| [("per_sender.parts", pace.parts), ("per_sender.seconds", pace.seconds)]);
        let recipient = per_recipient
            .map(|pace| [("per_recipient.messages", pace.messages), ("per_recipient.seconds", pace.seconds)]);
        let fields = sender.into_iter().chain(recipient).flatten();
        fields
            .filter_map(|(field, value)| {
                let most = if field.ends_with("seconds") { PACE_SECONDS_MAX } else { PACE_COUNT_MAX };
                (!(1..=most).contains(&value)).then(|| (field, format!("must be 1 to {most}")))
            })
            .collect()
    }
}
