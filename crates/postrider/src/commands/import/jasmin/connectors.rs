//! SMPP client connectors, and the addresses of HTTP client connectors.

use model::resources::Kind;
use serde_json::{Value, json};

use crate::commands::import::draft::Draft;
use crate::commands::import::section::Section;

use super::Known;
use super::console::Item;

/// What a connector has when nothing is said, and what is as good as nothing said.
const DEFAULTS: &[(&str, &[&str])] = &[
    ("bind_ton", &["0"]),
    ("bind_npi", &["0", "1"]),
    ("src_addr", &["none", ""]),
    ("addr_range", &["none"]),
    ("systype", &["none"]),
    ("validity", &["none"]),
    ("proto_id", &["none"]),
    ("priority", &["0"]),
    ("coding", &["0"]),
    ("def_msg_id", &["0"]),
    ("ripf", &["0"]),
    ("requeue_delay", &["120"]),
    ("dlr_expiry", &["86400"]),
    ("trx_to", &["300"]),
    ("pdu_red_to", &["10"]),
    ("con_loss_retry", &["yes"]),
    ("con_fail_retry", &["yes"]),
    ("loglevel", &["20"]),
    ("logrotate", &["midnight"]),
    ("logprivacy", &["no"]),
    ("custom_tlvs", &["none"]),
];

/// A connector, with the defaults of Jasmin that differ from those here.
pub fn connector(item: Item, draft: &mut Draft, known: &mut Known) {
    let Item { id: cid, mut section, enabled, .. } = item;
    let place = section.place.clone();
    section.take("cid");
    section.drop_defaults(DEFAULTS);
    let id = draft.id(Kind::Connector, &cid);
    let host = section.text("host").unwrap_or_else(|| "127.0.0.1".into());
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let port = section.parsed("port", |text| text.parse::<u16>().ok()).unwrap_or(2775);
    let tls = section.text("ssl").is_some_and(|text| text.eq_ignore_ascii_case("yes"));
    let bind = section.parsed("bind", |text| {
        ["transceiver", "transmitter", "receiver"].into_iter().find(|kind| kind.eq_ignore_ascii_case(text))
    });
    let resource = json!({
        "protocol": "smpp",
        "address": format!("{}{host}:{port}", if tls { "smpps://" } else { "" }),
        "enabled": (!enabled).then_some(false),
        "system_id": section.text("username").unwrap_or_else(|| "smppclient".into()),
        "password": section.text("password").unwrap_or_else(|| "password".into()),
        "system_type": section.text("systype").filter(|text| !text.is_empty()),
        "bind": bind,
        "address_range": section.text("addr_range").filter(|text| !text.is_empty()),
        "throughput": throughput(&mut section),
        "bind_timeout_seconds": seconds(&mut section, "bind_to"),
        "enquire_link_seconds": seconds(&mut section, "elink_interval"),
        "response_timeout_seconds": seconds(&mut section, "res_to"),
        "reconnect": reconnect(&mut section),
        "source": address_form(&mut section, "src", 2),
        "destination": address_form(&mut section, "dst", 1),
        "protocol_id": section.parsed("proto_id", |text| text.parse::<u8>().ok()),
        "receipt_id": section.parsed("dlr_msgid", |text| match text {
            "0" => Some("as-is"),
            "1" => Some("hex-to-dec"),
            "2" => Some("dec-to-hex"),
            _ => None,
        }),
    });
    draft.add(Kind::Connector, &id, &place, resource);
    known.connectors.insert(cid, id);
    draft.leave_out_rest(section, why);
}

/// The address of an HTTP connector, for the routes that lead to it, and the style in which it is called.
pub fn hook(item: Item, draft: &mut Draft, known: &mut Known) {
    let Item { id: cid, mut section, .. } = item;
    section.take("cid");
    let style = section.parsed("method", |text| match () {
        () if text.eq_ignore_ascii_case("post") => Some("jasmin"),
        () if text.eq_ignore_ascii_case("get") => Some("jasmin-get"),
        () => None,
    });
    match section.take("url") {
        // Jasmin's own default is GET.
        Some(url) => drop(known.hooks.insert(cid, (url, style.unwrap_or("jasmin-get")))),
        None => draft.leave_out_at(&section.place, "url", "is missing; jcli refuses this entry"),
    }
    draft.leave_out_rest(section, |key| match key {
        "method" => "is neither GET nor POST",
        _ => "has no counterpart",
    });
}

/// Messages a second: 1 when nothing is said, and 0 is no limit.
fn throughput(section: &mut Section) -> Option<u32> {
    let rate = section.parsed("submit_throughput", |text| text.parse::<f64>().ok().filter(|rate| rate.is_finite()));
    match rate.unwrap_or(1.0) {
        rate if rate <= 0.0 => None,
        rate => Some((rate.round() as u32).max(1)),
    }
}

fn seconds(section: &mut Section, key: &str) -> Option<u32> {
    section.parsed(key, |text| {
        let seconds = text.parse::<f64>().ok()?.round();
        (1.0..=86_400.0).contains(&seconds).then_some(seconds as u32)
    })
}

/// One wait for both kinds of failure: the longer.
fn reconnect(section: &mut Section) -> Option<Value> {
    let wait = seconds(section, "con_loss_delay").max(seconds(section, "con_fail_delay"))?;
    Some(json!({ "min_ms": wait * 1000, "max_ms": wait * 1000 }))
}

/// TON and NPI that were said: what was not is Jasmin's default beside it.
fn address_form(section: &mut Section, of: &str, ton: u8) -> Option<Value> {
    let octet = |text: &str| text.parse::<u8>().ok();
    let (said_ton, said_npi) =
        (section.parsed(&format!("{of}_ton"), octet), section.parsed(&format!("{of}_npi"), octet));
    if said_ton.is_none() && said_npi.is_none() {
        return None;
    }
    Some(json!({ "ton": said_ton.unwrap_or(ton), "npi": said_npi.unwrap_or(1) }))
}

fn why(key: &str) -> &'static str {
    match key {
        "logfile" | "loglevel" | "logrotate" | "logprivacy" => "logs go to standard error; see [log] in postrider.toml",
        "bind_ton" | "bind_npi" => "binds have TON and NPI 0, which carriers do not look at",
        "src_addr" => "the sender is given with a message or by the account (default_sender)",
        "validity" => "is given with a message or by the account (default_validity_seconds)",
        "priority" => "is given with a message",
        "coding" => "the alphabet is found by the text, or given with a message (encoding)",
        "con_loss_retry" | "con_fail_retry" => "a connector that is enabled always connects again",
        "trx_to" | "pdu_red_to" => "dead links are found by enquire_link_seconds and response_timeout_seconds",
        "requeue_delay" => "waits between attempts grow by themselves",
        "dlr_expiry" => "receipts find their messages for as long as those are kept",
        "def_msg_id" | "ripf" => "is never sent",
        "custom_tlvs" => "TLVs are given with a message, in `tlvs`; none need to be declared",
        "port" | "submit_throughput" | "bind_to" | "elink_interval" | "res_to" | "con_loss_delay"
        | "con_fail_delay" | "src_ton" | "src_npi" | "dst_ton" | "dst_npi" | "proto_id" | "dlr_msgid" | "bind" => {
            "is not of the form that Jasmin documents; the default is used"
        }
        _ => "is no setting of a connector that is known here",
    }
}
