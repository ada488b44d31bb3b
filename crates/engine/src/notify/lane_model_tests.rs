//! A lane against a model of everything round it, where each step happens at any time: rows are
//! committed, offered and acknowledged one after another, pages are snapshots that are brought
//! later, calls end in any order, and now and then the process is killed.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use fastrand::Rng;

use super::super::fixtures::{START, delivery};
use super::*;

/// Octets for six deliveries: most of the backlog is in the store.
const ROOM: usize = 6 * (OVERHEAD + 2);
const PAGE: usize = 4;

enum Write {
    New(Delivery),
    Settled(Settled),
}

struct World {
    random: Rng,
    now: Timestamp,
    lane: Lane,
    /// What is on disk.
    rows: BTreeMap<Place, Delivery>,
    given_up: usize,
    /// What the recorder was told and has not committed.
    inbox: VecDeque<Write>,
    /// What was committed and not offered yet, and what is to be acknowledged then.
    offers: VecDeque<(Option<Delivery>, Option<DeliveryId>)>,
    acknowledgements: VecDeque<DeliveryId>,
    /// A read that was begun; a page that was read, with whether it is the last and what is due
    /// later.
    begun: Option<Read>,
    page: Option<(Vec<Delivery>, bool, Option<Timestamp>)>,
    calls: Vec<Taken>,
    /// Whose end was reported.
    ended: HashSet<DeliveryId>,
    /// Committed deliveries by message.
    known: BTreeMap<Option<MessageId>, BTreeSet<DeliveryId>>,
    last_id: u128,
    last_due: BTreeMap<Option<MessageId>, Timestamp>,
    /// Per cent of calls that fail.
    failures: u8,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        Self {
            failures: random.u8(0..70),
            random,
            now: START,
            lane: Lane::new(),
            rows: BTreeMap::new(),
            given_up: 0,
            inbox: VecDeque::new(),
            offers: VecDeque::new(),
            acknowledgements: VecDeque::new(),
            begun: None,
            page: None,
            calls: Vec::new(),
            ended: HashSet::new(),
            known: BTreeMap::new(),
            last_id: 0,
            last_due: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        match self.random.u8(..14) {
            0 => self.owe(),
            1 | 2 => self.commit(),
            3 | 4 => self.offer(),
            5 => self.acknowledge(),
            6 => self.begin_read(),
            7 => self.snapshot(),
            8 => self.bring(),
            9 | 10 => self.take(),
            11 | 12 => self.end_a_call(),
            _ => self.pass_time(),
        }
    }

    fn owe(&mut self) {
        for _ in 0..self.random.u8(1..6) {
            self.last_id += 1;
            let mut new = delivery(self.last_id, self.random.u128(0..8), 0);
            // Rows of different messages are not committed in the order of their times.
            let due = self.now.plus_millis(-self.random.i64(0..20));
            let last = self.last_due.entry(new.message).or_insert(due);
            new.due = due.max(*last);
            *last = new.due;
            self.inbox.push_back(Write::New(new));
        }
    }

    fn commit(&mut self) {
        // The recorder offers what it has committed before it goes on.
        if !self.offers.is_empty() {
            return;
        }
        match self.inbox.pop_front() {
            None => {}
            Some(Write::New(new)) => {
                self.known.entry(new.message).or_default().insert(new.id);
                self.rows.insert((new.due, new.id), new.clone());
                self.offers.push_back((Some(new), None));
            }
            Some(Write::Settled(Settled { done, put })) => {
                assert!(self.rows.remove(&(done.due, done.id)).is_some(), "{done:?} is not what is stored");
                match put.clone() {
                    Some(put) if put.state == DeliveryState::Pending => _ = self.rows.insert((put.due, put.id), put),
                    Some(_) => self.given_up += 1,
                    None => {}
                }
                self.offers.push_back((put, Some(done.id)));
            }
        }
    }

    fn offer(&mut self) {
        let Some((put, ticket)) = self.offers.pop_front() else { return };
        let mut out = vec![];
        if let Some(put) = put {
            self.lane.offer(put.clone(), ROOM, self.now, &mut out);
        }
        self.acknowledgements.extend(ticket);
        self.write(out);
    }

    fn acknowledge(&mut self) {
        if let Some(id) = self.acknowledgements.pop_front() {
            self.lane.durable(id, self.now);
        }
    }

    fn begin_read(&mut self) {
        if self.begun.is_none() && self.page.is_none() && self.lane.is_hungry(ROOM, self.now) {
            self.begun = Some(self.lane.begin_read(PAGE, self.now));
        }
    }

