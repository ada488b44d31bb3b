//! Random commits, applied to the store under test and to the smallest store; then everything that
//! can be read is compared.

use std::collections::BTreeMap;

use model::delivery::DeliveryState;
use model::{Address, Change, Delivery, Message, MessageId, Name, Receipt, ReceiptPolicy, ReceiptState, Timestamp};

use super::samples::{DAY, Samples, change_body, place};
use super::search::drain;
use super::{START, World};
use crate::{
    Changes, CommitError, DeliveryFilter, DeliveryKey, MemoryStore, MessageFilter, NewMessage, ParkedReceipt,
    QueueEntry, QueueLane, QueuePage, QueueRead, RemoteKey, Shards, Store, SupersedeKey,
};

const ROUNDS: usize = 12;
const COMMITS: usize = 25;

/// What the random hand remembers, so that it does what an engine could do.
#[derive(Default)]
struct Known {
    messages: Vec<Message>,
    places: BTreeMap<MessageId, QueueEntry>,
    remote_keys: Vec<RemoteKey>,
    deliveries: Vec<Delivery>,
    parked: Vec<ParkedReceipt>,
    batches: Vec<crate::Batch>,
    keys: Vec<crate::IdempotencyKey>,
}

/// Twelve times twenty-five commits, with retention and the clock going on in between.
pub async fn many_random_commits_leave_what_the_model_says(world: &World) {
    let clock = world.clock.clone();
    let model = MemoryStore::new(move || clock.now());
    let mut known = Known::default();
    for round in 0..ROUNDS {
        for _ in 0..COMMITS {
            let changes = known.changes(&world.samples, world.clock.now());
            let (ours, theirs) = (model.commit(changes.clone()).await, world.store.commit(changes.clone()).await);
            assert_eq!(theirs, ours);
            if !matches!(ours, Err(CommitError::KeysTaken(_))) {
                known.remember(changes);
            }
            world.clock.advance((world.samples.random() % 60_000) as i64);
        }
        known.forget(world, &model, round).await;
        compare(&*world.store, &model, &known, world.clock.now()).await;
    }
    assert!(known.messages.len() > 100, "the hand was too lazy: {}", known.messages.len());
}

