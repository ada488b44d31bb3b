//! The embedded store: one SQLite file.
//!
//! **Writing.** Everything that writes is a task for one thread with one connection. Tasks that
//! wait share a transaction and its `fsync`, and still succeed or fail each on its own. The file
//! is in WAL mode with `synchronous=FULL`: what was committed survives `kill -9` and power loss.
//! A disk that is full or a file that can't be written fails commits with
//! [`StoreError::Unavailable`]; when the cause is gone, commits go through again. Another process
//! may read and write beside the gateway; its locks are waited for up to five seconds.
//!
//! **Reading.** A few read-only connections, each used by one call at a time on a blocking thread.
//! A call sees one state of the store from beginning to end, and never waits for the writer.
//!
//! **Rows.** Messages lie in one table for each UTC day of their ids (`message_20261122`), with
//! plain columns, small numbers for words, and JSON for parts, events, tags and reasons. The view
//! `message` joins the days and shows the words, for people with any SQLite tool. Four things keep
//! writing cheap, for what costs most is the number of pages that a commit touches:
//!
//! * keys that rise with time, so rows land at the right edge of their tables;
//! * integers as keys of what has long rows (`key`), so that inner pages hold keys and no rows;
//! * indexes by recipient and reference that begin with a *slot* (`days::Slots`) of about 2048
//!   messages, so that only the pages of the newest slot are touched, however long the day;
//! * a timeline that is filled up with spaces to its likely end, so that updates overwrite rows in
//!   place. It is JSON all the same.
//!
//! The place of a message in the queue stands in the queue's key, and as a hint in the message's
//! row, so that it is found without an index of its own; the hint counts only while the queue has
//! the entry.
//!
//! **Memory** is bounded by the page caches, 24 MiB in all. A process that had written a million
//! queued messages had the same resident size as one that had written none, and each step cost the
//! same. **Retention** takes a day out of sight by renaming its table and dropping its
//! indexes in one transaction, then empties it in small ones, between which commits have their turn.
//!
//! # Measured
//!
//! `cargo bench -p store-sqlite`, on two cores that were busy with compilers at the same time, so
//! these are upper bounds; microseconds of CPU of the whole process for one message:
//!
//! | messages a commit | accept | sent | receipt | notified | whole life |
//! |---|---|---|---|---|---|
//! | 1 | 170–240 | 130 | 130–170 | 90 | 560–720 |
//! | 16 | 27 | 17–22 | 32 | 12 | 90–120 |
//! | 256 | 10–12 | 6–8 | 13–15 | 5–6 | 35–45 |
//! | 10,000 | 6–7 | | | | |
//!
//! * One `fsync` costs 70 µs of CPU there, which is what commits of one message pay for. Nearly half
//!   of the rest is the kernel's: two `pwrite` a page for the log, one for the checkpoint.
//! * In user mode a whole life takes about 160,000 instructions (callgrind): 47,000 to insert into
//!   five trees, 60,000 for two updates and the queue, 36,000 for the delivery, 15,000 for the remote
//!   id, 20,000 for commits.
//! * Remote ids at random instead of counting up cost 17 µs more at 256 a commit: each touches
//!   another page, when it comes and when it goes.
//! * Pages of 8 KiB measured the same for large commits and 20% worse for single ones.

mod checkpoint;
mod connection;
mod days;
mod decode;
mod error;
mod forget;
mod key;
mod queued;
mod read;
mod roll_up;
mod schema;
mod write;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use model::{
    Address, BatchId, Delivery, DeliveryId, Group, GroupKey, GroupTask, LedgerEntry, LedgerId, Member, Message,
    MessageId, Name, OptOut, OptOutId, Schedule, ScheduleId, Timestamp,
};
use store::{
    Batch, BatchCounts, BatchPhase, Changes, CommitError, DeliveryFilter, GroupFilter, IdempotencyAnswer,
    IdempotencyKey, Lease, MessageFilter, MoPart, OptOutFilter, ParkedReceipt, PartRef, QueueEntry, QueueLane,
    QueuePage, QueueRead, RemoteKey, ResourceChange, Resources, ScheduleFilter, Store, StoreError, SupersedeKey,
    TallyRow,
};

pub use error::OpenError;
use read::Readers;
use write::Writer;

/// A clock: what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// The store's clock; the system's by default.
    pub clock: Clock,
    /// How many calls may read at the same time, each with a connection of its own.
    pub readers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Arc::new(system_clock), readers: 4 }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("readers", &self.readers).finish_non_exhaustive()
    }
}

fn system_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A store in one SQLite file. Dropping it waits for commits that were begun.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    clock: Clock,
}

