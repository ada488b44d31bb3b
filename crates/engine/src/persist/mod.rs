//! Persist: the recorder. It alone turns facts into commits, so that everything that happened in
//! one moment shares one flush to disk: that is group commit, and it is why durability is cheap.
//!
//! A turn is: take every group of facts that is waiting; find the messages they speak of, in the
//! cache or in the store; apply the facts in order; commit; then tell everybody who waited. While
//! one commit is flushed the next turn's facts gather by themselves, so a busy gateway makes larger
//! commits and an idle one answers at once.
//!
//! When the store can't be written, acceptances are refused (the client hears 503 and keeps its
//! message), and everything else — what carriers answered, receipts — is kept and committed when
//! the store comes back. Channels fill meanwhile, and so sessions stop taking: nothing is lost and
//! memory stays bounded.

mod draft;
mod recent;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use model::{Message, MessageId};
use store::{CommitError, PartRef, RemoteKey, StoreError};
use tokio::sync::mpsc;

use crate::engine::{Engine, StartError};
use crate::facts::{AcceptFailed, Acceptance, CancelRefused, Fact, FactSender, Facts, Recorded};
use crate::matching::Learnt;
use crate::reassemble::Reassembly;
use crate::schedule::End;
use crate::world::World;
pub(crate) use draft::{Cancellation, Draft, Waiting};
pub(crate) use recent::Recent;

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
/// How often a store that is away is tried.
const STORE_AWAY: Duration = Duration::from_millis(250);

/// Turns facts into commits.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub engine: Engine,
    pub messages: Recent<MessageId, Message>,
    pub remote_ids: Recent<RemoteKey, PartRef>,
    pub learnt: Learnt,
    pub reassembly: Reassembly,
    /// About how many receipts are parked: while there are none, nobody looks for one.
    pub parked: u64,
    /// The last turn's draft and facts, for the room in them.
    spare: (Draft, Vec<Fact>),
}

