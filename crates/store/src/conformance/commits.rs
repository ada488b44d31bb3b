//! What a commit is: all or nothing, and harmless when it is repeated.

use model::{Change, ReceiptPolicy, Status};

use super::World;
use super::samples::{change_body, end, insert, insert_queued, place, update};
use crate::{Changes, CommitError, Fence};

/// What was put comes back.
pub async fn a_message_comes_back_as_it_was_put(world: &World) {
    let message = world.samples.message();
    world.insert(&message).await;
    assert_eq!(world.get(message.body.id).await, Some(message));
}

/// Unknown ids, of days with and without messages, are no error.
pub async fn ids_that_are_not_there_are_left_out(world: &World) {
    let message = world.samples.message();
    world.insert(&message).await;
    let same_day = world.samples.id();
    let other_day = world.samples.id_at(super::START.plus_millis(-400 * super::samples::DAY));
    let found = world.store.messages(&[same_day, message.body.id, other_day]).await.unwrap();
    assert_eq!(found, [message]);
    assert_eq!(world.store.messages(&[]).await.unwrap(), []);
}

/// An insert under an id that is taken changes nothing.
pub async fn a_message_that_is_there_is_left_as_it_is(world: &World) {
    let message = world.samples.message();
    world.insert(&message).await;
    let mut other = message.clone();
    change_body(&mut other, |body| body.account = "other".into());
    other.progress.status = Status::Failed;
    world.insert(&other).await;
    assert_eq!(world.get(message.body.id).await, Some(message));
}

/// The same commit twice is as good as once.
pub async fn a_repeated_commit_changes_nothing(world: &World) {
    let message = world.samples.message();
    let mut changes = insert_queued(std::slice::from_ref(&message));
    changes.remote_ids.push(world.samples.remote_id("r1", message.body.id, 0));
    changes.deliveries.push(world.samples.delivery(0));
    changes.parked.push(world.samples.parked("r2"));
    changes.batches.push(world.samples.batch());
    for _ in 0..3 {
        world.commit(changes.clone()).await;
        assert_eq!(world.get(message.body.id).await.as_ref(), Some(&message));
        assert_eq!(world.store.queue_depths().await.unwrap(), [("carrier-a".into(), 1)]);
        assert_eq!(world.store.deliveries(&Default::default(), None, 9).await.unwrap(), changes.deliveries);
        assert_eq!(world.store.parked(None, 9).await.unwrap(), changes.parked);
        assert_eq!(world.store.overdue(message.body.expires_at, 9).await.unwrap(), [message.body.id]);
    }
}

/// The commit that accepted a message may be repeated late, when the message has been sent.
pub async fn a_repeated_commit_does_not_queue_a_sent_message_again(world: &World) {
    let mut message = world.samples.message();
    let accept = insert_queued(std::slice::from_ref(&message));
    world.commit(accept.clone()).await;
    let entry = place(&message);
    end(&mut message, Status::Delivered, world.clock.now());
    world.commit(Changes { dequeue: vec![entry], ..update(&message) }).await;
    world.commit(accept).await;
    assert_eq!(world.get(message.body.id).await, Some(message.clone()));
    assert_eq!(world.store.queue_entry(message.body.id).await.unwrap(), None);
    assert_eq!(world.store.queue_depths().await.unwrap(), []);
    assert_eq!(world.store.overdue(message.body.expires_at, 9).await.unwrap(), []);
}

/// The body that comes with an update is not written.
pub async fn an_update_writes_progress_only(world: &World) {
    let mut message = world.samples.message();
    world.insert(&message).await;
    let body = message.body.clone();
    let sent = Change::Sent { part: 0, remote_id: "abc".into(), policy: ReceiptPolicy::All };
    message.apply(sent, Some(&"carrier-b".into()), world.clock.now());
    change_body(&mut message, |body| body.content = model::Content::Text("other".into()));
    world.commit(update(&message)).await;
    let kept = world.get(body.id).await.unwrap();
    assert_eq!(kept.progress, message.progress);
    assert_eq!(kept.body, body);
}

