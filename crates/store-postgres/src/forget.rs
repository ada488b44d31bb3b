//! Forgetting: what retention takes away, in pieces small enough that commits of messages hardly wait.

use model::{MessageId, Timestamp};
use store::encoding::status_number;
use store::{IdempotencyKey, RemoteKey, StoreError};

use crate::Inner;
use crate::days::{self, Days};
use crate::decode::{Read, each};
use crate::error::Failure;
use crate::link::Connection;
use crate::read::limit as sql_limit;
use crate::text::Text;

/// Rows that one transaction takes away.
const CHUNK: usize = 1000;
/// How long a day that is to go waits for who is still reading it. Others wait behind it meanwhile.
const LOCK_MILLIS: u32 = 500;

/// Drops the days before `before`'s day in which every message has ended.
pub(crate) async fn messages(store: &Inner, before: Timestamp) -> Result<u64, StoreError> {
    let days = store.writing(|connection| async move { store.days.look(&connection).await }).await?;
    let mut gone = 0;
    for day in days.into_iter().filter(|day| *day < before.day()) {
        gone +=
            u64::from(store.writing(|connection| async move { drop_day(&connection, &store.days, day).await }).await?);
    }
    Ok(gone)
}

/// Drops a day, unless a message of it has not ended. Returns whether there were any.
async fn drop_day(connection: &Connection, days: &Days, day: i64) -> Read<bool> {
    if holds_open(connection, day).await? {
        return Ok(false);
    }
    let table = days::table(day);
    let begin = format!("BEGIN; SET LOCAL lock_timeout = {LOCK_MILLIS}");
    connection.client.batch_execute(&begin).await?;
    // Who puts a message into an old day holds its row: it is waited for, and its message is seen.
    let mine = connection.rows("DELETE FROM message_day WHERE day = $1 RETURNING day", values![day]).await?;
    if mine.is_empty() || holds_open(connection, day).await? {
        connection.roll_back().await?;
        return Ok(false);
    }
    let any = !connection.simple(&format!("SELECT 1 FROM {table} LIMIT 1")).await?.is_empty();
    let (first, end) = days::ids(day);
    let below = end.map_or(String::new(), |end| format!("AND id < '{end}'"));
    connection
        .client
        .batch_execute(&format!("DROP TABLE {table}; DELETE FROM batch WHERE id >= '{first}' {below}; COMMIT"))
        .await?;
    days.forget();
    Ok(any)
}

/// Does `day` hold a message that has not ended? Those are the ones with a deadline.
async fn holds_open(connection: &Connection, day: i64) -> Read<bool> {
    let (first, end) = days::ids(day);
    let sql = "SELECT id FROM deadline WHERE id >= $1 AND ($2::uuid IS NULL OR id < $2) LIMIT 1";
    Ok(!connection.rows(sql, values![first.0, end.map(|id| id.0)]).await?.is_empty())
}

/// Does `day` hold a message that a delivery is made from once more?
async fn is_owed(connection: &Connection, day: i64) -> Read<bool> {
    let (first, end) = days::ids(day);
    let sql =
        "SELECT id FROM delivery WHERE restorable AND message >= $1 AND ($2::uuid IS NULL OR message < $2) LIMIT 1";
    Ok(!connection.rows(sql, values![first.0, end.map(|id| id.0)]).await?.is_empty())
}

/// Empties texts of ended messages made before `before`, at most `limit`, oldest first.
pub(crate) async fn texts(store: &Inner, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
    let sql = "SELECT day FROM message_day WHERE day <= $1 AND NOT texts_forgotten ORDER BY day";
    let days: Vec<i64> = store
        .writing(|connection| async move {
            let rows = connection.rows(sql, values![before.day()]).await?;
            each("message_day", &rows, |columns| columns.get(0))
        })
        .await?;
    let mut emptied = 0;
    for day in days {
        while emptied < limit {
            let wanted = CHUNK.min(limit - emptied);
            let found =
                store.writing(|connection| async move { empty_texts(&connection, day, before, wanted).await }).await?;
            emptied += found;
            if found < wanted {
                if before.day() > day {
                    store.writing(|connection| async move { mark_empty(&connection, day).await }).await?;
                }
                break;
            }
        }
    }
    Ok(emptied as u64)
}

/// A text that a delivery is made from once more stays until that was taken.
async fn empty_texts(connection: &Connection, day: i64, before: Timestamp, count: usize) -> Read<usize> {
    let table = days::table(day);
    let sql = format!(
        "UPDATE {table} SET content = CASE WHEN octets IS NULL THEN '' END,
            octets = CASE WHEN octets IS NOT NULL THEN ''::bytea END
        WHERE id = ANY(ARRAY(SELECT id FROM {table} WHERE id < $1 AND status > $2 AND (content <> '' OR octets <> '')
            AND id NOT IN (SELECT message FROM delivery WHERE restorable AND message IS NOT NULL)
            ORDER BY id LIMIT $3)) RETURNING id"
    );
    let values = values![MessageId::first_at(before).0, status_number(model::Status::Sent) as i16, sql_limit(count)];
    match connection.rows(&sql, values).await {
        Ok(rows) => Ok(rows.len()),
        // It was dropped meanwhile.
        Err(failure) if failure.is_unknown_table() => Ok(0),
        Err(failure) => Err(failure),
    }
}

