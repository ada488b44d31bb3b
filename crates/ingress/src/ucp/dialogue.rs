//! A session of UCP as the common loop sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::notify::CallResult;
use engine::{AccountView, Caller, Engine, Refusal};
use futures_util::future::BoxFuture;
use model::resources::{Account, SessionLogin};
use model::{Delivery, MessageId, SessionProtocol};
use ucp::{Answer, ErrorCode, Event, KeepAlive, Kind, Operation, Pid, ServerConfig, Session, SessionConfig, Trn};

use super::answer::{TAKEN, code_of, code_of_login, outcome_of, said, word};
use super::deliver::{self, State};
use super::requests::{Reply, Request};
use super::submission::{self, Asked, Reading};
use crate::named::{AccountNames, Clock, Digits, Names, seed};
use crate::sessions::{Action, Attempt, Counts, Denied, Dialogue, NotSent, Sent, SessionLimits, SessionSettings, Turn};

/// Answers to inquiries that may wait to be sent; a client that asks for more is told nothing of those.
const STATES_MAX: usize = 100;
/// Who asks with an alert whether the client is there.
const OURSELVES: &[u8] = b"0";
/// Tokens of 57 have this bit; those of deliveries, counted from 0, never do.
const UNACKNOWLEDGED: u64 = 1 << 63;
/// For what was accepted, when a session ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a session of UCP keeps beside its session.
pub(crate) struct UcpDialogue {
    all_names: Names,
    /// What is known of the account, once there is one.
    known: Option<Known>,
    /// What was asked about and is to be told.
    states: VecDeque<Box<State>>,
}

struct Known {
    names: Arc<AccountNames>,
    clock: Clock,
    user: String,
}

impl Dialogue for UcpDialogue {
    const PROTOCOL: SessionProtocol = SessionProtocol::Ucp;
    const OK: ErrorCode = TAKEN;
    type Wire = Session;
    type Login = SessionLogin;
    type Asked = Asked;
    type Request = (Trn, Request);
    type Reply = Reply;
    type Refused = (Trn, ErrorCode);
    type Status = ErrorCode;
    type Common = Names;

    fn open(settings: &SessionSettings, names: &Names) -> Result<(Self, Session), String> {
        let config = ServerConfig { login_required: true, session: session_config(&settings.limits) };
        let session = Session::server(config, Duration::ZERO).map_err(|error| error.to_string())?;
        Ok((Self { all_names: names.clone(), known: None, states: VecDeque::new() }, session))
    }

    fn login_of(account: &Account) -> Option<&SessionLogin> {
        account.ucp.as_deref()
    }

    fn hear(&mut self, session: &mut Session, turn: &Turn<'_, Self>) -> Option<Action<Self>> {
        Some(match (session.next_event(turn.now)?, &self.known) {
            (Event::Request { trn, operation }, Some(known)) => {
                let reading = Reading { clock: &known.clock, names: &known.names, now: turn.clock };
                requested(trn, &operation, reading)
            }
            (Event::LoginRequest { login }, _) => {
                let attempt = Attempt {
                    name: login.oadc,
                    password: &login.pwd.0.to_vec(),
                    system_type: b"",
                    mode: "transceiver",
                    version: None,
                };
                Action::Login(turn.gate.admit(attempt, turn.peer))
            }
            (Event::Response { token, .. } | Event::TimedOut { token }, _) if token & UNACKNOWLEDGED != 0 => {
                Action::Nothing
            }
            (Event::Response { token, answer, .. }, _) => {
                Action::Delivered(token, Some(answer.code().map_or(TAKEN, refusal_of)))
            }
            (Event::TimedOut { token }, _) => Action::Delivered(token, None),
            (Event::Closed(reason), _) => Action::Closed(reason.to_string()),
            (Event::Malformed { error, .. }, _) => {
                tracing::debug!(remote = %turn.peer.remote, %error, "a client sent what can't be read");
                Action::Nothing
            }
            _ => Action::Nothing,
        })
    }

