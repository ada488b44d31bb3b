//! Which endpoints are this node's, where there are several nodes.

use std::sync::Arc;

use model::{DeliveryId, Name, Timestamp};

use super::{Lanes, Slot};
use crate::fleet::{self, Held};
use crate::notify::lane::Lane;

impl Lanes {
    /// These endpoints are this node's from now on. Lanes of others close, and are gone when nothing of them is
    /// under way.
    pub fn set_slots(&mut self, held: Arc<Held>, now: Timestamp) {
        self.held = Some(held.clone());
        let others: Vec<Name> = self
            .lanes
            .iter()
            .filter(|(name, slot)| !held.keeps_endpoint(name, slot.received))
            .map(|(n, _)| n.clone())
            .collect();
        for name in others {
            self.with(&name, now, |lane, _, _| lane.set_closed(true, now));
            let is_gone = |slot: &Slot| !held.has_endpoint(&name, slot.received) && slot.lane.is_idle();
            if self.lanes.get(&name).is_some_and(is_gone) {
                self.with(&name, now, |lane, _, _| *lane = Lane::new());
                self.lanes.remove(&name);
            }
        }
        let served: Vec<Name> = self.receivers.keys().cloned().collect();
        served.iter().for_each(|endpoint| _ = self.open(endpoint, now));
        self.unlisted = true;
        self.signals.keeper = true;
    }

    /// Is anything of a slot's endpoints under way, or on its way to the store?
    pub fn is_busy_with(&self, of: &fleet::Slot) -> bool {
        let theirs = |name: &Name, slot: &Slot| match of {
            fleet::Slot::Hooks(slice) => !slot.received && fleet::slots::hook_of(name) == *slice,
            fleet::Slot::Receiver(endpoint) => name == endpoint,
            _ => false,
        };
        self.lanes.iter().any(|(name, slot)| theirs(name, slot) && !slot.lane.is_idle())
    }

    /// What another node has put into the store for an endpoint.
    pub fn owed_elsewhere(&mut self, endpoint: &Name, places: Vec<(Timestamp, DeliveryId)>, now: Timestamp) {
        if self.open(endpoint, now) {
            self.with(endpoint, now, |lane, _, _| places.into_iter().for_each(|place| lane.owed_elsewhere(place, now)));
        }
    }
}
