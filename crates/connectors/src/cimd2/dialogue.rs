//! What is said over a CIMD2 session, and what it means.

use std::sync::Arc;
use std::time::Duration;

use cimd2::{ClientConfig, CloseReason, DeliveryRequest, ErrorClass, ErrorCode, Event, Packet, Session, SubmitError};
use engine::Engine;
use engine::dispatch::{Inquiry, Job, SmscAnswer, SmscOutcome};
use foldhash::{HashMap, HashMapExt};
use model::resources::{Cimd2Settings, Connector};
use model::{MessageId, Reason, Timestamp};
use tokio::time::Instant;

use super::answer::{class, detail};
use super::incoming;
use super::inquiries::{DELIVERIES, Inquiries};
use super::outgoing::Outgoing;
use super::preparation::{PREPARING, Preparation};
use super::settings::{client_config, connect_timeout, of};
use crate::lasting::Lasting;
use crate::session::{BeginError, Begun, Closed, Dialogue, Leg, Slot, Talk, Unsent};
use crate::transport::{ConnectError, connect};
use crate::verdict::Verdicts;

/// All messages that wait, and from now on those that come (068).
const DELIVER_ALL: u8 = 2;

/// The dialogue of one session.
pub(crate) struct Cimd2Dialogue {
    settings: Cimd2Settings,
    outgoing: Outgoing,
    verdicts: Verdicts,
    lasting: Arc<Lasting>,
    /// What is unanswered, by ticket, with the recipient as it was written.
    in_flight: HashMap<u64, (MessageId, Box<[u8]>)>,
    inquiries: Inquiries,
    engine: Engine,
    preparation: Preparation,
    /// The account's messages are still to be asked for.
    asks_for_deliveries: bool,
    /// How many requests may be unanswered in fact.
    window: usize,
}

impl Dialogue for Cimd2Dialogue {
    type Wire = Session;

    fn new(slot: &Slot, settings: &Connector) -> Self {
        let cimd2 = of(settings);
        Self {
            outgoing: Outgoing::new(settings),
            verdicts: Verdicts::new(settings),
            lasting: slot.lasting.clone(),
            in_flight: HashMap::new(),
            inquiries: Inquiries::default(),
            engine: slot.engine.clone(),
            preparation: Preparation::new(&cimd2),
            asks_for_deliveries: cimd2.delivery_request,
            window: if slot.lasting.is_window_refused() { 1 } else { settings.window.max(1).into() },
            settings: cimd2,
        }
    }

    async fn begin(slot: &Slot, settings: &Connector) -> Result<Begun<Session>, BeginError> {
        let at = Instant::now();
        let connecting = connect(&settings.address, settings.tls.as_ref());
        let stream = tokio::time::timeout(connect_timeout(settings), connecting).await;
        let stream = stream.map_err(|_| ConnectError::Timeout(settings.address.clone()))??;
        let config: ClientConfig = client_config(settings, slot.number, !slot.lasting.is_window_refused())?;
        let session = Session::client(config, at.elapsed());
        let session = session.map_err(|error| BeginError::Settings(error.to_string()))?;
        Ok(Begun { legs: vec![Leg::new(stream, session)], at })
    }

    fn follow(&mut self, settings: &Connector) {
        self.settings = of(settings);
        self.outgoing = Outgoing::new(settings);
        self.verdicts = Verdicts::new(settings);
    }

    fn hear(&mut self, _: usize, session: &mut Session, talk: &mut Talk<'_>, now: Duration) {
        while let Some(event) = session.next_event(now) {
            match event {
                Event::Greeting { text } => {
                    let text = String::from_utf8_lossy(text);
                    tracing::info!(connector = %talk.link.link().id(), %text, "the SMSC greets");
                }
                Event::Response { token: DELIVERIES, error, .. } => {
                    if !error.is_ok() {
                        tracing::warn!(connector = %talk.link.link().id(), %error, "messages can't be asked for");
                    }
                }
                Event::Response { token: PREPARING, error, packet } => self.preparation.answered(error, &packet),
                Event::TimedOut { token: PREPARING } | Event::Nacked { token: PREPARING } => {
                    self.preparation.unanswered();
                }
                Event::Response { token, error, packet } if Inquiries::is_one(token) => {
                    self.inquiries.answered(token, error, &packet);
                }
                Event::TimedOut { token } | Event::Nacked { token } if Inquiries::is_one(token) => {
                    self.inquiries.timed_out(token);
                }
                Event::Response { token, error, packet } => self.answered(talk, token, error, &packet),
                Event::Nacked { token } => self.not_taken(talk, token),
                Event::TimedOut { token } => {
                    self.in_flight.remove(&token);
                    talk.timed_out(token);
                }
                Event::Request { sequence, packet: Packet::Deliver(message) } => {
                    talk.receive(incoming::message(&message, &self.settings.international_prefix), sequence.into());
                }
                Event::Request { sequence, packet: Packet::StatusReport(report) } => {
                    talk.receive(incoming::report(&report, &self.lasting.identities), sequence.into());
                }
                Event::Request { sequence, .. } => {
                    // A session that is over needs no answers.
                    let _ = session.refuse(sequence, ErrorCode::UNEXPECTED_OPERATION, b"", now);
                }
                Event::Malformed { error, .. } => {
                    tracing::warn!(connector = %talk.link.link().id(), %error, "the SMSC sent what can't be read");
                }
                Event::Broken(error) => {
                    tracing::warn!(connector = %talk.link.link().id(), %error, "the SMSC sent what can't be read");
                }
                Event::Closed(reason) => {
                    if let CloseReason::LoginRefused(ErrorCode::LOGIN_WINDOW | ErrorCode::LOGIN_WINDOWING_DISABLED) =
                        reason
                    {
                        self.lasting.refuse_window();
                    }
                    talk.closed(|| closed(reason));
                }
                Event::LoggedIn | Event::LoginRefused { .. } | Event::LoginRequest { .. } | Event::PeerLoggingOut => {}
            }
        }
        if let Some(answers) = self.preparation.go_on(session, now) {
            self.prepared(talk, answers);
        }
        self.ask_for_deliveries(session, now);
    }

