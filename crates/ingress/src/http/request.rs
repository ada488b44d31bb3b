//! A request as handlers see it: who asks, for what, and a body that is read under limits.

use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use engine::{Caller, Engine, Idempotency};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use ring::digest;

use super::problem::{Problem, catalogue};
use super::query::Query;
use super::reply::Subject;
use super::service::State;

/// Longest idempotency key.
const KEY_MAX: usize = 255;

/// One request of a caller who may do what it asks for.
pub(crate) struct Request<'a> {
    pub state: &'a State,
    pub caller: &'a Caller,
    pub parts: &'a Parts,
    /// Where it came from.
    pub remote: IpAddr,
    pub subject: &'a mut Subject,
    /// Left here as long as something of it may not have been read.
    body: &'a mut Option<Incoming>,
}

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    /// One JSON value a line.
    Lines,
}

impl<'a> Request<'a> {
    pub(crate) fn new(
        (state, parts, remote): (&'a State, &'a Parts, IpAddr),
        caller: &'a Caller,
        body: &'a mut Option<Incoming>,
        subject: &'a mut Subject,
    ) -> Self {
        Self { state, caller, parts, remote, subject, body }
    }

    pub(crate) fn engine(&self) -> &'a Engine {
        &self.state.engine
    }

    /// The query, of which only the parameters in `known` may be there.
    pub(crate) fn query(&self, known: &'static [&'static str]) -> Result<Query, Problem> {
        Query::parse(self.parts.uri.query(), known)
    }

    /// Refuses any query parameter.
    pub(crate) fn no_query(&self) -> Result<(), Problem> {
        if self.parts.uri.query().is_some() { self.query(&[]).map(drop) } else { Ok(()) }
    }

    /// The body of a request that takes JSON only.
    pub(crate) async fn json_body(&mut self) -> Result<Bytes, Problem> {
        match self.media()? {
            Media::Json => self.body_up_to(self.state.settings.limits.body_octets).await,
            Media::Lines => Err(unsupported("the body must be application/json")),
        }
    }

    /// What the body says it is written in; JSON if it does not say.
    pub(crate) fn media(&self) -> Result<Media, Problem> {
        media_of(&self.parts.headers)
    }

    /// The whole body, if it has no more than `limit` octets.
    pub(crate) async fn body_up_to(&mut self, limit: usize) -> Result<Bytes, Problem> {
        let Some(mut body) = self.body.take() else { return Ok(Bytes::new()) };
        self.subject.reading = true;
        let read = read_body(&mut body, limit).await;
        self.subject.reading = false;
        if read.is_err() {
            *self.body = Some(body);
        }
        read
    }

    /// The body, for who reads it bit by bit; `None` if it was taken before.
    pub(crate) fn take_body(&mut self) -> Option<Incoming> {
        self.body.take()
    }

    /// What was not read of it, for [`linger`](super::linger).
    pub(crate) fn give_back(&mut self, body: Option<Incoming>) {
        *self.body = body;
    }

    /// The `Idempotency-Key` alone.
    pub(crate) fn idempotency_key(&self) -> Result<Option<&'a str>, Problem> {
        idempotency_key(&self.parts.headers)
    }

    /// The `Idempotency-Key`, with what was asked under it.
    pub(crate) fn idempotency(&self, body: &[u8]) -> Result<Option<Idempotency<'a>>, Problem> {
        let Some(key) = idempotency_key(&self.parts.headers)? else { return Ok(None) };
        let mut asked = self.asked();
        asked.update(body);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(asked.finish().as_ref());
        Ok(Some(Idempotency { key, fingerprint }))
    }

    /// What fingerprints are made of, without the body.
    pub(crate) fn asked(&self) -> digest::Context {
        let mut asked = digest::Context::new(&digest::SHA256);
        asked.update(self.parts.method.as_str().as_bytes());
        asked.update(b" ");
        asked.update(self.parts.uri.path().as_bytes());
        asked.update(b"\n");
        asked
    }
}

/// What a body with these headers is written in.
pub(crate) fn media_of(headers: &HeaderMap) -> Result<Media, Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(unsupported("a body with a Content-Encoding is not read"));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Media::Json) };
    let essence = value.as_bytes().split(|octet| *octet == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        Ok(Media::Json)
    } else if essence.eq_ignore_ascii_case(b"application/x-ndjson") {
        Ok(Media::Lines)
    } else {
        Err(unsupported("the body must be application/json"))
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=KEY_MAX).contains(&key.len()));
    match key {
        Some(key) if values.next().is_none() => Ok(Some(key)),
        _ => Err(Problem::new(&catalogue::BAD_HEADER)
            .detail("Idempotency-Key must stand once and have 1 to 255 printable ASCII characters")),
    }
}

pub(super) async fn read_body(body: &mut Incoming, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(&catalogue::BODY_TOO_LARGE).detail(format!("at most {limit} octets are read"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    // Most bodies come in one piece, which is then not copied.
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(&catalogue::MALFORMED_JSON).detail("the body was cut off"))?;
        let Ok(data) = frame.into_data() else { continue };
        let so_far = first.as_ref().map_or(0, Bytes::len) + whole.len();
        if so_far + data.len() > limit {
            return Err(too_large());
        }
        if so_far == 0 {
            first = Some(data);
            continue;
        }
        if let Some(first) = first.take() {
            let expected = body.size_hint().lower().min(limit as u64) as usize;
            whole.reserve(first.len() + data.len() + expected);
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

fn unsupported(detail: &'static str) -> Problem {
    Problem::new(&catalogue::UNSUPPORTED_MEDIA_TYPE).detail(detail)
}
