//! A connector's lane: its active set, its pacing, its pauses and its state, behind one lock.

mod reading;
mod slots;
mod take;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU16};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::resources::Connector;
use model::{MessageId, Name, Reason, Timestamp};
use routing::ConnectorState;
use store::{QueueEntry, Shards, Store};
use tokio::sync::{Notify, watch};

use super::active::Active;
use super::pacing::Pacing;
use super::pause::Pause;
use super::ready::Shares;
use super::status::{SessionView, Sessions};
use super::vitals::{HealthView, Vitals};
use crate::dispatch::{Desired, SessionState};
use crate::facts::{ConnectorEvent, Fact};
use crate::fleet::Member;
use crate::modem::ModemView;
use crate::rhythm::Rhythm;

pub use slots::RunsHere;

/// What one connector is to send.
#[derive(Debug)]
pub(crate) struct Lane {
    connector: Name,
    store: Arc<dyn Store>,
    /// This node, if it is one of several.
    member: Option<Arc<Member>>,
    /// The sessions that it may have here.
    binds: watch::Sender<Arc<[u16]>>,
    /// Sessions that there are, or are about to end.
    running: Mutex<BTreeMap<u16, usize>>,
    state: Mutex<State>,
    /// Sessions wait here for something to take.
    wake: Notify,
    /// The refill task waits here for room, or for something left to the store.
    hungry: Notify,
    /// The recorder waits here for what sessions left behind.
    orphaned: Arc<Notify>,
    desired: watch::Sender<Desired>,
    /// What it gets of its share in pools, in thousandths; 0 while it is down or sick.
    share: AtomicU16,
    /// Messages in its queue, in memory and in the store.
    waiting: AtomicI64,
}

#[derive(Debug)]
struct State {
    settings: Arc<Connector>,
    /// The slices of its queue that are read here.
    shards: Shards,
    active: Active,
    rhythm: Arc<Rhythm>,
    /// Messages that are being put off, and whose new places are not durable yet.
    putting_off: usize,
    /// Parts that were to be marked at a time, when that was last looked at.
    marking_room: usize,
    pacing: Pacing,
    pause: Pause,
    /// Nothing may be sent until then, by a limit of the connector's own.
    full: Option<(Instant, Box<str>)>,
    /// What its modem tells of itself.
    modem: Option<Box<ModemView>>,
    sessions: Sessions,
    vitals: Vitals,
    was_sick: bool,
    /// Since when it takes nothing that a pool could give to others.
    bad_since: Option<Instant>,
    /// Facts of sessions that were dropped, and of messages that expired before they were taken.
    orphans: Vec<Fact>,
}

impl Lane {
    /// The lane of a connector. In a fleet it has nothing to read, and no sessions, before it has
    /// [slots](Self::set_slots).
    pub fn new(
        settings: Arc<Connector>,
        store: Arc<dyn Store>,
        orphaned: Arc<Notify>,
        member: Option<Arc<Member>>,
    ) -> Self {
        let desired = if settings.enabled { Desired::Running } else { Desired::Stopped };
        let is_alone = member.is_none();
        let binds = if is_alone { (0..settings.sessions.max(1)).collect() } else { Arc::default() };
        Self {
            connector: settings.id.as_str().into(),
            store,
            member,
            binds: watch::Sender::new(binds),
            running: Mutex::default(),
            state: Mutex::new(State {
                shards: if is_alone { Shards::from(0) } else { Shards::default() },
                pacing: Pacing::new(settings.throughput),
                settings,
                active: Active::new(),
                rhythm: Arc::default(),
                putting_off: 0,
                marking_room: 1,
                pause: Pause::default(),
                full: None,
                modem: None,
                sessions: Sessions::default(),
                vitals: Vitals::new(Instant::now()),
                was_sick: false,
                bad_since: Some(Instant::now()),
                orphans: Vec::new(),
            }),
            wake: Notify::new(),
            hungry: Notify::new(),
            orphaned,
            desired: watch::Sender::new(desired),
            share: AtomicU16::new(0),
            waiting: AtomicI64::new(0),
        }
    }

    pub fn connector(&self) -> &Name {
        &self.connector
    }

    pub fn shards(&self) -> Shards {
        self.lock().shards.clone()
    }

    pub fn settings(&self) -> Arc<Connector> {
        self.lock().settings.clone()
    }

    /// New settings: the throughput counts from now on; what needs a new bind is the connector's
    /// to see.
    pub fn set_settings(&self, settings: Arc<Connector>) {
        if self.member.is_none() {
            self.put_binds((0..settings.sessions.max(1)).collect());
        }
        let mut state = self.lock();
        state.pacing.set(settings.throughput);
        self.share_throughput(&mut state, &settings);
        state.sessions.truncate(settings.sessions);
        let changed = state.settings.enabled != settings.enabled;
        let enabled = settings.enabled;
        state.settings = settings;
        drop(state);
        if changed {
            self.want(if enabled { Desired::Running } else { Desired::Stopped });
        }
        self.wake.notify_waiters();
    }

