//! Validate: from what was asked for to a message's body. All faults at once, each with a pointer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::message::{Ingress, Tlv};
use model::resources::LongForm;
use model::submission::{Decided, EncodingChoice, Fault};
use model::{
    Address, Body, Content, Direction, Encoding, MessageId, PassedOn, Plan, ReceiptWish, Submission, Timestamp,
};
use sms::{Alphabet, Choice, TextError, TextOptions};

use crate::rhythm::Hold;
use crate::text::{encoding_of, plan_binary, shift_of};
use crate::world::AccountView;

/// Parts that a text may have when nobody says otherwise.
pub const DEFAULT_MAX_PARTS: u32 = 10;
/// Seconds that a message is valid when nobody says otherwise: three days.
pub const DEFAULT_VALIDITY_SECONDS: u64 = 3 * 86_400;
/// Longest validity: SMPP SMSCs take 63 weeks at the most.
const VALIDITY_SECONDS_MAX: u64 = 63 * 7 * 86_400;
/// A message may be scheduled this far ahead: a year.
const SCHEDULE_SECONDS_MAX: i64 = 366 * 86_400;
/// Octets of a text; 255 parts hold 39,015 characters, of four octets at most.
const TEXT_OCTETS_MAX: usize = 160_000;
const CLIENT_REF_MAX: usize = 128;
const SUPERSEDE_KEY_MAX: usize = 128;
const SERVICE_TYPE_MAX: usize = 5;
const TAGS_MAX: usize = 16;
const TAG_MAX: usize = 128;
const URL_MAX: usize = 2048;
const TLVS_MAX: usize = 32;
const TLV_OCTETS_MAX: usize = 1024;

/// A submission whose fields are sound: a body, but for what its route decides.
#[derive(Debug)]
pub(crate) struct Valid {
    pub body: Body,
    /// Why it waits longer than it asks for.
    pub hold: Option<Hold>,
    max_parts: u32,
}

/// What a text or binary comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub alphabet: Alphabet,
    pub parts: usize,
}

/// Checks everything that does not depend on the route.
pub(crate) fn validate(
    submission: Submission,
    account: &AccountView,
    id: MessageId,
    now: Timestamp,
) -> Result<Valid, Vec<Fault>> {
    let mut faults = Faults::default();
    let to = faults.take("/to", Address::recipient(&submission.to, account.country));
    let from = match submission.from.as_deref().or(account.account.default_sender.as_deref()) {
        Some(from) => faults.take("/from", Address::sender(from, account.country)),
        None => {
            faults.add("/from", "is missing, and the account has no default sender");
            None
        }
    };
    let content = faults.content(&submission);
    let class = faults.at_most("/class", submission.class, 3).map(|class| class as u8);
    let priority = faults.at_most("/priority", submission.priority, 3).unwrap_or(1) as u8;
    let max_parts = faults.max_parts(submission.max_parts);
    let send_at = faults.send_at(submission.send_at.as_deref(), now);
    let validity = faults.validity(submission.validity_seconds);
    let client_ref = faults.text("/client_ref", submission.client_ref, CLIENT_REF_MAX);
    let supersede_key = faults.supersede_key(submission.supersede_key);
    let tags = faults.tags(submission.tags);
    let callback_url = faults.url(submission.callback_url);
    let tlvs = faults.tlvs(&submission.tlvs);
    let passed_on = PassedOn {
        protocol_id: faults.at_most("/protocol_id", submission.protocol_id, 255).map(|id| id as u8),
        service_type: faults.service_type(submission.service_type),
        reply_path: submission.reply_path,
        replace_if_present: submission.replace_if_present,
        priority_flag: submission.priority_flag,
    };
    let (Some(to), Some(from), Some(content), []) = (to, from, content, faults.0.as_slice()) else {
        return Err(faults.0);
    };
    let default_validity = account.account.default_validity_seconds.unwrap_or(DEFAULT_VALIDITY_SECONDS);
    let valid_for = validity.unwrap_or(default_validity).min(VALIDITY_SECONDS_MAX) as i64;
    let body = Body {
        id,
        direction: Direction::Mt,
        ingress: submission.ingress,
        account: account.id.clone(),
        to,
        from,
        encoding: match &content {
            Content::Binary { .. } => Encoding::Binary,
            Content::Text(_) => wanted_encoding(submission.encoding),
        },
        content,
        transliterate: submission.transliterate,
        class,
        priority,
        receipt: submission.receipt,
        client_ref,
        supersede_key,
        ignore_quiet_hours: submission.ignore_quiet_hours,
        tags,
        callback_url,
        dialect: submission.dialect,
        tlvs,
        passed_on: passed_on.boxed(),
        reference: reference_of(id),
        wide_reference: false,
        shift: (0, 0),
        batch: None,
        created_at: now,
        expires_at: send_at.unwrap_or(now).plus_seconds(valid_for),
        send_at,
        validity_given: validity.is_some(),
        plan: submission.decided.and_then(|decided| plan_of(*decided)),
        charge: None,
    };
    Ok(Valid { body, hold: None, max_parts })
}

