//! The smallest store: ordered maps behind one mutex. Nothing of it survives the process.

mod fleet;
mod groups;
mod leases;
mod state;

use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use model::delivery::DeliveryState;
use model::{
    Address, BatchId, Delivery, DeliveryId, Group, GroupKey, GroupTask, LedgerEntry, LedgerId, Member, Message,
    MessageId, Name, OptOut, OptOutId, Schedule, ScheduleId, Timestamp,
};

use crate::changes::{
    Batch, BatchPhase, Changes, IdempotencyAnswer, IdempotencyKey, MoPart, ParkedReceipt, QueueEntry, RemoteKey,
    SupersedeKey,
};
use crate::claims::TallyRow;
use crate::query::{
    BatchCounts, DeliveryFilter, GroupFilter, MessageFilter, OptOutFilter, PartRef, QueueLane, QueuePage, QueueRead,
    ResourceChange, Resources, ScheduleFilter,
};
use crate::{CommitError, Document, Fleet, Lease, Store, StoreError};
use fleet::News;
use state::State;

/// How many rows one call of [`Store::search`] looks at before it answers with a cursor. Small, so
/// that tests of callers meet the cursor.
const SCAN_ROWS: usize = 1000;

/// A store in memory, for tests of what stands on a store, and as the measure of other stores.
pub struct MemoryStore {
    state: Mutex<State>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    failure: Mutex<Option<StoreError>>,
    news: News,
    gate: Gate,
    searching: Gate,
    searches: AtomicU64,
}

/// Where calls wait while they are held.
#[derive(Default)]
struct Gate(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    held: bool,
    callers: Vec<Waker>,
}

