//! Searching messages, newest first.
//!
//! A recipient or a reference is looked for slot by slot in its index; a batch or an account in
//! the index of their own; everything else by going through the rows. Each call looks at a bounded
//! number of rows or slots and answers with a cursor when there is more.

use model::{Message, MessageId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use store::MessageFilter;

use super::Reader;
use super::rest::limit as sql_limit;
use crate::days;
use crate::decode::{BODY_COLUMNS, Columns, PROGRESS_COLUMNS, Read};
use crate::key;
use store::encoding::{DIRECTIONS, number, status_number};

/// Most rows that one call looks at.
const ROWS_MAX: usize = 20_000;
/// Rows of the first look; each further one takes four times as many.
const FIRST_ROWS: usize = 500;
/// Most slots that one call seeks in.
const SLOTS_MAX: usize = 8_000;

type Page = (Vec<Message>, Option<MessageId>);

/// Messages that pass `filter`, strictly older than `before`.
pub(crate) fn search(reader: &Reader, filter: &MessageFilter, before: Option<MessageId>, limit: usize) -> Read<Page> {
    if limit == 0 {
        return Ok((Vec::new(), before));
    }
    let mut search = Search { reader, filter, limit, found: Vec::new() };
    let newest_day = before.map_or(i64::MAX, |id| id.made_at().day());
    let mut budget = if filter.to.is_some() || filter.client_ref.is_some() { SLOTS_MAX } else { ROWS_MAX };
    for day in days::all(&reader.db)?.into_iter().filter(|day| *day <= newest_day && may_hold(filter, *day)) {
        let before = before.filter(|id| id.made_at().day() == day);
        let go_on = match (&filter.client_ref, &filter.to) {
            (Some(text), _) => search.by_slots(day, "client_ref", text, before, &mut budget)?,
            (None, Some(text)) => search.by_slots(day, "recipient", text, before, &mut budget)?,
            (None, None) => search.by_rows(day, before, &mut budget)?,
        };
        if go_on.is_some() {
            return Ok((search.found, go_on));
        }
    }
    Ok((search.found, None))
}

/// May `day` hold messages that were accepted when `filter` wants? Ids are made on acceptance, but
/// a clock that is set back leaves a difference; it is taken to be less than a day.
fn may_hold(filter: &MessageFilter, day: i64) -> bool {
    filter.created_after.is_none_or(|at| day >= at.day() - 1)
        && filter.created_before.is_none_or(|at| day <= at.day() + 1)
}

/// The octets below which the ids lie that are wanted.
fn upper_bound(before: Option<MessageId>) -> Vec<u8> {
    before.map_or(vec![0xff; 17], |id| id.as_bytes().to_vec())
}

/// The lowest id after `day`.
fn day_after(day: i64) -> MessageId {
    MessageId::first_at(Timestamp::from_millis(days::unit_start(day + 1, 0)))
}

struct Search<'s> {
    reader: &'s Reader,
    filter: &'s MessageFilter,
    limit: usize,
    found: Vec<Message>,
}

