//! What retention takes away.

use model::{Content, Message, Status};

use super::samples::{DAY, change_body, end, insert, remote_key};
use super::{START, World};
use crate::{Batch, Changes, DeliveryKey, MessageFilter};

async fn ended(world: &World, after: i64) -> Message {
    let mut message = world.samples.message_at(START.plus_millis(after));
    end(&mut message, Status::Delivered, START);
    world.insert(&message).await;
    message
}

async fn text(world: &World, message: &Message) -> String {
    world.get(message.body.id).await.unwrap().body.content.text().unwrap_or("(octets)").to_owned()
}

/// Days before the day of the given time; nothing of that day itself.
pub async fn days_go_whole(world: &World) {
    let old = [ended(world, -3 * DAY).await, ended(world, -3 * DAY + 1).await, ended(world, -2 * DAY).await];
    let kept = [ended(world, -DAY).await, ended(world, 0).await];
    let batches = [&old[0], &kept[0]].map(|m| {
        let id = model::BatchId(m.body.id.0);
        Batch { id, ..world.samples.batch() }
    });
    world.commit(Changes { batches: batches.to_vec(), ..Changes::default() }).await;
    // One millisecond before the day's end is still that day.
    let day_end = START.plus_millis(-DAY - START.as_millis().rem_euclid(DAY) + DAY - 1);
    assert_eq!(world.store.forget_messages(day_end).await.unwrap(), 2);
    for message in &old {
        assert_eq!(world.get(message.body.id).await, None);
    }
    assert_eq!(world.store.batch(batches[0].id).await.unwrap(), None, "batches go with their day");
    assert!(world.store.batch(batches[1].id).await.unwrap().is_some());
    let found = super::search::search(world, &MessageFilter::default(), 9).await;
    assert_eq!(found, [kept[1].body.id, kept[0].body.id]);
    assert_eq!(world.store.forget_messages(day_end).await.unwrap(), 0);
    // The day may come to life again.
    world.insert(&old[0]).await;
    assert_eq!(world.get(old[0].body.id).await.as_ref(), Some(&old[0]));
}

