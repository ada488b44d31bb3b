//! One connection: the loop round its session.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::{AccountView, BindDenied, Caller, Engine, Refusal, World};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::{MessageId, Submission};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

use super::binds::Place;
use super::dialogue::{Action, Dialogue, Turn, Wire, terms_of};
use super::gate::{Admitted, Denied, Gate, Peer};
use super::handover::{Handover, room};
use super::metrics::{Counts, SessionMetrics};
use super::server::Stage;
use super::settings::SessionSettings;
use super::stream::step;
use crate::http::{AccessLine, AccessLog};

/// Octets read at a time.
const READ_SIZE: usize = 16 * 1024;
/// The window before anybody has logged in: protocols' sessions let one login through.
const WINDOW_MAX: usize = 1000;
/// Requests beyond the window that wait at the most: so many may come before a question whether we are there
/// that is answered at once.
const HELD_MAX: usize = 64;

/// What all connections of a server share.
pub(crate) struct Shared<D: Dialogue> {
    pub engine: Engine,
    pub settings: Arc<SessionSettings>,
    pub gate: Gate,
    pub common: D::Common,
}

/// Messages that were read together, on their way to the disk.
type Group<D> = Pin<Box<dyn Future<Output = Answered<D>> + Send>>;

/// What became of a group, or of another request.
enum Answered<D: Dialogue> {
    /// Submissions, and an answer for each.
    Submitted { requests: Vec<D::Asked>, results: Vec<Result<MessageId, Refusal>>, took: Duration },
    /// Something else.
    Other(D::Reply),
    /// What has to be known of an account is.
    Prepared(Result<(), String>, Box<Admitted>),
}

struct Connection<D: Dialogue> {
    shared: Arc<Shared<D>>,
    peer: Peer,
    began: Instant,
    dialogue: D,
    wire: D::Wire,
    bound: Option<Bound<D>>,
    /// What was read in this turn.
    requests: Vec<D::Asked>,
    submissions: Vec<Submission>,
    groups: FuturesUnordered<Group<D>>,
    /// Requests beyond the window, in their order.
    held: VecDeque<Action<D>>,
    /// So many requests are under way as the window allows.
    full: bool,
    /// So many wait beside those that nothing more is looked at.
    stalled: bool,
    /// The client sends nothing more.
    ended: bool,
    closed: Option<String>,
    counts: Counts,
    /// Deliveries that were answered in this turn, by status.
    answered: Vec<(Option<D::Status>, u64)>,
}

/// What a connection has once its client has logged in.
struct Bound<D: Dialogue> {
    caller: Arc<Caller>,
    login: D::Login,
    window: u16,
    /// What it hands over, if it can receive.
    handover: Option<Handover<D>>,
    number: u64,
    submitted: u64,
    /// Given back at the end.
    place: Place,
}

/// Serves a connection until it ends.
pub(crate) async fn serve<D: Dialogue, S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    peer: Peer,
    shared: Arc<Shared<D>>,
    mut stage: watch::Receiver<Stage>,
) {
    let (dialogue, wire) = match D::open(&shared.settings, &shared.common) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(error, protocol = D::PROTOCOL.as_str(), "the settings of the server make no session");
            return;
        }
    };
    let counts = Counts::new(shared.settings.metrics.clone());
    let mut connection = Connection {
        shared,
        peer,
        began: Instant::now(),
        dialogue,
        wire,
        bound: None,
        requests: Vec::new(),
        submissions: Vec::new(),
        groups: FuturesUnordered::new(),
        held: VecDeque::new(),
        full: false,
        stalled: false,
        ended: false,
        closed: None,
        counts,
        answered: Vec::new(),
    };
    connection.run(&mut stream, &mut stage).await;
    connection.tell_end();
}

