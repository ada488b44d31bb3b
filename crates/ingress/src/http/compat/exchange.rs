//! One request to another gateway's interface: what it brings, and who makes it.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use engine::{Accepted, Caller, Engine, Refusal, UserDenied};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;
use model::{Message, MessageId, Submission};

use crate::http::problem::Problem;
use crate::http::reply::Subject;
use crate::http::request::read_body;
use crate::http::service::State;

/// A request to another gateway's interface.
pub(in crate::http) struct Exchange<'a> {
    pub state: &'a State,
    pub parts: &'a Parts,
    pub remote: IpAddr,
    caller: &'a mut Option<Caller>,
    subject: &'a mut Subject,
    body: Option<Incoming>,
}

impl<'a> Exchange<'a> {
    pub(in crate::http) fn new(
        state: &'a State,
        parts: &'a Parts,
        remote: IpAddr,
        (caller, subject): (&'a mut Option<Caller>, &'a mut Subject),
        body: Incoming,
    ) -> Self {
        Self { state, parts, remote, caller, subject, body: Some(body) }
    }

    pub(super) fn engine(&self) -> &'a Engine {
        &self.state.engine
    }

    /// Text that came in the query, still encoded.
    pub(super) fn query(&self) -> &'a str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// What the body says it is, in lower case, and its charset.
    pub(super) fn content_type(&self) -> (String, Option<String>) {
        content_type(&self.parts.headers)
    }

    /// The whole body.
    pub(super) async fn body(&mut self) -> Result<Bytes, Problem> {
        let Some(mut body) = self.body.take() else { return Ok(Bytes::new()) };
        self.subject.reading = true;
        let read = read_body(&mut body, self.state.settings.limits.body_octets).await;
        self.subject.reading = false;
        read
    }

    /// Finds out whose user this is.
    pub(super) fn log_in(&mut self, username: &str, password: &str) -> Result<Caller, UserDenied> {
        let caller = self.engine().authenticate_user(username, password, self.remote).inspect_err(|denied| {
            tracing::info!(remote = %self.remote, why = %denied, "a user was not let in");
        })?;
        Ok(self.caller.insert(caller).clone())
    }

    /// Accepts one message.
    pub(super) async fn submit(&mut self, caller: &Caller, submission: Submission) -> Result<Message, Refusal> {
        let answer = |_: &Message| (200, Default::default());
        match self.engine().submit(caller, submission, None, answer).await? {
            Accepted::New(message, _) => {
                self.subject.message = Some(message.body.id);
                if self.state.settings.access_log.is_some() {
                    self.subject.to = Some(message.body.to.as_str().to_owned());
                }
                Ok(message)
            }
            // Without a key nothing can have been answered before.
            Accepted::Replayed(_) => Err(Refusal::KeyReused),
        }
    }

    /// Accepts messages that came together, all that are sound: the batch's id, and an answer for each
    /// in their order.
    pub(super) async fn submit_batch(
        &mut self,
        caller: &Caller,
        submissions: Vec<Submission>,
    ) -> Result<(String, Vec<Result<MessageId, Refusal>>), Refusal> {
        let count = submissions.len();
        let submissions = submissions.into_iter().map(Ok).collect();
        let taken = match self.engine().submit_batch(caller, submissions, None, |_| (200, Default::default())).await? {
            Accepted::New(taken, _) => taken,
            // Without a key nothing can have been answered before.
            Accepted::Replayed(_) => return Err(Refusal::KeyReused),
        };
        self.subject.batch = Some(taken.batch.id);
        let (mut ids, mut rejected) = (taken.accepted.into_iter(), taken.rejected.into_iter().peekable());
        let answers = (0..count).map(|place| match rejected.next_if(|(rejected, _)| *rejected == place) {
            Some((_, refusal)) => Err(refusal),
            None => ids.next().ok_or(Refusal::KeyReused),
        });
        Ok((taken.batch.id.to_string(), answers.collect()))
    }

    /// Name and password of Basic authentication (RFC 7617).
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let value = self.parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = value.split_once(' ')?;
        let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        String::from_utf8(decoded).ok()?.split_once(':').map(|(name, password)| (name.into(), password.into()))
    }
}

fn content_type(headers: &HeaderMap) -> (String, Option<String>) {
    let value = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    let mut pieces = value.split(';');
    let essence = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameter = |piece: &str| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    };
    (essence, pieces.find_map(parameter))
}
