//! `/v1/messages`: sending, finding, following and taking back. [`send`] is the hot path.

use std::sync::Arc;

use engine::{Accepted, Answer, render};
use hyper::StatusCode;
use model::id::is_name;
use model::message::Status;
use model::{Address, Direction, Message, MessageId, Replacement, Submission, Timestamp};
use serde::Deserialize;
use store::MessageFilter;

use super::json;
use super::problem::{Problem, catalogue};
use super::query::{self, Query};
use super::reply::Reply;
use super::request::Request;

/// Octets that a message's JSON mostly needs beside its text.
const MESSAGE_OCTETS: usize = 768;

/// `POST /v1/messages`.
pub(super) async fn send(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let submission: Submission = json::parse(&body)?;
    let idempotency = request.idempotency(&body)?;
    let mut text = String::new();
    let render = |message: &Message| -> Answer {
        text.reserve(MESSAGE_OCTETS + message.body.content.text().map_or(0, str::len));
        render::message_json(message, &mut text);
        // Only an answer that is kept with a key has to be shared; every other one is sent as it is.
        let kept = if idempotency.is_some() { Arc::from(text.as_str()) } else { Arc::default() };
        (StatusCode::ACCEPTED.as_u16(), kept)
    };
    match request.engine().submit(request.caller, submission, idempotency, render).await? {
        Accepted::New(message, _) => {
            let id = message.body.id;
            request.subject.message = Some(id);
            if request.state.settings.access_log.is_some() {
                request.subject.to = Some(message.body.to.as_str().to_owned());
            }
            Ok(Reply::json_text(StatusCode::ACCEPTED, text).at(format!("/v1/messages/{id}")))
        }
        Accepted::Replayed((status, body)) => {
            let first: Made<MessageId> = made(&body)?;
            request.subject.message = Some(first.id);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
            Ok(Reply::json_text(status, body.to_string()).at(format!("/v1/messages/{}", first.id)).replayed())
        }
    }
}

/// `GET /v1/messages`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let query = request.query(&[
        "status",
        "to",
        "from",
        "connector",
        "tag",
        "client_ref",
        "created_after",
        "created_before",
        "direction",
        "batch",
        "account",
        "limit",
        "cursor",
    ])?;
    let (filter, before, limit) = (filter_of(&query, request)?, query.cursor()?, query.limit()?);
    let (messages, next) = request.engine().search(request.caller, filter, before, limit).await?;
    let mut text = String::with_capacity(64 + messages.len() * MESSAGE_OCTETS);
    text.push_str(r#"{"data":["#);
    for (n, message) in messages.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        render::message_json(message, &mut text);
    }
    text.push_str(r#"],"next_cursor":"#);
    match next {
        Some(id) => text.push_str(&format!("\"{id}\"}}")),
        None => text.push_str("null}"),
    }
    Ok(Reply::json_text(StatusCode::OK, text))
}

/// `GET /v1/messages/{id}`.
pub(super) async fn get(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    Ok(reply_of(&find(request, id).await?))
}

/// `GET /v1/messages/{id}/events`.
pub(super) async fn events(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let message = find(request, id).await?;
    let mut text = String::from(r#"{"data":["#);
    for (n, event) in message.progress.events.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        render::event_json(event, &mut text);
    }
    text.push_str("]}");
    Ok(Reply::json_text(StatusCode::OK, text))
}

/// `PATCH /v1/messages/{id}`.
pub(super) async fn replace(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let id = id_of(id)?;
    request.subject.message = Some(id);
    let body = request.json_body().await?;
    let replacement: Replacement = json::parse(&body)?;
    Ok(reply_of(&request.engine().replace(request.caller, id, replacement).await?))
}

/// `POST /v1/messages/{id}/cancel`.
pub(super) async fn cancel(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let id = id_of(id)?;
    request.subject.message = Some(id);
    Ok(reply_of(&request.engine().cancel(request.caller, id).await?))
}

/// `POST /v1/messages/{id}/query`.
pub(super) async fn query(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let id = id_of(id)?;
    request.subject.message = Some(id);
    Ok(reply_of(&request.engine().query(request.caller, id).await?))
}

/// What a kept answer begins with.
#[derive(Deserialize)]
pub(super) struct Made<I> {
    pub id: I,
}

/// The id in an answer that was kept with an idempotency key.
pub(super) fn made<'a, I: Deserialize<'a>>(body: &'a str) -> Result<Made<I>, Problem> {
    serde_json::from_str(body).map_err(|error| {
        tracing::error!(%error, "an answer kept with an idempotency key can't be read");
        Problem::new(&catalogue::INTERNAL)
    })
}

async fn find(request: &mut Request<'_>, id: &str) -> Result<Message, Problem> {
    let id = id_of(id)?;
    request.subject.message = Some(id);
    request.engine().message(request.caller, id).await?.ok_or_else(no_such_message)
}

/// An id of a path. What is no id names nothing.
fn id_of(text: &str) -> Result<MessageId, Problem> {
    text.parse().map_err(|_| no_such_message())
}

fn no_such_message() -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail("there is no such message")
}

fn reply_of(message: &Message) -> Reply {
    let mut text = String::with_capacity(MESSAGE_OCTETS);
    render::message_json(message, &mut text);
    Reply::json_text(StatusCode::OK, text)
}

fn filter_of(query: &Query, request: &Request<'_>) -> Result<MessageFilter, Problem> {
    const TIME: &str = "a time as RFC 3339 writes it, such as 2026-01-31T09:00:00Z";
    const NUMBER: &str = "a phone number or short code";
    let country = request.caller.account.country;
    let address = |text: &str| Address::recipient(text, country).ok().map(|a| a.as_str().into());
    let sender = |text: &str| Address::sender(text, country).ok().map(|a| a.as_str().into());
    // A plus sign in a URL means a space unless it is escaped, and a time's offset begins with one.
    let time = |text: &str| text.replace(' ', "+").parse::<Timestamp>().ok();
    let batch = query.read("batch", "the id of a batch")?;
    Ok(MessageFilter {
        account: account_of(query, request)?,
        status: query.read_with("status", "a status such as queued or delivered", Status::from_word)?,
        to: query.read_with("to", NUMBER, address)?,
        from: query.read_with("from", "a number, a short code or a sender's name", sender)?,
        connector: query.get("connector").map(Into::into),
        tag: query.read_with("tag", "key or key:value", tag)?,
        client_ref: query.get("client_ref").map(Into::into),
        created_after: query.read_with("created_after", TIME, time)?,
        created_before: query.read_with("created_before", TIME, time)?,
        direction: query.read_with("direction", "mt or mo", |text| match text {
            "mt" => Some(Direction::Mt),
            "mo" => Some(Direction::Mo),
            _ => None,
        })?,
        batch,
    })
}

/// The account whose things an operator wants to see; everybody else sees their own only.
pub(super) fn account_of(query: &Query, request: &Request<'_>) -> Result<Option<model::Name>, Problem> {
    let caller = request.caller;
    match query.get("account") {
        Some(account) if !is_name(account) => Err(query::fault("account", "must be the id of an account")),
        Some(account) if caller.is_admin() || account == &*caller.account.id => Ok(Some(account.into())),
        Some(_) => Err(query::fault("account", "may name other accounts with the scope admin only")),
        None => Ok(None),
    }
}

type Tag = (Box<str>, Option<Box<str>>);

fn tag(text: &str) -> Option<Tag> {
    let (key, value) = match text.split_once(':') {
        Some((key, value)) => (key, Some(value.into())),
        None => (text, None),
    };
    (!key.is_empty()).then(|| (key.into(), value))
}
