//! Batches: what is wanted of all messages of one at once. They are paused, go on, or are canceled.
//!
//! A batch may have any number of messages, so nothing of this is done in one commit. What is wanted
//! is written down first ([`BatchPhase`]); then one task goes through the messages, a page at a time,
//! until all of them know, and writes that down. After a restart it goes on with what it was at.
//!
//! A message that is put aside has no place in its connector's queue, so it holds up nobody and costs
//! nothing, in memory or else; it gets a new place when the batch goes on. What sessions have taken
//! goes out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use model::{BatchId, Change, Message, MessageId};
use serde::{Deserialize, Serialize};
use store::{Batch, BatchCounts, BatchPhase, MessageFilter, Store, StoreError};
use tokio::sync::{Notify, watch};

use crate::access::Caller;
use crate::engine::Engine;
use crate::facts::{AcceptFailed, Acceptance, Fact, Facts};
use crate::persist::{self, Draft, Recorder};
use crate::world::World;

/// Messages looked at, and changed, at a time.
const PAGE: usize = 500;
/// How long to wait after the store could not be used.
const STORE_AWAY: Duration = Duration::from_secs(1);

/// What may be wanted of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchWish {
    /// Nothing more of it goes out for now.
    Pause,
    /// It goes on.
    Resume,
    /// What was not handed over never is.
    Cancel,
}

/// Why a batch does not do what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefused {
    /// There is no such batch.
    #[error("there is no such batch")]
    NoSuchBatch,
    /// It was canceled, and that is for good.
    #[error("the batch was canceled")]
    Canceled,
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is done to one message of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// It is put aside.
    Park,
    /// It is queued again.
    Unpark,
    /// It is canceled.
    Cancel,
}

/// How far a batch was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// It is all there.
    Complete,
    /// More of it is being handed in.
    Receiving,
    /// That broke off.
    Incomplete,
}

impl UploadState {
    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Receiving => "receiving",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Batches of which something is wanted: those that don't just run.
#[derive(Debug)]
pub(crate) struct Batches {
    /// Few; read for messages that are tried again.
    phases: ArcSwap<HashMap<BatchId, BatchPhase>>,
    /// Held by who decides what is wanted.
    deciding: tokio::sync::Mutex<()>,
    /// Those of which more is being handed in, and whether they were canceled meanwhile.
    receiving: Mutex<HashMap<BatchId, watch::Sender<bool>>>,
    /// There is something to do.
    wanted: Notify,
}

impl Batches {
    /// As they were left.
    pub async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let mut phases = HashMap::new();
        for phase in [BatchPhase::Pausing, BatchPhase::Paused, BatchPhase::Resuming, BatchPhase::Canceling] {
            phases.extend(store.batches_in(phase).await?.into_iter().map(|batch| (batch.id, phase)));
        }
        let (deciding, receiving) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { phases: ArcSwap::from_pointee(phases), deciding, receiving, wanted: Notify::new() })
    }

    /// As other nodes have left them.
    pub async fn read_again(&self, store: &dyn Store) -> Result<(), StoreError> {
        // Who decides something here meanwhile is not undone.
        let _deciding = self.deciding.lock().await;
        let now = Self::read(store).await?.phases.load_full();
        if **self.phases.load() != *now {
            self.phases.store(now);
            self.wanted.notify_one();
        }
        Ok(())
    }

    /// There may be something to do.
    pub fn wake(&self) {
        self.wanted.notify_one();
    }

    pub fn phase(&self, id: BatchId) -> BatchPhase {
        self.phases.load().get(&id).copied().unwrap_or_default()
    }

    /// More of this batch comes from now on, until [`received`](Self::received). Tells when it is canceled.
    pub fn receive(&self, id: BatchId) -> watch::Receiver<bool> {
        let (sender, canceled) = watch::channel(false);
        self.receiving().insert(id, sender);
        canceled
    }

    /// No more of it comes.
    pub fn received(&self, id: BatchId) {
        self.receiving().remove(&id);
    }

    pub fn is_receiving(&self, id: BatchId) -> bool {
        self.receiving().contains_key(&id)
    }

    /// Refuses messages that were to come into a batch that was canceled.
    pub fn refuse(&self, acceptance: &mut Acceptance) -> bool {
        let Some(batch) = &acceptance.batch else { return false };
        let canceled_meanwhile = || self.receiving().get(&batch.id).is_some_and(|canceled| *canceled.borrow());
        let refused = match self.phase(batch.id) {
            BatchPhase::Canceling | BatchPhase::Canceled => true,
            // It is not remembered once all its messages know.
            BatchPhase::Running => canceled_meanwhile(),
            BatchPhase::Pausing | BatchPhase::Paused | BatchPhase::Resuming => false,
        };
        if refused {
            let _ = acceptance.take().reply.send(Err(AcceptFailed::Canceled));
        }
        refused
    }

    /// Puts new messages aside if they come into a batch that is paused.
    pub fn take_in(&self, id: BatchId, messages: &mut [Message]) {
        if matches!(self.phase(id), BatchPhase::Pausing | BatchPhase::Paused) {
            let of_it = messages.iter_mut().filter(|message| message.body.batch == Some(id));
            of_it.for_each(|message| message.progress.due = None);
        }
    }

    fn cancel_receiving(&self, id: BatchId) {
        if let Some(canceled) = self.receiving().get(&id) {
            canceled.send_replace(true);
        }
    }

    fn receiving(&self) -> MutexGuard<'_, HashMap<BatchId, watch::Sender<bool>>> {
        self.receiving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only under the lock of who decides.
    fn put(&self, id: BatchId, phase: BatchPhase) {
        let mut phases = HashMap::clone(&self.phases.load());
        match phase {
            BatchPhase::Running | BatchPhase::Canceled => phases.remove(&id),
            phase => phases.insert(id, phase),
        };
        self.phases.store(phases.into());
    }
}

