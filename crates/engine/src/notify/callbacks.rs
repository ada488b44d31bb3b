//! Call-backs in other gateways' dialects: what an application that was written for Kannel or Jasmin is
//! called with when something happens to a message.
//!
//! Kannel fills in the escapes of a URL and calls it with GET; what it tells of is a bit of the message's
//! `dlr-mask`. Jasmin sends a form, or the same as a query, of what its `dlr-level` asks for.

use model::dialect::{JasminTerms, KannelTerms, kannel_dlr};
use model::{CallbackStyle, Content, Dialect, Direction, Encoding, Message, Status, Timestamp};
use sms::receipt::{ReceiptFields, ReceiptState};

use super::escapes::{Escapes, fill, push_encoded};

/// Jasmin's name for what the carrier's answer said when it was no SMPP status.
const NO_STATUS: &str = "ESME_RSUBMITFAIL";

/// A call, made up: where it goes, and the body of a POST.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Called {
    pub url: Box<str>,
    pub body: Box<str>,
}

/// The call that `message`, as it stands at `now`, is worth at `url`; `None` when that is nothing that
/// this application asked for. `service` is who takes a message from a phone, by name.
pub(super) fn call(
    style: CallbackStyle,
    url: &str,
    message: &Message,
    service: &str,
    now: Timestamp,
) -> Option<Called> {
    let get = match style {
        CallbackStyle::Webhook => return None,
        CallbackStyle::Kannel => {
            let url = match message.body.direction {
                Direction::Mo => kannel_incoming(url, message, service, now),
                Direction::Mt => kannel_receipt(url, message, now)?,
            };
            return Some(Called { url, body: "".into() });
        }
        CallbackStyle::Jasmin => false,
        CallbackStyle::JasminGet => true,
    };
    let form = match message.body.direction {
        Direction::Mo => jasmin_incoming(message),
        Direction::Mt => jasmin_receipt(message, now)?,
    };
    if !get {
        return Some(Called { url: url.into(), body: form.into() });
    }
    let url = url.split('#').next().unwrap_or_default();
    let joint = if url.contains('?') { '&' } else { '?' };
    Some(Called { url: format!("{url}{joint}{form}").into(), body: "".into() })
}

/// A message from a phone, as a `get-url` of Kannel's is called.
fn kannel_incoming(url: &str, message: &Message, service: &str, now: Timestamp) -> Box<str> {
    let body = &message.body;
    let (coding, text, udh) = octets(message);
    let id = body.id.to_string();
    fill(
        url,
        &Escapes {
            text: &text,
            udh,
            coding,
            phone: body.from.as_str(),
            other: body.to.as_str(),
            at: now,
            event: -1,
            id: &id,
            connector: message.progress.connector.as_deref().unwrap_or_default(),
            service,
            class: body.class,
            ..Escapes::default()
        },
    )
}

/// The call that what a carrier said in between is worth; `None` when that is nothing that this
/// application asked for. Kannel's `dlr-mask` has two bits for it, and it is told once: as 4 (the carrier
/// has it and waits) if that is wanted, and otherwise as 32.
pub(super) fn call_between(
    style: CallbackStyle,
    url: &str,
    message: &Message,
    said: &model::Receipt,
    now: Timestamp,
) -> Option<Called> {
    if style != CallbackStyle::Kannel || message.body.direction != Direction::Mt {
        return None;
    }
    let other = KannelTerms::default();
    let terms = terms_of(message, &other);
    let event = [kannel_dlr::BUFFERED, kannel_dlr::INTERMEDIATE].into_iter().find(|bit| terms.mask & bit != 0)?;
    let state = ReceiptState::from_word(&said.stat).unwrap_or(ReceiptState::Enroute);
    let text =
        text_of(message, Receipt { state, error: said.err.as_deref().unwrap_or("000"), ..receipt(message, now) });
    Some(Called { url: kannel_url(url, message, terms, (event, &text), now), body: "".into() })
}

/// What a message keeps of the request that it came with.
fn terms_of<'m>(message: &'m Message, other: &'m KannelTerms) -> &'m KannelTerms {
    match message.body.dialect.as_deref() {
        Some(Dialect::Kannel(terms)) => terms,
        _ => other,
    }
}

/// What became of a message, as a `dlr-url` is called; `None` if the mask does not want it.
fn kannel_receipt(url: &str, message: &Message, now: Timestamp) -> Option<Box<str>> {
    let body = &message.body;
    let other = KannelTerms { mask: kannel_dlr::ALL, service: body.account.as_ref().into(), ..KannelTerms::default() };
    let terms = terms_of(message, &other);
    let event = kannel_event(message)?;
    if terms.mask & event == 0 {
        return None;
    }
    let text = match event {
        kannel_dlr::ACCEPTED => "ACK/".to_owned(),
        kannel_dlr::REJECTED => refusal(message),
        _ => text_of(message, receipt(message, now)),
    };
    Some(kannel_url(url, message, terms, (event, &text), now))
}

