//! Answers on their way out, and how they become HTTP.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use model::{BatchId, MessageId};
use serde::Serialize;

use super::problem::{self, Problem};

/// The content type of answers.
pub(crate) const JSON: &str = "application/json";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A success on its way to the client.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    content_type: Cow<'static, str>,
    body: Bytes,
    location: Option<String>,
    replayed: bool,
    uncached: bool,
    challenge: bool,
}

/// What the access log is to say of a request, gathered on the way.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub message: Option<MessageId>,
    pub batch: Option<BatchId>,
    pub to: Option<String>,
    /// The body is being read: if it takes too long, that is the client's doing.
    pub reading: bool,
}

impl Reply {
    /// JSON that is written already.
    pub(crate) fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type: JSON.into(),
            body: body.into(),
            location: None,
            replayed: false,
            uncached: false,
            challenge: false,
        }
    }

    /// `value` as JSON.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value).expect("answers have string keys and finite numbers only");
        Self::json_text(status, text)
    }

    /// 200 with `value` as JSON.
    pub(crate) fn ok(value: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 200 with a page or text.
    pub(crate) fn page(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { content_type: content_type.into(), ..Self::json_text(StatusCode::OK, body) }
    }

    /// A text, whatever it says.
    pub(crate) fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { content_type: content_type.into(), ..Self::json_text(status, body) }
    }

    /// A text of a type that is not known before.
    pub(crate) fn owned(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { content_type: content_type.to_owned().into(), ..Self::json_text(status, body) }
    }

    /// Not to be kept by caches.
    pub(crate) fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }

    /// Asks for Basic authentication (RFC 7617).
    pub(crate) fn challenging(mut self) -> Self {
        self.challenge = true;
        self
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self { content_type: "".into(), ..Self::json_text(StatusCode::NO_CONTENT, Bytes::new()) }
    }

    /// With a `Location`.
    pub(crate) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// An earlier answer, given once more.
    pub(crate) fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }

    pub(crate) fn into_response(self, request_id: &str) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            let given = match self.content_type {
                Cow::Borrowed(known) => Some(HeaderValue::from_static(known)),
                Cow::Owned(text) => HeaderValue::try_from(text).ok(),
            };
            given.map(|content_type| headers.insert(header::CONTENT_TYPE, content_type));
        }
        if let Some(location) = self.location.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(header::LOCATION, location);
        }
        if self.uncached {
            headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"postrider\""));
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        put_request_id(&mut response, request_id);
        response
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl Problem {
    pub(crate) fn into_response(self, request_id: &str) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.to_json(Some(request_id)))));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::CONTENT_TYPE));
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let retry_after = self.entry.retry_after.map(|usual| self.retry_after.unwrap_or(usual));
        if let Some(seconds) = retry_after.filter(|_| matches!(self.entry.status, 429 | 503)) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        put_request_id(&mut response, request_id);
        response
    }
}

fn put_request_id(response: &mut Response<Full<Bytes>>, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::Entry;

    #[test]
    fn whoever_is_sent_away_for_now_is_told_for_how_long() {
        static BUSY: Entry = Entry { code: "busy", status: 429, title: "", cause: "", cure: "", retry_after: Some(7) };
        let all = problem::catalogue::ALL.iter().copied().chain([&BUSY]);
        for entry in all {
            let response = Problem::new(entry).into_response("r");
            let seconds = response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
            let wanted = entry.retry_after.filter(|_| matches!(entry.status, 429 | 503));
            assert_eq!(seconds, wanted.map(|seconds| seconds.to_string()), "{}", entry.code);
            assert!(seconds.is_some() || !matches!(entry.status, 429 | 503), "{}", entry.code);
        }
    }
}