/// Records until every sender of facts is gone.
pub(crate) async fn run(mut recorder: Recorder, mut inbox: mpsc::Receiver<Facts>) {
    let mut groups = Vec::new();
    let mut left = VecDeque::new();
    let mut not_before = None;
    loop {
        if left.is_empty() && inbox.recv_many(&mut groups, GROUPS_MAX).await == 0 {
            return;
        }
        left.extend(groups.drain(..));
        if let Some(not_before) = not_before.take()
            && left.iter().map(Facts::weight).sum::<usize>() < FULL
        {
            tokio::time::sleep_until(not_before).await;
            while left.len() < GROUPS_MAX
                && let Ok(group) = inbox.try_recv()
            {
                left.push_back(group);
            }
        }
        let begun = tokio::time::Instant::now();
        let mut count = 0;
        let mut turn = Vec::new();
        while count < FACTS_MAX
            && let Some(group) = left.pop_front()
        {
            count += group.weight();
            turn.push(group);
        }
        recorder.record(turn, &mut inbox, &mut left).await;
        not_before = (count >= BUSY).then_some(begun + BUSY_PACE);
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

impl Facts {
    /// How much work a group is.
    fn weight(&self) -> usize {
        let weight = |fact: &Fact| match fact {
            Fact::Accepted(acceptance) => acceptance.messages.len(),
            _ => 1,
        };
        self.facts.iter().map(weight).sum()
    }
}

impl Recorder {
    pub async fn new(engine: &Engine) -> Result<Self, StartError> {
        Ok(Self {
            engine: engine.clone(),
            messages: Recent::new(RECENT_MESSAGES),
            remote_ids: Recent::new(RECENT_REMOTE_IDS),
            learnt: Learnt::default(),
            reassembly: Reassembly::new(engine.inner.store.mo_parts().await?),
            parked: engine.inner.store.parked(None, 1).await?.len() as u64,
            spare: Default::default(),
        })
    }

    async fn record(&mut self, groups: Vec<Facts>, inbox: &mut mpsc::Receiver<Facts>, left: &mut VecDeque<Facts>) {
        let world = self.engine.inner.current.load_full();
        let (mut draft, mut facts) = std::mem::take(&mut self.spare);
        draft.begin(self.engine.now());
        let mut acknowledge = Vec::new();
        for group in groups {
            facts.extend(group.facts);
            acknowledge.extend(group.acknowledge);
        }
        self.accept_all(&mut facts, &mut draft);
        let resolved = loop {
            match self.gather(&facts, &world, &mut draft).await {
                Ok(resolved) => break resolved,
                Err(error) => self.store_away(&error, &mut draft, inbox, left).await,
            }
        };
        for fact in facts.drain(..) {
            self.apply(fact, &world, &resolved, &mut draft);
        }
        draft.close();
        self.commit(&mut draft, inbox, left).await;
        self.after(&mut draft);
        self.spare = (draft, facts);
        for (sender, recorded) in acknowledge {
            // A session that has ended is told nothing; the carrier sends again, and that is known.
            let _ = sender.send(recorded);
        }
    }

    /// Acceptances come first: facts of this turn may be about them only in later turns.
    fn accept_all(&mut self, facts: &mut Vec<Fact>, draft: &mut Draft) {
        facts.retain_mut(|fact| {
            let Fact::Accepted(acceptance) = fact else { return true };
            let Acceptance { messages, batch, answer, reply } = std::mem::replace(
                &mut **acceptance,
                Acceptance { messages: vec![], batch: None, answer: None, reply: tokio::sync::oneshot::channel().0 },
            );
            let start = draft.changes.insert.len();
            messages.into_iter().for_each(|message| draft.insert(message));
            let place = |length: usize, present: bool| present.then_some(length);
            draft.waiting.push(Waiting {
                inserts: start..draft.changes.insert.len(),
                batch: place(draft.changes.batches.len(), batch.is_some()),
                answer: place(draft.changes.answers.len(), answer.is_some()),
                reply,
            });
            draft.changes.batches.extend(batch);
            draft.changes.answers.extend(answer);
            false
        });
    }

    /// Finds what the facts speak of: receipts' parts, and the messages themselves.
    async fn gather(&mut self, facts: &[Fact], world: &World, draft: &mut Draft) -> Result<Resolved, StoreError> {
        let mut resolved = self.resolve_receipts(facts, world).await?;
        let mut wanted: Vec<MessageId> = facts.iter().filter_map(Fact::message).collect();
        wanted.extend(resolved.parts.values().map(|part| part.message));
        wanted.sort_unstable();
        wanted.dedup();
        let mut missing = Vec::new();
        for id in wanted {
            if draft.has(id) {
                continue;
            }
            match self.messages.take(&id) {
                Some(message) => draft.load(message),
                None => missing.push(id),
            }
        }
        if !missing.is_empty() {
            let found = self.engine.inner.store.messages(&missing).await?;
            found.into_iter().for_each(|message| draft.load(message));
        }
        self.resolve_parked(facts, world, &mut resolved).await?;
        Ok(resolved)
    }

    /// Commits the draft, whatever it takes. Only acceptances are given up.
    async fn commit(&mut self, draft: &mut Draft, inbox: &mut mpsc::Receiver<Facts>, left: &mut VecDeque<Facts>) {
        while !draft.changes.is_empty() {
            // The store only looks at the changes, so that they can be had back without a copy.
            let changes = Arc::new(std::mem::take(&mut draft.changes));
            let outcome = self.engine.inner.store.commit_shared(changes.clone()).await;
            draft.changes = Arc::unwrap_or_clone(changes);
            match outcome {
                Ok(()) => {
                    self.engine.store_back();
                    break;
                }
                Err(CommitError::KeysTaken(places)) => {
                    let taken = |w: &Waiting| w.answer.is_some_and(|place| places.contains(&place));
                    draft.refuse_acceptances(|w| taken(w).then_some(AcceptFailed::KeyTaken));
                }
                Err(CommitError::Fenced(lease)) => {
                    let error = StoreError::Unavailable(format!("the lease {lease} was lost"));
                    self.store_away(&error, draft, inbox, left).await;
                }
                Err(CommitError::Store(error)) => self.store_away(&error, draft, inbox, left).await,
            }
        }
    }

    /// The store failed: refuses what can be refused, and waits a little. Acceptances that come in
    /// meanwhile are refused at once; the rest waits in the channel.
    async fn store_away(
        &mut self,
        error: &StoreError,
        draft: &mut Draft,
        inbox: &mut mpsc::Receiver<Facts>,
        left: &mut VecDeque<Facts>,
    ) {
        let why = error.to_string();
        let news = self.engine.inner.health.send_if_modified(|health| {
            let news = health.store.is_none();
            health.store = Some(why.as_str().into());
            news
        });
        if news {
            tracing::error!(%error, "the store can't be used; messages are refused until it can");
        }
        draft.refuse_acceptances(|_| Some(AcceptFailed::Store(why.clone())));
        let pause = tokio::time::sleep(STORE_AWAY);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                Some(group) = inbox.recv(), if left.len() < GROUPS_MAX => left.push_back(group),
            }
        }
        for group in left.iter_mut() {
            let mut early = Draft::default();
            self.accept_all(&mut group.facts, &mut early);
            early.refuse_acceptances(|_| Some(AcceptFailed::Store(why.clone())));
        }
    }

    /// What follows from a commit that is durable.
    fn after(&mut self, draft: &mut Draft) {
        let inner = &self.engine.inner;
        for (connector, status, messages) in draft.moved.drain(..) {
            inner.metrics.moved(connector, status, messages);
        }
        inner.metrics.committed(draft.changes.insert.len() + draft.changes.update.len());
        let mut ends: HashMap<&str, Vec<End>> = HashMap::new();
        for (connector, end) in &draft.ends {
            ends.entry(connector).or_default().push(*end);
        }
        let lanes = inner.lanes.load();
        for lane in lanes.iter() {
            if let Some(ends) = ends.remove(&**lane.connector()) {
                lane.settled(ends.into_iter());
            }
            let mine = draft.changes.insert.iter().filter_map(|new| {
                let entry = new.queue.as_ref().filter(|entry| entry.connector == *lane.connector())?;
                Some((entry, &new.message))
            });
            lane.offer(mine);
        }
        inner.outbox.offer(draft.changes.deliveries.drain(..));
        for Cancellation { message, outcome, reply } in std::mem::take(&mut draft.canceled) {
            let message = draft.closed_message(message).cloned().ok_or(CancelRefused::NoSuchMessage);
            let _ = reply.send(outcome.and(message));
        }
        let waiting = std::mem::take(&mut draft.waiting);
        for message in draft.take_messages() {
            self.messages.insert(message.body.id, message);
        }
        for waiting in waiting {
            let _ = waiting.reply.send(Ok(()));
        }
    }
}

/// Which parts the receipts of one turn are for.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// By remote id in normal form.
    pub parts: HashMap<RemoteKey, PartRef>,
    /// Parked receipts whose message is answered in this turn.
    pub parked: Vec<store::ParkedReceipt>,
}
