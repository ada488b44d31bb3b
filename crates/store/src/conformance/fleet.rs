//! Memberships of nodes and the slots that they hold.

use std::sync::Arc;

use model::Name;

use super::World;
use super::samples::insert;
use crate::{Changes, CommitError, Fleet, Lease, MEMBERSHIP, Node, Slot};

/// How long memberships are for in these tests.
pub(super) const TTL: i64 = 10_000;

pub(super) fn fleet(world: &World) -> Arc<dyn Fleet> {
    world.store.clone().fleet().expect("several nodes can work on the stores of this suite")
}

/// Makes or keeps `node` a member, as a process of its own.
pub(super) async fn keep(world: &World, node: &str) -> Lease {
    let holder = format!("process of {node}");
    fleet(world).keep(node, &holder, TTL, "{}").await.unwrap().expect("no other process is this node")
}

pub(super) fn names<const N: usize>(names: [&str; N]) -> Vec<Name> {
    names.map(Name::from).into()
}

/// What of `wanted` the membership holds after a claim, in the order of names.
pub(super) async fn claim<const N: usize>(world: &World, membership: &Lease, wanted: [&str; N]) -> Vec<Name> {
    let mut held = fleet(world).claim(membership, &names(wanted)).await.unwrap();
    held.sort();
    held
}

/// Every slot that is held, by name, as `slot node`.
async fn slots(world: &World) -> Vec<String> {
    let slots = fleet(world).slots().await.unwrap();
    assert!(slots.is_sorted(), "{slots:?}");
    slots.into_iter().map(|Slot { name, node }| format!("{name} {node}")).collect()
}

async fn members(world: &World) -> Vec<Node> {
    fleet(world).nodes().await.unwrap()
}

/// Commits a message under a membership. Is it refused, and then nothing of it written?
async fn fenced(world: &World, membership: &Lease) -> bool {
    let message = world.samples.message();
    let outcome = world.store.commit(Changes { fences: vec![membership.fence()], ..insert(&message) }).await;
    let there = world.get(message.body.id).await.is_some();
    match outcome {
        Ok(()) => assert!(there, "what was committed is not there"),
        Err(CommitError::Fenced(name)) => assert!(name == membership.name && !there, "{name}, there: {there}"),
        Err(other) => panic!("{other}"),
    }
    !there
}

