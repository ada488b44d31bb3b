//! What may happen to a message, and what becomes of it: the state machine, without any I/O.
//!
//! States only move forward. A late receipt may upgrade `unknown` and `expired` to what really
//! happened; a receipt that says "delivered" wins over every other one.

use std::sync::Arc;

use crate::message::{Body, Event, Message, PartStatus, Progress, Reason, Status};
use crate::receipt::{Receipt, ReceiptPolicy};
use crate::replacement::REPLACE_REFUSED;
use crate::{MessageId, Name, Timestamp};

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The carrier accepted a part.
    Sent {
        /// Which, counted from 0.
        part: u8,
        /// The SMSC's id for it, as it was written.
        remote_id: Box<str>,
        /// How the parts' receipts make the message's state: some may have come already.
        policy: ReceiptPolicy,
    },
    /// The carrier refused a part for good; what is left of the message is not sent.
    Refused {
        /// Which, counted from 0.
        part: u8,
        /// Why.
        reason: Reason,
    },
    /// A part could not be sent for now; it stays queued.
    Retry {
        /// Which, counted from 0.
        part: u8,
        /// Why.
        reason: Reason,
    },
    /// A part was handed to the carrier and the link was lost before the answer.
    InDoubt {
        /// Which, counted from 0.
        part: u8,
        /// What the connector wants done about it.
        policy: DoubtPolicy,
    },
    /// A part is about to be handed to a carrier that must never see it twice.
    Marked {
        /// Which, counted from 0.
        part: u8,
    },
    /// A part that was marked was certainly not handed over: it is to be sent as before.
    NotSent {
        /// Which, counted from 0.
        part: u8,
    },
    /// A receipt for a part.
    Receipt {
        /// Which, counted from 0.
        part: u8,
        /// What it says.
        receipt: Receipt,
        /// How the parts' receipts make the message's state.
        policy: ReceiptPolicy,
    },
    /// What the carrier answered when it was asked about a part: as good as a receipt.
    Queried {
        /// Which, counted from 0.
        part: u8,
        /// What it says.
        receipt: Receipt,
        /// How the parts' states make the message's state.
        policy: ReceiptPolicy,
    },
    /// The carrier took a part back, because it was asked to.
    Withdrawn {
        /// Which, counted from 0.
        part: u8,
        /// How the parts' states make the message's state.
        policy: ReceiptPolicy,
    },
    /// The carrier is being asked for something about a part. Only the timeline tells.
    Asked {
        /// Which, counted from 0.
        part: u8,
        /// What it is in the timeline: `replace_asked`.
        what: &'static str,
    },
    /// The carrier has put another body in the place of the one of which it had all.
    Exchanged {
        /// The part that it is, counted from 0.
        part: u8,
        /// What goes to the phone instead.
        body: Arc<Body>,
    },
    /// The carrier declined what it was asked about a part. Only the timeline tells.
    Declined {
        /// Which, counted from 0.
        part: u8,
        /// What it is in the timeline: `cancel_refused`, `query_refused`, `replace_refused`.
        what: &'static str,
        /// What it said.
        reason: Reason,
    },
    /// It waits for another connector now, because the one that had it is down or sick.
    Moved {
        /// That connector.
        to: Name,
        /// Into how many parts that one cuts it.
        parts: u8,
        /// Why, for people.
        why: Box<str>,
    },
    /// The carrier refused a part for good, and another one is asked.
    PassedOn {
        /// Which part, counted from 0.
        part: u8,
        /// The connector of the other one.
        to: Name,
        /// Into how many parts that one cuts it.
        parts: u8,
        /// Why it was refused.
        reason: Reason,
    },
    /// The validity ran out.
    Expire,
    /// The gateway gives up.
    Fail(Reason),
    /// The application or an operator took it back.
    Cancel,
    /// A newer message takes its place.
    Supersede {
        /// The newer one.
        by: MessageId,
    },
    /// The application wants another text sent, or at another time.
    Replace {
        /// What is sent instead.
        body: Arc<Body>,
        /// Into how many parts its connector cuts it.
        parts: u8,
    },
    /// It has to wait longer before it is sent.
    PutOff(Reason),
    /// A scheduled message's time has come.
    Due,
}

