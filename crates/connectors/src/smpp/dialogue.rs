//! What is said over an SMPP session, and what it means.

use std::time::Duration;

use engine::dispatch::{Inquiry, Job, SessionState};
use foldhash::{HashMap, HashMapExt};
use model::resources::Connector;
use model::{MessageId, Reason, Timestamp};
use smpp::{
    BindMode, CloseReason, CommandStatus, DataSmResp, DeliverSmResp, Event, Pdu, Session, StatusClass, SubmitError,
};
use tokio::time::Instant;

use super::inquiries::Inquiries;
use super::outbind::{Door, Guest};
use super::settings::{bind_timeout, client_config, modes};
use super::{Answers, Outgoing, Rules, Verdict};
use crate::session::{BeginError, Begun, Closed, Dialogue, Leg, Slot, Talk, Unsent};
use crate::transport::{ConnectError, connect};

/// The dialogue of one session. A pair of binds is one with two legs, of which the first sends.
pub(crate) struct SmppDialogue {
    outgoing: Outgoing,
    answers: Answers,
    rules: Rules,
    /// What is unanswered, by ticket.
    in_flight: HashMap<u64, MessageId>,
    inquiries: Inquiries,
}

impl Dialogue for SmppDialogue {
    type Wire = Session;

    fn new(_: &Slot, settings: &Connector) -> Self {
        Self {
            outgoing: Outgoing::new(),
            answers: Answers::new(settings),
            rules: Rules::new(settings),
            in_flight: HashMap::new(),
            inquiries: Inquiries::default(),
        }
    }

    async fn begin(slot: &Slot, settings: &Connector) -> Result<Begun<Session>, BeginError> {
        match &slot.door {
            Some(door) => Ok(let_in(slot, door).await),
            None => connect_all(settings).await,
        }
    }

    fn follow(&mut self, settings: &Connector) {
        self.answers = Answers::new(settings);
        self.rules = Rules::new(settings);
    }

    fn hear(&mut self, leg: usize, session: &mut Session, talk: &mut Talk<'_>, now: Duration) {
        while let Some(event) = session.next_event(now) {
            match event {
                Event::Response { token, status, pdu } if Inquiries::is_one(token) => {
                    self.inquiries.answered(token, status, &pdu, &self.rules);
                }
                Event::Nacked { token, status } if Inquiries::is_one(token) => self.inquiries.nacked(token, status),
                Event::TimedOut { token } if Inquiries::is_one(token) => self.inquiries.timed_out(token),
                Event::Response { token, status, pdu } => {
                    let Some(message) = self.in_flight.remove(&token) else { continue };
                    let id = match pdu {
                        Pdu::SubmitSmResp(body) => body.message_id,
                        Pdu::DataSmResp(body) => body.message_id,
                        _ => b"",
                    };
                    settle(talk, token, message, self.answers.judge(message, status, id));
                }
                Event::Nacked { token, status } => {
                    let Some(message) = self.in_flight.remove(&token) else { continue };
                    settle(talk, token, message, self.answers.judge_nack(message, status));
                }
                Event::TimedOut { token } => {
                    self.in_flight.remove(&token);
                    talk.timed_out(token);
                }
                Event::Request { sequence, pdu: Pdu::DeliverSm(deliver) } => {
                    talk.receive(self.rules.read(deliver), ack_number(leg, false, sequence));
                }
                Event::Request { sequence, pdu: Pdu::DataSm(data) } => {
                    talk.receive(self.rules.read(data), ack_number(leg, true, sequence));
                }
                Event::Malformed { id, error, .. } => {
                    tracing::warn!(connector = %talk.link.link().id(), %id, %error, "the SMSC sent what can't be read");
                }
                Event::Closed(reason) => talk.closed(|| closed(reason)),
                _ => {}
            }
        }
    }

    fn room(&self, session: &Session) -> usize {
        if transmits(session) { session.window_room() } else { 0 }
    }

    fn submit(
        &mut self,
        session: &mut Session,
        job: &Job,
        settings: &Connector,
        clock: Timestamp,
        now: Duration,
    ) -> Result<(), Unsent> {
        let submission = self.outgoing.submit_sm(settings, &job.body, (job.part, job.parts), clock);
        match session.submit(&submission.map_err(Unsent::Never)?, job.ticket, now) {
            Ok(_) => {
                self.in_flight.insert(job.ticket, job.body.id);
                Ok(())
            }
            Err(SubmitError::Encode(error)) => Err(Unsent::Never(Reason::new("unsendable", error.to_string(), true))),
            Err(_) => Err(Unsent::NotNow),
        }
    }

