//! How a message goes from one connector to another: only while nothing of it may have reached a
//! carrier, so that failover never sends anything twice that would not have been without it.

use crate::message::{EVENTS_MAX, Event, PartStatus, Progress, Reason};
use crate::{Name, Part, Timestamp};

/// What the timeline says of a message that was refused and went on.
const PASSED_ON: &str = "passed_on";

impl Progress {
    /// May the message wait for another connector instead? Not when a carrier has a part of it, or had
    /// one that nobody can say of whether it was taken, also when it is to be sent again; and not
    /// when its timeline is full, for that is what tells so.
    #[must_use]
    pub fn may_move(&self) -> bool {
        self.may_pass_on(None)
    }

    /// The same when the carrier has just refused part `n` for good.
    #[must_use]
    pub fn may_pass_on(&self, n: impl Into<Option<u8>>) -> bool {
        let answered = n.into().map(usize::from);
        let waits = |(place, part): (usize, &Part)| match part.status {
            PartStatus::Queued => true,
            // Marked before it was handed over, and now there is an answer.
            PartStatus::InDoubt => Some(place) == answered,
            _ => false,
        };
        self.due.is_some()
            && !self.status.is_final()
            && self.parts.iter().enumerate().all(waits)
            && self.events.len() < EVENTS_MAX - 1
            && !self.events.iter().any(|event| event.what == "in_doubt")
    }

    /// Is it sure that no carrier has part `n`, counted from 0? Not when a link broke on it once, though it
    /// was to be sent again after that; nor when the timeline, which tells so, is full.
    #[must_use]
    pub fn never_reached(&self, n: usize) -> bool {
        let doubted =
            |event: &Event| event.what == "in_doubt" && event.part.is_none_or(|part| usize::from(part) == n + 1);
        let sent = self.parts.get(n).is_none_or(|part| part.submitted_at.is_some());
        !sent && self.events.len() < EVENTS_MAX && !self.events.iter().any(doubted)
    }

    /// Does all of it wait still, and has no carrier had any of it?
    #[must_use]
    pub fn waits_whole(&self) -> bool {
        let waits = |(n, part): (usize, &Part)| part.status == PartStatus::Queued && self.never_reached(n);
        !self.status.is_final() && self.parts.iter().enumerate().all(waits)
    }

    /// Was it refused by a carrier and went on? Then it never goes back to an earlier one.
    #[must_use]
    pub fn was_passed_on(&self) -> bool {
        self.events.iter().any(|event| event.what == PASSED_ON)
    }

    /// It has to wait longer; `false` if nothing of it waits. When it is due is not changed here.
    pub fn put_off(&mut self, reason: Reason, at: Timestamp) -> bool {
        let waits = !self.status.is_final() && self.unsent().next().is_some();
        if waits {
            self.note(at, "put_off", None, Some(reason.detail.clone()));
            self.reason = Some(Box::new(reason));
        }
        waits
    }

    pub(crate) fn move_to(&mut self, to: Name, parts: u8, why: &str, at: Timestamp) -> bool {
        self.may_move() && self.go_to(to, parts, "moved", why, at)
    }

    pub(crate) fn pass_on(&mut self, n: u8, to: Name, parts: u8, reason: Reason, at: Timestamp) -> bool {
        let passed = self.may_pass_on(n) && self.go_to(to, parts, PASSED_ON, &reason.detail, at);
        if passed {
            self.reason = Some(Box::new(reason));
        }
        passed
    }

    fn go_to(&mut self, to: Name, parts: u8, what: &'static str, why: &str, at: Timestamp) -> bool {
        let from = self.connector.as_deref().unwrap_or("nowhere");
        if parts == 0 || from == &*to {
            return false;
        }
        let detail = format!("{from} to {to}: {why}");
        self.note(at, what, None, Some(detail.into()));
        self.connector = Some(to);
        // Nothing was sent, so it may be cut as the other connector likes it.
        self.parts = vec![Part::waiting(); usize::from(parts)];
        self.attempts = 0;
        self.due = Some(at);
        true
    }
}
