//! The handle of a UCP SMSC, and what its connections share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sms::{Alphabet, DateTime, TextError, TextOptions};
use tokio::net::TcpStream;
use ucp::{DeliveryStatus, Reason, UcpTime, XserBuf};

use super::connection::serve;
use super::outbox::{MoPart, What};
use super::settings::UcpSmscSettings;
use super::submission::UcpSeen;
use crate::core::{self, Delivery, Handle, Kind, Ledger, Manners, lock};
use crate::settings::Fault;

/// A running UCP SMSC. Dropping it stops it.
pub type UcpSmsc = Handle<Ucp>;

pub(super) type Shared = core::Shared<Ucp>;

/// What has become of a message.
pub(super) type Outcome = (DeliveryStatus, Reason);

/// The kind of SMSC that speaks UCP.
#[derive(Debug)]
pub struct Ucp;

/// What its connections share beside what all have.
#[derive(Debug, Default)]
pub struct Own {
    ledger: Mutex<Ledger<Outcome>>,
}

impl Kind for Ucp {
    type Settings = UcpSmscSettings;
    type Seen = UcpSeen;
    type Delivery = Delivery<What>;
    type Own = Own;

    fn own(_: &UcpSmscSettings) -> Own {
        Own::default()
    }

    async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) {
        serve(stream, shared, number).await;
    }
}

impl Manners for UcpSmscSettings {
    fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl Handle<Ucp> {
    /// Sends a text from a phone to whoever is there; long ones in parts tied by `reference`. Gives how
    /// many parts it has; 0 if nobody is there.
    ///
    /// # Errors
    /// When the text can't be sent.
    pub fn inject_mo(&self, from: &str, to: &str, text: &str, reference: u16) -> Result<usize, TextError> {
        let plan = sms::plan(text, &TextOptions::default())?;
        let Some(account) = self.shared.directory.anybody() else { return Ok(0) };
        let transparent = plan.alphabet() == Alphabet::Ucs2;
        let owed: Vec<_> = plan
            .parts()
            .map(|part| {
                let mut xser = XserBuf::new();
                if let Some(header) = part.udh(reference) {
                    let pushed = xser.push_udh(&header);
                    debug_assert_eq!(pushed, Ok(()), "a header of a few octets fits");
                }
                if transparent {
                    xser.push_dcs(8);
                }
                let text = part.octets().to_vec();
                let part = MoPart { from: from.into(), to: to.into(), text, transparent, xser };
                (Duration::ZERO, Delivery::new(What::Mo(Box::new(part))))
            })
            .collect();
        let count = owed.len();
        self.shared.directory.owe(&account, owed, None);
        Ok(count)
    }
}

impl Shared {
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger<Outcome>> {
        lock(&self.own.ledger)
    }

    /// When the SMSC's clock shows this, `DDMMYYhhmm`, since it was started.
    pub(super) fn moment(&self, digits: &[u8]) -> Option<Duration> {
        let UcpTime { year, month, day, hour, minute, second } = UcpTime::parse(digits).ok()?;
        let date = DateTime::new(year, month, day, hour, minute, second.unwrap_or(0))?;
        let since = date.unix_seconds() - self.unix_seconds(Duration::ZERO);
        Some(Duration::from_secs(u64::try_from(since).unwrap_or(0)))
    }

    /// The time as UCP writes it: `DDMMYYhhmmss`.
    pub(super) fn scts(&self, at: Duration) -> Box<[u8]> {
        let [y, z, m, n, d, e, time @ ..] = self.clock(at);
        [&[d, e, m, n, y, z], &time[..]].concat().into()
    }
}
