//! A small world: nodes, the wire between them and the store, and a store that is the real one in memory.
//!
//! Nothing happens by itself. Each [`Step`] is one thing that happens somewhere: time goes by, a node asks, what
//! it asked for arrives at the store, the answer arrives at the node, a node gives up waiting for it though it
//! may arrive still, a process dies. A node that takes no steps is one that was stopped, for as long as it
//! takes none; so there is nothing between any two steps that a pause could not be put.

use std::sync::Arc;

use store::Lease;

use crate::remote::Remote;
use crate::words::{Ask, Fault, MILLI, Reply, Request, Rules, Step, Wrong};

#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub alive: bool,
    /// Which process this is, counted up.
    process: u32,
    clock: i64,
    pub suspended: bool,
    leaving: bool,
    membership: Option<Lease>,
    /// Until when it may act, by its own clock.
    deadline: i64,
    /// Slots as bits: those it holds, those that it may have released, those with a commit that may come.
    holds: u8,
    pub maybe_released: u8,
    maybe_committing: u8,
}

#[derive(Clone)]
pub struct World {
    pub rules: Arc<Rules>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) wire: Vec<Request>,
    store: Remote,
    mishaps: usize,
    /// Who claimed each slot last: the node and its epoch.
    claimed: Vec<Option<(usize, u64)>>,
}

impl World {
    pub fn new(rules: Rules) -> Self {
        let nodes = vec![Node { alive: true, ..Node::default() }; rules.rates.len()];
        let store = Remote::new(nodes.len(), rules.slots, rules.ttl);
        Self {
            nodes,
            wire: Vec::new(),
            store,
            mishaps: 0,
            claimed: vec![None; usize::from(rules.slots)],
            rules: Arc::new(rules),
        }
    }

