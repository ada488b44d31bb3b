//! Bridges in numbers.

use engine::Metrics;
use model::Name;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// Counters of bridges; clones count together.
#[derive(Clone, Debug, Default)]
pub struct MqttMetrics {
    connected: Family<OfAccount, Gauge>,
    messages: Family<OfMessage, Counter>,
    events: Family<OfAccount, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfMessage {
    account: Name,
    outcome: &'static str,
}

impl MqttMetrics {
    /// Shows them among the engine's.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register(
                "mqtt_connected",
                "Whether an account's MQTT broker is connected",
                self.connected.clone(),
            );
            let help = "Messages that were published at brokers, by what became of them";
            registry.register("mqtt_messages", help, self.messages.clone());
            registry.register("mqtt_events", "Events that brokers have acknowledged", self.events.clone());
        });
    }

    pub(super) fn connected(&self, account: &Name, connected: bool) {
        self.connected.get_or_create(&OfAccount { account: account.clone() }).set(connected.into());
    }

    pub(super) fn message(&self, account: &Name, outcome: &'static str) {
        self.messages.get_or_create(&OfMessage { account: account.clone(), outcome }).inc();
    }

    pub(super) fn event(&self, account: &Name) {
        self.events.get_or_create(&OfAccount { account: account.clone() }).inc();
    }
}
