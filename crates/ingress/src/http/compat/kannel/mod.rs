//! Kannel's `/cgi-bin/sendsms`, as its smsbox answers it.
//!
//! By GET, the parameters are a query. By POST they are `X-Kannel-…` headers with the text in the body,
//! or an XML document; a form is taken, too. The answer is a line of text. It names no message:
//! applications put an id of their own into `dlr-url`.

mod given;
mod submission;
mod xml;

use engine::{BATCH_MAX, Caller, Refusal};
use hyper::{Method, StatusCode};
use model::Message;

use super::exchange::Exchange;
use super::fields::Fields;
use crate::http::problem::{Problem, of_refusal};
use crate::http::reply::Reply;
use given::Given;
use submission::{Sending, Sound};

const ACCEPTED: &str = "0: Accepted for delivery";
const QUEUED: &str = "3: Queued for later delivery";

type Answer = Result<String, (StatusCode, String)>;

/// `GET` and `POST /cgi-bin/sendsms`.
pub(super) async fn sendsms(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    Ok(match answer(&mut exchange).await? {
        Ok(text) => reply(StatusCode::ACCEPTED, text),
        Err((status, text)) => reply(status, text),
    })
}

/// Any path but the ones above.
pub(super) fn unknown() -> Reply {
    reply(StatusCode::NOT_FOUND, "Unknown request.".to_owned())
}

fn reply(status: StatusCode, text: String) -> Reply {
    Reply::text(status, "text/html", text).uncached()
}

async fn answer(exchange: &mut Exchange<'_>) -> Result<Answer, Problem> {
    let given = match read(exchange).await? {
        Ok(given) => given,
        Err(text) => return Ok(Err((StatusCode::BAD_REQUEST, text.to_owned()))),
    };
    let (Some(username), Some(password)) = (&given.username, &given.password) else { return Ok(Err(unauthorised())) };
    let Ok(caller) = exchange.log_in(username, password) else { return Ok(Err(unauthorised())) };
    let bad = |text: &str| Ok(Err((StatusCode::BAD_REQUEST, text.to_owned())));
    match (&given.to, &given.to_list) {
        (None, None) if exchange.parts.method == Method::GET => return bad("Missing receiver number, rejected"),
        (None, None) => return bad("Missing receiver(s) number(s), rejected"),
        (Some(to), None) if to.is_empty() => return bad("Empty receiver number not allowed, rejected"),
        _ => {}
    }
    let account = &caller.account.account;
    let service = username.clone();
    let sending = Sending {
        service: &service,
        has_sender: account.default_sender.is_some(),
        has_webhooks: !account.webhooks.is_empty(),
        may_choose: account.may_choose_connector,
        country: caller.account.country,
    };
    match submission::submissions(given, sending, exchange.engine().now()) {
        Err(text) => bad(&text),
        Ok(sound) => Ok(send(exchange, &caller, sound).await),
    }
}

