//! Schemas of accounts, connectors, inbound rules, tokens and webhooks.

use model::resources::{ANSWER_PARTS_MAX, POLICY_CACHE_SECONDS_MAX, POLICY_TIMEOUT_MS, POLICY_TIMEOUT_MS_MAX};
use serde_json::{Map, Value, json};

use super::schemas::{NAME, URL, count, time};
use super::{account_schemas, http_schemas, modem_schemas, object, reference, rule_schemas};

/// `whsec_` and base64 of 24 to 64 octets.
const SIGNING_SECRET: &str = "^whsec_([A-Za-z0-9+/]{32}([A-Za-z0-9+/]{4}){0,12}\
    ([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?|[A-Za-z0-9+/]{84}([A-Za-z0-9+/][AQgw]==)?)$";

pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add("Secret", secret_forms(json!({ "type": "string" })));
    add(
        "AccountWebhook",
        object(
            &["url"],
            json!({ "id": nullable(name()), "url": url(), "style": style(), "secret": secret(), "events": events(), "enabled": enabled() }),
        ),
    );
    add("RuleWebhook", rule_webhook());
    add("PolicyHook", policy_hook());
    add("MqttBridge", account_schemas::mqtt_bridge());
    add("SmppLogin", smpp_login());
    add("UcpLogin", session_login(64, "OAdC of operation 60"));
    add("Cimd2Login", session_login(32, "Parameter 010"));
    add("Connector", connector());
    add("ConnectorStatus", connector_status());
    add("ConnectorHealth", connector_health());
    add("InboundRule", rule_schemas::inbound());
    add(
        "NewToken",
        object(
            &["account"],
            json!({
                "account": name(), "id": nullable(name()),
                "scopes": { "type": ["array", "null"], "items": scope(), "description": "Default: messages." },
                "expires_at": time(true),
                "networks": { "type": ["array", "null"], "items": network(), "description": "Networks that it may be used from; default all." },
            }),
        ),
    );
    add(
        "Token",
        object(
            &["id", "account", "scopes", "expires_at", "networks", "created_at", "last_used_at"],
            json!({
                "id": { "type": "string" }, "account": { "type": "string" },
                "scopes": { "type": "array", "items": scope() },
                "expires_at": time(true), "created_at": time(false),
                "last_used_at": { "type": ["string", "null"], "format": "date-time", "description": "To about a second; a killed process forgets the last minute." },
                "networks": { "type": "array", "items": { "type": "string" } },
                "token": { "type": "string", "description": "The token itself; only right after it was made." },
            }),
        ),
    );
    add(
        "NewWebhook",
        object(
            &["url"],
            json!({
                "id": nullable(name()), "account": { "type": ["string", "null"], "description": "The caller's own if it is left out." },
                "url": url(), "style": style(), "secret": secret(), "events": events(), "enabled": enabled(),
            }),
        ),
    );
    add(
        "Webhook",
        object(
            &["id", "account", "url", "style", "events", "enabled"],
            json!({
                "id": { "type": "string" }, "account": { "type": "string" }, "url": { "type": "string" },
                "style": style(), "events": events(), "enabled": { "type": "boolean" },
                "secret": { "type": "string", "description": "The signing secret; only right after it was made here." },
            }),
        ),
    );
    all.extend(account_schemas::all());
    all
}

/// `schema` of a resource in a `PUT`: its id is in the path already.
pub(super) fn without_required_id(schema: &str) -> Value {
    let mut all = all();
    all.extend(rule_schemas::all());
    let mut schema = all.get(schema).cloned().unwrap_or_default();
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|field| field != "id");
    }
    schema
}

pub(super) fn name() -> Value {
    json!({ "type": "string", "pattern": NAME })
}

pub(super) fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

/// The forms of a secret, of which `text` is the one that is written out.
fn secret_forms(text: Value) -> Value {
    json!({
        "description": "A secret, or where the gateway finds it. Never shown.",
        "anyOf": [
            text,
            object(&["env"], json!({ "env": { "type": "string", "description": "An environment variable." } })),
            object(&["file"], json!({ "file": { "type": "string", "description": "A file's path." } })),
            object(&["sealed"], json!({ "sealed": { "type": "string",
                "description": "Sealed with this installation's key, as `postrider export` writes it." } })),
        ],
    })
}

fn network() -> Value {
    json!({ "type": "string", "examples": ["192.0.2.0/24"], "pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$" })
}

fn url() -> Value {
    json!({ "type": "string", "pattern": URL })
}

