//! A lane: the deliveries of one endpoint. Pure; the clock comes in.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use model::delivery::DeliveryState;
use model::{Delivery, DeliveryId, MessageId, Timestamp};
use store::DeliveryKey;

use super::call::CallResult;
use super::order::{Entry, Next, Order};
use super::paging::{Paging, Place};
use super::retry::wait_millis;
use super::suspension::Suspension;
use super::target::Target;

/// What a delivery takes up in memory beyond its payload, about.
const OVERHEAD: usize = 512;
/// Deliveries that a suspended lane keeps in memory: enough for the next probe.
const SUSPENDED_MAX: usize = 4;
/// Milliseconds after which a call that was dropped unfinished is tried again.
const ABANDONED_MILLIS: i64 = 1000;

/// The deliveries of one endpoint.
#[derive(Debug)]
pub(super) struct Lane {
    /// What is in memory.
    resident: HashMap<DeliveryId, Resident>,
    /// What `resident` takes up, in octets.
    weight: usize,
    /// What may be attempted, in order.
    ready: VecDeque<DeliveryId>,
    order: Order,
    /// What left `resident` and is on its way to the store; with a time, it is due again then.
    settling: HashMap<DeliveryId, Option<Timestamp>>,
    paging: Paging,
    /// What waits for another attempt in the store is known to `order`.
    recalled: bool,
    under_way: usize,
    suspension: Suspension,
    /// Calls that were dropped unfinished, with when they are tried again.
    abandoned: VecDeque<(Timestamp, DeliveryId)>,
    last_error: Option<Box<str>>,
    /// Nobody is there to take anything: all stays in the store.
    closed: bool,
}

#[derive(Debug)]
struct Resident {
    delivery: Arc<Delivery>,
    under_way: bool,
}

/// A row that is to be written: the old one goes, and perhaps comes back changed.
#[derive(Debug, PartialEq)]
pub(super) struct Settled {
    pub done: DeliveryKey,
    pub put: Option<Delivery>,
}

/// What to read from the store.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// What waits for another attempt.
    Retrying,
    /// So many of what is due after this place.
    Page { after: Option<Place>, limit: usize },
}

/// A delivery that may be attempted now.
#[derive(Debug)]
pub(super) struct Taken {
    pub delivery: Arc<Delivery>,
    pub target: Target,
    /// It shows whether a suspended endpoint is back.
    pub probe: bool,
}

impl Lane {
    /// Nothing in memory, and everything in the store to be looked at.
    pub fn new() -> Self {
        Self {
            resident: HashMap::new(),
            weight: 0,
            ready: VecDeque::new(),
            order: Order::default(),
            settling: HashMap::new(),
            paging: Paging::new(),
            recalled: false,
            under_way: 0,
            suspension: Suspension::default(),
            abandoned: VecDeque::new(),
            last_error: None,
            closed: false,
        }
    }

    /// Opens the lane for those who have come, or closes it when nobody is left: then what is in
    /// memory goes back to the store.
    pub fn set_closed(&mut self, closed: bool, now: Timestamp) {
        self.closed = closed;
        if closed {
            self.shed(now);
        } else {
            self.suspension.succeeded();
        }
    }

    /// A delivery that has just become durable. It stays in memory if it is due, fits in `limit`
    /// octets and nothing older waits in the store; otherwise it is found there later.
    pub fn offer(&mut self, delivery: Delivery, limit: usize, now: Timestamp, out: &mut Vec<Settled>) {
        if delivery.state != DeliveryState::Pending || self.knows(delivery.id) {
            return;
        }
        let wait = self.closed
            || !self.recalled
            || self.paging.is_behind(now)
            || delivery.due > now
            || !self.fits(&delivery, limit);
        if wait {
            self.paging.left((delivery.due, delivery.id), now);
        } else {
            self.admit(Arc::new(brought_back(delivery)), out);
        }
    }

    /// Another node has put a delivery into the store.
    pub fn owed_elsewhere(&mut self, place: Place, now: Timestamp) {
        if !self.knows(place.1) {
            self.paging.left(place, now);
        }
    }

