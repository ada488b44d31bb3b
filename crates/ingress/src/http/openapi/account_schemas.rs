//! Schemas of accounts, their limits and their money.

use std::collections::BTreeMap;

use model::resources::{
    LIMIT_LIST_MAX, OPT_OUT_REPLY_MAX, OPT_OUT_WORD_MAX, OPT_OUT_WORDS_MAX, PACE_COUNT_MAX, PACE_SECONDS_MAX,
    RECIPIENT_ZONE, SHARE_MAX,
};
use serde_json::{Map, Value, json};

use super::resource_schemas::{enabled, name, nullable, number, open_text};
use super::rule_schemas::day;
use super::schemas::{count, recipient, sender, time};
use super::{object, reference, rule_schemas};

const SUM: &str = "^-?[0-9]+(\\.[0-9]+)?$";

pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add("Account", account());
    add("SenderRule", sender_rule());
    add("OptOutWords", opt_out_words());
    add("OptOut", opt_out());
    add("NewOptOut", new_opt_out());
    add("QuietHours", quiet_hours());
    add("Pace", pace_itself());
    let quota =
        object(&["limit", "used", "resets_at"], json!({ "limit": count(), "used": count(), "resets_at": time(false) }));
    add(
        "Usage",
        object(
            &["account", "balance", "daily", "monthly"],
            json!({ "account": { "type": "string" }, "balance": nullable(balance()), "daily": nullable(quota.clone()), "monthly": nullable(quota) }),
        ),
    );
    add(
        "LedgerEntry",
        object(
            &["id", "at", "kind", "amount", "currency", "message", "note"],
            json!({
                "id": { "type": "string", "format": "uuid" }, "at": time(false),
                "kind": { "type": "string", "enum": ["charge", "refund", "credit"] },
                "amount": { "type": "string", "pattern": SUM, "description": "Below zero for what was taken." },
                "currency": nullable(currency()),
                "message": { "type": ["string", "null"], "format": "uuid", "description": "The message that it is for. A charge or refund without one stands for all of its kind of a day that is long over." },
                "note": open_text("What the operator wrote."),
            }),
        ),
    );
    add(
        "Credit",
        object(
            &["amount"],
            json!({
                "amount": { "type": "string", "pattern": "^-?[0-9]{1,9}(\\.[0-9]{1,6})?$", "examples": ["50.00"],
                    "description": "How much, not 0; below zero takes money out." },
                "note": { "type": ["string", "null"], "maxLength": 200 },
            }),
        ),
    );
    all
}

fn opt_out_words() -> Value {
    let words = |what: &str| {
        json!({ "type": "array", "maxItems": OPT_OUT_WORDS_MAX, "description": what,
        "items": { "type": "string", "minLength": 1, "maxLength": OPT_OUT_WORD_MAX } })
    };
    let reply = |what: &str| json!({ "type": ["string", "null"], "maxLength": OPT_OUT_REPLY_MAX, "description": what });
    object(
        &[],
        json!({
            "stop": words("Texts that opt out; if there are none, STOP and its like in several languages."),
            "start": words("Texts that opt in again; if there are none, START, UNSTOP and YES."),
            "help": words("Texts that ask for help; if there are none, HELP, INFO and their like. Looked at only with a `help_reply`."),
            "stop_reply": reply("What a phone that opted out is told; nothing if it is empty."),
            "start_reply": reply("What a phone that opted in again is told; nothing if it is empty."),
            "help_reply": reply("What a phone that asks for help is told."),
            "scope": { "type": "string", "enum": ["account", "number"], "default": "account",
                "description": "From whom a phone that opts out gets nothing more: any sender of the account, or the number that it wrote to." },
        }),
    )
}

