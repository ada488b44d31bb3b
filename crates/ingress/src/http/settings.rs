//! What the HTTP API is started with.

use std::sync::Arc;
use std::time::Duration;

use super::access_log::{AccessLog, NumberRedaction};
use super::metrics::HttpMetrics;
use super::tls::Certificates;
use crate::sessions::Binds;

/// Settings of one HTTP listener. [`Default`] is plain HTTP without an access log.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// What is refused or cut off.
    pub limits: HttpLimits,
    /// Serve TLS with these certificates; `None` is plain HTTP.
    pub tls: Option<Arc<Certificates>>,
    /// Where requests are written down.
    pub access_log: Option<AccessLog>,
    /// How phone numbers are written into the access log.
    pub redact_numbers: NumberRedaction,
    /// Show `/metrics` to everybody who can connect, as Prometheus expects it; otherwise it takes
    /// a token with the scope `admin`.
    pub open_metrics: bool,
    /// Where requests are counted. The listeners of one gateway share them.
    pub metrics: HttpMetrics,
    /// Which interfaces it serves.
    pub interfaces: Interfaces,
    /// Who is bound to the SMPP server, to be shown with accounts.
    pub binds: Binds,
}

/// Which interfaces one HTTP listener serves. [`Default`] is the API alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// The API, with its probes and documents.
    pub api: bool,
    /// Kannel's `/cgi-bin/sendsms`.
    pub kannel: bool,
    /// Answer Kannel's applications with `Sent.`, as its `immediate-sendsms-reply` does.
    pub kannel_immediate_reply: bool,
    /// Jasmin's `/send`, `/rate`, `/balance` and `/ping`.
    pub jasmin: bool,
    /// Jasmin's REST API under `/secure`.
    pub jasmin_rest: bool,
    /// Ozeki's `/api`.
    pub ozeki: bool,
}

impl Interfaces {
    /// Nothing at all.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            api: false,
            kannel: false,
            kannel_immediate_reply: false,
            jasmin: false,
            jasmin_rest: false,
            ozeki: false,
        }
    }

    /// Does nothing but Kannel answer here?
    pub(super) fn only_kannel(&self) -> bool {
        self.kannel && !self.api
    }
}

impl Default for Interfaces {
    fn default() -> Self {
        Self { api: true, ..Self::none() }
    }
}

/// Limits of one HTTP listener.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Connections at a time. When they are all taken, further ones wait in the system's queue.
    pub connections: usize,
    /// From a connection's begin, or the end of the request before, to the end of the headers.
    /// An idle connection is closed after it too.
    pub header_timeout: Duration,
    /// From the end of the headers to the answer; of a stream of lines, for each of them.
    pub request_timeout: Duration,
    /// The handshake of TLS.
    pub handshake_timeout: Duration,
    /// For what is under way when the gateway stops.
    pub shutdown_grace: Duration,
    /// Headers of a request; more are answered 431.
    pub headers: usize,
    /// Octets of a request line with its headers.
    pub header_octets: usize,
    /// Octets of a body, but for batches; of a stream of lines, of each of them.
    pub body_octets: usize,
    /// Octets of a batch's body, but for streams of lines.
    pub batch_octets: usize,
    /// Batches that are read into memory at a time; further ones wait.
    pub batches_under_way: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            limits: HttpLimits::default(),
            tls: None,
            access_log: None,
            redact_numbers: NumberRedaction::default(),
            open_metrics: true,
            metrics: HttpMetrics::default(),
            interfaces: Interfaces::default(),
            binds: Binds::default(),
        }
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(30),
            headers: 64,
            header_octets: 32 * 1024,
            body_octets: 1024 * 1024,
            batch_octets: 32 * 1024 * 1024,
            batches_under_way: 8,
        }
    }
}
