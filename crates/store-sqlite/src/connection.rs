//! Connections and their settings.
//!
//! Memory is bounded by the page caches: 12 MiB for the writer and 3 MiB for each of four readers,
//! however large the file is. The file is not mapped into memory: mapped pages count as resident,
//! and the system's own cache serves as well.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::OpenError;

/// How long a connection waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);
const WRITER_CACHE_KIB: i64 = 12 * 1024;
const READER_CACHE_KIB: i64 = 3 * 1024;
/// The log is cut to this after a checkpoint that found it longer. It is written over from its start
/// meanwhile, which needs no new room of the file system; cutting it at the length that it usually
/// comes to under load held up every commit after a cut for 25 ms.
const LOG_BYTES_MAX: i64 = 256 << 20;
/// Statements that a reader keeps prepared.
const READER_STATEMENTS: usize = 96;

/// The one connection that writes.
pub(crate) fn for_writing(path: &Path) -> Result<Connection, OpenError> {
    let db =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | COMMON)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "page_size", 4096)?;
    db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_MAX, |row| row.get::<_, i64>(0))?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", 0, |row| row.get::<_, i64>(0))?;
    db.set_prepared_statement_cache_capacity(16);
    Ok(db)
}

/// A connection that only reads.
pub(crate) fn for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | COMMON)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(db)
}

/// The connection of the checkpoint thread. It caches nothing worth keeping.
pub(crate) fn for_checkpoints(path: &Path) -> Result<Connection, OpenError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | COMMON)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "cache_size", -256)?;
    Ok(db)
}

/// Each connection belongs to one thread at a time, so SQLite's own locks are not needed.
const COMMON: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