    fn prepare(names: &Names, engine: &Engine, caller: &Caller) -> Option<BoxFuture<'static, Result<(), String>>> {
        let account = &caller.account;
        let login = account.account.ucp.as_deref()?;
        let names = names.unknown_of(&account.id)?;
        let times = (Clock::of(login, &account.account), Digits::DayFirst);
        Some(seed(names, (engine, caller), SessionProtocol::Ucp, times))
    }

    fn accept(&mut self, session: &mut Session, caller: &Caller, now: Duration) -> Result<(), String> {
        session.accept_login(b"", now).map_err(|error| error.to_string())?;
        self.follow(&caller.account);
        Ok(())
    }

    fn follow(&mut self, account: &AccountView) {
        self.known = account.account.ucp.as_deref().map(|login| Known {
            names: self.all_names.of(&account.id),
            clock: Clock::of(login, &account.account),
            user: login.user.clone(),
        });
    }

    fn deny(&mut self, session: &mut Session, denied: Denied, now: Duration) {
        // A login is waiting, so that it can be refused.
        let _ = session.refuse_login(code_of_login(denied), now);
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
                let _ = session.respond(asked.trn, &Answer::ack(&asked.identity), now);
                TAKEN
            }
            Err(refusal) => {
                let (code, sm) = (code_of(refusal), said(&refusal.told()));
                let _ = session.respond(asked.trn, &Answer::Nack { code, sm: sm.as_bytes() }, now);
                code
            }
        }
    }

    async fn perform((trn, request): (Trn, Request), engine: Engine, caller: Arc<Caller>, _: SessionLogin) -> Reply {
        request.answer(trn, &engine, &caller).await
    }

    fn reply(&mut self, session: &mut Session, mut reply: Reply, now: Duration) {
        // A session that has ended takes no answer, and needs none.
        let answered = session.respond(reply.trn, &reply.result(), now);
        if self.states.len() < STATES_MAX {
            self.states.extend(reply.state.take().filter(|_| answered.is_ok()));
        }
    }

    fn refuse(&mut self, session: &mut Session, (trn, code): (Trn, ErrorCode), now: Duration) -> ErrorCode {
        let _ = session.respond(trn, &Answer::nack(code), now);
        code
    }

    fn speak(&mut self, session: &mut Session, now: Duration) {
        let Some(known) = &self.known else { return };
        // Half of the window is left to what is owed.
        let mut room = (Trn::COUNT / 2).saturating_sub(session.outstanding()).min(session.window_room());
        while room > 0 && !session.output_is_full() {
            room -= 1;
            let Some(state) = self.states.pop_front() else { return };
            deliver::inform(&state, session, (&known.clock, &known.user), UNACKNOWLEDGED, now);
        }
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
        deliver::send(delivery, session, (&known.clock, &known.user), token, now)
    }

    fn outcome(code: ErrorCode) -> CallResult {
        outcome_of(code)
    }

    fn count(session: &mut Session, counts: &mut Counts) {
        for frames in session.take_frame_counts() {
            let status = match (frames.kind, frames.code) {
                (Kind::Operation, _) => "",
                (Kind::Result, None) => "ok",
                (Kind::Result, Some(code)) => word(refusal_of(code)),
            };
            counts.add(frames.incoming, frames.ot.name().unwrap_or("unknown"), status, frames.count);
        }
    }

    fn word(code: ErrorCode) -> &'static str {
        word(code)
    }

    fn number(code: ErrorCode) -> u32 {
        code.0.into()
    }

    fn named(asked: &Asked) -> (&'static str, u32) {
        (asked.ot.name().unwrap_or("unknown"), asked.trn.get().into())
    }
}

/// What to do about an operation of a client that has logged in.
fn requested(trn: Trn, operation: &Operation<'_>, reading: Reading<'_>) -> Action<UcpDialogue> {
    if let Some(read) = submission::read(operation, reading) {
        return match read {
            Err(code) => Action::Refuse((trn, code)),
            Ok(mut messages) => match (operation, messages.pop()) {
                (Operation::MultipleCallInput(_), Some(last)) => {
                    messages.push(last);
                    Action::Other((trn, Request::Many(messages)))
                }
                (_, Some((submission, identity))) => {
                    Action::Submit(Asked { trn, ot: operation.ot(), identity }, submission)
                }
                // A list of nobody.
                (_, None) => Action::Refuse((trn, ErrorCode::ADC_INVALID)),
            },
        };
    }
    match Request::read(operation, reading) {
        Some(Ok(request)) => Action::Other((trn, request)),
        Some(Err(code)) => Action::Refuse((trn, code)),
        None => Action::Refuse((trn, ErrorCode::NOT_SUPPORTED)),
    }
}

/// A negative result is none that says "taken", whatever its code.
fn refusal_of(code: ErrorCode) -> ErrorCode {
    if code == TAKEN { ErrorCode(u8::MAX) } else { code }
}

fn session_config(limits: &SessionLimits) -> SessionConfig {
    let mut config = SessionConfig {
        window: Trn::COUNT,
        response_timeout: limits.response_timeout,
        login_timeout: limits.login_timeout,
        keep_alive: Some(KeepAlive {
            adc: OURSELVES.to_vec(),
            pid: Pid::PC_TCP,
            interval: limits.enquire_interval,
            timeout: Some(limits.enquire_interval),
        }),
        inactivity_timeout: limits.inactivity_timeout,
        drain_timeout: DRAIN_TIMEOUT,
        ..SessionConfig::default()
    };
    config.frames.max_len = limits.frame_octets;
    config
}
