//! What a session must be told before it starts.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::error::EncodeError;
use crate::frame::{FrameRules, Trn};
use crate::values::{Npi, Pid, Ton};

/// Limits and timers, the same for both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// How many of our operations may be unanswered at a time, 1–100. Many SMSCs allow one.
    pub window: usize,
    /// How long the peer may take to answer one of our operations. Its TRN is then not used again for as long
    /// once more, so that a late result is not taken for that of another operation.
    pub response_timeout: Duration,
    /// How long the login may take, on either side.
    pub login_timeout: Duration,
    /// How to find out that the peer is gone; `None` for never.
    pub keep_alive: Option<KeepAlive>,
    /// After how long without an operation or a result other than those of 31 the session ends.
    pub inactivity_timeout: Option<Duration>,
    /// How long open results are awaited when a session is finished.
    pub drain_timeout: Duration,
    /// Which frames are taken.
    pub frames: FrameRules,
    /// How many octets that belong to no good frame may come in a row before the session is given up.
    pub max_junk: usize,
    /// How many of the peer's operations may wait for our result, 1–100; further ones are answered with error 04.
    /// An SMSC may take that for a refusal of the message: it is best left to the 100 that TRNs allow.
    pub max_unanswered: usize,
    /// Octets of output at which no more input is read, and no more operations are sent. Results of what had
    /// come before the connection ended are past it: see
    /// [`Session::transport_closed`](crate::Session::transport_closed).
    pub output_limit: usize,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            window: 10,
            response_timeout: Duration::from_secs(60),
            login_timeout: Duration::from_secs(30),
            keep_alive: None,
            inactivity_timeout: None,
            drain_timeout: Duration::from_secs(3),
            frames: FrameRules::default(),
            max_junk: 64 * 1024,
            max_unanswered: Trn::COUNT,
            output_limit: 256 * 1024,
        }
    }
}

/// Alerts (31) that ask whether the peer is there. Whatever it answers will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepAlive {
    /// The address that the alert names: our short code.
    pub adc: Vec<u8>,
    /// What kind of terminal we are.
    pub pid: Pid,
    /// After how long without a single octet from the peer an alert is sent.
    pub interval: Duration,
    /// How long after an alert the peer may stay silent; `None` keeps such sessions for ever.
    pub timeout: Option<Duration>,
}

impl KeepAlive {
    /// An alert a minute for this short code, as a computer over TCP/IP, and half a minute to answer.
    #[must_use]
    pub fn every_minute(adc: &[u8]) -> Self {
        Self {
            adc: adc.to_vec(),
            pid: Pid::PC_TCP,
            interval: Duration::from_secs(60),
            timeout: Some(Duration::from_secs(30)),
        }
    }
}

/// How an application's session begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientConfig {
    /// The login; `None` for links that are known by their addresses, and for connections that an SMSC makes to
    /// us to deliver messages.
    pub login: Option<Login>,
    /// Send an alert (31) as soon as the session is open, as [`KeepAlive`] has it. Without a login that is how
    /// some SMSCs learn who is there.
    pub announce: bool,
    /// Limits and timers.
    pub session: SessionConfig,
}

/// The fields of a 60 that opens a session. It is shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The account: a short code or a name.
    pub oadc: Vec<u8>,
    /// Its type of number.
    pub oton: Ton,
    /// Its numbering plan.
    pub onpi: Npi,
    /// The password.
    pub password: Vec<u8>,
    /// The version of the interface.
    pub version: Vec<u8>,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            oadc: Vec::new(),
            oton: Ton::ABBREVIATED,
            onpi: Npi::PRIVATE,
            password: Vec::new(),
            version: b"0100".to_vec(),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { oadc, oton, onpi, version, .. } = self;
        f.debug_struct("Login")
            .field("oadc", &String::from_utf8_lossy(oadc))
            .field("oton", oton)
            .field("onpi", onpi)
            .field("version", &String::from_utf8_lossy(version))
            .finish_non_exhaustive()
    }
}

/// How an SMSC's session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Whether nothing is taken before a login. Without, the session is open at once, and a login that comes all
    /// the same is put to the caller.
    pub login_required: bool,
    /// Limits and timers.
    pub session: SessionConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { login_required: true, session: SessionConfig::default() }
    }
}

/// Our configuration is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The window is not 1–100.
    #[error("a window of {0} is not between 1 and 100")]
    Window(usize),
    /// max_unanswered is not 1–100.
    #[error("{0} operations without a result are not between 1 and 100")]
    MaxUnanswered(usize),
    /// There is nothing to announce with.
    #[error("an announcement needs the address that keep-alive names")]
    Announcement,
    /// The login can't be written.
    #[error("the login cannot be sent: {0}")]
    Login(EncodeError),
    /// The alert can't be written.
    #[error("the alert cannot be sent: {0}")]
    KeepAlive(EncodeError),
}

impl SessionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=Trn::COUNT).contains(&self.window) {
            return Err(ConfigError::Window(self.window));
        }
        if !(1..=Trn::COUNT).contains(&self.max_unanswered) {
            return Err(ConfigError::MaxUnanswered(self.max_unanswered));
        }
        Ok(())
    }
}
