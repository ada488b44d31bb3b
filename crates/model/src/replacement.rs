//! What an application wants to be different about a message that still waits.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::form;
use crate::message::{Body, Message, Part, PartStatus, ReceiptWish, Status};
use crate::submission::{BinarySubmission, EncodingChoice};
use crate::{Progress, Timestamp};

/// What the timeline says while a carrier is asked to replace a message that it has.
pub const REPLACE_ASKED: &str = "replace_asked";
/// And when it would not.
pub const REPLACE_REFUSED: &str = "replace_refused";

/// What is to be different: the body of `PATCH /v1/messages/{id}`. What is left out stays as it is.
/// Nothing in it is checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Another text. Either this or `binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Octets with their own header and coding.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub binary: Option<BinarySubmission>,
    /// The alphabet of the other text; `auto` if it is left out.
    #[serde(default, deserialize_with = "some_word", skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingChoice>,
    /// Refuse another text that needs more parts; default 10.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub max_parts: Option<u32>,
    /// Another time to send it, RFC 3339; one that has passed is at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<String>,
    /// Seconds after which it expires, counted from when it is due.
    #[serde(default, deserialize_with = "form::integer_or_null", skip_serializing_if = "Option::is_none")]
    pub validity_seconds: Option<u64>,
    /// Which receipts to hear of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptWish>,
}

/// One of an enumeration's words, and not `null`.
fn some_word<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    form::word(deserializer).map(Some)
}

impl Message {
    /// Puts `body` in place of the one before, sent as so many parts. Only while all of it waits and no
    /// carrier can have had any of it. Where it is scheduled anew it gets another place in the queue.
    pub(crate) fn replace(&mut self, body: Arc<Body>, parts: u8, at: Timestamp) -> bool {
        let Self { body: before, progress } = self;
        if body.id != before.id || parts == 0 || !progress.waits_whole() {
            return false;
        }
        if body.send_at != before.send_at {
            progress.schedule(body.send_at, at);
        }
        progress.parts = vec![Part::waiting(); usize::from(parts)];
        let detail = if parts == 1 { "now 1 part".to_owned() } else { format!("now {parts} parts") };
        progress.note(at, "replaced", None, Some(detail.into()));
        *before = body;
        true
    }

    /// Puts `body` in place of the one before, because the carrier says that it has done so. That is so
    /// whatever became of the message in the meantime: a receipt may have overtaken the answer.
    pub(crate) fn exchange(&mut self, part: u8, body: Arc<Body>, at: Timestamp) -> bool {
        let Self { body: before, progress } = self;
        let submitted = progress.parts.get(usize::from(part)).is_some_and(|part| part.submitted_at.is_some());
        if body.id != before.id || progress.parts.len() != 1 || !submitted {
            return false;
        }
        progress.note(at, "replaced", Some(part + 1), Some("by the carrier".into()));
        *before = body;
        true
    }

    /// Does a carrier have all of it, in one part, under a name that it can be asked by?
    #[must_use]
    pub fn is_whole_at_carrier(&self) -> bool {
        let at_carrier = |part: &Part| {
            part.status == PartStatus::Sent && part.remote_id.as_ref().is_some_and(|remote_id| !remote_id.is_empty())
        };
        let progress = &self.progress;
        progress.status == Status::Sent && progress.parts.len() == 1 && progress.parts.iter().all(at_carrier)
    }
}

impl Progress {
    /// One that was put aside stays there, and gets its place when it goes on.
    fn schedule(&mut self, send_at: Option<Timestamp>, at: Timestamp) {
        self.status = if send_at.is_some() { Status::Scheduled } else { Status::Queued };
        if self.due.is_some() {
            self.due = Some(send_at.unwrap_or(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Content, DoubtPolicy, Name, samples};

    fn message() -> Message {
        let mut progress = Progress::accepted(Status::Queued, Some("a".into()), 2, Timestamp::default());
        progress.due = Some(Timestamp::default());
        Message { body: Arc::new(samples::body(Timestamp::default())), progress }
    }

    fn other(message: &Message, send_at: Option<Timestamp>) -> Change {
        let content = Content::Text("other".into());
        Change::Replace { body: Arc::new(Body { content, send_at, ..(*message.body).clone() }), parts: 1 }
    }

    #[test]
    fn what_waits_whole_is_replaced_and_scheduled_anew() {
        let (mut m, now) = (message(), Timestamp::from_millis(5));
        let later = now.plus_seconds(60);
        let change = other(&m, Some(later));
        assert!(m.apply(change, None, now).changed);
        assert_eq!(m.body.content.text(), Some("other"));
        assert_eq!((m.progress.status, m.progress.due, m.progress.parts.len()), (Status::Scheduled, Some(later), 1));
        let change = other(&m, None);
        assert!(m.apply(change, None, now).changed);
        assert_eq!((m.progress.status, m.progress.due), (Status::Queued, Some(now)));
        assert_eq!(m.progress.events.iter().filter(|event| event.what == "replaced").count(), 2);
        // The same time is no other place.
        m.progress.due = Some(later);
        let change = other(&m, None);
        assert!(m.apply(change, None, now).changed);
        assert_eq!(m.progress.due, Some(later));
        m.progress.due = None;
        let change = other(&m, Some(later));
        assert!(m.apply(change, None, now).changed);
        assert_eq!(m.progress.due, None, "it was put aside");
    }

    #[test]
    fn what_a_carrier_may_have_is_left_as_it_is() {
        let at = Timestamp::default();
        let sent = || Change::Sent { part: 0, remote_id: "1".into(), policy: crate::ReceiptPolicy::All };
        let doubt = || Change::InDoubt { part: 0, policy: DoubtPolicy::Retry };
        for before in [sent(), doubt(), Change::Marked { part: 1 }, Change::Cancel, Change::Expire] {
            let mut m = message();
            m.apply(before.clone(), Some(&Name::from("a")), at);
            let (was, change) = (m.clone(), other(&m, None));
            assert!(!m.apply(change, None, at).changed, "{before:?}");
            assert_eq!(m, was);
        }
    }
}