/// What becomes of a part that may or may not have reached the carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoubtPolicy {
    /// Send it again: at least once.
    #[default]
    Retry,
    /// Keep it aside until a receipt or a person settles it, or its validity runs out.
    Hold,
    /// Give it up as `unknown`: at most once.
    Fail,
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The message's state before.
    pub before: Status,
    /// The message's state now.
    pub after: Status,
    /// Did anything change that the store must know?
    pub changed: bool,
}

impl Applied {
    /// Did the message move to another state?
    #[must_use]
    pub fn moved(&self) -> bool {
        self.before != self.after
    }
}

impl Message {
    /// Applies what happened at `at`. What can't happen in this state (a second answer, a receipt
    /// after the end) changes nothing but, for receipts, the timeline.
    pub fn apply(&mut self, change: Change, connector: Option<&Name>, at: Timestamp) -> Applied {
        let progress = &mut self.progress;
        let before = progress.status;
        let changed = match change {
            Change::Sent { part, remote_id, policy } => progress.part_sent(part, remote_id, policy, connector, at),
            Change::Refused { part, reason } => progress.part_refused(part, reason, connector, at),
            Change::Retry { part, reason } => progress.part_retried(part, reason, at),
            Change::InDoubt { part, policy } => progress.part_in_doubt(part, policy, at),
            Change::Marked { part } => progress.part_marked(part),
            Change::NotSent { part } => progress.part_not_sent(part),
            Change::Receipt { part, receipt, policy } => progress.receipt(part, "receipt", &receipt, policy, at),
            Change::Queried { part, receipt, policy } => {
                // Asked again and again, the same answer is told once.
                let news = progress.is_news(part, "query", &receipt.summary());
                news && progress.receipt(part, "query", &receipt, policy, at)
            }
            Change::Withdrawn { part, policy } => progress.part_withdrawn(part, policy, at),
            Change::Asked { part, what } => {
                let known = usize::from(part) < progress.parts.len();
                if known {
                    progress.note(at, what, Some(part + 1), None);
                }
                known
            }
            Change::Exchanged { part, body } => self.exchange(part, body, at),
            Change::Declined { part, what, reason } => {
                // What stands in the timeline as asked for is answered there each time.
                let news = what == REPLACE_REFUSED || progress.is_news(part, what, &reason.detail);
                let news = usize::from(part) < progress.parts.len() && news;
                if news {
                    progress.note(at, what, Some(part + 1), Some(reason.detail));
                }
                news
            }
            Change::Moved { to, parts, why } => progress.move_to(to, parts, &why, at),
            Change::PassedOn { part, to, parts, reason } => progress.pass_on(part, to, parts, reason, at),
            Change::Expire => progress.expire(at),
            Change::Fail(reason) => progress.end_unsent(Status::Failed, PartStatus::Failed, Some(reason), at),
            Change::Cancel => progress.end_unsent(Status::Canceled, PartStatus::Canceled, None, at),
            Change::Supersede { by } => progress.supersede(by, at),
            Change::Replace { body, parts } => self.replace(body, parts, at),
            Change::PutOff(reason) => progress.put_off(reason, at),
            Change::Due => {
                let due = progress.status == Status::Scheduled;
                if due {
                    progress.status = Status::Queued;
                }
                due
            }
        };
        Applied { before, after: self.progress.status, changed }
    }
}

impl Message {
    /// Can nothing change this message any more, but for entries in its timeline? A receipt may still change
    /// one of which nobody could say, or of whose parts not all have ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let progress = &self.progress;
        match progress.status {
            Status::Received => true,
            Status::Delivered | Status::Undelivered | Status::Rejected => progress.parts.iter().all(|part| {
                matches!(part.status, PartStatus::Delivered | PartStatus::Undelivered | PartStatus::Rejected)
            }),
            _ => false,
        }
    }
}

