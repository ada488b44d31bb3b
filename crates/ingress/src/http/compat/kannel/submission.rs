//! From the parameters of `sendsms` to submissions, one for each recipient.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::dialect::{KannelTerms, kannel_dlr};
use model::message::{Ingress, ReceiptWish};
use model::submission::{BinarySubmission, EncodingChoice};
use model::{Address, Dialect, Submission, Timestamp};

use super::super::charset;
use super::given::Given;

/// Longest user data header (3GPP 23.040 §9.2.3.24).
const UDH_MAX: usize = 140;
/// Longest `account`.
const ACCOUNT_MAX: usize = 64;
/// What a recipient may be written with.
const NUMBER_CHARACTERS: &str = "0123456789 +-";
/// The longest validity, and the furthest that a message is put off: 63 weeks and a year, in minutes.
const VALIDITY_MAX: u32 = 63 * 7 * 24 * 60;
const DEFERRED_MAX: u32 = 366 * 24 * 60;

/// A request that may be sent, but for what routes and limits have to say.
#[derive(Debug)]
pub(super) struct Sound {
    pub submissions: Vec<Submission>,
    /// Recipients that are none, as they were given.
    pub denied: Vec<String>,
}

/// What of the account matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending<'a> {
    /// The user's name.
    pub service: &'a str,
    pub has_sender: bool,
    pub has_webhooks: bool,
    pub may_choose: bool,
    pub country: Option<&'static model::country::Country>,
}

/// The submissions that a request is; an error is what Kannel answers.
pub(super) fn submissions(given: Given, sending: Sending<'_>, now: Timestamp) -> Result<Sound, String> {
    if let Some(udh) = given.udh.as_ref().filter(|udh| !udh.is_empty()) {
        if udh.first().is_some_and(|length| usize::from(*length) + 1 != udh.len()) {
            return Err(misformed("UDH"));
        }
        if udh.len() > UDH_MAX {
            return Err("UDH field is too long, rejected".into());
        }
    }
    let (allowed, denied) = recipients(&given, sending);
    if allowed.is_empty() {
        return Err("Number(s) has/have been denied by white- and/or black-lists.".into());
    }
    let from = given.from.clone().filter(|from| !from.is_empty());
    if from.is_none() && !sending.has_sender {
        return Err("Sender missing and no global set, rejected".into());
    }
    let account = given.account.clone().filter(|account| !account.is_empty());
    if account.as_ref().is_some_and(|a| a.len() > ACCOUNT_MAX || a.contains(['[', ']', '\n', '\r'])) {
        return Err("Account field misformed or too long, rejected".into());
    }
    let dlr_url = given.dlr_url.as_deref().filter(|url| !url.is_empty()).map(callable).transpose()?;
    let mask = ranged("DLR-Mask", given.dlr_mask, i64::from(kannel_dlr::ALL))?.unwrap_or(0) as u8;
    let class = ranged("MClass", given.mclass, 3)?;
    let pid = ranged("PID", given.pid, 255)?;
    let rpi = ranged("RPI", given.rpi, 2)?;
    let alternative = ranged("Alt-DCS", given.alt_dcs, 1)? == Some(1);
    let waiting = ranged("MWI", given.mwi, 7)?;
    let coding = ranged("Coding", given.coding, 2)?;
    let compressed = ranged("Compress", given.compress, 1)? == Some(1);
    let validity = ranged("Validity", given.validity, i64::MAX)?;
    let deferred = ranged("Deferred", given.deferred, i64::MAX)?.filter(|minutes| *minutes > 0);
    let priority = ranged("Priority", given.priority, 3)?;
    let udh = given.udh.as_deref().unwrap_or_default();
    let coding = coding.unwrap_or(if udh.is_empty() { 0 } else { 1 }) as u8;
    let form = Form { coding, class, alternative, waiting, compressed };
    let (text, binary) = content(&given, udh, form)?;
    let deferred = deferred.map(|minutes| minutes.min(DEFERRED_MAX));
    // Both are counted from now; ours is counted from when the message is due.
    let validity = validity.map(|minutes| minutes.min(VALIDITY_MAX).saturating_sub(deferred.unwrap_or(0)).max(1));
    let template = Submission {
        from: from.clone(),
        encoding: if coding == 2 { EncodingChoice::Ucs2 } else { EncodingChoice::Auto },
        text,
        class: class.filter(|_| binary.is_none()),
        binary,
        max_parts: Some(u32::from(u8::MAX)),
        priority,
        send_at: deferred.map(|minutes| now.plus_seconds(i64::from(minutes) * 60).to_string()),
        validity_seconds: validity.map(|minutes| u64::from(minutes) * 60),
        receipt: wish(mask, sending.has_webhooks && dlr_url.is_none()),
        callback_url: dlr_url.filter(|_| mask != 0),
        connector: given.smsc.clone().filter(|smsc| !smsc.is_empty() && sending.may_choose),
        ingress: Ingress::Kannel,
        ..Submission::default()
    };
    let terms = KannelTerms {
        mask,
        to: "".into(),
        from: from.unwrap_or_default().into(),
        service: sending.service.into(),
        coding,
        account: account.map(Into::into),
        binfo: given.binfo.filter(|binfo| !binfo.is_empty()).map(Into::into),
        meta_data: given.meta_data.filter(|meta| !meta.is_empty()).map(Into::into),
        mwi: waiting.map(|waiting| waiting as u8),
        pid: pid.map(|pid| pid as u8),
        reply_path: rpi == Some(1),
    };
    let each = allowed.into_iter().map(|to| {
        let terms = KannelTerms { to: to.as_str().into(), ..terms.clone() };
        Submission { to, dialect: Some(Box::new(Dialect::Kannel(terms))), ..template.clone() }
    });
    Ok(Sound { submissions: each.collect(), denied })
}

