//! What one commit writes.

use std::sync::Arc;

use model::{
    BatchId, Body, Delivery, DeliveryId, GroupChange, LedgerEntry, Message, MessageId, Name, OptOut, OptOutKey,
    Receipt, Schedule, ScheduleId, Timestamp,
};

use crate::claims::{Claim, TallyRow};
use crate::fleet::Mail;
use crate::lease::Fence;
use crate::query::PartRef;

/// One commit. Within it, everything happens at once; a row that is both put and taken away ends
/// as the later list of this struct says.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Leases that must still be held for any of this to be written.
    pub fences: Vec<Fence>,
    /// Answers kept under idempotency keys. A key that is taken stops the whole commit.
    pub answers: Vec<(IdempotencyKey, IdempotencyAnswer)>,
    /// Schedules that are made, step on, or go. One whose revision is not what was expected stops the whole
    /// commit.
    pub schedules: Vec<ScheduleChange>,
    /// Batches that were taken in.
    pub batches: Vec<Batch>,
    /// Batches of which something else is wanted now.
    pub batch_phases: Vec<(BatchId, BatchPhase)>,
    /// Batches whose messages have all ended, and when. One that was finished before is left as it is.
    pub batches_finished: Vec<(BatchId, Timestamp)>,
    /// New messages. One whose id is there already is left as it is, so that a commit can be
    /// repeated.
    pub insert: Vec<NewMessage>,
    /// Bodies that are put in place of those that are there: [`Changes::update`] writes none. Only what
    /// a [`Replacement`](model::Replacement) may change is written, and the deadline moves along. One
    /// whose message is not there is left out.
    pub bodies: Vec<Arc<Body>>,
    /// Messages whose progress changed; only the progress is written.
    pub update: Vec<Message>,
    /// Queue entries that are gone.
    pub dequeue: Vec<QueueEntry>,
    /// Queue entries that are new.
    pub enqueue: Vec<QueueEntry>,
    /// Remote ids that parts were given. One that is there already now means the new part.
    pub remote_ids: Vec<RemoteId>,
    /// Remote ids that no receipt is expected for any more.
    pub remote_ids_done: Vec<RemoteKey>,
    /// Deliveries that were taken, or that are written anew by `deliveries`.
    pub deliveries_done: Vec<DeliveryKey>,
    /// Deliveries that are new or have changed.
    pub deliveries: Vec<Delivery>,
    /// Parked receipts that were matched or given up.
    pub parked_done: Vec<ParkedReceipt>,
    /// Receipts that no message was found for.
    pub parked: Vec<ParkedReceipt>,
    /// MO parts that became part of a message.
    pub mo_parts_done: Vec<MoPartKey>,
    /// MO parts that wait for the rest.
    pub mo_parts: Vec<MoPart>,
    /// Opt-outs that are taken back.
    pub opt_outs_done: Vec<OptOutKey>,
    /// New opt-outs. One whose key is there already is left as it is.
    pub opt_outs: Vec<OptOut>,
    /// What happens to groups, in this order.
    pub groups: Vec<GroupChange>,
    /// What the new messages take of accounts. One that is not met stops the whole commit.
    pub claims: Vec<Claim>,
    /// Movements of money that nothing stands against. One that is there already is left as it is.
    pub entries: Vec<LedgerEntry>,
    /// Numbers that are put as they are.
    pub tallies: Vec<TallyRow>,
    /// What is written to whoever holds a slot; of a store with a [`Fleet`](crate::Fleet) only. Mail whose id is
    /// there already is left as it is, so that a commit can be repeated.
    pub mail: Vec<Mail>,
    /// Mail that this commit does what it says, by its ids.
    pub mail_done: Vec<MessageId>,
}

