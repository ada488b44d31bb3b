//! Remote ids, idempotency answers, parked receipts, MO parts, resources.

use std::sync::Arc;

use model::resources::Kind;
use model::{MessageId, Timestamp};
use rusqlite::{Params, Row};
use store::{
    Document, IdempotencyAnswer, IdempotencyKey, MoPart, MoPartKey, ParkedReceipt, PartRef, RemoteKey, Resources,
    SupersedeKey,
};

use super::Reader;
use crate::decode::{BODY_COLUMNS, BODY_COUNT, Columns, Read};

/// A limit as SQL takes it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Reader {
    /// Every row of a query through `read`.
    pub(super) fn all<T>(
        &self,
        table: &str,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Columns<'_>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&self.columns(row, table))?);
        }
        Ok(found)
    }

    fn columns<'r>(&'r self, row: &'r Row<'r>, table: &'r str) -> Columns<'r> {
        Columns { row, table, names: &self.names }
    }
}

/// Which part each key is the remote id of.
pub(crate) fn remote_ids(reader: &Reader, keys: &[RemoteKey]) -> Read<Vec<Option<PartRef>>> {
    let mut statement =
        reader.db.prepare_cached("SELECT id, message, part FROM remote_id WHERE connector = ?1 AND id = ?2")?;
    let mut parts = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = statement.query([key.connector.as_ref(), key.id.as_ref()])?;
        parts.push(match rows.next()? {
            None => None,
            Some(row) => {
                let columns = reader.columns(row, "remote_id");
                Some(PartRef { message: MessageId(columns.id(1)?), part: columns.int(2)? })
            }
        });
    }
    Ok(parts)
}

/// The message that was put last under each key, unless it has ended.
pub(crate) fn latest_under(reader: &Reader, keys: &[SupersedeKey]) -> Read<Vec<Option<MessageId>>> {
    let sql = "SELECT id FROM latest WHERE account = ?1 AND key = ?2 AND recipient = ?3";
    let mut statement = reader.db.prepare_cached(sql)?;
    let mut latest = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = statement.query([key.account.as_ref(), key.key.as_ref(), key.to.as_ref()])?;
        let found = rows.next()?.map(|row| reader.columns(row, "latest").id(0)).transpose()?;
        latest.push(found.map(MessageId));
    }
    Ok(latest)
}

/// The answer under an idempotency key.
pub(crate) fn idempotency(reader: &Reader, key: &IdempotencyKey, now: Timestamp) -> Read<Option<IdempotencyAnswer>> {
    let sql = "SELECT key, fingerprint, status, body, expires_at FROM idempotency
        WHERE account = ?1 AND key = ?2 AND expires_at > ?3";
    let params = (key.account.as_ref(), key.key.as_ref(), now.as_millis());
    let found = reader.all("idempotency", sql, params, |columns| {
        let fingerprint = columns.row.get_ref(1)?.as_blob().ok().and_then(|octets| octets.try_into().ok());
        Ok(IdempotencyAnswer {
            fingerprint: fingerprint.ok_or_else(|| columns.broken(1))?,
            status: columns.int(2)?,
            body: columns.text(3)?.into(),
            expires_at: columns.time(4)?,
        })
    })?;
    Ok(found.into_iter().next())
}

const PARKED: &str = "id, connector, key, remote_id, receipt, phone, received_at, expires_at";

fn parked_receipt(columns: &Columns<'_>) -> Read<ParkedReceipt> {
    Ok(ParkedReceipt {
        id: MessageId(columns.id(0)?),
        key: RemoteKey { connector: columns.name(1)?, id: columns.text(2)?.into() },
        remote_id: columns.text(3)?.into(),
        receipt: columns.json(4)?,
        phone: columns.text(5)?.into(),
        received_at: columns.time(6)?,
        expires_at: columns.time(7)?,
    })
}

