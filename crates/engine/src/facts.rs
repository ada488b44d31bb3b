//! Facts: everything that changes the store, on its way to the recorder.
//!
//! Ingresses, sessions, the notifier and the keeper each know one thing that has happened. They say
//! so here, in bounded groups, and the recorder alone turns facts into commits.

use std::sync::Arc;

use model::{
    BatchId, Delivery, DeliveryId, GroupChange, LedgerEntry, Message, MessageId, Name, OptOutKey, Receipt, Timestamp,
};
use store::{
    Batch, BatchPhase, Claim, DeliveryKey, IdempotencyAnswer, IdempotencyKey, MoPart, ParkedReceipt, PartRef,
    QueueEntry, RemoteKey, ScheduleChange, Short, TallyRow,
};
use tokio::sync::{mpsc, oneshot};

use crate::answers::ServiceAnswer;
use crate::batches::Step;
use crate::dispatch::{Ask, Incoming, Outcome, Told};
use crate::fleet::{Asked, Letter, RemoteAnswer, Slot};
use crate::group_tasks::TaskDone;
use crate::opt_outs::OptOutChange;
use crate::replace::Replacing;
use crate::rhythm::Hold;

/// The recorder's end of every channel.
pub(crate) type FactSender = mpsc::Sender<Facts>;

/// Facts that one sender knows at a time.
#[derive(Debug)]
pub(crate) struct Facts {
    /// In the order in which they happened.
    pub facts: Vec<Fact>,
    /// Whom to tell, and what, when all of them are durable.
    pub acknowledge: Option<(mpsc::UnboundedSender<Recorded>, Recorded)>,
}

/// What a sender of facts is told when they are durable.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The numbers that it gave to what it had received.
    pub acks: Vec<u64>,
    /// How many outcomes there were.
    pub outcomes: usize,
}

impl Facts {
    pub(crate) fn one(fact: Fact) -> Self {
        Self { facts: vec![fact], acknowledge: None }
    }

