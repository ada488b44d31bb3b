//! The loop of one session, from the moment when its connections are there to its end.

use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use engine::dispatch::{Desired, LinkEvent, LinkSession, Outcome, SessionState};
use foldhash::{HashMap, HashMapExt};
use model::resources::Connector;
use model::{MessageId, Reason};
use smpp::{CloseReason, CommandStatus, DataSmResp, DeliverSmResp, Event, Pdu, Session, StatusClass, SubmitError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::inquiries::Inquiries;
use super::leg::{Leg, step};
use super::{Answers, Outgoing, Rules, Slot};

/// Facts that may wait for the recorder before the session stops reading and taking.
const UNREPORTED_MAX: usize = 4096;
/// How long the last words, and the last facts, may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a session ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: Box<str>,
    /// The SMSC does not know us: trying again soon makes it worse.
    pub(crate) credentials: bool,
    /// It was asked to end.
    pub(crate) stopped: bool,
    /// Something went over it, or it was bound for a good while.
    pub(crate) useful: bool,
}

/// A session of a connector.
pub(crate) struct Bound<'s> {
    slot: &'s mut Slot,
    engine: Engine,
    link: LinkSession,
    settings: Arc<Connector>,
    legs: Vec<Leg>,
    began: Instant,
    outgoing: Outgoing,
    answers: Answers,
    rules: Rules,
    /// What is unanswered, by ticket.
    in_flight: HashMap<u64, MessageId>,
    inquiries: Inquiries,
    /// Since when every leg is bound.
    bound: Option<Instant>,
    /// Why it is being ended from this side.
    ending: Option<Box<str>>,
    stopped: bool,
    closed: Option<CloseReason>,
    useful: bool,
}

impl<'s> Bound<'s> {
    pub(crate) fn new(slot: &'s mut Slot, settings: Arc<Connector>, legs: Vec<Leg>, began: Instant) -> Self {
        Self {
            engine: slot.engine.clone(),
            link: slot.link.session(),
            outgoing: Outgoing::new(),
            answers: Answers::new(&settings),
            rules: Rules::new(&settings),
            settings,
            legs,
            began,
            slot,
            in_flight: HashMap::new(),
            inquiries: Inquiries::default(),
            bound: None,
            ending: None,
            stopped: false,
            closed: None,
            useful: false,
        }
    }

    /// Runs until the session is over and nothing of it is left.
    pub(crate) async fn run(mut self) -> Ended {
        let mut desired = self.slot.desired.clone();
        let mut stop = self.slot.stop.clone();
        loop {
            let now = self.began.elapsed();
            self.follow_settings();
            self.handle_events(now);
            self.note_bound();
            self.end_if_asked(&desired, &stop, now);
            self.inquire(now);
            self.take(now);
            if self.legs.iter().all(|leg| leg.session.is_closed()) {
                break;
            }
            let flowing = self.link.unreported() <= UNREPORTED_MAX;
            let can_take = flowing && self.room() > 0;
            let deadline = self.legs.iter().filter_map(|leg| leg.session.next_deadline()).min();
            let deadline = self.began + deadline.unwrap_or(Duration::from_secs(3600));
            tokio::select! {
                () = step(&mut self.legs, self.began, flowing) => {}
                event = self.link.event(can_take) => if let LinkEvent::Acknowledged(acks) = event {
                    self.acknowledge(acks);
                },
                () = tokio::time::sleep_until(deadline) => {}
                // A sender that is gone means the same as being told to stop.
                _ = desired.changed(), if !self.stopped => {}
                _ = stop.changed(), if !self.stopped => {}
            }
        }
        self.finish().await
    }

    fn follow_settings(&mut self) {
        if self.slot.settings.has_changed().unwrap_or(false) {
            self.settings = self.slot.settings.borrow_and_update().clone();
            self.answers = Answers::new(&self.settings);
            self.rules = Rules::new(&self.settings);
        }
    }