fn secret() -> Value {
    let forms = secret_forms(json!({ "type": "string", "pattern": SIGNING_SECRET }));
    json!({ "anyOf": [forms, { "type": "null" }],
        "description": "The signing secret: `whsec_` and base64 of 24 to 64 octets. Made when there is none; stays when it is left out." })
}

/// An inbound rule's own webhook.
fn rule_webhook() -> Value {
    let forms = secret_forms(json!({ "type": "string", "pattern": SIGNING_SECRET }));
    let mut webhook = object(
        &["url"],
        json!({
            "url": url(), "style": style(),
            "secret": { "anyOf": [forms, { "type": "null" }],
                "description": "The signing secret; calls are not signed without one. Stays when it is left out." },
            "answer": { "type": "string", "enum": ["ignore", "reply"], "default": "ignore",
                "description": "With `reply`, the text of the answer's body goes back to the phone." },
            "max_parts": { "type": ["integer", "null"], "minimum": 1, "maximum": ANSWER_PARTS_MAX,
                "description": "With `reply`: parts that it may have; a longer answer is cut. 10 if it is left out." },
            "kannel_headers": { "type": "boolean", "default": false,
                "description": "With `reply`: `X-Kannel-From`, `X-Kannel-Coding` and `X-Kannel-MClass` of the answer are heeded." },
        }),
    );
    webhook["anyOf"] = json!([
        { "properties": { "style": { "enum": ["webhook", "kannel"] } } },
        { "properties": { "answer": { "const": "ignore" } } },
    ]);
    webhook
}

/// A service that is asked about messages.
fn policy_hook() -> Value {
    let forms = secret_forms(json!({ "type": "string", "pattern": SIGNING_SECRET }));
    object(
        &["url"],
        json!({
            "url": url(),
            "secret": { "anyOf": [forms, { "type": "null" }],
                "description": "The signing secret; calls are not signed without one. Stays when it is left out." },
            "timeout_ms": { "type": ["integer", "null"], "minimum": 1, "maximum": POLICY_TIMEOUT_MS_MAX,
                "description": format!("Milliseconds that an answer may take; {POLICY_TIMEOUT_MS} if it is left out.") },
            "on_failure": { "type": "string", "enum": ["continue", "reject"], "default": "continue",
                "description": "What becomes of a message when there is no answer." },
            "cache_seconds": { "type": ["integer", "null"], "minimum": 1, "maximum": POLICY_CACHE_SECONDS_MAX,
                "description": "Seconds that an answer holds for all messages of an account to its recipient; none if it is left out." },
            "send_text": { "type": "boolean", "default": false, "description": "The text is told." },
        }),
    )
}

fn events() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": "Names of events or families such as `message.*`; empty is all of the account's: `message.…`, `batch.completed`, `schedule.failed`, `opt_out.created`, `call.received`, `account.balance_low`. `connector.up` and `connector.down` come only where they are named." })
}

fn style() -> Value {
    json!({ "type": "string", "enum": ["webhook", "kannel", "jasmin", "jasmin-get"], "default": "webhook",
        "description": "How it is called: as a webhook, or as Kannel or Jasmin would." })
}

pub(super) fn enabled() -> Value {
    json!({ "type": "boolean", "default": true })
}

fn scope() -> Value {
    json!({ "type": "string", "enum": ["messages", "read", "admin"] })
}

pub(super) fn names() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

pub(super) fn order() -> Value {
    json!({ "type": "integer", "format": "int64", "default": 0, "description": "Place in the order, lowest first." })
}

pub(super) fn open_text(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

pub(super) fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words, "default": words.first() })
}

pub(super) fn number(least: u64, most: u64, default: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most, "default": default })
}

