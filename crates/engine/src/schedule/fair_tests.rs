//! The active set over a store that fills, with restarts: nothing is lost, nothing is loaded twice, and
//! shares hold however much of each account lies in the store.

use std::collections::{BTreeMap, BTreeSet};

use model::id::Uuid;
use proptest::prelude::*;

use super::super::ready::{OVERTAKE_ALL, READ_MAX, READY_MAX};
use super::tests::{at, body_of, entry, id};
use super::*;

/// Accounts with what is due first.
type Accounts = Vec<(Name, Timestamp)>;

/// What is in the store's queue, as it orders it.
#[derive(Debug)]
struct World {
    queue: BTreeSet<(usize, Name, Place)>,
    active: Active,
    /// What is being read: what was asked for, and the answer as it was then.
    reading: Option<(Wanted, Vec<Page>, Accounts)>,
    /// Parts of each message that are to be sent, as the store has them.
    parts: BTreeMap<MessageId, VecDeque<u8>>,
    /// Parts that sessions have.
    in_flight: Vec<(MessageId, u8)>,
    now: i64,
    made: u128,
    /// Accounts listed at a time.
    listing: usize,
    /// Parts that each message has.
    parts_each: u8,
}

impl World {
    /// An empty store, of which that is known.
    fn new(listing: usize, parts_each: u8) -> Self {
        let mut world = Self {
            queue: BTreeSet::new(),
            active: Active::new(),
            reading: None,
            parts: BTreeMap::new(),
            in_flight: vec![],
            now: 0,
            made: 0,
            listing,
            parts_each,
        };
        world.read_all();
        world
    }

    fn accept(&mut self, account: &str, priority: usize, delay: i64) {
        self.made += 1;
        let place = (at(self.now + delay), id(self.made));
        self.queue.insert((priority, account.into(), place));
        self.parts.insert(place.1, (0..self.parts_each).collect());
        let found = self.found(account, priority, place);
        self.active.offer(found, at(self.now));
    }

    fn found(&self, account: &str, priority: usize, place: Place) -> Found {
        let body = body_of(account, place.1.0.as_u128(), priority as u8);
        Found { place, body, parts: self.parts_each, unsent: self.parts[&place.1].clone(), marked: false, begun: false }
    }

    /// Begins a read, or ends the one that was begun.
    fn read(&mut self) -> bool {
        let Some((wanted, pages, accounts)) = self.reading.take() else { return self.begin_read() };
        match wanted {
            Wanted::Accounts(priority, _) => {
                let last = accounts.len() < self.listing;
                self.active.listed(priority, accounts, last);
            }
            Wanted::Messages(priority, _) => assert_eq!(self.active.loaded(priority, pages), []),
        }
        true
    }

    fn begin_read(&mut self) -> bool {
        let Some(wanted) = self.active.begin_read(at(self.now)) else {
            assert!(!self.active.is_hungry(at(self.now)), "it would be asked again and again");
            return false;
        };
        let (mut pages, mut accounts) = (vec![], vec![]);
        match &wanted {
            Wanted::Accounts(priority, after) => accounts = self.accounts(*priority, after.as_deref()),
            Wanted::Messages(priority, reads) => {
                assert!(reads.iter().map(|read| read.limit).sum::<usize>() <= READ_MAX);
                pages = reads.iter().map(|read| self.page(*priority, read)).collect();
            }
        }
        self.reading = Some((wanted, pages, accounts));
        true
    }

    fn accounts(&self, priority: usize, after: Option<&str>) -> Accounts {
        let mut accounts: BTreeMap<Name, Timestamp> = BTreeMap::new();
        for (_, account, (due, _)) in self.queue.iter().filter(|(of, ..)| *of == priority) {
            if after.is_none_or(|after| **account > *after) {
                accounts.entry(account.clone()).or_insert(*due);
            }
        }
        accounts.into_iter().take(self.listing).collect()
    }

    fn page(&self, priority: usize, read: &QueueRead) -> Page {
        let account = read.account.clone();
        let first = read.after.unwrap_or((at(i64::MIN), id(0)));
        let end = (priority, account.clone(), (at(i64::MAX), MessageId(Uuid::max())));
        let mut rest = self.queue.range((priority, account.clone(), first)..=end).map(|(.., place)| *place).peekable();
        rest.next_if(|place| Some(*place) == read.after);
        let mut messages = Vec::new();
        while messages.len() < read.limit
            && let Some(place) = rest.next_if(|(due, _)| *due <= at(self.now))
        {
            messages.push(self.found(&account, priority, place));
        }
        let all = messages.len() < read.limit;
        let next_due = if all { rest.next().map(|(due, _)| due) } else { None };
        Page { account, messages, all, next_due }
    }

