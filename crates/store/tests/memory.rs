//! The store in memory passes the suite.

use std::sync::Arc;
use std::task::{Context, Waker};

use model::Timestamp;
use store::conformance::{Fixture, START, Samples, TestClock, samples};
use store::{CommitError, Fleet, MemoryStore, Store, StoreError};

async fn make(clock: TestClock) -> Fixture {
    Fixture::new(Arc::new(MemoryStore::new(move || clock.now())), ())
}

store::conformance_suite!(make);
store::fleet_suite!(make);

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

#[tokio::test]
async fn a_store_that_is_told_to_fail_is_away_for_nodes_too() {
    let store = MemoryStore::new(|| START);
    let node = store.keep("a", "process", 1000, "{}").await.unwrap().unwrap();
    let away = StoreError::Unavailable("away".into());
    store.fail_with(Some(away.clone()));
    assert_eq!(store.keep("b", "process", 1000, "{}").await, Err(away.clone()));
    assert_eq!(store.claim(&node, &["s".into()]).await, Err(CommitError::Store(away.clone())));
    assert_eq!(store.leave(&node).await, Err(away));
    store.fail_with(None);
    assert_eq!(store.slots().await.unwrap(), []);
    assert_eq!(store.nodes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn news_wait_for_who_asks_and_wake_nobody_else() {
    let store = MemoryStore::new(|| START);
    let mut waiting = std::pin::pin!(store.news("a"));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    store.wake(&["b".into()]).await.unwrap();
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    store.wake(&["a".into()]).await.unwrap();
    store.wake(&["a".into()]).await.unwrap();
    // What nobody has fetched yet is kept for who asks next, and what was told twice is news once.
    store.news("a").await;
    store.news("b").await;
    assert!(waiting.as_mut().poll(&mut context).is_pending());
}

#[tokio::test]
async fn who_waits_for_news_is_woken() {
    let store = Arc::new(MemoryStore::new(|| START));
    let asking = store.clone();
    let waiting = tokio::spawn(async move { asking.news("a").await });
    tokio::task::yield_now().await;
    store.wake(&["a".into()]).await.unwrap();
    waiting.await.unwrap();
}
