//! The queue.

use std::collections::HashMap;

use model::{Message, MessageId, Name, Timestamp};
use store::{QueueEntry, QueueLane, QueuePage, QueueRead, QueuedMessage};
use uuid::Uuid;

use super::limit;
use super::messages::by_id;
use crate::days::Days;
use crate::decode::{Read, each};
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::sql::Sql;
use crate::text::Text;

/// Accounts that have entries in `lane`, with the due time of the first: one seek each.
pub(crate) async fn queue_accounts(
    connection: &Connection,
    lane: &QueueLane,
    after: Option<&str>,
    count: usize,
) -> Read<Vec<(Name, Timestamp)>> {
    const LANE: &str = "SELECT q.account, q.due FROM queue AS q
        WHERE q.connector = $1 AND q.shard = ANY($2::integer[]) AND q.priority = $3";
    const ORDER: &str = "ORDER BY q.account, q.due, q.id LIMIT 1";
    // The first may have the empty name, as copies have.
    let first = if after.is_some() { "q.account > $4" } else { "q.account >= $4" };
    let sql = format!(
        "WITH RECURSIVE found(account, due) AS (
            ({LANE} AND {first} {ORDER})
            UNION ALL
            SELECT next.* FROM found CROSS JOIN LATERAL ({LANE} AND q.account > found.account {ORDER}) AS next
        ) SELECT account, due FROM found LIMIT $5"
    );
    let values = values![
        Text(&*lane.connector),
        shards(lane),
        i16::from(lane.priority),
        Text(after.unwrap_or("")),
        limit(count)
    ];
    each("queue", &connection.rows(&sql, values).await?, |columns| Ok((columns.name(0)?, columns.time(1)?)))
}

fn shards(lane: &QueueLane) -> Vec<i32> {
    lane.shards.iter().map(|shard| i32::from(*shard)).collect()
}

/// What is due in `lane` of some accounts.
pub(crate) async fn queue_pages(
    connection: &Connection,
    days: &Days,
    lane: &QueueLane,
    reads: &[QueueRead],
    due_by: Timestamp,
) -> Read<Vec<QueuePage>> {
    let after = |read: &QueueRead| read.after.map_or((i64::MIN, Uuid::nil()), |(due, id)| (due.as_millis(), id.0));
    let values = |with_limits: bool| {
        let mut values = values![
            Text(&*lane.connector),
            shards(lane),
            i16::from(lane.priority),
            reads.iter().map(|read| Text(&*read.account)).collect::<Vec<_>>(),
            reads.iter().map(|read| after(read).0).collect::<Vec<_>>(),
            reads.iter().map(|read| after(read).1).collect::<Vec<_>>(),
            due_by.as_millis(),
        ];
        if with_limits {
            values.push(Box::new(reads.iter().map(|read| limit(read.limit)).collect::<Vec<_>>()));
        }
        values
    };
    let steps = [
        Step::new(Sql::OneMoment, vec![]),
        Step::new(Sql::QueuePages, values(true)),
        Step::new(Sql::QueueNext, values(false)),
    ];
    let mut rows = connection.run(Around::Begin, &steps).await?.into_iter().skip(1);
    let place = |place: i64| usize::try_from(place - 1).unwrap_or(usize::MAX);
    let entries = each("queue", &rows.next().unwrap_or_default(), |columns| {
        Ok((place(columns.get(0)?), MessageId(columns.get(1)?), columns.time(2)?, columns.int(3)?))
    })?;
    let nexts =
        each("queue", &rows.next().unwrap_or_default(), |columns| Ok((place(columns.get(0)?), columns.time(1)?)))?;
    let ids: Vec<MessageId> = entries.iter().map(|(_, id, ..)| *id).collect();
    let found = by_id(connection, days, &ids, Around::Commit).await?;
    let messages: HashMap<MessageId, Message> = found.into_iter().map(|message| (message.body.id, message)).collect();
    let mut pages: Vec<QueuePage> = reads.iter().map(|_| QueuePage::default()).collect();
    for (place, id, due, shard) in entries {
        let (Some(page), Some(read), Some(message)) = (pages.get_mut(place), reads.get(place), messages.get(&id))
        else {
            continue;
        };
        let (connector, account) = (lane.connector.clone(), read.account.clone());
        let entry = QueueEntry { connector, shard, priority: lane.priority, account, due, id };
        page.messages.push(QueuedMessage { entry, message: message.clone() });
    }
    for (place, due) in nexts {
        if let (Some(page), Some(read)) = (pages.get_mut(place), reads.get(place)) {
            page.next_due = Some(due).filter(|_| page.messages.len() < read.limit);
        }
    }
    Ok(pages)
}

/// Where a message waits.
pub(crate) async fn queue_entry(connection: &Connection, id: MessageId) -> Read<Option<QueueEntry>> {
    let sql = "SELECT connector, shard, priority, account, due FROM queue WHERE id = $1 LIMIT 1";
    let rows = connection.rows(sql, values![id.0]).await?;
    let found = each("queue", &rows, |columns| {
        Ok(QueueEntry {
            connector: columns.name(0)?,
            shard: columns.int(1)?,
            priority: columns.small(2)?,
            account: columns.name(3)?,
            due: columns.time(4)?,
            id,
        })
    })?;
    Ok(found.into_iter().next())
}

/// How many messages of each of `accounts` wait.
pub(crate) async fn queued(connection: &Connection, accounts: &[Name]) -> Read<Vec<u64>> {
    let names: Vec<_> = accounts.iter().map(|name| Text(&**name)).collect();
    let rows = connection.run(Around::Nothing, &[Step::new(Sql::Queued, values![names])]).await?;
    let rows = rows.into_iter().next().unwrap_or_default();
    let counts: HashMap<Name, u64> =
        each("queue", &rows, |columns| Ok((columns.name(0)?, columns.big(1)?)))?.into_iter().collect();
    Ok(accounts.iter().map(|account| counts.get(account).copied().unwrap_or(0)).collect())
}

/// How many entries each connector's queue has.
pub(crate) async fn queue_depths(connection: &Connection) -> Read<Vec<(Name, u64)>> {
    let sql = "SELECT connector, count(*) FROM queue GROUP BY connector ORDER BY connector";
    each("queue", &connection.rows(sql, vec![]).await?, |columns| Ok((columns.name(0)?, columns.big(1)?)))
}
