//! The store in memory passes the suite.

use std::sync::Arc;

use model::Timestamp;
use store::conformance::{Fixture, START, Samples, TestClock, samples};
use store::{CommitError, MemoryStore, Store, StoreError};

async fn make(clock: TestClock) -> Fixture {
    Fixture::new(Arc::new(MemoryStore::new(move || clock.now())), ())
}

store::conformance_suite!(make);

#[tokio::test]
async fn a_store_that_is_told_to_fail_writes_nothing_until_it_is_told_otherwise() {
    let store = MemoryStore::new(|| START);
    let message = Samples::new(TestClock::default()).message();
    let full = StoreError::Unavailable("disk full".into());
    store.fail_with(Some(full.clone()));
    let refused = store.commit(samples::insert(&message)).await;
    assert_eq!(refused, Err(CommitError::Store(full)));
    assert_eq!(store.messages(&[message.body.id]).await.unwrap(), []);
    store.fail_with(None);
    store.commit(samples::insert(&message)).await.unwrap();
    assert_eq!(store.messages(&[message.body.id]).await.unwrap(), [message]);
    assert_eq!(store.now(), Timestamp::from_millis(START.as_millis()));
}
