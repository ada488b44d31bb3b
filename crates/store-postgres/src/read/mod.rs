//! Reading: statements that look at rows by an index each.

mod accounts;
mod deliveries;
mod groups;
mod messages;
mod queue;
mod rest;
mod schedules;
mod search;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::decode::Read;
use crate::link::Connection;
use crate::pipeline::Value;
pub(crate) use accounts::{ledger, opt_outs, tallies};
pub(crate) use deliveries::{deliveries, deliveries_retrying, delivery_endpoints, delivery_next_due, delivery_page};
pub(crate) use groups::{group_tasks, groups, member, members};
pub(crate) use messages::{batch, batch_is_open, batches_in, batches_unfinished, known, messages, overdue};
pub(crate) use queue::{queue_accounts, queue_depths, queue_entry, queue_pages, queued};
pub(crate) use rest::{
    idempotency, kept_answers, latest_under, mo_parts, parked, parked_for, remote_ids, resources, resources_version,
};
pub(crate) use schedules::{schedule, schedule_count, schedule_messages, schedules, schedules_by_id, schedules_due};
pub(crate) use search::search;

/// A limit as SQL takes it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Connection {
    /// The rows of a statement.
    pub async fn rows(&self, sql: &str, values: Vec<Value<'_>>) -> Read<Vec<Row>> {
        let statement = self.filtered(sql).await?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
        Ok(self.client.query(&statement, &values).await?)
    }
}

/// A statement that is put together from what is asked for.
struct Question<'v> {
    sql: String,
    values: Vec<Value<'v>>,
}

impl<'v> Question<'v> {
    fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// Adds a condition whose `?` is a value, if there is one.
    fn only(&mut self, condition: &str, value: Option<impl ToSql + Sync + Send + 'v>) {
        if let Some(value) = value {
            self.push(condition, value);
        }
    }

    /// Adds text whose `?` is a value.
    fn push(&mut self, text: &str, value: impl ToSql + Sync + Send + 'v) {
        self.values.push(Box::new(value));
        self.sql.push_str(&text.replace('?', &format!("${}", self.values.len())));
    }

    async fn rows(self, connection: &Connection) -> Read<Vec<Row>> {
        connection.rows(&self.sql, self.values).await
    }
}
