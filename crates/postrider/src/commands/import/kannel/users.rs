//! `sendsms-user` groups: accounts. And the conditions on recipients that users and links share.

use std::collections::BTreeSet;

use model::resources::Kind;
use serde_json::json;

use crate::commands::import::common::{called, login};
use crate::commands::import::draft::Draft;
use crate::commands::import::pattern::{self, Tail};
use crate::commands::import::section::{Section, Setting};

use super::routing::{Limits, Rule, Sender};
use super::{Common, values};

/// What a `dlr-url` hears of.
const REPORTS: [&str; 7] = [
    "message.sent",
    "message.delivered",
    "message.undelivered",
    "message.rejected",
    "message.expired",
    "message.failed",
    "message.unknown",
];

/// An account of a group.
pub fn account(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let place = section.place.clone();
    let Some(username) = section.text("username").filter(|name| !name.is_empty()) else {
        draft.leave_out_at(&place, "username", "is missing: there is no account without");
        return;
    };
    let id = draft.id(Kind::Account, &username);
    let compat = login(&mut section, &username, "password", draft);
    let sender = sender(&mut section, draft).or_else(|| common.sender.clone().filter(|sender| is_sender(sender)));
    let hook = section.take("dlr-url").and_then(|url| {
        let hook = called(&url, draft)?;
        draft.leave_out(&url, "is called for every message without a dlr-url of its own, whatever its dlr-mask");
        Some(hook)
    });
    let tag = section.text("forced-smsc");
    let forced = tag.is_some();
    let tag = tag.or_else(|| section.text("default-smsc"));
    let resource = json!({
        "name": section.text("name").filter(|name| *name != id),
        "compat": compat,
        "default_sender": sender,
        "may_choose_connector": (!forced).then_some(true),
        "webhooks": hook.map(|url| json!([{ "url": url, "style": "kannel", "events": REPORTS }])),
    });
    common.senders.push(Sender { account: id.clone(), tag, limits: limits(&mut section, draft) });
    draft.add(Kind::Account, &id, &place, resource);
    draft.leave_out_rest(section, why);
}

/// The sender that is used when a message names none.
fn sender(section: &mut Section, draft: &mut Draft) -> Option<String> {
    let faked = section.take("faked-sender");
    if let Some(faked) = &faked {
        draft.leave_out(faked, "is the default sender now; messages that name another are sent with that");
    }
    let wanted = faked.or_else(|| section.take("default-sender"))?;
    if is_sender(&wanted.value) {
        return Some(wanted.value);
    }
    draft.leave_out(&wanted, "is no number and no name of up to 11 printable ASCII characters");
    None
}

fn is_sender(text: &str) -> bool {
    model::Address::sender(text, None).is_ok()
}

/// `allowed-prefix` and `denied-prefix`, and their regular expressions.
pub fn limits(section: &mut Section, draft: &mut Draft) -> Limits {
    let mut limits = Limits::default();
    for suffix in ["", "-regex"] {
        let mut side = |key: &str| {
            let setting = section.take(&format!("{key}-prefix{suffix}"))?;
            let prefixes = if suffix.is_empty() { plain(&setting, draft) } else { expression(&setting, draft) };
            limits.closed |= prefixes.is_none();
            prefixes
        };
        let rule = Rule { allowed: side("allowed"), denied: side("denied") };
        limits.rules.extend(Some(rule).filter(|rule| rule.allowed.is_some() || rule.denied.is_some()));
    }
    limits
}

/// `preferred-prefix`, and its regular expression.
pub fn preferred(section: &mut Section, draft: &mut Draft) -> BTreeSet<String> {
    let mut preferred = BTreeSet::new();
    if let Some(setting) = section.take("preferred-prefix") {
        preferred.extend(plain(&setting, draft).unwrap_or_default());
    }
    if let Some(setting) = section.take("preferred-prefix-regex") {
        match pattern::prefixes(&setting.value, false) {
            Some((prefixes, Tail::Open | Tail::Counted)) => preferred.extend(prefixes),
            _ => draft.leave_out(&setting, "can't be written as prefixes; the preference is lost"),
        }
    }
    preferred
}

/// Prefixes with semicolons. One that no E.164 number begins with matches nothing here.
fn plain(setting: &Setting, draft: &mut Draft) -> Option<BTreeSet<String>> {
    let mut prefixes = BTreeSet::new();
    let mut strange = false;
    for prefix in values::list(&setting.value) {
        match pattern::international(&prefix) {
            Some(prefix) => drop(prefixes.insert(prefix)),
            None => strange = true,
        }
    }
    if strange {
        draft.leave_out(
            setting,
            "has prefixes without a country code, which no number here begins with; those are left out",
        );
    }
    Some(prefixes)
}

fn expression(setting: &Setting, draft: &mut Draft) -> Option<BTreeSet<String>> {
    match pattern::prefixes(&setting.value, false) {
        Some((prefixes, Tail::Open)) => Some(prefixes.into_iter().collect()),
        Some((prefixes, Tail::Counted)) => {
            draft.leave_out(setting, "is a list of prefixes now; how many digits follow is not looked at");
            Some(prefixes.into_iter().collect())
        }
        _ => {
            draft.leave_out(setting, "can't be written as prefixes; nothing is routed that would need it");
            None
        }
    }
}

fn why(key: &str) -> &'static str {
    match key {
        "user-allow-ip" | "user-deny-ip" => {
            "from where a user may call can't be limited; limit it in front of the gateway"
        }
        "max-messages" => "is given with a message (max_parts)",
        "concatenation" => "long texts are always sent as parts of one message",
        "split-chars" | "split-suffix" | "header" | "footer" => "texts are sent as they are given",
        "omit-empty" => "an empty text is sent as it is given",
        "default-smsc" => "is not used beside forced-smsc",
        "default-sender" => "is not used beside faked-sender",
        key if key.starts_with("white-list") || key.starts_with("black-list") => "lists of numbers have no counterpart",
        _ => "has no counterpart",
    }
}
