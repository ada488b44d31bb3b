//! Webhooks: an application's events, brought to it by HTTP as Standard Webhooks 1.0 has it.
//!
//! The engine's [`Outbox`] decides what is called, when and how often, and how many calls may be
//! under way, over all and per endpoint. Here is the call itself: [`sign`] makes the signature,
//! [`guard`] says which addresses may be called, [`connect`] opens connections to those and no
//! others, [`pool`] keeps them between calls, [`attempt`] makes one call and says what it came to.
//! Redirects are not followed.

mod answer;
mod attempt;
mod connect;
mod endpoint;
mod guard;
mod html;
mod metrics;
mod policy;
mod pool;
mod sign;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::notify::{Call, Outbox};
use ipnet::IpNet;
use tokio::task::JoinSet;

pub use attempt::Client;
pub use metrics::WebhookMetrics;
pub use policy::PolicyClient;

/// How webhooks are called.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Longest duration of a call, from the look-up of the name to the end of the answer.
    pub timeout: Duration,
    /// Networks that may be called although they are private or reserved.
    pub allow_private: Vec<IpNet>,
    /// A PEM file of further certification authorities that are trusted.
    pub extra_ca: Option<PathBuf>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15), allow_private: Vec::new(), extra_ca: None }
    }
}

/// Settings that webhooks can't be called with. The operator's to put right.
#[derive(Debug, thiserror::Error)]
pub enum WebhookSettingsError {
    /// The file of certification authorities can't be read, or is no PEM.
    #[error("the file of certification authorities {path} can't be read: {detail}")]
    ExtraCa {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Makes the calls that `outbox` asks for until `shutdown` resolves; then waits for those under
/// way, which takes as long as the timeout at the most. Dropped before that, the calls under way
/// are given back.
pub async fn run(outbox: Outbox, client: Client, metrics: WebhookMetrics, shutdown: impl Future<Output = ()>) {
    let (client, stopping) = (Arc::new(client), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    let mut sweep = tokio::time::interval(pool::IDLE);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = callers.join_next() => {}
            _ = sweep.tick() => client.sweep(),
            call = outbox.next() => {
                callers.spawn(make(call, client.clone(), metrics.clone(), outbox.clone(), stopping.clone()));
            }
        }
    }
    stopping.store(true, Ordering::Relaxed);
    while callers.join_next().await.is_some() {}
}

/// Makes a call, and then whatever else may be called: while there is much to do, those who do it
/// need not be woken.
async fn make(first: Call, client: Arc<Client>, metrics: WebhookMetrics, outbox: Outbox, stopping: Arc<AtomicBool>) {
    let mut next = Some(first);
    while let Some(call) = next {
        let (delivery, begun) = (&call.delivery, Instant::now());
        let result = client.attempt(&call.target, delivery.id, &delivery.payload, outbox.now()).await;
        tracing::debug!(delivery = %delivery.id, endpoint = %delivery.endpoint, event = %delivery.event, ?result, "webhook called");
        metrics.called(delivery, &result, begun.elapsed());
        call.finish(result).await;
        next = if stopping.load(Ordering::Relaxed) { None } else { outbox.try_next() };
    }
}

#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod style_tests;
#[cfg(test)]
mod tests;
