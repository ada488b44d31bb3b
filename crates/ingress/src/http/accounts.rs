//! What accounts have and have used: `/v1/accounts/{id}/usage`, `/ledger` and `/credit`, and the
//! balance that `/v1/accounts` shows.

use std::sync::Arc;

use engine::{Accepted, AccountView, Answer, CREDIT_MAX, QuotaUsed, Usage};
use hyper::StatusCode;
use model::resources::{Account, Currency, Kind};
use model::submission::Fault;
use model::{LedgerEntry, LedgerId, LedgerKind, MessageId, SessionProtocol, Sum, Timestamp};
use serde::{Deserialize, Serialize};

use super::json;
use super::problem::Problem;
use super::redact;
use super::reply::Reply;
use super::request::Request;
use super::resources::{Listed, invalid, missing};
use crate::sessions::BindView;

/// Most characters of a note.
const NOTE_MAX: usize = 200;

/// An account with what it has.
#[derive(Serialize)]
pub(super) struct AccountShown {
    #[serde(flatten)]
    account: Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Balance>,
    /// Its sessions at the SMPP, UCP and CIMD2 servers, where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    binds: Option<Vec<BindView>>,
    /// Its messages in queues, where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<u64>,
}

#[derive(Clone, Copy, Serialize)]
struct Balance {
    amount: Sum,
    currency: Currency,
}

#[derive(Serialize)]
struct UsageShown {
    account: model::Name,
    balance: Option<Balance>,
    daily: Option<QuotaShown>,
    monthly: Option<QuotaShown>,
}

#[derive(Serialize)]
struct QuotaShown {
    limit: u64,
    used: u64,
    resets_at: Timestamp,
}

#[derive(Serialize)]
struct EntryShown {
    id: LedgerId,
    at: Timestamp,
    kind: LedgerKind,
    amount: Sum,
    currency: Option<Currency>,
    message: Option<MessageId>,
    note: Option<Box<str>>,
}

#[derive(Serialize)]
struct EntryPage {
    data: Vec<EntryShown>,
    next_cursor: Option<LedgerId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    amount: Sum,
    #[serde(default)]
    note: Option<String>,
}

/// `GET /v1/accounts`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let world = request.engine().world();
    let views: Vec<Arc<AccountView>> =
        world.set.accounts.iter().filter_map(|account| world.account(&account.id)).cloned().collect();
    let usage = request.engine().usage(&views).await?;
    let data = views.iter().zip(&usage).map(|(view, usage)| shown(view, usage)).collect();
    Ok(Reply::ok(&Listed { data }))
}

/// `GET /v1/accounts/{id}`.
pub(super) async fn get(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let binds = request.state.settings.binds.of(id);
    let mut account = show(request, id).await?;
    account.queued = Some(request.engine().queued(id).await?);
    let has_sessions = SessionProtocol::ALL.into_iter().any(|protocol| account.account.login(protocol).is_some());
    account.binds = has_sessions.then_some(binds);
    Ok(Reply::ok(&account))
}

/// An account as it is shown.
pub(super) async fn show(request: &Request<'_>, id: &str) -> Result<AccountShown, Problem> {
    let view = request.engine().world().account(id).cloned().ok_or_else(|| missing(Kind::Account, id))?;
    let usage = request.engine().usage(std::slice::from_ref(&view)).await?;
    usage.first().map(|usage| shown(&view, usage)).ok_or_else(|| missing(Kind::Account, id))
}

/// `GET /v1/accounts/{id}/usage`.
pub(super) async fn usage(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let account = find(request, id)?;
    let usage = request.engine().usage(std::slice::from_ref(&account)).await?;
    let usage = usage.first().ok_or_else(|| missing(Kind::Account, id))?;
    let quota = |quota: Option<QuotaUsed>| {
        quota.map(|QuotaUsed { limit, used, resets_at }| QuotaShown { limit, used, resets_at })
    };
    Ok(Reply::ok(&UsageShown {
        account: account.id.clone(),
        balance: balance_of(usage),
        daily: quota(usage.daily),
        monthly: quota(usage.monthly),
    }))
}

/// `GET /v1/accounts/{id}/ledger`.
pub(super) async fn ledger(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let query = request.query(&["limit", "cursor"])?;
    let (before, limit) = (query.cursor()?, query.limit()?);
    let account = find(request, id)?;
    let entries = request.engine().ledger(&account, before, limit).await?;
    let next_cursor = entries.last().filter(|_| entries.len() == limit).map(|entry| entry.id);
    let data = entries.iter().map(|entry| entry_shown(entry, &account)).collect();
    Ok(Reply::ok(&EntryPage { data, next_cursor }))
}

/// `POST /v1/accounts/{id}/credit`.
pub(super) async fn credit(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let wanted: Wanted = json::parse(&body)?;
    let idempotency = request.idempotency(&body)?;
    let account = find(request, id)?;
    check(&wanted, &account)?;
    let mut text = String::new();
    let render = |entry: &LedgerEntry| -> Answer {
        let shown = entry_shown(entry, &account);
        text = serde_json::to_string(&shown).expect("ids, times and strings are always JSON");
        (StatusCode::CREATED.as_u16(), Arc::from(text.as_str()))
    };
    let (engine, note) = (request.engine(), wanted.note.map(Into::into));
    let credited = engine.credit(request.caller, &account, wanted.amount, note, idempotency, render).await?;
    let at = format!("/v1/accounts/{id}/ledger");
    Ok(match credited {
        Accepted::New(..) => Reply::json_text(StatusCode::CREATED, text).at(at),
        Accepted::Replayed((status, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED);
            Reply::json_text(status, body.to_string()).at(at).replayed()
        }
    })
}

fn check(wanted: &Wanted, account: &AccountView) -> Result<(), Problem> {
    let units = wanted.amount.micros().unsigned_abs().div_ceil(1_000_000);
    let fault = if account.account.prepaid.is_none() {
        Fault::new("", format!("the account {} is not prepaid: it has no balance", account.id))
    } else if wanted.amount == Sum::ZERO || units > CREDIT_MAX.unsigned_abs() {
        Fault::new("/amount", format!("must not be 0, and at most {CREDIT_MAX} to either side"))
    } else if wanted.note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
        Fault::new("/note", format!("is longer than {NOTE_MAX} characters"))
    } else {
        return Ok(());
    };
    Err(invalid(fault))
}

fn find(request: &Request<'_>, id: &str) -> Result<Arc<AccountView>, Problem> {
    request.engine().account_of(request.caller, id).ok_or_else(|| missing(Kind::Account, id))
}

fn shown(view: &AccountView, usage: &Usage) -> AccountShown {
    AccountShown { account: redact::account(&view.account), balance: balance_of(usage), binds: None, queued: None }
}

fn balance_of(usage: &Usage) -> Option<Balance> {
    usage.balance.map(|(amount, currency)| Balance { amount, currency })
}

fn entry_shown(entry: &LedgerEntry, account: &AccountView) -> EntryShown {
    EntryShown {
        id: entry.id,
        at: entry.at,
        kind: entry.kind,
        amount: entry.amount,
        currency: account.account.prepaid.as_ref().map(|prepaid| prepaid.currency),
        message: entry.message,
        note: entry.note.clone(),
    }
}
