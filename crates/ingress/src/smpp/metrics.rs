//! The SMPP server in numbers. Labels are words of the program, and accounts' ids.

use engine::Metrics;
use model::Name;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use smpp::CommandStatus;

/// Counters of the SMPP server; clones count together.
#[derive(Clone, Debug, Default)]
pub struct SmppMetrics {
    connections: Gauge,
    binds: Family<OfAccount, Gauge>,
    refused_binds: Family<Why, Counter>,
    submitted: Family<OfAnswer, Counter>,
    delivered: Family<OfAnswer, Counter>,
    stalls: Family<OfAccount, Counter>,
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
    pub(super) fn delivered(&self, account: &Name, status: Option<CommandStatus>) {
        self.delivered.get_or_create(&answer(account, status)).inc();
    }

    pub(super) fn stalled(&self, account: &Name) {
        self.stalls.get_or_create(&OfAccount { account: account.clone() }).inc();
    }
}

/// Numbers without a name, which clients may choose freely, share one series.
fn answer(account: &Name, status: Option<CommandStatus>) -> OfAnswer {
    let status = status.map_or("none", |status| status.name().unwrap_or("other"));
    OfAnswer { account: account.clone(), status }
}
