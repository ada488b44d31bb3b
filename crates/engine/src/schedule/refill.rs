//! The refill task: reads on from the store when a lane's ready lists run low.

use std::sync::Arc;
use std::time::Duration;

use store::{QueueLane, Store, StoreError};

use super::active::{READY_LOW, READY_MAX};
use super::lane::Lane;

/// Entries read at a time.
const PAGE: usize = READY_MAX - READY_LOW;
/// How long to wait after the store could not be read.
const STORE_AWAY: Duration = Duration::from_secs(1);

/// Keeps `lane` filled for as long as it is polled.
pub(crate) async fn refill(lane: Arc<Lane>, store: Arc<dyn Store>) {
    loop {
        match lane.begin_read() {
            Ok((priority, after)) => {
                if let Err(error) = read_page(&lane, &*store, priority, after).await {
                    lane.end_read();
                    tracing::warn!(connector = %lane.connector(), %error, "the queue can't be read");
                    tokio::time::sleep(STORE_AWAY).await;
                }
            }
            Err(Some(due)) => {
                // The clocks of store and runtime differ; looking a little too early is harmless.
                let wait = due.millis_since(store.now()).clamp(1, 60_000) as u64;
                let _ = tokio::time::timeout(Duration::from_millis(wait), lane.hungry()).await;
            }
            Err(None) => lane.hungry().await,
        }
    }
}

async fn read_page(
    lane: &Lane,
    store: &dyn Store,
    priority: usize,
    after: Option<super::active::Place>,
) -> Result<(), StoreError> {
    let key = QueueLane { connector: lane.connector().clone(), shard: lane.shard(), priority: priority as u8 };
    let due_by = store.now();
    let page = store.queue_page(&key, after, due_by, PAGE).await?;
    let last = page.len() < PAGE;
    let next_due = if last { store.queue_next_due(&key, due_by).await? } else { None };
    lane.loaded(priority, page, last, next_due);
    Ok(())
}
