//! The active set: the part of one connector's queue that is in memory. Pure; the clock comes in.
//!
//! A message is *resident* from when it is loaded until it is settled, so it is never loaded twice.
//! Its parts that wait are in `ready`, by priority and account; parts that came back are in `returned` and go
//! first; parts that a session has taken are counted in `in_flight`. Where there is no room for an account's
//! messages they stay in the store, and [`Backlog`] remembers where to read on.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use model::{Body, MessageId, Name, Timestamp};
use store::{QueueEntry, QueueRead, Shards};

pub(crate) use super::backlog::Place;

use super::backlog::Backlog;
use super::ready::{First, Ready, Shares};
use crate::fleet::shard_of;

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
    /// Parts that came back, and wait in [`Active::returned`].
    back: u16,
    /// Parts of it were recorded as handed over before they were.
    marked: bool,
    /// Something of it went out, or may have.
    begun: bool,
    /// Set when a part is to be tried again later, or the message was put aside: it goes back to the
    /// store when no session holds a part of it, to where the store has it by then.
    leaves_to: Option<Option<Place>>,
}

impl Resident {
    /// A part that a session has just taken.
    fn taken(&self, part: u8) -> Taken {
        let is_first = !self.begun && self.in_flight == 1;
        Taken { body: self.body.clone(), part, parts: self.parts, marked: false, is_first }
    }
}

/// A part to be sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Taken {
    pub body: Arc<Body>,
    pub part: u8,
    pub parts: u8,
    /// It is recorded as handed over.
    pub marked: bool,
    /// Nothing else of its message went out, and no session has another part.
    pub is_first: bool,
}

/// What is to be read from the store next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Which accounts have anything of this priority: those after this one.
    Accounts(usize, Option<Name>),
    /// Messages of these accounts, with this priority.
    Messages(usize, Vec<QueueRead>),
}

/// A message that was read, or has just become durable.
#[derive(Debug)]
pub(crate) struct Found {
    pub place: Place,
    pub body: Arc<Body>,
    pub parts: u8,
    pub unsent: VecDeque<u8>,
    /// Parts of it were recorded as handed over, and nothing was said of them since.
    pub marked: bool,
    /// Something of it went out, or may have.
    pub begun: bool,
}

/// What was read of one account.
#[derive(Debug)]
pub(crate) struct Page {
    pub account: Name,
    pub messages: Vec<Found>,
    /// It is all that is due.
    pub all: bool,
    /// When the next one becomes due.
    pub next_due: Option<Timestamp>,
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
    backlog: [Backlog; PRIORITIES],
    turn: u32,
    /// A page is being read from the store.
    reading: bool,
    /// Messages that left memory since that read began: the page may still show them as they were.
    gone: HashSet<MessageId>,
    /// Messages that are being canceled: the store may still show them as waiting.
    revoked: HashSet<MessageId>,
}

impl Active {
    /// Nothing in memory, and everything in the store to be looked at.
    pub fn new() -> Self {
        Self::default()
    }

    /// A message that has just become durable. It stays in memory if there is room and nothing
    /// older of its account waits in the store; otherwise it is found there later.
    pub fn offer(&mut self, found: Found, now: Timestamp) {
        let Found { place, body, .. } = &found;
        let priority = priority_of(body.priority);
        if let Some(resident) = self.resident.get_mut(&place.1) {
            if resident.leaves_to.is_some() {
                resident.leaves_to = Some(Some(*place));
            }
            return;
        }
        if self.revoked.contains(&place.1) {
            return;
        }
        let (backlog, ready) = (&mut self.backlog[priority], &mut self.ready[priority]);
        if place.0 > now {
            backlog.leave_until_due(&body.account, *place);
        } else if backlog.is_listed() && !backlog.has_more(&body.account) && ready.has_room(&body.account) {
            self.admit(found);
        } else {
            backlog.leave(&body.account, *place);
            ready.falls_behind(&body.account, &self.shares);
        }
    }

    /// What accounts get of the connector.
    pub fn set_shares(&mut self, shares: Arc<Shares>) {
        self.ready.iter_mut().for_each(|ready| ready.set_shares(&shares));
        self.shares = shares;
    }

    /// Accounts that the store has, with what is due first of each.
    pub fn listed(&mut self, priority: usize, accounts: Vec<(Name, Timestamp)>, last: bool) {
        self.backlog[priority].listed(accounts, last);
        self.end_read();
    }

    /// The store may have messages that nobody has told of: it is to be looked through for them.
    pub fn list_again(&mut self) {
        self.backlog.iter_mut().for_each(Backlog::list_again);
    }

