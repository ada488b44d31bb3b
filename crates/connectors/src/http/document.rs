//! An answer or a call as something to look things up in. Pure, and read tolerantly: what is not there is
//! not there.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::HeaderMap;
use model::resources::http::HttpWhen;
use model::resources::http::place::Place;
use serde_json::Value;

/// An answer, or a call.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    json: OnceCell<Option<Value>>,
}

/// When something is so.
#[derive(Debug)]
pub(super) struct When {
    at: Place,
    is: Vec<String>,
}

impl Document {
    pub(super) fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body, json: OnceCell::new() }
    }

    /// One whose fields are known.
    pub(super) fn of_fields(fields: Value) -> Self {
        Self { json: OnceCell::from(Some(fields)), ..Self::new(200, HeaderMap::new(), Vec::new()) }
    }

    /// The body as JSON, if it is.
    pub(super) fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(&self.body).ok()).as_ref()
    }

    /// The body as text, whatever it is.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The entries of a list in it; the whole, where none is named.
    pub(super) fn entries(&self, each: Option<&str>) -> Vec<&Value> {
        match (each, self.json()) {
            (_, None) => Vec::new(),
            (None, Some(whole)) => vec![whole],
            (Some(each), Some(whole)) => {
                whole.pointer(each).and_then(Value::as_array).map_or_else(Vec::new, |list| list.iter().collect())
            }
        }
    }

    /// What stands at a place; pointers begin at `entry`, or at the whole.
    pub(super) fn find<'a>(&'a self, place: &Place, entry: Option<&'a Value>, own_id: &'a str) -> Option<Cow<'a, str>> {
        let found = match place {
            Place::Pointer(pointer) => text_of(entry.or_else(|| self.json())?.pointer(pointer)?)?,
            Place::Regex(regex) => {
                let text = self.text();
                let captures = regex.captures(&text)?;
                let group = captures.get(1).or_else(|| captures.get(0))?;
                Cow::Owned(group.as_str().to_owned())
            }
            Place::Header(name) => Cow::Borrowed(self.headers.get(&**name)?.to_str().ok()?),
            Place::OwnId => Cow::Borrowed(own_id),
            Place::Status => Cow::Owned(self.status.to_string()),
        };
        (!found.is_empty()).then_some(found)
    }
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
