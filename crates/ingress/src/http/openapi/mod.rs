//! The OpenAPI 3.1 document, put together from a list of operations and the schemas of what they
//! take and give. Whatever an operation may answer with is declared: which problems it can come to
//! follows from what it is (does it take a token, a body, an id?), so nobody has to remember.

mod account_schemas;
mod group_schemas;
mod http_schemas;
mod modem_schemas;
mod operations;
mod resource_schemas;
mod rule_schemas;
mod schedule_schemas;
mod schemas;

use model::resources::Scope;
use serde_json::{Map, Value, json};

use super::problem::{self, catalogue};
use super::settings::HttpSettings;

/// One operation, as the document has it.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    /// The scope that it takes; `None` is open.
    scope: Option<Scope>,
    /// Query and header parameters; those of the path follow from the path.
    parameters: Vec<Value>,
    /// The body's schemas by content type.
    body: Vec<(&'static str, Value)>,
    answers: Vec<Answer>,
    /// Problems beside those that follow from the rest.
    problems: Vec<u16>,
}

/// A success.
struct Answer {
    status: u16,
    description: &'static str,
    content_type: &'static str,
    schema: Value,
    location: bool,
}

/// The whole document.
pub(super) fn document(settings: &HttpSettings) -> Value {
    let mut paths = Map::new();
    for operation in operations::all(settings.open_metrics) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postrider",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Send and receive short messages.",
            "description": "JSON in UTF-8. Times are RFC 3339, durations are seconds, ids are opaque. \
                Every answer that is not a success is a problem (RFC 9457) whose `code` is explained under /docs/errors.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "An API token. Its scopes (`messages`, `read`, `admin`) decide what it may do.",
            }},
            "schemas": components(),
            "headers": {
                "RequestId": { "description": "Names the request in the gateway's logs.", "required": true,
                    "schema": { "type": "string", "pattern": "^[0-9a-f]{16}$" } },
                "Location": { "description": "Where to find what was made.", "required": true, "schema": { "type": "string" } },
                "Replayed": { "description": "`true` when this is the first answer under the same idempotency key, given again.",
                    "schema": { "type": "string", "const": "true" } },
                "Allow": { "description": "The methods that the path has.", "required": true, "schema": { "type": "string" } },
                "RetryAfter": { "description": "Seconds to wait before the request is repeated.", "required": true,
                    "schema": { "type": "string", "pattern": "^[0-9]+$" } },
                "Authenticate": { "description": "The scheme to authenticate with.", "required": true,
                    "schema": { "type": "string", "const": "Bearer" } },
            },
        },
    })
}

fn components() -> Value {
    let mut all = Map::new();
    all.extend(schemas::all());
    all.extend(resource_schemas::all());
    all.extend(modem_schemas::all());
    all.extend(rule_schemas::all());
    all.extend(schedule_schemas::all());
    all.extend(group_schemas::all());
    let codes: Vec<&str> = catalogue::ALL.iter().map(|entry| entry.code).collect();
    all.insert("Fault".into(), object(&["pointer", "detail"], json!({
        "pointer": { "type": "string", "description": "JSON pointer (RFC 6901) to the field; `/query/NAME` is a query parameter." },
        "detail": { "type": "string" },
    })));
    all.insert(
        "Problem".into(),
        object(
            &["type", "title", "status", "code", "retryable"],
            json!({
                "type": { "type": "string", "description": "The problem's page." },
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "code": { "type": "string", "enum": codes },
                "detail": { "type": "string" },
                "errors": { "type": "array", "items": reference("Fault") },
                "retryable": { "type": "boolean", "description": "May the same request do better later?" },
                "batch": { "$ref": "#/components/schemas/BatchTaken", "description": "Of a stream that broke off: what was taken before." },
                "request_id": { "type": "string" },
            }),
        ),
    );
    Value::Object(all)
}

impl Operation {
    fn to_json(&self) -> Value {
        let mut parameters: Vec<Value> = self.path_parameters().map(path_parameter).collect();
        parameters.extend(self.parameters.iter().cloned());
        if matches!(self.scope, Some(Scope::Messages | Scope::Read)) {
            parameters.push(json!({
                "name": "Postrider-Account", "in": "header", "required": false, "schema": { "type": "string", "pattern": schemas::NAME },
                "description": "An account below that of the token, to act for it.",
            }));
        }
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": parameters,
            "responses": self.responses(),
            "security": [],
        });
        if let Some(scope) = self.scope {
            operation["security"] = json!([{ "token": [] }]);
            operation["x-scope"] = json!(scope);
        }
        if !self.body.is_empty() {
            let content: Map<String, Value> =
                self.body.iter().map(|(media, schema)| ((*media).to_owned(), json!({ "schema": schema }))).collect();
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        operation
    }

    fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        for answer in &self.answers {
            responses.insert(answer.status.to_string(), answer.to_json(self.takes_key()));
        }
        for status in self.problem_statuses() {
            responses.insert(status.to_string(), problem_response(status));
        }
        Value::Object(responses)
    }

    fn takes_key(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key")
    }

    /// Every status of a problem that the operation may come to, in order.
    fn problem_statuses(&self) -> Vec<u16> {
        let mut statuses = vec![400, 405, 414, 431, 500];
        statuses.extend(&self.problems);
        if self.scope.is_some() {
            statuses.extend([401, 403, 503]);
        }
        if !self.body.is_empty() {
            statuses.extend([408, 413, 415, 422]);
        }
        if self.path_parameters().next().is_some() {
            statuses.push(404);
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }
}

impl Answer {
    fn to_json(&self, replayable: bool) -> Value {
        let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
        if self.location {
            headers["location"] = json!({ "$ref": "#/components/headers/Location" });
        }
        if replayable {
            headers["idempotent-replayed"] = json!({ "$ref": "#/components/headers/Replayed" });
        }
        let mut answer = json!({ "description": self.description, "headers": headers });
        if !self.content_type.is_empty() {
            answer["content"] = json!({ self.content_type: { "schema": self.schema } });
        }
        answer
    }
}

fn problem_response(status: u16) -> Value {
    let causes: Vec<String> = catalogue::ALL
        .iter()
        .filter(|entry| entry.status == status)
        .map(|entry| format!("`{}`: {}", entry.code, entry.title))
        .collect();
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    match status {
        401 => headers["www-authenticate"] = json!({ "$ref": "#/components/headers/Authenticate" }),
        405 => headers["allow"] = json!({ "$ref": "#/components/headers/Allow" }),
        429 | 503 => headers["retry-after"] = json!({ "$ref": "#/components/headers/RetryAfter" }),
        _ => {}
    }
    json!({
        "description": causes.join("\n\n"),
        "headers": headers,
        "content": { problem::CONTENT_TYPE: { "schema": reference("Problem") } },
    })
}

fn path_parameter(name: &str) -> Value {
    let pattern = if name == "number" { group_schemas::NUMBER } else { schemas::NAME };
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "pattern": pattern } })
}

/// A query parameter that may be left out.
fn query_parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// An object that has no other fields than `properties`.
fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// A list that is given whole.
fn list_of(schema: &str) -> Value {
    object(&["data"], json!({ "data": { "type": "array", "items": reference(schema) } }))
}

/// A page of a list.
fn page_of(schema: &str) -> Value {
    object(
        &["data", "next_cursor"],
        json!({
            "data": { "type": "array", "items": reference(schema) },
            "next_cursor": { "type": ["string", "null"], "description": "Give it as `cursor` for the next page; null is the end." },
        }),
    )
}

#[cfg(test)]
mod tests;
