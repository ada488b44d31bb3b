//! The order of one endpoint's deliveries within each message. Pure.
//!
//! Of each message the pending deliveries are known that are in memory or wait in the store for
//! another attempt. One of them is *active* at a time: free to be attempted, or being attempted.

use foldhash::HashMap;
use model::{DeliveryId, MessageId, Timestamp};

/// Most deliveries of one endpoint that are remembered as waiting for another attempt. Beyond it
/// the order within a message is no longer promised, nothing else is lost.
const RETRYING_MAX: usize = 100_000;

/// Pending deliveries by message.
#[derive(Debug, Default)]
pub(super) struct Order {
    lines: HashMap<MessageId, Line>,
    /// Entries that wait in the store.
    retrying: usize,
}

#[derive(Debug, Default)]
struct Line {
    /// Ordered by id; with a time, it waits in the store until then; without, it is in memory.
    entries: Vec<(DeliveryId, Option<Timestamp>)>,
    active: Option<DeliveryId>,
}

/// What a delivery that comes into memory may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It may be attempted.
    Ready,
    /// It waits in memory for an earlier one.
    Held,
    /// It must wait for one that is tried again then; it is not entered.
    Blocked(Timestamp),
}

/// What follows when the active delivery of a message has ended or waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing of the message is in memory.
    Nothing,
    /// This one may be attempted.
    Ready(DeliveryId),
    /// These must wait for one that is tried again then; they are no longer entered.
    Blocked(Timestamp, Vec<DeliveryId>),
}

impl Order {
    /// A delivery comes into memory.
    pub fn enter(&mut self, message: Option<MessageId>, id: DeliveryId) -> Entry {
        let Some(message) = message else { return Entry::Ready };
        let line = self.lines.entry(message).or_default();
        if let Some(&(first, Some(until))) = line.entries.first()
            && first < id
        {
            return Entry::Blocked(until);
        }
        match line.entries.binary_search_by_key(&id, |e| e.0) {
            Ok(at) => {
                self.retrying -= usize::from(line.entries[at].1.take().is_some());
            }
            Err(at) => line.entries.insert(at, (id, None)),
        }
        if line.active.is_some() {
            return Entry::Held;
        }
        line.active = Some(id);
        Entry::Ready
    }

    /// A delivery waits in the store for another attempt: it holds up later ones of its message.
    pub fn wait(&mut self, message: Option<MessageId>, id: DeliveryId, until: Timestamp) {
        let Some(message) = message else { return };
        if self.retrying >= RETRYING_MAX {
            return self.remove(message, id);
        }
        let line = self.lines.entry(message).or_default();
        let before = match line.entries.binary_search_by_key(&id, |e| e.0) {
            Ok(at) => line.entries[at].1.replace(until),
            Err(at) => {
                line.entries.insert(at, (id, Some(until)));
                None
            }
        };
        self.retrying += usize::from(before.is_none());
    }

    /// A delivery is neither in memory nor waiting for another attempt.
    pub fn remove(&mut self, message: MessageId, id: DeliveryId) {
        let Some(line) = self.lines.get_mut(&message) else { return };
        if let Ok(at) = line.entries.binary_search_by_key(&id, |e| e.0) {
            self.retrying -= usize::from(line.entries.remove(at).1.is_some());
        }
        if line.active == Some(id) {
            line.active = None;
        }
        if line.entries.is_empty() {
            self.lines.remove(&message);
        }
    }

    /// The active delivery of a message is no longer that: who is next?
    pub fn advance(&mut self, message: Option<MessageId>) -> Next {
        let Some((message, line)) = message.and_then(|m| Some((m, self.lines.get_mut(&m)?))) else {
            return Next::Nothing;
        };
        line.active = None;
        match line.entries.first() {
            None => {
                self.lines.remove(&message);
                Next::Nothing
            }
            Some(&(id, None)) => {
                line.active = Some(id);
                Next::Ready(id)
            }
            Some(&(_, Some(until))) => {
                let in_memory = |e: &(DeliveryId, Option<Timestamp>)| e.1.is_none();
                let blocked: Vec<_> = line.entries.extract_if(.., |e| in_memory(e)).map(|e| e.0).collect();
                if blocked.is_empty() { Next::Nothing } else { Next::Blocked(until, blocked) }
            }
        }
    }

    /// Deliveries that wait in the store for another attempt, or behind one that does.
    pub fn retrying(&self) -> usize {
        self.retrying
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Uuid;

    const M: Option<MessageId> = Some(MessageId(Uuid::from_u128(1)));

    fn id(n: u128) -> DeliveryId {
        DeliveryId(Uuid::from_u128(n))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn end(order: &mut Order, n: u128) -> Next {
        order.remove(M.unwrap(), id(n));
        order.advance(M)
    }

    #[test]
    fn one_after_another_in_order_of_id() {
        let mut order = Order::default();
        assert_eq!(order.enter(M, id(1)), Entry::Ready);
        assert_eq!(order.enter(M, id(3)), Entry::Held);
        assert_eq!(order.enter(M, id(2)), Entry::Held);
        assert_eq!(order.enter(None, id(9)), Entry::Ready);
        assert_eq!(order.enter(Some(MessageId(Uuid::from_u128(2))), id(4)), Entry::Ready);
        assert_eq!(end(&mut order, 1), Next::Ready(id(2)));
        assert_eq!(end(&mut order, 2), Next::Ready(id(3)));
        assert_eq!(end(&mut order, 3), Next::Nothing);
        order.remove(MessageId(Uuid::from_u128(2)), id(4));
        assert!(order.is_empty());
    }

    #[test]
    fn a_retry_blocks_what_is_later_until_it_ends() {
        let mut order = Order::default();
        order.enter(M, id(1));
        order.enter(M, id(2));
        order.wait(M, id(1), at(50));
        assert_eq!(order.retrying(), 1);
        assert_eq!(order.advance(M), Next::Blocked(at(50), vec![id(2)]));
        assert_eq!(order.enter(M, id(2)), Entry::Blocked(at(50)));
        assert_eq!(order.enter(M, id(1)), Entry::Ready, "its time has come");
        assert_eq!(order.enter(M, id(2)), Entry::Held);
        assert_eq!(order.retrying(), 0);
        assert_eq!(end(&mut order, 1), Next::Ready(id(2)));
    }

    #[test]
    fn one_that_is_asked_for_again_waits_for_a_later_one_that_is_active() {
        let mut order = Order::default();
        order.enter(M, id(2));
        assert_eq!(order.enter(M, id(1)), Entry::Held);
        assert_eq!(end(&mut order, 2), Next::Ready(id(1)));
    }

    #[test]
    fn a_retry_of_a_later_one_does_not_block_an_earlier_one() {
        let mut order = Order::default();
        order.wait(M, id(2), at(50));
        order.wait(M, id(2), at(60));
        assert_eq!(order.retrying(), 1);
        assert_eq!(order.enter(M, id(1)), Entry::Ready);
        assert_eq!(order.enter(M, id(3)), Entry::Held);
        assert_eq!(end(&mut order, 1), Next::Blocked(at(60), vec![id(3)]));
    }
}
