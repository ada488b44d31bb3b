//! What is owed to accounts.

use model::{Delivery, DeliveryId, MessageId, Name, Timestamp};
use store::DeliveryFilter;
use store::encoding::{DELIVERY_STATES, STYLES, number};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Question, limit as sql_limit};
use crate::decode::{Read, each};
use crate::link::Connection;
use crate::text::Text;

const COLUMNS: &str = "id, endpoint, due, account, message, url, event, created_at, attempts, state, last_error, payload, \
     style, restorable";

/// Pending deliveries of an endpoint, strictly after `after`.
pub(crate) async fn delivery_page(
    connection: &Connection,
    endpoint: &str,
    after: Option<(Timestamp, DeliveryId)>,
    due_by: Timestamp,
    limit: usize,
) -> Read<Vec<Delivery>> {
    let (due, id) = after.map_or((i64::MIN, Uuid::nil()), |(due, id)| (due.as_millis(), id.0));
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE state = 0 AND endpoint = $1 AND due <= $2 AND (due, id) > ($3, $4)
            ORDER BY due, id LIMIT $5"
    );
    read(&connection.rows(&sql, values![Text(endpoint), due_by.as_millis(), due, id, sql_limit(limit)]).await?)
}

/// Pending deliveries of an endpoint that were tried already.
pub(crate) async fn deliveries_retrying(connection: &Connection, endpoint: &str) -> Read<Vec<Delivery>> {
    let sql =
        format!("SELECT {COLUMNS} FROM delivery WHERE state = 0 AND attempts > 0 AND endpoint = $1 ORDER BY due, id");
    read(&connection.rows(&sql, values![Text(endpoint)]).await?)
}

/// The earliest due time of a pending delivery later than `after`.
pub(crate) async fn delivery_next_due(
    connection: &Connection,
    endpoint: &str,
    after: Timestamp,
) -> Read<Option<Timestamp>> {
    let sql = "SELECT due FROM delivery WHERE state = 0 AND endpoint = $1 AND due > $2 ORDER BY due, id LIMIT 1";
    let rows = connection.rows(sql, values![Text(endpoint), after.as_millis()]).await?;
    Ok(each("delivery", &rows, |columns| columns.time(0))?.pop())
}

/// Endpoints that have pending deliveries: one seek each, however many deliveries wait.
pub(crate) async fn delivery_endpoints(connection: &Connection) -> Read<Vec<Name>> {
    let sql = "WITH RECURSIVE found(endpoint) AS (
            (SELECT endpoint FROM delivery WHERE state = 0 ORDER BY endpoint, due, id LIMIT 1)
            UNION ALL
            SELECT next.* FROM found CROSS JOIN LATERAL (SELECT d.endpoint FROM delivery AS d
                WHERE d.state = 0 AND d.endpoint > found.endpoint ORDER BY d.endpoint, d.due, d.id LIMIT 1) AS next
        ) SELECT endpoint FROM found";
    each("delivery", &connection.rows(sql, vec![]).await?, |columns| columns.name(0))
}

/// Deliveries that pass `filter`, newest first.
pub(crate) async fn deliveries(
    connection: &Connection,
    filter: &DeliveryFilter,
    before: Option<DeliveryId>,
    limit: usize,
) -> Read<Vec<Delivery>> {
    let mut question = Question::new(format!("SELECT {COLUMNS} FROM delivery WHERE true"));
    question.only(" AND id < ?", before.map(|id| id.0));
    question.only(" AND id = ?", filter.id.map(|id| id.0));
    question.only(" AND account = ?", filter.account.as_deref().map(Text));
    question.only(" AND endpoint = ?", filter.endpoint.as_deref().map(Text));
    question.only(" AND state = ?", filter.state.as_ref().map(|state| number(&DELIVERY_STATES, state) as i16));
    question.only(" AND message = ?", filter.message.map(|id| id.0));
    question.push(" ORDER BY id DESC LIMIT ?", sql_limit(limit));
    read(&question.rows(connection).await?)
}

fn read(rows: &[Row]) -> Read<Vec<Delivery>> {
    each("delivery", rows, |columns| {
        Ok(Delivery {
            id: DeliveryId(columns.get(0)?),
            endpoint: columns.name(1)?,
            due: columns.time(2)?,
            account: columns.name(3)?,
            message: columns.get::<Option<Uuid>>(4)?.map(MessageId),
            url: columns.boxed_or_null(5)?,
            event: columns.name(6)?,
            created_at: columns.time(7)?,
            attempts: columns.big(8)?,
            state: columns.one_of(9, &DELIVERY_STATES)?,
            last_error: columns.boxed_or_null(10)?,
            payload: (&*columns.text(11)?).into(),
            style: columns.one_of(12, &STYLES)?,
            restorable: columns.get(13)?,
        })
    })
}
