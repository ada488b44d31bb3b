//! A flight: one commit on its way to the disk.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use model::{Message, MessageId};
use store::{Changes, CommitError, Store, SupersedeKey};
use tokio::sync::mpsc;

use super::draft::Draft;
use crate::facts::Recorded;

/// Whom to tell that what it reported is durable, and what.
pub(super) type Acknowledgement = (mpsc::UnboundedSender<Recorded>, Recorded);

/// A lease that is taken and runs out at once: the smallest thing that can be written.
const PROBE: &str = "store-probe";

/// A closed draft whose changes are being committed.
pub(super) struct Flight {
    /// What is to be done when they are durable. Its changes are in `changes`.
    draft: Draft,
    /// The store only looks at them, so that they can be had back without a copy.
    changes: Arc<Changes>,
    acknowledge: Vec<Acknowledgement>,
    commit: Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send>>,
}

impl Flight {
    /// Sends a closed draft on its way. `prove` that the store can be written, whatever is in it.
    pub fn begin(store: Arc<dyn Store>, mut draft: Draft, acknowledge: Vec<Acknowledgement>, prove: bool) -> Self {
        let changes = Arc::new(std::mem::take(&mut draft.changes));
        let shared = changes.clone();
        let commit = Box::pin(async move {
            // Acceptances may have been refused, or somebody only wants to know that all is durable.
            match shared.is_empty() {
                false => store.commit_shared(shared).await,
                true if prove => Ok(store.take_lease(PROBE, PROBE, 1).await.map(drop)?),
                true => Ok(()),
            }
        });
        Self { draft, changes, acknowledge, commit }
    }

    /// Waits for its end. Not to be asked again after that. Cancel-safe.
    pub async fn landed(&mut self) -> Result<(), CommitError> {
        self.commit.as_mut().await
    }

    /// The draft, with its changes.
    pub fn end(self) -> (Draft, Vec<Acknowledgement>) {
        let Self { mut draft, changes, acknowledge, commit } = self;
        drop(commit);
        draft.changes = Arc::unwrap_or_clone(changes);
        (draft, acknowledge)
    }

    /// A message as this commit leaves it.
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        let update = &self.changes.update;
        match update.binary_search_by_key(&id, |message| message.body.id) {
            Ok(place) => update.get(place),
            Err(_) => self.draft.unchanged(id).or_else(|| {
                // Nobody knows a new message yet, so this is asked only of ids that are guessed.
                self.changes.insert.iter().map(|new| &new.message).find(|message| message.body.id == id)
            }),
        }
    }

    /// Does it take in a message under this key?
    pub fn supersedes(&self, key: &SupersedeKey) -> bool {
        self.draft.superseding.has(key)
    }

    /// Receipts that it parks.
    pub fn parked(&self) -> &[store::ParkedReceipt] {
        &self.changes.parked
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").field("changes", &self.changes).finish_non_exhaustive()
    }
}