fn smpp_login() -> Value {
    let password = secret_forms(json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[ -~]*$" }));
    let hash = secret_forms(json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{32}:[0-9A-Fa-f]{64}$" }));
    object(
        &["system_id"],
        json!({
            "system_id": { "type": "string", "minLength": 1, "maxLength": 15, "pattern": "^[ -~]*$", "description": "No two accounts share one." },
            "password": { "anyOf": [password, { "type": "null" }], "description": "Kept as a salted hash only; stays when it is left out." },
            "password_sha256": { "anyOf": [hash, { "type": "null" }], "description": "The salted hash, as `postrider export` writes it." },
            "max_binds": number(1, 1000, 4),
            "window": number(1, 1000, 100),
            "allow": { "type": "array", "items": network(), "description": "Networks that it may bind from; none is all.", "examples": [["10.0.0.0/8"]] },
            "system_type": { "type": ["string", "null"], "maxLength": 12, "pattern": "^[ -~]*$", "description": "What a bind must have; default any." },
            "tls_required": { "type": "boolean", "default": false },
            "default_alphabet": words(&["gsm7", "gsm7-packed", "latin1", "ascii", "utf8"]),
            "message_id": words(&["uuid", "hex", "decimal", "short"]),
            "receipt_format": words(&["standard", "seconds"]),
            "incoming": words(&["auto", "always", "never"]),
        }),
    )
}

fn session_login(user_max: u8, what: &str) -> Value {
    let password = secret_forms(json!({ "type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[ -~]*$" }));
    let hash = secret_forms(json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{32}:[0-9A-Fa-f]{64}$" }));
    object(
        &["user"],
        json!({
            "user": { "type": "string", "minLength": 1, "maxLength": user_max, "pattern": "^[ -.0-~]*$", "description": format!("{what}. No two accounts share one."), "examples": ["60777"] },
            "password": { "anyOf": [password, { "type": "null" }], "description": "Kept as a salted hash only; stays when it is left out." },
            "password_sha256": { "anyOf": [hash, { "type": "null" }], "description": "The salted hash, as `postrider export` writes it." },
            "max_sessions": number(1, 1000, 4),
            "window": number(1, 100, 10),
            "allow": { "type": "array", "items": network(), "description": "Networks that it may log in from; none is all.", "examples": [["10.0.0.0/8"]] },
            "tls_required": { "type": "boolean", "default": false },
            "time_zone": { "type": ["string", "null"], "examples": ["Europe/Berlin"], "description": "IANA time zone of the times that go to and fro; default the account's `time_zone`, or UTC." },
            "incoming": words(&["auto", "always", "never"]),
        }),
    )
}

fn connector() -> Value {
    let address_form =
        || nullable(object(&["ton", "npi"], json!({ "ton": number(0, 255, 0), "npi": number(0, 255, 0) })));
    let link = json!({
        "id": name(),
        "protocol": { "type": "string", "enum": ["smpp", "ucp", "cimd2", "http", "modem"], "description": "Options that others have alone are refused." },
        "address": { "type": "string", "description": "`host:port`; for TLS `smpps://host:port`, `ucps://…` or `cimd2s://…`; over HTTP `https://host`, perhaps with a path. Left out with `outbind`. Of a modem its device, such as `/dev/ttyUSB0`, or `tcp://host:port`.", "examples": ["smsc.example:2775"],
            "pattern": "^(/.*[^/]|((smpps?|ucps?|cimd2s?|tcp)://)?.+:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))$|^https?://.+[^/]$" },
        "ucp": nullable(ucp()),
        "cimd2": nullable(cimd2()),
        "http": nullable(http_schemas::http()),
        "modem": nullable(modem_schemas::modem()),
        "outbind": nullable(outbind()),
        "enabled": enabled(),
        "system_id": { "type": "string", "maxLength": 64, "pattern": "^[\\x00-\\x7F]*$",
            "description": "Our name there: 1 to 15 characters over SMPP; over UCP up to 64, left out without a login; over CIMD2 1 to 32; over HTTP up to 64, or none." },
        "password": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "Stays when it is left out." },
        "system_type": { "type": "string" },
        "bind": words(&["transceiver", "transmitter+receiver", "transmitter", "receiver"]),
        "interface_version": { "type": "string", "enum": ["3.3", "3.4", "5.0"], "default": "3.4" },
        "address_range": { "type": "string" },
        "sessions": number(1, 64, 1),
        "window": number(1, 10_000, 10),
        "throughput": { "type": ["integer", "null"], "minimum": 1, "maximum": 4_294_967_295u32, "description": "Parts a second." },
        "pace": account_schemas::pace("How far apart messages of one sender, and to one recipient, go over it."),
        "tls": nullable(object(&[], json!({
            "ca": open_text("PEM file of authorities."), "cert": open_text("PEM file."), "key": open_text("PEM file."),
            "server_name": open_text("The name in the server's certificate."),
        }))),
        "enquire_link_seconds": number(0, 4_294_967_295, 30),
        "response_timeout_seconds": number(0, 4_294_967_295, 60),
        "bind_timeout_seconds": number(0, 4_294_967_295, 30),
        "inactivity_seconds": { "type": ["integer", "null"], "minimum": 0, "maximum": 4_294_967_295u32 },
        "reconnect": object(&[], json!({ "min_ms": number(1, 4_294_967_295, 1000), "max_ms": number(1, 4_294_967_295, 300_000) })),
    });
    let dialect = json!({
        "long_messages": words(&["udh", "udh16", "sar", "payload"]),
        "default_alphabet": words(&["gsm7", "gsm7-packed", "latin1", "ascii", "utf8"]),
        "flash": words(&["general", "class-group", "subunit"]),
        "validity": words(&["relative", "absolute", "none"]),
        "service_type": { "type": "string" },
        "protocol_id": number(0, 255, 0),
        "source": address_form(),
        "destination": address_form(),
        "plus_sign": { "type": "boolean", "default": false },
        "receipt_id": words(&["auto", "as-is", "hex-to-dec", "dec-to-hex", "loose"]),
        "receipt_policy": words(&["all", "last", "first", "any"]),
        "receipt_text_first": { "type": "boolean", "default": false },
        "receipt_by_look": enabled(),
        "receipt_states": { "type": "object", "additionalProperties": { "type": "string",
            "enum": ["intermediate", "delivered", "expired", "undelivered", "rejected", "unknown"] } },
        "in_doubt": words(&["retry", "hold", "fail"]),
        "mark_first": { "type": "boolean", "default": false },
        "status_overrides": { "type": "object", "propertyNames": { "pattern": "^(0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,9})$" },
            "additionalProperties": { "type": "string", "enum": ["permanent", "temporary", "throttled", "accepted"] } },
        "cancel": { "type": "boolean", "default": true, "description": "Ask the carrier to take back messages that it has." },
        "replace": { "type": "boolean", "default": true, "description": "Ask the carrier to put another text in the place of one that it has already (SMPP and UCP)." },
        "query": { "type": "boolean", "default": true, "description": "Ask the carrier what became of messages." },
        "query_after_seconds": { "type": ["integer", "null"], "minimum": 1, "maximum": 4_294_967_295u32,
            "description": "After so long without a final receipt the carrier is asked." },
        "max_attempts": number(0, 65_535, 20),
        "cost": rule_schemas::prices("What the carrier takes for a part: what pools by least cost look at."),
        "health": object(&[], json!({
            "max_error_percent": number(0, 255, 50),
            "min_delivered_percent": { "type": ["integer", "null"], "minimum": 0, "maximum": 255 },
            "min_samples": number(0, u32::MAX.into(), 20),
            "probe_after_seconds": number(0, u32::MAX.into(), 30),
        })),
        "status": reference("ConnectorStatus"),
    });
    let mut properties = Map::new();
    for fields in [link, dialect] {
        properties.extend(fields.as_object().cloned().unwrap_or_default());
    }
    let mut connector = object(&["id", "protocol"], Value::Object(properties));
    connector["anyOf"] = json!([
        { "required": ["address"], "properties": { "outbind": { "type": "null" } } },
        { "required": ["outbind"], "properties": { "outbind": { "type": "object" }, "address": false,
            "bind": { "enum": ["transceiver", "receiver"] } } },
    ]);
    connector
}

fn ucp() -> Value {
    let digits = |longest: u32| json!({ "type": "string", "pattern": format!("^[0-9]{{0,{longest}}}$") });
    let digit = |default: u64| number(0, 9, default);
    let mut ucp = object(
        &[],
        json!({
            "login": enabled(),
            "account": object(&["ton", "npi"], json!({ "ton": digit(6), "npi": digit(5) })),
            "submit": words(&["51", "30", "01"]),
            "international_prefix": { "type": "string", "pattern": "^[0-9]{0,4}$", "default": "00" },
            "authentication_code": { "type": "string", "pattern": "^[ -.0-~]{0,16}$" },
            "notification_address": digits(16),
            "notification_pid": digits(4),
            "alert_address": { "type": ["string", "null"], "pattern": "^[0-9]{1,16}$", "description": "Of the alerts that keep a quiet session alive; the `system_id` if it is left out." },
            "alert": enabled(),
            "echo": { "type": "boolean", "default": false, "description": "Answer with `AdC:SCTS`, as some SMSCs insist." },
            "time_zone": { "type": "string", "default": "UTC", "description": "IANA name of the zone of the SMSC's clock." },
        }),
    );
    ucp["description"] = json!("What only UCP/EMI has.");
    ucp
}

fn cimd2() -> Value {
    let no = || json!({ "type": "boolean", "default": false });
    let mut cimd2 = object(
        &[],
        json!({
            "subaddress": { "type": ["integer", "null"], "minimum": 0, "maximum": 900, "description": "Of the first session; further ones count on." },
            "announce_window": enabled(),
            "checksum": enabled(),
            "delivery_request": { "type": "boolean", "default": false, "description": "Ask for messages and reports after the login." },
            "international_prefix": { "type": "string", "pattern": "^\\+?[0-9]{0,4}$", "default": "" },
            "originator": enabled(),
            "own_number": { "type": "string", "pattern": "^[0-9]{0,19}$", "description": "What the SMSC puts before each sender." },
            "status_reports": number(0, 63, 62),
            "cancel_enabled": no(),
            "cancel_mode": number(0, 2, 2),
            "priority": no(),
            "tariff_class": { "type": ["integer", "null"], "minimum": 0, "maximum": 99 },
            "service_description": { "type": ["integer", "null"], "minimum": 0, "maximum": 9 },
            "time_zone": { "type": "string", "default": "UTC", "description": "IANA name of the zone of the SMSC's clock." },
            "set": { "type": "object", "maxProperties": 32, "description": "Parameters that are set after each login (08), by their numbers; none of the login itself.",
                "propertyNames": { "pattern": "^[0-4][0-9]{2}$", "not": { "enum": ["010", "011", "012", "019"] } },
                "additionalProperties": { "type": "string", "maxLength": 480, "pattern": "^[ -~]*$" }, "examples": [{ "056": "14" }] },
            "get": { "type": "array", "maxItems": 32, "items": { "type": "integer", "minimum": 20, "maximum": 899 }, "examples": [[501]],
                "description": "Parameters that the SMSC is asked for after each login (09); 501 is its time. `status.smsc` has the answers." },
        }),
    );
    cimd2["description"] = json!("What only CIMD2 has.");
    cimd2
}

fn outbind() -> Value {
    let mut outbind = object(
        &["listen", "allow"],
        json!({
            "listen": { "type": "string", "description": "`address:port` to listen on.", "examples": ["0.0.0.0:2776"] },
            "system_id": { "type": "string", "description": "The carrier's, in its outbind." },
            "password": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "The carrier's, in its outbind. Stays when it is left out." },
            "allow": { "type": "array", "minItems": 1, "items": { "type": "string" }, "description": "Networks that the carrier comes from.", "examples": [["192.0.2.0/24"]] },
        }),
    );
    outbind["description"] = json!("Wait for the carrier to connect and ask for the bind (SMPP outbind).");
    outbind
}

fn connector_health() -> Value {
    object(
        &["state", "share", "reason", "error_percent", "delivered_percent"],
        json!({
            "state": { "type": "string", "enum": ["well", "sick", "returning"] },
            "share": { "type": "integer", "minimum": 0, "maximum": 1000, "description": "What it gets of its share in pools, in thousandths." },
            "reason": open_text("Why it is sick."),
            "error_percent": percent("Answers of the last minute that were failures."),
            "delivered_percent": percent("Final receipts of the last quarter of an hour that said `delivered`."),
        }),
    )
}

fn percent(description: &str) -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0, "maximum": 100, "description": description })
}

