//! What the tests of this module share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::delivery::DeliveryState;
use model::id::Uuid;
use model::resources::ResourceSet;
use model::{Delivery, DeliveryId, MessageId, Timestamp};
use serde_json::json;
use store::{Changes, MemoryStore, Store as _};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Call, Outbox};
use crate::facts::{Fact, Facts};
use crate::world::World;

/// Midnight of a day in 2026.
pub const START: Timestamp = Timestamp::from_millis(1_795_305_600_000);

pub fn id(n: u128) -> DeliveryId {
    DeliveryId(Uuid::from_u128(n))
}

/// A delivery of `message` (0 is none) that became due `millis` after [`START`].
pub fn delivery(n: u128, message: u128, millis: i64) -> Delivery {
    let at = START.plus_millis(millis);
    Delivery {
        id: id(n),
        account: "shop".into(),
        message: (message > 0).then(|| MessageId(Uuid::from_u128(message))),
        endpoint: "hook".into(),
        url: None,
        style: model::CallbackStyle::Webhook,
        event: "message.delivered".into(),
        payload: "{}".into(),
        restorable: false,
        created_at: at,
        due: at,
        attempts: 0,
        state: DeliveryState::Pending,
        last_error: None,
    }
}

/// A world with the account `shop`, whose webhooks have these ids and are enabled or not.
pub fn world(webhooks: &[(&str, bool)]) -> Arc<World> {
    let hook = |(id, enabled): &(&str, bool)| json!({"id": id, "url": format!("https://{id}.example/x"), "secret": "whsec_AAAA", "enabled": enabled});
    let hooks: Vec<_> = webhooks.iter().map(hook).collect();
    let account = serde_json::from_value(json!({"id": "shop", "webhooks": hooks})).unwrap();
    Arc::new(World::compile(1, ResourceSet { accounts: vec![account], ..ResourceSet::default() }))
}

/// A store with an outbox on it and a recorder that commits what it is told, one group at a time.
/// The store's clock is the runtime's, which the tests pause: waiting takes no time.
pub struct Bench {
    pub store: Arc<MemoryStore>,
    pub outbox: Outbox,
    pub world: watch::Sender<Arc<World>>,
    tasks: [JoinHandle<()>; 2],
    started: Instant,
    /// Groups of facts that were committed.
    pub commits: Arc<AtomicU64>,
}

impl Bench {
    pub fn new(world: Arc<World>, concurrency: usize) -> Self {
        let started = Instant::now();
        let store = Arc::new(MemoryStore::new(move || START.plus_millis(started.elapsed().as_millis() as i64)));
        Self::on(store, world, concurrency, started)
    }

    fn on(store: Arc<MemoryStore>, world: Arc<World>, concurrency: usize, started: Instant) -> Self {
        let (facts, inbox) = mpsc::channel(64);
        let world = watch::Sender::new(world);
        let outbox = Outbox::new(store.clone(), facts, world.subscribe(), concurrency, None);
        let commits = Arc::new(AtomicU64::new(0));
        let recorder = tokio::spawn(record(store.clone(), outbox.clone(), inbox, commits.clone()));
        let keeper = tokio::spawn(outbox.clone().run());
        Self { store, outbox, world, tasks: [recorder, keeper], started, commits }
    }

    /// The process is killed and started again: only the store is left.
    pub async fn restart(self, concurrency: usize) -> Self {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            let _ = task.await;
        }
        let world = self.world.borrow().clone();
        Self::on(self.store, world, concurrency, self.started)
    }

    /// Commits new deliveries and offers them, as the recorder does.
    pub async fn owe(&self, deliveries: Vec<Delivery>) {
        self.store.commit(Changes { deliveries: deliveries.clone(), ..Changes::default() }).await.unwrap();
        self.outbox.offer(deliveries.into_iter());
    }

    pub async fn next(&self) -> Call {
        self.outbox.next().await
    }

    /// Is there nothing to attempt, and is nothing on its way?
    pub async fn is_quiet(&self) -> bool {
        tokio::time::timeout(std::time::Duration::from_millis(1), self.next()).await.is_err()
    }

    /// The rows of the store.
    pub async fn rows(&self) -> Vec<Delivery> {
        let mut rows = self.store.deliveries(&store::DeliveryFilter::default(), None, usize::MAX).await.unwrap();
        rows.reverse();
        rows
    }

    /// Waits until what was reported before is committed and heard of.
    pub async fn settled(&self) {
        let (sender, mut done) = mpsc::unbounded_channel();
        let nothing = Facts { facts: Vec::new(), acknowledge: Some((sender, crate::facts::Recorded::default())) };
        self.outbox.facts().send(nothing).await.unwrap();
        done.recv().await.unwrap();
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

async fn record(store: Arc<MemoryStore>, outbox: Outbox, mut inbox: mpsc::Receiver<Facts>, commits: Arc<AtomicU64>) {
    while let Some(Facts { facts, acknowledge }) = inbox.recv().await {
        let mut changes = Changes::default();
        for fact in facts {
            let Fact::Delivery { done, put } = fact else { panic!("{fact:?}") };
            changes.deliveries_done.push(done);
            changes.deliveries.extend(put);
        }
        let puts = changes.deliveries.clone();
        store.commit(changes).await.unwrap();
        commits.fetch_add(1, Ordering::Relaxed);
        outbox.offer(puts.into_iter());
        if let Some((sender, tickets)) = acknowledge {
            let _ = sender.send(tickets);
        }
    }
}
