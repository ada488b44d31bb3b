//! What accounts have and use: claims, entries and tallies.

use std::collections::BTreeMap;

use model::resources::Amount;
use model::{LedgerEntry, LedgerId, LedgerKind, Message, Name, Sum, Timestamp};

use super::World;
use super::samples::{change_body, end, insert, insert_queued, place, update};
use crate::{Changes, ChargeClaim, Claim, CommitError, NewMessage, QueueClaim, QuotaClaim, Short, Tally, TallyRow};

fn credit(world: &World, account: &str, micros: i64) -> LedgerEntry {
    LedgerEntry {
        id: LedgerId(world.samples.id().0),
        account: account.into(),
        at: world.clock.now(),
        kind: LedgerKind::Credit,
        amount: Sum::from_micros(micros),
        message: None,
        note: Some("paid".into()),
    }
}

fn entries(entries: Vec<LedgerEntry>) -> Changes {
    Changes { entries, ..Changes::default() }
}

/// Messages of one acceptance, each for `micros`, paid by `account`, which may fall to `floor`.
fn charged(world: &World, messages: &[Message], account: &str, micros: i64, floor: i64) -> Changes {
    let each = messages.iter().map(|m| (m.body.id, Amount::from_micros(micros))).collect();
    let charge = ChargeClaim { account: account.into(), floor: Sum::from_micros(floor), each };
    let (message, at) = (messages[0].body.id, world.clock.now());
    let claim = Claim { message, more: None, at, quotas: vec![], queues: vec![], charge: Some(charge) };
    let mut changes = Changes { claims: vec![claim], ..Changes::default() };
    messages.iter().for_each(|message| changes.insert.extend(insert(message).insert));
    changes
}

fn counted(world: &World, message: &Message, tally: Tally, period: i64, parts: u64, limit: u64) -> Changes {
    let quotas = vec![QuotaClaim { account: "shop".into(), tally, period, parts, limit }];
    let claim =
        Claim { message: message.body.id, more: None, at: world.clock.now(), quotas, queues: vec![], charge: None };
    Changes { claims: vec![claim], ..insert(message) }
}

async fn value(world: &World, owner: &str, tally: Tally) -> Option<i64> {
    let rows = world.store.tallies(&[owner.into()]).await.unwrap();
    rows.into_iter().find(|row| row.tally == tally).map(|row| row.value)
}

async fn ledger(world: &World, account: &str) -> Vec<LedgerEntry> {
    world.store.ledger(account, None, 100_000).await.unwrap()
}

/// The balance is the sum of the ledger; 0 where there is none.
async fn balance(world: &World, account: &str) -> i64 {
    let sum: i64 = ledger(world, account).await.iter().map(|entry| entry.amount.micros()).sum();
    let kept = value(world, account, Tally::Balance).await.unwrap_or(0);
    assert_eq!(kept, sum, "the balance of {account}");
    kept
}

fn short(claim: usize, account: &str, tally: Tally) -> CommitError {
    CommitError::Short(vec![Short { claim, account: account.into(), tally }])
}

/// With every field, newest first, strictly older than the cursor.
pub async fn entries_come_back_as_they_were_put(world: &World) {
    let mut put = vec![credit(world, "shop", 5), credit(world, "bank", 7), credit(world, "shop", -2)];
    put[2].kind = LedgerKind::Refund;
    put[2].message = Some(world.samples.id());
    put[2].note = None;
    world.commit(entries(put.clone())).await;
    assert_eq!(ledger(world, "shop").await, [put[2].clone(), put[0].clone()]);
    assert_eq!(world.store.ledger("shop", None, 1).await.unwrap(), [put[2].clone()]);
    assert_eq!(world.store.ledger("shop", Some(put[2].id), 9).await.unwrap(), [put[0].clone()]);
    assert_eq!((balance(world, "shop").await, balance(world, "bank").await), (3, 7));
    assert_eq!(ledger(world, "nobody").await, []);
}

