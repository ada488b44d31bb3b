//! Schemas of pools and routes, and of what both have: prices.

use model::resources::{
    FAILOVER_SECONDS, FORWARD_MAX, INGRESSES, POOL_MEMBERS_MAX, PREFIX_MAX, REPLY_LIMIT_MAX, TEXT_APPEND_MAX,
    WEIGHT_MAX,
};
use serde_json::{Map, Value, json};

use super::super::replay;
use super::account_schemas::country_codes;
use super::resource_schemas::{enabled, name, names, nullable, number, open_text, order, words};
use super::schemas::{sender, time};
use super::{group_schemas, object, reference};

pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add("Pool", pool());
    add("Route", route());
    add("PriceList", price_list());
    add("ReplayRequest", replay_request());
    add("Replay", replay_report());
    add("AddressRewrite", address_rewrite());
    add(
        "Money",
        object(
            &["amount", "currency"],
            json!({
        "amount": { "type": "string", "description": "An exact decimal.", "examples": ["0.07"] }, "currency": { "type": "string", "examples": ["EUR"] } }),
        ),
    );
    all
}

/// A price list, or none.
pub(super) fn prices(description: &str) -> Value {
    json!({ "anyOf": [reference("PriceList"), { "type": "null" }], "description": description })
}

/// The answer of `explain`.
pub(super) fn explanation() -> Value {
    let text = || json!({ "type": "string" });
    let route = object(
        &["route", "action", "matches"],
        json!({
            "route": text(), "action": text(), "matches": { "type": "boolean" },
            "against": { "type": "string", "description": "The field that stood against the message.", "examples": ["match.to_prefix"] },
            "wanted": { "description": "What that field wants." },
        }),
    );
    let connector = object(
        &["connector", "usable", "health", "queued", "wait_seconds"],
        json!({
            "connector": text(), "usable": { "type": "boolean", "description": "It takes messages now." },
            "health": reference("ConnectorHealth"),
            "queued": { "type": "integer", "minimum": 0 },
            "wait_seconds": { "type": ["number", "null"], "minimum": 0, "description": "How long the message would wait there, as far as that can be told." },
            "weight": { "type": "integer", "minimum": 0 }, "priority": { "type": "integer", "minimum": 0 },
            "cost": reference("Money"),
        }),
    );
    let policy = object(
        &["account", "outcome", "milliseconds", "detail"],
        json!({
            "account": { "type": "string", "description": "Whose service it is." },
            "outcome": { "type": "string", "enum": ["not_asked", "allowed", "rejected", "cached", "failed", "skipped", "crowded"] },
            "milliseconds": { "type": ["number", "null"], "minimum": 0, "description": "How long it took." },
            "detail": open_text("What it decided, or why it gave no answer that can be used."),
        }),
    );
    object(
        &[
            "account",
            "outcome",
            "policy",
            "routes",
            "connectors",
            "due_at",
            "quiet_hours_of",
            "paced_until",
            "message",
            "copies",
            "problem",
        ],
        json!({
            "account": text(),
            "policy": { "anyOf": [policy, { "type": "null" }], "description": "What the account's policy service says." },
            "outcome": { "type": "string", "enum": ["send", "drop", "refuse"] },
            "routes": { "type": "array", "items": route, "description": "Those that were looked at, in order; the last that matches decides." },
            "connectors": { "type": "array", "items": connector, "description": "In the order in which they are tried." },
            "due_at": { "type": ["string", "null"], "format": "date-time", "description": "When it would be sent at the earliest." },
            "quiet_hours_of": { "type": "array", "items": text(), "description": "The time zones by whose clocks quiet hours make it wait, or be refused." },
            "paced_until": { "type": ["string", "null"], "format": "date-time", "description": "When the paces of its sender and recipient would let it go, if not at once." },
            "message": { "anyOf": [reference("Message"), { "type": "null" }], "description": "As it would be kept; its id is of no message." },
            "copies": { "type": "array", "items": reference("Message") },
            "problem": { "anyOf": [reference("Problem"), { "type": "null" }], "description": "What the application would be told." },
        }),
    )
}

fn replay_request() -> Value {
    let whole = |most: u64, default: u64| json!({ "type": ["integer", "null"], "minimum": 0, "maximum": most, "default": default });
    object(
        &["routes"],
        json!({
            "routes": { "type": "array", "items": reference("Route"), "description": "The draft: all routes, in place of those that are in force." },
            "pools": { "type": ["array", "null"], "items": reference("Pool"), "description": "All pools; those that are in force if it is left out." },
            "since": time(true), "until": time(true),
            "limit": whole(replay::LIMIT_MAX, replay::LIMIT), "differences": whole(replay::DIFFERENCES_MAX, replay::DIFFERENCES),
        }),
    )
}

