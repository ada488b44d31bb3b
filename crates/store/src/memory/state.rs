//! The maps, and what a commit does to them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use model::delivery::DeliveryState;
use model::resources::Kind;
use model::{
    BatchId, Body, Content, Delivery, DeliveryId, LedgerEntry, LedgerId, Message, MessageId, Name, OptOut, OptOutKey,
    Schedule, ScheduleId, Status, Sum, Timestamp,
};

use super::groups::Groups;
use super::leases::Leases;
use crate::changes::{
    Batch, Changes, IdempotencyAnswer, IdempotencyKey, MoPart, MoPartKey, NewMessage, ParkedReceipt, QueueEntry,
    RemoteId, RemoteKey, ScheduleChange, SupersedeKey,
};
use crate::claims::{AccountRows, Tally, settle};
use crate::query::{BatchCounts, QueueLane, QueuePage, QueueRead, QueuedMessage, ResourceChange};
use crate::{CommitError, Mail};

/// Everything that the store holds.
#[derive(Default)]
pub(super) struct State {
    pub messages: BTreeMap<MessageId, Message>,
    pub queue: BTreeSet<QueueEntry>,
    /// The place that each message was given last; it may have left it since.
    pub places: BTreeMap<MessageId, QueueEntry>,
    pub deadlines: BTreeSet<(Timestamp, MessageId)>,
    pub latest: BTreeMap<SupersedeKey, MessageId>,
    pub remote_ids: BTreeMap<RemoteKey, RemoteId>,
    pub answers: BTreeMap<IdempotencyKey, IdempotencyAnswer>,
    pub batches: BTreeMap<BatchId, Batch>,
    pub deliveries: BTreeMap<DeliveryId, Delivery>,
    pub parked: BTreeMap<MessageId, ParkedReceipt>,
    pub mo_parts: BTreeMap<MoPartKey, MoPart>,
    pub resources: BTreeMap<(Kind, String), String>,
    pub version: u64,
    pub tallies: BTreeMap<(Name, Tally), (i64, i64)>,
    pub opt_outs: BTreeMap<OptOutKey, OptOut>,
    /// With their messages.
    pub schedules: BTreeMap<ScheduleId, (Schedule, Arc<str>)>,
    pub groups: Groups,
    pub ledger: BTreeMap<(Name, LedgerId), LedgerEntry>,
    pub leases: Leases,
    pub mail: BTreeMap<MessageId, Mail>,
}

impl AccountRows for &mut State {
    type Error = Infallible;

    fn tally(&mut self, owner: &Name, tally: Tally) -> Result<Option<(i64, i64)>, Infallible> {
        Ok(self.tallies.get(&(owner.clone(), tally)).copied())
    }

    fn has_message(&mut self, id: MessageId) -> Result<bool, Infallible> {
        Ok(self.messages.contains_key(&id))
    }

    fn queued(&mut self, account: &Name) -> Result<u64, Infallible> {
        Ok(State::queued(self, account))
    }

    fn has_entry(&mut self, account: &Name, id: LedgerId) -> Result<bool, Infallible> {
        Ok(self.ledger.contains_key(&(account.clone(), id)))
    }
}

