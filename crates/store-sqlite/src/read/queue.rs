//! The queue.

use model::{MessageId, Name, Timestamp};
use store::{QueueEntry, QueueLane, QueuedMessage};

use super::Reader;
use super::messages::ById;
use crate::days;
use crate::decode::{Columns, Read};
use crate::key::{self, PLACES};

/// What is due in `lane`, strictly after `after`.
pub(crate) fn queue_page(
    reader: &Reader,
    lane: &QueueLane,
    after: Option<(Timestamp, MessageId)>,
    due_by: Timestamp,
    limit: usize,
) -> Read<Vec<QueuedMessage>> {
    let mut statement = reader.db.prepare_cached(
        "SELECT id, due FROM queue WHERE connector = ?1 AND shard = ?2 AND priority = ?3 AND due <= ?4
            AND (due, id) > (?5, ?6) ORDER BY due, id",
    )?;
    let (after_due, after_id) = after.map_or((i64::MIN, [0; 16]), |(due, id)| (due.as_millis(), *id.as_bytes()));
    let lane_key = (lane.connector.as_ref(), lane.shard, lane.priority);
    let mut rows =
        statement.query((lane_key.0, lane_key.1, lane_key.2, due_by.as_millis(), after_due, after_id.as_slice()))?;
    let mut by_id = ById::new(reader)?;
    let mut page = Vec::with_capacity(limit.min(1024));
    while page.len() < limit
        && let Some(row) = rows.next()?
    {
        let columns = Columns { row, table: "queue", names: &reader.names };
        let (id, due) = (MessageId(columns.id(0)?), columns.time(1)?);
        if let Some(message) = by_id.get(id)? {
            let connector = lane.connector.clone();
            let entry = QueueEntry { connector, shard: lane.shard, priority: lane.priority, due, id };
            page.push(QueuedMessage { entry, message });
        }
    }
    Ok(page)
}

/// The earliest due time in `lane` later than `after`.
pub(crate) fn queue_next_due(reader: &Reader, lane: &QueueLane, after: Timestamp) -> Read<Option<Timestamp>> {
    let mut statement = reader.db.prepare_cached(
        "SELECT due FROM queue WHERE connector = ?1 AND shard = ?2 AND priority = ?3 AND due > ?4 ORDER BY due LIMIT 1",
    )?;
    let mut rows = statement.query((lane.connector.as_ref(), lane.shard, lane.priority, after.as_millis()))?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map(Timestamp::from_millis))
}

/// Where a message waits. Its row says where it was put last; the queue says whether it is there.
pub(crate) fn queue_entry(reader: &Reader, id: MessageId) -> Read<Option<QueueEntry>> {
    let day = id.made_at().day();
    if !days::all(&reader.db)?.contains(&day) {
        return Ok(None);
    }
    let table = days::table(day);
    let mut statement = reader.db.prepare_cached(&format!(
        "SELECT queue.id, queue.connector, queue.shard, queue.priority, queue.due FROM {table} AS message, queue
            WHERE message.key >= ?2 AND message.key < ?3 AND message.id = ?1 AND queue.connector = message.queue_connector AND queue.shard = message.queue_shard
            AND queue.priority IN (0, 1, 2, 3) AND queue.due = message.queue_due AND queue.id = ?1"
    ))?;
    let key = key::of_message(id);
    let mut rows = statement.query((id.as_bytes().as_slice(), key, key.saturating_add(PLACES)))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let columns = Columns { row, table: "queue", names: &reader.names };
    let (connector, shard, priority) = (columns.name(1)?, columns.int(2)?, columns.int(3)?);
    Ok(Some(QueueEntry { connector, shard, priority, due: columns.time(4)?, id }))
}

/// How many entries each connector's queue has.
pub(crate) fn queue_depths(reader: &Reader) -> Read<Vec<(Name, u64)>> {
    let mut statement =
        reader.db.prepare_cached("SELECT connector, count(*) FROM queue GROUP BY connector ORDER BY connector")?;
    let mut rows = statement.query([])?;
    let mut depths = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = Columns { row, table: "queue", names: &reader.names };
        depths.push((columns.name(0)?, columns.int(1)?));
    }
    Ok(depths)
}
