//! `smsc = at`: GSM modems.

use serde_json::{Map, Value};

use super::{Common, add, address, settings};
use crate::commands::import::draft::Draft;
use crate::commands::import::kannel::values;
use crate::commands::import::section::Section;

pub(super) fn connector(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let mut resource = settings(&mut section, common);
    resource.retain(|key, _| !matches!(key.as_str(), "system_id" | "password" | "sessions"));
    let device = section.text("device").unwrap_or_default();
    let address = match device.as_str() {
        // What another machine has behind a port.
        "rawtcp" => format!("tcp://{}", address(&mut section, "")),
        device => device.to_owned(),
    };
    let mut modem = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            modem.insert(key.into(), value);
        }
    };
    set(
        "baud",
        section
            .parsed("speed", |text| u32::try_from(values::integer(text)?).ok().filter(|baud| *baud > 0))
            .map(Value::from),
    );
    set("pin", section.text("pin").map(Value::from));
    set("number", section.text("my-number").map(Value::from));
    set("smsc", section.text("sms-center").map(Value::from));
    resource.insert("protocol".into(), "modem".into());
    resource.insert("address".into(), address.into());
    if !modem.is_empty() {
        resource.insert("modem".into(), Value::Object(modem));
    }
    // What it may be is found out from the modem itself, and its store is looked into in any case.
    section.drop_defaults(&[("modemtype", &["auto"]), ("sim-buffering", &["true", "yes", "1"])]);
    add(section, draft, common, Value::Object(resource), why);
}

fn why(key: &str) -> &'static str {
    match key {
        "modemtype" => "what a modem can do is found out from it; see modem.init for commands of its own",
        "keepalive" => "a modem is asked for its state each minute",
        "sim-buffering" => "the store is always looked into",
        "validityperiod" => "the validity is given with a message",
        "max-error-count" => "a modem that does not answer is reset, and its line opened anew",
        "port" | "speed" | "throughput" | "wait-ack" | "reconnect-delay" => {
            "is no value in the range that a connector has"
        }
        "log-file" | "log-level" => "logs go to standard error; see [log] in postrider.toml",
        "smsc-admin-id" => "a connector has one id",
        "unified-prefix" => "numbers are kept as E.164; set default_country of the accounts",
        key if key.starts_with("reroute") => "incoming messages can't be sent out again without an application",
        "preferred-smsc-id-regex" => "can't be written as routes; the preference is lost",
        _ => "has no counterpart",
    }
}