    fn handle_events(&mut self, now: Duration) {
        for index in 0..self.legs.len() {
            // The events borrow the leg, so what they change must be elsewhere.
            let follow_ups = self.settings.query_after_seconds.map(|_| &self.slot.follow_ups);
            let Self { legs, link, answers, rules, in_flight, inquiries, ending, closed, useful, .. } = self;
            let Some(leg) = legs.get_mut(index) else { continue };
            while let Some(event) = leg.session.next_event(now) {
                let (token, verdict) = match event {
                    Event::Response { token, status, pdu } if Inquiries::is_one(token) => {
                        inquiries.answered(token, status, &pdu, rules);
                        continue;
                    }
                    Event::Nacked { token, status } if Inquiries::is_one(token) => {
                        inquiries.nacked(token, status);
                        continue;
                    }
                    Event::TimedOut { token } if Inquiries::is_one(token) => {
                        inquiries.timed_out(token);
                        continue;
                    }
                    Event::Response { token, status, pdu } => {
                        let Some(message) = in_flight.remove(&token) else { continue };
                        let id = match pdu {
                            Pdu::SubmitSmResp(body) => body.message_id,
                            Pdu::DataSmResp(body) => body.message_id,
                            _ => b"",
                        };
                        let verdict = answers.judge(message, status, id);
                        if let (Some(follow_ups), Outcome::Sent { .. }) = (follow_ups, &verdict.outcome) {
                            follow_ups.sent(message);
                        }
                        (token, verdict)
                    }
                    Event::Nacked { token, status } => {
                        let Some(message) = in_flight.remove(&token) else { continue };
                        (token, answers.judge_nack(message, status))
                    }
                    Event::TimedOut { token } => {
                        in_flight.remove(&token);
                        link.settle(token, Outcome::InDoubt);
                        ending.get_or_insert_with(|| "the SMSC did not answer a submission in time".into());
                        continue;
                    }
                    Event::Request { sequence, pdu: Pdu::DeliverSm(deliver) } => {
                        *useful = true;
                        link.receive(rules.read(deliver), ack_number(index, false, sequence));
                        continue;
                    }
                    Event::Request { sequence, pdu: Pdu::DataSm(data) } => {
                        *useful = true;
                        link.receive(rules.read(data), ack_number(index, true, sequence));
                        continue;
                    }
                    Event::Malformed { id, error, .. } => {
                        tracing::warn!(connector = %link.link().id(), %id, %error, "the SMSC sent what can't be read");
                        continue;
                    }
                    Event::Closed(reason) => {
                        closed.get_or_insert(reason);
                        continue;
                    }
                    _ => continue,
                };
                *useful = true;
                link.settle(token, verdict.outcome);
                if verdict.rebind {
                    ending.get_or_insert_with(|| "the SMSC says that the session is not bound".into());
                }
            }
        }
    }

    fn note_bound(&mut self) {
        if self.bound.is_none() && self.legs.iter().all(|leg| leg.session.is_bound()) {
            self.bound = Some(Instant::now());
            self.slot.set_state(SessionState::Bound { since: self.engine.now() });
            tracing::info!(
                connector = %self.settings.id, session = self.slot.number, address = %self.settings.address, "bound"
            );
        }
    }

    /// Begins an orderly end if somebody wants one, or if a part of the session is over.
    fn end_if_asked(&mut self, desired: &watch::Receiver<Desired>, stop: &watch::Receiver<bool>, now: Duration) {
        let unwanted = *desired.borrow() != Desired::Running || *stop.borrow() || stop.has_changed().is_err();
        if unwanted && !self.stopped {
            self.stopped = true;
            self.ending.get_or_insert_with(|| "stopped".into());
        }
        if self.ending.is_some() || self.legs.iter().any(|leg| leg.session.is_closed()) {
            for leg in &mut self.legs {
                leg.session.unbind(now);
            }
            // An unbind may close a session at once; that is an event too.
            self.handle_events(now);
        }
    }

