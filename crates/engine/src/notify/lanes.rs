//! All lanes together: whose turn it is, who must read, who is woken when. Pure; the clock comes
//! in.
//!
//! Calls and memory are shared out by *dynamic thresholds*: a lane may have as much as a part of
//! what is still free. One busy endpoint may take a lot while nobody else needs it, many slow ones
//! together can't take everything, and a lane that has nothing under way always finds a place.

mod slots;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use model::resources::Webhook;
use model::{Delivery, DeliveryId, Name, Timestamp};
use tokio::sync::Notify;

use super::call::CallResult;
use super::lane::{GONE, Lane, Read, Settled, Taken};
use super::target::{Target, settings_of, target_of};
use crate::facts::Fact;
use crate::fleet::Held;
use crate::world::{MQTT_LANE, World, is_session_lane};

/// Calls under way over all endpoints.
pub const CALLS_MAX: usize = 512;
/// Lanes in memory; further endpoints wait until one has nothing to do.
const LANES_MAX: usize = 2048;
/// Octets that deliveries take up in memory over all lanes, about.
const WEIGHT_MAX: usize = 64 << 20;
/// Octets that a lane may take up when all lanes are full.
const LANE_WEIGHT_MIN: usize = 16 << 10;
/// Octets that a lane may take up at the most.
const LANE_WEIGHT_MAX: usize = 8 << 20;
/// Rows read from the store at a time.
const PAGE: usize = 512;

/// All lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: HashMap<Name, Slot>,
    /// Lanes that may begin a call, the one first that waited longest.
    turn: VecDeque<Name>,
    /// Lanes that have something to read from the store.
    hungry: VecDeque<Name>,
    /// When to look at which lane.
    alarms: BinaryHeap<Reverse<(Timestamp, Name)>>,
    /// Webhooks that answered 410, as they were configured then.
    gone: HashMap<Name, Webhook>,
    weight: usize,
    under_way: usize,
    /// Calls under way per lane at the most.
    concurrency: usize,
    /// What is to be written, but for what calls write themselves.
    outgoing: Vec<Booked>,
    /// What is being written.
    tickets: HashMap<u64, (Name, DeliveryId)>,
    next_ticket: u64,
    /// Endpoints that are served by receivers, as long as there are any.
    receivers: HashMap<Name, Receivers>,
    /// The store may have endpoints that have no lane.
    unlisted: bool,
    /// Which endpoints are this node's, if it is one of several.
    held: Option<Arc<Held>>,
    signals: Signals,
}

/// A lane with what `Lanes` knows of it.
#[derive(Debug)]
struct Slot {
    lane: Lane,
    /// It is served by receivers, not by calls.
    received: bool,
    in_turn: bool,
    in_hungry: bool,
    alarm: Option<Timestamp>,
}

/// Who serves an endpoint.
#[derive(Debug)]
struct Receivers {
    count: usize,
    /// One of them may take something.
    news: Arc<Notify>,
}

/// Is this endpoint served by those who come and take, and not called?
pub(crate) fn is_received(endpoint: &str) -> bool {
    is_session_lane(endpoint) || endpoint.starts_with(MQTT_LANE)
}

/// A fact to be recorded, and the number by which it is heard of again.
pub(super) type Booked = (Fact, u64);

/// Who has something to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Signals {
    /// Those who wait for the next delivery.
    pub callers: bool,
    /// The task that reads, writes and minds the clock.
    pub keeper: bool,
}

/// An endpoint as it is now, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// A webhook's id, or the origin of a `callback_url`.
    pub endpoint: Name,
    /// Deliveries in memory that wait for a call.
    pub waiting: usize,
    /// Calls under way.
    pub under_way: usize,
    /// Deliveries that wait for another attempt, or behind one of their message that does.
    pub retrying: usize,
    /// It failed again and again, and is left alone until then.
    pub backing_off_until: Option<Timestamp>,
    /// It answered 410 Gone and takes nothing until its settings change.
    pub gone: bool,
    /// What the last call that failed came to.
    pub last_error: Option<Box<str>>,
}

