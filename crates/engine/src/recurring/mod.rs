//! Recurring: messages that an account wants sent again and again.
//!
//! A schedule says what is sent, when by which clock, and until when. When it is due its messages become an
//! ordinary batch of the account, or an ordinary message if there is one only, by the way that every other
//! one takes: prices, quotas, opt-outs, quiet hours and routes are those of that moment. [`occur`] does that;
//! here is what may be asked.
//!
//! **An occurrence happens once.** What it became and the schedule's step to the next one are one commit of
//! the store: either both are on disk or neither is, whatever becomes of the process. The step names the
//! revision of the schedule that it follows ([`ScheduleChange`]), and the store refuses the whole commit
//! if there is another one by now. So what somebody changes, pauses or deletes at that moment is not
//! overwritten, and two nodes that work on one schedule at a time accept one occurrence. (An idempotency key
//! for each occurrence would hold for a day only, cost a row each, and know nothing of such changes.)

mod occur;
mod step;
mod terms;

use std::sync::Arc;

use model::recurring::{Course, NewSchedule, ScheduleEdit};
use model::submission::Fault;
use model::{Schedule, ScheduleId, Submission, Timestamp};
use store::{Changes, CommitError, ScheduleChange, ScheduleFilter, StoreError};
use tokio::sync::Notify;

use crate::accept::{Accepted, Answer, Begun, Idempotency};
use crate::access::Caller;
use crate::admit;
use crate::engine::Engine;
use crate::refusal::Refusal;
use crate::route::Wish;
use crate::validate::validate;
use crate::world::AccountView;
pub(crate) use occur::run;

/// Most schedules of an account, those that have ended and are not forgotten yet among them.
pub const SCHEDULES_MAX: u64 = 1000;
/// Most messages of a schedule.
pub const SCHEDULE_MESSAGES_MAX: usize = 1000;
/// How far ahead routes can be asked what they would do.
const AHEAD_SECONDS: i64 = 365 * 86_400;

/// What the engine has of schedules in memory.
#[derive(Debug, Default)]
pub(crate) struct Recurring {
    /// Held by who makes one, so that they can be counted.
    making: tokio::sync::Mutex<()>,
    /// There may be another one that is due first.
    changed: Notify,
}

impl Recurring {
    /// Another node may have changed a schedule.
    pub fn wake(&self) {
        self.changed.notify_one();
    }
}

/// Why a schedule is not what somebody wants it to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// There is no such schedule.
    #[error("there is no such schedule")]
    NoSuchSchedule,
    /// The account has as many as it may have.
    #[error("the account has {SCHEDULES_MAX} schedules already")]
    TooMany,
    /// It has ended.
    #[error("the schedule has ended")]
    Ended,
    /// One of its messages would be refused.
    #[error("message {0}: {1}")]
    Message(usize, Refusal),
    /// Fields are wrong, or nothing can be accepted now.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Vec<Fault>> for ScheduleError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Refused(Refusal::Invalid(faults))
    }
}

