//! Ozeki's HTTP API: `/api?action=sendmessage`, which answers in XML, and `/api?action=sendmsg`, which takes
//! and gives JSON. Both answer 200 whatever became of the message; the answer's body tells.

use engine::{BATCH_MAX, Caller, Refusal};
use hyper::StatusCode;
use model::message::{Ingress, ReceiptWish};
use model::{Submission, Timestamp};
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::fields::Fields;
use crate::http::problem::{Problem, of_refusal};
use crate::http::reply::{JSON, Reply};

/// Why a message was refused: what is wrong with what was asked for.
const REFUSED: u32 = 1;
/// The user's name or the password.
const UNAUTHORISED: u32 = 2;
/// The action, or the kind of message, is not known.
const UNKNOWN: u32 = 3;
/// Try again.
const LATER: u32 = 4;

/// `/api`
pub(super) async fn api(mut exchange: Exchange<'_>) -> Result<Reply, Problem> {
    let (content_type, _) = exchange.content_type();
    let body = exchange.body().await?;
    let form: &[u8] = if content_type == "application/x-www-form-urlencoded" { &body } else { b"" };
    let Fields(mut fields) = Fields::parse(exchange.query().as_bytes());
    fields.extend(Fields::parse(form).0);
    let fields = Fields(fields);
    Ok(match fields.text("action").unwrap_or_default().as_str() {
        "sendmessage" => send_message(&mut exchange, &fields).await,
        "sendmsg" => send_json(&mut exchange, &body).await,
        "receivemsg" | "deletemsg" | "markmsg" => {
            let text = "Incoming messages are handed over by webhooks.";
            as_json(StatusCode::OK, json!({ "http_code": 400, "response_code": "NOT_SUPPORTED", "response_msg": text }))
        }
        action => report(action, "", "", UNKNOWN, "Unknown action"),
    })
}

async fn send_message(exchange: &mut Exchange<'_>, fields: &Fields) -> Reply {
    let text = |name: &str| fields.text(name).unwrap_or_default();
    let recipient = text("recipient");
    let told = |id: &str, code, text: &str| report("sendmessage", id, &recipient, code, text);
    let Ok(caller) = exchange.log_in(&text("username"), &text("password")) else {
        return told("", UNAUTHORISED, "Username or password is wrong");
    };
    let kind = fields.text("messagetype").unwrap_or_else(|| "SMS:TEXT".into()).to_ascii_uppercase();
    if kind != "SMS" && !kind.starts_with("SMS:TEXT") {
        return told("", UNKNOWN, "This type of message is not known");
    }
    let submission = Submission {
        to: recipient.clone(),
        from: fields.text("originator").filter(|from| !from.is_empty()),
        text: Some(text("messagedata")),
        class: kind.ends_with(":FLASH").then_some(0),
        max_parts: Some(u32::from(u8::MAX)),
        ingress: Ingress::Ozeki,
        ..Submission::default()
    };
    match exchange.submit(&caller, submission).await {
        Ok(message) => told(&message.body.id.to_string(), 0, "Message accepted for delivery"),
        Err(refusal) => {
            let (code, text) = refused(&refusal);
            told("", code, &text)
        }
    }
}

/// `<response>…`: the only words that an answer has.
fn report(action: &str, id: &str, recipient: &str, code: u32, text: &str) -> Reply {
    let (action, id, recipient, text) = (escaped(action), escaped(id), escaped(recipient), escaped(text));
    let body = format!(
        "<response><action>{action}</action><data><acceptreport><statuscode>{code}</statuscode>\
         <statusmessage>{text}</statusmessage><messageid>{id}</messageid><recipient>{recipient}</recipient>\
         </acceptreport></data></response>"
    );
    Reply::text(StatusCode::OK, "text/xml; charset=utf-8", body)
}

/// A text inside of an element (XML 1.0 §2.4), without what XML can't hold (§2.2).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n')) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

async fn send_json(exchange: &mut Exchange<'_>, body: &[u8]) -> Reply {
    let refuse = |status: u16, code: &str, text: &str| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        as_json(status, json!({ "http_code": status.as_u16(), "response_code": code, "response_msg": text }))
    };
    let credentials = exchange.basic();
    let caller = credentials.and_then(|(name, password)| exchange.log_in(&name, &password).ok());
    let Some(caller) = caller else {
        return refuse(401, "UNAUTHORIZED", "Username or password is wrong.").challenging();
    };
    let read: Result<Map<String, Value>, _> = serde_json::from_slice(body);
    let messages = read.ok().and_then(|mut object| match object.remove("messages")? {
        Value::Array(messages) => messages.into_iter().map(object_of).collect::<Option<Vec<_>>>(),
        _ => None,
    });
    let Some(messages) = messages else { return refuse(400, "INVALID_REQUEST", "The body has no list of messages.") };
    if messages.len() > BATCH_MAX {
        return refuse(413, "TOO_MANY", "There are too many messages.");
    }
    let now = exchange.engine().now();
    let submissions: Vec<Submission> = messages.iter().map(|message| submission(message, now)).collect();
    let answers = match answers(exchange, &caller, submissions).await {
        Ok(answers) => answers,
        Err(refusal) => return refuse(503, "FAILED", &refused(&refusal).1),
    };
    let total = messages.len();
    let success = answers.iter().filter(|answer| answer.is_ok()).count();
    let shown: Vec<Value> = messages.into_iter().zip(answers).map(|(message, answer)| show(message, answer)).collect();
    let data =
        json!({ "total_count": total, "success_count": success, "failed_count": total - success, "messages": shown });
    let text = "Messages queued for delivery.";
    as_json(StatusCode::OK, json!({ "http_code": 200, "response_code": "SUCCESS", "response_msg": text, "data": data }))
}

