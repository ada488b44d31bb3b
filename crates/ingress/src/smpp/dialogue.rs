//! A session of SMPP as the common loop sees it.

use std::sync::Arc;
use std::time::Duration;

use engine::notify::CallResult;
use engine::{Caller, Engine, Refusal};
use model::resources::{Account, SmppLogin};
use model::{Delivery, MessageId, SessionProtocol};
use smpp::{
    Bind, BindMode, CommandStatus, DataSmResp, Event, InterfaceVersion, Pdu, Session, SessionConfig, SubmitSmResp,
};

use super::action::{self, Asked};
use super::answer::{status_of, status_of_bind, write_id};
use super::deliver::{Deliveries, outcome_of};
use super::requests::{Reply, Request};
use crate::sessions::{Action, Attempt, Counts, Denied, Dialogue, NotSent, Sent, SessionLimits, SessionSettings, Turn};

/// The largest window of an account.
const WINDOW_MAX: usize = 1000;
/// For the answer to a bind, an unbind, or what was accepted, when a session ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a session of SMPP keeps beside its session.
pub(crate) struct SmppDialogue {
    /// The name that binds are answered with.
    system_id: String,
    mode: BindMode,
    deliveries: Deliveries,
    id: String,
}

impl Dialogue for SmppDialogue {
    const PROTOCOL: SessionProtocol = SessionProtocol::Smpp;
    const OK: CommandStatus = CommandStatus::ROK;
    type Wire = Session;
    type Login = SmppLogin;
    type Asked = Asked;
    type Request = (u32, bool, Request);
    type Reply = (u32, Reply);
    type Refused = (u32, Pdu<'static>, CommandStatus);
    type Status = CommandStatus;
    type Common = ();

    fn open(settings: &SessionSettings, (): &()) -> Result<(Self, Session), String> {
        let config = session_config(&settings.limits);
        let session = Session::server(config, Duration::ZERO).map_err(|error| error.to_string())?;
        let dialogue = Self {
            system_id: settings.name.clone(),
            mode: BindMode::Transceiver,
            deliveries: Deliveries::default(),
            id: String::new(),
        };
        Ok((dialogue, session))
    }

    fn login_of(account: &Account) -> Option<&SmppLogin> {
        account.smpp.as_deref()
    }

    fn hear(&mut self, session: &mut Session, turn: &Turn<'_, Self>) -> Option<Action<Self>> {
        let short = !session.with_tlvs();
        Some(match (session.next_event(turn.now)?, turn.login) {
            (Event::Request { sequence, pdu }, Some(login)) => {
                action::requested((sequence, short), &pdu, login, turn.clock)
            }
            (Event::BindRequest { mode, bind }, _) => {
                self.mode = mode;
                Action::Login(turn.gate.admit(attempt(mode, &bind), turn.peer))
            }
            (Event::Response { token, status, .. } | Event::Nacked { token, status }, _) => {
                Action::Delivered(token, Some(status))
            }
            (Event::TimedOut { token }, _) => Action::Delivered(token, None),
            (Event::Closed(reason), _) => Action::Closed(reason.to_string()),
            (Event::Malformed { id, error, .. }, _) => {
                tracing::debug!(remote = %turn.peer.remote, %id, %error, "a client sent what can't be read");
                Action::Nothing
            }
            _ => Action::Nothing,
        })
    }

    fn accept(&mut self, session: &mut Session, _: &Caller, now: Duration) -> Result<(), String> {
        session.accept_bind(self.system_id.as_bytes(), now).map(drop).map_err(|error| error.to_string())
    }

    fn deny(&mut self, session: &mut Session, denied: Denied, now: Duration) {
        let status = match denied {
            Denied::Wrong(denied) => status_of_bind(denied),
            // Not ESME_RALYBND where there are too many: some clients take that for a success.
            Denied::LockedOut | Denied::TooMany => CommandStatus::RBINDFAIL,
            Denied::Away => CommandStatus::RSYSERR,
        };
        // A bind is waiting, so that it can be refused.
        let _ = session.refuse_bind(status, now);
    }

    fn can_receive(&self) -> bool {
        self.mode.can_receive()
    }

    fn answer(
        &mut self,
        session: &mut Session,
        Asked { sequence, data_sm }: &Asked,
        result: &Result<MessageId, Refusal>,
        login: &SmppLogin,
        now: Duration,
    ) -> CommandStatus {
        self.id.clear();
        let status = match result {
            Ok(id) => {
                write_id(*id, login.message_id, !session.with_tlvs(), &mut self.id);
                CommandStatus::ROK
            }
            Err(refusal) => status_of(refusal),
        };
        let message_id = self.id.as_bytes();
        let _ = if *data_sm {
            session.respond(*sequence, status, &DataSmResp { message_id, ..Default::default() }, now)
        } else {
            session.respond(*sequence, status, &SubmitSmResp { message_id, ..Default::default() }, now)
        };
        status
    }

    async fn perform(
        (sequence, short, request): Self::Request,
        engine: Engine,
        caller: Arc<Caller>,
        login: SmppLogin,
    ) -> Self::Reply {
        (sequence, request.answer(&engine, &caller, &login, short).await)
    }

    fn reply(&mut self, session: &mut Session, (sequence, reply): Self::Reply, now: Duration) {
        reply.send(sequence, session, now);
    }

    fn refuse(
        &mut self,
        session: &mut Session,
        (sequence, pdu, status): Self::Refused,
        now: Duration,
    ) -> CommandStatus {
        // A session that has ended takes no answer, and needs none.
        let _ = session.respond(sequence, status, &pdu, now);
        status
    }

    fn deliver(
        &mut self,
        session: &mut Session,
        delivery: &Delivery,
        login: &SmppLogin,
        token: u64,
        now: Duration,
    ) -> Result<Sent, NotSent> {
        let sent = self.deliveries.send(delivery, login, session, token, now);
        sent.map(|operations| Sent { operations, more: false })
    }

    fn outcome(status: CommandStatus) -> CallResult {
        outcome_of(status)
    }

    fn count(session: &mut Session, counts: &mut Counts) {
        for pdus in session.take_pdu_counts() {
            let status = if pdus.id.is_response() { Self::word(pdus.status) } else { "" };
            counts.add(pdus.incoming, pdus.id.name().unwrap_or("unknown"), status, pdus.count);
        }
    }

    /// Numbers without a name, which clients may choose freely, share one.
    fn word(status: CommandStatus) -> &'static str {
        status.name().unwrap_or("other")
    }