    /// What accounts get of this connector.
    pub fn set_shares(&self, shares: Arc<Shares>) {
        self.lock().active.set_shares(shares);
    }

    /// When messages of accounts may go.
    pub fn set_rhythm(&self, rhythm: Arc<Rhythm>) {
        self.lock().rhythm = rhythm;
    }

    pub fn desired(&self) -> watch::Receiver<Desired> {
        self.desired.subscribe()
    }

    pub fn want(&self, desired: Desired) {
        self.desired.send_replace(desired);
        self.look(&mut self.lock(), Instant::now());
        self.wake.notify_waiters();
    }

    pub fn set_session_state(&self, session: u16, session_state: SessionState) -> Option<ConnectorEvent> {
        let mut state = self.lock();
        let news = state.sessions.set(session, session_state);
        let now = Instant::now();
        if news == Some(ConnectorEvent::Up) {
            state.vitals.bound(now);
        }
        self.look(&mut state, now);
        news
    }

    /// How it is, for routes: here, or at another node if it has no session here.
    pub fn condition(&self) -> ConnectorState {
        let here = self.condition_here();
        match &self.member {
            Some(member) if !here.usable => member.view().elsewhere(&self.connector),
            _ => here,
        }
    }

    /// How it is at this node.
    pub fn condition_here(&self) -> ConnectorState {
        let share = self.share.load(Relaxed);
        let busy = u64::try_from(self.waiting.load(Relaxed)).unwrap_or(0);
        ConnectorState { usable: share > 0, share, busy }
    }

    /// Since when it takes nothing, if so: down, stopped, sick or told to wait for long.
    pub fn bad_since(&self, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        self.look(&mut state, now);
        state.bad_since
    }

    /// How well it does, for people.
    pub fn health(&self, now: Instant) -> HealthView {
        let mut state = self.lock();
        self.look(&mut state, now);
        state.vitals.view(now)
    }

