//! Accept: one [`Submission`] from any ingress becomes a durable message, or is refused with all
//! that is wrong with it. The way is validate, admit, route, persist; the answer comes after the
//! commit is on disk.

mod batch;
mod upload;

use std::sync::Arc;
use std::time::Instant;

use model::{Message, MessageId, Submission, Timestamp};
use store::{Batch, Claim, IdempotencyAnswer, IdempotencyKey, SupersedeKey};
use tokio::sync::oneshot;

use crate::access::{Caller, KeyHeld};
use crate::admit::{self, Exempt};
use crate::engine::Engine;
use crate::facts::{AcceptFailed, Acceptance, Fact, Facts};
pub use crate::refusal::Refusal;
use crate::route::{Prepared, Wish};
use crate::validate::validate;
use crate::world::{AccountView, World};

pub use batch::{BATCH_MAX, BatchTaken};
pub(crate) use batch::{Gathered, new_batch};
pub use upload::{REJECTED_TOLD_MAX, UnderKey, Upload, UploadStopped};

/// Seconds that an idempotency key is kept.
const KEY_SECONDS: i64 = 24 * 3600;

/// A request that its client may repeat: the key it was sent with, and what was asked.
#[derive(Clone, Copy, Debug)]
pub struct Idempotency<'a> {
    /// The client's key.
    pub key: &'a str,
    /// SHA-256 over what was asked.
    pub fingerprint: [u8; 32],
}

/// What an ingress answers with; made before the commit, so that it can be kept with the key.
pub type Answer = (u16, Arc<str>);

/// A request that was taken.
#[derive(Debug)]
pub enum Accepted<T> {
    /// It is new.
    New(T, Answer),
    /// It was answered before; this is that answer.
    Replayed(Answer),
}

impl Engine {
    /// Accepts one message. `render` makes the answer that is kept with an idempotency key.
    pub async fn submit(
        &self,
        caller: &Caller,
        submission: Submission,
        idempotency: Option<Idempotency<'_>>,
        render: impl FnOnce(&Message) -> Answer,
    ) -> Result<Accepted<Message>, Refusal> {
        let begun = match self.begin(caller, idempotency).await? {
            Begun::Before(answer) => return Ok(Accepted::Replayed(answer)),
            Begun::Now(begun) => begun,
        };
        let submission = match &caller.account.policy {
            None => submission,
            Some(_) => Box::pin(self.consulted(caller, submission, begun.now)).await?,
        };
        let Prepared { message, copies } = self.prepare(&begun.world, &caller.account, submission, begun.now)?;
        let claim = self.admit(caller, std::slice::from_ref(&message), begun.now)?;
        let answer = render(&message);
        let mut messages = copies;
        messages.insert(0, message.clone());
        self.persist(caller, messages, None, begun.kept(&answer), claim).await?;
        self.inner.metrics.accepted(&caller.account.id, 1);
        Ok(Accepted::New(message, answer))
    }

    /// Accepts messages that came together and have nothing else in common: those that are sound share a
    /// commit. There is an answer for each, in their order, when that is on disk.
    pub async fn submit_each(&self, caller: &Caller, submissions: Vec<Submission>) -> Vec<Result<MessageId, Refusal>> {
        let begun = match self.begin(caller, None).await {
            Ok(Begun::Now(begun)) => begun,
            // Without a key nothing can have been answered before.
            Ok(Begun::Before(_)) => return vec![Err(Refusal::KeyReused); submissions.len()],
            Err(refusal) => return vec![Err(refusal); submissions.len()],
        };
        if let Err(refusal) = self.worth_asking(caller, 1, begun.now) {
            return vec![Err(refusal); submissions.len()];
        }
        let mut together = Together::default();
        let mut answers = Vec::with_capacity(submissions.len());
        let submissions = self.all_consulted(caller, submissions.into_iter().map(Ok), begun.now).await;
        for (place, submission) in submissions.enumerate() {
            let prepared =
                submission.and_then(|submission| self.prepare(&begun.world, &caller.account, submission, begun.now));
            answers.push(prepared.and_then(|Prepared { message, copies }| {
                let claim = self.admit(caller, std::slice::from_ref(&message), begun.now)?;
                let id = message.body.id;
                together.add(place, message, copies, claim);
                Ok(id)
            }));
        }
        let (facts, waiting) = together.facts();
        let accepted = match facts.is_empty() {
            true => Ok(()),
            false => self.inner.facts.send(Facts { facts, acknowledge: None }).await,
        };
        let mut count = 0;
        for (places, committed) in waiting {
            let outcome = match accepted {
                Ok(()) => self.outcome_of(caller, committed.await),
                Err(_) => Err(gone()),
            };
            match outcome {
                Ok(()) => count += places.len() as u64,
                Err(refusal) => places.iter().for_each(|place| {
                    if let Some(answer) = answers.get_mut(*place) {
                        *answer = Err(refusal.clone());
                    }
                }),
            }
        }
        if count > 0 {
            self.inner.metrics.accepted(&caller.account.id, count);
        }
        answers
    }

