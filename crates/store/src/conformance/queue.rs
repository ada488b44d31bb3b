//! The queue and the deadlines.

use model::{Message, MessageId, Name, Status, Timestamp};

use super::samples::{change_body, end, insert_queued, place, update};
use super::{START, World};
use crate::{Changes, NewMessage, QueueEntry, QueueLane};

fn lane() -> QueueLane {
    QueueLane { connector: "carrier-a".into(), shard: 0, priority: 1 }
}

/// A message that is due `after` milliseconds from the start.
fn due(world: &World, after: i64) -> Message {
    let mut message = world.samples.message();
    message.progress.due = Some(START.plus_millis(after));
    message
}

async fn page(world: &World, after: Option<(Timestamp, MessageId)>, by: i64, limit: usize) -> Vec<MessageId> {
    let page = world.store.queue_page(&lane(), after, START.plus_millis(by), limit).await.unwrap();
    for queued in &page {
        assert_eq!(queued.entry.id, queued.message.body.id);
        assert_eq!(queued.entry, place(&queued.message));
    }
    page.iter().map(|q| q.entry.id).collect()
}

fn ids<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Vec<MessageId> {
    messages.into_iter().map(|m| m.body.id).collect()
}

/// Due time comes first, then the id.
pub async fn a_lane_is_ordered_by_due_time_and_id(world: &World) {
    let m = [due(world, 5), due(world, 9), due(world, 5), due(world, 1), due(world, -3)];
    world.commit(insert_queued(&m)).await;
    assert_eq!(page(world, None, 10, 9).await, ids([&m[4], &m[3], &m[0], &m[2], &m[1]]));
    assert_eq!(world.store.queue_entry(m[1].body.id).await.unwrap(), Some(place(&m[1])));
    assert_eq!(world.store.queue_entry(world.samples.id()).await.unwrap(), None);
}

/// The cursor's own entry is not given again, and entries of the same due time are not lost.
pub async fn a_page_begins_strictly_after_its_cursor(world: &World) {
    let messages: Vec<_> = (0..10).map(|n| due(world, n / 4)).collect();
    world.commit(insert_queued(&messages)).await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = world.store.queue_page(&lane(), after, START.plus_millis(99), 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some((last.entry.due, last.entry.id));
        all.extend(page.iter().map(|q| q.entry.id));
    }
    assert_eq!(all, ids(&messages));
    // A cursor that is no entry's is a place between entries.
    let between = (START.plus_millis(0), MessageId::first_at(START.plus_millis(super::samples::DAY)));
    assert_eq!(page(world, Some(between), 99, 99).await, ids(&messages[4..]));
}

/// Due at the very time is due.
pub async fn only_what_is_due_is_given(world: &World) {
    let m = [due(world, 1), due(world, 2), due(world, 3)];
    world.commit(insert_queued(&m)).await;
    assert_eq!(page(world, None, 0, 9).await, []);
    assert_eq!(page(world, None, 2, 9).await, ids(&m[..2]));
}

/// Connector, shard and priority each make another lane.
pub async fn lanes_do_not_mix(world: &World) {
    let m: Vec<_> = (0..4).map(|_| due(world, 0)).collect();
    let mut entries: Vec<QueueEntry> = m.iter().map(place).collect();
    entries[1].connector = "carrier-b".into();
    entries[2].shard = 65_535;
    entries[3].priority = 3;
    let new =
        |(message, entry): (&Message, &QueueEntry)| NewMessage { message: message.clone(), queue: Some(entry.clone()) };
    let insert = m.iter().zip(&entries).map(new).collect();
    world.commit(Changes { insert, ..Changes::default() }).await;
    for entry in &entries {
        let lane = QueueLane { connector: entry.connector.clone(), shard: entry.shard, priority: entry.priority };
        let page = world.store.queue_page(&lane, None, START, 9).await.unwrap();
        assert_eq!(page.iter().map(|q| &q.entry).collect::<Vec<_>>(), [entry]);
        assert_eq!(world.store.queue_entry(entry.id).await.unwrap().as_ref(), Some(entry));
    }
}

/// The earliest due time that is later, in this lane.
pub async fn the_next_due_time_is_later_than_the_given(world: &World) {
    let m = [due(world, 10), due(world, 20), due(world, 20)];
    let mut other = due(world, 15);
    other.progress.connector = Some("carrier-b".into());
    world.commit(insert_queued(&m)).await;
    world.commit(insert_queued(&[other])).await;
    for (after, next) in [(0, Some(10)), (9, Some(10)), (10, Some(20)), (20, None)] {
        let found = world.store.queue_next_due(&lane(), START.plus_millis(after)).await.unwrap();
        assert_eq!(found, next.map(|n| START.plus_millis(n)), "after {after}");
    }
}