    fn read_all(&mut self) {
        while self.read() {}
    }

    fn take(&mut self) -> Option<Name> {
        let taken = self.active.take()?;
        let (id, priority) = (taken.body.id, priority_of(taken.body.priority));
        let entry = self.place_of(id);
        assert!(entry.2.0 <= at(self.now), "not before it is due");
        assert!(self.parts[&id].contains(&taken.part), "it is not to be sent");
        assert!(!self.in_flight.contains(&(id, taken.part)), "it is with a session already");
        assert_eq!((entry.0, &entry.1), (priority, &taken.body.account));
        self.in_flight.push((id, taken.part));
        Some(taken.body.account.clone())
    }

    fn place_of(&self, id: MessageId) -> (usize, Name, Place) {
        self.queue.iter().find(|(_, _, place)| place.1 == id).cloned().expect("what is sent is in the store")
    }

    /// One that sessions have ends: it was sent, is tried again later, or comes back.
    fn settle(&mut self, how: u8) {
        if self.in_flight.is_empty() {
            return;
        }
        let (id, part) = self.in_flight.remove(usize::from(how) % 7 % self.in_flight.len());
        let place = self.place_of(id);
        match how % 4 {
            0 => {
                let due = self.now + i64::from(how);
                self.queue.remove(&place);
                self.queue.insert((place.0, place.1.clone(), (at(due), id)));
                self.active.retry(id, Some(&entry(&place.1, due, id.0.as_u128(), place.0 as u8)));
            }
            1 => self.active.give_back(id, part),
            _ => self.sent(id, part, &place),
        }
    }

    fn sent(&mut self, id: MessageId, part: u8, place: &(usize, Name, Place)) {
        let unsent = self.parts.entry(id).or_default();
        unsent.retain(|other| *other != part);
        if unsent.is_empty() {
            self.queue.remove(place);
            self.active.forget(id);
        } else {
            self.active.sent(id);
        }
    }

    /// Is a part of this message with a session?
    fn is_out(&self, id: MessageId) -> bool {
        self.in_flight.iter().any(|(other, _)| *other == id)
    }

    /// Parts that are to be sent.
    fn unsent(&self) -> usize {
        self.parts.values().map(VecDeque::len).sum()
    }

    fn restart(&mut self) {
        self.active = Active::new();
        self.reading = None;
        self.in_flight.clear();
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Whose, with which priority, and due when: commits overtake each other, so it may be in the past.
    Accept(u8, u8, i8),
    /// The same, while a page is read.
    Overtake(u8, u8, i8),
    /// So many beginnings and ends of reads.
    Read(u8),
    Fail,
    Take(u8),
    Settle(u8),
    Pass(u8),
    Revoke(u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3u8, 0..2u8, prop_oneof![2 => Just(0i8), 1 => -20..0i8, 1 => 0..60i8]).prop_map(|(a, p, d)| Step::Accept(a, p, d)),
        4 => (0..3u8, 0..2u8, -20..0i8).prop_map(|(a, p, d)| Step::Overtake(a, p, d)),
        6 => (1..10u8).prop_map(Step::Read),
        1 => Just(Step::Fail),
        6 => (1..20u8).prop_map(Step::Take),
        6 => any::<u8>().prop_map(Step::Settle),
        3 => (0..40u8).prop_map(Step::Pass),
        1 => any::<u8>().prop_map(Step::Revoke),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2000 }))]

    #[test]
    fn nothing_is_lost_and_nothing_is_loaded_twice(steps in proptest::collection::vec(step(), 1..200)) {
        let mut world = World::new(4, 2);
        for step in steps {
            match step {
                Step::Accept(account, priority, delay) => {
                    let account = format!("a{account}");
                    world.accept(&account, usize::from(priority), i64::from(delay));
                }
                Step::Overtake(account, priority, delay) => {
                    if world.reading.is_none() {
                        world.read();
                    }
                    world.accept(&format!("a{account}"), usize::from(priority), i64::from(delay));
                    world.read();
                }
                Step::Read(count) => {
                    for _ in 0..count {
                        world.read();
                    }
                }
                Step::Fail => {
                    if world.reading.take().is_some() {
                        world.active.end_read();
                    }
                }
                Step::Take(count) => (0..count).for_each(|_| drop(world.take())),
                Step::Settle(how) => world.settle(how),
                Step::Pass(millis) => world.now += i64::from(millis),
                Step::Revoke(which) => {
                    // A newer one was to take its place, and was refused after all.
                    let waiting = world.queue.iter().nth(usize::from(which)).cloned();
                    if let Some((priority, account, place)) = waiting.filter(|(_, _, place)| !world.is_out(place.1))
                        && world.active.revoke(place.1)
                    {
                        world.active.bring_back(place, &account, priority as u8);
                    }
                }
                Step::Restart => world.restart(),
            }
        }
        // In the end everything is sent, for everything becomes due.
        world.now += 10_000;
        while !world.queue.is_empty() {
            world.read_all();
            let before = world.unsent();
            while world.take().is_some() || !world.in_flight.is_empty() {
                world.settle(2);
            }
            prop_assert!(world.unsent() < before, "{} are never sent", before);
        }
        prop_assert_eq!(world.active.len(), 0);
        prop_assert!(world.active.backlog.iter().all(|backlog| backlog.len() == 0));
    }
}

