//! A server of sessions in numbers. Labels are words of the program, and accounts' ids.

use engine::Metrics;
use model::{Name, SessionProtocol};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// Counters of a server; clones count together.
#[derive(Clone, Debug)]
pub struct SessionMetrics {
    protocol: SessionProtocol,
    connections: Gauge,
    sessions: Family<OfAccount, Gauge>,
    refused_logins: Family<Why, Counter>,
    submitted: Family<OfAnswer, Counter>,
    delivered: Family<OfAnswer, Counter>,
    stalls: Family<OfAccount, Counter>,
    pdus: Family<OfPdu, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPdu {
    direction: &'static str,
    command: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAnswer {
    account: Name,
    status: &'static str,
}

/// What differs between protocols: names of metrics, and what is said of them.
struct Words {
    sessions: (&'static str, &'static str),
    refused: &'static str,
    status: &'static str,
    delivery: &'static str,
    pdus: (&'static str, &'static str),
}

impl SessionMetrics {
    /// Counters of a protocol's server, all at 0.
    #[must_use]
    pub fn new(protocol: SessionProtocol) -> Self {
        Self {
            protocol,
            connections: Gauge::default(),
            sessions: Family::default(),
            refused_logins: Family::default(),
            submitted: Family::default(),
            delivered: Family::default(),
            stalls: Family::default(),
            pdus: Family::default(),
        }
    }

    /// Shows them among the engine's.
    pub fn register(&self, metrics: &Metrics) {
        let (name, title) = match self.protocol {
            SessionProtocol::Smpp => ("smpp", "SMPP"),
            SessionProtocol::Ucp => ("ucp", "UCP"),
            SessionProtocol::Cimd2 => ("cimd2", "CIMD2"),
        };
        let Words { sessions, refused, status, delivery, pdus } = words(self.protocol);
        metrics.register(|registry| {
            let mut add = |what: &str, help: String, metric: Metric| {
                let name = format!("{name}_{what}");
                match metric {
                    Metric::Gauge(gauge) => registry.register(name, help, gauge),
                    Metric::OfAccount(family) => registry.register(name, help, family),
                    Metric::Why(family) => registry.register(name, help, family),
                    Metric::OfAnswer(family) => registry.register(name, help, family),
                    Metric::Stalls(family) => registry.register(name, help, family),
                    Metric::OfPdu(family) => registry.register(name, help, family),
                }
            };
            add("connections", format!("Connections to the {title} server"), Metric::Gauge(self.connections.clone()));
            add(sessions.0, format!("{}, by account", sessions.1), Metric::OfAccount(self.sessions.clone()));
            let help = format!("{}s that were refused, by reason", if name == "smpp" { "Bind" } else { "Login" });
            add(refused, help, Metric::Why(self.refused_logins.clone()));
            let help = format!("Submissions by {title}, by account and the answer's {status}");
            add("submissions", help, Metric::OfAnswer(self.submitted.clone()));
            let help = format!("{delivery} that were answered, by account and {status}; \"none\" was not in time");
            add("deliveries", help, Metric::OfAnswer(self.delivered.clone()));
            let help = format!("{} that came in and went out, by command and, for answers, {status}", pdus.1);
            add(pdus.0, help, Metric::OfPdu(self.pdus.clone()));
            let help = "Times that a session was not read because its window was full".to_owned();
            add("window_full", help, Metric::Stalls(self.stalls.clone()));
        });
    }

    pub(super) fn connected(&self) {
        self.connections.inc();
    }

    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(super) fn logged_in(&self, account: &Name) {
        self.sessions.get_or_create(&OfAccount { account: account.clone() }).inc();
    }

    pub(super) fn logged_out(&self, account: &Name) {
        self.sessions.get_or_create(&OfAccount { account: account.clone() }).dec();
    }

    pub(super) fn login_refused(&self, reason: &'static str) {
        self.refused_logins.get_or_create(&Why { reason }).inc();
    }

    pub(super) fn submitted(&self, account: &Name, status: &'static str, count: u64) {
        self.submitted.get_or_create(&OfAnswer { account: account.clone(), status }).inc_by(count);
    }

    /// "none" is a delivery that was not answered in time.
    pub(super) fn delivered(&self, account: &Name, status: &'static str, count: u64) {
        self.delivered.get_or_create(&OfAnswer { account: account.clone(), status }).inc_by(count);
    }

    /// The counter of a kind of PDU.
    fn pdu(&self, incoming: bool, command: &'static str, status: &'static str) -> Counter {
        let direction = if incoming { "in" } else { "out" };
        self.pdus.get_or_create(&OfPdu { direction, command, status }).clone()
    }

    pub(super) fn stalled(&self, account: &Name) {
        self.stalls.get_or_create(&OfAccount { account: account.clone() }).inc();
    }
}

enum Metric {
    Gauge(Gauge),
    OfAccount(Family<OfAccount, Gauge>),
    Why(Family<Why, Counter>),
    OfAnswer(Family<OfAnswer, Counter>),
    Stalls(Family<OfAccount, Counter>),
    OfPdu(Family<OfPdu, Counter>),
}

fn words(protocol: SessionProtocol) -> Words {
    match protocol {
        SessionProtocol::Smpp => Words {
            sessions: ("binds", "Bound sessions"),
            refused: "binds_refused",
            status: "command_status",
            delivery: "deliver_sm",
            pdus: ("pdus", "PDUs"),
        },
        SessionProtocol::Ucp | SessionProtocol::Cimd2 => Words {
            sessions: ("sessions", "Sessions"),
            refused: "logins_refused",
            status: "error code",
            delivery: "Receipts and messages",
            pdus: ("operations", "Operations and results"),
        },
    }
}

/// One session's PDUs, with the counters that it has met.
#[derive(Debug)]
pub(crate) struct Counts {
    metrics: SessionMetrics,
    met: Vec<(bool, &'static str, &'static str, Counter)>,
}

impl Counts {
    pub(super) fn new(metrics: SessionMetrics) -> Self {
        Self { metrics, met: Vec::new() }
    }

    /// Counts what a session has counted: what came in, or went out, by its name and, for answers, its status.
    pub fn add(&mut self, incoming: bool, command: &'static str, status: &'static str, count: u64) {
        let same =
            |met: &&(bool, &'static str, &'static str, Counter)| (met.0, met.1, met.2) == (incoming, command, status);
        if let Some((.., counter)) = self.met.iter().find(same) {
            counter.inc_by(count);
            return;
        }
        let counter = self.metrics.pdu(incoming, command, status);
        counter.inc_by(count);
        self.met.push((incoming, command, status, counter));
    }
}
