//! Batches: messages that are handed in together.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use model::submission::Fault;
use model::{BatchId, Body, Message, MessageId, Name, Submission, Timestamp};
use store::{Batch, BatchPhase, SupersedeKey};

use super::{Accepted, Answer, Begun, Idempotency, Refusal};
use crate::access::Caller;
use crate::engine::Engine;
use crate::route::Prepared;
use crate::world::World;

/// Most messages of a batch that is taken in one commit.
pub const BATCH_MAX: usize = 10_000;

/// What became of a batch.
#[derive(Debug)]
pub struct BatchTaken {
    /// The batch.
    pub batch: Batch,
    /// Ids of those that were accepted, in their order.
    pub accepted: Vec<MessageId>,
    /// Places of those that were refused, and why.
    pub rejected: Vec<(usize, Refusal)>,
}

/// What is left of messages that were handed in together.
pub(crate) struct Gathered {
    pub messages: Vec<Message>,
    /// What routes send besides, each with the message that it is for.
    pub copies: Vec<(MessageId, Vec<Message>)>,
    /// Places of those that were refused, in order.
    pub rejected: Vec<(usize, Refusal)>,
}

impl Engine {
    /// Accepts up to [`BATCH_MAX`] messages as one batch, all that are sound; one commit.
    pub async fn submit_batch(
        &self,
        caller: &Caller,
        submissions: Vec<Result<Submission, Fault>>,
        idempotency: Option<Idempotency<'_>>,
        render: impl FnOnce(&BatchTaken) -> Answer,
    ) -> Result<Accepted<BatchTaken>, Refusal> {
        let begun = match self.begin(caller, idempotency).await? {
            Begun::Before(answer) => return Ok(Accepted::Replayed(answer)),
            Begun::Now(begun) => begun,
        };
        let now = begun.now;
        self.worth_asking(caller, submissions.len(), now)?;
        let id = BatchId(self.next_id(now).0);
        let submissions = submissions.into_iter().map(|one| one.map_err(|fault| Refusal::Invalid(vec![fault])));
        let Gathered { mut messages, copies, rejected } =
            self.gather(&begun.world, caller, submissions, Some(id), now).await;
        let claim = self.admit(caller, &messages, now)?;
        let batch = new_batch(id, &caller.account.id, (messages.len() as u64, rejected.len() as u64), now);
        let ids = messages.iter().map(|message| message.body.id).collect();
        let taken = BatchTaken { batch, accepted: ids, rejected };
        let answer = render(&taken);
        messages.extend(copies.into_iter().flat_map(|(_, copies)| copies));
        self.persist(caller, messages, Some(taken.batch.clone()), begun.kept(&answer), claim).await?;
        self.inner.metrics.accepted(&caller.account.id, taken.batch.accepted);
        Ok(Accepted::New(taken, answer))
    }

    /// Prepares what was handed in together as messages of this batch, if it is to be one, all that is sound.
    pub(crate) async fn gather(
        &self,
        world: &World,
        caller: &Caller,
        submissions: impl ExactSizeIterator<Item = Result<Submission, Refusal>> + Send,
        batch: Option<BatchId>,
        now: Timestamp,
    ) -> Gathered {
        let mut messages = Vec::with_capacity(submissions.len());
        let (mut copies, mut latest) = (Vec::new(), Latest::default());
        let mut rejected = Vec::new();
        for (index, submission) in self.all_consulted(caller, submissions, now).await.enumerate() {
            let prepared = submission.and_then(|submission| self.prepare(world, &caller.account, submission, now));
            match prepared {
                Ok(Prepared { mut message, copies: of_it }) => {
                    latest.add(index, &message.body);
                    if !of_it.is_empty() {
                        copies.push((message.body.id, of_it));
                    }
                    // Nobody else holds the body yet.
                    if let Some(body) = Arc::get_mut(&mut message.body) {
                        body.batch = batch;
                    }
                    messages.push(message);
                }
                Err(refusal) => rejected.push((index, refusal)),
            }
        }
        latest.leave_out(&mut messages, &mut copies, &mut rejected);
        Gathered { messages, copies, rejected }
    }
}

/// A batch of which nothing is wanted yet.
pub(crate) fn new_batch(id: BatchId, account: &Name, (accepted, rejected): (u64, u64), now: Timestamp) -> Batch {
    Batch {
        id,
        account: account.clone(),
        accepted,
        rejected,
        created_at: now,
        phase: BatchPhase::Running,
        finished_at: None,
        complete: true,
        digest: None,
    }
}

/// Which messages of a batch others of the same batch stand for: of several with one supersede key
/// and recipient the last counts, and the others are refused.
#[derive(Default)]
struct Latest {
    keys: HashMap<SupersedeKey, (usize, MessageId)>,
    outdated: Vec<(usize, MessageId)>,
}

impl Latest {
    fn add(&mut self, index: usize, body: &Body) {
        if let Some(key) = SupersedeKey::of(body) {
            self.outdated.extend(self.keys.insert(key, (index, body.id)));
        }
    }

    fn leave_out(
        self,
        messages: &mut Vec<Message>,
        copies: &mut Vec<(MessageId, Vec<Message>)>,
        rejected: &mut Vec<(usize, Refusal)>,
    ) {
        if self.outdated.is_empty() {
            return;
        }
        let outdated: HashSet<MessageId> = self.outdated.iter().map(|(_, id)| *id).collect();
        messages.retain(|message| !outdated.contains(&message.body.id));
        copies.retain(|(id, _)| !outdated.contains(id));
        let why = "a later message of this batch has the same key and recipient";
        let refusal = || Refusal::Invalid(vec![Fault::new("/supersede_key", why)]);
        rejected.extend(self.outdated.into_iter().map(|(index, _)| (index, refusal())));
        rejected.sort_by_key(|(index, _)| *index);
    }
}
