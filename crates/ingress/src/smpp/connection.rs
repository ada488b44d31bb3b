//! One connection: the loop round its session.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::{Caller, Engine, Refusal, World};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::resources::SmppLogin;
use model::{MessageId, Submission};
use smpp::{CloseReason, CommandStatus, DataSmResp, Event, InterfaceVersion, Session, SessionConfig, SubmitSmResp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

use super::action::{Action, Asked};
use super::answer::{status_of, write_id};
use super::binds::Place;
use super::gate::{Admitted, Gate, Peer, mode_word};
use super::handover::{Handover, room};
use super::metrics::{PduCounts, SmppMetrics};
use super::requests::{Reply, Request};
use super::server::Stage;
use super::settings::{SmppLimits, SmppSettings};
use super::stream::step;
use crate::http::{AccessLine, AccessLog};

/// Octets read at a time.
const READ_SIZE: usize = 16 * 1024;
/// The largest window of an account.
const WINDOW_MAX: usize = 1000;
/// Requests beyond the window that wait at the most: so many may come before an enquire_link that is
/// answered at once.
const HELD_MAX: usize = 64;
/// For the answer to a bind, an unbind, or what was accepted, when a session ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What all connections share.
pub(super) struct Shared {
    pub engine: Engine,
    pub settings: Arc<SmppSettings>,
    pub gate: Gate,
}

/// Messages that were read together, on their way to the disk.
type Group = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What became of a group, or of another request.
enum Answered {
    /// Submissions, and an answer for each.
    Submitted { requests: Vec<Asked>, results: Vec<Result<MessageId, Refusal>>, took: Duration },
    /// Something else.
    Other { sequence: u32, reply: Reply },
}

struct Connection {
    shared: Arc<Shared>,
    peer: Peer,
    began: Instant,
    session: Session,
    bound: Option<Bound>,
    /// What was read in this turn.
    requests: Vec<Asked>,
    submissions: Vec<Submission>,
    groups: FuturesUnordered<Group>,
    id: String,
    /// Requests beyond the window, in their order.
    held: VecDeque<Action>,
    /// So many requests are under way as the window allows.
    full: bool,
    /// So many wait beside those that nothing more is looked at.
    stalled: bool,
    /// The client sends nothing more.
    ended: bool,
    closed: Option<CloseReason>,
    pdus: PduCounts,
    /// deliver_sm that were answered in this turn, by status.
    answered: Vec<(Option<CommandStatus>, u64)>,
}

/// What a connection has once it is bound.
struct Bound {
    caller: Arc<Caller>,
    login: SmppLogin,
    /// What it hands over, if it can receive.
    handover: Option<Handover>,
    number: u64,
    submitted: u64,
    /// Given back at the end.
    place: Place,
}

/// Serves a connection until it ends.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    peer: Peer,
    shared: Arc<Shared>,
    mut stage: watch::Receiver<Stage>,
) {
    let Ok(session) = Session::server(session_config(&shared.settings.limits), Duration::ZERO) else {
        tracing::error!("the settings of the SMPP server make no session");
        return;
    };
    let pdus = PduCounts::new(shared.settings.metrics.clone());
    let mut connection = Connection {
        shared,
        peer,
        began: Instant::now(),
        session,
        bound: None,
        requests: Vec::new(),
        submissions: Vec::new(),
        groups: FuturesUnordered::new(),
        id: String::new(),
        held: VecDeque::new(),
        full: false,
        stalled: false,
        ended: false,
        closed: None,
        pdus,
        answered: Vec::new(),
    };
    connection.run(&mut stream, &mut stage).await;
    connection.tell_end();
}