impl<D: Dialogue> Connection<D> {
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, stage: &mut watch::Receiver<Stage>) {
        let mut buffer = vec![0; READ_SIZE];
        let mut world = self.shared.engine.watch_world();
        let mut ending = Stage::Closing;
        let mut new_world = false;
        loop {
            let now = self.began.elapsed();
            if std::mem::take(&mut new_world) || world.has_changed().unwrap_or(false) {
                self.follow(&world.borrow_and_update().clone(), now);
            }
            // What came before the end is dealt with first.
            if self.ended && self.held.is_empty() {
                self.ended = false;
                self.wire.transport_closed();
            }
            self.read_events(now);
            self.begin_group();
            self.dialogue.speak(&mut self.wire, now);
            self.deliver(now);
            self.count();
            if self.wire.is_closed() && self.wire.output().is_empty() {
                return;
            }
            // Then no timer of the session can be dealt with either.
            let deadline = self.wire.next_deadline().filter(|_| !self.stalled).map(|at| self.began + at);
            let reads = !self.stalled && !self.ended && !self.wire.output_is_full() && self.closed.is_none();
            let has_room = self.bound.as_ref().is_some_and(|bound| room(&self.dialogue, &self.wire, bound.window) > 0);
            let bound = self.bound.is_some();
            let handover = self.bound.as_mut().and_then(|bound| bound.handover.as_mut());
            tokio::select! {
                done = step(stream, self.wire.output(), reads.then_some(&mut buffer[..])) => {
                    let Ok(done) = done else { return };
                    self.wire.consume_output(done.written);
                    match done.read {
                        None => {}
                        Some(0) => self.ended = true,
                        Some(read) => {
                            let taken = self.wire.receive(&buffer[..read], self.began.elapsed());
                            debug_assert!(taken == read, "all complete PDUs were taken out before");
                        }
                    }
                }
                Some(answered) = self.groups.next(), if !self.groups.is_empty() => self.answer(answered),
                () = news(handover, has_room) => {}
                () = sleep_until(deadline), if deadline.is_some() => {}
                // A sender that is gone means that the gateway ends: the stage tells.
                _ = world.changed(), if bound => new_world = true,
                _ = stage.wait_for(|now| *now >= ending) => {
                    if ending == Stage::Ended {
                        return;
                    }
                    ending = Stage::Ended;
                    self.wire.finish(self.began.elapsed());
                }
            }
        }
    }

    /// Deals with what has come and with timers. Requests beyond the window wait, and all else, such as
    /// questions whether we are there and answers, passes them, until too many wait.
    fn read_events(&mut self, now: Duration) {
        let clock = self.shared.engine.now();
        loop {
            let window = self.bound.as_ref().map_or(WINDOW_MAX, |bound| usize::from(bound.window));
            let full = self.under_way() >= window;
            if !full && let Some(action) = self.held.pop_front() {
                self.act(action, now);
                continue;
            }
            if let Some(bound) = self.bound.as_ref().filter(|_| full && !self.full) {
                self.metrics().stalled(&bound.caller.account.id);
            }
            self.full = full;
            self.stalled = self.held.len() >= HELD_MAX;
            if self.stalled {
                return;
            }
            let turn = Turn {
                login: self.bound.as_ref().map(|bound| &bound.login),
                gate: &self.shared.gate,
                peer: self.peer,
                now,
                clock,
            };
            let Some(action) = self.dialogue.hear(&mut self.wire, &turn) else { return };
            if full && action.is_request() {
                self.held.push_back(action);
            } else {
                self.act(action, now);
            }
        }
    }

    /// Requests that the engine has, or that are handed to it in this turn.
    fn under_way(&self) -> usize {
        self.wire.unanswered().saturating_sub(self.held.len())
    }

    fn act(&mut self, action: Action<D>, now: Duration) {
        match action {
            Action::Nothing => {}
            Action::Login(Ok(admitted)) => self.prepare(admitted, now),
            Action::Login(Err(denied)) => self.dialogue.deny(&mut self.wire, denied, now),
            Action::Submit(asked, submission) => {
                self.requests.push(asked);
                self.submissions.push(submission);
            }
            Action::Other(request) => self.begin_other(request),
            Action::Refuse(refused) => {
                let status = self.dialogue.refuse(&mut self.wire, refused, now);
                if let Some(bound) = &self.bound {
                    self.metrics().submitted(&bound.caller.account.id, D::word(status), 1);
                }
            }
            Action::Delivered(token, status) => self.delivered(token, status),
            Action::Closed(reason) => {
                self.held.clear();
                self.closed = Some(reason);
            }
        }
    }

    /// Finds out what has to be known of the account, if anything, and lets it in.
    fn prepare(&mut self, admitted: Admitted, now: Duration) {
        match D::prepare(&self.shared.common, &self.shared.engine, &admitted.caller) {
            None => self.accept(admitted, now),
            Some(prepared) => {
                let admitted = Box::new(admitted);
                self.groups.push(Box::pin(async move { Answered::Prepared(prepared.await, admitted) }));
            }
        }
    }

    fn accept(&mut self, admitted: Admitted, now: Duration) {
        let Admitted { mut caller, place, session: number, mode } = admitted;
        // It may have been changed or switched off while the login was prepared.
        let Some((account, ..)) = still_lets_in::<D>(&self.shared.engine.world(), &caller.account) else {
            return self.dialogue.deny(&mut self.wire, Denied::Wrong(BindDenied::AccountDisabled), now);
        };
        caller.account = account;
        let account = &caller.account;
        let (Some(login), Some(terms)) = (D::login_of(&account.account).cloned(), terms_of::<D>(&account.account))
        else {
            return;
        };
        if let Err(error) = self.dialogue.accept(&mut self.wire, &caller, now) {
            tracing::warn!(error, remote = %self.peer.remote, "a login could not be answered");
            self.wire.finish(now);
            return;
        }
        let (protocol, window) = (D::PROTOCOL.as_str(), terms.window);
        tracing::info!(
            account = %account.id, protocol, user = terms.user, session = number, mode, remote = %self.peer.remote,
            "an application has logged in"
        );
        self.metrics().logged_in(&account.id);
        let outbox = self.shared.engine.outbox();
        let receiver = || Handover::new(outbox.receiver(account.lane(D::PROTOCOL)));
        let handover = self.dialogue.can_receive().then(receiver);
        self.bound = Some(Bound { caller: Arc::new(caller), login, window, handover, number, submitted: 0, place });
    }

    /// Hands what was read to the engine.
    fn begin_group(&mut self) {
        let Some(bound) = self.bound.as_ref().filter(|_| !self.requests.is_empty()) else { return };
        let (requests, submissions) = (std::mem::take(&mut self.requests), std::mem::take(&mut self.submissions));
        let (engine, caller) = (self.shared.engine.clone(), bound.caller.clone());
        let began = Instant::now();
        self.groups.push(Box::pin(async move {
            let results = engine.submit_each(&caller, submissions).await;
            Answered::Submitted { requests, results, took: began.elapsed() }
        }));
    }

    /// Has another request answered by the engine.
    fn begin_other(&mut self, request: D::Request) {
        let Some(bound) = &self.bound else { return };
        let (engine, caller, login) = (self.shared.engine.clone(), bound.caller.clone(), bound.login.clone());
        let done = D::perform(request, engine, caller, login);
        self.groups.push(Box::pin(async move { Answered::Other(done.await) }));
    }

    /// Answers what is durable, or was refused.
    fn answer(&mut self, answered: Answered<D>) {
        let now = self.began.elapsed();
        match answered {
            Answered::Submitted { requests, results, took } => self.answer_submitted(requests, results, took, now),
            Answered::Other(reply) => self.dialogue.reply(&mut self.wire, reply, now),
            Answered::Prepared(Ok(()), admitted) => self.accept(*admitted, now),
            Answered::Prepared(Err(error), admitted) => {
                let account = &admitted.caller.account.id;
                tracing::warn!(%account, error, "a login was refused: what is known of the account can't be read");
                self.dialogue.deny(&mut self.wire, Denied::Away, now);
            }
        }
    }

    fn answer_submitted(
        &mut self,
        requests: Vec<D::Asked>,
        results: Vec<Result<MessageId, Refusal>>,
        took: Duration,
        now: Duration,
    ) {
        let Some(bound) = &mut self.bound else { return };
        let clock = self.shared.engine.now();
        let account = &bound.caller.account.id;
        let settings = &self.shared.settings;
        let mut accepted = 0;
        for (asked, result) in requests.into_iter().zip(results) {
            // A session that has ended takes no answer: the client can't know, and may send again.
            let status = self.dialogue.answer(&mut self.wire, &asked, &result, &bound.login, now);
            match &result {
                Ok(_) => accepted += 1,
                Err(refusal) => {
                    tracing::debug!(%account, %refusal, "a submission was refused");
                    settings.metrics.submitted(account, D::word(status), 1);
                }
            }
            if let Some(log) = &settings.access_log {
                let (caller, remote) = (&bound.caller, self.peer.remote);
                write_down::<D>(log, caller, remote, (bound.number, &asked), (clock, status, &result, took));
            }
        }
        bound.submitted += accepted;
        if accepted > 0 {
            settings.metrics.submitted(account, D::word(D::OK), accepted);
        }
    }

    /// Sends what the account is owed, as much as there is room for.
    fn deliver(&mut self, now: Duration) {
        if let Some(Bound { handover: Some(handover), login, window, .. }) = &mut self.bound {
            handover.send(&mut self.dialogue, &mut self.wire, (login, *window), now);
        }
    }

    /// Tells what was done in this turn.
    fn count(&mut self) {
        D::count(&mut self.wire, &mut self.counts);
        let under_way = self.under_way();
        let Some(bound) = &self.bound else { return };
        for (status, count) in self.answered.drain(..) {
            let word = status.map_or("none", D::word);
            self.shared.settings.metrics.delivered(&bound.caller.account.id, word, count);
        }
        let taken = bound.handover.as_ref().map_or(0, |handover| handover.taken);
        let unanswered = (under_way, self.wire.outstanding());
        bound.place.traffic.set(bound.window, unanswered, (bound.submitted, taken));
    }

    /// A delivery was answered, or not in time.
    fn delivered(&mut self, token: u64, status: Option<D::Status>) {
        let Some(bound) = &mut self.bound else { return };
        match self.answered.iter_mut().find(|(s, _)| *s == status) {
            Some((_, count)) => *count += 1,
            None => self.answered.push((status, 1)),
        }
        if let Some(handover) = &mut bound.handover {
            handover.answered(token, status);
        }
    }

    /// New resources are in force: the session goes by them, or ends if it could not log in now.
    fn follow(&mut self, world: &World, now: Duration) {
        let Some(bound) = &mut self.bound else { return };
        let old = &bound.caller.account;
        if let Some((account, login, window)) = still_lets_in::<D>(world, old) {
            self.dialogue.follow(&account);
            (bound.login, bound.window) = (login, window);
            let Caller { scopes, token, .. } = &*bound.caller;
            bound.caller = Arc::new(Caller { account, scopes: scopes.clone(), token: token.clone() });
        } else {
            tracing::info!(account = %old.id, session = bound.number, "the account's login has changed");
            self.wire.finish(now);
        }
    }

    fn metrics(&self) -> &SessionMetrics {
        &self.shared.settings.metrics
    }

    fn tell_end(&mut self) {
        self.count();
        let (protocol, remote) = (D::PROTOCOL.as_str(), self.peer.remote);
        let reason = self.closed.as_deref().unwrap_or("the connection broke");
        match &self.bound {
            Some(bound) => {
                self.metrics().logged_out(&bound.caller.account.id);
                let delivered = bound.handover.as_ref().map_or(0, |handover| handover.taken);
                tracing::info!(
                    account = %bound.caller.account.id, protocol, session = bound.number, %remote,
                    submitted = bound.submitted, delivered, reason, "an application's session has ended"
                );
            }
            None => tracing::debug!(protocol, %remote, reason, "a connection ended without a login"),
        }
    }
}

