//! The refill task: reads on from the store when what a lane has in memory runs low.

use std::sync::Arc;
use std::time::Duration;

use store::{QueueLane, Store, StoreError};

use super::active::Wanted;
use super::lane::Lane;

/// Accounts listed at a time.
const ACCOUNTS: usize = 1000;
/// How long to wait after the store could not be read.
const STORE_AWAY: Duration = Duration::from_secs(1);

/// Keeps `lane` filled for as long as it is polled.
pub(crate) async fn refill(lane: Arc<Lane>, store: Arc<dyn Store>) {
    loop {
        match lane.begin_read() {
            Ok(wanted) => {
                if let Err(error) = read(&lane, &*store, wanted).await {
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

async fn read(lane: &Lane, store: &dyn Store, wanted: Wanted) -> Result<(), StoreError> {
    let key = |priority: usize| QueueLane {
        connector: lane.connector().clone(),
        shards: lane.shards(),
        priority: priority as u8,
    };
    match wanted {
        Wanted::Accounts(priority, after) => {
            let accounts = store.queue_accounts(&key(priority), after.as_deref(), ACCOUNTS).await?;
            let last = accounts.len() < ACCOUNTS;
            lane.listed(priority, accounts, last);
        }
        Wanted::Messages(priority, reads) => {
            let pages = store.queue_pages(&key(priority), &reads, store.now()).await?;
            lane.loaded(priority, reads, pages);
        }
    }
    Ok(())
}
