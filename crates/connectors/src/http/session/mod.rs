//! A session of a connector that speaks HTTP: requests under way, and what they carry.
//!
//! One task a session. It takes messages as its window of requests has room, writes requests, waits for
//! whichever answer comes next, and brings each message to its end by it. Nothing is decided here that the
//! pure parts can decide. `sending` what becomes of messages, `asking` what else the provider is asked, `access` who
//! we are to it.

mod access;
mod asking;
mod sending;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::dispatch::{Desired, Inquiry, LinkEvent, LinkSession, SessionState};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use model::resources::Connector;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::api::Api;
use super::client::{Client, Exchanged};
use super::errands::{Errand, Errands};
use super::token::{NoToken, Token};
use crate::patience::Patience;
use crate::session::{Ended, Slot};
use access::{Access, Generation, renewal};
use asking::told;
use sending::Sent;

/// Facts that may wait for the recorder before the session stops reading and taking.
const UNREPORTED_MAX: usize = 4096;
/// How long an orderly end may wait for answers.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long the last facts may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

type Flying = Pin<Box<dyn Future<Output = (Load, Generation, Exchanged)> + Send>>;

/// What a request carries.
enum Load {
    Messages(Vec<Sent>),
    Inquiry(Box<Inquiry>),
    Errand(Errand),
}

/// What is said of how the session ended.
struct Ending {
    reason: Box<str>,
    credentials: bool,
}

/// A session under way.
struct Session<'s> {
    slot: &'s mut Slot,
    link: LinkSession,
    settings: Arc<Connector>,
    api: Arc<Api>,
    client: Arc<Client>,
    flying: FuturesUnordered<Flying>,
    inquiries: usize,
    errands: Errands,
    patience: Patience,
    access: Access,
    /// Nothing is taken before: the provider asked for it.
    not_before: Option<Instant>,
    /// So many messages go out by themselves next: a request with all of them was refused.
    singly: usize,
    ending: Option<Ending>,
    stopped: bool,
    useful: bool,
}

/// Runs one session to its end.
pub(super) async fn live(slot: &mut Slot) -> Ended {
    let settings = slot.settings.borrow_and_update().clone();
    let failed = |reason: Box<str>, credentials| Ended { reason, credentials, stopped: false, useful: false };
    let api = match Api::compile(&settings) {
        Ok(api) => Arc::new(api),
        Err(error) => return failed(error.to_string().into(), true),
    };
    let (connect, answer) = timeouts(&settings);
    let client = match Client::new(api.target.clone(), connect, answer) {
        Ok(client) => Arc::new(client),
        Err(error) => return failed(error.to_string().into(), false),
    };
    let (mut stop, mut desired) = (slot.stop.clone(), slot.desired.clone());
    let begin = begin(api.clone(), client.clone(), (connect, answer), slot.engine.now());
    let begun = tokio::select! {
        begun = begin => begun,
        _ = stop.changed() => return Ended { stopped: true, ..failed("stopped".into(), false) },
        _ = desired.changed() => return Ended { stopped: true, ..failed("stopped".into(), false) },
    };
    match begun {
        Ok(token) => Session::new(slot, settings, api, client, token).run().await,
        Err(NoToken { why, credentials }) => failed(why, credentials),
    }
}

/// How long a connection may take, and a whole answer.
fn timeouts(settings: &Connector) -> (Duration, Duration) {
    let timeouts = [settings.bind_timeout_seconds, settings.response_timeout_seconds];
    timeouts.map(|seconds| Duration::from_secs(seconds.max(1).into())).into()
}

/// Reaches the provider, and fetches a token where one is wanted.
async fn begin(
    api: Arc<Api>,
    client: Arc<Client>,
    timeouts: (Duration, Duration),
    now: model::Timestamp,
) -> Result<Option<Token>, NoToken> {
    client.warm_up().await.map_err(|why| NoToken { why, credentials: false })?;
    match renewal(api, timeouts, now) {
        Some(renewal) => renewal.await.map(Some),
        None => Ok(None),
    }
}

impl<'s> Session<'s> {
    fn new(
        slot: &'s mut Slot,
        settings: Arc<Connector>,
        api: Arc<Api>,
        client: Arc<Client>,
        token: Option<Token>,
    ) -> Self {
        let link = slot.link.session();
        // One session of a connector does what is not about messages.
        let errands = if slot.number == 0 { Errands::new(&api, Instant::now()) } else { Errands::default() };
        Self {
            slot,
            link,
            settings,
            api,
            client,
            flying: FuturesUnordered::new(),
            inquiries: 0,
            errands,
            patience: Patience::default(),
            access: Access::new(token),
            not_before: None,
            singly: 0,
            ending: None,
            stopped: false,
            useful: false,
        }
    }

