//! A few connections that are used again, by one call at a time each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Failure;
use crate::link::{Connection, Link};

/// How long a call waits for a connection that others use.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Connections for one kind of work, opened when they are needed.
pub(crate) struct Pool {
    link: Arc<Link>,
    kind: &'static str,
    free: Mutex<Vec<Arc<Connection>>>,
    places: Semaphore,
}

/// A connection on loan. Dropped without [`Borrowed::give_back`] it is closed, and the server undoes what
/// was under way on it: the caller may have gone in the middle of a transaction.
pub(crate) struct Borrowed<'p> {
    pub connection: Arc<Connection>,
    pool: &'p Pool,
    _place: SemaphorePermit<'p>,
}

impl Pool {
    pub fn new(link: Arc<Link>, kind: &'static str, size: usize) -> Self {
        Self { link, kind, free: Mutex::default(), places: Semaphore::new(size.max(1)) }
    }

    /// A connection that was sound when it was looked at last.
    pub async fn borrow(&self) -> Result<Borrowed<'_>, Failure> {
        let busy = || Failure::Away(format!("all connections for {} are in use", self.kind));
        let place = tokio::time::timeout(WAIT_MAX, self.places.acquire()).await.map_err(|_| busy())?;
        let place = place.map_err(|_| busy())?;
        let kept = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.retain(|connection| !connection.client.is_closed());
            free.pop()
        };
        let connection = match kept {
            Some(connection) => connection,
            None => Arc::new(self.link.connect().await?),
        };
        Ok(Borrowed { connection, pool: self, _place: place })
    }

    /// How long a piece of work may take, the server's own limit having failed.
    pub fn limit(&self) -> Duration {
        self.link.target.statement_timeout + Duration::from_secs(5)
    }
}

impl Borrowed<'_> {
    /// Ends the loan; nothing is under way on the connection.
    pub fn give_back(self) {
        let Self { connection, pool, _place } = self;
        if !connection.client.is_closed() {
            pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
