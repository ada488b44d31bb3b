//! What is asked of a store, and what it answers.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use model::{BatchId, Delivery, Direction, Message, MessageId, Name, Status, Timestamp};

use crate::Document;
use crate::changes::QueueEntry;
use model::resources::Kind;

/// Which messages to find. Every field that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Whose; `None` is everybody's.
    pub account: Option<Name>,
    /// In this state.
    pub status: Option<Status>,
    /// To this address, normalised.
    pub to: Option<Box<str>>,
    /// From this address, normalised.
    pub from: Option<Box<str>>,
    /// Over this connector.
    pub connector: Option<Name>,
    /// With this tag and, if given, this value of it.
    pub tag: Option<(Box<str>, Option<Box<str>>)>,
    /// With this reference.
    pub client_ref: Option<Box<str>>,
    /// Accepted at or after this.
    pub created_after: Option<Timestamp>,
    /// Accepted before this.
    pub created_before: Option<Timestamp>,
    /// Out or in.
    pub direction: Option<Direction>,
    /// Of this batch.
    pub batch: Option<BatchId>,
}

impl MessageFilter {
    /// Does `message` pass? What every store's search comes down to.
    #[must_use]
    pub fn takes(&self, message: &Message) -> bool {
        let body = &message.body;
        let same = |wanted: &Option<Box<str>>, is: &str| wanted.as_ref().is_none_or(|w| w.as_ref() == is);
        self.account.as_ref().is_none_or(|a| *a == body.account)
            && self.status.is_none_or(|s| s == message.progress.status)
            && same(&self.to, body.to.as_str())
            && same(&self.from, body.from.as_str())
            && self.connector.as_ref().is_none_or(|c| Some(c) == message.progress.connector.as_ref())
            && self.tag.as_ref().is_none_or(|(key, value)| {
                body.tags.iter().any(|(k, v)| k == key && value.as_ref().is_none_or(|wanted| wanted == v))
            })
            && self.client_ref.as_ref().is_none_or(|r| Some(r) == body.client_ref.as_ref())
            && self.created_after.is_none_or(|t| body.created_at >= t)
            && self.created_before.is_none_or(|t| body.created_at < t)
            && self.direction.is_none_or(|d| d == body.direction)
            && self.batch.is_none_or(|b| Some(b) == body.batch)
    }
}

/// One lane of a connector's queue, or what one node owns of it: the shards are read as one queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueLane {
    /// The connector.
    pub connector: Name,
    /// The shards. Of none nothing is read.
    pub shards: Shards,
    /// The priority.
    pub priority: u8,
}

/// Shards of a queue, each once and in their order. Cheap to copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shards(Arc<[u16]>);

impl FromIterator<u16> for Shards {
    fn from_iter<I: IntoIterator<Item = u16>>(shards: I) -> Self {
        let shards: BTreeSet<u16> = shards.into_iter().collect();
        Self(shards.into_iter().collect())
    }
}

impl From<u16> for Shards {
    fn from(shard: u16) -> Self {
        Self([shard].into())
    }
}

impl Deref for Shards {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        &self.0
    }
}

/// One account's messages in a lane, to be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRead {
    /// Whose.
    pub account: Name,
    /// Strictly after this, by due time and id; `None` begins with the first.
    pub after: Option<(Timestamp, MessageId)>,
    /// At most so many.
    pub limit: usize,
}

/// What was read of one account's messages in a lane.
#[derive(Clone, Debug, Default)]
pub struct QueuePage {
    /// What is due, ordered by due time and id. Fewer than were asked for are all that there are.
    pub messages: Vec<QueuedMessage>,
    /// When the next one becomes due, if all that are due were read.
    pub next_due: Option<Timestamp>,
}

/// A message that is to be sent, with its place in the queue.
#[derive(Clone, Debug)]
pub struct QueuedMessage {
    /// Its place.
    pub entry: QueueEntry,
    /// The message.
    pub message: Message,
}

/// A part of a message, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartRef {
    /// The message.
    pub message: MessageId,
    /// The part.
    pub part: u8,
}

/// How far the messages of a batch have come: how many are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchCounts(pub Vec<(Status, u64)>);

/// Which deliveries to find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Whose.
    pub account: Option<Name>,
    /// Of this endpoint.
    pub endpoint: Option<Name>,
    /// Pending or failed.
    pub state: Option<model::delivery::DeliveryState>,
    /// Of this message.
    pub message: Option<MessageId>,
    /// This one.
    pub id: Option<model::DeliveryId>,
}

/// Which opt-outs are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOutFilter {
    /// Whose.
    pub account: Option<Name>,
    /// Of this phone.
    pub phone: Option<model::Address>,
    /// This one.
    pub id: Option<model::OptOutId>,
}

/// Which groups are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Whose.
    pub account: Option<Name>,
    /// Of this name.
    pub name: Option<Name>,
}

impl GroupFilter {
    /// Does the group of this key pass?
    #[must_use]
    pub fn takes(&self, key: &model::GroupKey) -> bool {
        self.account.as_ref().is_none_or(|account| *account == key.account)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
    }
}

impl OptOutFilter {
    /// Does `opt_out` pass?
    #[must_use]
    pub fn takes(&self, opt_out: &model::OptOut) -> bool {
        self.account.as_ref().is_none_or(|account| *account == opt_out.key.account)
            && self.phone.as_ref().is_none_or(|phone| *phone == opt_out.key.phone)
            && self.id.is_none_or(|id| id == opt_out.id)
    }
}

/// Which schedules are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleFilter {
    /// Whose.
    pub account: Option<Name>,
    /// Those that do this.
    pub state: Option<model::ScheduleState>,
    /// This one.
    pub id: Option<model::ScheduleId>,
}

impl ScheduleFilter {
    /// Does `schedule` pass?
    #[must_use]
    pub fn takes(&self, schedule: &model::Schedule) -> bool {
        self.account.as_ref().is_none_or(|account| *account == schedule.account)
            && self.state.is_none_or(|state| state == schedule.state())
            && self.id.is_none_or(|id| id == schedule.id)
    }
}

impl DeliveryFilter {
    /// Does `delivery` pass?
    #[must_use]
    pub fn takes(&self, delivery: &Delivery) -> bool {
        self.account.as_ref().is_none_or(|a| *a == delivery.account)
            && self.endpoint.as_ref().is_none_or(|e| *e == delivery.endpoint)
            && self.state.is_none_or(|s| s == delivery.state)
            && self.message.is_none_or(|m| Some(m) == delivery.message)
            && self.id.is_none_or(|id| id == delivery.id)
    }
}

/// All resources as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Rises with every change.
    pub version: u64,
    /// The documents, ordered by kind and id.
    pub documents: Vec<Document>,
}

/// A resource to put, or with no JSON to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceChange {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its JSON; `None` takes it away.
    pub json: Option<String>,
}