/// The account as it is now, if it would be let in with the login that it was let in with.
fn still_lets_in<D: Dialogue>(world: &World, old: &AccountView) -> Option<(Arc<AccountView>, D::Login, u16)> {
    let user = terms_of::<D>(&old.account)?.user.as_bytes();
    let account = world.login(D::PROTOCOL, user).filter(|account| account.logs_in_as(old, D::PROTOCOL))?;
    let window = terms_of::<D>(&account.account)?.window;
    Some((account.clone(), D::login_of(&account.account)?.clone(), window))
}

/// A line of the access log: what a submission was answered with. Its request is named by the
/// numbers of the session and of the request in it.
fn write_down<D: Dialogue>(
    log: &AccessLog,
    caller: &Caller,
    remote: std::net::SocketAddr,
    (session, asked): (u64, &D::Asked),
    (time, status, result, took): (model::Timestamp, D::Status, &Result<MessageId, Refusal>, Duration),
) {
    let message = result.as_ref().ok().copied();
    let (method, number) = D::named(asked);
    log.record(&AccessLine {
        time,
        request_id: &format!("{session}-{number}"),
        remote,
        account: Some(&caller.account.id),
        token: Some(&caller.token),
        method,
        path: D::PROTOCOL.as_str(),
        status: u16::try_from(D::number(status)).unwrap_or(u16::MAX),
        ms: took.as_secs_f64() * 1000.0,
        message,
        batch: None,
        to: None,
        code: Some(D::word(status)).filter(|_| status != D::OK),
    });
}

/// Waits until there is something to hand over.
async fn news<D: Dialogue>(handover: Option<&mut Handover<D>>, has_room: bool) {
    match handover {
        Some(handover) => handover.news(has_room).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
