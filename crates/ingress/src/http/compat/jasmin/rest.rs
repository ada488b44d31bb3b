//! Jasmin's REST API: the HTTP API with Basic authentication and JSON, and batches.
//!
//! What the HTTP API says is put into `data`, or into `message` when it is a refusal, without the
//! quotation mark at its end: so Jasmin has it, and so applications read it.

use engine::BATCH_MAX;
use hyper::StatusCode;
use model::{Submission, Timestamp};
use serde_json::{Map, Value, json};

use super::super::exchange::Exchange;
use super::args::{Args, SEND};
use super::{Failed, balance_of, complete, error, rate_of, refused, send_one, submission, success};
use crate::http::problem::Problem;
use crate::http::reply::{JSON, Reply};

/// `GET /ping`.
pub(in super::super) fn ping() -> Reply {
    answer(StatusCode::OK, json!({ "data": "Jasmin/PONG" }))
}

/// `POST /secure/send`.
pub(in super::super) async fn send(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let credentials = match credentials(&exchange) {
        Ok(credentials) => credentials,
        Err(reply) => return Ok(reply),
    };
    let object = match body(&mut exchange).await? {
        Ok(object) => object,
        Err(reply) => return Ok(reply),
    };
    let args = with(Args::of_json(object).dashed(), &credentials);
    Ok(match send_one(&mut exchange, args).await {
        Ok(id) => answer(StatusCode::OK, json!({ "data": unquoted(&success(id)) })),
        Err((status, text)) => refusal(status, &error(&text)),
    })
}

/// `GET /secure/rate`.
pub(in super::super) async fn rate(mut exchange: Exchange<'_>) -> Reply {
    let credentials = match credentials(&exchange) {
        Ok(credentials) => credentials,
        Err(reply) => return reply,
    };
    let args = Args::of_forms([exchange.query().as_bytes(), b""]).dashed();
    told(rate_of(&mut exchange, with(args, &credentials)).await)
}

/// `GET /secure/balance`.
pub(in super::super) async fn balance(mut exchange: Exchange<'_>) -> Reply {
    match credentials(&exchange) {
        Ok(credentials) => told(balance_of(&mut exchange, &with(Args::default(), &credentials)).await),
        Err(reply) => reply,
    }
}

/// `POST /secure/sendbatch`: many messages, whose answers are called back.
pub(in super::super) async fn send_batch(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let credentials = match credentials(&exchange) {
        Ok(credentials) => credentials,
        Err(reply) => return Ok(reply),
    };
    let Ok(caller) = exchange.log_in(&credentials.0, &credentials.1) else {
        let text = format!("Authentication failed for user: {}", credentials.0);
        return Ok(failed(StatusCode::PRECONDITION_FAILED, "Authentication failed", &text));
    };
    let object = match body(&mut exchange).await? {
        Ok(object) => object,
        Err(reply) => return Ok(reply),
    };
    let now = exchange.engine().now();
    let config = object.get("batch_config").cloned().unwrap_or_default();
    let wait = match countdown(&config, now) {
        Ok(wait) => wait,
        Err((title, text)) => return Ok(failed(StatusCode::PRECONDITION_FAILED, title, &text)),
    };
    let wanted = messages(&object);
    if wanted.len() > BATCH_MAX {
        let text = format!("A batch has {BATCH_MAX} messages at the most.");
        return Ok(failed(StatusCode::PAYLOAD_TOO_LARGE, "Too many messages", &text));
    }
    let mut outcomes = Vec::with_capacity(wanted.len());
    let (mut sound, mut places) = (Vec::new(), Vec::new());
    for args in wanted {
        let args = with(args, &credentials);
        match read(&args, now, wait) {
            Ok(submission) => {
                places.push(outcomes.len());
                sound.push(submission);
                outcomes.push((args, Ok(None)));
            }
            Err(text) => outcomes.push((args, Err(error(&text)))),
        }
    }
    let (batch, answers) = match exchange.submit_batch(&caller, sound).await {
        Ok(taken) => taken,
        Err(refusal_) => {
            let (status, text) = refused(&refusal_, &Args::default());
            return Ok(refusal(status, &error(&text)));
        }
    };
    for (place, answered) in places.into_iter().zip(answers) {
        if let Some((args, outcome)) = outcomes.get_mut(place) {
            *outcome = answered.map(Some).map_err(|refusal| error(&refused(&refusal, args).1));
        }
    }
    let count = outcomes.len();
    for (args, outcome) in outcomes {
        let to = args.text("to").unwrap_or_default();
        let (url, status, text) = match &outcome {
            Ok(Some(id)) => ("callback_url", "1", success(*id)),
            Ok(None) => continue,
            Err(text) => ("errback_url", "0", format!("HTTPAPI error: {}", unquoted(text))),
        };
        let Some(url) = config.get(url).and_then(Value::as_str) else { continue };
        let query = [("batchId", batch.as_str()), ("to", &to), ("status", status), ("statusText", &text)];
        exchange.engine().owe_call(&caller, url, &query).await;
    }
    let mut data = json!({ "batchId": batch, "messageCount": count });
    if wait > 0 {
        data["scheduled"] = format!("{wait}s").into();
    }
    Ok(answer(StatusCode::OK, json!({ "data": data })))
}

