//! Occur: what is due of schedules is accepted.
//!
//! One task sleeps until the first schedule is due, or one changes. All that it knows stands in the store,
//! so a restart goes on with it. Nothing keeps two nodes from running it: of both, one finds that the
//! schedule has moved.

use std::time::Duration;

use futures_util::future::join_all;
use model::recurring::{IfMissed, OccurrenceRefused, Terms};
use model::resources::Scope;
use model::{BatchId, DeliveryId, Schedule, Submission, Timestamp};
use routing::Recurrence;
use store::{Changes, CommitError, ScheduleChange, StoreError};
use tokio::sync::oneshot;

use super::step::{self, Came};
use super::tagged;
use crate::accept::{Begun, Gathered, new_batch};
use crate::access::Caller;
use crate::admit::Limit;
use crate::announce;
use crate::engine::Engine;
use crate::facts::{AcceptFailed, Acceptance, Fact, Facts};
use crate::refusal::Refusal;

/// Schedules that are worked on at a time: their commits are one.
const TOGETHER: usize = 16;
/// The clock may be set, and another node may have made a schedule.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long to wait after the store could not be used.
const STORE_AWAY: Duration = Duration::from_secs(1);
/// An occurrence that is so late, because the gateway was down, was missed.
const MISSED_SECONDS: i64 = 60;
/// How far apart tries of an occurrence are that a limit does not let pass for now, and how long it is tried.
const TRY_SECONDS: u32 = 15;
const TRIED_SECONDS: i64 = 3600;

/// Since when what was due has been dealt with without a break.
#[derive(Debug)]
pub(super) struct Awake {
    since: Timestamp,
    dealt: Timestamp,
}

impl Awake {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, dealt: now }
    }

    /// It looks now. Where nothing could be dealt with for long, the machine slept or the store was away.
    fn look(&mut self, now: Timestamp) {
        let break_after = MISSED_SECONDS * 1000 + LOOK_EVERY.as_millis() as i64;
        if now.millis_since(self.dealt) > break_after {
            self.since = now;
        }
    }

    /// What was due at `now` is dealt with.
    fn done(&mut self, now: Timestamp) {
        self.dealt = now;
    }

    /// Came this while nobody looked?
    fn missed(&self, occurrence: Timestamp) -> bool {
        occurrence < self.since.plus_seconds(-MISSED_SECONDS)
    }
}

/// What became of handing in an occurrence.
enum Handed {
    /// It is settled; or somebody else settles it.
    Done,
    /// Nothing can be accepted now.
    Wait,
}

/// A step with which nothing is accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The occurrence was missed.
    Skipped,
    /// It was refused.
    Refused,
    /// It is tried again.
    PutOff,
}

/// Accepts what is due for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    let mut awake = Awake::new(engine.now());
    loop {
        match engine.occur(&mut awake).await {
            Ok(Some(pause)) => tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = engine.inner.recurring.changed.notified() => {}
            },
            Ok(None) => tokio::time::sleep(STORE_AWAY).await,
            Err(error) => {
                tracing::warn!(%error, "schedules can't be read or written now; tried again");
                tokio::time::sleep(STORE_AWAY).await;
            }
        }
    }
}

/// The times that a schedule's terms mean; `None` only if this program knows the zone no more.
pub(super) fn recurrence_of(terms: &Terms) -> Option<Recurrence> {
    Recurrence::new(terms.repeat.parse().ok()?, &terms.time_zone).ok()
}

impl Engine {
    /// Accepts all that is due, and returns after how long to look again; `None` if nothing can be accepted
    /// now.
    pub(super) async fn occur(&self, awake: &mut Awake) -> Result<Option<Duration>, StoreError> {
        loop {
            let mut first = self.inner.store.schedules_due(Timestamp::from_millis(i64::MAX), TOGETHER).await?;
            let now = self.now();
            awake.look(now);
            let later = first.iter().position(|schedule| schedule.due.is_some_and(|due| due > now));
            if later == Some(0) || first.is_empty() {
                awake.done(now);
                let due = first.first().and_then(|schedule| schedule.due);
                let millis = due.map_or(i64::MAX, |due| due.millis_since(now));
                let pause = Duration::from_millis(u64::try_from(millis).unwrap_or(1).max(1));
                return Ok(Some(pause.min(LOOK_EVERY)));
            }
            first.truncate(later.unwrap_or(first.len()));
            for handed in join_all(first.iter().map(|schedule| self.occurrence(schedule, awake))).await {
                if matches!(handed?, Handed::Wait) {
                    return Ok(None);
                }
            }
            awake.done(now);
        }
    }

