//! A session of a connector that speaks HTTP: requests under way, and what they carry.
//!
//! One task a session. It takes messages as its window of requests has room, writes requests, waits for
//! whichever answer comes next, and brings each message to its end by it. Nothing is decided here that the
//! pure parts can decide.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engine::dispatch::{Ask, Desired, Inquiry, Job, LinkEvent, LinkSession, Outcome, SessionState, Told};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use model::resources::Connector;
use model::resources::http::HttpClass;
use model::{Content, MessageId, Reason};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::answer::{Verdict, retry_after};
use super::api::Api;
use super::client::{Client, Exchanged};
use super::errands::{Errand, Errands};
use super::token::{self, NoToken, Token};
use super::values::{Outgoing, Values, unsendable};
use crate::patience::Patience;
use crate::session::{Ended, Slot};

/// Facts that may wait for the recorder before the session stops reading and taking.
const UNREPORTED_MAX: usize = 4096;
/// How long an orderly end may wait for answers.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long the last facts may take.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Questions under way at a time.
const INQUIRIES_MAX: usize = 8;

type Renewal = Pin<Box<dyn Future<Output = Result<Token, NoToken>> + Send>>;
type Flying = Pin<Box<dyn Future<Output = (Load, Exchanged)> + Send>>;

/// What a request carries.
pub(super) enum Load {
    /// Messages, and which token they went with.
    Messages(Vec<Sent>, u32),
    Inquiry(Box<Inquiry>),
    Errand(Errand),
}

/// A message under way: its ticket, its id, and what `{id}` was.
pub(super) type Sent = (u64, MessageId, Box<str>);

/// What is said of how the session ended.
struct Ending {
    reason: Box<str>,
    credentials: bool,
}

/// A session under way.
pub(super) struct Session<'s> {
    slot: &'s mut Slot,
    link: LinkSession,
    settings: Arc<Connector>,
    api: Arc<Api>,
    client: Arc<Client>,
    flying: FuturesUnordered<Flying>,
    inquiries: usize,
    errands: Errands,
    patience: Patience,
    token: Option<Token>,
    /// How many tokens there were, and whether the last one was ever good.
    tokens: u32,
    token_was_good: bool,
    renewal: Option<Renewal>,
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
    let timeouts = [settings.bind_timeout_seconds, settings.response_timeout_seconds];
    let [connect, answer] = timeouts.map(|seconds| Duration::from_secs(seconds.max(1).into()));
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

