//! Ready: the messages of one priority that wait in memory, shared out between accounts.
//!
//! Accounts take turns by start-time fair queueing: each has a point in virtual time that moves on
//! with every part it is given, the slower the larger its share, and the one that is furthest
//! behind is next. Who comes anew begins at the present, so a code is next however many messages
//! of others wait, and whoever was away has saved nothing up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;
use std::collections::binary_heap::PeekMut;

use foldhash::HashMap;
use model::{MessageId, Name};

/// How far virtual time moves for a part of an account with a share of 1.
const STRIDE: u64 = 1 << 20;
/// Accounts that have nothing to send, of which it is still known how far they had come.
const IDLE_KEPT: usize = 1024;

/// What accounts get of a connector, where it is not 1.
pub(crate) type Shares = std::collections::HashMap<Name, u32>;

#[derive(Debug, Default)]
pub(crate) struct Ready {
    flows: HashMap<Name, Flow>,
    /// Accounts that have something, by virtual time; each stands there once.
    turns: BinaryHeap<Reverse<Turn>>,
    /// The virtual time of the part that was given last.
    now: u64,
    /// Messages in all flows.
    len: usize,
}

/// One account's messages, in order.
#[derive(Debug, Default)]
struct Flow {
    ids: VecDeque<MessageId>,
    /// Where it is in virtual time.
    at: u64,
    stride: u64,
    has_turn: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    at: u64,
    account: Name,
}

/// What became of the message that was first.
pub(crate) enum First<T> {
    /// Something of it was taken; it may have more.
    Taken(T),
    /// The same, and nothing is left of it.
    Last(T),
    /// It is not there any more.
    Gone,
}

impl Ready {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many messages of this account wait.
    pub fn of(&self, account: &str) -> usize {
        self.flows.get(account).map_or(0, |flow| flow.ids.len())
    }

    /// Puts a message behind those of its account.
    pub fn push(&mut self, account: &Name, id: MessageId, shares: &Shares) {
        if !self.flows.contains_key(account) {
            if self.flows.len() - self.turns.len().min(self.flows.len()) >= IDLE_KEPT {
                self.flows.retain(|_, flow| flow.has_turn);
            }
            let stride = stride_of(account, shares);
            self.flows.insert(account.clone(), Flow { stride, ..Flow::default() });
        }
        let Some(flow) = self.flows.get_mut(account) else { return };
        flow.ids.push_back(id);
        self.len += 1;
        if !flow.has_turn {
            flow.at = flow.at.max(self.now);
            flow.has_turn = true;
            self.turns.push(Reverse(Turn { at: flow.at, account: account.clone() }));
        }
    }

    /// Takes one part of the message that is next; `part` takes it from the message itself.
    pub fn take<T>(&mut self, mut part: impl FnMut(MessageId) -> First<T>) -> Option<T> {
        let Self { flows, turns, now, len } = self;
        while let Some(mut next) = turns.peek_mut() {
            let Reverse(turn) = &mut *next;
            let Some(flow) = flows.get_mut(&turn.account) else {
                PeekMut::pop(next);
                continue;
            };
            let Some(id) = flow.ids.front() else {
                flow.has_turn = false;
                PeekMut::pop(next);
                continue;
            };
            let taken = match part(*id) {
                First::Taken(taken) => Some(taken),
                First::Last(taken) => {
                    flow.ids.pop_front();
                    *len -= 1;
                    Some(taken)
                }
                First::Gone => {
                    flow.ids.pop_front();
                    *len -= 1;
                    None
                }
            };
            if taken.is_some() {
                *now = turn.at;
                turn.at += flow.stride;
                flow.at = turn.at;
                return taken;
            }
        }
        None
    }

    /// Takes a message out.
    pub fn remove(&mut self, account: &str, id: MessageId) {
        if let Some(flow) = self.flows.get_mut(account) {
            let before = flow.ids.len();
            flow.ids.retain(|other| *other != id);
            self.len -= before - flow.ids.len();
        }
    }

    /// New shares: they count from now on.
    pub fn set_shares(&mut self, shares: &Shares) {
        for (account, flow) in &mut self.flows {
            flow.stride = stride_of(account, shares);
        }
    }
}