fn quiet_hours() -> Value {
    let time = |what: &str| {
        json!({ "type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", "examples": ["21:00"],
            "description": what })
    };
    let days = |what: &str| json!({ "type": "array", "items": day(), "description": what });
    object(
        &["from", "to"],
        json!({
            "from": time("When they begin."),
            "to": time("When they end; at or before `from` it is that time on the next day."),
            "days": days("Days on which they begin; empty is every day."),
            "quiet_days": days("Days that are quiet from midnight to midnight, besides those hours."),
            "time_zone": { "type": ["string", "null"], "examples": ["Europe/London"], "default": RECIPIENT_ZONE,
                "description": "`recipient` for the clock of the recipient's country, or an IANA time zone." },
            "action": { "type": "string", "enum": ["delay", "reject"], "default": "delay",
                "description": "What becomes of a message that comes in them." },
            "exempt_priority": { "type": ["integer", "null"], "minimum": 0, "maximum": 3,
                "description": "Messages of this priority or a higher one go at any time." },
            "may_ignore": { "type": "boolean", "default": false, "description": "Messages may say `ignore_quiet_hours`." },
        }),
    )
}

/// The pace of an account or a connector.
pub(super) fn pace(description: &str) -> Value {
    json!({ "anyOf": [reference("Pace"), { "type": "null" }], "description": description })
}

fn pace_itself() -> Value {
    let rate = |what: &str| {
        let whole = |most: u32| json!({ "type": "integer", "minimum": 1, "maximum": most });
        nullable(object(&[what, "seconds"], json!({ what: whole(PACE_COUNT_MAX), "seconds": whole(PACE_SECONDS_MAX) })))
    };
    let mut pace = object(&[], json!({ "per_sender": rate("parts"), "per_recipient": rate("messages") }));
    pace["description"] = json!("So many in so many seconds, evenly. What comes faster waits for its turn.");
    pace
}

fn opt_out() -> Value {
    object(
        &["id", "account", "phone", "sender", "message", "created_at"],
        json!({
            "id": { "type": "string", "format": "uuid" },
            "account": { "type": "string" },
            "phone": { "type": "string" },
            "sender": { "type": ["string", "null"], "description": "`null` is every sender of the account." },
            "message": { "type": ["string", "null"], "format": "uuid", "description": "The message from the phone that said so." },
            "created_at": time(false),
        }),
    )
}

fn new_opt_out() -> Value {
    let mut from = sender();
    from.push(json!({ "type": "null" }));
    object(
        &["phone"],
        json!({
            "phone": recipient(),
            "sender": { "anyOf": from, "description": "The sender that it wants nothing from; every sender of the account if it is left out." },
        }),
    )
}

fn amount(description: &str) -> Value {
    json!({ "description": description, "anyOf": [
        { "type": "string", "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?$" },
        { "type": "integer", "minimum": 0, "maximum": 999_999_999_999_u64 },
    ] })
}

fn currency() -> Value {
    json!({ "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"], "description": "ISO 4217." })
}

fn parts(description: &str) -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0, "description": description })
}

fn prepaid() -> Value {
    let mut prepaid = object(
        &["currency"],
        json!({
            "currency": currency(),
            "overdraft": amount("How far below zero the balance may go; default not at all."),
            "warn_below": { "anyOf": [amount("The event account.balance_low comes when the balance falls below this."), { "type": "null" }] },
            "refund_rejected": { "type": "boolean", "default": false, "description": "Parts that the carrier refused are given back, too." },
        }),
    );
    prepaid["description"] =
        json!("It pays from a balance, before anything is sent. Its price is in the same currency.");
    prepaid
}

fn balance() -> Value {
    let mut balance = object(
        &["amount", "currency"],
        json!({ "amount": { "type": "string", "pattern": SUM }, "currency": currency() }),
    );
    balance["description"] = json!("What a prepaid account has. Ignored when it is sent.");
    balance["readOnly"] = json!(true);
    balance
}

