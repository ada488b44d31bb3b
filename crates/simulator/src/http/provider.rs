//! The handle of a provider, and what it remembers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::apis::{FromPhone, HttpApi, Login, Provider, Submission};
use super::callbacks::Callbacks;
use super::server;
use super::tokens::Tokens;
use crate::counters::{Counters, Totals};
use crate::settings::Memory;

/// Messages whose end may be asked for.
const LEDGER: usize = 100_000;

/// How a provider behaves.
#[derive(Clone, Debug)]
pub struct HttpProviderSettings {
    /// Which provider it is.
    pub api: HttpApi,
    /// Who may send: account, key or plan.
    pub user: String,
    /// The password, secret or token.
    pub password: String,
    /// How long an answer takes, at least and at most.
    pub resp_delay: (Duration, Duration),
    /// Messages a second; above, they are refused for now.
    pub throttle: Option<u32>,
    /// Probability that a message is refused for good.
    pub fail: f64,
    /// A request with a message to this number is refused whole, without a word about which of its messages is wrong.
    pub bad_number: Option<String>,
    /// Access tokens are good for so many seconds, and say so; default an hour.
    pub token_seconds: Option<u32>,
    /// Access tokens are good for so many requests, and don't say so.
    pub token_uses: Option<u64>,
    /// Probability that a request is taken and never answered.
    pub drop: f64,
    /// The connection is closed after so many requests were taken, without an answer to the last.
    pub close_after: Option<u64>,
    /// How long after the answer a receipt comes, at least and at most.
    pub receipt_delay: (Duration, Duration),
    /// Probability that a message is not delivered.
    pub undelivered: f64,
    /// Where messages from phones go, and receipts of providers whose requests don't say where.
    pub callback: Option<String>,
    /// What it remembers of the messages that it took.
    pub memory: Memory,
    /// Where randomness starts.
    pub seed: u64,
}

impl HttpProviderSettings {
    /// A quick, correct one.
    #[must_use]
    pub fn new(api: HttpApi) -> Self {
        Self {
            api,
            user: "user".into(),
            password: "secret".into(),
            resp_delay: (Duration::ZERO, Duration::ZERO),
            throttle: None,
            fail: 0.0,
            bad_number: None,
            token_seconds: None,
            token_uses: None,
            drop: 0.0,
            close_after: None,
            receipt_delay: (Duration::ZERO, Duration::ZERO),
            undelivered: 0.0,
            callback: None,
            memory: Memory::Messages,
            seed: 1,
        }
    }
}

/// A message that a provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSeen {
    /// Its sender, as it was written.
    pub from: Box<str>,
    /// Its recipient, as it was written.
    pub to: Box<str>,
    /// Its text, or its octets in hexadecimal.
    pub text: Box<str>,
    /// The id that it was given.
    pub id: Box<str>,
}

/// A provider that runs. Dropping it stops it.
#[derive(Debug)]
pub struct HttpProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl HttpProvider {
    /// Serves on a listener.
    ///
    /// # Panics
    /// If the listener has no address any more.
    #[must_use]
    pub fn start(listener: TcpListener, settings: HttpProviderSettings) -> Self {
        let address = listener.local_addr().expect("a listener has an address");
        let stop = watch::Sender::new(false);
        let shared = Arc::new(Shared::new(settings));
        let (callbacks, calling) = Callbacks::start(shared.clone(), stop.subscribe());
        let serving = tokio::spawn(server::serve(listener, shared.clone(), callbacks.clone(), stop.subscribe()));
        shared.lock().callbacks = Some(callbacks);
        Self { address, shared, stop, tasks: vec![serving, calling] }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.totals.read()
    }

    /// The messages that it took, in order, if it remembers them.
    #[must_use]
    pub fn seen(&self) -> Vec<HttpSeen> {
        self.shared.lock().seen.clone()
    }

    /// Behaves so from now on.
    pub fn change(&self, change: impl FnOnce(&mut HttpProviderSettings)) {
        let mut state = self.shared.lock();
        let before = state.settings.callback.clone();
        change(&mut state.settings);
        if state.settings.callback != before {
            // What the client subscribed to stays otherwise.
            state.callback = state.settings.callback.clone();
        }
    }

    /// Brings a message from a phone; false if nobody said where to.
    pub fn inject_mo(&self, from: &str, to: &str, text: &str) -> bool {
        let settings = self.shared.settings();
        let mut state = self.shared.lock();
        state.number += 1;
        let provider = settings.api.provider();
        let id = provider.id(state.number);
        let (url, callbacks) = (state.callback.clone().unwrap_or_default(), state.callbacks.clone());
        let login = Login { user: settings.user, password: settings.password };
        let call = provider.incoming(&login, &url, &FromPhone { from, to, text, id: &id });
        match callbacks {
            _ if provider.is_polled() => state.inbox.push(call.body),
            Some(callbacks) if !url.is_empty() => callbacks.push(Duration::ZERO, call, false),
            _ => return false,
        }
        true
    }

