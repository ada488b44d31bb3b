//! Schemas of messages, batches, encoding and deliveries.

use model::{Ingress, Status};
use serde_json::{Map, Value, json};

use super::{object, reference, rule_schemas};

/// An id of a resource.
pub(super) const NAME: &str = "^[A-Za-z0-9._-]{1,64}$";
/// A phone number or short code as recipients are written: with separators between its digits.
const RECIPIENT: &str = "^(\\+?[ ().\\-/]*[1-9]([ ().\\-/]*[0-9]){6,14}[ ().\\-/]*\
    |[ ().\\-/]*0[ ().\\-/]*0[ ().\\-/]*[1-9]([ ().\\-/]*[0-9]){6,14}[ ().\\-/]*\
    |[ ().\\-/]*([1-9][ ().\\-/]*[0-9]|0[ ().\\-/]*[1-9])([ ().\\-/]*[0-9]){1,4}[ ().\\-/]*)$";
/// A number as senders are written.
const SENDER_NUMBER: &str = "^(\\+?[ ().\\-/]*[1-9]([ ().\\-/]*[0-9]){6,14}[ ().\\-/]*\
    |[ ().\\-/]*([0-9][ ().\\-/]*){1,8}\
    |[ ().\\-/]*0[ ().\\-/]*0[ ().\\-/]*[1-9]([ ().\\-/]*[0-9]){6,14}[ ().\\-/]*)$";
/// An alphanumeric sender: printable ASCII with something that is neither digit nor separator.
const SENDER_NAME: &str = "^[ -~]*[!-'*,:-~][ -~]*$";
/// An address on the web: a user, a host, a port, a path, without spaces.
pub(super) const URL: &str = "^https?://([A-Za-z0-9._~%!$&'()*+,;=:-]*@)?\
    ([A-Za-z0-9._-]+\
    |\\[([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\\]\
    |\\[([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){0,3})?::([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){0,2})?\\])\
    (:([0-9]{1,4}|[1-5][0-9]{4}))?([/?#][!-~]*)?$";
