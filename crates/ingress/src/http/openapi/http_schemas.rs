//! `http` of a connector: the description of a provider's API.

use serde_json::{Value, json};

use super::resource_schemas::{nullable, number, open_text};
use super::{object, reference};

/// The description.
pub(super) fn http() -> Value {
    let request = || nullable(request());
    let mut http = object(
        &[],
        json!({
            "preset": { "type": ["string", "null"], "description": "The shipped description that everything left out here is taken from.",
                "examples": ["twilio"] },
            "values": texts("What templates call `{value:NAME}`."),
            "secrets": { "type": "object", "additionalProperties": reference("Secret"),
                "description": "What templates call `{secret:NAME}`. Those that are left out stay." },
            "parts": { "type": "boolean", "default": false, "description": "Cut long texts here instead of leaving that to the provider." },
            "auth": nullable(auth()),
            "send": request(),
            "binary": request(),
            "batch": nullable(object(&[], json!({ "most": maybe(1, 1000), "at": text("JSON pointer of the list in `send.json`.") }))),
            "answer": nullable(answer()),
            "receipt": nullable(receipt()),
            "message": nullable(message()),
            "callback": nullable(object(&["url"], json!({
                "url": text("Where the provider reaches the gateway's HTTP listener."),
                "secret": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "The last piece of the path. Stays when it is left out." },
            }))),
            "reply": nullable(object(&[], json!({ "status": maybe(200, 299), "content_type": open_text("Of the body."), "body": text("The body.") }))),
            "signature": nullable(object(&[], json!({
                "check": { "type": ["boolean", "null"] }, "algorithm": maybe_word(&ALGORITHMS), "header": text("Which header has it."),
                "encoding": maybe_word(&["hex", "base64"]), "over": text("What is signed: a template."), "key": open_text("A template."),
                "timestamp": open_text("When it was made: a template, such as {header:x-timestamp}."), "max_age_seconds": maybe(1, 604_800),
            }))),
            "subscribe": list(object(&[], json!({ "request": request(), "done": strings("Codes that say that it is so already.") }))),
            "query": nullable(object(&[], json!({ "request": request(), "state": place(), "error": maybe_place() }))),
            "poll": list(object(&[], json!({ "request": request(), "every_seconds": maybe(1, 86_400) }))),
        }),
    );
    http["description"] =
        json!("The provider's API; with `protocol` `http`. docs/http-connector.md says what the fields mean.");
    http
}

const ALGORITHMS: [&str; 5] = ["hmac-sha1", "hmac-sha256", "hmac-sha512", "ed25519", "jwt-hs256"];

fn auth() -> Value {
    object(
        &[],
        json!({
            "kind": maybe_word(&["none", "basic", "bearer", "oauth2", "hmac"]),
            "user": open_text("A template."),
            "password": open_text("A template."),
            "token_url": open_text("A path, or a whole URL."),
            "token_form": texts("Templates."),
            "token_basic": { "type": "boolean", "default": false },
            "algorithm": maybe_word(&ALGORITHMS),
            "encoding": maybe_word(&["hex", "base64"]),
            "over": open_text("A template."),
            "key": open_text("A template."),
            "headers": texts("Templates."),
        }),
    )
}

fn request() -> Value {
    object(
        &[],
        json!({
            "method": maybe_word(&["GET", "POST", "PUT", "PATCH"]),
            "path": text("What follows the connector's address: a template."),
            "query": texts("Parameters of the URL: templates."),
            "headers": texts("Templates."),
            "form": { "type": ["object", "null"], "additionalProperties": { "type": "string" } },
            "json": { "description": "A body whose strings are templates." },
            "xml": open_text("A template."),
            "text": open_text("A template."),
        }),
    )
}

fn answer() -> Value {
    let error = object(
        &[],
        json!({
            "status": strings("Such as `429`, or `5xx`."),
            "code": strings("The provider's codes."),
            "body": open_text("A regular expression."),
            "class": { "type": "string", "enum": ["permanent", "temporary", "throttled", "credentials", "accepted", "doubt"], "default": "permanent" },
        }),
    );
    object(
        &[],
        json!({
            "each": open_text("JSON pointer, or xml:/path, of the list that answers for each message of a batch."),
            "accepted": nullable(when()),
            "id": maybe_place(),
            "code": maybe_place(),
            "reason": maybe_place(),
            "errors": { "type": "array", "items": error },
        }),
    )
}

fn receipt() -> Value {
    let states = ["intermediate", "delivered", "expired", "undelivered", "rejected", "unknown"];
    object(
        &[],
        json!({
            "each": open_text("JSON pointer, or xml:/path, of a list of them."),
            "when": nullable(when()),
            "id": place(),
            "state": place(),
            "error": maybe_place(),
            "to": maybe_place(),
            "states": { "type": "object", "additionalProperties": { "type": "string", "enum": states } },
        }),
    )
}

fn message() -> Value {
    object(
        &[],
        json!({
            "each": open_text("JSON pointer, or xml:/path, of a list of them."),
            "when": nullable(when()),
            "from": place(),
            "to": maybe_place(),
            "default_to": open_text("The number that it was sent to, if it does not say."),
            "text": maybe_place(),
            "data": maybe_place(),
            "data_form": maybe_word(&["hex", "base64"]),
            "udh": maybe_place(),
            "part_reference": maybe_place(),
            "part_count": maybe_place(),
            "part": maybe_place(),
        }),
    )
}

fn when() -> Value {
    object(&[], json!({ "at": place(), "is": strings("What it may be.") }))
}

fn place() -> Value {
    text("A JSON pointer, `xml:/path@attribute`, `regex:…`, `header:…`, `status` or `id`.")
}

fn maybe_place() -> Value {
    open_text("A JSON pointer, `xml:/path@attribute`, `regex:…`, `header:…`, `status` or `id`.")
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn strings(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" }, "description": description })
}

fn list(item: Value) -> Value {
    json!({ "type": ["array", "null"], "items": item, "maxItems": 8 })
}

fn maybe_word(words: &[&str]) -> Value {
    let words: Vec<Value> = words.iter().map(|word| json!(word)).chain([Value::Null]).collect();
    json!({ "enum": words })
}

fn maybe(least: u64, most: u64) -> Value {
    let mut schema = nullable(number(least, most, least));
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("default");
    }
    schema
}
