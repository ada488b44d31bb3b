//! What is owed to accounts.

use model::Delivery;
use model::delivery::DeliveryState;

use super::{START, World};
use crate::{Changes, DeliveryFilter, DeliveryKey};

async fn put(world: &World, deliveries: &[Delivery]) {
    world.commit(Changes { deliveries: deliveries.to_vec(), ..Changes::default() }).await;
}

async fn page(world: &World, by: i64) -> Vec<Delivery> {
    world.store.delivery_page("hook", None, START.plus_millis(by), 99).await.unwrap()
}

/// Strictly after the cursor, up to the due time and the limit.
pub async fn pages_are_ordered_by_due_time_and_id(world: &World) {
    let d: Vec<_> = [7, 3, 7, 5, -1].map(|after| world.samples.delivery(after)).into();
    put(world, &d).await;
    let mut other = world.samples.delivery(0);
    other.endpoint = "hook-2".into();
    put(world, &[other]).await;
    let wanted = [&d[4], &d[1], &d[3], &d[0], &d[2]].map(Clone::clone);
    assert_eq!(page(world, 7).await, wanted);
    assert_eq!(page(world, 6).await, wanted[..3]);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = world.store.delivery_page("hook", after, START.plus_millis(7), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some((last.due, last.id));
        all.extend(page);
    }
    assert_eq!(all, wanted);
    assert_eq!(world.store.delivery_page("none", None, START, 9).await.unwrap(), []);
}

/// What can be made again is not kept, until it is to be.
pub async fn a_payload_that_can_be_made_again_is_not_kept(world: &World) {
    let mut delivery = world.samples.delivery(0);
    delivery.restorable = true;
    put(world, std::slice::from_ref(&delivery)).await;
    let bare = Delivery { payload: "".into(), ..delivery.clone() };
    assert_eq!(page(world, 0).await, std::slice::from_ref(&bare));
    assert_eq!(world.store.deliveries(&DeliveryFilter::default(), None, 9).await.unwrap(), [bare]);
    let deliveries_done = vec![DeliveryKey::from(&delivery)];
    delivery.restorable = false;
    let again = Changes { deliveries_done, deliveries: vec![delivery.clone()], ..Changes::default() };
    world.store.commit(again).await.unwrap();
    assert_eq!(page(world, 0).await, [delivery]);
}

/// A retry: the same delivery with another due time.
pub async fn a_delivery_that_is_written_anew_moves(world: &World) {
    let mut delivery = world.samples.delivery(0);
    put(world, std::slice::from_ref(&delivery)).await;
    let old = DeliveryKey::from(&delivery);
    delivery.due = START.plus_millis(50);
    delivery.attempts = 1;
    delivery.last_error = Some("HTTP 500".into());
    let again = Changes { deliveries_done: vec![old], deliveries: vec![delivery.clone()], ..Changes::default() };
    world.commit(again).await;
    assert_eq!(page(world, 49).await, []);
    assert_eq!(page(world, 50).await, [delivery]);
}

/// Gone for every way of asking; one that is unknown is no error.
pub async fn a_delivery_that_was_taken_is_gone(world: &World) {
    let d = [world.samples.delivery(0), world.samples.delivery(0)];
    put(world, &d).await;
    let deliveries_done = vec![DeliveryKey::from(&d[0]), DeliveryKey::from(&world.samples.delivery(0))];
    world.commit(Changes { deliveries_done, ..Changes::default() }).await;
    assert_eq!(page(world, 0).await, d[1..]);
    assert_eq!(world.store.deliveries(&DeliveryFilter::default(), None, 9).await.unwrap(), d[1..]);
}

/// The key says its due time "as it is stored now".
pub async fn a_delivery_that_has_moved_is_not_taken_by_its_old_key(world: &World) {
    let mut delivery = world.samples.delivery(0);
    let old = DeliveryKey::from(&delivery);
    delivery.due = START.plus_millis(5);
    put(world, std::slice::from_ref(&delivery)).await;
    world.commit(Changes { deliveries_done: vec![old], ..Changes::default() }).await;
    assert_eq!(page(world, 5).await, [delivery]);
}