fn binds() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let number = |about: &str| json!({ "type": "integer", "minimum": 0, "description": about });
    let bind = object(
        &[
            "session",
            "protocol",
            "mode",
            "remote",
            "tls",
            "since",
            "window",
            "unanswered_in",
            "unanswered_out",
            "messages_in",
            "messages_out",
        ],
        json!({
            "session": number("Its number, as the log has it."),
            "protocol": { "type": "string", "enum": ["smpp", "ucp", "cimd2"] },
            "mode": { "type": "string", "enum": ["transmitter", "receiver", "transceiver"], "description": "Sessions of UCP and CIMD2 are transceivers." },
            "version": { "type": "string", "enum": ["3.3", "3.4", "5.0"], "description": "Of SMPP alone." },
            "remote": text("Where it comes from: address and port."),
            "tls": { "type": "boolean" },
            "since": time(false),
            "window": number("Requests that may be unanswered in each direction."),
            "unanswered_in": number("Its requests that are not answered yet."),
            "unanswered_out": number("Receipts and messages that it has not answered yet."),
            "messages_in": number("Messages that were accepted over it."),
            "messages_out": number("Receipts and messages that it has taken."),
        }),
    );
    json!({ "type": "array", "items": bind, "readOnly": true,
        "description": "Its sessions at the SMPP, UCP and CIMD2 servers now, where one account with a login for them is asked for. Ignored when it is sent." })
}

fn account() -> Value {
    let mut default_sender = sender();
    default_sender.push(json!({ "type": "null" }));
    object(
        &["id"],
        json!({
            "id": name(),
            "name": open_text("A name for people."),
            "parent": { "type": ["string", "null"], "description": "The account above it: its limits hold too, this one is disabled while that one is, it pays where this one does not, and its tokens may act for this one." },
            "enabled": enabled(),
            "api_token": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "Kept as a hash only; stays when it is left out." },
            "api_token_sha256": { "type": ["string", "null"], "pattern": "^[0-9A-Fa-f]{64}$" },
            "default_sender": { "anyOf": default_sender, "description": "The sender of messages that name none." },
            "default_country": { "type": ["string", "null"], "pattern": country_codes(), "examples": ["GB"],
                "description": "ISO 3166-1 alpha-2: the country whose way of writing numbers is understood." },
            "default_validity_seconds": { "type": ["integer", "null"], "minimum": 0 },
            "may_choose_connector": { "type": "boolean", "default": false },
            "languages": { "type": "array", "items": { "type": "string", "enum": sms::Language::ALL.map(sms::Language::name) } },
            "allowed_senders": { "type": "array", "maxItems": LIMIT_LIST_MAX, "items": reference("SenderRule"), "description": "Senders that it may use; empty is any." },
            "allowed_countries": countries("Countries that it may send to; empty is all."),
            "denied_countries": countries("Countries that it may not send to."),
            "throughput": { "type": ["integer", "null"], "minimum": 1, "maximum": 4_294_967_295u32,
                "description": "Parts a second that it may hand in, with a burst of one second's worth." },
            "priority_share": { "type": ["integer", "null"], "minimum": 1, "maximum": SHARE_MAX,
                "description": "What it gets of a busy connector, measured against other accounts; default 1." },
            "max_queue": { "type": ["integer", "null"], "minimum": 1,
                "description": "Messages of it, and of the accounts below it, that may be queued at a time, scheduled ones among them; default any number." },
            "queued": { "type": "integer", "readOnly": true, "minimum": 0,
                "description": "How many messages of it, and of the accounts below it, are queued now, scheduled ones among them, where one account is shown." },
            "quota": nullable(object(&[], json!({ "daily": parts("From midnight to midnight."), "monthly": parts("From the first of a month to the next.") }))),
            "time_zone": { "type": ["string", "null"], "examples": ["Europe/London"], "description": "The clock of its days and months; default UTC." },
            "quiet_hours": { "anyOf": [reference("QuietHours"), { "type": "null" }], "description": "Hours in which nothing of it goes out." },
            "pace": pace("How far apart messages of one of its senders, and to one recipient, go."),
            "price": rule_schemas::prices("What a part costs, where the route has no price."),
            "prepaid": nullable(prepaid()),
            "balance": nullable(balance()),
            "binds": binds(),
            "opt_out": { "anyOf": [reference("OptOutWords"), { "type": "null" }], "description": "What phones may write to hear nothing more; without, such words are messages like any other." },
            "policy": { "anyOf": [reference("PolicyHook"), { "type": "null" }], "description": "A service that is asked about its messages, and those of accounts below it, before they are routed." },
            "compat": nullable(object(&["username"], json!({
                "username": { "type": "string", "minLength": 1, "maxLength": 64, "description": "Differs over all accounts." },
                "password": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "Stays when it is left out." },
            }))),
            "smpp": { "anyOf": [reference("SmppLogin"), { "type": "null" }], "description": "How it binds to the SMPP server; without, it can't." },
            "ucp": { "anyOf": [reference("UcpLogin"), { "type": "null" }], "description": "How it logs in to the UCP server; without, it can't." },
            "cimd2": { "anyOf": [reference("Cimd2Login"), { "type": "null" }], "description": "How it logs in to the CIMD2 server; without, it can't." },
            "mqtt": { "anyOf": [reference("MqttBridge"), { "type": "null" }], "description": "Its bridge to an MQTT broker." },
            "webhooks": { "type": "array", "items": reference("AccountWebhook") },
        }),
    )
}

