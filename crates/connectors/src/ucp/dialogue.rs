//! What is said over a UCP session, and what it means.

use std::sync::Arc;
use std::time::Duration;

use engine::dispatch::{Ask, Inquiry, Job, Told};
use foldhash::{HashMap, HashMapExt};
use model::resources::Connector;
use model::{MessageId, Reason, Timestamp};
use tokio::time::Instant;
use ucp::{Answer, CloseReason, ErrorClass, ErrorCode, Event, Identity, Operation, Session, SubmitError, Trn};

use super::answer::{class, detail};
use super::incoming;
use super::inquiries::Inquiries;
use super::outgoing::Outgoing;
use super::settings::{client_config, connect_timeout, of};
use crate::lasting::Lasting;
use crate::session::{BeginError, Begun, Closed, Dialogue, Leg, Slot, Talk, Unsent};
use crate::transport::{ConnectError, connect};
use crate::verdict::Verdicts;

/// The dialogue of one session.
pub(crate) struct UcpDialogue {
    outgoing: Outgoing,
    verdicts: Verdicts,
    lasting: Arc<Lasting>,
    /// What is unanswered, by ticket, with the recipient as it was written.
    in_flight: HashMap<u64, (MessageId, Box<[u8]>)>,
    inquiries: Inquiries,
    /// What the SMSC's operations are to be answered with, where it insists on more than nothing.
    echoes: HashMap<Trn, Vec<u8>>,
    international_prefix: String,
    echo: bool,
}

impl Dialogue for UcpDialogue {
    type Wire = Session;

    fn new(slot: &Slot, settings: &Connector) -> Self {
        let ucp = of(settings);
        Self {
            outgoing: Outgoing::new(settings),
            verdicts: Verdicts::new(settings),
            lasting: slot.lasting.clone(),
            in_flight: HashMap::new(),
            inquiries: Inquiries::default(),
            echoes: HashMap::new(),
            international_prefix: ucp.international_prefix,
            echo: ucp.echo,
        }
    }

    async fn begin(_: &Slot, settings: &Connector) -> Result<Begun<Session>, BeginError> {
        let at = Instant::now();
        let connecting = connect(&settings.address, settings.tls.as_ref());
        let stream = tokio::time::timeout(connect_timeout(settings), connecting).await;
        let stream = stream.map_err(|_| ConnectError::Timeout(settings.address.clone()))??;
        let session = Session::client(client_config(settings)?, at.elapsed());
        let session = session.map_err(|error| BeginError::Settings(error.to_string()))?;
        Ok(Begun { legs: vec![Leg::new(stream, session)], at })
    }

    fn follow(&mut self, settings: &Connector) {
        let ucp = of(settings);
        self.outgoing = Outgoing::new(settings);
        self.verdicts = Verdicts::new(settings);
        self.international_prefix = ucp.international_prefix;
        self.echo = ucp.echo;
    }

