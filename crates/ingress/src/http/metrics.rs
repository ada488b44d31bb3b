//! Requests in numbers: how many, and how long they took, by route, method and class of status.
//! Every label is a word of the program, so that nothing that a client sends makes a new series.

use std::time::Duration;

use engine::Metrics;
use hyper::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

/// The label of what leads nowhere.
pub(super) const NO_ROUTE: &str = "none";
/// The label of methods that no path has.
const OTHER: &str = "other";
/// Upper ends of the buckets, in seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Counters of the HTTP API; clones count together.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: &'static str,
    method: &'static str,
    status: &'static str,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { requests: Family::default(), durations }
    }
}

impl HttpMetrics {
    /// Shows them among the engine's; once, however many listeners count into them.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register("http_requests", "HTTP requests answered", self.requests.clone());
            let help = "Time from the end of a request's headers to its answer";
            registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.durations.clone());
        });
    }

    /// A request was answered.
    pub(super) fn answered(&self, route: &'static str, method: &Method, status: u16, took: Duration) {
        let labels = Labels { route, method: method_label(method), status: class(status) };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Something that was no request was answered.
    pub(super) fn unreadable(&self, status: u16) {
        self.requests.get_or_create(&Labels { route: NO_ROUTE, method: OTHER, status: class(status) }).inc();
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        2 => "2xx",
        4 => "4xx",
        5 => "5xx",
        _ => OTHER,
    }
}
