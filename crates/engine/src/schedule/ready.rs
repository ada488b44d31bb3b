//! Ready: the messages of one priority that wait in memory, shared out between accounts.
//!
//! Accounts take turns by start-time fair queueing: each has a point in virtual time that moves on
//! with every part it is given, the slower the larger its share, and the one that is furthest
//! behind is next. Who comes anew begins at the present, so a code is next however many messages
//! of others wait, and whoever was away has saved nothing up.
//!
//! Accounts whose messages fill the store too are *behind*. They share the room in memory as they
//! share the connector, and what is read on from the store is what will be wanted first, so that
//! each of them has something here when its turn comes. One that had nothing, because reading took
//! too long, keeps its point in time for a while.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;
use std::collections::binary_heap::PeekMut;

use foldhash::HashMap;
use model::{MessageId, Name};

/// Messages that wait in memory, when accounts are behind.
pub(crate) const READY_MAX: usize = 4096;
/// Messages of one account that are kept in memory although there is no room for more.
pub(crate) const OVERTAKE_MAX: usize = 256;
/// The same of all accounts, beyond [`READY_MAX`].
pub(crate) const OVERTAKE_ALL: usize = 4096;
/// An account that is behind has room for so many messages, however small its share.
const ROOM_MIN: u64 = 4;
/// Accounts read on for at a time.
pub(crate) const READ_ACCOUNTS: usize = 256;
/// Messages read at a time.
pub(crate) const READ_MAX: usize = 2048;

/// How far virtual time moves for a part of an account with a share of 1.
const STRIDE: u64 = 1 << 20;
/// What an account that is behind and had nothing in memory may catch up on. Those that come anew
/// may have to wait for so much.
const CATCH_UP: u64 = 64 * STRIDE;
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
    /// Messages that are being read.
    expected: usize,
    behind: Behind,
}

/// The accounts that are behind, together.
#[derive(Debug, Default)]
struct Behind {
    accounts: usize,
    /// Those that have nothing in memory.
    dry: usize,
    /// The sum of their shares.
    shares: u64,
    /// Those of which little is in memory, and perhaps some that were.
    low: Vec<Name>,
}

/// One account's messages, in order.
#[derive(Debug, Default)]
struct Flow {
    ids: VecDeque<MessageId>,
    /// Where it is in virtual time.
    at: u64,
    share: u64,
    has_turn: bool,
    is_behind: bool,
    /// It stands among those of which little is, or was, in memory.
    is_low: bool,
}

impl Flow {
    fn stride(&self) -> u64 {
        STRIDE / self.share.max(1)
    }

    /// The virtual time at which it will have nothing left.
    fn runs_dry(&self) -> u64 {
        self.at.saturating_add(self.stride().saturating_mul(self.ids.len() as u64))
    }

    /// How many of its messages are to be in memory while it is behind.
    fn room(&self, shares: u64) -> usize {
        let room = (READY_MAX as u64).saturating_mul(self.share) / shares.max(1);
        room.clamp(ROOM_MIN, READY_MAX as u64) as usize
    }

    fn runs_low(&self, shares: u64) -> bool {
        self.is_behind && self.ids.len() < self.room(shares).div_ceil(2)
    }
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
    #[cfg(test)]
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

    /// Is there room for one more message of an account that is not behind?
    pub fn has_room(&self, account: &str) -> bool {
        let held = self.len + self.expected;
        held < READY_MAX || (held < READY_MAX + OVERTAKE_ALL && self.of(account) < OVERTAKE_MAX)
    }

    /// Puts a message behind those of its account.
    pub fn push(&mut self, account: &Name, id: MessageId, shares: &Shares) {
        let Self { flows, turns, now, len, behind, .. } = self;
        let flow = flow_of(flows, turns.len() + behind.accounts, account, shares);
        if flow.is_behind && flow.ids.is_empty() {
            behind.dry -= 1;
        }
        flow.ids.push_back(id);
        *len += 1;
        if !flow.has_turn {
            let earliest = if flow.is_behind { now.saturating_sub(CATCH_UP) } else { *now };
            flow.at = flow.at.max(earliest);
            flow.has_turn = true;
            turns.push(Reverse(Turn { at: flow.at, account: account.clone() }));
        }
    }

    /// From now on this account has more that is due in the store.
    pub fn falls_behind(&mut self, account: &Name, shares: &Shares) {
        let Self { flows, turns, now, behind, .. } = self;
        let flow = flow_of(flows, turns.len() + behind.accounts, account, shares);
        if flow.is_behind {
            return;
        }
        flow.is_behind = true;
        if !flow.has_turn {
            flow.at = flow.at.max(*now);
        }
        behind.accounts += 1;
        behind.shares += flow.share;
        behind.dry += usize::from(flow.ids.is_empty());
        behind.note(account, flow);
    }

    /// This account has no more in the store than in memory.
    pub fn catches_up(&mut self, account: &str) {
        let Some(flow) = self.flows.get_mut(account).filter(|flow| flow.is_behind) else { return };
        flow.is_behind = false;
        self.behind.accounts -= 1;
        self.behind.shares -= flow.share;
        self.behind.dry -= usize::from(flow.ids.is_empty());
    }

