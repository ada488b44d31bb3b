//! What goes wrong under a store, and that it gets over it.

use std::path::PathBuf;

use model::Message;
use rusqlite::Connection;
use store::conformance::samples::{change_body, insert};
use store::conformance::{Samples, TestClock};
use store::{CommitError, MessageFilter, Store, StoreError};

use super::*;
use crate::error::Failure;

struct Fixture {
    store: SqliteStore,
    samples: Samples,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postrider.db");
    let store = SqliteStore::open(&path, Options::default()).unwrap();
    Fixture { store, samples: Samples::new(TestClock::default()), path, _directory: directory }
}

impl Fixture {
    async fn writer(&self, sql: &'static str) {
        // Some pragmas have no effect inside the writer's transaction; these have.
        self.store.writer.run(move |desk| Ok(desk.db.prepare(sql)?.raw_query().next().map(|_| ())?)).await.unwrap();
    }

    async fn there(&self, message: &Message) -> bool {
        !self.store.messages(&[message.body.id]).await.unwrap().is_empty()
    }

    fn outside(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }
}

#[tokio::test]
async fn a_full_disk_stops_commits_until_there_is_room() {
    let f = fixture();
    let first = f.samples.message();
    f.store.commit(insert(&first)).await.unwrap();
    f.writer("PRAGMA max_page_count = 1").await; // SQLite makes that the number of pages in use.
    let mut big = f.samples.message();
    change_body(&mut big, |b| b.content = model::Content::Text("x".repeat(100_000).into()));
    let small = f.samples.message();
    for _ in 0..3 {
        let refused = f.store.commit(insert(&big)).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
        assert!(f.there(&first).await && !f.there(&big).await);
    }
    assert_eq!(f.store.overdue(big.body.expires_at, 9).await.unwrap(), [first.body.id]);
    // What still finds room is taken, and when there is room again, everything is.
    f.store.commit(insert(&small)).await.unwrap();
    f.writer("PRAGMA max_page_count = 1000000").await;
    f.store.commit(insert(&big)).await.unwrap();
    assert!(f.there(&big).await && f.there(&small).await);
}

#[tokio::test]
async fn a_file_that_becomes_read_only_stops_a_commit_half_way_and_leaves_nothing_of_it() {
    let f = fixture();
    let messages = [f.samples.message(), f.samples.message()];
    let halves = messages.clone().map(|m| insert(&m));
    let refused = f.store.writer.run(move |desk| {
        write::commit(desk, &halves[0], f.samples.id().made_at())?.expect("nothing stops it");
        desk.db.pragma_update(None, "query_only", true)?;
        let refused = write::commit(desk, &halves[1], f.samples.id().made_at());
        desk.db.pragma_update(None, "query_only", false)?;
        refused
    });
    let refused = refused.await;
    assert_eq!(refused, Err(StoreError::Unavailable("attempt to write a readonly database".into())));
    for message in &messages {
        assert_eq!(f.store.messages(&[message.body.id]).await, Ok(vec![]));
        f.store.commit(insert(message)).await.unwrap();
        assert_eq!(f.store.messages(&[message.body.id]).await, Ok(vec![message.clone()]));
    }
}

