//! Leases and fences.

use super::World;
use crate::{Changes, CommitError, Lease};

const TTL: i64 = 10_000;

async fn take(world: &World, holder: &str) -> Option<Lease> {
    world.store.take_lease("bind:carrier-a:1", holder, TTL).await.unwrap()
}

async fn fenced(world: &World, lease: &Lease) -> bool {
    match world.store.commit(Changes { fences: vec![lease.fence()], ..Changes::default() }).await {
        Ok(()) => false,
        Err(CommitError::Fenced(name)) => name == lease.name,
        Err(other) => panic!("{other}"),
    }
}

/// With the time that it was promised, by the store's clock.
pub async fn the_first_holder_gets_the_lease(world: &World) {
    let lease = take(world, "node-1").await.unwrap();
    assert_eq!((&*lease.name, &*lease.holder), ("bind:carrier-a:1", "node-1"));
    assert_eq!(lease.expires_at, world.clock.now().plus_millis(TTL));
    assert!(lease.epoch > 0);
    // Another name is another lease.
    assert!(world.store.take_lease("bind:carrier-a:2", "node-2", TTL).await.unwrap().is_some());
}

/// To the millisecond.
pub async fn another_holder_waits_for_the_end(world: &World) {
    take(world, "node-1").await.unwrap();
    assert_eq!(take(world, "node-2").await, None);
    world.clock.advance(TTL - 1);
    assert_eq!(take(world, "node-2").await, None);
    world.clock.advance(1);
    assert!(take(world, "node-2").await.is_some());
    assert_eq!(take(world, "node-1").await, None);
}

/// Renewed in time, or taken again when it had lapsed and nobody else came.
pub async fn the_same_holder_keeps_its_epoch(world: &World) {
    let first = take(world, "node-1").await.unwrap();
    world.clock.advance(TTL / 2);
    let renewed = take(world, "node-1").await.unwrap();
    assert_eq!(renewed.epoch, first.epoch);
    assert_eq!(renewed.expires_at, world.clock.now().plus_millis(TTL));
    world.clock.advance(TTL / 2);
    assert_eq!(take(world, "node-2").await, None, "it was renewed");
    world.clock.advance(10 * TTL);
    assert_eq!(take(world, "node-1").await.unwrap().epoch, first.epoch);
}

/// Each time that the holder changes, also back to an earlier one.
pub async fn a_new_holder_gets_a_higher_epoch(world: &World) {
    let mut last = 0;
    for holder in ["node-1", "node-2", "node-1", "node-3"] {
        let lease = take(world, holder).await.unwrap();
        assert!(lease.epoch > last, "{} after {last}", lease.epoch);
        last = lease.epoch;
        world.clock.advance(TTL);
    }
}

/// For another and for the same holder; its fence holds no longer.
pub async fn a_lease_given_back_is_free_at_once(world: &World) {
    let first = take(world, "node-1").await.unwrap();
    world.store.release_lease(&first).await.unwrap();
    assert!(fenced(world, &first).await);
    let second = take(world, "node-2").await.unwrap();
    assert!(second.epoch > first.epoch);
    world.store.release_lease(&second).await.unwrap();
    let third = take(world, "node-2").await.unwrap();
    assert!(third.epoch > second.epoch, "who gives a lease back gives its epoch back");
    assert!(!fenced(world, &third).await);
}

/// The new holder keeps it.
pub async fn giving_back_what_is_lost_does_nothing(world: &World) {
    let old = take(world, "node-1").await.unwrap();
    world.clock.advance(TTL);
    let new = take(world, "node-2").await.unwrap();
    world.store.release_lease(&old).await.unwrap();
    assert_eq!(take(world, "node-3").await, None);
    assert!(!fenced(world, &new).await);
    let never = Lease { name: "bind:never:1".into(), ..new };
    world.store.release_lease(&never).await.unwrap();
    assert!(fenced(world, &never).await);
}

/// Also when it has lapsed: nobody else can have written in between.
pub async fn a_fence_holds_while_nobody_else_took_the_lease(world: &World) {
    let lease = take(world, "node-1").await.unwrap();
    assert!(!fenced(world, &lease).await);
    world.clock.advance(2 * TTL);
    assert!(!fenced(world, &lease).await);
    let new = take(world, "node-2").await.unwrap();
    assert!(fenced(world, &lease).await);
    assert!(!fenced(world, &new).await);
}