    fn room_to_ask(&self, session: &Session, settings: &Connector) -> Option<usize> {
        transmits(session).then(|| self.inquiries.room(usize::from(settings.window)))
    }

    fn ask(&mut self, session: &mut Session, inquiry: Inquiry, settings: &Connector, now: Duration) {
        self.inquiries.send(inquiry, session, settings, now);
    }

    fn acknowledge(&mut self, legs: &mut [Leg<Session>], ack: u64, settings: &Connector, now: Duration) {
        let (index, data_sm, sequence) = ack_parts(ack);
        let Some(leg) = legs.get_mut(index) else { return };
        let answered = if data_sm {
            leg.wire.respond(sequence, CommandStatus::ROK, &DataSmResp::default(), now)
        } else {
            leg.wire.respond(sequence, CommandStatus::ROK, &DeliverSmResp::default(), now)
        };
        if let Err(error) = answered {
            // It will come again over the next session, and is known by then.
            tracing::debug!(connector = %settings.id, %error, "an acknowledgement came too late");
        }
    }
}

/// Waits until the carrier connects by itself.
async fn let_in(slot: &Slot, door: &Door) -> Begun<Session> {
    let mut sign = door.sign();
    let mut guest = std::pin::pin!(door.guest());
    loop {
        let reason = sign.borrow_and_update().clone();
        slot.set_state(SessionState::Down { reason, retry_at: None });
        tokio::select! {
            Guest { leg, began } = &mut guest => {
                slot.set_state(SessionState::Connecting);
                return Begun { legs: vec![leg], at: began };
            }
            // A door that is being closed ends the slot too.
            Ok(()) = sign.changed() => {}
            else => std::future::pending().await,
        }
    }
}

async fn connect_all(settings: &Connector) -> Result<Begun<Session>, BeginError> {
    let at = Instant::now();
    let timeout = bind_timeout(settings);
    let mut legs = Vec::new();
    for &mode in modes(settings.bind) {
        let connecting = connect(&settings.address, settings.tls.as_ref());
        let stream = tokio::time::timeout(timeout, connecting).await;
        let stream = stream.map_err(|_| ConnectError::Timeout(settings.address.clone()))??;
        let session = Session::client(client_config(settings, mode)?, at.elapsed());
        legs.push(Leg::new(stream, session.map_err(|error| BeginError::Settings(error.to_string()))?));
    }
    Ok(Begun { legs, at })
}

fn settle(talk: &mut Talk<'_>, ticket: u64, message: MessageId, verdict: Verdict) {
    talk.settle(ticket, message, verdict.outcome);
    if verdict.rebind {
        talk.end("the SMSC says that the session is not bound");
    }
}

fn transmits(session: &Session) -> bool {
    session.mode().is_some_and(BindMode::can_transmit)
}

fn closed(reason: CloseReason) -> Closed {
    match reason {
        CloseReason::BindRefused(status) => {
            Closed { reason: refusal(status), credentials: status.class() == StatusClass::Config }
        }
        reason => Closed { reason: reason.to_string().into(), credentials: false },
    }
}

fn refusal(status: CommandStatus) -> Box<str> {
    match status.meaning() {
        Some(meaning) => format!("the bind was refused: {status} ({meaning})").into(),
        None => format!("the bind was refused: {status}").into(),
    }
}

/// One number for a request of the SMSC: its leg, its operation, its sequence number.
fn ack_number(leg: usize, data_sm: bool, sequence: u32) -> u64 {
    u64::from(sequence) | u64::from(data_sm) << 32 | (leg as u64) << 33
}

fn ack_parts(ack: u64) -> (usize, bool, u32) {
    ((ack >> 33) as usize, ack >> 32 & 1 == 1, ack as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_find_their_request() {
        for (leg, data_sm, sequence) in [(0, false, 1), (1, true, u32::MAX), (1, false, 0)] {
            assert_eq!(ack_parts(ack_number(leg, data_sm, sequence)), (leg, data_sm, sequence));
        }
    }
}
