//! The contract between the engine and a connector.
//!
//! A connector's session asks for parts with [`LinkSession::take`] when its window has room, and
//! brings each to exactly one end with [`LinkSession::settle`]. What came from the carrier goes to
//! [`LinkSession::receive`]. Nothing here blocks: outcomes and receipts are collected, and handed
//! over while the session waits in [`LinkSession::event`], which is one arm of its `select!`. A
//! session that ends, however it ends, leaves no part behind: what was taken and not settled is in
//! doubt.
//!
//! A session that can also ask the carrier about parts that it has (SMPP: cancel_sm, replace_sm, …) calls
//! [`LinkSession::serve_inquiries`], and then gets [`Inquiry`]s, which it answers or drops.
//!
//! ```text
//! loop {
//!     select! {
//!         octets = socket.read()        => session.receive(octets) … link.settle(…) / link.receive(…)
//!         event = link.event(room > 0)  => match event {
//!             Ready              => for job in link.take(room, now) { submit(job) }
//!             Acknowledged(acks) => answer those deliver_sm
//!             Reported           => {}
//!             Asked              => while room > 0 { ask(link.next_inquiry(now)) }
//!         }
//!         _ = deadline                  => session.on_timeout(now)
//!     }
//! }
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::HashMap;
use model::resources::Connector;
use model::{Body, MessageId, Name, Reason, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::facts::{Fact, FactSender, Facts, Recorded};
pub use crate::incoming::{Incoming, MobileOriginated};
use crate::inquire::Desks;
pub use crate::inquire::{Ask, Inquiry, Told};
pub use crate::modem::{ModemIncident, ModemView, UssdAsk, UssdError, UssdTold};
use crate::schedule::Lane;
pub use crate::schedule::RunsHere;
pub use crate::smsc::{SmscAnswer, SmscOutcome, SmscView};

/// A part that a session may send now.
#[derive(Clone, Debug)]
pub struct Job {
    /// Names the part until it is settled.
    pub ticket: Ticket,
    /// The message that it is a part of.
    pub body: Arc<Body>,
    /// Which part, counted from 0.
    pub part: u8,
    /// How many parts the message is sent as. 1 for a long text means that the connector sends it
    /// whole.
    pub parts: u8,
}

/// Names a part that was taken and not settled yet; unique within its session.
pub type Ticket = u64;

/// How a part ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The carrier accepted it and calls it this.
    Sent {
        /// The SMSC's id, as it was written.
        remote_id: Box<str>,
    },
    /// The carrier refused the message for good.
    Refused(Reason),
    /// The carrier refused it for now.
    Retry {
        /// Not before this has passed.
        after: Duration,
        /// What it said.
        reason: Reason,
    },
    /// The carrier is busy: the part goes first when the connector's pause is over.
    Throttled(Reason),
    /// It may have reached the carrier, or not.
    InDoubt,
}

/// What the engine wants of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desired {
    /// Connected and sending.
    Running,
    /// Connected for what is unanswered, taking nothing new; then disconnected.
    Draining,
    /// Disconnected.
    Stopped,
}

/// What a session is woken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// [`LinkSession::take`] may give something.
    Ready,
    /// What was received under these `ack` numbers is durable.
    Acknowledged(Vec<u64>),
    /// What was collected is handed over: a session that had stopped reading may go on.
    Reported,
    /// [`LinkSession::next_inquiry`] has something.
    Asked,
}

/// Where one session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// On its way.
    Connecting,
    /// Bound since then.
    Bound {
        /// When it was bound.
        since: Timestamp,
    },
    /// Down; tried again then.
    Down {
        /// Why.
        reason: Box<str>,
        /// When it is tried next.
        retry_at: Option<Timestamp>,
    },
}

impl SessionState {
    /// The word for it in the API.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            SessionState::Connecting => "connecting",
            SessionState::Bound { .. } => "bound",
            SessionState::Down { .. } => "down",
        }
    }
}

/// One connector's side of the engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Link {
    pub(crate) lane: Arc<Lane>,
    pub(crate) facts: FactSender,
    pub(crate) desks: Arc<Desks>,
}