impl State {
    /// One commit: everything that can be refused first, then the changes in the order of the
    /// fields of [`Changes`].
    pub fn apply(&mut self, changes: Changes, now: Timestamp) -> Result<(), CommitError> {
        for fence in &changes.fences {
            if !self.leases.holds(fence) {
                return Err(CommitError::Fenced(fence.name.clone()));
            }
        }
        let taken = self.taken_keys(&changes.answers, now);
        if !taken.is_empty() {
            return Err(CommitError::KeysTaken(taken));
        }
        let moved = self.schedules_moved(&changes.schedules);
        if !moved.is_empty() {
            return Err(CommitError::SchedulesMoved(moved));
        }
        let settled = match settle(&changes, &mut *self) {
            Ok(Ok(settled)) => settled,
            Ok(Err(short)) => return Err(CommitError::Short(short)),
            Err(never) => match never {},
        };
        let tallies = settled.tallies.into_iter().map(|row| ((row.owner, row.tally), (row.period, row.value)));
        self.tallies.extend(tallies);
        self.ledger.extend(settled.entries.into_iter().map(|entry| ((entry.account.clone(), entry.id), entry)));
        self.answers.extend(changes.answers);
        changes.schedules.into_iter().for_each(|change| self.change_schedule(change));
        for batch in changes.batches {
            match self.batches.entry(batch.id) {
                Entry::Vacant(place) => drop(place.insert(batch)),
                Entry::Occupied(mut there) => there.get_mut().grow(batch),
            }
        }
        for (id, phase) in changes.batch_phases {
            self.batches.entry(id).and_modify(|batch| batch.phase = phase);
        }
        for (id, at) in changes.batches_finished {
            self.batches.entry(id).and_modify(|batch| batch.finished_at = batch.finished_at.or(Some(at)));
        }
        let mut new = changes.insert;
        new.sort_by_key(|new| new.message.body.id);
        new.into_iter().for_each(|new| self.insert(new));
        changes.bodies.into_iter().for_each(|body| self.replace(body));
        changes.update.into_iter().for_each(|message| self.update(message));
        for entry in &changes.dequeue {
            self.queue.remove(entry);
        }
        changes.enqueue.into_iter().for_each(|entry| self.enqueue(entry));
        self.remote_ids.extend(changes.remote_ids.into_iter().map(|r| (r.key.clone(), r)));
        for key in &changes.remote_ids_done {
            self.remote_ids.remove(key);
        }
        for key in &changes.deliveries_done {
            if self.deliveries.get(&key.id).is_some_and(|d| d.due == key.due && d.endpoint == key.endpoint) {
                self.deliveries.remove(&key.id);
            }
        }
        self.deliveries.extend(changes.deliveries.into_iter().map(|mut d| {
            if d.restorable {
                d.payload = "".into();
            }
            (d.id, d)
        }));
        for receipt in &changes.parked_done {
            self.parked.remove(&receipt.id);
        }
        self.parked.extend(changes.parked.into_iter().map(|p| (p.id, p)));
        for key in &changes.mo_parts_done {
            self.mo_parts.remove(key);
        }
        self.mo_parts.extend(changes.mo_parts.into_iter().map(|p| (p.key.clone(), p)));
        for key in &changes.opt_outs_done {
            self.opt_outs.remove(key);
        }
        for opt_out in changes.opt_outs {
            self.opt_outs.entry(opt_out.key.clone()).or_insert(opt_out);
        }
        changes.groups.into_iter().for_each(|change| self.groups.apply(change));
        for mail in changes.mail {
            self.mail.entry(mail.id).or_insert(mail);
        }
        for id in &changes.mail_done {
            self.mail.remove(id);
        }
        Ok(())
    }

