//! Upload: a batch that comes as a stream of any length. It is taken in chunks, one commit each, and
//! its row says with every chunk how many lines were taken and what they come to. So there is nothing
//! to be cleared up when a stream breaks off, the process with it or not: what has landed stays, and
//! who sends the stream again under the same idempotency key goes on behind it.
//!
//! That a batch is being received is known in memory only ([`Receiving`]): nobody receives after the
//! end of the process. One chunk is prepared while the one before it is on its way to the disk, and is
//! sent after that has landed: there are no gaps.

use model::submission::Fault;
use model::{BatchId, Message, Submission};
use store::{Batch, BatchPhase, Claim, IdempotencyAnswer, IdempotencyKey, StoreError};
use tokio::sync::{oneshot, watch};
use tokio::time::{Duration, sleep};

use super::batch::Gathered;
use super::{Answer, KEY_SECONDS, Refusal, gone};
use crate::access::{Caller, KeyHeld};
use crate::admit::Limit;
use crate::engine::{Engine, Health};
use crate::facts::{AcceptFailed, Acceptance, Fact, Facts};
use crate::hash::sha256;

/// Most lines of a chunk.
const CHUNK_MAX: usize = 1000;
/// A chunk of an account with a throughput is so many seconds' worth of it at most, so that a slow one
/// goes on steadily.
const CHUNK_SECONDS: usize = 2;
/// Refusals that are told; of the others there is only the count.
pub const REJECTED_TOLD_MAX: usize = 1000;

/// A batch of which more may come. When it is dropped, what was taken stays taken.
#[derive(Debug)]
pub struct Upload {
    engine: Engine,
    caller: Caller,
    /// As the store has it.
    batch: Batch,
    /// The store has it, and its key.
    begun: bool,
    rejected: Vec<(u64, Refusal)>,
    flight: Option<Flight>,
    canceled: watch::Receiver<bool>,
    health: watch::Receiver<Health>,
    /// Until the last chunk has landed or failed, also when this is dropped before.
    hold: Option<Hold>,
}

/// A chunk on its way to the disk, and what is the case when it has landed.
#[derive(Debug)]
struct Flight {
    committed: oneshot::Receiver<Result<(), AcceptFailed>>,
    batch: Batch,
    accepted: u64,
    rejected: Vec<(u64, Refusal)>,
}

/// What an upload holds on to.
#[derive(Debug)]
struct Hold {
    _receiving: Receiving,
    key: Option<KeyHeld>,
}

/// A batch that is being received.
#[derive(Debug)]
struct Receiving {
    engine: Engine,
    id: BatchId,
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.engine.inner.batches.received(self.id);
        // Its last message may have ended before.
        self.engine.inner.endings.look_at(vec![self.id]);
    }
}

/// Why an upload does not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadStopped {
    /// What was handed in is refused as a whole.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The batch was canceled meanwhile.
    #[error("the batch was canceled")]
    Canceled,
}

impl From<StoreError> for UploadStopped {
    fn from(error: StoreError) -> Self {
        Refusal::from(error).into()
    }
}

/// What there is under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnderKey {
    /// Nothing, or nothing any more.
    Nothing,
    /// A stream that was begun.
    Upload(BatchId),
    /// Something that was asked and answered as a whole.
    Answered {
        /// SHA-256 over what was asked.
        fingerprint: [u8; 32],
        /// Its answer.
        answer: Answer,
    },
}

/// What stands for the content of a stream, which is not known when it begins: that is compared line by
/// line, by the batch's digest.
fn fingerprint() -> [u8; 32] {
    sha256(b"POST /v1/batches\na stream")
}

impl Engine {
    /// What was asked under this idempotency key.
    pub async fn under_key(&self, caller: &Caller, key: &str) -> Result<UnderKey, Refusal> {
        let key = IdempotencyKey { account: caller.account.id.clone(), key: key.into() };
        Ok(self.kept_under(&key).await?)
    }

