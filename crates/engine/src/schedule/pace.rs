//! Pace: messages of one sender, or to one recipient, so far apart. By the generic cell rate algorithm
//! (ITU-T I.371) for each address, with turns: what comes too early is given the time of its turn and
//! waits in the store until then, so that it holds up nobody and is looked at again just once.
//!
//! What is known here is in memory only and bounded: addresses whose time has passed are forgotten, and
//! so are the turns that nobody came for. The turns themselves are the due times of messages, in the
//! store; after a restart they still stand, and only what went last is not known any more.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;
use model::resources::{Pace, RecipientPace, SenderPace};
use model::{Body, MessageId, Name, Timestamp};

/// Addresses that are known at a time; those beyond go unpaced.
const TRACKS_MAX: usize = 500_000;
/// Turns that are remembered; those beyond are given anew when their time comes.
const TURNS_MAX: usize = 200_000;
/// Below so many, nothing is looked through for what can be forgotten.
const SWEEP_FROM: usize = 4096;
/// Where there is no room, everything is looked through once in so many that would be added: one part in
/// this of what there is room for.
const SWEEP_FULL: usize = 16;
/// How long a turn is kept that nobody came for, in microseconds.
const TURN_KEPT: i64 = 600_000_000;
/// How much too early a message may go whose turn it is: commits and timers take their time.
const EARLY_MAX: i64 = 250_000;
/// Priorities, 0 to 3: the turns of lower ones are nothing to the higher ones.
const PRIORITIES: usize = 4;

/// The pace of an account or connector, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PaceRule {
    pub owner: Owner,
    /// Microseconds from one part of a sender to the next.
    sender: Option<i64>,
    /// Microseconds from one message to a recipient to the next.
    recipient: Option<i64>,
}

/// Whose pace it is.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(crate) enum Owner {
    Account(Name),
    Connector(Name),
}

/// What a pace goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    Recipient,
    Sender,
}

/// When it is a message's turn, and by whose pace.
#[derive(Debug, PartialEq)]
pub(crate) struct Turn<'r> {
    pub at: Timestamp,
    pub owner: &'r Owner,
    pub of: Of,
}

/// What was sent lately by and to whom.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct State {
    tracks: HashMap<u64, Track>,
    turns: HashMap<MessageId, Given>,
    sweep_tracks: Sweeping,
    sweep_turns: Sweeping,
    full: bool,
}

/// When a collection is looked through for what can be forgotten: so seldom that it costs little for each
/// that is added, and those that find no room are asked about no more often.
#[derive(Debug, Default)]
struct Sweeping {
    /// So many may be added, or find no room, before it is.
    rest: usize,
}

impl Sweeping {
    /// One is to be added: is everything looked through before?
    fn is_due(&mut self) -> bool {
        let due = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        due
    }

    /// It was looked through, and `held` of at most `most` are left.
    fn done(&mut self, held: usize, most: usize) {
        self.rest = held.max(SWEEP_FROM).min(most.saturating_sub(held).max(most / SWEEP_FULL));
    }
}

/// One address. Times are microseconds since 1970.
#[derive(Clone, Debug)]
struct Track {
    /// When the next may go, by what went.
    next: i64,
    /// When the next turn of each priority begins.
    turns: [i64; PRIORITIES],
    /// The message that went last: it may go again, for it was not sent after all.
    last: MessageId,
}

/// The turns that a message was given: one bit for each address that it is paced by.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    of: u32,
    at: i64,
}

/// An address that a message is paced by.
struct Key<'r> {
    owner: &'r Owner,
    of: Of,
    hash: u64,
    interval: i64,
    /// How long it takes of the address's time.
    cost: i64,
}

impl PaceRule {
    pub fn new(owner: Owner, pace: &Pace) -> Self {
        let interval = |count: u32, seconds: u32| i64::from(seconds) * 1_000_000 / i64::from(count.max(1));
        Self {
            owner,
            sender: pace.per_sender.map(|SenderPace { parts, seconds }| interval(parts, seconds)),
            recipient: pace.per_recipient.map(|RecipientPace { messages, seconds }| interval(messages, seconds)),
        }
    }
}

