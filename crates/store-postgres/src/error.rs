//! What goes wrong, and whose fault it is.

use store::StoreError;
use tokio_postgres::error::SqlState;

/// A database that can't be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is no PostgreSQL URL, or says something that is not known.
    #[error("{0}")]
    Url(String),
    /// A file that the URL names can't be used.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A newer version of the gateway has changed the tables, and this one can't work with them.
    #[error(
        "the tables are of version {found}, which programs that know version {needed} or later can use, \
         and this program knows versions up to {known}: use the newer program"
    )]
    Newer {
        /// The version of the tables.
        found: i32,
        /// The oldest version that a program may know to use them.
        needed: i32,
        /// The last version that this program knows.
        known: i32,
    },
    /// The database has tables of these names, but they are not the gateway's.
    #[error("the schema has tables of another program: {0}; use a database of its own")]
    Foreign(String),
    /// The database can't hold every text.
    #[error("the database has the encoding {0}; make one with ENCODING 'UTF8'")]
    Encoding(String),
    /// The server is older than what this program needs.
    #[error("the server is PostgreSQL {0}; version 15 is the oldest that will do")]
    TooOld(String),
    /// It is away, refuses the user, or lacks a permission.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What stopped a piece of work inside the store.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server or the way to it.
    Postgres(tokio_postgres::Error),
    /// No connection, no answer in time: said already in words.
    Away(String),
    /// A row that can't be read, with its table and key.
    Corrupt(String),
}

/// SQLSTATEs that the store's own function `refuse` raises.
pub(crate) const FENCED: &str = "PR001";
pub(crate) const KEYS_TAKEN: &str = "PR002";

impl Failure {
    fn code(&self) -> Option<&SqlState> {
        match self {
            Failure::Postgres(error) => error.code(),
            _ => None,
        }
    }

    /// Was it raised by `refuse` with this code? Then what it says.
    pub fn refused(&self, code: &str) -> Option<&str> {
        let Failure::Postgres(error) = self else { return None };
        let said = error.as_db_error()?;
        (said.code().code() == code).then(|| said.message())
    }

    /// May the same transaction succeed when it is made again at once? Others stood in its way.
    pub fn is_transient(&self) -> bool {
        // A day's table that went or came meanwhile shows as one that is not there, or as an unknown object.
        const CODES: [SqlState; 8] = [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::UNIQUE_VIOLATION,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_OBJECT,
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::INTERNAL_ERROR,
            SqlState::IN_FAILED_SQL_TRANSACTION,
        ];
        self.code().is_some_and(|code| CODES.contains(code))
    }

    /// Is a day's table not there any more?
    pub fn is_unknown_table(&self) -> bool {
        self.code() == Some(&SqlState::UNDEFINED_TABLE)
    }

    /// Did the error come from a connection that is closed, rather than from the server?
    pub fn is_closed(error: &tokio_postgres::Error) -> bool {
        error.is_closed() || error.code().is_none_or(is_going_down)
    }

    /// Was the connection lost? Then nobody knows whether what was under way has happened.
    pub fn is_lost_connection(&self) -> bool {
        match self {
            Failure::Away(_) => true,
            Failure::Corrupt(_) => false,
            Failure::Postgres(error) => match error.code() {
                None => true,
                Some(code) => is_going_down(code),
            },
        }
    }
}

fn is_going_down(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Postgres(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(what) => StoreError::Corrupt(what),
            Failure::Away(why) => StoreError::Unavailable(why),
            Failure::Postgres(error) => match error.code() {
                Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => StoreError::Corrupt(said(&error)),
                _ => StoreError::Unavailable(said(&error)),
            },
        }
    }
}

/// An error in words. What the server says of a statement's values is left out: they are people's numbers
/// and texts. So is the URL, which no error holds.
pub(crate) fn said(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("PostgreSQL says: {} ({})", server.message(), server.code().code());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}
