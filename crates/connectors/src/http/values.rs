//! The values that templates name, and what filters make of them. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use engine::dispatch::Job;
use model::resources::http::HttpDigest;
use model::resources::http::template::{Filter, Name, Piece, Slot, Template};
use model::{Address, AddressKind, Body, Content, Encoding, Reason, ReceiptWish, Timestamp};
use sms::{Alphabet, TextPlan};

use super::escape::{self, Place};

/// What a connector knows of itself.
#[derive(Default)]
pub(super) struct Known {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) values: BTreeMap<String, String>,
    /// Where the provider calls us.
    pub(super) callback_url: Option<String>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // All but these are secrets, or have them in them.
        f.debug_struct("Known").field("user", &self.user).field("values", &self.values).finish_non_exhaustive()
    }
}

/// What a template may name, where it stands.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) known: &'a Known,
    pub(super) now: Timestamp,
    pub(super) message: Option<&'a Outgoing<'a>>,
    pub(super) remote_id: Option<&'a str>,
    pub(super) signing: Option<Signing<'a>>,
    pub(super) call: Option<&'a Call<'a>>,
}

/// A request that is signed.
#[derive(Clone, Copy)]
pub(super) struct Signing<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
    pub(super) signature: Option<&'a str>,
}

/// A call of the provider's.
pub(super) struct Call<'a> {
    pub(super) url: &'a str,
    pub(super) headers: &'a [(Box<str>, Box<[u8]>)],
    pub(super) body: &'a [u8],
    /// Names and values of its form, sorted.
    pub(super) params: &'a str,
}

/// A message, or a part of one, on its way out.
pub(super) struct Outgoing<'a> {
    pub(super) body: &'a Body,
    /// Ours: what `{id}` is.
    pub(super) id: Box<str>,
    part: u8,
    parts: u8,
    text: Cow<'a, str>,
    /// Header and octets, where a template wants them.
    user_data: Option<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Outgoing<'a> {
    /// A part of a message; with `octets`, its user data, too.
    ///
    /// # Errors
    /// Why it can't be sent over this connector, ever.
    pub(super) fn new(job: &'a Job, octets: bool) -> Result<Self, Reason> {
        let Job { body, part, parts, .. } = job;
        let id = own_id(body, *part, *parts);
        let whole = *parts == 1;
        let text = body.sent_text().filter(|_| whole && !body.transliterate);
        let needs_plan = octets || text.is_none();
        if !needs_plan {
            let text = text.unwrap_or_default();
            return Ok(Self { body, id, part: *part, parts: *parts, text, user_data: None });
        }
        let plan = engine::text::plan(body).map_err(|error| unsendable(error.to_string()))?;
        let (udh, data) = user_data(&plan, body, *part, whole)?;
        let text = match (text, &body.content) {
            (Some(text), _) => text,
            (None, Content::Text(_)) => Cow::Owned(decoded(&plan, &data)),
            (None, Content::Binary { .. }) => Cow::Borrowed(""),
        };
        Ok(Self { body, id, part: *part, parts: *parts, text, user_data: Some((udh, data)) })
    }
}

/// Our name for a part: 32 hexadecimal digits, and the number of a second part or later one.
pub(super) fn own_id(body: &Body, part: u8, parts: u8) -> Box<str> {
    let id = body.id.0.simple();
    if parts > 1 { format!("{id}-{}", u16::from(part) + 1).into() } else { id.to_string().into() }
}

fn user_data(plan: &TextPlan, body: &Body, part: u8, whole: bool) -> Result<(Vec<u8>, Vec<u8>), Reason> {
    if whole && plan.part_count() > 1 {
        return match body.content {
            Content::Text(_) => Ok((Vec::new(), plan.octets().to_vec())),
            Content::Binary { .. } => Err(unsendable("octets that take more than one message can't be sent whole")),
        };
    }
    let part = plan.part(usize::from(part)).ok_or_else(|| unsendable("the message has no such part"))?;
    Ok((part.udh(body.reference).unwrap_or_default(), part.octets().to_vec()))
}

/// Octets of a plan as text again.
fn decoded(plan: &TextPlan, octets: &[u8]) -> String {
    match plan.alphabet() {
        Alphabet::Gsm7 { .. } => sms::decode_gsm7(octets, plan.alphabet().shift()),
        Alphabet::Latin1 => sms::decode_latin1(octets),
        Alphabet::Ucs2 => sms::decode_ucs2(octets),
        Alphabet::Octets => String::new(),
    }
}

/// A part that no retry will make sendable.
pub(super) fn unsendable(detail: impl Into<Box<str>>) -> Reason {
    Reason::new("unsendable", detail, true)
}