impl Lanes {
    pub fn new(concurrency: usize, held: Option<Arc<Held>>) -> Self {
        Self {
            lanes: HashMap::new(),
            turn: VecDeque::new(),
            hungry: VecDeque::new(),
            alarms: BinaryHeap::new(),
            gone: HashMap::new(),
            weight: 0,
            under_way: 0,
            concurrency: concurrency.max(1),
            outgoing: Vec::new(),
            tickets: HashMap::new(),
            receivers: HashMap::new(),
            next_ticket: 0,
            unlisted: true,
            held,
            signals: Signals::default(),
        }
    }

    /// Who has something to do since this was asked last.
    pub fn signals(&mut self) -> Signals {
        self.signals.keeper |= !self.outgoing.is_empty();
        std::mem::take(&mut self.signals)
    }

    /// Deliveries that have just become durable.
    pub fn offer(&mut self, deliveries: impl Iterator<Item = Delivery>, now: Timestamp) {
        let mut deliveries = deliveries.peekable();
        while let Some(delivery) = deliveries.next() {
            let endpoint = delivery.endpoint.clone();
            if self.open(&endpoint, now) {
                // Those of one endpoint mostly stand together.
                self.with(&endpoint, now, |lane, limit, out| {
                    lane.offer(delivery, limit, now, out);
                    while let Some(next) = deliveries.next_if(|next| next.endpoint == endpoint) {
                        lane.offer(next, limit, now, out);
                    }
                });
            }
        }
    }

    /// Makes sure that `endpoint` has a lane; `false` if there is no room for it now.
    pub fn open(&mut self, endpoint: &Name, now: Timestamp) -> bool {
        if self.lanes.contains_key(endpoint) {
            return true;
        }
        let received = is_received(endpoint);
        if self.held.as_ref().is_some_and(|held| !held.has_endpoint(endpoint, received)) {
            return false;
        }
        if self.lanes.len() >= LANES_MAX {
            self.unlisted = true;
            let asleep = self.lanes.iter().find(|(_, slot)| slot.lane.is_asleep(now)).map(|(name, _)| name.clone());
            match asleep {
                Some(name) => self.lanes.remove(&name),
                None => return false,
            };
        }
        let mut lane = Lane::new();
        lane.set_closed(received && !self.receivers.contains_key(endpoint), now);
        let slot = Slot { lane, received, in_turn: false, in_hungry: false, alarm: None };
        self.lanes.insert(endpoint.clone(), slot);
        self.review(endpoint, now);
        true
    }

    /// The next delivery to attempt, by turns.
    pub fn take(&mut self, world: &World, now: Timestamp) -> Option<Taken> {
        for _ in 0..self.turn.len() {
            let free = CALLS_MAX.saturating_sub(self.under_way);
            if free == 0 {
                return None;
            }
            let name = self.turn.pop_front()?;
            let Some(slot) = self.lanes.get_mut(&name) else { continue };
            slot.in_turn = false;
            if slot.lane.under_way() >= (free / 2).max(1) {
                // It stays in the row: there is room again as soon as any call ends.
                slot.in_turn = true;
                self.turn.push_back(name);
                continue;
            }
            if !slot.lane.can_start(self.concurrency, now) {
                continue;
            }
            let gone = self.gone.contains_key(&name);
            let target = |delivery: &Delivery| target_unless_gone(world, delivery, gone);
            if let Some(taken) = self.with(&name, now, |lane, _, out| lane.take(target, out)).flatten() {
                self.signals.callers |= !self.turn.is_empty();
                return Some(taken);
            }
        }
        None
    }

    /// Somebody has come to serve `endpoint`: how it hears of news.
    pub fn open_receiver(&mut self, endpoint: &Name, now: Timestamp) -> Arc<Notify> {
        let news = || Receivers { count: 0, news: Arc::default() };
        let receivers = self.receivers.entry(endpoint.clone()).or_insert_with(news);
        receivers.count += 1;
        let (first, news) = (receivers.count == 1, receivers.news.clone());
        if self.open(endpoint, now) && first {
            self.with(endpoint, now, |lane, _, _| lane.set_closed(false, now));
        }
        news
    }

    /// Somebody who served `endpoint` is gone.
    /// Whether it was the last of them.
    pub fn close_receiver(&mut self, endpoint: &Name, now: Timestamp) -> bool {
        let Some(receivers) = self.receivers.get_mut(endpoint) else { return false };
        receivers.count -= 1;
        if receivers.count == 0 {
            self.receivers.remove(endpoint);
            self.with(endpoint, now, |lane, _, _| lane.set_closed(true, now));
            return true;
        }
        false
    }

