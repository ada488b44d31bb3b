//! Payloads that the store does not keep: most deliveries are taken a few milliseconds after they came, and
//! what they say is in their message's row already. One that is read from the store, after a restart or
//! because its endpoint is slow, gets its payload made again; one that was tried once keeps it.

use foldhash::{HashMap, HashMapExt};
use model::{Delivery, Message, MessageId};
use store::{Store, StoreError};

use super::{event, session};
use crate::world::is_session_lane;

/// Makes the payloads again that the store did not keep.
pub(crate) async fn restore(store: &dyn Store, deliveries: &mut [Delivery]) -> Result<(), StoreError> {
    let lacks = |d: &Delivery| d.message.filter(|_| d.restorable && d.payload.is_empty());
    let mut ids: Vec<MessageId> = deliveries.iter().filter_map(lacks).collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let mut messages = HashMap::with_capacity(ids.len());
    messages.extend(store.messages(&ids).await?.into_iter().map(|message| (message.body.id, message)));
    for delivery in deliveries {
        if let Some(id) = lacks(delivery) {
            delivery.payload = payload(delivery, id, messages.get(&id));
        }
    }
    Ok(())
}

/// What `delivery` says. Of a message that retention has taken, nothing but its id is left to say.
fn payload(delivery: &Delivery, id: MessageId, message: Option<&Message>) -> Box<str> {
    let made = message.and_then(|message| {
        if is_session_lane(&delivery.endpoint) {
            session::payload(message, delivery.created_at)
        } else {
            Some(event::payload(message, &delivery.event, delivery.created_at))
        }
    });
    made.unwrap_or_else(|| event::payload_of_id(id, &delivery.event, delivery.created_at))
}