/// A value.
enum Value<'a> {
    Text(Cow<'a, str>),
    Octets(&'a [u8]),
}

impl<'a> Values<'a> {
    /// Of nothing in particular.
    pub(super) fn plain(known: &'a Known, now: Timestamp) -> Self {
        Self { known, now, message: None, remote_id: None, signing: None, call: None }
    }

    /// Writes a template; false if something that it may do without is not there, and nothing is written
    /// that counts.
    pub(super) fn write(&self, template: &Template, place: Place, out: &mut Vec<u8>) -> bool {
        for piece in &template.0 {
            match piece {
                // A path and a piece of XML are written as such; elsewhere a description writes values.
                Piece::Text(text) if matches!(place, Place::Path | Place::Xml) => {
                    out.extend_from_slice(text.as_bytes())
                }
                Piece::Text(text) => escape::write(place, text.as_bytes(), out),
                Piece::Slot(slot) => match self.filtered(slot) {
                    Some(Value::Text(text)) => escape::write(place, text.as_bytes(), out),
                    Some(Value::Octets(octets)) => escape::write(place, octets, out),
                    None if slot.optional => return false,
                    None => {}
                },
            }
        }
        true
    }

    /// A template as it is; `None` as above.
    pub(super) fn text(&self, template: &Template) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.write(template, Place::Plain, &mut out).then_some(out)
    }

    fn filtered(&self, slot: &Slot) -> Option<Value<'a>> {
        let mut value = self.value(&slot.name)?;
        for filter in &slot.filters {
            value = match filter {
                Filter::Plus => match self.address(&slot.name) {
                    Some(address) if address.kind() == AddressKind::International => {
                        Value::Text(Cow::Owned(format!("+{}", address.bare())))
                    }
                    _ => value,
                },
                Filter::Raw => value,
                filter => Value::Text(Cow::Owned(applied(filter, &value)?)),
            };
        }
        match &value {
            Value::Text(text) if text.is_empty() => None,
            Value::Octets([]) => None,
            _ => Some(value),
        }
    }

    fn address(&self, name: &Name) -> Option<&'a Address> {
        let body = self.message?.body;
        match name {
            Name::To => Some(body.sent_to()),
            Name::From => Some(body.sent_from()),
            _ => None,
        }
    }

    fn value(&self, name: &Name) -> Option<Value<'a>> {
        let text = |text: &'a str| Some(Value::Text(Cow::Borrowed(text)));
        let number = |number: i64| Some(Value::Text(Cow::Owned(number.to_string())));
        let known = self.known;
        match name {
            Name::User => return text(&known.user),
            Name::Password => return text(&known.password),
            Name::Secret(name) => return text(known.secrets.get(&**name)?),
            Name::Value(name) => return text(known.values.get(&**name)?),
            Name::CallbackUrl => return text(known.callback_url.as_deref()?),
            Name::Timestamp => return number(self.now.as_seconds()),
            Name::RemoteId => return text(self.remote_id?),
            Name::Method => return text(self.signing?.method),
            Name::Path => return text(self.signing?.path),
            Name::Signature => return text(self.signing?.signature?),
            Name::Body => {
                let body = self.signing.map(|signing| signing.body).or(self.call.map(|call| call.body))?;
                return Some(Value::Octets(body));
            }
            Name::Url => return text(self.call?.url),
            Name::Params => return text(self.call?.params),
            Name::Header(name) => {
                let found = self.call?.headers.iter().find(|(header, _)| header == name);
                return found.map(|(_, value)| Value::Octets(value));
            }
            _ => {}
        }
        let message = self.message?;
        let body = message.body;
        let wanted = body.receipt != ReceiptWish::None;
        match name {
            Name::To => text(body.sent_to().bare()),
            Name::From => text(body.sent_from().bare()),
            Name::Text => text(&message.text),
            Name::Data => message.user_data.as_ref().map(|(_, data)| Value::Octets(data)),
            Name::Udh => message.user_data.as_ref().map(|(udh, _)| Value::Octets(udh)),
            Name::Id => text(&message.id),
            Name::ClientRef => text(body.client_ref.as_deref()?),
            Name::Account => text(&body.account),
            Name::ReceiptUrl => text(known.callback_url.as_deref().filter(|_| wanted)?),
            Name::Receipt => text(if wanted { "yes" } else { "no" }),
            Name::Part => number(i64::from(message.part) + 1),
            Name::Parts => number(message.parts.into()),
            Name::Validity => number(self.validity(body)?),
            Name::ExpiresAt => {
                Some(Value::Text(Cow::Owned(body.expires_at.to_string()))).filter(|_| body.validity_given)
            }
            Name::Class => number(body.class?.into()),
            Name::Priority => number(body.priority.into()),
            Name::Encoding => text(match body.encoding {
                Encoding::Gsm7 => "gsm7",
                Encoding::Ucs2 => "ucs2",
                Encoding::Latin1 => "latin1",
                Encoding::Binary => "binary",
            }),
            Name::Dcs => match &body.content {
                Content::Binary { dcs, .. } => number((*dcs).into()),
                Content::Text(_) => None,
            },
            _ => None,
        }
    }

    fn validity(&self, body: &Body) -> Option<i64> {
        let left = body.expires_at.millis_since(self.now).max(1000) / 1000;
        body.validity_given.then_some(left)
    }
}

fn applied(filter: &Filter, value: &Value<'_>) -> Option<String> {
    let octets = match value {
        Value::Text(text) => text.as_bytes(),
        Value::Octets(octets) => octets,
    };
    let text = || String::from_utf8_lossy(octets);
    let number = || text().parse::<u64>().ok();
    Some(match filter {
        Filter::Hex => escape::digest(HttpDigest::Hex, octets),
        Filter::HexUtf16be => escape::digest(HttpDigest::Hex, &sms::encode_ucs2(&text())),
        Filter::Base64 => escape::digest(HttpDigest::Base64, octets),
        Filter::Minutes => number()?.div_ceil(60).to_string(),
        Filter::Millis => number()?.saturating_mul(1000).to_string(),
        Filter::Most(most) => number()?.min(*most).to_string(),
        Filter::Choose(words) => {
            let text = text();
            let found = words.iter().find(|(from, _)| **from == *text);
            found.or_else(|| words.iter().find(|(from, _)| from.is_empty()))?.1.to_string()
        }
        Filter::Plus | Filter::Raw => text().into_owned(),
    })
}
