//! Who is logged in: the live sessions of each account, over all protocols.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Name, Timestamp};
use serde::Serialize;

/// The sessions of all accounts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Binds {
    sessions: Arc<Mutex<HashMap<Name, Vec<Entry>>>>,
    /// How many there have been.
    numbers: Arc<AtomicU64>,
}

/// A session with what it has done so far.
#[derive(Debug)]
struct Entry {
    view: BindView,
    traffic: Arc<Traffic>,
}

/// What a session has done, told by its connection after each turn.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    window: AtomicU64,
    unanswered_in: AtomicU64,
    unanswered_out: AtomicU64,
    messages_in: AtomicU64,
    messages_out: AtomicU64,
}

/// A session, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BindView {
    /// Its number, unique since the gateway was started.
    pub session: u64,
    /// `smpp`, `ucp` or `cimd2`.
    pub protocol: &'static str,
    /// `transmitter`, `receiver` or `transceiver`, which all sessions but SMPP's are.
    pub mode: &'static str,
    /// The `interface_version` of an SMPP bind: `3.3`, `3.4` or `5.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// Where it comes from.
    pub remote: SocketAddr,
    /// Over TLS.
    pub tls: bool,
    /// Since when.
    pub since: Timestamp,
    /// Requests that may be unanswered in each direction.
    pub window: u64,
    /// Requests of the application that are not answered yet.
    pub unanswered_in: u64,
    /// Receipts and messages that the application has not answered yet.
    pub unanswered_out: u64,
    /// Messages that were accepted over it.
    pub messages_in: u64,
    /// Receipts and messages that the application has taken over it.
    pub messages_out: u64,
}

impl Traffic {
    /// What it is now.
    pub fn set(&self, window: u16, unanswered: (usize, usize), messages: (u64, u64)) {
        self.window.store(window.into(), Relaxed);
        self.unanswered_in.store(unanswered.0 as u64, Relaxed);
        self.unanswered_out.store(unanswered.1 as u64, Relaxed);
        self.messages_in.store(messages.0, Relaxed);
        self.messages_out.store(messages.1, Relaxed);
    }
}

impl Entry {
    fn view(&self) -> BindView {
        BindView {
            window: self.traffic.window.load(Relaxed),
            unanswered_in: self.traffic.unanswered_in.load(Relaxed),
            unanswered_out: self.traffic.unanswered_out.load(Relaxed),
            messages_in: self.traffic.messages_in.load(Relaxed),
            messages_out: self.traffic.messages_out.load(Relaxed),
            ..self.view.clone()
        }
    }
}

/// A place among an account's sessions, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    binds: Binds,
    account: Name,
    /// For the session to tell what it does.
    pub traffic: Arc<Traffic>,
}

impl Binds {
    /// The sessions of an account.
    #[must_use]
    pub fn of(&self, account: &str) -> Vec<BindView> {
        self.lock().get(account).into_iter().flatten().map(Entry::view).collect()
    }

    /// The number of the next session.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed) + 1
    }

    /// Takes a place for a session, if its account has fewer than `max` of its protocol.
    pub(super) fn enter(&self, account: &Name, max: u16, view: BindView) -> Option<Place> {
        let mut sessions = self.lock();
        let mine = sessions.entry(account.clone()).or_default();
        if mine.iter().filter(|entry| entry.view.protocol == view.protocol).count() >= usize::from(max) {
            return None;
        }
        let traffic = Arc::<Traffic>::default();
        mine.push(Entry { view, traffic: traffic.clone() });
        Some(Place { binds: self.clone(), account: account.clone(), traffic })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Vec<Entry>>> {
        // Lists are whole between any two steps.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sessions = self.binds.lock();
        if let Some(mine) = sessions.get_mut(&self.account) {
            mine.retain(|entry| !Arc::ptr_eq(&entry.traffic, &self.traffic));
            if mine.is_empty() {
                sessions.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let binds = Binds::default();
        let view = |session| BindView {
            session,
            protocol: "smpp",
            mode: "transceiver",
            version: Some("3.4"),
            remote: "127.0.0.1:1".parse().unwrap(),
            tls: false,
            since: Timestamp::from_millis(0),
            window: 0,
            unanswered_in: 0,
            unanswered_out: 0,
            messages_in: 0,
            messages_out: 0,
        };
        let first = binds.enter(&"shop".into(), 2, view(1)).unwrap();
        let second = binds.enter(&"shop".into(), 2, view(2)).unwrap();
        assert!(binds.enter(&"shop".into(), 2, view(3)).is_none());
        assert!(binds.enter(&"other".into(), 1, view(4)).is_some());
        assert!(binds.enter(&"shop".into(), 1, BindView { protocol: "ucp", ..view(5) }).is_some());
        drop(first);
        second.traffic.set(10, (3, 2), (7, 5));
        let seen =
            BindView { window: 10, unanswered_in: 3, unanswered_out: 2, messages_in: 7, messages_out: 5, ..view(2) };
        assert_eq!(binds.of("shop"), [seen]);
        drop(second);
        assert!(binds.lock().is_empty());
    }
}
