//! Stored resources as a resources file: what has its default is left out, secrets stay sealed.

use std::fmt::Write;

use model::resources::Kind;
use serde_json::{Map, Value};
use store::Document;

/// A resources file of stored documents, which are ordered as rules are looked at. Tokens are
/// shown by their hash, and only if they are wanted.
pub fn write(documents: &[Document], with_tokens: bool) -> Result<String, serde_json::Error> {
    let mut file = String::new();
    for kind in Kind::ALL.into_iter().filter(|kind| with_tokens || *kind != Kind::Token) {
        let mut resources = documents
            .iter()
            .filter(|document| document.kind == kind)
            .map(|document| serde_json::from_str::<Map<String, Value>>(&document.json))
            .collect::<Result<Vec<_>, _>>()?;
        resources.sort_by_key(|resource| resource.get("order").and_then(Value::as_i64));
        for resource in resources {
            let separator = if file.is_empty() { "" } else { "\n" };
            let _ = writeln!(file, "{separator}[[{}]]", kind.as_str());
            let defaults = defaults_of(kind);
            for (key, value) in resource.iter().filter(|(key, value)| defaults.get(*key) != Some(value)) {
                if let Some(value) = toml_of(value) {
                    let _ = writeln!(file, "{key} = {value}");
                }
            }
        }
    }
    Ok(file)
}

/// What a resource has that says nothing but what it must.
fn defaults_of(kind: Kind) -> Map<String, Value> {
    let least = match kind {
        Kind::Account | Kind::Token => r#"{"id":""}"#,
        Kind::Connector => r#"{"id":"","protocol":"smpp","address":""}"#,
        Kind::Pool => r#"{"id":"","members":[]}"#,
        Kind::Route => r#"{"id":"","to":""}"#,
        Kind::Inbound => r#"{"id":"","account":""}"#,
    };
    let read = |json: Result<Value, serde_json::Error>| json.ok().and_then(|value| value.as_object().cloned());
    let mut defaults = match kind {
        Kind::Connector => {
            read(serde_json::from_str::<model::resources::Connector>(least).and_then(serde_json::to_value))
        }
        Kind::Pool => read(serde_json::from_str::<model::resources::Pool>(least).and_then(serde_json::to_value)),
        Kind::Route => read(serde_json::from_str::<model::resources::Route>(least).and_then(serde_json::to_value)),
        Kind::Inbound => read(serde_json::from_str::<model::resources::Inbound>(least).and_then(serde_json::to_value)),
        Kind::Account | Kind::Token => None,
    }
    .unwrap_or_default();
    for always in ["id", "protocol", "address", "to", "account", "order", "members"] {
        defaults.remove(always);
    }
    defaults
}

/// A value in one line; `None` for what TOML has not.
fn toml_of(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::Array(items) => toml::Value::Array(items.iter().filter_map(toml_of).collect()),
        Value::Object(entries) => {
            toml::Value::Table(entries.iter().filter_map(|(key, value)| Some((key.clone(), toml_of(value)?))).collect())
        }
    })
}