impl BatchWish {
    /// The phase that follows, if another one does.
    fn after(self, phase: BatchPhase) -> Result<Option<BatchPhase>, BatchRefused> {
        use BatchPhase::*;
        Ok(match (self, phase) {
            (BatchWish::Cancel, Canceling | Canceled) => None,
            (BatchWish::Cancel, _) => Some(Canceling),
            (_, Canceling | Canceled) => return Err(BatchRefused::Canceled),
            (BatchWish::Pause, Running | Resuming) => Some(Pausing),
            (BatchWish::Resume, Pausing | Paused) => Some(Resuming),
            (BatchWish::Pause | BatchWish::Resume, _) => None,
        })
    }
}

impl Engine {
    /// How far was this batch handed in?
    #[must_use]
    pub fn upload_state(&self, batch: &Batch) -> UploadState {
        match batch.complete {
            true => UploadState::Complete,
            false if self.inner.batches.is_receiving(batch.id) => UploadState::Receiving,
            false => UploadState::Incomplete,
        }
    }

    /// Says what is wanted of a batch, if it is the caller's. It is written down when this returns, and
    /// done a little later: the batch's phase says so.
    pub async fn want_batch(
        &self,
        caller: &Caller,
        id: BatchId,
        wish: BatchWish,
    ) -> Result<(Batch, BatchCounts), BatchRefused> {
        let batches = &self.inner.batches;
        let deciding = batches.deciding.lock().await;
        let (batch, _) = self.batch(caller, id).await?.ok_or(BatchRefused::NoSuchBatch)?;
        if let Some(phase) = wish.after(batch.phase)? {
            // Before it is written: what is tried again meanwhile is put aside already, or no more.
            batches.put(id, phase);
            if let Err(error) = self.write_phase(id, phase).await {
                batches.put(id, batch.phase);
                return Err(error.into());
            }
            if phase == BatchPhase::Canceling {
                batches.cancel_receiving(id);
            }
            batches.wanted.notify_one();
        }
        drop(deciding);
        self.batch(caller, id).await?.ok_or(BatchRefused::NoSuchBatch)
    }

    async fn write_phase(&self, batch: BatchId, phase: BatchPhase) -> Result<(), StoreError> {
        self.report(Fact::Batch { batch, phase }).await?;
        persist::flush(&self.inner.facts).await;
        Ok(())
    }

    /// Is this a message of a batch that is paused, which can be put aside when it is to be tried again?
    /// Of a long one, sessions may have other parts.
    pub(crate) fn waits_for_batch(&self, message: Option<&Message>) -> bool {
        message.is_some_and(|message| message.progress.parts.len() == 1) && self.is_held(message)
    }

    fn is_held(&self, message: Option<&Message>) -> bool {
        let batch = message.and_then(|message| message.body.batch);
        let phase = batch.map(|batch| self.inner.batches.phase(batch));
        matches!(phase, Some(BatchPhase::Pausing | BatchPhase::Paused))
    }

