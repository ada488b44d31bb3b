//! `POST /v1/tokens`: a token, shown this once.

use engine::{Edit, new_token};
use hyper::StatusCode;
use ipnet::IpNet;
use model::Timestamp;
use model::resources::{ResourceSet, Scope, Token};
use serde::Deserialize;

use super::json;
use super::problem::{Problem, catalogue};
use super::redact::TokenShown;
use super::reply::Reply;
use super::request::Request;

/// Digits of its hash that a token's id is made of when none is given.
const ID_DIGITS: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    account: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    scopes: Option<Vec<Scope>>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    networks: Option<Vec<IpNet>>,
}

pub(super) async fn create(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let wanted: Wanted = json::parse(&body)?;
    let engine = request.engine();
    let (secret, sha256) = new_token().map_err(|error| {
        tracing::error!(%error, "no token can be made");
        Problem::new(&catalogue::INTERNAL)
    })?;
    let id = wanted.id.unwrap_or_else(|| format!("tok-{}", sha256.get(..ID_DIGITS).unwrap_or(&sha256)));
    let token = Token {
        id,
        account: wanted.account,
        sha256,
        scopes: wanted.scopes.unwrap_or_else(|| vec![Scope::Messages]),
        expires_at: wanted.expires_at,
        networks: wanted.networks.unwrap_or_default(),
        created_at: engine.now(),
    };
    let add = |set: &ResourceSet| match set.tokens.iter().any(|known| known.id == token.id) {
        true => {
            let detail = format!("there is a token {:?}", token.id);
            Err(Problem::new(&catalogue::ALREADY_EXISTS).detail(detail))
        }
        false => Ok((vec![Edit::Token(token.clone())], ())),
    };
    engine.change_resources(add).await?;
    let mut shown = TokenShown::from(&token);
    shown.token = Some(secret);
    Ok(Reply::json(StatusCode::CREATED, &shown).at(format!("/v1/tokens/{}", token.id)))
}