/// What a policy service has decided, as routes find it.
fn plan_of(Decided { to, from, .. }: Decided) -> Option<Box<Plan>> {
    Plan { decided_to: to, decided_from: from, ..Plan::default() }.boxed()
}

impl Valid {
    /// A body that was valid before, with another content.
    pub fn again(body: Body, max_parts: u32) -> Self {
        Self { body, hold: None, max_parts }
    }

    /// The same under another id: a copy that belongs to no account, and of which nobody is told.
    pub fn copy(&self, id: MessageId) -> Self {
        let body = Body {
            id,
            ingress: Ingress::Gateway,
            account: "".into(),
            receipt: ReceiptWish::None,
            client_ref: None,
            supersede_key: None,
            tags: Vec::new(),
            callback_url: None,
            reference: reference_of(id),
            batch: None,
            ..self.body.clone()
        };
        Self { body, hold: None, max_parts: self.max_parts }
    }

    /// What the content comes to as it stands.
    pub fn size(&self, choice: EncodingChoice, account: &AccountView) -> Result<Size, Vec<Fault>> {
        size_of(&self.body, choice, account).map_err(|error| {
            let field = if self.body.content.text().is_some() { "/text" } else { "/binary" };
            vec![Fault::new(field, error.to_string())]
        })
    }

    /// Decides what depends on the route's connector: the alphabet, and into how many parts the
    /// message is cut.
    pub fn sized(
        mut self,
        choice: EncodingChoice,
        account: &AccountView,
        long: LongForm,
    ) -> Result<(Body, Size), Vec<Fault>> {
        self.body.wide_reference = long == LongForm::Udh16;
        let size = self.size(choice, account)?;
        if size.parts > self.max_parts as usize {
            let detail = format!("takes {} parts, and max_parts is {}", size.parts, self.max_parts);
            return Err(vec![Fault::new("/text", detail)]);
        }
        self.body.encoding = encoding_of(size.alphabet);
        self.body.shift = shift_of(size.alphabet);
        Ok((self.body, size))
    }
}

fn size_of(body: &Body, choice: EncodingChoice, account: &AccountView) -> Result<Size, TextError> {
    match (&body.content, body.sent_text()) {
        (Content::Binary { data, udh, dcs }, _) => {
            let plan = plan_binary(data, udh, *dcs, body.wide_reference)?;
            Ok(Size { alphabet: plan.alphabet(), parts: plan.part_count() })
        }
        (Content::Text(_), text) => {
            let options = TextOptions {
                choice: choice_of(choice),
                transliterate: body.transliterate,
                languages: &account.languages,
                wide_reference: body.wide_reference,
                max_parts: u8::MAX,
            };
            let count = sms::count(&text.unwrap_or_default(), &options)?;
            if count.parts > usize::from(u8::MAX) {
                return Err(TextError::TooManyParts { parts: count.parts, max: u8::MAX });
            }
            Ok(Size { alphabet: count.alphabet, parts: count.parts })
        }
    }
}

/// The alphabet asked for, as [`sms`] names it.
#[must_use]
pub fn choice_of(choice: EncodingChoice) -> Choice {
    match choice {
        EncodingChoice::Auto => Choice::Auto,
        EncodingChoice::Gsm7 => Choice::Gsm7,
        EncodingChoice::Ucs2 => Choice::Ucs2,
        EncodingChoice::Latin1 => Choice::Latin1,
    }
}

pub(crate) fn wanted_encoding(choice: EncodingChoice) -> Encoding {
    match choice {
        EncodingChoice::Auto | EncodingChoice::Gsm7 => Encoding::Gsm7,
        EncodingChoice::Ucs2 => Encoding::Ucs2,
        EncodingChoice::Latin1 => Encoding::Latin1,
    }
}

/// A concatenation reference: the low 16 bits of the id's counter, so that successive messages
/// differ, also where only 8 bits are used.
pub(crate) fn reference_of(id: MessageId) -> u16 {
    let octets = id.as_bytes();
    u16::from(octets[7]) << 14 | u16::from(octets[8] & 0x3f) << 8 | u16::from(octets[9])
}

