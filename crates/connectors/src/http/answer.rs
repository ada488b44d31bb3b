//! What an answer means for the messages of its request. Pure.

use std::cell::OnceCell;
use std::time::Duration;

use model::Reason;
use model::resources::http::place::{Each, Place, regex};
use model::resources::http::{HttpAnswer, HttpClass, HttpError};
use regex::Regex;
use serde_json::Value;

use super::document::{Document, When, each, place};
use super::incoming::short;

/// Longest wait that a provider may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// Characters that are told of what a provider says.
const SAID_MAX: usize = 200;

/// What an answer means for one message.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Accepted, and called this; nothing, if the provider does not say.
    Sent(Box<str>),
    /// Not accepted: what is to become of the message, and why.
    Not(HttpClass, Reason),
}

/// The rules of one connector.
#[derive(Debug, Default)]
pub(super) struct Answers {
    each: Option<Each>,
    accepted: Option<When>,
    id: Option<Place>,
    code: Option<Place>,
    reason: Option<Place>,
    errors: Vec<(HttpError, Option<Regex>)>,
}

impl Answers {
    pub(super) fn compile(answer: &HttpAnswer) -> Result<Self, String> {
        let error = |error: &HttpError| Ok((error.clone(), error.body.as_deref().map(regex).transpose()?));
        Ok(Self {
            each: each(answer.each.as_deref())?,
            accepted: answer.accepted.as_ref().map(When::compile).transpose()?,
            id: place(answer.id.as_deref())?,
            code: place(answer.code.as_deref())?,
            reason: place(answer.reason.as_deref())?,
            errors: answer.errors.iter().map(error).collect::<Result<_, String>>()?,
        })
    }

    /// A verdict for each of the messages that are called `ids` here.
    pub(super) fn read(&self, document: &Document, ids: &[&str]) -> Vec<Verdict> {
        let answer = Answer { document, fits: self.errors.iter().map(|_| OnceCell::new()).collect() };
        let Some(each) = self.each.as_ref().filter(|_| document.is_success()) else {
            // It says the same of all but their names.
            let is_named = matches!(self.id, Some(Place::OwnId));
            let one = ids.first().map(|id| self.verdict(&answer, None, id));
            return match one {
                Some(Verdict::Sent(_)) if is_named => ids.iter().map(|id| Verdict::Sent((*id).into())).collect(),
                Some(one) => vec![one; ids.len()],
                None => Vec::new(),
            };
        };
        let entries = document.entries(Some(each));
        if entries.len() != ids.len() {
            let said = format!("{} answers for {} messages", entries.len(), ids.len());
            return vec![Verdict::Not(HttpClass::Doubt, reason(document, None, &said, false)); ids.len()];
        }
        entries.into_iter().zip(ids).map(|(entry, id)| self.verdict(&answer, Some(entry), id)).collect()
    }

    /// The provider's code of an answer that stands for itself.
    pub(super) fn code(&self, document: &Document) -> Option<String> {
        self.code.as_ref().and_then(|code| document.find(code, None, "")).map(String::from)
    }

    fn verdict(&self, answer: &Answer<'_>, entry: Option<&Value>, own_id: &str) -> Verdict {
        let document = answer.document;
        let is_success = document.is_success();
        let accepted = match &self.accepted {
            None => Some(true),
            Some(when) => when.is(document, entry),
        };
        let sent = || {
            let id = self.id.as_ref().and_then(|id| document.find(id, entry, own_id));
            // As receipts are read, whose ids are to be the same.
            Verdict::Sent(short(&id.unwrap_or_default()))
        };
        // What only its status says to be taken must have a name: a page of somebody in between has none.
        let named = self.id.as_ref().is_none_or(|id| document.find(id, entry, own_id).is_some());
        let is_taken = accepted == Some(true) && (named || self.accepted.is_some());
        if is_success && is_taken {
            return sent();
        }
        let code = self.code.as_ref().and_then(|code| document.find(code, entry, ""));
        let said = self.reason.as_ref().and_then(|reason| document.find(reason, entry, ""));
        let class = match self.listed(answer, code.as_deref()) {
            Some(HttpClass::Accepted) => return sent(),
            Some(class) => class,
            None if is_success && (accepted.is_none() || self.accepted.is_none()) => HttpClass::Doubt,
            None if is_success => HttpClass::Permanent,
            None => usual(document),
        };
        let said = said.as_deref().unwrap_or_else(|| document.text());
        Verdict::Not(class, reason(document, code.as_deref(), said, class == HttpClass::Permanent))
    }

    fn listed(&self, answer: &Answer<'_>, code: Option<&str>) -> Option<HttpClass> {
        let fits = |((error, body), fits): &(&(HttpError, Option<Regex>), &OnceCell<bool>)| {
            error.fits_status(answer.document.status)
                && (error.code.is_empty() || code.is_some_and(|code| error.code.iter().any(|listed| listed == code)))
                && body.as_ref().is_none_or(|body| *fits.get_or_init(|| body.is_match(answer.document.text())))
        };
        self.errors.iter().zip(&answer.fits).find(fits).map(|((error, _), _)| error.class)
    }
}

/// An answer, and which of the rules fit its body as far as that was looked at: it is the same for all messages.
struct Answer<'d> {
    document: &'d Document,
    fits: Vec<OnceCell<bool>>,
}

/// What a status means that nothing more is known of (RFC 9110 §15).
fn usual(document: &Document) -> HttpClass {
    match document.status {
        401 | 403 | 407 => HttpClass::Credentials,
        429 => HttpClass::Throttled,
        503 if document.headers.contains_key(http::header::RETRY_AFTER) => HttpClass::Throttled,
        // Somebody in between does not know whether it went on.
        502 | 504 => HttpClass::Doubt,
        // Redirects are not followed, and a path that is wrong is the description's fault, not the message's.
        300..=399 | 404 | 405 | 408 | 421 | 425 | 500.. => HttpClass::Temporary,
        _ => HttpClass::Permanent,
    }
}

fn reason(document: &Document, code: Option<&str>, said: &str, permanent: bool) -> Reason {
    let said: String = said.trim().chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
    let code = code.map(|code| format!(" code {}", code.chars().take(40).collect::<String>())).unwrap_or_default();
    let colon = if said.is_empty() { "" } else { ": " };
    let what = if permanent { "carrier_refused" } else { "carrier_busy" };
    Reason::new(what, format!("HTTP {}{code}{colon}{said}", document.status), permanent)
}

/// How long the provider wants to be left alone (RFC 9110 §10.2.3).
pub(super) fn retry_after(document: &Document, now: std::time::SystemTime) -> Option<Duration> {
    let value = document.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}
