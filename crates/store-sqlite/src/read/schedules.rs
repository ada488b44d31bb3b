//! What is sent again and again.

use std::sync::Arc;

use model::{Schedule, ScheduleId, ScheduleState, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Params, params_from_iter};
use store::ScheduleFilter;

use super::Reader;
use super::rest::limit;
use crate::decode::Read;

const COLUMNS: &str = "SELECT id, account, revision, due, ended_at, terms, course FROM schedule";

fn read(reader: &Reader, sql: &str, params: impl Params) -> Read<Vec<Schedule>> {
    reader.all("schedule", sql, params, |columns| {
        Ok(Schedule {
            id: ScheduleId(columns.id(0)?),
            account: columns.name(1)?,
            revision: columns.int(2)?,
            due: columns.time_or_null(3)?,
            ended_at: columns.time_or_null(4)?,
            terms: columns.json(5)?,
            course: columns.json(6)?,
        })
    })
}

/// Schedules that pass `filter`, newest first.
pub(crate) fn schedules(
    reader: &Reader,
    filter: &ScheduleFilter,
    before: Option<ScheduleId>,
    count: usize,
) -> Read<Vec<Schedule>> {
    let mut sql = format!("{COLUMNS} WHERE 1");
    let mut values: Vec<Value> = Vec::new();
    let mut only = |condition: &str, value: Option<Value>| {
        sql.push_str(condition);
        values.extend(value);
    };
    if let Some(before) = before {
        only(" AND id < ?", Some(Value::Blob(before.as_bytes().to_vec())));
    }
    if let Some(id) = filter.id {
        only(" AND id = ?", Some(Value::Blob(id.as_bytes().to_vec())));
    }
    if let Some(account) = &filter.account {
        only(" AND account = ?", Some(Value::Text(account.to_string())));
    }
    match filter.state {
        Some(ScheduleState::Active) => only(" AND due IS NOT NULL", None),
        Some(ScheduleState::Paused) => only(" AND due IS NULL AND ended_at IS NULL", None),
        Some(ScheduleState::Ended) => only(" AND ended_at IS NOT NULL", None),
        None => {}
    }
    only(" ORDER BY id DESC LIMIT ?", Some(Value::Integer(limit(count))));
    read(reader, &sql, params_from_iter(values))
}

/// Schedules that are to be looked at by `by`, the first first.
pub(crate) fn schedules_due(reader: &Reader, by: Timestamp, count: usize) -> Read<Vec<Schedule>> {
    read(reader, &format!("{COLUMNS} WHERE due <= ?1 ORDER BY due, id LIMIT ?2"), (by.as_millis(), limit(count)))
}

/// How many an account has.
pub(crate) fn schedule_count(reader: &Reader, account: &str) -> Read<u64> {
    let mut statement = reader.db.prepare_cached("SELECT count(*) FROM schedule WHERE account = ?1")?;
    Ok(statement.query_row([account], |row| row.get(0))?)
}

/// The messages of one.
pub(crate) fn schedule_messages(reader: &Reader, id: ScheduleId) -> Read<Option<Arc<str>>> {
    let sql = "SELECT id, messages FROM schedule_messages WHERE id = ?1";
    let found =
        reader.all("schedule_messages", sql, [id.as_bytes().as_slice()], |columns| Ok(Arc::from(columns.text(1)?)))?;
    Ok(found.into_iter().next())
}

/// Those that ended before `before`, at most so many.
pub(crate) fn schedules_over(reader: &Reader, before: Timestamp, count: usize) -> Read<Vec<ScheduleId>> {
    let sql = "SELECT id FROM schedule WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2";
    reader.all("schedule", sql, (before.as_millis(), limit(count)), |columns| Ok(ScheduleId(columns.id(0)?)))
}