impl Known {
    fn pick<'k, T>(samples: &Samples, from: &'k [T]) -> Option<&'k T> {
        let place = samples.random().checked_rem(from.len() as u64)?;
        from.get(place as usize)
    }

    fn changes(&self, samples: &Samples, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        let chance = |of: u64| samples.random().is_multiple_of(of);
        while changes.insert.len() < 4 && !chance(4) {
            changes.insert.push(self.message(samples));
        }
        for _ in 0..samples.random() % 4 {
            self.step(samples, now, &mut changes);
        }
        if chance(3) {
            let mut delivery = samples.delivery((samples.random() % 1000) as i64);
            delivery.endpoint = Name::from(["hook", "hook-2", "https://x.example"][(samples.random() % 3) as usize]);
            delivery.restorable = chance(2);
            changes.deliveries.push(delivery);
        }
        if let Some(delivery) = Self::pick(samples, &self.deliveries).filter(|_| chance(3)) {
            changes.deliveries_done.push(DeliveryKey::from(delivery));
            if chance(2) {
                let mut again = delivery.clone();
                again.attempts += 1;
                again.due = again.due.plus_seconds(5);
                again.state = if again.attempts > 2 { DeliveryState::Failed } else { DeliveryState::Pending };
                changes.deliveries.push(again);
            }
        }
        if chance(4) {
            changes.parked.push(samples.parked(&format!("r{}", samples.random() % 50)));
        }
        if let Some(parked) = Self::pick(samples, &self.parked).filter(|_| chance(6)) {
            changes.parked_done.push(parked.clone());
        }
        if chance(5) {
            changes.batches.push(samples.batch());
        }
        if chance(3) {
            changes.answers.push(samples.answer(&format!("key {}", samples.random() % 30)));
        }
        if let Some(message) = Self::pick(samples, &self.messages).filter(|_| chance(8)) {
            // A commit that is repeated.
            changes.insert.push(NewMessage { message: message.clone(), queue: Some(place(message)) });
        }
        changes
    }

    fn message(&self, samples: &Samples) -> NewMessage {
        let back = if samples.random().is_multiple_of(4) { (samples.random() % 6) as i64 * DAY } else { 0 };
        let mut message = if back > 0 { samples.message_at(START.plus_millis(-back)) } else { samples.message() };
        let random = samples.random();
        change_body(&mut message, |body| {
            body.account = Name::from(["shop", "bank", "club"][(random % 3) as usize]);
            body.to = Address::from_carrier(&format!("+4477009001{:02}", random % 20), true);
            body.priority = (random >> 8) as u8 % 4;
            body.expires_at = START.plus_seconds((random >> 16) as i64 % 9000);
            body.client_ref = (random >> 20).is_multiple_of(3).then(|| format!("ref {}", random % 5).into());
            body.ignore_quiet_hours = (random >> 28).is_multiple_of(5);
            body.supersede_key = (random >> 24).is_multiple_of(3).then(|| format!("key {}", random % 3).into());
            body.batch = Self::pick(samples, &self.batches).map(|b| b.id);
        });
        message.progress.connector = Some(Name::from(["carrier-a", "carrier-b"][(random >> 3) as usize % 2]));
        let queue = QueueEntry { shard: (random >> 5) as u16 % 2, ..place(&message) };
        NewMessage { message, queue: Some(queue).filter(|_| !(random >> 30).is_multiple_of(5)) }
    }

    /// Moves a message forward by one step, with what goes with it.
    fn step(&self, samples: &Samples, now: Timestamp, changes: &mut Changes) {
        let Some(mut message) = Self::pick(samples, &self.messages).cloned() else { return };
        let id = message.body.id;
        if changes.update.iter().any(|m| m.body.id == id) {
            return;
        }
        let entry = self.places.get(&id).cloned();
        match samples.random() % 4 {
            0 => {
                let remote_id = format!("r{}", samples.random() % 50);
                message.apply(
                    Change::Sent { part: 0, remote_id: remote_id.as_str().into(), policy: ReceiptPolicy::All },
                    None,
                    now,
                );
                changes.remote_ids.push(samples.remote_id(&remote_id, id, 0));
                changes.dequeue.extend(entry);
            }
            1 => {
                let receipt = Receipt { state: ReceiptState::Delivered, stat: "DELIVRD".into(), err: None };
                message.apply(Change::Receipt { part: 0, receipt, policy: ReceiptPolicy::All }, None, now);
                changes.remote_ids_done.extend(Self::pick(samples, &self.remote_keys).cloned());
                changes.dequeue.extend(entry);
            }
            2 => {
                message.apply(Change::Expire, None, now);
                changes.dequeue.extend(entry);
            }
            _ if !message.progress.status.is_final() => {
                message.progress.due = Some(now.plus_seconds((samples.random() % 300) as i64));
                changes.dequeue.extend(entry);
                changes.enqueue.push(place(&message));
            }
            _ => {}
        }
        changes.update.push(message);
    }

    fn remember(&mut self, changes: Changes) {
        self.keys.extend(changes.answers.into_iter().map(|(key, _)| key));
        self.batches.extend(changes.batches);
        for NewMessage { message, queue } in changes.insert {
            if !self.messages.iter().any(|m| m.body.id == message.body.id) {
                self.places.extend(queue.map(|entry| (entry.id, entry)));
                self.messages.push(message);
            }
        }
        for message in changes.update {
            self.messages
                .iter_mut()
                .filter(|m| m.body.id == message.body.id)
                .for_each(|m| m.progress = message.progress.clone());
        }
        changes.dequeue.iter().for_each(|entry| drop(self.places.remove(&entry.id)));
        self.places.extend(changes.enqueue.into_iter().map(|entry| (entry.id, entry)));
        self.remote_keys.extend(changes.remote_ids.into_iter().map(|r| r.key));
        self.deliveries.retain(|d| !changes.deliveries_done.iter().any(|key| key.id == d.id));
        self.deliveries.extend(changes.deliveries);
        self.parked.retain(|p| !changes.parked_done.iter().any(|done| done.id == p.id));
        self.parked.extend(changes.parked);
    }

    async fn forget(&mut self, world: &World, model: &MemoryStore, round: usize) {
        let (ours, now) = (&*world.store, world.clock.now());
        match round % 4 {
            1 => {
                let wanted = model.forget_expired(now).await.unwrap();
                assert_eq!(ours.forget_expired(now).await.unwrap(), wanted);
            }
            2 => {
                let before = START.plus_millis(-DAY);
                let wanted = model.forget_texts(before, 10).await.unwrap();
                assert_eq!(ours.forget_texts(before, 10).await.unwrap(), wanted);
            }
            3 => {
                let before = START.plus_millis(-2 * DAY);
                let wanted = model.forget_messages(before).await.unwrap();
                assert_eq!(ours.forget_messages(before).await.unwrap(), wanted);
            }
            _ => {}
        }
    }
}

