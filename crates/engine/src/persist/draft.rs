//! A draft: one commit in the making, with what is to be done once it is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;
use model::{BatchId, Body, Change, DeliveryId, LedgerId, Message, MessageId, Name, Status, Timestamp};
use store::{Changes, NewMessage, QueueEntry, RemoteKey};
use tokio::sync::oneshot;

use super::supersede::{Superseded, Superseding};
use crate::charge;
use crate::engine::Engine;
use crate::facts::{AcceptFailed, Acceptance, CancelRefused};
use crate::fleet::{Letter, Member, Slot, shard_of};
use crate::notify;
use crate::replace::Replaced;
use crate::respond::{Consequence, Follows};
use crate::schedule::End;
use crate::world::World;

/// A message that a draft changes.
#[derive(Debug)]
pub(super) struct Entry {
    pub message: Message,
    /// Its queue entry as the store has it before this commit; `None` also for a new message.
    stored: Option<QueueEntry>,
    /// It was changed by this draft.
    pub dirty: bool,
    /// Its body, too.
    replaced: bool,
}

/// Who waits for an acceptance: its messages, its places among the rest, its reply.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub inserts: std::ops::Range<usize>,
    pub batch: Option<usize>,
    pub answer: Option<usize>,
    pub claim: Option<usize>,
    pub entry: Option<usize>,
    pub schedule: Option<usize>,
    /// What its messages took the place of.
    pub superseded: Vec<Superseded>,
    pub waiter: Waiter,
}

/// Who is told what became of an acceptance.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// An ingress, which answers its client.
    Client(oneshot::Sender<Result<(), AcceptFailed>>),
    /// Nobody: it follows from a message from a phone, whose timeline tells of it.
    Nobody(Follows),
}

impl Waiting {
    /// Can somebody be told to come again when the store can't be written?
    pub fn can_come_again(&self) -> bool {
        matches!(self.waiter, Waiter::Client(_))
    }
}

/// Who waits to hear what became of a cancellation.
#[derive(Debug)]
pub(crate) struct Cancellation {
    pub message: MessageId,
    pub outcome: Result<(), CancelRefused>,
    pub reply: oneshot::Sender<Result<Message, CancelRefused>>,
}

/// New messages whose room is kept from one commit to the next; a large batch's is given back.
const ROOM_KEPT: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub changes: Changes,
    pub(super) entries: HashMap<MessageId, Entry>,
    /// Messages that were looked at and not changed.
    pub(super) unchanged: Vec<Message>,
    pub waiting: Vec<Waiting>,
    pub canceled: Vec<Cancellation>,
    pub replaced: Vec<Replaced>,
    pub ends: Vec<(Name, End)>,
    /// Messages that wait for another connector than before.
    pub relayed: Vec<MessageId>,
    /// Keys under which it takes the newest messages in.
    pub superseding: Superseding,
    /// How many messages came to each state, for the metrics.
    pub moved: Vec<(Option<Name>, Status, u64)>,
    /// Who waits until this is durable, and for nothing else.
    pub heard: Vec<oneshot::Sender<()>>,
    /// What was to follow from messages of phones and could not be sent after all.
    pub unmet: Vec<Follows>,
    /// What other nodes have owed to endpoints of this one.
    pub owed_elsewhere: Vec<(Name, Vec<(Timestamp, DeliveryId)>)>,
    /// Batches of which messages have ended at other nodes.
    pub ended_elsewhere: Vec<BatchId>,
    /// What is written to other nodes' slots.
    pub(super) letters: BTreeMap<Slot, Vec<Letter>>,
    /// This node, if it is one of several.
    pub(super) member: Option<Arc<Member>>,
    pub now: Timestamp,
}

impl Draft {
    /// An empty one of this engine.
    pub fn new(engine: &Engine) -> Self {
        Self { member: engine.inner.fleet.clone(), now: engine.now(), ..Self::default() }
    }

    /// Begins the next commit at `now`, in the room of the last one: a busy gateway makes hundreds a
    /// second, and room of that size is dear to come by.
    pub fn begin(&mut self, now: Timestamp) {
        if self.changes.insert.capacity() > ROOM_KEPT {
            *self = Self { member: self.member.take(), ..Self::default() };
        }
        self.now = now;
        self.changes.clear();
        self.entries.clear();
        self.unchanged.clear();
        self.waiting.clear();
        self.canceled.clear();
        self.replaced.clear();
        self.ends.clear();
        self.relayed.clear();
        self.superseding.clear();
        self.moved.clear();
        self.unmet.clear();
        self.heard.clear();
        self.owed_elsewhere.clear();
        self.ended_elsewhere.clear();
        self.letters.clear();
    }