    /// How long a message would wait that came now, if that can be told.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let queued = self.condition().busy;
        let mut state = self.lock();
        if queued == 0 {
            return Some(Duration::ZERO);
        }
        // What was answered lately is at least what it can do.
        let rate = state.settings.throughput.map(f64::from).or_else(|| state.vitals.answers_a_second(now))?;
        Duration::try_from_secs_f64(queued as f64 / rate).ok()
    }

    /// The carrier refused a part, for good or for now.
    pub fn refused(&self) {
        self.answered(&mut self.lock(), false);
    }

    /// A final receipt came.
    pub fn receipt(&self, delivered: bool) {
        let now = Instant::now();
        let mut state = self.lock();
        state.vitals.receipt(delivered, now);
        self.look(&mut state, now);
    }

    fn answered(&self, state: &mut State, good: bool) {
        let now = Instant::now();
        let settings = state.settings.health;
        state.vitals.answered(good, &settings, now);
        self.look(state, now);
    }

    /// Publishes how it is.
    fn look(&self, state: &mut State, now: Instant) {
        let settings = state.settings.health;
        state.vitals.look(&settings, now);
        let up = state.sessions.bound() > 0 && *self.desired.borrow() == Desired::Running;
        let waits = state.pause.is_long(now) || state.full_until(now).is_some();
        let sick = state.vitals.share() == 0;
        if sick && !state.was_sick {
            let reason = state.vitals.view(now).reason;
            tracing::warn!(connector = %self.connector, reason = reason.as_deref(), "the connector is sick: pools pass it over");
        }
        state.was_sick = sick;
        let share = if up && !waits { state.vitals.share() } else { 0 };
        self.share.store(share, Relaxed);
        state.bad_since = if share > 0 { None } else { state.bad_since.or(Some(now)) };
    }

    /// The queue has grown or shrunk by so many messages.
    pub fn waits(&self, change: i64) {
        self.waiting.fetch_add(change, Relaxed);
    }

    pub fn sessions(&self) -> Vec<SessionView> {
        self.lock().sessions.view()
    }

    /// Is any of its sessions bound?
    pub fn is_up(&self) -> bool {
        self.lock().sessions.bound() > 0
    }

    /// Why the lane pauses, if it does.
    pub fn paused(&self, now: Instant) -> Option<Box<str>> {
        let state = self.lock();
        let full = state.full.as_ref().filter(|(until, _)| *until > now);
        full.map(|(_, reason)| reason.clone()).or_else(|| state.pause.reason(now).map(Box::from))
    }

    /// What its modem tells of itself, if it is one and there.
    pub fn modem(&self) -> Option<Box<ModemView>> {
        self.lock().modem.clone()
    }

    pub fn set_modem(&self, modem: Option<Box<ModemView>>) {
        self.lock().modem = modem;
    }

    /// Nothing may be sent until then, for this reason; or it may again.
    pub fn set_full(&self, full: Option<(Timestamp, Box<str>)>) {
        let (now, clock) = (Instant::now(), self.store.now());
        let until = |at: Timestamp| {
            let wait = u64::try_from(at.as_millis().saturating_sub(clock.as_millis())).unwrap_or(0);
            now.checked_add(Duration::from_millis(wait))
        };
        let full = full.and_then(|(at, reason)| Some((until(at)?, reason)));
        let mut state = self.lock();
        if state.full.is_none() && full.is_none() {
            return;
        }
        state.full = full;
        self.look(&mut state, now);
        drop(state);
        self.wake.notify_waiters();
    }

    /// The carrier is busy: the part goes first after a pause, which grows while it stays busy. What is
    /// returned has to be recorded before.
    pub fn throttled(&self, message: MessageId, part: u8, reason: &Reason) -> Option<Fact> {
        let now = Instant::now();
        let mut state = self.lock();
        let fact = self.not_sent(&mut state, message, part);
        if state.pause.busy(&reason.detail, now) {
            self.look(&mut state, now);
        }
        fact
    }

    /// A part was certainly not sent: it goes first. What is returned has to be recorded before.
    pub fn give_back(&self, message: MessageId, part: u8) -> Option<Fact> {
        let fact = self.not_sent(&mut self.lock(), message, part);
        self.wake.notify_waiters();
        fact
    }

    fn not_sent(&self, state: &mut State, message: MessageId, part: u8) -> Option<Fact> {
        if state.active.is_marked(message) {
            return Some(Fact::NotSent { connector: self.connector.clone(), message, part });
        }
        state.active.give_back(message, part);
        None
    }

    /// The carrier took a part: the next pause is short again.
    pub fn flowing(&self) {
        let mut state = self.lock();
        self.answered(&mut state, true);
        state.pause.flowing(Instant::now());
    }

    /// What the recorder has made of outcomes, once it is durable.
    pub fn settled(&self, ends: impl Iterator<Item = End>) {
        let mut state = self.lock();
        let (mut wake, mut back) = (false, false);
        for end in ends {
            match end {
                End::Part(id) => state.active.sent(id),
                End::Message(id) => state.active.forget(id),
                End::Retry(id, entry) => state.active.retry(id, entry.as_deref()),
                End::Again(id, part) => {
                    state.active.give_back(id, part);
                    wake = true;
                }
                End::Back(place) => {
                    state.active.bring_back((place.due, place.id), &place.account, place.priority);
                    back = true;
                }
                End::Waits(place) => {
                    state.active.waits((place.due, place.id), &place.account, place.priority, self.store.now());
                    back = true;
                }
                End::Marked(id, part) => {
                    state.active.marked(id, part);
                    wake = true;
                }
                End::PutOff(id, entry) => {
                    state.put_off_recorded(id, entry.as_deref());
                    wake = true;
                }
            }
        }
        let hungry = state.active.next_due().is_some() || back;
        drop(state);
        if hungry {
            self.hungry.notify_one();
        }
        if wake {
            self.wake.notify_waiters();
        }
    }

    /// The carrier has just answered the only part of this message that any session holds: the message
    /// leaves the lane, if that is so.
    pub fn revoke_answered(&self, id: MessageId) -> bool {
        self.lock().active.revoke_answered(id)
    }

    /// May this message be canceled? If so it is not sent any more.
    pub fn revoke(&self, id: MessageId) -> bool {
        self.lock().active.revoke(id)
    }

    /// Keeps facts that a dropped session can't wait to hand over.
    pub fn orphan(&self, facts: Vec<Fact>) {
        self.lock().orphans.extend(facts);
        self.orphaned.notify_one();
    }

    pub fn take_orphans(&self) -> Vec<Fact> {
        std::mem::take(&mut self.lock().orphans)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics half-way through a change of the state; a panic elsewhere harms nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a part that was taken.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// It was sent; the message has others.
    Part(MessageId),
    /// Its message is settled.
    Message(MessageId),
    /// It is to be tried again: its message waits in the store, or was put aside.
    Retry(MessageId, Option<Box<QueueEntry>>),
    /// It is to be sent again at once.
    Again(MessageId, u8),
    /// It was taken out, and waits in the store after all.
    Back(Box<QueueEntry>),
    /// It waits in the store, where another node has put it.
    Waits(Box<QueueEntry>),
    /// It is recorded as handed over, and may now be.
    Marked(MessageId, u8),
    /// It was put off, and waits in the store; or not any more.
    PutOff(MessageId, Option<Box<QueueEntry>>),
}
