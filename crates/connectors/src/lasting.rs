//! What the sessions of one connector remember beyond their ends.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::identity::Identities;

/// Shared by the sessions of one connector, as long as its logins stay the same.
#[derive(Debug, Default)]
pub(crate) struct Lasting {
    /// What the SMSC calls messages.
    pub(crate) identities: Identities,
    window_refused: AtomicBool,
}

impl Lasting {
    /// The SMSC refuses logins that announce a window.
    pub(crate) fn refuse_window(&self) {
        self.window_refused.store(true, Relaxed);
    }

    /// Whether it does.
    pub(crate) fn is_window_refused(&self) -> bool {
        self.window_refused.load(Relaxed)
    }

    /// Logins are other ones now.
    pub(crate) fn begin(&self) {
        self.window_refused.store(false, Relaxed);
    }
}