/// Takes `count` parts, with reads in between as a busy task would do them, and counts whose they were.
fn drain(world: &mut World, count: usize) -> BTreeMap<Name, usize> {
    let mut shares: BTreeMap<Name, usize> = BTreeMap::new();
    for n in 0..count {
        // A page comes some parts after it was asked for.
        if n % 16 == 0 {
            world.read();
        }
        let taken = world.active.take();
        if let Some(taken) = taken {
            let place = (at(0), taken.body.id);
            world.queue.remove(&(priority_of(taken.body.priority), taken.body.account.clone(), place));
            world.active.forget(taken.body.id);
            *shares.entry(taken.body.account.clone()).or_default() += 1;
        }
        assert!(world.active.len() <= READY_MAX + OVERTAKE_ALL + READ_MAX, "{}", world.active.len());
    }
    shares
}

fn fill(world: &mut World, account: &str, count: usize) {
    (0..count).for_each(|_| world.accept(account, 1, 0));
}

#[test]
fn codes_that_were_queued_behind_another_account_go_first_after_a_restart() {
    let mut world = World::new(1000, 1);
    fill(&mut world, "bulk", 30_000);
    fill(&mut world, "codes", 20);
    world.restart();
    world.read_all();
    let first = drain(&mut world, 50);
    assert!(first.get("codes").is_some_and(|codes| *codes == 20), "{first:?}");
}

#[test]
fn shares_hold_for_what_lies_in_the_store() {
    for restart in [false, true] {
        let mut world = World::new(1000, 1);
        let shares: Shares = [("b".into(), 3), ("c".into(), 10)].into();
        world.active.set_shares(Arc::new(shares.clone()));
        for account in ["a", "b", "c"] {
            fill(&mut world, account, 20_000);
        }
        if restart {
            world.restart();
            world.active.set_shares(Arc::new(shares));
        }
        world.read_all();
        // What is in memory already from before others came is sent before them.
        let first = if restart { 0 } else { 2 * READY_MAX };
        drain(&mut world, first);
        let got = drain(&mut world, 14_000);
        for (account, share) in [("a", 1000), ("b", 3000), ("c", 10_000)] {
            let off = got[account].abs_diff(share);
            assert!(off * 50 <= share, "{account} got {} instead of {share}: {got:?}", got[account]);
        }
    }
}

#[test]
fn thousands_of_accounts_share_as_well() {
    let mut world = World::new(1000, 1);
    const ACCOUNTS: usize = 6000;
    for round in 0..3 {
        for n in 0..ACCOUNTS {
            world.accept(&format!("account {n}"), 1, 0);
        }
        if round == 1 {
            world.restart();
        }
    }
    world.read_all();
    let got = drain(&mut world, 2 * ACCOUNTS);
    assert!(got.len() > ACCOUNTS * 9 / 10, "{} of {ACCOUNTS} got something", got.len());
    assert!(got.values().all(|count| *count <= 3));
}
