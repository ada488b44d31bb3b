//! The writer's statements, each prepared once.

use foldhash::{HashMap, HashMapExt};
use rusqlite::{Connection, OptionalExtension, Statement};

use crate::days::{self, Slots};
use crate::error::Failure;

/// Statements by what they do. Prepared when first used, so that a file that can't be used for now
/// still opens.
pub(crate) struct Statements<'c> {
    db: &'c Connection,
    kept: Vec<Option<Statement<'c>>>,
    days: HashMap<i64, DayStatements<'c>>,
}

/// The statements on one day's table.
pub(crate) struct DayStatements<'c> {
    pub insert: Statement<'c>,
    pub update: Statement<'c>,
    pub update_and_place: Statement<'c>,
    pub place: Statement<'c>,
    /// Is the row under a key the one of an id? No row if nothing lies there.
    pub is_under: Statement<'c>,
    /// The slot of a row that comes late.
    pub slot_of: Statement<'c>,
    pub slots: Slots,
    /// The day is marked as one that holds no texts.
    pub texts_forgotten: bool,
}

/// Days whose statements are kept: today's and the few that late receipts are for.
const DAYS_KEPT: usize = 8;

macro_rules! statements {
    ($($name:ident: $sql:expr,)*) => {
        #[derive(Clone, Copy)]
        pub(crate) enum Sql { $($name,)* }

        const TEXTS: &[&str] = &[$($sql,)*];
    };
}

statements! {
    Begin: "BEGIN IMMEDIATE",
    Commit: "COMMIT",
    Day: "SELECT texts_forgotten FROM day WHERE day = ?1",
    TextsAgain: "UPDATE day SET texts_forgotten = 0 WHERE day = ?1",
    Epoch: "SELECT epoch FROM lease WHERE name = ?1",
    AnswerExpiry: "SELECT expires_at FROM idempotency WHERE account = ?1 AND key = ?2",
    PutAnswer: "INSERT OR REPLACE INTO idempotency(account, key, fingerprint, status, body, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    ScheduleRevision: "SELECT revision FROM schedule WHERE id = ?1",
    PutSchedule: "INSERT OR REPLACE INTO schedule(id, account, revision, due, ended_at, terms, course)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    PutScheduleMessages: "INSERT OR REPLACE INTO schedule_messages(id, messages) VALUES (?1, ?2)",
    DropSchedule: "DELETE FROM schedule WHERE id = ?1",
    DropScheduleMessages: "DELETE FROM schedule_messages WHERE id = ?1",
    PutBatch: "INSERT INTO batch(id, account, accepted, rejected, created_at, phase, finished_at, complete, digest)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(id) DO UPDATE SET accepted = excluded.accepted,
        rejected = excluded.rejected, finished_at = NULL, complete = excluded.complete, digest = excluded.digest
        WHERE excluded.accepted + excluded.rejected >= accepted + rejected",
    PutPhase: "UPDATE batch SET phase = ?2 WHERE id = ?1",
    FinishBatch: "UPDATE batch SET finished_at = ?2 WHERE id = ?1 AND finished_at IS NULL",
    Enqueue: "INSERT OR IGNORE INTO queue(connector, shard, priority, account, due, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    Dequeue: "DELETE FROM queue WHERE connector = ?1 AND shard = ?2 AND priority = ?3 AND account = ?4 AND due = ?5
        AND id = ?6",
    PutDeadline: "INSERT OR IGNORE INTO deadline(at, id) VALUES (?1, ?2)",
    DropDeadline: "DELETE FROM deadline WHERE at = ?1 AND id = ?2",
    PutLatest: "INSERT OR REPLACE INTO latest(account, key, recipient, id) VALUES (?1, ?2, ?3, ?4)",
    DropLatest: "DELETE FROM latest WHERE account = ?1 AND key = ?2 AND recipient = ?3 AND id = ?4",
    PutRemoteId: "INSERT OR REPLACE INTO remote_id(connector, id, message, part, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    DropRemoteId: "DELETE FROM remote_id WHERE connector = ?1 AND id = ?2",
    PutDelivery: "INSERT OR IGNORE INTO delivery(id, endpoint, due, account, message, url, event, created_at,
        attempts, state, last_error, payload, key, style, restorable)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    DropDelivery: "DELETE FROM delivery WHERE key = ?1 AND id = ?2 AND due = ?3 AND endpoint = ?4",
    ReplaceDelivery: "DELETE FROM delivery WHERE key = ?1 AND id = ?2",
    PutParked: "INSERT OR REPLACE INTO parked(id, connector, key, remote_id, receipt, phone, received_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    DropParked: "DELETE FROM parked WHERE id = ?1",
    PutMoPart: "INSERT OR REPLACE INTO mo_part(id, account, direction, recipient, sender, content, encoding, priority,
        receipt, reference, created_at, send_at, expires_at, client_ref, batch, tags, extra,
        part_connector, addresses, part_reference, total, sequence, part_expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    Tally: "SELECT period, value FROM tally WHERE owner = ?1 AND tally = ?2",
    PutTally: "INSERT OR REPLACE INTO tally(owner, tally, period, value) VALUES (?1, ?2, ?3, ?4)",
    HasEntry: "SELECT 1 FROM ledger WHERE account = ?1 AND id = ?2",
    PutEntry: "INSERT INTO ledger(account, id, at, kind, amount, message, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    PutOptOut: "INSERT OR IGNORE INTO opt_out(account, phone, sender, id, created_at, message)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    DropOptOut: "DELETE FROM opt_out WHERE account = ?1 AND phone = ?2 AND sender = ?3",
    MakeGroup: "INSERT OR IGNORE INTO phone_group(account, name, created_at) VALUES (?1, ?2, ?3)",
    DropGroup: "DELETE FROM phone_group WHERE account = ?1 AND name = ?2",
    DropMembers: "DELETE FROM group_member WHERE account = ?1 AND name = ?2",
    PutMember: "INSERT OR IGNORE INTO group_member(account, name, phone, joined_at, message)
        SELECT account, name, ?3, ?4, ?5 FROM phone_group WHERE account = ?1 AND name = ?2",
    DropMember: "DELETE FROM group_member WHERE account = ?1 AND name = ?2 AND phone = ?3",
    PutGroupTask: "INSERT OR REPLACE INTO group_task(message, rule, account, name, action, members_only, text, reply,
        reply_limit) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    DropGroupTask: "DELETE FROM group_task WHERE message = ?1",
    DropMoPart: "DELETE FROM mo_part WHERE part_connector = ?1 AND addresses = ?2 AND part_reference = ?3 AND total = ?4
        AND sequence = ?5",
}

