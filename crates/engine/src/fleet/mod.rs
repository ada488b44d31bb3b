//! Fleet: several nodes on one store.
//!
//! Nodes share the work by *slots* (see [`store::Fleet`]): slices of connectors' queues, the sessions that
//! a carrier allows, slices of the webhooks, and one duty for what is done once for all of them. What is a
//! node's own it does exactly as a gateway does that is alone; the rest it leaves to others:
//!
//! * **One writer a message.** A message belongs to a slice of its connector's queue for its whole life, and
//!   only the node that has that slice writes its row. So the recorder's order, its cache and its commits
//!   that build on one another hold as they do on one machine. What another node hears of the message, a
//!   receipt for one, it writes to the slice as [mail](letter), in its own commit; who has the slice reads
//!   that, and takes it away in the commit that does what it says.
//! * **A message is accepted where it arrives**, into a slice of that node if it has one of the connector's:
//!   then nobody else need know. If not it goes into another's, with mail that says where it lies.
//! * **A node that can't renew its membership stops by its own clock** before the membership can run out
//!   ([`Member::may_act`]), however long it was stopped; and every commit carries the membership's fence, so
//!   what a node that was thought dead still writes is refused. Then it starts anew as another epoch.
//!
//! [`balance`] says who should have what, [`keeper`] takes slots and lets go of them, [`post`] brings the
//! mail. A store that can't have several nodes has no fleet, and nothing of this runs.

mod ask;
pub(crate) mod balance;
mod keeper;
pub(crate) mod letter;
pub(crate) mod post;
pub(crate) mod slots;
mod view;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use model::{Direction, Message, Name};
use store::{Fence, Lease, Store};
use tokio::sync::{Notify, watch};

pub(crate) use ask::{Asked, RemoteAnswer};
pub(crate) use keeper::run as keep;
pub(crate) use letter::Letter;
pub(crate) use post::run as bring;
pub(crate) use slots::{Held, Slot, shard_of};
pub use view::{FleetView, NodeView};

use crate::engine::StartError;
use view::View;

/// How long a node that is started waits for another process of the same name to be gone, in memberships.
const WAITS: u32 = 4;

/// What a node of a fleet is started with.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Its name, other than every other node's.
    pub name: String,
    /// Tells this machine's place for the node from all others: a process that is started again there ends the
    /// membership of the one before at once.
    pub holder: String,
    /// How long a membership lasts that is not renewed: others take over after it.
    pub membership: Duration,
}

impl NodeSettings {
    fn ttl_millis(&self) -> i64 {
        i64::try_from(self.membership.as_millis()).unwrap_or(i64::MAX)
    }
}

