//! Messages by id, by deadline and by batch.

use std::collections::BTreeMap;

use model::{BatchId, Message, MessageId, Status, Timestamp};
use rusqlite::{CachedStatement, OptionalExtension};
use store::{Batch, BatchCounts, BatchPhase};

use super::Reader;
use crate::days;
use crate::decode::{BODY_COLUMNS, Columns, PROGRESS_COLUMNS, Read};
use crate::key::{self, PLACES};
use store::encoding::number;

/// The messages with these ids.
pub(crate) fn messages(reader: &Reader, ids: &[MessageId]) -> Read<Vec<Message>> {
    let mut by_id = ById::new(reader)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(by_id.get(*id)?);
    }
    Ok(found)
}

/// Looks up messages by id in the tables of their days.
pub(super) struct ById<'r> {
    reader: &'r Reader,
    days: Vec<i64>,
    open: BTreeMap<i64, (String, CachedStatement<'r>)>,
}

impl<'r> ById<'r> {
    pub fn new(reader: &'r Reader) -> Read<Self> {
        Ok(Self { reader, days: days::all(&reader.db)?, open: BTreeMap::new() })
    }

    pub fn get(&mut self, id: MessageId) -> Read<Option<Message>> {
        let day = id.made_at().day();
        if !self.days.contains(&day) {
            return Ok(None);
        }
        if !self.open.contains_key(&day) {
            let table = days::table(day);
            let sql = format!(
                "SELECT {BODY_COLUMNS}, {PROGRESS_COLUMNS} FROM {table} WHERE key >= ?1 AND key < ?2 AND id = ?3"
            );
            self.open.insert(day, (table, self.reader.db.prepare_cached(&sql)?));
        }
        let Some((table, statement)) = self.open.get_mut(&day) else { return Ok(None) };
        let key = key::of_message(id);
        let mut rows = statement.query((key, key.saturating_add(PLACES), id.as_bytes().as_slice()))?;
        match rows.next()? {
            None => Ok(None),
            Some(row) => Columns { row, table, names: &self.reader.names }.message().map(Some),
        }
    }
}

/// Messages whose deadline is at or before `by`.
pub(crate) fn overdue(reader: &Reader, by: Timestamp, limit: usize) -> Read<Vec<MessageId>> {
    let mut statement = reader.db.prepare_cached("SELECT id FROM deadline WHERE at <= ?1 ORDER BY at, id LIMIT ?2")?;
    let mut rows = statement.query((by.as_millis(), super::rest::limit(limit)))?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(MessageId(Columns { row, table: "deadline", names: &reader.names }.id(0)?));
    }
    Ok(ids)
}

/// A batch and how far its messages are.
pub(crate) fn batch(reader: &Reader, id: BatchId) -> Read<Option<(Batch, BatchCounts)>> {
    let sql = format!("SELECT {BATCH} FROM batch WHERE id = ?1");
    let Some(batch) = reader.all("batch", &sql, [id.as_bytes().as_slice()], read_batch)?.pop() else { return Ok(None) };
    let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
    for day in days::all(&reader.db)? {
        let table = days::table(day);
        let mut statement = reader
            .db
            .prepare_cached(&format!("SELECT batch, status, count(*) FROM {table} WHERE batch = ?1 GROUP BY status"))?;
        let mut rows = statement.query([id.as_bytes().as_slice()])?;
        while let Some(row) = rows.next()? {
            let columns = Columns { row, table: &table, names: &reader.names };
            *counts.entry(columns.one_of(1, &Status::ALL)?).or_default() += columns.int::<u64>(2)?;
        }
    }
    Ok(Some((batch, BatchCounts(counts.into_iter().collect()))))
}

const BATCH: &str = "id, account, accepted, rejected, created_at, phase, finished_at, complete, digest";

fn read_batch(columns: &Columns<'_>) -> Read<Batch> {
    Ok(Batch {
        id: BatchId(columns.id(0)?),
        account: columns.name(1)?,
        accepted: columns.int::<i64>(2)?.cast_unsigned(),
        rejected: columns.int::<i64>(3)?.cast_unsigned(),
        created_at: columns.time(4)?,
        phase: columns.one_of(5, &BatchPhase::ALL)?,
        finished_at: columns.time_or_null(6)?,
        complete: columns.int::<i64>(7)? != 0,
        digest: columns.digest_or_null(8)?,
    })
}

