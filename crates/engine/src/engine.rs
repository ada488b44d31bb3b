//! The engine as its ends see it: ingresses submit and ask, connectors get their links, the
//! webhook caller its outbox.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use model::resources::Connector;
use model::{IdMaker, MessageId, Name, Timestamp};
use store::{Store, StoreError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::abandoned::Retired;
use crate::access::Access;
use crate::batches::{self, Batches};
use crate::carriers::CarrierCalls;
use crate::completion::{self, Endings};
use crate::dispatch::{Desired, Link};
use crate::duty;
use crate::facts::FactSender;
use crate::failover;
use crate::fleet::{self, FleetView, Member, NodeSettings};
use crate::group_tasks;
use crate::groups::Groups;
use crate::inquire::Desks;
use crate::keep::{self, Retention};
use crate::metrics::Metrics;
use crate::money;
use crate::notify::Outbox;
use crate::opt_outs::OptOuts;
use crate::persist::{self, Recorder};
use crate::policy::PolicyCaller;
use crate::recurring::{self, Recurring};
use crate::rhythm::Rhythm;
use crate::schedule::{HealthView, Lane, Paces, SessionView, refill};
use crate::token_use;
use crate::vault::Vault;
use crate::world::{World, WorldError};

/// Groups of facts that may wait for the recorder. Each is bounded by its sender.
const FACTS_WAITING: usize = 4096;

/// What the engine is started with.
#[derive(Debug)]
pub struct Settings {
    /// The key that secrets at rest are sealed with.
    pub vault: Vault,
    /// How long what has ended is kept.
    pub retention: Retention,
    /// Calls under way per webhook endpoint.
    pub webhook_concurrency: usize,
    /// How often to look whether another process changed the resources.
    pub watch_resources: Duration,
    /// The resources file that is the only authority, if one is: nothing else may change them.
    pub authority: Option<String>,
    /// Which node this is, if others work on the store as well; `None` is alone there.
    pub node: Option<NodeSettings>,
}

/// The engine. Cheap to clone; it runs until [`Engine::stop`].
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub store: Arc<dyn Store>,
    pub vault: Vault,
    pub world: watch::Sender<Arc<World>>,
    /// The same world again, for the hot path: no lock, no waiting.
    pub current: ArcSwap<World>,
    pub lanes: ArcSwap<Vec<Arc<Lane>>>,
    pub retired: Mutex<Retired>,
    /// Links' refill tasks, ended with their lane.
    refills: Mutex<std::collections::HashMap<Name, tokio::task::AbortHandle>>,
    pub orphaned: Arc<Notify>,
    /// What accounts have or use was moved by a commit.
    pub money_moved: Notify,
    pub facts: FactSender,
    pub desks: Arc<Desks>,
    pub outbox: Outbox,
    pub access: Access,
    pub metrics: Arc<Metrics>,
    pub ids: Mutex<IdMaker>,
    pub health: watch::Sender<Health>,
    pub batches: Batches,
    pub endings: Endings,
    pub opt_outs: OptOuts,
    pub recurring: Recurring,
    pub groups: Groups,
    /// What was sent lately, where a pace is to be kept.
    pub paces: Arc<Paces>,
    pub rhythm: ArcSwap<Rhythm>,
    pub policy_caller: OnceLock<Arc<dyn PolicyCaller>>,
    pub carrier_calls: OnceLock<Arc<dyn CarrierCalls>>,
    pub authority: Option<String>,
    /// This node among others, if the store is for several.
    pub fleet: Option<Arc<Member>>,
    /// When this engine began, by the store's clock.
    pub began: Timestamp,
    /// Whether what is done once for a fleet is done here.
    pub duty: watch::Sender<bool>,
    /// Held by whoever changes the stored resources or takes them up.
    pub editing: tokio::sync::Mutex<()>,
    tasks: Mutex<JoinSet<()>>,
}

/// Whether messages can be accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why the store can't be written, if it can't.
    pub store: Option<Box<str>>,
    /// The gateway is stopping: nothing new is taken.
    pub draining: bool,
}

