//! `[ucp]` and `[cimd2]`: servers of sessions beside SMPP's.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::{SmppTls, Span};

/// `[ucp]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ucp {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// UCP over TLS.
    pub tls: Option<SmppTls>,
    /// What is refused or cut off.
    pub limits: UcpLimits,
}

/// `[ucp.limits]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UcpLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Of them from one address.
    pub connections_per_address: usize,
    /// Octets of a frame.
    pub frame_octets: usize,
    /// To the login.
    pub login_timeout: Span,
    /// Silence after which the client is asked whether it is there.
    pub alert_interval: Span,
    /// Without a message; nothing is never.
    pub inactivity_timeout: Span,
    /// To the answer to a 52 or 53.
    pub response_timeout: Span,
    /// For what is under way at the end.
    pub shutdown_grace: Span,
}

/// `[cimd2]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cimd2 {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// The name in its greeting; none is no greeting.
    pub greeting: String,
    /// CIMD2 over TLS.
    pub tls: Option<SmppTls>,
    /// What is refused or cut off.
    pub limits: Cimd2Limits,
}

/// `[cimd2.limits]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cimd2Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Of them from one address.
    pub connections_per_address: usize,
    /// Octets of a packet.
    pub packet_octets: usize,
    /// To the login.
    pub login_timeout: Span,
    /// Without an octet; nothing is never.
    pub silence_timeout: Span,
    /// To the answer to a message or a status report.
    pub response_timeout: Span,
    /// For what is under way at the end.
    pub shutdown_grace: Span,
}

impl Default for UcpLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 64,
            frame_octets: 16 * 1024,
            login_timeout: seconds(15),
            alert_interval: seconds(60),
            inactivity_timeout: seconds(0),
            response_timeout: seconds(60),
            shutdown_grace: seconds(30),
        }
    }
}

impl Default for Cimd2 {
    fn default() -> Self {
        Self { listen: Vec::new(), greeting: "Postrider".into(), tls: None, limits: Cimd2Limits::default() }
    }
}

impl Default for Cimd2Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 64,
            packet_octets: 16 * 1024,
            login_timeout: seconds(15),
            silence_timeout: seconds(900),
            response_timeout: seconds(60),
            shutdown_grace: seconds(30),
        }
    }
}

/// What the types can't say. `fault` is told the table, the key and what is wrong.
pub(super) fn check(ucp: &Ucp, cimd2: &Cimd2, fault: &mut dyn FnMut(&str, &str, String)) {
    let UcpLimits { login_timeout, alert_interval, response_timeout, .. } = ucp.limits;
    let counts = (ucp.limits.connections, ucp.limits.connections_per_address, ucp.limits.frame_octets);
    check_limits("ucp", counts, &[login_timeout, alert_interval, response_timeout], fault);
    let Cimd2Limits { login_timeout, response_timeout, .. } = cimd2.limits;
    let counts = (cimd2.limits.connections, cimd2.limits.connections_per_address, cimd2.limits.packet_octets);
    check_limits("cimd2", counts, &[login_timeout, response_timeout], fault);
    if cimd2.greeting.len() > 64 || !cimd2.greeting.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        fault("cimd2", "greeting", "must be at most 64 printable ASCII characters".into());
    }
}

fn check_limits(
    table: &str,
    (connections, per_address, octets): (usize, usize, usize),
    times: &[Span],
    fault: &mut dyn FnMut(&str, &str, String),
) {
    if connections == 0 || per_address == 0 || connections > 1_000_000 {
        fault(table, "limits", "must have at least 1 connection and at most 1000000".into());
    }
    if !(1024..=1024 * 1024).contains(&octets) {
        fault(table, "limits", "must have frames from 1024 to 1048576 octets".into());
    }
    if times.iter().any(|time| time.0.is_zero()) {
        fault(table, "limits", "must have times longer than nothing, but for those of idle sessions".into());
    }
}

fn seconds(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}
