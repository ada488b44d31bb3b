//! `smsc = emi`.

use serde_json::{Value, json};

use super::{Common, add, address, between, settings};
use crate::commands::import::draft::Draft;
use crate::commands::import::kannel::values;
use crate::commands::import::section::Section;

pub(super) fn connector(mut section: Section, draft: &mut Draft, common: &mut Common) {
    if section.peek("host").is_none() {
        let why = "an SMSC that is dialled, or that connects by itself, has no counterpart";
        return draft.leave_out_at(&section.place, "smsc emi", why);
    }
    let address = address(&mut section, "ucps://");
    let mut resource = settings(&mut section, common);
    resource.insert("protocol".into(), "ucp".into());
    resource.insert("address".into(), address.into());
    let one_by_one = section.parsed("flow-control", |text| Some(values::integer(text)? == 1)).unwrap_or(false);
    let window = section.parsed("window", |text| between(values::integer(text)?, 1, 100));
    if let Some(window) = if one_by_one { Some(1) } else { window } {
        resource.insert("window".into(), window.into());
    }
    let alive = section.parsed("keepalive", |text| between(values::integer(text)?, 1, 86_400));
    if let Some(seconds) = alive {
        resource.insert("enquire_link_seconds".into(), seconds.into());
    }
    // Kannel says who is alive by its number, or by the name that it logs in with.
    let username = resource.get("system_id").and_then(Value::as_str).map(str::to_owned);
    let login = username.is_some();
    let numbers = [section.text("my-number"), username];
    let number = numbers.into_iter().flatten().find(|number| is_digits(number));
    let alert = alive.is_some() && number.is_some();
    let mut ucp = json!({ "alert": alert });
    if alert {
        ucp["alert_address"] = json!(number);
    }
    if !login {
        ucp["login"] = json!(false);
    }
    for (key, field) in [("notification-addr", "notification_address"), ("notification-pid", "notification_pid")] {
        if let Some(text) = section.parsed(key, |text| is_digits(text).then(|| text.to_owned())) {
            ucp[field] = text.into();
        }
    }
    resource.insert("ucp".into(), ucp);
    add(section, draft, common, Value::Object(resource), why);
}

fn is_digits(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

fn why(key: &str) -> &'static str {
    match key {
        "receive-port" | "connect-allow-ip" | "our-receiver-port" => {
            "SMSCs that connect by themselves are not served; messages from phones come over the session that logs in"
        }
        "alt-host" | "alt-port" => "is a connector of its own; put both into a pool",
        "our-host" | "our-port" => "the system chooses the local address",
        "idle-timeout" => "sessions stay; see enabled and the connector's start and stop",
        "wait-ack-expire" => "see in_doubt: parts without an answer are sent again by default",
        "alt-charset" => "texts are sent in the GSM alphabet, as the standard says",
        "flow-control" | "window" | "keepalive" | "port" | "instances" | "throughput" | "wait-ack"
        | "reconnect-delay" | "notification-addr" | "notification-pid" => {
            "is no value in the range that a connector has"
        }
        "no-dlr" => "whether a receipt is wanted is given with a message",
        "log-file" | "log-level" => "logs go to standard error; see [log] in postrider.toml",
        "smsc-admin-id" => "a connector has one id",
        "device" | "phone" => "SMSCs are not dialled",
        "unified-prefix" => "numbers are kept as E.164; set default_country of the accounts",
        key if key.starts_with("reroute") => "incoming messages can't be sent out again without an application",
        "preferred-smsc-id-regex" => "can't be written as routes; the preference is lost",
        _ => "has no counterpart",
    }
}
