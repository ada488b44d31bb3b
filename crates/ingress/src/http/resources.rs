//! `/v1/accounts`, `/v1/pools`, `/v1/routes`, `/v1/inbound-rules` and what `/v1/connectors` and `/v1/tokens`
//! share with them. A `PUT` is whole: what it leaves out gets its default, but for secrets, which
//! stay as they were.

use engine::{Edit, EditError, World};
use hyper::StatusCode;
use model::SessionProtocol;
use model::id::is_name;
use model::resources::{Account, Connector, Inbound, Kind, ResourceSet};
use model::submission::Fault;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::problem::{Problem, catalogue};
use super::redact::{self, TokenShown};
use super::reply::Reply;
use super::request::Request;
use super::{accounts, connectors, json, secrets};

/// Where resources have objects, of whatever kind; `*` is every entry of a list.
const OBJECTS: [&str; 25] = [
    "quota",
    "prepaid",
    "match",
    "match/parts",
    "match/time/*",
    "rewrite",
    "rewrite/from",
    "rewrite/to",
    "price",
    "cost",
    "members/*",
    "members/*/cost",
    "reconnect",
    "tls",
    "source",
    "destination",
    "outbind",
    "health",
    "opt_out",
    "compat",
    "smpp",
    "mqtt",
    "mqtt/tls",
    "webhook",
    "policy",
];

/// A list that is given whole.
#[derive(serde::Serialize)]
pub(super) struct Listed<T> {
    pub data: Vec<T>,
}

/// `GET /v1/{kind}`.
pub(super) fn list(request: &Request<'_>, kind: Kind) -> Result<Reply, Problem> {
    let world = request.engine().world();
    let data: Vec<Box<RawValue>> = ids(&world.set, kind).into_iter().filter_map(|id| show(&world, kind, id)).collect();
    Ok(Reply::ok(&Listed { data }))
}

/// `GET /v1/{kind}/{id}`.
pub(super) fn get(request: &Request<'_>, kind: Kind, id: &str) -> Result<Reply, Problem> {
    show(&request.engine().world(), kind, id).map(|shown| Reply::ok(&shown)).ok_or_else(|| missing(kind, id))
}

/// `PUT /v1/{kind}/{id}`.
pub(super) async fn put(request: &mut Request<'_>, kind: Kind, id: &str) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let edit = match kind {
        Kind::Account => Edit::Account(account_of(&body, id)?),
        Kind::Connector => Edit::Connector(connector_of(&body, id)?),
        Kind::Pool => Edit::Pool(read(&body, id)?),
        Kind::Route => Edit::Route(Box::new(read(&body, id)?)),
        Kind::Inbound => Edit::Inbound(inbound_of(&body, id)?),
        Kind::Token => return Err(missing(kind, id)),
    };
    let engine = request.engine();
    let put = |set: &ResourceSet| Ok::<_, Problem>((vec![edit.clone()], !has(set, kind, id)));
    let is_new = engine.change_resources(put).await?;
    if kind == Kind::Connector {
        return connectors::shown_after_put(request, id, is_new).await;
    }
    if kind == Kind::Account {
        return Ok(put_reply(is_new, path_of(kind), id, &accounts::show(request, id).await?));
    }
    // Somebody may have deleted it in the same moment; then this is what its reader finds as well.
    let shown = show(&engine.world(), kind, id).ok_or_else(|| missing(kind, id))?;
    Ok(put_reply(is_new, path_of(kind), id, &shown))
}

/// 201 with the address of what is new, 200 otherwise.
pub(super) fn put_reply(is_new: bool, path: &str, id: &str, shown: &impl serde::Serialize) -> Reply {
    match is_new {
        true => Reply::json(StatusCode::CREATED, shown).at(format!("/v1/{path}/{id}")),
        false => Reply::ok(shown),
    }
}