fn smsc_answers() -> Value {
    let mut answers = object(
        &["at", "answers"],
        json!({
            "at": time(false),
            "answers": { "type": "array", "items": object(&["operation", "parameter", "name", "state", "value", "error"], json!({
                "operation": { "type": "string", "enum": ["set", "get"] },
                "parameter": { "type": "integer", "minimum": 0, "maximum": 999 },
                "name": open_text("What CIMD2 calls it."),
                "state": { "type": "string", "enum": ["answered", "refused", "unanswered"] },
                "value": open_text("What it was set to, or is."),
                "error": open_text("The error code and text of a refusal."),
            })) },
        }),
    );
    answers["description"] =
        json!("What the SMSC has answered to what `cimd2.set` and `cimd2.get` name, at the last login.");
    answers
}

fn connector_status() -> Value {
    let mut status = object(
        &["desired", "state", "sessions", "paused", "queued", "health", "modem", "smsc", "receipt_ids"],
        json!({
            "desired": { "type": "string", "enum": ["running", "draining", "stopped"] },
            "state": { "type": "string", "enum": ["up", "connecting", "down", "stopped"] },
            "sessions": { "type": "array", "items": object(&["session", "state"], json!({
                "session": count(), "state": { "type": "string", "enum": ["connecting", "bound", "down"] },
                "since": time(false), "reason": { "type": "string" }, "retry_at": time(false),
            })) },
            "paused": open_text("Why nothing is sent just now."),
            "queued": { "type": "integer", "minimum": 0, "description": "Messages in its queue." },
            "health": reference("ConnectorHealth"),
            "modem": { "anyOf": [reference("ModemStatus"), { "type": "null" }], "description": "What a modem tells of itself, while it is there." },
            "smsc": nullable(smsc_answers()),
            "receipt_ids": { "type": "object", "description": "How receipts' ids were found to relate to answers' ids, and how often.",
                "additionalProperties": count() },
        }),
    );
    status["description"] = json!("Where the connector stands. Ignored when it is sent.");
    status["readOnly"] = json!(true);
    status
}
