//! Carriers that call the gateway: providers with an HTTP API tell what became of messages, and bring
//! messages from phones, by calling an address of ours. An ingress takes the call; what it means is the
//! connector's business, which whoever runs connectors brings here. Neither knows the other.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use crate::engine::Engine;

/// What reads the calls of carriers.
#[async_trait::async_trait]
pub trait CarrierCalls: Send + Sync + fmt::Debug {
    /// Takes one call. It returns when everything in it is kept durably, and not before; what it gives
    /// tells the carrier so.
    async fn take(&self, engine: &Engine, call: CarrierCall) -> Result<CarrierReply, CarrierDenied>;
}

/// One call, as it came.
#[derive(Clone)]
pub struct CarrierCall {
    /// The connector that its path names.
    pub connector: Box<str>,
    /// The secret that its path names.
    pub secret: Box<str>,
    /// What follows the question mark, as it came.
    pub query: Box<str>,
    /// Names, in lower case, and values of its headers.
    pub headers: Vec<(Box<str>, Box<[u8]>)>,
    /// Its body.
    pub body: Vec<u8>,
    /// Where it came from.
    pub remote: IpAddr,
}

impl fmt::Debug for CarrierCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its path, headers and body hold secrets.
        let Self { connector, remote, .. } = self;
        f.debug_struct("CarrierCall").field("connector", connector).field("remote", remote).finish_non_exhaustive()
    }
}

/// What the carrier is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierReply {
    /// The status, 200 to 299.
    pub status: u16,
    /// The type of the body.
    pub content_type: Box<str>,
    /// The body.
    pub body: Box<str>,
}

/// Why a call is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierDenied {
    /// No connector is called under this address.
    #[error("there is no such path")]
    Unknown,
    /// The signature is missing or wrong.
    #[error("the signature is missing, or is not the carrier's")]
    Signature,
    /// The carrier: it can't be read.
    #[error("{0}")]
    Unreadable(Box<str>),
    /// The gateway is stopping, or the store can't be written.
    #[error("it can't be kept at the moment")]
    Later,
}

impl Engine {
    /// Who reads the calls of carriers; without, nobody is called. To be said once, at the start.
    pub fn set_carrier_calls(&self, calls: Arc<dyn CarrierCalls>) {
        if self.inner.carrier_calls.set(calls).is_err() {
            tracing::error!("the calls of carriers have a reader already");
        }
    }

    /// Takes a carrier's call. Who guesses at the secrets of paths is locked out for a while.
    ///
    /// # Errors
    /// Why it is not taken; nothing of it is kept then.
    pub async fn carrier_called(&self, call: CarrierCall) -> Result<CarrierReply, CarrierDenied> {
        let Some(calls) = self.inner.carrier_calls.get() else { return Err(CarrierDenied::Unknown) };
        let guesses = || self.inner.access.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        // Under a name that no user has: those can't hold colons.
        let (name, remote) = (format!("carrier:{}", call.connector), call.remote);
        if guesses().is_locked(&name, remote, self.now()) {
            return Err(CarrierDenied::Unknown);
        }
        let taken = calls.take(self, call).await;
        match &taken {
            Err(CarrierDenied::Unknown) => guesses().wrong(&name, remote, self.now()),
            _ => guesses().right(&name, remote),
        }
        taken
    }
}
