//! The keeper: renews the membership, and takes and lets go of slots.
//!
//! A slot is let go of in three steps, so that nobody else has it before this node has done with it: nothing
//! new is begun with it; when nothing is under way any more it is *gone*, and from then on its messages are
//! another's; when everything that was recorded before is durable, the store is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use model::Name;
use store::{CommitError, StoreError};

use super::balance::{Group, balance};
use super::slots::{HOOKS, Held, SHARDS, Slot};
use super::view::{About, Condition, View};
use super::{Member, NodeSettings};
use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::persist;
use crate::world::World;

/// Turns in a membership.
const TURNS: u32 = 5;

/// Keeps the membership for as long as it is polled; ends when it is lost.
pub(crate) async fn run(engine: Engine, member: Arc<Member>) {
    let turn = member.settings.membership / TURNS;
    while !member.is_lost() {
        // A store that takes longer is as good as away.
        match tokio::time::timeout(member.settings.membership, engine.keep(&member)).await {
            Ok(Ok(())) => engine.let_go_in_time(&member).await,
            Ok(Err(error)) => tracing::warn!(%error, "the membership in the fleet can't be renewed"),
            Err(_) => tracing::warn!("the store does not answer: the membership in the fleet can't be renewed"),
        }
        let _ = tokio::time::timeout(turn, member.poke.notified()).await;
    }
}

impl Engine {
    async fn keep(&self, member: &Arc<Member>) -> Result<(), StoreError> {
        let NodeSettings { name, holder, .. } = &member.settings;
        let about = serde_json::to_string(&self.about_node()).unwrap_or_default();
        let begun = Instant::now();
        match member.store.keep(name, holder, member.settings.ttl_millis(), &about).await? {
            Some(lease) if lease.epoch == member.lease.epoch => member.renewed(begun),
            _ => {
                member.lose();
                return Ok(());
            }
        }
        let (nodes, slots) = (member.store.nodes().await?, member.store.slots().await?);
        member.view.store(Arc::new(View::new(&member.name, nodes, slots)));
        self.rebalance(member).await
    }

