//! Persist: the recorder. It alone turns facts into commits, so that everything that happened in
//! one moment shares one flush to disk: that is group commit, and it is why durability is cheap.
//!
//! There are at most two commits at a time: one on its way to the disk ([`flight::Flight`]), and one
//! open, into which facts are put as they come: find the messages they speak of, in the commit on
//! its way, in the cache or in the store, and apply the facts in order. When the one on its way has
//! landed, the open one begins, and then everybody who waited is told. So a busy gateway makes
//! larger commits without pausing, and an idle one answers at once. What the open draft builds on
//! will be durable before it: a commit on its way is repeated until it lands, and only acceptances,
//! which nothing builds on yet, are ever taken out of it.
//!
//! When the store can't be written, acceptances are refused (the client hears 503 and keeps its
//! message), and everything else — what carriers answered, receipts — is kept and committed when
//! the store comes back. Channels fill meanwhile, and so sessions stop taking: nothing is lost and
//! memory stays bounded.

mod away;
mod draft;
mod flight;
mod others;
mod recent;
mod supersede;

use std::collections::VecDeque;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt};
use model::{BatchId, GroupChange, Message, MessageId};
use store::{Changes, CommitError, PartRef, RemoteKey, StoreError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::engine::{Engine, StartError};
use crate::facts::{AcceptFailed, CancelRefused, Fact, FactSender, Facts, Recorded};
use crate::lately::Lately;
use crate::matching::{Form, Learnt};
use crate::reassemble::Reassembly;
use crate::replace::Replacing;
use crate::schedule::End;
use crate::world::World;
pub(crate) use draft::{Cancellation, Draft, Waiter, Waiting};
use flight::{Acknowledgement, Flight};
pub(crate) use recent::Recent;
use supersede::Older;

/// Groups of facts taken into one commit at the most.
const GROUPS_MAX: usize = 2048;
/// Facts after which a commit is closed, whatever waits: carriers wait for it with their receipts,
/// and clients with their messages.
const FACTS_MAX: usize = 1024;
/// While the gateway is busy, commits begin at least this far apart: every commit flushes the disk
/// and rewrites the hot pages, whether it holds ten messages or a hundred.
const BUSY_PACE: Duration = Duration::from_millis(2);
/// A turn of so many facts was a busy one, and a turn of many more needs no waiting.
const BUSY: usize = 32;
const FULL: usize = 512;
/// Messages remembered so that their answers and receipts need no reading.
const RECENT_MESSAGES: usize = 20_000;
/// Remote ids remembered for the same reason.
const RECENT_REMOTE_IDS: usize = 40_000;
/// How often the facts that gather while a commit is on its way are looked at.
const WHILE_FLYING: Duration = Duration::from_millis(1);

/// Turns facts into commits.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub engine: Engine,
    pub messages: Recent<MessageId, Message>,
    pub remote_ids: Recent<RemoteKey, PartRef>,
    pub learnt: Learnt,
    pub reassembly: Reassembly,
    /// What phones were answered lately.
    pub lately: Lately,
    /// About how many receipts are parked: while there are none, nobody looks for one.
    pub parked: u64,
    /// The commit in the making.
    open: Open,
    /// The commit on its way.
    flight: Option<Flight>,
    /// Groups that came while the store was away.
    left: VecDeque<Facts>,
    /// Acceptances that wait for a commit which takes in a message under the same key.
    aside: Vec<Fact>,
    /// What can be refused by the store and has to be committed alone: nothing else begins before.
    pub paid: VecDeque<Box<Replacing>>,
    /// A draft and facts that are done with, for the room in them.
    spare: (Option<Draft>, Vec<Fact>),
    /// Nothing can be written any more.
    ended: bool,
}

/// A commit in the making: facts are put into it as they come.
#[derive(Debug, Default)]
struct Open {
    draft: Draft,
    acknowledge: Vec<Acknowledgement>,
    weight: usize,
}