    /// Should something be read from the store?
    pub fn is_hungry(&self, limit: usize, now: Timestamp) -> bool {
        let waiting = self.resident.len() - self.under_way;
        let room = if self.suspension.is_on() { waiting == 0 } else { waiting == 0 || self.weight < limit / 2 };
        !self.closed && room && self.paging.is_due(now)
    }

    /// Begins to read. One of [`recalled`](Self::recalled), [`loaded`](Self::loaded) and
    /// [`end_read`](Self::end_read) must follow.
    pub fn begin_read(&mut self, rows: usize, now: Timestamp) -> Read {
        let after = self.paging.begin(now);
        match self.recalled {
            false => Read::Retrying,
            true => Read::Page { after, limit: if self.suspension.is_on() { SUSPENDED_MAX.min(rows) } else { rows } },
        }
    }

    /// What waits for another attempt: the answer to [`Read::Retrying`].
    pub fn recalled(&mut self, retrying: impl IntoIterator<Item = (Option<MessageId>, DeliveryId, Timestamp)>) {
        for (message, id, due) in retrying {
            if !self.knows(id) {
                self.order.wait(message, id, due);
            }
        }
        self.recalled = true;
        self.paging.end(false, None);
    }

    /// A page: the answer to [`Read::Page`]. `last` says that nothing more is due, and `next_due`
    /// when something will be.
    pub fn loaded(
        &mut self,
        page: Vec<Delivery>,
        last: bool,
        next_due: Option<Timestamp>,
        limit: usize,
        out: &mut Vec<Settled>,
    ) {
        let mut read_all = true;
        for delivery in page {
            let (id, place) = (delivery.id, (delivery.due, delivery.id));
            if self.paging.is_overtaken(place) {
                read_all = false;
                break;
            }
            if !self.knows(id) && !self.paging.is_stale(id) {
                if self.closed || !self.fits(&delivery, limit) {
                    read_all = false;
                    break;
                }
                self.admit(Arc::new(brought_back(delivery)), out);
            }
            self.paging.passed(place);
        }
        self.paging.end(last && read_all, next_due);
    }

    /// The read failed; nothing was loaded.
    pub fn end_read(&mut self) {
        self.paging.abort();
    }

    /// May a call begin, with at most `concurrency` under way?
    pub fn can_start(&self, concurrency: usize, now: Timestamp) -> bool {
        !self.closed && !self.ready.is_empty() && self.under_way < concurrency && self.suspension.allows(now)
    }

    /// The next delivery to attempt. Those without a target (the webhook is gone or disabled) fail
    /// on the way.
    pub fn take(
        &mut self,
        mut target: impl FnMut(&Delivery) -> Result<Target, Box<str>>,
        out: &mut Vec<Settled>,
    ) -> Option<Taken> {
        while let Some(id) = self.ready.pop_front() {
            let Some(resident) = self.resident.get_mut(&id).filter(|r| !r.under_way) else { continue };
            let delivery = resident.delivery.clone();
            match target(&delivery) {
                Ok(target) => {
                    resident.under_way = true;
                    self.under_way += 1;
                    return Some(Taken { delivery, target, probe: self.suspension.begin() });
                }
                Err(detail) => {
                    self.settle(&delivery, None, Some(failed(&delivery, delivery.attempts, detail)), out);
                }
            }
        }
        None
    }

