//! `smsc = cimd2`.

use serde_json::{Value, json};

use super::{Common, add, address, between, settings};
use crate::commands::import::draft::Draft;
use crate::commands::import::kannel::values;
use crate::commands::import::section::Section;

pub(super) fn connector(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let address = address(&mut section, "cimd2s://");
    let mut resource = settings(&mut section, common);
    resource.insert("protocol".into(), "cimd2".into());
    resource.insert("address".into(), address.into());
    // Kannel has one message under way at a time, and says nothing of a window.
    resource.insert("window".into(), 1.into());
    if let Some(seconds) = section.parsed("keepalive", |text| between(values::integer(text)?, 1, 86_400)) {
        resource.insert("enquire_link_seconds".into(), seconds.into());
    }
    match section.text("my-number").as_deref() {
        Some("never") => drop(resource.insert("cimd2".into(), json!({ "originator": false }))),
        Some("") | None => {}
        Some(number) => drop(resource.insert("cimd2".into(), json!({ "own_number": number }))),
    }
    add(section, draft, common, Value::Object(resource), why);
}

fn why(key: &str) -> &'static str {
    match key {
        "our-host" | "our-port" => "the system chooses the local address",
        "wait-ack-expire" => "see in_doubt: parts without an answer are sent again by default",
        "keepalive" | "port" | "instances" | "throughput" | "wait-ack" | "reconnect-delay" => {
            "is no value in the range that a connector has"
        }
        "no-dlr" => "whether a receipt is wanted is given with a message",
        "log-file" | "log-level" => "logs go to standard error; see [log] in postrider.toml",
        "smsc-admin-id" => "a connector has one id",
        "unified-prefix" => "numbers are kept as E.164; set default_country of the accounts",
        key if key.starts_with("reroute") => "incoming messages can't be sent out again without an application",
        "preferred-smsc-id-regex" => "can't be written as routes; the preference is lost",
        _ => "has no counterpart",
    }
}
