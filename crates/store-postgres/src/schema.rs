//! The tables, and how those of an older version become those of this one.
//!
//! Each version is a file of SQL, applied in one transaction by the first node that needs it. Nodes of two
//! versions may run side by side while a fleet is brought up to date, so a step only adds, and what it
//! takes away waits for a later one. `min_compatible` says which programs may use the tables: those that
//! know at least that version.

use crate::error::{Failure, OpenError};
use crate::link::{Connection, in_time};

/// What brings the tables from one version to the next, and the oldest version that a program may know to
/// use them then. Never changed once released.
const STEPS: &[(&str, i32)] = &[(include_str!("schema/0001.sql"), 1)];

/// Advisory locks are numbers that all programs of a database share: these are ours ("PRdr").
const LOCK: i32 = 0x5052_6472;
/// The class of the locks under which tables of days are made.
pub(crate) const DAYS_LOCK: i32 = 0x5052_6473;
/// The class of the locks under which queues are counted for limits.
pub(crate) const QUEUED_LOCK: i32 = 0x5052_6474;
/// The oldest server that knows all that is used.
const SERVER_MIN: i32 = 150_000;
/// How long a step may take: on tables with years of messages it is long.
const STEP_MAX: std::time::Duration = std::time::Duration::from_secs(3600);

/// The version of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub found: i32,
    pub needed: i32,
}

impl Version {
    /// May this program use them?
    pub fn usable(self) -> Result<(), OpenError> {
        self.usable_with(known(STEPS))
    }

    fn usable_with(self, known: i32) -> Result<(), OpenError> {
        let Self { found, needed } = self;
        if needed > known { Err(OpenError::Newer { found, needed, known }) } else { Ok(()) }
    }
}

fn known(steps: &[(&str, i32)]) -> i32 {
    i32::try_from(steps.len()).unwrap_or(i32::MAX)
}

/// Makes the tables in an empty schema, brings older ones up to date, refuses what can't be used.
pub(crate) async fn migrate(connection: &Connection) -> Result<(), OpenError> {
    look_at_server(connection).await?;
    apply(connection, STEPS).await
}

async fn look_at_server(connection: &Connection) -> Result<(), OpenError> {
    let sql = "SELECT current_setting('server_version_num'), current_setting('server_version'),
        current_setting('server_encoding'), current_schema() IS NOT NULL";
    let rows = connection.simple(sql).await.map_err(store)?;
    let column = |at: usize| rows.first().and_then(|row| row.get(at)?.clone()).unwrap_or_default();
    if column(0).parse().is_ok_and(|number: i32| number < SERVER_MIN) {
        return Err(OpenError::TooOld(column(1)));
    }
    if column(2) != "UTF8" {
        return Err(OpenError::Encoding(column(2)));
    }
    if column(3) != "t" {
        return Err(OpenError::Url("the search_path of the database names no schema that is there".into()));
    }
    Ok(())
}

async fn apply(connection: &Connection, steps: &[(&str, i32)]) -> Result<(), OpenError> {
    match connection.version().await.map_err(store)? {
        Some(version) if version.found >= known(steps) => return version.usable_with(known(steps)),
        _ => {}
    }
    let begin = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
        SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on";
    let lock = format!("{begin}; SELECT pg_advisory_xact_lock({LOCK}, hashtext(current_schema()))");
    let done = async {
        in_time(STEP_MAX, connection.client.batch_execute(&lock)).await.map_err(store)?;
        // Looked at again: another node may have been quicker.
        let found = match connection.version().await.map_err(store)? {
            Some(version) => {
                version.usable_with(known(steps))?;
                version.found
            }
            None => {
                begin_schema(connection).await?;
                0
            }
        };
        for (number, (sql, needed)) in (1..).zip(steps).filter(|(number, _)| *number > found) {
            let step = format!(
                "{sql}; INSERT INTO schema_version(version, min_compatible, applied_at)
                    VALUES ({number}, {needed}, now())"
            );
            in_time(STEP_MAX, connection.client.batch_execute(&step)).await.map_err(store)?;
        }
        connection.client.batch_execute("COMMIT").await.map_err(|error| store(error.into()))
    };
    let done: Result<(), OpenError> = done.await;
    if done.is_err() {
        // Fails only where the connection has gone, and with it the transaction.
        let _ = connection.roll_back().await;
    }
    done
}

/// The first table, in a schema that has none of our names.
async fn begin_schema(connection: &Connection) -> Result<(), OpenError> {
    let theirs = "SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND relname IN ('message', 'queue', 'deadline', 'delivery', 'batch', 'ledger', 'resource', 'lease', 'meta')";
    let found = connection.simple(theirs).await.map_err(store)?;
    if let Some(names) = found.into_iter().flatten().flatten().next() {
        return Err(OpenError::Foreign(names));
    }
    let first = "CREATE TABLE schema_version(
        version integer PRIMARY KEY, min_compatible integer NOT NULL, applied_at timestamptz NOT NULL)";
    connection.client.batch_execute(first).await.map_err(|error| store(error.into()))
}

fn store(failure: Failure) -> OpenError {
    OpenError::Store(failure.into())
}
