//! What all simulated SMSCs have in common, whichever protocol they speak.

mod chance;
mod converse;
mod handle;
mod named;
mod owed;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::counters::{Counters, Totals};
use crate::directory::Directory;
use crate::record::Record;
use crate::settings::{Fault, FaultKind};

pub(crate) use chance::{between, one_of, struck};
pub(crate) use converse::{Broken, Conversation, converse};
pub use handle::Handle;
pub(crate) use named::{Ledger, Name};
pub use owed::Delivery;
pub(crate) use owed::{Answered, Outbox};

/// A kind of SMSC: what differs from one protocol to the next.
pub trait Kind: Debug + Sized + Send + Sync + 'static {
    /// What it should do.
    type Settings: Manners + Clone + Debug + Send + Sync;
    /// A message that it took.
    type Seen: Clone + Debug + Send;
    /// Something that it owes to a client.
    type Delivery: Debug + Send;
    /// What its connections share beside what all have.
    type Own: Debug + Send + Sync;

    /// The beginning of what they share.
    fn own(settings: &Self::Settings) -> Self::Own;

    /// Serves a connection until it ends. Connections are counted from 1.
    fn serve(stream: TcpStream, shared: Arc<Shared<Self>>, number: u64) -> impl Future<Output = ()> + Send;
}

/// What settings of all kinds say.
pub trait Manners {
    /// How connections break.
    fn faults(&self) -> &[Fault];
}

/// What all connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    None,
    Unbind,
    Close,
}

/// What the connections of an SMSC share.
#[derive(Debug)]
pub struct Shared<K: Kind> {
    started: Instant,
    started_unix: Duration,
    settings: Mutex<Arc<K::Settings>>,
    command: watch::Sender<Command>,
    totals: Totals,
    counted: Notify,
    record: Mutex<Record<K::Seen>>,
    pub(crate) directory: Directory<K::Delivery>,
    connections: AtomicU64,
    throttle: Mutex<Throttle>,
    /// How often each fault has struck.
    struck: Mutex<HashMap<usize, u32>>,
    /// Connections that the SMSC opens itself.
    outgoing: Mutex<JoinSet<()>>,
    pub(crate) own: K::Own,
}

/// The second that is counted, and what was let in during it.
#[derive(Debug, Default)]
struct Throttle {
    second: u64,
    admitted: u32,
}

impl<K: Kind> Shared<K> {
    fn new(settings: K::Settings) -> Self {
        Self {
            started: Instant::now(),
            started_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            own: K::own(&settings),
            settings: Mutex::new(Arc::new(settings)),
            command: watch::Sender::new(Command::None),
            totals: Totals::default(),
            counted: Notify::new(),
            record: Mutex::default(),
            directory: Directory::default(),
            connections: AtomicU64::new(0),
            throttle: Mutex::default(),
            struck: Mutex::default(),
            outgoing: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> Arc<K::Settings> {
        lock(&self.settings).clone()
    }

    /// Time since the SMSC was started.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn unix_seconds(&self, at: Duration) -> i64 {
        i64::try_from((self.started_unix + at).as_secs()).unwrap_or(i64::MAX)
    }

    /// The SMSC's clock, which goes by UTC: `YYMMDDhhmmss`.
    pub(crate) fn clock(&self, at: Duration) -> [u8; 12] {
        let seconds = self.unix_seconds(at);
        let mut digits = Vec::with_capacity(12);
        // It has no seconds.
        crate::receipt::write_time(seconds, &mut digits);
        digits.extend_from_slice(format!("{:02}", seconds.rem_euclid(60)).as_bytes());
        digits.try_into().unwrap_or([b'0'; 12])
    }

    pub(crate) async fn sleep_until(&self, at: Duration) {
        match self.started.checked_add(at) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn commands(&self) -> watch::Receiver<Command> {
        self.command.subscribe()
    }

    /// Waits until connections are closed by command.
    async fn told_to_close(&self) {
        let mut commands = self.commands();
        while commands.changed().await.is_ok() {
            if *commands.borrow_and_update() == Command::Close {
                return;
            }
        }
    }

    fn next_connection(&self) -> u64 {
        self.totals.connection();
        self.connections.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record<K::Seen>> {
        lock(&self.record)
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
    pub(crate) fn fault(&self, settings: &K::Settings, submit: u64) -> Option<FaultKind> {
        let (index, fault) = settings.faults().iter().enumerate().find(|(_, fault)| fault.at_submit == submit)?;
        let mut struck = lock(&self.struck);
        let times = struck.entry(index).or_insert(0);
        if *times >= fault.times {
            return None;
        }
        *times += 1;
        Some(fault.kind)
    }

    /// Serves a connection that the SMSC has opened.
    pub(crate) fn spawn_outgoing(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let mut outgoing = lock(&self.outgoing);
        while outgoing.try_join_next().is_some() {}
        outgoing.spawn(connection);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
