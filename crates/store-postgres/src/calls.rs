//! The calls of [`Store`]: which connection does what.

use std::sync::Arc;

use async_trait::async_trait;
use model::{
    Address, BatchId, Delivery, DeliveryId, Group, GroupKey, GroupTask, LedgerEntry, LedgerId, Member, Message,
    MessageId, Name, OptOut, OptOutId, Schedule, ScheduleId, Timestamp,
};
use store::{
    Batch, BatchCounts, BatchPhase, Changes, CommitError, DeliveryFilter, Fleet, GroupFilter, IdempotencyAnswer,
    IdempotencyKey, Lease, MessageFilter, MoPart, OptOutFilter, ParkedReceipt, PartRef, QueueEntry, QueueLane,
    QueuePage, QueueRead, RemoteKey, ResourceChange, Resources, ScheduleFilter, Store, StoreError, SupersedeKey,
    TallyRow,
};

use crate::error::Failure;
use crate::link::Connection;
use crate::pool::Pool;
use crate::{Inner, PostgresStore, forget, read, roll_up, write};

/// How often a piece of work is done again that met others.
const ATTEMPTS: u32 = 5;

impl Inner {
    /// Has `work` done on a connection that may write. It may be done more than once.
    pub async fn writing<T, F>(&self, work: impl Fn(Arc<Connection>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.on(&self.writers, 0, work).await
    }

    /// Has `work` done on a connection that only reads. It may be done more than once.
    pub async fn reading<T, F>(&self, work: impl Fn(Arc<Connection>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.on(&self.readers, 1, work).await
    }

    /// `again`: how often it may be done again after the connection was lost.
    async fn on<T, F>(&self, pool: &Pool, mut again: u32, work: impl Fn(Arc<Connection>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempts = 0;
        loop {
            let borrowed = pool.borrow().await?;
            let silent = || Failure::Away(format!("PostgreSQL has not answered for {} s", pool.limit().as_secs()));
            let done = tokio::time::timeout(pool.limit(), work(borrowed.connection.clone())).await;
            match done.unwrap_or_else(|_| Err(silent())) {
                Ok(value) => {
                    borrowed.give_back();
                    return Ok(value);
                }
                // The connection is dropped: it may be in the middle of a transaction.
                Err(failure) if failure.is_transient() && attempts < ATTEMPTS => {
                    attempts += 1;
                    self.days.forget();
                }
                Err(Failure::Postgres(error)) if Failure::is_closed(&error) && again > 0 => again -= 1,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Answers that are kept under keys, with the places of the keys.
    pub async fn kept_answers(&self, keys: &[&IdempotencyKey]) -> Result<Vec<(usize, IdempotencyAnswer)>, StoreError> {
        self.reading(|connection| async move { read::kept_answers(&connection, keys).await }).await
    }

    /// How many of these ids are messages.
    pub async fn known(&self, ids: &[MessageId]) -> Result<usize, StoreError> {
        self.reading(|connection| async move { read::known(&connection, &self.days, ids).await }).await
    }

    /// Those of these schedules that are there.
    pub async fn schedules_by_id(&self, ids: &[ScheduleId]) -> Result<Vec<Schedule>, StoreError> {
        self.reading(|connection| async move { read::schedules_by_id(&connection, ids).await }).await
    }
}

/// Reads by a function of `read`.
macro_rules! read {
    ($store:ident, $function:ident($($argument:expr),*)) => {
        $store.inner.reading(|connection| async move { read::$function(&connection, $($argument),*).await }).await
    };
}

#[async_trait]
impl Store for PostgresStore {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn fleet(self: Arc<Self>) -> Option<Arc<dyn Fleet>> {
        Some(self)
    }

    async fn commit_shared(&self, changes: Arc<Changes>) -> Result<(), CommitError> {
        if changes.is_empty() && changes.fences.is_empty() {
            return Ok(());
        }
        write::commit(&self.inner, &changes).await
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        read!(self, messages(&self.inner.days, ids))
    }

    async fn search(
        &self,
        filter: &MessageFilter,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<MessageId>), StoreError> {
        read!(self, search(filter, before, limit))
    }

    async fn queue_accounts(
        &self,
        lane: &QueueLane,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Name, Timestamp)>, StoreError> {
        read!(self, queue_accounts(lane, after, limit))
    }

    async fn queue_pages(
        &self,
        lane: &QueueLane,
        reads: &[QueueRead],
        due_by: Timestamp,
    ) -> Result<Vec<QueuePage>, StoreError> {
        read!(self, queue_pages(&self.inner.days, lane, reads, due_by))
    }

    async fn queue_entry(&self, id: MessageId) -> Result<Option<QueueEntry>, StoreError> {
        read!(self, queue_entry(id))
    }

    async fn queued(&self, accounts: &[Name]) -> Result<Vec<u64>, StoreError> {
        read!(self, queued(accounts))
    }

    async fn queue_depths(&self) -> Result<Vec<(Name, u64)>, StoreError> {
        read!(self, queue_depths())
    }

    async fn overdue(&self, by: Timestamp, limit: usize) -> Result<Vec<MessageId>, StoreError> {
        read!(self, overdue(by, limit))
    }

    async fn latest_under(&self, keys: &[SupersedeKey]) -> Result<Vec<Option<MessageId>>, StoreError> {
        read!(self, latest_under(keys))
    }

    async fn remote_ids(&self, keys: &[RemoteKey]) -> Result<Vec<Option<PartRef>>, StoreError> {
        read!(self, remote_ids(keys))
    }

    async fn idempotency(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyAnswer>, StoreError> {
        let now = self.now();
        read!(self, idempotency(key, now))
    }

    async fn batch(&self, id: BatchId) -> Result<Option<(Batch, BatchCounts)>, StoreError> {
        read!(self, batch(id))
    }

    async fn batches_unfinished(&self) -> Result<Vec<BatchId>, StoreError> {
        read!(self, batches_unfinished())
    }

    async fn batch_is_open(&self, id: BatchId) -> Result<bool, StoreError> {
        read!(self, batch_is_open(id))
    }

    async fn batches_in(&self, phase: BatchPhase) -> Result<Vec<Batch>, StoreError> {
        read!(self, batches_in(phase))
    }

    async fn delivery_page(
        &self,
        endpoint: &str,
        after: Option<(Timestamp, DeliveryId)>,
        due_by: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        read!(self, delivery_page(endpoint, after, due_by, limit))
    }

    async fn deliveries_retrying(&self, endpoint: &str) -> Result<Vec<Delivery>, StoreError> {
        read!(self, deliveries_retrying(endpoint))
    }

    async fn delivery_next_due(&self, endpoint: &str, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        read!(self, delivery_next_due(endpoint, after))
    }

    async fn delivery_endpoints(&self) -> Result<Vec<Name>, StoreError> {
        read!(self, delivery_endpoints())
    }

    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        read!(self, deliveries(filter, before, limit))
    }

    async fn parked(&self, before: Option<MessageId>, limit: usize) -> Result<Vec<ParkedReceipt>, StoreError> {
        read!(self, parked(before, limit))
    }

    async fn parked_for(&self, keys: &[RemoteKey]) -> Result<Vec<ParkedReceipt>, StoreError> {
        read!(self, parked_for(keys))
    }

    async fn mo_parts(&self) -> Result<Vec<MoPart>, StoreError> {
        read!(self, mo_parts())
    }

    async fn opt_outs(
        &self,
        filter: &OptOutFilter,
        before: Option<OptOutId>,
        limit: usize,
    ) -> Result<Vec<OptOut>, StoreError> {
        read!(self, opt_outs(filter, before, limit))
    }

    async fn schedules(
        &self,
        filter: &ScheduleFilter,
        before: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        read!(self, schedules(filter, before, limit))
    }

    async fn schedules_due(&self, by: Timestamp, limit: usize) -> Result<Vec<Schedule>, StoreError> {
        read!(self, schedules_due(by, limit))
    }

    async fn schedule_count(&self, account: &str) -> Result<u64, StoreError> {
        read!(self, schedule_count(account))
    }

    async fn schedule_messages(&self, id: ScheduleId) -> Result<Option<Arc<str>>, StoreError> {
        read!(self, schedule_messages(id))
    }

    async fn groups(
        &self,
        filter: &GroupFilter,
        after: Option<&GroupKey>,
        limit: usize,
    ) -> Result<Vec<(Group, u64)>, StoreError> {
        read!(self, groups(filter, after, limit))
    }

    async fn members(
        &self,
        group: &GroupKey,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        read!(self, members(group, after, limit))
    }

    async fn member(&self, group: &GroupKey, phone: &Address) -> Result<Option<Member>, StoreError> {
        read!(self, member(group, phone))
    }

    async fn group_tasks(&self, limit: usize) -> Result<Vec<GroupTask>, StoreError> {
        read!(self, group_tasks(limit))
    }

    async fn tallies(&self, owners: &[Name]) -> Result<Vec<TallyRow>, StoreError> {
        read!(self, tallies(owners))
    }

    async fn ledger(
        &self,
        account: &str,
        before: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        read!(self, ledger(account, before, limit))
    }

    async fn resources(&self) -> Result<Resources, StoreError> {
        read!(self, resources())
    }

    async fn resources_version(&self) -> Result<u64, StoreError> {
        read!(self, resources_version())
    }

    async fn change_resources(
        &self,
        changes: Vec<ResourceChange>,
        expected: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        let changes = &*changes;
        let work =
            |connection: Arc<Connection>| async move { write::change_resources(&connection, changes, expected).await };
        self.inner.writing(work).await
    }

    async fn take_lease(&self, name: &str, holder: &str, ttl_millis: i64) -> Result<Option<Lease>, StoreError> {
        let now = self.inner.set_time();
        let work = |connection: Arc<Connection>| async move {
            write::take_lease(&connection, (name, holder), ttl_millis, now).await
        };
        self.inner.writing(work).await
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let now = self.inner.set_time();
        let work = |connection: Arc<Connection>| async move { write::release_lease(&connection, lease, now).await };
        self.inner.writing(work).await
    }

    async fn forget_messages(&self, before: Timestamp) -> Result<u64, StoreError> {
        forget::messages(&self.inner, before).await
    }

    async fn forget_texts(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        forget::texts(&self.inner, before, limit).await
    }

    async fn roll_up_ledger(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        roll_up::ledger(&self.inner, before, limit).await
    }

    async fn forget_schedules(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        forget::schedules(&self.inner, before, limit).await
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        forget::expired(&self.inner, now).await
    }
}