impl Link {
    /// The connector's id.
    #[must_use]
    pub fn id(&self) -> &Name {
        self.lane.connector()
    }

    /// Its settings, as they are now.
    #[must_use]
    pub fn connector(&self) -> Arc<Connector> {
        self.lane.settings()
    }

    /// What the engine wants of it, with changes.
    #[must_use]
    pub fn desired(&self) -> watch::Receiver<Desired> {
        self.lane.desired()
    }

    /// The sessions that there may be here, by number, with changes: all of the connector's, or those that
    /// this node has of them.
    #[must_use]
    pub fn binds(&self) -> watch::Receiver<Arc<[u16]>> {
        self.lane.binds()
    }

    /// Says that session number `session` runs until what is returned is dropped. Another node may have the
    /// session only after that.
    #[must_use]
    pub fn run_session(&self, session: u16) -> RunsHere {
        self.lane.run_session(session)
    }

    /// Tells where session number `session` (counted from 0; a pair of binds is one) stands.
    pub fn set_state(&self, session: u16, state: SessionState) {
        if let Some(event) = self.lane.set_session_state(session, state) {
            // A full channel only loses the event for people, not the state.
            let _ = self.facts.try_send(Facts::one(Fact::Connector { connector: self.id().clone(), event }));
        }
    }

    /// Nothing more may be sent over it until then, for this reason; or it may again. Pools pass it over
    /// meanwhile.
    pub fn set_full(&self, full: Option<(Timestamp, Box<str>)>) {
        self.lane.set_full(full);
    }

    /// Begins a session that takes parts.
    #[must_use]
    pub fn session(&self) -> LinkSession {
        let (recorded_sender, recorded) = mpsc::unbounded_channel();
        LinkSession {
            link: self.clone(),
            taken: HashMap::default(),
            next_ticket: 0,
            facts: Vec::new(),
            to_acknowledge: Vec::new(),
            unrecorded: 0,
            held_up: false,
            recorded_sender,
            recorded,
            inquiries: None,
            asked: None,
            ask_at: None,
            asked_last: false,
            ussd: None,
            ussd_asked: None,
        }
    }
}

/// One session's side of the engine. Dropping it puts what it has taken and not settled in doubt.
#[derive(Debug)]
pub struct LinkSession {
    link: Link,
    taken: HashMap<Ticket, (MessageId, u8)>,
    next_ticket: Ticket,
    facts: Vec<Fact>,
    to_acknowledge: Vec<u64>,
    /// Outcomes that are not durable yet.
    unrecorded: usize,
    /// Nothing more may be taken until some of them are.
    held_up: bool,
    // Bounded by what the session itself has reported and not yet seen recorded.
    recorded_sender: mpsc::UnboundedSender<Recorded>,
    recorded: mpsc::UnboundedReceiver<Recorded>,
    /// Where it is asked, while it can be.
    inquiries: Option<mpsc::Receiver<Inquiry>>,
    /// Taken out of there, and not given to the session yet.
    asked: Option<Inquiry>,
    /// It has to wait so long, for it counts towards the connector's throughput.
    ask_at: Option<Instant>,
    /// The last that went was an inquiry: a part that waits goes before the next.
    asked_last: bool,
    /// Where its modem's network is asked, if it is a modem.
    pub(crate) ussd: Option<mpsc::Receiver<UssdAsk>>,
    /// Taken out of there, and not given to the session yet.
    pub(crate) ussd_asked: Option<UssdAsk>,
}

/// Outcomes of a session that may wait to be recorded while it goes on at full speed. With the
/// window it bounds what a crash can send twice, and it keeps a fast carrier from filling the
/// recorder's channel, where receipts would wait behind.
const UNRECORDED_MAX: usize = 64;

impl LinkSession {
    /// The connector's link.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Up to `room` parts that may be sent now: due, within the connector's throughput, and not
    /// while it pauses.
    pub fn take(&mut self, room: usize, now: Instant) -> Vec<Job> {
        let free = room.saturating_sub(self.unrecorded.saturating_sub(UNRECORDED_MAX));
        self.held_up = room > 0 && free == 0;
        let mut jobs = self.link.lane.take(free, now);
        self.asked_last &= jobs.is_empty();
        for job in &mut jobs {
            job.ticket = self.next_ticket;
            self.next_ticket += 1;
            self.taken.insert(job.ticket, (job.body.id, job.part));
        }
        jobs
    }

