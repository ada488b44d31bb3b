//! What goes wrong, and whose fault it is.

use rusqlite::ErrorCode;
use store::StoreError;

/// A file that can't be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer version of the gateway has written it: use that one, or a backup.
    #[error("the file is of version {found} and this program knows versions up to {known}: use the newer program")]
    Newer {
        /// Its version.
        found: i64,
        /// The last version that this program knows.
        known: i64,
    },
    /// A SQLite file, but of another program.
    #[error("the file is an SQLite database of another program")]
    Foreign,
    /// SQLite can't open it: no such directory, no permission, no database, disk full.
    #[error("SQLite can't open the file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The system gave no thread for the writer.
    #[error("no thread for the writer: {0}")]
    Thread(std::io::Error),
}

/// What stopped a piece of work inside the store.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite did.
    Sqlite(rusqlite::Error),
    /// A row that can't be read, with its table and key.
    Corrupt(String),
}

impl Failure {
    /// No key is free for an id: more ids than a clock and chance can explain want the same one.
    pub fn crowded(id: &impl std::fmt::Display) -> Self {
        Failure::Corrupt(format!("the ids beside {id} leave no key for it"))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sqlite(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(what) => StoreError::Corrupt(what),
            Failure::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(error.to_string()),
                Some(_) => StoreError::Unavailable(error.to_string()),
                // Not SQLite's own: a column of another type than the one that was written.
                None => StoreError::Corrupt(error.to_string()),
            },
        }
    }
}