    fn taken_keys(&self, answers: &[(IdempotencyKey, IdempotencyAnswer)], now: Timestamp) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let mut taken = Vec::new();
        for (place, (key, _)) in answers.iter().enumerate() {
            if !seen.insert(key) || self.answers.get(key).is_some_and(|kept| kept.expires_at > now) {
                taken.push(place);
            }
        }
        taken
    }

    fn schedules_moved(&self, changes: &[ScheduleChange]) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let revision = |id| self.schedules.get(id).map_or(0, |(schedule, _)| schedule.revision);
        let mut moved = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            if !seen.insert(change.id) || revision(&change.id) != change.seen {
                moved.push(place);
            }
        }
        moved
    }

    fn change_schedule(&mut self, ScheduleChange { id, put, messages, .. }: ScheduleChange) {
        let Some(put) = put else {
            self.schedules.remove(&id);
            return;
        };
        let kept = self.schedules.remove(&id).map(|(_, kept)| kept);
        self.schedules.insert(id, (put, messages.or(kept).unwrap_or_default()));
    }

    fn insert(&mut self, new: NewMessage) {
        let id = new.message.body.id;
        if self.messages.contains_key(&id) {
            return;
        }
        if !new.message.progress.status.is_final() {
            self.deadlines.insert((new.message.body.expires_at, id));
            self.latest.extend(SupersedeKey::of(&new.message.body).map(|key| (key, id)));
        }
        self.messages.insert(id, new.message);
        if let Some(entry) = new.queue {
            self.enqueue(entry);
        }
    }

    fn replace(&mut self, body: Arc<Body>) {
        let Some(kept) = self.messages.get_mut(&body.id) else { return };
        if self.deadlines.remove(&(kept.body.expires_at, body.id)) {
            self.deadlines.insert((body.expires_at, body.id));
        }
        kept.body = body;
    }

    fn update(&mut self, message: Message) {
        let Some(kept) = self.messages.get_mut(&message.body.id) else { return };
        kept.progress = message.progress;
        let deadline = (kept.body.expires_at, kept.body.id);
        if kept.progress.status.is_final() {
            self.deadlines.remove(&deadline);
            let key = SupersedeKey::of(&kept.body);
            if let Some(key) = key.filter(|key| self.latest.get(key) == Some(&message.body.id)) {
                self.latest.remove(&key);
            }
        } else {
            self.deadlines.insert(deadline);
        }
    }

    fn enqueue(&mut self, entry: QueueEntry) {
        self.places.insert(entry.id, entry.clone());
        self.queue.insert(entry);
    }

    /// The entries of one shard of a lane, in order, from an account on and for it after `after`.
    fn shard<'a>(
        &'a self,
        lane: &'a QueueLane,
        shard: u16,
        account: &str,
        after: Option<(Timestamp, MessageId)>,
    ) -> impl Iterator<Item = &'a QueueEntry> {
        let (due, id) =
            after.unwrap_or((Timestamp::from_millis(i64::MIN), MessageId::first_at(Timestamp::from_millis(0))));
        let (connector, priority) = (lane.connector.clone(), lane.priority);
        let first = QueueEntry { connector, shard, priority, account: account.into(), due, id };
        let first = if after.is_some() { Bound::Excluded(first) } else { Bound::Included(first) };
        let same =
            move |e: &&QueueEntry| e.connector == lane.connector && e.shard == shard && e.priority == lane.priority;
        self.queue.range((first, Bound::Unbounded)).take_while(same)
    }

    /// The accounts of a lane after `after`, with what is due first of each.
    pub fn queue_accounts(&self, lane: &QueueLane, after: Option<&str>) -> BTreeMap<Name, Timestamp> {
        let mut accounts: BTreeMap<Name, Timestamp> = BTreeMap::new();
        for shard in lane.shards.iter() {
            let entries = self.shard(lane, *shard, after.unwrap_or(""), None);
            for entry in entries.filter(|entry| after.is_none_or(|after| &*entry.account > after)) {
                let first = accounts.entry(entry.account.clone()).or_insert(entry.due);
                *first = entry.due.min(*first);
            }
        }
        accounts
    }

    /// How many messages of an account wait.
    pub fn queued(&self, account: &Name) -> u64 {
        self.queue.iter().filter(|entry| entry.account == *account).count() as u64
    }

    /// What is due of one account.
    pub fn queue_page(&self, lane: &QueueLane, read: &QueueRead, due_by: Timestamp) -> QueuePage {
        let theirs = |shard: &u16| {
            let entries = self.shard(lane, *shard, &read.account, read.after);
            entries.take_while(|entry| entry.account == read.account).peekable()
        };
        let mut shards: Vec<_> = lane.shards.iter().map(theirs).collect();
        let mut page = QueuePage::default();
        while page.messages.len() < read.limit {
            // Of several shards the one whose next entry goes first.
            let next =
                |(place, shard): (usize, &mut Peekable<_>)| shard.peek().map(|e: &&QueueEntry| (e.due, e.id, place));
            let Some((due, _, place)) = shards.iter_mut().enumerate().filter_map(next).min() else { break };
            if due > due_by {
                page.next_due = Some(due);
                break;
            }
            let Some(entry) = shards.get_mut(place).and_then(Iterator::next) else { break };
            let message = self.messages.get(&entry.id).cloned();
            page.messages.extend(message.map(|message| QueuedMessage { entry: entry.clone(), message }));
        }
        page
    }

    /// Pending deliveries of one endpoint, ordered by due time and id.
    pub fn pending(&self, endpoint: &str) -> Vec<Delivery> {
        let of_endpoint = |d: &&Delivery| d.state == DeliveryState::Pending && d.endpoint.as_ref() == endpoint;
        let mut pending: Vec<Delivery> = self.deliveries.values().filter(of_endpoint).cloned().collect();
        pending.sort_by_key(|d| (d.due, d.id));
        pending
    }

    pub fn batch_counts(&self, id: BatchId) -> BatchCounts {
        let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
        for message in self.messages.values().filter(|m| m.body.batch == Some(id)) {
            *counts.entry(message.progress.status).or_default() += 1;
        }
        BatchCounts(counts.into_iter().collect())
    }

    pub fn change_resources(&mut self, changes: Vec<ResourceChange>, expected: Option<u64>) -> Option<u64> {
        if expected.is_some_and(|version| version != self.version) {
            return None;
        }
        self.version += u64::from(!changes.is_empty());
        for ResourceChange { kind, id, json } in changes {
            match json {
                Some(json) => self.resources.insert((kind, id), json),
                None => self.resources.remove(&(kind, id)),
            };
        }
        Some(self.version)
    }

    pub fn forget_messages(&mut self, before: Timestamp) -> u64 {
        let mut days: BTreeMap<i64, bool> = BTreeMap::new();
        for (id, message) in &self.messages {
            if id.made_at().day() < before.day() {
                *days.entry(id.made_at().day()).or_insert(true) &= message.progress.status.is_final();
            }
        }
        days.retain(|_, all_ended| *all_ended);
        self.messages.retain(|id, _| !days.contains_key(&id.made_at().day()));
        self.batches.retain(|id, _| !days.contains_key(&id.made_at().day()));
        days.len() as u64
    }

    pub fn forget_texts(&mut self, before: Timestamp, limit: usize) -> u64 {
        let mut emptied = 0;
        let owed: BTreeSet<MessageId> =
            self.deliveries.values().filter(|d| d.restorable).filter_map(|d| d.message).collect();
        for message in self.messages.range_mut(..MessageId::first_at(before)).map(|(_, m)| m) {
            if emptied as usize >= limit {
                break;
            }
            let has_text = match &message.body.content {
                Content::Text(text) => !text.is_empty(),
                Content::Binary { data, .. } => !data.is_empty(),
            };
            if has_text && message.progress.status.is_final() && !owed.contains(&message.body.id) {
                let body = Arc::make_mut(&mut message.body);
                match &mut body.content {
                    Content::Text(text) => *text = "".into(),
                    Content::Binary { data, .. } => *data = Box::default(),
                }
                emptied += 1;
            }
        }
        emptied
    }

    pub fn roll_up_ledger(&mut self, before: Timestamp, limit: usize) -> u64 {
        let old = |entry: &&LedgerEntry| entry.rolls_up() && entry.id.made_at().day() < before.day();
        let rolled: Vec<LedgerEntry> = self.ledger.values().filter(old).take(limit).cloned().collect();
        for entry in &rolled {
            let day = LedgerEntry::of_day(entry.account.clone(), entry.id.made_at().day(), entry.kind, Sum::ZERO);
            let sum = self.ledger.entry((day.account.clone(), day.id)).or_insert(day);
            sum.amount = sum.amount.plus(entry.amount).unwrap_or(sum.amount);
            self.ledger.remove(&(entry.account.clone(), entry.id));
        }
        rolled.len() as u64
    }

    pub fn forget_schedules(&mut self, before: Timestamp, limit: usize) -> u64 {
        let old = |schedule: &Schedule| schedule.ended_at.is_some_and(|at| at < before);
        let gone = self.schedules.values().map(|(schedule, _)| schedule).filter(|schedule| old(schedule));
        let gone: Vec<ScheduleId> = gone.take(limit).map(|schedule| schedule.id).collect();
        gone.iter().for_each(|id| drop(self.schedules.remove(id)));
        gone.len() as u64
    }

    /// Mail to slots that nobody holds. A membership that has run out ends for it.
    pub fn forget_mail(&mut self, prefix: &str, now: Timestamp) -> u64 {
        let before = self.mail.len();
        let Self { mail, leases, .. } = self;
        mail.retain(|_, mail| !(mail.to.starts_with(prefix) && leases.set_free(&mail.to, now)));
        (before - mail.len()) as u64
    }

    pub fn forget_expired(&mut self, now: Timestamp) -> u64 {
        let rows = |s: &Self| s.answers.len() + s.parked.len() + s.remote_ids.len();
        let before = rows(self);
        self.answers.retain(|_, answer| answer.expires_at > now);
        self.parked.retain(|_, parked| parked.expires_at > now);
        self.remote_ids.retain(|_, remote| remote.expires_at > now);
        (before - rows(self)) as u64
    }
}
