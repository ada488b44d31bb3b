//! The peer's operations that wait for our results, by TRN.

use crate::frame::Trn;
use crate::ot::OperationType;

/// Which TRNs of the peer are in use, and for what: a result names both.
pub(super) struct PeerRequests {
    slots: [Option<OperationType>; Trn::COUNT],
    len: usize,
}

impl PeerRequests {
    pub(super) fn new() -> Self {
        Self { slots: [None; Trn::COUNT], len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, trn: Trn) -> Option<OperationType> {
        self.slots.get(usize::from(trn.get())).copied().flatten()
    }

    pub(super) fn insert(&mut self, trn: Trn, ot: OperationType) {
        if let Some(slot) = self.slots.get_mut(usize::from(trn.get())) {
            self.len += usize::from(slot.replace(ot).is_none());
        }
    }

    pub(super) fn remove(&mut self, trn: Trn) {
        if let Some(slot) = self.slots.get_mut(usize::from(trn.get())) {
            self.len -= usize::from(slot.take().is_some());
        }
    }
}
