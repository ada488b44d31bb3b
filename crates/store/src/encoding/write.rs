//! Columns out of messages.

use std::borrow::Cow;
use std::fmt::Write;

use model::delivery::DeliveryState;
use model::message::{Event, Part};
use model::{
    Body, CallbackStyle, Charge, Content, Dialect, Direction, Encoding, Ingress, LedgerKind, PartStatus, PassedOn,
    Plan, Reason, ReceiptWish, Status,
};
use serde::{Deserialize, Serialize};

/// The number of a status in the store: its place in [`Status::ALL`].
#[must_use]
pub fn status_number(status: Status) -> i64 {
    Status::ALL.iter().position(|s| *s == status).map_or(-1, |n| n as i64)
}

/// Directions, in the order of their numbers.
pub const DIRECTIONS: [Direction; 2] = [Direction::Mt, Direction::Mo];
/// Encodings, in the order of their numbers.
pub const ENCODINGS: [Encoding; 4] = [Encoding::Gsm7, Encoding::Ucs2, Encoding::Latin1, Encoding::Binary];
/// Which receipts are wanted, in the order of their numbers.
pub const RECEIPTS: [ReceiptWish; 5] = ReceiptWish::EVERY;
/// How deliveries are handed over, in the order of their numbers.
pub const STYLES: [CallbackStyle; 4] = CallbackStyle::ALL;
/// Movements of money, in the order of their numbers.
pub const LEDGER_KINDS: [LedgerKind; 3] = LedgerKind::ALL;
/// States of deliveries, in the order of their numbers.
pub const DELIVERY_STATES: [DeliveryState; 2] = [DeliveryState::Pending, DeliveryState::Failed];

/// The number of a word: its place in the list of all of them.
#[must_use]
pub fn number<T: PartialEq>(all: &[T], one: &T) -> i64 {
    all.iter().position(|o| o == one).map_or(-1, |n| n as i64)
}

/// What few messages have, together in one column that is NULL for the others.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Extra {
    #[serde(skip_serializing_if = "is_http")]
    pub(super) ingress: Ingress,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<u8>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) transliterate: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) validity_given: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) wide_reference: bool,
    /// National language tables, locking and single shift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shift: Option<(u8, u8)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) callback_url: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dialect: Option<Box<Dialect>>,
    /// Data coding scheme and header of octets; the octets themselves stand in `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dcs: Option<u8>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) udh: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tlvs: Vec<(u16, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) passed_on: Option<Box<PassedOn>>,
    /// What the route made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<Box<Plan>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) charge: Option<Box<Charge>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supersede_key: Option<Box<str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) ignore_quiet_hours: bool,
}

/// The column's text for a message that came by SMPP and has nothing else that is rare.
pub(super) const BY_SMPP: &str = r#"{"ingress":"smpp"}"#;

impl Extra {
    /// The column's text; `None` for the common case.
    #[must_use]
    pub fn of(body: &Body) -> Option<Cow<'static, str>> {
        let plain = matches!(body.ingress, Ingress::Http | Ingress::Smpp)
            && body.class.is_none()
            && !body.transliterate
            && !body.validity_given
            && !body.wide_reference
            && body.shift == (0, 0)
            && body.callback_url.is_none()
            && body.dialect.is_none()
            && body.tlvs.is_empty()
            && body.passed_on.is_none()
            && body.plan.is_none()
            && body.charge.is_none()
            && body.supersede_key.is_none()
            && !body.ignore_quiet_hours
            && matches!(body.content, Content::Text(_));
        if plain {
            return (!is_http(&body.ingress)).then_some(Cow::Borrowed(BY_SMPP));
        }
        let (dcs, udh) = match &body.content {
            Content::Text(_) => (None, String::new()),
            Content::Binary { udh, dcs, .. } => (Some(*dcs), hex(udh)),
        };
        let extra = Extra {
            ingress: body.ingress,
            class: body.class,
            transliterate: body.transliterate,
            validity_given: body.validity_given,
            wide_reference: body.wide_reference,
            shift: (body.shift != (0, 0)).then_some(body.shift),
            callback_url: body.callback_url.clone(),
            dialect: body.dialect.clone(),
            dcs,
            udh,
            tlvs: body.tlvs.iter().map(|tlv| (tlv.tag, hex(&tlv.value))).collect(),
            passed_on: body.passed_on.clone(),
            plan: body.plan.clone(),
            charge: body.charge.clone(),
            supersede_key: body.supersede_key.clone(),
            ignore_quiet_hours: body.ignore_quiet_hours,
        };
        Some(serde_json::to_string(&extra).expect("strings and numbers only").into())
    }
}

