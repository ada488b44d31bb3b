//! `/v1/opt-outs`: phones that accounts send nothing to.

use hyper::StatusCode;
use model::submission::Fault;
use model::{Address, OptOut, OptOutId, OptOutKey};
use serde::{Deserialize, Serialize};
use store::OptOutFilter;

use super::json;
use super::messages::account_of;
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;
use super::resources::invalid;

#[derive(Serialize)]
struct Page {
    data: Vec<OptOut>,
    next_cursor: Option<OptOutId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    phone: String,
    #[serde(default)]
    sender: Option<String>,
}

/// `GET /v1/opt-outs`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let query = request.query(&["account", "phone", "limit", "cursor"])?;
    let country = request.caller.account.country;
    let filter = OptOutFilter {
        account: account_of(&query, request)?,
        phone: query.read_with("phone", "a phone number", |text| Address::recipient(text, country).ok())?,
        id: None,
    };
    let limit = query.limit()?;
    let found = request.engine().opt_outs(request.caller, filter, query.cursor()?, limit).await?;
    let next_cursor = found.last().filter(|_| found.len() == limit).map(|last| last.id);
    Ok(Reply::ok(&Page { data: found, next_cursor }))
}

/// `GET /v1/opt-outs/{id}`.
pub(super) async fn get(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    Ok(Reply::ok(&find(request, id).await?))
}

/// `POST /v1/opt-outs`: one that is there already is given back as it is.
pub(super) async fn create(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let wanted: Wanted = json::parse(&body)?;
    let account = &request.caller.account;
    let phone = Address::recipient(&wanted.phone, account.country)
        .map_err(|error| invalid(Fault::new("/phone", error.to_string())))?;
    let sender = wanted.sender.as_deref().map(|sender| Address::sender(sender, account.country)).transpose();
    let sender = sender.map_err(|error| invalid(Fault::new("/sender", error.to_string())))?;
    let key = OptOutKey { account: account.id.clone(), phone, sender };
    let (opt_out, is_new) = request.engine().opt_out(key).await?;
    Ok(match is_new {
        true => Reply::json(StatusCode::CREATED, &opt_out).at(format!("/v1/opt-outs/{}", opt_out.id)),
        false => Reply::ok(&opt_out),
    })
}

/// `DELETE /v1/opt-outs/{id}`.
pub(super) async fn delete(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let opt_out = find(request, id).await?;
    request.engine().opt_in(opt_out.key).await?;
    Ok(Reply::no_content())
}

async fn find(request: &Request<'_>, id: &str) -> Result<OptOut, Problem> {
    let filter = OptOutFilter { id: Some(id.parse().map_err(|_| missing())?), ..OptOutFilter::default() };
    let found = request.engine().opt_outs(request.caller, filter, None, 1).await?;
    found.into_iter().next().ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail("there is no such opt-out")
}
