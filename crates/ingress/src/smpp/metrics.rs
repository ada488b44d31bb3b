//! The SMPP server in numbers. Labels are words of the program, and accounts' ids.

use engine::Metrics;
use model::Name;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use smpp::{CommandId, CommandStatus, PduCount};

/// Counters of the SMPP server; clones count together.
#[derive(Clone, Debug, Default)]
pub struct SmppMetrics {
    connections: Gauge,
    binds: Family<OfAccount, Gauge>,
    refused_binds: Family<Why, Counter>,
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

impl SmppMetrics {
    /// Shows them among the engine's.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register("smpp_connections", "Connections to the SMPP server", self.connections.clone());
            registry.register("smpp_binds", "Bound sessions, by account", self.binds.clone());
            let help = "Binds that were refused, by reason";
            registry.register("smpp_binds_refused", help, self.refused_binds.clone());
            let help = "Submissions by SMPP, by account and the answer's command_status";
            registry.register("smpp_submissions", help, self.submitted.clone());
            let help = "deliver_sm that were answered, by account and command_status; \"none\" was not in time";
            registry.register("smpp_deliveries", help, self.delivered.clone());
            let help = "PDUs that came in and went out, by command and, for answers, command_status";
            registry.register("smpp_pdus", help, self.pdus.clone());
            let help = "Times that a session was not read because its window was full";
            registry.register("smpp_window_full", help, self.stalls.clone());
        });
    }

    pub(super) fn connected(&self) {
        self.connections.inc();
    }

    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(super) fn bound(&self, account: &Name) {
        self.binds.get_or_create(&OfAccount { account: account.clone() }).inc();
    }

    pub(super) fn unbound(&self, account: &Name) {
        self.binds.get_or_create(&OfAccount { account: account.clone() }).dec();
    }

    pub(super) fn bind_refused(&self, reason: &'static str) {
        self.refused_binds.get_or_create(&Why { reason }).inc();
    }

    pub(super) fn submitted(&self, account: &Name, status: CommandStatus, count: u64) {
        self.submitted.get_or_create(&answer(account, Some(status))).inc_by(count);
    }

    /// `None` is a deliver_sm that was not answered in time.
    pub(super) fn delivered(&self, account: &Name, status: Option<CommandStatus>, count: u64) {
        self.delivered.get_or_create(&answer(account, status)).inc_by(count);
    }

    /// The counter of a kind of PDU.
    fn pdu(&self, incoming: bool, id: CommandId, status: CommandStatus) -> Counter {
        let direction = if incoming { "in" } else { "out" };
        let status = if id.is_response() { status.name().unwrap_or("other") } else { "" };
        let labels = OfPdu { direction, command: id.name().unwrap_or("unknown"), status };
        self.pdus.get_or_create(&labels).clone()
    }

    pub(super) fn stalled(&self, account: &Name) {
        self.stalls.get_or_create(&OfAccount { account: account.clone() }).inc();
    }
}

/// One session's PDUs, with the counters that it has met.
#[derive(Debug)]
pub(super) struct PduCounts {
    metrics: SmppMetrics,
    met: Vec<(bool, CommandId, CommandStatus, Counter)>,
}

impl PduCounts {
    pub(super) fn new(metrics: SmppMetrics) -> Self {
        Self { metrics, met: Vec::new() }
    }

    /// Counts what a session has counted.
    pub(super) fn add(&mut self, counts: impl Iterator<Item = PduCount>) {
        for PduCount { incoming, id, status, count } in counts {
            let same =
                |met: &&(bool, CommandId, CommandStatus, Counter)| (met.0, met.1, met.2) == (incoming, id, status);
            if let Some((.., counter)) = self.met.iter().find(same) {
                counter.inc_by(count);
                continue;
            }
            let counter = self.metrics.pdu(incoming, id, status);
            counter.inc_by(count);
            self.met.push((incoming, id, status, counter));
        }
    }
}

/// Numbers without a name, which clients may choose freely, share one series.
fn answer(account: &Name, status: Option<CommandStatus>) -> OfAnswer {
    let status = status.map_or("none", |status| status.name().unwrap_or("other"));
    OfAnswer { account: account.clone(), status }
}