fn object_of(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(object) = value { Some(object) } else { None }
}

/// An answer for each, in their order: an id, or why not.
async fn answers(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    mut submissions: Vec<Submission>,
) -> Result<Vec<Result<String, String>>, Refusal> {
    let answer = |refusal: Refusal| refused(&refusal).1;
    if submissions.len() == 1
        && let Some(only) = submissions.pop()
    {
        return Ok(vec![
            exchange.submit(caller, only).await.map(|message| message.body.id.to_string()).map_err(answer),
        ]);
    }
    let (_, answers) = exchange.submit_batch(caller, submissions).await?;
    Ok(answers.into_iter().map(|answered| answered.map(|id| id.to_string()).map_err(answer)).collect())
}

fn submission(message: &Map<String, Value>, now: Timestamp) -> Submission {
    let text = |key: &str| message.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    // Times are by the client's clock and in its zone; how far they are apart is the same in every zone.
    let time = |key: &str| text(key).and_then(|time| local(&time));
    let made = time("create_date").unwrap_or(now);
    let wait = time("time_to_send").map_or(0, |due| due.millis_since(made) / 1000).max(0);
    let valid = time("valid_until").map(|until| until.millis_since(made) / 1000 - wait).filter(|seconds| *seconds > 0);
    let flag = |key: &str| message.get(key).or_else(|| message.get(&format!("is_{key}"))).and_then(Value::as_bool);
    let tags = message.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags =
        tags.filter_map(|tag| Some((tag.get("name")?.as_str()?.to_owned(), tag.get("value")?.as_str()?.to_owned())));
    Submission {
        to: text("to_address").or_else(|| text("to_station")).unwrap_or_default(),
        from: text("from_address").or_else(|| text("from_station")),
        text: Some(text("text").unwrap_or_default()),
        max_parts: Some(u32::from(u8::MAX)),
        send_at: (wait > 0).then(|| now.plus_seconds(wait).to_string()),
        validity_seconds: valid.map(|seconds| seconds.unsigned_abs().min(63 * 7 * 86_400)),
        receipt: if flag("delivery_report_requested") == Some(false) { ReceiptWish::None } else { ReceiptWish::Final },
        client_ref: text("message_id"),
        tags: tags.collect(),
        ingress: Ingress::Ozeki,
        ..Submission::default()
    }
}

/// `2026-11-22T20:14:56` or with a space, as if it were UTC.
fn local(text: &str) -> Option<Timestamp> {
    format!("{}Z", text.trim_end_matches('Z').replacen(' ', "T", 1)).parse().ok()
}

/// A message as it came, with what became of it. Times have a space where they came with a `T`.
fn show(mut message: Map<String, Value>, answer: Result<String, String>) -> Value {
    for key in ["create_date", "valid_until", "time_to_send"] {
        if let Some(Value::String(time)) = message.get_mut(key) {
            *time = time.replacen('T', " ", 1);
        }
    }
    let status = match answer {
        Ok(id) => {
            message.entry("message_id").or_insert(id.into());
            "SUCCESS".to_owned()
        }
        Err(why) => why,
    };
    message.insert("status".into(), status.into());
    Value::Object(message)
}

fn as_json(status: StatusCode, value: Value) -> Reply {
    Reply::text(status, JSON, value.to_string())
}

/// The code and text for what was not accepted.
fn refused(refusal: &Refusal) -> (u32, String) {
    let problem = of_refusal(refusal);
    let code = if problem.entry.retry_after.is_some() { LATER } else { REFUSED };
    let text = match problem.errors.first() {
        Some(fault) => format!("{} {}", fault.pointer.trim_start_matches('/'), fault.detail),
        None => problem.detail.map_or_else(|| problem.entry.title.to_owned(), |detail| detail.into_owned()),
    };
    (code, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_007);

    fn read(value: Value) -> Submission {
        submission(&object_of(value).unwrap(), NOW)
    }

    #[test]
    fn a_message_is_read_by_the_clock_of_its_client() {
        let sent = read(json!({
            "message_id": "m1", "from_address": "+44123456789", "to_address": "+44123456788", "text": "Hi",
            "create_date": "2021-01-01T10:00:00", "time_to_send": "2021-01-01T10:10:00", "valid_until": "2021-01-01T11:10:00",
            "delivery_report_requested": false, "tags": [{ "name": "a", "value": "b" }, { "name": 1 }],
        }));
        assert_eq!(
            (sent.to.as_str(), sent.from.as_deref(), sent.client_ref.as_deref()),
            ("+44123456788", Some("+44123456789"), Some("m1"))
        );
        assert_eq!((sent.send_at.as_deref(), sent.validity_seconds), (Some("2026-11-22T20:24:56.007Z"), Some(3600)));
        assert_eq!((sent.receipt, sent.tags.len()), (ReceiptWish::None, 1));
        let now = read(
            json!({ "to_address": "1", "create_date": "2021-01-01 10:00:00", "time_to_send": "2021-01-01 10:00:00" }),
        );
        assert_eq!((now.send_at, now.validity_seconds, now.receipt), (None, None, ReceiptWish::Final));
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_xml(text in any::<String>(), id in any::<String>()) {
            let body = format!("<a>{}</a><b>{}</b>", escaped(&text), escaped(&id));
            prop_assert!(roxmltree::Document::parse(&format!("<x>{body}</x>")).is_ok(), "{}", body);
        }

        #[test]
        fn any_time_is_survived(made in ".{0,24}", due in "[0-9T: -]{0,24}") {
            read(json!({ "to_address": "1", "create_date": made, "time_to_send": due, "valid_until": due }));
        }
    }
}
