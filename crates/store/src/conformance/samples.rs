//! Things to store: plain ones, which tests then change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::delivery::DeliveryState;
use model::{
    BatchId, Body, Content, Delivery, DeliveryId, IdMaker, Message, MessageId, Name, Progress, Receipt, ReceiptState,
    Status, Timestamp,
};

use super::TestClock;
use crate::{
    Batch, BatchPhase, Changes, IdempotencyAnswer, IdempotencyKey, NewMessage, ParkedReceipt, PartRef, QueueEntry,
    RemoteId, RemoteKey,
};

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;

/// Makes things whose ids rise with the test's clock.
pub struct Samples {
    clock: TestClock,
    ids: Mutex<IdMaker>,
    random: AtomicU64,
}

impl Samples {
    /// With `clock` for the times.
    #[must_use]
    pub fn new(clock: TestClock) -> Self {
        Self { clock, ids: Mutex::default(), random: AtomicU64::new(0x9e37_79b9_7f4a_7c15) }
    }

    /// The next of a fixed sequence of numbers that look random (xorshift64*).
    pub fn random(&self) -> u64 {
        let mut state = self.random.load(Ordering::Relaxed);
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.random.store(state, Ordering::Relaxed);
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn uuid_at(&self, at: Timestamp) -> uuid::Uuid {
        let random = self.random();
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(at, random)
    }

    /// An id that is higher than all before.
    pub fn id(&self) -> MessageId {
        MessageId(self.uuid_at(self.clock.now()))
    }

    /// An id as it would have been made at `at`, which may be long ago.
    pub fn id_at(&self, at: Timestamp) -> MessageId {
        let random = self.random();
        MessageId(IdMaker::default().next(at, random))
    }

    /// A message of account `shop` that is queued for `carrier-a`.
    pub fn message(&self) -> Message {
        self.message_with(self.id())
    }

    /// The same with an id of `at`.
    pub fn message_at(&self, at: Timestamp) -> Message {
        self.message_with(self.id_at(at))
    }

    fn message_with(&self, id: MessageId) -> Message {
        let at = id.made_at();
        let body = Body {
            id,
            content: Content::Text("Your code is 123456".into()),
            reference: 7,
            expires_at: at.plus_millis(2 * DAY),
            ..model::samples::body(at)
        };
        let mut progress = Progress::accepted(Status::Queued, Some("carrier-a".into()), 1, at);
        progress.due = Some(at);
        Message { body: Arc::new(body), progress }
    }

    /// A batch of account `shop`.
    pub fn batch(&self) -> Batch {
        let id = BatchId(self.uuid_at(self.clock.now()));
        let (created_at, phase) = (self.clock.now(), BatchPhase::Running);
        Batch {
            id,
            account: "shop".into(),
            accepted: 2,
            rejected: 1,
            created_at,
            phase,
            finished_at: None,
            complete: true,
            digest: None,
        }
    }

    /// A delivery of account `shop` to the endpoint `hook`, due `after` milliseconds from now.
    pub fn delivery(&self, after: i64) -> Delivery {
        Delivery {
            id: DeliveryId(self.uuid_at(self.clock.now())),
            account: "shop".into(),
            message: Some(self.id()),
            endpoint: "hook".into(),
            url: None,
            style: model::CallbackStyle::Webhook,
            event: "message.delivered".into(),
            payload: r#"{"type":"message.delivered"}"#.into(),
            restorable: false,
            created_at: self.clock.now(),
            due: self.clock.now().plus_millis(after),
            attempts: 0,
            state: DeliveryState::Pending,
            last_error: None,
        }
    }

    /// An answer under an idempotency key of account `shop` that is kept for an hour.
    pub fn answer(&self, key: &str) -> (IdempotencyKey, IdempotencyAnswer) {
        let answer = IdempotencyAnswer {
            fingerprint: std::array::from_fn(|n| n as u8),
            status: 202,
            body: format!(r#"{{"id":"{}"}}"#, self.id()).into(),
            expires_at: self.clock.now().plus_seconds(3600),
        };
        (IdempotencyKey { account: "shop".into(), key: key.into() }, answer)
    }

    /// A remote id of `carrier-a` for a part of a message, kept for an hour.
    pub fn remote_id(&self, id: &str, message: MessageId, part: u8) -> RemoteId {
        RemoteId {
            key: remote_key(id),
            part: PartRef { message, part },
            expires_at: self.clock.now().plus_seconds(3600),
        }
    }

    /// A receipt for a remote id of `carrier-a` that nobody knows, kept for an hour.
    pub fn parked(&self, id: &str) -> ParkedReceipt {
        ParkedReceipt {
            id: self.id(),
            key: remote_key(id),
            remote_id: format!("0x{id}").into(),
            receipt: Receipt { state: ReceiptState::Delivered, stat: "DELIVRD".into(), err: Some("000".into()) },
            phone: "447700900123".into(),
            received_at: self.clock.now(),
            expires_at: self.clock.now().plus_seconds(3600),
        }
    }
}

/// A remote id of `carrier-a`.
#[must_use]
pub fn remote_key(id: &str) -> RemoteKey {
    RemoteKey { connector: "carrier-a".into(), id: id.into() }
}

/// A commit that stores a message and does not queue it.
#[must_use]
pub fn insert(message: &Message) -> Changes {
    Changes { insert: vec![NewMessage { message: message.clone(), queue: None }], ..Changes::default() }
}

/// A commit that stores messages and queues each where [`place`] says.
#[must_use]
pub fn insert_queued(messages: &[Message]) -> Changes {
    let insert = messages.iter().map(|m| NewMessage { message: m.clone(), queue: Some(place(m)) }).collect();
    Changes { insert, ..Changes::default() }
}

/// A commit that writes the progress of a message.
#[must_use]
pub fn update(message: &Message) -> Changes {
    Changes { update: vec![message.clone()], ..Changes::default() }
}

/// The place in the queue that a message's own fields make, in shard 0.
#[must_use]
pub fn place(message: &Message) -> QueueEntry {
    QueueEntry {
        connector: message.progress.connector.clone().unwrap_or_else(|| Name::from("carrier-a")),
        shard: 0,
        priority: message.body.priority,
        account: message.body.account.clone(),
        due: message.progress.due.unwrap_or(message.body.created_at),
        id: message.body.id,
    }
}

/// Changes a message's body.
pub fn change_body(message: &mut Message, change: impl FnOnce(&mut Body)) {
    change(Arc::make_mut(&mut message.body));
}

/// Ends a message.
pub fn end(message: &mut Message, status: Status, at: Timestamp) {
    message.progress.status = status;
    message.progress.final_at = Some(at);
    message.progress.due = None;
    message.progress.note(at, status.as_str(), None, None);
}