/// A commit that is repeated moves no money twice, and neither does an entry that stands twice in it.
pub async fn an_entry_counts_once(world: &World) {
    let entry = credit(world, "shop", 10);
    world.commit(entries(vec![entry.clone(), entry.clone()])).await;
    world.commit(entries(vec![entry])).await;
    assert_eq!(balance(world, "shop").await, 10);
    let messages = [world.samples.message()];
    let changes = charged(world, &messages, "shop", 4, 0);
    world.commit(changes.clone()).await;
    world.commit(changes.clone()).await;
    assert_eq!(balance(world, "shop").await, 6);
    // It was taken once already, so it does not matter that there is not enough for twice.
    world.commit(entries(vec![credit(world, "shop", -6)])).await;
    world.commit(changes).await;
    assert_eq!(balance(world, "shop").await, 0);
}

/// Down to the floor and not below it; nothing of a commit that is refused is written.
pub async fn a_claim_is_met_down_to_the_floor(world: &World) {
    world.commit(entries(vec![credit(world, "shop", 10)])).await;
    let messages = [world.samples.message(), world.samples.message()];
    let refused = world.store.commit(charged(world, &messages, "shop", 6, 0)).await;
    assert_eq!(refused, Err(short(0, "shop", Tally::Balance)));
    assert_eq!((world.get(messages[0].body.id).await, balance(world, "shop").await), (None, 10));
    world.commit(charged(world, &messages, "shop", 6, -2)).await;
    assert_eq!(balance(world, "shop").await, -2);
    let charges = ledger(world, "shop").await;
    let of = |message: &Message| charges.iter().find(|e| e.message == Some(message.body.id)).cloned().unwrap();
    assert_eq!(of(&messages[1]).amount, Sum::from_micros(-6));
    assert_eq!((of(&messages[1]).kind, of(&messages[1]).id.0), (LedgerKind::Charge, messages[1].body.id.0));
    // What costs nothing passes at any balance and leaves no entry.
    let free = [world.samples.message()];
    world.commit(charged(world, &free, "shop", 0, 0)).await;
    assert_eq!(ledger(world, "shop").await.len(), charges.len());
}

/// Of several claims those that are not met are told, and take nothing from the others; money that
/// comes in the same commit counts.
pub async fn claims_of_one_commit_are_met_in_their_order(world: &World) {
    world.commit(entries(vec![credit(world, "shop", 10)])).await;
    let messages: Vec<Message> = (0..5).map(|_| world.samples.message()).collect();
    let mut all = Changes::default();
    for (message, micros) in messages.iter().zip([4, 9, 3, 3, 2]) {
        let one = charged(world, std::slice::from_ref(message), "shop", micros, 0);
        all.claims.extend(one.claims);
        all.insert.extend(one.insert);
    }
    let lacks = |claim| Short { claim, account: "shop".into(), tally: Tally::Balance };
    let refused = world.store.commit(all.clone()).await;
    assert_eq!(refused, Err(CommitError::Short(vec![lacks(1), lacks(4)])));
    assert_eq!(balance(world, "shop").await, 10);
    all.entries.push(credit(world, "shop", 11));
    world.commit(all).await;
    assert_eq!(balance(world, "shop").await, 0);
}

/// A new period begins at nothing; one that is over does not come back.
pub async fn a_quota_counts_in_its_period(world: &World) {
    let commit = async |tally, period, parts, limit| {
        let message = world.samples.message();
        world.store.commit(counted(world, &message, tally, period, parts, limit)).await
    };
    assert_eq!(commit(Tally::Daily, 5, 7, 10).await, Ok(()));
    assert_eq!(commit(Tally::Daily, 5, 4, 10).await, Err(short(0, "shop", Tally::Daily)));
    assert_eq!(commit(Tally::Daily, 5, 3, 10).await, Ok(()));
    assert_eq!(commit(Tally::Monthly, 5, 11, 20).await, Ok(()));
    assert_eq!(value(world, "shop", Tally::Daily).await, Some(10));
    assert_eq!(commit(Tally::Daily, 6, 1, 10).await, Ok(()));
    assert_eq!(commit(Tally::Daily, 5, 9, 10).await, Ok(()), "a clock that went back counts on");
    assert_eq!(commit(Tally::Daily, 5, 1, 10).await, Err(short(0, "shop", Tally::Daily)));
    let rows = world.store.tallies(&["shop".into(), "bank".into()]).await.unwrap();
    let row = |tally, period, value| TallyRow { owner: "shop".into(), tally, period, value };
    assert_eq!(rows, [row(Tally::Daily, 6, 10), row(Tally::Monthly, 5, 11)]);
    assert_eq!(commit(Tally::Monthly, 5, u64::MAX, 20).await, Err(short(0, "shop", Tally::Monthly)));
}