/// This node, as a member of its fleet.
pub(crate) struct Member {
    name: Name,
    settings: NodeSettings,
    store: Arc<dyn store::Fleet>,
    lease: Lease,
    began: Instant,
    /// Until when it may act for its slots, in microseconds since it began.
    acts_until: AtomicU64,
    held: ArcSwap<Held>,
    view: ArcSwap<View>,
    /// Slots that nobody had when mail was written to them.
    strays: Mutex<BTreeSet<Slot>>,
    /// Endpoints that sessions here would serve.
    receivers: Mutex<BTreeSet<Name>>,
    /// What other nodes were asked and have not answered yet.
    questions: ask::Questions,
    /// Somebody wants the keeper to look at once.
    poke: Notify,
    /// There is mail for this node, as far as it knows.
    mail: Notify,
    /// Nodes that have mail, and whoever tells them.
    to_wake: (Mutex<BTreeSet<Name>>, Notify),
    lost: watch::Sender<bool>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("name", &self.name).field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl Member {
    /// Joins the fleet of `store`. Waits until a process that was this node before is gone.
    pub async fn join(store: &Arc<dyn Store>, settings: NodeSettings) -> Result<Self, StartError> {
        let fleet = store.clone().fleet().ok_or(StartError::NotShared)?;
        let ttl = settings.ttl_millis();
        let keep = || fleet.keep(&settings.name, &settings.holder, ttl, "{}");
        let give_up = Instant::now() + settings.membership * WAITS;
        let (lease, renewed) = loop {
            // What a process before this one held, and still has on its way to the store, ends with its epoch.
            if let Some(before) = keep().await? {
                fleet.leave(&before).await?;
                let begun = Instant::now();
                if let Some(lease) = keep().await? {
                    break (lease, begun);
                }
            }
            if Instant::now() >= give_up {
                return Err(StartError::NodeTaken(settings.name.as_str().into()));
            }
            tracing::info!(node = settings.name, "waits until another process of this node's name is gone");
            tokio::time::sleep(settings.membership / 4).await;
        };
        let name = Name::from(settings.name.as_str());
        tracing::info!(node = %name, epoch = lease.epoch, "joined the fleet");
        let member = Self {
            name,
            store: fleet,
            lease,
            began: renewed,
            acts_until: AtomicU64::new(0),
            held: ArcSwap::default(),
            view: ArcSwap::default(),
            strays: Mutex::default(),
            receivers: Mutex::default(),
            questions: ask::Questions::default(),
            poke: Notify::new(),
            mail: Notify::new(),
            to_wake: Default::default(),
            lost: watch::Sender::new(false),
            settings,
        };
        member.renewed(renewed);
        Ok(member)
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it has.
    pub fn held(&self) -> arc_swap::Guard<Arc<Held>> {
        self.held.load()
    }

    /// What it sees of the others.
    pub fn view(&self) -> arc_swap::Guard<Arc<View>> {
        self.view.load()
    }

    /// May it send, and call, for its slots? Asked before every hand-over.
    pub fn may_act(&self, now: Instant) -> bool {
        now < self.began + Duration::from_micros(self.acts_until.load(Ordering::Acquire)) && !self.is_lost()
    }

    /// The condition of its commits.
    pub fn fence(&self) -> Fence {
        self.lease.fence()
    }

    /// Its membership has ended: nothing can be written under it any more.
    pub fn lose(&self) {
        if !self.lost.send_replace(true) {
            tracing::error!(node = %self.name, "the membership in the fleet has ended: this node starts anew");
        }
    }

    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    pub fn watch_lost(&self) -> watch::Receiver<bool> {
        self.lost.subscribe()
    }

    /// The slot of a message that another node writes, or would have to; `None` if this one does. An incoming
    /// message is written once, where it came in, and what is noted in it later is nobody's alone.
    pub fn foreign(&self, message: &Message) -> Option<Slot> {
        if message.body.direction == Direction::Mo {
            return None;
        }
        let connector = message.progress.connector.clone().unwrap_or_else(|| "".into());
        self.foreign_queue(connector, shard_of(message.body.id))
    }

    /// The same of a place in a queue.
    pub fn foreign_queue(&self, connector: Name, shard: u16) -> Option<Slot> {
        (!self.held.load().has_queue(&connector, shard)).then_some(Slot::Queue { shard, connector })
    }

    /// The slot of an endpoint that another node serves.
    pub fn foreign_endpoint(&self, endpoint: &Name, by_receivers: bool) -> Option<Slot> {
        (!self.held.load().has_endpoint(endpoint, by_receivers)).then(|| match by_receivers {
            true => Slot::Receiver(endpoint.clone()),
            false => Slot::Hooks(slots::hook_of(endpoint)),
        })
    }

    /// Does it alone write this message?
    pub fn writes(&self, message: &Message) -> bool {
        message.body.direction == Direction::Mt && self.foreign(message).is_none()
    }

    /// The other nodes.
    pub fn others(&self) -> Vec<Name> {
        self.view.load().nodes().filter(|node| **node != self.name).cloned().collect()
    }

    /// Does it do what is done once for the whole fleet?
    pub fn has_duty(&self) -> bool {
        self.held.load().has_duty()
    }

    /// Random bits for a new message's id, such that the message is this node's own if it can be.
    pub fn random_for(&self, connector: &str, random: u64) -> u64 {
        let own = self.held.load().shards(connector);
        let some = usize::try_from(random >> 32).unwrap_or(0);
        match own.get(some % own.len().max(1)) {
            Some(shard) => random - random % u64::from(slots::SHARDS) + u64::from(*shard),
            None => random,
        }
    }

    /// Mail was written to a slot: who has it is told, or it is claimed.
    pub fn written_to(&self, slot: &Slot) -> Option<Name> {
        let holder = self.view.load().holder(slot);
        // What is owed to sessions waits until there are some, and a letter box is one node's.
        if holder.is_none() && !matches!(slot, Slot::Receiver(_) | Slot::Node(_)) {
            self.strays.lock().unwrap_or_else(PoisonError::into_inner).insert(slot.clone());
            self.poke.notify_one();
        }
        holder
    }

    /// Sessions that serve an endpoint are here, or not any more.
    pub fn serves(&self, endpoint: &Name, any: bool) {
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        match any {
            true => receivers.insert(endpoint.clone()),
            false => receivers.remove(endpoint),
        };
        self.poke.notify_one();
    }

    /// Has the keeper look at once.
    pub fn look(&self) {
        self.poke.notify_one();
    }

    /// Drops answers to nodes that are gone: nobody waits for them.
    pub async fn forget_letters(&self) -> Result<(), store::StoreError> {
        self.store.forget_mail("node:").await.map(drop)
    }

    /// Leaves the fleet: others take over at once.
    pub async fn leave(&self) {
        let left = self.store.leave(&self.lease).await;
        if let Err(error) = left.and(self.store.wake(&self.others()).await) {
            tracing::warn!(%error, "the fleet could not be told that this node leaves; others take over in a moment");
        }
    }

    /// The membership was renewed by what was begun then.
    fn renewed(&self, begun: Instant) {
        let until = begun.saturating_duration_since(self.began) + self.settings.membership - self.margin();
        self.acts_until.store(u64::try_from(until.as_micros()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// How long before the end of its membership it stops: for what is on its way, and clocks that differ.
    fn margin(&self) -> Duration {
        self.settings.membership / 5
    }
}
