//! What the SMPP server is started with.

use std::sync::Arc;
use std::time::Duration;

use super::binds::Binds;
use super::metrics::SmppMetrics;
use crate::http::{AccessLog, Certificates};

/// Settings of the SMPP server.
#[derive(Clone, Debug)]
pub struct SmppSettings {
    /// The name that binds are answered with, at most 15 characters.
    pub system_id: String,
    /// What is refused or cut off.
    pub limits: SmppLimits,
    /// What TLS listeners serve with; `None` where there are none.
    pub tls: Option<Arc<Certificates>>,
    /// Where submissions are written down, by their answers. Phone numbers are not.
    pub access_log: Option<AccessLog>,
    /// Where everything is counted. The listeners of one gateway share them.
    pub metrics: SmppMetrics,
    /// Where sessions are written down while they are bound.
    pub binds: Binds,
}

/// Limits of the SMPP server.
#[derive(Clone, Debug)]
pub struct SmppLimits {
    /// Connections at a time over all listeners.
    pub connections: usize,
    /// Connections from one address at a time.
    pub connections_per_address: usize,
    /// Octets of a PDU.
    pub pdu_octets: usize,
    /// From a connection's begin to its bind. The handshake of TLS has as long.
    pub bind_timeout: Duration,
    /// Without an octet from the client, after which it is asked whether it is there, and after
    /// which a session ends that does not answer.
    pub enquire_interval: Duration,
    /// Without anything but enquire_link, after which a session ends; `None` is never.
    pub inactivity_timeout: Option<Duration>,
    /// For the answer to a deliver_sm.
    pub response_timeout: Duration,
    /// For what is under way when the gateway stops.
    pub shutdown_grace: Duration,
}

impl Default for SmppSettings {
    fn default() -> Self {
        Self {
            system_id: "Postrider".into(),
            limits: SmppLimits::default(),
            tls: None,
            access_log: None,
            metrics: SmppMetrics::default(),
            binds: Binds::default(),
        }
    }
}

impl Default for SmppLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 64,
            pdu_octets: 65 * 1024,
            bind_timeout: Duration::from_secs(15),
            enquire_interval: Duration::from_secs(30),
            inactivity_timeout: None,
            response_timeout: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}