/// The parameters of a request, wherever it has them.
async fn read(exchange: &mut Exchange<'_>) -> Result<Result<Given, &'static str>, Problem> {
    if exchange.parts.method == Method::GET {
        return Ok(Ok(Given::of_fields(&Fields::parse(exchange.query().as_bytes()))));
    }
    let (content_type, charset) = exchange.content_type();
    let body = exchange.body().await?;
    let headers = &exchange.parts.headers;
    Ok(match content_type.as_str() {
        "text/plain" => Ok(Given::of_headers(headers, charset, &body)),
        "application/octet-stream" => {
            let given = Given::of_headers(headers, None, &body);
            Ok(Given { coding: given.coding.or(Some(1)), ..given })
        }
        "text/xml" | "application/xml" => Ok(xml::read(&body)),
        "application/x-www-form-urlencoded" => Ok(Given::of_fields(&form_with_query(&body, exchange.query()))),
        _ => Err("Invalid content-type"),
    })
}

/// A form's fields; those of the query come after them.
fn form_with_query(body: &[u8], query: &str) -> Fields {
    let Fields(mut fields) = Fields::parse(body);
    fields.extend(Fields::parse(query.as_bytes()).0);
    Fields(fields)
}

async fn send(exchange: &mut Exchange<'_>, caller: &Caller, sound: Sound) -> Answer {
    let Sound { mut submissions, denied } = sound;
    let immediate = exchange.state.settings.interfaces.kannel_immediate_reply;
    if submissions.len() == 1
        && let Some(only) = submissions.pop()
    {
        let message = exchange.submit(caller, only).await.map_err(|refusal| refused(&refusal))?;
        return Ok(if immediate { sent(&denied, message.progress.parts.len()) } else { one(exchange, &message) });
    }
    let recipients: Vec<String> = submissions.iter().map(|submission| submission.to.clone()).collect();
    if submissions.len() > BATCH_MAX {
        return Err((StatusCode::BAD_REQUEST, "Too many receivers, rejected".to_owned()));
    }
    let (_, answers) = exchange.submit_batch(caller, submissions).await.map_err(|refusal| refused(&refusal))?;
    if let Some(Err(first)) = answers.iter().find(|answer| answer.is_err())
        && (immediate || answers.iter().all(Result::is_err))
    {
        let (status, text) = refused(first);
        let failed = recipients.iter().zip(&answers).filter(|(_, answer)| answer.is_err()).map(|(to, _)| to.as_str());
        return Err(match immediate {
            true => {
                let list: Vec<&str> = failed.collect();
                (StatusCode::INTERNAL_SERVER_ERROR, format!("Sending failed. Failed receivers are: {}", list.join(" ")))
            }
            false => (status, text),
        });
    }
    Ok(if immediate { sent(&denied, 1) } else { ACCEPTED.to_owned() })
}

/// What the caller of one message hears: of one that is put off the same as of any other.
fn one(exchange: &Exchange<'_>, message: &Message) -> String {
    let waits = message.progress.connector.as_deref().is_some_and(|id| !exchange.engine().is_up(id));
    if waits { QUEUED } else { ACCEPTED }.to_owned()
}

/// What smsbox answers when it does not wait for the gateway.
fn sent(denied: &[String], parts: usize) -> String {
    let mut text = "Sent.".to_owned();
    if !denied.is_empty() {
        text.push_str(" Denied receivers are: ");
        text.push_str(&denied.join(" "));
    }
    if parts > 1 {
        text.push_str(&format!(" Message splits: {parts}"));
    }
    text
}

fn unauthorised() -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, "Authorization failed for sendsms".to_owned())
}

/// What is said of recipients that nothing may be sent to.
const DENIED: &str = "Number(s) has/have been denied by white- and/or black-lists.";

/// The answer to what was not accepted.
fn refused(refusal: &Refusal) -> (StatusCode, String) {
    let problem = of_refusal(refusal);
    if matches!(refusal, Refusal::OptedOut(_)) {
        return (StatusCode::BAD_REQUEST, DENIED.to_owned());
    }
    match problem.entry.status {
        400 | 422 if refusal_is_of_routes(&problem) => not_routable(),
        400 | 413 | 422 => (StatusCode::BAD_REQUEST, field_of(&problem)),
        429 | 500.. => (StatusCode::SERVICE_UNAVAILABLE, "Temporal failure, try again later.".to_owned()),
        _ => not_routable(),
    }
}

fn not_routable() -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, "Not routable. Do not try again.".to_owned())
}

fn refusal_is_of_routes(problem: &Problem) -> bool {
    let of_connector = |pointer: &str| matches!(pointer, "/connector" | "/route");
    problem.entry.code != "invalid" || problem.errors.first().is_some_and(|fault| of_connector(&fault.pointer))
}

/// Which field is wrong, in Kannel's words.
fn field_of(problem: &Problem) -> String {
    let pointer = problem.errors.first().map_or("", |fault| fault.pointer.as_str());
    match pointer.trim_start_matches('/').split('/').next().unwrap_or_default() {
        "to" => DENIED.to_owned(),
        "text" | "binary" | "max_parts" | "" => "Charset or body misformed, rejected".to_owned(),
        "from" => "From field misformed, rejected".to_owned(),
        "callback_url" => "DLR-URL field misformed, rejected".to_owned(),
        "send_at" => "Deferred field misformed, rejected".to_owned(),
        "validity_seconds" => "Validity field misformed, rejected".to_owned(),
        other => format!("{other} field misformed, rejected"),
    }
}
