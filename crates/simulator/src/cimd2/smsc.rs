//! The handle of a CIMD2 SMSC, and what its connections share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cimd2::{StatusCode, StatusError};
use sms::{Alphabet, TextError, TextOptions};
use tokio::net::TcpStream;

use super::connection::serve;
use super::outbox::{MoPart, What};
use super::settings::Cimd2SmscSettings;
use super::submission::Cimd2Seen;
use crate::core::{self, Delivery, Handle, Kind, Ledger, Manners, lock};
use crate::settings::Fault;

/// A running CIMD2 SMSC. Dropping it stops it.
pub type Cimd2Smsc = Handle<Cimd2>;

pub(super) type Shared = core::Shared<Cimd2>;

/// What has become of a message.
pub(super) type Outcome = (StatusCode, StatusError);

/// Parameters of a user that are kept.
const SET_MAX: usize = 100;

/// The kind of SMSC that speaks CIMD2.
#[derive(Debug)]
pub struct Cimd2;

/// Values by the number of their parameter.
type Parameters = BTreeMap<u16, Box<[u8]>>;

/// What its connections share beside what all have.
#[derive(Debug, Default)]
pub struct Own {
    ledger: Mutex<Ledger<Outcome>>,
    /// What users have set, by their names.
    set: Mutex<HashMap<Box<str>, Parameters>>,
}

impl Kind for Cimd2 {
    type Settings = Cimd2SmscSettings;
    type Seen = Cimd2Seen;
    type Delivery = Delivery<What>;
    type Own = Own;

    fn own(_: &Cimd2SmscSettings) -> Own {
        Own::default()
    }

    async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) {
        serve(stream, shared, number).await;
    }
}

impl Manners for Cimd2SmscSettings {
    fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl Handle<Cimd2> {
    /// Sends a text from a phone to whoever is there; long ones in parts tied by `reference`. Gives how
    /// many parts it has; 0 if nobody is there.
    ///
    /// # Errors
    /// When the text can't be sent.
    pub fn inject_mo(&self, from: &str, to: &str, text: &str, reference: u16) -> Result<usize, TextError> {
        let plan = sms::plan(text, &TextOptions::default())?;
        let Some(user) = self.shared.directory.anybody() else { return Ok(0) };
        let dcs = if plan.alphabet() == Alphabet::Ucs2 { 8 } else { 0 };
        let owed = plan.parts().map(|part| {
            let header = part.udh(reference).map(|header| header.to_vec()).unwrap_or_default();
            let part = MoPart { from: from.into(), to: to.into(), dcs, header, data: part.octets().to_vec() };
            (Duration::ZERO, Delivery::new(What::Mo(Box::new(part))))
        });
        let owed: Vec<_> = owed.collect();
        let count = owed.len();
        self.shared.directory.owe(&user, owed, None);
        Ok(count)
    }
}

impl Shared {
    /// Sets parameters of a user, as many as are kept.
    pub(super) fn set(&self, user: &str, parameters: Vec<(u16, Box<[u8]>)>) {
        let mut set = lock(&self.own.set);
        let own = set.entry(user.into()).or_default();
        own.extend(parameters);
        while own.len() > SET_MAX {
            own.pop_last();
        }
    }

    /// What a user has set a parameter to.
    pub(super) fn setting(&self, user: &str, parameter: u16) -> Option<Box<[u8]>> {
        lock(&self.own.set).get(user)?.get(&parameter).cloned()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger<Outcome>> {
        lock(&self.own.ledger)
    }
}