    async fn run(mut self) -> Ended {
        let began = Instant::now();
        self.slot.set_state(SessionState::Bound { since: self.slot.engine.now() });
        let (session, address) = (self.slot.number, &self.settings.address);
        tracing::info!(connector = %self.settings.id, session, %address, "ready");
        let (mut desired, mut stop) = (self.slot.desired.clone(), self.slot.stop.clone());
        let mut drain_until: Option<Instant> = None;
        loop {
            self.follow_settings();
            self.note_wish(&desired, &stop);
            self.renew();
            let free = self.is_free();
            self.link.serve_inquiries(free && self.api.query.is_some());
            if free {
                self.ask();
                self.run_errands();
                self.take();
            }
            if self.ending.is_some() {
                let until = *drain_until.get_or_insert_with(|| Instant::now() + self.drain_time());
                if (self.flying.is_empty() && self.access.is_ready()) || Instant::now() >= until {
                    break;
                }
            }
            let can_take = self.is_free() && self.room() > 0;
            let errand = self.errands.next().filter(|_| self.is_free());
            let renew_at = self.access.renew_at().filter(|_| self.ending.is_none());
            let wake = [drain_until, self.not_before.filter(|_| self.ending.is_none()), errand, renew_at];
            let wake = wake.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                Some((load, generation, exchanged)) = self.flying.next() => self.landed(load, generation, exchanged),
                // What was received by asking needs no answer.
                event = self.link.event(can_take) => drop::<LinkEvent>(event),
                token = self.access.fetched() => self.renewed(token),
                () = sleep_until(wake) => self.not_before = self.not_before.filter(|at| *at > Instant::now()),
                _ = desired.changed(), if !self.stopped => {}
                _ = stop.changed(), if !self.stopped => {}
            }
        }
        self.finish(began).await
    }

    fn follow_settings(&mut self) {
        if self.slot.settings.has_changed().unwrap_or(false) {
            // What needs another description ends the session from outside.
            self.settings = self.slot.settings.borrow_and_update().clone();
        }
    }

    fn note_wish(&mut self, desired: &watch::Receiver<Desired>, stop: &watch::Receiver<bool>) {
        let unwanted = *desired.borrow() != Desired::Running || *stop.borrow() || stop.has_changed().is_err();
        if unwanted && !self.stopped {
            self.stopped = true;
            self.end("stopped".into(), false);
        }
    }

    fn end(&mut self, reason: Box<str>, credentials: bool) {
        let ending = self.ending.get_or_insert(Ending { reason, credentials });
        ending.credentials |= credentials;
    }

    fn drain_time(&self) -> Duration {
        let answer = Duration::from_secs(self.settings.response_timeout_seconds.max(1).into());
        if self.stopped { answer.min(DRAIN_MAX) } else { answer }
    }

    /// May anything new be sent?
    fn is_free(&self) -> bool {
        self.ending.is_none()
            && self.access.is_ready()
            && self.not_before.is_none()
            && self.link.unreported() <= UNREPORTED_MAX
    }

    fn renew(&mut self) {
        if self.ending.is_none() {
            let Self { api, settings, slot, .. } = self;
            self.access.renew(Instant::now(), || renewal(api.clone(), timeouts(settings), slot.engine.now()));
        }
    }

    fn renewed(&mut self, token: Result<Token, NoToken>) {
        if let Err(NoToken { why, credentials }) = self.access.renewed(token) {
            self.end(why, credentials);
        }
    }

    /// Sends a request.
    fn fly(&mut self, load: Load, request: http::Request<bytes::Bytes>) {
        let (client, generation) = (self.client.clone(), self.access.generation());
        self.flying.push(Box::pin(async move { (load, generation, client.exchange(request).await) }));
    }

    fn landed(&mut self, load: Load, generation: Generation, exchanged: Exchanged) {
        match load {
            Load::Messages(messages) => self.answered(&messages, generation, exchanged),
            Load::Inquiry(inquiry) => {
                self.inquiries = self.inquiries.saturating_sub(1);
                self.known(generation, &exchanged);
                told(&self.api.reader, *inquiry, &exchanged);
            }
            Load::Errand(errand) => {
                self.known(generation, &exchanged);
                let incoming = self.errands.done(errand, &self.api, &exchanged, &self.settings.id, Instant::now());
                for one in incoming {
                    self.useful = true;
                    self.link.receive(one, 0);
                }
            }
        }
    }

    /// What is no message tells of the token, too: a connector may do nothing else for hours.
    fn known(&mut self, generation: Generation, exchanged: &Exchanged) {
        match exchanged {
            Exchanged::Answered(document) if document.is_success() => self.access.took(generation),
            Exchanged::Answered(document) if document.status == 401 => drop(self.access.not_known(generation)),
            _ => {}
        }
    }

    async fn finish(self, began: Instant) -> Ended {
        let Self { slot: _, link, settings, flying, ending, stopped, useful, .. } = self;
        // What is still under way is in doubt: its connections end with it.
        drop(flying);
        // If the recorder is stuck, dropping the session leaves the facts to the engine.
        let _ = tokio::time::timeout(LAST_WORDS, link.close()).await;
        let Ending { reason, credentials } =
            ending.unwrap_or_else(|| Ending { reason: "ended".into(), credentials: false });
        let long = Duration::from_millis(settings.reconnect.min_ms.max(10_000).into());
        Ended { reason, credentials, stopped, useful: useful || began.elapsed() >= long }
    }
}