fn is_http(ingress: &Ingress) -> bool {
    *ingress == Ingress::Http
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Octets from hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Box<[u8]>> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let octets = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { octets } else { None }
}

/// `{"key":"value",…}`.
pub fn tags(out: &mut String, tags: &[(Box<str>, Box<str>)]) {
    out.push('{');
    for (n, (key, value)) in tags.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        string(out, key);
        out.push(':');
        string(out, value);
    }
    out.push('}');
}

/// `[["sent","remote id",submitted ms,final ms],…]`, with `null` for what is not known.
pub fn parts(out: &mut String, parts: &[Part]) {
    out.push('[');
    for (n, part) in parts.iter().enumerate() {
        out.push_str(if n > 0 { ",[\"" } else { "[\"" });
        out.push_str(part_word(part.status));
        out.push_str("\",");
        optional_string(out, part.remote_id.as_deref());
        out.push(',');
        optional_number(out, part.submitted_at.map(|t| t.as_millis()));
        out.push(',');
        optional_number(out, part.final_at.map(|t| t.as_millis()));
        out.push(']');
    }
    out.push(']');
}

/// `[[ms,"what",part,"detail"],…]`, oldest first.
pub fn events(out: &mut String, events: &[Event]) {
    out.push('[');
    for (n, event) in events.iter().enumerate() {
        out.push_str(if n > 0 { ",[" } else { "[" });
        integer(out, event.at.as_millis());
        out.push(',');
        string(out, &event.what);
        out.push(',');
        optional_number(out, event.part.map(i64::from));
        out.push(',');
        optional_string(out, event.detail.as_deref());
        out.push(']');
    }
    out.push(']');
}

/// A reason as a JSON object.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    serde_json::to_string(reason).expect("strings, numbers and a bool only")
}

fn part_word(status: PartStatus) -> &'static str {
    match status {
        PartStatus::Queued => "queued",
        PartStatus::InDoubt => "in_doubt",
        PartStatus::Sent => "sent",
        PartStatus::Delivered => "delivered",
        PartStatus::Undelivered => "undelivered",
        PartStatus::Expired => "expired",
        PartStatus::Rejected => "rejected",
        PartStatus::Unknown => "unknown",
        PartStatus::Failed => "failed",
        PartStatus::Canceled => "canceled",
    }
}

fn optional_number(out: &mut String, value: Option<i64>) {
    match value {
        Some(value) => integer(out, value),
        None => out.push_str("null"),
    }
}

fn optional_string(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.push_str("null"),
    }
}

/// A number in decimal. Several times in every row, and `write!` costs much more.
fn integer(out: &mut String, value: i64) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// A JSON string (RFC 8259 §7). Nearly always there is nothing to escape.
fn string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    if is_plain(text) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut plain_from = 0;
    for (at, octet) in text.bytes().enumerate() {
        if !is_special(octet) {
            continue;
        }
        // The octet is ASCII, so both ends lie between characters.
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        match octet {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            _ => {
                let _ = write!(out, "\\u{octet:04x}");
            }
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// Is there nothing to escape? All octets are looked at, sixteen at a time, for that is faster than to
/// stop at the first.
fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |found, octet| found | is_special(octet))
}

fn is_special(octet: u8) -> bool {
    (octet < 0x20) | (octet == b'"') | (octet == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_what_serde_json_reads_back() {
        for text in ["", "plain", "\"\\/\u{0}\u{1f}\n\t", "é 漢 😀", "\u{7f}\u{2028}", "end\\"] {
            let mut json = String::new();
            string(&mut json, text);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text, "{json}");
        }
    }

    #[test]
    fn numbers_are_written_in_full() {
        for value in [0, 7, -1, 1_795_376_096_007, i64::MIN, i64::MAX] {
            let mut text = String::new();
            integer(&mut text, value);
            assert_eq!(text, value.to_string());
        }
    }

    #[test]
    fn the_text_of_what_came_by_smpp_is_what_would_be_written() {
        let extra = Extra { ingress: Ingress::Smpp, ..Extra::default() };
        assert_eq!(serde_json::to_string(&extra).unwrap(), BY_SMPP);
    }

    #[test]
    fn the_words_of_parts_are_the_models() {
        use PartStatus::*;
        for status in [Queued, InDoubt, Sent, Delivered, Undelivered, Expired, Rejected, Unknown, Failed, Canceled] {
            assert_eq!(format!("\"{}\"", part_word(status)), serde_json::to_string(&status).unwrap());
        }
    }

    #[test]
    fn hexadecimal_digits_come_back_as_octets() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)).unwrap().as_ref(), all);
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }
}