    fn snapshot(&mut self) {
        match self.begun.take() {
            None => {}
            Some(Read::Retrying) => {
                let retrying = self.rows.values().filter(|d| d.attempts > 0);
                self.lane.recalled(retrying.map(|d| (d.message, d.id, d.due)));
            }
            Some(Read::Page { after, limit }) => {
                let due = |d: &&Delivery| d.due <= self.now && after.is_none_or(|after| (d.due, d.id) > after);
                let page: Vec<Delivery> = self.rows.values().filter(due).take(limit).cloned().collect();
                let last = page.len() < limit;
                let next_due = self.rows.values().map(|d| d.due).find(|due| *due > self.now).filter(|_| last);
                self.page = Some((page, last, next_due));
            }
        }
    }

    fn bring(&mut self) {
        if let Some((page, last, next_due)) = self.page.take() {
            if self.random.u8(..) < 20 {
                return self.lane.end_read();
            }
            let mut out = vec![];
            self.lane.loaded(page, last, next_due, ROOM, &mut out);
            self.write(out);
        }
    }

    fn take(&mut self) {
        if !self.lane.can_start(5, self.now) {
            return;
        }
        let target = |_: &Delivery| {
            Ok(Target {
                url: "https://hook.example".into(),
                style: model::CallbackStyle::Webhook,
                secret: None,
                answer: super::super::AnswerWish::No,
            })
        };
        let mut out = vec![];
        let taken = self.lane.take(target, &mut out);
        self.write(out);
        let Some(taken) = taken else { return };
        let (id, message) = (taken.delivery.id, taken.delivery.message);
        assert!(!self.ended.contains(&id), "{id} has ended");
        assert!(self.calls.iter().all(|c| c.delivery.id != id), "{id} is under way");
        assert!(taken.delivery.due <= self.now, "{id} is not due");
        if message.is_some() {
            assert!(self.calls.iter().all(|c| c.delivery.message != message), "two of one message are under way");
            let earlier = self.known[&message].range(..id).find(|earlier| !self.ended.contains(earlier));
            assert_eq!(earlier, None, "{id} came before it");
        }
        self.calls.push(taken);
    }

    fn end_a_call(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let taken = self.calls.swap_remove(self.random.usize(..self.calls.len()));
        let result = match self.random.u8(..100) {
            0..3 => return self.lane.abandon(taken.delivery.id, taken.probe, self.now),
            3..5 => CallResult::Gone,
            n if n < self.failures => CallResult::Failed { detail: "HTTP 500".into(), retry_after: None },
            _ => CallResult::Taken,
        };
        let mut out = vec![];
        self.lane.finish(&taken.delivery, taken.probe, result, self.now, self.random.u64(..), &mut out);
        assert_eq!(out.first().map(|s| s.done.id), Some(taken.delivery.id));
        self.write(out);
    }

    fn write(&mut self, out: Vec<Settled>) {
        for settled in out {
            if settled.put.as_ref().is_none_or(|p| p.state == DeliveryState::Failed) {
                self.ended.insert(settled.done.id);
            }
            self.inbox.push_back(Write::Settled(settled));
        }
    }

    fn pass_time(&mut self) {
        let next = self.lane.next_wake(self.now).filter(|_| self.random.u8(..) < 60);
        self.now = next.unwrap_or_else(|| self.now.plus_millis(self.random.i64(1..10)));
        self.lane.wake(self.now);
    }

    /// The process is killed: what is on disk is left, and what it knows is known again.
    fn crash(&mut self) {
        for write in self.inbox.drain(..) {
            if let Write::Settled(settled) = write {
                self.ended.remove(&settled.done.id);
            }
        }
        self.offers.clear();
        self.acknowledgements.clear();
        (self.begun, self.page) = (None, None);
        self.calls.clear();
        self.lane = Lane::new();
    }

    /// Lets everything come to its end.
    fn finish(&mut self) {
        self.failures = 0;
        for _ in 0..200_000 {
            self.step_without_new();
            if self.rows.is_empty() && self.inbox.is_empty() && self.lane.is_idle() {
                return;
            }
        }
        panic!("{} rows are stuck, {:#?}", self.rows.len(), self.lane);
    }

    fn step_without_new(&mut self) {
        self.commit();
        self.offer();
        self.acknowledge();
        self.begin_read();
        self.snapshot();
        self.bring();
        self.take();
        self.end_a_call();
        if self.calls.is_empty() && self.inbox.is_empty() && self.offers.is_empty() {
            self.pass_time();
        }
    }
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order() {
    let mut given_up = 0;
    for seed in 0..60 {
        let mut world = World::new(seed);
        for n in 0..2000 {
            if n % 500 == 499 && seed % 2 == 0 {
                world.crash();
            }
            world.step();
            assert!(world.lane.weight() <= ROOM, "seed {seed}");
        }
        world.finish();
        let known: usize = world.known.values().map(BTreeSet::len).sum();
        assert_eq!(world.ended.len(), known, "seed {seed}");
        given_up += world.given_up;
    }
    assert!(given_up > 0, "410 was met");
}