    /// What this node tells of itself.
    fn about_node(&self) -> About {
        let lanes = self.inner.lanes.load();
        let connectors: BTreeMap<String, Condition> = lanes
            .iter()
            .filter(|lane| lane.is_up())
            .map(|lane| {
                let here = lane.condition_here();
                let bound = u16::try_from(lane.bound()).unwrap_or(u16::MAX);
                (lane.connector().to_string(), Condition { share: here.share, bound, busy: here.busy })
            })
            .collect();
        About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: self.inner.began.as_millis(),
            resources: self.inner.current.load().version,
            connectors,
            draining: self.inner.health.borrow().draining,
        }
    }

    /// Claims what this node should have and nobody has, and begins to leave what others should have.
    async fn rebalance(&self, member: &Arc<Member>) -> Result<(), StoreError> {
        let view = member.view.load_full();
        let held = member.held.load_full();
        let moves = balance(&member.name, &groups(&self.world(), &view), view.holders(), held.leaving());
        let mut wanted: BTreeSet<Slot> = moves.claim.into_iter().collect();
        if !self.inner.health.borrow().draining {
            wanted.extend(std::mem::take(&mut *member.strays.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        wanted.insert(Slot::Node(member.name.clone()));
        let serves = member.receivers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        wanted.extend(serves.iter().cloned().map(Slot::Receiver).filter(|slot| view.holder(slot).is_none()));
        wanted.retain(|slot| !held.slots().contains(slot));
        let mut leaving: BTreeSet<Slot> = held.leaving().iter().cloned().collect();
        leaving.extend(moves.leave.into_iter().filter(|slot| held.slots().contains(slot)));
        let unserved = |slot: &Slot| matches!(slot, Slot::Receiver(endpoint) if !serves.contains(endpoint));
        leaving.extend(held.slots().iter().filter(|slot| unserved(slot)).cloned());
        leaving.retain(|slot| !matches!(slot, Slot::Receiver(endpoint) if serves.contains(endpoint)));
        let mut slots = held.slots().clone();
        let mut gained = false;
        if !wanted.is_empty() {
            let names: Vec<Name> = wanted.iter().map(Slot::name).collect();
            match member.store.claim(&member.lease, &names).await {
                Ok(got) => {
                    gained = !got.is_empty();
                    slots.extend(got.iter().filter_map(|name| Slot::parse(name)));
                }
                Err(CommitError::Fenced(_)) => {
                    member.lose();
                    return Ok(());
                }
                Err(CommitError::Store(error)) => return Err(error),
                Err(error) => return Err(StoreError::Unavailable(error.to_string())),
            }
        }
        if gained {
            // What the open commits have read of these slices may be older than what was last written there.
            persist::flush(&self.inner.facts).await;
        }
        self.hold(member, Held::new(slots, leaving));
        Ok(())
    }

    /// Lets go of what it leaves. A slot that it has not done with in time, and yet may have let go of, is in
    /// nobody's hands as long as this membership lasts: so that ends.
    async fn let_go_in_time(&self, member: &Arc<Member>) {
        let limit = member.settings.membership / 2;
        match tokio::time::timeout(limit, self.let_go(member)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "slots could not be let go of in order"),
            Err(_) => member.lose(),
        }
    }

    /// Lets go of what it leaves and has nothing under way with.
    async fn let_go(&self, member: &Arc<Member>) -> Result<(), StoreError> {
        let held = member.held.load_full();
        let (gone, leaving): (BTreeSet<Slot>, BTreeSet<Slot>) =
            held.leaving().iter().cloned().partition(|slot| !self.is_busy_with(slot));
        if gone.is_empty() {
            return Ok(());
        }
        let stays = held.slots().difference(&gone).cloned().collect();
        self.hold(member, Held::new(stays, leaving));
        // Everything that was recorded under them is durable after this, and what is remembered of it forgotten.
        let _ = self.inner.facts.send(Facts::one(Fact::ForgetOthers)).await;
        persist::flush(&self.inner.facts).await;
        let names: Vec<Name> = gone.iter().map(Slot::name).collect();
        if let Err(error) = member.store.release(&member.lease, &names).await {
            // A release that may still arrive would free what was claimed again meanwhile.
            member.lose();
            return Err(error);
        }
        member.store.wake(&member.others()).await
    }

    /// Is anything under way that belongs to a slot?
    fn is_busy_with(&self, slot: &Slot) -> bool {
        match slot {
            Slot::Queue { shard, connector } => self.any_lane(connector).is_some_and(|lane| lane.has_taken_of(*shard)),
            Slot::Bind { number, connector } => self.any_lane(connector).is_some_and(|lane| lane.is_running(*number)),
            Slot::Hooks(_) | Slot::Receiver(_) => self.inner.outbox.is_busy_with(slot),
            Slot::Duty | Slot::Node(_) => false,
        }
    }

    /// From now on this node has these.
    fn hold(&self, member: &Member, held: Held) {
        if **member.held.load() == held {
            return;
        }
        let before = member.held.swap(Arc::new(held.clone()));
        tracing::debug!(node = %member.name, slots = ?held.counts(), leaving = held.leaving().len(), "slots");
        let mut view = View::clone(&member.view.load());
        for slot in before.slots().difference(held.slots()) {
            view.hold(&member.name, slot, false);
        }
        for slot in held.slots().difference(before.slots()) {
            view.hold(&member.name, slot, true);
        }
        member.view.store(Arc::new(view));
        self.heed_slots();
        self.inner.duty.send_if_modified(|duty| std::mem::replace(duty, held.has_duty()) != held.has_duty());
        member.mail.notify_one();
    }

    /// Has lanes and endpoints do what this node's slots allow.
    pub(crate) fn heed_slots(&self) {
        let Some(member) = &self.inner.fleet else { return };
        let held = member.held();
        let (lanes, retired) = self.all_lanes();
        for lane in lanes.iter().chain(&retired) {
            let connector = lane.connector();
            lane.set_slots(held.shards(connector), held.binds(connector));
        }
        self.inner.outbox.set_slots(&held);
    }
}

/// What there is to be shared out.
fn groups(world: &World, view: &View) -> Vec<Group> {
    let all: Vec<Name> = view.working().cloned().collect();
    let mut groups = vec![
        Group { slots: vec![Slot::Duty], among: all.clone(), counts: true },
        Group { slots: (0..HOOKS).map(Slot::Hooks).collect(), among: all.clone(), counts: false },
    ];
    for connector in world.connectors() {
        let name: Name = connector.id.as_str().into();
        let bind = |number| Slot::Bind { number, connector: name.clone() };
        let binds: Vec<Slot> = (0..connector.sessions.max(1)).map(bind).collect();
        // Who sends for a connector has its queue.
        let mut senders: Vec<Name> = binds.iter().filter_map(|slot| view.holder(slot)).collect();
        senders.retain(|node| all.contains(node));
        senders.sort_unstable();
        senders.dedup();
        // A node that can't reach the carrier leaves the queue to those that can.
        if senders.iter().any(|node| view.is_bound(node, &connector.id)) {
            senders.retain(|node| view.is_bound(node, &connector.id));
        }
        if senders.is_empty() {
            senders = all.clone();
        }
        let slots = (0..SHARDS).map(|shard| Slot::Queue { shard, connector: name.clone() }).collect();
        groups.push(Group { slots: binds, among: all.clone(), counts: true });
        groups.push(Group { slots, among: senders, counts: false });
    }
    groups
}
