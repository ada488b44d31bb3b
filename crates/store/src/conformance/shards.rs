//! Several shards of a connector's queue, read as one.

use model::{Message, MessageId, Name, Timestamp};

use super::samples::{change_body, place};
use super::{START, World};
use crate::{Changes, NewMessage, QueueEntry, QueueLane, QueuePage, QueueRead, Shards};

fn lane(shards: impl IntoIterator<Item = u16>) -> QueueLane {
    QueueLane { connector: "carrier-a".into(), shards: shards.into_iter().collect(), priority: 1 }
}

/// Queues a message of `account` in `shard`, due `after` milliseconds from the start.
async fn queue(world: &World, shard: u16, account: &str, after: i64) -> QueueEntry {
    let mut message: Message = world.samples.message();
    message.progress.due = Some(START.plus_millis(after));
    change_body(&mut message, |body| body.account = account.into());
    let entry = QueueEntry { shard, ..place(&message) };
    let insert = vec![NewMessage { message, queue: Some(entry.clone()) }];
    world.commit(Changes { insert, ..Changes::default() }).await;
    entry
}

async fn page(
    world: &World,
    lane: &QueueLane,
    after: Option<(Timestamp, MessageId)>,
    by: i64,
    limit: usize,
) -> QueuePage {
    let read = QueueRead { account: "shop".into(), after, limit };
    let mut pages = world.store.queue_pages(lane, &[read], START.plus_millis(by)).await.unwrap();
    assert_eq!(pages.len(), 1);
    let page = pages.remove(0);
    assert!(page.messages.iter().all(|queued| queued.entry.id == queued.message.body.id));
    page
}

fn entries(page: QueuePage) -> Vec<QueueEntry> {
    page.messages.into_iter().map(|queued| queued.entry).collect()
}

/// In the order of due times and ids, each with the shard that it lies in; others are left alone.
pub async fn several_shards_are_read_as_one(world: &World) {
    let a = queue(world, 0, "shop", 5).await;
    let b = queue(world, 65_535, "shop", 1).await;
    let c = queue(world, 7, "shop", 5).await;
    let d = queue(world, 0, "shop", 3).await;
    let other = queue(world, 1, "shop", 2).await;
    queue(world, 7, "bank", 2).await;
    let all = [b.clone(), d.clone(), a.clone(), c.clone()];
    assert_eq!(entries(page(world, &lane([65_535, 0, 7]), None, 9, 9).await), all);
    // To name a shard twice, or one where nothing lies, changes nothing.
    assert_eq!(entries(page(world, &lane([7, 0, 0, 7, 65_535, 3]), None, 9, 9).await), all);
    assert_eq!(entries(page(world, &lane([0, 7]), None, 9, 9).await), [d.clone(), a, c]);
    assert_eq!(entries(page(world, &lane([1, 65_535]), None, 9, 9).await), [b.clone(), other]);
    world.commit(Changes { dequeue: vec![d], ..Changes::default() }).await;
    assert_eq!(entries(page(world, &lane([0, 65_535]), None, 1, 9).await), [b]);
}

/// Nothing is lost and nothing comes twice, wherever a page ends.
pub async fn pages_of_several_shards_go_on_after_a_cursor(world: &World) {
    let mut all = Vec::new();
    for n in 0..23 {
        all.push(queue(world, [4, 9, 11][n % 3], "shop", (n / 5) as i64).await);
    }
    for limit in [1, 2, 3, 7, 23, 24] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = page(world, &lane([4, 9, 11]), after, 99, limit).await;
            assert!(page.messages.len() <= limit);
            let Some(last) = page.messages.last() else { break };
            after = Some((last.entry.due, last.entry.id));
            found.extend(entries(page));
        }
        assert_eq!(found, all, "{limit} at a time");
    }
}

/// The earliest of all shards, and only of a page that is not full.
pub async fn several_shards_tell_when_the_next_becomes_due(world: &World) {
    for (shard, after) in [(0, 30), (1, 10), (2, 20), (3, 5)] {
        queue(world, shard, "shop", after).await;
    }
    let lane = lane([0, 1, 2]);
    for (by, count, next) in [(0, 0, Some(10)), (10, 1, Some(20)), (29, 2, Some(30)), (30, 3, None)] {
        let page = page(world, &lane, None, by, 4).await;
        assert_eq!((page.messages.len(), page.next_due), (count, next.map(|n| START.plus_millis(n))), "by {by}");
    }
    let full = page(world, &lane, None, 20, 2).await;
    assert_eq!((full.messages.len(), full.next_due), (2, None));
}

/// Each account once, with what is due first in any of the shards.
pub async fn accounts_of_several_shards_are_merged(world: &World) {
    for (shard, account, after) in
        [(0, "b", 7), (1, "b", 5), (2, "b", 1), (0, "a", 3), (1, "c", -4), (0, "c", 0), (1, "", 8), (2, "aa", 6)]
    {
        queue(world, shard, account, after).await;
    }
    let due = |(account, after): (&str, i64)| (Name::from(account), START.plus_millis(after));
    let of = async |shards: &[u16], after: Option<&str>, limit| {
        world.store.queue_accounts(&lane(shards.iter().copied()), after, limit).await.unwrap()
    };
    let two = [("", 8), ("a", 3), ("b", 5), ("c", -4)].map(due);
    assert_eq!(of(&[0, 1], None, 9).await, two);
    assert_eq!(of(&[1, 0], None, 2).await, two[..2]);
    assert_eq!(of(&[0, 1], Some(""), 2).await, two[1..3]);
    assert_eq!(of(&[0, 1], Some("aa"), 9).await, two[2..]);
    assert_eq!(of(&[0, 1], Some("c"), 9).await, []);
    assert_eq!(of(&[0, 1, 2], Some("a"), 2).await, [("aa", 6), ("b", 1)].map(due));
}

/// Who owns nothing has nothing to read.
pub async fn of_no_shards_nothing_is_read(world: &World) {
    queue(world, 0, "shop", 0).await;
    let none = QueueLane { shards: Shards::default(), ..lane([]) };
    assert_eq!(world.store.queue_accounts(&none, None, 9).await.unwrap(), []);
    let page = page(world, &none, None, 9, 9).await;
    assert_eq!((page.messages.len(), page.next_due), (0, None));
}