/// With what it says of itself last, in the order of names.
pub async fn a_node_is_a_member_until_its_time_runs_out(world: &World) {
    let fleet = fleet(world);
    let b = fleet.keep("b", "process 2", TTL, r#"{"listen":"[::1]:1"}"#).await.unwrap().unwrap();
    assert_eq!((b.name.as_ref(), b.holder.as_ref()), ("node:b", "process 2"));
    assert_eq!(b.expires_at, world.clock.now().plus_millis(TTL));
    world.clock.advance(1);
    let a = fleet.keep("a", "process 1", TTL, "{}").await.unwrap().unwrap();
    let said =
        |name: &str, lease: &Lease, about: &str| Node { name: name.into(), epoch: lease.epoch, about: about.into() };
    assert_eq!(members(world).await, [said("a", &a, "{}"), said("b", &b, r#"{"listen":"[::1]:1"}"#)]);
    world.clock.advance(TTL - 1);
    assert_eq!(members(world).await, [said("a", &a, "{}")]);
    let kept = fleet.keep("b", "process 2", TTL, r#"{"n":2}"#).await.unwrap().unwrap();
    assert_eq!(kept.epoch, b.epoch);
    assert_eq!(members(world).await, [said("a", &a, "{}"), said("b", &kept, r#"{"n":2}"#)]);
}

/// The rules of leases are those of memberships, and the table is one.
pub async fn a_membership_is_a_lease(world: &World) {
    let a = keep(world, "a").await;
    let name = format!("{MEMBERSHIP}a");
    assert_eq!(*a.name, *name);
    assert_eq!(world.store.take_lease(&name, "thief", TTL).await.unwrap(), None);
    assert!(!fenced(world, &a).await);
    world.store.take_lease("bind:carrier-a:1", &a.holder, TTL).await.unwrap().unwrap();
    assert_eq!(members(world).await.len(), 1, "other leases make no members");
}

/// Not before its time has run out; then it is a new membership, without what the one before held.
pub async fn another_process_waits_until_a_node_has_run_out(world: &World) {
    let fleet = fleet(world);
    let first = fleet.keep("a", "process 1", TTL, "{}").await.unwrap().unwrap();
    claim(world, &first, ["s"]).await;
    world.clock.advance(TTL - 1);
    assert_eq!(fleet.keep("a", "process 2", TTL, "{}").await.unwrap(), None);
    assert_eq!(slots(world).await, ["s a"]);
    world.clock.advance(1);
    let second = fleet.keep("a", "process 2", TTL, "{}").await.unwrap().unwrap();
    assert!(second.epoch > first.epoch);
    assert_eq!(fleet.keep("a", "process 1", TTL, "{}").await.unwrap(), None);
    assert!(fenced(world, &first).await);
    assert!(!fenced(world, &second).await);
    assert_eq!(slots(world).await, [""; 0]);
    let b = keep(world, "b").await;
    assert_eq!(claim(world, &b, ["s"]).await, names(["s"]));
}

/// It may come back; who left long ago takes nothing with it.
pub async fn a_node_that_leaves_frees_its_slots_at_once(world: &World) {
    let (first, b) = (keep(world, "a").await, keep(world, "b").await);
    claim(world, &first, ["s", "t"]).await;
    fleet(world).leave(&first).await.unwrap();
    assert_eq!(members(world).await.len(), 1);
    assert_eq!(slots(world).await, [""; 0]);
    assert!(fenced(world, &first).await);
    assert_eq!(claim(world, &b, ["s"]).await, names(["s"]));
    let second = keep(world, "a").await;
    assert!(second.epoch > first.epoch);
    claim(world, &second, ["t"]).await;
    fleet(world).leave(&first).await.unwrap();
    assert_eq!(slots(world).await, ["s b", "t a"]);
    assert!(!fenced(world, &second).await);
    let never = Lease { name: "node:never".into(), ..second };
    fleet(world).leave(&never).await.unwrap();
}

/// The answer names those that it had already, too.
pub async fn free_slots_are_claimed(world: &World) {
    let (a, b) = (keep(world, "a").await, keep(world, "b").await);
    assert_eq!(claim(world, &a, ["s:2", "s:1"]).await, names(["s:1", "s:2"]));
    assert_eq!(claim(world, &b, ["s:1", "t", "s:2"]).await, names(["t"]));
    assert_eq!(claim(world, &a, ["s:1", "u", "t"]).await, names(["s:1", "u"]));
    assert_eq!(claim(world, &a, []).await, names([]));
    assert_eq!(slots(world).await, ["s:1 a", "s:2 a", "t b", "u a"]);
    // Case and odd signs tell names apart, and long names fit.
    let (long, longer) = (format!("queue:{}:65535", "c".repeat(64)), format!("queue:{}:65535", "c".repeat(65)));
    let odd = ["S:1", "s_1", "s%", "é", &long, &longer];
    assert_eq!(claim(world, &b, odd).await.len(), odd.len());
}

/// To the millisecond, and also by one that wants much else.
pub async fn a_slot_of_a_living_node_is_not_taken(world: &World) {
    let a = keep(world, "a").await;
    claim(world, &a, ["s"]).await;
    world.clock.advance(TTL - 1);
    let b = keep(world, "b").await;
    assert_eq!(claim(world, &b, ["r", "s", "t"]).await, names(["r", "t"]));
    assert!(!fenced(world, &a).await);
    keep(world, "a").await;
    world.clock.advance(TTL - 1);
    keep(world, "b").await;
    assert_eq!(claim(world, &b, ["s"]).await, names([]));
}

/// All its slots become free, not only the one that was claimed, and none of its commits is applied any more.
pub async fn a_claim_ends_a_membership_that_ran_out(world: &World) {
    let a = keep(world, "a").await;
    claim(world, &a, ["s", "t"]).await;
    world.clock.advance(TTL);
    let (b, c) = (keep(world, "b").await, keep(world, "c").await);
    assert!(!fenced(world, &a).await, "nobody has claimed anything of it yet");
    assert_eq!(claim(world, &b, ["s"]).await, names(["s"]));
    assert!(fenced(world, &a).await);
    assert_eq!(fleet(world).claim(&a, &names(["u"])).await, Err(CommitError::Fenced(a.name.clone())));
    assert_eq!(slots(world).await, ["s b"]);
    assert_eq!(claim(world, &c, ["s", "t"]).await, names(["t"]));
    // The same process comes back as a new member that holds nothing.
    let again = keep(world, "a").await;
    assert!(again.epoch > a.epoch);
    assert!(fenced(world, &a).await);
    assert!(!fenced(world, &again).await);
    assert_eq!(claim(world, &again, ["s", "t", "u"]).await, names(["u"]));
    assert_eq!(slots(world).await, ["s b", "t c", "u a"]);
}

/// A store that was away for long takes nothing from anybody: who comes back first has everything still.
pub async fn a_membership_that_ran_out_is_good_until_a_slot_of_it_is_claimed(world: &World) {
    let a = keep(world, "a").await;
    claim(world, &a, ["s"]).await;
    world.clock.advance(100 * TTL);
    assert_eq!(slots(world).await, [""; 0]);
    let b = keep(world, "b").await;
    claim(world, &b, ["t"]).await;
    assert!(!fenced(world, &a).await);
    assert_eq!(claim(world, &a, ["s", "u"]).await, names(["s", "u"]));
    assert_eq!(keep(world, "a").await.epoch, a.epoch);
    assert_eq!(slots(world).await, ["s a", "t b", "u a"]);
    assert_eq!(claim(world, &b, ["s"]).await, names([]));
}

/// By whoever holds them, and by nobody else.
pub async fn released_slots_are_free_at_once(world: &World) {
    let (a, b) = (keep(world, "a").await, keep(world, "b").await);
    claim(world, &a, ["s", "t"]).await;
    fleet(world).release(&b, &names(["s", "never"])).await.unwrap();
    assert_eq!(slots(world).await, ["s a", "t a"]);
    fleet(world).release(&a, &names(["s"])).await.unwrap();
    assert_eq!(slots(world).await, ["t a"]);
    assert!(!fenced(world, &a).await);
    assert_eq!(claim(world, &b, ["s", "t"]).await, names(["s"]));
    fleet(world).release(&a, &names(["s"])).await.unwrap();
    // Under a membership that has ended nothing is released, though the node holds the slot again.
    fleet(world).leave(&a).await.unwrap();
    let again = keep(world, "a").await;
    claim(world, &again, ["t"]).await;
    fleet(world).release(&a, &names(["t"])).await.unwrap();
    assert_eq!(slots(world).await, ["s b", "t a"]);
}