/// Notes that a day holds no text any more, so that nobody looks through it again.
async fn mark_empty(connection: &Connection, day: i64) -> Read<()> {
    let table = days::table(day);
    if holds_open(connection, day).await? || is_owed(connection, day).await? {
        return Ok(());
    }
    connection.client.batch_execute("BEGIN").await?;
    let locked = connection.rows("SELECT day FROM message_day WHERE day = $1 FOR UPDATE", values![day]).await?;
    let left = format!("SELECT 1 FROM {table} WHERE content <> '' OR octets <> '' LIMIT 1");
    if !locked.is_empty() && connection.simple(&left).await?.is_empty() {
        connection.rows("UPDATE message_day SET texts_forgotten = true WHERE day = $1", values![day]).await?;
    }
    Ok(connection.client.batch_execute("COMMIT").await?)
}

/// Drops schedules that ended before `before`, at most `limit`.
pub(crate) async fn schedules(store: &Inner, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
    let sql = "WITH gone AS (
            DELETE FROM schedule WHERE id = ANY(ARRAY(
                SELECT id FROM schedule WHERE ended_at < $1 ORDER BY ended_at, id LIMIT $2)) AND ended_at < $1 RETURNING id
        ), theirs AS (
            DELETE FROM schedule_messages WHERE id = ANY(ARRAY(SELECT id FROM gone))
        ) SELECT count(*) FROM gone";
    store
        .writing(|connection| async move {
            let rows = connection.rows(sql, values![before.as_millis(), sql_limit(limit)]).await?;
            Ok(each("schedule", &rows, |columns| columns.big(0))?.pop().unwrap_or(0))
        })
        .await
}

/// Drops what has run out by `now`.
pub(crate) async fn expired(store: &Inner, now: Timestamp) -> Result<u64, StoreError> {
    let mut dropped = 0;
    let mut after = Some(RemoteKey { connector: "".into(), id: "".into() });
    while let Some(from) = after.take() {
        let sql = "SELECT connector, id FROM remote_id WHERE (connector, id) > ($1, $2) AND expires_at <= $3
            ORDER BY connector, id LIMIT $4";
        let from = &from;
        let keys = store
            .writing(|connection| async move {
                let values = values![Text(&*from.connector), Text(&*from.id), now.as_millis(), sql_limit(CHUNK)];
                each("remote_id", &connection.rows(sql, values).await?, |columns| {
                    Ok(RemoteKey { connector: columns.name(0)?, id: columns.text(1)?.into() })
                })
            })
            .await?;
        // It may have been written anew since it was read.
        let sql = "DELETE FROM remote_id WHERE ctid = ANY(ARRAY(SELECT found.ctid
            FROM unnest($1::text[], $2::text[]) AS u(connector, id) CROSS JOIN LATERAL (SELECT r.ctid FROM remote_id AS r
                WHERE r.connector = u.connector AND r.id = u.id AND r.expires_at <= $3 LIMIT 1) AS found))
            AND expires_at <= $3 RETURNING id";
        let pairs = || keys.iter().map(|key| (Text(&*key.connector), Text(&*key.id)));
        dropped += drop_keys(store, sql, now, pairs).await?;
        after = keys.last().filter(|_| keys.len() == CHUNK).cloned();
    }
    let mut after = Some(IdempotencyKey { account: "".into(), key: "".into() });
    while let Some(from) = after.take() {
        let sql = "SELECT account, key FROM idempotency WHERE (account, key) > ($1, $2) AND expires_at <= $3
            ORDER BY account, key LIMIT $4";
        let from = &from;
        let keys = store
            .writing(|connection| async move {
                let values = values![Text(&*from.account), Text(&*from.key), now.as_millis(), sql_limit(CHUNK)];
                each("idempotency", &connection.rows(sql, values).await?, |columns| {
                    Ok(IdempotencyKey { account: columns.name(0)?, key: columns.text(1)?.into() })
                })
            })
            .await?;
        let sql = "DELETE FROM idempotency WHERE ctid = ANY(ARRAY(SELECT found.ctid
            FROM unnest($1::text[], $2::text[]) AS u(account, key) CROSS JOIN LATERAL (SELECT i.ctid FROM idempotency AS i
                WHERE i.account = u.account AND i.key = u.key AND i.expires_at <= $3 LIMIT 1) AS found))
            AND expires_at <= $3 RETURNING key";
        let pairs = || keys.iter().map(|key| (Text(&*key.account), Text(&*key.key)));
        dropped += drop_keys(store, sql, now, pairs).await?;
        after = keys.last().filter(|_| keys.len() == CHUNK).cloned();
    }
    loop {
        let sql = "DELETE FROM parked WHERE id = ANY(ARRAY(
            SELECT id FROM parked WHERE expires_at <= $1 ORDER BY id LIMIT $2)) AND expires_at <= $1 RETURNING id";
        let rows = store
            .writing(|connection| async move { connection.rows(sql, values![now.as_millis(), sql_limit(CHUNK)]).await })
            .await?;
        dropped += rows.len() as u64;
        if rows.len() < CHUNK {
            return Ok(dropped);
        }
    }
}

/// Drops the rows of these keys, as long as their time is up.
async fn drop_keys<'k, I>(store: &Inner, sql: &str, now: Timestamp, pairs: impl Fn() -> I) -> Result<u64, StoreError>
where
    I: ExactSizeIterator<Item = (Text<&'k str>, Text<&'k str>)>,
{
    if pairs().len() == 0 {
        return Ok(0);
    }
    let pairs = &pairs;
    let done = store
        .writing(|connection| async move {
            let (first, second): (Vec<_>, Vec<_>) = pairs().unzip();
            Ok::<_, Failure>(connection.rows(sql, values![first, second, now.as_millis()]).await?.len())
        })
        .await?;
    Ok(done as u64)
}