impl Progress {
    /// Parts that were neither accepted nor given up: what a connector still has to send.
    pub fn unsent(&self) -> impl Iterator<Item = u8> + '_ {
        (0u8..=u8::MAX).zip(&self.parts).filter(|(_, p)| p.status == PartStatus::Queued).map(|(n, _)| n)
    }

    /// Is there nothing left for a connector to do or to be asked about?
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.status.is_final() || self.nothing_to_send()
    }

    fn part_sent(
        &mut self,
        n: u8,
        remote_id: Box<str>,
        policy: ReceiptPolicy,
        connector: Option<&Name>,
        at: Timestamp,
    ) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(n)) else { return false };
        if !matches!(part.status, PartStatus::Queued | PartStatus::InDoubt) {
            return false;
        }
        part.status = PartStatus::Sent;
        part.submitted_at = Some(at);
        let detail = match connector {
            Some(name) => format!("{name} {remote_id}"),
            None => remote_id.to_string(),
        };
        part.remote_id = Some(remote_id);
        self.note(at, "sent", Some(n + 1), Some(detail.into()));
        self.submitted_at.get_or_insert(at);
        if let Some(name) = connector {
            self.connector = Some(name.clone());
        }
        if self.nothing_to_send() && self.status < Status::Sent {
            self.status = Status::Sent;
            self.reason = None;
            if let Some(status) = policy.state_of(&self.parts) {
                self.end_by_receipt(status, || Reason::new("receipt", "the carrier's receipts say so", true), at);
            }
        }
        true
    }

    fn part_refused(&mut self, n: u8, reason: Reason, connector: Option<&Name>, at: Timestamp) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(n)) else { return false };
        if !matches!(part.status, PartStatus::Queued | PartStatus::InDoubt) {
            return false;
        }
        part.status = PartStatus::Rejected;
        part.final_at = Some(at);
        if let Some(name) = connector {
            self.connector = Some(name.clone());
        }
        self.note(at, "refused", Some(n + 1), Some(reason.detail.clone()));
        if !self.status.is_final() {
            self.give_up_unsent(PartStatus::Canceled, at);
            self.end(Status::Rejected, Some(reason), at);
        }
        true
    }

    fn part_retried(&mut self, n: u8, reason: Reason, at: Timestamp) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(n)) else { return false };
        if self.status.is_final() || !matches!(part.status, PartStatus::Queued | PartStatus::InDoubt) {
            return false;
        }
        part.status = PartStatus::Queued;
        self.attempts = self.attempts.saturating_add(1);
        self.note(at, "retry", Some(n + 1), Some(reason.detail.clone()));
        self.reason = Some(Box::new(reason));
        true
    }

    fn part_in_doubt(&mut self, n: u8, policy: DoubtPolicy, at: Timestamp) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(n)) else { return false };
        if self.status.is_final() || !matches!(part.status, PartStatus::Queued | PartStatus::InDoubt) {
            return false;
        }
        let detail = match policy {
            DoubtPolicy::Retry => "the link was lost before the answer; sent again",
            DoubtPolicy::Hold => "the link was lost before the answer; held",
            DoubtPolicy::Fail => "the link was lost before the answer; not sent again",
        };
        part.status = match policy {
            DoubtPolicy::Retry => PartStatus::Queued,
            DoubtPolicy::Hold => PartStatus::InDoubt,
            DoubtPolicy::Fail => {
                part.final_at = Some(at);
                PartStatus::Unknown
            }
        };
        self.note(at, "in_doubt", Some(n + 1), Some(detail.into()));
        let reason = Reason::new("in_doubt", detail, false);
        match policy {
            DoubtPolicy::Fail => {
                self.give_up_unsent(PartStatus::Canceled, at);
                self.end(Status::Unknown, Some(reason), at);
            }
            DoubtPolicy::Retry | DoubtPolicy::Hold => self.reason = Some(Box::new(reason)),
        }
        true
    }

    fn part_withdrawn(&mut self, n: u8, policy: ReceiptPolicy, at: Timestamp) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(n)).filter(|p| p.status == PartStatus::Sent) else {
            return false;
        };
        part.status = PartStatus::Canceled;
        part.final_at = Some(at);
        self.note(at, "withdrawn", Some(n + 1), None);
        // Whatever the policy, what is still on its way to the phone keeps the message from being canceled.
        let all_final = self.parts.iter().all(|p| p.status.as_status().is_final());
        if all_final
            && !self.status.is_final()
            && let Some(status) = policy.state_of(&self.parts)
        {
            let reason = || Reason::new("receipt", "the carrier's receipts say so", true);
            self.end(status, (status != Status::Canceled).then(reason), at);
        }
        true
    }

    /// Does the timeline not have this yet?
    fn is_news(&self, n: u8, what: &str, detail: &str) -> bool {
        let known =
            |e: &Event| &*e.what == what && e.part == Some(n.saturating_add(1)) && e.detail.as_deref() == Some(detail);
        !self.events.iter().any(known)
    }

    fn receipt(&mut self, n: u8, what: &'static str, receipt: &Receipt, policy: ReceiptPolicy, at: Timestamp) -> bool {
        let Some(part) = self.parts.get_mut(usize::from(n)) else { return false };
        let new = receipt.state.part_status();
        let upgrade = match part.status {
            PartStatus::Queued | PartStatus::InDoubt | PartStatus::Sent => true,
            // "Delivered" is news whatever was said before; the rest only where nobody could say.
            PartStatus::Expired | PartStatus::Unknown => {
                new.is_some_and(|s| s != part.status && s != PartStatus::Unknown)
            }
            _ => false,
        };
        if let Some(new) = new.filter(|_| upgrade) {
            if part.submitted_at.is_none() {
                // The answer to the submit never came, but this shows that it was accepted.
                part.submitted_at = Some(at);
                self.submitted_at.get_or_insert(at);
            }
            part.status = new;
            part.final_at = Some(at);
        }
        self.note(at, what, Some(n + 1), Some(receipt.summary().into()));
        // Receipts of the first parts may come while later ones wait: those are still to be sent.
        if self.nothing_to_send()
            && let Some(status) = policy.state_of(&self.parts)
        {
            self.end_by_receipt(status, || receipt.reason(), at);
        }
        true
    }

    fn end_by_receipt(&mut self, status: Status, reason: impl FnOnce() -> Reason, at: Timestamp) {
        let upgrade = match self.status {
            Status::Expired => status == Status::Delivered,
            Status::Unknown => true,
            status => !status.is_final(),
        };
        if upgrade && status != self.status {
            let reason = (status != Status::Delivered).then(reason);
            self.end(status, reason, at);
        }
    }

    fn nothing_to_send(&self) -> bool {
        self.parts.iter().all(|p| !matches!(p.status, PartStatus::Queued | PartStatus::InDoubt))
    }

    fn expire(&mut self, at: Timestamp) -> bool {
        if self.status.is_final() {
            return false;
        }
        // A message that the carrier has may have been delivered without a receipt.
        let (status, detail) = if self.submitted_at.is_some() {
            (Status::Unknown, "no final receipt came before the validity ran out")
        } else if self.parts.iter().any(|p| p.status == PartStatus::InDoubt) {
            (Status::Unknown, "the validity ran out while nobody could say whether the carrier has it")
        } else {
            (Status::Expired, "the validity ran out before the carrier took it")
        };
        for part in &mut self.parts {
            part.status = match part.status {
                PartStatus::Queued => PartStatus::Expired,
                PartStatus::Sent | PartStatus::InDoubt => PartStatus::Unknown,
                other => other,
            };
            part.final_at.get_or_insert(at);
        }
        let code = if status == Status::Expired { "expired" } else { "no_receipt" };
        self.end(status, Some(Reason::new(code, detail, false)), at);
        true
    }

    fn end_unsent(&mut self, status: Status, part: PartStatus, reason: Option<Reason>, at: Timestamp) -> bool {
        if self.status.is_final() || self.status == Status::Sent {
            return false;
        }
        self.give_up_unsent(part, at);
        self.end(status, reason, at);
        true
    }

    fn supersede(&mut self, by: MessageId, at: Timestamp) -> bool {
        let reason = || Reason::new("superseded", format!("the newer message {by} takes its place"), true);
        self.waits_whole() && self.end_unsent(Status::Canceled, PartStatus::Canceled, Some(reason()), at)
    }

    fn give_up_unsent(&mut self, to: PartStatus, at: Timestamp) {
        for part in self.parts.iter_mut().filter(|p| p.status == PartStatus::Queued) {
            part.status = to;
            part.final_at = Some(at);
        }
    }

    fn end(&mut self, status: Status, reason: Option<Reason>, at: Timestamp) {
        let detail = reason.as_ref().map(|r| r.detail.clone());
        self.note(at, status.as_str(), None, detail);
        self.status = status;
        self.reason = reason.map(Box::new);
        self.final_at = Some(at);
    }
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;