impl SqliteStore {
    /// Opens the file at `path`, which is made if it is not there; its directory must be.
    ///
    /// Blocks while it reads the file and, for a file of an older version, while it is brought up
    /// to date.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let mut db = connection::for_writing(path)?;
        schema::migrate(&mut db)?;
        let writer = Writer::start(db, path)?;
        Ok(Self { writer, readers: Readers::new(path, options.readers), clock: options.clock })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    async fn commit_shared(&self, changes: Arc<Changes>) -> Result<(), CommitError> {
        if changes.is_empty() && changes.fences.is_empty() {
            return Ok(());
        }
        if !(changes.mail.is_empty() && changes.mail_done.is_empty()) {
            return Err(StoreError::Unavailable("it is one node's own and carries no mail between nodes".into()).into());
        }
        let clock = self.clock.clone();
        self.writer.run(move |desk| write::commit(desk, &changes, clock())).await?
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        let ids = ids.to_vec();
        self.readers.run(move |reader| read::messages(reader, &ids)).await
    }

    async fn search(
        &self,
        filter: &MessageFilter,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<MessageId>), StoreError> {
        let filter = filter.clone();
        self.readers.run(move |reader| read::search(reader, &filter, before, limit)).await
    }

    async fn queue_accounts(
        &self,
        lane: &QueueLane,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Name, Timestamp)>, StoreError> {
        let (lane, after) = (lane.clone(), after.map(str::to_owned));
        self.readers.run(move |reader| read::queue_accounts(reader, &lane, after.as_deref(), limit)).await
    }

    async fn queue_pages(
        &self,
        lane: &QueueLane,
        reads: &[QueueRead],
        due_by: Timestamp,
    ) -> Result<Vec<QueuePage>, StoreError> {
        let (lane, reads) = (lane.clone(), reads.to_vec());
        self.readers.run(move |reader| read::queue_pages(reader, &lane, &reads, due_by)).await
    }

    async fn queue_entry(&self, id: MessageId) -> Result<Option<QueueEntry>, StoreError> {
        self.readers.run(move |reader| read::queue_entry(reader, id)).await
    }

    async fn queued(&self, accounts: &[Name]) -> Result<Vec<u64>, StoreError> {
        let accounts = accounts.to_vec();
        self.readers.run(move |reader| Ok(queued::count(&reader.db, &accounts)?)).await
    }

    async fn queue_depths(&self) -> Result<Vec<(Name, u64)>, StoreError> {
        self.readers.run(read::queue_depths).await
    }

    async fn overdue(&self, by: Timestamp, limit: usize) -> Result<Vec<MessageId>, StoreError> {
        self.readers.run(move |reader| read::overdue(reader, by, limit)).await
    }

    async fn latest_under(&self, keys: &[SupersedeKey]) -> Result<Vec<Option<MessageId>>, StoreError> {
        let keys = keys.to_vec();
        self.readers.run(move |reader| read::latest_under(reader, &keys)).await
    }

    async fn remote_ids(&self, keys: &[RemoteKey]) -> Result<Vec<Option<PartRef>>, StoreError> {
        let keys = keys.to_vec();
        self.readers.run(move |reader| read::remote_ids(reader, &keys)).await
    }

    async fn idempotency(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyAnswer>, StoreError> {
        let (key, now) = (key.clone(), self.now());
        self.readers.run(move |reader| read::idempotency(reader, &key, now)).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<(Batch, BatchCounts)>, StoreError> {
        self.readers.run(move |reader| read::batch(reader, id)).await
    }

    async fn batches_unfinished(&self) -> Result<Vec<BatchId>, StoreError> {
        self.readers.run(read::batches_unfinished).await
    }

    async fn batch_is_open(&self, id: BatchId) -> Result<bool, StoreError> {
        self.readers.run(move |reader| read::batch_is_open(reader, id)).await
    }

    async fn batches_in(&self, phase: BatchPhase) -> Result<Vec<Batch>, StoreError> {
        self.readers.run(move |reader| read::batches_in(reader, phase)).await
    }

    async fn delivery_page(
        &self,
        endpoint: &str,
        after: Option<(Timestamp, DeliveryId)>,
        due_by: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let endpoint = endpoint.to_owned();
        self.readers.run(move |reader| read::delivery_page(reader, &endpoint, after, due_by, limit)).await
    }

    async fn deliveries_retrying(&self, endpoint: &str) -> Result<Vec<Delivery>, StoreError> {
        let endpoint = endpoint.to_owned();
        self.readers.run(move |reader| read::deliveries_retrying(reader, &endpoint)).await
    }

    async fn delivery_next_due(&self, endpoint: &str, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let endpoint = endpoint.to_owned();
        self.readers.run(move |reader| read::delivery_next_due(reader, &endpoint, after)).await
    }

    async fn delivery_endpoints(&self) -> Result<Vec<Name>, StoreError> {
        self.readers.run(read::delivery_endpoints).await
    }

    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |reader| read::deliveries(reader, &filter, before, limit)).await
    }