/// What may be replaced of it is written, its deadline moves, and it waits where it is put.
pub async fn a_body_takes_the_place_of_the_one_before(world: &World) {
    let mut message = world.samples.message();
    change_body(&mut message, |body| body.supersede_key = Some("order-7".into()));
    world.commit(insert_queued(std::slice::from_ref(&message))).await;
    let (before, old) = (place(&message), message.body.expires_at);
    change_body(&mut message, |body| {
        body.content = model::Content::Binary { data: [0, 255].into(), udh: [5, 0, 3, 1, 2, 1].into(), dcs: 4 };
        body.encoding = model::Encoding::Binary;
        body.receipt = model::ReceiptWish::None;
        body.send_at = Some(body.created_at.plus_seconds(60));
        body.expires_at = old.plus_seconds(3600);
        body.validity_given = true;
        body.class = Some(1);
    });
    message.progress.due = message.body.send_at;
    message.progress.parts.push(model::Part::waiting());
    let changes = Changes {
        bodies: vec![message.body.clone()],
        dequeue: vec![before],
        enqueue: vec![place(&message)],
        ..update(&message)
    };
    for _ in 0..2 {
        world.commit(changes.clone()).await;
        assert_eq!(world.get(message.body.id).await.as_ref(), Some(&message));
        assert_eq!(world.store.queue_entry(message.body.id).await.unwrap(), Some(place(&message)));
        assert_eq!(world.store.queue_depths().await.unwrap(), [("carrier-a".into(), 1)]);
        assert_eq!(world.store.overdue(old, 9).await.unwrap(), []);
        assert_eq!(world.store.overdue(message.body.expires_at, 9).await.unwrap(), [message.body.id]);
    }
    // One that retention has taken is not made anew.
    let gone = world.samples.message();
    world.commit(Changes { bodies: vec![gone.body.clone()], ..update(&gone) }).await;
    assert_eq!(world.get(gone.body.id).await, None);
    assert_eq!(world.store.overdue(message.body.expires_at, 9).await.unwrap(), [message.body.id]);
}

/// Replaced and canceled between two commits: no deadline is left of either body.
pub async fn a_body_and_the_end_in_one_commit(world: &World) {
    let mut message = world.samples.message();
    world.insert(&message).await;
    let later = message.body.expires_at.plus_seconds(3600);
    change_body(&mut message, |body| body.expires_at = later);
    end(&mut message, Status::Canceled, world.clock.now());
    world.commit(Changes { bodies: vec![message.body.clone()], ..update(&message) }).await;
    assert_eq!(world.get(message.body.id).await.as_ref(), Some(&message));
    assert_eq!(world.store.overdue(later, 9).await.unwrap(), []);
}

/// There is nothing to update; that is no error.
pub async fn an_update_of_an_unknown_message_makes_none(world: &World) {
    let message = world.samples.message();
    world.commit(update(&message)).await;
    world.insert(&world.samples.message()).await;
    world.commit(update(&message)).await;
    assert_eq!(world.get(message.body.id).await, None);
}

/// A commit with one taken key leaves none of its other changes, and names the key's place.
pub async fn a_taken_key_stops_the_whole_commit(world: &World) {
    let answers: Vec<_> = ["a", "b", "c", "d"].map(|key| world.samples.answer(key)).into();
    world.commit(Changes { answers: vec![answers[1].clone(), answers[3].clone()], ..Changes::default() }).await;
    let changes = everything(world, answers.clone());
    let refused = world.store.commit(changes.clone()).await;
    assert_eq!(refused, Err(CommitError::KeysTaken(vec![1, 3])));
    nothing_of(world, &changes).await;
    assert_eq!(world.store.idempotency(&answers[0].0).await.unwrap(), None);
    // Without them, as the error says, it goes through.
    let free = vec![answers[0].clone(), answers[2].clone()];
    world.commit(Changes { answers: free, ..changes.clone() }).await;
    assert_eq!(world.get(changes.insert[0].message.body.id).await, Some(changes.insert[0].message.clone()));
    assert_eq!(world.store.idempotency(&answers[0].0).await.unwrap(), Some(answers[0].1.clone()));
}

/// A commit whose lease another has leaves nothing.
pub async fn a_lost_lease_stops_the_whole_commit(world: &World) {
    let old = world.store.take_lease("queue:carrier-a:0", "node-1", 1000).await.unwrap().unwrap();
    world.clock.advance(1000);
    let new = world.store.take_lease("queue:carrier-a:0", "node-2", 1000).await.unwrap().unwrap();
    let held = world.store.take_lease("queue:carrier-b:0", "node-1", 1000).await.unwrap().unwrap();
    let mut changes = everything(world, vec![world.samples.answer("key")]);
    let never = Fence { name: "queue:never:0".into(), epoch: 1 };
    for lost in [old.fence(), never] {
        changes.fences = vec![held.fence(), lost.clone()];
        assert_eq!(world.store.commit(changes.clone()).await, Err(CommitError::Fenced(lost.name)));
        nothing_of(world, &changes).await;
    }
    changes.fences = vec![held.fence(), new.fence()];
    world.commit(changes.clone()).await;
    assert!(world.get(changes.insert[0].message.body.id).await.is_some());
}