/// `DELETE /v1/{kind}/{id}`. The tokens of an account go with it.
pub(super) async fn delete(request: &Request<'_>, kind: Kind, id: &str) -> Result<Reply, Problem> {
    let remove = |set: &ResourceSet| {
        let mut edits = vec![Edit::Remove(kind, id.to_owned())];
        if kind == Kind::Account {
            let tokens = set.tokens.iter().filter(|token| token.account == id);
            edits.extend(tokens.map(|token| Edit::Remove(Kind::Token, token.id.clone())));
        }
        Ok::<_, EditError>((edits, ()))
    };
    match request.engine().change_resources(remove).await {
        Ok(()) => Ok(Reply::no_content()),
        Err(EditError::Faults(faults)) => {
            let used = faults.iter().map(|fault| Fault::new("", fault.to_string())).collect();
            Err(Problem::new(&catalogue::STILL_USED).faults(used))
        }
        Err(error) => Err(error.into()),
    }
}

/// There is none of this kind with this id.
pub(super) fn missing(kind: Kind, id: &str) -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail(format!("there is no {} {id:?}", kind.as_str()))
}

/// Reads a resource whose id is that of its path.
fn read<T: DeserializeOwned>(body: &[u8], id: &str) -> Result<T, Problem> {
    read_fields(fields_of(body, id)?)
}

/// A body's fields, with the id of the path.
fn fields_of(body: &[u8], id: &str) -> Result<Value, Problem> {
    let mut fields: Map<String, Value> = json::parse(body)?;
    fields.values_mut().for_each(json::whole_numbers);
    match fields.get("id") {
        None => {
            fields.insert("id".into(), id.into());
        }
        Some(Value::String(given)) if given == id => {}
        Some(_) => return Err(invalid(Fault::new("/id", "must be the id in the path, or left out"))),
    }
    let fields = Value::Object(fields);
    match object_fault(&fields) {
        Some(pointer) => Err(invalid(Fault::new(pointer, "must be an object"))),
        None => Ok(fields),
    }
}

/// The pointer of what should be an object of a resource and is an array, if there is one: the parser
/// would take that for the object's fields.
pub(super) fn object_fault(resource: &Value) -> Option<String> {
    if resource.is_array() {
        return Some(String::new());
    }
    OBJECTS.iter().find_map(|path| array_at(resource, path))
}

/// The pointer of the array that stands at `path`, if one does.
fn array_at(value: &Value, path: &str) -> Option<String> {
    let (key, rest) = path.split_once('/').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let look = |key: &str, value: &Value| match rest {
        Some(rest) => array_at(value, rest).map(|pointer| format!("/{key}{pointer}")),
        None => value.is_array().then(|| format!("/{key}")),
    };
    match key {
        "*" => value.as_array()?.iter().enumerate().find_map(|(n, entry)| look(&n.to_string(), entry)),
        key => look(key, value.get(key)?),
    }
}

fn read_fields<T: DeserializeOwned>(fields: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(fields).map_err(|error| invalid(json::fault_of(&error)))
}

fn account_of(body: &[u8], id: &str) -> Result<Account, Problem> {
    let mut fields = fields_of(body, id)?;
    if let Some(fields) = fields.as_object_mut() {
        // What is shown of an account may be sent back.
        fields.remove("balance");
        fields.remove("binds");
        fields.remove("queued");
    }
    let secret = |pointer: &str, signing: bool| {
        let given = fields.pointer(pointer).unwrap_or(&Value::Null);
        let read = if signing { secrets::read_signing(pointer, given) } else { secrets::read(pointer, given) };
        read.map(drop).map_err(invalid)
    };
    for pointer in ["/api_token", "/compat/password", "/mqtt/password"] {
        secret(pointer, false)?;
    }
    for protocol in SessionProtocol::ALL.map(SessionProtocol::as_str) {
        secret(&format!("/{protocol}/password"), false)?;
        secret(&format!("/{protocol}/password_sha256"), false)?;
    }
    secret("/policy/secret", true)?;
    let webhooks = fields.pointer("/webhooks").and_then(Value::as_array).map_or(0, Vec::len);
    if let Some(n) = (0..webhooks).find(|n| !fields["webhooks"][n].is_object()) {
        return Err(invalid(Fault::new(format!("/webhooks/{n}"), "must be an object")));
    }
    (0..webhooks).try_for_each(|n| secret(&format!("/webhooks/{n}/secret"), true))?;
    let mut account: Account = read_fields(fields)?;
    for protocol in SessionProtocol::ALL {
        if let Some((Some(_), Some(_))) = account.login_secrets(protocol) {
            let pointer = format!("/{}/password_sha256", protocol.as_str());
            return Err(invalid(Fault::new(pointer, "stands for the password: give one of the two")));
        }
    }
    for (n, webhook) in account.webhooks.iter().enumerate() {
        if webhook.id.as_deref().is_some_and(|id| !is_name(id)) {
            let detail = "must be 1 to 64 letters, digits, dots, hyphens or underscores";
            return Err(invalid(Fault::new(format!("/webhooks/{n}/id"), detail)));
        }
    }
    Ok(account)
}

