//! The store passes the suite, each test on a database of its own.

mod server;

use std::sync::Arc;

use store::MemoryStore;
use store::conformance::{Fixture, TestClock};
use store_postgres::{Options, PostgresStore};

async fn make(clock: TestClock) -> Fixture {
    let Some(server) = server::shared() else {
        // Reported as skipped; the suite needs something to run on.
        return Fixture::new(Arc::new(MemoryStore::new(move || clock.now())), ());
    };
    let target = server.database().parse().unwrap();
    let options = Options { clock: Some(Arc::new(move || clock.now())) };
    Fixture::new(Arc::new(PostgresStore::open(target, options).await.unwrap()), ())
}

store::conformance_suite!(make);
store::fleet_suite!(make);
