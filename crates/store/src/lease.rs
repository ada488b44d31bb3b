//! Leases: who may do what only one node may do at a time.

use model::{Name, Timestamp};

/// A lease that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is for: `queue:{connector}:{shard}`, `bind:{connector}:{n}` ….
    pub name: Name,
    /// Who has it.
    pub holder: Name,
    /// Rises each time that the holder changes.
    pub epoch: u64,
    /// Until when, by the store's clock.
    pub expires_at: Timestamp,
}

impl Lease {
    /// The condition that this lease is still held, for a commit.
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence { name: self.name.clone(), epoch: self.epoch }
    }
}

/// A condition of a commit: the lease is still of this epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The lease.
    pub name: Name,
    /// The epoch that the writer has.
    pub epoch: u64,
}
