//! Remote ids, parked receipts and MO parts.

use model::Direction;

use super::World;
use super::samples::{change_body, remote_key};
use crate::{Changes, MoPart, MoPartKey, PartRef, RemoteId, RemoteKey};

/// One of three parts of an incoming message.
pub(super) fn mo_part(world: &World, sequence: u8) -> MoPart {
    let mut message = world.samples.message();
    change_body(&mut message, |body| body.direction = Direction::Mo);
    MoPart {
        key: MoPartKey {
            connector: "carrier-a".into(),
            addresses: "447700900123 60777".into(),
            reference: 65_535,
            total: 3,
            sequence,
        },
        body: message.body,
        expires_at: world.clock.now().plus_seconds(300),
    }
}

/// One answer for each key, `None` for those that are unknown.
pub async fn remote_ids_are_found_in_the_order_of_the_keys(world: &World) {
    let message = world.samples.id();
    let remote_ids: Vec<RemoteId> =
        ["b", "a", "c"].iter().zip([0, 1, 254]).map(|(id, part)| world.samples.remote_id(id, message, part)).collect();
    world.commit(Changes { remote_ids, ..Changes::default() }).await;
    let other = RemoteKey { connector: "carrier-b".into(), ..remote_key("a") };
    let keys = [remote_key("a"), remote_key("x"), other, remote_key("c"), remote_key("b"), remote_key("a")];
    let found = world.store.remote_ids(&keys).await.unwrap();
    let part = |part| Some(PartRef { message, part });
    assert_eq!(found, [part(1), None, None, part(254), part(0), part(1)]);
    assert_eq!(world.store.remote_ids(&[]).await.unwrap(), []);
}

/// Carriers use their ids again.
pub async fn a_remote_id_that_is_given_again_means_the_new_part(world: &World) {
    let old = world.samples.remote_id("r1", world.samples.id(), 0);
    let new = world.samples.remote_id("r1", world.samples.id(), 3);
    world.commit(Changes { remote_ids: vec![old.clone()], ..Changes::default() }).await;
    world.commit(Changes { remote_ids: vec![new.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.remote_ids(&[remote_key("r1")]).await.unwrap(), [Some(new.part)]);
    // Within one commit the last one counts.
    world.commit(Changes { remote_ids: vec![new, old.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.remote_ids(&[remote_key("r1")]).await.unwrap(), [Some(old.part)]);
}

/// Only that one goes; one that is unknown is no error.
pub async fn a_remote_id_that_is_done_is_gone(world: &World) {
    let message = world.samples.id();
    let remote_ids = vec![world.samples.remote_id("r1", message, 0), world.samples.remote_id("r2", message, 1)];
    world.commit(Changes { remote_ids, ..Changes::default() }).await;
    let remote_ids_done = vec![remote_key("r1"), remote_key("never")];
    world.commit(Changes { remote_ids_done, ..Changes::default() }).await;
    let found = world.store.remote_ids(&[remote_key("r1"), remote_key("r2")]).await.unwrap();
    assert_eq!(found, [None, Some(PartRef { message, part: 1 })]);
    // Put and done in one commit: the later list wins.
    let both = Changes {
        remote_ids: vec![world.samples.remote_id("r3", message, 0)],
        remote_ids_done: vec![remote_key("r3")],
        ..Changes::default()
    };
    world.commit(both).await;
    assert_eq!(world.store.remote_ids(&[remote_key("r3")]).await.unwrap(), [None]);
}

/// By age in pages, and by remote id.
pub async fn parked_receipts_are_listed_newest_first_and_found_by_key(world: &World) {
    let parked: Vec<_> = ["r1", "r2", "r1", "r3"].iter().map(|id| world.samples.parked(id)).collect();
    world.commit(Changes { parked: parked.clone(), ..Changes::default() }).await;
    let first = world.store.parked(None, 3).await.unwrap();
    assert_eq!(first, [parked[3].clone(), parked[2].clone(), parked[1].clone()]);
    assert_eq!(world.store.parked(Some(first[2].id), 3).await.unwrap(), parked[..1]);
    let other = RemoteKey { connector: "carrier-b".into(), ..remote_key("r3") };
    let mut found = world.store.parked_for(&[remote_key("r1"), remote_key("x"), other]).await.unwrap();
    found.sort_by_key(|p| p.id);
    assert_eq!(found, [parked[0].clone(), parked[2].clone()]);
    assert_eq!(world.store.parked_for(&[]).await.unwrap(), []);
}

/// Matched or given up.
pub async fn parked_receipts_that_are_done_are_gone(world: &World) {
    let parked: Vec<_> = ["r1", "r1"].iter().map(|id| world.samples.parked(id)).collect();
    world.commit(Changes { parked: parked.clone(), ..Changes::default() }).await;
    world.commit(Changes { parked_done: vec![parked[0].clone()], ..Changes::default() }).await;
    assert_eq!(world.store.parked(None, 9).await.unwrap(), parked[1..]);
    assert_eq!(world.store.parked_for(&[remote_key("r1")]).await.unwrap(), parked[1..]);
}

/// Each with its own body; a part that comes twice is kept once.
pub async fn mo_parts_come_back_as_they_were_put(world: &World) {
    let mut parts: Vec<_> = [2, 1, 255].iter().map(|n| mo_part(world, *n)).collect();
    world.commit(Changes { mo_parts: parts.clone(), ..Changes::default() }).await;
    parts[0].body = world.samples.message().body;
    world.commit(Changes { mo_parts: parts[..1].to_vec(), ..Changes::default() }).await;
    let mut found = world.store.mo_parts().await.unwrap();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    parts.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(found, parts);
}

/// When the message is whole.
pub async fn mo_parts_that_are_done_are_gone(world: &World) {
    let parts: Vec<_> = [1, 2].iter().map(|n| mo_part(world, *n)).collect();
    world.commit(Changes { mo_parts: parts.clone(), ..Changes::default() }).await;
    world.commit(Changes { mo_parts_done: vec![parts[0].key.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.mo_parts().await.unwrap(), parts[1..]);
}
