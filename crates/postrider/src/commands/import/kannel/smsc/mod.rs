//! `smsc` groups: connectors.

mod at;
mod cimd2;
mod emi;
mod http;
mod smpp;

use model::resources::Kind;
use serde_json::{Map, Value};

use crate::commands::import::draft::Draft;
use crate::commands::import::section::{Place, Section};

use super::routing::Carrier;
use super::{Common, users, values};

/// The connector of a group.
pub fn connector(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let kind = section.text("smsc").unwrap_or_default();
    match kind.as_str() {
        "smpp" => smpp::connector(section, draft, common),
        "emi" | "emi2" => emi::connector(section, draft, common),
        "http" => http::connector(section, draft, common),
        "cimd" | "cimd2" => cimd2::connector(section, draft, common),
        "at" | "at2" => at::connector(section, draft, common),
        _ => draft.leave_out_at(&section.place, &format!("smsc {kind}"), why_kind(&kind)),
    }
}

/// Adds a connector of one address, and notes what decides whether messages go there.
fn add(mut section: Section, draft: &mut Draft, common: &mut Common, resource: Value, why: fn(&str) -> &'static str) {
    let place = section.place.clone();
    let name = section.text("smsc-id");
    let host = section.text("host").unwrap_or_default();
    let protocol = resource["protocol"].as_str().unwrap_or_default().to_owned();
    let id = draft.id(Kind::Connector, name.as_deref().unwrap_or(if host.is_empty() { &protocol } else { &host }));
    let mut resource = resource;
    tls(&mut section, common, &mut resource);
    let carrier = carrier(&mut section, draft, place.clone(), name, id.clone());
    draft.add(Kind::Connector, &id, &place, resource);
    common.carriers.push(carrier);
    section.drop_defaults(&[("log-level", &["0"])]);
    draft.leave_out_rest(section, why);
}

/// Where it is connected to, with the scheme of its protocol for TLS.
fn address(section: &mut Section, scheme: &str) -> String {
    let host = section.peek("host").unwrap_or_default().to_owned();
    let port = section.parsed("port", |text| u16::try_from(values::integer(text)?).ok()).unwrap_or(0);
    let tls = section.text("use-ssl").is_some_and(|text| values::switch(&text));
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    format!("{}{host}:{port}", if tls { scheme } else { "" })
}

/// What UCP and CIMD2 links and modems are told alike.
fn settings(section: &mut Section, common: &Common) -> Map<String, Value> {
    let reconnect = section.parsed("reconnect-delay", |text| milliseconds(values::integer(text)?));
    let stopped = section.parsed("dead-start", |text| Some(values::switch(text))).unwrap_or(false);
    let mut settings = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(key.into(), value);
        }
    };
    let seconds = |text: &str| between(values::integer(text)?, 1, 86_400);
    set("enabled", stopped.then_some(Value::Bool(false)));
    set("system_id", section.text("smsc-username").map(Value::from));
    set("password", section.text("smsc-password").map(Value::from));
    set("sessions", section.parsed("instances", |text| between(values::integer(text)?, 1, 64)).map(Value::from));
    set("throughput", section.parsed("throughput", throughput).flatten().map(Value::from));
    set("response_timeout_seconds", section.parsed("wait-ack", seconds).map(Value::from));
    set("reconnect", reconnect.map(|wait| serde_json::json!({ "min_ms": wait, "max_ms": wait })));
    set("max_attempts", common.attempts.map(Value::from));
    settings
}

fn tls(section: &mut Section, common: &Common, settings: &mut Value) {
    let own = section.text("ssl-client-certkey-file");
    if own.is_some() || common.ca.is_some() {
        let mut tls = serde_json::Map::new();
        for (key, file) in [("ca", &common.ca), ("cert", &own), ("key", &own)] {
            if let Some(file) = file {
                tls.insert(key.into(), file.as_str().into());
            }
        }
        settings["tls"] = Value::Object(tls);
    }
}

/// What decides whether messages go here.
fn carrier(section: &mut Section, draft: &mut Draft, place: Place, name: Option<String>, id: String) -> Carrier {
    let mut closed = false;
    for key in ["allowed-smsc-id-regex", "denied-smsc-id-regex"] {
        if let Some(setting) = section.take(key) {
            closed = true;
            draft.leave_out(&setting, "can't be written as routes; no route leads to this connector");
        }
    }
    let names = |section: &mut Section, key: &str| section.text(key).map(|text| values::list(&text));
    let allowed_names = names(section, "allowed-smsc-id");
    Carrier {
        ids: vec![id],
        name,
        place,
        sends: true,
        closed,
        denied_names: names(section, "denied-smsc-id").filter(|_| allowed_names.is_none()).unwrap_or_default(),
        allowed_names,
        preferred_names: names(section, "preferred-smsc-id").unwrap_or_default(),
        limits: users::limits(section, draft),
        preferred: users::preferred(section, draft),
    }
}

fn between(number: i64, least: i64, most: i64) -> Option<i64> {
    (least..=most).contains(&number).then_some(number)
}

fn milliseconds(seconds: i64) -> Option<i64> {
    between(seconds, 1, 86_400).map(|seconds| seconds * 1000)
}

/// Parts a second, at least 1; nothing and less is no limit.
fn throughput(text: &str) -> Option<Option<u32>> {
    let rate: f64 = text.parse().ok().filter(|rate: &f64| rate.is_finite())?;
    if rate <= 0.0 {
        return Some(None);
    }
    // The nearest whole number; what is out of range ends at the range's end.
    Some(Some((rate.round() as u32).max(1)))
}

/// Kinds of links that Postrider has no connectors for yet; each gets its own translator here.
fn why_kind(kind: &str) -> &'static str {
    match kind {
        "fake" | "loopback" => "is for tests; see `postrider simulate smpp`",
        "smasi" | "cgw" | "oisd" | "ois" | "sema" | "parlayx" => "this protocol has no counterpart",
        _ => "is no kind of link that is known here",
    }
}
