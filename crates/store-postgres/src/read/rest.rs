//! Remote ids, supersede keys, idempotency answers, parked receipts, MO parts, resources.

use std::sync::Arc;

use model::resources::Kind;
use model::{MessageId, Timestamp};
use store::{
    Document, IdempotencyAnswer, IdempotencyKey, MoPart, MoPartKey, ParkedReceipt, PartRef, RemoteKey, Resources,
    SupersedeKey,
};

use super::{Question, limit};
use crate::decode::{BODY_COLUMNS, BODY_COUNT, Columns, Read, each};
use crate::error::Failure;
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::sql::Sql;
use crate::text::Text;

/// Puts what was found at its place among `count`.
fn placed<T>(count: usize, found: Vec<(i64, T)>) -> Vec<Option<T>> {
    let mut places: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for (place, value) in found {
        if let Some(empty) = usize::try_from(place - 1).ok().and_then(|place| places.get_mut(place)) {
            *empty = Some(value);
        }
    }
    places
}

/// Which part each key is the remote id of.
pub(crate) async fn remote_ids(connection: &Connection, keys: &[RemoteKey]) -> Read<Vec<Option<PartRef>>> {
    let sql = "SELECT u.place, kept.message, kept.part
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u(connector, id, place) CROSS JOIN LATERAL (
            SELECT r.message, r.part FROM remote_id AS r WHERE r.connector = u.connector AND r.id = u.id LIMIT 1) AS kept";
    let (connectors, ids): (Vec<_>, Vec<_>) = keys.iter().map(|key| (Text(&*key.connector), Text(&*key.id))).unzip();
    let found = each("remote_id", &connection.rows(sql, values![connectors, ids]).await?, |columns| {
        Ok((columns.get(0)?, PartRef { message: MessageId(columns.get(1)?), part: columns.small(2)? }))
    })?;
    Ok(placed(keys.len(), found))
}

/// The message that was put last under each key, unless it has ended.
pub(crate) async fn latest_under(connection: &Connection, keys: &[SupersedeKey]) -> Read<Vec<Option<MessageId>>> {
    let sql = "SELECT u.place, kept.id
        FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS u(account, key, recipient, place)
        CROSS JOIN LATERAL (SELECT l.id FROM latest AS l WHERE l.account = u.account AND l.key = u.key
            AND l.recipient = u.recipient LIMIT 1) AS kept";
    let values = values![
        keys.iter().map(|key| Text(&*key.account)).collect::<Vec<_>>(),
        keys.iter().map(|key| Text(&*key.key)).collect::<Vec<_>>(),
        keys.iter().map(|key| Text(&*key.to)).collect::<Vec<_>>(),
    ];
    let rows = connection.rows(sql, values).await?;
    let found = each("latest", &rows, |columns| Ok((columns.get(0)?, MessageId(columns.get(1)?))))?;
    Ok(placed(keys.len(), found))
}

/// The answer under an idempotency key, if its time is not up.
pub(crate) async fn idempotency(
    connection: &Connection,
    key: &IdempotencyKey,
    now: Timestamp,
) -> Read<Option<IdempotencyAnswer>> {
    let found = kept_answers(connection, &[key]).await?.pop();
    Ok(found.map(|(_, answer)| answer).filter(|answer| answer.expires_at > now))
}

/// The answers that are kept under these keys, with the places of the keys, whether or not their time is up.
pub(crate) async fn kept_answers(
    connection: &Connection,
    keys: &[&IdempotencyKey],
) -> Read<Vec<(usize, IdempotencyAnswer)>> {
    let values = values![
        keys.iter().map(|key| Text(&*key.account)).collect::<Vec<_>>(),
        keys.iter().map(|key| Text(&*key.key)).collect::<Vec<_>>(),
        (0..keys.len()).map(|place| i32::try_from(place).unwrap_or(i32::MAX)).collect::<Vec<_>>(),
    ];
    let rows = connection.run(Around::Nothing, &[Step::new(Sql::AnswersKept, values)]).await?;
    each("idempotency", &rows.into_iter().next().unwrap_or_default(), |columns| {
        let answer = IdempotencyAnswer {
            fingerprint: columns.digest_or_null(1)?.ok_or_else(|| columns.broken(1))?,
            status: columns.int(2)?,
            body: Arc::from(&*columns.text(3)?),
            expires_at: columns.time(4)?,
        };
        Ok((columns.int(0)?, answer))
    })
}