/// A quota and money together: both or neither.
pub async fn a_claim_is_met_whole(world: &World) {
    world.commit(entries(vec![credit(world, "shop", 10)])).await;
    let messages = [world.samples.message()];
    let mut changes = charged(world, &messages, "shop", 11, 0);
    changes.claims[0].quotas = counted(world, &messages[0], Tally::Daily, 1, 1, 5).claims.remove(0).quotas;
    assert_eq!(world.store.commit(changes).await, Err(short(0, "shop", Tally::Balance)));
    assert_eq!(value(world, "shop", Tally::Daily).await, None);
}

/// What a message takes beyond what it took when it was accepted, it takes under an id of its own.
pub async fn a_message_that_is_there_may_take_more(world: &World) {
    world.commit(entries(vec![credit(world, "shop", 10)])).await;
    let messages = [world.samples.message()];
    world.commit(charged(world, &messages, "shop", 4, 0)).await;
    let more = |micros| {
        let mut changes = charged(world, &messages, "shop", micros, 0);
        changes.claims[0].more = Some(LedgerId(world.samples.id().0));
        changes.claims[0].quotas = counted(world, &messages[0], Tally::Daily, 1, 2, 5).claims.remove(0).quotas;
        Changes { claims: changes.claims, ..Changes::default() }
    };
    assert_eq!(world.store.commit(more(7)).await, Err(short(0, "shop", Tally::Balance)));
    world.commit(more(6)).await;
    world.commit(more(0)).await;
    assert_eq!((balance(world, "shop").await, value(world, "shop", Tally::Daily).await), (0, Some(4)));
    let charges: Vec<i64> = ledger(world, "shop").await.iter().map(|entry| entry.amount.micros()).collect();
    assert_eq!(charges, [-6, -4, 10]);
    assert!(ledger(world, "shop").await[..2].iter().all(|entry| entry.message == Some(messages[0].body.id)));
}

/// They are what they were put as, and go on from there.
pub async fn tallies_are_put_as_they_are(world: &World) {
    let row = |value| TallyRow { owner: "token-1".into(), tally: Tally::TokenUsed, period: 0, value };
    for value in [i64::MAX, 5] {
        world.commit(Changes { tallies: vec![row(value)], ..Changes::default() }).await;
        assert_eq!(world.store.tallies(&["token-1".into()]).await.unwrap(), [row(value)]);
    }
}