fn session_config(limits: &SmppLimits) -> SessionConfig {
    SessionConfig {
        version: InterfaceVersion::V5_0,
        window: WINDOW_MAX,
        response_timeout: limits.response_timeout,
        bind_timeout: limits.bind_timeout,
        enquire_interval: Some(limits.enquire_interval),
        enquire_timeout: Some(limits.enquire_interval),
        inactivity_timeout: limits.inactivity_timeout,
        drain_timeout: DRAIN_TIMEOUT,
        max_pdu: limits.pdu_octets,
        // The loop stops reading before that.
        max_unanswered: usize::MAX,
        ..SessionConfig::default()
    }
}

impl Connection {
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
                self.session.transport_closed();
            }
            self.read_events(now);
            self.begin_group();
            self.deliver(now);
            self.count();
            if self.session.is_closed() && self.session.output().is_empty() {
                return;
            }
            // Then no timer of the session can be dealt with either.
            let deadline = self.session.next_deadline().filter(|_| !self.stalled).map(|at| self.began + at);
            let reads = !self.stalled && !self.ended && !self.session.output_is_full() && self.closed.is_none();
            let has_room = self.bound.as_ref().is_some_and(|bound| room(&bound.login, &self.session) > 0);
            let bound = self.bound.is_some();
            let handover = self.bound.as_mut().and_then(|bound| bound.handover.as_mut());
            tokio::select! {
                done = step(stream, self.session.output(), reads.then_some(&mut buffer[..])) => {
                    let Ok(done) = done else { return };
                    self.session.consume_output(done.written);
                    match done.read {
                        None => {}
                        Some(0) => self.ended = true,
                        Some(read) => {
                            let taken = self.session.receive(&buffer[..read], self.began.elapsed());
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
                    self.session.unbind(self.began.elapsed());
                }
            }
        }
    }

    /// Deals with what has come and with timers. Requests beyond the window wait, and all else, such as
    /// enquire_link and answers, passes them, until too many wait.
    fn read_events(&mut self, now: Duration) {
        let clock = self.shared.engine.now();
        loop {
            let window = self.bound.as_ref().map_or(WINDOW_MAX, |bound| usize::from(bound.login.window));
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
            let login = self.bound.as_ref().map(|bound| &bound.login);
            let Some(event) = self.session.next_event(now) else { return };
            let action = match (event, login) {
                (Event::Request { sequence, pdu }, Some(login)) if full => {
                    self.held.push_back(Action::requested(sequence, &pdu, login, clock));
                    Action::Nothing
                }
                (Event::Request { sequence, pdu }, Some(login)) => Action::requested(sequence, &pdu, login, clock),
                (Event::BindRequest { mode, bind }, _) => {
                    Action::Bind(self.shared.gate.admit(mode, &bind, self.peer), mode)
                }
                (Event::Response { token, status, .. } | Event::Nacked { token, status }, _) => {
                    Action::Delivered(token, Some(status))
                }
                (Event::TimedOut { token }, _) => Action::Delivered(token, None),
                (Event::Closed(reason), _) => Action::Closed(reason),
                (Event::Malformed { id, error, .. }, _) => {
                    tracing::debug!(remote = %self.peer.remote, %id, %error, "a client sent what can't be read");
                    Action::Nothing
                }
                _ => Action::Nothing,
            };
            self.act(action, now);
        }
    }

    /// Requests that the engine has, or that are handed to it in this turn.
    fn under_way(&self) -> usize {
        self.session.unanswered().saturating_sub(self.held.len())
    }

    fn act(&mut self, action: Action, now: Duration) {
        match action {
            Action::Nothing => {}
            Action::Bind(Ok(admitted), mode) => self.accept_bind(admitted, mode, now),
            Action::Bind(Err(status), _) => {
                // A bind is waiting, so that it can be refused.
                let _ = self.session.refuse_bind(status, now);
            }
            Action::Submit(asked, submission) => {
                self.requests.push(asked);
                self.submissions.push(submission);
            }
            Action::Other(sequence, request) => self.begin_other(sequence, request),
            Action::Refuse(sequence, pdu, status) => {
                if let Some(bound) = &self.bound {
                    self.metrics().submitted(&bound.caller.account.id, status, 1);
                }
                // A session that has ended takes no answer, and needs none.
                let _ = self.session.respond(sequence, status, &pdu, now);
            }
            Action::Delivered(token, status) => self.delivered(token, status),
            Action::Closed(reason) => {
                self.held.clear();
                self.closed = Some(reason);
            }
        }
    }

    fn accept_bind(&mut self, admitted: Admitted, mode: smpp::BindMode, now: Duration) {
        let Admitted { caller, place, session: number } = admitted;
        let Some(login) = caller.account.account.smpp.as_deref().cloned() else { return };
        let system_id = self.shared.settings.system_id.clone();
        if let Err(error) = self.session.accept_bind(system_id.as_bytes(), now) {
            tracing::warn!(%error, "a bind could not be answered");
            self.session.unbind(now);
            return;
        }
        let account = &caller.account;
        tracing::info!(
            account = %account.id, system_id = %login.system_id, session = number, mode = mode_word(mode),
            remote = %self.peer.remote, "an application has bound"
        );
        self.metrics().bound(&account.id);
        let outbox = self.shared.engine.outbox();
        let handover = mode.can_receive().then(|| Handover::new(outbox.receiver(&account.smpp_lane)));
        self.bound = Some(Bound { caller: Arc::new(caller), login, handover, number, submitted: 0, place });
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
    fn begin_other(&mut self, sequence: u32, request: Request) {
        let Some(bound) = &self.bound else { return };
        let (engine, caller, login) = (self.shared.engine.clone(), bound.caller.clone(), bound.login.clone());
        let short = !self.session.with_tlvs();
        self.groups.push(Box::pin(async move {
            let reply = request.answer(&engine, &caller, &login, short).await;
            Answered::Other { sequence, reply }
        }));
    }

    /// Answers what is durable, or was refused.
    fn answer(&mut self, answered: Answered) {
        match answered {
            Answered::Submitted { requests, results, took } => self.answer_submitted(requests, results, took),
            Answered::Other { sequence, reply } => reply.send(sequence, &mut self.session, self.began.elapsed()),
        }
    }

    fn answer_submitted(&mut self, requests: Vec<Asked>, results: Vec<Result<MessageId, Refusal>>, took: Duration) {
        let now = self.began.elapsed();
        let Some(bound) = &mut self.bound else { return };
        let short = !self.session.with_tlvs();
        let clock = self.shared.engine.now();
        let mut accepted = 0;
        for (Asked { sequence, data_sm }, result) in requests.into_iter().zip(results) {
            self.id.clear();
            let status = match &result {
                Ok(id) => {
                    write_id(*id, bound.login.message_id, short, &mut self.id);
                    accepted += 1;
                    CommandStatus::ROK
                }
                Err(refusal) => {
                    let status = status_of(refusal);
                    tracing::debug!(account = %bound.caller.account.id, %refusal, "a submission was refused");
                    self.shared.settings.metrics.submitted(&bound.caller.account.id, status, 1);
                    status
                }
            };
            if let Some(log) = &self.shared.settings.access_log {
                let (caller, remote) = (&bound.caller, self.peer.remote);
                write_down(log, caller, remote, (bound.number, sequence), data_sm, (clock, status, &result, took));
            }
            let message_id = self.id.as_bytes();
            // A session that has ended takes no answer: the client can't know, and may send again.
            let _ = if data_sm {
                self.session.respond(sequence, status, &DataSmResp { message_id, ..Default::default() }, now)
            } else {
                self.session.respond(sequence, status, &SubmitSmResp { message_id, ..Default::default() }, now)
            };
        }
        bound.submitted += accepted;
        if accepted > 0 {
            self.shared.settings.metrics.submitted(&bound.caller.account.id, CommandStatus::ROK, accepted);
        }
    }

    /// Sends what the account is owed, as much as there is room for.
    fn deliver(&mut self, now: Duration) {
        if let Some(Bound { handover: Some(handover), login, .. }) = &mut self.bound {
            handover.send(login, &mut self.session, now);
        }
    }

    /// Tells what was done in this turn.
    fn count(&mut self) {
        self.pdus.add(self.session.take_pdu_counts());
        let under_way = self.under_way();
        let Some(bound) = &self.bound else { return };
        for (status, count) in self.answered.drain(..) {
            self.shared.settings.metrics.delivered(&bound.caller.account.id, status, count);
        }
        let taken = bound.handover.as_ref().map_or(0, |handover| handover.taken);
        let unanswered = (under_way, self.session.outstanding());
        bound.place.traffic.set(bound.login.window, unanswered, (bound.submitted, taken));
    }

    /// A deliver_sm was answered, or not in time.
    fn delivered(&mut self, token: u64, status: Option<CommandStatus>) {
        let Some(bound) = &mut self.bound else { return };
        match self.answered.iter_mut().find(|(s, _)| *s == status) {
            Some((_, count)) => *count += 1,
            None => self.answered.push((status, 1)),
        }
        if let Some(handover) = &mut bound.handover {
            handover.answered(token, status);
        }
    }

    /// New resources are in force: the session goes by them, or ends if it could not be bound now.
    fn follow(&mut self, world: &World, now: Duration) {
        let Some(bound) = &mut self.bound else { return };
        let old = &bound.caller.account;
        match world.login(bound.login.system_id.as_bytes()) {
            Some(account) if account.binds_as(old) => {
                if let Some(login) = account.account.smpp.as_deref() {
                    bound.login = login.clone();
                }
                let Caller { scopes, token, .. } = &*bound.caller;
                bound.caller =
                    Arc::new(Caller { account: account.clone(), scopes: scopes.clone(), token: token.clone() });
            }
            _ => {
                tracing::info!(account = %old.id, session = bound.number, "the account's login has changed");
                self.session.unbind(now);
            }
        }
    }

    fn metrics(&self) -> &SmppMetrics {
        &self.shared.settings.metrics
    }

    fn tell_end(&mut self) {
        self.count();
        let reason = self.closed.map_or_else(|| "the connection broke".to_owned(), |reason| reason.to_string());
        match &self.bound {
            Some(bound) => {
                self.metrics().unbound(&bound.caller.account.id);
                tracing::info!(
                    account = %bound.caller.account.id, session = bound.number, remote = %self.peer.remote,
                    submitted = bound.submitted, delivered = bound.handover.as_ref().map_or(0, |handover| handover.taken), reason, "an application's session has ended"
                );
            }
            None => tracing::debug!(remote = %self.peer.remote, reason, "a connection ended without a bind"),
        }
    }
}

/// A line of the access log: what a submission was answered with. Its request is named by the
/// number of the session and the sequence number.
fn write_down(
    log: &AccessLog,
    caller: &Caller,
    remote: std::net::SocketAddr,
    (session, sequence): (u64, u32),
    data_sm: bool,
    (time, status, result, took): (model::Timestamp, CommandStatus, &Result<MessageId, Refusal>, Duration),
) {
    let message = result.as_ref().ok().copied();
    log.record(&AccessLine {
        time,
        request_id: &format!("{session}-{sequence}"),
        remote,
        account: Some(&caller.account.id),
        token: Some(&caller.token),
        method: if data_sm { "data_sm" } else { "submit_sm" },
        path: "smpp",
        status: u16::try_from(status.0).unwrap_or(u16::MAX),
        ms: took.as_secs_f64() * 1000.0,
        message,
        batch: None,
        to: None,
        code: status.name().filter(|_| !status.is_ok()),
    });
}

/// Waits until there is something to hand over.
async fn news(handover: Option<&mut Handover>, has_room: bool) {
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
