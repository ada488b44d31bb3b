//! The active set: the part of one connector's queue that is in memory. Pure; the clock comes in.
//!
//! A message is *resident* from when it is loaded until it is settled, so it is never loaded twice.
//! Its parts that wait are in `ready`, by priority and account; parts that came back are in `returned` and go
//! first; parts that a session has taken are counted in `in_flight`. When the ready lists are full
//! the rest stays in the store, and [`Paging`] remembers where to read on.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use model::id::Uuid;
use model::{Body, MessageId, Name, Timestamp};

use super::ready::{First, Ready, Shares};

/// Most messages of one priority that wait in memory.
pub(crate) const READY_MAX: usize = 4096;
/// Fewer than this, and more are read from the store.
pub(crate) const READY_LOW: usize = 2048;
/// Messages of one account that are kept in memory although others wait in the store.
const OVERTAKE_MAX: usize = 256;
/// The same of all accounts, beyond [`READY_MAX`].
const OVERTAKE_ALL: usize = 4096;
/// Of so many parts taken, one comes from the lowest priority that has any: nothing starves.
const STARVATION_TURN: u32 = 16;

/// Priorities, 0 to 3.
pub(crate) const PRIORITIES: usize = 4;

/// A message with what a connector still has to send of it.
#[derive(Debug)]
pub(crate) struct Resident {
    body: Arc<Body>,
    /// How many parts the message has.
    parts: u8,
    /// Parts that wait, in order.
    unsent: VecDeque<u8>,
    /// Parts that sessions hold.
    in_flight: u16,
    /// Set when a part is to be tried again later: the message goes back to the store until then.
    retry_at: Option<Timestamp>,
}

/// A part to be sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Taken {
    pub body: Arc<Body>,
    pub part: u8,
    pub parts: u8,
}

/// Where to read on in the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    /// The last entry that was read.
    pub after: Option<(Timestamp, MessageId)>,
    /// There may be more that is due.
    pub more: bool,
    /// When something in the store becomes due.
    pub next_due: Option<Timestamp>,
    /// The earliest place that was left to the store since the last read began.
    touched: Option<Place>,
    /// The store was looked at once, so that it is known who has a backlog there.
    known: bool,
    /// Accounts that have, or may have, messages that are due in the store: their newer ones wait there
    /// too. Those of other accounts don't, so that nobody waits behind somebody else's backlog.
    behind: HashSet<Name>,
}

