//! What the gateway keeps, and the one trait that every store implements.
//!
//! The engine decides; a store remembers. All writing of the engine goes through
//! [`Store::commit`]: one [`Changes`], applied whole and durably or not at all. Nothing else
//! changes a message, so a crash at any point leaves either the state before a commit or after it.
//!
//! What a store holds, and by which key it is read:
//!
//! * **messages** by id, and by what operators search for ([`MessageFilter`]). Rows belong to the
//!   day in their id, so that a day can be dropped whole ([`Store::forget_messages`]).
//! * the **queue**: what is still to be sent, ordered by `(connector, shard, priority, account, due, id)`,
//!   so that each account's messages are read on by themselves, however many others have. Only the holder
//!   of the shard's lease reads it, so reading never writes.
//! * **deadlines**: when each message that has not ended expires. Kept by the store itself from
//!   the messages that are written.
//! * **supersede keys**: which message an application put last under a key of its own. Kept by the store
//!   itself, too: one row a key, from the commit that puts the message until it ends.
//! * **remote ids**: which part a receipt is for.
//! * **deliveries**: what is owed to accounts, ordered by `(endpoint, due, id)`.
//! * **parked receipts** that came before their message, and **MO parts** that wait for the rest.
//! * **groups** and their members by name and phone, and what is still to be done with them.
//! * **tallies** and the **ledger**: what accounts have and use, moved by claims ([`Claim`]).
//! * **schedules**: what is sent again and again, by when it is due. A change of one names the revision
//!   that it follows, and is refused with its whole commit if there is another.
//! * **idempotency answers**, **batches**, **resources**, **leases**.
//! * what nodes of a [`Fleet`] hold, and **mail** from one to another; of stores that several nodes can work on.
//!
//! [`conformance`] says what all this means, as tests that every implementation must pass.
//! [`MemoryStore`] is the smallest one.

mod changes;
mod claims;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod encoding;
mod fleet;
mod lease;
mod memory;
mod query;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use model::resources::Kind;
use model::{
    Address, BatchId, Delivery, DeliveryId, Group, GroupKey, GroupTask, LedgerEntry, LedgerId, Member, Message,
    MessageId, Name, OptOut, OptOutId, Schedule, ScheduleId, Timestamp,
};

pub use changes::{
    Batch, BatchPhase, Changes, DeliveryKey, IdempotencyAnswer, IdempotencyKey, MoPart, MoPartKey, NewMessage,
    ParkedReceipt, QueueEntry, RemoteId, RemoteKey, ScheduleChange, SupersedeKey,
};
pub use claims::{AccountRows, ChargeClaim, Claim, QueueClaim, QuotaClaim, Settled, Short, Tally, TallyRow, settle};
pub use fleet::{Fleet, MEMBERSHIP, Mail, Node, Slot};
pub use lease::{Fence, Lease};
pub use memory::MemoryStore;
pub use query::{
    BatchCounts, DeliveryFilter, GroupFilter, MessageFilter, OptOutFilter, PartRef, QueueLane, QueuePage, QueueRead,
    QueuedMessage, ResourceChange, Resources, ScheduleFilter, Shards,
};

