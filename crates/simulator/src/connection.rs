//! One connection of the SMSC: the loop round its session.

use std::sync::Arc;
use std::time::Duration;

use smpp::{
    BindMode, CommandStatus, Event, MessageState, Outbind, Pdu, QuerySmResp, Session, SessionConfig, SubmitMultiResp,
};
use sms::receipt::ReceiptState;
use tokio::net::TcpStream;

use crate::core::{Broken, Conversation, converse};
use crate::desk::{Answer, Desk, Submission};
use crate::directory::Inbox;
use crate::outbox::Delivery;
use crate::receipt::write_time;
use crate::settings::{FaultKind, SmscSettings};
use crate::smsc::Shared;

/// What to do about an event, once the event no longer borrows the session.
enum Action {
    Nothing,
    Answer(Answer),
    AcceptBind,
    RefuseBind(CommandStatus),
    Tell { sequence: u32, id: Box<[u8]>, state: Result<ReceiptState, CommandStatus> },
    Fail { sequence: u32, pdu: Pdu<'static>, status: CommandStatus },
    Strike(FaultKind, Option<Answer>),
}

struct Connection {
    shared: Arc<Shared>,
    number: u64,
    session: Session,
    desk: Desk,
    inbox: Arc<Inbox<Delivery>>,
    entered: bool,
    fault: Option<FaultKind>,
    most_unanswered: usize,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64, outbind: Option<(String, String)>) {
    let settings = shared.settings();
    let Ok(session) = Session::server(session_config(&settings), shared.now()) else {
        tracing::error!("the simulator's settings make no session");
        return;
    };
    let desk = Desk::new(shared.clone(), number);
    let inbox = Arc::<Inbox<Delivery>>::default();
    let mut connection =
        Connection { shared, number, session, desk, inbox, entered: false, fault: None, most_unanswered: 0 };
    if let Some((system_id, password)) = outbind {
        let outbind = Outbind { system_id: system_id.as_bytes(), password: password.as_bytes() };
        if let Err(error) = connection.session.outbind(&outbind) {
            tracing::warn!(%error, "the outbind could not be sent");
        }
    }
    let (shared, inbox) = (connection.shared.clone(), connection.inbox.clone());
    converse(&mut connection, stream, &shared, &inbox).await;
}

fn session_config(settings: &SmscSettings) -> SessionConfig {
    SessionConfig {
        version: settings.version,
        window: settings.window.clamp(1, 10_000),
        response_timeout: settings.response_timeout,
        enquire_interval: settings.enquire_interval,
        // What is not answered, on purpose, does not count against the client.
        max_unanswered: usize::MAX,
        ..SessionConfig::default()
    }
}

impl Conversation for Connection {
    type Wire = Session;

    const BROKEN: Broken = Broken {
        half: &[0, 0, 0, 40, 0x80, 0, 0, 4],
        huge: &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
    };

    fn wire(&mut self) -> &mut Session {
        &mut self.session
    }

    fn turn(&mut self, now: Duration) {
        self.desk.settings = self.shared.settings();
        for (at, delivery) in self.inbox.take() {
            self.desk.outbox.push(at, now, delivery);
        }
        while let Some(event) = self.session.next_event(now) {
            let action = match event {
                Event::Request { sequence, pdu } => decide(&mut self.desk, sequence, &pdu, now),
                Event::BindRequest { mode, bind } => {
                    let verdict = judge_bind(&self.desk.settings, bind.system_id, bind.password);
                    self.desk.sends_only = mode == BindMode::Transmitter;
                    self.desk.system_id = String::from_utf8_lossy(bind.system_id).into();
                    verdict.map_or_else(Action::RefuseBind, |()| Action::AcceptBind)
                }
                Event::Response { token, status, .. } | Event::Nacked { token, status } => {
                    self.desk.outbox.answered(token, Some(status), now, &mut self.desk.counters);
                    Action::Nothing
                }
                Event::TimedOut { token } => {
                    self.desk.outbox.answered(token, None, now, &mut self.desk.counters);
                    Action::Nothing
                }
                _ => Action::Nothing,
            };
            self.act(action, now);
            if self.fault.is_some() {
                break;
            }
        }
        if self.fault.is_none() {
            self.desk.send_due(&mut self.session, now);
        }
        self.shared.note_unanswered(self.most_unanswered);
        self.desk.publish();
    }

    fn due(&self) -> Option<Duration> {
        self.desk.next(&self.session)
    }

    fn fault(&self) -> Option<FaultKind> {
        self.fault
    }

