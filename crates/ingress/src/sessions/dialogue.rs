//! What a protocol brings: its session, and what its operations mean to the engine.

use std::time::Duration;

use engine::notify::CallResult;
use engine::{AccountView, Caller, Engine, Refusal};
use futures_util::future::BoxFuture;
use model::resources::{Account, LoginTerms};
use model::{Delivery, MessageId, SessionProtocol, Submission, Timestamp};

use super::gate::{Admitted, Denied, Gate, Peer};
use super::metrics::Counts;
use super::settings::SessionSettings;

/// Operations of one delivery share its number: this many bits of a token say which it is.
pub(crate) const PART_BITS: u32 = 8;

/// A sans-I/O protocol session, as the connection under it sees it. Times are since the connection began.
pub(crate) trait Wire: Send {
    /// Takes octets that were read; gives how many.
    fn receive(&mut self, octets: &[u8], now: Duration) -> usize;
    /// The connection has ended.
    fn transport_closed(&mut self);
    /// Octets to write.
    fn output(&self) -> &[u8];
    /// Forgets octets that were written.
    fn consume_output(&mut self, written: usize);
    /// The client does not read: nothing more is taken in until it does.
    fn output_is_full(&self) -> bool;
    /// When it has something to do even if nothing is read.
    fn next_deadline(&self) -> Option<Duration>;
    /// The client has logged in, and nobody has begun to end the session.
    fn is_open(&self) -> bool;
    /// It is over; output may be left to write.
    fn is_closed(&self) -> bool;
    /// Requests of the client that are not answered yet.
    fn unanswered(&self) -> usize;
    /// Requests of ours that the client has not answered yet.
    fn outstanding(&self) -> usize;
    /// Requests of ours that may be sent now.
    fn window_room(&self) -> usize;
    /// Begins an orderly end: what was accepted is answered, for a while.
    fn finish(&mut self, now: Duration);
}

/// What a protocol makes of a client's operations, and of what an account is owed.
pub(crate) trait Dialogue: Sized + Send + 'static {
    /// Which protocol it is.
    const PROTOCOL: SessionProtocol;
    /// Its session.
    type Wire: Wire;
    /// An account's settings for it.
    type Login: Clone + Send + Sync + 'static;
    /// A submission that waits for its answer.
    type Asked: Send + 'static;
    /// Another request, with what it is to be answered under.
    type Request: Send + 'static;
    /// The answer to it.
    type Reply: Send + 'static;
    /// A request that is refused at once.
    type Refused: Send;
    /// What a request is answered with.
    type Status: Copy + PartialEq + Send;
    /// What all connections share.
    type Common: Default + Send + Sync + 'static;

    /// For a new connection; an error is one of the settings.
    fn open(settings: &SessionSettings, common: &Self::Common) -> Result<(Self, Self::Wire), String>;
    /// What an account says of this protocol.
    fn login_of(account: &Account) -> Option<&Self::Login>;
    /// What has happened next; `None` if nothing has.
    fn hear(&mut self, wire: &mut Self::Wire, turn: &Turn<'_, Self>) -> Option<Action<Self>>;
    /// What has to be found out before an account is let in for the first time.
    fn prepare(_: &Self::Common, _: &Engine, _: &Caller) -> Option<BoxFuture<'static, Result<(), String>>> {
        None
    }
    /// Lets the client in that waits for it.
    fn accept(&mut self, wire: &mut Self::Wire, caller: &Caller, now: Duration) -> Result<(), String>;
    /// The account that it has logged in to has other settings now.
    fn follow(&mut self, _: &AccountView) {}
    /// Keeps it out.
    fn deny(&mut self, wire: &mut Self::Wire, denied: Denied, now: Duration);
    /// May it be given deliveries?
    fn can_receive(&self) -> bool {
        true
    }
    /// How many of ours may be unanswered.
    fn delivery_window(&self, window: u16) -> usize {
        window.into()
    }
    /// Answers a submission, and says with what.
    fn answer(
        &mut self,
        wire: &mut Self::Wire,
        asked: &Self::Asked,
        result: &Result<MessageId, Refusal>,
        login: &Self::Login,
        now: Duration,
    ) -> Self::Status;
    /// Has another request done.
    fn perform(
        request: Self::Request,
        engine: Engine,
        caller: std::sync::Arc<Caller>,
        login: Self::Login,
    ) -> impl Future<Output = Self::Reply> + Send + 'static;
    /// Answers it.
    fn reply(&mut self, wire: &mut Self::Wire, reply: Self::Reply, now: Duration);
    /// Refuses a request, and says with what.
    fn refuse(&mut self, wire: &mut Self::Wire, refused: Self::Refused, now: Duration) -> Self::Status;
    /// Says what does not wait for answers, such as what was found out for the client.
    fn speak(&mut self, _wire: &mut Self::Wire, _now: Duration) {}
    /// Sends a delivery, or the part of it that `token` names in its last [`PART_BITS`]; what took more
    /// operations at once has room there to tell them apart.
    fn deliver(
        &mut self,
        wire: &mut Self::Wire,
        delivery: &Delivery,
        login: &Self::Login,
        token: u64,
        now: Duration,
    ) -> Result<Sent, NotSent>;
    /// What the client's answer to a delivery comes to.
    fn outcome(status: Self::Status) -> CallResult;
    /// Tells what has come and gone since it was asked last.
    fn count(wire: &mut Self::Wire, counts: &mut Counts);
    /// A word for a status.
    fn word(status: Self::Status) -> &'static str;
    /// Its number.
    fn number(status: Self::Status) -> u32;
    /// What is answered to what was taken.
    const OK: Self::Status;
    /// How a submission is named in the access log: the operation, and its number in the session.
    fn named(asked: &Self::Asked) -> (&'static str, u32);
}

/// What a dialogue knows of the moment.
pub(crate) struct Turn<'a, D: Dialogue> {
    /// The account's settings, once it has logged in.
    pub login: Option<&'a D::Login>,
    pub gate: &'a Gate,
    pub peer: Peer,
    /// Since the connection began.
    pub now: Duration,
    /// What the clock says.
    pub clock: Timestamp,
}

/// What to do about what has happened.
#[expect(clippy::large_enum_variant, reason = "made for each request and taken apart at once: a box would cost more")]
pub(crate) enum Action<D: Dialogue> {
    Nothing,
    Login(Result<Admitted, Denied>),
    Submit(D::Asked, Submission),
    Other(D::Request),
    Refuse(D::Refused),
    /// A delivery was answered; `None` is one that was not in time.
    Delivered(u64, Option<D::Status>),
    /// The session is over, and why.
    Closed(String),
}

impl<D: Dialogue> Action<D> {
    /// Does it wait while the window is full?
    pub fn is_request(&self) -> bool {
        matches!(self, Self::Submit(..) | Self::Other(_) | Self::Refuse(_))
    }
}

/// What was sent of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// In so many operations.
    pub operations: u8,
    /// There is another part.
    pub more: bool,
}

/// Why a delivery was not sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// Not now: the session has no room.
    NoRoom,
    /// Never.
    Never(String),
}

/// What of an account's login the loop goes by.
pub(super) fn terms_of<D: Dialogue>(account: &Account) -> Option<LoginTerms<'_>> {
    account.login(D::PROTOCOL)
}
