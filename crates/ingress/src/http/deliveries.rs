//! `/v1/deliveries`: what accounts are owed and have not taken yet; `/v1/receipts/unmatched`.

use engine::{Caller, RULE_LANE};
use model::delivery::DeliveryState;
use model::{Delivery, DeliveryId, MessageId, ReceiptState, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use store::{DeliveryFilter, ParkedReceipt};

use super::messages::account_of;
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;

/// A page of a list.
#[derive(Serialize)]
struct Page<T, I> {
    data: Vec<T>,
    next_cursor: Option<I>,
}

#[derive(Serialize)]
struct Shown<'a> {
    id: DeliveryId,
    account: &'a str,
    message: Option<MessageId>,
    endpoint: &'a str,
    url: Option<&'a str>,
    event: &'a str,
    state: DeliveryState,
    attempts: u16,
    created_at: Timestamp,
    /// When it is tried next; a failed one is not.
    next_attempt_at: Option<Timestamp>,
    last_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
}

impl<'a> Shown<'a> {
    /// As this caller may see it.
    fn to(caller: &Caller, delivery: &'a Delivery) -> Self {
        // The address of an inbound rule's webhook is the operator's, and may hold its secrets.
        let own = caller.is_admin() || !delivery.endpoint.starts_with(RULE_LANE);
        Self {
            id: delivery.id,
            account: &delivery.account,
            message: delivery.message,
            endpoint: &delivery.endpoint,
            url: delivery.url.as_deref().filter(|_| own),
            event: &delivery.event,
            state: delivery.state,
            attempts: delivery.attempts,
            created_at: delivery.created_at,
            next_attempt_at: (delivery.state == DeliveryState::Pending).then_some(delivery.due),
            last_error: delivery.last_error.as_deref(),
            payload: None,
        }
    }
}

/// `GET /v1/deliveries`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let query = request.query(&["account", "endpoint", "state", "message", "limit", "cursor"])?;
    let filter = DeliveryFilter {
        account: account_of(&query, request)?,
        endpoint: query.get("endpoint").map(Into::into),
        state: query.read_with("state", "pending or failed", |text| match text {
            "pending" => Some(DeliveryState::Pending),
            "failed" => Some(DeliveryState::Failed),
            _ => None,
        })?,
        message: query.read("message", "the id of a message")?,
        id: None,
    };
    let limit = query.limit()?;
    let found = request.engine().deliveries(request.caller, filter, query.cursor()?, limit).await?;
    let next_cursor = found.last().filter(|_| found.len() == limit).map(|last| last.id);
    Ok(Reply::ok(&Page { data: found.iter().map(|one| Shown::to(request.caller, one)).collect(), next_cursor }))
}

/// `GET /v1/deliveries/{id}`, with what it brings.
pub(super) async fn get(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let filter = DeliveryFilter { id: Some(id_of(id)?), ..DeliveryFilter::default() };
    let found = request.engine().deliveries(request.caller, filter, None, 1).await?;
    let delivery = found.first().ok_or_else(missing)?;
    let mut shown = Shown::to(request.caller, delivery);
    shown.payload = serde_json::from_str(&delivery.payload).ok();
    Ok(Reply::ok(&shown))
}

/// `POST /v1/deliveries/{id}/redeliver`.
pub(super) async fn redeliver(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let delivery = request.engine().redeliver(request.caller, id_of(id)?).await?.ok_or_else(missing)?;
    Ok(Reply::ok(&Shown::to(request.caller, &delivery)))
}

/// `GET /v1/receipts/unmatched`.
pub(super) async fn unmatched(request: &Request<'_>) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Parked<'a> {
        id: MessageId,
        connector: &'a str,
        remote_id: &'a str,
        phone: &'a str,
        state: ReceiptState,
        stat: &'a str,
        err: Option<&'a str>,
        received_at: Timestamp,
        expires_at: Timestamp,
    }
    fn shown(parked: &ParkedReceipt) -> Parked<'_> {
        Parked {
            id: parked.id,
            connector: &parked.key.connector,
            remote_id: &parked.remote_id,
            phone: &parked.phone,
            state: parked.receipt.state,
            stat: &parked.receipt.stat,
            err: parked.receipt.err.as_deref(),
            received_at: parked.received_at,
            expires_at: parked.expires_at,
        }
    }
    let query = request.query(&["limit", "cursor"])?;
    let limit = query.limit()?;
    let found = request.engine().unmatched(query.cursor()?, limit).await?;
    let next_cursor = found.last().filter(|_| found.len() == limit).map(|last| last.id);
    Ok(Reply::ok(&Page { data: found.iter().map(shown).collect(), next_cursor }))
}

fn id_of(text: &str) -> Result<DeliveryId, Problem> {
    text.parse().map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail("there is no such delivery, or it was taken")
}