/// Fetches a token, over a connection of its own: it may come from another server.
fn renewal(api: Arc<Api>, (connect, answer): (Duration, Duration), now: model::Timestamp) -> Option<Renewal> {
    api.token.as_ref()?;
    Some(Box::pin(async move {
        let failed = |why: String| NoToken { why: why.into(), credentials: false };
        let source = api.token.as_ref().ok_or_else(|| failed("none is wanted".into()))?;
        let client = Client::new(source.target.clone(), connect, answer).map_err(|error| failed(error.to_string()))?;
        token::fetch(&api, source, &client, now).await
    }))
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
            token,
            tokens: 0,
            token_was_good: false,
            renewal: None,
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
                if (self.flying.is_empty() && self.renewal.is_none()) || Instant::now() >= until {
                    break;
                }
            }
            let can_take = self.is_free() && self.room() > 0;
            let errand = self.errands.next().filter(|_| self.is_free());
            let wake = [drain_until, self.not_before.filter(|_| self.ending.is_none()), errand, self.renew_at()];
            let wake = wake.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                Some((load, exchanged)) = self.flying.next() => self.landed(load, exchanged),
                // What was received by asking needs no answer.
                event = self.link.event(can_take) => drop::<LinkEvent>(event),
                token = wanted(self.renewal.as_mut()) => self.renewed(token),
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
            && self.renewal.is_none()
            && self.not_before.is_none()
            && self.link.unreported() <= UNREPORTED_MAX
    }

    /// Messages that the window has room for.
    fn room(&self) -> usize {
        usize::from(self.settings.window.max(1)).saturating_sub(self.flying.len()).saturating_mul(self.batch())
    }

    /// Messages that go into one request.
    fn batch(&self) -> usize {
        if self.singly > 0 { 1 } else { self.api.batch }
    }

    fn renew_at(&self) -> Option<Instant> {
        self.token.as_ref().filter(|_| self.renewal.is_none() && self.ending.is_none()).map(|token| token.renew_at)
    }

    fn renew(&mut self) {
        let due = self.renew_at().is_some_and(|at| at <= Instant::now());
        if due || (self.api.token.is_some() && self.token.is_none() && self.renewal.is_none() && self.ending.is_none())
        {
            let timeouts = [self.settings.bind_timeout_seconds, self.settings.response_timeout_seconds];
            let [connect, answer] = timeouts.map(|seconds| Duration::from_secs(seconds.max(1).into()));
            self.renewal = renewal(self.api.clone(), (connect, answer), self.slot.engine.now());
        }
    }

    fn renewed(&mut self, token: Result<Token, NoToken>) {
        self.renewal = None;
        match token {
            Ok(token) => {
                self.token = Some(token);
                self.tokens = self.tokens.wrapping_add(1);
                self.token_was_good = false;
            }
            Err(NoToken { why, credentials }) => self.end(why, credentials),
        }
    }

    fn take(&mut self) {
        let room = self.room();
        if room == 0 {
            return;
        }
        let jobs = self.link.take(room, std::time::Instant::now());
        let mut texts = Vec::new();
        for job in jobs {
            match job.body.content {
                Content::Text(_) => texts.push(job),
                Content::Binary { .. } => self.send(vec![job], true),
            }
        }
        let mut texts = texts.into_iter().peekable();
        while texts.peek().is_some() {
            let some: Vec<Job> = texts.by_ref().take(self.batch()).collect();
            self.singly = self.singly.saturating_sub(some.len());
            self.send(some, false);
        }
    }

    /// Sends messages in one request.
    fn send(&mut self, jobs: Vec<Job>, binary: bool) {
        let api = self.api.clone();
        let request = if binary { api.binary.as_ref() } else { Some(&api.send) };
        let Some(request) = request else {
            let reason = unsendable("http.binary is missing: the description says not how octets are sent");
            return jobs.iter().for_each(|job| self.link.settle(job.ticket, Outcome::Refused(reason.clone())));
        };
        let mut outgoing = Vec::with_capacity(jobs.len());
        let mut load = Vec::with_capacity(jobs.len());
        for job in &jobs {
            match Outgoing::new(job, request.wants_octets) {
                Ok(one) => {
                    load.push((job.ticket, job.body.id, one.id.clone()));
                    outgoing.push(one);
                }
                Err(reason) => self.link.settle(job.ticket, Outcome::Refused(reason)),
            }
        }
        if outgoing.is_empty() {
            return;
        }
        let plain = Values::plain(&api.known, self.slot.engine.now());
        let values: Vec<Values<'_>> = outgoing.iter().map(|one| Values { message: Some(one), ..plain }).collect();
        let token = self.token.as_ref().map(|token| &token.header);
        match request.write(&api.origin, &values, token) {
            Ok(request) => self.fly(Load::Messages(load, self.tokens), request),
            Err(reason) => {
                for (ticket, ..) in load {
                    self.link.settle(ticket, Outcome::Refused(reason.clone()));
                }
            }
        }
    }

    fn fly(&mut self, load: Load, request: http::Request<bytes::Bytes>) {
        let client = self.client.clone();
        self.flying.push(Box::pin(async move { (load, client.exchange(request).await) }));
    }

    fn landed(&mut self, load: Load, exchanged: Exchanged) {
        match load {
            Load::Messages(messages, token) => self.answered(&messages, token, exchanged),
            Load::Inquiry(inquiry) => {
                self.inquiries = self.inquiries.saturating_sub(1);
                told(&self.api, *inquiry, &exchanged);
            }
            Load::Errand(errand) => {
                let incoming = self.errands.done(errand, &self.api, &exchanged, &self.settings.id, Instant::now());
                for one in incoming {
                    self.useful = true;
                    self.link.receive(one, 0);
                }
            }
        }
    }

    fn answered(&mut self, messages: &[Sent], token: u32, exchanged: Exchanged) {
        let document = match exchanged {
            Exchanged::Answered(document) => document,
            Exchanged::NotSent(why) => {
                messages.iter().for_each(|(ticket, ..)| self.link.give_back(*ticket));
                return self.end(why, false);
            }
            Exchanged::Lost(why) => {
                messages.iter().for_each(|(ticket, ..)| self.link.settle(*ticket, Outcome::InDoubt));
                return self.end(why, false);
            }
        };
        let ids: Vec<&str> = messages.iter().map(|(_, _, id)| &**id).collect();
        let wait = retry_after(&document, SystemTime::now());
        let verdicts = self.api.answers.read(&document, &ids);
        let refused = |verdict: &Verdict| matches!(verdict, Verdict::Not(HttpClass::Permanent, _));
        if messages.len() > 1 && !(200..300).contains(&document.status) && verdicts.iter().all(refused) {
            // One of them may be what is wrong with all: each by itself shows which.
            self.singly = self.singly.saturating_add(messages.len());
            return messages.iter().for_each(|(ticket, ..)| self.link.give_back(*ticket));
        }
        for ((ticket, message, _), verdict) in messages.iter().zip(verdicts) {
            self.settle((*ticket, *message, token), verdict, wait);
        }
    }

    fn settle(&mut self, (ticket, message, token): (u64, MessageId, u32), verdict: Verdict, wait: Option<Duration>) {
        let (class, reason) = match verdict {
            Verdict::Sent(remote_id) => {
                self.useful = true;
                self.token_was_good |= token == self.tokens;
                self.patience.decided(message);
                if self.settings.query_after_seconds.is_some() {
                    self.slot.follow_ups.sent(message);
                }
                return self.link.settle(ticket, Outcome::Sent { remote_id });
            }
            Verdict::Not(class, reason) => (class, reason),
        };
        match class {
            HttpClass::Permanent | HttpClass::Accepted => {
                self.useful = true;
                self.patience.decided(message);
                self.link.settle(ticket, Outcome::Refused(reason));
            }
            HttpClass::Temporary => {
                let after = self.patience.refused(message).max(wait.unwrap_or_default());
                self.link.settle(ticket, Outcome::Retry { after, reason });
            }
            HttpClass::Throttled => {
                if let Some(wait) = wait {
                    let until = Instant::now() + wait;
                    self.not_before = Some(self.not_before.map_or(until, |at| at.max(until)));
                }
                self.link.settle(ticket, Outcome::Throttled(reason));
            }
            HttpClass::Doubt => {
                self.link.settle(ticket, Outcome::InDoubt);
                // What is sent again at once may go out as often as the provider answers so: first a pause.
                self.end(reason.detail, false);
            }
            HttpClass::Credentials => {
                self.link.give_back(ticket);
                self.not_known(token, reason);
            }
        }
    }

    /// The provider does not know us. A token that was good may have ended before its time: then another
    /// is fetched, and what was given back goes with that.
    fn not_known(&mut self, token: u32, reason: Reason) {
        match self.api.token {
            Some(_) if token != self.tokens => {}
            Some(_) if self.token_was_good => self.token = None,
            _ => self.end(reason.detail, true),
        }
    }

    /// Asks the provider what the engine wants to know.
    fn ask(&mut self) {
        let api = self.api.clone();
        let Some(query) = &api.query else { return };
        while self.inquiries < INQUIRIES_MAX {
            let Some(inquiry) = self.link.next_inquiry(std::time::Instant::now()) else { return };
            if inquiry.ask == Ask::Cancel {
                let reason = Reason::new("cancel_refused", "the description knows no way to take a message back", true);
                inquiry.answer(Told::Refused(reason));
                continue;
            }
            let job = Job { ticket: 0, body: inquiry.body.clone(), part: inquiry.part, parts: 1 };
            let Ok(outgoing) = Outgoing::new(&job, false) else { continue };
            let plain = Values::plain(&api.known, self.slot.engine.now());
            let values = Values { message: Some(&outgoing), remote_id: Some(&inquiry.remote_id), ..plain };
            let token = self.token.as_ref().map(|token| &token.header);
            if let Ok(request) = query.request.write(&api.origin, &[values], token) {
                self.inquiries += 1;
                self.fly(Load::Inquiry(Box::new(inquiry)), request);
            }
        }
    }

    fn run_errands(&mut self) {
        let api = self.api.clone();
        while let Some(errand) = self.errands.due(Instant::now()) {
            let values = Values::plain(&api.known, self.slot.engine.now());
            let token = self.token.as_ref().map(|token| &token.header);
            let request = errand.request(&api).and_then(|request| request.write(&api.origin, &[values], token).ok());
            match request {
                Some(request) => self.fly(Load::Errand(errand), request),
                None => self.errands.forget(errand),
            }
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

async fn wanted<T>(renewal: Option<&mut Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match renewal {
        Some(renewal) => renewal.await,
        None => std::future::pending().await,
    }
}

/// Answers a question by what the provider said.
fn told(api: &Api, inquiry: Inquiry, exchanged: &Exchanged) {
    // Dropped unanswered: nobody knows.
    let (Some(query), Exchanged::Answered(document)) = (&api.query, exchanged) else { return };
    let find = |place: &Option<_>| place.as_ref().and_then(|place| document.find(place, None, ""));
    let word = find(&query.state).filter(|_| (200..300).contains(&document.status));
    match word {
        Some(word) => {
            let error = find(&query.error);
            inquiry.answer(Told::State(api.readings.receipt(&word, error.as_deref())));
        }
        None => {
            let detail = format!("HTTP {}", document.status);
            inquiry.answer(Told::Refused(Reason::new("query_refused", detail, document.status == 404)));
        }
    }
}
