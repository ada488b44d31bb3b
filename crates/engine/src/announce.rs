//! Announce: events that are not about a message. A connector's ups and downs go to those webhooks
//! that ask for them by name, an account's low balance and calls to its own; a webhook can be sent a test.

use std::collections::BTreeMap;

use model::resources::{Amount, Currency, Prepaid};
use model::{
    Address, BatchId, CallbackStyle, Delivery, DeliveryId, Name, OptOut, Schedule, ScheduleId, Sum, Timestamp,
};
use serde::Serialize;
use store::{Batch, BatchCounts};

use crate::access::Caller;
use crate::calls::Call;
use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::notify::{origin, push_encoded};
use crate::world::{AccountView, WebhookView, World};

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
struct OfBalance<'a> {
    account: &'a str,
    balance: Sum,
    warn_below: Option<Amount>,
    currency: Currency,
}

#[derive(Serialize)]
struct OfBatch<'a> {
    id: BatchId,
    account: &'a str,
    accepted: u64,
    rejected: u64,
    upload: &'static str,
    created_at: Timestamp,
    finished_at: Timestamp,
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct OfSchedule<'a> {
    id: ScheduleId,
    account: &'a str,
    name: Option<&'a str>,
    /// The occurrence that was refused.
    occurrence: Option<Timestamp>,
    reason: OfRefusal<'a>,
    next_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct OfRefusal<'a> {
    code: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct OfCall<'a> {
    account: &'a str,
    connector: &'a str,
    /// Unless it is withheld.
    from: Option<&'a Address>,
    to: &'a Address,
    rule: &'a str,
    received_at: Timestamp,
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
    let webhooks = world.set.accounts.iter().filter_map(|a| world.account(&a.id)).flat_map(|a| a.endpoints());
    webhooks
        .filter(|w| !w.webhook.events.is_empty() && w.webhook.wants(event) && w.webhook.style.is_webhook())
        .map(|w| announcement(w, event, &data, now, next_id()))
        .collect()
}

/// What is owed when a prepaid account's balance falls below what it is to be warned at.
pub(crate) fn of_balance(
    account: &AccountView,
    prepaid: &Prepaid,
    balance: Sum,
    now: Timestamp,
    next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    let (currency, warn_below) = (prepaid.currency, prepaid.warn_below);
    let data = OfBalance { account: &account.id, balance, warn_below, currency };
    owed(account, "account.balance_low", &data, now, next_id)
}

/// What is owed when all messages of a batch have ended.
pub(crate) fn of_batch(
    account: &AccountView,
    batch: &Batch,
    counts: &BatchCounts,
    now: Timestamp,
    next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    let data = OfBatch {
        id: batch.id,
        account: &batch.account,
        accepted: batch.accepted,
        rejected: batch.rejected,
        upload: if batch.complete { "complete" } else { "incomplete" },
        created_at: batch.created_at,
        finished_at: now,
        counts: counts.0.iter().map(|(status, count)| (status.as_str(), *count)).collect(),
    };
    owed(account, "batch.completed", &data, now, next_id)
}

/// What is owed when a phone wants nothing more from the account.
pub(crate) fn of_opt_out(
    account: &AccountView,
    opt_out: &OptOut,
    now: Timestamp,
    next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    owed(account, "opt_out.created", opt_out, now, next_id)
}

/// What is owed when an occurrence of a schedule was refused: `after` is the schedule as it goes on.
pub(crate) fn of_schedule(
    account: &AccountView,
    before: &Schedule,
    after: &Schedule,
    now: Timestamp,
    next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    let Some(refusal) = &after.course.last_refusal else { return Vec::new() };
    let data = OfSchedule {
        id: after.id,
        account: &after.account,
        name: after.terms.name.as_deref(),
        occurrence: before.course.next_at,
        reason: OfRefusal { code: &refusal.code, detail: &refusal.detail },
        next_at: after.course.next_at,
    };
    owed(account, "schedule.failed", &data, now, next_id)
}

/// What is owed when somebody calls the number of a modem.
pub(crate) fn of_call(account: &AccountView, call: &Call<'_>, next_id: impl FnMut() -> DeliveryId) -> Vec<Delivery> {
    let data = OfCall {
        account: &account.id,
        connector: call.connector,
        from: call.from,
        to: call.to,
        rule: call.rule,
        received_at: call.at,
    };
    owed(account, "call.received", &data, call.at, next_id)
}

impl Engine {
    /// Owes an account's application a GET of `url` with `query` added to it, as a webhook is owed. An
    /// address that is none is owed nothing.
    pub async fn owe_call(&self, caller: &Caller, url: &str, query: &[(&str, &str)]) {
        if !model::url::is_web(url) {
            return;
        }
        let mut url = url.split('#').next().unwrap_or_default().to_owned();
        for (name, value) in query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            push_encoded(value.as_bytes(), &mut url);
        }
        let now = self.now();
        let (id, from) = (DeliveryId(self.next_id(now).0), (caller.account.id.clone(), origin(&url)));
        let delivery = Delivery {
            url: Some(url.into()),
            style: CallbackStyle::Kannel,
            ..Delivery::new(id, from, "batch.message", "".into(), now)
        };
        // An engine that has ended owes nothing any more.
        let _ = self.inner.facts.send(Facts::one(Fact::Owed { delivery })).await;
    }
}

/// What is owed to those webhooks of an account that want to hear of `event`.
fn owed<T: Serialize>(
    account: &AccountView,
    event: &str,
    data: &T,
    now: Timestamp,
    mut next_id: impl FnMut() -> DeliveryId,
) -> Vec<Delivery> {
    let webhooks = account.endpoints().filter(|w| w.webhook.wants(event) && w.webhook.style.is_webhook());
    webhooks.map(|w| announcement(w, event, data, now, next_id())).collect()
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
    Delivery::new(id, (webhook.account.clone(), webhook.id.clone()), event, payload.into(), now)
}