    /// A message's place in the queue, if it has one.
    pub fn place(&self, message: &Message) -> Option<QueueEntry> {
        let shard = if self.member.is_some() { shard_of(message.body.id) } else { 0 };
        queue_entry(message, shard)
    }

    /// The place of a message that this draft has taken in.
    pub fn place_of(&self, id: MessageId) -> Option<QueueEntry> {
        self.message(id).and_then(|message| self.place(message))
    }

    /// The slot of a message that another node writes.
    pub fn foreign(&self, message: &Message) -> Option<Slot> {
        self.member.as_ref()?.foreign(message)
    }

    /// Writes to whoever has a slot, in this commit.
    pub fn post(&mut self, slot: Slot, letter: Letter) {
        self.letters.entry(slot).or_default().push(letter);
    }

    /// Takes a message in, as it is stored now.
    pub fn load(&mut self, message: Message) {
        let stored = self.place(&message);
        self.entries.insert(message.body.id, Entry { message, stored, dirty: false, replaced: false });
    }

    /// Was this message taken in?
    pub fn has(&self, id: MessageId) -> bool {
        self.entries.contains_key(&id)
    }

    /// A message that this draft has taken in.
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.entries.get(&id).map(|entry| &entry.message)
    }

    /// Applies a change, and what follows from it: the place in the queue, what the account is
    /// owed. Returns `false` if nothing changed.
    pub fn apply(
        &mut self,
        engine: &Engine,
        world: &World,
        id: MessageId,
        change: Change,
        connector: Option<&Name>,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        let relays = matches!(change, Change::Moved { .. } | Change::PassedOn { .. });
        let replaces = matches!(change, Change::Replace { .. } | Change::Exchanged { .. });
        let applied = entry.message.apply(change, connector, self.now);
        if !applied.changed {
            return false;
        }
        entry.dirty = true;
        entry.replaced |= replaces;
        let progress = &mut entry.message.progress;
        // What was marked keeps its place: it is how a restart finds it.
        if !progress.has_work() {
            progress.due = None;
        }
        if relays {
            self.relayed.push(id);
        }
        if applied.moved() {
            let (connector, status) = (&progress.connector, applied.after);
            match self.moved.iter_mut().find(|(c, s, _)| *s == status && c == connector) {
                Some((_, _, count)) => *count += 1,
                None => self.moved.push((connector.clone(), status, 1)),
            }
            if applied.after.is_final() && !applied.before.is_final() {
                let next_id = || LedgerId(engine.next_id(self.now).0);
                self.changes.entries.extend(charge::refund(world, &entry.message, self.now, next_id));
            }
            if let Some(event) = event_of(applied.after) {
                let owed =
                    notify::owed(world, &entry.message, event, self.now, || DeliveryId(engine.next_id(self.now).0));
                self.changes.deliveries.extend(owed);
            }
        }
        true
    }

    /// Moves a message's place in the queue to `due`.
    pub fn requeue(&mut self, id: MessageId, due: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.message.progress.due = Some(due);
            entry.dirty = true;
        }
    }

    /// Takes a message's place in the queue away: nobody sends it until it gets another.
    pub fn park(&mut self, id: MessageId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.message.progress.due = None;
            entry.dirty = true;
        }
    }

    /// Writes another timeline for a message that this draft has, and nothing else of it.
    pub fn retell(&mut self, id: MessageId, progress: model::Progress) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.message.progress.events = progress.events;
            entry.dirty = true;
        }
    }

    /// Adds a new message: one that was accepted, or one that came in.
    pub fn insert(&mut self, message: Message) {
        let queue = self.place(&message);
        self.changes.insert.push(NewMessage { message, queue });
    }

    /// Adds what an ingress accepted, with all that belongs to it.
    pub fn accept(&mut self, acceptance: Acceptance) {
        let Acceptance { messages, batch, answer, claim, entry, schedule, reply } = acceptance;
        let start = self.changes.insert.len();
        messages.into_iter().for_each(|message| self.insert(message));
        let changes = &mut self.changes;
        let place = |length: usize, present: bool| present.then_some(length);
        self.waiting.push(Waiting {
            inserts: start..changes.insert.len(),
            batch: place(changes.batches.len(), batch.is_some()),
            answer: place(changes.answers.len(), answer.is_some()),
            claim: place(changes.claims.len(), claim.is_some()),
            entry: place(changes.entries.len(), entry.is_some()),
            schedule: place(changes.schedules.len(), schedule.is_some()),
            superseded: Vec::new(),
            waiter: Waiter::Client(reply),
        });
        changes.batches.extend(batch);
        changes.answers.extend(answer);
        changes.claims.extend(claim.map(|claim| *claim));
        changes.entries.extend(entry);
        changes.schedules.extend(schedule.map(|schedule| *schedule));
    }

    /// Adds what follows from a message that came in, which this draft has.
    pub fn follow(&mut self, consequence: Consequence) {
        let Consequence { messages, batch, claim, follows } = consequence;
        let start = self.changes.insert.len();
        messages.into_iter().for_each(|message| self.insert(message));
        self.waiting.push(Waiting {
            inserts: start..self.changes.insert.len(),
            batch: batch.is_some().then_some(self.changes.batches.len()),
            answer: None,
            claim: claim.is_some().then_some(self.changes.claims.len()),
            entry: None,
            schedule: None,
            superseded: Vec::new(),
            waiter: Waiter::Nobody(follows),
        });
        self.changes.batches.extend(batch);
        self.changes.claims.extend(claim.map(|claim| *claim));
    }

    /// No receipt is expected under `key` any more.
    pub fn remote_id_done(&mut self, key: RemoteKey) {
        // It may have been given in this very commit.
        if let Some(place) = self.changes.remote_ids.iter().position(|given| given.key == key) {
            self.changes.remote_ids.swap_remove(place);
        }
        self.changes.remote_ids_done.push(key);
    }

    /// Moves the changed messages into the changes: one row each, however much happened to it.
    pub fn close(&mut self, engine: &Engine) {
        for (_, entry) in std::mem::take(&mut self.entries) {
            if !entry.dirty {
                self.unchanged.push(entry.message);
                continue;
            }
            let place = self.place(&entry.message);
            if place != entry.stored {
                self.changes.dequeue.extend(entry.stored);
                self.changes.enqueue.extend(place);
            }
            if entry.replaced {
                self.changes.bodies.push(entry.message.body.clone());
            }
            self.changes.update.push(entry.message);
        }
        self.changes.update.sort_unstable_by_key(|message| message.body.id);
        self.changes.dequeue.sort_unstable();
        self.changes.remote_ids.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if let Some(member) = self.member.clone() {
            self.tell_others(&member, engine);
        }
    }

    /// Messages of a closed draft that wait for `connector` now and waited for another before.
    pub fn relayed_to(&self, connector: &str) -> impl Iterator<Item = (&QueueEntry, &Message)> {
        let mine = |entry: &&QueueEntry| *entry.connector == *connector && self.is_mine(entry);
        let theirs = self.changes.enqueue.iter().filter(mine);
        theirs.filter(|entry| self.relayed.contains(&entry.id)).filter_map(|entry| {
            let place = self.changes.update.binary_search_by_key(&entry.id, |message| message.body.id).ok()?;
            Some((entry, self.changes.update.get(place)?))
        })
    }

    /// By how many messages each queue grows or shrinks.
    pub fn queue_changes(&self) -> HashMap<Name, i64> {
        let mut changes = HashMap::default();
        let mut add = |connector: &Name, change: i64| match changes.get_mut(connector) {
            Some(sum) => *sum += change,
            None => drop(changes.insert(connector.clone(), change)),
        };
        let Changes { insert, enqueue, dequeue, .. } = &self.changes;
        let mine = |entry: &&QueueEntry| self.is_mine(entry);
        insert.iter().filter_map(|new| new.queue.as_ref()).filter(mine).for_each(|entry| add(&entry.connector, 1));
        enqueue.iter().filter(mine).for_each(|entry| add(&entry.connector, 1));
        dequeue.iter().for_each(|entry| add(&entry.connector, -1));
        changes
    }

    /// A message of a closed draft.
    pub fn closed_message(&self, id: MessageId) -> Option<&Message> {
        let changed = self.changes.update.iter().find(|m| m.body.id == id);
        changed.or_else(|| self.unchanged(id))
    }

    /// A message of a closed draft that it did not change.
    pub fn unchanged(&self, id: MessageId) -> Option<&Message> {
        self.unchanged.iter().find(|m| m.body.id == id)
    }

    /// Every message of a closed draft, for the cache.
    pub fn take_messages(&mut self) -> impl Iterator<Item = Message> {
        let new = self.changes.insert.drain(..).map(|new| new.message);
        new.chain(self.changes.update.drain(..)).chain(self.unchanged.drain(..))
    }

    /// Takes acceptances out and answers them with `failed`; the rest of the draft stays. What they took
    /// the place of waits on, as it is given back here.
    pub fn refuse_acceptances(&mut self, failed: impl Fn(&Waiting, &Changes) -> Option<AcceptFailed>) -> Vec<Message> {
        let (mut inserts, mut gone, mut unmet) = (Vec::new(), Places::default(), Vec::new());
        let mut back = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            if let Some(failed) = failed(&waiting, &self.changes) {
                gone.batches.extend(waiting.batch);
                gone.answers.extend(waiting.answer);
                gone.claims.extend(waiting.claim);
                gone.entries.extend(waiting.entry);
                gone.schedules.extend(waiting.schedule);
                inserts.push(waiting.inserts);
                for superseded in waiting.superseded {
                    let entries = &self.changes.entries;
                    let refund = superseded.refund.and_then(|id| entries.iter().position(|entry| entry.id == id));
                    gone.entries.extend(refund);
                    back.push(self.bring_back(superseded));
                }
                match waiting.waiter {
                    Waiter::Client(reply) => drop(reply.send(Err(failed))),
                    Waiter::Nobody(follows) => unmet.push((follows, failed)),
                }
            } else {
                self.waiting.push(waiting);
            }
        }
        let changes = &mut self.changes;
        retain_by_place(&mut changes.insert, |place| !inserts.iter().any(|range| range.contains(&place)));
        retain_by_place(&mut changes.batches, |place| !gone.batches.contains(&place));
        retain_by_place(&mut changes.answers, |place| !gone.answers.contains(&place));
        retain_by_place(&mut changes.claims, |place| !gone.claims.contains(&place));
        retain_by_place(&mut changes.entries, |place| !gone.entries.contains(&place));
        retain_by_place(&mut changes.schedules, |place| !gone.schedules.contains(&place));
        for (follows, failed) in unmet {
            let new = changes.insert.iter_mut().map(|new| &mut new.message);
            let open = self.entries.values_mut().map(|entry| &mut entry.message);
            let mut messages = new.chain(changes.update.iter_mut()).chain(open);
            if let Some(cause) = messages.find(|message| message.body.id == follows.cause) {
                follows.failed(&mut cause.progress, self.now, &failed);
            }
            self.unmet.push(follows);
        }
        let shift = |place: usize, gone: &[usize]| place - gone.iter().filter(|g| **g < place).count();
        for waiting in &mut self.waiting {
            let before: usize = inserts.iter().filter(|r| r.start < waiting.inserts.start).map(|r| r.len()).sum();
            waiting.inserts = waiting.inserts.start - before..waiting.inserts.end - before;
            waiting.batch = waiting.batch.map(|place| shift(place, &gone.batches));
            waiting.answer = waiting.answer.map(|place| shift(place, &gone.answers));
            waiting.claim = waiting.claim.map(|place| shift(place, &gone.claims));
            waiting.entry = waiting.entry.map(|place| shift(place, &gone.entries));
            waiting.schedule = waiting.schedule.map(|place| shift(place, &gone.schedules));
        }
        self.superseding.looked_up();
        back
    }
}

