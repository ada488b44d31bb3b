//! The store of several nodes: one PostgreSQL, version 15 or later.
//!
//! **Writing.** A commit is one transaction with `synchronous_commit=on`, sent in one piece: the statements go
//! out without waiting for answers, and what must hold (leases, idempotency keys) is looked at by the server,
//! which ends the transaction if it does not. Claims on accounts and changes of schedules are decided here,
//! under locks, and take two pieces. Rows of one kind are one statement, however many they are (`sql`).
//! Several commits may be under way at the same time; who meets another in the wrong order tries again.
//!
//! **Reading** has connections of its own, so that no report keeps commits waiting.
//!
//! **Rows.** Messages lie in one table for each UTC day of their ids (`message_20261122`), parts of the table
//! `message`; writing and reading by id go to the day's table itself. Plain columns, small numbers for words,
//! JSON for parts, events, tags and reasons: as in SQLite, and by the same code (`store::encoding`).
//!
//! **Time** is the server's: [`Store::now`] follows its clock, and leases are compared with it in SQL.
//!
//! **Faults.** A server that is away fails calls with [`StoreError::Unavailable`], at once while that is known;
//! connections come back by themselves. A commit whose connection went is made again for some seconds: that is
//! harmless, and finds out what became of it.

/// The values of a statement, each in a box.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(Box::new($value) as $crate::pipeline::Value<'_>),*] };
}

mod calls;
mod clock;
mod days;
mod decode;
mod error;
mod fleet;
mod forget;
mod link;
mod notices;
mod pipeline;
mod pool;
mod read;
mod roll_up;
mod schema;
mod sql;
mod target;
mod text;
mod tls;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use store::StoreError;

pub use error::OpenError;
pub use notices::{Listener, News};
pub use target::Target;

use link::{Connection, Link};
use pool::Pool;

/// How often the server's clock is looked at.
const CLOCK_PERIOD: Duration = Duration::from_secs(10);
/// How often tables are made for the days to come.
const DAYS_PERIOD: Duration = Duration::from_secs(3600);

/// A clock that a test sets.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is opened.
#[derive(Clone, Default)]
pub struct Options {
    /// Instead of the server's clock: for tests that move the time.
    pub clock: Option<Clock>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("clock", &self.clock.is_some()).finish()
    }
}

/// A store in a PostgreSQL database. Cheap to share.
pub struct PostgresStore {
    inner: Arc<Inner>,
}

/// What all of the store works with.
pub(crate) struct Inner {
    pub link: Arc<Link>,
    pub writers: Pool,
    pub readers: Pool,
    pub days: days::Days,
    clock: clock::Clock,
    test_clock: Option<Clock>,
    news: fleet::Ears,
}

impl PostgresStore {
    /// Opens the database, which must be there; its tables are made, or brought up to date. Runs within a
    /// runtime, in which it leaves a task that goes when the store does.
    pub async fn open(target: Target, options: Options) -> Result<Self, OpenError> {
        let link = Arc::new(Link::new(target)?);
        let connection = link.dial().await.map_err(|failure| OpenError::Store(failure.into()))?;
        schema::migrate(&connection).await?;
        let (writers, readers) = (link.target.writers, link.target.readers);
        let inner = Inner {
            writers: Pool::new(link.clone(), "writing", writers),
            readers: Pool::new(link.clone(), "reading", readers),
            link,
            days: days::Days::default(),
            clock: clock::Clock::new(),
            test_clock: options.clock,
            news: fleet::Ears::default(),
        };
        let ready = async {
            inner.clock.look(&connection).await?;
            inner.days.look(&connection).await?;
            inner.days.make_ahead(&connection, inner.now()).await
        };
        ready.await.map_err(|failure| OpenError::Store(failure.into()))?;
        let inner = Arc::new(inner);
        tokio::spawn(keep_up(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Says something to every node that listens on `channel`, by itself and at once. At most 7999 octets.
    pub async fn notify(&self, channel: &str, payload: &str) -> Result<(), StoreError> {
        let said = |connection: Arc<Connection>| async move {
            let values = values![text::Text(channel), text::Text(payload)];
            connection.rows("SELECT pg_notify($1::text, $2::text)", values).await.map(drop)
        };
        self.inner.writing(said).await
    }

    /// Hears what is said on `channel`, on a connection of its own that comes back by itself.
    #[must_use]
    pub fn listen(&self, channel: &str) -> Listener {
        notices::listen(self.inner.link.clone(), channel)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.inner.link.target).finish()
    }
}

/// Looks at the server's clock, and makes tables for the days to come.
async fn keep_up(store: std::sync::Weak<Inner>) {
    let mut until_days = DAYS_PERIOD;
    loop {
        tokio::time::sleep(CLOCK_PERIOD).await;
        let Some(store) = store.upgrade() else { return };
        until_days = until_days.saturating_sub(CLOCK_PERIOD);
        let make_days = until_days.is_zero();
        let store = &*store;
        let work = |connection: Arc<Connection>| async move {
            store.clock.look(&connection).await?;
            if make_days { store.days.make_ahead(&connection, store.now()).await } else { Ok(()) }
        };
        let done = store.writing(work).await;
        match done {
            Ok(()) if make_days => until_days = DAYS_PERIOD,
            Ok(()) => {}
            // Commits say so louder.
            Err(error) => tracing::debug!(%error, "the clock of PostgreSQL was not seen"),
        }
    }
}

impl Inner {
    /// The store's clock.
    pub fn now(&self) -> Timestamp {
        self.test_clock.as_ref().map_or_else(|| self.clock.now(), |clock| clock())
    }

    /// The time for comparisons in SQL; `None` is the server's own.
    fn set_time(&self) -> Option<Timestamp> {
        self.test_clock.as_ref().map(|clock| clock())
    }
}