fn connector_of(body: &[u8], id: &str) -> Result<Connector, Problem> {
    let mut fields = fields_of(body, id)?;
    if let Some(fields) = fields.as_object_mut() {
        // What is shown of a connector may be sent back.
        fields.remove("status");
    }
    for pointer in ["/password", "/outbind/password", "/http/callback/secret"] {
        secrets::read(pointer, fields.pointer(pointer).unwrap_or(&Value::Null)).map_err(invalid)?;
    }
    for (name, secret) in fields.pointer("/http/secrets").and_then(Value::as_object).into_iter().flatten() {
        let pointer = format!("/http/secrets/{name}");
        if secrets::read(&pointer, secret).map_err(invalid)?.is_none() {
            return Err(invalid(Fault::new(pointer, "must be a secret; leave it out to keep the one that there is")));
        }
    }
    read_fields(fields)
}

fn inbound_of(body: &[u8], id: &str) -> Result<Inbound, Problem> {
    let fields = fields_of(body, id)?;
    let pointer = "/webhook/secret";
    secrets::read_signing(pointer, fields.pointer(pointer).unwrap_or(&Value::Null)).map_err(invalid)?;
    read_fields(fields)
}

/// One fault of a body.
pub(super) fn invalid(fault: Fault) -> Problem {
    Problem::new(&catalogue::INVALID).detail("1 field is wrong").faults(vec![fault])
}

fn ids(set: &ResourceSet, kind: Kind) -> Vec<&str> {
    match kind {
        Kind::Account => set.accounts.iter().map(|r| r.id.as_str()).collect(),
        Kind::Connector => set.connectors.iter().map(|r| r.id.as_str()).collect(),
        Kind::Pool => set.pools.iter().map(|r| r.id.as_str()).collect(),
        Kind::Route => set.routes.iter().map(|r| r.id.as_str()).collect(),
        Kind::Inbound => set.inbound.iter().map(|r| r.id.as_str()).collect(),
        Kind::Token => set.tokens.iter().map(|r| r.id.as_str()).collect(),
    }
}

fn has(set: &ResourceSet, kind: Kind, id: &str) -> bool {
    ids(set, kind).contains(&id)
}

fn path_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Account => "accounts",
        Kind::Connector => "connectors",
        Kind::Pool => "pools",
        Kind::Route => "routes",
        Kind::Inbound => "inbound-rules",
        Kind::Token => "tokens",
    }
}

fn show(world: &World, kind: Kind, id: &str) -> Option<Box<RawValue>> {
    let set = &world.set;
    let shown = match kind {
        Kind::Account => to_raw_value(&redact::account(set.accounts.iter().find(|r| r.id == id)?)),
        Kind::Connector => to_raw_value(&redact::connector(set.connectors.iter().find(|r| r.id == id)?)),
        Kind::Pool => to_raw_value(set.pools.iter().find(|r| r.id == id)?),
        Kind::Route => to_raw_value(set.routes.iter().find(|r| r.id == id)?),
        Kind::Inbound => to_raw_value(&redact::inbound(set.inbound.iter().find(|r| r.id == id)?)),
        Kind::Token => {
            let mut token = TokenShown::from(set.tokens.iter().find(|r| r.id == id)?);
            token.last_used_at = world.token_used(id);
            to_raw_value(&token)
        }
    };
    Some(shown.expect("resources have string keys and finite numbers only"))
}