impl Engine {
    /// Makes a schedule of the caller's account. `render` makes the answer that is kept with an idempotency
    /// key.
    pub async fn make_schedule(
        &self,
        caller: &Caller,
        asked: NewSchedule,
        idempotency: Option<Idempotency<'_>>,
        render: impl FnOnce(&Schedule) -> Answer,
    ) -> Result<Accepted<Schedule>, ScheduleError> {
        let begun = match self.begin(caller, idempotency).await? {
            Begun::Before(answer) => return Ok(Accepted::Replayed(answer)),
            Begun::Now(begun) => begun,
        };
        let (account, now) = (&caller.account, begun.now);
        let (terms, recurrence) = terms::terms_of(&asked, account, now, asked.messages.len())?;
        let first = terms::first(&terms, &recurrence, now)?;
        self.check_messages(account, &asked.messages, first)?;
        let _making = self.inner.recurring.making.lock().await;
        if self.inner.store.schedule_count(&account.id).await? >= SCHEDULES_MAX {
            return Err(ScheduleError::TooMany);
        }
        let schedule = Schedule {
            id: ScheduleId(self.next_id(now).0),
            account: account.id.clone(),
            revision: 1,
            due: Some(first),
            ended_at: None,
            terms,
            course: Course { created_at: now, next_at: Some(first), ..Course::default() },
        };
        let answer = render(&schedule);
        let put = ScheduleChange {
            id: schedule.id,
            seen: 0,
            put: Some(schedule.clone()),
            messages: Some(as_json(&asked.messages)),
        };
        let answers = begun.kept(&answer).into_iter().collect();
        match self.inner.store.commit(Changes { answers, schedules: vec![put], ..Changes::default() }).await {
            Ok(()) => {}
            Err(CommitError::KeysTaken(_)) => return Err(Refusal::KeyInUse.into()),
            Err(error) => return Err(not_written(error).into()),
        }
        self.inner.recurring.changed.notify_one();
        Ok(Accepted::New(schedule, answer))
    }

    /// Schedules that pass `filter`, newest first; an admin sees everybody's.
    pub async fn schedules(
        &self,
        caller: &Caller,
        mut filter: ScheduleFilter,
        before: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        if !caller.is_admin() {
            filter.account = Some(caller.account.id.clone());
        }
        self.inner.store.schedules(&filter, before, limit).await
    }

    /// A schedule with its messages as JSON, if it is the caller's.
    pub async fn schedule(&self, caller: &Caller, id: ScheduleId) -> Result<(Schedule, Arc<str>), ScheduleError> {
        let schedule = self.schedule_of(caller, id).await?;
        let messages = self.inner.store.schedule_messages(id).await?.ok_or(ScheduleError::NoSuchSchedule)?;
        Ok((schedule, messages))
    }

    /// Changes a schedule. Where its times change they count from now on; one that has ended goes on if there
    /// is anything to come.
    pub async fn edit_schedule(
        &self,
        caller: &Caller,
        id: ScheduleId,
        edit: ScheduleEdit,
    ) -> Result<Schedule, ScheduleError> {
        let messages = edit.messages.clone();
        self.change_schedule(caller, id, |seen, account, now| {
            let (retimes, asked) = (edit.retimes(), edit.clone().over(&seen.terms));
            let size = messages.as_ref().map_or(seen.terms.size as usize, Vec::len);
            let (terms, recurrence) = terms::terms_of(&asked, account, now, size)?;
            let mut put = Schedule { terms, ..seen.clone() };
            if retimes {
                let next = terms::next_from(&put.terms, &recurrence, put.terms.starts_at.max(now))?;
                put.ended_at = None;
                step::goes_on(&mut put, Some(next), now);
            }
            if let Some(messages) = &messages {
                self.check_messages(account, messages, put.course.next_at.unwrap_or(now))?;
            }
            let change = step::change(seen, put);
            Ok(ScheduleChange { messages: messages.as_deref().map(as_json), ..change })
        })
        .await?
        .ok_or(ScheduleError::NoSuchSchedule)
    }

    /// Holds a schedule back, or lets it go on with the next occurrence from now.
    pub async fn pause_schedule(
        &self,
        caller: &Caller,
        id: ScheduleId,
        paused: bool,
    ) -> Result<Schedule, ScheduleError> {
        self.change_schedule(caller, id, |seen, _, now| {
            if seen.ended_at.is_some() {
                return Err(ScheduleError::Ended);
            }
            let mut put = seen.clone();
            put.course.paused = paused;
            if paused {
                put.due = None;
            } else if seen.course.paused {
                let recurrence = occur::recurrence_of(&seen.terms);
                let upcoming = recurrence.and_then(|times| times.next(now.max(seen.terms.starts_at.plus_millis(-1))));
                step::goes_on(&mut put, upcoming, now);
            }
            Ok(step::change(seen, put))
        })
        .await?
        .ok_or(ScheduleError::NoSuchSchedule)
    }

