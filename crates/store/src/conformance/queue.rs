//! The queue and the deadlines.

use model::{Message, MessageId, Name, Status, Timestamp};

use super::samples::{change_body, end, insert_queued, place, update};
use super::{START, World};
use crate::{Changes, NewMessage, QueueEntry, QueueLane, QueuePage, QueueRead, QueuedMessage, Store};

fn lane() -> QueueLane {
    QueueLane { connector: "carrier-a".into(), shards: 0.into(), priority: 1 }
}

/// A message that is due `after` milliseconds from the start.
fn message(world: &World, after: i64) -> Message {
    let mut message = world.samples.message();
    message.progress.due = Some(START.plus_millis(after));
    message
}

/// All that is due in a lane, account by account.
pub(super) async fn due_of(store: &dyn Store, lane: &QueueLane, by: Timestamp) -> Vec<QueuedMessage> {
    let accounts = store.queue_accounts(lane, None, 1000).await.unwrap();
    let all = |(account, _): (Name, Timestamp)| QueueRead { account, after: None, limit: 1000 };
    let reads: Vec<QueueRead> = accounts.into_iter().map(all).collect();
    let pages = store.queue_pages(lane, &reads, by).await.unwrap();
    pages.into_iter().flat_map(|page| page.messages).collect()
}

pub(super) async fn due(world: &World, lane: &QueueLane, by: Timestamp) -> Vec<QueuedMessage> {
    due_of(&*world.store, lane, by).await
}

async fn read(world: &World, reads: &[QueueRead], by: i64) -> Vec<QueuePage> {
    let pages = world.store.queue_pages(&lane(), reads, START.plus_millis(by)).await.unwrap();
    assert_eq!(pages.len(), reads.len());
    for queued in pages.iter().flat_map(|page| &page.messages) {
        assert_eq!(queued.entry.id, queued.message.body.id);
        assert_eq!(queued.entry, place(&queued.message));
    }
    pages
}

/// A page of the account of all samples.
async fn page(world: &World, after: Option<(Timestamp, MessageId)>, by: i64, limit: usize) -> Vec<MessageId> {
    let pages = read(world, &[QueueRead { account: "shop".into(), after, limit }], by).await;
    pages.iter().flat_map(|page| &page.messages).map(|q| q.entry.id).collect()
}

fn ids<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Vec<MessageId> {
    messages.into_iter().map(|m| m.body.id).collect()
}

/// Due time comes first, then the id.
pub async fn a_lane_is_ordered_by_due_time_and_id(world: &World) {
    let m = [message(world, 5), message(world, 9), message(world, 5), message(world, 1), message(world, -3)];
    world.commit(insert_queued(&m)).await;
    assert_eq!(page(world, None, 10, 9).await, ids([&m[4], &m[3], &m[0], &m[2], &m[1]]));
    assert_eq!(world.store.queue_entry(m[1].body.id).await.unwrap(), Some(place(&m[1])));
    assert_eq!(world.store.queue_entry(world.samples.id()).await.unwrap(), None);
}

/// The cursor's own entry is not given again, and entries of the same due time are not lost.
pub async fn a_page_begins_strictly_after_its_cursor(world: &World) {
    let messages: Vec<_> = (0..10).map(|n| message(world, n / 4)).collect();
    world.commit(insert_queued(&messages)).await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let read = QueueRead { account: "shop".into(), after, limit: 3 };
        let page = world.store.queue_pages(&lane(), &[read], START.plus_millis(99)).await.unwrap().remove(0);
        assert!(page.messages.len() <= 3);
        let Some(last) = page.messages.last() else { break };
        after = Some((last.entry.due, last.entry.id));
        all.extend(page.messages.iter().map(|q| q.entry.id));
    }
    assert_eq!(all, ids(&messages));
    // A cursor that is no entry's is a place between entries.
    let between = (START.plus_millis(0), MessageId::first_at(START.plus_millis(super::samples::DAY)));
    assert_eq!(page(world, Some(between), 99, 99).await, ids(&messages[4..]));
}

/// Due at the very time is due.
pub async fn only_what_is_due_is_given(world: &World) {
    let m = [message(world, 1), message(world, 2), message(world, 3)];
    world.commit(insert_queued(&m)).await;
    assert_eq!(page(world, None, 0, 9).await, []);
    assert_eq!(page(world, None, 2, 9).await, ids(&m[..2]));
}

/// Connector, shard and priority each make another lane.
pub async fn lanes_do_not_mix(world: &World) {
    let m: Vec<_> = (0..4).map(|_| message(world, 0)).collect();
    let mut entries: Vec<QueueEntry> = m.iter().map(place).collect();
    entries[1].connector = "carrier-b".into();
    entries[2].shard = 65_535;
    entries[3].priority = 3;
    let new =
        |(message, entry): (&Message, &QueueEntry)| NewMessage { message: message.clone(), queue: Some(entry.clone()) };
    let insert = m.iter().zip(&entries).map(new).collect();
    world.commit(Changes { insert, ..Changes::default() }).await;
    for entry in &entries {
        let (connector, shards) = (entry.connector.clone(), entry.shard.into());
        let lane = QueueLane { connector, shards, priority: entry.priority };
        let page = due(world, &lane, START).await;
        assert_eq!(page.iter().map(|q| &q.entry).collect::<Vec<_>>(), [entry]);
        assert_eq!(world.store.queue_entry(entry.id).await.unwrap().as_ref(), Some(entry));
    }
}

