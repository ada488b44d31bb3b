//! Schedules: messages that an account wants sent again and again.

use serde::{Deserialize, Deserializer, Serialize};

use crate::form;
use crate::{BatchId, MessageId, Name, ScheduleId, Submission, Timestamp};

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

/// A schedule as it is asked for: the body of `POST /v1/schedules`. Nothing in it is checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What is sent each time.
    #[serde(deserialize_with = "form::objects")]
    pub messages: Vec<Submission>,
    /// When: a cron expression of five fields.
    pub repeat: String,
    /// By which clock; the account's otherwise.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Not before this, RFC 3339; from now on otherwise.
    #[serde(default)]
    pub starts_at: Option<String>,
    /// Not after this, RFC 3339.
    #[serde(default)]
    pub ends_at: Option<String>,
    /// So many times at the most.
    #[serde(default, deserialize_with = "form::integer_or_null")]
    pub count: Option<u64>,
    /// What becomes of occurrences that came while the gateway was down.
    #[serde(default, deserialize_with = "form::word")]
    pub if_missed: IfMissed,
}

/// What is to be different about a schedule: the body of `PATCH /v1/schedules/{id}`. What is left out stays
/// as it is; `null` takes away what need not be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleEdit {
    /// Another name.
    #[serde(default, deserialize_with = "given")]
    pub name: Option<Option<String>>,
    /// Other messages.
    #[serde(default, deserialize_with = "form::objects_or_null")]
    pub messages: Option<Vec<Submission>>,
    /// Other times.
    #[serde(default)]
    pub repeat: Option<String>,
    /// Another clock.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Another beginning; `null` is now.
    #[serde(default, deserialize_with = "given")]
    pub starts_at: Option<Option<String>>,
    /// Another end.
    #[serde(default, deserialize_with = "given")]
    pub ends_at: Option<Option<String>>,
    /// So many times at the most, counted from its beginning.
    #[serde(default, deserialize_with = "given_integer")]
    pub count: Option<Option<u64>>,
    /// What becomes of occurrences that came while the gateway was down.
    #[serde(default, deserialize_with = "form::word_or_null")]
    pub if_missed: Option<IfMissed>,
}

impl ScheduleEdit {
    /// Does it change when occurrences come?
    #[must_use]
    pub fn retimes(&self) -> bool {
        let Self { name: _, messages: _, repeat, time_zone, starts_at, ends_at, count, if_missed: _ } = self;
        repeat.is_some() || time_zone.is_some() || starts_at.is_some() || ends_at.is_some() || count.is_some()
    }

    /// What is asked of a schedule with these terms from now on.
    #[must_use]
    pub fn over(self, terms: &Terms) -> NewSchedule {
        let time = |edit: Option<Option<String>>, kept: Option<Timestamp>| match edit {
            Some(edit) => edit,
            None => kept.map(|kept| kept.to_string()),
        };
        NewSchedule {
            name: self.name.unwrap_or_else(|| terms.name.as_deref().map(Into::into)),
            messages: self.messages.unwrap_or_default(),
            repeat: self.repeat.unwrap_or_else(|| terms.repeat.to_string()),
            time_zone: self.time_zone.or_else(|| Some(terms.time_zone.to_string())),
            starts_at: time(self.starts_at, Some(terms.starts_at)),
            ends_at: time(self.ends_at, terms.ends_at),
            count: self.count.unwrap_or(terms.count),
            if_missed: self.if_missed.unwrap_or(terms.if_missed),
        }
    }
}

/// A value that is there, be it `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn given_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    form::integer_or_null(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_changes_what_it_names_and_null_takes_away() {
        let terms = Terms {
            name: Some("news".into()),
            repeat: "0 9 * * *".into(),
            time_zone: "Europe/Berlin".into(),
            starts_at: Timestamp::from_millis(1_795_378_496_007),
            ends_at: Some(Timestamp::from_millis(1_895_378_496_007)),
            count: Some(7),
            if_missed: IfMissed::Send,
            size: 1,
        };
        let edit = |json: &str| serde_json::from_str::<ScheduleEdit>(json).unwrap();
        let same = edit("{}").over(&terms);
        assert!(!edit(r#"{"name":"x","messages":[],"if_missed":"skip"}"#).retimes());
        assert_eq!(
            (same.name.as_deref(), same.repeat.as_str(), same.time_zone.as_deref(), same.count, same.if_missed),
            (Some("news"), "0 9 * * *", Some("Europe/Berlin"), Some(7), IfMissed::Send)
        );
        assert_eq!(same.starts_at.as_deref(), Some("2026-11-22T20:14:56.007Z"));
        let other = edit(r#"{"name":null,"ends_at":null,"count":null,"starts_at":null,"repeat":"* * * * *"}"#);
        assert!(other.retimes());
        let other = other.over(&terms);
        assert_eq!((other.name, other.ends_at, other.count, other.starts_at), (None, None, None, None));
        assert_eq!((other.repeat.as_str(), edit(r#"{"count":3.0}"#).over(&terms).count), ("* * * * *", Some(3)));
    }
}
