//! The store of a small world: the real one in memory, under a clock that stands where the world wants it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use model::{Name, Timestamp};
use store::{Changes, CommitError, Fence, Fleet, Lease, MEMBERSHIP, MemoryStore, Store};

use crate::words::{Ask, Reply, Request, committed};

/// A store that worlds can be copied with: a copy is made by doing again all that was done.
pub struct Remote {
    /// Its clock.
    pub now: i64,
    ttl: i64,
    done: Vec<Arc<(i64, Request)>>,
    live: Option<Live>,
    /// What is known of it from its answers: each node's last membership and whether it is good still.
    memberships: Vec<Option<(Lease, bool)>>,
    /// And who has each slot, the node and its epoch.
    held: Vec<Option<(usize, u64)>>,
}

struct Live {
    store: MemoryStore,
    clock: Arc<AtomicI64>,
}

impl Clone for Remote {
    fn clone(&self) -> Self {
        let (done, memberships, held) = (self.done.clone(), self.memberships.clone(), self.held.clone());
        Self { now: self.now, ttl: self.ttl, done, live: None, memberships, held }
    }
}

impl Remote {
    pub fn new(nodes: usize, slots: u8, ttl: i64) -> Self {
        let (memberships, held) = (vec![None; nodes], vec![None; usize::from(slots)]);
        Self { now: 0, ttl, done: Vec::new(), live: None, memberships, held }
    }

    /// Does what a request asks for.
    pub fn serve(&mut self, request: &Request, fenced: bool) -> Reply {
        let live = self.live.take().unwrap_or_else(|| self.again());
        live.clock.store(self.now, Ordering::Relaxed);
        let reply = live.serve(request, fenced, self.ttl);
        // What was refused has changed nothing, and commits are empty.
        if !matches!(reply, Reply::Fenced | Reply::Claimed(false) | Reply::Kept(None))
            && !matches!(request.ask, Ask::Commit(_))
        {
            self.done.push(Arc::new((self.now, request.clone())));
        }
        self.learn(request, &reply);
        for (node, membership) in self.memberships.iter_mut().enumerate() {
            if let Some((lease, good)) = membership {
                *good = live.is_good(node, lease.epoch);
            }
        }
        self.live = Some(live);
        reply
    }

    fn again(&self) -> Live {
        let live = Live::new();
        for (at, request) in self.done.iter().map(|done| &**done) {
            live.clock.store(*at, Ordering::Relaxed);
            live.serve(request, true, self.ttl);
        }
        live
    }

    /// What an answer tells, which must be what was expected of what is known.
    fn learn(&mut self, request: &Request, reply: &Reply) {
        let by = request.membership.as_ref().map(|membership| (request.node, membership.epoch));
        match (request.ask, reply) {
            (_, Reply::Kept(Some(lease))) => self.memberships[request.node] = Some((lease.clone(), true)),
            (Ask::Claim(slot), Reply::Claimed(claimed)) => {
                let holder = self.held[usize::from(slot)].filter(|(n, epoch)| self.is_good(*n, *epoch));
                let lives = |n: usize| matches!(&self.memberships[n], Some((lease, _)) if lease.expires_at.as_millis() > self.now);
                let free = holder.is_none_or(|(n, _)| n == request.node || !lives(n));
                assert_eq!(*claimed, free, "{request:?} of a slot held by {holder:?}");
                if free {
                    self.held[usize::from(slot)] = by;
                }
            }
            (Ask::Release(slot), _) if self.held[usize::from(slot)] == by => self.held[usize::from(slot)] = None,
            _ => {}
        }
    }

    /// Is this epoch of a node's membership the present one?
    pub fn is_good(&self, node: usize, epoch: u64) -> bool {
        matches!(&self.memberships[node], Some((lease, true)) if lease.epoch == epoch)
    }

    /// Has this process of the node the membership?
    pub fn is_holder(&self, node: usize, process: u32) -> bool {
        matches!(&self.memberships[node], Some((lease, true)) if *lease.holder == *holder(node, process))
    }

    /// How far it is to where memberships run out.
    pub fn ends(&self) -> impl Iterator<Item = i64> {
        self.memberships.iter().flatten().map(|(lease, _)| lease.expires_at.as_millis() - self.now)
    }

    pub fn fingerprint(&self, processes: &[u32]) -> Vec<i64> {
        let mut print = Vec::with_capacity(64);
        for (node, membership) in self.memberships.iter().enumerate() {
            match membership {
                Some((lease, true)) => {
                    print.push(i64::from(self.is_holder(node, processes[node])));
                    print.push((lease.expires_at.as_millis() - self.now).max(0));
                }
                _ => print.extend([-1, 0]),
            }
        }
        for held in &self.held {
            let good = held.filter(|(node, epoch)| self.is_good(*node, *epoch));
            print.push(good.map_or(-1, |(node, _)| node as i64));
        }
        print
    }
}

impl Live {
    fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(0));
        let shown = clock.clone();
        Self { store: MemoryStore::new(move || Timestamp::from_millis(shown.load(Ordering::Relaxed))), clock }
    }

    fn serve(&self, request: &Request, fenced: bool, ttl: i64) -> Reply {
        let store = &self.store;
        let slot = |slot: u8| [Name::from(format!("slot:{slot}"))];
        let membership = || request.membership.as_ref().expect("only a member asks for this");
        match request.ask {
            Ask::Keep => {
                let holder = holder(request.node, request.holder);
                Reply::Kept(at_once(store.keep(&request.node.to_string(), &holder, ttl, "{}")).unwrap())
            }
            Ask::Claim(n) => match at_once(store.claim(membership(), &slot(n))) {
                Ok(held) => Reply::Claimed(!held.is_empty()),
                Err(CommitError::Fenced(_)) => Reply::Fenced,
                Err(other) => panic!("{other}"),
            },
            Ask::Release(n) => {
                at_once(store.release(membership(), &slot(n))).unwrap();
                Reply::Done
            }
            Ask::Commit(_) => {
                let fences = if fenced { vec![membership().fence()] } else { Vec::new() };
                committed(at_once(store.commit(Changes { fences, ..Changes::default() })))
            }
            Ask::Leave => {
                at_once(store.leave(membership())).unwrap();
                Reply::Done
            }
        }
    }

    fn is_good(&self, node: usize, epoch: u64) -> bool {
        let fences = vec![Fence { name: format!("{MEMBERSHIP}{node}").into(), epoch }];
        at_once(self.store.commit(Changes { fences, ..Changes::default() })).is_ok()
    }
}

fn holder(node: usize, process: u32) -> String {
    format!("{node}.{process}")
}

/// What the store in memory does, it does at once.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the store in memory waits for nothing"),
    }
}
