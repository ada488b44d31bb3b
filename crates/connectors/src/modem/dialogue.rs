//! What is said over the line to a modem, and what it means.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use at::{Client, CloseReason, CommandError, Event, Received};
use engine::Engine;
use engine::dispatch::{Inquiry, Job, Link, ModemIncident, ModemView, Outcome, UssdAsk, UssdError, UssdTold};
use foldhash::{HashMap, HashMapExt};
use model::resources::{Connector, SimLimits};
use model::{MessageId, Timestamp};
use tokio::time::Instant;

use super::answer::Answers;
use super::incoming;
use super::line::connect;
use super::meter::{self, Sim};
use super::names::Names;
use super::outgoing::{Outgoing, unsendable};
use super::settings::{client_config, connect_timeout, of};
use crate::session::{BeginError, Begun, Closed, Dialogue, Leg, Slot, Talk, Unsent, Wire};
use crate::transport::ConnectError;

/// Under this number calls are acknowledged, which the modem need not hear of.
const CALL: u64 = u64::MAX;
/// Calls that may wait for the disk.
const CALLS_MAX: usize = 64;

/// The dialogue of one session.
pub(crate) struct ModemDialogue {
    engine: Engine,
    link: Link,
    sim: Arc<Sim>,
    names: Arc<Names>,
    limits: SimLimits,
    /// The IMEI that the modem must have; empty for any.
    imei: String,
    /// The SIM's own number, as it is configured.
    number: String,
    /// The PIN that it may use, hashed.
    pin: Option<i64>,
    outgoing: Outgoing,
    answers: Answers,
    /// What is under way, by ticket.
    in_flight: HashMap<u64, (MessageId, Box<str>)>,
    /// Who asked the network something by USSD.
    asking: Option<UssdAsk>,
    /// Calls that are not on disk yet.
    calls: usize,
}

impl Drop for ModemDialogue {
    fn drop(&mut self) {
        self.engine.modem_is(&self.link, None);
    }
}

impl Dialogue for ModemDialogue {
    type Wire = Client;

    fn new(slot: &Slot, settings: &Connector) -> Self {
        let modem = of(settings);
        let dialogue = Self {
            engine: slot.engine.clone(),
            link: slot.link.clone(),
            sim: slot.modem.sim.clone(),
            names: slot.modem.names.clone(),
            limits: modem.limits,
            pin: pin_of(settings),
            imei: modem.imei,
            number: modem.number,
            outgoing: Outgoing::default(),
            answers: Answers::new(settings),
            in_flight: HashMap::new(),
            asking: None,
            calls: 0,
        };
        dialogue.look_at_limits();
        dialogue
    }

    async fn begin(slot: &Slot, settings: &Connector) -> Result<Begun<Client>, BeginError> {
        catch_up(slot, settings).await?;
        let connecting = connect(settings, &slot.modem);
        let stream = tokio::time::timeout(connect_timeout(settings), connecting).await;
        let stream = stream.map_err(|_| ConnectError::Timeout(settings.address.clone()))??;
        let mut config = client_config(settings)?;
        if is_refused(slot, settings).await? {
            // A wrong PIN costs a try each time, and three cost the SIM.
            config.pin = None;
        }
        let at = Instant::now();
        Ok(Begun { legs: vec![Leg::new(stream, Client::new(config, at.elapsed()))], at })
    }

    fn follow(&mut self, settings: &Connector) {
        let modem = of(settings);
        (self.limits, self.number) = (modem.limits, modem.number);
        self.answers = Answers::new(settings);
        self.look_at_limits();
    }

