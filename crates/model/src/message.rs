//! A message: what was asked for, which hardly ever changes, and how far it has come, which does.
//!
//! The two are apart so that they cost what they must: [`Body`] is shared by everything that
//! holds the message and is written once; [`Progress`] is small and rewritten at each step.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::body::{Body, Content, Direction, Encoding, ReceiptWish, Tlv};
pub use crate::ingress::Ingress;
use crate::{Name, Timestamp};

/// A message with its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What was asked for.
    pub body: Arc<Body>,
    /// How far it has come.
    pub progress: Progress,
}

/// How far a message has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The state of the whole.
    pub status: Status,
    /// Why it ended as it did, or why it waits.
    pub reason: Option<Box<Reason>>,
    /// The connector that has it or had it last.
    pub connector: Option<Name>,
    /// What the carrier gets, in order: one for each `submit_sm`.
    pub parts: Vec<Part>,
    /// When it is to be sent, or tried again; `None` when nothing of it waits to be sent. With the
    /// connector, the priority and the id it makes the message's place in the queue, so it is
    /// stored with the rest.
    pub due: Option<Timestamp>,
    /// When the first part was accepted by the carrier.
    pub submitted_at: Option<Timestamp>,
    /// When the message reached a final state.
    pub final_at: Option<Timestamp>,
    /// Submissions that failed for now and were tried again.
    pub attempts: u16,
    /// What happened, oldest first; at most [`EVENTS_MAX`].
    pub events: Vec<Event>,
}

/// Most events that a message keeps; later ones replace the one before the last.
pub const EVENTS_MAX: usize = 256;

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Kept until its `send_at`.
    Scheduled,
    /// Waiting for its connector.
    Queued,
    /// Every part was accepted by the carrier.
    Sent,
    /// On the phone.
    Delivered,
    /// The network gave up.
    Undelivered,
    /// Its validity ran out.
    Expired,
    /// The carrier refused it.
    Rejected,
    /// Nobody can say.
    Unknown,
    /// The gateway could not place it.
    Failed,
    /// Taken back before it was sent.
    Canceled,
    /// An MO that was received.
    Received,
}

impl Status {
    /// Every status, in the order of their numbers in the store.
    pub const ALL: [Status; 11] = [
        Status::Scheduled,
        Status::Queued,
        Status::Sent,
        Status::Delivered,
        Status::Undelivered,
        Status::Expired,
        Status::Rejected,
        Status::Unknown,
        Status::Failed,
        Status::Canceled,
        Status::Received,
    ];

    /// Is this the end, but for the late receipts that may upgrade `unknown` and `expired`?
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Status::Scheduled | Status::Queued | Status::Sent)
    }

    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Scheduled => "scheduled",
            Status::Queued => "queued",
            Status::Sent => "sent",
            Status::Delivered => "delivered",
            Status::Undelivered => "undelivered",
            Status::Expired => "expired",
            Status::Rejected => "rejected",
            Status::Unknown => "unknown",
            Status::Failed => "failed",
            Status::Canceled => "canceled",
            Status::Received => "received",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// One of the short messages that a message is sent as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where it stands.
    pub status: PartStatus,
    /// The message id that the SMSC gave it, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<Box<str>>,
    /// When the carrier accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When it reached a final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_at: Option<Timestamp>,
}

impl Part {
    /// A part that waits to be sent.
    #[must_use]
    pub fn waiting() -> Self {
        Self { status: PartStatus::Queued, remote_id: None, submitted_at: None, final_at: None }
    }
}

/// Where a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartStatus {
    /// Waits to be sent.
    Queued,
    /// Was handed to the carrier and not answered: it may be there, or not.
    InDoubt,
    /// Accepted by the carrier.
    Sent,
    /// On the phone.
    Delivered,
    /// The network gave up.
    Undelivered,
    /// Its validity ran out.
    Expired,
    /// Refused by the carrier.
    Rejected,
    /// Nobody can say.
    Unknown,
    /// The gateway could not place it.
    Failed,
    /// Taken back.
    Canceled,
}

impl PartStatus {
    /// The message status that this is the part's share of.
    #[must_use]
    pub fn as_status(self) -> Status {
        match self {
            PartStatus::Queued | PartStatus::InDoubt => Status::Queued,
            PartStatus::Sent => Status::Sent,
            PartStatus::Delivered => Status::Delivered,
            PartStatus::Undelivered => Status::Undelivered,
            PartStatus::Expired => Status::Expired,
            PartStatus::Rejected => Status::Rejected,
            PartStatus::Unknown => Status::Unknown,
            PartStatus::Failed => Status::Failed,
            PartStatus::Canceled => Status::Canceled,
        }
    }
}

/// Why a message ended as it did, or why it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A code of the catalogue in docs/errors.md, such as `carrier_refused`.
    pub code: Box<str>,
    /// What happened, for a person.
    pub detail: Box<str>,
    /// SMPP `command_status`, as a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smpp_status: Option<u32>,
    /// The receipt's `stat:` word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_stat: Option<Box<str>>,
    /// The receipt's `err:` code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_err: Option<Box<str>>,
    /// Would the same message fail again?
    pub permanent: bool,
}

impl Reason {
    /// A reason of the gateway itself.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<Box<str>>, permanent: bool) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            smpp_status: None,
            receipt_stat: None,
            receipt_err: None,
            permanent,
        }
    }
}

/// One entry of a message's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// What happened: `accepted`, `sent`, `receipt`, `query`, `withdrawn`, `retry`, `in_doubt`, `delivered` …
    pub what: std::borrow::Cow<'static, str>,
    /// Which part, counted from 1; `None` is the whole message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u8>,
    /// More, for a person: the connector, the remote id, the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<str>>,
}

impl Progress {
    /// A message that has just been accepted, with `parts` parts to send over `connector`.
    #[must_use]
    pub fn accepted(status: Status, connector: Option<Name>, parts: usize, at: Timestamp) -> Self {
        let mut progress = Self {
            status,
            reason: None,
            connector,
            parts: vec![Part::waiting(); parts],
            due: None,
            submitted_at: None,
            final_at: None,
            attempts: 0,
            events: Vec::with_capacity(4),
        };
        progress.note(at, "accepted", None, None);
        progress
    }

    /// Says in the timeline which route took the message: its beginning stays, however long it gets.
    pub fn taken_by(&mut self, route: &str) {
        if let Some(accepted) = self.events.first_mut().filter(|event| event.what == "accepted") {
            accepted.detail = Some(route.into());
        }
    }

    /// The route that took the message, if one did.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.events.first().filter(|event| event.what == "accepted")?.detail.as_deref()
    }

    /// Adds to the timeline. A timeline that is full keeps its beginning and its newest entry.
    pub fn note(&mut self, at: Timestamp, what: &'static str, part: Option<u8>, detail: Option<Box<str>>) {
        if self.events.len() >= EVENTS_MAX {
            self.events.truncate(EVENTS_MAX - 1);
        }
        self.events.push(Event { at, what: what.into(), part, detail });
    }
}
