//! The handle of an SMSC, and what its connections share.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sms::TextError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::connection::serve;
use crate::counters::{Counters, Totals};
use crate::directory::Directory;
use crate::ledger::Ledger;
use crate::mo::Mo;
use crate::outbox::{Delivery, What};
use crate::record::{Record, SeenMessage};
use crate::settings::{FaultKind, SmscSettings};

/// A running SMSC. Dropping it stops it.
#[derive(Debug)]
pub struct Smsc {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

/// What all connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    None,
    Unbind,
    Close,
}

#[derive(Debug)]
pub(crate) struct Shared {
    started: Instant,
    started_unix: Duration,
    settings: Mutex<Arc<SmscSettings>>,
    command: watch::Sender<Command>,
    totals: Totals,
    counted: Notify,
    record: Mutex<Record<SeenMessage>>,
    ledger: Mutex<Ledger>,
    pub(crate) directory: Directory<Delivery>,
    next_number: AtomicU64,
    connections: AtomicU64,
    most_unanswered: AtomicUsize,
    throttle: Mutex<Throttle>,
    /// How often each fault has struck.
    struck: Mutex<HashMap<usize, u32>>,
    /// Connections that the SMSC opens itself.
    outgoing: Mutex<JoinSet<()>>,
}

/// The second that is counted, and what was let in during it.
#[derive(Debug, Default)]
struct Throttle {
    second: u64,
    admitted: u32,
}

impl Smsc {
    /// Serves SMPP on `listener`. Needs a tokio runtime.
    ///
    /// # Panics
    /// When the listener has no address, which no bound socket is without.
    #[must_use]
    pub fn start(listener: TcpListener, settings: SmscSettings) -> Self {
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

    /// What it has counted.
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

    /// Every message that it took, in the order in which connections told of them; empty unless
    /// everything is remembered ([`Memory::Messages`](crate::Memory::Messages)).
    #[must_use]
    pub fn seen(&self) -> Vec<SeenMessage> {
        self.shared.record().messages().to_vec()
    }

    /// How often a message was taken, by its recipient's digits and its user data as on the wire.
    #[must_use]
    pub fn times_seen(&self, destination: &str, user_data: &[u8]) -> u32 {
        self.shared.record().times(destination.as_bytes(), user_data)
    }

    /// Forgets the messages that it has seen; counters stay.
    pub fn forget(&self) {
        self.shared.record().forget();
    }

    /// Connections that are bound now.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.shared.directory.bound()
    }

    /// The most submissions that one connection had unanswered at a time: how much of a window its
    /// client used.
    #[must_use]
    pub fn most_unanswered(&self) -> usize {
        self.shared.most_unanswered.load(Relaxed)
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> SmscSettings {
        (*self.shared.settings()).clone()
    }

    /// Changes its settings, for bound connections too, from what they read next; but not the
    /// session's own: version, window, timers. Faults count anew.
    pub fn change(&self, change: impl FnOnce(&mut SmscSettings)) {
        let mut settings = self.settings();
        change(&mut settings);
        *lock(&self.shared.settings) = Arc::new(settings);
        lock(&self.shared.struck).clear();
    }

    /// Sends a message from a phone: to `mo.system_id` as soon as it is bound, or to anybody who is.
    /// Gives how many parts it has; 0 if nobody is bound.
    ///
    /// # Errors
    /// When the text can't be sent.
    pub fn inject_mo(&self, mo: &Mo) -> Result<usize, TextError> {
        let parts = mo.parts()?;
        let Some(system_id) = mo.system_id.as_deref().map(Box::from).or_else(|| self.shared.directory.anybody()) else {
            return Ok(0);
        };
        let owed: Vec<_> =
            parts.into_iter().map(|part| (Duration::ZERO, Delivery::new(What::Mo(Box::new(part))))).collect();
        let count = owed.len();
        self.shared.directory.owe(&system_id, owed, None);
        Ok(count)
    }

    /// Connects to an ESME and asks it to bind (SMPP 3.4 §4.1.7).
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn outbind(&self, esme: SocketAddr, system_id: &str, password: &str) -> io::Result<()> {
        let stream = TcpStream::connect(esme).await?;
        stream.set_nodelay(true)?;
        let number = self.shared.next_connection();
        let credentials = Some((system_id.to_owned(), password.to_owned()));
        let mut outgoing = lock(&self.shared.outgoing);
        while outgoing.try_join_next().is_some() {}
        outgoing.spawn(serve(stream, self.shared.clone(), number, credentials));
        Ok(())
    }

    /// Unbinds every connection in order. New ones are let in.
    pub fn unbind_all(&self) {
        self.shared.command.send_replace(Command::Unbind);
    }

    /// Closes every connection without a word, as when a cable is cut. New ones are let in.
    pub fn close_all(&self) {
        self.shared.command.send_replace(Command::Close);
    }

    /// Stops listening and closes every connection without a word.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        let mut outgoing = std::mem::take(&mut *lock(&self.shared.outgoing));
        outgoing.shutdown().await;
    }
}

impl Shared {
    fn new(settings: SmscSettings) -> Self {
        Self {
            started: Instant::now(),
            started_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            next_number: AtomicU64::new(settings.first_id),
            settings: Mutex::new(Arc::new(settings)),
            command: watch::Sender::new(Command::None),
            totals: Totals::default(),
            counted: Notify::new(),
            record: Mutex::default(),
            ledger: Mutex::default(),
            directory: Directory::default(),
            connections: AtomicU64::new(0),
            most_unanswered: AtomicUsize::new(0),
            throttle: Mutex::default(),
            struck: Mutex::default(),
            outgoing: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> Arc<SmscSettings> {
        lock(&self.settings).clone()
    }

    /// Time since the SMSC was started.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn unix_seconds(&self, at: Duration) -> i64 {
        i64::try_from((self.started_unix + at).as_secs()).unwrap_or(i64::MAX)
    }

    pub(crate) async fn sleep_until(&self, at: Duration) {
        match self.started.checked_add(at) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn commands(&self) -> watch::Receiver<Command> {
        self.command.subscribe()
    }

    /// Waits until connections are closed by command.
    pub(crate) async fn told_to_close(&self) {
        let mut commands = self.commands();
        while commands.changed().await.is_ok() {
            if *commands.borrow_and_update() == Command::Close {
                return;
            }
        }
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Relaxed)
    }

    fn next_connection(&self) -> u64 {
        self.totals.connection();
        self.connections.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn note_unanswered(&self, unanswered: usize) {
        self.most_unanswered.fetch_max(unanswered, Relaxed);
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record<SeenMessage>> {
        lock(&self.record)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(crate) fn count(&self, turn: &mut Counters) {
        if *turn != Counters::default() {
            self.totals.add(turn);
            self.counted.notify_waiters();
        }
    }

    /// Whether one more part fits this second.
    pub(crate) fn admit(&self, limit: u32, now: Duration) -> bool {
        let mut throttle = lock(&self.throttle);
        if throttle.second != now.as_secs() {
            *throttle = Throttle { second: now.as_secs(), admitted: 0 };
        }
        let admitted = throttle.admitted < limit;
        throttle.admitted += u32::from(admitted);
        admitted
    }

    /// The fault that strikes at a connection's submission of this number.
    pub(crate) fn fault(&self, settings: &SmscSettings, submit: u64) -> Option<FaultKind> {
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
                    let number = shared.next_connection();
                    connections.spawn(serve(stream, shared.clone(), number, None));
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
