//! An answer or a call as something to look things up in. Pure, and read tolerantly: what is not there is
//! not there. However often something is looked up, its body is read once.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::HeaderMap;
use model::resources::http::HttpWhen;
use model::resources::http::place::{Each, Place};
use regex::Regex;
use serde_json::Value;

use super::xml;

/// What a provider says: an answer to a request, or a call.
#[derive(Debug)]
pub struct Document {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
    tree: OnceCell<Option<Value>>,
    text: OnceCell<Box<str>>,
}

/// When something is so.
#[derive(Debug)]
pub(super) struct When {
    at: Place,
    is: Vec<String>,
}

impl Document {
    /// One with this status, these headers and this body, whatever that is.
    #[must_use]
    pub fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body, tree: OnceCell::new(), text: OnceCell::new() }
    }

    /// One whose fields are known.
    pub(super) fn of_fields(fields: Value, body: Vec<u8>) -> Self {
        Self { tree: OnceCell::from(Some(fields)), ..Self::new(200, HeaderMap::new(), body) }
    }

    /// The body as JSON or as the tree of its XML, if it is one of them.
    pub(super) fn tree(&self) -> Option<&Value> {
        let begins = self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body).trim_ascii_start();
        let read = || match begins {
            [b'<', ..] => xml::read(self.text().trim_start_matches('\u{feff}').trim_start()),
            _ => serde_json::from_slice(begins).ok(),
        };
        self.tree.get_or_init(read).as_ref()
    }

    /// The body as text, whatever it is.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| String::from_utf8_lossy(&self.body).into())
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The entries of a list in it; the whole, where none is named.
    pub(super) fn entries(&self, each: Option<&Each>) -> Vec<&Value> {
        let Some(whole) = self.tree() else { return Vec::new() };
        match each {
            None => vec![whole],
            Some(Each::Xml(path)) => xml::all(whole, path),
            Some(Each::Pointer(each)) => {
                whole.pointer(each).and_then(Value::as_array).map_or_else(Vec::new, |list| list.iter().collect())
            }
        }
    }

    /// What stands at a place; pointers, paths and regular expressions look at `entry`, or at the whole.
    pub(super) fn find<'a>(&'a self, place: &Place, entry: Option<&'a Value>, own_id: &'a str) -> Option<Cow<'a, str>> {
        let found = match place {
            Place::Pointer(pointer) => text_of(entry.or_else(|| self.tree())?.pointer(pointer)?)?,
            Place::Xml(path) => Cow::Borrowed(xml::find(entry.or_else(|| self.tree())?, path)?),
            Place::Regex(regex) => {
                // An entry of a list is looked at by itself: it would be another's otherwise, and take the square of
                // the time.
                let own = entry.filter(|entry| self.tree().is_some_and(|whole| !std::ptr::eq(*entry, whole)));
                match own.map(Value::to_string) {
                    Some(text) => Cow::Owned(group(regex, &text)?.to_owned()),
                    None => Cow::Borrowed(group(regex, self.text())?),
                }
            }
            Place::Header(name) => Cow::Borrowed(self.headers.get(&**name)?.to_str().ok()?),
            Place::OwnId => Cow::Borrowed(own_id),
            Place::Status => Cow::Owned(self.status.to_string()),
        };
        (!found.is_empty()).then_some(found)
    }
}

fn group<'t>(regex: &Regex, text: &'t str) -> Option<&'t str> {
    let captures = regex.captures(text)?;
    Some(captures.get(1).or_else(|| captures.get(0))?.as_str())
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(is) => Some(Cow::Borrowed(if *is { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl When {
    pub(super) fn compile(when: &HttpWhen) -> Result<Self, String> {
        Ok(Self { at: Place::parse(&when.at)?, is: when.is.clone() })
    }

    /// Is it so? `None` if there is nothing at its place.
    pub(super) fn is(&self, document: &Document, entry: Option<&Value>) -> Option<bool> {
        let found = document.find(&self.at, entry, "")?;
        Some(self.is.is_empty() || self.is.iter().any(|wanted| *wanted == found))
    }
}

/// A place that may be left out.
pub(super) fn place(text: Option<&str>) -> Result<Option<Place>, String> {
    text.filter(|text| !text.is_empty()).map(Place::parse).transpose()
}

/// A list that may be left out.
pub(super) fn each(text: Option<&str>) -> Result<Option<Each>, String> {
    text.map(Each::parse).transpose()
}