    async fn kept_under(&self, key: &IdempotencyKey) -> Result<UnderKey, StoreError> {
        let first = self.inner.store.idempotency(key).await?.filter(|first| first.expires_at > self.now());
        Ok(first.map_or(UnderKey::Nothing, |first| {
            let batch = (first.fingerprint == fingerprint()).then(|| first.body.parse().ok());
            let answer = (first.status, first.body);
            let answered = UnderKey::Answered { fingerprint: first.fingerprint, answer };
            batch.flatten().map_or(answered, UnderKey::Upload)
        }))
    }

    /// Begins a batch that comes as a stream, or goes on with the one that was begun under this
    /// idempotency key.
    pub async fn begin_upload(&self, caller: &Caller, key: Option<&str>) -> Result<Upload, UploadStopped> {
        self.open_for_business()?;
        let key = match key {
            None => None,
            Some(key) => {
                let key = IdempotencyKey { account: caller.account.id.clone(), key: key.into() };
                Some(self.hold_key(key).ok_or(Refusal::KeyInUse)?)
            }
        };
        let earlier = match &key {
            None => None,
            Some(held) => match self.kept_under(&held.key).await? {
                UnderKey::Nothing => None,
                UnderKey::Upload(id) => Some(id),
                UnderKey::Answered { .. } => return Err(Refusal::KeyReused.into()),
            },
        };
        let now = self.now();
        let id = earlier.unwrap_or_else(|| BatchId(self.next_id(now).0));
        let canceled = self.inner.batches.receive(id);
        let hold = Hold { _receiving: Receiving { engine: self.clone(), id }, key };
        // Who cancels it from now on is noticed, and who did so before has it written here or there.
        let canceling = self.inner.batches.phase(id) == BatchPhase::Canceling;
        let found = match earlier {
            None => None,
            Some(id) => self.inner.store.batch(id).await?.map(|(batch, _)| batch),
        };
        let canceled_before = |batch: &Batch| canceling || batch.phase == BatchPhase::Canceled;
        if found.as_ref().is_some_and(|batch| !batch.complete && canceled_before(batch)) {
            return Err(UploadStopped::Canceled);
        }
        let batch = found.unwrap_or_else(|| Batch {
            id,
            account: caller.account.id.clone(),
            accepted: 0,
            rejected: 0,
            created_at: now,
            phase: BatchPhase::Running,
            finished_at: None,
            complete: false,
            digest: None,
        });
        Ok(Upload {
            engine: self.clone(),
            caller: caller.clone(),
            batch,
            begun: earlier.is_some(),
            rejected: Vec::new(),
            flight: None,
            canceled,
            health: self.health(),
            hold: Some(hold),
        })
    }
}