    pub(crate) fn open_for_business(&self) -> Result<(), Refusal> {
        let health = self.inner.health.borrow();
        match &health.store {
            _ if health.draining => Err(Refusal::Draining),
            Some(why) => Err(Refusal::StoreAway(why.to_string())),
            None => Ok(()),
        }
    }

    /// Validate, admit and route: a message ready to be kept.
    pub(crate) fn prepare(
        &self,
        world: &World,
        account: &AccountView,
        submission: Submission,
        now: Timestamp,
    ) -> Result<Prepared, Refusal> {
        self.prepare_for(world, account, submission, now, Exempt::default())
    }

    /// The same; what the gateway sends by itself may be `exempt` from what holds for others.
    pub(crate) fn prepare_for(
        &self,
        world: &World,
        account: &AccountView,
        submission: Submission,
        now: Timestamp,
        exempt: Exempt,
    ) -> Result<Prepared, Refusal> {
        let wish = Wish::of(&submission);
        let mut valid = validate(submission, account, self.next_id(now), now).map_err(Refusal::Invalid)?;
        admit::check(account, &valid.body)?;
        if let Some(phone) = self.opted_out(account, &valid.body).filter(|_| !exempt.opt_outs) {
            self.inner.metrics.opt_out_heeded(&account.id);
            return Err(Refusal::OptedOut(phone));
        }
        account.heed_quiet_hours(&mut valid, exempt, now)?;
        self.routed(world, account, valid, &wish, now)
    }

    /// What everything that is accepted begins with: is the gateway open, and was this asked before?
    pub(crate) async fn begin(&self, caller: &Caller, idempotency: Option<Idempotency<'_>>) -> Result<Begun, Refusal> {
        self.open_for_business()?;
        let now = |held| Begun::Now(Beginning { held, now: self.now(), world: self.inner.current.load_full() });
        let Some(asked) = idempotency else { return Ok(now(None)) };
        let key = IdempotencyKey { account: caller.account.id.clone(), key: asked.key.into() };
        let held = self.hold_key(key).ok_or(Refusal::KeyInUse)?;
        match self.inner.store.idempotency(&held.key).await? {
            Some(first) if first.expires_at > self.now() => match first.fingerprint == asked.fingerprint {
                true => Ok(Begun::Before((first.status, first.body))),
                false => Err(Refusal::KeyReused),
            },
            _ => Ok(now(Some((held, asked.fingerprint)))),
        }
    }

    /// May the account send this now? What the store has to decide is given back.
    pub(crate) fn admit(
        &self,
        caller: &Caller,
        messages: &[Message],
        now: Timestamp,
    ) -> Result<Option<Box<Claim>>, Refusal> {
        let admitted = admit::admit(&caller.account, messages, now, Instant::now());
        admitted.inspect_err(|refusal| self.inner.metrics.limited(&caller.account.id, refusal))
    }

    async fn persist(
        &self,
        caller: &Caller,
        messages: Vec<Message>,
        batch: Option<Batch>,
        answer: Option<(IdempotencyKey, IdempotencyAnswer)>,
        claim: Option<Box<Claim>>,
    ) -> Result<(), Refusal> {
        let (reply, committed) = oneshot::channel();
        self.accepted(caller, Acceptance { batch, answer, claim, ..Acceptance::of(messages, reply) }, committed).await
    }