/// Places in the lists of a draft's changes that are taken out.
#[derive(Default)]
struct Places {
    batches: Vec<usize>,
    answers: Vec<usize>,
    claims: Vec<usize>,
    entries: Vec<usize>,
    schedules: Vec<usize>,
}

/// A message's place in a slice of its connector's queue, if it has one.
fn queue_entry(message: &Message, shard: u16) -> Option<QueueEntry> {
    let connector = message.progress.connector.clone()?;
    let due = message.progress.due?;
    let Body { id, priority, account, .. } = &*message.body;
    Some(QueueEntry { connector, shard, priority: *priority, account: account.clone(), due, id: *id })
}

fn event_of(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::Scheduled | Status::Queued => return None,
        Status::Sent => "message.sent",
        Status::Delivered => "message.delivered",
        Status::Undelivered => "message.undelivered",
        Status::Expired => "message.expired",
        Status::Rejected => "message.rejected",
        Status::Unknown => "message.unknown",
        Status::Failed => "message.failed",
        Status::Canceled => "message.canceled",
        Status::Received => "message.received",
    })
}

fn retain_by_place<T>(list: &mut Vec<T>, keep: impl Fn(usize) -> bool) {
    let mut place = 0;
    list.retain(|_| {
        place += 1;
        keep(place - 1)
    });
}