impl Paging {
    /// Reads on from before `place`, if reading has come past it already.
    fn rewind(&mut self, place: Place) {
        if self.after.is_some_and(|after| place <= after) {
            self.after = Some((place.0.plus_millis(-1), MessageId(Uuid::max())));
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Active {
    resident: HashMap<MessageId, Resident>,
    ready: [Ready; PRIORITIES],
    shares: Arc<Shares>,
    returned: VecDeque<(MessageId, u8)>,
    /// Parts that are being recorded as handed over.
    marking: HashMap<(MessageId, u8), Taken>,
    /// Parts that are recorded as handed over, and wait for a session.
    marked: VecDeque<Taken>,
    paging: [Paging; PRIORITIES],
    turn: u32,
    /// A page is being read from the store.
    reading: bool,
    /// Messages that left memory since that read began: the page may still show them as they were.
    gone: HashSet<MessageId>,
    /// Messages that are being canceled: the store may still show them as waiting.
    revoked: HashSet<MessageId>,
}

/// A message's place by due time; what the store orders by.
pub(crate) type Place = (Timestamp, MessageId);

impl Active {
    /// Nothing in memory, and everything in the store to be looked at.
    pub fn new() -> Self {
        let mut active = Self::default();
        for paging in &mut active.paging {
            paging.more = true;
        }
        active
    }

    /// A message that has just become durable. It stays in memory if there is room and nothing
    /// older waits in the store; otherwise it is found there later.
    pub fn offer(&mut self, place: Place, body: &Arc<Body>, parts: u8, unsent: VecDeque<u8>, now: Timestamp) {
        let priority = priority_of(body);
        if self.resident.contains_key(&place.1) || self.revoked.contains(&place.1) {
            return;
        }
        let waiting = self.ready[priority].len();
        let paging = &mut self.paging[priority];
        if place.0 > now {
            paging.next_due = Some(paging.next_due.map_or(place.0, |due| due.min(place.0)));
            self.leave_to_store(place, priority);
        } else if (paging.more || waiting >= READY_MAX) && !self.may_overtake(priority, &body.account) {
            let paging = &mut self.paging[priority];
            paging.more = true;
            if !paging.behind.contains(&body.account) {
                paging.behind.insert(body.account.clone());
            }
            self.leave_to_store(place, priority);
        } else {
            self.admit(place.1, body, parts, unsent);
        }
    }

    /// May a message of this account stay in memory although others wait in the store?
    fn may_overtake(&self, priority: usize, account: &Name) -> bool {
        let (paging, ready) = (&self.paging[priority], &self.ready[priority]);
        paging.known
            && ready.len() < READY_MAX + OVERTAKE_ALL
            && ready.of(account) < OVERTAKE_MAX
            && !paging.behind.contains(account)
    }

    /// What accounts get of the connector.
    pub fn set_shares(&mut self, shares: Arc<Shares>) {
        self.ready.iter_mut().for_each(|ready| ready.set_shares(&shares));
        self.shares = shares;
    }

    /// A page that was read from the store, with `due_by` and whether it was the last.
    pub fn loaded(
        &mut self,
        priority: usize,
        page: impl IntoIterator<Item = (Place, Arc<Body>, u8, VecDeque<u8>)>,
        last: bool,
        next_due: Option<Timestamp>,
    ) {
        for (place, body, parts, unsent) in page {
            let paging = &mut self.paging[priority];
            paging.after = Some(place);
            if !last && !paging.behind.contains(&body.account) {
                paging.behind.insert(body.account.clone());
            }
            let id = place.1;
            let stale = self.resident.contains_key(&id) || self.gone.contains(&id) || self.revoked.contains(&id);
            if !stale && !unsent.is_empty() {
                self.admit(id, &body, parts, unsent);
            }
        }
        self.end_read();
        let paging = &mut self.paging[priority];
        paging.known = true;
        // Commits overtake each other by milliseconds: what was left to the store while the page
        // was read may lie before its end and yet not be in it.
        if let Some(touched) = paging.touched {
            paging.rewind(touched);
        }
        if last {
            paging.more = paging.touched.is_some();
            if !paging.more {
                paging.behind.clear();
            }
            paging.next_due = match (next_due, paging.next_due.filter(|_| paging.touched.is_some())) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }

    /// Should something be read from the store now?
    pub fn is_hungry(&self, now: Timestamp) -> bool {
        self.hungriest(now).is_some()
    }

    /// Begins to read on: the priority and where. [`loaded`](Self::loaded) or
    /// [`end_read`](Self::end_read) must follow.
    pub fn begin_read(&mut self, now: Timestamp) -> Option<(usize, Option<Place>)> {
        let priority = self.hungriest(now)?;
        let paging = &mut self.paging[priority];
        if paging.next_due.is_some_and(|due| due <= now) {
            paging.next_due = None;
        }
        paging.more = true;
        paging.touched = None;
        self.reading = true;
        Some((priority, paging.after))
    }

    /// The read is over, well or not.
    pub fn end_read(&mut self) {
        self.reading = false;
        self.gone.clear();
    }

    fn hungriest(&self, now: Timestamp) -> Option<usize> {
        (0..PRIORITIES).rev().find(|&priority| {
            let paging = &self.paging[priority];
            let due = paging.more || paging.next_due.is_some_and(|due| due <= now);
            due && self.ready[priority].len() < READY_LOW
        })
    }

    /// When something in the store becomes due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.paging.iter().filter_map(|p| p.next_due).min()
    }

    /// Is a part waiting to be taken?
    pub fn has_ready(&self) -> bool {
        !self.returned.is_empty() || !self.marked.is_empty() || self.ready.iter().any(|r| !r.is_empty())
    }

    /// A part that was taken is to be recorded before it goes.
    pub fn mark(&mut self, taken: Taken) {
        self.marking.insert((taken.body.id, taken.part), taken);
    }

    /// Parts that are being recorded, or were and wait.
    pub fn marking(&self) -> usize {
        self.marking.len() + self.marked.len()
    }

    /// A part is recorded as handed over: it may go.
    pub fn marked(&mut self, id: MessageId, part: u8) {
        self.marked.extend(self.marking.remove(&(id, part)));
    }

    /// The next part that was marked.
    pub fn take_marked(&mut self) -> Option<Taken> {
        self.marked.pop_front()
    }

    /// The next part to send: what came back, then by priority.
    pub fn take(&mut self) -> Option<Taken> {
        while let Some((id, part)) = self.returned.pop_front() {
            if let Some(resident) = self.resident.get_mut(&id) {
                resident.in_flight += 1;
                return Some(Taken { body: resident.body.clone(), part, parts: resident.parts });
            }
        }
        self.turn = (self.turn + 1) % STARVATION_TURN;
        let lowest_first = self.turn == 0;
        for step in 0..PRIORITIES {
            let priority = if lowest_first { step } else { PRIORITIES - 1 - step };
            let residents = &mut self.resident;
            let taken = self.ready[priority].take(|id| {
                let Some(resident) = residents.get_mut(&id) else { return First::Gone };
                let Some(part) = resident.unsent.pop_front() else { return First::Gone };
                resident.in_flight += 1;
                let taken = Taken { body: resident.body.clone(), part, parts: resident.parts };
                if resident.unsent.is_empty() { First::Last(taken) } else { First::Taken(taken) }
            });
            if taken.is_some() {
                return taken;
            }
        }
        None
    }

    /// A part came back unsent: it goes first.
    pub fn give_back(&mut self, id: MessageId, part: u8) {
        if self.landed(id) {
            self.returned.push_front((id, part));
        }
    }

    /// A part was accepted by the carrier, others of its message were not yet.
    pub fn sent(&mut self, id: MessageId) {
        self.landed(id);
    }

    /// A part is to be tried again at `due`, which the store knows: the message leaves memory as
    /// soon as none of its parts is with a session.
    pub fn retry(&mut self, id: MessageId, due: Timestamp) {
        if let Some(resident) = self.resident.get_mut(&id) {
            if !resident.unsent.is_empty() {
                resident.unsent.clear();
                self.ready[priority_of(&resident.body)].remove(&resident.body.account, id);
            }
            resident.retry_at = Some(resident.retry_at.map_or(due, |other| other.max(due)));
            self.landed(id);
        }
    }

    /// The message is settled, and the store knows.
    pub fn forget(&mut self, id: MessageId) {
        self.revoked.remove(&id);
        self.leave(id);
    }

    /// A message that was revoked is to be sent after all: it is found in the store again.
    pub fn bring_back(&mut self, place: Place, priority: u8) {
        self.forget(place.1);
        let priority = usize::from(priority).min(PRIORITIES - 1);
        self.paging[priority].more = true;
        self.leave_to_store(place, priority);
    }

    fn leave(&mut self, id: MessageId) {
        self.resident.remove(&id);
        if self.reading {
            self.gone.insert(id);
        }
    }

    /// Takes a message out if no session holds a part of it: `true` if it may be canceled. It is
    /// not loaded again; [`forget`](Self::forget) must follow when the store knows.
    pub fn revoke(&mut self, id: MessageId) -> bool {
        self.revoke_but(id, 0)
    }

    /// The same where one part was just answered.
    pub fn revoke_answered(&mut self, id: MessageId) -> bool {
        self.revoke_but(id, 1)
    }

    fn revoke_but(&mut self, id: MessageId, answered: u16) -> bool {
        let in_flight = self.resident.get(&id).is_some_and(|r| r.in_flight > answered);
        if !in_flight {
            self.resident.remove(&id);
            self.revoked.insert(id);
        }
        !in_flight
    }

    /// Messages in memory.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.resident.len()
    }

    fn admit(&mut self, id: MessageId, body: &Arc<Body>, parts: u8, unsent: VecDeque<u8>) {
        self.ready[priority_of(body)].push(&body.account, id, &self.shares);
        self.resident.insert(id, Resident { body: body.clone(), parts, unsent, in_flight: 0, retry_at: None });
    }

    fn leave_to_store(&mut self, place: Place, priority: usize) {
        let paging = &mut self.paging[priority];
        paging.touched = Some(paging.touched.map_or(place, |earliest| earliest.min(place)));
        paging.rewind(place);
    }

    /// A part has left its session. `false` if the message waits for a later retry, or is gone.
    fn landed(&mut self, id: MessageId) -> bool {
        let Some(resident) = self.resident.get_mut(&id) else { return false };
        resident.in_flight = resident.in_flight.saturating_sub(1);
        let Some(due) = resident.retry_at else { return true };
        if resident.in_flight == 0 {
            let priority = priority_of(&resident.body);
            self.leave(id);
            let paging = &mut self.paging[priority];
            paging.next_due = Some(paging.next_due.map_or(due, |other| other.min(due)));
            self.leave_to_store((due, id), priority);
        }
        false
    }
}

fn priority_of(body: &Body) -> usize {
    usize::from(body.priority).min(PRIORITIES - 1)
}

#[cfg(test)]
#[path = "active_tests.rs"]
mod tests;
