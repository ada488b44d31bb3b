//! Completion: an account is told once when all messages of a batch have ended.
//!
//! Nothing is counted as messages end, for that would be a row more for each of them: whenever some of
//! a batch have ended, the store is asked whether any has not. What was found is written in one commit
//! with what is owed for it, so a restart neither forgets nor repeats it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{BatchId, DeliveryId};
use store::{Store, StoreError};
use tokio::sync::Notify;

use crate::announce;
use crate::engine::Engine;
use crate::facts::Fact;
use crate::persist;

/// How often batches are looked at, and how much of the time that may take: one part in so many.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_SHARE: u32 = 20;

/// Batches of which messages have ended since they were looked at.
#[derive(Debug)]
pub(crate) struct Endings {
    batches: Mutex<HashSet<BatchId>>,
    some: Notify,
}

impl Endings {
    /// All that are not finished: their last messages may have ended just before the process did.
    pub async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let batches = store.batches_unfinished().await?.into_iter().collect();
        let endings = Self { batches: Mutex::new(batches), some: Notify::new() };
        endings.some.notify_one();
        Ok(endings)
    }

    /// Messages of these have ended, durably.
    pub fn look_at(&self, batches: Vec<BatchId>) {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).extend(batches);
        self.some.notify_one();
    }

    fn take(&self) -> HashSet<BatchId> {
        std::mem::take(&mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks at batches for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    loop {
        engine.inner.endings.some.notified().await;
        tokio::time::sleep(LOOK_EVERY).await;
        let begun = Instant::now();
        for batch in engine.inner.endings.take() {
            if let Err(error) = engine.finish(batch).await {
                tracing::debug!(%error, "a batch can't be looked at now");
                engine.inner.endings.look_at(vec![batch]);
            }
        }
        tokio::time::sleep(begun.elapsed() * LOOK_SHARE).await;
    }
}

impl Engine {
    /// Says that a batch is finished, if it is and nobody has said so.
    async fn finish(&self, id: BatchId) -> Result<(), StoreError> {
        let store = &self.inner.store;
        // More may come, and it is looked at again when it has.
        if self.inner.batches.is_receiving(id) {
            return Ok(());
        }
        if store.batch_is_open(id).await? {
            return Ok(());
        }
        let Some((batch, counts)) = store.batch(id).await?.filter(|(batch, _)| batch.finished_at.is_none()) else {
            return Ok(());
        };
        let now = self.now();
        let next_id = || DeliveryId(self.next_id(now).0);
        let owed = self
            .world()
            .account(&batch.account)
            .map(|account| announce::of_batch(account, &batch, &counts, now, next_id))
            .unwrap_or_default();
        self.report(Fact::BatchFinished { batch: id, at: now, owed }).await?;
        // Looked at again only when this is in the store.
        persist::flush(&self.inner.facts).await;
        Ok(())
    }
}
