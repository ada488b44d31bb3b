//! What sessions take: the next parts, those excepted that have to wait for some reason of their account.

use std::time::{Duration, Instant};

use model::{MessageId, Timestamp};
use store::QueueEntry;

use super::{Lane, State};
use crate::dispatch::{Desired, Job};
use crate::facts::Fact;
use crate::schedule::active::Taken;

/// For how long a part that waits may be the next to go: a session takes it in far less, unless it can't.
const TURN: Duration = Duration::from_millis(10);
/// Parts that are being marked at a time.
const MARKING_MAX: usize = 256;
/// Messages that are being put off at a time.
const PUTTING_OFF_MAX: usize = 1024;

/// When a session may take something.
enum Chance {
    Now,
    At(Instant),
    Unknown,
}

/// May a part that was just taken go?
#[derive(PartialEq)]
enum Permit {
    Given,
    /// Its message is put off.
    PutOff,
    /// It should be, and there are too many of those: it was given back.
    GivenBack,
}

impl State {
    /// The next part: one that was marked, or, where nothing needs to be, any.
    fn take(&mut self) -> Option<Taken> {
        let marked = self.active.take_marked();
        if self.settings.mark_first { marked } else { marked.or_else(|| self.active.take()) }
    }

    /// Until when nothing may be sent, by a limit of the connector's own.
    pub(super) fn full_until(&self, now: Instant) -> Option<Instant> {
        self.full.as_ref().map(|(until, _)| *until).filter(|until| *until > now)
    }

    pub(super) fn put_off_recorded(&mut self, id: MessageId, entry: Option<&QueueEntry>) {
        self.putting_off = self.putting_off.saturating_sub(1);
        match entry {
            Some(entry) => self.active.put_back((entry.due, id), &entry.account, entry.priority),
            None => self.active.forget(id),
        }
    }
}

impl Lane {
    /// Up to `room` parts that may be sent now. Their tickets are for the session to give.
    pub fn take(&self, room: usize, now: Instant) -> Vec<Job> {
        let clock = self.store.now();
        let mut jobs = Vec::new();
        if *self.desired.borrow() != Desired::Running || self.member.as_ref().is_some_and(|m| !m.may_act(now)) {
            return jobs;
        }
        let mut state = self.lock();
        if state.pause.end(now).is_some() || state.full_until(now).is_some() {
            return jobs;
        }
        if state.settings.mark_first {
            self.mark(&mut state, room, clock);
        }
        while jobs.len() < room && state.pacing.next(now).is_none() {
            let Some(taken) = state.take() else { break };
            if taken.body.expires_at <= clock {
                self.expired(&mut state, &taken);
                continue;
            }
            if !taken.marked {
                match self.permit(&mut state, &taken, clock) {
                    Permit::Given => {}
                    Permit::PutOff => continue,
                    Permit::GivenBack => break,
                }
            }
            state.pacing.count(now);
            jobs.push(Job { ticket: 0, body: taken.body, part: taken.part, parts: taken.parts });
        }
        let hungry = state.active.is_hungry(clock);
        drop(state);
        if hungry {
            self.hungry.notify_one();
        }
        jobs
    }

    /// May the carrier be asked something now? Then it counts as a part does. `Err` is when to try again:
    /// when the throughput allows it, or, in turns with them, after a part that waits.
    pub fn ask(&self, now: Instant, in_turn: bool) -> Result<(), Instant> {
        let mut state = self.lock();
        if let Some(at) = state.pacing.next(now) {
            return Err(at);
        }
        let part_waits = || state.active.has_ready() && state.pause.end(now).is_none();
        if in_turn && state.settings.throughput.is_some() && part_waits() {
            return Err(now + TURN);
        }
        state.pacing.count(now);
        Ok(())
    }

    /// Has parts recorded as handed over before they are: they are taken when that is durable.
    fn mark(&self, state: &mut State, room: usize, clock: Timestamp) {
        state.marking_room = room.min(MARKING_MAX);
        while state.active.marking() < state.marking_room {
            let Some(taken) = state.active.take() else { break };
            if taken.body.expires_at <= clock {
                self.expired(state, &taken);
                continue;
            }
            match self.permit(state, &taken, clock) {
                Permit::Given => {}
                Permit::PutOff => continue,
                Permit::GivenBack => break,
            }
            let connector = self.connector.clone();
            state.orphans.push(Fact::Marked { connector, message: taken.body.id, part: taken.part });
            state.active.mark(taken);
            self.orphaned.notify_one();
        }
    }

    /// The time of a message is over of which a part was just taken.
    fn expired(&self, state: &mut State, taken: &Taken) {
        let message = taken.body.id;
        if taken.marked {
            // It comes again when it is known not to have been sent.
            state.orphans.push(Fact::NotSent { connector: self.connector.clone(), message, part: taken.part });
        } else if state.active.expire(message) {
            state.orphans.push(Fact::Overdue { message });
        }
        self.orphaned.notify_one();
    }

    /// May a part that was just taken go now? A message of which something went out goes out whole.
    fn permit(&self, state: &mut State, taken: &Taken, clock: Timestamp) -> Permit {
        if state.rhythm.is_empty() || !taken.is_first {
            return Permit::Given;
        }
        let Some(hold) = state.rhythm.hold(&self.connector, &taken.body, taken.parts, clock) else {
            return Permit::Given;
        };
        let message = taken.body.id;
        if state.putting_off >= PUTTING_OFF_MAX {
            state.active.give_back(message, taken.part);
            return Permit::GivenBack;
        }
        if !state.active.put_off(message) {
            return Permit::Given;
        }
        state.putting_off += 1;
        state.orphans.push(Fact::PutOff { connector: self.connector.clone(), message, hold: Box::new(hold) });
        self.orphaned.notify_one();
        Permit::PutOff
    }

    /// Waits until [`take`](Self::take) may give something.
    pub async fn ready(&self) {
        loop {
            let mut woken = std::pin::pin!(self.wake.notified());
            // Listening begins before looking, so that nothing is missed between the two.
            woken.as_mut().enable();
            match self.chance(Instant::now()) {
                Chance::Now => return,
                Chance::Unknown => woken.await,
                Chance::At(at) => {
                    let _ = tokio::time::timeout_at(at.into(), woken).await;
                }
            }
        }
    }

    fn chance(&self, now: Instant) -> Chance {
        if *self.desired.borrow() != Desired::Running {
            return Chance::Unknown;
        }
        let state = self.lock();
        // As many as there is room for are being marked: one is ready when that is recorded.
        let marking = || state.settings.mark_first && state.active.marking() >= state.marking_room.max(1);
        let ready = state.active.has_marked() || (state.active.has_ready() && !marking());
        if !ready || state.putting_off >= PUTTING_OFF_MAX {
            return Chance::Unknown;
        }
        match state.pause.end(now).into_iter().chain(state.pacing.next(now)).chain(state.full_until(now)).max() {
            Some(at) => Chance::At(at),
            None => Chance::Now,
        }
    }
}