    /// All that can happen next, but for time.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (n, node) in self.nodes.iter().enumerate() {
            if !node.alive {
                steps.push(Step::Start(n));
                continue;
            }
            let mishap = self.mishaps < self.rules.mishaps;
            steps.extend(mishap.then_some(Step::Crash(n)));
            if self.rules.fault == Some(Fault::ClockStandsStill) {
                steps.push(if node.suspended { Step::Resume(n) } else { Step::Suspend(n) });
            }
            if node.suspended {
                continue;
            }
            match self.wire.iter().find(|request| request.waited && request.node == n) {
                Some(request) => {
                    steps.extend(request.reply.is_some().then_some(Step::Answer(n)));
                    steps.extend(mishap.then_some(Step::GiveUp(n)));
                }
                None => steps.extend(self.asks(n).into_iter().map(|ask| Step::Ask(n, ask))),
            }
        }
        let unanswered = self.wire.iter().enumerate().filter(|(_, request)| request.reply.is_none());
        for (place, request) in unanswered {
            steps.push(Step::Arrive(place));
            // As long as it does not arrive it is lost; to say so spares a world that lives long from carrying it.
            let tidy = self.rules.mishaps == usize::MAX && !request.waited;
            steps.extend(tidy.then_some(Step::Lose(place)));
        }
        steps
    }

    /// What an idle node may ask for, by the rules that keep it safe.
    pub fn asks(&self, n: usize) -> Vec<Ask> {
        let (node, fault) = (&self.nodes[n], self.rules.fault);
        let mut asks = vec![Ask::Keep];
        let mishap = self.mishaps < self.rules.mishaps;
        if node.membership.is_none() {
            return asks;
        }
        for slot in 0..self.rules.slots {
            let bit = 1 << slot;
            if node.holds & bit == 0 {
                let sure = node.maybe_released & bit == 0 || fault == Some(Fault::ClaimsWhatItMayHaveReleased);
                asks.extend(sure.then_some(Ask::Claim(slot)));
            } else {
                let sure = node.maybe_committing & bit == 0 || fault == Some(Fault::ReleasesWithACommitUnderWay);
                asks.extend((sure && mishap).then_some(Ask::Release(slot)));
                asks.extend(self.acts(n, slot).then_some(Ask::Commit(slot)));
            }
        }
        asks.extend(mishap.then_some(Ask::Leave));
        asks
    }

    /// May the node do what only the holder of the slot may do? This asks nobody but the node itself.
    pub fn acts(&self, n: usize, slot: u8) -> bool {
        let node = &self.nodes[n];
        node.alive && !node.suspended && node.holds & (1 << slot) != 0 && node.clock < node.deadline
    }

    /// How far it is to where something ends: a membership at the store, or a node's time.
    pub fn ends(&self) -> Vec<i64> {
        let of_nodes = self.nodes.iter().zip(&self.rules.rates).map(|(node, rate)| (node.deadline - node.clock) / rate);
        let ends = of_nodes.chain(self.store.ends()).flat_map(|millis| [millis, millis + 1]);
        ends.filter(|millis| *millis > 0).collect()
    }

    pub fn take(&mut self, step: Step) -> Result<(), Wrong> {
        self.mishaps +=
            usize::from(matches!(step, Step::Crash(_) | Step::GiveUp(_) | Step::Ask(_, Ask::Release(_) | Ask::Leave)));
        match step {
            Step::Tick(millis) => {
                self.store.now += millis;
                for (node, rate) in self.nodes.iter_mut().zip(&self.rules.rates) {
                    node.clock += if node.suspended { 0 } else { millis * rate };
                }
            }
            Step::Ask(n, ask) => self.ask(n, ask),
            Step::Arrive(place) => self.arrive(place)?,
            Step::Answer(n) => {
                if let Some(request) = self.waited(n)
                    && let Some(reply) = request.reply.clone()
                {
                    self.heard(n, &request, reply);
                }
            }
            Step::GiveUp(n) => {
                if let Some(request) = self.waited(n) {
                    self.gave_up(n, request);
                }
            }
            Step::Lose(place) => drop(self.wire.remove(place)),
            Step::Crash(n) => {
                let request = self.waited(n).filter(|request| request.reply.is_none());
                self.wire.extend(request.map(|request| Request { waited: false, ..request }));
                let Node { process, clock, .. } = self.nodes[n];
                self.nodes[n] = Node { process, clock, ..Node::default() };
            }
            Step::Start(n) => {
                let Node { process, clock, .. } = self.nodes[n];
                self.nodes[n] = Node { alive: true, process: process + 1, clock, ..Node::default() };
            }
            Step::Suspend(n) => self.nodes[n].suspended = true,
            Step::Resume(n) => self.nodes[n].suspended = false,
        }
        let two_act = |slot: &u8| (0..self.nodes.len()).filter(|n| self.acts(*n, *slot)).count() > 1;
        (0..self.rules.slots).find(two_act).map_or(Ok(()), |slot| Err(Wrong::TwoAct(slot)))
    }

    fn ask(&mut self, n: usize, ask: Ask) {
        let comes_back = self.rules.fault == Some(Fault::ComesBackAfterLeaving);
        let node = &mut self.nodes[n];
        let membership = node.membership.clone();
        match ask {
            // It acts no more before it says so.
            Ask::Release(slot) => node.holds &= !(1 << slot),
            Ask::Leave => {
                node.end();
                node.leaving = !comes_back;
            }
            Ask::Keep | Ask::Claim(_) | Ask::Commit(_) => {}
        }
        let (holder, begun) = (node.process, node.clock);
        self.wire.push(Request { node: n, holder, ask, membership, begun, waited: true, reply: None });
    }

    /// The store does it.
    fn arrive(&mut self, place: usize) -> Result<(), Wrong> {
        let request = self.wire[place].clone();
        let fenced = self.rules.fault != Some(Fault::CommitsWithoutAFence);
        let reply = self.store.serve(&request, fenced);
        let by = request.membership.as_ref().map(|membership| (request.node, membership.epoch));
        match (request.ask, &reply) {
            (Ask::Claim(slot), Reply::Claimed(true)) => self.claimed[usize::from(slot)] = by,
            (Ask::Commit(slot), Reply::Done) if self.claimed[usize::from(slot)] != by => {
                return Err(Wrong::LateCommit(slot));
            }
            _ => {}
        }
        if request.waited && request.ask == Ask::Keep {
            self.wire[place].reply = Some(reply);
            self.forget_what_is_void();
            return Ok(());
        }
        self.wire.remove(place);
        self.forget_what_is_void();
        // Only with what a membership is kept does it matter how long the answer takes: a node that has no other
        // answer yet can do no more than one that has not asked yet.
        if request.waited {
            self.heard(request.node, &request, reply);
        }
        Ok(())
    }

    /// What nobody waits for and the store is going to refuse is as good as lost.
    fn forget_what_is_void(&mut self) {
        let store = &self.store;
        let good = |r: &Request| r.membership.as_ref().is_some_and(|lease| store.is_good(r.node, lease.epoch));
        let fenced = self.rules.fault != Some(Fault::CommitsWithoutAFence);
        self.wire.retain(|r| r.waited || r.ask == Ask::Keep || good(r) || !fenced);
    }

    /// Takes what a node waits for off the wire.
    fn waited(&mut self, n: usize) -> Option<Request> {
        let place = self.wire.iter().position(|request| request.waited && request.node == n)?;
        Some(self.wire.remove(place))
    }

    fn heard(&mut self, n: usize, request: &Request, reply: Reply) {
        let from_the_answer = self.rules.fault == Some(Fault::CountsFromTheAnswer);
        let good_for = (self.rules.ttl - self.rules.margin) * MILLI;
        let node = &mut self.nodes[n];
        match (request.ask, reply) {
            (_, Reply::Fenced | Reply::Kept(None)) => node.end(),
            (_, Reply::Kept(Some(lease))) => {
                if node.membership.as_ref().is_none_or(|membership| membership.epoch != lease.epoch) {
                    node.end();
                }
                node.deadline = good_for + if from_the_answer { node.clock } else { request.begun };
                node.membership = Some(lease);
            }
            (Ask::Claim(slot), Reply::Claimed(true)) => node.holds |= 1 << slot,
            _ => {}
        }
        node.alive = !node.leaving;
    }

    fn gave_up(&mut self, n: usize, request: Request) {
        let node = &mut self.nodes[n];
        match request.ask {
            Ask::Release(slot) => node.maybe_released |= 1 << slot,
            Ask::Commit(slot) => node.maybe_committing |= 1 << slot,
            Ask::Keep | Ask::Claim(_) | Ask::Leave => {}
        }
        node.alive = !node.leaving;
        if request.reply.is_none() {
            self.wire.push(Request { waited: false, ..request });
        }
    }

    /// All that what happens from here on can depend on: times as distances, epochs as whether they are good.
    pub fn fingerprint(&self) -> Vec<i64> {
        let mut print = self.store.fingerprint(&self.nodes.iter().map(|node| node.process).collect::<Vec<_>>());
        print.push(self.mishaps as i64);
        let good = |n: usize, epoch: u64| i64::from(self.store.is_good(n, epoch));
        for claimed in &self.claimed {
            print.push(claimed.map_or(-1, |(n, epoch)| 2 * n as i64 + good(n, epoch)));
        }
        for (n, node) in self.nodes.iter().enumerate() {
            let flags = [node.alive, node.suspended, node.leaving];
            print.push(flags.iter().fold(0, |all, flag| 2 * all + i64::from(*flag)));
            print.push(node.membership.as_ref().map_or(-1, |membership| good(n, membership.epoch)));
            print.push(if node.membership.is_some() { (node.deadline - node.clock).max(0) } else { 0 });
            // What may be committing matters to a node that may release something still.
            let committing = if self.mishaps < self.rules.mishaps { node.maybe_committing } else { 0 };
            print.extend([node.holds, node.maybe_released, committing].map(i64::from));
        }
        let mut wire: Vec<[i64; 7]> = self.wire.iter().map(|request| self.print_of(request)).collect();
        wire.sort_unstable();
        print.extend(wire.into_iter().flatten());
        print
    }

    fn print_of(&self, request: &Request) -> [i64; 7] {
        let node = &self.nodes[request.node];
        let (ask, slot) = match request.ask {
            Ask::Keep => (0, 0),
            Ask::Claim(slot) => (1, slot),
            Ask::Release(slot) => (2, slot),
            Ask::Commit(slot) => (3, slot),
            Ask::Leave => (4, 0),
        };
        let same = |lease: &Lease| node.membership.as_ref().is_some_and(|own| own.epoch == lease.epoch);
        let lease =
            |lease: &Lease| 2 * i64::from(self.store.is_good(request.node, lease.epoch)) + i64::from(same(lease));
        let reply = match &request.reply {
            None => 0,
            Some(Reply::Kept(None)) => 1,
            Some(Reply::Claimed(held)) => 2 + i64::from(*held),
            Some(Reply::Done) => 4,
            Some(Reply::Fenced) => 5,
            Some(Reply::Kept(Some(kept))) => 6 + lease(kept),
        };
        let asked_for = if request.waited && ask == 0 { node.clock - request.begun } else { 0 };
        let by_this = request.waited || request.holder == node.process;
        let has_it = self.store.is_holder(request.node, request.holder);
        let of = 4 * request.node as i64 + 2 * i64::from(by_this) + i64::from(has_it);
        let under = request.membership.as_ref().filter(|_| ask != 0).map_or(-1, lease);
        // From when on nothing is left of the time that it asked for, it does not matter how much later it is.
        [of, ask, i64::from(slot), under, asked_for.min(self.rules.ttl * MILLI), i64::from(request.waited), reply]
    }
}

impl Node {
    /// It is a member no more, and holds nothing.
    fn end(&mut self) {
        (self.membership, self.holds, self.maybe_released, self.maybe_committing) = (None, 0, 0, 0);
    }
}