    /// How much work a group is.
    pub(crate) fn weight(&self) -> usize {
        let weight = |fact: &Fact| match fact {
            Fact::Accepted(acceptance) => acceptance.messages.len(),
            Fact::Groups { changes, .. } => changes.len(),
            Fact::GroupTask { done, .. } => done.weight(),
            Fact::Queued { places } => places.len(),
            _ => 1,
        };
        self.facts.iter().map(weight).sum()
    }
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Fact {
    /// An ingress accepted messages; it answers its client when they are durable.
    Accepted(Box<Acceptance>),
    /// A part ended, or has to be tried again.
    Outcome { connector: Name, message: MessageId, part: u8, outcome: Outcome },
    /// A carrier sent something.
    Incoming { connector: Name, incoming: Incoming },
    /// A part is about to be handed to a carrier that must never see it twice.
    Marked { connector: Name, message: MessageId, part: u8 },
    /// A part that was recorded as handed over was certainly not: its session gave it back.
    NotSent { connector: Name, message: MessageId, part: u8 },
    /// Somebody wants a message back.
    Cancel { message: MessageId, reply: oneshot::Sender<Result<Message, CancelRefused>> },
    /// Somebody wants something else sent instead of what a message says.
    Replace(Box<Replacing>),
    /// A carrier is about to be asked to replace a part.
    Asking { message: MessageId, part: u8, reply: oneshot::Sender<()> },
    /// A carrier answered what it was asked about parts of a message.
    Told {
        connector: Name,
        message: MessageId,
        ask: Ask,
        told: Vec<(u8, Told)>,
        reply: oneshot::Sender<Result<Message, CancelRefused>>,
    },
    /// A message waits in the queue of which a part was marked by a process that has ended, and never answered.
    Overlooked { message: MessageId },
    /// A message waits for a connector that is down or sick, and another one would take it.
    Move { message: MessageId, from: Name, to: Name },
    /// A message may not go yet, for a reason of its account.
    PutOff { connector: Name, message: MessageId, hold: Box<Hold> },
    /// Something else is wanted of a batch.
    Batch { batch: BatchId, phase: BatchPhase },
    /// All messages of a batch have ended, as was seen `at` this time and told so.
    BatchFinished { batch: BatchId, at: Timestamp, owed: Vec<Delivery> },
    /// What is wanted of a batch, for one of its messages.
    OfBatch { message: MessageId, step: Step },
    /// A message's deadline has passed.
    Overdue { message: MessageId },
    /// A delivery was taken, or will be tried again: its row goes, and perhaps comes back changed.
    Delivery { done: DeliveryKey, put: Option<Delivery> },
    /// The application that took a delivery answers the phone. In one group with the delivery's end.
    Answered { delivery: Arc<Delivery>, answer: Box<ServiceAnswer> },
    /// An account is owed an event that is not about a message.
    Owed { delivery: Delivery },
    /// An account's balance fell below what it is to be warned at, or is above it again.
    BalanceLow { account: Name, told: bool, owed: Vec<Delivery> },
    /// When tokens were used last, and which PINs were refused.
    Tallies { rows: Vec<TallyRow> },
    /// A connector came up or went down.
    Connector { connector: Name, event: ConnectorEvent },
    /// Somebody wants a phone to get nothing more, or to get messages again.
    OptOut { change: Box<OptOutChange>, reply: oneshot::Sender<()> },
    /// Groups change.
    Groups { changes: Vec<GroupChange>, reply: oneshot::Sender<()> },
    /// What a message from a phone wants of a group was done.
    GroupTask { done: Box<TaskDone>, reply: oneshot::Sender<()> },
    /// The parts of an MO have waited long enough, or a parked receipt has.
    Sweep,
    /// A receipt whose part is known already.
    Receipt { key: RemoteKey, part: PartRef, receipt: Receipt },
    /// A receipt that was parked belongs to this part.
    Unparked { parked: Box<ParkedReceipt>, part: PartRef },
    /// Parts of incoming messages wait in the store, wherever they came in.
    MoParts { parts: Vec<MoPart> },
    /// Another node has put these into slices of queues that this one has.
    Queued { places: Vec<QueueEntry> },
    /// Another node owes this to an endpoint that this one serves.
    OwedElsewhere { endpoint: Name, places: Vec<(Timestamp, DeliveryId)> },
    /// Another node has accepted a newer message that stands for this one.
    Superseded { message: MessageId, by: MessageId },
    /// Messages of these batches have ended at another node.
    Ended { batches: Vec<BatchId> },
    /// A phone has told another node that it wants nothing more, or wants it again.
    OptedElsewhere { key: OptOutKey, out: bool },
    /// Something is written to whoever has a slot.
    Post { slot: Slot, letter: Letter },
    /// Another node asks for something to be done with a message.
    Asked { message: MessageId, asked: Asked },
    /// What another node answered to what this one asked under this ticket.
    AnsweredElsewhere { ticket: u64, answer: RemoteAnswer },
    /// This node has let go of slices: what is remembered of their messages is out of date soon.
    ForgetOthers,
    /// What this mail says stands before it.
    MailDone { id: MessageId },
}

/// Messages that were accepted together, or money that an operator moved.
#[derive(Debug)]
pub(crate) struct Acceptance {
    pub messages: Vec<Message>,
    pub batch: Option<Batch>,
    pub answer: Option<(IdempotencyKey, IdempotencyAnswer)>,
    /// What it takes of accounts.
    pub claim: Option<Box<Claim>>,
    pub entry: Option<LedgerEntry>,
    /// The schedule that they are an occurrence of, as it steps on with them.
    pub schedule: Option<Box<ScheduleChange>>,
    pub reply: oneshot::Sender<Result<(), AcceptFailed>>,
}

impl Acceptance {
    /// Messages, and nothing with them.
    pub(crate) fn of(messages: Vec<Message>, reply: oneshot::Sender<Result<(), AcceptFailed>>) -> Self {
        Self { messages, batch: None, answer: None, claim: None, entry: None, schedule: None, reply }
    }

    /// All of it; what is left is nothing.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::of(Vec::new(), oneshot::channel().0))
    }
}

/// Why accepted messages did not become durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AcceptFailed {
    /// The idempotency key was used in the meantime.
    KeyTaken,
    /// The schedule was changed in the meantime.
    ScheduleMoved,
    /// An account has too little for this.
    Short(Short, Box<Claim>),
    /// The batch that they were to become part of was canceled.
    Canceled,
    /// The store can't be written.
    Store(String),
}

/// Why a message can't be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefused {
    /// There is no such message.
    #[error("there is no such message")]
    NoSuchMessage,
    /// It is being sent, was sent, or has ended.
    #[error("the message is being sent or has ended")]
    TooLate,
}

/// A connector came up or went down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectorEvent {
    /// The first of its sessions was bound.
    Up,
    /// The last of its sessions was lost.
    Down {
        /// Why.
        reason: Box<str>,
    },
}
