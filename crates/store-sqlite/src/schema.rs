//! The tables, and how a file of an older version becomes one of this version.

mod by_account;
mod by_key;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::days::BODY_COLUMNS_DDL;
use crate::error::OpenError;

/// `PRAGMA application_id` of our files: "PRdr".
pub(crate) const APPLICATION_ID: i64 = 0x5052_6472;

/// What brings a file from one version to the next.
enum Step {
    Sql(String),
    Code(fn(&Transaction<'_>) -> rusqlite::Result<()>),
}

/// What brings a file from version `n` to `n + 1`, for each `n`. Never changed once released:
/// a new version appends a step.
fn steps() -> Vec<Step> {
    // How a delivery is handed over: its place in `CallbackStyle::ALL`.
    let style = "ALTER TABLE delivery ADD COLUMN style INTEGER NOT NULL DEFAULT 0";
    // The payload can be made from the message, and is not kept.
    let restorable = "ALTER TABLE delivery ADD COLUMN restorable INTEGER NOT NULL DEFAULT 0";
    vec![
        Step::Sql(tables()),
        Step::Code(by_key::migrate),
        Step::Sql(style.to_owned()),
        Step::Sql(ACCOUNTS.into()),
        Step::Sql(LATEST.into()),
        Step::Sql(BATCH_PHASES.into()),
        Step::Sql(BATCH_ENDS.into()),
        Step::Sql(OPT_OUTS.into()),
        Step::Sql(restorable.to_owned()),
        Step::Code(by_account::migrate),
        Step::Sql(SCHEDULES.into()),
        Step::Sql(OPT_OUT_LISTS.into()),
        Step::Sql(GROUPS.into()),
        Step::Sql(UPLOADS.into()),
    ]
}

/// What is wanted of each batch: its place in `BatchPhase::ALL`.
const BATCH_PHASES: &str = "
    ALTER TABLE batch ADD COLUMN phase INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX batch_phase ON batch(phase) WHERE phase > 0;";

/// When all messages of a batch had ended. Those that there are already are told of no more.
const BATCH_ENDS: &str = "
    ALTER TABLE batch ADD COLUMN finished_at INTEGER;
    UPDATE batch SET finished_at = created_at;
    CREATE INDEX batch_unfinished ON batch(id) WHERE finished_at IS NULL;";

/// Whether all of each batch was handed in, and what its lines come to.
const UPLOADS: &str = "
    ALTER TABLE batch ADD COLUMN complete INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE batch ADD COLUMN digest BLOB;";

/// The message that was put last under each key of an application's.
const LATEST: &str = "
    CREATE TABLE latest(
        account TEXT NOT NULL, key TEXT NOT NULL, recipient TEXT NOT NULL, id BLOB NOT NULL,
        PRIMARY KEY(account, key, recipient)
    ) WITHOUT ROWID;";

/// What accounts have and use.
const ACCOUNTS: &str = "
    CREATE TABLE tally(
        owner TEXT NOT NULL, tally INTEGER NOT NULL, period INTEGER NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY(owner, tally)
    ) WITHOUT ROWID;
    CREATE TABLE ledger(
        account TEXT NOT NULL, id BLOB NOT NULL, at INTEGER NOT NULL, kind INTEGER NOT NULL,
        amount INTEGER NOT NULL, message BLOB, note TEXT, PRIMARY KEY(account, id)
    ) WITHOUT ROWID;";

/// Who wants to hear nothing more; an empty sender is every sender of the account.
const OPT_OUTS: &str = "
    CREATE TABLE opt_out(
        account TEXT NOT NULL, phone TEXT NOT NULL, sender TEXT NOT NULL, id BLOB NOT NULL,
        created_at INTEGER NOT NULL, message BLOB, PRIMARY KEY(account, phone, sender)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX opt_out_id ON opt_out(id);";

/// What is sent again and again. The messages have a table of their own: they are large, and the rest
/// changes with each occurrence.
const SCHEDULES: &str = "
    CREATE TABLE schedule(
        id BLOB PRIMARY KEY NOT NULL, account TEXT NOT NULL, revision INTEGER NOT NULL, due INTEGER,
        ended_at INTEGER, terms TEXT NOT NULL, course TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX schedule_account ON schedule(account);
    CREATE INDEX schedule_due ON schedule(due) WHERE due IS NOT NULL;
    CREATE INDEX schedule_ended ON schedule(ended_at) WHERE ended_at IS NOT NULL;
    CREATE TABLE schedule_messages(id BLOB PRIMARY KEY NOT NULL, messages TEXT NOT NULL) WITHOUT ROWID;";
/// Opt-outs are listed newest first, of an account or of a phone.
const OPT_OUT_LISTS: &str = "
    CREATE INDEX opt_out_account ON opt_out(account, id);
    CREATE INDEX opt_out_phone ON opt_out(phone, id);";
/// Lists of phones, and what is to be done with them because of messages: `action` is a place in
/// `GroupAction::ALL`.
const GROUPS: &str = "
    CREATE TABLE phone_group(
        account TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY(account, name)
    ) WITHOUT ROWID;
    CREATE TABLE group_member(
        account TEXT NOT NULL, name TEXT NOT NULL, phone TEXT NOT NULL, joined_at INTEGER NOT NULL, message BLOB,
        PRIMARY KEY(account, name, phone)
    ) WITHOUT ROWID;
    CREATE TABLE group_task(
        message BLOB PRIMARY KEY NOT NULL, rule TEXT NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL,
        action INTEGER NOT NULL, members_only INTEGER NOT NULL, text TEXT, reply TEXT, reply_limit INTEGER
    ) WITHOUT ROWID;";

/// The tables of version 1.
fn tables() -> String {
    format!(
        "CREATE TABLE day(day INTEGER PRIMARY KEY, texts_forgotten INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE queue(
            connector TEXT NOT NULL, shard INTEGER NOT NULL, priority INTEGER NOT NULL, due INTEGER NOT NULL,
            id BLOB NOT NULL, PRIMARY KEY(connector, shard, priority, due, id)
        ) WITHOUT ROWID;
        CREATE TABLE deadline(at INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY(at, id)) WITHOUT ROWID;
        CREATE TABLE remote_id(
            connector TEXT NOT NULL, id TEXT NOT NULL, message BLOB NOT NULL, part INTEGER NOT NULL,
            expires_at INTEGER NOT NULL, PRIMARY KEY(connector, id)
        ) WITHOUT ROWID;
        CREATE TABLE delivery(
            id BLOB PRIMARY KEY NOT NULL, endpoint TEXT NOT NULL, due INTEGER NOT NULL, account TEXT NOT NULL,
            message BLOB, url TEXT, event TEXT NOT NULL, created_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
            state INTEGER NOT NULL, last_error TEXT, payload TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX delivery_due ON delivery(endpoint, due) WHERE state = 0;
        CREATE INDEX delivery_retrying ON delivery(endpoint) WHERE state = 0 AND attempts > 0;
        CREATE TABLE parked(
            id BLOB PRIMARY KEY NOT NULL, connector TEXT NOT NULL, key TEXT NOT NULL, remote_id TEXT NOT NULL,
            receipt TEXT NOT NULL, phone TEXT NOT NULL, received_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX parked_key ON parked(connector, key);
        CREATE TABLE mo_part(
            part_connector TEXT NOT NULL, addresses TEXT NOT NULL, part_reference INTEGER NOT NULL,
            total INTEGER NOT NULL, sequence INTEGER NOT NULL, part_expires_at INTEGER NOT NULL,
            id BLOB NOT NULL, {BODY_COLUMNS_DDL},
            PRIMARY KEY(part_connector, addresses, part_reference, total, sequence)
        ) WITHOUT ROWID;
        CREATE TABLE idempotency(
            account TEXT NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL, status INTEGER NOT NULL,
            body TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(account, key)
        ) WITHOUT ROWID;
        CREATE TABLE batch(
            id BLOB PRIMARY KEY NOT NULL, account TEXT NOT NULL, accepted INTEGER NOT NULL,
            rejected INTEGER NOT NULL, created_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE resource(
            kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(kind, id)
        ) WITHOUT ROWID;
        CREATE TABLE lease(
            name TEXT PRIMARY KEY NOT NULL, holder TEXT NOT NULL, epoch INTEGER NOT NULL, expires_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE meta(name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO meta VALUES ('resources_version', 0);"
    )
}

/// Makes a new file, brings an older one up to date, refuses a newer or foreign one.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    apply(db, &steps())
}

fn apply(db: &mut Connection, steps: &[Step]) -> Result<(), OpenError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if version(db, known)? == known {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again: another process may have been quicker.
    let found = version(&transaction, known)?;
    for (from, step) in (0i64..).zip(steps) {
        if from >= found {
            match step {
                Step::Sql(sql) => transaction.execute_batch(sql)?,
                Step::Code(change) => change(&transaction)?,
            }
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

/// The version of the file, 0 for one that is empty.
fn version(db: &Connection, known: i64) -> Result<i64, OpenError> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(OpenError::Foreign);
    }
    if found > known || found < 0 {
        return Err(OpenError::Newer { found, known });
    }
    Ok(if tables == 0 { 0 } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The version that this program makes.
    const KNOWN: i64 = 14;

    #[test]
    fn a_file_of_each_older_version_gets_all_that_it_lacks() {
        let tables = |db: &Connection| -> Vec<String> {
            let mut statement = db.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let mut new = Connection::open_in_memory().unwrap();
        migrate(&mut new).unwrap();
        for older in 1..steps().len() {
            let mut db = Connection::open_in_memory().unwrap();
            apply(&mut db, &steps()[..older]).unwrap();
            migrate(&mut db).unwrap();
            assert_eq!(tables(&db), tables(&new), "from version {older}");
        }
    }

    #[test]
    fn an_empty_file_and_one_of_this_version_are_taken() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        migrate(&mut db).unwrap();
        assert_eq!(version(&db, KNOWN).unwrap(), KNOWN);
    }

    #[test]
    fn an_older_file_gets_the_steps_that_it_lacks() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        db.execute("INSERT INTO lease VALUES ('bind:a:0', 'node', 7, 9)", []).unwrap();
        let mut steps = steps();
        steps.push(Step::Sql("ALTER TABLE lease ADD COLUMN note TEXT NOT NULL DEFAULT 'new'".into()));
        apply(&mut db, &steps).unwrap();
        let row =
            db.query_row("SELECT epoch, note FROM lease", [], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)));
        assert_eq!(row.unwrap(), (7, "new".into()));
        // The program before that step must not touch the file any more.
        assert!(matches!(migrate(&mut db), Err(OpenError::Newer { found, known: KNOWN }) if found == KNOWN + 1));
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        let mut steps = steps();
        steps.push(Step::Sql("CREATE TABLE more(id); CREATE TABLE lease(id)".into()));
        apply(&mut db, &steps).unwrap_err();
        assert_eq!(version(&db, KNOWN).unwrap(), KNOWN);
        db.query_row("SELECT id FROM more", [], |_| Ok(())).unwrap_err();
    }

    #[test]
    fn the_file_of_another_program_is_left_alone() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE theirs(id)").unwrap();
        assert!(matches!(migrate(&mut db), Err(OpenError::Foreign)));
    }
}