impl Changes {
    /// Takes everything out. The room stays, for the next commit.
    pub fn clear(&mut self) {
        let Self {
            fences,
            answers,
            schedules,
            batches,
            batch_phases,
            batches_finished,
            insert,
            bodies,
            update,
            dequeue,
            enqueue,
            remote_ids,
            remote_ids_done,
            deliveries_done,
            deliveries,
            parked_done,
            parked,
            mo_parts_done,
            mo_parts,
            opt_outs_done,
            opt_outs,
            groups,
            claims,
            entries,
            tallies,
            mail,
            mail_done,
        } = self;
        fences.clear();
        answers.clear();
        schedules.clear();
        batches.clear();
        batch_phases.clear();
        batches_finished.clear();
        insert.clear();
        bodies.clear();
        update.clear();
        dequeue.clear();
        enqueue.clear();
        remote_ids.clear();
        remote_ids_done.clear();
        deliveries_done.clear();
        deliveries.clear();
        parked_done.clear();
        parked.clear();
        mo_parts_done.clear();
        mo_parts.clear();
        opt_outs_done.clear();
        opt_outs.clear();
        groups.clear();
        claims.clear();
        entries.clear();
        tallies.clear();
        mail.clear();
        mail_done.clear();
    }

    /// Is there nothing to write?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
            && self.schedules.is_empty()
            && self.batches.is_empty()
            && self.batch_phases.is_empty()
            && self.batches_finished.is_empty()
            && self.insert.is_empty()
            && self.bodies.is_empty()
            && self.update.is_empty()
            && self.dequeue.is_empty()
            && self.enqueue.is_empty()
            && self.remote_ids.is_empty()
            && self.remote_ids_done.is_empty()
            && self.deliveries_done.is_empty()
            && self.deliveries.is_empty()
            && self.parked_done.is_empty()
            && self.parked.is_empty()
            && self.mo_parts_done.is_empty()
            && self.mo_parts.is_empty()
            && self.opt_outs_done.is_empty()
            && self.opt_outs.is_empty()
            && self.groups.is_empty()
            && self.mail.is_empty()
            && self.mail_done.is_empty()
            && !self.touches_accounts()
    }

    /// Does it move what accounts have or use?
    #[must_use]
    pub fn touches_accounts(&self) -> bool {
        !(self.claims.is_empty() && self.entries.is_empty() && self.tallies.is_empty())
    }
}

/// A message that is written for the first time, with its place in the queue if it is to be sent.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The message.
    pub message: Message,
    /// Where it waits.
    pub queue: Option<QueueEntry>,
}

/// A place in a connector's queue. The whole of it is the key, so that it is found without a
/// search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueEntry {
    /// The connector that is to send it.
    pub connector: Name,
    /// The slice of the connector's queue that one node owns at a time.
    pub shard: u16,
    /// 0 to 3; 3 goes first.
    pub priority: u8,
    /// Whose message it is.
    pub account: Name,
    /// Not before this.
    pub due: Timestamp,
    /// The message.
    pub id: MessageId,
}

/// A carrier's id for a part, as receipts are looked up by: normalised by the engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteKey {
    /// The connector whose id it is.
    pub connector: Name,
    /// The id in its normal form.
    pub id: Arc<str>,
}

/// Which part a remote id means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteId {
    /// The id.
    pub key: RemoteKey,
    /// The part.
    pub part: PartRef,
    /// After this no receipt is expected.
    pub expires_at: Timestamp,
}

/// A client's key for a request that it may repeat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// Whose key it is.
    pub account: Name,
    /// The key, as the client wrote it.
    pub key: Box<str>,
}

/// What an application names messages by that take each other's place: the newest counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupersedeKey {
    /// Whose key it is.
    pub account: Name,
    /// The key, as the application wrote it.
    pub key: Box<str>,
    /// The recipient, normalised.
    pub to: Box<str>,
}

impl SupersedeKey {
    /// What a message is named by, if it is.
    #[must_use]
    pub fn of(body: &Body) -> Option<Self> {
        let key = body.supersede_key.clone()?;
        Some(Self { account: body.account.clone(), key, to: body.to.as_str().into() })
    }
}