    fn hear(&mut self, _: usize, session: &mut Session, talk: &mut Talk<'_>, now: Duration) {
        let mut at_once: Option<(Trn, Answer<'static>)> = None;
        loop {
            if let Some((trn, answer)) = at_once.take() {
                // A session that is over needs no answers.
                let _ = session.respond(trn, &answer, now);
            }
            let Some(event) = session.next_event(now) else { break };
            match event {
                Event::Response { token, answer, .. } if Inquiries::is_one(token) => {
                    self.inquiries.answered(token, &answer);
                }
                Event::TimedOut { token } if Inquiries::is_one(token) => self.inquiries.timed_out(token),
                Event::Response { token, answer, .. } => self.answered(talk, token, &answer),
                Event::TimedOut { token } => {
                    self.in_flight.remove(&token);
                    talk.timed_out(token);
                }
                Event::Request { trn, operation: Operation::InquiryResponse(message) } => {
                    self.inquiries.told(&message);
                    at_once = Some((trn, Answer::ACK));
                }
                Event::Request { trn, operation: Operation::DeleteResponse(_) } => at_once = Some((trn, Answer::ACK)),
                Event::Request { trn, operation } => {
                    at_once = self.received(talk, trn, &operation).map(|answer| (trn, answer));
                }
                Event::Malformed { error, .. } => {
                    tracing::warn!(connector = %talk.link.link().id(), %error, "the SMSC sent what can't be read");
                }
                Event::Closed(reason) => talk.closed(|| closed(reason)),
                _ => {}
            }
        }
    }

    fn room(&self, session: &Session) -> usize {
        session.window_room()
    }

    fn submit(
        &mut self,
        session: &mut Session,
        job: &Job,
        settings: &Connector,
        _: Timestamp,
        now: Duration,
    ) -> Result<(), Unsent> {
        let operation = self.outgoing.submission(settings, &job.body, (job.part, job.parts));
        match session.request(&operation.map_err(Unsent::Never)?, job.ticket, now) {
            Ok(_) => {
                self.in_flight.insert(job.ticket, (job.body.id, self.outgoing.recipient().into()));
                Ok(())
            }
            Err(SubmitError::Encode(error)) => Err(Unsent::Never(Reason::new("unsendable", error.to_string(), true))),
            Err(_) => Err(Unsent::NotNow),
        }
    }

    fn room_to_ask(&self, _: &Session, settings: &Connector) -> Option<usize> {
        Some(self.inquiries.room(usize::from(settings.window)))
    }

    fn ask(&mut self, session: &mut Session, inquiry: Inquiry, settings: &Connector, now: Duration) {
        if matches!(inquiry.ask, Ask::Replace(_)) && self.lasting.identities.is_shared(&inquiry.remote_id) {
            let detail = "the SMSC has one name for several messages to this phone, of one second";
            return inquiry.answer(Told::Refused(Reason::new("unsendable", detail, true)));
        }
        self.inquiries.send(inquiry, session, (&mut self.outgoing, settings), now);
    }

    fn acknowledge(&mut self, legs: &mut [Leg<Session>], ack: u64, settings: &Connector, now: Duration) {
        let trn = u8::try_from(ack).ok().and_then(Trn::new);
        let (Some(leg), Some(trn)) = (legs.first_mut(), trn) else { return };
        let echo = self.echoes.remove(&trn).unwrap_or_default();
        if let Err(error) = leg.wire.respond(trn, &Answer::ack(&echo), now) {
            // It will come again over the next session, and is known by then.
            tracing::debug!(connector = %settings.id, %error, "an acknowledgement came too late");
        }
    }
}

impl UcpDialogue {
    fn answered(&mut self, talk: &mut Talk<'_>, ticket: u64, answer: &Answer<'_>) {
        let Some((message, recipient)) = self.in_flight.remove(&ticket) else { return };
        let outcome = match answer {
            // Some SMSCs name the originator there: the recipient is known.
            Answer::Ack { .. } => {
                let scts = answer.identity().map(|identity| identity.scts);
                let remote_id = scts.map(|scts| self.lasting.identities.taken(&recipient, scts)).unwrap_or_default();
                self.verdicts.taken(message, remote_id)
            }
            Answer::Nack { code, sm } => self.verdicts.refused(message, code.0.into(), class(*code), detail(*code, sm)),
        };
        talk.settle(ticket, message, outcome);
    }

    /// A message or a notification, which is answered when it is durable; anything else is answered at once.
    fn received(&mut self, talk: &mut Talk<'_>, trn: Trn, operation: &Operation<'_>) -> Option<Answer<'static>> {
        let (incoming, adc, scts) = match operation {
            Operation::Deliver(message) => {
                (incoming::message(message, &self.international_prefix), message.adc, message.scts)
            }
            Operation::Notify(message) => {
                (incoming::notification(message, &self.lasting.identities), message.adc, message.scts)
            }
            Operation::CallInput(call) => (incoming::call(call, &self.international_prefix), call.adc, &b""[..]),
            _ => return Some(Answer::nack(ErrorCode::NOT_SUPPORTED)),
        };
        if self.echo {
            let mut echo = Vec::new();
            // What came in a field fits into one.
            let _ = Identity { adc, scts }.append_to(&mut echo);
            self.echoes.insert(trn, echo);
        }
        talk.receive(incoming, trn.get().into());
        None
    }
}

fn closed(reason: CloseReason) -> Closed {
    let credentials = match reason {
        CloseReason::LoginRefused(code) => code.class_of_login() == ErrorClass::Config,
        _ => false,
    };
    Closed { reason: reason.to_string().into(), credentials }
}
