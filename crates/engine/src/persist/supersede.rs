//! Supersede: a message with a `supersede_key` takes the place of the one before it that still waits,
//! in the commit that accepts it.
//!
//! Two things may stand in the way, and both are thought of here. An acceptance may be refused while
//! its commit is under way (a balance that does not suffice): then the older message waits on as if
//! nothing had been, so what was done to it is kept beside the acceptance ([`Superseded`]). And two
//! newer ones may come at the same moment: the second waits until the commit with the first is on
//! disk, so that of any two it is clear which is the older.

use foldhash::HashSet;
use model::{Change, LedgerId, Message, MessageId, Status};
use store::{Changes, Store, StoreError, SupersedeKey};

use super::{Draft, Recorder, Resolved};
use crate::facts::{AcceptFailed, Acceptance, Fact, Facts};
use crate::fleet::Letter;
use crate::schedule::End;
use crate::world::World;

/// A message whose place was taken.
#[derive(Debug)]
pub(crate) struct Superseded {
    /// As it was before.
    pub before: Message,
    /// The draft had changed it already.
    dirty: bool,
    /// What was paid back for it: an entry of the draft.
    pub refund: Option<LedgerId>,
}

/// The keys of the new messages of a draft.
#[derive(Debug, Default)]
pub(crate) struct Superseding {
    keys: HashSet<SupersedeKey>,
    /// Those that were not looked up yet.
    new: Vec<Newer>,
}

#[derive(Debug)]
struct Newer {
    key: SupersedeKey,
    id: MessageId,
    /// The place of its acceptance among those that wait.
    waiting: usize,
}

/// A message whose place a newer one wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Older {
    pub id: MessageId,
    by: MessageId,
    waiting: usize,
}

impl Superseding {
    pub fn clear(&mut self) {
        self.keys.clear();
        self.new.clear();
    }

    /// Has the draft a new message under this key?
    pub fn has(&self, key: &SupersedeKey) -> bool {
        self.keys.contains(key)
    }

    /// What was not looked up need not be any more.
    pub fn looked_up(&mut self) {
        self.new.clear();
    }

    /// The messages whose places the new ones want.
    pub async fn older(&self, store: &dyn Store) -> Result<Vec<Older>, StoreError> {
        if self.new.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<SupersedeKey> = self.new.iter().map(|newer| newer.key.clone()).collect();
        let found = store.latest_under(&keys).await?;
        let older = self.new.iter().zip(found).filter_map(|(newer, id)| {
            Some(Older { id: id.filter(|id| *id != newer.id)?, by: newer.id, waiting: newer.waiting })
        });
        Ok(older.collect())
    }
}

impl Recorder {
    /// Must this acceptance wait for a commit that has a message under one of its keys? If not, its
    /// keys are the draft's from now on.
    pub(super) fn has_to_wait(&self, acceptance: &Acceptance, draft: &mut Draft) -> bool {
        let keyed = |message: &Message| Some((SupersedeKey::of(&message.body)?, message.body.id));
        let keys: Vec<(SupersedeKey, MessageId)> = acceptance.messages.iter().filter_map(keyed).collect();
        let taken = |key: &SupersedeKey| {
            draft.superseding.has(key) || self.flight.as_ref().is_some_and(|flight| flight.supersedes(key))
        };
        if keys.iter().any(|(key, _)| taken(key)) {
            return true;
        }
        let waiting = draft.waiting.len();
        for (key, id) in keys {
            draft.superseding.keys.insert(key.clone());
            draft.superseding.new.push(Newer { key, id, waiting });
        }
        false
    }

    /// Acceptances that waited may come into the next commit.
    pub(super) fn look_again(&mut self) {
        if !self.aside.is_empty() {
            self.left.push_front(Facts { facts: std::mem::take(&mut self.aside), acknowledge: None });
        }
    }

    /// The store is away: nobody waits.
    pub(super) fn refuse_aside(&mut self, why: &str) {
        self.refuse_paid(why);
        for fact in self.aside.drain(..) {
            if let Fact::Accepted(acceptance) = fact {
                let _ = acceptance.reply.send(Err(AcceptFailed::Store(why.to_owned())));
            }
        }
    }

