//! What a session must be told before it starts.

use std::time::Duration;

use thiserror::Error;

use crate::error::EncodeError;
use crate::frame::DEFAULT_MAX_PACKET;

/// Limits and timers, the same for both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// How many of our requests may be unanswered at a time, 1–127: there are 128 packet numbers. Many SMSCs
    /// want 1. Alive counts as one.
    pub window: usize,
    /// How long the peer may take to answer one of our requests.
    pub response_timeout: Duration,
    /// How often an unanswered request is sent again, with the same number, before it has timed out. SMSCs do so with
    /// theirs; of an application's requests nobody says that an SMSC takes the second for the same.
    pub repeats: u32,
    /// How often one request is sent again because the peer answers it with a nack, before the session ends.
    pub max_nacks: u32,
    /// How long the login may take, on either side. At least a minute is asked for.
    pub login_timeout: Duration,
    /// Client: after how long without a single octet from the SMSC alive is sent; `None` for never. More than one a
    /// minute counts as flooding.
    pub alive_interval: Option<Duration>,
    /// Client: how long after an alive the SMSC may stay silent; `None` keeps such sessions for ever.
    pub alive_timeout: Option<Duration>,
    /// After how long without a single octet from the peer the session ends; `None` for never. It is how a server
    /// gets rid of clients that are gone, since it can't ask.
    pub silence_timeout: Option<Duration>,
    /// How long each step of an orderly end may take: the open answers, then the answer to the logout.
    pub drain_timeout: Duration,
    /// The longest packet that is taken.
    pub max_packet: usize,
    /// How many of the peer's requests may wait for our answer; further ones get error 10. Answered ones are
    /// remembered until there are 64, or so many, of both.
    pub max_unanswered: usize,
    /// Octets of output at which no more input is read, and no more requests are sent. Answers to what had come
    /// before the connection ended are past it: see [`Session::transport_closed`](crate::Session::transport_closed).
    pub output_limit: usize,
    /// Whether our packets carry checksums.
    pub send_checksum: bool,
    /// Whether requests with a wrong checksum are answered with a nack. Without, they are taken; those without a
    /// checksum, and responses, always are.
    pub verify_checksum: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            window: 1,
            response_timeout: Duration::from_secs(60),
            repeats: 0,
            max_nacks: 3,
            login_timeout: Duration::from_secs(60),
            alive_interval: Some(Duration::from_secs(60)),
            alive_timeout: Some(Duration::from_secs(60)),
            silence_timeout: None,
            drain_timeout: Duration::from_secs(3),
            max_packet: DEFAULT_MAX_PACKET,
            max_unanswered: 64,
            output_limit: 256 * 1024,
            send_checksum: true,
            verify_checksum: true,
        }
    }
}

/// How an application logs in.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ClientConfig {
    /// Our name at the SMSC.
    pub user: Vec<u8>,
    /// Our password, sent whole even if it is longer than the protocol's 32 characters.
    pub password: Vec<u8>,
    /// Which of several sessions of our account this is.
    pub subaddress: Option<u16>,
    /// Whether the login says what our window is. An SMSC that refuses it with 104 or 105 wants it left out, and
    /// usually a window of 1.
    pub announce_window: bool,
    /// Limits and timers.
    pub session: SessionConfig,
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, password: _, subaddress, announce_window, session } = self;
        f.debug_struct("ClientConfig")
            .field("user", &String::from_utf8_lossy(user))
            .field("subaddress", subaddress)
            .field("announce_window", announce_window)
            .field("session", session)
            .finish_non_exhaustive()
    }
}

/// Our configuration is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The window is not 1–127.
    #[error("a window of {0} is not between 1 and 127")]
    Window(usize),
    /// The login can't be written.
    #[error("the login cannot be sent: {0}")]
    Login(#[from] EncodeError),
}

/// The largest window: one less than there are packet numbers.
pub(super) const MAX_WINDOW: usize = 127;

impl SessionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if (1..=MAX_WINDOW).contains(&self.window) { Ok(()) } else { Err(ConfigError::Window(self.window)) }
    }
}