    /// What was read from the store. Returns messages with parts that were recorded as handed over, and not
    /// by this active set: an earlier one ended before it knew what became of them.
    pub fn loaded(&mut self, priority: usize, pages: impl IntoIterator<Item = Page>) -> Vec<MessageId> {
        let mut overlooked = Vec::new();
        for Page { account, messages, all, next_due } in pages {
            let read_to = messages.last().map(|found| found.place);
            for found in messages {
                let id = found.place.1;
                let stale = self.resident.contains_key(&id) || self.gone.contains(&id) || self.revoked.contains(&id);
                if stale {
                    continue;
                }
                if found.marked || found.unsent.is_empty() {
                    overlooked.push(id);
                } else {
                    self.admit(found);
                }
            }
            if !self.backlog[priority].read(&account, read_to, all, next_due) {
                self.ready[priority].catches_up(&account);
            }
        }
        self.end_read();
        overlooked
    }

    /// Should something be read from the store now?
    pub fn is_hungry(&self, now: Timestamp) -> bool {
        let due = |backlog: &Backlog| backlog.next_due().is_some_and(|due| due <= now);
        self.backlog.iter().any(|backlog| !backlog.is_listed() || due(backlog))
            || self.ready.iter().any(Ready::is_hungry)
    }

    /// Begins to read on. [`listed`](Self::listed), [`loaded`](Self::loaded) or
    /// [`end_read`](Self::end_read) must follow.
    pub fn begin_read(&mut self, now: Timestamp) -> Option<Wanted> {
        let wanted = self.wanted(now)?;
        self.reading = true;
        Some(wanted)
    }

    fn wanted(&mut self, now: Timestamp) -> Option<Wanted> {
        if let Some(priority) = (0..PRIORITIES).rev().find(|priority| !self.backlog[*priority].is_listed()) {
            return Some(Wanted::Accounts(priority, self.backlog[priority].listed_to()));
        }
        for priority in (0..PRIORITIES).rev() {
            let (backlog, ready) = (&mut self.backlog[priority], &mut self.ready[priority]);
            while let Some(account) = backlog.pop_due(now) {
                ready.falls_behind(&account, &self.shares);
            }
            let wanted = ready.begin_read();
            if !wanted.is_empty() {
                let read = |(account, limit)| QueueRead { after: backlog.begin(&account), account, limit };
                return Some(Wanted::Messages(priority, wanted.into_iter().map(read).collect()));
            }
        }
        None
    }

    /// The read is over, well or not.
    pub fn end_read(&mut self) {
        self.reading = false;
        self.gone.clear();
        self.ready.iter_mut().for_each(Ready::end_read);
    }

