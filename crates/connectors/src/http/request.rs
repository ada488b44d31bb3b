//! From messages to a request, by a description. Pure.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use model::Reason;
use model::resources::http::template::{Name, Template, TemplateError};
use model::resources::http::{HttpMethod, HttpRequest};

use super::api::DescriptionFault;
use super::escape::{self, Place};
use super::json::Json;
use super::sign::Signer;
use super::values::{Signing, Values, unsendable};

/// What the provider sees of us.
const AGENT: &str = concat!("postrider/", env!("CARGO_PKG_VERSION"));
/// Longest request line that is sent, in octets: servers take 8 KiB.
const TARGET_MAX: usize = 64 * 1024;

/// A description of a request, ready to be written.
#[derive(Debug)]
pub(super) struct Written {
    method: HttpMethod,
    path: Template,
    query: Vec<(Box<str>, Template)>,
    headers: Vec<(HeaderName, Template)>,
    body: Body,
    /// It names octets or their header.
    pub(super) wants_octets: bool,
}

#[derive(Debug)]
enum Body {
    Nothing,
    Form(Vec<(Box<str>, Template)>),
    Json(Json),
    Xml(Template),
    Text(Template),
}

/// Where requests go, and how they say who we are.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) host: HeaderValue,
    /// What stands before every path.
    pub(super) prefix: Box<str>,
    pub(super) auth: Auth,
}

/// How requests say who we are.
#[derive(Debug)]
pub(super) enum Auth {
    Nothing,
    /// This value of `authorization`.
    Fixed(HeaderValue),
    /// A token that is fetched.
    Token,
    Signed(Signer),
}

impl Written {
    /// Reads a description; the list at the pointer `each` has an entry for each message.
    pub(super) fn compile(request: &HttpRequest, each: Option<&str>) -> Result<Self, DescriptionFault> {
        let pairs =
            |map: &std::collections::BTreeMap<String, String>| -> Result<Vec<(Box<str>, Template)>, TemplateError> {
                // What a person sets to nothing is not there.
                let given = map.iter().filter(|(_, text)| !text.is_empty());
                given.map(|(name, text)| Ok((name.as_str().into(), Template::parse(text)?))).collect()
            };
        let mut headers = Vec::new();
        for (name, template) in pairs(&request.headers)? {
            let name = HeaderName::try_from(&*name).map_err(|error| DescriptionFault::Other(error.to_string()))?;
            headers.push((name, template));
        }
        let body = if let Some(form) = &request.form {
            Body::Form(pairs(form)?)
        } else if let Some(json) = &request.json {
            Body::Json(Json::compile(json, each)?)
        } else if let Some(xml) = &request.xml {
            Body::Xml(Template::parse(xml)?)
        } else if let Some(text) = &request.text {
            Body::Text(Template::parse(text)?)
        } else {
            Body::Nothing
        };
        let path = Template::parse(&request.path)?;
        let query = pairs(&request.query)?;
        let octets = |template: &Template| template.slots().any(|slot| matches!(slot.name, Name::Data | Name::Udh));
        let wants_octets = query.iter().any(|(_, template)| octets(template))
            || match &body {
                Body::Form(fields) => fields.iter().any(|(_, template)| octets(template)),
                Body::Json(_) => request.json.as_ref().is_some_and(|json| json_names_octets(json, &octets)),
                Body::Xml(template) | Body::Text(template) => octets(template),
                Body::Nothing => false,
            };
        Ok(Self { method: request.method(), path, query, headers, body, wants_octets })
    }

    /// The request for these messages, of which there is one at least, or for none.
    ///
    /// # Errors
    /// Why it can't be written, ever.
    pub(super) fn write(
        &self,
        origin: &Origin,
        all: &[Values<'_>],
        token: Option<&HeaderValue>,
    ) -> Result<Request<Bytes>, Reason> {
        let first = all.first().ok_or_else(|| unsendable("there is nothing to send"))?;
        let mut target = origin.prefix.as_bytes().to_vec();
        first.write(&self.path, Place::Path, &mut target);
        let begun = if target.contains(&b'?') { b'&' } else { b'?' };
        pairs(&self.query, first, begun, &mut target);
        if target.is_empty() || target.starts_with(b"?") {
            target.insert(0, b'/');
        }
        if target.len() > TARGET_MAX {
            return Err(unsendable("the URL would be too long"));
        }
        let (kind, body) = self.body(all);
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = match self.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Patch => Method::PATCH,
        };
        let headers = request.headers_mut();
        headers.insert(HOST, origin.host.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, template) in &self.headers {
            if let Some(value) = first.text(template) {
                headers.insert(name, header(&value)?);
            }
        }
        match &origin.auth {
            Auth::Nothing => {}
            Auth::Fixed(value) => drop(headers.insert(AUTHORIZATION, value.clone())),
            Auth::Token => drop(token.map(|token| headers.insert(AUTHORIZATION, token.clone()))),
            Auth::Signed(signer) => {
                let target = String::from_utf8_lossy(&target);
                let signing = Signing { method: self.method.as_str(), path: &target, body: &body, signature: None };
                for (name, value) in signer.headers(first, signing) {
                    headers.insert(name, header(&value)?);
                }
            }
        }
        let target = String::from_utf8(target).ok().and_then(|target| target.parse().ok());
        *request.uri_mut() = target.ok_or_else(|| unsendable("the URL can't be written"))?;
        *request.body_mut() = body.into();
        Ok(request)
    }

    fn body(&self, all: &[Values<'_>]) -> (Option<&'static str>, Vec<u8>) {
        let mut out = Vec::new();
        let Some(first) = all.first() else { return (None, out) };
        let kind = match &self.body {
            Body::Nothing => return (None, out),
            Body::Form(fields) => {
                pairs(fields, first, 0, &mut out);
                "application/x-www-form-urlencoded"
            }
            Body::Json(json) => {
                json.write(all, &mut out);
                "application/json"
            }
            Body::Xml(template) => {
                first.write(template, Place::Xml, &mut out);
                "text/xml; charset=utf-8"
            }
            Body::Text(template) => {
                first.write(template, Place::Plain, &mut out);
                "text/plain; charset=utf-8"
            }
        };
        (Some(kind), out)
    }
}

fn json_names_octets(json: &serde_json::Value, octets: &impl Fn(&Template) -> bool) -> bool {
    match json {
        serde_json::Value::String(text) => Template::parse(text).is_ok_and(|template| octets(&template)),
        serde_json::Value::Array(items) => items.iter().any(|item| json_names_octets(item, octets)),
        serde_json::Value::Object(fields) => fields.values().any(|item| json_names_octets(item, octets)),
        _ => false,
    }
}

/// Writes pairs of names and values; `first` stands before the first of them, if it is not 0.
fn pairs(pairs: &[(Box<str>, Template)], values: &Values<'_>, first: u8, out: &mut Vec<u8>) {
    let mut between = first;
    for (name, template) in pairs {
        let before = out.len();
        if between != 0 {
            out.push(between);
        }
        escape::percent_encode(name.as_bytes(), out);
        out.push(b'=');
        if values.write(template, Place::Url, out) {
            between = b'&';
        } else {
            out.truncate(before);
        }
    }
}

/// A value of a header. Some hold secrets, so none is shown in logs.
pub(super) fn header(value: &[u8]) -> Result<HeaderValue, Reason> {
    let mut value = HeaderValue::from_bytes(value).map_err(|_| unsendable("a header can't hold this value"))?;
    value.set_sensitive(true);
    Ok(value)
}