impl Upload {
    /// The batch, with all that has landed.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Lines that were taken durably, before this upload too.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.batch.accepted + self.batch.rejected
    }

    /// Places of lines that this upload has refused, and why: the first [`REJECTED_TOLD_MAX`].
    #[must_use]
    pub fn rejected(&self) -> &[(u64, Refusal)] {
        &self.rejected
    }

    /// Goes on as the caller is now: an upload may take hours.
    pub fn renew(&mut self, caller: Caller) -> Result<(), Refusal> {
        if caller.account.id != self.batch.account {
            return Err(Refusal::Forbidden("the batch is another account's"));
        }
        self.caller = caller;
        Ok(())
    }

    /// How many lines the next chunk should have.
    #[must_use]
    pub fn chunk_lines(&self) -> usize {
        let rates = self.caller.account.chain().filter_map(|account| account.account.throughput);
        let slowest = rates.min().map_or(usize::MAX, |rate| rate as usize);
        slowest.saturating_mul(CHUNK_SECONDS).clamp(1, CHUNK_MAX)
    }

    /// Hands in the next lines, all that are sound, in one commit; waits for the one before to land, and
    /// while the account's throughput asks for that. `digest` is what the lines until now come to;
    /// `last` says that there are no more.
    pub async fn add(
        &mut self,
        lines: Vec<Result<Submission, Fault>>,
        digest: Option<[u8; 32]>,
        last: bool,
    ) -> Result<(), UploadStopped> {
        let count = lines.len() as u64;
        self.engine.open_for_business()?;
        let (world, now) = (self.engine.world(), self.engine.now());
        let lines = lines.into_iter().map(|line| line.map_err(|fault| Refusal::Invalid(vec![fault])));
        let gathered = self.engine.gather(&world, &self.caller, lines, Some(self.batch.id), now).await;
        let Gathered { mut messages, copies, rejected } = gathered;
        self.settle().await?;
        let claim = self.admitted(&messages).await?;
        let (accepted, first) = (messages.len() as u64, self.lines());
        let batch = Batch {
            accepted: self.batch.accepted + accepted,
            rejected: self.batch.rejected + (count - accepted),
            complete: last,
            digest,
            ..self.batch.clone()
        };
        let key = self.hold.as_ref().and_then(|hold| hold.key.as_ref()).filter(|_| !self.begun);
        let answer = key.map(|held| {
            let (body, expires_at) = (batch.id.to_string().into(), now.plus_seconds(KEY_SECONDS));
            (held.key.clone(), IdempotencyAnswer { fingerprint: fingerprint(), status: 202, body, expires_at })
        });
        messages.extend(copies.into_iter().flat_map(|(_, copies)| copies));
        // From here to its landing the chunk is the flight's, whoever gives up waiting for it.
        let room = self.engine.inner.facts.reserve().await.map_err(|_| gone())?;
        let (reply, committed) = oneshot::channel();
        let acceptance = Acceptance { batch: Some(batch.clone()), answer, claim, ..Acceptance::of(messages, reply) };
        room.send(Facts::one(Fact::Accepted(Box::new(acceptance))));
        let untold = REJECTED_TOLD_MAX.saturating_sub(self.rejected.len());
        let rejected = rejected.into_iter().take(untold).map(|(n, refusal)| (first + n as u64, refusal)).collect();
        self.flight = Some(Flight { committed, batch, accepted, rejected });
        Ok(())
    }

    /// Waits until all that was handed in has landed.
    pub async fn settle(&mut self) -> Result<(), UploadStopped> {
        let Some(flight) = &mut self.flight else { return Ok(()) };
        let committed = (&mut flight.committed).await;
        let Some(flight) = self.flight.take() else { return Ok(()) };
        if let Ok(Err(AcceptFailed::Canceled)) = committed {
            return Err(UploadStopped::Canceled);
        }
        self.engine.outcome_of(&self.caller, committed)?;
        self.engine.inner.metrics.accepted(&self.caller.account.id, flight.accepted);
        (self.batch, self.begun) = (flight.batch, true);
        self.rejected.extend(flight.rejected);
        Ok(())
    }

    /// Waits until something stands against going on: what was handed in is refused, the batch is
    /// canceled, the gateway stops. Can be given up and asked again.
    pub async fn stopped(&mut self) -> UploadStopped {
        if let Err(stopped) = self.settle().await {
            return stopped;
        }
        tokio::select! {
            _ = self.canceled.wait_for(|canceled| *canceled) => UploadStopped::Canceled,
            _ = self.health.wait_for(|health| health.draining) => Refusal::Draining.into(),
        }
    }

    /// Counts a chunk against the account's limits, as soon as its throughput allows that.
    async fn admitted(&mut self, messages: &[Message]) -> Result<Option<Box<Claim>>, UploadStopped> {
        loop {
            let wait = match self.engine.admit(&self.caller, messages, self.engine.now()) {
                Err(Refusal::Limited { limit: Limit::Throughput, retry_after_seconds, .. }) => retry_after_seconds,
                other => return Ok(other?),
            };
            tokio::select! {
                () = sleep(Duration::from_secs(wait.into())) => {}
                stopped = self.stopped() => return Err(stopped),
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (flight, hold) = (self.flight.take(), self.hold.take());
        // Without a runtime nothing lands any more.
        if let (Some(flight), Ok(runtime)) = (flight, tokio::runtime::Handle::try_current()) {
            let (engine, account) = (self.engine.clone(), self.caller.account.id.clone());
            runtime.spawn(async move {
                if let Ok(Ok(())) = flight.committed.await {
                    engine.inner.metrics.accepted(&account, flight.accepted);
                }
                // Nobody goes on with it before.
                drop(hold);
            });
        }
    }
}