    fn hear(&mut self, _: usize, client: &mut Client, talk: &mut Talk<'_>, now: Duration) {
        while let Some(event) = client.next_event(now) {
            match event {
                Event::Ready if !self.imei.is_empty() && client.status().imei.as_ref() != Some(&self.imei) => {
                    talk.end("another modem is there: it has another IMEI");
                }
                Event::Ready | Event::Status => self.engine.modem_is(&self.link, Some(view(client.status()))),
                Event::Sent { token, reference } => self.sent(talk, token, reference),
                Event::Refused { token, failure } => self.refused(talk, token, &failure),
                Event::Unsent { token } => {
                    self.in_flight.remove(&token);
                    talk.link.give_back(token);
                }
                Event::InDoubt { token } => {
                    let known = self.in_flight.remove(&token);
                    self.count(known.as_ref().map(|(_, to)| &**to));
                    talk.link.settle(token, Outcome::InDoubt);
                }
                Event::Received { ack, message } => {
                    let incoming = match message {
                        Received::Message(deliver) => incoming::message(&deliver, self.own_number(client)),
                        Received::Report(report) => incoming::report(&report, &self.names),
                    };
                    talk.receive(incoming, ack);
                }
                Event::Unreadable { reason } => {
                    self.engine.modem_incident(&self.link, ModemIncident::Unreadable);
                    tracing::warn!(connector = %self.link.id(), reason, "the modem had something that can't be read");
                }
                Event::Call { from } => self.called(client, talk, from.as_deref()),
                Event::Ussd { answer, .. } => {
                    if let Some(asked) = self.asking.take() {
                        asked.answer(Ok(UssdTold { state: answer.state.as_str(), text: answer.text }));
                    }
                }
                Event::UssdFailed(failure) => {
                    if let Some(asked) = self.asking.take() {
                        asked.answer(Err(UssdError::Failed(failure.to_string())));
                    }
                }
                Event::PinRefused => {
                    tracing::error!(connector = %self.link.id(), "the SIM's PIN is wrong; it is not tried again");
                    if let Some(pin) = self.pin {
                        self.sim.refuse(pin);
                        self.link.refuse_pin(pin);
                    }
                }
                Event::Reset => {
                    self.engine.modem_incident(&self.link, ModemIncident::Reset);
                    tracing::warn!(connector = %self.link.id(), "the modem does not answer, and is reset");
                }
                Event::Closed(reason) => talk.closed(|| closed(&reason)),
            }
        }
        talk.link.serve_ussd(client.is_ready());
        self.ask_network(client, talk, now);
    }

    fn room(&self, client: &Client) -> usize {
        client.room()
    }

    fn submit(
        &mut self,
        client: &mut Client,
        job: &Job,
        settings: &Connector,
        clock: Timestamp,
        now: Duration,
    ) -> Result<(), Unsent> {
        let submit = self.outgoing.submission(settings, &job.body, job.part, clock).map_err(Unsent::Never)?;
        let more = job.part + 1 < job.parts;
        match client.send(&submit, more, job.ticket, now) {
            Ok(()) => {
                self.in_flight.insert(job.ticket, (job.body.id, job.body.sent_to().as_str().into()));
                Ok(())
            }
            Err(CommandError::Unwritable) => Err(Unsent::Never(unsendable(CommandError::Unwritable.to_string()))),
            Err(_) => Err(Unsent::NotNow),
        }
    }

    fn room_to_ask(&self, _: &Client, _: &Connector) -> Option<usize> {
        None
    }

    fn ask(&mut self, _: &mut Client, _: Inquiry, _: &Connector, _: Duration) {}

    fn acknowledge(&mut self, legs: &mut [Leg<Client>], ack: u64, _: &Connector, now: Duration) {
        if ack == CALL {
            self.calls = self.calls.saturating_sub(1);
        } else if let Some(leg) = legs.first_mut() {
            leg.wire.acknowledge(ack, now);
        }
    }
}

impl ModemDialogue {
    /// Asks the network what somebody wants to know.
    fn ask_network(&mut self, client: &mut Client, talk: &mut Talk<'_>, now: Duration) {
        let Some(ask) = talk.link.next_ussd() else { return };
        if self.asking.is_some() {
            return ask.answer(Err(UssdError::Busy(self.link.id().clone())));
        }
        match client.ussd(&ask.code, now) {
            Ok(()) => self.asking = Some(ask),
            Err(CommandError::BadCode) => ask.answer(Err(UssdError::BadCode)),
            Err(_) => ask.answer(Err(UssdError::Busy(self.link.id().clone()))),
        }
    }

    /// The SIM's number, as far as it is known.
    fn own_number<'a>(&'a self, client: &'a Client) -> &'a str {
        let own = Some(&self.number).filter(|number| !number.is_empty());
        own.or(client.status().number.as_ref()).map_or(&**self.link.id(), String::as_str)
    }