/// They wait for a person.
pub async fn failed_ones_are_kept_but_not_given_out(world: &World) {
    let mut delivery = world.samples.delivery(0);
    delivery.attempts = 10;
    delivery.state = DeliveryState::Failed;
    put(world, std::slice::from_ref(&delivery)).await;
    assert_eq!(page(world, 99).await, []);
    assert_eq!(world.store.deliveries_retrying("hook").await.unwrap(), []);
    assert_eq!(world.store.delivery_next_due("hook", START.plus_millis(-9)).await.unwrap(), None);
    assert!(world.store.delivery_endpoints().await.unwrap().is_empty());
    assert_eq!(world.store.deliveries(&DeliveryFilter::default(), None, 9).await.unwrap(), [delivery]);
}

/// Whenever they are due, of this endpoint only.
pub async fn those_tried_already_are_named(world: &World) {
    let mut d: Vec<_> = [0, 9, 99].map(|after| world.samples.delivery(after)).into();
    d[1].attempts = 1;
    d[2].attempts = 9;
    put(world, &d).await;
    let mut other = world.samples.delivery(0);
    other.endpoint = "hook-2".into();
    other.attempts = 1;
    put(world, &[other]).await;
    let mut retrying = world.store.deliveries_retrying("hook").await.unwrap();
    retrying.sort_by_key(|d| d.id);
    assert_eq!(retrying, d[1..]);
}

/// Of this endpoint's pending ones.
pub async fn the_next_due_time_is_later_than_the_given(world: &World) {
    let mut d: Vec<_> = [10, 20, 15, 15].map(|after| world.samples.delivery(after)).into();
    d[2].state = DeliveryState::Failed;
    d[3].endpoint = "hook-2".into();
    put(world, &d).await;
    for (after, next) in [(0, Some(10)), (10, Some(20)), (20, None)] {
        let found = world.store.delivery_next_due("hook", START.plus_millis(after)).await.unwrap();
        assert_eq!(found, next.map(|n| START.plus_millis(n)), "after {after}");
    }
}

/// Each once.
pub async fn endpoints_are_those_with_pending_deliveries(world: &World) {
    let mut d: Vec<_> = (0..6).map(|_| world.samples.delivery(0)).collect();
    for (delivery, endpoint) in d.iter_mut().zip(["b", "https://a.example", "b", "c", "c", "d"]) {
        delivery.endpoint = endpoint.into();
    }
    d[5].state = DeliveryState::Failed;
    put(world, &d).await;
    let mut endpoints = world.store.delivery_endpoints().await.unwrap();
    endpoints.sort();
    assert_eq!(endpoints, ["b".into(), "c".into(), "https://a.example".into()]);
}

/// Each alone, and two together.
pub async fn every_filter_works(world: &World) {
    let mut d: Vec<_> = (0..5).map(|_| world.samples.delivery(0)).collect();
    d[0].account = "other".into();
    d[1].endpoint = "hook-2".into();
    d[2].state = DeliveryState::Failed;
    d[3].message = None;
    put(world, &d).await;
    let found = async |filter: DeliveryFilter| world.store.deliveries(&filter, None, 9).await.unwrap();
    let none = DeliveryFilter::default();
    assert_eq!(found(DeliveryFilter { account: Some("other".into()), ..none.clone() }).await, d[..1]);
    assert_eq!(found(DeliveryFilter { endpoint: Some("hook-2".into()), ..none.clone() }).await, d[1..2]);
    assert_eq!(found(DeliveryFilter { state: Some(DeliveryState::Failed), ..none.clone() }).await, d[2..3]);
    assert_eq!(found(DeliveryFilter { state: Some(DeliveryState::Pending), ..none.clone() }).await.len(), 4);
    assert_eq!(found(DeliveryFilter { message: d[4].message, ..none.clone() }).await, d[4..]);
    assert_eq!(found(DeliveryFilter { id: Some(d[3].id), ..none.clone() }).await, d[3..4]);
    let both = DeliveryFilter { id: Some(d[3].id), account: Some("other".into()), ..none };
    assert_eq!(found(both).await, []);
}

/// By id, which is by age.
pub async fn listed_newest_first_strictly_older(world: &World) {
    let mut d: Vec<_> = [9, 1, 5].map(|after| world.samples.delivery(after)).into();
    put(world, &d).await;
    d.reverse();
    let none = DeliveryFilter::default();
    assert_eq!(world.store.deliveries(&none, None, 2).await.unwrap(), d[..2]);
    assert_eq!(world.store.deliveries(&none, Some(d[1].id), 2).await.unwrap(), d[2..]);
    assert_eq!(world.store.deliveries(&none, Some(d[2].id), 2).await.unwrap(), []);
}
