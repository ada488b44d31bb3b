//! The outbox: the lanes behind one lock, and the task that keeps them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Delivery, DeliveryId, Name, Timestamp};
use store::{Store, StoreError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::call::{Call, CallResult};
use super::lane::{Read, Taken};
use super::lanes::{Booked, EndpointView, Lanes};
use super::restore::restore;
use crate::facts::{Fact, FactSender, Facts, Recorded};
use crate::fleet::{Held, Member, Slot};
use crate::world::World;

/// How long to wait after the store could not be read.
const STORE_AWAY: Duration = Duration::from_secs(1);
/// How often endpoints are looked for that had no room.
const LIST_AGAIN: Duration = Duration::from_secs(10);
/// The longest sleep: the clocks of store and runtime may drift apart.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// What is owed to applications by webhook. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    facts: FactSender,
    world: watch::Receiver<Arc<World>>,
    lanes: Mutex<Lanes>,
    /// This node, if it is one of several.
    member: Option<Arc<Member>>,
    /// Those who wait for the next delivery.
    callers: Notify,
    keeper: Notify,
    /// The numbers of what has become durable. Bounded by what was sent to the recorder.
    durable: mpsc::UnboundedSender<Recorded>,
    /// Taken by the keeper when it starts.
    heard: Mutex<Option<mpsc::UnboundedReceiver<Recorded>>>,
}