/// Gone for every way of asking.
pub async fn what_was_dequeued_is_gone(world: &World) {
    let m = [due(world, 0), due(world, 0)];
    world.commit(insert_queued(&m)).await;
    // The whole entry is the key: one with another due time is another entry.
    let other = QueueEntry { due: START.plus_millis(1), ..place(&m[0]) };
    world.commit(Changes { dequeue: vec![other], ..Changes::default() }).await;
    assert_eq!(page(world, None, 0, 9).await, ids(&m));
    world.commit(Changes { dequeue: vec![place(&m[0])], ..Changes::default() }).await;
    assert_eq!(page(world, None, 0, 9).await, ids(&m[1..]));
    assert_eq!(world.store.queue_entry(m[0].body.id).await.unwrap(), None);
    assert_eq!(world.store.queue_depths().await.unwrap(), [("carrier-a".into(), 1)]);
    // To take away what is not there is no error.
    world.commit(Changes { dequeue: vec![place(&m[0])], ..Changes::default() }).await;
}

/// A retry: the old place goes and the new one comes, with and without new progress.
pub async fn requeued_in_the_commit_that_dequeues(world: &World) {
    let mut message = due(world, 0);
    world.commit(insert_queued(std::slice::from_ref(&message))).await;
    let mut old = place(&message);
    message.progress.due = Some(START.plus_millis(30));
    message.progress.connector = Some("carrier-b".into());
    let mut new = place(&message);
    world.commit(Changes { dequeue: vec![old], enqueue: vec![new.clone()], ..update(&message) }).await;
    assert_eq!(world.store.queue_entry(new.id).await.unwrap(), Some(new.clone()));
    assert_eq!(page(world, None, 99, 9).await, []);
    old = new.clone();
    new.shard = 3;
    world.commit(Changes { dequeue: vec![old.clone()], enqueue: vec![new.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.queue_entry(new.id).await.unwrap(), Some(new.clone()));
    assert_eq!(world.get(message.body.id).await, Some(message));
    // The same entry in both lists: the later list of `Changes` wins, so it is there.
    world.commit(Changes { dequeue: vec![new.clone()], enqueue: vec![new.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.queue_entry(new.id).await.unwrap(), Some(new));
    assert_eq!(world.store.queue_depths().await.unwrap(), [("carrier-b".into(), 1)]);
}

/// Over all shards and priorities.
pub async fn depths_count_each_connector(world: &World) {
    let mut messages: Vec<_> = (0..7).map(|n| due(world, n)).collect();
    for (n, message) in messages.iter_mut().enumerate() {
        message.progress.connector = Some(Name::from(if n < 5 { "carrier-b" } else { "carrier-a" }));
        change_body(message, |body| body.priority = n as u8 % 4);
    }
    assert_eq!(world.store.queue_depths().await.unwrap(), []);
    world.commit(insert_queued(&messages)).await;
    let mut depths = world.store.queue_depths().await.unwrap();
    depths.sort();
    assert_eq!(depths, [("carrier-a".into(), 2), ("carrier-b".into(), 5)]);
}

/// Oldest deadline first, up to the limit; a deadline at the very time is over.
pub async fn deadlines_come_with_messages_that_have_not_ended(world: &World) {
    let mut m: Vec<_> = (0..5).map(|_| world.samples.message()).collect();
    for (message, after) in m.iter_mut().zip([30, 10, 20, 10, 5]) {
        change_body(message, |body| body.expires_at = START.plus_millis(after));
    }
    m[0].progress.status = Status::Scheduled;
    m[2].progress.status = Status::Sent;
    m[4].progress.status = Status::Received;
    for message in &m {
        world.insert(message).await;
    }
    let overdue = async |by, limit| world.store.overdue(START.plus_millis(by), limit).await.unwrap();
    assert_eq!(overdue(9, 9).await, []);
    assert_eq!(overdue(10, 9).await, ids([&m[1], &m[3]]));
    assert_eq!(overdue(99, 9).await, ids([&m[1], &m[3], &m[2], &m[0]]));
    assert_eq!(overdue(99, 3).await, ids([&m[1], &m[3], &m[2]]));
}

/// Each way to end takes the deadline away; moving on does not.
pub async fn deadlines_go_with_the_end(world: &World) {
    for status in Status::ALL {
        let mut message = world.samples.message();
        world.insert(&message).await;
        let open = !status.is_final();
        end(&mut message, status, world.clock.now());
        for _ in 0..2 {
            world.commit(update(&message)).await;
            let overdue = world.store.overdue(message.body.expires_at, 99).await.unwrap();
            assert_eq!(overdue.contains(&message.body.id), open, "{status:?}");
        }
    }
}