    /// Stops, and waits until it has.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
    }
}

impl Drop for HttpProvider {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// What requests share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) totals: Totals,
    pub(super) began: Instant,
}

#[derive(Debug)]
pub(super) struct State {
    settings: HttpProviderSettings,
    pub(super) callback: Option<String>,
    pub(super) callbacks: Option<Callbacks>,
    /// Messages from phones that are fetched.
    pub(super) inbox: Vec<String>,
    pub(super) tokens: Tokens,
    random: fastrand::Rng,
    number: u64,
    pub(super) requests: u64,
    /// The second that is counted, and how many came in it.
    second: (u64, u32),
    hashes: HashSet<u64>,
    seen: Vec<HttpSeen>,
    ends: HashMap<String, (Instant, bool)>,
    order: VecDeque<String>,
}

/// What becomes of the messages of a request.
pub(super) enum Fate {
    Throttled,
    Failed,
    Taken(Vec<Taken>),
}

/// A message that was taken.
pub(super) struct Taken {
    pub(super) submission: Submission,
    pub(super) id: String,
    pub(super) delivered: bool,
    /// How long after the answer its receipt comes.
    pub(super) receipt_after: Duration,
}

impl Shared {
    fn new(settings: HttpProviderSettings) -> Self {
        let state = State {
            callback: settings.callback.clone(),
            callbacks: None,
            inbox: Vec::new(),
            tokens: Tokens::default(),
            random: fastrand::Rng::with_seed(settings.seed),
            settings,
            number: 0,
            requests: 0,
            second: (0, 0),
            hashes: HashSet::new(),
            seen: Vec::new(),
            ends: HashMap::new(),
            order: VecDeque::new(),
        };
        Self { state: Mutex::new(state), totals: Totals::default(), began: Instant::now() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settings(&self) -> HttpProviderSettings {
        self.lock().settings.clone()
    }

    pub(super) fn login(&self) -> Login {
        let state = self.lock();
        Login { user: state.settings.user.clone(), password: state.settings.password.clone() }
    }

    /// What has become of a message: nothing if it is not known, nothing inside if it is on its way.
    pub(super) fn ended(&self, id: &str) -> Option<Option<bool>> {
        let state = self.lock();
        let (at, delivered) = state.ends.get(id)?;
        Some((*at <= Instant::now()).then_some(*delivered))
    }
}

impl State {
    pub(super) fn settings_ref(&self) -> &HttpProviderSettings {
        &self.settings
    }

    pub(super) fn odds(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.f64() < probability
    }

    pub(super) fn between(&mut self, (least, most): (Duration, Duration)) -> Duration {
        if most <= least { least } else { least + (most - least).mul_f64(self.random.f64()) }
    }

    /// Decides about the messages of one request.
    pub(super) fn judge(
        &mut self,
        provider: &dyn Provider,
        all: Vec<Submission>,
        now: Duration,
        counted: &mut Counters,
    ) -> Fate {
        let count = all.len() as u64;
        counted.submits += count;
        if self.second.0 != now.as_secs() {
            self.second = (now.as_secs(), 0);
        }
        self.second.1 = self.second.1.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if self.settings.throttle.is_some_and(|limit| self.second.1 > limit) {
            counted.throttled += count;
            counted.refused += count;
            return Fate::Throttled;
        }
        let is_bad = |one: &Submission| self.settings.bad_number.as_ref().is_some_and(|bad| one.to.ends_with(&**bad));
        if all.iter().any(is_bad) || self.odds(self.settings.fail) {
            counted.refused += count;
            return Fate::Failed;
        }
        counted.accepted += count;
        Fate::Taken(all.into_iter().map(|submission| self.take(provider, submission, counted)).collect())
    }

    fn take(&mut self, provider: &dyn Provider, submission: Submission, counted: &mut Counters) -> Taken {
        self.number += 1;
        let id = provider.id(self.number);
        let delivered = !self.odds(self.settings.undelivered);
        let receipt_after = self.between(self.settings.receipt_delay);
        if self.settings.memory != Memory::Off {
            let mut hash = DefaultHasher::new();
            (&submission.to, &submission.text).hash(&mut hash);
            match self.hashes.insert(hash.finish()) {
                true => counted.distinct += 1,
                false => counted.duplicates += 1,
            }
        }
        if self.settings.memory == Memory::Messages {
            let [from, to, text] =
                [&submission.from, &submission.to, &submission.text].map(|text| text.as_str().into());
            self.seen.push(HttpSeen { from, to, text, id: id.as_str().into() });
        }
        if self.order.len() >= LEDGER
            && let Some(oldest) = self.order.pop_front()
        {
            self.ends.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.ends.insert(id.clone(), (Instant::now() + receipt_after, delivered));
        Taken { submission, id, delivered, receipt_after }
    }
}