    /// Hands in what was accepted, and waits until it is durable.
    pub(crate) async fn accepted(
        &self,
        caller: &Caller,
        acceptance: Acceptance,
        committed: oneshot::Receiver<Result<(), AcceptFailed>>,
    ) -> Result<(), Refusal> {
        let fact = Fact::Accepted(Box::new(acceptance));
        self.inner.facts.send(Facts::one(fact)).await.map_err(|_| gone())?;
        self.outcome_of(caller, committed.await)
    }

    /// What became of an acceptance, as its client is told it.
    pub(crate) fn outcome_of(
        &self,
        caller: &Caller,
        committed: Result<Result<(), AcceptFailed>, oneshot::error::RecvError>,
    ) -> Result<(), Refusal> {
        match committed.map_err(|_| gone())? {
            Ok(()) => Ok(()),
            Err(AcceptFailed::KeyTaken | AcceptFailed::ScheduleMoved) => Err(Refusal::KeyInUse),
            Err(AcceptFailed::Short(short, claim)) => {
                let refusal = admit::refused(&caller.account, &claim, &short, self.now(), Instant::now());
                self.inner.metrics.limited(&caller.account.id, &refusal);
                Err(refusal)
            }
            Err(AcceptFailed::Store(why)) => Err(Refusal::StoreAway(why)),
            Err(AcceptFailed::Canceled) => Err(Refusal::Forbidden("the batch was canceled")),
        }
    }
}

fn gone() -> Refusal {
    Refusal::StoreAway("the gateway has stopped".into())
}

/// Messages on their way to one commit, each to be answered on its own.
#[derive(Default)]
struct Together {
    /// Those that take nothing of a quota or a balance, nor anybody's place, share an acceptance.
    free: (Vec<Message>, Vec<usize>),
    alone: Vec<(Vec<Message>, usize, Option<Box<Claim>>)>,
}

/// The places of messages, and what tells that they are durable.
type Awaited = (Vec<usize>, oneshot::Receiver<Result<(), AcceptFailed>>);

impl Together {
    fn add(&mut self, place: usize, message: Message, copies: Vec<Message>, claim: Option<Box<Claim>>) {
        // Of two with the same key the second has to find the first: it waits until that is durable.
        if claim.is_none() && SupersedeKey::of(&message.body).is_none() {
            self.free.0.push(message);
            self.free.0.extend(copies);
            self.free.1.push(place);
        } else {
            let mut messages = vec![message];
            messages.extend(copies);
            self.alone.push((messages, place, claim));
        }
    }

    fn facts(self) -> (Vec<Fact>, Vec<Awaited>) {
        let (mut facts, mut waiting) = (Vec::new(), Vec::new());
        let mut add = |messages, places, claim| {
            let (reply, committed) = oneshot::channel();
            let acceptance = Acceptance { claim, ..Acceptance::of(messages, reply) };
            facts.push(Fact::Accepted(Box::new(acceptance)));
            waiting.push((places, committed));
        };
        let (messages, places) = self.free;
        if !places.is_empty() {
            add(messages, places, None);
        }
        self.alone.into_iter().for_each(|(messages, place, claim)| add(messages, vec![place], claim));
        (facts, waiting)
    }
}

/// What became of asking whether a request is new.
pub(crate) enum Begun {
    /// It was answered before.
    Before(Answer),
    Now(Beginning),
}

/// A request on its way: its moment, the resources that it goes by, and the key that it holds.
pub(crate) struct Beginning {
    held: Option<(KeyHeld, [u8; 32])>,
    pub now: Timestamp,
    pub world: Arc<World>,
}

impl Beginning {
    /// The answer as it is kept with the key.
    pub fn kept(&self, answer: &Answer) -> Option<(IdempotencyKey, IdempotencyAnswer)> {
        let (held, fingerprint) = self.held.as_ref()?;
        let ((status, body), expires_at) = (answer.clone(), self.now.plus_seconds(KEY_SECONDS));
        Some((held.key.clone(), IdempotencyAnswer { fingerprint: *fingerprint, status, body, expires_at }))
    }
}