    fn number(status: CommandStatus) -> u32 {
        status.0
    }

    fn named(asked: &Asked) -> (&'static str, u32) {
        (if asked.data_sm { "data_sm" } else { "submit_sm" }, asked.sequence)
    }
}

fn attempt<'a>(mode: BindMode, bind: &Bind<'a>) -> Attempt<'a> {
    Attempt {
        name: bind.system_id,
        password: bind.password,
        system_type: bind.system_type,
        mode: match mode {
            BindMode::Transmitter => "transmitter",
            BindMode::Receiver => "receiver",
            BindMode::Transceiver => "transceiver",
        },
        version: Some(version_word(bind.interface_version, mode)),
    }
}

fn version_word(version: InterfaceVersion, mode: BindMode) -> &'static str {
    if version >= InterfaceVersion::V5_0 {
        "5.0"
    } else if version.has_tlvs() || mode == BindMode::Transceiver {
        "3.4"
    } else {
        "3.3"
    }
}

fn session_config(limits: &SessionLimits) -> SessionConfig {
    SessionConfig {
        version: InterfaceVersion::V5_0,
        window: WINDOW_MAX,
        response_timeout: limits.response_timeout,
        bind_timeout: limits.login_timeout,
        enquire_interval: Some(limits.enquire_interval),
        enquire_timeout: Some(limits.enquire_interval),
        inactivity_timeout: limits.inactivity_timeout,
        drain_timeout: DRAIN_TIMEOUT,
        max_pdu: limits.frame_octets,
        // The loop stops reading before that.
        max_unanswered: usize::MAX,
        ..SessionConfig::default()
    }
}