/// The recipients, each once: those that can be sent to, and those that are none.
fn recipients(given: &Given, sending: Sending<'_>) -> (Vec<String>, Vec<String>) {
    let listed = given.to_list.iter().flatten().map(String::as_str);
    let all = given.to.iter().flat_map(|to| to.split_ascii_whitespace()).chain(listed);
    let (mut allowed, mut denied, mut seen) = (Vec::new(), Vec::new(), std::collections::HashSet::new());
    for number in all.filter(|number| seen.insert(*number)) {
        let sound = number.chars().all(|c| NUMBER_CHARACTERS.contains(c));
        let list =
            if sound && Address::recipient(number, sending.country).is_ok() { &mut allowed } else { &mut denied };
        list.push(number.to_owned());
    }
    (allowed, denied)
}

/// How a content goes over the air.
#[derive(Clone, Copy, Debug)]
struct Form {
    coding: u8,
    class: Option<u32>,
    /// The class in the other group of data coding schemes.
    alternative: bool,
    waiting: Option<u32>,
    compressed: bool,
}

type Content = (Option<String>, Option<BinarySubmission>);

fn content(given: &Given, udh: &[u8], form: Form) -> Result<Content, String> {
    let misread = |_| "Charset or body misformed, rejected".to_owned();
    let charset = given.charset.as_deref();
    let octets = |data: &[u8], dcs: u8| BinarySubmission {
        data: STANDARD.encode(data),
        udh: (!udh.is_empty()).then(|| STANDARD.encode(udh)),
        dcs: Some(u32::from(dcs)),
    };
    if form.coding == 1 {
        return Ok((None, Some(octets(&given.text, form.dcs(1)))));
    }
    if form.compressed {
        // Text can't be compressed; octets that the application has compressed itself can be sent as such.
        return Err(misformed("Compress"));
    }
    let text = match (form.coding, charset) {
        (2, None | Some("")) => charset::utf16be(&given.text).map_err(misread)?,
        _ => charset::text(&given.text, charset).map_err(misread)?,
    };
    if form.waiting.is_some() {
        // What waits is said in UCS-2, which every protocol below can carry with such a coding.
        let dcs = form.dcs(if text.is_empty() { 0 } else { 2 });
        return Ok((None, Some(octets(&sms::encode_ucs2(&text), dcs))));
    }
    if udh.is_empty() {
        return Ok((Some(text), None));
    }
    Ok((
        None,
        Some(match sms::encode_gsm7(&text, sms::Shift::default()) {
            Ok(septets) if form.coding == 0 => octets(&septets, form.dcs(0)),
            _ => octets(&sms::encode_ucs2(&text), form.dcs(2)),
        }),
    ))
}

impl Form {
    /// The data coding scheme (3GPP 23.038 §4) for 7-bit (0), octets (1) or UCS-2 (2).
    fn dcs(self, coding: u8) -> u8 {
        if let Some(waiting) = self.waiting {
            let group = if coding == 2 { 0xe0 } else { 0xc0 };
            // Kinds from 4 on are those from 0 on, switched off.
            return group | (if waiting < 4 { 8 } else { 0 }) | (waiting & 3) as u8;
        }
        match self.class.map(|class| class as u8 & 3) {
            Some(class) if self.alternative && coding < 2 => 0xf0 | coding << 2 | class,
            class => coding << 2 | class.map_or(0, |class| 0x10 | class) | if self.compressed { 0x20 } else { 0 },
        }
    }
}

/// A number from 0 to `most`.
fn ranged(field: &str, given: Option<i64>, most: i64) -> Result<Option<u32>, String> {
    match given {
        None => Ok(None),
        Some(number) if (0..=most).contains(&number) => Ok(Some(u32::try_from(number).unwrap_or(u32::MAX))),
        Some(_) => Err(misformed(field)),
    }
}

fn misformed(field: &str) -> String {
    format!("{field} field misformed, rejected")
}

/// A `dlr-url` that can be called when its escapes are filled in. What can't stand in a URL is encoded.
fn callable(url: &str) -> Result<String, String> {
    let url: String =
        url.trim().chars().map(|c| if c.is_ascii_graphic() { c.to_string() } else { encoded(c) }).collect();
    let (scheme, rest) = url.split_once("://").ok_or_else(|| misformed("DLR-URL"))?;
    let url = format!("{}://{rest}", scheme.to_ascii_lowercase());
    if model::url::is_web(&url) { Ok(url) } else { Err(misformed("DLR-URL")) }
}

fn encoded(c: char) -> String {
    let mut octets = [0; 4];
    c.encode_utf8(&mut octets).bytes().map(|octet| format!("%{octet:02X}")).collect()
}

/// Which receipts the carrier is to be asked for.
fn wish(mask: u8, webhooks: bool) -> ReceiptWish {
    if mask & (kannel_dlr::BUFFERED | kannel_dlr::INTERMEDIATE) != 0 {
        ReceiptWish::All
    } else if mask & (kannel_dlr::DELIVERED | kannel_dlr::FAILED) != 0 || webhooks {
        ReceiptWish::Final
    } else {
        ReceiptWish::None
    }
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;
