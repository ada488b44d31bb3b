//! A session of CIMD2 as the common loop sees it.

use std::sync::Arc;
use std::time::Duration;

use cimd2::{ErrorCode, Event, Packet, Session, SessionConfig, SubmitResp};
use engine::notify::CallResult;
use engine::{AccountView, Caller, Engine, Refusal};
use futures_util::future::BoxFuture;
use model::resources::{Account, SessionLogin};
use model::{Delivery, MessageId, SessionProtocol};

use super::answer::{code_of, code_of_login, outcome_of, said, word};
use super::deliver;
use super::requests::{Operation, Reply, Request};
use super::submission::{self, Asked, Reading};
use crate::named::{AccountNames, Clock, Digits, Names, seed};
use crate::sessions::{Action, Attempt, Counts, Denied, Dialogue, NotSent, Sent, SessionLimits, SessionSettings, Turn};

/// The largest window: one less than there are packet numbers.
const WINDOW_MAX: usize = 127;
/// Requests of a client that may wait for their answers before it is told to slow down: more than any window.
const UNANSWERED_MAX: usize = 200;
/// For what was accepted, when a session ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a session of CIMD2 keeps beside its session.
pub(crate) struct Cimd2Dialogue {
    all_names: Names,
    /// What is known of the account, once there is one.
    known: Option<Known>,
    /// How many requests of ours the client bears: 1, unless it says otherwise.
    window: u16,
}

struct Known {
    names: Arc<AccountNames>,
    clock: Clock,
}

impl Dialogue for Cimd2Dialogue {
    const PROTOCOL: SessionProtocol = SessionProtocol::Cimd2;
    const OK: ErrorCode = ErrorCode::OK;
    type Wire = Session;
    type Login = SessionLogin;
    type Asked = Asked;
    type Request = (u16, Operation, Request, Clock);
    type Reply = (u16, Operation, Reply);
    type Refused = (u16, ErrorCode);
    type Status = ErrorCode;
    type Common = Names;

    fn open(settings: &SessionSettings, names: &Names) -> Result<(Self, Session), String> {
        let config = session_config(&settings.limits);
        let mut session = Session::server(config, Duration::ZERO).map_err(|error| error.to_string())?;
        if !settings.name.is_empty() {
            // Nobody has begun to log in yet.
            let _ = session.greet(format!("CIMD2-A {}", settings.name).as_bytes());
        }
        Ok((Self { all_names: names.clone(), known: None, window: 1 }, session))
    }

    fn login_of(account: &Account) -> Option<&SessionLogin> {
        account.cimd2.as_deref()
    }

    fn hear(&mut self, session: &mut Session, turn: &Turn<'_, Self>) -> Option<Action<Self>> {
        Some(match (session.next_event(turn.now)?, &self.known) {
            (Event::Request { sequence, packet }, Some(known)) => {
                let reading = Reading { clock: &known.clock, names: &known.names, now: turn.clock };
                requested(sequence, &packet, reading)
            }
            (Event::LoginRequest { login }, _) => {
                self.window = login.window.unwrap_or(1).max(1);
                let attempt = Attempt {
                    name: login.user,
                    password: login.password.0,
                    system_type: b"",
                    mode: "transceiver",
                    version: None,
                };
                Action::Login(turn.gate.admit(attempt, turn.peer))
            }
            (Event::Response { token, error, .. }, _) => Action::Delivered(token, Some(error)),
            (Event::Nacked { token } | Event::TimedOut { token }, _) => Action::Delivered(token, None),
            (Event::Closed(reason), _) => Action::Closed(reason.to_string()),
            (Event::Malformed { operation, error, .. }, _) => {
                tracing::debug!(remote = %turn.peer.remote, %operation, %error, "a client sent what can't be read");
                Action::Nothing
            }
            (Event::Broken(error), _) => {
                tracing::debug!(remote = %turn.peer.remote, %error, "a client sent what is no packet");
                Action::Nothing
            }
            _ => Action::Nothing,
        })
    }