    fn unbind(&mut self, now: Duration) -> bool {
        self.session.unbind(now);
        true
    }
}

impl Connection {
    fn act(&mut self, action: Action, now: Duration) {
        self.most_unanswered = self.most_unanswered.max(self.session.unanswered());
        match action {
            Action::Nothing => {}
            Action::Answer(answer) => {
                if self.desk.settings.receipts.before_response {
                    self.desk.send_deliveries(&mut self.session, now);
                }
                self.desk.give(&mut self.session, answer, now);
            }
            Action::AcceptBind => self.accept_bind(now),
            Action::RefuseBind(status) => self.refuse_bind(status, now),
            Action::Fail { sequence, pdu, status } => {
                let answered = self.session.respond(sequence, status, &pdu, now);
                debug_assert!(answered.is_ok(), "a bound session takes an answer without a body");
            }
            Action::Tell { sequence, id, state } => {
                let mut body = QuerySmResp { message_id: &id, ..QuerySmResp::default() };
                let mut date = Vec::new();
                if let Ok(state) = state {
                    body.message_state = MessageState(state.message_state());
                    if state.is_final() {
                        write_time(self.shared.unix_seconds(now), &mut date);
                        body.final_date = &date;
                    }
                }
                let answered = self.session.respond(sequence, state.err().unwrap_or(CommandStatus::ROK), &body, now);
                debug_assert!(answered.is_ok(), "an id that came in a request fits an answer");
            }
            Action::Strike(fault, answer) => {
                self.desk.counters.faults += 1;
                if fault != FaultKind::Unbind {
                    self.fault = Some(fault);
                    return;
                }
                if let Some(answer) = answer {
                    self.desk.give(&mut self.session, answer, now);
                }
                self.session.unbind(now);
            }
        }
    }

    fn accept_bind(&mut self, now: Duration) {
        let inbox = (!self.desk.sends_only).then_some(&self.inbox);
        let max = self.desk.settings.max_binds;
        if !self.shared.directory.enter(&self.desk.system_id, self.number, inbox, max) {
            return self.refuse_bind(CommandStatus::RALYBND, now);
        }
        self.entered = true;
        self.desk.short_ids = !self.session.with_tlvs();
        self.desk.counters.binds += 1;
        let name = self.desk.settings.name.clone();
        if let Err(error) = self.session.accept_bind(name.as_bytes(), now) {
            tracing::warn!(%error, "the bind could not be answered");
        }
    }

    fn refuse_bind(&mut self, status: CommandStatus, now: Duration) {
        self.desk.counters.binds_refused += 1;
        // Only a session without a waiting bind can't be refused, and this one has one.
        let _ = self.session.refuse_bind(status, now);
    }

    /// Keeps what is owed for the client's next connection.
    fn leave(&mut self) {
        self.desk.publish();
        if self.entered {
            self.entered = false;
            let owed = self.desk.outbox.drain();
            self.shared.directory.leave(&self.desk.system_id, self.number, owed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}

fn decide(desk: &mut Desk, sequence: u32, pdu: &Pdu<'_>, now: Duration) -> Action {
    let fail = |pdu, status| Action::Fail { sequence, pdu, status };
    let submission = match pdu {
        Pdu::SubmitSm(pdu) => Submission::of_submit_sm(sequence, pdu),
        Pdu::DataSm(pdu) => Submission::of_data_sm(sequence, pdu),
        Pdu::QuerySm(_) | Pdu::CancelSm(_) | Pdu::ReplaceSm(_) if desk.settings.ignore_inquiries => {
            desk.counters.inquiries += 1;
            return Action::Nothing;
        }
        Pdu::QuerySm(pdu) => return Action::Tell { sequence, id: pdu.message_id.into(), state: desk.query(pdu, now) },
        Pdu::CancelSm(pdu) => return fail(Pdu::CancelSmResp, desk.cancel(pdu, now)),
        Pdu::ReplaceSm(pdu) => return fail(Pdu::ReplaceSmResp, desk.replace(pdu, now)),
        Pdu::SubmitMulti(_) => {
            return fail(Pdu::SubmitMultiResp(SubmitMultiResp::default()), CommandStatus::RSUBMITFAIL);
        }
        Pdu::AlertNotification(_) => return Action::Nothing,
        _ => return fail(Pdu::GenericNack, CommandStatus::RINVCMDID),
    };
    match desk.decide(&submission, now) {
        (answer, Some(fault)) => Action::Strike(fault, answer),
        (Some(answer), None) => Action::Answer(answer),
        (None, None) => Action::Nothing,
    }
}

fn judge_bind(settings: &SmscSettings, system_id: &[u8], password: &[u8]) -> Result<(), CommandStatus> {
    if let Some(status) = settings.refuse_binds {
        return Err(status);
    }
    if settings.system_id.as_ref().is_some_and(|wanted| wanted.as_bytes() != system_id) {
        return Err(CommandStatus::RINVSYSID);
    }
    if settings.password.as_ref().is_some_and(|wanted| wanted.as_bytes() != password) {
        return Err(CommandStatus::RINVPASWD);
    }
    Ok(())
}
