//! From submit (03) to [`Submission`]s. Pure; the clock comes in.

use cimd2::{ErrorCode, RelativeTime, StatusReports, Submit};
use model::dialect::named_wish;
use model::message::Ingress;
use model::{Dialect, NamedTerms, Submission, Timestamp};
use sms::{Coding, Dcs};

use crate::named::{AccountNames, Clock, Digits, UserData, receipt_wish};

/// Characters of an address.
const ADDRESS_MAX: usize = 20;
/// The longest validity that the engine takes: 63 weeks.
const VALIDITY_SECONDS_MAX: i64 = 63 * 7 * 86_400;
/// Octets of user data and header together, and of the longest text of them (3GPP 23.040 §9.2.3.24).
const SEPTETS_IN_OCTET_GROUP: usize = 8;

/// A submission that waits for its answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub sequence: u16,
    pub name: Name,
}

/// What a message is called: to whom, and the time stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub to: Box<[u8]>,
    pub at: [u8; 12],
}

/// What messages are read by.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub clock: &'a Clock,
    pub names: &'a AccountNames,
    pub now: Timestamp,
}

/// The messages that a submit asks for, each with what it is called: one for each destination.
pub(super) fn read(submit: &Submit<'_>, reading: Reading<'_>) -> Result<Vec<(Submission, Name)>, ErrorCode> {
    let (send_at, validity_seconds) = times(submit, reading.clock, reading.now)?;
    let wish = submit.status_reports.map_or(0, wish);
    let mut common = Submission {
        from: sender(submit)?,
        priority: Some(priority(submit.priority)?),
        send_at: send_at.map(|at| at.to_string()),
        validity_seconds,
        receipt: receipt_wish(wish),
        protocol_id: submit.protocol_id.filter(|pid| *pid != 0).map(u32::from),
        reply_path: submit.reply_path == Some(true),
        ingress: Ingress::Cimd2,
        ..Submission::default()
    };
    user_data(submit)?.put(&mut common).map_err(|_| ErrorCode::SUBMIT_USER_DATA)?;
    let from: Box<str> = String::from_utf8_lossy(submit.originator).into();
    let name = |to: &str, at: &[u8]| {
        let at = String::from_utf8_lossy(at).into();
        Some(Box::new(Dialect::Named(NamedTerms { to: to.into(), from: from.clone(), at, wish })))
    };
    let mut messages = Vec::new();
    for to in submit.destinations {
        let text = recipient(to)?;
        let at = reading.clock.digits(reading.names.next(to, reading.now), Digits::YearFirst);
        let submission = Submission { to: text.to_owned(), dialect: name(text, &at), ..common.clone() };
        messages.push((submission, Name { to: to.into(), at }));
    }
    if messages.is_empty() { Err(ErrorCode::SUBMIT_DESTINATION) } else { Ok(messages) }
}

/// A destination is digits, with a `+` where a client does not know better.
fn recipient(address: &[u8]) -> Result<&str, ErrorCode> {
    let digits = address.strip_prefix(b"+").unwrap_or(address);
    if digits.is_empty() || address.len() > ADDRESS_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ErrorCode::SUBMIT_DESTINATION);
    }
    std::str::from_utf8(address).map_err(|_| ErrorCode::SUBMIT_DESTINATION)
}

fn sender(submit: &Submit<'_>) -> Result<Option<String>, ErrorCode> {
    if !submit.alpha_originator.is_empty() {
        let septets: Vec<u8> = cimd2::septets(submit.alpha_originator).collect();
        return Ok(Some(sms::decode_gsm7(&septets, sms::Shift::default())));
    }
    if submit.originator.is_empty() {
        return Ok(None);
    }
    if submit.originator.len() > ADDRESS_MAX {
        return Err(ErrorCode::SUBMIT_ORIGINATOR);
    }
    let text = std::str::from_utf8(submit.originator).map_err(|_| ErrorCode::SUBMIT_ORIGINATOR)?;
    Ok(Some(text.to_owned()))
}