/// And with it the ended ones of the same day.
pub async fn a_day_with_an_open_message_stays(world: &World) {
    let ended_one = ended(world, -3 * DAY).await;
    let mut open = world.samples.message_at(START.plus_millis(-3 * DAY));
    world.insert(&open).await;
    let other = ended(world, -4 * DAY).await;
    assert_eq!(world.store.forget_messages(START).await.unwrap(), 1);
    assert_eq!(world.get(other.body.id).await, None);
    assert!(world.get(ended_one.body.id).await.is_some() && world.get(open.body.id).await.is_some());
    end(&mut open, Status::Expired, START);
    world.commit(Changes { update: vec![open.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.forget_messages(START).await.unwrap(), 1);
    assert_eq!(world.get(open.body.id).await, None);
}

/// Only of messages that ended and are older; the rest of the message stays.
pub async fn texts_of_ended_messages_are_emptied(world: &World) {
    let old = ended(world, -2 * DAY).await;
    let young = ended(world, 1).await;
    let mut open = world.samples.message_at(START.plus_millis(-2 * DAY));
    world.insert(&open).await;
    let mut binary = world.samples.message_at(START.plus_millis(-DAY));
    change_body(&mut binary, |b| {
        b.content = Content::Binary { data: [1, 2].into(), udh: [3].into(), dcs: 4 };
    });
    end(&mut binary, Status::Failed, START);
    world.insert(&binary).await;
    assert_eq!(world.store.forget_texts(START, 99).await.unwrap(), 2);
    let mut emptied = old.clone();
    change_body(&mut emptied, |b| b.content = Content::Text("".into()));
    assert_eq!(world.get(old.body.id).await, Some(emptied));
    let kept = world.get(binary.body.id).await.unwrap().body.content.clone();
    assert!(matches!(kept, Content::Binary { data, dcs: 4, .. } if data.is_empty()));
    assert_eq!(world.get(young.body.id).await, Some(young));
    assert_eq!(world.get(open.body.id).await.as_ref(), Some(&open));
    assert_eq!(world.store.forget_texts(START, 99).await.unwrap(), 0);
    // When it has ended, its turn has come.
    end(&mut open, Status::Delivered, START);
    world.commit(Changes { update: vec![open.clone()], ..Changes::default() }).await;
    assert_eq!(world.store.forget_texts(START, 99).await.unwrap(), 1);
    assert_eq!(text(world, &open).await, "");
    // One that comes late into a day that was done is found too.
    let late = ended(world, -2 * DAY).await;
    assert_eq!(world.store.forget_texts(START, 99).await.unwrap(), 1);
    assert_eq!(text(world, &late).await, "");
}

/// A payload that is not kept is made from the message again: its text stays until nobody needs it.
pub async fn texts_that_deliveries_are_made_of_stay_until_those_are_taken(world: &World) {
    let [owed, kept, other] = [ended(world, -2 * DAY).await, ended(world, -2 * DAY).await, ended(world, -DAY).await];
    let [mut made, mut whole, mut nobodys] = [1, 2, 3].map(|after| world.samples.delivery(after));
    (made.message, made.restorable) = (Some(owed.body.id), true);
    whole.message = Some(kept.body.id);
    (nobodys.message, nobodys.restorable) = (None, true);
    let key = DeliveryKey { id: made.id, endpoint: made.endpoint.clone(), due: made.due };
    world.commit(Changes { deliveries: vec![made, whole, nobodys], ..Changes::default() }).await;
    for expected in [2, 0] {
        assert_eq!(world.store.forget_texts(START, 99).await.unwrap(), expected);
        assert_eq!(world.get(owed.body.id).await.as_ref(), Some(&owed));
    }
    assert_eq!([text(world, &kept).await, text(world, &other).await], ["", ""]);
    world.commit(Changes { deliveries_done: vec![key], ..Changes::default() }).await;
    assert_eq!(world.store.forget_texts(START, 99).await.unwrap(), 1);
    assert_eq!(text(world, &owed).await, "");
}

/// Call after call until none is left.
pub async fn texts_are_emptied_up_to_the_limit(world: &World) {
    for n in 0..7 {
        ended(world, -n * DAY / 2 - 1).await;
    }
    for expected in [3, 3, 1, 0] {
        assert_eq!(world.store.forget_texts(START, 3).await.unwrap(), expected);
    }
    assert_eq!(world.store.forget_texts(START.plus_millis(DAY), 0).await.unwrap(), 0);
}

/// Answers, parked receipts and remote ids whose time is up at the given time; others stay.
pub async fn expired_rows_go(world: &World) {
    let message = world.samples.message();
    let mut changes = insert(&message);
    for (n, key) in ["a", "b", "c"].iter().enumerate() {
        let expires_at = START.plus_millis([10, 11, 12][n]);
        let mut answer = world.samples.answer(key);
        let mut parked = world.samples.parked(key);
        let mut remote_id = world.samples.remote_id(key, message.body.id, n as u8);
        (answer.1.expires_at, parked.expires_at, remote_id.expires_at) = (expires_at, expires_at, expires_at);
        changes.answers.push(answer);
        changes.parked.push(parked);
        changes.remote_ids.push(remote_id);
    }
    world.commit(changes.clone()).await;
    assert_eq!(world.store.forget_expired(START.plus_millis(9)).await.unwrap(), 0);
    assert_eq!(world.store.forget_expired(START.plus_millis(11)).await.unwrap(), 6);
    assert_eq!(world.store.forget_expired(START.plus_millis(11)).await.unwrap(), 0);
    assert_eq!(world.store.parked(None, 9).await.unwrap(), changes.parked[2..]);
    let found = world.store.remote_ids(&["a", "b", "c"].map(remote_key)).await.unwrap();
    assert_eq!(found, [None, None, Some(changes.remote_ids[2].part)]);
    let (key, answer) = &changes.answers[2];
    assert_eq!(world.store.idempotency(key).await.unwrap().as_ref(), Some(answer));
    assert_eq!(world.get(message.body.id).await, Some(message));
}
