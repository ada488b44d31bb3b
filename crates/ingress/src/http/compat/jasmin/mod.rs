//! Jasmin's HTTP API: `/send`, `/rate`, `/balance` and `/ping`; and in [`rest`] its REST API.
//!
//! `/send` takes its arguments from the query, a form or a JSON object, and answers `Success "id"` or
//! `Error "text"`; the others answer in JSON.

mod args;
mod rest;
mod submission;

use engine::{Caller, Refusal, Usage};
use hyper::StatusCode;
use model::{Message, MessageId};
use serde_json::{Value, json};

use super::exchange::Exchange;
use crate::http::problem::{Problem, of_refusal};
use crate::http::reply::{JSON, Reply};
use args::{Args, BALANCE, RATE, Rule, SEND};

pub(super) use rest::{balance as rest_balance, ping as rest_ping, rate as rest_rate, send as rest_send, send_batch};

/// A status with what is said.
type Failed = (StatusCode, String);

/// `/send`.
pub(super) async fn send(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let answered = match args(&mut exchange).await? {
        Ok(args) => send_one(&mut exchange, args).await,
        Err(text) => Err((StatusCode::BAD_REQUEST, text)),
    };
    Ok(match answered {
        Ok(id) => Reply::text(StatusCode::OK, "text/plain", success(id)),
        Err((status, text)) => Reply::text(status, "text/plain", error(&text)),
    })
}

/// `/rate`: what a message would cost.
pub(super) async fn rate(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let answered = match args(&mut exchange).await? {
        Ok(args) => rate_of(&mut exchange, args).await,
        Err(text) => Err((StatusCode::BAD_REQUEST, text)),
    };
    Ok(as_json(answered))
}

/// `/balance`.
pub(super) async fn balance(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let answered = match args(&mut exchange).await? {
        Ok(args) => balance_of(&mut exchange, &args).await,
        Err(text) => Err((StatusCode::BAD_REQUEST, text)),
    };
    Ok(as_json(answered))
}

/// `/ping`.
pub(super) fn ping() -> Reply {
    Reply::text(StatusCode::OK, "text/html", "Jasmin/PONG")
}

fn as_json(answered: Result<Value, Failed>) -> Reply {
    let (status, value) = match answered {
        Ok(value) => (StatusCode::OK, value),
        Err((status, text)) => (status, Value::String(text)),
    };
    Reply::text(status, JSON, value.to_string())
}

fn success(id: MessageId) -> String {
    format!("Success \"{id}\"")
}

fn error(text: &str) -> String {
    format!("Error \"{text}\"")
}

/// The arguments, wherever the request has them.
async fn args(exchange: &mut Exchange<'_>) -> Result<Result<Args, String>, Problem> {
    let (content_type, _) = exchange.content_type();
    let body = exchange.body().await?;
    Ok(match content_type.as_str() {
        "application/json" if !body.is_empty() => match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => Ok(Args::of_json(object)),
            Ok(_) => Err("Unknown error: the body is no JSON object".to_owned()),
            Err(error) => Err(format!("Unknown error: {error}")),
        },
        "application/x-www-form-urlencoded" => Ok(Args::of_forms([exchange.query().as_bytes(), &body])),
        _ => Ok(Args::of_forms([exchange.query().as_bytes(), b""])),
    })
}

/// Sends what arguments ask for.
async fn send_one(exchange: &mut Exchange<'_>, mut args: Args) -> Result<MessageId, Failed> {
    complete(&mut args);
    check(&args, &SEND)?;
    let submission = submission::submission(&args, exchange.engine().now()).map_err(bad)?;
    let caller = log_in(exchange, &args)?;
    let sent = exchange.submit(&caller, submission).await;
    sent.map(|message| message.body.id).map_err(|refusal| refused(&refusal, &args))
}

/// What is meant by what is left out.
fn complete(args: &mut Args) {
    if !args.has("coding") {
        args.set("coding", "0");
    }
    if args.has("dlr-url") || args.has("dlr-level") {
        args.set("dlr", "yes");
    } else if !args.has("dlr") {
        args.set("dlr", "no");
    }
}

fn check(args: &Args, rules: &[Rule]) -> Result<(), Failed> {
    args.check(rules).map_err(bad)
}

fn bad(text: String) -> Failed {
    (StatusCode::BAD_REQUEST, text)
}

