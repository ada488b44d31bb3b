//! The queue. Shards are read one by one: as a rule there is one.

use std::collections::BTreeMap;

use model::{MessageId, Name, Timestamp};
use rusqlite::Statement;
use store::{QueueEntry, QueueLane, QueuePage, QueueRead, QueuedMessage};

use super::Reader;
use super::messages::ById;
use crate::days;
use crate::decode::{Columns, Read};
use crate::key::{self, PLACES};

/// Accounts that have entries in `lane`, with the due time of the first: one seek each.
pub(crate) fn queue_accounts(
    reader: &Reader,
    lane: &QueueLane,
    after: Option<&str>,
    limit: usize,
) -> Read<Vec<(Name, Timestamp)>> {
    if let [shard] = lane.shards[..] {
        return accounts_of(reader, lane, shard, after, limit);
    }
    let mut merged: BTreeMap<Name, Timestamp> = BTreeMap::new();
    for shard in lane.shards.iter() {
        for (account, due) in accounts_of(reader, lane, *shard, after, limit)? {
            let first = merged.entry(account).or_insert(due);
            *first = due.min(*first);
        }
    }
    Ok(merged.into_iter().take(limit).collect())
}

fn accounts_of(
    reader: &Reader,
    lane: &QueueLane,
    shard: u16,
    after: Option<&str>,
    limit: usize,
) -> Read<Vec<(Name, Timestamp)>> {
    const LANE: &str = "SELECT account, due FROM queue WHERE connector = ?1 AND shard = ?2 AND priority = ?3";
    const ORDER: &str = "ORDER BY account, due, id LIMIT 1";
    let mut first = reader.db.prepare_cached(&format!("{LANE} {ORDER}"))?;
    let mut next = reader.db.prepare_cached(&format!("{LANE} AND account > ?4 {ORDER}"))?;
    let mut accounts: Vec<(Name, Timestamp)> = Vec::new();
    while accounts.len() < limit {
        let (connector, priority) = (lane.connector.as_ref(), lane.priority);
        let mut rows = match accounts.last().map(|(account, _)| account.as_ref()).or(after) {
            Some(after) => next.query((connector, shard, priority, after))?,
            // The first may have the empty name, as copies have.
            None => first.query((connector, shard, priority))?,
        };
        let Some(row) = rows.next()? else { break };
        let columns = Columns { row, table: "queue", names: &reader.names };
        accounts.push((columns.name(0)?, columns.time(1)?));
    }
    Ok(accounts)
}

/// What is due in `lane` of some accounts.
pub(crate) fn queue_pages(
    reader: &Reader,
    lane: &QueueLane,
    reads: &[QueueRead],
    due_by: Timestamp,
) -> Read<Vec<QueuePage>> {
    let mut statement = reader.db.prepare_cached(
        "SELECT id, due FROM queue WHERE connector = ?1 AND shard = ?2 AND priority = ?3 AND account = ?4
            AND (due, id) > (?5, ?6) ORDER BY due, id",
    )?;
    let mut by_id = ById::new(reader)?;
    let mut page = |shard, read| queue_page(reader, &mut statement, &mut by_id, lane, shard, read, due_by);
    let pages = reads.iter().map(|read| match lane.shards[..] {
        [shard] => page(shard, read),
        _ => {
            let pages: Read<Vec<QueuePage>> = lane.shards.iter().map(|shard| page(*shard, read)).collect();
            Ok(merged(pages?, read.limit))
        }
    });
    pages.collect()
}

/// The pages of several shards as one.
fn merged(pages: Vec<QueuePage>, limit: usize) -> QueuePage {
    let next_due = pages.iter().filter_map(|page| page.next_due).min();
    let mut messages: Vec<QueuedMessage> = pages.into_iter().flat_map(|page| page.messages).collect();
    messages.sort_unstable_by_key(|queued| (queued.entry.due, queued.entry.id));
    messages.truncate(limit);
    // If they are fewer, no shard's page was full, and each told of its own.
    let next_due = next_due.filter(|_| messages.len() < limit);
    QueuePage { messages, next_due }
}

fn queue_page(
    reader: &Reader,
    statement: &mut Statement<'_>,
    by_id: &mut ById<'_>,
    lane: &QueueLane,
    shard: u16,
    read: &QueueRead,
    due_by: Timestamp,
) -> Read<QueuePage> {
    let (after_due, after_id) = read.after.map_or((i64::MIN, [0; 16]), |(due, id)| (due.as_millis(), *id.as_bytes()));
    let of = (lane.connector.as_ref(), shard, lane.priority, read.account.as_ref());
    let mut rows = statement.query((of.0, of.1, of.2, of.3, after_due, after_id.as_slice()))?;
    let mut page = QueuePage { messages: Vec::with_capacity(read.limit.min(1024)), next_due: None };
    while page.messages.len() < read.limit
        && let Some(row) = rows.next()?
    {
        let columns = Columns { row, table: "queue", names: &reader.names };
        let (id, due) = (MessageId(columns.id(0)?), columns.time(1)?);
        if due > due_by {
            page.next_due = Some(due);
            break;
        }
        if let Some(message) = by_id.get(id)? {
            let (connector, account) = (lane.connector.clone(), read.account.clone());
            let entry = QueueEntry { connector, shard, priority: lane.priority, account, due, id };
            page.messages.push(QueuedMessage { entry, message });
        }
    }
    Ok(page)
}

/// Where a message waits. Its row says where it was put last; the queue says whether it is there.
pub(crate) fn queue_entry(reader: &Reader, id: MessageId) -> Read<Option<QueueEntry>> {
    let day = id.made_at().day();
    if !days::all(&reader.db)?.contains(&day) {
        return Ok(None);
    }
    let table = days::table(day);
    let mut statement = reader.db.prepare_cached(&format!(
        "SELECT queue.id, queue.connector, queue.shard, queue.priority, queue.due, queue.account
            FROM {table} AS message, queue
            WHERE message.key >= ?2 AND message.key < ?3 AND message.id = ?1
            AND queue.connector = message.queue_connector AND queue.shard = message.queue_shard
            AND queue.priority IN (0, 1, 2, 3) AND queue.account = message.account
            AND queue.due = message.queue_due AND queue.id = ?1"
    ))?;
    let key = key::of_message(id);
    let mut rows = statement.query((id.as_bytes().as_slice(), key, key.saturating_add(PLACES)))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let columns = Columns { row, table: "queue", names: &reader.names };
    let (connector, shard, priority) = (columns.name(1)?, columns.int(2)?, columns.int(3)?);
    Ok(Some(QueueEntry { connector, shard, priority, account: columns.name(5)?, due: columns.time(4)?, id }))
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
