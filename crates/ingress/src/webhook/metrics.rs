//! Calls in numbers: how many, what they came to, and how long they took.

use std::time::Duration;

use engine::Metrics;
use engine::notify::CallResult;
use model::{Delivery, Name};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

/// The label of calls to a message's own `callback_url`: URLs are the clients' choice, and must not
/// each make a series.
const CALLBACK_URL: &str = "callback_url";
/// Upper ends of the buckets, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 5.0, 15.0];

/// Counters of webhook calls; clones count together.
#[derive(Clone, Debug)]
pub struct WebhookMetrics {
    calls: Family<OfCall, Counter>,
    durations: Family<OfWebhook, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCall {
    webhook: Name,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWebhook {
    webhook: Name,
}

impl Default for WebhookMetrics {
    fn default() -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { calls: Family::default(), durations }
    }
}

impl WebhookMetrics {
    /// Shows them among the engine's.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register("webhook_calls", "Webhook calls, by what they came to", self.calls.clone());
            let help = "Time from the beginning of a webhook call to the status of its answer";
            registry.register_with_unit("webhook_call_duration", help, Unit::Seconds, self.durations.clone());
        });
    }

    /// A call has ended.
    pub(super) fn called(&self, delivery: &Delivery, result: &CallResult, took: Duration) {
        let webhook = if delivery.endpoint.contains("://") { CALLBACK_URL.into() } else { delivery.endpoint.clone() };
        let outcome = match result {
            CallResult::Taken | CallResult::Answered(_) => "taken",
            CallResult::Failed { .. } | CallResult::Refused { .. } => "failed",
            CallResult::Gone => "gone",
        };
        self.calls.get_or_create(&OfCall { webhook: webhook.clone(), outcome }).inc();
        self.durations.get_or_create(&OfWebhook { webhook }).observe(took.as_secs_f64());
    }
}