/// Where the gateway's state is kept. Cheap to share; every method may be called at any time from
/// any task.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The store's clock. Due times, deadlines and leases compare with this one only.
    fn now(&self) -> Timestamp;

    /// What nodes do together on this store; `None` if it is one node's own.
    fn fleet(self: Arc<Self>) -> Option<Arc<dyn Fleet>> {
        None
    }

    /// Applies `changes` in one transaction that is on disk when this returns `Ok`. On an error
    /// nothing of it was applied. Reads that start after the return see it. No store keeps the
    /// changes longer than the call, so the caller may have them back.
    async fn commit_shared(&self, changes: Arc<Changes>) -> Result<(), CommitError>;

    /// [`commit_shared`](Self::commit_shared), for callers that need the changes no more.
    async fn commit(&self, changes: Changes) -> Result<(), CommitError> {
        self.commit_shared(Arc::new(changes)).await
    }

    /// The messages with these ids, in any order; ids that are not there are left out.
    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError>;

    /// Messages that pass `filter`, newest first, strictly older than `before`, at most `limit`.
    /// May look at a bounded number of rows only: then fewer than `limit` come back together with
    /// the id to go on from; `None` says that the end was reached.
    async fn search(
        &self,
        filter: &MessageFilter,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<MessageId>), StoreError>;

    /// Accounts that have entries in `lane`, each once, with the due time of its first one; ordered by name,
    /// octet by octet, strictly after `after`, at most `limit`. Costs by the account, not by the entry.
    async fn queue_accounts(
        &self,
        lane: &QueueLane,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Name, Timestamp)>, StoreError>;

    /// What is due in `lane` by `due_by`: a page for each of `reads`, in their order, and all of one
    /// moment.
    async fn queue_pages(
        &self,
        lane: &QueueLane,
        reads: &[QueueRead],
        due_by: Timestamp,
    ) -> Result<Vec<QueuePage>, StoreError>;

    /// The queue entry of a message, if it is still to be sent.
    async fn queue_entry(&self, id: MessageId) -> Result<Option<QueueEntry>, StoreError>;

    /// How many messages of each of `accounts` are in queues, those that are due later among them.
    async fn queued(&self, accounts: &[Name]) -> Result<Vec<u64>, StoreError>;

    /// How many entries each connector's queue has.
    async fn queue_depths(&self) -> Result<Vec<(Name, u64)>, StoreError>;

    /// Messages that have not ended and whose deadline is at or before `by`, oldest deadline
    /// first, at most `limit`.
    async fn overdue(&self, by: Timestamp, limit: usize) -> Result<Vec<MessageId>, StoreError>;

    /// The message that was put last under each of `keys`, in the order of `keys`, unless it has ended. Of
    /// several that one commit puts it is the one with the highest id.
    async fn latest_under(&self, keys: &[SupersedeKey]) -> Result<Vec<Option<MessageId>>, StoreError>;

    /// Which part each of `keys` is the remote id of, in the order of `keys`.
    async fn remote_ids(&self, keys: &[RemoteKey]) -> Result<Vec<Option<PartRef>>, StoreError>;

    /// The first answer that was given under an idempotency key, if it is still kept.
    async fn idempotency(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyAnswer>, StoreError>;

    /// A batch as it was taken in.
    async fn batch(&self, id: BatchId) -> Result<Option<(Batch, BatchCounts)>, StoreError>;

    /// Batches that are not finished, in any order.
    async fn batches_unfinished(&self) -> Result<Vec<BatchId>, StoreError>;

    /// Has any message of this batch not ended yet?
    async fn batch_is_open(&self, id: BatchId) -> Result<bool, StoreError>;

    /// Every batch in this phase, oldest first.
    async fn batches_in(&self, phase: BatchPhase) -> Result<Vec<Batch>, StoreError>;

    /// Pending deliveries of `endpoint` that are due by `due_by`, ordered by due time and id,
    /// strictly after `after`.
    async fn delivery_page(
        &self,
        endpoint: &str,
        after: Option<(Timestamp, DeliveryId)>,
        due_by: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Pending deliveries of `endpoint` that were tried already: later ones of the same message
    /// must wait for them.
    async fn deliveries_retrying(&self, endpoint: &str) -> Result<Vec<Delivery>, StoreError>;

    /// The earliest due time of a pending delivery of `endpoint` that is later than `after`.
    async fn delivery_next_due(&self, endpoint: &str, after: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Endpoints that have pending deliveries.
    async fn delivery_endpoints(&self) -> Result<Vec<Name>, StoreError>;

    /// Deliveries that pass `filter`, newest first, strictly older than `before`.
    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Receipts that no message was found for, newest first, strictly older than `before`.
    async fn parked(&self, before: Option<MessageId>, limit: usize) -> Result<Vec<ParkedReceipt>, StoreError>;

    /// Parked receipts for these remote ids.
    async fn parked_for(&self, keys: &[RemoteKey]) -> Result<Vec<ParkedReceipt>, StoreError>;

    /// Every MO part that waits for the rest of its message.
    async fn mo_parts(&self) -> Result<Vec<MoPart>, StoreError>;

    /// Opt-outs that pass `filter`, newest first, strictly older than `before`.
    async fn opt_outs(
        &self,
        filter: &OptOutFilter,
        before: Option<OptOutId>,
        limit: usize,
    ) -> Result<Vec<OptOut>, StoreError>;

    /// Schedules that pass `filter`, newest first, strictly older than `before`.
    async fn schedules(
        &self,
        filter: &ScheduleFilter,
        before: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError>;

    /// Schedules that are to be looked at by `by`, the first first.
    async fn schedules_due(&self, by: Timestamp, limit: usize) -> Result<Vec<Schedule>, StoreError>;

    /// How many schedules an account has, those that have ended among them.
    async fn schedule_count(&self, account: &str) -> Result<u64, StoreError>;

    /// The messages of a schedule, as they were put.
    async fn schedule_messages(&self, id: ScheduleId) -> Result<Option<Arc<str>>, StoreError>;

    /// Groups that pass `filter` with the number of their members, ordered by account and name octet by
    /// octet, strictly after `after`, at most `limit`.
    async fn groups(
        &self,
        filter: &GroupFilter,
        after: Option<&GroupKey>,
        limit: usize,
    ) -> Result<Vec<(Group, u64)>, StoreError>;

    /// Members of a group, ordered by their numbers octet by octet, strictly after `after`, at most `limit`.
    async fn members(&self, group: &GroupKey, after: Option<&Address>, limit: usize)
    -> Result<Vec<Member>, StoreError>;

    /// The phone as a member of a group, if it is one.
    async fn member(&self, group: &GroupKey, phone: &Address) -> Result<Option<Member>, StoreError>;

    /// What is still to be done with groups, in the order of the messages from phones, at most `limit`.
    async fn group_tasks(&self, limit: usize) -> Result<Vec<GroupTask>, StoreError>;

    /// Every tally of these accounts and tokens, by owner and tally.
    async fn tallies(&self, owners: &[Name]) -> Result<Vec<TallyRow>, StoreError>;

    /// The movements of an account's money, newest first, strictly older than `before`.
    async fn ledger(
        &self,
        account: &str,
        before: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError>;

    /// All resources with the version of the whole.
    async fn resources(&self) -> Result<Resources, StoreError>;

    /// The version of the resources: it rises with every change, by whatever process.
    async fn resources_version(&self) -> Result<u64, StoreError>;

    /// Changes resources, all or none. With `expected`, only if the version is still that; the
    /// answer is the new version, or `None` if somebody else was first.
    async fn change_resources(
        &self,
        changes: Vec<ResourceChange>,
        expected: Option<u64>,
    ) -> Result<Option<u64>, StoreError>;

    /// Takes or keeps the lease `name` for `ttl_millis` from now. `None`: another holder has it.
    /// A new holder gets a higher epoch; the same holder keeps its own.
    async fn take_lease(&self, name: &str, holder: &str, ttl_millis: i64) -> Result<Option<Lease>, StoreError>;

    /// Gives a lease back before its time. Nothing happens if it is no longer held.
    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Drops the messages of days before `before`'s day, but for days that hold one that has not
    /// ended. Returns how many days went.
    async fn forget_messages(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Empties the texts of messages that ended and were made before `before`; at most `limit` of
    /// them, and returns how many. The text of a message that a restorable delivery tells of stays
    /// until that delivery is gone: its payload is made of it.
    async fn forget_texts(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Puts charges and refunds of days before `before`'s day into one entry of each day, account and kind
    /// ([`LedgerEntry::of_day`]); at most `limit` of them, and returns how many. Each step is a commit
    /// of its own, and no balance changes by it.
    async fn roll_up_ledger(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Drops schedules that ended before `before`, at most `limit` of them, and returns how many.
    async fn forget_schedules(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Drops idempotency answers, parked receipts and remote ids that have run out by `now`.
    async fn forget_expired(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// A store that did not do what it was asked. Never the fault of what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full, the file is read-only, the server is away: it may work again later.
    #[error("the store can't be used now: {0}")]
    Unavailable(String),
    /// What is stored can't be read: damaged, or written by a newer version.
    #[error("the store holds what can't be read: {0}")]
    Corrupt(String),
}

/// A commit that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Idempotency keys of these places in [`Changes::answers`] are taken. Leave their messages
    /// out and commit again.
    #[error("{} idempotency keys are taken already", .0.len())]
    KeysTaken(Vec<usize>),
    /// Accounts have too little for these claims. Leave their messages out and commit again.
    #[error("{} claims on accounts are not met", .0.len())]
    Short(Vec<Short>),
    /// Schedules of these places in [`Changes::schedules`] have another revision than was expected. Leave
    /// them and what belongs to them out and commit again.
    #[error("{} schedules were changed meanwhile", .0.len())]
    SchedulesMoved(Vec<usize>),
    /// A lease was lost: another node owns what was to be written.
    #[error("the lease {0} was lost")]
    Fenced(Name),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for dyn Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// One stored resource: its kind, its id, and its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The resource as JSON, secrets sealed.
    pub json: String,
}