impl<'c> Statements<'c> {
    pub fn new(db: &'c Connection) -> Self {
        Self { db, kept: TEXTS.iter().map(|_| None).collect(), days: HashMap::new() }
    }

    /// The statement for `sql`.
    pub fn get(&mut self, sql: Sql) -> rusqlite::Result<&mut Statement<'c>> {
        let place = &mut self.kept[sql as usize];
        if place.is_none() {
            *place = Some(self.db.prepare(TEXTS[sql as usize])?);
        }
        Ok(place.as_mut().expect("it was put there just now"))
    }

    pub fn begin(&mut self) -> Result<(), Failure> {
        self.get(Sql::Begin)?.raw_execute()?;
        Ok(())
    }

    pub fn end(&mut self) -> Result<(), Failure> {
        self.get(Sql::Commit)?.raw_execute()?;
        Ok(())
    }

    /// The statements of a day that has a table; `None` for one that has not.
    pub fn day(&mut self, day: i64) -> rusqlite::Result<Option<&mut DayStatements<'c>>> {
        if !self.days.contains_key(&day) {
            let texts_forgotten = self.get(Sql::Day)?.query_row([day], |row| row.get(0)).optional()?;
            let Some(texts_forgotten) = texts_forgotten else { return Ok(None) };
            self.make_room();
            let statements = DayStatements::new(self.db, day, texts_forgotten)?;
            self.days.insert(day, statements);
        }
        Ok(self.days.get_mut(&day))
    }

    /// The statements of a day whose table is made if there is none.
    pub fn day_or_new(&mut self, day: i64) -> rusqlite::Result<&mut DayStatements<'c>> {
        if self.day(day)?.is_none() {
            days::create(self.db, day)?;
        }
        self.day(day)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Forgets the statements of all days: their tables may have gone.
    pub fn forget_days(&mut self) {
        self.days.clear();
    }

    fn make_room(&mut self) {
        if self.days.len() >= DAYS_KEPT
            && let Some(oldest) = self.days.keys().min().copied()
        {
            self.days.remove(&oldest);
        }
    }
}

impl<'c> DayStatements<'c> {
    fn new(db: &'c Connection, day: i64, texts_forgotten: bool) -> rusqlite::Result<Self> {
        let table = days::table(day);
        let progress = "status = ?2, connector = ?3, due = ?4, submitted_at = ?5, final_at = ?6, attempts = ?7,
            reason = ?8, parts = ?9, events = ?10";
        Ok(Self {
            texts_forgotten,
            slots: Slots::load(db, day)?,
            slot_of: db.prepare(&format!(
                "SELECT coalesce(max(slot), 0) FROM {table} INDEXED BY {table}_recipient WHERE slot <= ?1"
            ))?,
            insert: db.prepare(&format!(
                "INSERT OR IGNORE INTO {table}(id, account, direction, recipient, sender, content, encoding, priority,
                    receipt, reference, created_at, send_at, expires_at, client_ref, batch, tags, extra, slot,
                    status, connector, due, submitted_at, final_at, attempts, reason, parts, events,
                    queue_connector, queue_shard, queue_due, key)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                    ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)"
            ))?,
            update: db.prepare(&format!("UPDATE {table} SET {progress} WHERE key = ?11 AND id = ?1"))?,
            update_and_place: db.prepare(&format!(
                "UPDATE {table} SET {progress}, queue_connector = ?12, queue_shard = ?13, queue_due = ?14
                    WHERE key = ?11 AND id = ?1"
            ))?,
            place: db.prepare(&format!(
                "UPDATE {table} SET queue_connector = ?3, queue_shard = ?4, queue_due = ?5 WHERE key = ?2 AND id = ?1"
            ))?,
            is_under: db.prepare(&format!("SELECT id = ?2 FROM {table} WHERE key = ?1"))?,
        })
    }
}
