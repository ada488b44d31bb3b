//! `/v1/webhooks`: the webhooks of accounts, one by one. They are kept inside their accounts.

use engine::resources::new_webhook_secret;
use engine::{Edit, EditError, WebhookView};
use hyper::StatusCode;
use model::id::is_name;
use model::resources::{Account, EventFilter, Kind, Secret, Webhook};
use model::submission::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json;
use super::messages::account_of;
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;
use super::resources::{Listed, invalid};
use super::secrets;

/// A webhook as it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    account: Option<String>,
    url: String,
    #[serde(default)]
    secret: Value,
    #[serde(default)]
    events: Vec<EventFilter>,
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// A webhook as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    account: &'a str,
    url: &'a str,
    events: &'a [EventFilter],
    enabled: bool,
    /// The signing secret, right after it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn new(id: &'a str, account: &'a str, webhook: &'a Webhook) -> Self {
        Self { id, account, url: &webhook.url, events: &webhook.events, enabled: webhook.enabled, secret: None }
    }

    fn of(view: &'a WebhookView) -> Self {
        Self::new(&view.id, &view.account, &view.webhook)
    }
}

/// `GET /v1/webhooks`: the caller's, or with the scope admin everybody's.
pub(super) fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let query = request.query(&["account"])?;
    let caller = request.caller;
    let wanted = match account_of(&query, request)? {
        None if !caller.is_admin() => Some(caller.account.id.clone()),
        wanted => wanted,
    };
    let world = request.engine().world();
    let accounts = world.set.accounts.iter().filter(|a| wanted.as_ref().is_none_or(|w| **w == *a.id));
    let views = accounts.filter_map(|a| world.account(&a.id)).flat_map(|view| &view.webhooks);
    Ok(Reply::ok(&Listed { data: views.map(|view| Shown::of(view)).collect::<Vec<_>>() }))
}

/// `GET /v1/webhooks/{id}`.
pub(super) fn get(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let world = request.engine().world();
    let caller = request.caller;
    let view = world.webhook(id).filter(|view| caller.is_admin() || view.account == caller.account.id);
    Ok(Reply::ok(&Shown::of(view.ok_or_else(missing)?)))
}

/// `POST /v1/webhooks`: adds one to an account and shows its secret, this once.
pub(super) async fn create(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let (wanted, secret) = read(request).await?;
    let engine = request.engine();
    let world = engine.world();
    let account = wanted.account.as_deref().unwrap_or(&request.caller.account.id);
    let mut account = find_account(&world.set.accounts, account)?;
    let id = match wanted.id {
        Some(id) if !is_name(&id) => {
            let detail = "must be 1 to 64 letters, digits, dots, hyphens or underscores";
            return Err(invalid(Fault::new("/id", detail)));
        }
        Some(id) if world.webhook(&id).is_some() => {
            return Err(Problem::new(&catalogue::ALREADY_EXISTS).detail(format!("there is a webhook {id:?}")));
        }
        Some(id) => id,
        None => free_id(&account.id, |id| world.webhook(id).is_some()),
    };
    let made = match &secret {
        Some(_) => None,
        None => Some(new_webhook_secret().map_err(|error| {
            tracing::error!(%error, "no secret can be made");
            Problem::new(&catalogue::INTERNAL)
        })?),
    };
    let webhook = Webhook {
        id: Some(id.clone()),
        url: wanted.url,
        secret: secret.or_else(|| made.clone().map(Secret::Plain)),
        events: wanted.events,
        enabled: wanted.enabled,
    };
    account.webhooks.push(webhook.clone());
    let account_id = account.id.clone();
    engine.edit_resources(vec![Edit::Account(account)]).await.map_err(problem_of)?;
    let mut shown = Shown::new(&id, &account_id, &webhook);
    shown.secret = made.as_deref();
    Ok(Reply::json(StatusCode::CREATED, &shown).at(format!("/v1/webhooks/{id}")))
}

