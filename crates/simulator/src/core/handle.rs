//! The handle of a running SMSC.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Command, Kind, Shared, lock};
use crate::counters::Counters;

/// A running SMSC. Dropping it stops it.
#[derive(Debug)]
pub struct Handle<K: Kind> {
    pub(crate) shared: Arc<Shared<K>>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl<K: Kind> Handle<K> {
    /// Serves its protocol on `listener`. Needs a tokio runtime.
    ///
    /// # Panics
    /// When the listener has no address, which no bound socket is without.
    #[must_use]
    pub fn start(listener: TcpListener, settings: K::Settings) -> Self {
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

    /// Every message that it took, in the order in which connections told of them; empty unless
    /// everything is remembered ([`Memory::Messages`](crate::Memory::Messages)).
    #[must_use]
    pub fn seen(&self) -> Vec<K::Seen> {
        self.shared.record().messages().to_vec()
    }

    /// How often a message was taken, by its recipient as on the wire and its user data.
    #[must_use]
    pub fn times_seen(&self, to: &str, user_data: &[u8]) -> u32 {
        self.shared.record().times(to.as_bytes(), user_data)
    }

    /// Forgets the messages that it has seen; counters stay.
    pub fn forget(&self) {
        self.shared.record().forget();
    }

    /// Connections that are bound now, or logged in.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.shared.directory.bound()
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> K::Settings {
        (*self.shared.settings()).clone()
    }

    /// Changes its settings, for bound connections too, from what they read next; but not the
    /// session's own: version, window, timers. Faults count anew.
    pub fn change(&self, change: impl FnOnce(&mut K::Settings)) {
        let mut settings = self.settings();
        change(&mut settings);
        *lock(&self.shared.settings) = Arc::new(settings);
        lock(&self.shared.struck).clear();
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

    /// Ends every session in order, where the protocol has an order for it.
    pub(crate) fn command_unbind(&self) {
        self.shared.command.send_replace(Command::Unbind);
    }

    /// A connection that the SMSC opens, and its number.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn connect(&self, client: SocketAddr) -> io::Result<(TcpStream, u64)> {
        let stream = TcpStream::connect(client).await?;
        stream.set_nodelay(true)?;
        Ok((stream, self.shared.next_connection()))
    }
}

async fn accept<K: Kind>(listener: TcpListener, shared: Arc<Shared<K>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Only costs latency if it fails.
                    let _ = stream.set_nodelay(true);
                    let number = shared.next_connection();
                    connections.spawn(K::serve(stream, shared.clone(), number));
                }
                // Out of file descriptors, mostly: others must close first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
