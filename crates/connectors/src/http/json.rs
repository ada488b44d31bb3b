//! JSON bodies: read once, written for each request. Pure.

use model::resources::http::template::{Filter, Piece, Template, TemplateError};
use serde_json::Value;

use super::escape::Place;
use super::values::Values;

/// A body, or a piece of one.
#[derive(Debug)]
pub(super) enum Json {
    /// Written already.
    Literal(Box<str>),
    /// A string with values in it.
    Text(Template),
    /// A value that is no string, if it can be: a number, `true` or `false`.
    Raw(Template),
    Array(Vec<Json>),
    /// Names as they are written, with quotes and colon.
    Object(Vec<(Box<str>, Json)>),
    /// A list with an entry for each message.
    Each(Box<Json>),
}

impl Json {
    /// Reads a description; the list at the pointer `each` has an entry for each message.
    pub(super) fn compile(value: &Value, each: Option<&str>) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) => {
                let template = Template::parse(text)?;
                match &template.0[..] {
                    [Piece::Slot(slot)] if slot.filters.contains(&Filter::Raw) => Self::Raw(template),
                    pieces if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) => {
                        let text: String = pieces
                            .iter()
                            .map(|piece| match piece {
                                Piece::Text(text) => &**text,
                                Piece::Slot(_) => "",
                            })
                            .collect();
                        Self::Literal(Value::String(text).to_string().into())
                    }
                    _ => Self::Text(template),
                }
            }
            Value::Array(items) => match (each, &items[..]) {
                (Some(""), [one]) => Self::Each(Box::new(Self::compile(one, None)?)),
                _ => {
                    let items = items.iter().enumerate();
                    let item = |(n, item): (usize, &Value)| Self::compile(item, below(each, &n.to_string()));
                    Self::Array(items.map(item).collect::<Result<_, _>>()?)
                }
            },
            Value::Object(fields) => {
                // What a person sets to nothing is not there.
                let fields = fields.iter().filter(|(_, value)| value.as_str() != Some("") && !value.is_null());
                let field = |(name, value): (&String, &Value)| {
                    let pointer = name.replace('~', "~0").replace('/', "~1");
                    let name = format!("{}:", Value::String(name.clone()));
                    Ok((name.into(), Self::compile(value, below(each, &pointer))?))
                };
                Self::Object(fields.map(field).collect::<Result<_, TemplateError>>()?)
            }
            other => Self::Literal(other.to_string().into()),
        })
    }

    /// Writes it for these messages, of which there is one at least; false if it is to be left out.
    pub(super) fn write(&self, all: &[Values<'_>], out: &mut Vec<u8>) -> bool {
        let Some(first) = all.first() else { return false };
        match self {
            Self::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Self::Text(template) => {
                out.push(b'"');
                if !first.write(template, Place::Json, out) {
                    return false;
                }
                out.push(b'"');
            }
            Self::Raw(template) => {
                let mut value = Vec::new();
                if !first.write(template, Place::Plain, &mut value) {
                    return false;
                }
                match serde_json::from_slice::<Value>(&value) {
                    Ok(Value::Number(_) | Value::Bool(_)) => out.append(&mut value),
                    _ => out.extend_from_slice(
                        Value::String(String::from_utf8_lossy(&value).into()).to_string().as_bytes(),
                    ),
                }
            }
            Self::Array(items) => Self::list(b"[]", items.iter().map(|item| (&b""[..], item, all)), out),
            Self::Each(item) => Self::list(b"[]", all.chunks(1).map(|one| (&b""[..], &**item, one)), out),
            Self::Object(fields) => {
                Self::list(b"{}", fields.iter().map(|(name, value)| (name.as_bytes(), value, all)), out);
            }
        }
        true
    }

    fn list<'j, 'v: 'j>(
        brackets: &[u8; 2],
        entries: impl Iterator<Item = (&'j [u8], &'j Json, &'j [Values<'v>])>,
        out: &mut Vec<u8>,
    ) {
        out.push(brackets[0]);
        let begun = out.len();
        for (name, value, all) in entries {
            let before = out.len();
            if before > begun {
                out.push(b',');
            }
            out.extend_from_slice(name);
            if !value.write(all, out) {
                out.truncate(before);
            }
        }
        out.push(brackets[1]);
    }
}

/// The rest of a pointer below a name, if it leads there.
fn below<'p>(pointer: Option<&'p str>, name: &str) -> Option<&'p str> {
    let rest = pointer?.strip_prefix('/')?.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}
