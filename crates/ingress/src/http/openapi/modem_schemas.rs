//! Schemas of connectors that are modems.

use serde_json::{Map, Value, json};

use super::resource_schemas::{number, words};
use super::{object, reference};

pub(super) fn all() -> Map<String, Value> {
    let ask = object(
        &["code"],
        json!({ "code": { "type": "string", "minLength": 1, "maxLength": 182, "pattern": "^[0-9A-Za-z*#+ ]+$", "examples": ["*100#"],
            "description": "The code, or the reply to what the network has asked." } }),
    );
    let states = ["done", "reply_expected", "ended", "not_supported", "timed_out"];
    let answer = object(
        &["state", "text"],
        json!({ "state": { "type": "string", "enum": states }, "text": { "type": "string" } }),
    );
    [("UssdAsk", ask), ("UssdAnswer", answer), ("ModemStatus", status())]
        .map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}

fn status() -> Value {
    let text = || json!({ "type": ["string", "null"] });
    let fields = [
        "maker",
        "model",
        "revision",
        "imei",
        "number",
        "operator",
        "registration",
        "signal_dbm",
        "smsc",
        "stored",
        "places",
        "pdu_mode",
    ];
    object(
        &fields,
        json!({
            "maker": text(), "model": text(), "revision": text(), "imei": text(), "smsc": text(),
            "number": { "type": ["string", "null"], "description": "The SIM's own, if it knows it." },
            "operator": { "type": ["string", "null"], "description": "The network." },
            "registration": { "type": "string", "enum": ["not registered", "home", "searching", "denied", "unknown", "roaming"] },
            "signal_dbm": { "type": ["integer", "null"], "description": "Signal strength: -113 is very weak, -51 very strong." },
            "stored": { "type": ["integer", "null"], "minimum": 0, "description": "Messages in its store." },
            "places": { "type": ["integer", "null"], "minimum": 0, "description": "How many it has room for." },
            "pdu_mode": { "type": "boolean" },
        }),
    )
}

/// What only modems have.
pub(super) fn modem() -> Value {
    let limit =
        |what: &str| json!({ "type": ["integer", "null"], "minimum": 1, "maximum": u32::MAX, "description": what });
    let commands = |what: &str, default: Value| {
        let command = json!({ "type": "string", "maxLength": 200, "pattern": "^[Aa][Tt][ -~]*$" });
        json!({ "type": "array", "maxItems": 20, "items": command, "default": default, "description": what })
    };
    let number = |what: &str| json!({ "type": "string", "pattern": "^(\\+?[0-9]{1,20})?$", "description": what });
    let mut modem = object(
        &[],
        json!({
            "baud": number_with(300, 4_000_000, 115_200, "Speed of a serial port."),
            "flow_control": words(&["none", "hardware", "software"]),
            "imei": { "type": "string", "pattern": "^[0-9]{0,16}$", "description": "The modem that is meant. With `*` in the address it is searched for." },
            "pin": { "anyOf": [reference("Secret"), { "type": "null" }], "description": "The SIM's PIN. Stays when it is left out." },
            "number": number("The SIM's own number: what messages to it are to. Asked from the SIM otherwise."),
            "smsc": number("The SMSC's address; the SIM's own otherwise."),
            "init": commands("Further commands at each start, before the gateway's own about messages.", json!([])),
            "init_last": commands("Further commands at each start, after the gateway's own: they have the last word.", json!([])),
            "mode": words(&["auto", "pdu", "text"]),
            "storage": { "type": "string", "pattern": "^[A-Za-z0-9_]{0,4}$", "description": "Where incoming messages are read from, such as `SM`." },
            "poll_seconds": number_with(1, 86_400, 30, "Between looks into the store."),
            "calls": words(&["reject", "report", "ignore"]),
            "reset": commands("What resets a modem that does not answer.", json!(["AT+CFUN=1,1"])),
            "boot_seconds": number_with(1, 600, 20, "How long a reset takes."),
            "registration_seconds": number_with(5, 3600, 120, "How long SIM and network may take to let it in."),
            "gap_ms": number_with(0, 10_000, 0, "Silence between commands, for slow phones."),
            "limits": object(&[], json!({
                "per_hour": limit("Parts in any 60 minutes."),
                "per_day": limit("Parts in any 24 hours."),
                "per_month": limit("Parts in a calendar month, UTC."),
                "recipients_per_day": limit("Different recipients in any 24 hours."),
            })),
        }),
    );
    modem["description"] = json!("What only GSM modems have.");
    modem
}

fn number_with(least: u64, most: u64, default: u64, description: &str) -> Value {
    let mut number = number(least, most, default);
    number["description"] = json!(description);
    number
}