    fn prepare(names: &Names, engine: &Engine, caller: &Caller) -> Option<BoxFuture<'static, Result<(), String>>> {
        let account = &caller.account;
        let login = account.account.cimd2.as_deref()?;
        let names = names.unknown_of(&account.id)?;
        let times = (Clock::of(login, &account.account), Digits::YearFirst);
        Some(seed(names, (engine, caller), SessionProtocol::Cimd2, times))
    }

    fn accept(&mut self, session: &mut Session, caller: &Caller, now: Duration) -> Result<(), String> {
        session.accept_login(now).map_err(|error| error.to_string())?;
        self.follow(&caller.account);
        Ok(())
    }

    fn follow(&mut self, account: &AccountView) {
        self.known = account
            .account
            .cimd2
            .as_deref()
            .map(|login| Known { names: self.all_names.of(&account.id), clock: Clock::of(login, &account.account) });
    }

    fn deny(&mut self, session: &mut Session, denied: Denied, now: Duration) {
        // A login is waiting, so that it can be refused.
        let _ = session.refuse_login(code_of_login(denied), b"", now);
    }

    fn delivery_window(&self, window: u16) -> usize {
        self.window.min(window).into()
    }

    fn answer(
        &mut self,
        session: &mut Session,
        asked: &Asked,
        result: &Result<MessageId, Refusal>,
        _: &SessionLogin,
        now: Duration,
    ) -> ErrorCode {
        match result {
            Ok(_) => {
                let answer =
                    SubmitResp { destination: &asked.name.to, timestamp: &asked.name.at, ..SubmitResp::default() };
                let _ = session.respond(asked.sequence, &answer, now);
                ErrorCode::OK
            }
            Err(refusal) => {
                let code = code_of(refusal);
                let _ = session.refuse(asked.sequence, code, said(&refusal.told()).as_bytes(), now);
                code
            }
        }
    }

    async fn perform(
        (sequence, of, request, clock): Self::Request,
        engine: Engine,
        caller: Arc<Caller>,
        _: SessionLogin,
    ) -> Self::Reply {
        (sequence, of, request.answer(&engine, &caller, clock).await)
    }

    fn reply(&mut self, session: &mut Session, (sequence, of, reply): Self::Reply, now: Duration) {
        reply.send(sequence, of, session, now);
    }

    fn refuse(&mut self, session: &mut Session, (sequence, code): (u16, ErrorCode), now: Duration) -> ErrorCode {
        let _ = session.refuse(sequence, code, b"", now);
        code
    }

    fn deliver(
        &mut self,
        session: &mut Session,
        delivery: &Delivery,
        _: &SessionLogin,
        token: u64,
        now: Duration,
    ) -> Result<Sent, NotSent> {
        let Some(known) = &self.known else { return Err(NotSent::NoRoom) };
        deliver::send(delivery, session, &known.clock, token, now)
    }

    fn outcome(code: ErrorCode) -> CallResult {
        outcome_of(code)
    }

    fn count(session: &mut Session, counts: &mut Counts) {
        for packets in session.take_packet_counts() {
            let status = if packets.operation.is_response() { word(packets.error) } else { "" };
            counts.add(packets.incoming, packets.operation.name().unwrap_or("unknown"), status, packets.count);
        }
    }

    fn word(code: ErrorCode) -> &'static str {
        word(code)
    }

    fn number(code: ErrorCode) -> u32 {
        code.0.into()
    }

    fn named(asked: &Asked) -> (&'static str, u32) {
        ("submit", asked.sequence.into())
    }
}

/// What to do about a request of a client that has logged in.
fn requested(sequence: u16, packet: &Packet<'_>, reading: Reading<'_>) -> Action<Cimd2Dialogue> {
    let other = |of, request| Action::Other((sequence, of, request, reading.clock.clone()));
    if let Packet::Submit(submit) = packet {
        return match submission::read(submit, reading) {
            Err(code) => Action::Refuse((sequence, code)),
            Ok(mut messages) if messages.len() == 1 => match messages.pop() {
                Some((submission, name)) => Action::Submit(Asked { sequence, name }, submission),
                None => Action::Refuse((sequence, ErrorCode::SUBMIT_DESTINATION)),
            },
            Ok(messages) => other(Operation::Other, Request::Many(messages)),
        };
    }
    let of = if matches!(packet, Packet::Cancel(_)) { Operation::Cancel } else { Operation::Other };
    match Request::read(packet, reading.clock) {
        Some(Ok(request)) => other(of, request),
        Some(Err(code)) => Action::Refuse((sequence, code)),
        None => Action::Refuse((sequence, ErrorCode::UNEXPECTED_OPERATION)),
    }
}

fn session_config(limits: &SessionLimits) -> SessionConfig {
    SessionConfig {
        window: WINDOW_MAX,
        response_timeout: limits.response_timeout,
        login_timeout: limits.login_timeout,
        alive_interval: None,
        alive_timeout: None,
        silence_timeout: limits.inactivity_timeout,
        drain_timeout: DRAIN_TIMEOUT,
        max_packet: limits.frame_octets,
        max_unanswered: UNANSWERED_MAX,
        ..SessionConfig::default()
    }
}
