//! From version 1 to 2: messages and deliveries lie by integer keys instead of by their ids. Why is
//! told in `key.rs`.
//!
//! What the tables looked like in these two versions is written down here once more, apart from the
//! present in `days.rs`, for this step must not change with it.

use model::{DeliveryId, MessageId};
use rusqlite::{Connection, Transaction};
use uuid::Uuid;

use crate::{days, key};

/// Moves every row under its key.
pub(super) fn migrate(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute_batch("DROP VIEW IF EXISTS message")?;
    for table in days::retired(db)? {
        db.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    let days = days::all(db)?;
    for day in &days {
        message_table(db, &days::table(*day))?;
    }
    deliveries(db)?;
    if !days.is_empty() {
        days::make_view(db)?;
    }
    Ok(())
}

fn message_table(db: &Connection, table: &str) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "DROP INDEX {table}_recipient; DROP INDEX {table}_account; DROP INDEX {table}_client_ref;
        DROP INDEX {table}_batch; ALTER TABLE {table} RENAME TO old_{table};
        CREATE TABLE {table}(
            key INTEGER PRIMARY KEY, id BLOB NOT NULL, slot INTEGER NOT NULL, account TEXT NOT NULL,
            direction INTEGER NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL, content BLOB NOT NULL,
            encoding INTEGER NOT NULL, priority INTEGER NOT NULL, receipt INTEGER NOT NULL,
            reference INTEGER NOT NULL, created_at INTEGER NOT NULL, send_at INTEGER, expires_at INTEGER NOT NULL,
            client_ref TEXT, batch BLOB, tags TEXT, extra TEXT, status INTEGER NOT NULL, connector TEXT, due INTEGER,
            submitted_at INTEGER, final_at INTEGER, attempts INTEGER NOT NULL, reason TEXT, parts TEXT NOT NULL,
            queue_connector TEXT, queue_shard INTEGER, queue_due INTEGER, events TEXT NOT NULL
        );"
    ))?;
    move_rows(db, &format!("old_{table}"), table, |id| key::of_message(MessageId(id)))?;
    db.execute_batch(&format!(
        "CREATE INDEX {table}_recipient ON {table}(slot, recipient);
        CREATE INDEX {table}_account ON {table}(account);
        CREATE INDEX {table}_client_ref ON {table}(slot, client_ref) WHERE client_ref IS NOT NULL;
        CREATE INDEX {table}_batch ON {table}(batch) WHERE batch IS NOT NULL;"
    ))
}

fn deliveries(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "DROP INDEX delivery_due; DROP INDEX delivery_retrying; ALTER TABLE delivery RENAME TO old_delivery;
        CREATE TABLE delivery(
            key INTEGER PRIMARY KEY, id BLOB NOT NULL, endpoint TEXT NOT NULL, due INTEGER NOT NULL,
            account TEXT NOT NULL, message BLOB, url TEXT, event TEXT NOT NULL, created_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL, state INTEGER NOT NULL, last_error TEXT, payload TEXT NOT NULL
        );",
    )?;
    move_rows(db, "old_delivery", "delivery", |id| key::of_delivery(DeliveryId(id)))?;
    db.execute_batch(
        "CREATE INDEX delivery_due ON delivery(endpoint, due, id) WHERE state = 0;
        CREATE INDEX delivery_retrying ON delivery(endpoint) WHERE state = 0 AND attempts > 0;",
    )
}

/// Moves rows in the order of their ids, so that those which want one key take the next ones.
fn move_rows(db: &Connection, from: &str, to: &str, key_of: impl Fn(Uuid) -> i64) -> rusqlite::Result<()> {
    copy_rows(db, from, to, key_of)?;
    db.execute_batch(&format!("DROP TABLE {from}"))
}