impl Gate {
    fn hold(&self, held: bool) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.held = held;
        if !held {
            waiting.callers.drain(..).for_each(Waker::wake);
        }
    }

    async fn passed(&self) {
        std::future::poll_fn(|context| {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !waiting.held {
                return Poll::Ready(());
            }
            waiting.callers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl MemoryStore {
    /// An empty store whose clock is `clock`.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::default(),
            clock: Box::new(clock),
            failure: Mutex::new(None),
            news: News::default(),
            gate: Gate::default(),
            searching: Gate::default(),
            searches: AtomicU64::new(0),
        }
    }

    /// From now on every [`Store::commit`] and [`Store::take_lease`], and all of [`Fleet`] but waiting for news,
    /// fails with this, and writes nothing, until it is given `None`. Other reads and resources go on.
    pub fn fail_with(&self, failure: Option<StoreError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// From now on every [`Store::commit`] waits before it does anything, until it is given `false`: a
    /// slow disk.
    pub fn hold(&self, held: bool) {
        self.gate.hold(held);
    }

    /// The same for every [`Store::search`].
    pub fn hold_searches(&self, held: bool) {
        self.searching.hold(held);
    }

    /// How many times [`Store::search`] was called, held or not.
    pub fn searches(&self) -> u64 {
        self.searches.load(Relaxed)
    }

    fn well(&self) -> Result<(), StoreError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failure.map_or(Ok(()), Err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another thread can't have left half a commit: everything that can be refused
        // is looked at before the first change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("messages", &self.state().messages.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn fleet(self: Arc<Self>) -> Option<Arc<dyn Fleet>> {
        Some(self)
    }

    async fn commit_shared(&self, changes: Arc<Changes>) -> Result<(), CommitError> {
        self.gate.passed().await;
        self.well()?;
        let mut state = self.state();
        state.apply(Arc::unwrap_or_clone(changes), self.now())
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.messages.get(id).cloned()).collect())
    }

    async fn search(
        &self,
        filter: &MessageFilter,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<MessageId>), StoreError> {
        self.searches.fetch_add(1, Relaxed);
        self.searching.passed().await;
        let state = self.state();
        let below = before.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = Vec::new();
        let mut last = before;
        for (looked_at, (id, message)) in state.messages.range((Bound::Unbounded, below)).rev().enumerate() {
            if found.len() >= limit || looked_at >= SCAN_ROWS {
                return Ok((found, last));
            }
            last = Some(*id);
            if filter.takes(message) {
                found.push(message.clone());
            }
        }
        Ok((found, None))
    }

    async fn queue_accounts(
        &self,
        lane: &QueueLane,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Name, Timestamp)>, StoreError> {
        Ok(self.state().queue_accounts(lane, after).into_iter().take(limit).collect())
    }

    async fn queue_pages(
        &self,
        lane: &QueueLane,
        reads: &[QueueRead],
        due_by: Timestamp,
    ) -> Result<Vec<QueuePage>, StoreError> {
        let state = self.state();
        Ok(reads.iter().map(|read| state.queue_page(lane, read, due_by)).collect())
    }

    async fn queue_entry(&self, id: MessageId) -> Result<Option<QueueEntry>, StoreError> {
        let state = self.state();
        Ok(state.places.get(&id).filter(|entry| state.queue.contains(*entry)).cloned())
    }

    async fn queued(&self, accounts: &[Name]) -> Result<Vec<u64>, StoreError> {
        let state = self.state();
        Ok(accounts.iter().map(|account| state.queued(account)).collect())
    }

    async fn queue_depths(&self) -> Result<Vec<(Name, u64)>, StoreError> {
        let mut depths: Vec<(Name, u64)> = Vec::new();
        for entry in &self.state().queue {
            match depths.last_mut() {
                Some((name, depth)) if *name == entry.connector => *depth += 1,
                _ => depths.push((entry.connector.clone(), 1)),
            }
        }
        Ok(depths)
    }

    async fn overdue(&self, by: Timestamp, limit: usize) -> Result<Vec<MessageId>, StoreError> {
        Ok(self.state().deadlines.iter().take_while(|(at, _)| *at <= by).take(limit).map(|(_, id)| *id).collect())
    }

    async fn latest_under(&self, keys: &[SupersedeKey]) -> Result<Vec<Option<MessageId>>, StoreError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.latest.get(key).copied()).collect())
    }

    async fn remote_ids(&self, keys: &[RemoteKey]) -> Result<Vec<Option<PartRef>>, StoreError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.remote_ids.get(key).map(|r| r.part)).collect())
    }

    async fn idempotency(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyAnswer>, StoreError> {
        let now = self.now();
        Ok(self.state().answers.get(key).filter(|answer| answer.expires_at > now).cloned())
    }

    async fn batch(&self, id: BatchId) -> Result<Option<(Batch, BatchCounts)>, StoreError> {
        let state = self.state();
        Ok(state.batches.get(&id).map(|batch| (batch.clone(), state.batch_counts(id))))
    }

    async fn batches_unfinished(&self) -> Result<Vec<BatchId>, StoreError> {
        Ok(self.state().batches.values().filter(|batch| batch.finished_at.is_none()).map(|batch| batch.id).collect())
    }

    async fn batch_is_open(&self, id: BatchId) -> Result<bool, StoreError> {
        Ok(self.state().batch_counts(id).0.iter().any(|(status, _)| !status.is_final()))
    }

    async fn batches_in(&self, phase: BatchPhase) -> Result<Vec<Batch>, StoreError> {
        Ok(self.state().batches.values().filter(|batch| batch.phase == phase).cloned().collect())
    }

    async fn delivery_page(
        &self,
        endpoint: &str,
        after: Option<(Timestamp, DeliveryId)>,
        due_by: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut page = self.state().pending(endpoint);
        page.retain(|d| d.due <= due_by && after.is_none_or(|a| (d.due, d.id) > a));
        page.truncate(limit);
        Ok(page)
    }

    async fn deliveries_retrying(&self, endpoint: &str) -> Result<Vec<Delivery>, StoreError> {
        let mut retrying = self.state().pending(endpoint);
        retrying.retain(|d| d.attempts > 0);
        Ok(retrying)
    }

    async fn delivery_next_due(&self, endpoint: &str, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().pending(endpoint).into_iter().map(|d| d.due).find(|due| *due > after))
    }

    async fn delivery_endpoints(&self) -> Result<Vec<Name>, StoreError> {
        let state = self.state();
        let pending = state.deliveries.values().filter(|d| d.state == DeliveryState::Pending);
        let names: std::collections::BTreeSet<Name> = pending.map(|d| d.endpoint.clone()).collect();
        Ok(names.into_iter().collect())
    }

    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let below = before.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let newest_first = state.deliveries.range((Bound::Unbounded, below)).rev().map(|(_, d)| d);
        Ok(newest_first.filter(|d| filter.takes(d)).take(limit).cloned().collect())
    }

    async fn parked(&self, before: Option<MessageId>, limit: usize) -> Result<Vec<ParkedReceipt>, StoreError> {
        let below = before.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        Ok(state.parked.range((Bound::Unbounded, below)).rev().take(limit).map(|(_, p)| p.clone()).collect())
    }

    async fn parked_for(&self, keys: &[RemoteKey]) -> Result<Vec<ParkedReceipt>, StoreError> {
        Ok(self.state().parked.values().filter(|p| keys.contains(&p.key)).cloned().collect())
    }

    async fn mo_parts(&self) -> Result<Vec<MoPart>, StoreError> {
        Ok(self.state().mo_parts.values().cloned().collect())
    }

    async fn opt_outs(
        &self,
        filter: &OptOutFilter,
        before: Option<OptOutId>,
        limit: usize,
    ) -> Result<Vec<OptOut>, StoreError> {
        let state = self.state();
        let older = |id: OptOutId| before.is_none_or(|before| id < before);
        let mut found: Vec<OptOut> =
            state.opt_outs.values().filter(|o| filter.takes(o) && older(o.id)).cloned().collect();
        found.sort_unstable_by_key(|opt_out| std::cmp::Reverse(opt_out.id));
        found.truncate(limit);
        Ok(found)
    }

    async fn schedules(
        &self,
        filter: &ScheduleFilter,
        before: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        let below = before.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let newest_first = state.schedules.range((Bound::Unbounded, below)).rev().map(|(_, (schedule, _))| schedule);
        Ok(newest_first.filter(|schedule| filter.takes(schedule)).take(limit).cloned().collect())
    }

    async fn schedules_due(&self, by: Timestamp, limit: usize) -> Result<Vec<Schedule>, StoreError> {
        let state = self.state();
        let schedules = state.schedules.values().map(|(schedule, _)| schedule);
        let mut due: Vec<Schedule> =
            schedules.filter(|schedule| schedule.due.is_some_and(|due| due <= by)).cloned().collect();
        due.sort_by_key(|schedule| (schedule.due, schedule.id));
        due.truncate(limit);
        Ok(due)
    }

    async fn schedule_count(&self, account: &str) -> Result<u64, StoreError> {
        Ok(self.state().schedules.values().filter(|(schedule, _)| *schedule.account == *account).count() as u64)
    }

    async fn schedule_messages(&self, id: ScheduleId) -> Result<Option<Arc<str>>, StoreError> {
        Ok(self.state().schedules.get(&id).map(|(_, messages)| messages.clone()))
    }

    async fn groups(
        &self,
        filter: &GroupFilter,
        after: Option<&GroupKey>,
        limit: usize,
    ) -> Result<Vec<(Group, u64)>, StoreError> {
        Ok(self.state().groups.page(filter, after, limit))
    }

    async fn members(
        &self,
        group: &GroupKey,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        Ok(self.state().groups.members(group, after, limit))
    }

    async fn member(&self, group: &GroupKey, phone: &Address) -> Result<Option<Member>, StoreError> {
        Ok(self.state().groups.member(group, phone))
    }

    async fn group_tasks(&self, limit: usize) -> Result<Vec<GroupTask>, StoreError> {
        Ok(self.state().groups.tasks(limit))
    }

    async fn tallies(&self, owners: &[Name]) -> Result<Vec<TallyRow>, StoreError> {
        let state = self.state();
        let of_owners = state.tallies.iter().filter(|((owner, _), _)| owners.contains(owner));
        let row = |((owner, tally), (period, value)): (&(Name, _), &(i64, i64))| TallyRow {
            owner: owner.clone(),
            tally: *tally,
            period: *period,
            value: *value,
        };
        Ok(of_owners.map(row).collect())
    }

    async fn ledger(
        &self,
        account: &str,
        before: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let state = self.state();
        let older = |id: LedgerId| before.is_none_or(|before| id < before);
        let newest_first = state.ledger.values().rev().filter(|e| *e.account == *account && older(e.id));
        Ok(newest_first.take(limit).cloned().collect())
    }

    async fn resources(&self) -> Result<Resources, StoreError> {
        let state = self.state();
        let document =
            |((kind, id), json): (&(_, String), &String)| Document { kind: *kind, id: id.clone(), json: json.clone() };
        Ok(Resources { version: state.version, documents: state.resources.iter().map(document).collect() })
    }

    async fn resources_version(&self) -> Result<u64, StoreError> {
        Ok(self.state().version)
    }

    async fn change_resources(
        &self,
        changes: Vec<ResourceChange>,
        expected: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        Ok(self.state().change_resources(changes, expected))
    }

    async fn take_lease(&self, name: &str, holder: &str, ttl_millis: i64) -> Result<Option<Lease>, StoreError> {
        self.well()?;
        let mut state = self.state();
        Ok(state.leases.take(name, holder, self.now(), ttl_millis))
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut state = self.state();
        state.leases.release(lease, self.now());
        Ok(())
    }

    async fn forget_messages(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.state().forget_messages(before))
    }

    async fn forget_texts(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(self.state().forget_texts(before, limit))
    }

    async fn roll_up_ledger(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(self.state().roll_up_ledger(before, limit))
    }

    async fn forget_schedules(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(self.state().forget_schedules(before, limit))
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.state().forget_expired(now))
    }
}
