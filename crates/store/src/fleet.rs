//! A fleet: several nodes that work on one store.
//!
//! Each node holds one lease, its *membership*, and everything else that only one node may have at a time
//! is a *slot* that belongs to a membership: a slice of a connector's queue, a bind that a carrier allows,
//! a duty. So there is one thing to renew, one condition for a commit, and one moment from which a node
//! that was too slow may write nothing any more, however many slots it had.
//!
//! * A slot is held as long as the membership is that it was claimed under: a lease of the same epoch.
//! * A membership whose time has run out is still good until somebody claims one of its slots. That ends it:
//!   its epoch rises in the same transaction, so that every commit under it is refused from then on
//!   ([`CommitError::Fenced`]), and all its slots are free.
//! * Who holds a slot lets go of it by itself ([`Fleet::release`]); nobody takes a slot of a living node.
//!
//! What a node has to observe so that never two act on one slot (checked by `tests/lease_model`):
//!
//! * It may act until `ttl_millis` from when it *asked* to keep its membership, less a margin for how far clocks can
//!   differ in that time, by a clock that goes on while the machine stands still.
//! * It lets go of a slot only when every commit for it is known to have ended.
//! * It never claims a slot again of which it does not know how a release has ended.
//! * If it does not know, it [leaves](Fleet::leave), and who leaves comes back under another `holder` only.
//!
//! What a node has to do with what another one holds it writes to the slot, whoever holds it: *mail*, which
//! is part of a commit ([`Changes::mail`](crate::Changes::mail)) and is taken away by the commit that does
//! what it says ([`Changes::mail_done`](crate::Changes::mail_done)). A slot that changes hands takes its
//! mail along.

use std::sync::Arc;

use async_trait::async_trait;
use model::{MessageId, Name};

use crate::lease::Lease;
use crate::{CommitError, StoreError};

/// What the lease of a node's membership is called: this and the node's name.
pub const MEMBERSHIP: &str = "node:";

/// What nodes do together. Of a store that several nodes can work on.
#[async_trait]
pub trait Fleet: Send + Sync + 'static {
    /// Takes or keeps the membership `node` for `ttl_millis` from now, and says of it what `about` says, as
    /// JSON. `holder` tells this process from all others. `None`: another process is that node. An epoch that
    /// is not that of the last time says that the membership had ended, and with it all that it held.
    async fn keep(&self, node: &str, holder: &str, ttl_millis: i64, about: &str) -> Result<Option<Lease>, StoreError>;

    /// Gives a membership up, with all its slots. Nothing happens if it has ended.
    async fn leave(&self, membership: &Lease) -> Result<(), StoreError>;

    /// Every node that is a member, by name: those whose time has run out are none.
    async fn nodes(&self) -> Result<Vec<Node>, StoreError>;

    /// Slots that are held, by name; those of memberships whose time has run out are not.
    async fn slots(&self) -> Result<Vec<Slot>, StoreError>;

    /// Takes those of `wanted` that nobody holds, and answers with those of `wanted` that the membership holds
    /// now. Slots of memberships that have run out are free, and such memberships end here.
    /// [`CommitError::Fenced`] if this one has ended.
    async fn claim(&self, membership: &Lease, wanted: &[Name]) -> Result<Vec<Name>, CommitError>;

    /// Lets go of slots. Those that the membership does not hold are left as they are.
    async fn release(&self, membership: &Lease, slots: &[Name]) -> Result<(), StoreError>;

    /// Mail to `slots` but for what is `under_way`, in the order of its ids, at most `limit`.
    async fn mail(&self, slots: &[Name], under_way: &[MessageId], limit: usize) -> Result<Vec<Mail>, StoreError>;

    /// Drops mail to slots whose name begins with `prefix` that nobody holds. Returns how much there was. As in a
    /// claim, slots of memberships that have run out are free, and such memberships end here if anything is
    /// dropped: who wakes up and believes to hold the slot must not go on as if it had missed nothing.
    async fn forget_mail(&self, prefix: &str) -> Result<u64, StoreError>;

    /// Waits until somebody has [woken](Self::wake) `node` since this returned last; may return for nothing.
    /// Cancel-safe. News may get lost with a connection, so that nobody may rely on it alone.
    async fn news(&self, node: &str);

    /// Tells nodes that there is mail for them. Best effort; those that are not there are passed over.
    async fn wake(&self, nodes: &[Name]) -> Result<(), StoreError>;
}

/// A node that is a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: Name,
    /// The epoch of its membership.
    pub epoch: u64,
    /// What it says of itself, as JSON.
    pub about: Arc<str>,
}

/// A slot that is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The slot.
    pub name: Name,
    /// The node that holds it.
    pub node: Name,
}

/// What one node writes to whoever holds a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// An id of its own. What one node writes to a slot is in the order of these.
    pub id: MessageId,
    /// The slot.
    pub to: Name,
    /// The content, as the engine writes it.
    pub content: Arc<[u8]>,
}
