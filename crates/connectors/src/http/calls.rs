//! Calls of providers: receipts and messages from phones. A call is answered when what it brought is
//! durable.

use std::fmt::Write as _;

use engine::{CarrierCall, CarrierCalls, CarrierDenied, CarrierReply, Engine};
use http::HeaderMap;
use model::Timestamp;
use model::resources::Protocol;
use ring::{digest, hmac};
use serde_json::{Map, Value};

use super::api::{Api, Apis};
use super::document::Document;
use super::escape::parse_form;
use super::values::{Call, Values};

/// Parameters of one call that are looked at.
const PARAMS_MAX: usize = 500;

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
        let document = read(&api, &call, engine.now())?;
        let incoming = api.readings.read(&document);
        if incoming.is_empty() {
            tracing::debug!(connector = %connector.id, "a provider's call says nothing of messages");
            return Ok(reply(&api));
        }
        // What is not kept the provider brings again.
        if link.session().keep(incoming).await { Ok(reply(&api)) } else { Err(CarrierDenied::Later) }
    }
}

fn reply(api: &Api) -> CarrierReply {
    let reply = &api.calls.reply;
    CarrierReply {
        status: reply.status.unwrap_or(200),
        content_type: reply.content_type.as_deref().unwrap_or("text/plain; charset=utf-8").into(),
        body: reply.body.as_str().into(),
    }
}

/// A call as fields, if it is the provider's.
pub(super) fn read(api: &Api, call: &CarrierCall, now: Timestamp) -> Result<Document, CarrierDenied> {
    let secret = api.calls.secret.as_deref().ok_or(CarrierDenied::Unknown)?;
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
    if let Some(verifier) = &api.calls.verifier {
        params.sort();
        let sorted = params.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = write!(text, "{name}{value}");
            text
        });
        let question = if call.query.is_empty() { "" } else { "?" };
        let url = format!("{}{question}{}", api.calls.url, call.query);
        let seen = Call { url: &url, headers: &call.headers, body: &call.body, params: &sorted };
        let values = Values { call: Some(&seen), ..Values::plain(&api.known, now) };
        if !verifier.is_right(&values) {
            return Err(CarrierDenied::Signature);
        }
    }
    let mut fields = Map::new();
    for (name, value) in parse_form(call.query.as_bytes()).take(PARAMS_MAX).chain(params) {
        fields.insert(name, Value::String(value));
    }
    if form || call.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Document::of_fields(Value::Object(fields)));
    }
    let document = Document::new(200, HeaderMap::new(), call.body.clone());
    match document.json() {
        None => Err(CarrierDenied::Unreadable("the body is neither a form nor JSON".into())),
        Some(Value::Object(body)) if !fields.is_empty() => {
            fields.extend(body.clone());
            Ok(Document::of_fields(Value::Object(fields)))
        }
        Some(_) => Ok(document),
    }
}

/// Are these the same? How long it takes says nothing of what is right.
fn is_same(secret: &str, given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    let tag = hmac::sign(&key, secret.as_bytes());
    hmac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok()
}