    /// What a receiver of `endpoint` may take now.
    pub fn take_for(&mut self, endpoint: &Name, most: usize, now: Timestamp) -> Vec<Taken> {
        let taken = self.with(endpoint, now, |lane, _, out| {
            let mut taken = Vec::new();
            while taken.len() < most && lane.can_start(usize::MAX, now) {
                let Some(one) = lane.take(|_| Ok(Target::nowhere()), out) else { break };
                taken.push(one);
            }
            taken
        });
        taken.unwrap_or_default()
    }

    /// A call came to its end: the facts to record.
    pub fn finish(
        &mut self,
        taken: &Taken,
        result: CallResult,
        world: &World,
        now: Timestamp,
        random: u64,
    ) -> Vec<Booked> {
        let delivery = &taken.delivery;
        let endpoint = &delivery.endpoint;
        if result == CallResult::Gone
            && delivery.url.is_none()
            && let Some(webhook) = settings_of(world, endpoint)
            && *webhook.url == *taken.target.url
        {
            tracing::warn!(webhook = %endpoint, "the webhook answered 410 Gone; it takes nothing until it is changed");
            self.gone.insert(endpoint.clone(), webhook);
        }
        let mut mine = Vec::new();
        self.with(endpoint, now, |lane, _, _| lane.finish(delivery, taken.probe, result, now, random, &mut mine));
        self.signals.callers |= !self.turn.is_empty();
        mine.into_iter().map(|settled| self.book(endpoint, settled)).collect()
    }

    /// What a receiver of `endpoint` took came to its end: the facts to record.
    pub fn finish_received(
        &mut self,
        endpoint: &Name,
        ended: Vec<(Taken, CallResult)>,
        now: Timestamp,
        mut random: impl FnMut() -> u64,
    ) -> Vec<Booked> {
        let mut mine = Vec::with_capacity(ended.len());
        self.with(endpoint, now, |lane, _, _| {
            for (taken, result) in ended {
                lane.finish(&taken.delivery, taken.probe, result, now, random(), &mut mine);
            }
        });
        mine.into_iter().map(|settled| self.book(endpoint, settled)).collect()
    }

    /// A call was dropped unfinished.
    pub fn abandon(&mut self, taken: &Taken, now: Timestamp) {
        let delivery = &taken.delivery;
        self.with(&delivery.endpoint, now, |lane, _, _| lane.abandon(delivery.id, taken.probe, now));
        self.signals.callers |= !self.turn.is_empty();
    }

    /// What was written under these numbers is durable.
    pub fn durable(&mut self, tickets: &[u64], now: Timestamp) {
        let known: Vec<_> = tickets.iter().filter_map(|ticket| self.tickets.remove(ticket)).collect();
        for of_one in known.chunk_by(|a, b| a.0 == b.0) {
            let Some((endpoint, _)) = of_one.first() else { continue };
            self.with(endpoint, now, |lane, _, _| of_one.iter().for_each(|(_, id)| lane.durable(*id, now)));
        }
    }

    /// What is to be written now.
    pub fn take_outgoing(&mut self) -> Vec<Booked> {
        std::mem::take(&mut self.outgoing)
    }

    /// The next read that there is room for; [`with`](Self::with) brings back the answer.
    pub fn begin_read(&mut self, now: Timestamp) -> Option<(Name, Read)> {
        while let Some(name) = self.hungry.pop_front() {
            let limit = self.limit();
            let Some(slot) = self.lanes.get_mut(&name) else { continue };
            slot.in_hungry = false;
            if slot.lane.is_hungry(limit, now) {
                let read = slot.lane.begin_read(PAGE, now);
                return Some((name, read));
            }
        }
        None
    }

    /// Does what the clock asks for; when to come back.
    pub fn ring(&mut self, now: Timestamp) -> Option<Timestamp> {
        while let Some(Reverse((at, name))) = self.alarms.peek() {
            let at = *at;
            let valid = self.lanes.get(name).is_some_and(|slot| slot.alarm == Some(at));
            if valid && at > now {
                return Some(at);
            }
            let Some(Reverse((_, name))) = self.alarms.pop() else { break };
            if valid {
                if let Some(slot) = self.lanes.get_mut(&name) {
                    slot.alarm = None;
                }
                self.with(&name, now, |lane, _, _| lane.wake(now));
            }
        }
        None
    }

