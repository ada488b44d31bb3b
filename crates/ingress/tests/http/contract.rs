//! Holds answers against the OpenAPI document.

use serde_json::{Map, Value, json};

use crate::gateway::Answer;

/// Panics if the document does not declare `answer` for this operation. Paths that it does not
/// have, and methods that a path does not have, may only come to 404, 405 and 501.
pub fn check(document: &Value, method: &str, target: &str, answer: &Answer) {
    let path = target.split('?').next().unwrap_or_default();
    if path.starts_with("/carriers/") {
        // Providers are answered as they wish: that is no part of the API.
        return;
    }
    let what = format!("{method} {target} -> {} {}", answer.status, answer.text());
    let declared = find(document, path).and_then(|item| item.get(method.to_ascii_lowercase()));
    let Some(operation) = declared else {
        assert!([404, 405, 501].contains(&answer.status), "{what}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        return;
    };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "this status is not declared: {what}");
    for (name, header) in response["headers"].as_object().unwrap_or(&Map::new()) {
        let header = resolve(document, header);
        match answer.header(name) {
            Some(value) => conforms(document, &header["schema"], &json!(value), &what),
            None => assert_ne!(header["required"], json!(true), "{name} is missing: {what}"),
        }
    }
    let content_type = answer.header("content-type").map(|value| value.split(';').next().unwrap_or_default());
    let Some(content) = response["content"].as_object() else {
        assert!(content_type.is_none() && answer.body.is_empty(), "{what}");
        return;
    };
    let media = content.get(content_type.unwrap_or_default());
    let schema = &media.unwrap_or_else(|| panic!("the content type is not declared: {what}"))["schema"];
    if content_type.is_some_and(|media| media.ends_with("json")) {
        conforms(document, schema, &answer.json(), &what);
    }
}

/// The item of the path template that `path` fits; one without parameters goes first.
fn find<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object()?;
    let fits = |template: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(w, g)| w == g || (w.starts_with('{') && !g.is_empty()))
    };
    paths.get(path).or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item))
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(value, |pointer| document.pointer(pointer).unwrap())
}

fn conforms(document: &Value, schema: &Value, value: &Value, what: &str) {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::validator_for(&whole).unwrap();
    if let Err(error) = validator.validate(value) {
        panic!("{} at {}: {what}", error, error.instance_path());
    }
}