/// A `dlr-url` that tells of `event`.
fn kannel_url(
    url: &str,
    message: &Message,
    terms: &KannelTerms,
    (event, text): (u8, &str),
    now: Timestamp,
) -> Box<str> {
    let (body, progress) = (&message.body, &message.progress);
    let given = |given: &'_ str, address: &str| if given.is_empty() { address.to_owned() } else { given.to_owned() };
    let (phone, sender) = (given(&terms.to, body.to.as_str()), given(&terms.from, body.from.as_str()));
    let minutes = |at: Timestamp| at.millis_since(now) / 60_000;
    let id = body.id.to_string();
    fill(
        url,
        &Escapes {
            text: text.as_bytes(),
            phone: &phone,
            other: &sender,
            at: now,
            event: i32::from(event),
            id: &id,
            remote_id: remote_id(message),
            connector: progress.connector.as_deref().unwrap_or_default(),
            service: &terms.service,
            account: terms.account.as_deref().unwrap_or_default(),
            binfo: terms.binfo.as_deref().unwrap_or_default(),
            meta_data: terms.meta_data.as_deref().unwrap_or_default(),
            dlr_url: body.callback_url.as_deref().unwrap_or(url),
            coding: terms.coding,
            class: body.class,
            waiting: terms.mwi,
            udh: b"",
            validity: body.validity_given.then(|| minutes(body.expires_at)),
            deferred: body.send_at.map(minutes),
        },
    )
}

/// The bit of `dlr-mask` that a message's state is.
fn kannel_event(message: &Message) -> Option<u8> {
    Some(match message.progress.status {
        Status::Sent => kannel_dlr::ACCEPTED,
        Status::Delivered => kannel_dlr::DELIVERED,
        Status::Rejected if by_receipt(message) => kannel_dlr::FAILED,
        Status::Rejected | Status::Failed => kannel_dlr::REJECTED,
        Status::Undelivered | Status::Expired | Status::Unknown | Status::Canceled => kannel_dlr::FAILED,
        Status::Scheduled | Status::Queued | Status::Received => return None,
    })
}

/// Did a receipt say so, and not the carrier's answer or the gateway?
fn by_receipt(message: &Message) -> bool {
    message.progress.reason.as_ref().is_some_and(|reason| &*reason.code == "receipt")
}

/// `NACK/0x0000000b/…`: the carrier's answer, or why the gateway gave up.
fn refusal(message: &Message) -> String {
    let Some(reason) = &message.progress.reason else { return "NACK/".to_owned() };
    match reason.smpp_status {
        Some(status) => {
            let meaning = reason.detail.split_once(": ").map_or("", |(_, meaning)| meaning);
            format!("NACK/0x{status:08x}/{meaning}")
        }
        None => format!("NACK/{}", reason.detail),
    }
}

/// What a receipt says, in the words of SMPP 3.4 Appendix B.
fn text_of(message: &Message, receipt: Receipt<'_>) -> String {
    let Receipt { id, state, error, submitted, done, parts, delivered } = receipt;
    let day = |at: Timestamp| sms::DateTime::from_unix(at.as_seconds()).or_else(|| sms::DateTime::from_unix(0));
    let (Some(submit_date), Some(done_date)) = (day(submitted), day(done)) else { return String::new() };
    sms::receipt::format(&ReceiptFields {
        id,
        submitted: parts,
        delivered,
        submit_date,
        done_date,
        state,
        error,
        text: message.body.content.text().unwrap_or_default(),
    })
}

struct Receipt<'m> {
    id: &'m str,
    state: ReceiptState,
    error: &'m str,
    submitted: Timestamp,
    done: Timestamp,
    parts: u16,
    delivered: u16,
}

fn receipt(message: &Message, now: Timestamp) -> Receipt<'_> {
    let progress = &message.progress;
    let reason = progress.reason.as_ref();
    let said = reason.and_then(|reason| ReceiptState::from_word(reason.receipt_stat.as_deref()?));
    let state = match progress.status {
        Status::Delivered => ReceiptState::Delivered,
        Status::Expired => ReceiptState::Expired,
        Status::Rejected | Status::Failed => ReceiptState::Rejected,
        Status::Canceled => ReceiptState::Deleted,
        Status::Undelivered => said.unwrap_or(ReceiptState::Undeliverable),
        _ => ReceiptState::Unknown,
    };
    let done = |part: &&model::Part| part.status == model::PartStatus::Delivered;
    Receipt {
        id: remote_id(message),
        state,
        error: reason.and_then(|reason| reason.receipt_err.as_deref()).unwrap_or("000"),
        submitted: progress.submitted_at.unwrap_or(message.body.created_at),
        done: progress.final_at.unwrap_or(now),
        parts: u16::try_from(progress.parts.len()).unwrap_or(u16::MAX),
        delivered: u16::try_from(progress.parts.iter().filter(done).count()).unwrap_or(u16::MAX),
    }
}

