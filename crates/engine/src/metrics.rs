//! Counters and gauges, with typed handles; what `/metrics` shows.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{Name, ReceiptState, Status};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::accept::Refusal;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfConnector {
    connector: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithStatus {
    connector: Name,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithState {
    connector: Name,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfInquiry {
    connector: Name,
    ask: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithIncident {
    connector: Name,
    incident: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithOutcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithLimit {
    account: Name,
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithReason {
    account: Name,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRule {
    rule: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithAction {
    rule: Name,
    action: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountOutcome {
    account: Name,
    outcome: &'static str,
}

/// Upper ends of the buckets of calls to policy services, in seconds.
const POLICY_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithForm {
    connector: Name,
    form: &'static str,
}

/// Every metric of the engine.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    accepted: Family<OfAccount, Counter>,
    limited: Family<WithLimit, Counter>,
    replaced: Family<WithOutcome, Counter>,
    moved: Family<WithStatus, Counter>,
    receipts: Family<WithStatus, Counter>,
    unmatched: Family<OfConnector, Counter>,
    received: Family<OfConnector, Counter>,
    taken: Family<OfRule, Counter>,
    responses: Family<WithAction, Counter>,
    opted_out: Family<OfAccount, Counter>,
    opt_outs_heeded: Family<OfAccount, Counter>,
    put_off: Family<WithReason, Counter>,
    occurred: Family<AccountOutcome, Counter>,
    policy_asked: Family<AccountOutcome, Counter>,
    policy_took: Family<OfAccount, Histogram>,
    receipt_ids: Family<WithForm, Gauge>,
    shares: Family<OfConnector, Gauge>,
    failed_over: Family<OfConnector, Counter>,
    sessions: Family<WithState, Gauge>,
    queued: Family<OfConnector, Gauge>,
    inquiries: Family<OfInquiry, Counter>,
    incidents: Family<WithIncident, Counter>,
    signals: Family<OfConnector, Gauge>,
    commits: Counter,
    committed: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("postrider");
        let metrics = Self {
            accepted: Family::default(),
            limited: Family::default(),
            replaced: Family::default(),
            moved: Family::default(),
            receipts: Family::default(),
            unmatched: Family::default(),
            received: Family::default(),
            taken: Family::default(),
            responses: Family::default(),
            opted_out: Family::default(),
            opt_outs_heeded: Family::default(),
            put_off: Family::default(),
            occurred: Family::default(),
            policy_asked: Family::default(),
            policy_took: Family::new_with_constructor((|| Histogram::new(POLICY_BUCKETS)) as fn() -> Histogram),
            receipt_ids: Family::default(),
            shares: Family::default(),
            failed_over: Family::default(),
            sessions: Family::default(),
            queued: Family::default(),
            inquiries: Family::default(),
            incidents: Family::default(),
            signals: Family::default(),
            commits: Counter::default(),
            committed: Counter::default(),
            registry: Mutex::default(),
        };
        registry.register("messages_accepted", "Messages accepted, by account", metrics.accepted.clone());
        let help = "Messages that applications wanted to say something else";
        registry.register("message_replacements", help, metrics.replaced.clone());
        registry.register(
            "requests_limited",
            "Requests refused by a limit of their account, by account",
            metrics.limited.clone(),
        );
        registry.register("messages_moved", "Messages that reached a state, by connector", metrics.moved.clone());
        registry.register("receipts", "Receipts from carriers, by what they say", metrics.receipts.clone());
        registry.register("receipts_unmatched", "Receipts that no message was found for", metrics.unmatched.clone());
        registry.register("messages_received", "Incoming messages and parts of them", metrics.received.clone());
        registry.register(
            "inbound_messages",
            "Whole incoming messages, by the inbound rule that took them",
            metrics.taken.clone(),
        );
        registry.register(
            "inbound_responses",
            "Messages that inbound rules send, and those that they do not",
            metrics.responses.clone(),
        );
        registry.register("opt_outs", "Phones that opted out, by account", metrics.opted_out.clone());
        registry.register(
            "opt_outs_heeded",
            "Messages refused because their recipient had opted out",
            metrics.opt_outs_heeded.clone(),
        );
        registry.register(
            "messages_put_off",
            "Messages that were to be sent and have to wait, by account and reason",
            metrics.put_off.clone(),
        );
        registry.register(
            "schedule_occurrences",
            "Occurrences of schedules, by account and what they came to",
            metrics.occurred.clone(),
        );
        registry.register(
            "policy_questions",
            "Questions to policy services, by what they came to",
            metrics.policy_asked.clone(),
        );
        registry.register_with_unit(
            "policy_call_duration",
            "Time that calls to policy services take",
            Unit::Seconds,
            metrics.policy_took.clone(),
        );
        registry.register(
            "receipt_id_forms",
            "How the ids of receipts were found to relate to the ids of answers, since the start",
            metrics.receipt_ids.clone(),
        );
        registry.register(
            "connector_share",
            "What a connector gets of its share in pools, in thousandths; 0 while it is down or sick",
            metrics.shares.clone(),
        );
        registry.register(
            "messages_failed_over",
            "Messages that went on from a connector to another one",
            metrics.failed_over.clone(),
        );
        registry.register(
            "modem_incidents",
            "Calls to modems, resets of modems that hung, and what could not be read of their stores",
            metrics.incidents.clone(),
        );
        registry.register("modem_signal_dbm", "Signal strength of modems", metrics.signals.clone());
        registry.register("connector_sessions", "Sessions, by where they stand", metrics.sessions.clone());
        registry.register("messages_queued", "Messages that wait for a connector", metrics.queued.clone());
        registry.register(
            "inquiries",
            "Parts that a carrier was asked about (query) or to take back (cancel)",
            metrics.inquiries.clone(),
        );
        registry.register("commits", "Commits of the store", metrics.commits.clone());
        registry.register("commit_messages", "Messages written by commits", metrics.committed.clone());
        *metrics.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        metrics
    }

    /// Adds a metric of another part of the gateway.
    pub fn register(&self, change: impl FnOnce(&mut Registry)) {
        change(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Everything as OpenMetrics text. `sessions` are those of all connectors as they stand now, as
    /// (connector, state).
    #[must_use]
    pub(crate) fn encode(&self, sessions: impl Iterator<Item = (Name, &'static str)>) -> String {
        let mut text = String::new();
        // Under the lock, so that nobody reads while the gauges are set anew.
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        self.sessions.clear();
        for (connector, state) in sessions {
            self.sessions.get_or_create(&WithState { connector, state }).inc();
        }
        // Writing to a String does not fail.
        let _ = encode(&mut text, &registry);
        text
    }

    pub(crate) fn accepted(&self, account: &Name, count: u64) {
        self.accepted.get_or_create(&OfAccount { account: account.clone() }).inc_by(count);
    }

    pub(crate) fn limited(&self, account: &Name, refusal: &Refusal) {
        let limit = match refusal {
            Refusal::Limited { limit, .. } => limit.as_str(),
            Refusal::BalanceTooLow(_) => "balance",
            _ => return,
        };
        self.limited.get_or_create(&WithLimit { account: account.clone(), limit }).inc();
    }

    pub(crate) fn moved(&self, connector: Option<Name>, status: Status, messages: u64) {
        let connector = connector.unwrap_or_else(|| "".into());
        self.moved.get_or_create(&WithStatus { connector, status: status.as_str() }).inc_by(messages);
    }

    pub(crate) fn receipt(&self, connector: &Name, state: ReceiptState) {
        self.receipts.get_or_create(&WithStatus { connector: connector.clone(), status: state.as_str() }).inc();
    }

    pub(crate) fn unmatched(&self, connector: &Name) {
        self.unmatched.get_or_create(&OfConnector { connector: connector.clone() }).inc();
    }

    pub(crate) fn received(&self, connector: &Name) {
        self.received.get_or_create(&OfConnector { connector: connector.clone() }).inc();
    }

    /// A whole incoming message was taken by a rule, or by none.
    pub(crate) fn taken(&self, rule: Option<&Name>) {
        let rule = rule.cloned().unwrap_or_else(|| "".into());
        self.taken.get_or_create(&OfRule { rule }).inc();
    }

    pub(crate) fn responded(&self, rule: &Name, action: &'static str, outcome: &'static str, count: u64) {
        self.responses.get_or_create(&WithAction { rule: rule.clone(), action, outcome }).inc_by(count);
    }

    pub(crate) fn opted_out(&self, account: &Name) {
        self.opted_out.get_or_create(&OfAccount { account: account.clone() }).inc();
    }

    pub(crate) fn replaced(&self, outcome: &'static str) {
        self.replaced.get_or_create(&WithOutcome { outcome }).inc();
    }

    pub(crate) fn opt_out_heeded(&self, account: &Name) {
        self.opt_outs_heeded.get_or_create(&OfAccount { account: account.clone() }).inc();
    }

    pub(crate) fn put_off(&self, account: &Name, reason: &'static str) {
        self.put_off.get_or_create(&WithReason { account: account.clone(), reason }).inc();
    }

    pub(crate) fn occurred(&self, account: &Name, outcome: &'static str) {
        self.occurred.get_or_create(&AccountOutcome { account: account.clone(), outcome }).inc();
    }

    pub(crate) fn policy_asked(&self, owner: &Name, outcome: &'static str, took: Duration) {
        self.policy_asked.get_or_create(&AccountOutcome { account: owner.clone(), outcome }).inc();
        if !matches!(outcome, "cached" | "skipped" | "crowded") {
            self.policy_took.get_or_create(&OfAccount { account: owner.clone() }).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn share(&self, connector: &Name, share: u16) {
        self.shares.get_or_create(&OfConnector { connector: connector.clone() }).set(share.into());
    }

    pub(crate) fn failed_over(&self, from: &Name) {
        self.failed_over.get_or_create(&OfConnector { connector: from.clone() }).inc();
    }

    /// How many messages wait for each connector; those that are not named have none.
    pub(crate) fn queued(&self, depths: Vec<(Name, u64)>) {
        self.queued.clear();
        for (connector, depth) in depths {
            let depth = i64::try_from(depth).unwrap_or(i64::MAX);
            self.queued.get_or_create(&OfConnector { connector }).set(depth);
        }
    }

    pub(crate) fn inquired(&self, connector: &Name, ask: &'static str, outcome: &'static str, parts: usize) {
        let labels = OfInquiry { connector: connector.clone(), ask, outcome };
        self.inquiries.get_or_create(&labels).inc_by(parts as u64);
    }

    pub(crate) fn incident(&self, connector: &Name, incident: &'static str) {
        self.incidents.get_or_create(&WithIncident { connector: connector.clone(), incident }).inc();
    }

    /// A modem's signal; `None` if it is not there.
    pub(crate) fn signal(&self, connector: &Name, dbm: Option<i16>) {
        let of = OfConnector { connector: connector.clone() };
        match dbm {
            Some(dbm) => drop(self.signals.get_or_create(&of).set(dbm.into())),
            None => drop(self.signals.remove(&of)),
        }
    }

    pub(crate) fn committed(&self, messages: usize) {
        self.commits.inc();
        self.committed.inc_by(messages as u64);
    }

    pub(crate) fn learnt(&self, connector: &Name, form: &'static str, count: u64) {
        let labels = WithForm { connector: connector.clone(), form };
        self.receipt_ids.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How often each form of receipt ids was right for a connector, since the start.
    #[must_use]
    pub fn receipt_ids(&self, connector: &Name) -> Vec<(&'static str, u64)> {
        let count = |form: &'static str| {
            let labels = WithForm { connector: connector.clone(), form };
            self.receipt_ids.get(&labels).map_or(0, |gauge| gauge.get().max(0) as u64)
        };
        ["same", "hex-to-dec", "dec-to-hex"].into_iter().map(|form| (form, count(form))).collect()
    }
}