/// An engine that can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored resources can't be used.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The store is one node's own.
    #[error("this store can't be shared by several nodes")]
    NotShared,
    /// Another process is the node of this name.
    #[error("another process is the node {0} of the fleet: each node needs a name of its own")]
    NodeTaken(Name),
}

/// A connector as it is now, for people.
#[derive(Clone, Debug)]
pub struct ConnectorStatus {
    /// Its settings.
    pub connector: Arc<Connector>,
    /// What is wanted of it.
    pub desired: Desired,
    /// Where its sessions stand.
    pub sessions: Vec<SessionView>,
    /// Why it pauses, if it does.
    pub paused: Option<Box<str>>,
    /// Messages in its queue.
    pub queued: u64,
    /// How well it does.
    pub health: HealthView,
    /// What its modem tells of itself, if it is one and there.
    pub modem: Option<Box<crate::modem::ModemView>>,
    /// What its SMSC has answered to what the last session has set and asked for.
    pub smsc: Option<Arc<crate::smsc::SmscView>>,
    /// How receipts' ids were found to relate to answers' ids, and how often.
    pub receipt_ids: Vec<(&'static str, u64)>,
}

impl Engine {
    /// Starts on `store`: reads the resources, and begins to record, schedule and keep.
    pub async fn start(store: Arc<dyn Store>, settings: Settings) -> Result<Self, StartError> {
        let world = Arc::new(World::read(&store.resources().await?, &settings.vault)?);
        let fleet = match settings.node {
            Some(node) => Some(Arc::new(Member::join(&store, node).await?)),
            None => None,
        };
        let (facts, inbox) = mpsc::channel(FACTS_WAITING);
        let world_sender = watch::Sender::new(world.clone());
        let outbox = Outbox::new(
            store.clone(),
            facts.clone(),
            world_sender.subscribe(),
            settings.webhook_concurrency,
            fleet.clone(),
        );
        let inner = Arc::new(Inner {
            vault: settings.vault,
            world: world_sender,
            current: ArcSwap::new(Arc::new(World::default())),
            lanes: ArcSwap::default(),
            retired: Mutex::default(),
            refills: Mutex::default(),
            orphaned: Arc::new(Notify::new()),
            money_moved: Notify::new(),
            facts,
            desks: Arc::default(),
            outbox: outbox.clone(),
            access: Access::default(),
            metrics: Arc::new(Metrics::new()),
            ids: Mutex::default(),
            health: watch::Sender::new(Health::default()),
            batches: Batches::read(&*store).await?,
            endings: Endings::read(&*store).await?,
            opt_outs: OptOuts::load(&*store).await?,
            recurring: Recurring::default(),
            groups: Groups::default(),
            paces: Arc::default(),
            rhythm: ArcSwap::default(),
            policy_caller: OnceLock::new(),
            carrier_calls: OnceLock::new(),
            authority: settings.authority,
            began: store.now(),
            duty: watch::Sender::new(fleet.is_none()),
            fleet,
            editing: tokio::sync::Mutex::default(),
            tasks: Mutex::default(),
            store,
        });
        let engine = Self { inner };
        engine.install(world);
        if engine.inner.fleet.is_none() {
            for (connector, depth) in engine.inner.store.queue_depths().await? {
                if let Some(lane) = engine.lane(&connector) {
                    lane.waits(i64::try_from(depth).unwrap_or(i64::MAX));
                }
            }
        }
        let recorder = Recorder::new(&engine).await?;
        engine.spawn(persist::run(recorder, inbox));
        engine.spawn(async move { outbox.run().await });
        engine.spawn(keep::watch_resources(engine.clone(), settings.watch_resources));
        engine.spawn(failover::run(engine.clone()));
        engine.spawn(keep::orphans(engine.clone()));
        engine.spawn(token_use::run(engine.clone()));
        engine.spawn(keep::count_queued(engine.clone()));
        engine.spawn_duty(keep::deadlines);
        engine.spawn_duty(batches::run);
        engine.spawn_duty(completion::run);
        engine.spawn_duty(recurring::run);
        engine.spawn_duty(group_tasks::run);
        engine.spawn_duty(money::watch_balances);
        engine.spawn_duty(move |engine| keep::retention(engine, settings.retention));
        if let Some(member) = engine.inner.fleet.clone() {
            engine.spawn_duty(duty::run);
            engine.spawn(duty::follow(engine.clone()));
            engine.spawn(fleet::bring(engine.clone(), member.clone()));
            engine.spawn(fleet::keep(engine.clone(), member));
        }
        Ok(engine)
    }

