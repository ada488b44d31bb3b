//! Forgetting: what retention takes away, in transactions small enough that commits of messages
//! hardly wait for them.

use model::{MessageId, Timestamp};
use store::StoreError;

use crate::days;
use crate::key::{self, PLACES};
use crate::read::{self, Readers};
use crate::write::Writer;

/// Rows that one transaction takes away.
const CHUNK: usize = 1000;

/// Drops the days before `before`'s day in which every message has ended.
pub(crate) async fn messages(writer: &Writer, readers: &Readers, before: Timestamp) -> Result<u64, StoreError> {
    let days = readers
        .run(move |reader| {
            let mut gone = Vec::new();
            for day in days::all(&reader.db)?.into_iter().filter(|day| *day < before.day()) {
                if !read::day_holds_open(reader, day)? {
                    gone.push(day);
                }
            }
            Ok(gone)
        })
        .await?;
    for day in &days {
        let day = *day;
        writer
            .run(move |desk| {
                desk.statements.forget_days();
                days::retire(desk.db, day)?;
                let first = |day| *MessageId::first_at(Timestamp::from_millis(days::unit_start(day, 0))).as_bytes();
                let (first, end) = (first(day), first(day + 1));
                desk.db.execute("DELETE FROM batch WHERE id >= ?1 AND id < ?2", (first.as_slice(), end.as_slice()))?;
                Ok(())
            })
            .await?;
    }
    // Also what an earlier call left when its process ended.
    let tables = readers.run(|reader| Ok(days::retired(&reader.db)?)).await?;
    for table in tables {
        empty_and_drop(writer, &table).await?;
    }
    Ok(days.len() as u64)
}

/// A table of a million rows that is dropped at once would hold up the writer for a second.
async fn empty_and_drop(writer: &Writer, table: &str) -> Result<(), StoreError> {
    let delete = format!("DELETE FROM {table} WHERE key IN (SELECT key FROM {table} ORDER BY key LIMIT {CHUNK})");
    loop {
        let delete = delete.clone();
        if writer.run(move |desk| Ok(desk.db.execute(&delete, [])?)).await? < CHUNK {
            break;
        }
    }
    let drop = format!("DROP TABLE IF EXISTS {table}");
    writer.run(move |desk| Ok(desk.db.execute_batch(&drop)?)).await
}

/// Empties texts of ended messages made before `before`, at most `limit`, oldest first.
pub(crate) async fn texts(
    writer: &Writer,
    readers: &Readers,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let mut days = readers.run(|reader| Ok(days::all(&reader.db)?)).await?;
    days.sort_unstable();
    let mut emptied = 0;
    for day in days.into_iter().filter(|day| *day <= before.day()) {
        while emptied < limit as u64 {
            let wanted = CHUNK.min(limit - emptied as usize);
            let (ids, whole_day) =
                readers.run(move |reader| read::texts_to_forget(reader, day, before, wanted)).await?;
            let found = ids.len();
            if found > 0 || whole_day {
                emptied += empty_texts(writer, day, ids, whole_day).await?;
            }
            if found < wanted {
                break;
            }
        }
    }
    Ok(emptied)
}

async fn empty_texts(writer: &Writer, day: i64, ids: Vec<MessageId>, whole_day: bool) -> Result<u64, StoreError> {
    let table = days::table(day);
    let empty = format!(
        "UPDATE {table} SET content = CASE typeof(content) WHEN 'blob' THEN x'' ELSE '' END
            WHERE key >= ?1 AND key < ?2 AND id = ?3 AND length(CAST(content AS BLOB)) > 0"
    );
    writer
        .run(move |desk| {
            let mut emptied = 0;
            if !ids.is_empty() {
                let mut statement = desk.db.prepare_cached(&empty)?;
                for id in &ids {
                    let key = key::of_message(*id);
                    emptied += statement.execute((key, key.saturating_add(PLACES), id.as_bytes().as_slice()))? as u64;
                }
            }
            if whole_day {
                // What the statements of the day remember of it is no longer true.
                desk.statements.forget_days();
                desk.db.execute("UPDATE day SET texts_forgotten = 1 WHERE day = ?1 AND texts_forgotten = 0", [day])?;
            }
            Ok(emptied)
        })
        .await
}

/// Drops schedules that ended before `before`, at most `limit`.
pub(crate) async fn schedules(
    writer: &Writer,
    readers: &Readers,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let over = readers.run(move |reader| read::schedules_over(reader, before, limit)).await?;
    if over.is_empty() {
        return Ok(0);
    }
    writer
        .run(move |desk| {
            let mut dropped = 0;
            for id in over.iter().map(|id| id.as_bytes().as_slice()) {
                // It may go on again since it was read.
                let sql = "DELETE FROM schedule WHERE id = ?1 AND ended_at < ?2";
                if desk.db.prepare_cached(sql)?.execute((id, before.as_millis()))? > 0 {
                    desk.db.prepare_cached("DELETE FROM schedule_messages WHERE id = ?1")?.execute([id])?;
                    dropped += 1;
                }
            }
            Ok(dropped)
        })
        .await
}

/// Drops what has run out by `now`. Found by reading, so that the writer does not scan tables.
pub(crate) async fn expired(writer: &Writer, readers: &Readers, now: Timestamp) -> Result<u64, StoreError> {
    let mut dropped = 0;
    macro_rules! drop_expired {
        ($find:path, $sql:literal, $key:ident => $params:expr) => {
            let mut after = None;
            loop {
                let from = after.clone();
                let keys = readers.run(move |reader| $find(reader, now, &from, CHUNK)).await?;
                let Some(last) = keys.last().cloned() else { break };
                after = Some(last);
                dropped += writer
                    .run(move |desk| {
                        let mut statement = desk.db.prepare_cached($sql)?;
                        let mut rows = 0;
                        for $key in &keys {
                            // It may have been written anew since it was read.
                            rows += statement.execute($params)? as u64;
                        }
                        Ok(rows)
                    })
                    .await?;
            }
        };
    }
    drop_expired!(
        read::expired_remote_ids,
        "DELETE FROM remote_id WHERE connector = ?1 AND id = ?2 AND expires_at <= ?3",
        key => (key.connector.as_ref(), key.id.as_ref(), now.as_millis())
    );
    drop_expired!(
        read::expired_answers,
        "DELETE FROM idempotency WHERE account = ?1 AND key = ?2 AND expires_at <= ?3",
        key => (key.account.as_ref(), key.key.as_ref(), now.as_millis())
    );
    drop_expired!(
        read::expired_parked,
        "DELETE FROM parked WHERE id = ?1 AND expires_at <= ?2",
        id => (id.as_bytes().as_slice(), now.as_millis())
    );
    Ok(dropped)
}