const PARKED: &str = "id, connector, key, remote_id, receipt, phone, received_at, expires_at";

fn parked_receipt(columns: &Columns<'_>) -> Read<ParkedReceipt> {
    Ok(ParkedReceipt {
        id: MessageId(columns.get(0)?),
        key: RemoteKey { connector: columns.name(1)?, id: Arc::from(&*columns.text(2)?) },
        remote_id: (&*columns.text(3)?).into(),
        receipt: columns.json(4)?,
        phone: (&*columns.text(5)?).into(),
        received_at: columns.time(6)?,
        expires_at: columns.time(7)?,
    })
}

/// Parked receipts, newest first.
pub(crate) async fn parked(
    connection: &Connection,
    before: Option<MessageId>,
    count: usize,
) -> Read<Vec<ParkedReceipt>> {
    let mut question = Question::new(format!("SELECT {PARKED} FROM parked WHERE true"));
    question.only(" AND id < ?", before.map(|id| id.0));
    question.push(" ORDER BY id DESC LIMIT ?", limit(count));
    each("parked", &question.rows(connection).await?, parked_receipt)
}

/// Parked receipts for these remote ids, in the order in which they came.
pub(crate) async fn parked_for(connection: &Connection, keys: &[RemoteKey]) -> Read<Vec<ParkedReceipt>> {
    let sql = format!(
        "SELECT kept.* FROM unnest($1::text[], $2::text[]) AS u(connector, key) CROSS JOIN LATERAL (
            SELECT {PARKED} FROM parked AS p WHERE p.connector = u.connector AND p.key = u.key OFFSET 0) AS kept"
    );
    let (connectors, ids): (Vec<_>, Vec<_>) = keys.iter().map(|key| (Text(&*key.connector), Text(&*key.id))).unzip();
    let mut found = each("parked", &connection.rows(&sql, values![connectors, ids]).await?, parked_receipt)?;
    found.sort_by_key(|parked| parked.id);
    found.dedup_by_key(|parked| parked.id);
    Ok(found)
}

/// Every MO part that waits.
pub(crate) async fn mo_parts(connection: &Connection) -> Read<Vec<MoPart>> {
    let sql = format!(
        "SELECT {BODY_COLUMNS}, part_connector, addresses, part_reference, total, sequence, part_expires_at FROM mo_part
            ORDER BY part_connector, addresses, part_reference, total, sequence"
    );
    each("mo_part", &connection.rows(&sql, vec![]).await?, |columns| {
        let key = MoPartKey {
            connector: columns.name(BODY_COUNT)?,
            addresses: (&*columns.text(BODY_COUNT + 1)?).into(),
            reference: columns.int(BODY_COUNT + 2)?,
            total: columns.small(BODY_COUNT + 3)?,
            sequence: columns.small(BODY_COUNT + 4)?,
        };
        Ok(MoPart { key, body: Arc::new(columns.body(0)?), expires_at: columns.time(BODY_COUNT + 5)? })
    })
}

/// All resources, ordered by kind and id, of one moment with their version.
pub(crate) async fn resources(connection: &Connection) -> Read<Resources> {
    let sql = "SELECT meta.value, kind, id, json FROM meta LEFT JOIN resource ON true
        WHERE meta.name = 'resources_version'";
    let rows = connection.rows(sql, vec![]).await?;
    let version = rows.first().ok_or_else(no_version)?.try_get::<_, i64>(0)?;
    let mut documents = Vec::new();
    for document in each("resource", &rows, |columns| {
        let Some(kind) = columns.get::<Option<&str>>(1)? else { return Ok(None) };
        let kind = Kind::from_word(kind).ok_or_else(|| columns.broken(1))?;
        Ok(Some(Document { kind, id: columns.text(2)?.into(), json: columns.text(3)?.into() }))
    })? {
        documents.extend(document);
    }
    documents.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    Ok(Resources { version: version.cast_unsigned(), documents })
}

/// The version of the resources.
pub(crate) async fn resources_version(connection: &Connection) -> Read<u64> {
    let rows = connection.rows("SELECT value FROM meta WHERE name = 'resources_version'", vec![]).await?;
    Ok(rows.first().ok_or_else(no_version)?.try_get::<_, i64>(0)?.cast_unsigned())
}

fn no_version() -> Failure {
    Failure::Corrupt("table meta: no resources_version".into())
}