    /// The fleet that this engine is a node of, as it was a moment ago; `None` if its store is its own.
    #[must_use]
    pub fn fleet(&self) -> Option<FleetView> {
        let member = self.inner.fleet.as_ref()?;
        Some(member.view().shown(member.name()))
    }

    /// Waits until this node's membership in its fleet has ended, so that nothing more can be recorded and the
    /// engine has to be started anew. For ever where it is alone.
    pub async fn lost(&self) {
        let Some(member) = &self.inner.fleet else { return std::future::pending().await };
        // The sender lives as long as the engine.
        let _ = member.watch_lost().wait_for(|lost| *lost).await;
    }

    /// Is what is done once for the whole fleet done here? Always, where there is no fleet.
    #[must_use]
    pub fn has_duty(&self) -> bool {
        *self.inner.duty.borrow()
    }

    /// The same, with changes.
    #[must_use]
    pub fn watch_duty(&self) -> watch::Receiver<bool> {
        self.inner.duty.subscribe()
    }

    /// The resources as they are now.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        self.inner.current.load_full()
    }

    /// The resources, with changes: a connector manager starts and ends sessions by it.
    #[must_use]
    pub fn watch_world(&self) -> watch::Receiver<Arc<World>> {
        self.inner.world.subscribe()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.store.now()
    }