const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let draft = draft_fields();
    add(
        "Submission",
        json!({
            "type": "object",
            "required": ["to"],
            "properties": draft.clone(),
            "additionalProperties": false,
            "oneOf": [
                { "required": ["text"], "properties": { "text": { "type": "string" }, "binary": { "type": "null" } } },
                { "required": ["binary"], "properties": { "binary": { "type": "object" }, "text": { "type": "null" } } },
            ],
        }),
    );
    add("Replacement", replacement(&draft));
    add("ExplainRequest", explain_request(draft.clone()));
    add("Explanation", rule_schemas::explanation());
    add("InboundQuestion", rule_schemas::inbound_question());
    add("InboundExplanation", rule_schemas::inbound_explanation());
    add("Defaults", object(&[], unbounded(draft)));
    add(
        "Binary",
        object(
            &["data"],
            json!({
                "data": { "type": "string", "description": "The octets after the header, in base64.", "pattern": BASE64 },
                "udh": { "type": ["string", "null"], "description": "A user data header with its length octet, in base64.", "pattern": BASE64 },
                "dcs": { "type": ["integer", "null"], "description": "Data coding scheme (3GPP 23.038 §4); default 4, 8-bit data.", "minimum": 0, "maximum": 255 },
            }),
        ),
    );
    add(
        "Tlv",
        object(
            &["tag", "hex"],
            json!({
                "tag": { "type": "integer", "minimum": 0, "maximum": 65535 },
                "hex": { "type": "string", "description": "The value in hexadecimal.", "pattern": "^([0-9A-Fa-f]{2})*$", "maxLength": 2048 },
            }),
        ),
    );
    add("Message", message());
    add(
        "Part",
        object(
            &["n", "status", "remote_id", "submitted_at", "final_at"],
            json!({
                "n": { "type": "integer", "minimum": 1, "maximum": 255 },
                "status": { "type": "string", "enum": ["queued", "in_doubt", "sent", "delivered", "undelivered", "expired", "rejected", "unknown", "failed", "canceled"] },
                "remote_id": { "type": ["string", "null"], "description": "The SMSC's id of the part." },
                "submitted_at": time(true), "final_at": time(true),
            }),
        ),
    );
    add(
        "Reason",
        object(
            &["code", "detail", "smpp_status", "receipt_stat", "receipt_err", "permanent"],
            json!({
                "code": { "type": "string", "description": "See /docs/errors." },
                "detail": { "type": "string" },
                "smpp_status": { "type": ["integer", "null"], "minimum": 0 },
                "receipt_stat": { "type": ["string", "null"] },
                "receipt_err": { "type": ["string", "null"] },
                "permanent": { "type": "boolean", "description": "Would the same message fail again?" },
            }),
        ),
    );
    add(
        "Event",
        object(
            &["at", "event"],
            json!({
                "at": time(false),
                "event": { "type": "string", "description": "`accepted`, `replaced`, `sent`, `replace_asked`, `receipt`, `query`, `withdrawn`, `retry`, `in_doubt`, `delivered` …" },
                "part": { "type": "integer", "minimum": 1, "maximum": 255 },
                "detail": { "type": "string" },
            }),
        ),
    );
    add("Batch", batch());
    add(
        "BatchTaken",
        object(
            &["id", "lines", "accepted", "rejected_total", "rejected"],
            json!({
                "id": { "type": "string" },
                "lines": lines(),
                "accepted": count(),
                "rejected_total": { "type": "integer", "minimum": 0, "description": "How many were rejected, also those that are not told of." },
                "rejected": { "type": "array", "description": "Their places, from 0; empty lines don't count. Of a stream the first 1000 of this request.", "items": object(&["index", "problem"], json!({
                    "index": count(), "problem": reference("Problem"),
                    "to": { "type": "string", "description": "With `to_group`: the member." } })) },
            }),
        ),
    );
    add(
        "BatchState",
        object(
            &[
                "id",
                "accepted",
                "rejected",
                "created_at",
                "status",
                "upload",
                "lines",
                "finished_at",
                "total",
                "done",
                "counts",
            ],
            json!({
                "id": { "type": "string" }, "accepted": count(), "rejected": count(), "created_at": time(false),
                "status": { "type": "string", "enum": ["receiving", "running", "completed", "pausing", "paused", "resuming", "canceling", "canceled"],
                    "description": "What ends in -ing is being done: not all messages know yet." },
                "upload": { "type": "string", "enum": ["receiving", "complete", "incomplete"],
                    "description": "Whether more of it is being read, or that broke off." },
                "lines": lines(),
                "finished_at": { "type": ["string", "null"], "format": "date-time", "description": "When the last message had ended." },
                "total": count(),
                "done": { "type": "integer", "minimum": 0, "description": "How many of all have ended, however they did." },
                "counts": { "type": "object", "description": "How many messages are in each status.",
                    "propertyNames": status(), "additionalProperties": count() },
            }),
        ),
    );
    add(
        "EncodeRequest",
        object(
            &["text"],
            json!({
                "text": { "type": "string", "maxLength": 160_000 },
                "encoding": encoding(),
                "transliterate": { "type": "boolean", "default": false },
            }),
        ),
    );
    add("Encoded", encoded());
    add("Delivery", delivery());
    add(
        "UnmatchedReceipt",
        object(
            &["id", "connector", "remote_id", "phone", "state", "stat", "err", "received_at", "expires_at"],
            json!({
                "id": { "type": "string" }, "connector": { "type": "string" }, "remote_id": { "type": "string" },
                "phone": { "type": "string" },
                "state": { "type": "string", "enum": ["intermediate", "delivered", "expired", "undelivered", "rejected", "unknown"] },
                "stat": { "type": "string" }, "err": { "type": ["string", "null"] },
                "received_at": time(false), "expires_at": time(false),
            }),
        ),
    );
    add(
        "Fleet",
        object(
            &["node", "nodes"],
            json!({
                "node": { "type": ["string", "null"],
                    "description": "The node that was asked; null where the store is one gateway's own." },
                "nodes": { "type": "array", "items": reference("Node"),
                    "description": "Every node that is a member, by name; none where there is no fleet." },
            }),
        ),
    );
    add(
        "Node",
        object(
            &["name", "version", "since", "resources", "draining", "sessions", "slots"],
            json!({
                "name": { "type": "string" }, "version": { "type": "string" }, "since": time(false),
                "resources": { "type": "integer", "minimum": 0,
                    "description": "The version of the resources that are in force there." },
                "draining": { "type": "boolean", "description": "It is stopping." },
                "sessions": { "type": "integer", "minimum": 0, "description": "Sessions to carriers that are bound there." },
                "slots": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 },
                    "description": "How many slots of each kind it has: queue, bind, hooks, receiver, duty." },
            }),
        ),
    );
    add("Status", object(&["status"], json!({ "status": { "type": "string", "const": "ok" } })));
    all
}