impl Open {
    fn is_empty(&self) -> bool {
        self.weight == 0 && self.acknowledge.is_empty()
    }
}

/// Records until every sender of facts is gone.
pub(crate) async fn run(mut recorder: Recorder, mut inbox: mpsc::Receiver<Facts>) {
    let mut groups = Vec::new();
    let mut closed = false;
    let mut not_before: Option<Instant> = None;
    while !recorder.ended {
        if recorder.may_begin(closed, not_before) {
            not_before = recorder.begin();
        }
        let alone = !recorder.paid.is_empty();
        if alone && recorder.flight.is_none() && recorder.open.is_empty() {
            recorder.replace_paid().await;
            continue;
        }
        if !recorder.left.is_empty() && recorder.open.weight < FACTS_MAX && !alone {
            take_groups(&mut groups, || recorder.left.pop_front());
            recorder.add(&mut groups, &mut inbox).await;
            continue;
        }
        if closed && recorder.flight.is_none() && recorder.open.is_empty() {
            return;
        }
        let room = !closed && recorder.open.weight < FACTS_MAX && !alone;
        tokio::select! {
            biased;
            outcome = landed(&mut recorder.flight), if recorder.flight.is_some() => {
                if room && outcome.is_ok() {
                    take_groups(&mut groups, || inbox.try_recv().ok());
                    recorder.add(&mut groups, &mut inbox).await;
                }
                recorder.land(outcome, &mut not_before, &mut inbox).await;
            }
            // By the millisecond: to be woken for each group would cost more than it gains.
            () = tokio::time::sleep(WHILE_FLYING), if recorder.flight.is_some() && room => {
                take_groups(&mut groups, || inbox.try_recv().ok());
                recorder.add(&mut groups, &mut inbox).await;
            }
            count = inbox.recv_many(&mut groups, GROUPS_MAX), if recorder.flight.is_none() && room => {
                closed = count == 0;
                recorder.add(&mut groups, &mut inbox).await;
            }
            () = sleep_until(not_before), if recorder.flight.is_none() && !recorder.open.is_empty() => not_before = None,
        }
    }
}

