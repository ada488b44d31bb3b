//! Days: one table of messages for each UTC day that has any.

use rusqlite::Connection;
use store::encoding;

use crate::key;

/// Milliseconds of a day.
pub(crate) const DAY_MILLIS: i64 = 86_400_000;
/// Slots are counted in units of 2^7 ms, an eighth of a second.
const UNIT_BITS: u32 = 7;
/// Rows after which a new slot begins.
const SLOT_ROWS: u32 = 2048;

/// The unit of its day that a time falls into.
pub(crate) fn unit_of(millis: i64) -> i64 {
    millis.rem_euclid(DAY_MILLIS) >> UNIT_BITS
}

/// When a unit of a day begins.
pub(crate) fn unit_start(day: i64, unit: i64) -> i64 {
    day * DAY_MILLIS + (unit << UNIT_BITS)
}

/// Slots cut a day into stretches of about [`SLOT_ROWS`] rows. A slot's number is the unit that it
/// begins with; it ends where the next one begins, so rows of a higher slot are always newer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    /// The slot that is being filled.
    current: i64,
    /// The newest unit that has a row.
    newest: i64,
    rows: u32,
}

impl Slots {
    /// The slots of a day's table as it stands.
    pub fn load(db: &Connection, day: i64) -> rusqlite::Result<Self> {
        let table = table(day);
        let current: Option<i64> =
            db.query_row(&format!("SELECT max(slot) FROM {table} INDEXED BY {table}_recipient"), [], |row| row.get(0))?;
        let last: Option<i64> = db.query_row(&format!("SELECT max(key) FROM {table}"), [], |row| row.get(0))?;
        let newest = last.map_or(-1, |key| unit_of(key::millis_of(key)));
        // How full the current one is matters little: it may become twice as long once.
        Ok(Self { current: current.unwrap_or(0), newest, rows: 0 })
    }

    /// The slot for a row of `unit`; `None` for one that comes late, whose slot must be looked up:
    /// it is the highest that is not after its unit, or else 0.
    pub fn take(&mut self, unit: i64) -> Option<i64> {
        if unit < self.current {
            return None;
        }
        if self.rows >= SLOT_ROWS && unit > self.newest {
            (self.current, self.rows) = (unit, 0);
        }
        self.newest = self.newest.max(unit);
        self.rows += 1;
        Some(self.current)
    }
}

/// The name of a day's table: `message_20261122`.
pub(crate) fn table(day: i64) -> String {
    format!("message_{}", encoding::date(day))
}

/// What makes a day's table and its indexes. Messages lie by their keys (see `key.rs`).
///
/// `slot` begins the index by recipient: new rows then touch only the few pages of the newest
/// slot, however many millions of recipients the day has, and a search for one recipient is one
/// seek a slot. The same goes for `client_ref`. Compare [`Slots`].
pub(crate) fn ddl(day: i64) -> String {
    let table = table(day);
    format!(
        "CREATE TABLE {table}(
            key INTEGER PRIMARY KEY, id BLOB NOT NULL, slot INTEGER NOT NULL, {},
            status INTEGER NOT NULL, connector TEXT, due INTEGER, submitted_at INTEGER, final_at INTEGER,
            attempts INTEGER NOT NULL, reason TEXT, parts TEXT NOT NULL,
            queue_connector TEXT, queue_shard INTEGER, queue_due INTEGER, events TEXT NOT NULL
        );
        CREATE INDEX {table}_recipient ON {table}(slot, recipient);
        CREATE INDEX {table}_account ON {table}(account);
        CREATE INDEX {table}_client_ref ON {table}(slot, client_ref) WHERE client_ref IS NOT NULL;
        CREATE INDEX {table}_batch ON {table}(batch) WHERE batch IS NOT NULL;",
        BODY_COLUMNS_DDL
    )
}

/// The columns of a body, as messages and MO parts have them.
pub(crate) const BODY_COLUMNS_DDL: &str = "account TEXT NOT NULL, direction INTEGER NOT NULL, recipient TEXT NOT NULL,
    sender TEXT NOT NULL, content BLOB NOT NULL, encoding INTEGER NOT NULL, priority INTEGER NOT NULL,
    receipt INTEGER NOT NULL, reference INTEGER NOT NULL, created_at INTEGER NOT NULL, send_at INTEGER,
    expires_at INTEGER NOT NULL, client_ref TEXT, batch BLOB, tags TEXT, extra TEXT";