fn stride_of(account: &Name, shares: &Shares) -> u64 {
    STRIDE / u64::from(shares.get(account).copied().unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Uuid;

    fn id(n: u128) -> MessageId {
        MessageId(Uuid::from_u128(n))
    }

    fn fill(ready: &mut Ready, account: &str, count: u128, shares: &Shares) {
        (0..count).for_each(|n| ready.push(&account.into(), id(n), shares));
    }

    /// Accounts in the order in which they are given a part; every message has one.
    fn order(ready: &mut Ready, count: usize, of: impl Fn(&Ready) -> Vec<usize>) -> Vec<usize> {
        let mut order = Vec::new();
        for _ in 0..count {
            let before = of(ready);
            if ready.take(|_| First::Last(())).is_none() {
                break;
            }
            let after = of(ready);
            order.push(before.iter().zip(&after).position(|(b, a)| b != a).unwrap());
        }
        order
    }

    fn both(ready: &Ready) -> Vec<usize> {
        vec![ready.of("a"), ready.of("b")]
    }

    #[test]
    fn one_that_comes_anew_is_next() {
        let (mut ready, shares) = (Ready::default(), Shares::new());
        fill(&mut ready, "a", 1000, &shares);
        assert_eq!(order(&mut ready, 500, both), vec![0; 500]);
        ready.push(&"b".into(), id(1), &shares);
        assert_eq!(order(&mut ready, 2, both), [1, 0]);
        // And again, however often: but it gets no more than its share.
        for _ in 0..100 {
            ready.push(&"b".into(), id(1), &shares);
            assert!(order(&mut ready, 2, both).contains(&1));
        }
        assert_eq!(ready.of("a"), 1000 - 501 - 100);
    }

    #[test]
    fn accounts_get_their_shares() {
        let (mut ready, shares) = (Ready::default(), Shares::from([("b".into(), 3)]));
        fill(&mut ready, "a", 1000, &shares);
        fill(&mut ready, "b", 1000, &shares);
        let first = order(&mut ready, 400, both);
        let of_b = first.iter().filter(|account| **account == 1).count();
        assert!((298..=302).contains(&of_b), "{of_b} of 400");
        // Evenly, not in bursts.
        assert!(first.windows(5).all(|five| five.contains(&0)));
        ready.set_shares(&Shares::new());
        let of_b = order(&mut ready, 400, both).iter().filter(|account| **account == 1).count();
        assert!((198..=202).contains(&of_b), "{of_b} of 400");
    }

    #[test]
    fn nothing_is_saved_up_while_there_is_nothing_to_send() {
        let (mut ready, shares) = (Ready::default(), Shares::new());
        fill(&mut ready, "b", 1, &shares);
        fill(&mut ready, "a", 1000, &shares);
        order(&mut ready, 500, both);
        fill(&mut ready, "b", 1000, &shares);
        let of_b = order(&mut ready, 100, both).iter().filter(|account| **account == 1).count();
        assert!((49..=51).contains(&of_b), "{of_b} of 100");
    }

    #[test]
    fn what_is_gone_is_passed_over_and_counts_stay_right() {
        let (mut ready, shares) = (Ready::default(), Shares::new());
        fill(&mut ready, "a", 10, &shares);
        fill(&mut ready, "b", 3, &shares);
        ready.remove("a", id(4));
        ready.remove("nobody", id(4));
        assert_eq!((ready.len(), ready.of("a")), (12, 9));
        let gone = |n: MessageId| if n == id(0) { First::Gone } else { First::Last(n) };
        let left: Vec<MessageId> = std::iter::from_fn(|| ready.take(gone)).collect();
        assert_eq!((left.len(), ready.len(), ready.is_empty()), (10, 0, true));
        fill(&mut ready, "a", 1, &shares);
        assert!(ready.take(First::Taken).is_some() && ready.len() == 1);
    }

    #[test]
    fn accounts_that_are_done_are_forgotten_in_the_end() {
        let (mut ready, shares) = (Ready::default(), Shares::new());
        for n in 0..10_000 {
            fill(&mut ready, &format!("a{n}"), 1, &shares);
            while ready.take(|_| First::Last(())).is_some() {}
        }
        assert!(ready.flows.len() <= IDLE_KEPT + 1, "{}", ready.flows.len());
    }
}
