//! What is owed to an account: an event to hand over, kept until it is taken.

use serde::{Deserialize, Serialize};

use crate::{CallbackStyle, DeliveryId, MessageId, Name, Timestamp};

/// An event on its way to an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, which the application sees as `webhook-id`; the same in every attempt.
    pub id: DeliveryId,
    /// Whose it is.
    pub account: Name,
    /// The message that it tells of; `None` for events such as `connector.down`.
    pub message: Option<MessageId>,
    /// The lane it waits in: a webhook's id, or the origin of a `callback_url`. Deliveries of one
    /// lane never hold up another's.
    pub endpoint: Name,
    /// Where it goes, when that is not the webhook's own URL.
    pub url: Option<Box<str>>,
    /// How it is handed over.
    pub style: CallbackStyle,
    /// Its event, such as `message.delivered`.
    pub event: Name,
    /// The body, made once so that every attempt sends the same octets; empty for a GET.
    pub payload: Box<str>,
    /// The payload says what its message looks like, and nothing changes that message any more: the
    /// same octets can be made again, so that a store keeps none of them and gives back an empty payload.
    pub restorable: bool,
    /// When the event happened.
    pub created_at: Timestamp,
    /// When it is to be tried next.
    pub due: Timestamp,
    /// Attempts made.
    pub attempts: u16,
    /// Where it stands.
    pub state: DeliveryState,
    /// What the last attempt came to: `HTTP 500`, `connection refused` …
    pub last_error: Option<Box<str>>,
}

impl Delivery {
    /// An event of `account` that happens `now` and is to be handed over at `endpoint` at once: about no
    /// message, by a webhook of its own URL, with a payload that is kept. Take what else it needs with
    /// `Delivery { …, ..Delivery::new(…) }`.
    #[must_use]
    pub fn new(
        id: DeliveryId,
        (account, endpoint): (Name, Name),
        event: &str,
        payload: Box<str>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            message: None,
            endpoint,
            url: None,
            style: CallbackStyle::Webhook,
            event: event.into(),
            payload,
            restorable: false,
            created_at: now,
            due: now,
            attempts: 0,
            state: DeliveryState::Pending,
            last_error: None,
        }
    }
}

/// Where a delivery stands. One that was taken is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// To be tried, or tried again.
    Pending,
    /// Given up after the last attempt; a person may ask for it again.
    Failed,
}

/// Seconds to wait before each further attempt, after the first has failed. Standard Webhooks'
/// schedule: about four days in all.
pub const RETRY_SECONDS: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