/// The fields of a submission by their types alone: what is out of bounds in the defaults of a
/// batch is told of each message.
fn unbounded(mut fields: Value) -> Value {
    let text = || json!({ "type": ["string", "null"] });
    let number = |most: u64| json!({ "type": ["integer", "null"], "minimum": 0, "maximum": most });
    for field in ["to", "from", "text", "send_at", "client_ref", "supersede_key", "callback_url"] {
        fields[field] = text();
    }
    for field in ["max_parts", "class", "priority"] {
        fields[field] = number(u32::MAX.into());
    }
    fields["validity_seconds"] = number(u64::MAX);
    for field in ["transliterate", "ignore_quiet_hours"] {
        fields[field] = json!({ "type": ["boolean", "null"] });
    }
    fields["tags"] = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let word =
        |words: &[&str]| json!({ "enum": words.iter().map(|w| json!(w)).chain([Value::Null]).collect::<Vec<_>>() });
    fields["encoding"] = word(&["auto", "gsm7", "ucs2", "latin1"]);
    fields["receipt"] = word(&["none", "final", "all", "failure", "success"]);
    let octets = json!({ "data": { "type": "string" }, "udh": text(), "dcs": number(u32::MAX.into()) });
    fields["binary"] = json!({ "anyOf": [object(&["data"], octets), { "type": "null" }] });
    let tlv = json!({ "tag": { "type": "integer", "minimum": 0, "maximum": u32::MAX }, "hex": { "type": "string" } });
    fields["tlvs"] = json!({ "type": ["array", "null"], "items": object(&["tag", "hex"], tlv) });
    fields
}

/// A point in time.
pub(super) fn time(nullable: bool) -> Value {
    if nullable {
        json!({ "type": ["string", "null"], "format": "date-time" })
    } else {
        json!({ "type": "string", "format": "date-time" })
    }
}

fn batch() -> Value {
    let mut batch = object(
        &[],
        json!({
            "defaults": { "anyOf": [reference("Defaults"), { "type": "null" }],
                "description": "What a message leaves open is taken from here; tags of both are joined. With `to_group`, what each member is sent." },
            "messages": { "type": ["array", "null"], "minItems": 1, "maxItems": engine::BATCH_MAX, "items": {
                "description": "A submission; one that is wrong is rejected on its own." } },
            "to_group": { "type": ["string", "null"], "pattern": NAME,
                "description": "A group of the account, instead of `messages`: each member is sent a message." },
        }),
    );
    batch["oneOf"] = json!([
        { "required": ["messages"], "properties": { "messages": { "type": "array" }, "to_group": { "type": "null" } } },
        { "required": ["to_group", "defaults"], "properties": {
            "to_group": { "type": "string" }, "messages": { "type": "null" },
            "defaults": { "type": "object", "not": { "required": ["to"] } } } },
    ]);
    batch
}

