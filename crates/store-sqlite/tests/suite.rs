//! The store passes the suite.

use std::sync::Arc;

use store::conformance::{Fixture, TestClock};
use store_sqlite::{Options, SqliteStore};

async fn make(clock: TestClock) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { clock: Arc::new(move || clock.now()), ..Options::default() };
    let store = SqliteStore::open(&directory.path().join("postrider.db"), options).unwrap();
    Fixture::new(Arc::new(store), directory)
}

store::conformance_suite!(make);
