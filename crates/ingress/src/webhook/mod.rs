//! Webhooks: an application's events, brought to it by HTTP as Standard Webhooks 1.0 has it.
//!
//! The engine's [`Outbox`] decides what is called, when and how often, and how many calls may be
//! under way, over all and per endpoint. Here is the call itself: [`sign`] makes the signature,
//! [`guard`] says which addresses may be called, [`connect`] opens connections to those and no
//! others, [`attempt`] makes one call and says what it came to. Connections are kept and used
//! again; redirects are not followed.

mod attempt;
mod connect;
mod guard;
mod sign;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::notify::{Call, Outbox};
use ipnet::IpNet;
use tokio::task::JoinSet;

pub use attempt::Client;

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
pub async fn run(outbox: Outbox, client: Client, shutdown: impl Future<Output = ()>) {
    let client = Arc::new(client);
    let mut calls = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = calls.join_next() => {}
            call = outbox.next() => {
                let now = outbox.now();
                calls.spawn(make(client.clone(), call, now));
            }
        }
    }
    while calls.join_next().await.is_some() {}
}

async fn make(client: Arc<Client>, call: Call, now: model::Timestamp) {
    let delivery = &call.delivery;
    let result = client.attempt(&call.target, delivery.id, &delivery.payload, now).await;
    tracing::debug!(delivery = %delivery.id, endpoint = %delivery.endpoint, event = %delivery.event, ?result, "webhook called");
    call.finish(result).await;
}

#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod tests;
