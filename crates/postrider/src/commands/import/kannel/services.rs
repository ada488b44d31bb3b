//! `sms-service` groups: inbound rules with webhooks, and the account that they belong to.
//!
//! A Kannel service calls an address and sends the answer back as a message. So does a rule whose webhook
//! is called in Kannel's style and whose answers are replies. One that answers with a text becomes a rule
//! with a reply. All of them belong to one account, in whose name answers are sent.

use std::collections::BTreeSet;

use model::resources::{ANSWER_PARTS_MAX, Kind, REPLY_LIMIT_MAX};
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
    let account = common.services.get_or_insert_with(|| {
        let account = draft.id(Kind::Account, "services");
        draft.add(Kind::Account, &account, &place, json!({}));
        account
    });
    let account = account.clone();
    let mut matches = serde_json::Map::new();
    for (key, list) in [("connector", connectors), ("keyword", keywords)] {
        if !list.is_empty() {
            matches.insert(key.into(), list.into());
        }
    }
    let id = draft.id(Kind::Inbound, &name);
    let rule = action.rule(&mut section, draft);
    let mut all = json!({ "match": matches, "account": account });
    if let (Some(all), Value::Object(rule)) = (all.as_object_mut(), rule) {
        all.extend(rule);
    }
    draft.add(Kind::Inbound, &id, &place, all);
    section
        .drop_defaults(&[("catch-all", &["yes", "true", "on", "1"]), ("concatenation", &["yes", "true", "on", "1"])]);
    draft.leave_out_rest(section, why);
}

/// What a service does with a message.
enum Action {
    /// It calls an address as Kannel does; what that answers goes back.
    Get(String),
    /// It gives the message to an address, as a webhook.
    Post(String),
    /// It answers with a text.
    Reply(String),
}

impl Action {
    /// What the rule does, with what the service says of its answers.
    fn rule(self, section: &mut Section, draft: &mut Draft) -> Value {
        match self {
            Self::Post(url) => json!({ "webhook": { "url": url } }),
            Self::Reply(text) => json!({ "reply": text, "reply_limit": REPLY_LIMIT_MAX }),
            Self::Get(url) => {
                let most = section.take("max-messages");
                let parts = most
                    .as_ref()
                    .map_or(Some(1), |setting| values::integer(&setting.value).and_then(|n| u32::try_from(n).ok()));
                if parts == Some(0) {
                    section.drop_defaults(&[("omit-empty", &["yes", "true", "on", "1", "no", "false", "off", "0"])]);
                    return json!({ "webhook": { "url": url, "style": "kannel" } });
                }
                if let (Some(setting), None) = (&most, parts) {
                    draft.leave_out(setting, "is no number; answers have at most 1 part");
                }
                let headers =
                    section.take("accept-x-kannel-headers").is_some_and(|setting| values::switch(&setting.value));
                match section.take("omit-empty") {
                    Some(setting) if values::switch(&setting.value) => {}
                    Some(setting) => draft.leave_out(&setting, EMPTY),
                    None => draft.leave_out_at(&section.place, "omit-empty", EMPTY),
                }
                let mut hook = json!({
                    "url": url, "style": "kannel", "answer": "reply",
                    "max_parts": parts.unwrap_or(1).min(ANSWER_PARTS_MAX),
                });
                if headers {
                    hook["kannel_headers"] = true.into();
                }
                json!({ "webhook": hook, "reply_limit": REPLY_LIMIT_MAX })
            }
        }
    }
}

/// What becomes of an answer that says nothing.
const EMPTY: &str = "an empty answer is not sent; Kannel sends a text of its own";

/// What a service does. Without that there is no rule.
fn action(section: &mut Section, draft: &mut Draft) -> Option<Action> {
    for key in ["get-url", "url"] {
        if let Some(setting) = section.take(key) {
            let url = called(&setting, draft)?;
            return Some(Action::Get(url));
        }
    }
    for key in ["post-url", "post-xml"] {
        if let Some(setting) = section.take(key) {
            return hook_url(&setting, draft).map(Action::Post);
        }
    }
    let answers = ["text", "file", "exec"].iter().find_map(|key| section.take(key));
    match answers {
        Some(setting) if setting.key == "text" => match reply(&setting.value) {
            Ok(text) => return Some(Action::Reply(text)),
            Err(escape) => {
                let why = format!("replies have nothing for {escape}; the whole service is left out");
                draft.leave_out(&setting, why);
            }
        },
        Some(setting) => draft.leave_out(&setting, "replies come from applications; the whole service is left out"),
        None => draft.leave_out_at(&section.place, "sms-service", "says not what to do"),
    }
    None
}

/// A text with Kannel's escapes as a rule's reply has it; or the first escape that replies don't have.
fn reply(text: &str) -> Result<String, String> {
    let (mut reply, mut signs) = (String::with_capacity(text.len()), text.chars().peekable());
    while let Some(sign) = signs.next() {
        match sign {
            // Braces stand for placeholders here.
            '{' => reply.push_str("{{"),
            '}' => reply.push_str("}}"),
            '%' => {
                let said = match signs.peek() {
                    Some('p') => "{from}",
                    Some('P') => "{to}",
                    Some('k') => "{keyword}",
                    Some('a') => "{text}",
                    Some('r') => "{rest}",
                    Some('%') => "%",
                    Some(other) if other.is_ascii_alphanumeric() => return Err(format!("%{other}")),
                    // No escape begins there.
                    _ => {
                        reply.push('%');
                        continue;
                    }
                };
                reply.push_str(said);
                signs.next();
            }
            other => reply.push(other),
        }
    }
    Ok(reply)
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
        "prefix" | "suffix" | "header" | "footer" | "split-chars" | "split-suffix" | "dlr-url" | "dlr-mask"
        | "send-sender" | "forced-smsc" | "default-smsc" => {
            "is about the answer, of which only the text is sent; routes decide the rest"
        }
        "faked-sender" => "answers come from the number that was written to, or as X-Kannel-From says",
        "assume-plain-text" => "text/plain, text/html and what says not what it is are taken for text",
        "concatenation" => "long answers are sent in parts that the phone puts together",
        "max-messages" | "omit-empty" | "accept-x-kannel-headers" => "is about answers, of which there are none",
        "strip-keyword" | "catch-all" => "the application is given the whole text",
        "aliases" => "is not used beside this keyword",
        "url" | "get-url" | "post-url" | "post-xml" | "file" | "text" | "exec" => {
            "is not used: another action comes first"
        }
        _ => "has no counterpart",
    }
}

#[cfg(test)]
mod tests {
    use super::reply;

    #[test]
    fn escapes_of_a_text_become_placeholders_or_are_told() {
        for (kannel, ours) in [
            ("hello", "hello"),
            ("%p wrote %k to %P: %r (%a)", "{from} wrote {keyword} to {to}: {rest} ({text})"),
            ("100%% or 50% {off}, %", "100% or 50% {{off}}, %"),
        ] {
            assert_eq!(reply(kannel).as_deref(), Ok(ours));
        }
        for (kannel, escape) in [("at %t", "%t"), ("%s %r", "%s"), ("%1", "%1")] {
            assert_eq!(reply(kannel), Err(escape.to_owned()));
        }
    }
}
