//! Users: accounts.

use model::resources::Kind;
use serde_json::json;

use crate::commands::import::common::token;
use crate::commands::import::draft::Draft;

use super::Known;
use super::console::{Item, State};

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
    let token = match section.peek("mt_messaging_cred authorization http_send") {
        Some(_) => None,
        None => token(&mut section, "password", draft),
    };
    let sender = section.parsed("mt_messaging_cred defaultvalue src_addr", |text| {
        model::Address::sender(text, None).is_ok().then(|| text.to_owned())
    });
    let resource = json!({
        "name": (username != id).then_some(&username),
        "enabled": (!enabled || state.group_is_disabled(&group)).then_some(false),
        "api_token": token,
        "default_sender": sender,
    });
    draft.add(Kind::Account, &id, &place, resource);
    known.names.insert(username, id.clone());
    known.members.entry(group).or_default().push(id.clone());
    known.accounts.insert(uid, id);
    draft.leave_out_rest(section, why);
}

fn why(key: &str) -> &'static str {
    match key {
        "password" => "the user may not send over HTTP, so that there is no token",
        "mt_messaging_cred authorization http_send" => {
            "an account without a token can't use the API, and this one has none"
        }
        "mt_messaging_cred defaultvalue src_addr" => "is no number and no name of up to 11 printable ASCII characters",
        key if key.ends_with("throughput") => "accounts have no limit of their own yet; connectors have one",
        key if key.starts_with("mt_messaging_cred quota") => "there are no balances and quotas yet",
        key if key.starts_with("mt_messaging_cred valuefilter") => {
            "what an account may send can't be limited by expressions; the account may send it"
        }
        key if key.starts_with("mt_messaging_cred authorization") => {
            "what a message may say can't be limited by account; the account may say it"
        }
        key if key.starts_with("smpps_cred") => "there is no SMPP server for applications yet",
        _ => "is no setting of a user that is known here",
    }
}
