//! The access token of a session, where its provider wants one: fetched again before it ends, and once more when the
//! provider does not know it any more.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use model::Timestamp;
use tokio::time::Instant;

use crate::http::api::Api;
use crate::http::client::Client;
use crate::http::token::{self, NoToken, Token};

/// Which of a session's tokens a request went with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u32);

type Renewal = Pin<Box<dyn Future<Output = Result<Token, NoToken>> + Send>>;

/// The token, if one is wanted.
pub(super) struct Access {
    is_wanted: bool,
    token: Option<Token>,
    generation: u32,
    /// The provider has taken something that came with it.
    was_good: bool,
    renewal: Option<Renewal>,
}

impl Access {
    /// With a token that was fetched just now; without, none is wanted.
    pub(super) fn new(token: Option<Token>) -> Self {
        Self { is_wanted: token.is_some(), token, generation: 0, was_good: false, renewal: None }
    }

    /// May requests go out?
    pub(super) fn is_ready(&self) -> bool {
        self.renewal.is_none()
    }

    pub(super) fn header(&self) -> Option<&HeaderValue> {
        self.token.as_ref().map(|token| &token.header)
    }

    pub(super) fn generation(&self) -> Generation {
        Generation(self.generation)
    }

    /// When another is to be fetched, unless one is.
    pub(super) fn renew_at(&self) -> Option<Instant> {
        self.token.as_ref().filter(|_| self.renewal.is_none()).map(|token| token.renew_at)
    }

    /// Fetches another with `fetch`, if it is time to.
    pub(super) fn renew(&mut self, now: Instant, fetch: impl FnOnce() -> Option<Renewal>) {
        let is_gone = self.is_wanted && self.token.is_none() && self.renewal.is_none();
        if is_gone || self.renew_at().is_some_and(|at| at <= now) {
            self.renewal = fetch();
        }
    }

    /// Waits for what is being fetched; for ever, if nothing is. Cancel-safe.
    pub(super) async fn fetched(&mut self) -> Result<Token, NoToken> {
        match &mut self.renewal {
            Some(renewal) => renewal.await,
            None => std::future::pending().await,
        }
    }

    /// It was fetched.
    pub(super) fn renewed(&mut self, token: Result<Token, NoToken>) -> Result<(), NoToken> {
        self.renewal = None;
        self.token = Some(token?);
        self.generation = self.generation.wrapping_add(1);
        self.was_good = false;
        Ok(())
    }

    /// The provider took something that came with it.
    pub(super) fn took(&mut self, generation: Generation) {
        self.was_good |= generation.0 == self.generation;
    }

    /// The provider does not know who sent this. A token that was good may have ended before its time: then another is
    /// fetched, and what was refused goes with that. False if no other token will help.
    pub(super) fn not_known(&mut self, generation: Generation) -> bool {
        let is_present = generation.0 == self.generation;
        if is_present && self.was_good {
            self.token = None;
        }
        self.is_wanted && (!is_present || self.was_good)
    }
}

/// Fetches a token, over a connection of its own: it may come from another server.
pub(super) fn renewal(api: Arc<Api>, (connect, answer): (Duration, Duration), now: Timestamp) -> Option<Renewal> {
    api.token.as_ref()?;
    Some(Box::pin(async move {
        let failed = |why: String| NoToken { why: why.into(), credentials: false };
        let source = api.token.as_ref().ok_or_else(|| failed("none is wanted".into()))?;
        let client = Client::new(source.target.clone(), connect, answer).map_err(|error| failed(error.to_string()))?;
        token::fetch(&api, source, &client, now).await
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token { header: HeaderValue::from_static("Bearer t"), renew_at: Instant::now() + Duration::from_secs(60) }
    }

    #[test]
    fn a_token_that_was_good_is_fetched_again_and_only_such_a_one() {
        let mut access = Access::new(Some(token()));
        let first = access.generation();
        assert!(!access.not_known(first), "it was never good");
        access.took(first);
        assert!(access.not_known(first) && access.header().is_none());
        access.renew(Instant::now(), || Some(Box::pin(std::future::pending())));
        assert!(!access.is_ready());
        assert!(access.renewed(Ok(token())).is_ok() && access.is_ready());
        // Another answer to what went with the one before.
        access.took(first);
        assert!(access.not_known(first) && access.header().is_some());
        assert!(!access.not_known(access.generation()), "this one was never good");
        let mut none = Access::new(None);
        none.took(none.generation());
        assert!(!none.not_known(none.generation()));
        none.renew(Instant::now(), || unreachable!("none is wanted"));
    }
}
