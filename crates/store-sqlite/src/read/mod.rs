//! Reading: a few connections, each used by one call at a time on a thread that may block.

mod accounts;
mod deliveries;
mod groups;
mod messages;
mod opt_outs;
mod queue;
mod rest;
mod schedules;
mod search;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use store::StoreError;
use store::encoding::Names;
use tokio::sync::Semaphore;

use crate::connection;
use crate::decode::Read;
use crate::error::Failure;
pub(crate) use accounts::{ledger, tallies};
pub(crate) use deliveries::{deliveries, deliveries_retrying, delivery_endpoints, delivery_next_due, delivery_page};
pub(crate) use groups::{group_tasks, groups, member, members};
pub(crate) use messages::{batch, batch_is_open, batches_in, batches_unfinished, messages, overdue};
pub(crate) use messages::{day_holds_open, texts_to_forget};
pub(crate) use opt_outs::opt_outs;
pub(crate) use queue::{queue_accounts, queue_depths, queue_entry, queue_pages};
pub(crate) use rest::{
    expired_answers, expired_parked, expired_remote_ids, idempotency, latest_under, mo_parts, parked, parked_for,
    remote_ids, resources, resources_version,
};
pub(crate) use schedules::{schedule_count, schedule_messages, schedules, schedules_due, schedules_over};
pub(crate) use search::search;

/// A connection with what its reads share.
pub(crate) struct Reader {
    pub db: Connection,
    pub names: Names,
}

/// The connections.
pub(crate) struct Readers {
    path: PathBuf,
    free: Arc<Mutex<Vec<Reader>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    /// At most `count` connections to the file at `path`, opened when they are needed.
    pub fn new(path: &Path, count: usize) -> Self {
        Self { path: path.into(), free: Arc::default(), places: Arc::new(Semaphore::new(count.max(1))) }
    }

    /// Has `work` done on a connection. It sees one state of the store from beginning to end.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Read<T> + Send + 'static,
    {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|_| StoreError::Unavailable("the store is closed".into()))?;
        let (free, path) = (self.free.clone(), self.path.clone());
        let done = tokio::task::spawn_blocking(move || {
            let kept = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let reader = match kept {
                Some(reader) => reader,
                None => Reader { db: connection::for_reading(&path).map_err(Failure::from)?, names: Names::default() },
            };
            let result = in_snapshot(&reader, work);
            // One that failed may be what is broken: the next call opens another.
            if result.is_ok() {
                free.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            drop(place);
            result.map_err(StoreError::from)
        });
        done.await.map_err(|e| StoreError::Unavailable(format!("the read did not end: {e}")))?
    }
}

fn in_snapshot<T>(reader: &Reader, work: impl FnOnce(&Reader) -> Read<T>) -> Read<T> {
    reader.db.prepare_cached("BEGIN DEFERRED")?.raw_execute()?;
    let result = work(reader);
    reader.db.prepare_cached("COMMIT")?.raw_execute()?;
    result
}