    /// Takes out what newer messages stand for now: all of which nothing was handed to a carrier.
    pub(super) fn supersede(&mut self, world: &World, resolved: &mut Resolved, draft: &mut Draft) {
        draft.superseding.looked_up();
        for Older { id, by, waiting } in std::mem::take(&mut resolved.older) {
            let Some(entry) = draft.entries.get(&id).filter(|entry| entry.message.progress.waits_whole()) else {
                continue;
            };
            if let Some(slot) = draft.foreign(&entry.message) {
                // Whose it is takes it out, if it still waits there; the newer one goes out in any case.
                draft.post(slot, Letter::Superseded { message: id, by });
                continue;
            }
            let mut superseded = Superseded { before: entry.message.clone(), dirty: entry.dirty, refund: None };
            let entries = draft.changes.entries.len();
            // One that a session has taken goes out: nobody can call it back any more.
            if self.take_out(id, draft) && draft.apply(&self.engine, world, id, Change::Supersede { by }, None) {
                superseded.refund = draft.changes.entries.get(entries).map(|refund| refund.id);
                draft.waiting[waiting].superseded.push(superseded);
            }
        }
    }
}

impl Recorder {
    /// A newer message that another node has accepted stands for this one, if it still waits.
    pub(crate) fn superseded_elsewhere(&mut self, id: MessageId, by: MessageId, world: &World, draft: &mut Draft) {
        let waits = draft.message(id).is_some_and(|message| message.progress.waits_whole());
        if waits && self.take_out(id, draft) {
            draft.apply(&self.engine, world, id, Change::Supersede { by }, None);
        }
    }
}

impl Draft {
    /// What was canceled for a message that is not accepted after all waits on. Its refund is the
    /// caller's to take out.
    pub(super) fn bring_back(&mut self, superseded: Superseded) -> Message {
        let Superseded { before, dirty, .. } = superseded;
        let id = before.body.id;
        let place = self.place(&before);
        for (_, end) in &mut self.ends {
            if let (End::Message(ended), Some(place)) = (&end, &place)
                && *ended == id
            {
                *end = End::Back(Box::new(place.clone()));
            }
        }
        // Nothing had happened to it of which anybody is told.
        self.changes.deliveries.retain(|owed| owed.message != Some(id));
        let connector = &before.progress.connector;
        let moved = self.moved.iter_mut().find(|(c, status, _)| *status == Status::Canceled && c == connector);
        if let Some((_, _, count)) = moved {
            *count -= 1;
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.message = before.clone();
            entry.dirty = dirty;
            return before;
        }
        let Changes { update, dequeue, enqueue, .. } = &mut self.changes;
        let stored = dequeue.iter().position(|entry| entry.id == id);
        match stored {
            Some(at) if dequeue.get(at) == place.as_ref() => drop(dequeue.remove(at)),
            _ => enqueue.extend(place),
        }
        if let Ok(at) = update.binary_search_by_key(&id, |message| message.body.id) {
            if dirty {
                update[at] = before.clone();
            } else {
                update.remove(at);
                self.unchanged.push(before.clone());
            }
        }
        before
    }

    /// Messages that this draft has taken in are not what they were thought to be.
    pub(super) fn correct(&mut self, back: Vec<Message>) {
        for message in back {
            if self.has(message.body.id) {
                self.load(message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{LedgerEntry, LedgerKind, Progress, Sum, Timestamp};
    use tokio::sync::oneshot;

    use super::super::{Waiter, Waiting};
    use super::*;

    #[test]
    fn only_the_refund_of_what_is_taken_back_is_taken_back() {
        let at = Timestamp::from_millis(0);
        let progress = Progress::accepted(Status::Queued, Some("smsc".into()), 1, at);
        let before = Message { body: Arc::new(model::samples::body(at)), progress };
        let refund = |n| LedgerEntry {
            id: LedgerId(model::id::Uuid::from_u128(n)),
            account: "shop".into(),
            at,
            kind: LedgerKind::Refund,
            amount: Sum::ZERO,
            message: Some(before.body.id),
            note: None,
        };
        let mut draft = Draft::default();
        // It was made cheaper, and then superseded, in one commit.
        draft.changes.entries = vec![refund(1), refund(2)];
        let superseded = vec![Superseded { before: before.clone(), dirty: true, refund: Some(refund(2).id) }];
        let waiter = Waiter::Client(oneshot::channel().0);
        let waiting = Waiting {
            inserts: 0..0,
            batch: None,
            answer: None,
            claim: None,
            entry: None,
            schedule: None,
            superseded,
            waiter,
        };
        draft.waiting.push(waiting);
        draft.refuse_acceptances(|_, _| Some(AcceptFailed::KeyTaken));
        assert_eq!(draft.changes.entries, [refund(1)]);
    }
}