    /// One occurrence of a schedule that is due.
    async fn occurrence(&self, schedule: &Schedule, awake: &Awake) -> Result<Handed, StoreError> {
        let now = self.now();
        let recurrence = recurrence_of(&schedule.terms);
        let occurrence = schedule.course.next_at.unwrap_or(now);
        let after = |came| step::after(schedule, came, recurrence.as_ref(), now);
        if schedule.terms.if_missed == IfMissed::Skip && awake.missed(occurrence) {
            return self.step_on(schedule, after(Came::Skipped), Step::Skipped).await;
        }
        let accepted = match self.world().account(&schedule.account).cloned() {
            Some(account) if account.is_enabled() => {
                let caller = Caller { account, scopes: vec![Scope::Messages], token: "schedule".into() };
                self.hand_in(&caller, schedule, |came| step::change(schedule, after(came))).await
            }
            Some(_) => Err(Failed::Refused("account_disabled", "the account is disabled".into())),
            // It may come back: a file of resources is edited.
            None => Err(Failed::Refused("account_disabled", "the account is gone".into())),
        };
        let refused = |code: &str, detail: &str| {
            let why = OccurrenceRefused { at: now, code: code.into(), detail: detail.into() };
            after(Came::Refused(why))
        };
        match accepted {
            Ok(()) => Ok(Handed::Done),
            // Somebody changed it meanwhile, or another node was first: it is read again.
            Err(Failed::Moved) => Ok(Handed::Done),
            Err(Failed::Wait) => Ok(Handed::Wait),
            Err(Failed::Store(error)) => Err(error),
            Err(Failed::Later(refusal, seconds)) => {
                let again = now.plus_seconds(seconds.max(TRY_SECONDS).into());
                let put = refused(refusal.code(), &refusal.told());
                let too_late = again > occurrence.plus_seconds(TRIED_SECONDS);
                if too_late || put.due.is_none_or(|next| next <= again) {
                    return self.step_on(schedule, put, Step::Refused).await;
                }
                let put = Schedule { due: Some(again), ..schedule.clone() };
                self.step_on(schedule, put, Step::PutOff).await
            }
            Err(Failed::Refused(code, detail)) => self.step_on(schedule, refused(code, &detail), Step::Refused).await,
        }
    }

    /// Writes a step with which nothing is accepted, and tells of it.
    async fn step_on(&self, seen: &Schedule, put: Schedule, step: Step) -> Result<Handed, StoreError> {
        let now = self.now();
        let next_id = || DeliveryId(self.next_id(now).0);
        let account = self.world().account(&seen.account).cloned().filter(|_| step == Step::Refused);
        let owed = account.map(|account| announce::of_schedule(&account, seen, &put, now, next_id));
        let owed = owed.unwrap_or_default();
        let (schedules, deliveries) = (vec![step::change(seen, put)], owed.clone());
        match self.inner.store.commit(Changes { schedules, deliveries, ..Changes::default() }).await {
            Ok(()) => {
                self.inner.outbox.offer(owed.into_iter());
                match step {
                    Step::Skipped => self.inner.metrics.occurred(&seen.account, "skipped"),
                    Step::Refused => self.inner.metrics.occurred(&seen.account, "refused"),
                    Step::PutOff => {}
                }
                Ok(Handed::Done)
            }
            Err(CommitError::SchedulesMoved(_)) => Ok(Handed::Done),
            Err(error) => Err(super::not_written(error)),
        }
    }

