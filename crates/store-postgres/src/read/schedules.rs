//! What is sent again and again.

use std::sync::Arc;

use model::{Schedule, ScheduleId, ScheduleState, Timestamp};
use store::ScheduleFilter;

use super::{Question, limit};
use crate::decode::{Columns, Read, each};
use crate::link::Connection;
use crate::text::Text;

const COLUMNS: &str = "SELECT id, account, revision, due, ended_at, terms, course FROM schedule";

/// A schedule out of its row.
pub(crate) fn schedule(columns: &Columns<'_>) -> Read<Schedule> {
    Ok(Schedule {
        id: ScheduleId(columns.get(0)?),
        account: columns.name(1)?,
        revision: columns.get::<i64>(2)?.cast_unsigned(),
        due: columns.time_or_null(3)?,
        ended_at: columns.time_or_null(4)?,
        terms: columns.json(5)?,
        course: columns.json(6)?,
    })
}

/// Schedules that pass `filter`, newest first.
pub(crate) async fn schedules(
    connection: &Connection,
    filter: &ScheduleFilter,
    before: Option<ScheduleId>,
    count: usize,
) -> Read<Vec<Schedule>> {
    let mut question = Question::new(format!("{COLUMNS} WHERE true"));
    question.only(" AND id < ?", before.map(|id| id.0));
    question.only(" AND id = ?", filter.id.map(|id| id.0));
    question.only(" AND account = ?", filter.account.as_deref().map(Text));
    question.sql.push_str(match filter.state {
        Some(ScheduleState::Active) => " AND due IS NOT NULL",
        Some(ScheduleState::Paused) => " AND due IS NULL AND ended_at IS NULL",
        Some(ScheduleState::Ended) => " AND ended_at IS NOT NULL",
        None => "",
    });
    question.push(" ORDER BY id DESC LIMIT ?", limit(count));
    each("schedule", &question.rows(connection).await?, schedule)
}

/// Those of these ids that are there.
pub(crate) async fn schedules_by_id(connection: &Connection, ids: &[ScheduleId]) -> Read<Vec<Schedule>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = connection.rows(&format!("{COLUMNS} WHERE id = ANY($1::uuid[])"), values![ids]).await?;
    each("schedule", &rows, schedule)
}

/// Schedules that are to be looked at by `by`, the first first.
pub(crate) async fn schedules_due(connection: &Connection, by: Timestamp, count: usize) -> Read<Vec<Schedule>> {
    let sql = format!("{COLUMNS} WHERE due <= $1 ORDER BY due, id LIMIT $2");
    each("schedule", &connection.rows(&sql, values![by.as_millis(), limit(count)]).await?, schedule)
}

/// How many an account has.
pub(crate) async fn schedule_count(connection: &Connection, account: &str) -> Read<u64> {
    let rows = connection.rows("SELECT count(*) FROM schedule WHERE account = $1", values![Text(account)]).await?;
    Ok(each("schedule", &rows, |columns| columns.big(0))?.pop().unwrap_or(0))
}

/// The messages of one.
pub(crate) async fn schedule_messages(connection: &Connection, id: ScheduleId) -> Read<Option<Arc<str>>> {
    let sql = "SELECT id, messages FROM schedule_messages WHERE id = $1";
    let rows = connection.rows(sql, values![id.0]).await?;
    Ok(each("schedule_messages", &rows, |columns| Ok(Arc::from(&*columns.text(1)?)))?.pop())
}