/// By account, day and kind; credits and what is newer stay, what is found later is added, and the balance
/// is the sum of all there is.
pub async fn old_entries_become_one_of_each_day(world: &World) {
    let day = world.clock.now().day();
    let at = |days: i64, hour: i64| Timestamp::from_millis((day - days) * 86_400_000 + hour * 3_600_000);
    let entry = |account: &str, at: Timestamp, kind, micros| LedgerEntry {
        id: LedgerId(world.samples.id_at(at).0),
        account: account.into(),
        at,
        kind,
        amount: Sum::from_micros(micros),
        message: (kind != LedgerKind::Credit).then(|| world.samples.id()),
        note: (kind == LedgerKind::Credit).then(|| "invoice".into()),
    };
    use LedgerKind::{Charge, Credit, Refund};
    let old = [
        entry("shop", at(3, 1), Credit, 100),
        entry("shop", at(3, 2), Charge, -7),
        entry("shop", at(3, 23), Charge, -5),
        entry("shop", at(3, 23), Refund, 5),
        entry("shop", at(2, 0), Charge, -1),
        entry("bank", at(2, 0), Charge, -3),
    ];
    let newer = entry("shop", at(1, 0), Charge, -2);
    world.commit(entries(old.iter().chain([&newer]).cloned().collect())).await;
    let roll = async |limit| world.store.roll_up_ledger(at(1, 5), limit).await.unwrap();
    assert_eq!((roll(2).await, roll(2).await, roll(2).await, roll(2).await), (2, 2, 1, 0));
    let of_day = |account: &str, days, kind, micros| {
        LedgerEntry::of_day(account.into(), day - days, kind, Sum::from_micros(micros))
    };
    let shop = |charged| {
        let refunded = of_day("shop", 3, Refund, 5);
        [newer.clone(), of_day("shop", 2, Charge, -1), old[0].clone(), refunded, of_day("shop", 3, Charge, charged)]
    };
    assert_eq!(ledger(world, "shop").await, shop(-12));
    assert_eq!(ledger(world, "bank").await, [of_day("bank", 2, Charge, -3)]);
    assert_eq!((balance(world, "shop").await, balance(world, "bank").await), (90, -3));
    world.commit(entries(vec![entry("shop", at(3, 5), Charge, -10)])).await;
    assert_eq!((roll(9).await, roll(9).await), (1, 0));
    assert_eq!(ledger(world, "shop").await, shop(-22));
    assert_eq!(balance(world, "shop").await, 80);
}

