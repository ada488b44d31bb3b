//! Checkpoints: pages go from the write-ahead log into the file on a thread of their own, so that
//! the writer waits neither for those writes nor for their `fsync`.
//!
//! The log is used from its start again once all of it is in the file and no reader needs it. A
//! writer that is never idle keeps adding to it while the thread works; when the log has become
//! long all the same, the writer copies the small rest itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::{OpenError, connection};

/// Pages of 4 KiB in the log, as they are estimated, after which the thread is woken. The longer
/// the log, the more often its pages have been written anew and need copying once only.
const WAKE_PAGES: u64 = 3_000;
/// A commit writes at least about this many pages …
const PAGES_A_COMMIT: u64 = 8;
/// … and one more for this many rows; measured with small and with large commits.
const ROWS_A_PAGE: u64 = 6;
/// Pages in the log from which on the writer helps.
const LONG_LOG_PAGES: i64 = 12_000;

/// How nice the thread is to the others (nice(7)).
const NICE: i32 = 10;

/// The way to the thread. When it is dropped, the thread ends.
pub(crate) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    log_is_long: Arc<AtomicBool>,
    /// Rows that had been changed after the last commit.
    rows: u64,
    /// Pages written since the thread was woken.
    pages: u64,
}

impl Checkpointer {
    /// Starts the thread on the file at `path`.
    pub fn start(path: &Path) -> Result<Self, OpenError> {
        let db = connection::for_checkpoints(path)?;
        let log_is_long = Arc::new(AtomicBool::new(false));
        // One wish is enough: it covers everything that was written until it is served.
        let (wake, wishes) = sync_channel(1);
        let flag = log_is_long.clone();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || serve(&db, &wishes, &flag))
            .map_err(OpenError::Thread)?;
        Ok(Self { wake: Some(wake), thread: Some(thread), log_is_long, rows: 0, pages: 0 })
    }

    /// Called by the writer between transactions.
    pub fn after_commit(&mut self, writer: &Connection) {
        if self.log_is_long.swap(false, Ordering::Relaxed) {
            // The thread has just copied nearly all of it, so this is short. What can't be copied now
            // (a full disk, say) stays in the log.
            let _ = checkpoint(writer);
        }
        let rows = writer.total_changes();
        self.pages += PAGES_A_COMMIT + rows.saturating_sub(self.rows) / ROWS_A_PAGE;
        self.rows = rows;
        if self.pages < WAKE_PAGES {
            return;
        }
        self.pages = 0;
        if let Some(wake) = &self.wake
            && let Err(TrySendError::Disconnected(())) = wake.try_send(())
        {
            let _ = checkpoint(writer);
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(db: &Connection, wishes: &Receiver<()>, log_is_long: &AtomicBool) {
    // Of this thread only, on Linux. Copying pages can wait; commits can't.
    let _ = rustix::process::setpriority_process(None, NICE);
    while wishes.recv().is_ok() {
        if checkpoint(db).is_ok_and(|pages| pages >= LONG_LOG_PAGES) {
            log_is_long.store(true, Ordering::Relaxed);
        }
    }
}

/// Copies what can be copied without waiting for anybody. Returns how many pages the log has.
fn checkpoint(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}