fn copy_rows(db: &Connection, from: &str, to: &str, key_of: impl Fn(Uuid) -> i64) -> rusqlite::Result<()> {
    let mut copy = db.prepare(&format!("INSERT INTO {to} SELECT ?1, * FROM {from} WHERE id = ?2"))?;
    let mut ids = db.prepare(&format!("SELECT id FROM {from} ORDER BY id"))?;
    let mut rows = ids.query([])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id: [u8; 16] = row.get(0)?;
        let own = key_of(Uuid::from_bytes(id));
        let key = last.map_or(own, |last: i64| own.max(last.saturating_add(1)));
        copy.execute((key, id.as_slice()))?;
        last = Some(key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Step, apply, steps, version};
    use super::*;

    /// Ids as an older gateway may have left them: in order, apart by one in the last bit, on two days.
    fn ids() -> Vec<Uuid> {
        let first = 0x01a2_05a5_0000_7abc_8def_0123_4567_89ab_u128;
        [first, first + 1, first + 2, first + (1 << 70), first + (90_000_000 << 80)].map(Uuid::from_u128).to_vec()
    }

    #[test]
    fn a_file_of_version_1_keeps_every_row() {
        let mut db = Connection::open_in_memory().unwrap();
        let sql = steps().into_iter().next().filter(|step| matches!(step, Step::Sql(_)));
        apply(&mut db, &sql.into_iter().collect::<Vec<_>>()).unwrap();
        for (n, id) in ids().iter().enumerate() {
            old_message(&db, *id, n);
            db.execute(
                "INSERT INTO delivery VALUES (?1, 'hook', ?2, 'shop', ?1, NULL, 'message.sent', 5, 0, 0, NULL, '{}')",
                (id.as_bytes().as_slice(), n as i64),
            )
            .unwrap();
        }
        apply(&mut db, &steps()[..2]).unwrap();
        assert_eq!(version(&db, 2).unwrap(), 2);
        for (n, id) in ids().iter().enumerate() {
            let table = days::table(MessageId(*id).made_at().day());
            let own = key::of_message(MessageId(*id));
            let find = format!("SELECT recipient FROM {table} WHERE key >= ?1 AND key < ?2 AND id = ?3");
            let bounds = (own, own + key::PLACES, id.as_bytes().as_slice());
            let recipient: String = db.query_row(&find, bounds, |row| row.get(0)).unwrap();
            assert_eq!(recipient, format!("+44{n}"));
            let own = key::of_delivery(DeliveryId(*id));
            let find = "SELECT due FROM delivery WHERE key >= ?1 AND key < ?2 AND id = ?3";
            let bounds = (own, own + key::PLACES, id.as_bytes().as_slice());
            assert_eq!(db.query_row(find, bounds, |row| row.get::<_, i64>(0)).unwrap(), n as i64);
        }
        let seen: i64 = db.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
        assert_eq!(seen, ids().len() as i64);
        assert_eq!(days::retired(&db).unwrap(), Vec::<String>::new());
    }

    fn old_message(db: &Connection, id: Uuid, n: usize) {
        let day = MessageId(id).made_at().day();
        let table = days::table(day);
        if db.execute("INSERT OR IGNORE INTO day(day) VALUES (?1)", [day]).unwrap() > 0 {
            db.execute_batch(&format!(
                "CREATE TABLE {table}(id BLOB PRIMARY KEY NOT NULL, slot INTEGER NOT NULL, {}, status INTEGER NOT NULL,
                    connector TEXT, due INTEGER, submitted_at INTEGER, final_at INTEGER, attempts INTEGER NOT NULL,
                    reason TEXT, parts TEXT NOT NULL, queue_connector TEXT, queue_shard INTEGER, queue_due INTEGER,
                    events TEXT NOT NULL) WITHOUT ROWID;
                CREATE INDEX {table}_recipient ON {table}(slot, recipient);
                CREATE INDEX {table}_account ON {table}(account);
                CREATE INDEX {table}_client_ref ON {table}(slot, client_ref) WHERE client_ref IS NOT NULL;
                CREATE INDEX {table}_batch ON {table}(batch) WHERE batch IS NOT NULL;",
                days::BODY_COLUMNS_DDL
            ))
            .unwrap();
        }
        db.execute(
            &format!(
                "INSERT INTO {table} VALUES (?1, 0, 'shop', 0, ?2, 'me', 'hi', 0, 1, 1, 7, 5, NULL, 9, NULL, NULL, NULL,
                    NULL, 1, 'a', NULL, NULL, NULL, 0, NULL, '[]', NULL, NULL, NULL, '[]')"
            ),
            (id.as_bytes().as_slice(), format!("+44{n}")),
        )
        .unwrap();
    }
}
