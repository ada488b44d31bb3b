//! Days: one table of messages for each UTC day that has any, and for a few that are to come.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use model::{MessageId, Timestamp};
use store::encoding;

use crate::error::Failure;
use crate::link::Connection;
use crate::schema::DAYS_LOCK;

/// Milliseconds of a day.
pub(crate) const DAY_MILLIS: i64 = 86_400_000;
/// Days whose tables are made before they come.
const AHEAD: i64 = 3;

/// The name of a day's table: `message_20261122`.
pub(crate) fn table(day: i64) -> String {
    format!("message_{}", encoding::date(day))
}

/// When a day begins.
pub(crate) fn start(day: i64) -> Timestamp {
    Timestamp::from_millis(day.saturating_mul(DAY_MILLIS))
}

/// The ids of the messages of `day`: from the first on, below the second, if there is one.
pub(crate) fn ids(day: i64) -> (MessageId, Option<MessageId>) {
    let end = start(day + 1);
    (MessageId::first_at(start(day)), (end.as_millis() < 1 << 48).then(|| MessageId::first_at(end)))
}

/// The days that are known to have a table. Another node may have made more, or dropped some.
#[derive(Default)]
pub(crate) struct Days(RwLock<BTreeSet<i64>>);

impl Days {
    /// Was there a table when it was looked at last?
    pub fn has(&self, day: i64) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&day)
    }

    /// Looks what days have a table, and answers with them, newest first.
    pub async fn look(&self, connection: &Connection) -> Result<Vec<i64>, Failure> {
        let rows = connection.client.query(&connection.filtered("SELECT day FROM message_day").await?, &[]).await?;
        let days = rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<i64>, _>>()?;
        let newest_first = days.iter().rev().copied().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = days;
        Ok(newest_first)
    }

    /// Forgets what is known: something was found otherwise.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Of `days`, those that have a table.
    pub async fn with_table(&self, connection: &Connection, mut days: BTreeSet<i64>) -> Result<BTreeSet<i64>, Failure> {
        if !days.iter().all(|day| self.has(*day)) {
            self.look(connection).await?;
            days.retain(|day| self.has(*day));
        }
        Ok(days)
    }

    /// Makes the table of a day, unless it is there. Nothing else may be under way on the connection.
    pub async fn make(&self, connection: &Connection, day: i64) -> Result<(), Failure> {
        if self.has(day) {
            return Ok(());
        }
        let made = make(connection, day).await;
        if made.is_err() {
            connection.roll_back().await?;
        }
        made?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(day);
        Ok(())
    }

    /// Makes the tables of today and of the next days.
    pub async fn make_ahead(&self, connection: &Connection, now: Timestamp) -> Result<(), Failure> {
        for day in now.day()..=now.day().saturating_add(AHEAD) {
            self.make(connection, day).await?;
        }
        Ok(())
    }
}

/// One transaction, which others that make the same day wait for. The table is made by itself and then
/// attached, which holds up nobody who writes; to be made as a part of the other would.
async fn make(connection: &Connection, day: i64) -> Result<(), Failure> {
    let table = table(day);
    connection
        .client
        .batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({DAYS_LOCK}, {})", day as i32))
        .await?;
    let there = format!("SELECT 1 FROM message_day WHERE day = {day}");
    if connection.simple(&there).await?.is_empty() {
        let (first, end) = ids(day);
        let end = end.map_or("MAXVALUE".to_owned(), |end| format!("'{end}'"));
        connection
            .client
            .batch_execute(&format!(
                "CREATE TABLE {table}(LIKE message INCLUDING ALL) WITH (fillfactor = 70);
                ALTER TABLE message ATTACH PARTITION {table} FOR VALUES FROM ('{first}') TO ({end});
                INSERT INTO message_day(day) VALUES ({day})"
            ))
            .await?;
    }
    Ok(connection.client.batch_execute("COMMIT").await?)
}
