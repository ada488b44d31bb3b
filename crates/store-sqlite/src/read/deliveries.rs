//! What is owed to accounts.

use model::{Delivery, DeliveryId, MessageId, Name, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Params, params_from_iter};
use store::DeliveryFilter;

use super::Reader;
use super::rest::limit as sql_limit;
use crate::decode::{Columns, Read};
use crate::key::{self, PLACES};
use store::encoding::{DELIVERY_STATES, STYLES, number};

const COLUMNS: &str =
    "id, endpoint, due, account, message, url, event, created_at, attempts, state, last_error, payload, style,
    restorable";

/// Pending deliveries of an endpoint, strictly after `after`.
pub(crate) fn delivery_page(
    reader: &Reader,
    endpoint: &str,
    after: Option<(Timestamp, DeliveryId)>,
    due_by: Timestamp,
    limit: usize,
) -> Read<Vec<Delivery>> {
    let (after_due, after_id) = after.map_or((i64::MIN, [0; 16]), |(due, id)| (due.as_millis(), *id.as_bytes()));
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery INDEXED BY delivery_due WHERE state = 0 AND endpoint = ?1 AND due <= ?2
            AND (due, id) > (?3, ?4) ORDER BY due, id LIMIT ?5"
    );
    select(reader, &sql, (endpoint, due_by.as_millis(), after_due, after_id.as_slice(), sql_limit(limit)))
}

/// Pending deliveries of an endpoint that were tried already.
pub(crate) fn deliveries_retrying(reader: &Reader, endpoint: &str) -> Read<Vec<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery INDEXED BY delivery_retrying WHERE state = 0 AND attempts > 0 AND endpoint = ?1
            ORDER BY due, id"
    );
    select(reader, &sql, [endpoint])
}

/// The earliest due time of a pending delivery later than `after`.
pub(crate) fn delivery_next_due(reader: &Reader, endpoint: &str, after: Timestamp) -> Read<Option<Timestamp>> {
    let mut statement = reader.db.prepare_cached(
        "SELECT due FROM delivery INDEXED BY delivery_due WHERE state = 0 AND endpoint = ?1 AND due > ?2 ORDER BY due LIMIT 1",
    )?;
    let mut rows = statement.query((endpoint, after.as_millis()))?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map(Timestamp::from_millis))
}

/// Endpoints that have pending deliveries: one seek each, however many deliveries wait.
pub(crate) fn delivery_endpoints(reader: &Reader) -> Read<Vec<Name>> {
    let mut statement = reader.db.prepare_cached(
        "SELECT endpoint FROM delivery INDEXED BY delivery_due WHERE state = 0 AND endpoint > ?1 ORDER BY endpoint LIMIT 1",
    )?;
    let mut endpoints: Vec<Name> = Vec::new();
    loop {
        let mut rows = statement.query([endpoints.last().map_or("", |name| name.as_ref())])?;
        let Some(row) = rows.next()? else { break };
        let name = Columns { row, table: "delivery", names: &reader.names }.name(0)?;
        drop(rows);
        endpoints.push(name);
    }
    Ok(endpoints)
}

/// Deliveries that pass `filter`, newest first.
pub(crate) fn deliveries(
    reader: &Reader,
    filter: &DeliveryFilter,
    before: Option<DeliveryId>,
    limit: usize,
) -> Read<Vec<Delivery>> {
    let mut sql = format!("SELECT {COLUMNS} FROM delivery WHERE 1");
    let mut values: Vec<Value> = Vec::new();
    let mut only = |condition: &str, value: Value| {
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(before) = before {
        only(" AND key < ?", Value::Integer(key::of_delivery(before).saturating_add(PLACES)));
        only(" AND id < ?", blob(before.as_bytes()));
    }
    if let Some(id) = filter.id {
        only(" AND key >= ?", Value::Integer(key::of_delivery(id)));
        only(" AND key < ?", Value::Integer(key::of_delivery(id).saturating_add(PLACES)));
        only(" AND id = ?", blob(id.as_bytes()));
    }
    if let Some(account) = &filter.account {
        only(" AND account = ?", Value::Text(account.to_string()));
    }
    if let Some(endpoint) = &filter.endpoint {
        only(" AND endpoint = ?", Value::Text(endpoint.to_string()));
    }
    if let Some(state) = &filter.state {
        only(" AND state = ?", Value::Integer(number(&DELIVERY_STATES, state)));
    }
    if let Some(message) = filter.message {
        only(" AND message = ?", blob(message.as_bytes()));
    }
    only(" ORDER BY key DESC LIMIT ?", Value::Integer(sql_limit(limit)));
    select(reader, &sql, params_from_iter(values))
}

fn blob(octets: &[u8]) -> Value {
    Value::Blob(octets.to_vec())
}

fn select(reader: &Reader, sql: &str, params: impl Params) -> Read<Vec<Delivery>> {
    let mut statement = reader.db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = Columns { row, table: "delivery", names: &reader.names };
        found.push(Delivery {
            id: DeliveryId(columns.id(0)?),
            endpoint: columns.name(1)?,
            due: columns.time(2)?,
            account: columns.name(3)?,
            message: columns.id_or_null(4)?.map(MessageId),
            url: columns.text_or_null(5)?.map(Into::into),
            event: columns.name(6)?,
            created_at: columns.time(7)?,
            attempts: columns.int(8)?,
            state: columns.one_of(9, &DELIVERY_STATES)?,
            last_error: columns.text_or_null(10)?.map(Into::into),
            payload: columns.text(11)?.into(),
            style: columns.one_of(12, &STYLES)?,
            restorable: columns.int::<u8>(13)? != 0,
        });
    }
    Ok(found)
}