/// Parked receipts, newest first.
pub(crate) fn parked(reader: &Reader, before: Option<MessageId>, count: usize) -> Read<Vec<ParkedReceipt>> {
    let below = before.map_or(vec![0xff; 17], |id| id.as_bytes().to_vec());
    let sql = format!("SELECT {PARKED} FROM parked WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    reader.all("parked", &sql, (below, limit(count)), parked_receipt)
}

/// Parked receipts for these remote ids, in the order in which they came.
pub(crate) fn parked_for(reader: &Reader, keys: &[RemoteKey]) -> Read<Vec<ParkedReceipt>> {
    let sql = format!("SELECT {PARKED} FROM parked WHERE connector = ?1 AND key = ?2");
    let mut found = Vec::new();
    for key in keys {
        found.extend(reader.all("parked", &sql, [key.connector.as_ref(), key.id.as_ref()], parked_receipt)?);
    }
    found.sort_by_key(|parked| parked.id);
    found.dedup_by_key(|parked| parked.id);
    Ok(found)
}

/// Every MO part that waits.
pub(crate) fn mo_parts(reader: &Reader) -> Read<Vec<MoPart>> {
    let sql = format!(
        "SELECT {BODY_COLUMNS}, part_connector, addresses, part_reference, total, sequence, part_expires_at FROM mo_part
            ORDER BY part_connector, addresses, part_reference, total, sequence"
    );
    reader.all("mo_part", &sql, [], |columns| {
        let key = MoPartKey {
            connector: columns.name(BODY_COUNT)?,
            addresses: columns.text(BODY_COUNT + 1)?.into(),
            reference: columns.int(BODY_COUNT + 2)?,
            total: columns.int(BODY_COUNT + 3)?,
            sequence: columns.int(BODY_COUNT + 4)?,
        };
        Ok(MoPart { key, body: Arc::new(columns.body(0)?), expires_at: columns.time(BODY_COUNT + 5)? })
    })
}

/// All resources, ordered by kind and id.
pub(crate) fn resources(reader: &Reader) -> Read<Resources> {
    let mut documents = reader.all("resource", "SELECT id, kind, json FROM resource", [], |columns| {
        let kind = Kind::from_word(columns.text(1)?).ok_or_else(|| columns.broken(1))?;
        Ok(Document { kind, id: columns.text(0)?.into(), json: columns.text(2)?.into() })
    })?;
    documents.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    Ok(Resources { version: resources_version(reader)?, documents })
}

/// The version of the resources.
pub(crate) fn resources_version(reader: &Reader) -> Read<u64> {
    let sql = "SELECT name, value FROM meta WHERE name = 'resources_version'";
    let found = reader.all("meta", sql, [], |columns| columns.int(1))?;
    found.into_iter().next().ok_or_else(|| crate::error::Failure::Corrupt("table meta: no resources_version".into()))
}

/// Keys of remote ids that have run out, at most `count`, after `after` in the order of the table.
pub(crate) fn expired_remote_ids(
    reader: &Reader,
    now: Timestamp,
    after: &Option<RemoteKey>,
    count: usize,
) -> Read<Vec<RemoteKey>> {
    let sql = "SELECT id, connector FROM remote_id WHERE expires_at <= ?1 AND (connector, id) > (?2, ?3)
        ORDER BY connector, id LIMIT ?4";
    let (connector, id) = after.as_ref().map_or(("", ""), |key| (key.connector.as_ref(), key.id.as_ref()));
    reader.all("remote_id", sql, (now.as_millis(), connector, id, limit(count)), |columns| {
        Ok(RemoteKey { connector: columns.name(1)?, id: columns.text(0)?.into() })
    })
}

/// Idempotency keys whose answers have run out, like [`expired_remote_ids`].
pub(crate) fn expired_answers(
    reader: &Reader,
    now: Timestamp,
    after: &Option<IdempotencyKey>,
    count: usize,
) -> Read<Vec<IdempotencyKey>> {
    let sql = "SELECT key, account FROM idempotency WHERE expires_at <= ?1 AND (account, key) > (?2, ?3)
        ORDER BY account, key LIMIT ?4";
    let (account, key) = after.as_ref().map_or(("", ""), |key| (key.account.as_ref(), key.key.as_ref()));
    reader.all("idempotency", sql, (now.as_millis(), account, key, limit(count)), |columns| {
        Ok(IdempotencyKey { account: columns.name(1)?, key: columns.text(0)?.into() })
    })
}

/// Ids of parked receipts that have run out, at most `count`, after `after`.
pub(crate) fn expired_parked(
    reader: &Reader,
    now: Timestamp,
    after: &Option<MessageId>,
    count: usize,
) -> Read<Vec<MessageId>> {
    let sql = "SELECT id FROM parked WHERE expires_at <= ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    reader.all("parked", sql, (now.as_millis(), after, limit(count)), |columns| Ok(MessageId(columns.id(0)?)))
}