/// Every batch in this phase, oldest first.
pub(crate) fn batches_in(reader: &Reader, phase: BatchPhase) -> Read<Vec<Batch>> {
    let sql = format!("SELECT {BATCH} FROM batch WHERE phase = ?1 ORDER BY id");
    reader.all("batch", &sql, [number(&BatchPhase::ALL, &phase)], read_batch)
}

/// Batches that are not finished.
pub(crate) fn batches_unfinished(reader: &Reader) -> Read<Vec<BatchId>> {
    let sql = "SELECT id FROM batch WHERE finished_at IS NULL";
    reader.all("batch", sql, [], |columns| Ok(BatchId(columns.id(0)?)))
}

/// Has any message of this batch not ended? Newest first: they mostly end in their order.
pub(crate) fn batch_is_open(reader: &Reader, id: BatchId) -> Read<bool> {
    for day in days::all(&reader.db)?.into_iter().filter(|day| *day >= id.made_at().day() - 1) {
        let table = days::table(day);
        let mut statement = reader.db.prepare_cached(&format!(
            "SELECT 1 FROM {table} INDEXED BY {table}_batch WHERE batch = ?1 AND status <= ?2 ORDER BY key DESC LIMIT 1"
        ))?;
        if statement.exists((id.as_bytes().as_slice(), store::encoding::status_number(Status::Sent)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Does `day` hold a message that has not ended? Those are the ones with a deadline.
pub(crate) fn day_holds_open(reader: &Reader, day: i64) -> Read<bool> {
    let (first, last) = ids_of(day);
    let mut statement = reader.db.prepare_cached("SELECT 1 FROM deadline WHERE id >= ?1 AND id < ?2 LIMIT 1")?;
    Ok(statement.exists((first.as_bytes().as_slice(), last.as_bytes().as_slice()))?)
}

/// Ids of ended messages with a text on `day`, older than `before`; and whether the whole day holds no text
/// any more but for those. A text that a delivery is made from once more stays until that was taken.
pub(crate) fn texts_to_forget(
    reader: &Reader,
    day: i64,
    before: Timestamp,
    limit: usize,
) -> Read<(Vec<MessageId>, bool)> {
    let done: Option<i64> = reader
        .db
        .prepare_cached("SELECT texts_forgotten FROM day WHERE day = ?1")?
        .query_row([day], |row| row.get(0))
        .optional()?;
    if done != Some(0) {
        return Ok((Vec::new(), true));
    }
    let table = days::table(day);
    let mut statement = reader.db.prepare_cached(&format!(
        "SELECT id FROM {table} WHERE key < ?1 AND id < ?2 AND status > ?3 AND length(CAST(content AS BLOB)) > 0
            AND id NOT IN (SELECT message FROM delivery WHERE restorable = 1 AND message IS NOT NULL)
            ORDER BY key LIMIT ?4"
    ))?;
    let sent = store::encoding::status_number(Status::Sent);
    let before_id = MessageId::first_at(before);
    let end = key::end_before(day, before_id);
    let mut rows = statement.query((end, before_id.as_bytes().as_slice(), sent, super::rest::limit(limit)))?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(MessageId(Columns { row, table: &table, names: &reader.names }.id(0)?));
    }
    let all_found = before.day() > day && ids.len() < limit;
    let whole_day = all_found && !day_holds_open(reader, day)? && !day_is_owed(reader, day)?;
    Ok((ids, whole_day))
}

/// Does `day` hold a message that a delivery is made from once more?
fn day_is_owed(reader: &Reader, day: i64) -> Read<bool> {
    let (first, last) = ids_of(day);
    let mut statement = reader
        .db
        .prepare_cached("SELECT 1 FROM delivery WHERE restorable = 1 AND message >= ?1 AND message < ?2 LIMIT 1")?;
    Ok(statement.exists((first.as_bytes().as_slice(), last.as_bytes().as_slice()))?)
}

/// The ids of the messages of `day`: from the first on, below the second.
fn ids_of(day: i64) -> (MessageId, MessageId) {
    let start = Timestamp::from_millis(days::unit_start(day, 0));
    (MessageId::first_at(start), MessageId::first_at(start.plus_millis(days::DAY_MILLIS)))
}
