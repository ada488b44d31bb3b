//! `/v1/webhooks`: the webhooks of accounts, one by one. They are kept inside their accounts.

use engine::resources::new_webhook_secret;
use engine::{Edit, EditError, Engine, WebhookView};
use hyper::StatusCode;
use model::id::is_name;
use model::resources::{Account, EventFilter, Kind, ResourceSet, Secret, Webhook};
use model::submission::Fault;
use model::{CallbackStyle, form};
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
    #[serde(default, deserialize_with = "form::word")]
    style: CallbackStyle,
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

impl Wanted {
    fn webhook(&self, id: &str, secret: Option<Secret>) -> Webhook {
        let (id, events) = (Some(id.to_owned()), self.events.clone());
        Webhook { id, url: self.url.clone(), style: self.style, secret, events, enabled: self.enabled }
    }
}

/// A webhook as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    account: &'a str,
    url: &'a str,
    style: CallbackStyle,
    events: &'a [EventFilter],
    enabled: bool,
    /// The signing secret, right after it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn new(id: &'a str, account: &'a str, webhook: &'a Webhook) -> Self {
        let Webhook { url, style, events, enabled, .. } = webhook;
        Self { id, account, url, style: *style, events, enabled: *enabled, secret: None }
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
    if wanted.id.as_deref().is_some_and(|id| !is_name(id)) {
        let detail = "must be 1 to 64 letters, digits, dots, hyphens or underscores";
        return Err(invalid(Fault::new("/id", detail)));
    }
    let made = match &secret {
        Some(_) => None,
        None => Some(new_webhook_secret().map_err(|error| {
            tracing::error!(%error, "no secret can be made");
            Problem::new(&catalogue::INTERNAL)
        })?),
    };
    let secret = secret.or_else(|| made.clone().map(Secret::Plain));
    let owner = wanted.account.as_deref().unwrap_or(&request.caller.account.id);
    let added = change(request.engine(), |set| {
        let account = set.accounts.iter().find(|account| account.id == owner).cloned();
        let no_account = || invalid(Fault::new("/account", format!("there is no account {owner:?}")));
        let mut account = account.ok_or_else(no_account)?;
        let id = match &wanted.id {
            Some(id) if find(set, id).is_some() => {
                return Err(Problem::new(&catalogue::ALREADY_EXISTS).detail(format!("there is a webhook {id:?}")));
            }
            Some(id) => id.clone(),
            None => free_id(&account.id, |id| find(set, id).is_some()),
        };
        let webhook = wanted.webhook(&id, secret.clone());
        account.webhooks.push(webhook.clone());
        Ok((account, webhook))
    })
    .await?;
    let id = added.id.as_deref().unwrap_or_default();
    let mut shown = Shown::new(id, owner, &added);
    shown.secret = made.as_deref();
    Ok(Reply::json(StatusCode::CREATED, &shown).at(format!("/v1/webhooks/{id}")))
}

/// `PUT /v1/webhooks/{id}`. A secret that is left out stays as it was.
pub(super) async fn put(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let (wanted, secret) = read(request).await?;
    if wanted.id.as_deref().is_some_and(|given| given != id) {
        return Err(invalid(Fault::new("/id", "must be the id in the path, or left out")));
    }
    let mut owner = String::new();
    let changed = change(request.engine(), |set| {
        let (account, place) = find(set, id).ok_or_else(missing)?;
        if wanted.account.as_ref().is_some_and(|given| *given != account.id) {
            let detail = "must be the account that the webhook belongs to, or left out";
            return Err(invalid(Fault::new("/account", detail)));
        }
        let mut account = account.clone();
        let webhook = account.webhooks.get_mut(place).ok_or_else(missing)?;
        *webhook = wanted.webhook(id, secret.clone().or_else(|| webhook.secret.clone()));
        let webhook = webhook.clone();
        owner.clone_from(&account.id);
        Ok((account, webhook))
    })
    .await?;
    Ok(Reply::ok(&Shown::new(id, &owner, &changed)))
}

/// `DELETE /v1/webhooks/{id}`. The others keep their ids, whatever place they move to.
pub(super) async fn delete(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    change(request.engine(), |set| {
        let (account, place) = find(set, id).ok_or_else(missing)?;
        let mut account = account.clone();
        account.webhooks.remove(place);
        Ok((account, ()))
    })
    .await?;
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

/// The account that has the webhook, and the webhook's place in it.
fn find<'s>(set: &'s ResourceSet, id: &str) -> Option<(&'s Account, usize)> {
    // Every webhook that is stored has an id.
    let place = |account: &Account| account.webhooks.iter().position(|webhook| webhook.id.as_deref() == Some(id));
    set.accounts.iter().find_map(|account| Some((account, place(account)?)))
}

/// Changes one account as `plan` wants it; what others change at the same time is not lost.
async fn change<T>(
    engine: &Engine,
    mut plan: impl FnMut(&ResourceSet) -> Result<(Account, T), Problem>,
) -> Result<T, Problem> {
    let planned = engine.change_resources(|set| match plan(set) {
        Ok((account, made)) => Ok((vec![Edit::Account(account)], made)),
        Err(problem) => Err(Refused(problem)),
    });
    planned.await.map_err(|refused| refused.0)
}

/// A change that was not made, told of the webhook instead of the account it is in.
struct Refused(Problem);

fn missing() -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail("there is no such webhook")
}

impl From<EditError> for Refused {
    fn from(error: EditError) -> Self {
        let EditError::Faults(faults) = error else { return Self(error.into()) };
        // The others were sound before, so that what is wrong with a webhook is wrong with this one.
        let field = |field: &str| Some(field.strip_prefix("webhooks.")?.split_once('.')?.1.to_owned());
        let faults = faults.iter().map(|fault| match (fault.kind, field(&fault.field)) {
            (Kind::Account, Some(field)) => Fault::new(format!("/{field}"), fault.detail.clone()),
            _ => Fault::new("", fault.to_string()),
        });
        Self(Problem::new(&catalogue::INVALID).faults(faults.collect()))
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
