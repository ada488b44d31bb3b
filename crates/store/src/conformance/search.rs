//! Searching messages.

use model::{Address, Direction, Message, MessageId, Status};

use super::samples::{DAY, change_body, insert};
use super::{START, World};
use crate::{Changes, MessageFilter, NewMessage};

/// Everything that passes, page by page.
pub(super) async fn search(world: &World, filter: &MessageFilter, limit: usize) -> Vec<MessageId> {
    drain(&*world.store, filter, limit).await.iter().map(|m| m.body.id).collect()
}

pub(super) async fn drain(store: &dyn crate::Store, filter: &MessageFilter, limit: usize) -> Vec<Message> {
    let (mut all, mut before): (Vec<Message>, Option<MessageId>) = (Vec::new(), None);
    loop {
        let (page, go_on) = store.search(filter, before, limit).await.unwrap();
        assert!(page.len() <= limit, "{} of at most {limit}", page.len());
        for message in &page {
            assert!(filter.takes(message), "{message:?} for {filter:?}");
            assert!(before.is_none_or(|b| message.body.id < b), "strictly older than {before:?}");
        }
        assert!(page.is_sorted_by(|a, b| a.body.id > b.body.id), "newest first");
        all.extend(page);
        let Some(next) = go_on else { return all };
        assert!(before.is_none_or(|b| next < b), "a cursor moves on");
        before = Some(next);
    }
}

fn ids<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Vec<MessageId> {
    messages.into_iter().map(|m| m.body.id).collect()
}

/// With and without a cursor.
pub async fn newest_first_strictly_older(world: &World) {
    let m: Vec<_> = (0..3).map(|_| world.samples.message()).collect();
    for message in &m {
        world.insert(message).await;
    }
    let none = MessageFilter::default();
    assert_eq!(search(world, &none, 9).await, ids([&m[2], &m[1], &m[0]]));
    let (page, _) = world.store.search(&none, Some(m[2].body.id), 9).await.unwrap();
    assert_eq!(page, [m[1].clone(), m[0].clone()]);
    assert_eq!(world.store.search(&none, Some(m[0].body.id), 9).await.unwrap(), (vec![], None));
}

/// Each field of the filter alone finds the one message that has it.
pub async fn every_filter_works(world: &World) {
    let mut m: Vec<_> = (0..11).map(|_| world.samples.message()).collect();
    let batch = world.samples.batch().id;
    change_body(&mut m[0], |b| b.account = "other".into());
    m[1].progress.status = Status::Rejected;
    change_body(&mut m[2], |b| b.to = Address::from_carrier("+15550100", true));
    change_body(&mut m[3], |b| b.from = Address::from_carrier("60777", false));
    m[4].progress.connector = Some("carrier-b".into());
    change_body(&mut m[5], |b| b.tags = vec![("campaign".into(), "spring".into()), ("x".into(), "'\"%".into())]);
    change_body(&mut m[6], |b| b.client_ref = Some("order 17".into()));
    change_body(&mut m[7], |b| b.created_at = START.plus_millis(-1000));
    change_body(&mut m[8], |b| b.created_at = START.plus_millis(1000));
    change_body(&mut m[9], |b| b.direction = Direction::Mo);
    change_body(&mut m[10], |b| b.batch = Some(batch));
    for message in &m {
        world.insert(message).await;
    }
    let none = MessageFilter::default;
    let filters = [
        MessageFilter { account: Some("other".into()), ..none() },
        MessageFilter { status: Some(Status::Rejected), ..none() },
        MessageFilter { to: Some("+15550100".into()), ..none() },
        MessageFilter { from: Some("60777".into()), ..none() },
        MessageFilter { connector: Some("carrier-b".into()), ..none() },
        MessageFilter { tag: Some(("campaign".into(), None)), ..none() },
        MessageFilter { client_ref: Some("order 17".into()), ..none() },
        MessageFilter { created_before: Some(START), ..none() },
        MessageFilter { created_after: Some(START.plus_millis(1000)), ..none() },
        MessageFilter { direction: Some(Direction::Mo), ..none() },
        MessageFilter { batch: Some(batch), ..none() },
    ];
    for (filter, message) in filters.iter().zip(&m) {
        assert_eq!(search(world, filter, 9).await, [message.body.id], "{filter:?}");
    }
    let tag = |key: &str, value: &str| MessageFilter { tag: Some((key.into(), Some(value.into()))), ..none() };
    assert_eq!(search(world, &tag("campaign", "spring"), 9).await, [m[5].body.id]);
    assert_eq!(search(world, &tag("x", "'\"%"), 9).await, [m[5].body.id]);
    assert_eq!(search(world, &tag("campaign", "autumn"), 9).await, []);
    assert_eq!(search(world, &tag("spring", "campaign"), 9).await, []);
    // The ends of a span of time: the first is in it, the last is not.
    let at_start = MessageFilter { created_after: Some(START), created_before: Some(START.plus_millis(1)), ..none() };
    assert_eq!(search(world, &at_start, 3).await.len(), 9);
    for nobodys in [
        MessageFilter { account: Some("nobody".into()), ..none() },
        MessageFilter { to: Some("+447700900".into()), ..none() },
        MessageFilter { client_ref: Some("order".into()), ..none() },
        MessageFilter { batch: Some(world.samples.batch().id), ..none() },
        MessageFilter { status: Some(Status::Unknown), ..none() },
    ] {
        assert_eq!(search(world, &nobodys, 9).await, [], "{nobodys:?}");
    }
}

