//! Messages by id, by deadline and by batch.

use std::collections::BTreeMap;

use model::{BatchId, Message, MessageId, Status, Timestamp};
use store::encoding::{number, status_number};
use store::{Batch, BatchCounts, BatchPhase};
use uuid::Uuid;

use super::limit;
use crate::days::{self, Days};
use crate::decode::{Columns, Read, each};
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::sql::Sql;

/// The messages with these ids.
pub(crate) async fn messages(connection: &Connection, days: &Days, ids: &[MessageId]) -> Read<Vec<Message>> {
    by_id(connection, days, ids, Around::Nothing).await
}

/// Ids by the days that have a table.
async fn of_days(connection: &Connection, days: &Days, ids: &[MessageId]) -> Read<BTreeMap<i64, Vec<Uuid>>> {
    let mut by_day: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
    ids.iter().for_each(|id| by_day.entry(id.made_at().day()).or_default().push(id.0));
    let there = days.with_table(connection, by_day.keys().copied().collect()).await?;
    by_day.retain(|day, _| there.contains(day));
    Ok(by_day)
}

/// The same, as the end of a transaction or by itself.
pub(super) async fn by_id(
    connection: &Connection,
    days: &Days,
    ids: &[MessageId],
    around: Around,
) -> Read<Vec<Message>> {
    let by_day = of_days(connection, days, ids).await?;
    let steps: Vec<_> = by_day.into_iter().map(|(day, ids)| Step::on_day(Sql::Messages, day, values![ids])).collect();
    let rows = connection.run(around, &steps).await?;
    let mut found = Vec::with_capacity(ids.len());
    for rows in rows {
        found.extend(each("message", &rows, |columns| columns.message(0))?);
    }
    Ok(found)
}

/// How many of these ids are messages.
pub(crate) async fn known(connection: &Connection, days: &Days, ids: &[MessageId]) -> Read<usize> {
    let by_day = of_days(connection, days, ids).await?;
    let steps: Vec<_> =
        by_day.into_iter().map(|(day, ids)| Step::on_day(Sql::HasMessages, day, values![ids])).collect();
    Ok(connection.run(Around::Nothing, &steps).await?.iter().map(Vec::len).sum())
}

/// Messages whose deadline is at or before `by`.
pub(crate) async fn overdue(connection: &Connection, by: Timestamp, count: usize) -> Read<Vec<MessageId>> {
    let sql = "SELECT id FROM deadline WHERE at <= $1 ORDER BY at, id LIMIT $2";
    let rows = connection.rows(sql, values![by.as_millis(), limit(count)]).await?;
    each("deadline", &rows, |columns| Ok(MessageId(columns.get(0)?)))
}

const BATCH: &str = "id, account, accepted, rejected, created_at, phase, finished_at, complete, digest";

/// A batch and how far its messages are.
pub(crate) async fn batch(connection: &Connection, id: BatchId) -> Read<Option<(Batch, BatchCounts)>> {
    let rows = connection.rows(&format!("SELECT {BATCH} FROM batch WHERE id = $1"), values![id.0]).await?;
    let Some(batch) = each("batch", &rows, read_batch)?.pop() else { return Ok(None) };
    let sql = "SELECT status, count(*) FROM message WHERE batch = $1 GROUP BY status";
    let rows = connection.rows(sql, values![id.0]).await?;
    let mut counts = each("message", &rows, |columns| Ok((columns.one_of(0, &Status::ALL)?, columns.big(1)?)))?;
    counts.sort_unstable_by_key(|(status, _)| *status);
    Ok(Some((batch, BatchCounts(counts))))
}

fn read_batch(columns: &Columns<'_>) -> Read<Batch> {
    Ok(Batch {
        id: BatchId(columns.get(0)?),
        account: columns.name(1)?,
        accepted: columns.get::<i64>(2)?.cast_unsigned(),
        rejected: columns.get::<i64>(3)?.cast_unsigned(),
        created_at: columns.time(4)?,
        phase: columns.one_of(5, &BatchPhase::ALL)?,
        finished_at: columns.time_or_null(6)?,
        complete: columns.get(7)?,
        digest: columns.digest_or_null(8)?,
    })
}

/// Every batch in this phase, oldest first. Phase 0 has no index: nearly all batches are in it.
pub(crate) async fn batches_in(connection: &Connection, phase: BatchPhase) -> Read<Vec<Batch>> {
    let sql = format!("SELECT {BATCH} FROM batch WHERE phase = {} ORDER BY id", number(&BatchPhase::ALL, &phase));
    each("batch", &connection.rows(&sql, vec![]).await?, read_batch)
}

/// Batches that are not finished.
pub(crate) async fn batches_unfinished(connection: &Connection) -> Read<Vec<BatchId>> {
    let rows = connection.rows("SELECT id FROM batch WHERE finished_at IS NULL", vec![]).await?;
    each("batch", &rows, |columns| Ok(BatchId(columns.get(0)?)))
}

/// Has any message of this batch not ended? Newest first: they mostly end in their order.
pub(crate) async fn batch_is_open(connection: &Connection, id: BatchId) -> Read<bool> {
    let (from, _) = days::ids(id.made_at().day() - 1);
    let sql = "SELECT id FROM message WHERE batch = $1 AND id >= $2 AND status <= $3 ORDER BY id DESC LIMIT 1";
    let rows = connection.rows(sql, values![id.0, from.0, status_number(Status::Sent) as i16]).await?;
    Ok(!rows.is_empty())
}