    /// Counters and gauges.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.inner.metrics
    }

    /// Whether messages can be accepted, with changes.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Health> {
        self.inner.health.subscribe()
    }

    /// What is owed to applications by webhook.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.inner.outbox.clone()
    }

    /// The link of a connector; `None` if there is no such connector.
    #[must_use]
    pub fn link(&self, connector: &str) -> Option<Link> {
        let lane = self.lane(connector)?;
        Some(Link { lane, facts: self.inner.facts.clone(), desks: self.inner.desks.clone() })
    }

    /// Does any session of a connector stand?
    #[must_use]
    pub fn is_up(&self, connector: &str) -> bool {
        self.lane(connector).is_some_and(|lane| lane.is_up())
    }

    /// All metrics as OpenMetrics text, with the gauges as they are now.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let lanes = self.inner.lanes.load();
        let sessions = lanes.iter().flat_map(|lane| {
            let connector = lane.connector().clone();
            lane.sessions().into_iter().map(move |view| (connector.clone(), view.state.as_str()))
        });
        self.inner.metrics.encode(sessions)
    }

    /// Every connector as it is now.
    pub async fn connectors(&self) -> Result<Vec<ConnectorStatus>, StoreError> {
        let depths = self.inner.store.queue_depths().await?;
        let depth = |id: &Name| depths.iter().find(|(name, _)| name == id).map_or(0, |(_, depth)| *depth);
        let lanes = self.inner.lanes.load();
        let mut views: Vec<ConnectorStatus> = lanes
            .iter()
            .map(|lane| ConnectorStatus {
                connector: lane.settings(),
                desired: *lane.desired().borrow(),
                sessions: lane.sessions(),
                paused: lane.paused(std::time::Instant::now()),
                queued: depth(lane.connector()),
                health: lane.health(std::time::Instant::now()),
                modem: lane.modem(),
                smsc: self.smsc_view(lane.connector()),
                receipt_ids: self.inner.metrics.receipt_ids(lane.connector()),
            })
            .collect();
        views.sort_by(|a, b| a.connector.id.cmp(&b.connector.id));
        Ok(views)
    }

    /// Starts, stops or drains a connector until the next start of the process; `false` if there
    /// is no such connector.
    pub fn want(&self, connector: &str, desired: Desired) -> bool {
        self.lane(connector).map(|lane| lane.want(desired)).is_some()
    }

    /// Takes nothing new from now on; connectors finish their windows and disconnect.
    pub fn drain(&self) {
        self.inner.health.send_modify(|health| health.draining = true);
        for lane in self.inner.lanes.load().iter() {
            lane.want(Desired::Draining);
        }
        if let Some(member) = &self.inner.fleet {
            member.look();
        }
    }

    /// Ends after [`drain`](Self::drain): records what was reported until now, then stops.
    pub async fn stop(&self) {
        self.write_token_use().await;
        persist::flush(&self.inner.facts).await;
        if let Some(member) = &self.inner.fleet {
            member.leave().await;
        }
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, refill) in self.inner.refills.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            refill.abort();
        }
        tasks.shutdown().await;
    }

    pub(crate) fn lane(&self, connector: &str) -> Option<Arc<Lane>> {
        self.inner.lanes.load().iter().find(|lane| &**lane.connector() == connector).cloned()
    }

    /// Makes `world` the one that counts: lanes for its connectors, then everybody else.
    pub(crate) fn install(&self, world: Arc<World>) {
        let inner = &self.inner;
        let mut retired = self.retired();
        let old = inner.lanes.load_full();
        let mut refills = inner.refills.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lanes = Vec::new();
        for connector in world.connectors() {
            if let Some(lane) = old.iter().find(|lane| **lane.connector() == *connector.id) {
                lane.set_settings(connector.clone());
                lanes.push(lane.clone());
                continue;
            }
            let (store, orphaned, member) = (&inner.store, &inner.orphaned, &inner.fleet);
            let new = || Arc::new(Lane::new(connector.clone(), store.clone(), orphaned.clone(), member.clone()));
            let lane = retired.take(&connector.id).unwrap_or_else(new);
            lane.set_settings(connector.clone());
            lane.want(if connector.enabled { Desired::Running } else { Desired::Stopped });
            let task = tokio::spawn(refill(lane.clone(), inner.store.clone()));
            refills.insert(lane.connector().clone(), task.abort_handle());
            lanes.push(lane);
        }
        for lane in old.iter().filter(|lane| world.connector(lane.connector()).is_none()) {
            lane.want(Desired::Stopped);
            if let Some(task) = refills.remove(lane.connector()) {
                task.abort();
            }
            retired.put(lane.clone());
        }
        drop(refills);
        let shares = Arc::new(world.shares());
        lanes.iter().for_each(|lane| lane.set_shares(shares.clone()));
        let rhythm = Arc::new(Rhythm::of(&world, inner.paces.clone()));
        lanes.iter().for_each(|lane| lane.set_rhythm(rhythm.clone()));
        inner.rhythm.store(rhythm);
        inner.lanes.store(Arc::new(lanes));
        drop(retired);
        self.heed_slots();
        inner.current.store(world.clone());
        inner.world.send_replace(world);
    }

    pub(crate) fn next_id(&self, now: Timestamp) -> MessageId {
        let mut ids = self.inner.ids.lock().unwrap_or_else(PoisonError::into_inner);
        MessageId(ids.next(now, fastrand::u64(..)))
    }

    /// An id for a message that goes out over `connector`: of a slice of this node, if it has one.
    pub(crate) fn next_id_over(&self, connector: &str, now: Timestamp) -> MessageId {
        let random = fastrand::u64(..);
        let random = self.inner.fleet.as_ref().map_or(random, |member| member.random_for(connector, random));
        let mut ids = self.inner.ids.lock().unwrap_or_else(PoisonError::into_inner);
        MessageId(ids.next(now, random))
    }

    /// Runs a task for as long as it is this node's duty: anew whenever that comes to it.
    fn spawn_duty<T>(&self, task: impl Fn(Engine) -> T + Send + 'static)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        let (engine, mut duty) = (self.clone(), self.watch_duty());
        self.spawn(async move {
            // The sender lives as long as the engine.
            while duty.wait_for(|mine| *mine).await.is_ok() {
                let over = async { drop(duty.wait_for(|mine| !*mine).await) };
                tokio::select! {
                    () = task(engine.clone()) => return,
                    () = over => {}
                }
            }
        });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}