    /// Waits for the next thing to do, and meanwhile hands over what was collected. With `taking`
    /// it also wakes when there is something to take. Cancel-safe.
    pub async fn event(&mut self, taking: bool) -> LinkEvent {
        tokio::select! {
            biased;
            permit = self.link.facts.reserve(), if !self.facts.is_empty() => {
                hand_over(permit.ok(), &mut self.facts, &mut self.to_acknowledge, &self.recorded_sender);
                LinkEvent::Reported
            }
            recorded = self.recorded.recv() => {
                // The session holds a sender itself, so the channel can't close.
                let Recorded { acks, outcomes } = recorded.unwrap_or_default();
                self.unrecorded = self.unrecorded.saturating_sub(outcomes);
                self.held_up = false;
                LinkEvent::Acknowledged(acks)
            }
            inquiry = received(self.inquiries.as_mut()), if self.asked.is_none() => {
                self.asked = Some(inquiry);
                LinkEvent::Asked
            }
            asked = received(self.ussd.as_mut()), if self.ussd_asked.is_none() => {
                self.ussd_asked = Some(asked);
                LinkEvent::Asked
            }
            () = sleep_until(self.ask_at), if self.asked.is_some() && self.ask_at.is_some() => {
                self.ask_at = None;
                LinkEvent::Asked
            }
            () = self.link.lane.ready(), if taking && !self.held_up => LinkEvent::Ready,
        }
    }

    /// Says whether the session can ask its carrier about parts: while it is bound and may send. What
    /// waits when it no longer can is dropped unanswered.
    pub fn serve_inquiries(&mut self, can_ask: bool) {
        match (can_ask, &self.inquiries) {
            (true, None) => self.inquiries = Some(self.link.desks.open(self.link.id())),
            (false, Some(_)) => (self.inquiries, self.asked, self.ask_at) = (None, None, None),
            _ => {}
        }
    }

    /// The next question to the carrier, if there is one. It counts towards the connector's throughput as
    /// a part does, and where parts wait, too, they take turns. One that has to wait is told of again
    /// by [`event`](Self::event).
    pub fn next_inquiry(&mut self, now: Instant) -> Option<Inquiry> {
        if self.asked.is_none() {
            self.asked = Some(self.inquiries.as_mut()?.try_recv().ok()?);
        }
        match self.link.lane.ask(now, self.asked_last) {
            Ok(()) => {
                (self.asked_last, self.ask_at) = (true, None);
                self.asked.take()
            }
            Err(at) => {
                self.ask_at = Some(at);
                None
            }
        }
    }

    /// Waits until [`take`](Self::take) may give something. May resolve too often; cancel-safe.
    pub async fn ready(&self) {
        self.link.lane.ready().await;
    }

    /// Brings a part to its end. A ticket that is not outstanding is ignored: the part has ended.
    pub fn settle(&mut self, ticket: Ticket, outcome: Outcome) {
        let Some((message, part)) = self.taken.remove(&ticket) else { return };
        match outcome {
            Outcome::Throttled(reason) => self.facts.extend(self.link.lane.throttled(message, part, &reason)),
            outcome => {
                match &outcome {
                    Outcome::Sent { .. } => self.link.lane.flowing(),
                    // What can't be written says nothing of the carrier.
                    Outcome::Refused(reason) if &*reason.code == "unsendable" => {}
                    Outcome::Refused(_) | Outcome::Retry { .. } => self.link.lane.refused(),
                    Outcome::Throttled(_) | Outcome::InDoubt => {}
                }
                self.unrecorded += 1;
                self.facts.push(Fact::Outcome { connector: self.link.id().clone(), message, part, outcome });
            }
        }
    }

