//! `smsc = http`: another Kannel, or a provider that `generic` describes.

use serde_json::{Map, Value, json};

use super::{Common, add, settings};
use crate::commands::import::draft::Draft;
use crate::commands::import::section::Section;

/// Kannel's own path.
const SENDSMS: &str = "/cgi-bin/sendsms";

pub(super) fn connector(mut section: Section, draft: &mut Draft, common: &mut Common) {
    let kind = section.text("system-type").unwrap_or_default();
    let url = section.text("send-url").unwrap_or_default();
    let Some((address, path, query)) = split(&url) else {
        return draft.leave_out_at(&section.place, "smsc http", "needs a send-url with http:// or https:// and a host");
    };
    let http = match kind.as_str() {
        "kannel" => Some(kannel(path)),
        "generic" => generic(&mut section, path, query),
        _ => None,
    };
    let Some(http) = http else {
        let why =
            "this interface can be described as a connector: see docs/http-connector.md for the presets and the rest";
        return draft.leave_out_at(&section.place, "smsc http", why);
    };
    let mut resource = settings(&mut section, common);
    resource.insert("protocol".into(), "http".into());
    resource.insert("address".into(), address.into());
    resource.insert("http".into(), http);
    add(section, draft, common, Value::Object(resource), why);
}

fn kannel(path: &str) -> Value {
    match path {
        SENDSMS => json!({ "preset": "kannel" }),
        path => json!({ "preset": "kannel", "send": { "path": path }, "binary": { "path": path } }),
    }
}

/// A URL with escapes, and regular expressions for the answer's body.
fn generic(section: &mut Section, path: &str, query: &str) -> Option<Value> {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.insert(name.into(), template(text)?.into());
    }
    let mut errors = Vec::new();
    for (key, class) in [("status-permfail-regex", "permanent"), ("status-tempfail-regex", "temporary")] {
        if let Some(pattern) = section.text(key) {
            errors.push(json!({ "body": pattern, "class": class }));
        }
    }
    let mut answer = json!({ "errors": errors });
    if let Some(pattern) = section.text("status-success-regex") {
        answer["accepted"] = json!({ "at": format!("regex:{pattern}") });
    }
    if let Some(pattern) = section.text("generic-foreign-id-regex") {
        answer["id"] = format!("regex:{pattern}").into();
    }
    Some(json!({ "send": { "path": path, "query": parameters }, "answer": answer }))
}

/// A value of a parameter, percent-encoded and with Kannel's escapes, as a template; `None` if it has one
/// that says nothing of a message on its way out.
fn template(text: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let escape = after.first().filter(|_| *first == b'%');
        let digits = after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let placeholder = match escape {
            Some(b'P' | b'Q') => "{to:plus}",
            Some(b'p' | b'q') => "{from:plus}",
            // What could be two digits is the escape where no digit follows.
            Some(b'a' | b'b') if digits.is_none() => "{text}",
            Some(b'I') => "{id}",
            Some(b'%') => "%",
            Some(_) => {
                octets.push(u8::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok()?);
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            None => {
                match first {
                    b'+' => octets.push(b' '),
                    b'{' | b'}' => octets.extend([*first, *first]),
                    other => octets.push(*other),
                }
                continue;
            }
        };
        octets.extend_from_slice(placeholder.as_bytes());
        rest = after.get(1..).unwrap_or_default();
    }
    String::from_utf8(octets).ok()
}

/// Scheme and host, path, and what follows the question mark.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let begin = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?.len();
    let (whole, query) = url.split_once('?').unwrap_or((url, ""));
    let end = whole.get(begin..)?.find('/').map_or(whole.len(), |at| begin + at);
    let (address, path) = whole.split_at(end);
    (address.len() > begin).then_some((address, path, query))
}

fn why(key: &str) -> &'static str {
    match key {
        "port" | "connect-allow-ip" | "dlr-url" | "host" => {
            "providers call /carriers/ID/SECRET of [http] listen: set http.callback and tell the provider"
        }
        "no-sender" | "no-coding" | "no-sep" => "see http.send of the connector: what is set to \"\" is left out",
        "system-id" | "use-ssl" => "is part of the send-url",
        key if key.starts_with("generic-param") => {
            "calls are read as http.receipt and http.message of the connector say"
        }
        "log-file" | "log-level" => "logs go to standard error; see [log] in postrider.toml",
        "smsc-admin-id" => "a connector has one id",
        "unified-prefix" => "numbers are kept as E.164; set default_country of the accounts",
        key if key.starts_with("reroute") => "incoming messages can't be sent out again without an application",
        "preferred-smsc-id-regex" => "can't be written as routes; the preference is lost",
        _ => "has no counterpart",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_places() {
        assert_eq!(template("%P").as_deref(), Some("{to:plus}"));
        assert_eq!(template("a%20b%26{%b").as_deref(), Some("a b&{{{text}"));
        assert_eq!(template("%a!%I%%").as_deref(), Some("{text}!{id}%"));
        assert_eq!([template("%Z"), template("%"), template("%c3")], [None, Some("%".into()), None]);
    }

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(split("http://h:1/p?a=b"), Some(("http://h:1", "/p", "a=b")));
        assert_eq!(split("https://h"), Some(("https://h", "", "")));
        assert_eq!([split("https:///p"), split("h/p")], [None, None]);
    }
}