/// The messages of a batch, each recipient's by itself. One without recipient or content is passed over.
fn messages(object: &Map<String, Value>) -> Vec<Args> {
    let globals = object.get("globals").and_then(Value::as_object).cloned().unwrap_or_default();
    let list = object.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut all = Vec::new();
    for message in list.iter().filter_map(Value::as_object) {
        let mut whole = globals.clone();
        whole.extend(message.clone());
        let to = match whole.remove("to") {
            Some(Value::Array(list)) => list,
            Some(one) => vec![one],
            None => continue,
        };
        let args = Args::of_json(whole).dashed();
        if !args.has("content") && !args.has("hex-content") {
            continue;
        }
        for to in to.into_iter().take(BATCH_MAX + 1 - all.len().min(BATCH_MAX)) {
            let mut args = args.clone();
            args.set("to", to.as_str().map_or_else(|| to.to_string(), str::to_owned));
            all.push(args);
        }
    }
    all
}

fn read(args: &Args, now: Timestamp, wait: i64) -> Result<Submission, String> {
    let mut args = args.clone();
    complete(&mut args);
    args.check(&SEND)?;
    let submission = submission::submission(&args, now)?;
    let send_at = match (wait, submission.send_at) {
        (0, send_at) => send_at,
        (wait, _) => Some(now.plus_seconds(wait).to_string()),
    };
    Ok(Submission { send_at, ..submission })
}

/// Seconds until a batch is due: `schedule_at` is `YYYY-MM-DD hh:mm:ss` in UTC, or `60s`.
fn countdown(config: &Value, now: Timestamp) -> Result<i64, (&'static str, String)> {
    let Some(text) = config.get("schedule_at").and_then(Value::as_str) else { return Ok(0) };
    if let Some(seconds) = text.strip_suffix('s').and_then(|seconds| seconds.parse::<u32>().ok()) {
        return Ok(i64::from(seconds));
    }
    let unknown = || {
        let forms = "correct formats are 'YYYY-MM-DD mm:hh:ss' or number of seconds";
        ("Cannot parse scheduled_at value", format!("Got unknown format: {text}, {forms}"))
    };
    let at: Timestamp = format!("{}Z", text.replacen(' ', "T", 1)).parse().map_err(|_| unknown())?;
    if at < now {
        return Err(("Cannot schedule batch in past date", format!("Invalid past date given: {text}")));
    }
    Ok(at.millis_since(now) / 1000)
}

type Credentials = (String, String);

fn credentials(exchange: &Exchange<'_>) -> Result<Credentials, Reply> {
    exchange.basic().ok_or_else(|| {
        let text = "Please provide a valid Basic auth token";
        failed(StatusCode::UNAUTHORIZED, "Authentication required", text).challenging()
    })
}

fn with(mut args: Args, (username, password): &Credentials) -> Args {
    args.set("username", username.as_str());
    args.set("password", password.as_str());
    args
}

async fn body(exchange: &mut Exchange<'_>) -> Result<Result<Map<String, Value>, Reply>, Problem> {
    let body = exchange.body().await?;
    Ok(serde_json::from_slice(&body).map_err(|error| {
        let text = format!("Got unparseable json data: {error}");
        failed(StatusCode::PRECONDITION_FAILED, "Cannot parse JSON data", &text)
    }))
}

fn told(answered: Result<Value, Failed>) -> Reply {
    match answered {
        Ok(value) => answer(StatusCode::OK, json!({ "data": value })),
        Err((status, text)) => refusal(status, &text),
    }
}

fn refusal(status: StatusCode, text: &str) -> Reply {
    answer(status, json!({ "message": unquoted(text) }))
}

fn failed(status: StatusCode, title: &str, description: &str) -> Reply {
    answer(status, json!({ "title": title, "description": description }))
}

fn answer(status: StatusCode, value: Value) -> Reply {
    Reply::text(status, JSON, value.to_string())
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('"')
}