    /// When something in the store becomes due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.backlog.iter().filter_map(Backlog::next_due).min()
    }

    /// Is a part waiting to be taken?
    pub fn has_ready(&self) -> bool {
        self.has_marked() || !self.returned.is_empty() || self.ready.iter().any(|r| !r.is_empty())
    }

    /// Is one waiting that is recorded as handed over?
    pub fn has_marked(&self) -> bool {
        !self.marked.is_empty()
    }

    /// A part that was taken is to be recorded before it goes.
    pub fn mark(&mut self, taken: Taken) {
        if let Some(resident) = self.resident.get_mut(&taken.body.id) {
            resident.marked = true;
        }
        self.marking.insert((taken.body.id, taken.part), taken);
    }

    /// Parts that are being recorded, or were and wait.
    pub fn marking(&self) -> usize {
        self.marking.len() + self.marked.len()
    }

    /// A part is recorded as handed over: it may go.
    pub fn marked(&mut self, id: MessageId, part: u8) {
        self.marked.extend(self.marking.remove(&(id, part)).map(|taken| Taken { marked: true, ..taken }));
    }

    /// Are parts of this message recorded as handed over before they are?
    pub fn is_marked(&self, id: MessageId) -> bool {
        self.resident.get(&id).is_some_and(|resident| resident.marked)
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
                resident.back = resident.back.saturating_sub(1);
                return Some(resident.taken(part));
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
                let taken = resident.taken(part);
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
        if self.landed(id)
            && let Some(resident) = self.resident.get_mut(&id)
        {
            resident.back += 1;
            self.returned.push_front((id, part));
        }
    }

    /// A part was accepted by the carrier, others of its message were not yet.
    pub fn sent(&mut self, id: MessageId) {
        if let Some(resident) = self.resident.get_mut(&id) {
            resident.begun = true;
        }
        self.landed(id);
    }

    /// A part is to be tried again: the message waits where the store has it, as soon as no session holds
    /// another part; or nowhere, if it was put aside.
    pub fn retry(&mut self, id: MessageId, entry: Option<&QueueEntry>) {
        if let Some(resident) = self.resident.get_mut(&id) {
            // Another part may have sent it elsewhere before: what the store was told last counts.
            resident.leaves_to = Some(entry.map(|entry| (entry.due, entry.id)));
            self.hold_back(id);
            self.landed(id);
        } else if let Some(entry) = entry {
            self.backlog[priority_of(entry.priority)].leave_until_due(&entry.account, (entry.due, id));
        }
    }

    /// No further part of a message is taken.
    fn hold_back(&mut self, id: MessageId) {
        let Some(resident) = self.resident.get_mut(&id) else { return };
        if !resident.unsent.is_empty() {
            resident.unsent.clear();
            self.ready[priority_of(resident.body.priority)].remove(&resident.body.account, id);
        }
        if resident.back > 0 {
            resident.back = 0;
            self.returned.retain(|(other, _)| *other != id);
        }
    }

    /// The message is settled, and the store knows.
    pub fn forget(&mut self, id: MessageId) {
        self.revoked.remove(&id);
        self.leave(id);
    }

    /// The time of a message is over of which a part was just taken; no other part is. `true` if no session
    /// holds one: then it has left. Otherwise it ends when those have ended.
    pub fn expire(&mut self, id: MessageId) -> bool {
        let held = self.resident.get(&id).is_some_and(|resident| resident.in_flight > 1);
        if held {
            self.hold_back(id);
            self.landed(id);
        } else {
            self.forget(id);
        }
        !held
    }

    /// A message that was revoked is to be sent after all: it is found in the store again.
    pub fn bring_back(&mut self, place: Place, account: &Name, priority: u8) {
        self.forget(place.1);
        let priority = priority_of(priority);
        self.backlog[priority].leave(account, place);
        self.ready[priority].falls_behind(account, &self.shares);
    }

    /// Takes a message out of which a part was just taken, if sessions hold no other part of it.
    /// [`put_back`](Self::put_back) or [`forget`](Self::forget) must follow when the store knows.
    pub fn put_off(&mut self, id: MessageId) -> bool {
        self.revoke_but(id, 1)
    }

    /// A message waits in the store, where another node has put it.
    pub fn waits(&mut self, place: Place, account: &Name, priority: u8, now: Timestamp) {
        if self.resident.contains_key(&place.1) {
            return;
        }
        let priority = priority_of(priority);
        if place.0 > now {
            self.backlog[priority].leave_until_due(account, place);
        } else {
            self.backlog[priority].leave(account, place);
            self.ready[priority].falls_behind(account, &self.shares);
        }
    }

    /// Lets go of messages of all other slices. Those that sessions hold parts of go when they have ended.
    pub fn keep_shards(&mut self, shards: &Shards) {
        let others = self.resident.iter().filter(|(id, _)| !shards.contains(&shard_of(**id)));
        let others: Vec<(MessageId, bool)> = others.map(|(id, resident)| (*id, resident.in_flight > 0)).collect();
        for (id, is_held) in others {
            self.hold_back(id);
            if is_held {
                if let Some(resident) = self.resident.get_mut(&id) {
                    resident.leaves_to = Some(None);
                }
            } else {
                self.leave(id);
            }
        }
    }

    /// Do sessions hold a part of any message of this slice?
    pub fn has_taken_of(&self, shard: u16) -> bool {
        self.resident.iter().any(|(id, resident)| resident.in_flight > 0 && shard_of(*id) == shard)
    }

    /// A message that was put off is found in the store again when it is due.
    pub fn put_back(&mut self, place: Place, account: &Name, priority: u8) {
        self.forget(place.1);
        self.backlog[priority_of(priority)].leave_until_due(account, place);
    }

    fn leave(&mut self, id: MessageId) {
        self.drop_resident(id);
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
            self.drop_resident(id);
            self.revoked.insert(id);
        }
        !in_flight
    }

    /// With it go its parts that came back: if it is loaded again, those are among its unsent ones.
    fn drop_resident(&mut self, id: MessageId) {
        if self.resident.remove(&id).is_some_and(|resident| resident.back > 0) {
            self.returned.retain(|(other, _)| *other != id);
        }
    }

    /// Messages in memory.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.resident.len()
    }

    fn admit(&mut self, found: Found) {
        let Found { place, body, parts, unsent, begun, .. } = found;
        self.ready[priority_of(body.priority)].push(&body.account, place.1, &self.shares);
        let resident = Resident { body, parts, unsent, in_flight: 0, back: 0, marked: false, begun, leaves_to: None };
        self.resident.insert(place.1, resident);
    }

    /// A part has left its session. `false` if the message waits in the store, or is gone.
    fn landed(&mut self, id: MessageId) -> bool {
        let Some(resident) = self.resident.get_mut(&id) else { return false };
        resident.in_flight = resident.in_flight.saturating_sub(1);
        let Some(place) = resident.leaves_to else { return true };
        if resident.in_flight == 0 {
            let body = resident.body.clone();
            self.leave(id);
            if let Some(place) = place {
                self.backlog[priority_of(body.priority)].leave_until_due(&body.account, place);
            }
        }
        false
    }
}

fn priority_of(priority: u8) -> usize {
    usize::from(priority).min(PRIORITIES - 1)
}

#[cfg(test)]
#[path = "active_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "fair_tests.rs"]
mod fair_tests;