/// `PUT /v1/webhooks/{id}`. A secret that is left out stays as it was.
pub(super) async fn put(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let (wanted, secret) = read(request).await?;
    let engine = request.engine();
    let world = engine.world();
    let view = world.webhook(id).ok_or_else(missing)?;
    if wanted.id.is_some_and(|given| given != id) {
        return Err(invalid(Fault::new("/id", "must be the id in the path, or left out")));
    }
    if wanted.account.is_some_and(|given| *given != *view.account) {
        return Err(invalid(Fault::new("/account", "must be the account that the webhook belongs to, or left out")));
    }
    let mut account = find_account(&world.set.accounts, &view.account)?;
    let place = place_of(&world, view).ok_or_else(missing)?;
    let webhook = account.webhooks.get_mut(place).ok_or_else(missing)?;
    *webhook = Webhook {
        id: Some(id.to_owned()),
        url: wanted.url,
        secret: secret.or_else(|| webhook.secret.clone()),
        events: wanted.events,
        enabled: wanted.enabled,
    };
    let webhook = webhook.clone();
    engine.edit_resources(vec![Edit::Account(account)]).await.map_err(problem_of)?;
    Ok(Reply::ok(&Shown::new(id, &view.account, &webhook)))
}

/// `DELETE /v1/webhooks/{id}`.
pub(super) async fn delete(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let engine = request.engine();
    let world = engine.world();
    let view = world.webhook(id).ok_or_else(missing)?;
    let mut account = find_account(&world.set.accounts, &view.account)?;
    let place = place_of(&world, view).filter(|place| *place < account.webhooks.len()).ok_or_else(missing)?;
    // The others keep the ids that they have now, whatever place they move to.
    for (webhook, view) in
        account.webhooks.iter_mut().zip(world.account(&view.account).iter().flat_map(|a| &a.webhooks))
    {
        webhook.id = Some(view.id.to_string());
    }
    account.webhooks.remove(place);
    engine.edit_resources(vec![Edit::Account(account)]).await.map_err(problem_of)?;
    Ok(Reply::no_content())
}

/// `POST /v1/webhooks/{id}/test`: owes it an event that says nothing.
pub(super) async fn test(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Owed {
        delivery: model::DeliveryId,
    }
    let delivery = request.engine().test_webhook(request.caller, id).await?.ok_or_else(missing)?;
    Ok(Reply::json(StatusCode::ACCEPTED, &Owed { delivery }))
}

async fn read(request: &mut Request<'_>) -> Result<(Wanted, Option<Secret>), Problem> {
    let body = request.json_body().await?;
    let wanted: Wanted = json::parse(&body)?;
    let secret = secrets::read_signing("/secret", &wanted.secret).map_err(invalid)?;
    Ok((wanted, secret))
}

fn free_id(account: &str, taken: impl Fn(&str) -> bool) -> String {
    // One of the first ids is free: an account has only so many webhooks.
    (1u32..).map(|n| format!("{account}-{n}")).find(|id| !taken(id)).unwrap_or_default()
}

fn find_account(accounts: &[Account], id: &str) -> Result<Account, Problem> {
    let found = accounts.iter().find(|account| account.id == id).cloned();
    found.ok_or_else(|| invalid(Fault::new("/account", format!("there is no account {id:?}"))))
}

fn place_of(world: &engine::World, view: &WebhookView) -> Option<usize> {
    world.account(&view.account)?.webhooks.iter().position(|other| other.id == view.id)
}

fn missing() -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail("there is no such webhook")
}

/// What is wrong with the account's webhooks is wrong with this one.
fn problem_of(error: EditError) -> Problem {
    match error {
        EditError::Faults(faults) => {
            let faults = faults.iter().map(|fault| match (fault.kind, fault.field.strip_prefix("webhooks.")) {
                (Kind::Account, Some(field)) => Fault::new(format!("/{field}"), fault.detail.clone()),
                _ => Fault::new("", fault.to_string()),
            });
            Problem::new(&catalogue::INVALID).faults(faults.collect())
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_taken_are_passed_over() {
        assert_eq!(free_id("shop", |id| id == "shop-1"), "shop-2");
    }
}