/// What a request under an idempotency key was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyAnswer {
    /// SHA-256 over what was asked; another body under the same key is a mistake.
    pub fingerprint: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The body, as it was sent.
    pub body: Arc<str>,
    /// After this the key may be used anew.
    pub expires_at: Timestamp,
}

/// A change of a schedule, made by somebody who has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleChange {
    /// The schedule.
    pub id: ScheduleId,
    /// The revision that was seen; 0 is none: there is no such schedule yet.
    pub seen: u64,
    /// The schedule as it is from now on, under a revision of its own; `None` takes it away.
    pub put: Option<Schedule>,
    /// Its messages as JSON, where they are new.
    pub messages: Option<Arc<str>>,
}

/// Messages that were handed in together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// Whose it is.
    pub account: Name,
    /// How many messages were accepted.
    pub accepted: u64,
    /// How many were refused.
    pub rejected: u64,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// What is wanted of it.
    pub phase: BatchPhase,
    /// When all its messages had ended.
    pub finished_at: Option<Timestamp>,
    /// All of it was handed in; of one that comes in chunks, with the last of them.
    pub complete: bool,
    /// What all its lines come to, of one that can be gone on with.
    pub digest: Option<[u8; 32]>,
}

impl Batch {
    /// What becomes of a batch that is put again, with more of it: it has not ended any more. What is
    /// wanted of it stays, and a commit that comes late changes nothing.
    pub fn grow(&mut self, newer: Self) {
        if newer.accepted + newer.rejected >= self.accepted + self.rejected {
            *self = Self { phase: self.phase, created_at: self.created_at, finished_at: None, ..newer };
        }
    }
}

/// What is wanted of a batch, and whether all its messages know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BatchPhase {
    /// Its messages go out.
    #[default]
    Running,
    /// Those that wait are being put aside.
    Pausing,
    /// Those that waited are put aside.
    Paused,
    /// Those that were put aside are being queued again.
    Resuming,
    /// Those that wait are being canceled.
    Canceling,
    /// Those that waited were canceled.
    Canceled,
}

impl BatchPhase {
    /// Every phase, in the order of their numbers in the store.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Pausing, Self::Paused, Self::Resuming, Self::Canceling, Self::Canceled];
}

/// The key of a delivery's row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// Its lane.
    pub endpoint: Name,
    /// Its due time, as it is stored now.
    pub due: Timestamp,
    /// Its id.
    pub id: DeliveryId,
}

impl From<&Delivery> for DeliveryKey {
    fn from(delivery: &Delivery) -> Self {
        Self { endpoint: delivery.endpoint.clone(), due: delivery.due, id: delivery.id }
    }
}

/// A receipt that no message was found for, kept for a while in case the message shows up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedReceipt {
    /// An id of its own, made when it came.
    pub id: MessageId,
    /// What it was looked up by.
    pub key: RemoteKey,
    /// The remote id as the carrier wrote it.
    pub remote_id: Box<str>,
    /// What it says.
    pub receipt: Receipt,
    /// The phone that it is about, if it was named.
    pub phone: Box<str>,
    /// When it came.
    pub received_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// The key of an MO part: (whose message, which part of it).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoPartKey {
    /// The connector that it came over.
    pub connector: Name,
    /// Sender and recipient as the carrier wrote them, joined by a space.
    pub addresses: Box<str>,
    /// The reference number that the parts share.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which one, counted from 1.
    pub sequence: u8,
}

/// A part of an incoming message that waits for the others.
#[derive(Clone, Debug, PartialEq)]
pub struct MoPart {
    /// Its key.
    pub key: MoPartKey,
    /// The part as a message of its own, as it would be given out if the rest never came.
    pub body: Arc<Body>,
    /// When the set is given out with what came.
    pub expires_at: Timestamp,
}
