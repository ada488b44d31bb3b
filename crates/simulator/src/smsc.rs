//! The handle of an SMSC that speaks SMPP, and what its connections share.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sms::TextError;
use tokio::net::TcpStream;

use crate::connection::serve;
use crate::core::{self, Handle, Kind, Manners, lock};
use crate::ledger::Ledger;
use crate::mo::Mo;
use crate::outbox::{Delivery, What};
use crate::record::SeenMessage;
use crate::settings::{Fault, SmscSettings};

/// A running SMSC that speaks SMPP. Dropping it stops it.
pub type Smsc = Handle<Smpp>;

pub(crate) type Shared = core::Shared<Smpp>;

/// The kind of SMSC that speaks SMPP.
#[derive(Debug)]
pub struct Smpp;

/// What its connections share beside what all have.
#[derive(Debug)]
pub struct Own {
    ledger: Mutex<Ledger>,
    next_number: AtomicU64,
    most_unanswered: AtomicUsize,
}

impl Kind for Smpp {
    type Settings = SmscSettings;
    type Seen = SeenMessage;
    type Delivery = Delivery;
    type Own = Own;

    fn own(settings: &SmscSettings) -> Own {
        Own {
            ledger: Mutex::default(),
            next_number: AtomicU64::new(settings.first_id),
            most_unanswered: AtomicUsize::new(0),
        }
    }

    async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) {
        serve(stream, shared, number, None).await;
    }
}

impl Manners for SmscSettings {
    fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl Handle<Smpp> {
    /// The most submissions that one connection had unanswered at a time: how much of a window its
    /// client used.
    #[must_use]
    pub fn most_unanswered(&self) -> usize {
        self.shared.own.most_unanswered.load(Relaxed)
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
        let (stream, number) = self.connect(esme).await?;
        let credentials = Some((system_id.to_owned(), password.to_owned()));
        self.shared.spawn_outgoing(serve(stream, self.shared.clone(), number, credentials));
        Ok(())
    }

    /// Unbinds every connection in order. New ones are let in.
    pub fn unbind_all(&self) {
        self.command_unbind();
    }
}

impl Shared {
    pub(crate) fn next_number(&self) -> u64 {
        self.own.next_number.fetch_add(1, Relaxed)
    }

    pub(crate) fn note_unanswered(&self, unanswered: usize) {
        self.own.most_unanswered.fetch_max(unanswered, Relaxed);
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.own.ledger)
    }
}