    /// A call came to its end.
    pub fn finish(
        &mut self,
        delivery: &Delivery,
        probe: bool,
        result: CallResult,
        now: Timestamp,
        random: u64,
        out: &mut Vec<Settled>,
    ) {
        self.under_way = self.under_way.saturating_sub(1);
        let attempts = delivery.attempts.saturating_add(1);
        match result {
            CallResult::Taken | CallResult::Answered(_) => {
                self.suspension.succeeded();
                self.last_error = None;
                self.settle(delivery, None, None, out);
            }
            CallResult::Gone => {
                self.suspension.unknown(probe);
                let detail: Box<str> = GONE.into();
                self.last_error = Some(detail.clone());
                self.settle(delivery, None, Some(failed(delivery, attempts, detail)), out);
            }
            CallResult::Refused { detail } => {
                // It is there and has an opinion.
                self.suspension.succeeded();
                let detail: Box<str> = detail.into();
                self.last_error = Some(detail.clone());
                self.settle(delivery, None, Some(failed(delivery, attempts, detail)), out);
            }
            CallResult::Failed { detail, retry_after } => {
                let suspended = self.suspension.failed(probe, now);
                let detail: Box<str> = detail.into();
                self.last_error = Some(detail.clone());
                match wait_millis(attempts, retry_after, random) {
                    Some(wait) => {
                        let due = now.plus_millis(wait);
                        let put =
                            Delivery { due, attempts, last_error: Some(detail), restorable: false, ..delivery.clone() };
                        self.settle(delivery, Some(due), Some(put), out);
                    }
                    None => self.settle(delivery, None, Some(failed(delivery, attempts, detail)), out),
                }
                if suspended {
                    self.shed(now);
                }
            }
        }
    }

    /// A call was dropped unfinished: it is tried again soon, and does not count.
    pub fn abandon(&mut self, id: DeliveryId, probe: bool, now: Timestamp) {
        self.under_way = self.under_way.saturating_sub(1);
        self.suspension.unknown(probe);
        if let Some(resident) = self.resident.get_mut(&id) {
            resident.under_way = false;
            self.abandoned.push_back((now.plus_millis(ABANDONED_MILLIS), id));
        }
    }

    /// What was written of a delivery is durable.
    pub fn durable(&mut self, id: DeliveryId, now: Timestamp) {
        let Some(due) = self.settling.remove(&id) else { return };
        self.paging.gone(id);
        if let Some(due) = due {
            self.paging.left((due, id), now);
        }
    }

    /// Keeps a delivery that is not in memory from being loaded, while its row is changed to be
    /// due at `due`: until [`durable`](Self::durable). `false` if it is in memory, or being
    /// written already.
    pub fn claim(&mut self, id: DeliveryId, due: Timestamp) -> bool {
        let free = !self.knows(id);
        if free {
            self.settling.insert(id, Some(due));
        }
        free
    }

    /// Changes when a claimed delivery is due.
    pub fn reclaim(&mut self, message: Option<MessageId>, id: DeliveryId, due: Timestamp) {
        self.settling.insert(id, Some(due));
        self.order.wait(message, id, due);
    }

    /// Does what the clock asks for.
    pub fn wake(&mut self, now: Timestamp) {
        while let Some(&(at, id)) = self.abandoned.front()
            && at <= now
        {
            self.abandoned.pop_front();
            self.ready.push_front(id);
        }
    }