    /// The resources changed: webhooks that were gone and are configured otherwise are called
    /// again.
    pub fn world_changed(&mut self, world: &World) {
        self.gone.retain(|name, webhook| settings_of(world, name).as_ref() == Some(webhook));
    }

    /// Must endpoints be looked for in the store? Asking takes it as done.
    pub fn take_unlisted(&mut self) -> bool {
        std::mem::take(&mut self.unlisted)
    }

    pub fn is_unlisted(&self) -> bool {
        self.unlisted
    }

    /// The endpoints could not be looked for.
    pub fn set_unlisted(&mut self) {
        self.unlisted = true;
    }

    pub fn view(&self) -> Vec<EndpointView> {
        let mut views: Vec<EndpointView> =
            self.lanes.iter().map(|(name, slot)| self.view_of(name, &slot.lane)).collect();
        views.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
        views
    }

    fn view_of(&self, name: &Name, lane: &Lane) -> EndpointView {
        EndpointView {
            endpoint: name.clone(),
            waiting: lane.waiting(),
            under_way: lane.under_way(),
            retrying: lane.retrying(),
            backing_off_until: lane.suspended_until(),
            gone: self.gone.contains_key(name),
            last_error: lane.last_error().map(Into::into),
        }
    }

    /// Changes a lane, and sees to what follows from it. The lane is told how many octets it may
    /// take up, and puts what is to be written into the list.
    pub fn with<R>(
        &mut self,
        endpoint: &Name,
        now: Timestamp,
        change: impl FnOnce(&mut Lane, usize, &mut Vec<Settled>) -> R,
    ) -> Option<R> {
        let limit = self.limit();
        let Slot { lane, received, .. } = self.lanes.get_mut(endpoint)?;
        // What receivers have is bounded by their windows, and takes no calls from webhooks.
        let calls = |lane: &Lane| if *received { 0 } else { lane.under_way() };
        let (weight, under_way) = (lane.weight(), calls(lane));
        let mut out = Vec::new();
        let answer = change(lane, limit, &mut out);
        self.weight = self.weight + lane.weight() - weight;
        self.under_way = self.under_way + calls(lane) - under_way;
        for settled in out {
            let booked = self.book(endpoint, settled);
            self.outgoing.push(booked);
        }
        self.review(endpoint, now);
        Some(answer)
    }

    /// Makes a fact of what a lane wants written.
    pub fn book(&mut self, endpoint: &Name, settled: Settled) -> Booked {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.tickets.insert(ticket, (endpoint.clone(), settled.done.id));
        (Fact::Delivery { done: settled.done, put: settled.put }, ticket)
    }

    /// How many octets a lane may take up now.
    fn limit(&self) -> usize {
        (WEIGHT_MAX.saturating_sub(self.weight) / 4).clamp(LANE_WEIGHT_MIN, LANE_WEIGHT_MAX)
    }

    /// Puts a lane where it belongs after it has changed.
    fn review(&mut self, endpoint: &Name, now: Timestamp) {
        let limit = self.limit();
        let Some((name, slot)) = self.lanes.get_key_value(endpoint) else { return };
        if slot.lane.is_idle() {
            self.lanes.remove(endpoint);
            return;
        }
        let name = name.clone();
        let Some(slot) = self.lanes.get_mut(endpoint) else { return };
        if slot.received {
            if slot.lane.can_start(usize::MAX, now)
                && let Some(receivers) = self.receivers.get(endpoint)
            {
                receivers.news.notify_one();
            }
        } else if !slot.in_turn && slot.lane.can_start(self.concurrency, now) {
            slot.in_turn = true;
            self.turn.push_back(name.clone());
            self.signals.callers = true;
        }
        if !slot.in_hungry && slot.lane.is_hungry(limit, now) {
            slot.in_hungry = true;
            self.hungry.push_back(name.clone());
            self.signals.keeper = true;
        }
        if let Some(at) = slot.lane.next_wake(now)
            && slot.alarm.is_none_or(|alarm| at < alarm)
        {
            slot.alarm = Some(at);
            self.alarms.push(Reverse((at, name)));
            self.signals.keeper = true;
        }
    }
}

fn target_unless_gone(world: &World, delivery: &Delivery, gone: bool) -> Result<Target, Box<str>> {
    if gone && delivery.url.is_none() {
        return Err(GONE.into());
    }
    target_of(world, delivery)
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