/// Every day that has a table, newest first.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut statement = db.prepare_cached("SELECT day FROM day ORDER BY day DESC")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Makes a day's table. The view over all days is made anew with it.
pub(crate) fn create(db: &Connection, day: i64) -> rusqlite::Result<()> {
    db.execute("INSERT INTO day(day) VALUES (?1)", [day])?;
    db.execute_batch(&ddl(day))?;
    make_view(db)
}

/// Takes a day out of sight at once: its table gets another name, to be emptied bit by bit.
pub(crate) fn retire(db: &Connection, day: i64) -> rusqlite::Result<()> {
    let table = table(day);
    db.execute_batch("DROP VIEW IF EXISTS message")?;
    db.execute("DELETE FROM day WHERE day = ?1", [day])?;
    db.execute_batch(&format!(
        "DROP INDEX {table}_recipient; DROP INDEX {table}_account; DROP INDEX {table}_client_ref;
         DROP INDEX {table}_batch; ALTER TABLE {table} RENAME TO gone_{table};"
    ))?;
    make_view(db)
}

/// Tables of days that were retired and are not yet empty.
pub(crate) fn retired(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'gone_message_*'")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Most tables that SQLite joins in one view.
const VIEW_DAYS_MAX: usize = 400;

/// Makes a view for people: all days together, with words for numbers.
pub(crate) fn make_view(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("DROP VIEW IF EXISTS message")?;
    let days = all(db)?;
    if days.is_empty() {
        return Ok(());
    }
    let words = |column: &str, words: &[&str]| {
        let whens: String = words.iter().enumerate().map(|(n, word)| format!(" WHEN {n} THEN '{word}'")).collect();
        format!("CASE {column}{whens} END AS {column}")
    };
    let statuses = model::Status::ALL.map(model::Status::as_str);
    let select = format!(
        "lower(hex(id)) AS id, account, {}, recipient, sender, content, {}, priority, {}, reference,
         datetime(created_at / 1000, 'unixepoch') AS created, {}, connector, attempts, reason, parts, events,
         created_at, send_at, due, expires_at, submitted_at, final_at, client_ref, lower(hex(batch)) AS batch, tags, extra",
        words("direction", &["mt", "mo"]),
        words("encoding", &["gsm7", "ucs2", "latin1", "binary"]),
        words("receipt", &["none", "final", "all", "failure", "success"]),
        words("status", &statuses),
    );
    let days: Vec<String> =
        days.iter().take(VIEW_DAYS_MAX).map(|day| format!("SELECT {select} FROM {}", table(*day))).collect();
    db.execute_batch(&format!("CREATE VIEW message AS {}", days.join(" UNION ALL ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_after_their_day() {
        let of = |text: &str| table(text.parse::<model::Timestamp>().unwrap().day());
        assert_eq!(of("2026-11-22T23:59:59.999Z"), "message_20261122");
        assert_eq!(of("2028-02-29T00:00:00Z"), "message_20280229");
        assert_eq!(of("1970-01-01T00:00:00Z"), "message_19700101");
        assert_eq!(of("9999-12-30T12:00:00Z"), "message_99991230");
    }

    #[test]
    fn every_time_lies_in_its_unit() {
        for millis in [0, 127, 128, 1_795_376_096_007, 1_795_391_999_999] {
            let day = millis / DAY_MILLIS;
            let unit = unit_of(millis);
            assert!(unit_start(day, unit) <= millis && millis < unit_start(day, unit + 1));
        }
    }

    #[test]
    fn a_full_slot_ends_with_its_unit() {
        let mut slots = Slots { current: 5, newest: 9, rows: SLOT_ROWS };
        assert_eq!(slots.take(9), Some(5), "unit 9 has rows in slot 5 already");
        assert_eq!(slots.take(10), Some(10));
        assert_eq!(slots.take(12), Some(10), "there is room");
        assert_eq!(slots.take(9), None, "late: its slot is an earlier one");
    }
}
