//! What must be true of a description of a provider's API.

use serde_json::Value;

use super::place::{Each, Place, regex};
use super::template::{Name, Scope, Template};
use super::{
    HTTP_BATCH_MAX, HttpAlgorithm, HttpAnswer, HttpAuth, HttpAuthKind, HttpRequest, HttpSettings, HttpSignature,
    HttpWhen,
};
use crate::resources::{Connector, Secret};
use crate::url;

/// Requests of one kind in a list.
const LISTED_MAX: usize = 8;
/// Shortest secret of a call-back's path: nobody guesses it.
const SECRET_MIN: usize = 16;
/// Longest age of a signature: a week.
const MAX_AGE: u32 = 604_800;
/// Headers that belong to the connection, not to a description.
const RESERVED: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];

/// Everything that is wrong with `http` of a connector, by the field below it.
pub(in crate::resources) fn faults(connector: &Connector) -> Vec<(String, String)> {
    let Some(given) = &connector.http else {
        let detail = "is missing: name a preset, as in http = { preset = \"twilio\" }, or describe the API";
        return vec![(String::new(), detail.into())];
    };
    let settings = match given.resolved() {
        Ok(settings) => settings,
        Err(error @ super::preset::PresetError::Unknown { .. }) => return vec![("preset".into(), error.to_string())],
        Err(error) => return vec![(String::new(), error.to_string())],
    };
    let mut check = Check { settings: &settings, has_password: connector.password.is_some(), found: Vec::new() };
    check.all();
    check.found
}

struct Check<'s> {
    settings: &'s HttpSettings,
    has_password: bool,
    found: Vec<(String, String)>,
}