/// Every field that is given must match, whichever leads to the rows.
pub async fn filters_join(world: &World) {
    let mut wanted = world.samples.message();
    let batch = world.samples.batch().id;
    let full = |body: &mut model::Body| {
        body.client_ref = Some("ref".into());
        body.batch = Some(batch);
        body.tags = vec![("k".into(), "v".into())];
    };
    change_body(&mut wanted, full);
    let mut near: Vec<_> = (0..9).map(|_| world.samples.message()).collect();
    near.iter_mut().for_each(|message| change_body(message, full));
    change_body(&mut near[0], |b| b.account = "other".into());
    near[1].progress.status = Status::Sent;
    change_body(&mut near[2], |b| b.to = Address::from_carrier("+15550100", true));
    change_body(&mut near[3], |b| b.from = Address::from_carrier("60777", false));
    near[4].progress.connector = None;
    change_body(&mut near[5], |b| b.tags = vec![("k".into(), "w".into())]);
    change_body(&mut near[6], |b| b.client_ref = None);
    change_body(&mut near[7], |b| b.direction = Direction::Mo);
    change_body(&mut near[8], |b| b.batch = None);
    for message in near.iter().chain([&wanted]) {
        world.insert(message).await;
    }
    let filter = MessageFilter {
        account: Some("shop".into()),
        status: Some(Status::Queued),
        to: Some("+447700900123".into()),
        from: Some("SHOP".into()),
        connector: Some("carrier-a".into()),
        tag: Some(("k".into(), Some("v".into()))),
        client_ref: Some("ref".into()),
        created_after: Some(START),
        created_before: Some(START.plus_millis(1)),
        direction: Some(Direction::Mt),
        batch: Some(batch),
    };
    assert_eq!(search(world, &filter, 1).await, [wanted.body.id]);
    let by_recipient = MessageFilter { client_ref: None, ..filter.clone() };
    assert_eq!(search(world, &by_recipient, 9).await, ids([&near[6], &wanted]));
    let by_batch = MessageFilter { client_ref: None, to: None, ..filter.clone() };
    assert_eq!(search(world, &by_batch, 9).await.len(), 3);
    let by_account = MessageFilter { batch: None, ..by_batch.clone() };
    assert_eq!(search(world, &by_account, 9).await.len(), 4);
    let by_status = MessageFilter { account: None, ..by_account };
    assert_eq!(search(world, &by_status, 9).await.len(), 5);
}

/// Whatever the filter, a page's end may lie anywhere.
pub async fn pages_go_on_across_days(world: &World) {
    let mut wanted = Vec::new();
    for n in 0..40 {
        let mut message = world.samples.message_at(START.plus_millis(-n * DAY / 4));
        change_body(&mut message, |b| b.client_ref = Some("same".into()));
        world.insert(&message).await;
        wanted.push(message.body.id);
    }
    let none = MessageFilter::default;
    for filter in [
        none(),
        MessageFilter { account: Some("shop".into()), ..none() },
        MessageFilter { to: Some("+447700900123".into()), ..none() },
        MessageFilter { client_ref: Some("same".into()), ..none() },
        MessageFilter { status: Some(Status::Queued), ..none() },
    ] {
        for limit in [1, 3, 40, 100] {
            assert_eq!(search(world, &filter, limit).await, wanted, "{limit} of {filter:?}");
        }
    }
    let span = MessageFilter {
        created_after: Some(START.plus_millis(-5 * DAY)),
        created_before: Some(START.plus_millis(-2 * DAY)),
        ..none()
    };
    assert_eq!(search(world, &span, 5).await, wanted[9..=20]);
}

/// A call may stop early, with a cursor; in the end all is found.
pub async fn a_rare_message_is_found_behind_many(world: &World) {
    let rare = world.samples.message();
    let id = rare.body.id;
    world.insert(&rare).await;
    world.commit(Changes { update: vec![rejected(rare)], ..Changes::default() }).await;
    for _ in 0..3 {
        let many = (0..10_000).map(|_| NewMessage { message: world.samples.message(), queue: None });
        world.commit(Changes { insert: many.collect(), ..Changes::default() }).await;
    }
    let filter = MessageFilter { status: Some(Status::Rejected), ..MessageFilter::default() };
    assert_eq!(search(world, &filter, 10).await, [id]);
    let nobodys = MessageFilter { from: Some("nobody".into()), ..MessageFilter::default() };
    assert_eq!(search(world, &nobodys, 10).await, []);
}

fn rejected(mut message: Message) -> Message {
    message.progress.status = Status::Rejected;
    message
}

/// A limit of none is an empty page, and a huge one is no error.
pub async fn limits_are_kept(world: &World) {
    let message = world.samples.message();
    world.commit(insert(&message)).await;
    let none = MessageFilter::default();
    let (page, go_on) = world.store.search(&none, None, 0).await.unwrap();
    assert_eq!((page, go_on), (vec![], None));
    assert_eq!(search(world, &none, usize::MAX).await, [message.body.id]);
}