    /// Gives a part back that was certainly not sent: it goes first again, here or over another session.
    pub fn give_back(&mut self, ticket: Ticket) {
        if let Some((message, part)) = self.taken.remove(&ticket) {
            self.facts.extend(self.link.lane.give_back(message, part));
        }
    }

    /// Passes on what the carrier sent. `ack` comes back from [`acknowledged`](Self::acknowledged)
    /// once it is kept durably; only then may the carrier be told so.
    pub fn receive(&mut self, incoming: Incoming, ack: u64) {
        self.facts.push(Fact::Incoming { connector: self.link.id().clone(), incoming });
        self.to_acknowledge.push(ack);
    }

    /// Takes what a carrier sent once, without a session of its own: true when all of it is kept durably, false if the
    /// engine has ended. Dropped before, what had no room with the recorder is forgotten, and the carrier sends it again.
    pub async fn keep(mut self, incoming: Vec<Incoming>) -> bool {
        let recorder = self.link.facts.clone();
        let Ok(permit) = recorder.reserve().await else { return false };
        let count = incoming.len();
        for (ack, one) in (0u64..).zip(incoming) {
            self.receive(one, ack);
        }
        hand_over(Some(permit), &mut self.facts, &mut self.to_acknowledge, &self.recorded_sender);
        let mut kept = 0;
        while kept < count {
            tokio::select! {
                biased;
                acks = self.acknowledged() => kept += acks.len(),
                () = recorder.closed() => return false,
            }
        }
        true
    }

    /// Facts that wait for [`report`](Self::report). A session stops reading and taking when there
    /// are thousands: the store can't be written now.
    #[must_use]
    pub fn unreported(&self) -> usize {
        self.facts.len()
    }

    /// Parts taken and not settled.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.taken.len()
    }

    /// Hands over what was collected, when the recorder has room. Waits for ever when there is
    /// nothing; cancel-safe.
    pub async fn report(&mut self) {
        if self.facts.is_empty() {
            return std::future::pending().await;
        }
        let permit = self.link.facts.reserve().await.ok();
        hand_over(permit, &mut self.facts, &mut self.to_acknowledge, &self.recorded_sender);
    }

    /// The `ack` numbers of what has become durable; none where only outcomes have. Cancel-safe.
    pub async fn acknowledged(&mut self) -> Vec<u64> {
        loop {
            if let LinkEvent::Acknowledged(acks) = self.event(false).await {
                return acks;
            }
        }
    }

    /// Ends the session in order: everything that was taken is settled as in doubt and reported.
    pub async fn close(mut self) {
        let left: Vec<Ticket> = self.taken.keys().copied().collect();
        for ticket in left {
            self.settle(ticket, Outcome::InDoubt);
        }
        if !self.facts.is_empty() {
            self.report().await;
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The next inquiry; never, where none can come.
async fn received<T>(inquiries: Option<&mut mpsc::Receiver<T>>) -> T {
    if let Some(inquiries) = inquiries
        && let Some(inquiry) = inquiries.recv().await
    {
        return inquiry;
    }
    std::future::pending().await
}

/// Hands facts to the recorder; without a permit the engine has ended, and what is not recorded is
/// found again in the store.
fn hand_over(
    permit: Option<mpsc::Permit<'_, Facts>>,
    facts: &mut Vec<Fact>,
    to_acknowledge: &mut Vec<u64>,
    recorded: &mpsc::UnboundedSender<Recorded>,
) {
    let acks = std::mem::take(to_acknowledge);
    let facts = std::mem::take(facts);
    let outcomes = facts.iter().filter(|fact| matches!(fact, Fact::Outcome { .. })).count();
    if let Some(permit) = permit {
        permit.send(Facts { facts, acknowledge: Some((recorded.clone(), Recorded { acks, outcomes })) });
    }
}

impl Drop for LinkSession {
    fn drop(&mut self) {
        for (_, (message, part)) in self.taken.drain() {
            let fact = Fact::Outcome { connector: self.link.id().clone(), message, part, outcome: Outcome::InDoubt };
            self.facts.push(fact);
        }
        if !self.facts.is_empty() {
            self.link.lane.orphan(std::mem::take(&mut self.facts));
        }
    }
}