impl Search<'_> {
    fn db(&self) -> &Connection {
        &self.reader.db
    }

    /// Goes through a day's rows, in an index if there is one. Returns where to go on.
    fn by_rows(&mut self, day: i64, before: Option<MessageId>, budget: &mut usize) -> Read<Option<MessageId>> {
        let table = days::table(day);
        let (index, value) = match (self.filter.batch, &self.filter.account) {
            (Some(batch), _) => {
                (" INDEXED BY {table}_batch WHERE batch = ?", Some(Value::Blob(batch.as_bytes().to_vec())))
            }
            (None, Some(account)) => {
                (" INDEXED BY {table}_account WHERE account = ?", Some(Value::Text(account.to_string())))
            }
            (None, None) => (" WHERE ?1 IS NULL", None),
        };
        let from = format!("FROM {table}{}", index.replace("{table}", &table));
        let value = value.unwrap_or(Value::Null);
        let window = format!(
            "SELECT count(*), min(key) FROM (SELECT key {from} AND key < ? AND id < ? ORDER BY key DESC LIMIT ?)"
        );
        let below = Value::Blob(upper_bound(before));
        let mut end = before.map_or(i64::MAX, |id| key::end_before(day, id));
        let mut rows = FIRST_ROWS;
        while *budget > 0 {
            let wanted = rows.min(*budget);
            let values = vec![value.clone(), Value::Integer(end), below.clone(), Value::Integer(sql_limit(wanted))];
            let (count, floor): (usize, Option<i64>) = self
                .db()
                .prepare_cached(&window)?
                .query_row(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let Some(floor) = floor else { return Ok(None) };
            let mut values = vec![value.clone(), Value::Integer(end), Value::Integer(floor), below.clone()];
            let conditions = self.conditions(&mut values);
            let sql = format!(
                "SELECT {BODY_COLUMNS}, {PROGRESS_COLUMNS} {from} AND key < ? AND key >= ? AND id < ?{conditions}
                    ORDER BY key DESC"
            );
            if self.collect(&table, &sql, values)? {
                return Ok(self.found.last().map(|m| m.body.id));
            }
            if count < wanted {
                return Ok(None);
            }
            *budget -= count;
            end = floor;
            rows = rows.saturating_mul(4);
        }
        Ok(Some(if end == i64::MAX { day_after(day) } else { key::first_id(day, end) }))
    }

    /// Looks for one value of an index that begins with the slot. Returns where to go on.
    fn by_slots(
        &mut self,
        day: i64,
        column: &str,
        value: &str,
        before: Option<MessageId>,
        budget: &mut usize,
    ) -> Read<Option<MessageId>> {
        let table = days::table(day);
        let from = format!("FROM {table} INDEXED BY {table}_{column} WHERE");
        let next_slot = format!("SELECT max(slot) {from} slot <= ?1 AND {column} IS NOT NULL");
        let below = Value::Blob(upper_bound(before));
        let end = Value::Integer(before.map_or(i64::MAX, |id| key::end_before(day, id)));
        let mut slot = before.map_or(i64::MAX, |id| days::unit_of(id.made_at().as_millis()));
        let mut examined_from = days::unit_start(day + 1, 0);
        loop {
            let next: Option<i64> = self.db().prepare_cached(&next_slot)?.query_row([slot], |row| row.get(0))?;
            let Some(next) = next else { return Ok(None) };
            if *budget == 0 {
                return Ok(Some(MessageId::first_at(Timestamp::from_millis(examined_from))));
            }
            *budget -= 1;
            let mut values = vec![Value::Integer(next), Value::Text(value.into()), end.clone(), below.clone()];
            let conditions = self.conditions(&mut values);
            let sql = format!(
                "SELECT {BODY_COLUMNS}, {PROGRESS_COLUMNS} {from} slot = ? AND {column} = ? AND key < ? AND id < ?{conditions}
                    ORDER BY key DESC"
            );
            if self.collect(&table, &sql, values)? {
                return Ok(self.found.last().map(|m| m.body.id));
            }
            examined_from = days::unit_start(day, next);
            slot = next - 1;
        }
    }

    /// Takes what passes until there is enough; `true` when there is.
    fn collect(&mut self, table: &str, sql: &str, values: Vec<Value>) -> Read<bool> {
        let mut statement = self.reader.db.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let message = Columns { row, table, names: &self.reader.names }.message()?;
            // SQL leaves out most of what does not pass; tags and the like are looked at here.
            if self.filter.takes(&message) {
                self.found.push(message);
                if self.found.len() >= self.limit {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What of the filter SQL can check, besides what leads to the rows.
    fn conditions(&self, values: &mut Vec<Value>) -> String {
        let filter = self.filter;
        let mut sql = String::new();
        let mut only = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(" AND ");
                sql.push_str(condition);
                values.push(value);
            }
        };
        let text = |text: &str| Value::Text(text.into());
        only("+account = ?", filter.account.as_deref().map(text));
        only("status = ?", filter.status.map(|s| Value::Integer(status_number(s))));
        only("+recipient = ?", filter.to.as_deref().map(text));
        only("sender = ?", filter.from.as_deref().map(text));
        only("connector = ?", filter.connector.as_deref().map(text));
        only("+client_ref = ?", filter.client_ref.as_deref().map(text));
        only("created_at >= ?", filter.created_after.map(|t| Value::Integer(t.as_millis())));
        only("created_at < ?", filter.created_before.map(|t| Value::Integer(t.as_millis())));
        only("direction = ?", filter.direction.map(|d| Value::Integer(number(&DIRECTIONS, &d))));
        only("+batch = ?", filter.batch.map(|b| Value::Blob(b.as_bytes().to_vec())));
        sql
    }
}
