//! `smsc = smpp`.

use model::resources::Kind;
use serde_json::{Value, json};

use super::{Common, between, carrier, milliseconds, throughput, tls};
use crate::commands::import::draft::Draft;
use crate::commands::import::kannel::routing::Carrier;
use crate::commands::import::kannel::values;
use crate::commands::import::section::Section;

/// A connector of a group, or two where it sends and receives at different ports.
pub(super) fn connector(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let place = section.place.clone();
    let name = section.text("smsc-id");
    let host = section.text("host").unwrap_or_default();
    let id = draft.id(Kind::Connector, name.as_deref().unwrap_or(if host.is_empty() { "smpp" } else { &host }));
    let links = links(&mut section, draft, &host);
    let mut settings = settings(&mut section, common);
    tls(&mut section, common, &mut settings);
    let carrier = carrier(&mut section, draft, place.clone(), name, id.clone());
    let sends = links.first().is_some_and(|link| link.bind != "receiver");
    if links.len() > 1 {
        let why = "is a connector of its own now; receipts that come over it find no message of the other connector";
        draft.leave_out_at(&place, "receive-port", why);
    }
    let mut ids = vec![id];
    for (n, link) in links.into_iter().enumerate() {
        let id = match n {
            0 => ids[0].clone(),
            _ => draft.id(Kind::Connector, &format!("{}-receiver", ids[0])),
        };
        let mut resource = json!({ "protocol": "smpp", "address": link.address, "bind": link.bind });
        if let (Value::Object(all), Value::Object(more)) = (&mut resource, settings.clone()) {
            all.extend(more);
        }
        draft.add(Kind::Connector, &id, &place, resource);
        if n > 0 {
            ids.push(id);
        }
    }
    common.carriers.push(Carrier { ids, sends, ..carrier });
    section.drop_defaults(&[
        ("source-addr-autodetect", &["yes", "true", "on", "1"]),
        ("esm-class", &["3"]),
        ("log-level", &["0"]),
    ]);
    draft.leave_out_rest(section, why);
}

/// One address that is bound to.
struct Link {
    address: String,
    bind: &'static str,
}

/// What is bound where: Kannel has a port to send at, and another or the same to receive at.
fn links(section: &mut Section, draft: &mut Draft, host: &str) -> Vec<Link> {
    let port_of = |text: &str| u16::try_from(values::integer(text)?).ok();
    let port = section.parsed("port", port_of).unwrap_or(0);
    let mut receive_port = section.parsed("receive-port", port_of).unwrap_or(0);
    let transceiver = section.text("transceiver-mode").is_some_and(|text| values::switch(&text));
    let tls = section.text("use-ssl").is_some_and(|text| values::switch(&text));
    let address = |port: u16| {
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        format!("{}{host}:{port}", if tls { "smpps://" } else { "" })
    };
    if transceiver && receive_port != 0 {
        draft.leave_out_at(&section.place, "receive-port", "is not used with transceiver-mode");
        receive_port = 0;
    }
    let link = |port, bind| Link { address: address(port), bind };
    match (port, receive_port) {
        (port, 0) if transceiver => vec![link(port, "transceiver")],
        (0, receive) => vec![link(receive, "receiver")],
        (port, 0) => vec![link(port, "transmitter")],
        (port, receive) if port == receive => vec![link(port, "transmitter+receiver")],
        (port, receive) => vec![link(port, "transmitter"), link(receive, "receiver")],
    }
}

/// What is told of the link whatever it binds as.
fn settings(section: &mut Section, common: &Common) -> Value {
    let system_id = section.text("smsc-username").or_else(|| section.text("system-id")).unwrap_or_default();
    let reconnect = section.parsed("reconnect-delay", |text| milliseconds(values::integer(text)?));
    let alt_dcs = section.parsed("alt-dcs", |text| Some(values::switch(text))).unwrap_or(false);
    let stopped = section.parsed("dead-start", |text| Some(values::switch(text))).unwrap_or(false);
    json!({
        "enabled": stopped.then_some(false),
        "system_id": system_id,
        "password": section.text("smsc-password"),
        "system_type": section.text("system-type").filter(|text| !text.is_empty()),
        "interface_version": section.parsed("interface-version", version),
        "address_range": section.text("address-range").filter(|text| !text.is_empty()),
        "sessions": section.parsed("instances", |text| between(values::integer(text)?, 1, 64)),
        "window": section.parsed("max-pending-submits", |text| between(values::integer(text)?, 1, 10_000)),
        "throughput": section.parsed("throughput", throughput),
        "enquire_link_seconds": section.parsed("enquire-link-interval", |text| between(values::integer(text)?, 1, 86_400)),
        "response_timeout_seconds": section.parsed("wait-ack", |text| between(values::integer(text)?, 1, 86_400)),
        "reconnect": reconnect.map(|wait| json!({ "min_ms": wait, "max_ms": wait })),
        "default_alphabet": section.parsed("alt-charset", alphabet),
        "flash": alt_dcs.then_some("class-group"),
        "service_type": section.text("service-type").filter(|text| !text.is_empty()),
        "source": address_form(section, "source-addr-ton", "source-addr-npi"),
        "destination": address_form(section, "dest-addr-ton", "dest-addr-npi"),
        "receipt_id": section.parsed("msg-id-type", receipt_id),
        "max_attempts": common.attempts,
    })
}

