//! What was committed is there after `kill -9`.
//!
//! The test starts its own binary again as a child that commits messages and writes each id to its
//! standard output once its commit has returned. It kills the child at a random place and looks.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use model::MessageId;
use store::conformance::samples::insert_queued;
use store::conformance::{Samples, TestClock};
use store::{MessageFilter, Store};
use store_sqlite::{Options, SqliteStore};

const FILE: &str = "STORE_SQLITE_CRASH_TEST_FILE";
const MESSAGES_A_COMMIT: usize = 3;
const ROUNDS: u64 = 6;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap()
}

/// The child. Without its variable, in an ordinary run, there is nothing for it to do.
#[tokio::test]
async fn child_that_commits_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let store = open(Path::new(&path));
    let clock = TestClock::default();
    let samples = Samples::new(clock.clone());
    // Each child starts where none before it has been.
    let (newest, _) = store.search(&MessageFilter::default(), None, 1).await.unwrap();
    let newest = newest.first().map_or(0, |m| m.body.id.made_at().millis_since(clock.now()));
    clock.advance(newest + 1000);
    loop {
        let messages: Vec<_> = (0..MESSAGES_A_COMMIT).map(|_| samples.message()).collect();
        store.commit(insert_queued(&messages)).await.unwrap();
        let mut out = std::io::stdout().lock();
        for message in &messages {
            writeln!(out, "id {}", message.body.id).unwrap();
        }
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn every_message_whose_commit_returned_is_there_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postrider.db");
    let mut promised: BTreeSet<MessageId> = BTreeSet::new();
    for round in 0..ROUNDS {
        let enough = promised.len() + 1 + (RandomState::new().hash_one(round) % 400) as usize;
        promised.extend(run_and_kill(&path, enough - promised.len()));
        let store = open(&path);
        let all = everything(&store).await;
        let lost: Vec<_> = promised.difference(&all).collect();
        assert!(lost.is_empty(), "round {round}: {} of {} are lost: {lost:?}", lost.len(), promised.len());
        assert!(promised.len() >= enough, "the child did not get that far");
        assert_eq!(all.len() % MESSAGES_A_COMMIT, 0, "half a commit was found");
        // Each message came with its place in the queue and its deadline, or not at all.
        assert_eq!(store.queue_depths().await.unwrap(), [("carrier-a".into(), all.len() as u64)]);
        let far = store.now().plus_seconds(1 << 40);
        assert_eq!(store.overdue(far, usize::MAX).await.unwrap().len(), all.len());
    }
}

/// Runs the child until it has promised `enough` ids, kills it, and returns all that it promised.
fn run_and_kill(path: &Path, enough: usize) -> Vec<MessageId> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ids = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // A line that was cut short by the end was not promised.
        if let Some(id) = line.strip_prefix("id ").filter(|id| id.len() == 36) {
            ids.push(id.parse().unwrap());
        }
        if ids.len() == enough {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it was killed");
    ids
}

async fn everything(store: &SqliteStore) -> BTreeSet<MessageId> {
    let (mut all, mut before) = (BTreeSet::new(), None);
    loop {
        let (page, go_on) = store.search(&MessageFilter::default(), before, 1000).await.unwrap();
        all.extend(page.iter().map(|m| m.body.id));
        match go_on {
            Some(next) => before = Some(next),
            None => return all,
        }
    }
}