/// 1 is the highest of nine; ours are four.
fn priority(given: Option<u8>) -> Result<u32, ErrorCode> {
    match given {
        Some(1) => Ok(3),
        Some(2..=4) => Ok(2),
        None | Some(5..=8) => Ok(1),
        Some(9) => Ok(0),
        Some(_) => Err(ErrorCode::SUBMIT_PRIORITY),
    }
}

fn user_data(submit: &Submit<'_>) -> Result<UserData, ErrorCode> {
    let (header, dcs) = (submit.header.to_vec(), submit.dcs.unwrap_or(0));
    let coding = Dcs::decode(dcs).coding;
    let octets = match (submit.text, submit.binary.is_empty()) {
        (Some(_), false) => return Err(ErrorCode::SUBMIT_COMBINATION),
        // The notation has no other characters than those of the default alphabet.
        (Some(text), true) if coding == Coding::Gsm7 || text.is_empty() => cimd2::septets(text).collect(),
        (Some(_), true) => return Err(ErrorCode::SUBMIT_DCS),
        (None, true) => Vec::new(),
        (None, false) if coding == Coding::Gsm7 => unpacked(&submit.binary.to_vec(), header.len()),
        (None, false) => submit.binary.to_vec(),
    };
    Ok(UserData { octets, header, dcs, class: None })
}

/// Septets of binary data, which are packed. An `@` at the end that only their padding makes is left out.
fn unpacked(octets: &[u8], header: usize) -> Vec<u8> {
    let mut septets = sms::unpack(octets, sms::fill_bits(header), usize::MAX);
    if header == 0 && septets.len().is_multiple_of(SEPTETS_IN_OCTET_GROUP) && septets.last() == Some(&0) {
        septets.pop();
    }
    septets
}

/// When it is due, and for how long it is valid from then on.
fn times(submit: &Submit<'_>, clock: &Clock, now: Timestamp) -> Result<(Option<Timestamp>, Option<u64>), ErrorCode> {
    let moment = |relative: Option<RelativeTime>, absolute: &[u8], fault| {
        if !absolute.is_empty() {
            return clock.moment(absolute, Digits::YearFirst).map(Some).ok_or(fault);
        }
        let Some(relative) = relative else { return Ok(None) };
        // A single attempt is nothing that is known here.
        let seconds = relative.seconds().and_then(|seconds| i64::try_from(seconds).ok());
        seconds.map(|seconds| Some(now.plus_seconds(seconds))).ok_or(fault)
    };
    let send_at = moment(submit.first_delivery, submit.first_delivery_at, ErrorCode::SUBMIT_FIRST_DELIVERY)?;
    let send_at = send_at.filter(|at| *at > now);
    let expires_at = moment(submit.validity, submit.valid_until, ErrorCode::SUBMIT_VALIDITY)?;
    let validity_seconds = match expires_at.map(|at| at.millis_since(send_at.unwrap_or(now)) / 1000) {
        None => None,
        Some(..1) => return Err(ErrorCode::SUBMIT_VALIDITY),
        Some(seconds) => Some(seconds.min(VALIDITY_SECONDS_MAX) as u64),
    };
    Ok((send_at, validity_seconds))
}

fn wish(wanted: StatusReports) -> u8 {
    let mut wish = 0;
    for (kind, bit) in [
        (StatusReports::TEMPORARY_ERROR, named_wish::BUFFERED),
        (StatusReports::EXPIRED, named_wish::EXPIRED),
        (StatusReports::FAILED, named_wish::FAILED),
        (StatusReports::DELIVERED, named_wish::DELIVERED),
        (StatusReports::CANCELLED, named_wish::CANCELED),
        (StatusReports::DELETED, named_wish::CANCELED),
    ] {
        if wanted.contains(kind) {
            wish |= bit;
        }
    }
    wish
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;