/// Commits that are made at the same time share nothing but the disk.
pub async fn many_commits_at_once_succeed_and_fail_each_on_its_own(world: &World) {
    world.commit(Changes { answers: vec![world.samples.answer("taken")], ..Changes::default() }).await;
    let mut running = Vec::new();
    for n in 0..60 {
        let message = world.samples.message();
        let key = if n % 3 == 0 { "taken".to_owned() } else { format!("key {n}") };
        let changes = Changes { answers: vec![world.samples.answer(&key)], ..insert(&message) };
        let store = world.store.clone();
        running.push((n, message, tokio::spawn(async move { store.commit(changes).await })));
    }
    for (n, message, commit) in running {
        let refused = n % 3 == 0;
        let expected = if refused { Err(CommitError::KeysTaken(vec![0])) } else { Ok(()) };
        assert_eq!(commit.await.unwrap(), expected, "commit {n}");
        assert_eq!(world.get(message.body.id).await.is_none(), refused, "message {n}");
    }
}

/// Ten thousand messages, the most that a batch may have.
pub async fn a_large_commit_is_one_commit(world: &World) {
    let messages: Vec<_> = (0..10_000).map(|_| world.samples.message()).collect();
    let taken = world.samples.answer("taken");
    world.commit(Changes { answers: vec![taken.clone()], ..Changes::default() }).await;
    let refused = world.store.commit(Changes { answers: vec![taken], ..insert_queued(&messages) }).await;
    assert_eq!(refused, Err(CommitError::KeysTaken(vec![0])));
    assert_eq!(world.store.queue_depths().await.unwrap(), []);
    world.commit(insert_queued(&messages)).await;
    assert_eq!(world.store.queue_depths().await.unwrap(), [("carrier-a".into(), 10_000)]);
    let ids: Vec<_> = messages.iter().map(|m| m.body.id).collect();
    assert_eq!(world.store.messages(&ids).await.unwrap().len(), 10_000);
}

/// Nothing to write is no error; a lost lease still is one.
pub async fn an_empty_commit_is_fine(world: &World) {
    world.commit(Changes::default()).await;
    let lost = Fence { name: "nobody's".into(), epoch: 1 };
    let refused = world.store.commit(Changes { fences: vec![lost], ..Changes::default() }).await;
    assert_eq!(refused, Err(CommitError::Fenced("nobody's".into())));
}

/// A commit that writes to every list.
fn everything(world: &World, answers: Vec<(crate::IdempotencyKey, crate::IdempotencyAnswer)>) -> Changes {
    let mut batch = world.samples.batch();
    batch.accepted = 1;
    let mut message = world.samples.message();
    change_body(&mut message, |body| body.batch = Some(batch.id));
    let id = message.body.id;
    Changes {
        answers,
        batches: vec![batch],
        remote_ids: vec![world.samples.remote_id("r1", id, 0)],
        deliveries: vec![world.samples.delivery(0)],
        parked: vec![world.samples.parked("r2")],
        mo_parts: vec![super::receipts::mo_part(world, 1)],
        ..insert_queued(&[message])
    }
}

/// Nothing of [`everything`] is there.
async fn nothing_of(world: &World, changes: &Changes) {
    let store = &world.store;
    let message = &changes.insert[0].message;
    assert_eq!(world.get(message.body.id).await, None);
    assert_eq!(store.queue_depths().await.unwrap(), []);
    assert_eq!(store.queue_entry(message.body.id).await.unwrap(), None);
    assert_eq!(store.overdue(message.body.expires_at, 9).await.unwrap(), []);
    assert_eq!(store.batch(changes.batches[0].id).await.unwrap(), None);
    assert_eq!(store.remote_ids(&[changes.remote_ids[0].key.clone()]).await.unwrap(), [None]);
    assert_eq!(store.deliveries(&Default::default(), None, 9).await.unwrap(), []);
    assert_eq!(store.parked(None, 9).await.unwrap(), []);
    assert_eq!(store.mo_parts().await.unwrap(), []);
}