/// Both, or neither: what has half of it keeps it, and it is told.
fn address_form(section: &mut Section, ton: &str, npi: &str) -> Option<Value> {
    let octet = |text: &str| u8::try_from(values::integer(text)?).ok();
    let (ton_value, npi_value) = (octet(section.peek(ton)?)?, octet(section.peek(npi)?)?);
    section.take(ton);
    section.take(npi);
    Some(json!({ "ton": ton_value, "npi": npi_value }))
}

fn version(text: &str) -> Option<&'static str> {
    match values::integer(text)? {
        33 => Some("3.3"),
        34 => Some("3.4"),
        50 => Some("5.0"),
        _ => None,
    }
}

fn alphabet(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "ascii" | "us-ascii" => Some("ascii"),
        "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" => Some("latin1"),
        "utf-8" | "utf8" => Some("utf8"),
        "gsm" => Some("gsm7"),
        _ => None,
    }
}

/// Bit 0: answers are hexadecimal; bit 1: receipts are. Of one base they are the same number.
fn receipt_id(text: &str) -> Option<&'static str> {
    match values::integer(text)? {
        0 | 3 => Some("loose"),
        1 => Some("hex-to-dec"),
        2 => Some("dec-to-hex"),
        _ => None,
    }
}

fn why(key: &str) -> &'static str {
    match key {
        "source-addr-ton" | "source-addr-npi" | "dest-addr-ton" | "dest-addr-npi" => {
            "TON and NPI go together, as numbers up to 255; they are found by the kind of address without"
        }
        "source-addr-autodetect" => "names are always sent as alphanumeric; TON and NPI hold for numbers",
        "bind-addr-ton" | "bind-addr-npi" => "binds have TON and NPI 0, which carriers do not look at",
        "alt-charset" | "alt-addr-charset" => "is no alphabet that a connector has as its default",
        "validityperiod" => "is given with a message or by the account (default_validity_seconds)",
        "priority" => "is given with a message",
        "esm-class" => "the SMSC's own mode is always used",
        "connection-timeout" => "dead links are found by enquire_link_seconds and response_timeout_seconds",
        "wait-ack-expire" => "see in_doubt: parts without an answer are sent again by default",
        "connect-allow-ip" => "Kannel does not look at it for SMPP links that it opens itself",
        "our-host" | "our-port" | "our-receiver-port" => "the system chooses the local address",
        "my-number" => "the sender is given with a message or by the account (default_sender)",
        "max-sms-octets" => "parts have the length that GSM 03.40 gives them",
        "no-dlr" => "whether a receipt is wanted is given with a message",
        "log-file" | "log-level" => "logs go to standard error; see [log] in postrider.toml",
        "smsc-admin-id" => "a connector has one id",
        "unified-prefix" => "numbers are kept as E.164; set default_country of the accounts",
        key if key.starts_with("reroute") => "incoming messages can't be sent out again without an application",
        "preferred-smsc-id-regex" => "can't be written as routes; the preference is lost",
        "window" => "Kannel does not look at it for SMPP; max-pending-submits is what it calls it",
        "interface-version"
        | "msg-id-type"
        | "port"
        | "receive-port"
        | "instances"
        | "max-pending-submits"
        | "throughput"
        | "enquire-link-interval"
        | "wait-ack"
        | "reconnect-delay" => "is no number in the range that a connector has",
        "keepalive" | "idle-timeout" | "flow-control" | "alt-host" | "alt-port" | "device" | "speed" => {
            "Kannel does not look at it for SMPP"
        }
        _ => "has no counterpart",
    }
}