#[tokio::test]
async fn a_task_that_fails_takes_none_of_its_group_with_it() {
    let f = fixture();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    // Until this one ends, the others gather behind it.
    let first = f.store.writer.run(move |_| {
        let _ = held.lock().unwrap().recv();
        Ok(())
    });
    let messages = [f.samples.message(), f.samples.message()];
    let day = f.samples.id_at(Timestamp::from_millis(0)).made_at().day();
    let failing = f.store.writer.run(move |desk| {
        days::create(desk.db, day)?;
        Err::<(), _>(Failure::Corrupt("on purpose".into()))
    });
    let (one, other) = (f.store.commit(insert(&messages[0])), f.store.commit(insert(&messages[1])));
    // A task may be run again, so this has to let it pass from now on.
    let release = async { drop(hold) };
    let (first, one, failing, other, ()) = tokio::join!(first, one, failing, other, release);
    assert_eq!((first, one, other), (Ok(()), Ok(()), Ok(())));
    assert_eq!(failing, Err(StoreError::Corrupt("on purpose".into())));
    assert!(f.there(&messages[0]).await && f.there(&messages[1]).await);
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'message_19700101'";
    assert_eq!(f.outside().query_row(tables, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn a_damaged_row_is_named() {
    let f = fixture();
    let message = f.samples.message();
    f.store.commit(insert(&message)).await.unwrap();
    let id = message.body.id;
    for (damage, column) in [
        ("parts = '[[\"sent\"]]'", "parts"),
        ("parts = '[[\"queued\",null,null,null]]', events = 7", "events"),
        ("events = '[]', status = 11", "status"),
        ("status = 0, priority = 256", "priority"),
        ("priority = 0, recipient = x'ff'", "recipient"),
        ("recipient = '', batch = x'00'", "batch"),
        ("batch = NULL, tags = '{\"a\":1}'", "tags"),
        ("tags = NULL, extra = '{\"tlvs\":[[1,\"0\"]]}'", "extra"),
    ] {
        f.outside().execute(&format!("UPDATE message_20261122 SET {damage}"), []).unwrap();
        let complaint = format!("table message_20261122, row {id}: column {column} can't be read");
        assert_eq!(f.store.messages(&[id]).await, Err(StoreError::Corrupt(complaint.clone())));
        let found = f.store.search(&MessageFilter::default(), None, 9).await;
        assert_eq!(found, Err(StoreError::Corrupt(complaint)));
    }
    f.outside().execute("UPDATE message_20261122 SET extra = NULL", []).unwrap();
    assert!(f.there(&message).await);
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for() {
    let f = fixture();
    let other = f.outside();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO lease VALUES ('cli', 'cli', 1, 1)").unwrap();
    let message = f.samples.message();
    let changes = insert(&message);
    let release = async { other.execute_batch("COMMIT").unwrap() };
    let (committed, ()) = tokio::join!(f.store.commit(changes), release);
    committed.unwrap();
    assert!(f.there(&message).await);
}

#[tokio::test]
async fn two_stores_on_one_file_see_each_other() {
    let f = fixture();
    let tool = SqliteStore::open(&f.path, Options::default()).unwrap();
    let messages = [f.samples.message(), f.samples.message()];
    f.store.commit(insert(&messages[0])).await.unwrap();
    assert_eq!(tool.messages(&[messages[0].body.id]).await.unwrap(), messages[..1]);
    tool.commit(insert(&messages[1])).await.unwrap();
    assert!(f.there(&messages[1]).await);
    assert_eq!(tool.change_resources(vec![], Some(0)).await.unwrap(), Some(0));
    drop(tool);
    assert!(f.there(&messages[0]).await);
}

#[tokio::test]
async fn what_an_interrupted_retention_left_is_cleared_by_the_next() {
    let f = fixture();
    f.outside().execute_batch("CREATE TABLE gone_message_20200101(key INTEGER PRIMARY KEY, id BLOB)").unwrap();
    f.outside().execute("INSERT INTO gone_message_20200101 VALUES (1, x'00')", []).unwrap();
    assert_eq!(f.store.forget_messages(f.store.now()).await.unwrap(), 0);
    let left = "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'gone*'";
    assert_eq!(f.outside().query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn people_read_words_in_the_view() {
    let f = fixture();
    f.store.commit(insert(&f.samples.message())).await.unwrap();
    f.store.commit(insert(&f.samples.message_at(Timestamp::from_millis(0)))).await.unwrap();
    let db = f.outside();
    let words = db.query_row(
        "SELECT count(*), min(status), min(direction), min(recipient), min(created) FROM message WHERE status = 'queued'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    );
    let wanted: (i64, String, String, String, String) =
        (2, "queued".into(), "mt".into(), "+447700900123".into(), "1970-01-01 00:00:00".into());
    assert_eq!(words.unwrap(), wanted);
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn files_that_are_none_of_ours_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text.db");
    std::fs::write(&path, "not a database, but longer than the header of one would be".repeat(20)).unwrap();
    assert!(matches!(SqliteStore::open(&path, Options::default()), Err(OpenError::Sqlite(_))));
    let nowhere = directory.path().join("no/such/directory.db");
    assert!(matches!(SqliteStore::open(&nowhere, Options::default()), Err(OpenError::Sqlite(_))));
    let f = fixture();
    f.outside().pragma_update(None, "user_version", 99).unwrap();
    let newer = SqliteStore::open(&f.path, Options::default());
    assert!(matches!(newer, Err(OpenError::Newer { found: 99, .. })), "{newer:?}");
}