    /// Takes a schedule away. What it has sent already goes its way.
    pub async fn delete_schedule(&self, caller: &Caller, id: ScheduleId) -> Result<(), ScheduleError> {
        self.change_schedule(caller, id, |seen, _, _| {
            Ok(ScheduleChange { id, seen: seen.revision, put: None, messages: None })
        })
        .await
        .map(drop)
    }

    /// Makes a change of a schedule as it is, again where it was another one meanwhile. The schedule as it is
    /// then, if it is not gone.
    async fn change_schedule(
        &self,
        caller: &Caller,
        id: ScheduleId,
        change: impl Fn(&Schedule, &AccountView, Timestamp) -> Result<ScheduleChange, ScheduleError>,
    ) -> Result<Option<Schedule>, ScheduleError> {
        loop {
            let seen = self.schedule_of(caller, id).await?;
            // An operator may change a schedule whose account is gone.
            let owner = self.world().account(&seen.account).cloned();
            let change = change(&seen, owner.as_ref().unwrap_or(&caller.account), self.now())?;
            let put = change.put.clone();
            match self.inner.store.commit(Changes { schedules: vec![change], ..Changes::default() }).await {
                Ok(()) => {
                    self.inner.recurring.changed.notify_one();
                    return Ok(put);
                }
                Err(CommitError::SchedulesMoved(_)) => {}
                Err(error) => return Err(not_written(error).into()),
            }
        }
    }

    async fn schedule_of(&self, caller: &Caller, id: ScheduleId) -> Result<Schedule, ScheduleError> {
        let filter = ScheduleFilter { id: Some(id), ..ScheduleFilter::default() };
        let found = self.schedules(caller, filter, None, 1).await?;
        found.into_iter().next().ok_or(ScheduleError::NoSuchSchedule)
    }

    /// Would these messages be accepted at `first`? What may be otherwise each time, opt-outs, money and
    /// limits, is not looked at.
    fn check_messages(
        &self,
        account: &AccountView,
        messages: &[Submission],
        first: Timestamp,
    ) -> Result<(), ScheduleError> {
        let faults = terms::check_messages(messages, |place, message| {
            match self.check_message(account, message.clone(), first) {
                Ok(()) => Ok(Vec::new()),
                Err(Refusal::Invalid(faults)) => Ok(faults),
                Err(refusal) => Err(ScheduleError::Message(place, refusal)),
            }
        })?;
        if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
    }

    fn check_message(&self, account: &AccountView, submission: Submission, first: Timestamp) -> Result<(), Refusal> {
        let (world, now) = (self.world(), self.now());
        // Routes and quiet hours are asked about a message that is due then.
        let due = first.min(now.plus_seconds(AHEAD_SECONDS));
        let mut submission = tagged(submission, "");
        if submission.send_at.is_none() {
            submission.send_at = Some(due.to_string());
        }
        let wish = Wish { dry: true, ..Wish::of(&submission) };
        let mut valid = validate(submission, account, self.next_id(now), now).map_err(Refusal::Invalid)?;
        admit::check(account, &valid.body)?;
        valid.hold = account.hold(&valid.body, now)?;
        self.routed(&world, account, valid, &wish, now).map(drop)
    }
}

/// A message as it says whose occurrence it is.
fn tagged(mut submission: Submission, schedule: &str) -> Submission {
    submission.tags.insert(terms::TAG.into(), schedule.into());
    submission
}

fn as_json(messages: &[Submission]) -> Arc<str> {
    serde_json::to_string(messages).expect("plain structs of strings and numbers always serialize").into()
}

/// A commit of nothing but a schedule that was not made.
fn not_written(error: CommitError) -> StoreError {
    match error {
        CommitError::Store(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    }
}