pub(super) fn mqtt_bridge() -> Value {
    let path = || json!({ "type": ["string", "null"], "description": "PEM file." });
    let mut bridge = object(
        &["url"],
        json!({
            "url": { "type": "string", "pattern": "^mqtts?://(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?/?$", "examples": ["mqtts://broker.example"],
                "description": "With `mqtts` by TLS; the ports are 1883 and 8883 if they are left out." },
            "username": { "type": ["string", "null"], "minLength": 1, "maxLength": 256, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$" },
            "password": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "Stays when it is left out." },
            "client_id": { "type": ["string", "null"], "minLength": 1, "maxLength": 64, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$", "description": "Default `postrider-` and the account's id." },
            "topic": { "type": ["string", "null"], "minLength": 1, "maxLength": 200, "description": "What all topics are below; default `postrider/` and the account's id.",
                "pattern": "^[^$/+#\\x00-\\x1f\\x7f-\\x9f]([^+#\\x00-\\x1f\\x7f-\\x9f]*[^/+#\\x00-\\x1f\\x7f-\\x9f])?$" },
            "events": { "type": "array", "items": { "type": "string" }, "description": "Events that are published; none named is `message.*`." },
            "window": number(1, 1000, 64),
            "keep_alive_seconds": number(5, 3600, 30),
            "tls": nullable(object(&[], json!({ "ca": path(), "cert": path(), "key": path() }))),
        }),
    );
    bridge["description"] = json!(
        "The gateway connects to this broker, takes messages from `TOPIC/send` and publishes events at `TOPIC/events/EVENT`."
    );
    bridge
}

fn countries(description: &str) -> Value {
    json!({ "type": "array", "maxItems": LIMIT_LIST_MAX, "items": { "type": "string", "pattern": country_codes() }, "description": description })
}

fn sender_rule() -> Value {
    let family = |field: &str, schema: Value| object(&[field], json!({ field: schema }));
    let mut forms = sender();
    forms.push(family(
        "prefix",
        json!({ "type": "string", "pattern": "^[^+]", "description": "What the sender begins with, without +." }),
    ));
    forms.push(family("regex", json!({ "type": "string", "maxLength": 1000, "format": "regex", "description": "Found in the sender, without +." })));
    forms.push(family("type", json!({ "type": "string", "enum": ["numeric", "alphanumeric"] })));
    json!({ "anyOf": forms, "description": "One sender, or a family of senders." })
}

/// The codes of all countries, in either case.
pub(super) fn country_codes() -> String {
    let mut seconds: BTreeMap<char, String> = BTreeMap::new();
    for country in model::country::all() {
        let mut letters = country.iso.chars();
        if let (Some(first), Some(second)) = (letters.next(), letters.next()) {
            seconds.entry(first).or_default().extend([second, second.to_ascii_lowercase()]);
        }
    }
    let letters = seconds.iter().map(|(first, seconds)| format!("[{first}{}][{seconds}]", first.to_ascii_lowercase()));
    format!("^({})$", letters.collect::<Vec<_>>().join("|"))
}
