//! When tokens were used last, so that operators see which of them nobody needs any more. It is kept in
//! memory and written down once a minute and at the end, so a killed process forgets a minute of it.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use model::{Name, Timestamp};
use store::{StoreError, Tally, TallyRow};

use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::persist;

/// How often it is written down.
const EVERY: Duration = Duration::from_secs(60);
/// Uses within so many milliseconds are one: requests that come all the time need not write.
const STEP: i64 = 1000;
/// Tokens whose last use is read at a time.
const PAGE: usize = 500;

/// When one token was used last, in milliseconds of Unix time; 0 is never.
#[derive(Debug, Default)]
pub(crate) struct LastUse {
    at: AtomicI64,
    written: AtomicI64,
}

impl LastUse {
    /// It is used now.
    pub fn note(&self, now: Timestamp) {
        let now = now.as_millis();
        if now - self.at.load(Relaxed) >= STEP {
            self.at.fetch_max(now, Relaxed);
        }
    }

    /// When it was used last, if it ever was.
    pub fn at(&self) -> Option<Timestamp> {
        Some(self.at.load(Relaxed)).filter(|at| *at > 0).map(Timestamp::from_millis)
    }

    fn was_written(&self, at: i64) {
        self.written.fetch_max(at, Relaxed);
        self.at.fetch_max(at, Relaxed);
    }

    /// What the store does not have yet.
    fn unwritten(&self) -> Option<i64> {
        let at = self.at.load(Relaxed);
        (at > self.written.load(Relaxed)).then_some(at)
    }
}

/// Reads what is known, and writes down what is new for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut worlds = engine.watch_world();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            changed = worlds.changed() => if changed.is_err() { return },
        }
        // Before anything is written: another process may have written something later.
        if let Err(error) = read(&engine).await {
            tracing::debug!(%error, "when tokens were used can't be read");
        }
        engine.write_token_use().await;
    }
}

async fn read(engine: &Engine) -> Result<(), StoreError> {
    let world = engine.world();
    let tokens: Vec<(&Name, &Arc<LastUse>)> = world.token_use.iter().collect();
    for page in tokens.chunks(PAGE) {
        let owners: Vec<Name> = page.iter().map(|(id, _)| (*id).clone()).collect();
        for row in engine.inner.store.tallies(&owners).await? {
            if row.tally == Tally::TokenUsed
                && let Some(known) = world.token_use.get(&row.owner)
            {
                known.was_written(row.value);
            }
        }
    }
    Ok(())
}

impl Engine {
    /// Writes down when tokens were used, where the store has an older time.
    pub(crate) async fn write_token_use(&self) {
        let world = self.world();
        let mut rows = Vec::new();
        for (owner, used) in &world.token_use {
            if let Some(value) = used.unwritten() {
                used.was_written(value);
                rows.push(TallyRow { owner: owner.clone(), tally: Tally::TokenUsed, period: 0, value });
            }
        }
        if !rows.is_empty() {
            let fact = Fact::Tallies { rows };
            // Nobody listens any more when the engine has stopped.
            let _ = self.inner.facts.send(Facts { facts: vec![fact], acknowledge: None }).await;
            persist::flush(&self.inner.facts).await;
        }
    }
}