/// What is wrong with fields.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Fault::new(pointer, detail));
    }

    /// Is there nothing wrong?
    pub fn none(self) -> Result<(), Vec<Fault>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }

    pub fn max_parts(&mut self, max_parts: Option<u32>) -> u32 {
        let max_parts = max_parts.unwrap_or(DEFAULT_MAX_PARTS);
        if !(1..=255).contains(&max_parts) {
            self.add("/max_parts", "must be 1 to 255");
        }
        max_parts
    }

    fn take<T, E: std::fmt::Display>(&mut self, pointer: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(pointer, error.to_string())).ok()
    }

    fn at_most(&mut self, pointer: &str, value: Option<u32>, most: u32) -> Option<u32> {
        if value.is_some_and(|v| v > most) {
            self.add(pointer, format!("must be 0 to {most}"));
        }
        value
    }

    pub fn content(&mut self, submission: &Submission) -> Option<Content> {
        match (&submission.text, &submission.binary) {
            (Some(_), Some(_)) => {
                self.add("/binary", "can't stand beside text: a message is one or the other");
                None
            }
            (None, None) => {
                self.add("/text", "is missing");
                None
            }
            (Some(text), None) if text.len() > TEXT_OCTETS_MAX => {
                self.add("/text", "is longer than 255 parts can be");
                None
            }
            (Some(text), None) => Some(Content::Text(text.as_str().into())),
            (None, Some(binary)) => {
                let data = self.take("/binary/data", STANDARD.decode(&binary.data));
                let udh = self.take("/binary/udh", STANDARD.decode(binary.udh.as_deref().unwrap_or("")));
                let dcs = self.at_most("/binary/dcs", binary.dcs, 255).unwrap_or(4);
                Some(Content::Binary { data: data?.into(), udh: udh?.into(), dcs: dcs as u8 })
            }
        }
    }

    /// This says how a text is sent, and there is none.
    pub fn only_with_content(&mut self, given: bool, pointer: &str) {
        if given {
            self.add(pointer, "is about another text or binary, and can't stand without one");
        }
    }

    pub fn send_at(&mut self, text: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        let at: Timestamp = match text?.parse() {
            Ok(at) => at,
            Err(_) => {
                self.add("/send_at", "must be a time as RFC 3339 writes it, such as 2026-01-31T09:00:00Z");
                return None;
            }
        };
        if at > now.plus_seconds(SCHEDULE_SECONDS_MAX) {
            self.add("/send_at", "is more than a year ahead");
        }
        // A time that has passed is due at once.
        (at > now).then_some(at)
    }

    pub fn validity(&mut self, seconds: Option<u64>) -> Option<u64> {
        if seconds.is_some_and(|s| !(1..=VALIDITY_SECONDS_MAX).contains(&s)) {
            self.add("/validity_seconds", format!("must be 1 to {VALIDITY_SECONDS_MAX} (63 weeks)"));
        }
        seconds
    }

    fn text(&mut self, pointer: &str, text: Option<String>, most: usize) -> Option<Box<str>> {
        let text = text?;
        if text.chars().count() > most {
            self.add(pointer, format!("is longer than {most} characters"));
        }
        Some(text.into())
    }

    fn supersede_key(&mut self, key: Option<String>) -> Option<Box<str>> {
        if key.as_ref().is_some_and(String::is_empty) {
            self.add("/supersede_key", "is empty");
        }
        self.text("/supersede_key", key, SUPERSEDE_KEY_MAX)
    }

    fn service_type(&mut self, service_type: Option<String>) -> Option<Box<str>> {
        let text = service_type?;
        if !(1..=SERVICE_TYPE_MAX).contains(&text.len()) || !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            self.add("/service_type", format!("must be 1 to {SERVICE_TYPE_MAX} printable ASCII characters"));
        }
        if text.eq_ignore_ascii_case("USSD") {
            self.add("/service_type", "can't be USSD: that is a dialogue, which is not what messages are");
        }
        Some(text.into())
    }

    fn tags(&mut self, tags: std::collections::BTreeMap<String, String>) -> Vec<(Box<str>, Box<str>)> {
        if tags.len() > TAGS_MAX {
            self.add("/tags", format!("has {} pairs; {TAGS_MAX} are allowed", tags.len()));
        }
        for (key, value) in &tags {
            if key.is_empty() || key.len() > TAG_MAX || value.len() > TAG_MAX {
                let pointer = format!("/tags/{}", key.replace('~', "~0").replace('/', "~1"));
                self.add(pointer, format!("keys and values have at most {TAG_MAX} octets, and keys at least one"));
            }
        }
        tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
    }

    fn url(&mut self, url: Option<String>) -> Option<Box<str>> {
        let url = url?;
        if url.len() > URL_MAX || !model::url::is_web(&url) {
            let detail = format!(
                "must begin with https:// or http:// and a host, and hold no spaces and at most {URL_MAX} octets"
            );
            self.add("/callback_url", detail);
        }
        Some(url.into())
    }

    fn tlvs(&mut self, tlvs: &[model::submission::TlvSubmission]) -> Vec<Tlv> {
        if tlvs.len() > TLVS_MAX {
            self.add("/tlvs", format!("has {} entries; {TLVS_MAX} are allowed", tlvs.len()));
            return Vec::new();
        }
        let mut read = Vec::with_capacity(tlvs.len());
        for (n, tlv) in tlvs.iter().enumerate() {
            match (u16::try_from(tlv.tag), octets_of(&tlv.hex)) {
                (Err(_), _) => self.add(format!("/tlvs/{n}/tag"), "must be 0 to 65535"),
                (_, Some(value)) if value.len() <= TLV_OCTETS_MAX => read.push(Tlv { tag: tlv.tag as u16, value }),
                _ => {
                    self.add(format!("/tlvs/{n}/hex"), format!("must be hexadecimal, at most {TLV_OCTETS_MAX} octets"))
                }
            }
        }
        read
    }
}

fn octets_of(hex: &str) -> Option<Box<[u8]>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
