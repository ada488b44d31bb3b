//! What a connector asks its provider for that is about no message in particular: to be called back, and
//! what has come since it asked last.

use std::time::Duration;

use engine::dispatch::Incoming;
use tokio::time::Instant;

use super::api::Api;
use super::client::Exchanged;
use super::request::Written;

/// Before a subscription that was refused is asked for again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(300);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Poll(usize),
    Subscribe(usize),
}

/// When each is due; `None` while it is under way, or done.
#[derive(Debug, Default)]
pub(super) struct Errands(Vec<(Errand, Option<Instant>)>);

impl Errand {
    pub(super) fn request(self, api: &Api) -> Option<&Written> {
        match self {
            Self::Poll(n) => api.polls.get(n).map(|(request, _)| request),
            Self::Subscribe(n) => api.subscribes.get(n).map(|(request, _)| request),
        }
    }
}

impl Errands {
    /// All of a description, due now.
    pub(super) fn new(api: &Api, now: Instant) -> Self {
        let polls = (0..api.polls.len()).map(Errand::Poll);
        let all = polls.chain((0..api.subscribes.len()).map(Errand::Subscribe));
        Self(all.map(|errand| (errand, Some(now))).collect())
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().filter_map(|(_, at)| *at).min()
    }

    /// One that is due; it is under way now.
    pub(super) fn due(&mut self, now: Instant) -> Option<Errand> {
        let (errand, at) = self.0.iter_mut().find(|(_, at)| at.is_some_and(|at| at <= now))?;
        *at = None;
        Some(*errand)
    }

    /// It can't be done.
    pub(super) fn forget(&mut self, errand: Errand) {
        self.0.retain(|(known, _)| *known != errand);
    }

    /// It was answered: what that brings.
    pub(super) fn done(
        &mut self,
        errand: Errand,
        api: &Api,
        exchanged: &Exchanged,
        connector: &str,
        now: Instant,
    ) -> Vec<Incoming> {
        let document = match exchanged {
            Exchanged::Answered(document) => Some(document),
            Exchanged::NotSent(_) | Exchanged::Lost(_) => None,
        };
        let is_good = document.is_some_and(|document| (200..300).contains(&document.status));
        let status = document.map_or(0, |document| document.status);
        let again = match errand {
            Errand::Poll(n) => {
                if !is_good {
                    tracing::warn!(%connector, status, "the provider could not be asked for what has come");
                }
                api.polls.get(n).map(|(_, every)| now + *every)
            }
            Errand::Subscribe(n) => {
                let done = api.subscribes.get(n).map_or(&[][..], |(_, done)| done);
                let code = document.and_then(|document| api.reader.code(document));
                if is_good || code.is_some_and(|code| done.contains(&code)) {
                    tracing::info!(%connector, "the provider calls back");
                    None
                } else {
                    tracing::warn!(%connector, status, "the provider refuses to call back; it is asked again");
                    Some(now + SUBSCRIBE_AGAIN)
                }
            }
        };
        if let Some((_, at)) = self.0.iter_mut().find(|(known, _)| *known == errand) {
            *at = again;
        }
        match (errand, document) {
            (Errand::Poll(_), Some(document)) if is_good => api.reader.polled(document),
            _ => Vec::new(),
        }
    }
}
