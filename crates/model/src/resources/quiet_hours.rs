//! When an account's messages disturb nobody.

use serde::{Deserialize, Serialize};

use super::account::is_no;
use super::route::Day;
use crate::form;

/// The word for the clock of whoever gets the message.
pub const RECIPIENT_ZONE: &str = "recipient";

/// Hours in which nothing of an account goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin, `HH:MM`.
    pub from: String,
    /// When they end, `HH:MM` and no longer in them. Before or at `from` it is that time on the next day.
    pub to: String,
    /// Days on which they begin; empty is every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// Days that are quiet from midnight to midnight, besides those hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quiet_days: Vec<Day>,
    /// The clock that is meant: an IANA time zone such as `Europe/London`, or [`RECIPIENT_ZONE`], which is
    /// the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What becomes of a message that comes in them.
    #[serde(default, deserialize_with = "form::word", skip_serializing_if = "QuietAction::is_delay")]
    pub action: QuietAction,
    /// Messages of this priority, 0 to 3, or a higher one go at any time.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub exempt_priority: Option<u32>,
    /// May a message say `ignore_quiet_hours`? Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub may_ignore: bool,
}

/// What becomes of a message that comes in quiet hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuietAction {
    /// It waits until they end.
    #[default]
    Delay,
    /// It is refused.
    Reject,
}

impl QuietAction {
    fn is_delay(&self) -> bool {
        *self == Self::Delay
    }
}
