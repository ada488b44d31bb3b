//! What a server of sessions is started with.

use std::sync::Arc;
use std::time::Duration;

use model::SessionProtocol;

use super::binds::Binds;
use super::metrics::SessionMetrics;
use crate::http::{AccessLog, Certificates};

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The name that it says it has: the `system_id` of SMPP binds, at most 15 characters, and in CIMD2's
    /// greeting.
    pub name: String,
    /// What is refused or cut off.
    pub limits: SessionLimits,
    /// What TLS listeners serve with; `None` where there are none.
    pub tls: Option<Arc<Certificates>>,
    /// Where submissions are written down, by their answers. Phone numbers are not.
    pub access_log: Option<AccessLog>,
    /// Where everything is counted. The listeners of one gateway share them.
    pub metrics: SessionMetrics,
    /// Where sessions are written down while they last.
    pub binds: Binds,
}

/// Limits of a server.
#[derive(Clone, Debug)]
pub struct SessionLimits {
    /// Connections at a time over all listeners.
    pub connections: usize,
    /// Connections from one address at a time.
    pub connections_per_address: usize,
    /// Octets of what a client says at once: of a PDU, a frame, a packet.
    pub frame_octets: usize,
    /// From a connection's begin to its login. The handshake of TLS has as long.
    pub login_timeout: Duration,
    /// Without an octet from the client, after which it is asked whether it is there, and after
    /// which a session ends that does not answer. CIMD2 can't ask.
    pub enquire_interval: Duration,
    /// Without anything but such questions, after which a session ends; of CIMD2, without an octet. `None`
    /// is never.
    pub inactivity_timeout: Option<Duration>,
    /// For the answer to a delivery.
    pub response_timeout: Duration,
    /// For what is under way when the gateway stops.
    pub shutdown_grace: Duration,
}

impl SessionSettings {
    /// The defaults of a protocol.
    #[must_use]
    pub fn new(protocol: SessionProtocol) -> Self {
        Self {
            name: "Postrider".into(),
            limits: SessionLimits::new(protocol),
            tls: None,
            access_log: None,
            metrics: SessionMetrics::new(protocol),
            binds: Binds::default(),
        }
    }
}

impl SessionLimits {
    /// The defaults of a protocol.
    #[must_use]
    pub fn new(protocol: SessionProtocol) -> Self {
        let smpp = Self {
            connections: 1024,
            connections_per_address: 64,
            frame_octets: 65 * 1024,
            login_timeout: Duration::from_secs(15),
            enquire_interval: Duration::from_secs(30),
            inactivity_timeout: None,
            response_timeout: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(30),
        };
        match protocol {
            SessionProtocol::Smpp => smpp,
            SessionProtocol::Ucp => Self { frame_octets: 16 * 1024, enquire_interval: Duration::from_secs(60), ..smpp },
            SessionProtocol::Cimd2 => {
                Self { frame_octets: 16 * 1024, inactivity_timeout: Some(Duration::from_secs(900)), ..smpp }
            }
        }
    }
}
