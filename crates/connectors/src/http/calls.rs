//! Calls of providers: receipts and messages from phones. A call is answered when what it brought is
//! durable.

use std::fmt::{self, Write as _};

use engine::{CarrierCall, CarrierCalls, CarrierDenied, CarrierReply, Engine};
use http::HeaderMap;
use model::Timestamp;
use model::resources::Protocol;
use model::resources::http::{HttpCallback, HttpReply, HttpSettings};
use ring::{digest, hmac};
use serde_json::{Map, Value};

use super::api::{Apis, DescriptionFault};
use super::document::Document;
use super::escape::parse_form;
use super::sign::Verifier;
use super::values::{Call, Known, Values};

/// Parameters of one call that are looked at.
const PARAMS_MAX: usize = 500;
/// Shortest secret of a path.
const PATH_SECRET_MIN: usize = 16;

/// Takes the calls of all providers.
#[derive(Debug, Default)]
pub(crate) struct HttpCalls {
    apis: Apis,
}

#[async_trait::async_trait]
impl CarrierCalls for HttpCalls {
    async fn take(&self, engine: &Engine, call: CarrierCall) -> Result<CarrierReply, CarrierDenied> {
        let link = engine.link(&call.connector).ok_or(CarrierDenied::Unknown)?;
        let connector = link.connector();
        if connector.protocol != Protocol::Http {
            return Err(CarrierDenied::Unknown);
        }
        let api = self.apis.get(&connector).map_err(|error| {
            tracing::warn!(connector = %connector.id, %error, "a provider's call can't be taken");
            CarrierDenied::Later
        })?;
        let incoming = api.reader.called(&call, engine.now())?;
        let reply = api.reader.calls.reply();
        if incoming.is_empty() {
            tracing::debug!(connector = %connector.id, "a provider's call says nothing of messages");
            return Ok(reply);
        }
        // What is not kept the provider brings again.
        if link.session().keep(incoming).await { Ok(reply) } else { Err(CarrierDenied::Later) }
    }
}

/// What calls of one provider are held against.
pub(super) struct Calls {
    /// The secret of the path; without one nobody calls.
    secret: Option<String>,
    /// What stands before the parameters of the address that the provider calls.
    pub(super) url: String,
    verifier: Option<Verifier>,
    reply: HttpReply,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address has the secret in it.
        f.debug_struct("Calls").field("verifier", &self.verifier).field("reply", &self.reply).finish_non_exhaustive()
    }
}

impl Calls {
    pub(super) fn compile(settings: &HttpSettings, known: &Known) -> Result<Self, DescriptionFault> {
        Ok(Self {
            secret: path_secret(settings.callback.as_ref())?,
            url: known.callback_url.clone().unwrap_or_default(),
            verifier: settings.signature.as_ref().map(Verifier::compile).transpose()?.flatten(),
            reply: settings.reply.clone().unwrap_or_default(),
        })
    }

    fn reply(&self) -> CarrierReply {
        CarrierReply {
            status: self.reply.status.unwrap_or(200),
            content_type: self.reply.content_type.as_deref().unwrap_or("text/plain; charset=utf-8").into(),
            body: self.reply.body.as_str().into(),
        }
    }

    /// A call as fields, if it is the provider's.
    pub(super) fn read(&self, call: &CarrierCall, known: &Known, now: Timestamp) -> Result<Document, CarrierDenied> {
        let secret = self.secret.as_deref().ok_or(CarrierDenied::Unknown)?;
        if !is_same(secret, &call.secret) {
            return Err(CarrierDenied::Unknown);
        }
        let form = call.headers.iter().any(|(name, value)| {
            **name == *"content-type" && value.to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
        });
        let mut params: Vec<(String, String)> = Vec::new();
        if form {
            params.extend(parse_form(&call.body).take(PARAMS_MAX));
        }
        let mut query = call.query.as_bytes();
        if let Some(verifier) = &self.verifier {
            params.sort();
            let sorted = params.iter().fold(String::new(), |mut text, (name, value)| {
                let _ = write!(text, "{name}{value}");
                text
            });
            let question = if call.query.is_empty() { "" } else { "?" };
            let url = format!("{}{question}{}", self.url, call.query);
            let seen = Call { url: &url, headers: &call.headers, body: &call.body, params: &sorted };
            verifier.check(&Values { call: Some(&seen), ..Values::plain(known, now) })?;
            if !verifier.covers_url() {
                // What is not signed may be anybody's.
                query = b"";
            }
        }
        let mut fields = Map::new();
        for (name, value) in parse_form(query).take(PARAMS_MAX).chain(params) {
            fields.insert(name, Value::String(value));
        }
        if form || call.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Document::of_fields(Value::Object(fields), call.body.clone()));
        }
        let document = Document::new(200, HeaderMap::new(), call.body.clone());
        match document.tree() {
            None => Err(CarrierDenied::Unreadable("the body is no form, no JSON and no XML".into())),
            Some(Value::Object(body)) if !fields.is_empty() => {
                fields.extend(body.clone());
                Ok(Document::of_fields(Value::Object(fields), call.body.clone()))
            }
            Some(_) => Ok(document),
        }
    }
}

/// The secret of the path that the provider calls, wherever it is kept: a file may be empty, and a variable too.
fn path_secret(callback: Option<&HttpCallback>) -> Result<Option<String>, DescriptionFault> {
    let secret = callback.and_then(|callback| callback.secret.as_ref()).map(|secret| secret.reveal()).transpose()?;
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if secret.as_ref().is_some_and(|secret| secret.len() < PATH_SECRET_MIN || !secret.bytes().all(fits)) {
        let detail = "callback.secret must be at least 16 letters, digits, hyphens or underscores";
        return Err(DescriptionFault::Other(detail.to_owned()));
    }
    Ok(secret)
}

/// Are these the same? How long it takes says nothing of what is right.
fn is_same(secret: &str, given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    let tag = hmac::sign(&key, secret.as_bytes());
    hmac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok()
}