/// The end of the commit on its way.
async fn landed(flight: &mut Option<Flight>) -> Result<(), CommitError> {
    match flight {
        Some(flight) => flight.landed().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Takes groups from `next` until they are a commit's worth.
fn take_groups(groups: &mut Vec<Facts>, mut next: impl FnMut() -> Option<Facts>) {
    let mut weight = 0;
    while weight < FACTS_MAX
        && groups.len() < GROUPS_MAX
        && let Some(group) = next()
    {
        weight += group.weight();
        groups.push(group);
    }
}

/// Waits until everything that was reported before is recorded.
pub(crate) async fn flush(facts: &FactSender) {
    let (sender, mut done) = mpsc::unbounded_channel();
    let nothing = Facts { facts: Vec::new(), acknowledge: Some((sender, Recorded::default())) };
    if facts.send(nothing).await.is_ok() {
        done.recv().await;
    }
}

impl Recorder {
    pub async fn new(engine: &Engine) -> Result<Self, StartError> {
        Ok(Self {
            engine: engine.clone(),
            messages: Recent::new(RECENT_MESSAGES),
            remote_ids: Recent::new(RECENT_REMOTE_IDS),
            learnt: Learnt::default(),
            reassembly: match &engine.inner.fleet {
                // Who has the duty reads them again and again.
                Some(_) => Reassembly::default(),
                None => Reassembly::new(engine.inner.store.mo_parts().await?),
            },
            lately: Lately::default(),
            parked: engine.inner.store.parked(None, 1).await?.len() as u64,
            open: Open { draft: Draft::new(engine), ..Open::default() },
            flight: None,
            left: VecDeque::new(),
            aside: Vec::new(),
            paid: VecDeque::new(),
            spare: (None, Vec::new()),
            ended: false,
        })
    }

    /// May the next commit begin?
    fn may_begin(&self, closed: bool, not_before: Option<Instant>) -> bool {
        let pace = || closed || self.open.weight >= FULL || not_before.is_none_or(|at| at <= Instant::now());
        self.flight.is_none() && !self.open.is_empty() && pace()
    }

    /// Sends the open draft on its way and opens the next. Returns when the one after it may begin.
    fn begin(&mut self) -> Option<Instant> {
        let draft = self.spare.0.take().unwrap_or_else(|| Draft::new(&self.engine));
        let next = Open { draft, ..Open::default() };
        let Open { mut draft, acknowledge, weight } = std::mem::replace(&mut self.open, next);
        self.open.draft.begin(self.engine.now());
        draft.close(&self.engine);
        self.fly(draft, acknowledge);
        (weight >= BUSY).then(|| Instant::now() + BUSY_PACE)
    }

    /// What follows from the end of the commit on its way. The next begins before anybody is told,
    /// so that the disk need not wait for that.
    async fn land(
        &mut self,
        outcome: Result<(), CommitError>,
        not_before: &mut Option<Instant>,
        inbox: &mut mpsc::Receiver<Facts>,
    ) {
        let Some(flight) = self.flight.take() else { return };
        let (mut draft, acknowledge) = flight.end();
        match outcome {
            Ok(()) => {
                self.store_back();
                if self.may_begin(false, *not_before) {
                    *not_before = self.begin();
                }
                self.after(&mut draft);
                self.spare.0 = Some(draft);
                self.look_again();
                for (sender, recorded) in acknowledge {
                    // A session that has ended is told nothing; the carrier sends again, and that is known.
                    let _ = sender.send(recorded);
                }
                return;
            }
            Err(CommitError::KeysTaken(places)) => {
                let taken = |w: &Waiting| w.answer.is_some_and(|place| places.contains(&place));
                let back = draft.refuse_acceptances(|w, _| taken(w).then_some(AcceptFailed::KeyTaken));
                self.open.draft.correct(back);
            }
            Err(CommitError::SchedulesMoved(places)) => {
                let moved = |w: &Waiting| w.schedule.is_some_and(|place| places.contains(&place));
                let back = draft.refuse_acceptances(|w, _| moved(w).then_some(AcceptFailed::ScheduleMoved));
                self.open.draft.correct(back);
            }
            Err(CommitError::Short(short)) => {
                let back = draft.refuse_acceptances(|w, changes| {
                    let lacking = short.iter().find(|short| w.claim == Some(short.claim))?;
                    let claim = changes.claims.get(lacking.claim)?;
                    Some(AcceptFailed::Short(lacking.clone(), Box::new(claim.clone())))
                });
                self.open.draft.correct(back);
            }
            Err(CommitError::Fenced(lease)) if self.engine.inner.fleet.is_some() => {
                return self.end(&lease, draft);
            }
            Err(CommitError::Fenced(lease)) => {
                let error = StoreError::Unavailable(format!("the lease {lease} was lost"));
                self.store_away(&error, &mut draft, inbox).await;
            }
            Err(CommitError::Store(error)) => self.store_away(&error, &mut draft, inbox).await,
        }
        self.fly(draft, acknowledge);
    }

    /// The membership has ended that these commits were to be made under: nothing more is recorded by this
    /// recorder. What carriers were not told of they send again, and clients keep what they are refused.
    fn end(&mut self, lease: &str, mut draft: Draft) {
        let why = format!("the lease {lease} was lost");
        let refused = |_: &Waiting, _: &Changes| Some(AcceptFailed::Store(why.clone()));
        draft.refuse_acceptances(refused);
        self.open.draft.refuse_acceptances(refused);
        self.refuse_aside(&why);
        self.engine.inner.health.send_modify(|health| health.store = Some(why.as_str().into()));
        if let Some(member) = &self.engine.inner.fleet {
            member.lose();
        }
        self.ended = true;
    }

    /// A message as it is after everything that was recorded, if that is known without the store.
    pub(crate) fn remembered<'a>(&'a self, id: MessageId, draft: &'a Draft) -> Option<&'a Message> {
        let flying = || self.flight.as_ref().and_then(|flight| flight.message(id));
        draft.message(id).or_else(flying).or_else(|| self.messages.get(&id))
    }

    /// Receipts that the commit on its way parks under one of `keys`: the store may not know them yet.
    pub(crate) fn parked_in_flight(&self, keys: &[RemoteKey]) -> Vec<store::ParkedReceipt> {
        let parked = self.flight.iter().flat_map(Flight::parked);
        parked.filter(|parked| keys.contains(&parked.key)).cloned().collect()
    }

    /// Puts groups of facts into the open draft.
    async fn add(&mut self, groups: &mut Vec<Facts>, inbox: &mut mpsc::Receiver<Facts>) {
        if groups.is_empty() {
            return;
        }
        let world = self.engine.inner.current.load_full();
        let mut facts = std::mem::take(&mut self.spare.1);
        for group in groups.drain(..) {
            self.open.weight += group.weight();
            facts.extend(group.facts);
            self.open.acknowledge.extend(group.acknowledge);
        }
        let mut draft = std::mem::take(&mut self.open.draft);
        draft.now = self.engine.now();
        self.accept_all(&mut facts, &mut draft);
        let mut resolved = loop {
            match self.gather(&facts, &world, &mut draft).await {
                Ok(resolved) => break resolved,
                Err(error) => self.store_away(&error, &mut draft, inbox).await,
            }
        };
        self.supersede(&world, &mut resolved, &mut draft);
        for fact in facts.drain(..) {
            if let Some(fact) = self.keep_mine(fact, &mut draft) {
                self.apply(fact, &world, &mut resolved, &mut draft);
            }
        }
        self.open.draft = draft;
        self.spare.1 = facts;
    }

    /// Acceptances come first: facts of this turn may be about them only in later turns.
    fn accept_all(&mut self, facts: &mut Vec<Fact>, draft: &mut Draft) {
        facts.retain_mut(|fact| {
            let Fact::Accepted(acceptance) = fact else { return true };
            if self.engine.inner.batches.refuse(acceptance) {
                return false;
            }
            if self.has_to_wait(acceptance, draft) {
                self.aside.push(std::mem::replace(fact, Fact::Sweep));
                return false;
            }
            let mut acceptance = acceptance.take();
            if let Some(batch) = &acceptance.batch {
                self.engine.inner.batches.take_in(batch.id, &mut acceptance.messages);
                draft.changes.batches_finished.retain(|(id, _)| *id != batch.id);
            }
            draft.accept(acceptance);
            false
        });
    }

    /// Finds what the facts speak of: receipts' parts, and the messages themselves.
    async fn gather(&mut self, facts: &[Fact], world: &World, draft: &mut Draft) -> Result<Resolved, StoreError> {
        let mut resolved = self.resolve_receipts(facts, world, draft).await?;
        resolved.older = draft.superseding.older(&*self.engine.inner.store).await?;
        let mut wanted: Vec<MessageId> = facts.iter().filter_map(Fact::message).collect();
        wanted.extend(resolved.older.iter().map(|older| older.id));
        wanted.extend(resolved.parts.values().map(|part| part.message));
        wanted.sort_unstable();
        wanted.dedup();
        let mut missing = Vec::new();
        for id in wanted {
            if draft.has(id) {
                continue;
            }
            // The commit on its way is newer than what was remembered before it.
            let flying = self.flight.as_ref().and_then(|flight| flight.message(id));
            match flying.cloned().or_else(|| self.messages.take(&id)) {
                Some(message) => draft.load(message),
                None => missing.push(id),
            }
        }
        if !missing.is_empty() {
            let found = self.engine.inner.store.messages(&missing).await?;
            found.into_iter().for_each(|message| draft.load(message));
        }
        self.resolve_parked(facts, world, &mut resolved, draft).await?;
        Ok(resolved)
    }

    /// What follows from a commit that is durable.
    pub(crate) fn after(&mut self, draft: &mut Draft) {
        let inner = &self.engine.inner;
        for (connector, status, messages) in draft.moved.drain(..) {
            inner.metrics.moved(connector, status, messages);
        }
        inner.metrics.committed(draft.changes.insert.len() + draft.changes.update.len());
        if draft.changes.touches_accounts() {
            inner.money_moved.notify_one();
        }
        if draft.changes.groups.iter().any(|change| matches!(change, GroupChange::Want(_))) {
            inner.groups.wanted.notify_one();
        }
        let mut ends: HashMap<&str, Vec<End>> = HashMap::new();
        for (connector, end) in &draft.ends {
            ends.entry(connector).or_default().push(end.clone());
        }
        let mut waiting = draft.queue_changes();
        let (lanes, retired) = self.engine.all_lanes();
        for lane in &retired {
            lane.waits(waiting.remove(lane.connector()).unwrap_or(0));
            lane.settled(ends.remove(&**lane.connector()).into_iter().flatten());
        }
        for lane in lanes.iter() {
            if let Some(change) = waiting.remove(lane.connector()) {
                lane.waits(change);
            }
            if let Some(ends) = ends.remove(&**lane.connector()) {
                lane.settled(ends.into_iter());
            }
            let mine = draft.changes.insert.iter().filter_map(|new| {
                let entry =
                    new.queue.as_ref().filter(|entry| entry.connector == *lane.connector() && draft.is_mine(entry))?;
                Some((entry, &new.message))
            });
            lane.offer(mine);
            if !draft.relayed.is_empty() {
                lane.offer(draft.relayed_to(lane.connector()));
            }
        }
        inner.outbox.offer(draft.changes.deliveries.drain(..));
        inner.outbox.owed_elsewhere(draft.owed_elsewhere.drain(..));
        if let Some(member) = &inner.fleet {
            member.posted(draft.changes.mail.iter());
        }
        for Cancellation { message, outcome, reply } in std::mem::take(&mut draft.canceled) {
            let message = draft.closed_message(message).cloned().ok_or(CancelRefused::NoSuchMessage);
            let _ = reply.send(outcome.and(message));
        }
        draft.tell_replaced();
        for heard in draft.heard.drain(..) {
            let _ = heard.send(());
        }
        draft.unmet.drain(..).for_each(|follows| self.engine.responded(&follows, false));
        let waiting = std::mem::take(&mut draft.waiting);
        let mut ended: Vec<BatchId> = draft.changes.batches.iter().map(|batch| batch.id).collect();
        for message in draft.take_messages() {
            if message.progress.status.is_final() {
                if ended.last() != message.body.batch.as_ref() {
                    ended.extend(message.body.batch);
                }
                // It is seldom spoken of again, and would push what is out of near memory.
                self.messages.take(&message.body.id);
            } else if self.is_mine(&message) {
                self.messages.insert(message.body.id, message);
            } else {
                self.messages.take(&message.body.id);
            }
        }
        ended.append(&mut draft.ended_elsewhere);
        if !ended.is_empty() {
            inner.endings.look_at(ended);
        }
        for waiting in waiting {
            match waiting.waiter {
                // A client that has gone is told nothing.
                Waiter::Client(reply) => drop(reply.send(Ok(()))),
                Waiter::Nobody(follows) => self.engine.responded(&follows, true),
            }
        }
    }
}

/// Which parts the receipts of one turn are for.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// What each receipt's ids may be stored under, in the order of the receipts.
    pub keys: VecDeque<Vec<(Form, RemoteKey)>>,
    /// By remote id in normal form.
    pub parts: HashMap<RemoteKey, PartRef>,
    /// Parked receipts whose message is answered in this turn.
    pub parked: Vec<store::ParkedReceipt>,
    /// Messages whose places the new ones of this turn want.
    pub older: Vec<Older>,
}
