//! Resources and their version.

use model::resources::Kind;

use super::World;
use crate::{Document, ResourceChange, Resources};

fn put(kind: Kind, id: &str, json: &str) -> ResourceChange {
    ResourceChange { kind, id: id.into(), json: Some(json.into()) }
}

fn take(kind: Kind, id: &str) -> ResourceChange {
    ResourceChange { kind, id: id.into(), json: None }
}

/// Nothing was changed yet.
pub async fn an_empty_store_has_version_zero(world: &World) {
    assert_eq!(world.store.resources().await.unwrap(), Resources::default());
    assert_eq!(world.store.resources_version().await.unwrap(), 0);
}

/// Once for each call, whatever it changes; a call without changes leaves it.
pub async fn a_change_raises_the_version(world: &World) {
    let store = &world.store;
    let changes = vec![put(Kind::Account, "shop", "{}"), put(Kind::Account, "bank", "{}")];
    assert_eq!(store.change_resources(changes, None).await.unwrap(), Some(1));
    let changes = vec![put(Kind::Account, "shop", r#"{"a":"é\u0000"}"#), take(Kind::Account, "bank")];
    assert_eq!(store.change_resources(changes, None).await.unwrap(), Some(2));
    assert_eq!(store.change_resources(vec![], None).await.unwrap(), Some(2));
    let document = Document { kind: Kind::Account, id: "shop".into(), json: r#"{"a":"é\u0000"}"#.into() };
    assert_eq!(store.resources().await.unwrap(), Resources { version: 2, documents: vec![document] });
    assert_eq!(store.resources_version().await.unwrap(), 2);
}

/// Somebody else was first: none of it is written.
pub async fn a_change_on_an_old_version_is_refused(world: &World) {
    let store = &world.store;
    let changed = store.change_resources(vec![put(Kind::Route, "r", "1")], Some(0)).await.unwrap();
    assert_eq!(changed, Some(1));
    for expected in [0, 2, u64::from(u32::MAX)] {
        let changes = vec![put(Kind::Route, "r", "2"), put(Kind::Route, "s", "2")];
        assert_eq!(store.change_resources(changes, Some(expected)).await.unwrap(), None);
    }
    let kept = store.resources().await.unwrap();
    assert_eq!(kept.documents, [Document { kind: Kind::Route, id: "r".into(), json: "1".into() }]);
    assert_eq!(store.change_resources(vec![take(Kind::Route, "r")], Some(1)).await.unwrap(), Some(2));
}

/// In the order of [`Kind`], not of its words.
pub async fn documents_are_ordered_by_kind_and_id(world: &World) {
    let ids = ["b", "a", "B", "a-1"];
    let changes = Kind::ALL.iter().rev().flat_map(|kind| ids.map(|id| put(*kind, id, "{}"))).collect();
    world.store.change_resources(changes, None).await.unwrap();
    let documents = world.store.resources().await.unwrap().documents;
    assert_eq!(documents.len(), ids.len() * Kind::ALL.len());
    assert!(documents.is_sorted_by_key(|d| (d.kind, d.id.clone())), "{documents:?}");
}