    /// When [`wake`](Self::wake), a read or a call will be possible only because time has passed.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        if self.closed {
            return None;
        }
        let probe = self.suspension.until().filter(|_| !self.ready.is_empty());
        let abandoned = self.abandoned.front().map(|(at, _)| *at);
        [probe, abandoned, self.paging.next_due()].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Has it nothing to do now, nor anything in memory?
    pub fn is_asleep(&self, now: Timestamp) -> bool {
        self.resident.is_empty() && self.settling.is_empty() && !self.paging.reading() && !self.paging.is_due(now)
    }

    /// Has it nothing to do, now or later?
    pub fn is_idle(&self) -> bool {
        let all_in_store = self.closed && !self.paging.reading();
        self.resident.is_empty() && self.settling.is_empty() && (self.paging.is_empty() || all_in_store)
    }

    /// What its deliveries take up in memory, in octets, about.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Calls under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Deliveries in memory that are not being attempted.
    pub fn waiting(&self) -> usize {
        self.resident.len() - self.under_way
    }

    /// Deliveries in the store that wait for another attempt, or behind one that does.
    pub fn retrying(&self) -> usize {
        self.order.retrying()
    }

    pub fn suspended_until(&self) -> Option<Timestamp> {
        self.suspension.until()
    }

    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    fn knows(&self, id: DeliveryId) -> bool {
        self.resident.contains_key(&id) || self.settling.contains_key(&id)
    }

    /// One always fits, however large it is.
    fn fits(&self, delivery: &Delivery, limit: usize) -> bool {
        let room = if self.suspension.is_on() { self.resident.len() < SUSPENDED_MAX } else { true };
        self.resident.is_empty() || (room && self.weight + weight_of(delivery) <= limit)
    }

    fn admit(&mut self, delivery: Arc<Delivery>, out: &mut Vec<Settled>) {
        let entry = self.order.enter(delivery.message, delivery.id);
        if let Entry::Blocked(until) = entry {
            return self.put_off(&delivery, until, out);
        }
        if entry == Entry::Ready {
            self.ready.push_back(delivery.id);
        }
        self.weight += weight_of(&delivery);
        self.resident.insert(delivery.id, Resident { delivery, under_way: false });
    }

    fn leave(&mut self, id: DeliveryId) -> Option<Arc<Delivery>> {
        let resident = self.resident.remove(&id)?;
        self.weight -= weight_of(&resident.delivery);
        Some(resident.delivery)
    }

    /// A delivery leaves memory: for good, or until it is `due` again. What waits behind it moves.
    fn settle(&mut self, delivery: &Delivery, due: Option<Timestamp>, put: Option<Delivery>, out: &mut Vec<Settled>) {
        if self.leave(delivery.id).is_none() {
            return;
        }
        self.settling.insert(delivery.id, due);
        out.push(Settled { done: DeliveryKey::from(delivery), put });
        match (due, delivery.message) {
            (Some(due), message) => self.order.wait(message, delivery.id, due),
            (None, Some(message)) => self.order.remove(message, delivery.id),
            (None, None) => {}
        }
        match self.order.advance(delivery.message) {
            Next::Nothing => {}
            Next::Ready(id) => self.ready.push_back(id),
            Next::Blocked(until, ids) => {
                for id in ids {
                    if let Some(delivery) = self.leave(id) {
                        self.put_off(&delivery, until, out);
                    }
                }
            }
        }
    }

    /// An earlier delivery of the message is tried again at `until`: this one comes right after it,
    /// and holds up what is later still.
    fn put_off(&mut self, delivery: &Delivery, until: Timestamp, out: &mut Vec<Settled>) {
        self.order.wait(delivery.message, delivery.id, until);
        self.settling.insert(delivery.id, Some(until));
        let mut put = Delivery { due: until, restorable: false, ..delivery.clone() };
        if put.attempts == 0 {
            // Rows that were attempted are recalled after a restart, and this one must be: it
            // comes after later ones of its message in the order of the store.
            put.attempts = 1;
            put.last_error = Some(PUT_OFF.into());
        }
        out.push(Settled { done: DeliveryKey::from(delivery), put: Some(put) });
    }

    /// The endpoint is suspended: what waits in memory goes back to the store.
    fn shed(&mut self, now: Timestamp) {
        let waiting: Vec<DeliveryId> = self.resident.iter().filter(|(_, r)| !r.under_way).map(|(id, _)| *id).collect();
        self.ready.clear();
        self.abandoned.clear();
        for id in waiting {
            if let Some(delivery) = self.leave(id) {
                self.paging.left((delivery.due, id), now);
                if let Some(message) = delivery.message {
                    self.order.remove(message, id);
                }
            }
        }
    }
}

/// What became of a delivery to an endpoint that answered 410.
pub(super) const GONE: &str = "endpoint answered 410 Gone";

/// What the row of a delivery says that was not attempted and waits for an earlier one's retry.
const PUT_OFF: &str = "waits for an earlier event of the same message";

/// A delivery as it was before it was put off.
fn brought_back(mut delivery: Delivery) -> Delivery {
    if delivery.attempts == 1 && delivery.last_error.as_deref() == Some(PUT_OFF) {
        delivery.attempts = 0;
        delivery.last_error = None;
    }
    delivery
}

fn failed(delivery: &Delivery, attempts: u16, detail: Box<str>) -> Delivery {
    let last_error = Some(detail);
    Delivery { state: DeliveryState::Failed, attempts, last_error, restorable: false, ..delivery.clone() }
}

fn weight_of(delivery: &Delivery) -> usize {
    delivery.payload.len() + OVERHEAD
}

#[cfg(test)]
#[path = "lane_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "lane_model_tests.rs"]
mod model_tests;
