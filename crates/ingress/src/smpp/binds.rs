//! Who is bound: the live sessions of each account.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Name, Timestamp};
use serde::Serialize;

/// The sessions of all accounts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Binds {
    sessions: Arc<Mutex<HashMap<Name, Vec<BindView>>>>,
}

/// A bound session, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BindView {
    /// Its number, unique since the gateway was started.
    pub session: u64,
    /// `transmitter`, `receiver` or `transceiver`.
    pub mode: &'static str,
    /// The `interface_version` of its bind: `3.3`, `3.4` or `5.0`.
    pub version: &'static str,
    /// Where it comes from.
    pub remote: SocketAddr,
    /// Over TLS.
    pub tls: bool,
    /// Since when.
    pub since: Timestamp,
}

/// A place among an account's sessions, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    binds: Binds,
    account: Name,
    session: u64,
}

impl Binds {
    /// The bound sessions of an account.
    #[must_use]
    pub fn of(&self, account: &str) -> Vec<BindView> {
        self.lock().get(account).cloned().unwrap_or_default()
    }

    /// Takes a place for a session, if its account has fewer than `max`.
    pub(super) fn enter(&self, account: &Name, max: u16, view: BindView) -> Option<Place> {
        let mut sessions = self.lock();
        let mine = sessions.entry(account.clone()).or_default();
        if mine.len() >= usize::from(max) {
            return None;
        }
        let session = view.session;
        mine.push(view);
        Some(Place { binds: self.clone(), account: account.clone(), session })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Vec<BindView>>> {
        // Lists are whole between any two steps.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sessions = self.binds.lock();
        if let Some(mine) = sessions.get_mut(&self.account) {
            mine.retain(|view| view.session != self.session);
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
            mode: "transceiver",
            version: "3.4",
            remote: "127.0.0.1:1".parse().unwrap(),
            tls: false,
            since: Timestamp::from_millis(0),
        };
        let first = binds.enter(&"shop".into(), 2, view(1)).unwrap();
        let second = binds.enter(&"shop".into(), 2, view(2)).unwrap();
        assert!(binds.enter(&"shop".into(), 2, view(3)).is_none());
        assert!(binds.enter(&"other".into(), 1, view(4)).is_some());
        drop(first);
        assert_eq!(binds.of("shop"), [view(2)]);
        drop(second);
        assert!(binds.lock().is_empty());
    }
}
