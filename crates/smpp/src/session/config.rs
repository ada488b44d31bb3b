//! What a session must be told before it starts.

use std::time::Duration;

use thiserror::Error;

use crate::error::EncodeError;
use crate::frame::DEFAULT_MAX_PDU;
use crate::pdu::BindMode;
use crate::values::{InterfaceVersion, Npi, Ton};

/// Limits and timers, the same for both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// The version that we speak. Many SMSCs refuse 5.0.
    pub version: InterfaceVersion,
    /// How many of our requests may be unanswered at a time, 1–10,000.
    pub window: usize,
    /// How long the peer may take to answer one of our requests.
    pub response_timeout: Duration,
    /// How long the bind may take, on either side.
    pub bind_timeout: Duration,
    /// After how long without a single octet from the peer an enquire_link is sent; `None` for never.
    pub enquire_interval: Option<Duration>,
    /// How long after an enquire_link the peer may stay silent; `None` keeps such sessions for ever.
    pub enquire_timeout: Option<Duration>,
    /// After how long without a request or a response other than enquire_link the session ends.
    pub inactivity_timeout: Option<Duration>,
    /// How long each step of an orderly end may take: the open answers, then the unbind_resp.
    pub drain_timeout: Duration,
    /// The longest PDU that is taken.
    pub max_pdu: usize,
    /// How many of the peer's requests may wait for our answer; further ones get ESME_RTHROTTLED.
    pub max_unanswered: usize,
    /// Octets of output at which no more input is read, and no more requests and enquire_links are
    /// sent. Answers to what had come before the connection ended are past it: see
    /// [`Session::transport_closed`](crate::Session::transport_closed).
    pub output_limit: usize,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            version: InterfaceVersion::V3_4,
            window: 10,
            response_timeout: Duration::from_secs(60),
            bind_timeout: Duration::from_secs(15),
            enquire_interval: Some(Duration::from_secs(30)),
            enquire_timeout: Some(Duration::from_secs(30)),
            inactivity_timeout: None,
            drain_timeout: Duration::from_secs(3),
            max_pdu: DEFAULT_MAX_PDU,
            max_unanswered: 1_000,
            output_limit: 256 * 1024,
        }
    }
}

/// How an ESME binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Which directions.
    pub mode: BindMode,
    /// Our name at the MC.
    pub system_id: Vec<u8>,
    /// Our password, sent whole even if it is longer than the standard's 8 characters.
    pub password: Vec<u8>,
    /// Often empty.
    pub system_type: Vec<u8>,
    /// Type of number of `address_range`.
    pub addr_ton: Ton,
    /// Numbering plan of `address_range`.
    pub addr_npi: Npi,
    /// The addresses that we serve; often empty.
    pub address_range: Vec<u8>,
    /// Wait for an outbind with these credentials instead of binding at once.
    pub await_outbind: Option<OutbindCredentials>,
    /// Limits and timers.
    pub session: SessionConfig,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            mode: BindMode::Transceiver,
            system_id: Vec::new(),
            password: Vec::new(),
            system_type: Vec::new(),
            addr_ton: Ton::UNKNOWN,
            addr_npi: Npi::UNKNOWN,
            address_range: Vec::new(),
            await_outbind: None,
            session: SessionConfig::default(),
        }
    }
}

/// By which an ESME knows the MC that sends it an outbind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutbindCredentials {
    /// The MC's name.
    pub system_id: Vec<u8>,
    /// The MC's password.
    pub password: Vec<u8>,
}

impl OutbindCredentials {
    /// Whether these are the ones. How long the comparison takes tells nothing but lengths.
    pub(super) fn are(&self, system_id: &[u8], password: &[u8]) -> bool {
        same(&self.system_id, system_id) & same(&self.password, password)
    }
}

/// Compares without stopping at the first difference.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let differences = expected.iter().zip(given).fold(0, |all, (one, other)| all | (one ^ other));
    expected.len() == given.len() && std::hint::black_box(differences) == 0
}

/// Our configuration is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// SMPP 3.3 has no transceivers.
    #[error("bind_transceiver needs SMPP 3.4 or later")]
    TransceiverNeeds34,
    /// The window is not 1–10,000.
    #[error("a window of {0} is not between 1 and 10,000")]
    Window(usize),
    /// The bind can't be written.
    #[error("the bind cannot be sent: {0}")]
    Bind(#[from] EncodeError),
}

/// The largest window.
pub(super) const MAX_WINDOW: usize = 10_000;

impl SessionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if (1..=MAX_WINDOW).contains(&self.window) { Ok(()) } else { Err(ConfigError::Window(self.window)) }
    }
}