    async fn parked(&self, before: Option<MessageId>, limit: usize) -> Result<Vec<ParkedReceipt>, StoreError> {
        self.readers.run(move |reader| read::parked(reader, before, limit)).await
    }

    async fn parked_for(&self, keys: &[RemoteKey]) -> Result<Vec<ParkedReceipt>, StoreError> {
        let keys = keys.to_vec();
        self.readers.run(move |reader| read::parked_for(reader, &keys)).await
    }

    async fn mo_parts(&self) -> Result<Vec<MoPart>, StoreError> {
        self.readers.run(read::mo_parts).await
    }

    async fn opt_outs(
        &self,
        filter: &OptOutFilter,
        before: Option<OptOutId>,
        limit: usize,
    ) -> Result<Vec<OptOut>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |reader| read::opt_outs(reader, &filter, before, limit)).await
    }

    async fn schedules(
        &self,
        filter: &ScheduleFilter,
        before: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |reader| read::schedules(reader, &filter, before, limit)).await
    }

    async fn schedules_due(&self, by: Timestamp, limit: usize) -> Result<Vec<Schedule>, StoreError> {
        self.readers.run(move |reader| read::schedules_due(reader, by, limit)).await
    }

    async fn schedule_count(&self, account: &str) -> Result<u64, StoreError> {
        let account = account.to_owned();
        self.readers.run(move |reader| read::schedule_count(reader, &account)).await
    }

    async fn schedule_messages(&self, id: ScheduleId) -> Result<Option<Arc<str>>, StoreError> {
        self.readers.run(move |reader| read::schedule_messages(reader, id)).await
    }

    async fn groups(
        &self,
        filter: &GroupFilter,
        after: Option<&GroupKey>,
        limit: usize,
    ) -> Result<Vec<(Group, u64)>, StoreError> {
        let (filter, after) = (filter.clone(), after.cloned());
        self.readers.run(move |reader| read::groups(reader, &filter, after.as_ref(), limit)).await
    }

    async fn members(
        &self,
        group: &GroupKey,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let (group, after) = (group.clone(), after.cloned());
        self.readers.run(move |reader| read::members(reader, &group, after.as_ref(), limit)).await
    }

    async fn member(&self, group: &GroupKey, phone: &Address) -> Result<Option<Member>, StoreError> {
        let (group, phone) = (group.clone(), phone.clone());
        self.readers.run(move |reader| read::member(reader, &group, &phone)).await
    }

    async fn group_tasks(&self, limit: usize) -> Result<Vec<GroupTask>, StoreError> {
        self.readers.run(move |reader| read::group_tasks(reader, limit)).await
    }

    async fn tallies(&self, owners: &[Name]) -> Result<Vec<TallyRow>, StoreError> {
        let owners = owners.to_vec();
        self.readers.run(move |reader| read::tallies(reader, &owners)).await
    }

    async fn ledger(
        &self,
        account: &str,
        before: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let account = account.to_owned();
        self.readers.run(move |reader| read::ledger(reader, &account, before, limit)).await
    }

    async fn resources(&self) -> Result<Resources, StoreError> {
        self.readers.run(read::resources).await
    }

    async fn resources_version(&self) -> Result<u64, StoreError> {
        self.readers.run(read::resources_version).await
    }

    async fn change_resources(
        &self,
        changes: Vec<ResourceChange>,
        expected: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        self.writer.run(move |desk| write::change_resources(desk, &changes, expected)).await
    }

    async fn take_lease(&self, name: &str, holder: &str, ttl_millis: i64) -> Result<Option<Lease>, StoreError> {
        let (name, holder, clock) = (name.to_owned(), holder.to_owned(), self.clock.clone());
        self.writer.run(move |desk| write::take_lease(desk, &name, &holder, clock(), ttl_millis)).await
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let (lease, clock) = (lease.clone(), self.clock.clone());
        self.writer.run(move |desk| write::release_lease(desk, &lease, clock())).await
    }

    async fn forget_messages(&self, before: Timestamp) -> Result<u64, StoreError> {
        forget::messages(&self.writer, &self.readers, before).await
    }

    async fn forget_texts(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        forget::texts(&self.writer, &self.readers, before, limit).await
    }

    async fn roll_up_ledger(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        roll_up::ledger(&self.writer, &self.readers, before, limit).await
    }

    async fn forget_schedules(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        forget::schedules(&self.writer, &self.readers, before, limit).await
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        forget::expired(&self.writer, &self.readers, now).await
    }
}

#[cfg(test)]
mod fault_tests;