fn replay_report() -> Value {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "minimum": 0 });
    let counts = || json!({ "type": "array", "items": object(&["id", "before", "after"], json!({ "id": text(), "before": number(), "after": number() })) });
    let side = || {
        object(
            &["outcome", "route", "connectors", "price", "sent_to", "sent_from"],
            json!({
                "outcome": { "type": "string", "enum": ["send", "drop", "reject", "unfit", "no_route"] },
                "route": { "type": ["string", "null"] }, "connectors": { "type": "array", "items": text() },
                "price": { "anyOf": [reference("Money"), { "type": "null" }] }, "sent_to": text(), "sent_from": text(),
            }),
        )
    };
    object(
        &[
            "messages",
            "changed",
            "passed_over",
            "complete",
            "outcomes",
            "connectors",
            "routes",
            "prices",
            "differences",
        ],
        json!({
            "messages": number(), "changed": number(),
            "passed_over": { "type": "integer", "minimum": 0, "description": "Messages without a route: they named their connector themselves." },
            "complete": { "type": "boolean", "description": "Every message of the period was looked at." },
            "outcomes": counts(), "connectors": counts(), "routes": counts(),
            "prices": { "type": "array", "items": object(&["currency", "before", "after"], json!({ "currency": text(), "before": text(), "after": text() })) },
            "differences": { "type": "array", "items": object(&["id", "to", "from", "before", "after"],
                json!({ "id": text(), "to": text(), "from": text(), "before": side(), "after": side() })) },
        }),
    )
}

fn pool() -> Value {
    let member = object(
        &["connector"],
        json!({
            "connector": { "type": "string" },
            "weight": number(0, WEIGHT_MAX.into(), 1),
            "priority": { "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0,
                "description": "Lowest first: the others are for when none of it is well." },
            "cost": prices("What the carrier takes for a part; the connector's own if it is left out."),
        }),
    );
    object(
        &["id", "members"],
        json!({
            "id": name(),
            "strategy": words(&["weighted", "round-robin", "least-busy", "least-cost", "failover"]),
            "members": { "type": "array", "minItems": 1, "maxItems": POOL_MEMBERS_MAX, "items": member },
            "sticky": { "enum": ["to", "from", null],
                "description": "Messages to one recipient, or from one sender, keep to one connector while it is well." },
            "failover_after": failover_after(),
            "pass_on_refused": { "type": "boolean", "default": false,
                "description": "A message that one carrier refuses for good goes on to the next." },
        }),
    )
}

fn failover_after() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX,
        "description": format!("Seconds that a connector is down or sick before what waits for it moves to the next; \
            {FAILOVER_SECONDS} if nobody says.") })
}