fn log_in(exchange: &mut Exchange<'_>, args: &Args) -> Result<Caller, Failed> {
    let (username, password) = (args.text("username").unwrap_or_default(), args.text("password").unwrap_or_default());
    let denied = |_| (StatusCode::FORBIDDEN, format!("Authentication failure for username:{username}"));
    exchange.log_in(&username, &password).map_err(denied)
}

async fn rate_of(exchange: &mut Exchange<'_>, mut args: Args) -> Result<Value, Failed> {
    if !args.has("content") && !args.has("hex-content") {
        args.set("content", "");
    }
    if !args.has("coding") {
        args.set("coding", "0");
    }
    check(&args, &RATE)?;
    let submission = submission::submission(&args, exchange.engine().now()).map_err(bad)?;
    let caller = log_in(exchange, &args)?;
    let previewed = exchange.engine().preview(&caller.account, submission).await;
    let message = previewed.map_err(|refusal| refused(&refusal, &args))?;
    let parts = message.progress.parts.len().max(1);
    Ok(json!({ "unit_rate": unit_rate(&message, parts), "submit_sm_count": parts }))
}

/// What each part costs; nothing where there are no prices.
fn unit_rate(message: &Message, parts: usize) -> f64 {
    let whole = message.body.price().and_then(|price| price.amount.to_string().parse().ok());
    whole.map_or(0.0, |whole: f64| whole / parts as f64)
}

async fn balance_of(exchange: &mut Exchange<'_>, args: &Args) -> Result<Value, Failed> {
    check(args, &BALANCE)?;
    let caller = log_in(exchange, args)?;
    let usage = exchange.engine().usage(std::slice::from_ref(&caller.account)).await;
    let away = |_| (StatusCode::INTERNAL_SERVER_ERROR, "System error".to_owned());
    Ok(funds(&usage.map_err(away)?.into_iter().next()))
}

/// What the account has left: money, and parts of its quotas. `ND` is as much as it wants.
fn funds(usage: &Option<Usage>) -> Value {
    let unlimited = || Value::from("ND");
    let balance = usage.as_ref().and_then(|usage| usage.balance).map(|(sum, _)| sum.micros() as f64 / 1e6);
    let quotas = usage.iter().flat_map(|usage| [&usage.daily, &usage.monthly]).flatten();
    let count = quotas.map(|quota| quota.limit.saturating_sub(quota.used)).min();
    json!({
        "balance": balance.map_or_else(unlimited, Value::from),
        "sms_count": count.map_or_else(unlimited, Value::from),
    })
}

/// The answer to what was not accepted.
fn refused(refusal: &Refusal, args: &Args) -> Failed {
    let problem = of_refusal(refusal);
    let detail = problem.detail.as_deref().unwrap_or(problem.entry.title);
    match (problem.entry.status, problem.entry.code) {
        (402, _) => (StatusCode::FORBIDDEN, "Cannot charge submit_sm, check RouterPB log file for details".to_owned()),
        (429, _) => (StatusCode::FORBIDDEN, "User throughput exceeded".to_owned()),
        (403, "opted_out") => {
            let user = args.text("username").unwrap_or_default();
            bad(format!("Value filter failed for user [{user}] ({detail})."))
        }
        (403, _) => {
            let user = args.text("username").unwrap_or_default();
            (StatusCode::BAD_REQUEST, format!("Authorization failed for user [{user}] ({detail})."))
        }
        (500.., _) => {
            let text = "Cannot send submit_sm, check SMPPClientManagerPB log file for details";
            (StatusCode::INTERNAL_SERVER_ERROR, text.to_owned())
        }
        (_, "invalid") => bad(field_of(&problem, args)),
        (400 | 422, _) => (StatusCode::PRECONDITION_FAILED, "No route found".to_owned()),
        _ => bad(detail.to_owned()),
    }
}

/// Which argument is wrong, in Jasmin's words.
fn field_of(problem: &Problem, args: &Args) -> String {
    let Some(fault) = problem.errors.first() else { return problem.entry.title.to_owned() };
    let field = fault.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    let name = match field {
        "text" | "binary" if args.has("hex-content") => "hex-content",
        "text" | "binary" => "content",
        "callback_url" => "dlr-url",
        "validity_seconds" => "validity-period",
        "send_at" => "sdt",
        "tlvs" => "custom_tlvs",
        other => other,
    };
    match args.text(name) {
        Some(value) => format!("Argument [{name}] has an invalid value: [{value}]."),
        None => format!("Mandatory argument [{name}] is not found."),
    }
}
