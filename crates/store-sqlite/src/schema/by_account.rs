//! The queue gets the account into its key, before the due time, so that each account's messages are
//! read on by themselves.

use model::MessageId;
use rusqlite::{OptionalExtension, Statement, Transaction};
use uuid::Uuid;

use crate::{days, key};

/// Writes the queue anew, with the accounts that the messages' rows name. An entry without a message
/// was never sent and is left out.
pub(super) fn migrate(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute_batch(
        "ALTER TABLE queue RENAME TO old_queue;
        CREATE TABLE queue(
            connector TEXT NOT NULL, shard INTEGER NOT NULL, priority INTEGER NOT NULL, account TEXT NOT NULL,
            due INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY(connector, shard, priority, account, due, id)
        ) WITHOUT ROWID;",
    )?;
    move_entries(db)?;
    db.execute_batch("DROP TABLE old_queue")
}

fn move_entries(db: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut days: Vec<(i64, Statement<'_>)> = Vec::new();
    for day in days::all(db)? {
        let find = format!("SELECT account FROM {} WHERE key >= ?1 AND key < ?2 AND id = ?3", days::table(day));
        days.push((day, db.prepare(&find)?));
    }
    let mut put = db.prepare("INSERT INTO queue VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut old = db.prepare("SELECT connector, shard, priority, due, id FROM old_queue")?;
    let mut rows = old.query([])?;
    while let Some(row) = rows.next()? {
        let (connector, octets) = (row.get_ref(0)?, row.get::<_, [u8; 16]>(4)?);
        let id = MessageId(Uuid::from_bytes(octets));
        let day = days.iter_mut().find(|(day, _)| *day == id.made_at().day());
        let Some((_, find)) = day else { continue };
        let key = key::of_message(id);
        let bounds = (key, key.saturating_add(key::PLACES), octets.as_slice());
        let account: Option<String> = find.query_row(bounds, |row| row.get(0)).optional()?;
        if let Some(account) = account {
            let (shard, priority, due): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            put.execute((connector.as_str()?, shard, priority, account, due, octets.as_slice()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::{apply, steps};
    use super::*;

    type Entry = (String, i64, i64, String, i64, [u8; 16]);

    /// How many steps there were before this one.
    const BEFORE: usize = 9;

    fn message(db: &Connection, id: MessageId, account: &str) {
        let day = id.made_at().day();
        if !days::all(db).unwrap().contains(&day) {
            days::create(db, day).unwrap();
        }
        let insert = format!(
            "INSERT INTO {}(key, id, slot, account, direction, recipient, sender, content, encoding, priority, receipt,
                reference, created_at, expires_at, status, attempts, parts, events)
            VALUES (?1, ?2, 0, ?3, 0, '+44', 'me', 'hi', 0, 1, 1, 7, 5, 9, 1, 0, '[]', '[]')",
            days::table(day)
        );
        // The first of those that want one key lies under it, the others behind it.
        let mut key = key::of_message(id);
        while db.execute(&insert, (key, id.as_bytes().as_slice(), account)).is_err() {
            key += 1;
        }
    }

    #[test]
    fn every_entry_gets_the_account_of_its_message() {
        let mut db = Connection::open_in_memory().unwrap();
        apply(&mut db, &steps()[..BEFORE]).unwrap();
        let first = 0x01a2_05a5_0000_7abc_8def_0123_4567_89ab_u128;
        let ids =
            [first, first + 1, first + (1 << 70), first + (90_000_000 << 80)].map(|n| MessageId(Uuid::from_u128(n)));
        let mut wanted: Vec<Entry> = Vec::new();
        for (n, id) in ids.iter().enumerate() {
            let account = ["shop", "bank"][n % 2];
            message(&db, *id, account);
            let place = ("a".to_owned(), 0, n as i64 % 4, account.to_owned(), 1000 - n as i64, *id.as_bytes());
            db.execute(
                "INSERT INTO queue VALUES (?1, ?2, ?3, ?4, ?5)",
                (&place.0, place.1, place.2, place.4, id.as_bytes().as_slice()),
            )
            .unwrap();
            wanted.push(place);
        }
        let gone = [[7_u8; 16], *MessageId(Uuid::from_u128(first + (1 << 71))).as_bytes()];
        for id in gone {
            db.execute("INSERT INTO queue VALUES ('a', 0, 1, 5, ?1)", [id.as_slice()]).unwrap();
        }
        apply(&mut db, &steps()[..=BEFORE]).unwrap();
        let mut statement = db.prepare("SELECT * FROM queue").unwrap();
        let entry = |row: &rusqlite::Row<'_>| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        };
        let found: Vec<Entry> = statement.query_map([], entry).unwrap().map(Result::unwrap).collect();
        wanted.sort();
        assert_eq!(found, wanted);
    }
}