fn price_list() -> Value {
    let amount = || json!({ "type": ["string", "integer"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)?$", "examples": ["0.035"] });
    let mut default = amount();
    default["type"] = json!(["string", "integer", "null"]);
    object(
        &["currency"],
        json!({
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"] },
            "default": default,
            "prefixes": { "type": "object", "propertyNames": { "pattern": prefix_pattern() }, "additionalProperties": amount(),
                "description": "By the digits that the recipient's number begins with; the longest that fits decides." },
        }),
    )
}

fn route() -> Value {
    let mut route = object(
        &["id"],
        json!({
            "id": name(), "order": order(),
            "match": route_match(),
            "to": { "type": ["string", "null"], "description": "The connector or pool that takes the messages." },
            "action": words(&["send", "reject", "drop", "copy"]),
            "reason": open_text("With `reject`: what the application is told."),
            "rewrite": { "anyOf": [rewrite(), { "type": "null" }] },
            "price": prices("With `send`: what the account pays for a part."),
            "failover_after": failover_after(),
            "enabled": enabled(),
        }),
    );
    let none = || json!({ "type": "null" });
    let sends = |action: &str, price: Value| json!({ "to": { "type": "string" }, "action": { "const": action }, "reason": none(), "price": price });
    let stops = |action: &str, reason: Value| json!({ "to": none(), "action": { "const": action }, "reason": reason, "rewrite": none(), "price": none(), "failover_after": none() });
    route["anyOf"] = json!([
        { "required": ["to"], "properties": sends("send", json!({})) },
        { "required": ["to", "action"], "properties": sends("copy", none()) },
        { "required": ["action"], "properties": stops("reject", json!({})) },
        { "required": ["action"], "properties": stops("drop", none()) },
    ]);
    route
}

/// What `explain-inbound` is asked.
pub(super) fn inbound_question() -> Value {
    object(
        &["from", "to"],
        json!({
            "connector": { "type": ["string", "null"], "description": "The connector that it would come over; without one, rules that name connectors don't match." },
            "from": { "anyOf": sender(), "description": "The phone." },
            "to": { "anyOf": sender(), "description": "The number that it would be sent to." },
            "text": { "type": ["string", "null"], "maxLength": 10_000, "description": "Without one it is no text." },
        }),
    )
}

/// The answer of `explain-inbound`.
pub(super) fn inbound_explanation() -> Value {
    let text = || json!({ "type": "string" });
    let rule = object(
        &["rule", "matches"],
        json!({
            "rule": text(), "matches": { "type": "boolean" },
            "against": { "type": "string", "description": "The field that stood against the message.", "examples": ["match.keyword"] },
            "wanted": { "description": "What that field wants." },
        }),
    );
    let response = object(
        &["action", "to", "text", "outcome", "reason", "message", "problem"],
        json!({
            "action": { "type": "string", "enum": ["reply", "forward"] },
            "to": text(),
            "text": open_text("The text as it is filled in."),
            "outcome": { "type": "string", "enum": ["send", "drop", "refuse", "hold_back"] },
            "reason": open_text("With `hold_back`: why."),
            "message": { "anyOf": [reference("Message"), { "type": "null" }], "description": "As it would be kept; its id is of no message." },
            "problem": { "anyOf": [reference("Problem"), { "type": "null" }], "description": "Why it would be refused." },
        }),
    );
    let delivery = object(
        &["endpoint", "style"],
        json!({ "endpoint": text(), "style": { "type": "string", "enum": ["webhook", "kannel", "jasmin", "jasmin-get"] } }),
    );
    object(
        &["outcome", "rules", "rule", "account", "word", "deliveries", "answers", "responses", "group"],
        json!({
            "outcome": { "type": "string", "enum": ["take", "none"] },
            "rules": { "type": "array", "items": rule, "description": "Those that were looked at, in order; the last that matches takes it." },
            "rule": open_text("The rule that takes it."),
            "account": open_text("The account that gets it."),
            "word": { "enum": ["stop", "start", "help", null], "description": "The word of opting out that it is." },
            "deliveries": { "type": "array", "items": delivery, "description": "Where `message.received` goes: webhooks, the rule's own (`rule:ID`), and `smpp:ACCOUNT`, `ucp:ACCOUNT` and `cimd2:ACCOUNT`." },
            "answers": { "type": "boolean", "description": "What the rule's webhook answers goes back to the phone." },
            "responses": { "type": "array", "items": response, "description": "What is sent because of it." },
            "group": { "anyOf": [group_schemas::explained(), { "type": "null" }], "description": "What is done with a group." },
        }),
    )
}

/// What becomes of messages from phones.
pub(super) fn inbound() -> Value {
    let placeholders = "`{from}`, `{to}`, `{keyword}`, `{text}`, `{rest}`, `{date}` and `{time}` are filled in; `{{` and `}}` are braces.";
    let written = |what: &str| json!({ "type": ["string", "null"], "maxLength": 1600, "description": format!("{what} {placeholders}") });
    let mut rule = object(
        &["id", "account"],
        json!({
            "id": name(), "order": order(),
            "match": object(&[], json!({
                "connector": names(), "to": names(), "from": names(), "from_prefix": names(),
                "keyword": { "type": "array", "items": { "type": "string" }, "description": "First words of the text, in any case and language." },
                "text": open_text("A regular expression that the text holds a match of."),
            })),
            "account": { "type": "string", "description": "The account that gets the messages, and that answers are sent as and charged to." },
            "deliver": { "type": "array", "items": { "type": "string", "enum": ["webhook", "smpp", "ucp", "cimd2"] },
                "description": "How the account takes them; every way that it has if it is left out." },
            "webhook": { "anyOf": [reference("RuleWebhook"), { "type": "null" }],
                "description": "Where they go instead of the account's webhooks, as `message.received`." },
            "reply": written("A text that answers them."),
            "reply_limit": { "type": ["integer", "null"], "minimum": 1, "maximum": REPLY_LIMIT_MAX,
                "description": "Answers that one phone gets in ten minutes; 3 if it is left out." },
            "forward": { "type": "array", "maxItems": FORWARD_MAX, "items": { "type": "string" },
                "description": "Numbers that they are sent on to, with their country codes." },
            "forward_text": written("The text that is sent on, to numbers or a group, instead of the one that came."),
            "group": { "anyOf": [reference("InboundGroup"), { "type": "null" }],
                "description": "What is done with a list of phones; `reply` is sent when it was done." },
            "enabled": enabled(),
        }),
    );
    rule["allOf"] = json!([
        { "anyOf": [
            { "properties": { "webhook": { "type": "null" } } },
            { "properties": { "deliver": { "anyOf": [{ "maxItems": 0 }, { "contains": { "const": "webhook" } }] } } },
        ] },
        { "anyOf": [
            { "required": ["reply"], "properties": { "reply": { "type": "string" } } },
            { "required": ["webhook"], "properties": { "webhook": { "type": "object" } } },
            { "properties": { "reply_limit": { "type": "null" } } },
        ] },
        { "anyOf": [
            { "required": ["forward"], "properties": { "forward": { "minItems": 1 } } },
            { "required": ["group"], "properties": { "group": { "type": "object",
                "properties": { "action": { "const": "forward" } } } } },
            { "properties": { "forward_text": { "type": "null" } } },
        ] },
    ]);
    rule
}

/// A day of the week.
pub(super) fn day() -> Value {
    json!({ "type": "string", "enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] })
}

fn route_match() -> Value {
    let time = || json!({ "type": ["string", "null"], "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$" });
    let window = object(
        &[],
        json!({
            "days": { "type": "array", "items": day() },
            "from": time(), "to": time(),
            "zone": { "type": ["string", "null"], "description": "IANA time zone; UTC if it is left out.", "examples": ["Europe/London"] },
        }),
    );
    let parts = || json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u16::MAX });
    let regex = |of: &str| open_text(&format!("A regular expression that the {of} holds a match of."));
    object(
        &[],
        json!({
            "to_prefix": { "type": "array", "items": { "type": "string", "pattern": prefix_pattern() },
                "description": "Digits that the recipient's number begins with, without +." },
            "to_country": { "type": "array", "items": { "type": "string", "pattern": country_codes() },
                "description": "ISO 3166-1 alpha-2." },
            "network": { "type": "array", "items": { "type": "string", "pattern": "^[0-9]{5,6}$" }, "examples": [["26201"]],
                "description": "Networks of the recipient, MCC and MNC, as the account's policy service tells them." },
            "account": names(),
            "ingress": { "type": "array", "items": { "type": "string", "enum": INGRESSES } },
            "from": names(), "from_prefix": names(), "from_regex": regex("sender"),
            "priority": { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 3 } },
            "encoding": { "type": "array", "items": { "type": "string", "enum": ["gsm7", "ucs2", "latin1", "binary"] } },
            "parts": nullable(object(&[], json!({ "min": parts(), "max": parts() }))),
            "tags": { "type": "object", "additionalProperties": names(), "description": "Keys with the values that match; an empty list is any value." },
            "time": { "type": "array", "items": window, "description": "When the message is due." },
            "text": regex("text"),
        }),
    )
}

fn rewrite() -> Value {
    let change = || json!({ "anyOf": [reference("AddressRewrite"), { "type": "null" }] });
    object(
        &[],
        json!({ "from": change(), "to": change(), "text_append": { "type": ["string", "null"], "maxLength": TEXT_APPEND_MAX } }),
    )
}

fn address_rewrite() -> Value {
    let mut rewrite = object(
        &[],
        json!({
            "force": open_text("This address, whatever it was."),
            "random": { "type": "array", "items": { "type": "string" }, "description": "One of these, at random." },
            "replace": open_text("A regular expression whose first match is replaced by `with`."),
            "with": open_text("What replaces it: `$1` is the first group."),
            "strip_prefix": open_text("Taken off the front if it stands there."),
            "add_prefix": open_text("Put in front."),
            "alphanumeric": { "type": "object", "additionalProperties": { "type": "string" },
                "description": "Senders only: what replaces a name, by the recipient's country; `*` is every other." },
        }),
    );
    rewrite["description"] = json!("How an address is changed, in digits without +; the steps follow one another.");
    rewrite
}

fn prefix_pattern() -> String {
    format!("^[0-9]{{1,{PREFIX_MAX}}}$")
}
