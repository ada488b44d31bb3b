//! What one connection has to send to its client, until it is acknowledged.

use std::collections::HashMap;
use std::time::Duration;

use crate::timeline::Timeline;

/// How often something is sent that the client does not take.
const TRIES: u8 = 5;
/// How long to wait before it is sent again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Something for a client, and how often it was not taken.
#[derive(Clone, Debug)]
pub struct Delivery<W> {
    pub(crate) what: W,
    tries: u8,
}

/// What became of something that was sent.
#[derive(Debug)]
pub(crate) enum Answered<W> {
    Taken(W),
    /// It will be sent again, or nobody knows it.
    Open,
    GivenUp,
}

/// What waits to be sent, and what waits to be acknowledged.
#[derive(Debug)]
pub(crate) struct Outbox<W> {
    waiting: Timeline<Delivery<W>>,
    unacknowledged: HashMap<u64, Delivery<W>>,
    next: u64,
}

impl<W> Delivery<W> {
    pub(crate) fn new(what: W) -> Self {
        Self { what, tries: 0 }
    }
}

impl<W> Outbox<W> {
    pub(crate) fn new() -> Self {
        Self { waiting: Timeline::new(), unacknowledged: HashMap::new(), next: 0 }
    }

    pub(crate) fn push(&mut self, at: Duration, now: Duration, delivery: Delivery<W>) {
        self.waiting.push(at, now, delivery);
    }

    /// What is due next, and the token to send it with.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<(u64, Delivery<W>)> {
        let delivery = self.waiting.pop(now)?;
        self.next += 1;
        Some((self.next, delivery))
    }

    /// It was sent.
    pub(crate) fn sent(&mut self, token: u64, delivery: Delivery<W>) {
        self.unacknowledged.insert(token, delivery);
    }

    /// The client has answered, positively or not, or not in time.
    pub(crate) fn answered(&mut self, token: u64, taken: bool, now: Duration) -> Answered<W> {
        let Some(mut delivery) = self.unacknowledged.remove(&token) else { return Answered::Open };
        if taken {
            return Answered::Taken(delivery.what);
        }
        delivery.tries += 1;
        if delivery.tries >= TRIES {
            return Answered::GivenUp;
        }
        self.waiting.push(now + AGAIN_AFTER, now, delivery);
        Answered::Open
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// When something is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.waiting.next()
    }

    /// Everything that is not acknowledged; what was sent comes first.
    pub(crate) fn drain(&mut self) -> Vec<(Duration, Delivery<W>)> {
        let mut sent: Vec<_> = self.unacknowledged.drain().collect();
        sent.sort_unstable_by_key(|(token, _)| *token);
        let sent = sent.into_iter().map(|(_, delivery)| (Duration::ZERO, delivery));
        sent.chain(self.waiting.drain()).collect()
    }
}