async fn compare(ours: &dyn Store, model: &MemoryStore, known: &Known, now: Timestamp) {
    macro_rules! same {
        ($store:ident => $read:expr) => {{
            let $store = ours;
            let found = $read;
            let $store = model;
            assert_eq!(found, $read, "{}", stringify!($read));
        }};
    }
    let ids: Vec<MessageId> = known.messages.iter().map(|m| m.body.id).collect();
    same!(s => by_id(s.messages(&ids).await.unwrap()));
    for id in &ids {
        same!(s => s.queue_entry(*id).await.unwrap());
    }
    same!(s => sorted(s.queue_depths().await.unwrap()));
    same!(s => s.queued(&["shop", "nobody", "bank", "club"].map(Name::from)).await.unwrap());
    for connector in ["carrier-a", "carrier-b"] {
        let shards = [Shards::from(0), Shards::from(1), Shards::from_iter([0, 1])];
        for (shards, priority) in shards.iter().flat_map(|shards| (0..4).map(move |priority| (shards, priority))) {
            let lane = QueueLane { connector: connector.into(), shards: shards.clone(), priority };
            same!(s => entries(s, &lane, now.plus_seconds(60)).await);
            same!(s => s.queue_accounts(&lane, None, 9).await.unwrap());
            same!(s => s.queue_accounts(&lane, Some("club"), 1).await.unwrap());
            same!(s => pages(s, &lane, now).await);
        }
    }
    same!(s => s.overdue(now, 7).await.unwrap());
    same!(s => s.overdue(now.plus_seconds(9000), 1000).await.unwrap());
    same!(s => s.remote_ids(&known.remote_keys).await.unwrap());
    for key in &known.keys {
        same!(s => s.idempotency(key).await.unwrap());
    }
    let latest: Vec<SupersedeKey> = known.messages.iter().filter_map(|m| SupersedeKey::of(&m.body)).collect();
    same!(s => s.latest_under(&latest).await.unwrap());
    for batch in &known.batches {
        same!(s => s.batch(batch.id).await.unwrap());
        let filter = MessageFilter { batch: Some(batch.id), ..MessageFilter::default() };
        same!(s => drain(s, &filter, 3).await);
    }
    for endpoint in ["hook", "hook-2", "https://x.example"] {
        same!(s => s.delivery_page(endpoint, None, now, 100).await.unwrap());
        same!(s => by_id_of(s.deliveries_retrying(endpoint).await.unwrap()));
        same!(s => s.delivery_next_due(endpoint, START).await.unwrap());
    }
    same!(s => sorted(s.delivery_endpoints().await.unwrap()));
    same!(s => s.deliveries(&DeliveryFilter::default(), None, 1000).await.unwrap());
    same!(s => s.parked(None, 1000).await.unwrap());
    same!(s => { let mut found = s.parked_for(&known.remote_keys).await.unwrap(); found.sort_by_key(|p| p.id); found });
    for filter in filters() {
        same!(s => drain(s, &filter, 7).await);
    }
}

fn filters() -> Vec<MessageFilter> {
    let none = MessageFilter::default;
    let mut filters = vec![
        none(),
        MessageFilter { account: Some("bank".into()), ..none() },
        MessageFilter { connector: Some("carrier-b".into()), ..none() },
        MessageFilter { client_ref: Some("ref 3".into()), ..none() },
        MessageFilter { to: Some("+447700900107".into()), account: Some("shop".into()), ..none() },
        MessageFilter { created_after: Some(START.plus_millis(-3 * DAY)), created_before: Some(START), ..none() },
    ];
    filters.extend(model::Status::ALL.map(|status| MessageFilter { status: Some(status), ..none() }));
    filters
}

async fn entries(store: &dyn Store, lane: &QueueLane, by: Timestamp) -> Vec<(QueueEntry, Message)> {
    let page = super::queue::due_of(store, lane, by).await;
    page.into_iter().map(|queued| (queued.entry, queued.message)).collect()
}

/// The second page of each account, and what becomes due after it.
async fn pages(store: &dyn Store, lane: &QueueLane, by: Timestamp) -> Vec<(Vec<QueueEntry>, Option<Timestamp>)> {
    let mut reads: Vec<QueueRead> = ["shop", "nobody", "bank", "club"]
        .map(|account| QueueRead { account: account.into(), after: None, limit: 3 })
        .into();
    let first = store.queue_pages(lane, &reads, by).await.unwrap();
    for (read, page) in reads.iter_mut().zip(&first) {
        read.after = page.messages.last().map(|queued| (queued.entry.due, queued.entry.id));
    }
    let second = store.queue_pages(lane, &reads, by).await.unwrap();
    let entries = |page: QueuePage| (page.messages.into_iter().map(|queued| queued.entry).collect(), page.next_due);
    first.into_iter().chain(second).map(entries).collect()
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

fn by_id(mut messages: Vec<Message>) -> Vec<Message> {
    messages.sort_by_key(|m| m.body.id);
    messages
}

fn by_id_of(mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
    deliveries.sort_by_key(|d| d.id);
    deliveries
}