    fn called(&mut self, client: &Client, talk: &mut Talk<'_>, from: Option<&str>) {
        self.engine.modem_incident(&self.link, ModemIncident::Call);
        tracing::info!(connector = %self.link.id(), "somebody calls the SIM");
        // While the store is away calls are not kept without end.
        if self.calls < CALLS_MAX {
            self.calls += 1;
            talk.receive(incoming::call(from, self.own_number(client)), CALL);
        }
    }

    fn sent(&mut self, talk: &mut Talk<'_>, token: u64, reference: Option<u8>) {
        let Some((message, to)) = self.in_flight.remove(&token) else { return };
        self.count(Some(&to));
        let now = self.engine.now();
        let remote_id = reference.map(|reference| self.names.given(&to, reference, now)).unwrap_or_default();
        let outcome = self.answers.taken(message, remote_id);
        talk.settle(token, message, outcome);
    }

    fn refused(&mut self, talk: &mut Talk<'_>, token: u64, failure: &at::Failure) {
        let Some((message, _)) = self.in_flight.remove(&token) else { return };
        match self.answers.refused(message, failure) {
            Some(outcome) => talk.settle(token, message, outcome),
            None => talk.link.give_back(token),
        }
    }

    /// A part went out to this number, or may have.
    fn count(&self, to: Option<&str>) {
        if let Some(to) = to.filter(|_| !self.limits.is_none()) {
            self.sim.sent(self.engine.now(), to);
            self.look_at_limits();
        }
    }

    /// Tells the engine while the SIM may send no more.
    fn look_at_limits(&self) {
        let full = self.sim.full(&self.limits, self.engine.now());
        self.link.set_full(full.map(|full| (full.until, full.reason.into())));
    }
}

/// Counts what the SIM has sent before the gateway was started, if that matters.
async fn catch_up(slot: &Slot, settings: &Connector) -> Result<(), BeginError> {
    let limits = of(settings).limits;
    if limits.is_none() || slot.modem.sim.is_caught_up() {
        return Ok(());
    }
    let since = meter::since(&limits, slot.engine.now());
    let sent = slot.engine.sent_over(slot.link.id(), since).await;
    let sent =
        sent.map_err(|error| BeginError::Settings(format!("what the SIM has sent can't be counted: {error}")))?;
    slot.modem.sim.catch_up(sent.into_iter());
    Ok(())
}

/// Was the PIN refused before, now or before the gateway was started?
async fn is_refused(slot: &Slot, settings: &Connector) -> Result<bool, BeginError> {
    let Some(pin) = pin_of(settings) else { return Ok(false) };
    let before = slot.engine.refused_pin(slot.link.id()).await;
    let before =
        before.map_err(|error| BeginError::Settings(format!("whether the PIN is right is not known: {error}")))?;
    Ok(before == Some(pin) || slot.modem.sim.is_refused(pin))
}

fn pin_of(settings: &Connector) -> Option<i64> {
    let pin = of(settings).pin?.reveal().ok()?;
    let mut hasher = DefaultHasher::new();
    pin.hash(&mut hasher);
    Some(hasher.finish().cast_signed())
}

/// What is known of the modem, for people.
fn view(status: &at::Status) -> ModemView {
    let status = status.clone();
    ModemView {
        maker: status.maker,
        model: status.model,
        revision: status.revision,
        imei: status.imei,
        number: status.number,
        operator: status.operator,
        registration: status.registration.as_str(),
        signal_dbm: status.signal_dbm,
        smsc: status.smsc,
        store: status.store,
        pdu_mode: !status.text_mode,
    }
}

fn closed(reason: &CloseReason) -> Closed {
    Closed { reason: reason.to_string().into(), credentials: reason.needs_somebody() }
}

impl Wire for Client {
    fn output(&self) -> &[u8] {
        self.output()
    }

    fn consume_output(&mut self, written: usize) {
        self.consume_output(written);
    }

    fn output_is_full(&self) -> bool {
        false
    }

    fn receive(&mut self, octets: &[u8], _: Duration) -> usize {
        self.receive(octets)
    }

    fn transport_closed(&mut self) {
        self.transport_closed();
    }

    fn is_bound(&self) -> bool {
        self.is_ready()
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.next_deadline()
    }

    fn end(&mut self, now: Duration) {
        self.finish(now);
    }
}
