//! Leases, and what memberships hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Name, Timestamp};

use crate::fleet::{MEMBERSHIP, Node, Slot};
use crate::lease::{Fence, Lease};

/// Every lease, and the slots of those that are memberships.
#[derive(Default)]
pub(super) struct Leases {
    /// A lease that was given back or has ended has an empty holder.
    leases: BTreeMap<Name, Lease>,
    /// What nodes that have ever been members said of themselves last, by the name of the lease.
    about: BTreeMap<Name, Arc<str>>,
    /// What each slot was claimed under last. It is held as long as the lease is of that epoch.
    slots: BTreeMap<Name, Fence>,
}

impl Leases {
    pub fn take(&mut self, name: &str, holder: &str, now: Timestamp, ttl_millis: i64) -> Option<Lease> {
        let expires_at = now.plus_millis(ttl_millis);
        let kept = self.leases.get(name);
        let epoch = match kept {
            None => 1,
            Some(kept) if kept.holder.as_ref() == holder => kept.epoch,
            Some(kept) if kept.expires_at > now => return None,
            Some(kept) => kept.epoch + 1,
        };
        let lease = Lease { name: name.into(), holder: holder.into(), epoch, expires_at };
        self.leases.insert(lease.name.clone(), lease.clone());
        Some(lease)
    }

    pub fn release(&mut self, lease: &Lease, now: Timestamp) {
        if self.leases.get(&lease.name).is_some_and(|kept| kept.holder == lease.holder && kept.epoch == lease.epoch) {
            self.end(&lease.name, now);
        }
    }

    /// Is the lease still of the epoch that the fence names?
    pub fn holds(&self, fence: &Fence) -> bool {
        self.leases.get(&fence.name).is_some_and(|lease| lease.epoch == fence.epoch)
    }

    pub fn keep(&mut self, node: &str, holder: &str, now: Timestamp, ttl_millis: i64, about: &str) -> Option<Lease> {
        let lease = self.take(&format!("{MEMBERSHIP}{node}"), holder, now, ttl_millis)?;
        self.about.insert(lease.name.clone(), about.into());
        Some(lease)
    }

    pub fn nodes(&self, now: Timestamp) -> Vec<Node> {
        let members = self.about.iter().filter_map(|(name, about)| Some((self.leases.get(name)?, about)));
        let alive = members.filter(|(lease, _)| is_alive(lease, now));
        alive.map(|(lease, about)| Node { name: node(&lease.name), epoch: lease.epoch, about: about.clone() }).collect()
    }

    pub fn slots(&self, now: Timestamp) -> Vec<Slot> {
        let held = self.slots.keys().filter_map(|name| Some((name, self.holder(name)?)));
        let held = held.filter(|(_, lease)| is_alive(lease, now));
        held.map(|(name, lease)| Slot { name: name.clone(), node: node(&lease.name) }).collect()
    }

    /// `None`: the membership has ended.
    pub fn claim(&mut self, membership: &Fence, wanted: &[Name], now: Timestamp) -> Option<Vec<Name>> {
        if !self.holds(membership) {
            return None;
        }
        let mut held = Vec::new();
        for slot in wanted {
            if self.holder(slot).is_some_and(|lease| lease.name == membership.name) || self.set_free(slot, now) {
                self.slots.insert(slot.clone(), membership.clone());
                held.push(slot.clone());
            }
        }
        Some(held)
    }

    pub fn let_go(&mut self, membership: &Fence, slots: &[Name]) {
        for slot in slots {
            if self.slots.get(slot) == Some(membership) {
                self.slots.remove(slot);
            }
        }
    }

    /// Ends the membership that holds a slot if its time has run out. Is the slot free now?
    pub fn set_free(&mut self, slot: &Name, now: Timestamp) -> bool {
        let Some(lease) = self.holder(slot) else { return true };
        if is_alive(lease, now) {
            return false;
        }
        let name = lease.name.clone();
        self.end(&name, now);
        true
    }

    /// The membership that holds a slot, whether or not its time has run out.
    fn holder(&self, slot: &Name) -> Option<&Lease> {
        let under = self.slots.get(slot)?;
        self.leases.get(&under.name).filter(|lease| lease.epoch == under.epoch)
    }

    /// The epoch rises: what the holder still fences with it is refused from now on.
    fn end(&mut self, name: &Name, now: Timestamp) {
        if let Some(lease) = self.leases.get_mut(name) {
            lease.holder = "".into();
            lease.epoch += 1;
            lease.expires_at = now;
        }
    }
}

fn is_alive(lease: &Lease, now: Timestamp) -> bool {
    !lease.holder.is_empty() && lease.expires_at > now
}

fn node(membership: &Name) -> Name {
    membership.strip_prefix(MEMBERSHIP).unwrap_or(membership).into()
}
