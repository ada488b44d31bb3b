//! Asking carriers by itself about messages whose final receipt does not come (`query_after_seconds`).
//!
//! One task a connector remembers what its sessions have sent, in memory only: what was sent before a
//! restart is not followed up, and neither is what exceeds [`REMEMBERED`]. It asks about one message at
//! a time, at a low rate, so that the carrier hardly notices.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use engine::{CarrierError, Engine, QueryError};
use model::MessageId;
use model::resources::Connector;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Messages that are remembered for a connector; further ones are not followed up.
const REMEMBERED: usize = 50_000;
/// Messages that sessions may hand over while the task does something else.
const HANDED_OVER: usize = 4096;
/// At least so long after one message the next is asked about.
const PACE: Duration = Duration::from_millis(200);

/// Where sessions tell what they have sent. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct FollowUps(mpsc::Sender<MessageId>);

impl FollowUps {
    /// Begins; the task ends with the set that it is in.
    pub(crate) fn start(engine: Engine, settings: watch::Receiver<Arc<Connector>>, tasks: &mut JoinSet<()>) -> Self {
        let (sender, sent) = mpsc::channel(HANDED_OVER);
        tasks.spawn(run(engine, settings, sent));
        Self(sender)
    }

    /// The carrier has accepted a part of this message. Never waits.
    pub(crate) fn sent(&self, message: MessageId) {
        // A full channel loses a question, not a message.
        let _ = self.0.try_send(message);
    }
}

async fn run(engine: Engine, settings: watch::Receiver<Arc<Connector>>, mut sent: mpsc::Receiver<MessageId>) {
    let mut queue: VecDeque<(Instant, MessageId)> = VecDeque::new();
    let mut known: HashSet<MessageId> = HashSet::new();
    let mut asking: JoinSet<(MessageId, bool)> = JoinSet::new();
    let mut not_before = Instant::now();
    let after = || settings.borrow().query_after_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    loop {
        let next = queue.front().map_or(not_before, |(due, _)| (*due).max(not_before));
        tokio::select! {
            message = sent.recv() => {
                let Some(message) = message else { return };
                if let Some(after) = after()
                    && known.len() < REMEMBERED
                    && known.insert(message)
                {
                    queue.push_back((Instant::now() + after, message));
                }
            }
            () = sleep_until(next), if asking.is_empty() && !queue.is_empty() => {
                not_before = Instant::now() + PACE;
                if let Some((_, message)) = queue.pop_front() {
                    let engine = engine.clone();
                    asking.spawn(async move { (message, ask(&engine, message).await) });
                }
            }
            Some(asked) = asking.join_next() => if let Ok((message, open)) = asked {
                match after().filter(|_| open) {
                    Some(after) => queue.push_back((Instant::now() + after, message)),
                    None => drop(known.remove(&message)),
                }
            }
        }
    }
}

/// Asks about a message; whether to ask again later.
async fn ask(engine: &Engine, message: MessageId) -> bool {
    match engine.query_again(message).await {
        Ok(open) => open,
        Err(QueryError::NoSuchMessage | QueryError::Carrier(CarrierError::NotAsked(_))) => false,
        Err(QueryError::Carrier(CarrierError::Refused { reason, .. })) if reason.permanent => false,
        Err(error) => {
            tracing::debug!(%message, %error, "a receipt that is missing could not be asked for");
            true
        }
    }
}
