//! Who may log in.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use engine::{BindAttempt, BindDenied, Caller, Engine};
use model::SessionProtocol;

use super::binds::{BindView, Binds, Place};
use super::lockout::Lockout;
use super::metrics::SessionMetrics;

/// Judges logins, for all listeners of one protocol.
#[derive(Debug)]
pub(crate) struct Gate {
    protocol: SessionProtocol,
    engine: Engine,
    binds: Binds,
    lockout: Mutex<Lockout>,
    metrics: SessionMetrics,
    began: Instant,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub remote: SocketAddr,
    pub tls: bool,
}

/// A login as it came.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub name: &'a [u8],
    pub password: &'a [u8],
    pub system_type: &'a [u8],
    /// How such a session is called.
    pub mode: &'static str,
    pub version: Option<&'static str>,
}

/// A login that was let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub caller: Caller,
    pub place: Place,
    /// Its number.
    pub session: u64,
    /// How it is called.
    pub mode: &'static str,
}

/// Why a login was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Too many that were wrong came before it.
    LockedOut,
    /// The account has all its sessions.
    TooMany,
    /// It is not right.
    Wrong(BindDenied),
    /// What has to be known of the account can't be read now.
    Away,
}

impl Gate {
    pub fn new(protocol: SessionProtocol, engine: Engine, metrics: SessionMetrics, binds: Binds) -> Self {
        Self { protocol, engine, binds, lockout: Mutex::default(), metrics, began: Instant::now() }
    }

    /// Lets a login in, or says why not.
    pub fn admit(&self, attempt: Attempt<'_>, peer: Peer) -> Result<Admitted, Denied> {
        let (from, name) = (peer.remote.ip(), attempt.name);
        let now = self.began.elapsed();
        let refused = |reason: &'static str, why: &dyn std::fmt::Display| {
            self.metrics.login_refused(reason);
            let (protocol, user) = (self.protocol.as_str(), String::from_utf8_lossy(name));
            tracing::warn!(protocol, %user, remote = %peer.remote, %why, "a login was refused");
        };
        let mut lockout = self.lockout.lock().unwrap_or_else(PoisonError::into_inner);
        if lockout.check(from, name, now).is_err() {
            // Not a line in the log for each: that is what a guesser would like to fill.
            self.metrics.login_refused("locked_out");
            return Err(Denied::LockedOut);
        }
        let caller = self.engine.authenticate_bind(BindAttempt {
            protocol: self.protocol,
            system_id: name,
            password: attempt.password,
            system_type: attempt.system_type,
            from,
            tls: peer.tls,
        });
        let caller = caller.map_err(|denied| {
            if matches!(denied, BindDenied::UnknownSystemId | BindDenied::WrongPassword) {
                lockout.failed(from, name, now);
            }
            refused(reason_of(denied), &denied);
            Denied::Wrong(denied)
        })?;
        lockout.succeeded(from, name, now);
        drop(lockout);
        let login = caller.account.account.login(self.protocol);
        let session = self.binds.number();
        let view = BindView {
            session,
            protocol: self.protocol.as_str(),
            mode: attempt.mode,
            version: attempt.version,
            remote: peer.remote,
            tls: peer.tls,
            since: self.engine.now(),
            window: login.map_or(0, |login| login.window.into()),
            unanswered_in: 0,
            unanswered_out: 0,
            messages_in: 0,
            messages_out: 0,
        };
        let max = login.map_or(0, |login| login.max_sessions);
        let Some(place) = self.binds.enter(&caller.account.id, max, view) else {
            refused("too_many", &"the account has all its sessions");
            return Err(Denied::TooMany);
        };
        Ok(Admitted { caller, place, session, mode: attempt.mode })
    }
}

fn reason_of(denied: BindDenied) -> &'static str {
    match denied {
        BindDenied::UnknownSystemId => "system_id",
        BindDenied::WrongPassword => "password",
        BindDenied::SystemType => "system_type",
        BindDenied::Network => "address",
        BindDenied::TlsRequired => "tls",
        BindDenied::AccountDisabled => "disabled",
    }
}
