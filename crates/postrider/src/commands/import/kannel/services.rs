//! `sms-service` groups: inbound rules, and the accounts whose webhooks get the messages.
//!
//! A Kannel service calls an address and sends the answer back as a message. Here an account gets the
//! message as the event `message.received`, at a webhook that is called as Kannel calls it; an answer is
//! a message that the application sends. So a service becomes a rule, and an account that has the
//! service's address as its webhook. One that answers with a text becomes a rule with a reply.

use std::collections::BTreeSet;

use model::resources::Kind;
use serde_json::{Value, json};

use crate::commands::import::common::{called, hook_url};
use crate::commands::import::draft::Draft;
use crate::commands::import::pattern::{self, Tail};
use crate::commands::import::section::Section;

use super::{Common, values};

/// Conditions of a service that rules do not have.
const CONDITIONS: [&str; 15] = [
    "accepted-smsc-regex",
    "accepted-account",
    "accepted-account-regex",
    "allowed-prefix",
    "allowed-prefix-regex",
    "denied-prefix",
    "denied-prefix-regex",
    "allowed-receiver-prefix",
    "allowed-receiver-prefix-regex",
    "denied-receiver-prefix",
    "denied-receiver-prefix-regex",
    "white-list",
    "white-list-regex",
    "black-list",
    "black-list-regex",
];

/// A rule of a group, with an account for its webhook.
pub fn rule(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let place = section.place.clone();
    if let Some(setting) = CONDITIONS.iter().find_map(|key| section.take(key)) {
        draft.leave_out(&setting, "inbound rules do not have this condition; the whole service is left out");
        return;
    }
    let Some(action) = action(&mut section, draft) else { return };
    let Some(keywords) = keywords(&mut section, draft) else { return };
    let Some(connectors) = connectors(&mut section, draft, common) else { return };
    let name = section.text("name").or_else(|| keywords.first().cloned()).unwrap_or_else(|| "default".into());
    let account = match common.hooks.get(action.key()) {
        Some(account) => account.clone(),
        None => {
            let account = draft.id(Kind::Account, &format!("service-{name}"));
            draft.add(Kind::Account, &account, &place, action.account());
            common.hooks.insert(action.key().to_owned(), account.clone());
            account
        }
    };
    let mut matches = serde_json::Map::new();
    for (key, list) in [("connector", connectors), ("keyword", keywords)] {
        if !list.is_empty() {
            matches.insert(key.into(), list.into());
        }
    }
    let id = draft.id(Kind::Inbound, &name);
    draft.add(Kind::Inbound, &id, &place, json!({ "match": matches, "account": account, "reply": action.reply() }));
    section.drop_defaults(&[("catch-all", &["yes", "true", "on", "1"]), ("max-messages", &["0"])]);
    draft.leave_out_rest(section, why);
}

/// What a service does with a message.
enum Action {
    /// It calls an address, in a style of its own or as a webhook.
    Call(String, Option<&'static str>),
    /// It answers with a text.
    Reply(String),
}

impl Action {
    /// Services with the same address share an account, and so do those that only answer.
    fn key(&self) -> &str {
        match self {
            Self::Call(url, _) => url,
            Self::Reply(_) => "",
        }
    }

    fn account(&self) -> Value {
        match self {
            Self::Call(url, None) => json!({ "webhooks": [{ "url": url, "events": ["message.received"] }] }),
            Self::Call(url, Some(style)) => {
                json!({ "webhooks": [{ "url": url, "style": style, "events": ["message.received"] }] })
            }
            Self::Reply(_) => json!({}),
        }
    }

    fn reply(&self) -> Option<&str> {
        match self {
            Self::Call(..) => None,
            Self::Reply(text) => Some(text),
        }
    }
}

/// What a service does. Without that there is no rule.
fn action(section: &mut Section, draft: &mut Draft) -> Option<Action> {
    for key in ["get-url", "url"] {
        if let Some(setting) = section.take(key) {
            let url = called(&setting, draft)?;
            draft.leave_out(&setting, "is called as Kannel calls it, but its answer is not sent back as a message");
            return Some(Action::Call(url, Some("kannel")));
        }
    }
    for key in ["post-url", "post-xml"] {
        if let Some(setting) = section.take(key) {
            return hook_url(&setting, draft).map(|url| Action::Call(url, None));
        }
    }
    let answers = ["text", "file", "exec"].iter().find_map(|key| section.take(key));
    match answers {
        // Braces stand for placeholders here.
        Some(setting) if setting.key == "text" && !setting.value.contains(['{', '}']) => {
            return Some(Action::Reply(setting.value));
        }
        Some(setting) => draft.leave_out(&setting, "replies come from applications; the whole service is left out"),
        None => draft.leave_out_at(&section.place, "sms-service", "says not what to do"),
    }
    None
}

/// First words; an empty list is any.
fn keywords(section: &mut Section, draft: &mut Draft) -> Option<Vec<String>> {
    if let Some(setting) = section.take("keyword-regex") {
        return match pattern::beginnings(&setting.value, false) {
            Some((words, Tail::Word | Tail::End | Tail::Open)) if words.iter().all(|word| is_word(word)) => {
                draft.leave_out(&setting, "is a list of first words now, in any case of letters");
                Some(words)
            }
            _ => {
                draft.leave_out(&setting, "can't be written as first words; the whole service is left out");
                None
            }
        };
    }
    let Some(keyword) = section.take("keyword") else {
        draft.leave_out_at(&section.place, "keyword", "is missing; the whole service is left out");
        return None;
    };
    let mut words = vec![keyword.value.clone()];
    if keyword.value == "default" {
        return Some(Vec::new());
    }
    if let Some(aliases) = section.text("aliases") {
        words.extend(values::list(&aliases));
    }
    if words.iter().all(|word| is_word(word)) {
        return Some(words);
    }
    draft.leave_out(&keyword, "is no single word; the whole service is left out");
    None
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && !word.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Connectors that messages come in over; an empty list is any.
fn connectors(section: &mut Section, draft: &mut Draft, common: &Common) -> Option<Vec<String>> {
    let Some(setting) = section.take("accepted-smsc") else { return Some(Vec::new()) };
    let names: BTreeSet<String> = values::list(&setting.value).into_iter().collect();
    let known = common.carriers.iter().filter(|carrier| carrier.name.as_ref().is_some_and(|name| names.contains(name)));
    let connectors: Vec<String> = known.flat_map(|carrier| carrier.ids.clone()).collect();
    if connectors.is_empty() {
        draft.leave_out(&setting, "names no connector that was imported; the whole service is left out");
        return None;
    }
    Some(connectors)
}

fn why(key: &str) -> &'static str {
    match key {
        "prefix"
        | "suffix"
        | "header"
        | "footer"
        | "faked-sender"
        | "max-messages"
        | "concatenation"
        | "omit-empty"
        | "split-chars"
        | "split-suffix"
        | "assume-plain-text"
        | "accept-x-kannel-headers"
        | "dlr-url"
        | "dlr-mask"
        | "send-sender"
        | "forced-smsc"
        | "default-smsc" => "is about the answer, which the application sends as a message of its own",
        "strip-keyword" | "catch-all" => "the application is given the whole text",
        "aliases" => "is not used beside this keyword",
        "url" | "get-url" | "post-url" | "post-xml" | "file" | "text" | "exec" => {
            "is not used: another action comes first"
        }
        _ => "has no counterpart",
    }
}