impl Check<'_> {
    fn fault(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.found.push((field.into(), detail.into()));
    }

    fn all(&mut self) {
        let settings = self.settings;
        match &settings.send {
            Some(send) => self.request("send", send, Scope::Message),
            None => self.fault("send", "is missing: the request that sends a message, or name a preset"),
        }
        if let Some(binary) = &settings.binary {
            self.request("binary", binary, Scope::Message);
        }
        if let Some(auth) = &settings.auth {
            self.auth(auth);
        }
        self.batch();
        if let Some(answer) = &settings.answer {
            self.answer(answer);
        }
        self.readings();
        self.callback();
        self.asked();
    }

    fn request(&mut self, field: &str, request: &HttpRequest, scope: Scope) {
        let bodies = [request.form.is_some(), request.json.is_some(), request.xml.is_some(), request.text.is_some()];
        if bodies.into_iter().filter(|is_set| *is_set).count() > 1 {
            self.fault(field, "has more than one body: give one of form, json, xml and text");
        }
        if !request.path.is_empty() && !request.path.starts_with('/') {
            self.fault(format!("{field}.path"), "must begin with a slash: it follows the connector's address");
        }
        self.template(&format!("{field}.path"), &request.path, scope);
        for (key, text) in &request.query {
            self.template(&format!("{field}.query.{key}"), text, scope);
        }
        self.headers(&format!("{field}.headers"), request.headers.iter(), scope);
        for (key, text) in request.form.iter().flatten() {
            self.template(&format!("{field}.form.{key}"), text, scope);
        }
        if let Some(json) = &request.json {
            self.json(&format!("{field}.json"), json, scope);
        }
        for (key, text) in [("xml", &request.xml), ("text", &request.text)] {
            if let Some(text) = text {
                self.template(&format!("{field}.{key}"), text, scope);
            }
        }
    }

    fn headers<'a>(&mut self, field: &str, headers: impl Iterator<Item = (&'a String, &'a String)>, scope: Scope) {
        for (name, text) in headers {
            let field = format!("{field}.{name}");
            let sound = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            if name.is_empty() || !name.bytes().all(sound) {
                self.fault(&field, "is no name of a header (RFC 9110 §5.1)");
            } else if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                self.fault(&field, "is set by the gateway itself; leave it out");
            }
            if text.bytes().any(|b| b < 0x20 && b != b'\t') {
                self.fault(&field, "must be one line");
            }
            self.template(&field, text, scope);
        }
    }

    fn json(&mut self, field: &str, value: &Value, scope: Scope) {
        match value {
            Value::String(text) => self.template(field, text, scope),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| self.json(&format!("{field}.{n}"), item, scope));
            }
            Value::Object(fields) => {
                fields.iter().for_each(|(key, item)| self.json(&format!("{field}.{key}"), item, scope));
            }
            _ => {}
        }
    }

    fn template(&mut self, field: &str, text: &str, scope: Scope) {
        let template = match Template::parse(text).and_then(|template| template.fits(scope).map(|()| template)) {
            Ok(template) => template,
            Err(error) => return self.fault(field, error.to_string()),
        };
        for slot in template.slots().filter(|slot| !slot.optional) {
            match &slot.name {
                Name::Secret(name) if !self.settings.secrets.contains_key(&**name) => {
                    self.fault(field, format!("needs the secret \"{name}\": add http.secrets.{name}"));
                }
                Name::Value(name) if !self.settings.values.contains_key(&**name) => {
                    self.fault(field, format!("needs the value \"{name}\": add http.values.{name}"));
                }
                Name::Password if !self.has_password => {
                    self.fault(field, "needs the connector's password, which is not set");
                }
                _ => {}
            }
        }
    }

    fn auth(&mut self, auth: &HttpAuth) {
        let kind = auth.kind.unwrap_or_default();
        let default = |text: &Option<String>, usual: &str| text.clone().unwrap_or_else(|| usual.into());
        if matches!(kind, HttpAuthKind::Basic | HttpAuthKind::Bearer) {
            self.template("auth.password", &default(&auth.password, "{password}"), Scope::Plain);
        }
        match kind {
            HttpAuthKind::None | HttpAuthKind::Bearer => {}
            HttpAuthKind::Basic => self.template("auth.user", &default(&auth.user, "{user}"), Scope::Plain),
            HttpAuthKind::Oauth2 => {
                let url = auth.token_url.as_deref().unwrap_or_default();
                if !url.starts_with('/') && !url::is_web(url) {
                    self.fault("auth.token_url", "must be a path that begins with a slash, or https:// and a host");
                }
                for (key, text) in &auth.token_form {
                    self.template(&format!("auth.token_form.{key}"), text, Scope::Plain);
                }
                if auth.token_form.is_empty() && !self.has_password {
                    self.fault("auth", "needs the connector's password, which is not set");
                }
            }
            HttpAuthKind::Hmac => {
                match &auth.over {
                    Some(over) => self.template("auth.over", over, Scope::Signing),
                    None => self.fault("auth.over", "is missing: what is signed, such as \"{timestamp}.{body}\""),
                }
                if matches!(auth.algorithm, Some(HttpAlgorithm::Ed25519 | HttpAlgorithm::JwtHs256)) {
                    self.fault("auth.algorithm", "must be one of the HMACs");
                }
                if auth.headers.is_empty() {
                    self.fault("auth.headers", "is missing: the headers that carry {signature}");
                }
                self.template("auth.key", &default(&auth.key, "{password}"), Scope::Plain);
                self.headers("auth.headers", auth.headers.iter(), Scope::Signed);
            }
        }
    }

    fn batch(&mut self) {
        let Some(batch) = &self.settings.batch else { return };
        let most = batch.most.unwrap_or(1);
        if !(1..=HTTP_BATCH_MAX).contains(&most) {
            self.fault("batch.most", format!("must be 1 to {HTTP_BATCH_MAX}"));
        }
        let json = self.settings.send.as_ref().and_then(|send| send.json.as_ref());
        let list = json.and_then(|json| json.pointer(&batch.at)).and_then(Value::as_array);
        if list.is_none_or(|list| list.len() != 1) {
            self.fault(
                "batch.at",
                "must be the JSON pointer of a list in send.json with one entry, which stands for each message",
            );
        }
        if most > 1 && self.settings.answer.as_ref().is_none_or(|answer| answer.each.is_none()) {
            self.fault(
                "answer.each",
                "is missing: the JSON pointer of the list that answers for each message of a batch",
            );
        }
    }

    fn answer(&mut self, answer: &HttpAnswer) {
        self.each("answer.each", answer.each.as_deref());
        self.when("answer.accepted", answer.accepted.as_ref());
        for (field, place) in [("id", &answer.id), ("code", &answer.code), ("reason", &answer.reason)] {
            self.place(&format!("answer.{field}"), place.as_deref());
        }
        for (n, error) in answer.errors.iter().enumerate() {
            let is_status = |text: &str| match text.strip_suffix("xx") {
                Some(hundreds) => matches!(hundreds, "1" | "2" | "3" | "4" | "5"),
                None => text.parse::<u16>().is_ok_and(|status| (100..600).contains(&status)),
            };
            if let Some(status) = error.status.iter().find(|status| !is_status(status)) {
                self.fault(
                    format!("answer.errors.{n}.status"),
                    format!("\"{status}\" is no status such as 429 or 5xx"),
                );
            }
            if let Some(Err(why)) = error.body.as_deref().map(regex) {
                self.fault(format!("answer.errors.{n}.body"), why);
            }
        }
    }

    fn readings(&mut self) {
        if let Some(receipt) = &self.settings.receipt {
            self.each("receipt.each", receipt.each.as_deref());
            self.when("receipt.when", receipt.when.as_ref());
            for (field, place) in [("id", &receipt.id), ("state", &receipt.state)] {
                // With neither it only says what the words mean, for what is asked about.
                if place.is_empty() && (receipt.id.is_empty() != receipt.state.is_empty() || receipt.states.is_empty())
                {
                    self.fault(format!("receipt.{field}"), "is missing: where it is, such as /id");
                }
                self.place(&format!("receipt.{field}"), Some(place));
            }
            self.place("receipt.error", receipt.error.as_deref());
            self.place("receipt.to", receipt.to.as_deref());
        }
        if let Some(message) = &self.settings.message {
            self.each("message.each", message.each.as_deref());
            self.when("message.when", message.when.as_ref());
            if message.from.is_empty() {
                self.fault("message.from", "is missing: where the phone's number is, such as /from");
            }
            if message.text.is_none() && message.data.is_none() {
                self.fault("message.text", "is missing: where the text is, such as /text");
            }
            let places = [
                ("from", Some(message.from.as_str())),
                ("to", message.to.as_deref()),
                ("text", message.text.as_deref()),
                ("data", message.data.as_deref()),
                ("udh", message.udh.as_deref()),
                ("part_reference", message.part_reference.as_deref()),
                ("part_count", message.part_count.as_deref()),
                ("part", message.part.as_deref()),
            ];
            for (field, place) in places {
                self.place(&format!("message.{field}"), place);
            }
        }
    }

    fn callback(&mut self) {
        let settings = self.settings;
        if let Some(callback) = &settings.callback {
            let rest = callback.url.split_once("://").map_or("", |(_, rest)| rest);
            if !url::is_web(&callback.url) || rest.contains(['?', '#', '@']) || rest.ends_with('/') {
                self.fault("callback.url", "must be https:// or http:// and a host, without a slash at its end");
            }
            if callback.secret.is_none() {
                self.fault("callback.secret", "is missing: the part of the path that nobody else knows");
            }
            if let Some(Secret::Plain(secret)) = &callback.secret
                && (secret.len() < SECRET_MIN
                    || !secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
            {
                let detail = format!("must be at least {SECRET_MIN} letters, digits, hyphens or underscores");
                self.fault("callback.secret", detail);
            }
        }
        if let Some(reply) = &settings.reply {
            if reply.status.is_some_and(|status| !(200..300).contains(&status)) {
                self.fault("reply.status", "must be 200 to 299");
            }
            if reply
                .content_type
                .as_ref()
                .is_some_and(|text| text.is_empty() || text.bytes().any(|b| !(0x20..0x7F).contains(&b)))
            {
                self.fault("reply.content_type", "must be a type such as text/plain");
            }
        }
        if let Some(signature) =
            settings.signature.as_ref().filter(|s| s.check != Some(false) && settings.callback.is_some())
        {
            self.signature(signature);
        }
    }

    fn signature(&mut self, signature: &HttpSignature) {
        let is_token = signature.algorithm == Some(HttpAlgorithm::JwtHs256);
        if !is_token && signature.header.is_empty() {
            self.fault("signature.header", "is missing: the header that has the signature");
        }
        self.template("signature.over", &signature.over, Scope::Callback);
        match (is_token, signature.over.is_empty()) {
            (false, true) => self.fault("signature.over", "is missing: what is signed, such as \"{body}\""),
            (true, false) => {
                self.fault("signature.over", "has no meaning with a token, which says itself what is signed")
            }
            _ => {}
        }
        self.template("signature.key", signature.key.as_deref().unwrap_or("{password}"), Scope::Plain);
        self.template("signature.timestamp", signature.timestamp.as_deref().unwrap_or_default(), Scope::Callback);
        if signature.max_age_seconds.is_some_and(|seconds| !(1..=MAX_AGE).contains(&seconds)) {
            self.fault("signature.max_age_seconds", "must be 1 to 604800");
        }
        let is_timed = is_token || signature.timestamp.as_ref().is_some_and(|text| !text.is_empty());
        if signature.max_age_seconds.is_some() && !is_timed {
            let detail = "needs signature.timestamp: where it says when it was made, such as \"{header:x-timestamp}\"";
            self.fault("signature.max_age_seconds", detail);
        }
    }

    fn asked(&mut self) {
        let settings = self.settings;
        if let Some(query) = &settings.query {
            self.needed("query.request", query.request.as_ref(), Scope::Query);
            if query.state.is_empty() {
                self.fault("query.state", "is missing: where it says what became of the message");
            }
            self.place("query.state", Some(&query.state));
            self.place("query.error", query.error.as_deref());
        }
        let (polls, subscribes) =
            (settings.poll.as_deref().unwrap_or_default(), settings.subscribe.as_deref().unwrap_or_default());
        if polls.len() > LISTED_MAX || subscribes.len() > LISTED_MAX {
            self.fault("poll", format!("has too many entries: {LISTED_MAX} are allowed, as in subscribe"));
        }
        for (n, poll) in polls.iter().enumerate() {
            self.needed(&format!("poll.{n}.request"), poll.request.as_ref(), Scope::Plain);
            if poll.every_seconds.is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
                self.fault(format!("poll.{n}.every_seconds"), "must be 1 to 86400");
            }
        }
        for (n, subscribe) in subscribes.iter().enumerate() {
            self.needed(&format!("subscribe.{n}.request"), subscribe.request.as_ref(), Scope::Plain);
        }
    }

    fn needed(&mut self, field: &str, request: Option<&HttpRequest>, scope: Scope) {
        match request {
            Some(request) => self.request(field, request, scope),
            None => self.fault(field, "is missing"),
        }
    }

    fn when(&mut self, field: &str, when: Option<&HttpWhen>) {
        self.place(&format!("{field}.at"), when.map(|when| when.at.as_str()));
    }

    fn place(&mut self, field: &str, place: Option<&str>) {
        if let Some(Err(why)) = place.filter(|place| !place.is_empty()).map(Place::parse) {
            self.fault(field, why);
        }
    }

    fn each(&mut self, field: &str, each: Option<&str>) {
        if let Some(Err(why)) = each.map(Each::parse) {
            self.fault(field, why);
        }
    }
}
