//! The handle of a UCP SMSC, and what its connections share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sms::{Alphabet, TextError, TextOptions};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use ucp::XserBuf;

use super::connection::serve;
use super::ledger::Ledger;
use super::outbox::{Delivery, MoPart, What};
use super::settings::UcpSmscSettings;
use super::submission::UcpSeen;
use crate::counters::{Counters, Totals};
use crate::directory::Directory;
use crate::record::Record;
use crate::settings::FaultKind;

/// A running UCP SMSC. Dropping it stops it.
#[derive(Debug)]
pub struct UcpSmsc {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
pub(super) struct Shared {
    started: Instant,
    started_unix: Duration,
    settings: Mutex<Arc<UcpSmscSettings>>,
    close: watch::Sender<u64>,
    totals: Totals,
    counted: Notify,
    record: Mutex<Record<UcpSeen>>,
    ledger: Mutex<Ledger>,
    pub(super) directory: Directory<Delivery>,
    connections: AtomicU64,
    throttle: Mutex<(u64, u32)>,
    /// How often each fault has struck.
    struck: Mutex<HashMap<usize, u32>>,
}

impl UcpSmsc {
    /// Serves UCP on `listener`. Needs a tokio runtime.
    ///
    /// # Panics
    /// When the listener has no address, which no bound socket is without.
    #[must_use]
    pub fn start(listener: TcpListener, settings: UcpSmscSettings) -> Self {
        let address = listener.local_addr().expect("a listener is bound to an address");
        let shared = Arc::new(Shared::new(settings));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, shared.clone()));
        Self { shared, address, tasks }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has counted. Logins count as binds.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.totals.read()
    }

    /// Waits until the counters fulfil a condition.
    pub async fn wait_until(&self, condition: impl Fn(&Counters) -> bool) {
        loop {
            let counted = self.shared.counted.notified();
            tokio::pin!(counted);
            counted.as_mut().enable();
            if condition(&self.counters()) {
                return;
            }
            counted.await;
        }
    }

    /// Every message that it took, unless it remembers less.
    #[must_use]
    pub fn seen(&self) -> Vec<UcpSeen> {
        self.shared.record().messages().to_vec()
    }

    /// How often a message was taken, by its recipient and its user data as on the wire.
    #[must_use]
    pub fn times_seen(&self, to: &str, user_data: &[u8]) -> u32 {
        self.shared.record().times(to.as_bytes(), user_data)
    }

    /// Connections whose session is open now.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.shared.directory.bound()
    }

    /// Changes its settings, for open sessions too, but not the session's own: window, timers. Faults
    /// count anew.
    pub fn change(&self, change: impl FnOnce(&mut UcpSmscSettings)) {
        let mut settings = (*self.shared.settings()).clone();
        change(&mut settings);
        *lock(&self.shared.settings) = Arc::new(settings);
        lock(&self.shared.struck).clear();
    }

    /// Sends a text from a phone to whoever is there; long ones in parts tied by `reference`. Gives how
    /// many parts it has; 0 if nobody is there.
    ///
    /// # Errors
    /// When the text can't be sent.
    pub fn inject_mo(&self, from: &str, to: &str, text: &str, reference: u16) -> Result<usize, TextError> {
        let plan = sms::plan(text, &TextOptions::default())?;
        let Some(account) = self.shared.directory.anybody() else { return Ok(0) };
        let transparent = plan.alphabet() == Alphabet::Ucs2;
        let owed: Vec<_> = plan
            .parts()
            .map(|part| {
                let mut xser = XserBuf::new();
                if let Some(header) = part.udh(reference) {
                    let pushed = xser.push_udh(&header);
                    debug_assert_eq!(pushed, Ok(()), "a header of a few octets fits");
                }
                if transparent {
                    xser.push_dcs(8);
                }
                let text = part.octets().to_vec();
                let part = MoPart { from: from.into(), to: to.into(), text, transparent, xser };
                (Duration::ZERO, Delivery::new(What::Mo(Box::new(part))))
            })
            .collect();
        let count = owed.len();
        self.shared.directory.owe(&account, owed, None);
        Ok(count)
    }

    /// Closes every connection without a word, which is how UCP sessions end. New ones are let in.
    pub fn close_all(&self) {
        self.shared.close.send_modify(|times| *times += 1);
    }

    /// Stops listening and closes every connection without a word.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Shared {
    fn new(settings: UcpSmscSettings) -> Self {
        Self {
            started: Instant::now(),
            started_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            settings: Mutex::new(Arc::new(settings)),
            close: watch::Sender::new(0),
            totals: Totals::default(),
            counted: Notify::new(),
            record: Mutex::default(),
            ledger: Mutex::default(),
            directory: Directory::default(),
            connections: AtomicU64::new(0),
            throttle: Mutex::default(),
            struck: Mutex::default(),
        }
    }

    pub(super) fn settings(&self) -> Arc<UcpSmscSettings> {
        lock(&self.settings).clone()
    }

    /// Time since the SMSC was started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The SMSC's clock, which goes by UTC: `DDMMYYhhmmss`.
    pub(super) fn scts(&self, at: Duration) -> Box<[u8]> {
        let seconds = i64::try_from((self.started_unix + at).as_secs()).unwrap_or(i64::MAX);
        let mut century = Vec::with_capacity(12);
        crate::receipt::write_time(seconds, &mut century);
        // `YYMMDDhhmm` has no seconds, and begins with the year.
        let pair = |at: usize| century.get(at..at + 2).unwrap_or(b"00");
        let second = format!("{:02}", seconds.rem_euclid(60));
        [pair(4), pair(2), pair(0), pair(6), pair(8), second.as_bytes()].concat().into()
    }

    pub(super) async fn sleep_until(&self, at: Duration) {
        match self.started.checked_add(at) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Changes when every connection is to be closed.
    pub(super) fn closing(&self) -> watch::Receiver<u64> {
        self.close.subscribe()
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record<UcpSeen>> {
        lock(&self.record)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(super) fn count(&self, turn: &mut Counters) {
        if *turn != Counters::default() {
            self.totals.add(turn);
            self.counted.notify_waiters();
        }
    }

    /// Whether one more part fits this second.
    pub(super) fn admit(&self, limit: u32, now: Duration) -> bool {
        let mut throttle = lock(&self.throttle);
        if throttle.0 != now.as_secs() {
            *throttle = (now.as_secs(), 0);
        }
        let admitted = throttle.1 < limit;
        throttle.1 += u32::from(admitted);
        admitted
    }

    /// The fault that strikes at a connection's submission of this number.
    pub(super) fn fault(&self, settings: &UcpSmscSettings, submit: u64) -> Option<FaultKind> {
        let (index, fault) = settings.faults.iter().enumerate().find(|(_, fault)| fault.at_submit == submit)?;
        let mut struck = lock(&self.struck);
        let times = struck.entry(index).or_insert(0);
        if *times >= fault.times {
            return None;
        }
        *times += 1;
        Some(fault.kind)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Only costs latency if it fails.
                    let _ = stream.set_nodelay(true);
                    shared.totals.connection();
                    let number = shared.connections.fetch_add(1, Relaxed) + 1;
                    connections.spawn(serve(stream, shared.clone(), number));
                }
                // Out of file descriptors, mostly: others must close first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