    /// Does what is wanted of batches, for all there are now.
    async fn work_on_batches(&self) -> Result<(), StoreError> {
        let wanted: Vec<(BatchId, BatchPhase)> =
            self.inner.batches.phases.load().iter().map(|(id, phase)| (*id, *phase)).collect();
        for (id, phase) in wanted {
            let (step, then) = match phase {
                BatchPhase::Pausing => (Step::Park, BatchPhase::Paused),
                BatchPhase::Resuming => (Step::Unpark, BatchPhase::Running),
                BatchPhase::Canceling => (Step::Cancel, BatchPhase::Canceled),
                BatchPhase::Running | BatchPhase::Paused | BatchPhase::Canceled => continue,
            };
            if self.walk(id, phase, step).await? {
                let _deciding = self.inner.batches.deciding.lock().await;
                if self.inner.batches.phase(id) == phase {
                    self.write_phase(id, then).await?;
                    self.inner.batches.put(id, then);
                }
            }
        }
        Ok(())
    }

    /// Does `step` to every message of a batch; `false` when something else is wanted meanwhile.
    async fn walk(&self, id: BatchId, phase: BatchPhase, step: Step) -> Result<bool, StoreError> {
        let filter = MessageFilter { batch: Some(id), ..MessageFilter::default() };
        let mut before = None;
        loop {
            if self.inner.batches.phase(id) != phase {
                return Ok(false);
            }
            let (page, next) = self.inner.store.search(&filter, before, PAGE).await?;
            let concerned = page.iter().filter(|message| step.concerns(message));
            let facts: Vec<Fact> = concerned.map(|message| Fact::OfBatch { message: message.body.id, step }).collect();
            if !facts.is_empty() {
                let gone = || StoreError::Unavailable("the gateway has stopped".into());
                self.inner.facts.send(Facts { facts, acknowledge: None }).await.map_err(|_| gone())?;
                // The next page comes when these are on disk: no more than one is under way.
                persist::flush(&self.inner.facts).await;
            }
            match next {
                Some(next) => before = Some(next),
                None => return Ok(true),
            }
        }
    }
}

/// Works on batches for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    loop {
        if let Err(error) = engine.work_on_batches().await {
            tracing::warn!(%error, "batches are not paused, resumed or canceled now; tried again");
            tokio::time::sleep(STORE_AWAY).await;
            continue;
        }
        engine.inner.batches.wanted.notified().await;
    }
}

impl Step {
    /// Is there anything to do for this message?
    fn concerns(self, message: &Message) -> bool {
        let progress = &message.progress;
        let waits = !progress.status.is_final() && progress.unsent().next().is_some();
        waits
            && match self {
                Step::Park => progress.due.is_some(),
                Step::Unpark => progress.due.is_none(),
                Step::Cancel => true,
            }
    }
}

impl Recorder {
    /// One message of a batch of which something is wanted.
    pub(crate) fn step(&mut self, id: MessageId, step: Step, world: &World, draft: &mut Draft) {
        let Some(message) = draft.message(id).filter(|message| step.concerns(message)) else { return };
        let due = message.body.send_at.unwrap_or(draft.now).max(draft.now);
        let held = self.engine.is_held(Some(message));
        match step {
            Step::Park if self.take_out(id, draft) => draft.park(id),
            Step::Unpark if !held => {
                draft.requeue(id, due);
                draft.relayed.push(id);
            }
            Step::Cancel if self.take_out(id, draft) => {
                draft.apply(&self.engine, world, id, Change::Cancel, None);
            }
            // A session has it, or something else is wanted by now.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_last_counts_and_a_cancellation_is_for_good() {
        use BatchPhase::*;
        for (wish, from, to) in [
            (BatchWish::Pause, Running, Ok(Some(Pausing))),
            (BatchWish::Pause, Resuming, Ok(Some(Pausing))),
            (BatchWish::Pause, Paused, Ok(None)),
            (BatchWish::Resume, Pausing, Ok(Some(Resuming))),
            (BatchWish::Resume, Paused, Ok(Some(Resuming))),
            (BatchWish::Resume, Running, Ok(None)),
            (BatchWish::Cancel, Pausing, Ok(Some(Canceling))),
            (BatchWish::Cancel, Canceled, Ok(None)),
            (BatchWish::Pause, Canceling, Err(BatchRefused::Canceled)),
            (BatchWish::Resume, Canceled, Err(BatchRefused::Canceled)),
        ] {
            assert_eq!(wish.after(from), to, "{wish:?} {from:?}");
        }
    }
}
