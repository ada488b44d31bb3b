//! Who may bind.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use engine::{BindAttempt, BindDenied, Caller, Engine};
use smpp::{Bind, BindMode, CommandStatus, InterfaceVersion};

use super::answer::status_of_bind;
use super::binds::{BindView, Binds, Place};
use super::lockout::Lockout;
use super::metrics::SmppMetrics;

/// Judges binds, for all listeners.
#[derive(Debug)]
pub(super) struct Gate {
    engine: Engine,
    binds: Binds,
    lockout: Mutex<Lockout>,
    metrics: SmppMetrics,
    began: Instant,
    sessions: AtomicU64,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub remote: SocketAddr,
    pub tls: bool,
}

/// A bind that was let in.
#[derive(Debug)]
pub(super) struct Admitted {
    pub caller: Caller,
    pub place: Place,
    /// Its number.
    pub session: u64,
}

impl Gate {
    pub fn new(engine: Engine, metrics: SmppMetrics, binds: Binds) -> Self {
        Self { engine, binds, lockout: Mutex::default(), metrics, began: Instant::now(), sessions: AtomicU64::new(1) }
    }

    pub fn binds(&self) -> &Binds {
        &self.binds
    }

    /// Lets a bind in, or says what to answer.
    pub fn admit(&self, mode: BindMode, bind: &Bind<'_>, peer: Peer) -> Result<Admitted, CommandStatus> {
        let (from, name) = (peer.remote.ip(), bind.system_id);
        let now = self.began.elapsed();
        let refused = |reason: &'static str, why: &dyn std::fmt::Display, status| {
            self.metrics.bind_refused(reason);
            let system_id = String::from_utf8_lossy(name);
            tracing::warn!(%system_id, remote = %peer.remote, %why, "a bind was refused");
            status
        };
        let mut lockout = self.lockout.lock().unwrap_or_else(PoisonError::into_inner);
        if lockout.check(from, name, now).is_err() {
            // Not a line in the log for each: that is what a guesser would like to fill.
            self.metrics.bind_refused("locked_out");
            return Err(CommandStatus::RBINDFAIL);
        }
        let attempt = BindAttempt {
            system_id: name,
            password: bind.password,
            system_type: bind.system_type,
            from,
            tls: peer.tls,
        };
        let caller = self.engine.authenticate_bind(attempt).map_err(|denied| {
            if matches!(denied, BindDenied::UnknownSystemId | BindDenied::WrongPassword) {
                lockout.failed(from, name, now);
            }
            refused(reason_of(denied), &denied, status_of_bind(denied))
        })?;
        lockout.succeeded(from, name, now);
        drop(lockout);
        let login = caller.account.account.smpp.as_deref();
        let max = login.map_or(0, |login| login.max_binds);
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        let view = BindView {
            session,
            mode: mode_word(mode),
            version: version_word(bind.interface_version, mode),
            remote: peer.remote,
            tls: peer.tls,
            since: self.engine.now(),
            window: login.map_or(0, |login| login.window.into()),
            unanswered_in: 0,
            unanswered_out: 0,
            messages_in: 0,
            messages_out: 0,
        };
        // Not ESME_RALYBND: some clients take that for a success.
        let place = self
            .binds
            .enter(&caller.account.id, max, view)
            .ok_or_else(|| refused("too_many", &"the account has all its binds", CommandStatus::RBINDFAIL))?;
        Ok(Admitted { caller, place, session })
    }
}

pub(super) fn mode_word(mode: BindMode) -> &'static str {
    match mode {
        BindMode::Transmitter => "transmitter",
        BindMode::Receiver => "receiver",
        BindMode::Transceiver => "transceiver",
    }
}

fn version_word(version: InterfaceVersion, mode: BindMode) -> &'static str {
    if version >= InterfaceVersion::V5_0 {
        "5.0"
    } else if version.has_tlvs() || mode == BindMode::Transceiver {
        "3.4"
    } else {
        "3.3"
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
