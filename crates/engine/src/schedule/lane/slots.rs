//! What of a connector is this node's, where there are several: slices of its queue, and sessions.

use std::sync::{Arc, PoisonError};

use model::resources::Connector;
use store::Shards;
use tokio::sync::watch;

use super::{Lane, State};

impl Lane {
    /// From now on these slices are read, and there may be these sessions. What is in memory of other slices
    /// goes, but for what sessions hold.
    pub fn set_slots(&self, shards: Vec<u16>, binds: Vec<u16>) {
        self.put_binds(binds.into());
        let mut state = self.lock();
        let settings = state.settings.clone();
        self.share_throughput(&mut state, &settings);
        let shards: Shards = shards.into_iter().collect();
        if state.shards == shards {
            return;
        }
        let gained = shards.iter().any(|shard| !state.shards.contains(shard));
        state.active.keep_shards(&shards);
        state.shards = shards;
        drop(state);
        if gained {
            self.list_again();
        }
        self.wake.notify_waiters();
    }

    /// The sessions that it may have here, with changes.
    pub fn binds(&self) -> watch::Receiver<Arc<[u16]>> {
        self.binds.subscribe()
    }

    /// A session runs until what is returned is dropped.
    pub fn run_session(self: &Arc<Self>, number: u16) -> RunsHere {
        *self.running().entry(number).or_default() += 1;
        RunsHere { lane: self.clone(), number }
    }

    /// Does a session of this number still run?
    pub fn is_running(&self, number: u16) -> bool {
        self.running().contains_key(&number)
    }

    /// Do sessions hold a part of any message of this slice?
    pub fn has_taken_of(&self, shard: u16) -> bool {
        self.lock().active.has_taken_of(shard)
    }

    /// How many sessions are bound.
    pub fn bound(&self) -> usize {
        self.lock().sessions.bound()
    }

    pub(super) fn put_binds(&self, binds: Arc<[u16]>) {
        self.binds.send_if_modified(|old| {
            let changed = *old != binds;
            *old = binds;
            changed
        });
    }

    /// What the carrier allows is shared out by sessions: nodes that know nothing of each other keep to it.
    pub(super) fn share_throughput(&self, state: &mut State, settings: &Connector) {
        if self.member.is_some() {
            let here = u32::try_from(self.binds.borrow().len()).unwrap_or(u32::MAX);
            state.pacing.set_share(here, settings.sessions.max(1).into());
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<u16, usize>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that runs.
#[derive(Debug)]
pub struct RunsHere {
    lane: Arc<Lane>,
    number: u16,
}

impl Drop for RunsHere {
    fn drop(&mut self) {
        let mut running = self.lane.running();
        if let Some(count) = running.get_mut(&self.number) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.number);
            }
        }
    }
}