impl Outbox {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        facts: FactSender,
        world: watch::Receiver<Arc<World>>,
        concurrency: usize,
        member: Option<Arc<Member>>,
    ) -> Self {
        let (durable, heard) = mpsc::unbounded_channel();
        let inner = Inner {
            store,
            facts,
            world,
            lanes: Mutex::new(Lanes::new(concurrency, member.is_some().then(Arc::default))),
            member,
            callers: Notify::new(),
            keeper: Notify::new(),
            durable,
            heard: Mutex::new(Some(heard)),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Deliveries that have just become durable. Never blocks: what has no room is read from the
    /// store later.
    pub(crate) fn offer(&self, deliveries: impl ExactSizeIterator<Item = Delivery>) {
        if deliveries.len() > 0 {
            let now = self.now();
            self.change(|lanes| lanes.offer(deliveries, now));
        }
    }

    /// Deliveries that other nodes have put into the store for endpoints of this one.
    pub(crate) fn owed_elsewhere(&self, owed: impl ExactSizeIterator<Item = (Name, Vec<(Timestamp, DeliveryId)>)>) {
        if owed.len() > 0 {
            let now = self.now();
            self.change(|lanes| owed.for_each(|(endpoint, places)| lanes.owed_elsewhere(&endpoint, places, now)));
        }
    }

    /// From now on these endpoints are this node's.
    pub(crate) fn set_slots(&self, held: &Arc<Held>) {
        let now = self.now();
        self.change(|lanes| lanes.set_slots(held.clone(), now));
        self.inner.callers.notify_one();
    }

    /// Is a call under way, or on its way to the store, that belongs to a slot?
    pub(crate) fn is_busy_with(&self, slot: &Slot) -> bool {
        self.lock().is_busy_with(slot)
    }

    /// Sessions that serve an endpoint have come, or the last of them has gone.
    pub(super) fn serves(&self, endpoint: &Name, any: bool) {
        if let Some(member) = &self.inner.member {
            member.serves(endpoint, any);
        }
    }

    /// May anything be attempted now?
    fn may_act(&self) -> bool {
        self.inner.member.as_ref().is_none_or(|member| member.may_act(std::time::Instant::now()))
    }

    /// The next delivery that may be attempted, when there is one. Waits for ever once the engine
    /// has ended: nothing could be recorded any more. Cancel-safe.
    pub async fn next(&self) -> Call {
        loop {
            if self.inner.facts.is_closed() {
                return std::future::pending().await;
            }
            let mut woken = std::pin::pin!(self.inner.callers.notified());
            // Listening begins before looking, so that nothing is missed between the two.
            woken.as_mut().enable();
            if let Some(call) = self.try_next() {
                return call;
            }
            woken.await;
        }
    }

    /// The next delivery that may be attempted, if there is one now.
    #[must_use]
    pub fn try_next(&self) -> Option<Call> {
        if self.inner.facts.is_closed() || !self.may_act() {
            return None;
        }
        let (world, now) = (self.inner.world.borrow().clone(), self.now());
        let taken = self.change(|lanes| lanes.take(&world, now))?;
        Some(Call::new(taken, self.clone()))
    }

    /// The endpoints that have something in memory, or will have.
    #[must_use]
    pub fn view(&self) -> Vec<EndpointView> {
        self.lock().view()
    }

    /// The store's clock: what deliveries' times are of.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.store.now()
    }

    /// Reads on from the store, writes what is to be written, and minds the clock. Ends when the
    /// recorder has.
    pub(crate) async fn run(self) {
        let heard = self.inner.heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut heard) = heard else { return };
        let mut world = self.inner.world.clone();
        let mut list_at = Instant::now();
        loop {
            while let Ok(Recorded { acks, .. }) = heard.try_recv() {
                self.hear(&acks);
            }
            let outgoing = self.change(Lanes::take_outgoing);
            if !outgoing.is_empty() {
                let Ok(permit) = self.inner.facts.reserve().await else { return };
                permit.send(self.facts_of(outgoing));
                continue;
            }
            if list_at <= Instant::now() && self.change(Lanes::take_unlisted) {
                list_at = Instant::now() + LIST_AGAIN;
                self.list().await;
                continue;
            }
            let now = self.now();
            if let Some((endpoint, read)) = self.change(|lanes| lanes.begin_read(now)) {
                self.read(&endpoint, read).await;
                continue;
            }
            let (ring_at, unlisted) = self.change(|lanes| (lanes.ring(now), lanes.is_unlisted()));
            let ring = ring_at.map(|at| Instant::now() + Duration::from_millis(at.millis_since(now).max(1) as u64));
            let list = unlisted.then_some(list_at);
            let latest = Instant::now() + SLEEP_MAX;
            let until = ring.into_iter().chain(list).fold(latest, Instant::min);
            tokio::select! {
                Some(Recorded { acks, .. }) = heard.recv() => self.hear(&acks),
                () = self.inner.keeper.notified() => {}
                changed = world.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let world = world.borrow_and_update().clone();
                    self.change(|lanes| lanes.world_changed(&world));
                }
                () = tokio::time::sleep_until(until) => {}
                () = self.inner.facts.closed() => return,
            }
        }
    }

    pub(super) fn facts(&self) -> &FactSender {
        &self.inner.facts
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// Records the end of a call. Under the lock, so that the facts of one message are in order.
    pub(super) fn finished(&self, taken: &Taken, result: CallResult, permit: mpsc::Permit<'_, Facts>) {
        let (world, now) = (self.inner.world.borrow().clone(), self.now());
        self.change(|lanes| {
            let (result, answer) = result.without_answer();
            let mut facts = self.facts_of(lanes.finish(taken, result, &world, now, fastrand::u64(..)));
            // In one group with the delivery's end, so that both are in one commit.
            let delivery = || taken.delivery.clone();
            facts.facts.extend(answer.map(|answer| Fact::Answered { delivery: delivery(), answer }));
            permit.send(facts);
        });
    }

    /// Records the ends of what a receiver of `endpoint` took, all at once.
    pub(super) fn finished_all(
        &self,
        endpoint: &Name,
        ended: Vec<(Taken, CallResult)>,
        permit: mpsc::Permit<'_, Facts>,
    ) {
        let now = self.now();
        self.change(|lanes| {
            let booked = lanes.finish_received(endpoint, ended, now, || fastrand::u64(..));
            permit.send(self.facts_of(booked));
        });
    }

    pub(super) fn abandoned(&self, taken: &Taken) {
        let now = self.now();
        self.change(|lanes| lanes.abandon(taken, now));
    }

    /// Changes the lanes and wakes whom it concerns.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Lanes) -> R) -> R {
        let mut lanes = self.lock();
        let answer = change(&mut lanes);
        let signals = lanes.signals();
        drop(lanes);
        if signals.callers {
            self.inner.callers.notify_one();
        }
        if signals.keeper {
            self.inner.keeper.notify_one();
        }
        answer
    }

    pub(super) fn facts_of(&self, booked: Vec<Booked>) -> Facts {
        let (facts, acks) = booked.into_iter().unzip();
        Facts { facts, acknowledge: Some((self.inner.durable.clone(), Recorded { acks, outcomes: 0 })) }
    }

    fn hear(&self, tickets: &[u64]) {
        let now = self.now();
        self.change(|lanes| lanes.durable(tickets, now));
    }

    /// Opens lanes for the endpoints that the store has something for.
    async fn list(&self) {
        match self.inner.store.delivery_endpoints().await {
            Ok(mut endpoints) => {
                // Where there is no room for all, each shall have its turn.
                fastrand::shuffle(&mut endpoints);
                let now = self.now();
                self.change(|lanes| endpoints.iter().for_each(|endpoint| _ = lanes.open(endpoint, now)));
            }
            Err(error) => {
                tracing::warn!(%error, "the endpoints of deliveries can't be read");
                self.change(Lanes::set_unlisted);
            }
        }
    }

    async fn read(&self, endpoint: &Name, read: Read) {
        let done = match read {
            Read::Retrying => self.read_retrying(endpoint).await,
            Read::Page { after, limit } => self.read_page(endpoint, after, limit).await,
        };
        if let Err(error) = done {
            tracing::warn!(%endpoint, %error, "the deliveries of an endpoint can't be read");
            tokio::time::sleep(STORE_AWAY).await;
            let now = self.now();
            self.change(|lanes| lanes.with(endpoint, now, |lane, _, _| lane.end_read()));
        }
    }

    async fn read_retrying(&self, endpoint: &Name) -> Result<(), StoreError> {
        let retrying = self.inner.store.deliveries_retrying(endpoint).await?;
        let retrying = retrying.iter().map(|d| (d.message, d.id, d.due));
        let now = self.now();
        self.change(|lanes| lanes.with(endpoint, now, |lane, _, _| lane.recalled(retrying)));
        Ok(())
    }

    async fn read_page(
        &self,
        endpoint: &Name,
        after: Option<(Timestamp, model::DeliveryId)>,
        limit: usize,
    ) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let due_by = store.now();
        let mut page = store.delivery_page(endpoint, after, due_by, limit).await?;
        restore(&**store, &mut page).await?;
        let last = page.len() < limit;
        let next_due = if last { store.delivery_next_due(endpoint, due_by).await? } else { None };
        let now = self.now();
        let load = |lanes: &mut Lanes| {
            lanes.with(endpoint, now, |lane, room, out| lane.loaded(page, last, next_due, room, out))
        };
        self.change(load);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        // Nothing panics half-way through a change of the lanes; a panic elsewhere harms nothing.
        self.inner.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
