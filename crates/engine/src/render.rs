//! Messages as JSON: the same in the API's answers and in what webhooks are given.
//!
//! A message is written once for each answer and each event, tens of thousands of times a second,
//! so its JSON is put together by hand. `reason`, `connector`, `route`, `client_ref`,
//! `submitted_at`, `final_at` and `price` are always there and may be `null`; an MT has its `ingress`; what few
//! messages have (`class`, `send_at`, `validity_seconds`, `tags`, `callback_url`, `tlvs`, `protocol_id`,
//! `service_type`, `reply_path`, `replace_if_present`, `batch_id`) is left out when it is not given, as is what a route made of few (`pool`,
//! `connectors`, `sent_as`, `copy_of`).

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::message::Event;
use model::resources::Money;
use model::{Address, Body, Content, Direction, Encoding, Message, Part, PartStatus, Plan, Reason, Timestamp};

/// Appends `message` as a JSON object to `out`, with the fields of the HTTP API.
pub fn message_json(message: &Message, out: &mut String) {
    let Message { body, progress } = message;
    out.push_str(r#"{"id":""#);
    push_uuid(&body.id.0, out);
    match body.direction {
        Direction::Mt => {
            out.push_str(r#"","direction":"mt","ingress":""#);
            out.push_str(body.ingress.as_str());
            out.push_str(r#"","status":""#);
        }
        Direction::Mo => out.push_str(r#"","direction":"mo","status":""#),
    }
    out.push_str(progress.status.as_str());
    out.push_str(r#"","reason":"#);
    push_reason(progress.reason.as_deref(), out);
    push_body(body, out);
    out.push_str(r#","parts":["#);
    for (n, part) in progress.parts.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        push_part(n + 1, part, out);
    }
    out.push_str(r#"],"connector":"#);
    push_optional_text(progress.connector.as_deref(), out);
    out.push_str(r#","route":"#);
    push_optional_text(progress.route(), out);
    out.push_str(r#","price":"#);
    push_price(body, out);
    if let Some(plan) = &body.plan {
        push_plan(plan, out);
    }
    if let Some(batch) = &body.batch {
        out.push_str(r#","batch_id":""#);
        push_uuid(&batch.0, out);
        out.push('"');
    }
    out.push_str(r#","created_at":"#);
    push_time(body.created_at, out);
    out.push_str(r#","submitted_at":"#);
    push_optional_time(progress.submitted_at, out);
    out.push_str(r#","final_at":"#);
    push_optional_time(progress.final_at, out);
    out.push_str(r#","expires_at":"#);
    push_time(body.expires_at, out);
    out.push('}');
}

/// Appends one entry of a timeline to `out`: `{"at", "event", "part"?, "detail"?}`.
pub fn event_json(event: &Event, out: &mut String) {
    out.push_str(r#"{"at":"#);
    push_time(event.at, out);
    out.push_str(r#","event":"#);
    push_text(&event.what, out);
    if let Some(part) = event.part {
        out.push_str(r#","part":"#);
        push_number(u64::from(part), out);
    }
    if let Some(detail) = &event.detail {
        out.push_str(r#","detail":"#);
        push_text(detail, out);
    }
    out.push('}');
}

/// Appends `text` as a JSON string (RFC 8259 §7) to `out`.
pub fn push_text(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    // All octets are looked at, sixteen at a time: mostly there is nothing to escape.
    if !text.bytes().fold(false, |found, octet| found | (octet < 0x20) | (octet == b'"') | (octet == b'\\')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut clean_from = 0;
    for (at, octet) in text.bytes().enumerate() {
        let escape = match octet {
            b'"' => r#"\""#,
            b'\\' => r"\\",
            b'\n' => r"\n",
            b'\r' => r"\r",
            b'\t' => r"\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[clean_from..at]);
        clean_from = at + 1;
        if escape.is_empty() {
            out.push_str(r"\u00");
            push_hex(&[octet], out);
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[clean_from..]);
    out.push('"');
}

/// Appends `at` as a JSON string in RFC 3339, UTC, with milliseconds, to `out`.
pub fn push_time(at: Timestamp, out: &mut String) {
    const DAY: i64 = 86_400_000;
    let (year, month, day) = civil_of(at.day());
    if !(0..=9999).contains(&year) {
        return push_text(&at.to_string(), out);
    }
    let of_day = at.as_millis().rem_euclid(DAY) as u32;
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    let mut text = *br#""0000-00-00T00:00:00.000Z""#;
    let mut put = |at: usize, value: u32| text[at..at + 2].copy_from_slice(&two_digits(value));
    put(1, year as u32 / 100);
    put(3, year as u32 % 100);
    put(6, month as u32);
    put(9, day as u32);
    put(12, seconds / 3600);
    put(15, seconds / 60 % 60);
    put(18, seconds % 60);
    put(22, millis % 100);
    text[21] = b'0' + (millis / 100) as u8;
    out.push_str(std::str::from_utf8(&text).expect("ASCII only"));
}

fn two_digits(value: u32) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years are
/// reckoned from March, so that the leap day is the last of its year.
fn civil_of(day: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let since_0000_march = day.saturating_add(719_468);
    let era = since_0000_march.div_euclid(DAYS_OF_400_YEARS);
    let of_era = since_0000_march.rem_euclid(DAYS_OF_400_YEARS);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_month)
}

fn push_body(body: &Body, out: &mut String) {
    out.push_str(r#","to":"#);
    push_text(body.to.as_str(), out);
    out.push_str(r#","from":"#);
    push_text(body.from.as_str(), out);
    match &body.content {
        Content::Text(text) => {
            out.push_str(r#","text":"#);
            push_text(text, out);
        }
        Content::Binary { data, udh, dcs } => {
            out.push_str(r#","binary":{"data":""#);
            STANDARD.encode_string(data, out);
            out.push_str(r#"","udh":""#);
            STANDARD.encode_string(udh, out);
            out.push_str(r#"","dcs":"#);
            push_number(u64::from(*dcs), out);
            out.push('}');
        }
    }
    out.push_str(match body.encoding {
        Encoding::Gsm7 => r#","encoding":"gsm7""#,
        Encoding::Ucs2 => r#","encoding":"ucs2""#,
        Encoding::Latin1 => r#","encoding":"latin1""#,
        Encoding::Binary => r#","encoding":"binary""#,
    });
    out.push_str(if body.transliterate { r#","transliterate":true"# } else { r#","transliterate":false"# });
    if let Some(class) = body.class {
        out.push_str(r#","class":"#);
        push_number(u64::from(class), out);
    }
    out.push_str(r#","priority":"#);
    push_number(u64::from(body.priority), out);
    if let Some(send_at) = body.send_at {
        out.push_str(r#","send_at":"#);
        push_time(send_at, out);
    }
    if body.validity_given {
        let millis = body.expires_at.millis_since(body.send_at.unwrap_or(body.created_at));
        out.push_str(r#","validity_seconds":"#);
        push_number(millis.max(0) as u64 / 1000, out);
    }
    out.push_str(r#","receipt":""#);
    out.push_str(body.receipt.as_str());
    out.push('"');
    out.push_str(r#","client_ref":"#);
    push_optional_text(body.client_ref.as_deref(), out);
    push_extras(body, out);
}

/// What few messages have.
fn push_extras(body: &Body, out: &mut String) {
    for (n, (key, value)) in body.tags.iter().enumerate() {
        out.push_str(if n == 0 { r#","tags":{"# } else { "," });
        push_text(key, out);
        out.push(':');
        push_text(value, out);
    }
    if !body.tags.is_empty() {
        out.push('}');
    }
    if let Some(key) = &body.supersede_key {
        out.push_str(r#","supersede_key":"#);
        push_text(key, out);
    }
    if body.ignore_quiet_hours {
        out.push_str(r#","ignore_quiet_hours":true"#);
    }
    if let Some(url) = &body.callback_url {
        out.push_str(r#","callback_url":"#);
        push_text(url, out);
    }
    for (n, tlv) in body.tlvs.iter().enumerate() {
        out.push_str(if n == 0 { r#","tlvs":[{"tag":"# } else { r#",{"tag":"# });
        push_number(u64::from(tlv.tag), out);
        out.push_str(r#","hex":""#);
        push_hex(&tlv.value, out);
        out.push_str(r#""}"#);
    }
    if !body.tlvs.is_empty() {
        out.push(']');
    }
    if body.passed_on.is_some() || body.dialect.is_some() {
        push_passed_on(body, out);
    }
}

/// What it says to carriers beside its text.
fn push_passed_on(body: &Body, out: &mut String) {
    if let Some(id) = body.protocol_id() {
        out.push_str(r#","protocol_id":"#);
        push_number(u64::from(id), out);
    }
    if let Some(service) = body.service_type() {
        out.push_str(r#","service_type":"#);
        push_text(service, out);
    }
    if body.reply_path() {
        out.push_str(r#","reply_path":true"#);
    }
    if body.replace_if_present() {
        out.push_str(r#","replace_if_present":true"#);
    }
}

/// `null`, or the amount as an exact decimal and its currency.
fn push_price(body: &Body, out: &mut String) {
    match body.price() {
        Some(Money { amount, currency }) => {
            let _ = write!(out, r#"{{"amount":"{amount}","currency":"{}"}}"#, currency.as_str());
        }
        None => out.push_str("null"),
    }
}

/// What the route, and a policy service before it, made of the message; the addresses only where they are not those asked for.
fn push_plan(plan: &Plan, out: &mut String) {
    if let Some(pool) = &plan.pool {
        out.push_str(r#","pool":"#);
        push_text(pool, out);
    }
    for (n, connector) in plan.connectors.iter().enumerate() {
        out.push_str(if n == 0 { r#","connectors":["# } else { "," });
        push_text(connector, out);
    }
    if !plan.connectors.is_empty() {
        out.push(']');
    }
    let (to, from) = (plan.sent_to().map(Address::as_str), plan.sent_from().map(Address::as_str));
    let sent_as = [("to", to), ("from", from), ("text_append", plan.text_append.as_deref())];
    let mut given = sent_as.iter().filter_map(|(key, text)| Some((key, (*text)?))).peekable();
    if given.peek().is_some() {
        out.push_str(r#","sent_as":{"#);
        for (n, (key, text)) in given.enumerate() {
            out.push_str(if n == 0 { "\"" } else { ",\"" });
            out.push_str(key);
            out.push_str("\":");
            push_text(text, out);
        }
        out.push('}');
    }
    if let Some(network) = &plan.network {
        out.push_str(r#","network":"#);
        push_text(network, out);
    }
    if let Some(original) = &plan.copy_of {
        out.push_str(r#","copy_of":""#);
        push_uuid(&original.0, out);
        out.push('"');
    }
}

fn push_part(n: usize, part: &Part, out: &mut String) {
    out.push_str(r#"{"n":"#);
    push_number(n as u64, out);
    out.push_str(r#","status":""#);
    out.push_str(match part.status {
        PartStatus::InDoubt => "in_doubt",
        other => other.as_status().as_str(),
    });
    out.push_str(r#"","remote_id":"#);
    push_optional_text(part.remote_id.as_deref(), out);
    out.push_str(r#","submitted_at":"#);
    push_optional_time(part.submitted_at, out);
    out.push_str(r#","final_at":"#);
    push_optional_time(part.final_at, out);
    out.push('}');
}

fn push_reason(reason: Option<&Reason>, out: &mut String) {
    let Some(reason) = reason else { return out.push_str("null") };
    out.push_str(r#"{"code":"#);
    push_text(&reason.code, out);
    out.push_str(r#","detail":"#);
    push_text(&reason.detail, out);
    out.push_str(r#","smpp_status":"#);
    match reason.smpp_status {
        Some(status) => push_number(u64::from(status), out),
        None => out.push_str("null"),
    }
    out.push_str(r#","receipt_stat":"#);
    push_optional_text(reason.receipt_stat.as_deref(), out);
    out.push_str(r#","receipt_err":"#);
    push_optional_text(reason.receipt_err.as_deref(), out);
    out.push_str(if reason.permanent { r#","permanent":true}"# } else { r#","permanent":false}"# });
}

fn push_optional_text(text: Option<&str>, out: &mut String) {
    match text {
        Some(text) => push_text(text, out),
        None => out.push_str("null"),
    }
}

fn push_optional_time(at: Option<Timestamp>, out: &mut String) {
    match at {
        Some(at) => push_time(at, out),
        None => out.push_str("null"),
    }
}

fn push_uuid(id: &model::id::Uuid, out: &mut String) {
    // A UUID in hyphenated form has 36 characters (RFC 9562 §4).
    let mut text = [0; 36];
    out.push_str(id.as_hyphenated().encode_lower(&mut text));
}

fn push_number(value: u64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

fn push_hex(octets: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for octet in octets {
        out.push(char::from(DIGITS[usize::from(octet >> 4)]));
        out.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
