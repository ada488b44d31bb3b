//! How the connectors are, as routes want to know it: in force now, read without a lock.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use routing::{ConnectorState, Health};

use crate::schedule::Lane;
use crate::world::World;

/// The connectors of a running gateway, asked when a message is routed.
pub(crate) struct Wellbeing<'a> {
    pub lanes: &'a [Arc<Lane>],
    pub world: &'a World,
    /// Nothing is to come of it: whose turn it is is looked at, and stays.
    pub dry: bool,
}

impl Wellbeing<'_> {
    /// How a connector is; one that is not there takes nothing.
    fn of(&self, connector: &str) -> ConnectorState {
        let lane = self.lanes.iter().find(|lane| **lane.connector() == *connector);
        lane.map_or(ConnectorState { usable: false, ..ConnectorState::default() }, |lane| lane.condition())
    }
}

impl Health for Wellbeing<'_> {
    fn state(&self, connector: &str) -> ConnectorState {
        self.of(connector)
    }

    fn turn(&self, pool: &str) -> u64 {
        let taken = |turn: &AtomicU64| if self.dry { turn.load(Relaxed) } else { turn.fetch_add(1, Relaxed) };
        self.world.turns.get(pool).map_or(0, taken)
    }
}