/// The carrier's id of the last part that has one.
fn remote_id(message: &Message) -> &str {
    message.progress.parts.iter().rev().find_map(|part| part.remote_id.as_deref()).unwrap_or_default()
}

/// Coding (0 text, 1 octets, 2 UCS-2), octets and header of a message from a phone. A text is UTF-8, or
/// UTF-16BE where the phone had sent it so.
fn octets(message: &Message) -> (u8, Vec<u8>, &[u8]) {
    match (&message.body.content, message.body.encoding) {
        (Content::Binary { data, udh, .. }, _) => (1, data.to_vec(), udh),
        (Content::Text(text), Encoding::Ucs2) => (2, sms::encode_ucs2(text), &[]),
        (Content::Text(text), _) => (0, text.as_bytes().to_vec(), &[]),
    }
}

/// A message from a phone, as Jasmin hands it to an HTTP client connector.
fn jasmin_incoming(message: &Message) -> String {
    let body = &message.body;
    let (coding, content, header) = octets(message);
    let content = [header, &content].concat();
    let coding = match (&body.content, coding) {
        (Content::Binary { dcs, .. }, _) => *dcs,
        (_, 2) => 8,
        _ => 0,
    };
    let id = body.id.to_string();
    let mut form = Form::default();
    form.add("id", id.as_bytes());
    form.add("from", body.from.bare().as_bytes());
    form.add("to", body.to.bare().as_bytes());
    form.add("origin-connector", message.progress.connector.as_deref().unwrap_or_default().as_bytes());
    form.add("content", &content);
    form.add("binary", crate::hash::hex(&content).as_bytes());
    form.add("priority", b"0");
    form.add("coding", coding.to_string().as_bytes());
    form.0
}

/// What became of a message, if the level wants it.
fn jasmin_receipt(message: &Message, now: Timestamp) -> Option<String> {
    let level = match message.body.dialect.as_deref() {
        Some(Dialect::Jasmin(JasminTerms { level, .. })) => *level,
        _ => 3,
    };
    let progress = &message.progress;
    let answered = match progress.status {
        Status::Scheduled | Status::Queued | Status::Received => return None,
        Status::Sent => true,
        Status::Rejected | Status::Failed => !by_receipt(message),
        _ => false,
    };
    let wanted = if answered { level & 1 == 1 } else { level >= 2 };
    // Who asked for the phone's receipt alone hears, too, that there will never be one.
    let instead = answered && level == 2 && progress.status != Status::Sent;
    if !wanted && !instead {
        return None;
    }
    let receipt = receipt(message, now);
    let status = match (answered && !instead, progress.status) {
        (true, Status::Sent) => "ESME_ROK",
        (true, _) => status_name(message),
        (false, _) => receipt.state.word(),
    };
    let id = message.body.id.to_string();
    let mut form = Form::default();
    form.add("id", id.as_bytes());
    form.add("level", if answered && !instead { b"1" } else { b"2" });
    form.add("message_status", status.as_bytes());
    form.add("connector", progress.connector.as_deref().unwrap_or_default().as_bytes());
    if !answered || instead {
        let text: String = message.body.content.text().unwrap_or_default().chars().take(20).collect();
        form.add("id_smsc", receipt.id.as_bytes());
        form.add("sub", format!("{:03}", receipt.parts).as_bytes());
        form.add("dlvrd", format!("{:03}", receipt.delivered).as_bytes());
        form.add("subdate", ten_digits(receipt.submitted).as_bytes());
        form.add("donedate", ten_digits(receipt.done).as_bytes());
        form.add("err", receipt.error.as_bytes());
        form.add("text", text.as_bytes());
    }
    Some(form.0)
}

/// `ESME_RINVDSTADR`: the name in the carrier's answer.
fn status_name(message: &Message) -> &str {
    let detail = message.progress.reason.as_ref().map_or("", |reason| &*reason.detail);
    let name = detail.split([' ', ':']).find(|word| word.starts_with("ESME_"));
    name.unwrap_or(NO_STATUS)
}

/// `YYMMDDhhmm`
fn ten_digits(at: Timestamp) -> String {
    at.civil().map_or_else(String::new, |civil| {
        let (year, month, day) = (civil.year().rem_euclid(100), civil.month(), civil.day());
        format!("{year:02}{month:02}{day:02}{:02}{:02}", civil.hour(), civil.minute())
    })
}

/// `name=value&…`
#[derive(Default)]
struct Form(String);

impl Form {
    fn add(&mut self, name: &str, value: &[u8]) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        push_encoded(value, &mut self.0);
    }
}

#[cfg(test)]
#[path = "callbacks_tests.rs"]
mod tests;
