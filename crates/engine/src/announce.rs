//! Announce: events that are not about a message. A connector's ups and downs go to those webhooks
//! that ask for them by name; a webhook can be sent a test.

use model::delivery::DeliveryState;
use model::{CallbackStyle, Delivery, DeliveryId, Name, Timestamp};
use serde::Serialize;

use crate::world::{WebhookView, World};

#[derive(Serialize)]
struct Announcement<'a, T> {
    #[serde(rename = "type")]
    event: &'a str,
    timestamp: Timestamp,
    data: T,
}

#[derive(Serialize)]
struct OfConnector<'a> {
    connector: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct OfWebhook<'a> {
    webhook: &'a str,
}

/// What is owed when a connector comes up or goes down. Connectors are the operator's business:
/// only webhooks that name such events get them, not those that take everything by silence.
pub(crate) fn of_connector(
    world: &World,
    connector: &Name,
    event: &str,
    reason: Option<&str>,
    now: Timestamp,
    mut next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    let data = OfConnector { connector, reason };
    let webhooks = world.set.accounts.iter().filter_map(|a| world.account(&a.id)).flat_map(|a| &a.webhooks);
    webhooks
        .filter(|w| !w.webhook.events.is_empty() && w.webhook.wants(event) && w.webhook.style.is_webhook())
        .map(|w| announcement(w, event, &data, now, next_id()))
        .collect()
}

/// A test event for a webhook.
pub(crate) fn test_event(webhook: &WebhookView, now: Timestamp, id: DeliveryId) -> Delivery {
    announcement(webhook, "webhook.test", &OfWebhook { webhook: &webhook.id }, now, id)
}

fn announcement<T: Serialize>(
    webhook: &WebhookView,
    event: &str,
    data: &T,
    now: Timestamp,
    id: DeliveryId,
) -> Delivery {
    let announcement = Announcement { event, timestamp: now, data };
    let payload = serde_json::to_string(&announcement).expect("plain structs of strings always serialize");
    Delivery {
        id,
        account: webhook.account.clone(),
        message: None,
        endpoint: webhook.id.clone(),
        url: None,
        style: CallbackStyle::Webhook,
        event: event.into(),
        payload: payload.into(),
        created_at: now,
        due: now,
        attempts: 0,
        state: DeliveryState::Pending,
        last_error: None,
    }
}