/// How many lines of a batch were taken.
fn lines() -> Value {
    let what = "How many were taken, accepted or not: a stream that broke off goes on behind them.";
    json!({ "type": "integer", "minimum": 0, "description": what })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A message's status.
pub(super) fn status() -> Value {
    json!({ "type": "string", "enum": Status::ALL.map(Status::as_str) })
}

/// A recipient as a filter or a submission has it.
pub(super) fn recipient() -> Value {
    json!({ "type": "string", "pattern": RECIPIENT })
}

/// A sender as a filter or a submission has it.
pub(super) fn sender() -> Vec<Value> {
    vec![
        json!({ "type": "string", "maxLength": 11, "pattern": SENDER_NAME }),
        json!({ "type": "string", "pattern": SENDER_NUMBER }),
    ]
}

fn encoding() -> Value {
    json!({ "type": "string", "enum": ["auto", "gsm7", "ucs2", "latin1"], "default": "auto" })
}

/// The fields of a submission.
fn draft_fields() -> Value {
    let mut from = sender();
    from.push(json!({ "type": "null" }));
    json!({
        "to": { "type": "string", "pattern": RECIPIENT, "examples": ["+447700900123"],
            "description": "Recipient: E.164 with or without +, or as the account's default country writes it." },
        "from": { "anyOf": from, "description": "Sender: number, short code or up to 11 characters; the account's default otherwise." },
        "text": { "type": ["string", "null"], "maxLength": 40_000, "description": "The text; either this or `binary`." },
        "binary": { "anyOf": [reference("Binary"), { "type": "null" }] },
        "encoding": encoding(),
        "transliterate": { "type": "boolean", "default": false, "description": "Replace typographic characters so that the text fits GSM 7-bit." },
        "max_parts": { "type": ["integer", "null"], "minimum": 1, "maximum": 255, "default": 10, "description": "Refuse a text that needs more parts." },
        "class": { "type": ["integer", "null"], "minimum": 0, "maximum": 3, "description": "Message class; 0 is flash." },
        "priority": { "type": ["integer", "null"], "minimum": 0, "maximum": 3, "default": 1, "description": "3 goes first." },
        "send_at": { "type": ["string", "null"], "format": "date-time", "description": "When to send it, at most a year ahead." },
        "validity_seconds": { "type": ["integer", "null"], "minimum": 1, "maximum": 38_102_400, "description": "After this it expires, wherever it is." },
        "receipt": { "type": "string", "enum": ["none", "final", "all", "failure", "success"], "default": "final" },
        "client_ref": { "type": ["string", "null"], "maxLength": 128, "description": "Given back everywhere." },
        "supersede_key": { "type": ["string", "null"], "minLength": 1, "maxLength": 128,
            "description": "A newer message with this key to the same recipient cancels this one while it waits." },
        "ignore_quiet_hours": { "type": "boolean", "default": false,
            "description": "Send it in quiet hours too, if the account lets its messages say so." },
        "tags": { "type": "object", "maxProperties": 16, "propertyNames": { "minLength": 1, "maxLength": 128 },
            "additionalProperties": { "type": "string", "maxLength": 128 }, "description": "Searchable pairs; at most 128 octets each." },
        "callback_url": { "type": ["string", "null"], "pattern": URL, "maxLength": 2048, "description": "Events go here instead of to the account's webhooks." },
        "route": { "type": ["string", "null"], "description": "The route to take, if the account may choose." },
        "connector": { "type": ["string", "null"], "description": "The connector to take, if the account may choose." },
        "protocol_id": { "type": ["integer", "null"], "minimum": 0, "maximum": 255, "description": "TP-PID (3GPP 23.040 §9.2.3.9), such as 65 to 71, which replace on the phone; the connector's otherwise." },
        "service_type": { "type": ["string", "null"], "maxLength": 5, "pattern": "^[!-~]+$", "not": { "pattern": "^[Uu][Ss][Ss][Dd]$" },
            "description": "SMPP `service_type`, for connectors that have none of their own; not USSD." },
        "reply_path": { "type": "boolean", "default": false, "description": "A reply may take the way that the message took (TP-RP)." },
        "replace_if_present": { "type": "boolean", "default": false,
            "description": "Ask the carrier to put it in the place of one that it has still, if both are of one part; see also `supersede_key`." },
        "tlvs": { "type": "array", "maxItems": 32, "items": reference("Tlv"), "description": "Passed on to SMPP." },
    })
}

/// What may be different of a message: fields of a submission, all of which may be left out.
fn replacement(draft: &Value) -> Value {
    let fields = ["text", "binary", "encoding", "max_parts", "send_at", "validity_seconds", "receipt"];
    let mut properties: Map<String, Value> =
        fields.map(|field| (field.to_owned(), draft[field].clone())).into_iter().collect();
    properties.insert("receipt".to_owned(), json!({ "enum": ["none", "final", "all", "failure", "success", null] }));
    properties["encoding"]["description"] = json!("The alphabet of the other text; only together with it.");
    properties["max_parts"]["description"] =
        json!("Refuse another text that needs more parts; only together with text or binary.");
    properties["send_at"]["description"] =
        json!("When to send it, at most a year ahead; a time that has passed is at once.");
    properties["validity_seconds"]["description"] =
        json!("After this it expires, counted from when it is due. Without it, it is valid as long as before.");
    json!({
        "type": "object", "properties": properties, "additionalProperties": false,
        "description": "What is left out stays as it is.",
        "anyOf": [
            { "properties": { "binary": { "type": "null" } } },
            { "properties": { "text": { "type": "null" } } },
        ],
        "allOf": [{ "anyOf": [
            { "required": ["text"], "properties": { "text": { "type": "string" } } },
            { "required": ["binary"], "properties": { "binary": { "type": "object" } } },
            { "properties": { "encoding": { "type": "null" }, "max_parts": { "type": "null" } } },
        ] }],
    })
}

/// A submission that need not have a text, of an account and by a way in.
fn explain_request(mut properties: Value) -> Value {
    properties["account"] = json!({ "type": ["string", "null"], "description": "The caller's own if it is left out; others take the scope admin." });
    properties["ask"] = json!({ "type": ["boolean", "null"], "description": "Really ask the account's policy service; it is not asked if this is left out." });
    properties["ingress"] = json!({ "enum": Ingress::ALL.map(|i| json!(i.as_str())).into_iter().chain([Value::Null]).collect::<Vec<_>>(),
        "description": "The way in that it would come by; `http` if it is left out." });
    json!({
        "type": "object", "required": ["to"], "properties": properties, "additionalProperties": false,
        "anyOf": [
            { "properties": { "binary": { "type": "null" } } },
            { "properties": { "text": { "type": "null" } } },
        ],
    })
}

fn message() -> Value {
    let text = || json!({ "type": "string" });
    object(
        &[
            "id",
            "direction",
            "status",
            "reason",
            "to",
            "from",
            "encoding",
            "transliterate",
            "priority",
            "receipt",
            "client_ref",
            "parts",
            "connector",
            "route",
            "price",
            "created_at",
            "submitted_at",
            "final_at",
            "expires_at",
        ],
        json!({
            "id": text(),
            "direction": { "type": "string", "enum": ["mt", "mo"] },
            "ingress": { "type": "string", "enum": Ingress::ALL.map(Ingress::as_str),
                "description": "The way in that an MT came by; `gateway` are the gateway's own, such as automatic replies. An MO has none." },
            "status": status(),
            "reason": { "anyOf": [reference("Reason"), { "type": "null" }] },
            "to": text(), "from": text(), "text": text(), "binary": reference("Binary"),
            "encoding": { "type": "string", "enum": ["gsm7", "ucs2", "latin1", "binary"] },
            "transliterate": { "type": "boolean" },
            "class": { "type": "integer", "minimum": 0, "maximum": 3 },
            "priority": { "type": "integer", "minimum": 0, "maximum": 3 },
            "send_at": time(false),
            "validity_seconds": count(),
            "receipt": { "type": "string", "enum": ["none", "final", "all", "failure", "success"] },
            "client_ref": { "type": ["string", "null"] },
            "supersede_key": text(),
            "ignore_quiet_hours": { "type": "boolean", "description": "It goes in quiet hours too." },
            "tags": { "type": "object", "additionalProperties": text() },
            "callback_url": text(),
            "tlvs": { "type": "array", "items": reference("Tlv") },
            "protocol_id": { "type": "integer", "minimum": 0, "maximum": 255 },
            "service_type": text(),
            "reply_path": { "const": true }, "replace_if_present": { "const": true },
            "parts": { "type": "array", "items": reference("Part") },
            "connector": { "type": ["string", "null"], "description": "The connector that has it, or had it last." },
            "route": { "type": ["string", "null"], "description": "The route that took it." },
            "price": { "anyOf": [reference("Money"), { "type": "null" }],
                "description": "What the account pays for it, all parts together." },
            "pool": { "type": "string", "description": "The pool that the route names." },
            "connectors": { "type": "array", "items": text(), "description": "The connectors of the pool, in the order in which they are tried." },
            "sent_as": object(&[], json!({ "to": text(), "from": text(),
                "text_append": { "type": "string", "description": "What is put at the end of the text." } })),
            "network": { "type": "string", "description": "The network that the recipient belongs to, MCC and MNC, as the account's policy service told it." },
            "copy_of": { "type": "string", "description": "The message that this is a copy of." },
            "batch_id": text(),
            "created_at": time(false), "submitted_at": time(true), "final_at": time(true), "expires_at": time(false),
        }),
    )
}

fn encoded() -> Value {
    object(
        &["alphabet", "parts", "units", "units_per_part", "units_left", "replaced", "forced_by", "data"],
        json!({
            "alphabet": { "type": "string", "enum": ["gsm7", "latin1", "ucs2"] },
            "languages": object(&[], json!({ "locking": { "type": "string" }, "single": { "type": "string" } })),
            "parts": { "type": "integer", "minimum": 1, "maximum": 255 },
            "units": count(), "units_per_part": count(), "units_left": count(),
            "replaced": { "type": "integer", "minimum": 0, "description": "Characters that transliteration replaced." },
            "forced_by": { "type": "array", "maxItems": 20, "description": "Characters that keep the text out of GSM 7-bit.",
                "items": object(&["char", "code_point", "position"], json!({
                    "char": { "type": "string" }, "code_point": { "type": "string", "pattern": "^U\\+[0-9A-F]{4,6}$" },
                    "position": { "type": "integer", "minimum": 0, "description": "Characters before it." } })) },
            "data": { "type": "array", "items": object(&["n", "units", "tp_ud", "tp_udl"], json!({
                "n": { "type": "integer", "minimum": 1, "maximum": 255 }, "units": count(),
                "udh": { "type": "string", "description": "The header in hexadecimal." },
                "tp_ud": { "type": "string", "description": "User data as in a TPDU, header included, in hexadecimal." },
                "tp_udl": { "type": "integer", "minimum": 0, "maximum": 255 } })) },
        }),
    )
}

fn delivery() -> Value {
    let text = || json!({ "type": "string" });
    let open = || json!({ "type": ["string", "null"] });
    object(
        &[
            "id",
            "account",
            "message",
            "endpoint",
            "url",
            "event",
            "state",
            "attempts",
            "created_at",
            "next_attempt_at",
            "last_error",
        ],
        json!({
            "id": text(), "account": text(), "message": open(),
            "endpoint": { "type": "string", "description": "The webhook's id, `rule:` and the id of the inbound rule that has one, or the origin of a callback_url." },
            "url": { "type": ["string", "null"], "description": "The address, where it is one of its own: a callback_url, or one that was filled in. That of an inbound rule's webhook is shown with the scope admin only." },
            "event": text(),
            "state": { "type": "string", "enum": ["pending", "failed"] },
            "attempts": count(), "created_at": time(false), "next_attempt_at": time(true), "last_error": open(),
            "payload": { "description": "What is sent; only when one delivery is asked for." },
        }),
    )
}