    /// Accepts the messages of a schedule, all that are sound, in one commit with the step that `stepped`
    /// makes of that.
    async fn hand_in(
        &self,
        caller: &Caller,
        schedule: &Schedule,
        stepped: impl FnOnce(Came) -> ScheduleChange,
    ) -> Result<(), Failed> {
        let messages = self.inner.store.schedule_messages(schedule.id).await.map_err(Failed::Store)?;
        // A schedule that is gone by now is known to be when its step is written.
        let submissions: Vec<Submission> = serde_json::from_str(&messages.unwrap_or_default()).map_err(|error| {
            tracing::warn!(%error, schedule = %schedule.id, "the messages of a schedule can't be read");
            Failed::Refused("internal", "its messages can't be read".into())
        })?;
        let begun = match self.begin(caller, None).await? {
            Begun::Now(begun) => begun,
            // Without a key nothing can have been answered before.
            Begun::Before(_) => return Err(Failed::Wait),
        };
        let all = submissions.len();
        let batch = (all > 1).then(|| BatchId(self.next_id(begun.now).0));
        let id = schedule.id.to_string();
        let submissions = submissions.into_iter().map(|submission| Ok(tagged(submission, &id)));
        self.worth_asking(caller, all, begun.now)?;
        let Gathered { mut messages, copies, rejected } =
            self.gather(&begun.world, caller, submissions, batch, begun.now).await;
        let claim = self.admit(caller, &messages, begun.now)?;
        let accepted = messages.len() as u64;
        let Some(message) = messages.first().map(|message| message.body.id) else {
            let none = || Failed::Refused("internal", "it has no messages".into());
            return Err(rejected.into_iter().next().map_or_else(none, |(_, refusal)| refusal.into()));
        };
        let came = Came::Accepted {
            batch,
            message: Some(message).filter(|_| batch.is_none()),
            without: rejected.first().map(|(place, refusal)| {
                let (count, why) = (rejected.len(), refusal.told());
                let detail = format!("{count} of {all} messages were refused; the first, /messages/{place}: {why}");
                OccurrenceRefused { at: begun.now, code: refusal.code().into(), detail: detail.into() }
            }),
        };
        let batch = batch.map(|id| new_batch(id, &caller.account.id, (accepted, rejected.len() as u64), begun.now));
        messages.extend(copies.into_iter().flat_map(|(_, copies)| copies));
        let (reply, committed) = oneshot::channel();
        let schedule = Some(Box::new(stepped(came)));
        let acceptance = Acceptance { batch, claim, schedule, ..Acceptance::of(messages, reply) };
        let gone = || Failed::Wait;
        self.inner.facts.send(Facts::one(Fact::Accepted(Box::new(acceptance)))).await.map_err(|_| gone())?;
        let outcome = committed.await.map_err(|_| gone())?;
        if outcome == Err(AcceptFailed::ScheduleMoved) {
            return Err(Failed::Moved);
        }
        self.outcome_of(caller, Ok(outcome))?;
        self.inner.metrics.accepted(&caller.account.id, accepted);
        self.inner.metrics.occurred(&caller.account.id, "accepted");
        Ok(())
    }
}

/// Why an occurrence was not accepted.
enum Failed {
    /// The schedule was changed meanwhile.
    Moved,
    /// Nothing can be accepted now.
    Wait,
    /// A limit does not let it pass for now; it may in so many seconds.
    Later(Refusal, u32),
    /// It is refused: a code, and why.
    Refused(&'static str, String),
    /// The store can't be used.
    Store(StoreError),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Draining | Refusal::StoreAway(_) | Refusal::KeyInUse | Refusal::KeyReused => Failed::Wait,
            Refusal::Limited { limit: Limit::Throughput | Limit::Queue, retry_after_seconds, .. } => {
                Failed::Later(refusal, retry_after_seconds)
            }
            Refusal::PolicyAway(_) => Failed::Later(refusal, TRY_SECONDS),
            refusal => Failed::Refused(refusal.code(), refusal.told()),
        }
    }
}

#[cfg(test)]
#[path = "occur_tests.rs"]
mod tests;