/// Commits from many tasks at once: what was taken, and what was not, is in the ledger.
pub async fn money_is_neither_made_nor_lost(world: &World) {
    let accounts = ["shop", "bank", "club"];
    for account in accounts {
        world.commit(entries(vec![credit(world, account, 400)])).await;
    }
    let mut expected: BTreeMap<&str, i64> = accounts.map(|account| (account, 400)).into();
    for _ in 0..40 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let account = accounts[(world.samples.random() % 3) as usize];
            let messages: Vec<Message> = (0..1 + world.samples.random() % 3).map(|_| world.samples.message()).collect();
            let micros = (world.samples.random() % 12) as i64;
            let mut changes = charged(world, &messages, account, micros, -20);
            let refund = (world.samples.random() % 8) as i64;
            if world.samples.random().is_multiple_of(3) {
                changes.entries.push(credit(world, account, refund));
            }
            let (store, cost) = (world.store.clone(), micros * messages.len() as i64);
            tasks.spawn(async move {
                let given: i64 = changes.entries.iter().map(|entry| entry.amount.micros()).sum();
                let outcome = store.commit(changes.clone()).await;
                if outcome.is_ok() {
                    // Whoever hears nothing asks again: it changes nothing.
                    assert_eq!(store.commit(changes).await, Ok(()));
                }
                (account, outcome, given - cost)
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (account, outcome, moved) = done.unwrap();
            match outcome {
                Ok(()) => *expected.get_mut(account).unwrap() += moved,
                Err(CommitError::Short(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        for account in accounts {
            let balance = balance(world, account).await;
            assert!(balance == expected[account] && balance >= -20, "{account}: {balance}");
        }
    }
    let left: Vec<Name> = accounts.iter().map(|account| Name::from(*account)).collect();
    assert_eq!(world.store.tallies(&left).await.unwrap().len(), 3);
}

/// New messages of `account` that are queued, if `of` have no more than `limit` with them.
fn queued_if(world: &World, account: &str, count: usize, of: &[&str], limit: u64) -> (Vec<Message>, Changes) {
    let message = || {
        let mut message = world.samples.message();
        change_body(&mut message, |body| body.account = account.into());
        message
    };
    let messages: Vec<Message> = (0..count).map(|_| message()).collect();
    let of: Vec<Name> = of.iter().map(|name| Name::from(*name)).collect();
    let queue = QueueClaim { account: of[0].clone(), of: of.into(), messages: count as u64, limit };
    let (message, at) = (messages[0].body.id, world.clock.now());
    let claims = vec![Claim { message, more: None, at, quotas: vec![], queues: vec![queue], charge: None }];
    let changes = Changes { claims, ..insert_queued(&messages) };
    (messages, changes)
}

async fn queued(world: &World, account: &str) -> u64 {
    world.store.queued(&[account.into()]).await.unwrap()[0]
}

fn full(account: &str) -> Result<(), CommitError> {
    Err(CommitError::Short(vec![Short { claim: 0, account: account.into(), tally: Tally::Queued }]))
}

/// Messages count while they are in any queue, also from before anybody asked, and no longer.
pub async fn queues_take_so_many_messages_of_an_account(world: &World) {
    // There from before there was a limit.
    let mut old: Vec<Message> = (0..5).map(|_| world.samples.message()).collect();
    for (n, message) in old.iter_mut().enumerate() {
        change_body(message, |body| body.priority = n as u8 % 4);
        message.progress.connector = Some(["carrier-a", "carrier-b"][n % 2].into());
        message.progress.due = Some(world.clock.now().plus_seconds(n as i64 * 1000));
    }
    world.commit(insert_queued(&old)).await;
    assert_eq!(world.store.queued(&["nobody".into(), "shop".into()]).await.unwrap(), [0, 5]);
    let (_, one) = queued_if(world, "shop", 1, &["shop"], 5);
    assert_eq!(world.store.commit(one.clone()).await, full("shop"));
    let (new, two) = queued_if(world, "shop", 2, &["shop"], 7);
    world.commit(two.clone()).await;
    // A commit that is repeated takes nothing more, and is never refused.
    world.commit(Changes { claims: two.claims.clone(), ..two.clone() }).await;
    assert_eq!(queued(world, "shop").await, 7);
    let (_, more) = queued_if(world, "shop", 1, &["shop"], 7);
    assert_eq!(world.store.commit(more.clone()).await, full("shop"));
    // One that moves to another queue is one as before.
    let mut moved = new[0].clone();
    moved.progress.connector = Some("carrier-c".into());
    let there = Changes { dequeue: vec![place(&new[0])], enqueue: vec![place(&moved)], ..update(&moved) };
    world.commit(there).await;
    assert_eq!(world.store.commit(more.clone()).await, full("shop"));
    // One that ends makes room, in the very commit that takes it.
    let mut ended = new[1].clone();
    end(&mut ended, model::Status::Canceled, world.clock.now());
    let instead = Changes { update: vec![ended], dequeue: vec![place(&new[1])], ..more };
    world.commit(instead).await;
    assert_eq!(queued(world, "shop").await, 7);
    // What was taken out already makes no room.
    let (_, more) = queued_if(world, "shop", 1, &["shop"], 7);
    world.commit(Changes { dequeue: vec![place(&new[1])], ..Changes::default() }).await;
    assert_eq!(world.store.commit(more.clone()).await, full("shop"));
    world.commit(Changes { dequeue: old.iter().map(place).collect(), ..Changes::default() }).await;
    world.commit(more).await;
    assert_eq!(queued(world, "shop").await, 3);
}

/// A limit may count several accounts, and claims of one commit see each other.
pub async fn accounts_share_the_room_in_queues(world: &World) {
    let (of, limit) = (["a", "b"], 3);
    let (_, first) = queued_if(world, "a", 2, &of, limit);
    world.commit(first).await;
    let (_, both) = queued_if(world, "b", 2, &of, limit);
    assert_eq!(world.store.commit(both).await, full("a"));
    let (_, mut one) = queued_if(world, "b", 1, &of, limit);
    let (_, other) = queued_if(world, "a", 1, &of, limit);
    one.claims.extend(other.claims);
    one.insert.extend::<Vec<NewMessage>>(other.insert);
    let short = vec![Short { claim: 1, account: "a".into(), tally: Tally::Queued }];
    assert_eq!(world.store.commit(one.clone()).await, Err(CommitError::Short(short)));
    one.claims.truncate(1);
    one.insert.truncate(1);
    world.commit(one).await;
    assert_eq!((queued(world, "a").await, queued(world, "b").await), (2, 1));
}