/// What is not due yet is told of when all that is due was read, and only then; other lanes don't count.
pub async fn a_page_tells_when_the_next_becomes_due(world: &World) {
    let m = [message(world, 10), message(world, 20), message(world, 20)];
    let mut other = message(world, 15);
    other.progress.connector = Some("carrier-b".into());
    world.commit(insert_queued(&m)).await;
    world.commit(insert_queued(&[other])).await;
    for (by, count, next) in [(0, 0, Some(10)), (9, 0, Some(10)), (10, 1, Some(20)), (19, 1, Some(20)), (20, 3, None)] {
        let page = read(world, &[QueueRead { account: "shop".into(), after: None, limit: 4 }], by).await.remove(0);
        assert_eq!(page.messages.len(), count, "by {by}");
        assert_eq!(page.next_due, next.map(|n| START.plus_millis(n)), "by {by}");
    }
    let full = read(world, &[QueueRead { account: "shop".into(), after: None, limit: 1 }], 10).await.remove(0);
    assert_eq!((full.messages.len(), full.next_due), (1, None));
    // A cursor behind all that is due hides nothing of what is not.
    let after = Some((START.plus_millis(12), m[0].body.id));
    let rest = read(world, &[QueueRead { account: "shop".into(), after, limit: 1 }], 10).await.remove(0);
    assert_eq!((rest.messages.len(), rest.next_due), (0, Some(START.plus_millis(20))));
}

/// A message of this account.
fn of(world: &World, account: &str, after: i64) -> Message {
    let mut message = message(world, after);
    change_body(&mut message, |body| body.account = account.into());
    message
}

/// Each account has an order of its own, and pages come in the order in which they were asked for.
pub async fn accounts_are_read_by_themselves(world: &World) {
    let m = [of(world, "b", 1), of(world, "a", 2), of(world, "b", 0), of(world, "a", 3), of(world, "aa", 9)];
    world.commit(insert_queued(&m)).await;
    let all = |account: &str| QueueRead { account: account.into(), after: None, limit: 9 };
    let pages = read(world, &[all("b"), all("nobody"), all("a"), all("aa"), all("b")], 5).await;
    let found: Vec<Vec<MessageId>> =
        pages.iter().map(|page| page.messages.iter().map(|queued| queued.entry.id).collect()).collect();
    assert_eq!(found, [ids([&m[2], &m[0]]), vec![], ids([&m[1], &m[3]]), vec![], ids([&m[2], &m[0]])]);
    assert_eq!(pages[3].next_due, Some(START.plus_millis(9)));
    assert!(read(world, &[], 5).await.is_empty());
    for message in &m {
        assert_eq!(world.store.queue_entry(message.body.id).await.unwrap(), Some(place(message)));
    }
}

/// By name, with the first due time of each, which may lie in the past or in the future.
pub async fn accounts_are_listed_with_what_is_due_first(world: &World) {
    // The empty name is that of copies, which belong to no account.
    let m: Vec<_> = [("b", 7), ("a", 2), ("b", 5), ("aa", -9), ("\u{e9}", 1), ("B", 3), ("", 4)]
        .map(|(account, after)| of(world, account, after))
        .into();
    world.commit(insert_queued(&m)).await;
    let mut elsewhere = of(world, "c", 0);
    elsewhere.progress.connector = Some("carrier-b".into());
    world.commit(insert_queued(&[elsewhere])).await;
    let all = [("", 4), ("B", 3), ("a", 2), ("aa", -9), ("b", 5), ("\u{e9}", 1)];
    let all = all.map(|(account, due)| (Name::from(account), START.plus_millis(due)));
    assert_eq!(world.store.queue_accounts(&lane(), None, 9).await.unwrap(), all);
    assert_eq!(world.store.queue_accounts(&lane(), None, 1).await.unwrap(), all[..1]);
    assert_eq!(world.store.queue_accounts(&lane(), Some(""), 2).await.unwrap(), all[1..3]);
    assert_eq!(world.store.queue_accounts(&lane(), Some("a"), 2).await.unwrap(), all[3..5]);
    assert_eq!(world.store.queue_accounts(&lane(), Some("\u{e9}"), 2).await.unwrap(), []);
    world.commit(Changes { dequeue: vec![place(&m[0]), place(&m[2])], ..Changes::default() }).await;
    assert_eq!(world.store.queue_accounts(&lane(), Some("aa"), 9).await.unwrap(), all[5..]);
}

/// Gone for every way of asking.
pub async fn what_was_dequeued_is_gone(world: &World) {
    let m = [message(world, 0), message(world, 0)];
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
    let mut message = message(world, 0);
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
    let mut messages: Vec<_> = (0..7).map(|n| message(world, n)).collect();
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
