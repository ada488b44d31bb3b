//! Bodies to values, and from a parser's complaint to a problem with a pointer.

use model::form::Whole;
use model::submission::Fault;
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::problem::{Problem, catalogue};

/// Reads a body. What is wrong is looked for a second time, with the path to it: sound bodies, the
/// many, don't pay for that.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    let read = if is_object(body) { serde_json::from_slice(body) } else { not_an_object(body) };
    read.map_err(|error: serde_json::Error| match error.classify() {
        Category::Data => {
            let located = if is_object(body) { locate::<T>(body) } else { None };
            let fault = located.unwrap_or_else(|| Fault::new("", plain(&error)));
            Problem::new(&catalogue::INVALID).detail("1 field is wrong").faults(vec![fault])
        }
        Category::Syntax | Category::Eof | Category::Io if body.is_empty() => {
            Problem::new(&catalogue::MALFORMED_JSON).detail("the body is empty")
        }
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(&catalogue::MALFORMED_JSON).detail(error.to_string())
        }
    })
}

/// Reads one value of many: whatever is wrong is one fault.
pub(crate) fn parse_item<'a, T: Deserialize<'a>>(item: &'a [u8]) -> Result<T, Fault> {
    let read = if is_object(item) { serde_json::from_slice(item) } else { not_an_object(item) };
    read.map_err(|error: serde_json::Error| {
        let located = (error.classify() == Category::Data && is_object(item)).then(|| locate::<T>(item)).flatten();
        let place = if error.classify() == Category::Data { plain } else { ToString::to_string };
        located.unwrap_or_else(|| Fault::new("", place(&error)))
    })
}

/// Everything that is read here is an object. The parser would also take an array of an object's
/// fields, which nobody means.
fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().first() == Some(&b'{')
}

/// What is wrong with a text that is no object: its syntax, or else that.
fn not_an_object<T>(text: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice::<serde::de::IgnoredAny>(text)?;
    Err(serde::de::Error::custom("must be an object"))
}

/// Writes whole numbers as such: to JSON Schema, and to some programs' writers, `49.0` is one.
pub(crate) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().and_then(model::form::whole) {
                *number = match whole {
                    Whole::Signed(whole) => whole.into(),
                    Whole::Unsigned(whole) => whole.into(),
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// The first fault of a body, with its pointer.
fn locate<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<Fault> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    Some(Fault::new(pointer(error.path()), plain(error.inner())))
}

/// A value's fault as [`serde_path_to_error`] found it, with its pointer.
pub(crate) fn fault_of(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    Fault::new(pointer(error.path()), plain(error.inner()))
}

/// RFC 6901.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The complaint without its place, which the pointer says better.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Submission;

    fn problem(body: &str) -> Problem {
        parse::<Submission>(body.as_bytes()).unwrap_err()
    }

    fn fault(body: &str) -> (String, String) {
        let problem = problem(body);
        assert_eq!(problem.entry.code, "invalid");
        let fault = problem.errors.into_iter().next().unwrap();
        (fault.pointer, fault.detail)
    }

    #[test]
    fn syntax_is_malformed_and_names_its_place() {
        let problem = problem("{\"to\":\n}");
        assert_eq!((problem.entry.status, problem.entry.code), (400, "malformed_json"));
        assert_eq!(problem.detail.as_deref(), Some("expected value at line 2 column 1"));
    }

    #[test]
    fn faults_have_pointers() {
        let (pointer, detail) = fault(r#"{"to":"1","superseded_by":"x"}"#);
        assert_eq!(pointer, "/superseded_by");
        assert!(detail.starts_with("unknown field `superseded_by`"), "{detail}");
        assert_eq!(fault(r#"{"to":"1","tlvs":[{"tag":1,"hex":"00"},{"tag":"x"}]}"#).0, "/tlvs/1/tag");
        assert_eq!(fault(r#"{"tags":{"a/b~":1}}"#).0, "/tags/a~1b~0");
        assert_eq!(fault(r#"{"priority":-1}"#).0, "/priority");
        assert_eq!(fault(" [\"+447700900123\"]"), (String::new(), "must be an object".to_owned()));
        assert_eq!(problem("[1").entry.code, "malformed_json");
    }
}
