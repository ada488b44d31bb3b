//! Schedules: messages that an account wants sent again and again.

use serde::{Deserialize, Serialize};

use crate::{BatchId, MessageId, Name, ScheduleId, Timestamp};

/// A schedule, but for its messages, which are large and kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose it is.
    pub account: Name,
    /// Rises with each change. Who changes a schedule says which revision it has seen, and of two that saw
    /// the same one comes too late: that is why an occurrence happens once.
    pub revision: u64,
    /// When it is to be looked at again; `None` while it is paused, and once it has ended.
    pub due: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What was asked for.
    pub terms: Terms,
    /// How far it has come.
    pub course: Course,
}

/// What is asked of a schedule, beside its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// When: a cron expression of five fields.
    pub repeat: Box<str>,
    /// By which clock: an IANA time zone.
    pub time_zone: Box<str>,
    /// Not before this.
    pub starts_at: Timestamp,
    /// Not after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// So many times at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What becomes of occurrences that came while the gateway was down.
    #[serde(default)]
    pub if_missed: IfMissed,
    /// How many messages go at a time.
    pub size: u32,
}

/// How far a schedule has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// When it was made.
    pub created_at: Timestamp,
    /// It waits until somebody lets it go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The occurrence that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Occurrences that there were, those that were refused among them.
    #[serde(default)]
    pub times: u64,
    /// How many of them were refused.
    #[serde(default)]
    pub refused: u64,
    /// Occurrences, or rows of them, that were missed and left out.
    #[serde(default)]
    pub skipped: u64,
    /// The last occurrence that there was, as the clock had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// What the last one that was accepted became, if it was several messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_batch: Option<BatchId>,
    /// What the last one that was accepted became, if it was one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<MessageId>,
    /// Why the last occurrence was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_refusal: Option<OccurrenceRefused>,
}

/// Why an occurrence of a schedule was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OccurrenceRefused {
    /// When it was refused.
    pub at: Timestamp,
    /// The code of the problem.
    pub code: Box<str>,
    /// What was wrong.
    pub detail: Box<str>,
}

/// What becomes of occurrences that came while the gateway was down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfMissed {
    /// They are left out.
    #[default]
    Skip,
    /// They are made up for, once for all of them.
    Send,
}

/// What a schedule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleState {
    /// It goes on.
    Active,
    /// It waits until somebody lets it go on.
    Paused,
    /// Nothing more comes of it.
    Ended,
}

impl ScheduleState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Ended];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// The state of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Schedule {
    /// What it does.
    #[must_use]
    pub fn state(&self) -> ScheduleState {
        match (self.ended_at, self.course.paused) {
            (Some(_), _) => ScheduleState::Ended,
            (None, true) => ScheduleState::Paused,
            (None, false) => ScheduleState::Active,
        }
    }
}
