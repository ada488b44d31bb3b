//! Searching messages, newest first.
//!
//! A reference, a recipient, a batch or an account leads to rows by an index whose order is that of the ids,
//! table by table; everything else by going through the rows. Each call looks at a bounded number of rows and
//! answers with a cursor when there is more.

use model::{Message, MessageId, Timestamp};
use store::MessageFilter;
use store::encoding::{DIRECTIONS, number, status_number};
use uuid::Uuid;

use super::{Question, limit as sql_limit};
use crate::days;
use crate::decode::{BODY_COLUMNS, PROGRESS_COLUMNS, Read, each};
use crate::link::Connection;
use crate::text::Text;

/// Most rows that one call looks at.
const ROWS_MAX: usize = 20_000;
/// Rows of the first look; each further one takes four times as many.
const FIRST_ROWS: usize = 500;

type Page = (Vec<Message>, Option<MessageId>);

/// Messages that pass `filter`, strictly older than `before`.
pub(crate) async fn search(
    connection: &Connection,
    filter: &MessageFilter,
    before: Option<MessageId>,
    limit: usize,
) -> Read<Page> {
    if limit == 0 {
        return Ok((Vec::new(), before));
    }
    let (mut found, mut end, mut seen, mut window) = (Vec::new(), before, 0, FIRST_ROWS);
    loop {
        let wanted = window.min(ROWS_MAX - seen);
        let floor = floor(connection, filter, end, wanted).await?;
        let mut rows = Question::new(format!("SELECT {BODY_COLUMNS}, {PROGRESS_COLUMNS} FROM message WHERE true"));
        way(&mut rows, filter, end);
        rows.only(" AND id >= ?", floor.map(|id| id.0));
        conditions(&mut rows, filter);
        // Only what tags are asked for may be left out after SQL.
        let enough = if filter.tag.is_some() { ROWS_MAX } else { limit - found.len() };
        rows.push(" ORDER BY id DESC LIMIT ?", sql_limit(enough));
        for message in each("message", &rows.rows(connection).await?, |columns| columns.message(0))? {
            // SQL leaves out most of what does not pass; tags and the like are looked at here.
            if !filter.takes(&message) {
                continue;
            }
            let id = message.body.id;
            found.push(message);
            if found.len() >= limit {
                return Ok((found, Some(id)));
            }
        }
        let Some(floor) = floor else { return Ok((found, None)) };
        seen += wanted;
        if seen >= ROWS_MAX {
            return Ok((found, Some(floor)));
        }
        (end, window) = (Some(floor), window.saturating_mul(4));
    }
}

/// The last id of the next `wanted` rows, if there are so many.
async fn floor(
    connection: &Connection,
    filter: &MessageFilter,
    end: Option<MessageId>,
    wanted: usize,
) -> Read<Option<MessageId>> {
    let mut last = Question::new("SELECT id FROM message WHERE true");
    way(&mut last, filter, end);
    last.push(" ORDER BY id DESC OFFSET ? LIMIT 1", sql_limit(wanted.saturating_sub(1)));
    let rows = last.rows(connection).await?;
    Ok(each("message", &rows, |columns| Ok(MessageId(columns.get(0)?)))?.pop())
}

/// What leads to the rows: one index, and a range of ids.
fn way<'f>(question: &mut Question<'f>, filter: &'f MessageFilter, end: Option<MessageId>) {
    question.only(" AND id < ?", end.map(|id| id.0));
    // Ids are made on acceptance, but a clock that is set back leaves a difference; it is less than a day.
    let bound = |at: Timestamp, more: i64| -> Uuid { days::ids(at.day().saturating_add(more)).0.0 };
    question.only(" AND id >= ?", filter.created_after.filter(|at| at.day() > 0).map(|at| bound(at, -1)));
    question.only(" AND id < ?", filter.created_before.filter(|at| may_bound(*at)).map(|at| bound(at, 2)));
    match (&filter.client_ref, &filter.to, filter.batch, &filter.account) {
        (Some(text), ..) => question.push(" AND client_ref = ?", Text(&**text)),
        (None, Some(text), ..) => question.push(" AND recipient = ?", Text(&**text)),
        (None, None, Some(batch), _) => question.push(" AND batch = ?", batch.0),
        (None, None, None, Some(account)) => question.push(" AND account = ?", Text(&**account)),
        (None, None, None, None) => {}
    }
}

/// Is it a time that an id can have?
fn may_bound(at: Timestamp) -> bool {
    at.day() >= 0 && days::start(at.day().saturating_add(3)).as_millis() < 1 << 48
}

/// What of the filter SQL can check.
fn conditions<'f>(question: &mut Question<'f>, filter: &'f MessageFilter) {
    question.only(" AND account = ?", filter.account.as_deref().map(Text));
    question.only(" AND status = ?", filter.status.map(|status| status_number(status) as i16));
    question.only(" AND recipient = ?", filter.to.as_deref().map(Text));
    question.only(" AND sender = ?", filter.from.as_deref().map(Text));
    question.only(" AND connector = ?", filter.connector.as_deref().map(Text));
    question.only(" AND client_ref = ?", filter.client_ref.as_deref().map(Text));
    question.only(" AND created_at >= ?", filter.created_after.map(|at| at.as_millis()));
    question.only(" AND created_at < ?", filter.created_before.map(|at| at.as_millis()));
    question.only(" AND direction = ?", filter.direction.map(|direction| number(&DIRECTIONS, &direction) as i16));
    question.only(" AND batch = ?", filter.batch.map(|batch| batch.0));
}