    fn room(&self, session: &Session) -> usize {
        if self.preparation.is_over() { session.window_room() } else { 0 }
    }

    fn submit(
        &mut self,
        session: &mut Session,
        job: &Job,
        settings: &Connector,
        clock: Timestamp,
        now: Duration,
    ) -> Result<(), Unsent> {
        let submission = self.outgoing.submission(settings, &job.body, job.part, clock);
        match session.submit(&submission.map_err(Unsent::Never)?, job.ticket, now) {
            Ok(_) => {
                self.in_flight.insert(job.ticket, (job.body.id, self.outgoing.recipient().into()));
                Ok(())
            }
            Err(SubmitError::Encode(error)) => Err(Unsent::Never(Reason::new("unsendable", error.to_string(), true))),
            Err(_) => Err(Unsent::NotNow),
        }
    }

    fn room_to_ask(&self, _: &Session, _: &Connector) -> Option<usize> {
        Some(self.inquiries.room(self.window))
    }

    fn ask(&mut self, session: &mut Session, inquiry: Inquiry, _: &Connector, now: Duration) {
        let body = inquiry.body.clone();
        // Addresses that can't be written were never sent, and nobody asks about those.
        let _ = self.outgoing.address(body.sent_to());
        self.inquiries.send(inquiry, session, (self.outgoing.recipient(), self.settings.cancel_mode), now);
    }

    fn acknowledge(&mut self, legs: &mut [Leg<Session>], ack: u64, settings: &Connector, now: Duration) {
        let (Some(leg), Ok(sequence)) = (legs.first_mut(), u16::try_from(ack)) else { return };
        if let Err(error) = leg.wire.accept(sequence, now) {
            // It will come again over the next session, and is known by then.
            tracing::debug!(connector = %settings.id, %error, "an acknowledgement came too late");
        }
    }
}

impl Cimd2Dialogue {
    fn answered(&mut self, talk: &mut Talk<'_>, ticket: u64, error: ErrorCode, packet: &Packet<'_>) {
        let Some((message, recipient)) = self.in_flight.remove(&ticket) else { return };
        let outcome = match packet {
            Packet::SubmitResp(answer) if error.is_ok() => {
                // The recipient is known, however the SMSC writes it.
                let remote_id = match answer.timestamp {
                    b"" => "".into(),
                    timestamp => self.lasting.identities.taken(&recipient, timestamp),
                };
                self.verdicts.taken(message, remote_id)
            }
            _ => {
                let detail = detail(error, packet.outcome().1);
                self.verdicts.refused(message, error.0.into(), class(error), detail)
            }
        };
        talk.settle(ticket, message, outcome);
    }

    /// All is answered that was set and asked for.
    fn prepared(&self, talk: &Talk<'_>, answers: Vec<SmscAnswer>) {
        let link = talk.link.link();
        for SmscAnswer { operation, parameter, outcome, .. } in &answers {
            let connector = link.id();
            match outcome {
                SmscOutcome::Is(value) => tracing::debug!(%connector, operation, parameter, value, "the SMSC answers"),
                SmscOutcome::Refused(error) => {
                    tracing::warn!(%connector, operation, parameter, error, "the SMSC refuses a parameter");
                }
                SmscOutcome::Unanswered => {
                    tracing::warn!(%connector, operation, parameter, "the SMSC says nothing of a parameter");
                }
            }
        }
        self.engine.smsc_answered(link, answers);
    }

    /// The SMSC has not taken it, for it could not make out the packet.
    fn not_taken(&mut self, talk: &mut Talk<'_>, ticket: u64) {
        let Some((message, _)) = self.in_flight.remove(&ticket) else { return };
        let error = ErrorCode::SYSTEM_ERROR;
        let detail = "the SMSC answered with nack, and did not take it".to_owned();
        let outcome = self.verdicts.refused(message, error.0.into(), class(error), detail);
        talk.settle(ticket, message, outcome);
    }

    /// Accounts that don't get messages by themselves ask for them, once a session.
    fn ask_for_deliveries(&mut self, session: &mut Session, now: Duration) {
        if !self.asks_for_deliveries
            || !self.preparation.is_over()
            || !session.is_logged_in()
            || session.window_room() == 0
        {
            return;
        }
        let request = DeliveryRequest { mode: Some(DELIVER_ALL), ..DeliveryRequest::default() };
        self.asks_for_deliveries = session.request(&request, DELIVERIES, now).is_err();
    }
}

fn closed(reason: CloseReason) -> Closed {
    let credentials = match reason {
        // The next login says nothing of a window.
        CloseReason::LoginRefused(ErrorCode::LOGIN_WINDOW | ErrorCode::LOGIN_WINDOWING_DISABLED) => false,
        CloseReason::LoginRefused(code) => matches!(code.class(), ErrorClass::Config | ErrorClass::LoginLater),
        _ => false,
    };
    Closed { reason: reason.to_string().into(), credentials }
}