impl Paces {
    /// May this message of so many parts go now? If so it is counted; if not, it has its turn then.
    pub fn ask<'r>(
        &self,
        rules: impl Iterator<Item = &'r PaceRule> + Clone,
        body: &Body,
        parts: u8,
        now: Timestamp,
    ) -> Option<Turn<'r>> {
        let now = micros(now);
        let priority = usize::from(body.priority).min(PRIORITIES - 1);
        let mut state = self.state();
        let given = state.turns.get(&body.id).copied().unwrap_or_default();
        for (n, key) in self.keys(rules.clone(), body, parts).enumerate() {
            let bit = 1 << n.min(31);
            let Some(track) = state.tracks.get_mut(&key.hash) else { continue };
            let Some(at) = track.turn(&key, body.id, given.of & bit != 0, priority, now) else { continue };
            track.turns[priority] = at.saturating_add(key.cost);
            state.give(body.id, Given { of: given.of | bit, at }, now);
            return Some(Turn { at: millis(at), owner: key.owner, of: key.of });
        }
        state.turns.remove(&body.id);
        for key in self.keys(rules, body, parts) {
            state.count(&key, body.id, now);
        }
        None
    }

    /// When a message would have its turn, if it may not go now.
    pub fn peek<'r>(
        &self,
        rules: impl Iterator<Item = &'r PaceRule> + Clone,
        body: &Body,
        parts: u8,
        now: Timestamp,
    ) -> Option<Turn<'r>> {
        let (state, now) = (self.state(), micros(now));
        let priority = usize::from(body.priority).min(PRIORITIES - 1);
        let turns = self.keys(rules, body, parts).filter_map(|key| {
            let at = state.tracks.get(&key.hash)?.turn(&key, body.id, false, priority, now)?;
            Some(Turn { at: millis(at), owner: key.owner, of: key.of })
        });
        turns.max_by_key(|turn| turn.at)
    }

    /// Recipients come first: who waits for one takes no turn of its sender meanwhile.
    fn keys<'s, 'r: 's>(
        &'s self,
        rules: impl Iterator<Item = &'r PaceRule> + Clone + 's,
        body: &'s Body,
        parts: u8,
    ) -> impl Iterator<Item = Key<'r>> + 's {
        let recipients = rules.clone().filter_map(|rule| Some((rule, Of::Recipient, rule.recipient?)));
        let senders = rules.filter_map(|rule| Some((rule, Of::Sender, rule.sender?)));
        recipients.chain(senders).map(move |(PaceRule { owner, .. }, of, interval)| {
            let (address, count) = match of {
                Of::Recipient => (body.sent_to(), 1),
                Of::Sender => (body.sent_from(), parts.max(1)),
            };
            let hash = self.hasher.hash_one((owner, of, address.bare()));
            Key { owner, of, hash, interval, cost: interval.saturating_mul(count.into()) }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Track {
    /// When a message may go, if that is later than now.
    fn turn(&self, key: &Key<'_>, id: MessageId, has_turn: bool, priority: usize, now: i64) -> Option<i64> {
        if self.last == id {
            return None;
        }
        let early = if has_turn { EARLY_MAX.min(key.interval / 2) } else { 0 };
        let turns = self.turns.iter().skip(priority).max().copied().unwrap_or(i64::MIN);
        let waits = if has_turn { self.next } else { self.next.max(turns) };
        (waits.saturating_sub(early) > now).then(|| self.next.max(turns))
    }

    fn is_over(&self, now: i64) -> bool {
        self.next <= now && self.turns.iter().all(|turn| *turn <= now)
    }
}

impl State {
    fn count(&mut self, key: &Key<'_>, id: MessageId, now: i64) {
        if let Some(track) = self.tracks.get_mut(&key.hash) {
            if track.last != id {
                track.next = track.next.max(now).saturating_add(key.cost);
                track.last = id;
            }
            return;
        }
        self.sweep(now);
        if self.tracks.len() < TRACKS_MAX {
            let track = Track { next: now.saturating_add(key.cost), turns: [i64::MIN; PRIORITIES], last: id };
            self.tracks.insert(key.hash, track);
        } else if !self.full {
            self.full = true;
            tracing::warn!("so many senders and recipients are paced that some are not");
        }
    }

    fn give(&mut self, id: MessageId, given: Given, now: i64) {
        if self.turns.len() >= TURNS_MAX && self.sweep_turns.is_due() {
            self.forget_turns(now);
        }
        if self.turns.len() < TURNS_MAX {
            self.turns.insert(id, given);
        }
    }

    /// Forgets what has passed, when there is twice as much as there was after the last time.
    fn sweep(&mut self, now: i64) {
        if !self.sweep_tracks.is_due() {
            return;
        }
        self.tracks.retain(|_, track| !track.is_over(now));
        self.sweep_tracks.done(self.tracks.len(), TRACKS_MAX);
        self.full &= self.tracks.len() >= TRACKS_MAX;
        self.forget_turns(now);
    }

    fn forget_turns(&mut self, now: i64) {
        self.turns.retain(|_, given| given.at.saturating_add(TURN_KEPT) > now);
        self.sweep_turns.done(self.turns.len(), TURNS_MAX);
    }
}

fn micros(at: Timestamp) -> i64 {
    at.as_millis().saturating_mul(1000)
}

/// The first millisecond that is not before.
fn millis(micros: i64) -> Timestamp {
    Timestamp::from_millis(micros.saturating_add(999).div_euclid(1000))
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