    /// Is there an account of which something is to be read, and room for it?
    pub fn is_hungry(&self) -> bool {
        let room = if self.behind.dry > 0 { READY_MAX + OVERTAKE_ALL } else { READY_MAX };
        !self.behind.low.is_empty() && self.len < room
    }

    /// For which accounts to read on, and how many messages of each: those first that will have
    /// nothing left first. Until [`end_read`](Self::end_read) room is kept for them.
    pub fn begin_read(&mut self) -> Vec<(Name, usize)> {
        self.behind.tidy(&mut self.flows);
        let Self { flows, len, behind, expected, .. } = self;
        let may_be_read = |flow: &&Flow| *len < READY_MAX || flow.ids.is_empty();
        let turn = |account: &Name| Some((flows.get(account).filter(may_be_read)?.runs_dry(), account.clone()));
        let mut order: Vec<(u64, Name)> = behind.low.iter().filter_map(turn).collect();
        if order.len() > READ_ACCOUNTS {
            order.select_nth_unstable(READ_ACCOUNTS);
            order.truncate(READ_ACCOUNTS);
        }
        order.sort_unstable();
        let each = READ_MAX / order.len().max(1);
        let mut wanted = Vec::with_capacity(order.len());
        for (_, account) in order {
            let Some(flow) = flows.get(&account) else { continue };
            let most = if flow.ids.is_empty() { READY_MAX + OVERTAKE_ALL } else { READY_MAX };
            let free = most.saturating_sub(*len + *expected).min(each);
            let limit = flow.room(behind.shares).saturating_sub(flow.ids.len()).min(free);
            if limit > 0 {
                *expected += limit;
                wanted.push((account, limit));
            }
        }
        wanted
    }

    /// What was to be read was read, or was not.
    pub fn end_read(&mut self) {
        self.expected = 0;
        self.behind.tidy(&mut self.flows);
    }

    /// Takes one part of the message that is next; `part` takes it from the message itself.
    pub fn take<T>(&mut self, mut part: impl FnMut(MessageId) -> First<T>) -> Option<T> {
        let Self { flows, turns, now, len, behind, .. } = self;
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
            let (taken, is_done) = match part(*id) {
                First::Taken(taken) => (Some(taken), false),
                First::Last(taken) => (Some(taken), true),
                First::Gone => (None, true),
            };
            if is_done {
                flow.ids.pop_front();
                *len -= 1;
                if flow.is_behind {
                    behind.dry += usize::from(flow.ids.is_empty());
                    behind.note(&turn.account, flow);
                }
            }
            if taken.is_some() {
                *now = turn.at;
                turn.at += flow.stride();
                flow.at = turn.at;
                return taken;
            }
        }
        None
    }

    /// Takes a message out.
    pub fn remove(&mut self, account: &Name, id: MessageId) {
        if let Some(flow) = self.flows.get_mut(account) {
            let before = flow.ids.len();
            flow.ids.retain(|other| *other != id);
            let gone = before - flow.ids.len();
            self.len -= gone;
            if flow.is_behind && gone > 0 {
                self.behind.dry += usize::from(flow.ids.is_empty());
                self.behind.note(account, flow);
            }
        }
    }

    /// New shares: they count from now on.
    pub fn set_shares(&mut self, shares: &Shares) {
        self.behind.shares = 0;
        for (account, flow) in &mut self.flows {
            flow.share = share_of(account, shares);
            self.behind.shares += if flow.is_behind { flow.share } else { 0 };
        }
    }
}

impl Behind {
    /// Writes an account down of which little is in memory.
    fn note(&mut self, account: &Name, flow: &mut Flow) {
        if !flow.is_low && flow.runs_low(self.shares) {
            flow.is_low = true;
            self.low.push(account.clone());
        }
    }

    /// Forgets accounts of which enough is in memory by now.
    fn tidy(&mut self, flows: &mut HashMap<Name, Flow>) {
        let shares = self.shares;
        self.low.retain(|account| {
            let Some(flow) = flows.get_mut(account) else { return false };
            flow.is_low = flow.runs_low(shares);
            flow.is_low
        });
    }
}

/// The flow of an account; `busy` is about how many have something.
fn flow_of<'f>(flows: &'f mut HashMap<Name, Flow>, busy: usize, account: &Name, shares: &Shares) -> &'f mut Flow {
    if !flows.contains_key(account) {
        if flows.len() >= busy + IDLE_KEPT {
            flows.retain(|_, flow| flow.has_turn || flow.is_behind || flow.is_low);
        }
        let share = share_of(account, shares);
        flows.insert(account.clone(), Flow { share, ..Flow::default() });
    }
    flows.get_mut(account).expect("it was put there just now")
}

fn share_of(account: &Name, shares: &Shares) -> u64 {
    u64::from(shares.get(account).copied().unwrap_or(1).max(1))
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
        ready.remove(&"a".into(), id(4));
        ready.remove(&"nobody".into(), id(4));
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
