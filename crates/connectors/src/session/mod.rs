//! A session of a connector that talks over connections of its own: what all protocols have in common.
//!
//! A protocol brings a sans-I/O session, its [`Wire`], and a [`Dialogue`]: what goes into it, and what
//! its events mean to the engine. Everything else is the same for all: a [`Slot`] connects, waits and
//! connects again; [`Bound`](bound::Bound) is the loop of one session; a [`Leg`] is one connection of
//! it, of which a session may have several.

mod bound;
mod leg;
mod slot;
mod wires;

use std::time::Duration;

use engine::dispatch::{Incoming, Inquiry, Job, LinkSession, Outcome};
use model::resources::{Connector, SecretError};
use model::{MessageId, Reason, Timestamp};
use tokio::time::Instant;

use crate::follow_up::FollowUps;
use crate::transport::ConnectError;
pub(crate) use leg::{Leg, step};
pub(crate) use slot::{Life, Slot, Talks, run};

/// How a session ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: Box<str>,
    /// The carrier does not know us: trying again soon makes it worse.
    pub(crate) credentials: bool,
    /// It was asked to end.
    pub(crate) stopped: bool,
    /// Something went over it, or it was bound for a good while.
    pub(crate) useful: bool,
}

/// A sans-I/O protocol session, as the connection under it sees it. Times are since the zero of the
/// session's clock.
pub(crate) trait Wire: Send {
    /// Octets to write.
    fn output(&self) -> &[u8];
    /// Forgets octets that were written.
    fn consume_output(&mut self, written: usize);
    /// The peer does not read: nothing more is taken in until it does.
    fn output_is_full(&self) -> bool;
    /// Takes octets that were read; gives how many.
    fn receive(&mut self, octets: &[u8], now: Duration) -> usize;
    /// The connection has ended.
    fn transport_closed(&mut self);
    /// The peer knows who we are, and messages may flow.
    fn is_bound(&self) -> bool;
    /// It is over; output may be left to write.
    fn is_closed(&self) -> bool;
    /// When it has something to do even if nothing is read.
    fn next_deadline(&self) -> Option<Duration>;
    /// Begins an orderly end: what is unanswered is awaited for a while. To ask again changes nothing.
    fn end(&mut self, now: Duration);
}

/// What a protocol makes of parts, and of what comes from the carrier.
pub(crate) trait Dialogue: Sized + Send {
    /// Its protocol session.
    type Wire: Wire;

    /// One for a new session.
    fn new(slot: &Slot, settings: &Connector) -> Self;

    /// Connects, or waits until the carrier does; what is to be said first is in the legs' output.
    fn begin(slot: &Slot, settings: &Connector) -> impl Future<Output = Result<Begun<Self::Wire>, BeginError>> + Send;

    /// The connector has other settings now.
    fn follow(&mut self, settings: &Connector);

    /// Deals with everything that has come over leg number `leg`, and with timers that have run out.
    fn hear(&mut self, leg: usize, wire: &mut Self::Wire, talk: &mut Talk<'_>, now: Duration);

    /// How many parts may be sent now, over a first leg that is bound.
    fn room(&self, wire: &Self::Wire) -> usize;

    /// Sends a part.
    fn submit(
        &mut self,
        wire: &mut Self::Wire,
        job: &Job,
        settings: &Connector,
        clock: Timestamp,
        now: Duration,
    ) -> Result<(), Unsent>;

    /// How many questions of the engine may be asked now; `None` if this session can't ask any.
    fn room_to_ask(&self, wire: &Self::Wire, settings: &Connector) -> Option<usize>;

    /// Asks one, or answers it at once.
    fn ask(&mut self, wire: &mut Self::Wire, inquiry: Inquiry, settings: &Connector, now: Duration);

    /// What was received under `ack` (see [`Talk::receive`]) is durable: the carrier is told.
    fn acknowledge(&mut self, legs: &mut [Leg<Self::Wire>], ack: u64, settings: &Connector, now: Duration);
}

/// The connections of a session that has begun.
pub(crate) struct Begun<W> {
    /// At least one; parts go over the first.
    pub(crate) legs: Vec<Leg<W>>,
    /// The zero of their clocks.
    pub(crate) at: Instant,
}

/// A part that was not sent.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// It can't be, ever.
    Never(Reason),
    /// Not now, over this session.
    NotNow,
}

/// What a [`Dialogue`] can do about what it has heard.
pub(crate) struct Talk<'a> {
    pub(crate) link: &'a mut LinkSession,
    pub(crate) settings: &'a Connector,
    follow_ups: &'a FollowUps,
    news: &'a mut News,
}

/// What came of a session so far.
#[derive(Debug, Default)]
struct News {
    /// Why it is being ended from this side.
    ending: Option<Box<str>>,
    closed: Option<Closed>,
    /// The carrier has answered or sent something.
    useful: bool,
}

/// How a protocol session ended.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) reason: Box<str>,
    /// The carrier does not know us: trying again soon makes it worse.
    pub(crate) credentials: bool,
}

impl Talk<'_> {
    /// The carrier has decided about a part.
    pub(crate) fn settle(&mut self, ticket: u64, message: MessageId, outcome: Outcome) {
        self.news.useful = true;
        if matches!(outcome, Outcome::Sent { .. }) && self.settings.query_after_seconds.is_some() {
            self.follow_ups.sent(message);
        }
        self.link.settle(ticket, outcome);
    }

    /// The carrier has not answered about a part: it may have it or not, and is of no use any more.
    pub(crate) fn timed_out(&mut self, ticket: u64) {
        self.link.settle(ticket, Outcome::InDoubt);
        self.end("the SMSC did not answer a submission in time");
    }

    /// The carrier has sent something, which [`Dialogue::acknowledge`] answers when it is durable.
    pub(crate) fn receive(&mut self, incoming: Incoming, ack: u64) {
        self.news.useful = true;
        self.link.receive(incoming, ack);
    }

    /// Ends the session in order; the first reason counts.
    pub(crate) fn end(&mut self, reason: &str) {
        self.news.ending.get_or_insert_with(|| reason.into());
    }

    /// A leg's protocol session is over; the first that is counts.
    pub(crate) fn closed(&mut self, closed: impl FnOnce() -> Closed) {
        self.news.closed.get_or_insert_with(closed);
    }
}

/// A session that could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The settings don't make a session.
    #[error("{0}")]
    Settings(String),
}
