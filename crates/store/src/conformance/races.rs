//! Nodes that want the same at the same time.

use std::collections::BTreeMap;

use model::{MessageId, Name};
use tokio::task::JoinHandle;

use super::World;
use super::fleet::{TTL, claim, fleet, keep, names};
use super::samples::insert;
use crate::{Changes, CommitError, Lease, Slot};

const ROUNDS: usize = 12;

fn spawn_claim(world: &World, membership: &Lease, wanted: Vec<Name>) -> JoinHandle<Result<Vec<Name>, CommitError>> {
    let (fleet, membership) = (fleet(world), membership.clone());
    tokio::spawn(async move { fleet.claim(&membership, &wanted).await })
}

/// Each goes to one, whoever it is, and every node knows what it was given.
pub async fn no_slot_is_claimed_by_two(world: &World) {
    let all: Vec<Name> = (0..20).map(|n| format!("s{n:02}").into()).collect();
    let mut nodes = Vec::new();
    for n in 0..6 {
        nodes.push((Name::from(format!("n{n}")), keep(world, &format!("n{n}")).await));
    }
    for round in 0..ROUNDS {
        let mut running = Vec::new();
        for (n, (node, membership)) in nodes.iter().enumerate() {
            let mut wanted = all.clone();
            wanted.rotate_left((n * 7 + round) % all.len());
            running.push((node, spawn_claim(world, membership, wanted)));
        }
        let mut given: BTreeMap<Name, Name> = BTreeMap::new();
        for (node, running) in running {
            for slot in running.await.unwrap().unwrap() {
                assert_eq!(given.insert(slot.clone(), node.clone()), None, "{slot} went to two");
            }
        }
        assert_eq!(given.len(), all.len(), "nobody claimed some");
        let given: Vec<Slot> = given.into_iter().map(|(name, node)| Slot { name, node }).collect();
        assert_eq!(fleet(world).slots().await.unwrap(), given);
        for (_, membership) in &nodes {
            fleet(world).release(membership, &all).await.unwrap();
        }
    }
}

/// What a node that is gone held goes to one each, though both end its membership.
pub async fn no_slot_of_a_node_that_is_gone_is_claimed_by_two(world: &World) {
    for _ in 0..ROUNDS {
        let gone = keep(world, "gone").await;
        assert_eq!(claim(world, &gone, ["s", "t", "u"]).await.len(), 3);
        world.clock.advance(TTL);
        let (a, b) = (keep(world, "a").await, keep(world, "b").await);
        let first = spawn_claim(world, &a, names(["s", "t", "u"]));
        let second = spawn_claim(world, &b, names(["u", "t", "s"]));
        let mut given = first.await.unwrap().unwrap();
        given.extend(second.await.unwrap().unwrap());
        given.sort();
        assert_eq!(given, names(["s", "t", "u"]));
        assert_eq!(fleet(world).claim(&gone, &[]).await, Err(CommitError::Fenced(gone.name.clone())));
        fleet(world).leave(&a).await.unwrap();
        fleet(world).leave(&b).await.unwrap();
    }
}

/// Either the node is back in time and keeps what it has, or it has lost it and learns of that.
pub async fn who_comes_back_late_keeps_all_or_nothing(world: &World) {
    for round in 0..ROUNDS {
        let late = keep(world, "late").await;
        assert_eq!(claim(world, &late, ["s"]).await.len(), 1);
        world.clock.advance(TTL);
        let heir = keep(world, "heir").await;
        let claim = |_| spawn_claim(world, &heir, names(["s"]));
        let early = (round % 2 == 0).then_some(()).map(claim);
        let again = {
            let (fleet, holder) = (fleet(world), late.holder.clone());
            tokio::spawn(async move { fleet.keep("late", &holder, TTL, "{}").await })
        };
        let claimed = match early {
            Some(early) => early,
            None => claim(()),
        };
        let (again, claimed) = (again.await.unwrap().unwrap().unwrap(), claimed.await.unwrap().unwrap());
        let holder = if again.epoch == late.epoch { "late" } else { "heir" };
        assert_eq!(claimed.len(), usize::from(holder == "heir"));
        assert_eq!(fleet(world).slots().await.unwrap(), [Slot { name: "s".into(), node: holder.into() }]);
        fleet(world).leave(&again).await.unwrap();
        fleet(world).leave(&heir).await.unwrap();
    }
}

/// Of commits that run while a membership is ended, those that came first are there whole and the others not
/// at all; and from the end of the claim on none comes first any more.
pub async fn no_commit_of_a_membership_comes_after_its_end(world: &World) {
    for _ in 0..ROUNDS {
        let old = keep(world, "old").await;
        assert_eq!(claim(world, &old, ["s"]).await.len(), 1);
        world.clock.advance(TTL);
        let heir = keep(world, "heir").await;
        let before: Vec<_> = (0..6).map(|_| spawn_commit(world, &old)).collect();
        let claimed = spawn_claim(world, &heir, names(["s"]));
        let during: Vec<_> = (0..6).map(|_| spawn_commit(world, &old)).collect();
        assert_eq!(claimed.await.unwrap(), Ok(names(["s"])));
        let after: Vec<_> = (0..2).map(|_| spawn_commit(world, &old)).collect();
        for (id, running) in before.into_iter().chain(during) {
            let outcome = running.await.unwrap();
            assert!(matches!(outcome, Ok(()) | Err(CommitError::Fenced(_))), "{outcome:?}");
            assert_eq!(world.get(id).await.is_some(), outcome.is_ok());
        }
        for (id, running) in after {
            assert_eq!(running.await.unwrap(), Err(CommitError::Fenced(old.name.clone())));
            assert_eq!(world.get(id).await, None);
        }
        fleet(world).leave(&heir).await.unwrap();
    }
}

fn spawn_commit(world: &World, membership: &Lease) -> (MessageId, JoinHandle<Result<(), CommitError>>) {
    let message = world.samples.message();
    let changes = Changes { fences: vec![membership.fence()], ..insert(&message) };
    let store = world.store.clone();
    (message.body.id, tokio::spawn(async move { store.commit(changes).await }))
}
