//! What an account is owed when something happens to one of its messages.

use model::{CallbackStyle, Delivery, DeliveryId, Dialect, Message, MessageId, Name, Receipt, ReceiptWish, Timestamp};

use super::callbacks::{self, Called};
use super::session;
use super::target::origin;
use crate::render::{message_json, push_text, push_time};
use crate::world::{WebhookView, World};

/// The deliveries that `event` (such as `message.delivered`) of `message` is worth: one for each
/// webhook of the account that wants to hear of it, or one for the message's own `callback_url`.
/// A `callback_url` hears of what the message asked for, but of the end in any case where it asked for
/// nothing; in other
/// gateways' dialects it hears what was asked for in those.
/// What is owed over sessions comes on top of that.
pub(crate) fn owed(
    world: &World,
    message: &Message,
    event: &str,
    now: Timestamp,
    next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    owed_because(None, world, message, event, now, next_id)
}

/// The same for a message from a phone that an inbound rule took: a rule's own webhook stands for those
/// of its account.
pub(crate) fn owed_because(
    rule: Option<&str>,
    world: &World,
    message: &Message,
    event: &str,
    now: Timestamp,
    mut next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    let body = &message.body;
    let mut deliveries = Vec::new();
    session::owed(world, message, event, now, &mut next_id, &mut deliveries);
    let delivery = |id, endpoint: &Name, url: Option<Box<str>>, style, payload: Box<str>| Delivery {
        message: Some(body.id),
        url,
        style,
        restorable: style.is_webhook() && message.is_closed(),
        ..Delivery::new(id, (body.account.clone(), endpoint.clone()), event, payload, now)
    };
    if let Some(url) = &body.callback_url {
        match body.dialect.as_deref().and_then(Dialect::style) {
            Some(style) => {
                if let Some(Called { url, body }) = callbacks::call(style, url, message, &body.account, now) {
                    deliveries.push(delivery(next_id(), &origin(&url), Some(url), style, body));
                }
            }
            None if hears(body.receipt, event) => {
                let payload = payload(message, event, now);
                deliveries.push(delivery(next_id(), &origin(url), Some(url.clone()), CallbackStyle::Webhook, payload));
            }
            None => {}
        }
        return deliveries;
    }
    let Some(account) = world.account(&body.account) else { return deliveries };
    let own = rule.and_then(|rule| world.rule_webhook(rule));
    let accounts = account.endpoints().filter(|_| own.is_none());
    let service = rule.filter(|_| own.is_some()).unwrap_or(&body.account);
    let mut shared: Option<Box<str>> = None;
    for WebhookView { id, webhook, .. } in
        own.into_iter().chain(accounts).map(|w| &**w).filter(|w| w.webhook.wants(event))
    {
        let style = webhook.style;
        if style.is_webhook() {
            let payload = shared.get_or_insert_with(|| payload(message, event, now));
            deliveries.push(delivery(next_id(), id, None, style, payload.clone()));
        } else if let Some(Called { url, body }) = callbacks::call(style, &webhook.url, message, service, now) {
            deliveries.push(delivery(next_id(), id, Some(url), style, body));
        }
    }
    deliveries
}

/// The deliveries that what a carrier `said` in between of a message is worth. Only sessions and Kannel's way
/// have words for it.
pub(crate) fn between(
    world: &World,
    message: &Message,
    said: &Receipt,
    now: Timestamp,
    mut next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    const EVENT: &str = "message.intermediate";
    let body = &message.body;
    let mut deliveries = Vec::from_iter(session::between(world, message, said, EVENT, now, &mut next_id));
    let call = |style, url: &str| callbacks::call_between(style, url, message, said, now);
    if let (Some(url), Some(style)) = (&body.callback_url, body.dialect.as_deref().and_then(Dialect::style))
        && let Some(Called { url, body: payload }) = call(style, url)
    {
        let from = (body.account.clone(), origin(&url));
        deliveries.push(Delivery {
            message: Some(body.id),
            url: Some(url),
            style,
            ..Delivery::new(next_id(), from, EVENT, payload, now)
        });
    }
    deliveries
}

/// Does a `callback_url` hear of this?
fn hears(wish: ReceiptWish, event: &str) -> bool {
    match wish {
        // A URL is wish enough.
        ReceiptWish::None | ReceiptWish::Final => event != "message.sent",
        ReceiptWish::All => true,
        ReceiptWish::Failure => event != "message.sent" && event != "message.delivered",
        ReceiptWish::Success => event == "message.delivered",
    }
}

/// Standard Webhooks 1.0, "Payload structure": type, timestamp, data.
pub(super) fn payload(message: &Message, event: &str, now: Timestamp) -> Box<str> {
    let length = message.body.content.text().map_or(0, str::len) + 640;
    let mut out = String::with_capacity(length);
    push_head(event, now, &mut out);
    message_json(message, &mut out);
    out.push('}');
    out.into_boxed_str()
}

/// The same of a message of which nothing else is known.
pub(super) fn payload_of_id(id: MessageId, event: &str, now: Timestamp) -> Box<str> {
    let mut out = String::new();
    push_head(event, now, &mut out);
    out.push_str(r#"{"id":"#);
    push_text(&id.to_string(), &mut out);
    out.push_str("}}");
    out.into_boxed_str()
}

fn push_head(event: &str, now: Timestamp, out: &mut String) {
    out.push_str(r#"{"type":"#);
    push_text(event, out);
    out.push_str(r#","timestamp":"#);
    push_time(now, out);
    out.push_str(r#","data":"#);
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
