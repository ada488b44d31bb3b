//! Opt-outs: who wants to hear nothing more from an account.

use serde::{Deserialize, Serialize};

use crate::{Address, MessageId, Name, OptOutId, Timestamp};

/// A phone that an account sends nothing to. It is written as the API and webhooks show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptOut {
    /// Its id.
    pub id: OptOutId,
    /// Whose messages it is about, from whom and to whom.
    #[serde(flatten)]
    pub key: OptOutKey,
    /// Since when.
    pub created_at: Timestamp,
    /// The message from the phone that said so; `None` if it was put by the API.
    pub message: Option<MessageId>,
}

/// What an opt-out is about. There is one for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OptOutKey {
    /// The account.
    pub account: Name,
    /// The phone.
    pub phone: Address,
    /// The sender that it wants nothing from; `None` is every sender of the account.
    pub sender: Option<Address>,
}