    /// The leg that sends, and how much it can take.
    fn room(&self) -> usize {
        if self.bound.is_none() || self.ending.is_some() || self.legs.iter().any(|leg| !leg.session.is_bound()) {
            return 0;
        }
        let sender = self.legs.first().map(|leg| &leg.session);
        let sender = sender.filter(|session| transmits(session) && !session.output_is_full());
        sender.map_or(0, Session::window_room)
    }

    /// Asks the SMSC what the engine wants to know, before new parts take the window.
    fn inquire(&mut self, now: Duration) {
        let bound = self.bound.is_some() && self.ending.is_none();
        let sender = self.legs.first().filter(|leg| leg.session.is_bound() && transmits(&leg.session));
        self.link.serve_inquiries(bound && sender.is_some());
        let room = self.room().min(self.inquiries.room(usize::from(self.settings.window)));
        let Some(leg) = self.legs.first_mut() else { return };
        for _ in 0..room {
            let Some(inquiry) = self.link.next_inquiry(std::time::Instant::now()) else { break };
            self.inquiries.send(inquiry, &mut leg.session, &self.settings, now);
        }
    }

    fn take(&mut self, now: Duration) {
        let room = self.room();
        if room == 0 || self.link.unreported() > UNREPORTED_MAX {
            return;
        }
        let Some(leg) = self.legs.first_mut() else { return };
        let jobs = self.link.take(room, std::time::Instant::now());
        if jobs.is_empty() {
            return;
        }
        let clock = self.engine.now();
        for job in jobs {
            let submission = self.outgoing.submit_sm(&self.settings, &job.body, (job.part, job.parts), clock);
            let refused = match submission {
                Err(reason) => reason,
                Ok(pdu) => match leg.session.submit(&pdu, job.ticket, now) {
                    Ok(_) => {
                        self.in_flight.insert(job.ticket, job.body.id);
                        continue;
                    }
                    Err(SubmitError::Encode(error)) => Reason::new("unsendable", error.to_string(), true),
                    Err(_) => {
                        self.link.give_back(job.ticket);
                        continue;
                    }
                },
            };
            self.link.settle(job.ticket, Outcome::Refused(refused));
        }
    }

    /// Tells the SMSC what has become durable.
    fn acknowledge(&mut self, acks: Vec<u64>) {
        let now = self.began.elapsed();
        for ack in acks {
            let (index, data_sm, sequence) = ack_parts(ack);
            let Some(leg) = self.legs.get_mut(index) else { continue };
            let answered = if data_sm {
                leg.session.respond(sequence, CommandStatus::ROK, &DataSmResp::default(), now)
            } else {
                leg.session.respond(sequence, CommandStatus::ROK, &DeliverSmResp::default(), now)
            };
            if let Err(error) = answered {
                // It will come again over the next session, and is known by then.
                tracing::debug!(connector = %self.settings.id, %error, "an acknowledgement came too late");
            }
        }
    }

    async fn finish(mut self) -> Ended {
        let began = self.began;
        let legs = &mut self.legs;
        let last_words = async {
            while legs.iter().any(|leg| !leg.is_done()) {
                step(legs, began, false).await;
            }
        };
        // A peer that does not read does not hear them.
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        // If the recorder is stuck, dropping the session leaves the facts to the engine.
        let _ = tokio::time::timeout(LAST_WORDS, self.link.close()).await;
        let reason = match (&self.ending, self.closed) {
            (Some(ending), _) => ending.clone(),
            (None, Some(CloseReason::BindRefused(status))) => refusal(status),
            (None, Some(reason)) => reason.to_string().into(),
            (None, None) => "the connection ended".into(),
        };
        let status = match self.closed {
            Some(CloseReason::BindRefused(status)) => status,
            _ => CommandStatus::ROK,
        };
        let long = self.settings.reconnect.min_ms.max(10_000);
        let lasted = self.bound.is_some_and(|since| since.elapsed() >= Duration::from_millis(long.into()));
        Ended {
            reason,
            credentials: status.class() == StatusClass::Config,
            stopped: self.stopped,
            useful: self.useful || lasted,
        }
    }
}

fn transmits(session: &Session) -> bool {
    session.mode().is_some_and(smpp::BindMode::can_transmit)
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
