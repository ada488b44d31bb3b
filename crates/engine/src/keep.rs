//! Keep: what happens by itself as time passes. Deadlines, retention, resources that another
//! process changed, and what dropped sessions left behind.

use std::sync::Arc;
use std::time::Duration;

use model::{Name, Timestamp};

use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::world::World;

/// How often deadlines are looked at: a message expires at most so much late.
const DEADLINES_EVERY: Duration = Duration::from_secs(1);
/// Messages expired at a time.
const OVERDUE_PAGE: usize = 1000;
/// How often what has run out is dropped.
const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// How often the queue is counted at the most, and how much of the time that may take: one part in
/// so many.
const COUNT_EVERY: Duration = Duration::from_secs(10);
const COUNT_SHARE: u32 = 100;
/// Texts emptied at a time.
const TEXTS_PAGE: usize = 1000;
/// Schedules dropped at a time.
const SCHEDULES_PAGE: usize = 100;
/// Entries of the ledger rolled up at a time, and the pause after them, so that commits come between.
const LEDGER_PAGE: usize = 1000;
const LEDGER_PAUSE: Duration = Duration::from_millis(20);

/// How long what has ended is kept, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Messages.
    pub messages: i64,
    /// Their texts; 0 keeps no text once the message is final.
    pub texts: i64,
    /// Single charges and refunds in the ledger: older ones are one entry a day.
    pub ledger: i64,
}

impl Default for Retention {
    /// Ninety days of messages and texts, and four hundred of the ledger.
    fn default() -> Self {
        Self { messages: 90 * 86_400, texts: 90 * 86_400, ledger: 400 * 86_400 }
    }
}

/// Takes up resources that another process (`postrider apply`, another node) has changed.
pub(crate) async fn watch_resources(engine: Engine, every: Duration) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = engine.reload().await {
            tracing::warn!(%error, "the resources can't be read; the old ones stay in force");
        }
    }
}

/// Expires messages whose deadline has passed, and gives out incoming messages whose parts have
/// waited long enough.
pub(crate) async fn deadlines(engine: Engine) {
    let mut tick = tokio::time::interval(DEADLINES_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let mut facts = vec![Fact::Sweep];
        match engine.inner.store.overdue(engine.now(), OVERDUE_PAGE).await {
            Ok(overdue) => facts.extend(overdue.into_iter().map(|message| Fact::Overdue { message })),
            Err(error) => tracing::debug!(%error, "deadlines can't be read"),
        }
        if engine.inner.facts.send(Facts { facts, acknowledge: None }).await.is_err() {
            return;
        }
        // The page is looked at again only when the recorder has dealt with it.
        crate::persist::flush(&engine.inner.facts).await;
    }
}

/// Hands over what dropped sessions left behind.
pub(crate) async fn orphans(engine: Engine) {
    loop {
        engine.inner.orphaned.notified().await;
        let mut facts = Vec::new();
        for lane in engine.inner.lanes.load().iter() {
            facts.extend(lane.take_orphans());
        }
        facts.extend(engine.retired_orphans());
        if !facts.is_empty() && engine.inner.facts.send(Facts { facts, acknowledge: None }).await.is_err() {
            return;
        }
    }
}

/// Drops what is kept no longer.
pub(crate) async fn retention(engine: Engine, retention: Retention) {
    let mut tick = tokio::time::interval(RETENTION_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Days that are over are looked at once.
    let mut rolled_up = None;
    loop {
        tick.tick().await;
        if let Err(error) = forget(&engine, retention).await {
            tracing::warn!(%error, "what is kept no longer can't be dropped now");
        }
        let before = engine.now().plus_seconds(-retention.ledger);
        if rolled_up != Some(before.day()) {
            match roll_up(&engine, before).await {
                Ok(()) => rolled_up = Some(before.day()),
                Err(error) => tracing::warn!(%error, "the ledger can't be rolled up now"),
            }
        }
    }
}

/// Counts what waits for each connector, for the metrics, and moves what waits for one that is gone.
/// Counting goes through the queue, so the longer it takes the less often it is done.
pub(crate) async fn count_queued(engine: Engine) {
    loop {
        let begun = std::time::Instant::now();
        match engine.inner.store.queue_depths().await {
            Ok(depths) => {
                let queues: Vec<Name> = depths.iter().map(|(connector, _)| connector.clone()).collect();
                engine.inner.metrics.queued(depths);
                if let Err(error) = engine.rehome(queues.into_iter()).await {
                    tracing::debug!(%error, "what waits for connectors that are gone can't be moved now");
                }
            }
            Err(error) => tracing::debug!(%error, "the queue can't be counted"),
        }
        tokio::time::sleep(COUNT_EVERY.max(begun.elapsed() * COUNT_SHARE)).await;
    }
}

/// Puts what is old in the ledger into one entry a day, a little at a time.
async fn roll_up(engine: &Engine, before: Timestamp) -> Result<(), store::StoreError> {
    while engine.inner.store.roll_up_ledger(before, LEDGER_PAGE).await? == LEDGER_PAGE as u64 {
        tokio::time::sleep(LEDGER_PAUSE).await;
    }
    Ok(())
}

async fn forget(engine: &Engine, retention: Retention) -> Result<(), store::StoreError> {
    let store = &engine.inner.store;
    let now = engine.now();
    store.forget_expired(now).await?;
    store.forget_messages(now.plus_seconds(-retention.messages)).await?;
    while store.forget_schedules(now.plus_seconds(-retention.messages), SCHEDULES_PAGE).await? == SCHEDULES_PAGE as u64
    {
        tokio::task::yield_now().await;
    }
    if retention.texts < retention.messages {
        let before = now.plus_seconds(-retention.texts);
        while store.forget_texts(before, TEXTS_PAGE).await? == TEXTS_PAGE as u64 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

impl Engine {
    /// Reads the resources anew if they have changed; the engine also does so by itself.
    pub async fn reload(&self) -> Result<bool, crate::engine::StartError> {
        let store = &self.inner.store;
        // One at a time: a reading that took longer must not undo a newer one.
        let _turn = self.inner.editing.lock().await;
        if store.resources_version().await? == self.inner.current.load().version {
            return Ok(false);
        }
        let world = World::read_after(&store.resources().await?, &self.inner.vault, &self.world())?;
        tracing::info!(version = world.version, "new resources are in force");
        self.install(Arc::new(world));
        Ok(true)
    }
}
