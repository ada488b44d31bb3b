//! Users: accounts.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use model::resources::Kind;
use serde_json::{Value, json};

use crate::commands::import::common::login;
use crate::commands::import::draft::Draft;
use crate::commands::import::section::Section;

use super::Known;
use super::console::{Item, State};

/// Where Jasmin's HTTP API listens when nothing is said, on all addresses.
const HTTP_PORT: u16 = 1401;
/// Binds of a user who has no limit in Jasmin.
const BINDS_MAX: u16 = 100;
const YES: &[&str] = &["yes", "true", "y", "t", "1"];
const UNLIMITED: &[&str] = &["none", "nd"];

/// What says nothing: what every user has.
const DEFAULTS: &[(&str, &[&str])] = &[
    ("mt_messaging_cred authorization http_send", YES),
    ("mt_messaging_cred authorization http_balance", YES),
    ("mt_messaging_cred authorization http_rate", YES),
    ("mt_messaging_cred authorization http_bulk", &["no", "false", "n", "f", "0"]),
    ("mt_messaging_cred authorization smpps_send", YES),
    ("mt_messaging_cred authorization http_long_content", YES),
    ("mt_messaging_cred authorization dlr_level", YES),
    ("mt_messaging_cred authorization http_dlr_method", YES),
    ("mt_messaging_cred authorization src_addr", YES),
    ("mt_messaging_cred authorization priority", YES),
    ("mt_messaging_cred authorization validity_period", YES),
    ("mt_messaging_cred authorization schedule_delivery_time", YES),
    ("mt_messaging_cred authorization hex_content", YES),
    ("mt_messaging_cred valuefilter src_addr", &[".*"]),
    ("mt_messaging_cred valuefilter dst_addr", &[".*"]),
    ("mt_messaging_cred valuefilter content", &[".*"]),
    ("mt_messaging_cred valuefilter priority", &["^[0-3]$"]),
    ("mt_messaging_cred valuefilter validity_period", &["^\\d+$"]),
    ("mt_messaging_cred defaultvalue src_addr", &["none"]),
    ("mt_messaging_cred quota balance", UNLIMITED),
    ("mt_messaging_cred quota sms_count", UNLIMITED),
    ("mt_messaging_cred quota early_percent", UNLIMITED),
    ("mt_messaging_cred quota http_throughput", UNLIMITED),
    ("mt_messaging_cred quota smpps_throughput", UNLIMITED),
    ("smpps_cred authorization bind", YES),
    ("smpps_cred authorization ip", &["0.0.0.0/0"]),
    ("smpps_cred quota max_bindings", UNLIMITED),
];

/// An account, by the user's `uid`.
pub fn account(item: Item, state: &State, draft: &mut Draft, known: &mut Known) {
    let Item { id: uid, mut section, enabled, .. } = item;
    let place = section.place.clone();
    section.take("uid");
    section.drop_defaults(DEFAULTS);
    let id = draft.id(Kind::Account, &uid);
    let username = section.text("username").unwrap_or_else(|| uid.clone());
    let group = section.text("gid").unwrap_or_default();
    let over_http = section.peek("mt_messaging_cred authorization http_send").is_none();
    let smpp = bind(&mut section, &username, draft);
    let compat = if over_http { login(&mut section, &username, "password", draft) } else { None };
    if smpp.is_some() {
        section.take("password");
    }
    if compat.is_some() {
        draft.config.jasmin.insert((Ipv4Addr::UNSPECIFIED, HTTP_PORT).into());
    }
    // Jasmin counts each way in by itself, and in messages.
    let rate = |text: &str| text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    let rates = ["http", "smpps"].map(|way| section.parsed(&format!("mt_messaging_cred quota {way}_throughput"), rate));
    let throughput = rates.into_iter().flatten().reduce(f64::max).map(|rate| (rate.ceil() as u32).max(1));
    let sender = section.parsed("mt_messaging_cred defaultvalue src_addr", |text| {
        model::Address::sender(text, None).is_ok().then(|| text.to_owned())
    });
    let resource = json!({
        "enabled": (!enabled || state.group_is_disabled(&group)).then_some(false),
        "compat": compat,
        "smpp": smpp,
        "throughput": throughput,
        "default_sender": sender,
    });
    draft.add(Kind::Account, &id, &place, resource);
    known.names.insert(username, id.clone());
    known.members.entry(group).or_default().push(id.clone());
    known.accounts.insert(uid, id);
    draft.leave_out_rest(section, why);
}

/// How the user binds over SMPP, if it may.
fn bind(section: &mut Section, username: &str, draft: &mut Draft) -> Option<Value> {
    let closed = ["smpps_cred authorization bind", "mt_messaging_cred authorization smpps_send"]
        .iter()
        .any(|key| section.peek(key).is_some());
    let password = section.peek("password")?.to_owned();
    let max_binds = section.parsed("smpps_cred quota max_bindings", |text| text.parse::<u16>().ok().filter(|n| *n > 0));
    let allow = section.parsed("smpps_cred authorization ip", |text| text.parse::<IpNet>().ok());
    let (name_fits, password_fits) = ((1..=15).contains(&username.len()), (1..=8).contains(&password.len()));
    if closed || max_binds.is_none() && allow.is_none() && !(name_fits && password_fits) {
        return None;
    }
    if !(name_fits && password_fits) {
        let why = "SMPP has room for 15 characters of a name and 8 of a password; the user can't bind";
        draft.leave_out_at(&section.place, "smpps_cred", why);
        return None;
    }
    Some(json!({
        "system_id": username,
        "password": password,
        "max_binds": max_binds.unwrap_or(BINDS_MAX),
        "allow": allow.map(|network| vec![network]),
    }))
}

fn why(key: &str) -> &'static str {
    match key {
        "password" => "the user may neither send over HTTP nor bind over SMPP",
        "mt_messaging_cred authorization http_send" => "the account has no login for the HTTP API",
        "mt_messaging_cred defaultvalue src_addr" => "is no number and no name of up to 11 printable ASCII characters",
        key if key.ends_with("throughput") => "is no number above 0",
        "mt_messaging_cred quota balance" => {
            "make the account prepaid in its currency, and credit it with POST /v1/accounts/{id}/credit"
        }
        "mt_messaging_cred quota sms_count" => {
            "quotas count by day and month (quota); a count for ever has no counterpart"
        }
        key if key.starts_with("mt_messaging_cred quota") => "has no counterpart",
        key if key.starts_with("mt_messaging_cred valuefilter") => {
            "what an account may send can't be limited by expressions; the account may send it"
        }
        key if key.starts_with("mt_messaging_cred authorization") => {
            "what a message may say can't be limited by account; the account may say it"
        }
        "smpps_cred authorization bind" | "mt_messaging_cred authorization smpps_send" => {
            "the account has no login for the SMPP server"
        }
        key if key.starts_with("smpps_cred") => "is not of the form that Jasmin documents, or the user can't bind",
        _ => "is no setting of a user that is known here",
    }
}
