//! One session of a load: it submits as the window allows, and answers what it is sent. A turn of its
//! loop deals with all that has come and writes once.

use std::io::Write as _;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use simulator::step;
use smpp::{
    Address, BindMode, ClientConfig, CloseReason, CommandStatus, DeliverSm, DeliverSmResp, Event, MessageType, Npi,
    Pdu, RegisteredDelivery, Session, SessionConfig, SubmitSm, Tag, Ton,
};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::ledger::Receipt;
use super::load::{Load, Turn};

/// Octets read at a time.
const READ_SIZE: usize = 64 * 1024;
/// For the end of a session.
const END: Duration = Duration::from_secs(10);
/// Values of message_state, and one for receipts without.
const STATES: usize = 11;

/// A bound session.
pub struct Link {
    stream: TcpStream,
    session: Session,
    began: Instant,
    buffer: Vec<u8>,
    account: usize,
    /// deliver_sm to be answered in this turn.
    to_answer: Vec<u32>,
    text: Vec<u8>,
    number: Vec<u8>,
    seen: Seen,
    closed: Option<CloseReason>,
}

/// What a session has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// From each submission to its answer, in microseconds.
    pub answers: Vec<u32>,
    /// From each submission to its first receipt.
    pub receipts: Vec<u32>,
    /// Receipts by their state.
    states: [u64; STATES],
    /// Messages from phones, and notifications that are not final.
    pub others: u64,
    /// Why it ended, if that was not our doing.
    pub ended: Option<String>,
}

impl Link {
    /// Binds as a transceiver. `account` is the number of its ledger.
    pub async fn bind(
        address: &str,
        (account, system_id): (usize, &str),
        password: &str,
        window: u16,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        let config = ClientConfig {
            mode: BindMode::Transceiver,
            system_id: system_id.as_bytes().to_vec(),
            password: password.as_bytes().to_vec(),
            session: SessionConfig {
                window: window.into(),
                response_timeout: patience,
                max_unanswered: usize::MAX,
                ..SessionConfig::default()
            },
            ..ClientConfig::default()
        };
        let session = Session::client(config, Duration::ZERO)?;
        let mut link = Self {
            stream,
            session,
            began: Instant::now(),
            buffer: vec![0; READ_SIZE],
            account,
            to_answer: Vec::new(),
            text: Vec::new(),
            number: Vec::new(),
            seen: Seen::default(),
            closed: None,
        };
        loop {
            match link.session.next_event(link.began.elapsed()) {
                Some(Event::Bound { .. }) => return Ok(link),
                Some(Event::Closed(reason)) => anyhow::bail!("{system_id} is not bound: {reason}"),
                Some(_) => {}
                None => link.step(None).await,
            }
        }
    }

    /// Submits what `load` has, and takes what comes, until it is told to stop or the session ends.
    pub async fn run(mut self, load: &Load, mut stop: watch::Receiver<bool>) -> Seen {
        let stopped = {
            let mut traffic = pin!(self.traffic(load));
            tokio::select! {
                () = &mut traffic => false,
                _ = stop.wait_for(|stop| *stop) => true,
            }
        };
        if stopped {
            self.session.unbind(self.began.elapsed());
            // A peer that does not even read is left alone.
            let _ = tokio::time::timeout(END, self.traffic(load)).await;
        }
        load.unanswered(self.session.drain_outstanding().count() as u64);
        for (state, count) in (0u32..).zip(self.seen.states).filter(|(_, count)| *count > 0) {
            load.states((state as usize + 1 < STATES).then_some(state), count);
        }
        self.seen.ended = self.closed.filter(|_| !stopped).map(|reason| reason.to_string());
        self.seen
    }

    /// Goes on until the session has ended. It can be dropped at any time and begun again.
    async fn traffic(&mut self, load: &Load) {
        loop {
            let (now, clock) = (self.began.elapsed(), load.now());
            self.read_events(load, now, clock);
            for sequence in self.to_answer.drain(..) {
                // A session that has ended takes no answers, and needs none.
                let _ = self.session.respond(sequence, CommandStatus::ROK, &DeliverSmResp::default(), now);
            }
            let next = self.submit(load, now, clock);
            if self.closed.is_some() && self.session.output().is_empty() {
                return;
            }
            self.step(next.map(|at| Duration::from_micros((at - clock).into()))).await;
        }
    }

    fn read_events(&mut self, load: &Load, now: Duration, clock: u32) {
        let mut ledger = load.ledger(self.account);
        let Self { session, seen, to_answer, closed, .. } = self;
        while let Some(event) = session.next_event(now) {
            match event {
                Event::Response { token, status, pdu } => {
                    let sent = token as u32;
                    seen.answers.push(clock.saturating_sub(sent));
                    load.answered(status, clock);
                    if let Pdu::SubmitSmResp(answer) = pdu
                        && status.is_ok()
                        && let Some(age) = ledger.answered(answer.message_id, sent)
                    {
                        load.receipt(Receipt::First(age), clock);
                        seen.receipts.push(age);
                    }
                }
                Event::Nacked { status, .. } => load.answered(status, clock),
                Event::TimedOut { .. } => load.unanswered(1),
                Event::Request { sequence, pdu } => {
                    to_answer.push(sequence);
                    let Pdu::DeliverSm(deliver) = pdu else { continue };
                    let Some(id) = receipt_of(&deliver) else {
                        seen.others += 1;
                        continue;
                    };
                    let state = deliver.tlvs.integer(Tag::MESSAGE_STATE).map_or(STATES, |state| state as usize);
                    seen.states[state.min(STATES - 1)] += 1;
                    let receipt = ledger.receipt(&id, clock);
                    load.receipt(receipt, clock);
                    if let Receipt::First(age) = receipt {
                        seen.receipts.push(age);
                    }
                }
                Event::Closed(reason) => *closed = Some(reason),
                _ => {}
            }
        }
    }

    /// Submits what there is room for. The answer is when there is more, if that depends on the clock.
    fn submit(&mut self, load: &Load, now: Duration, clock: u32) -> Option<u32> {
        while self.session.window_room() > 0 && !self.session.output_is_full() {
            let (n, due) = match load.take(clock) {
                Turn::Now(n, due) => (n, due),
                Turn::At(at) => return Some(at),
                Turn::Over => return None,
            };
            self.text.clear();
            self.number.clear();
            // Writing to a Vec does not fail.
            let _ = write!(self.text, "Your one-time code is {n:08}");
            let _ = write!(self.number, "{}", super::super::dialect::number(n));
            let message = SubmitSm {
                source: Address::new(Ton::UNKNOWN, Npi::UNKNOWN, b"12345"),
                destination: Address::international(&self.number),
                registered_delivery: if load.receipts { RegisteredDelivery::ALWAYS } else { RegisteredDelivery::NONE },
                short_message: &self.text,
                ..SubmitSm::default()
            };
            if self.session.submit(&message, due.into(), now).is_err() {
                // There is room, so the session has just ended.
                load.unanswered(1);
            }
        }
        None
    }

    /// Writes and reads once, and waits for that no longer than `most` or until a timer is due.
    async fn step(&mut self, most: Option<Duration>) {
        let now = self.began.elapsed();
        let timer = self.session.next_deadline().map(|at| at.saturating_sub(now));
        let wait = [timer, most].into_iter().flatten().min().unwrap_or(Duration::from_secs(1));
        let input = (!self.session.output_is_full()).then_some(&mut self.buffer[..]);
        let done = tokio::time::timeout(wait, step(&mut self.stream, self.session.output(), input)).await;
        match done {
            Err(_) => {}
            Ok(Err(_)) => {
                self.session.transport_closed();
                self.session.consume_output(self.session.output().len());
            }
            Ok(Ok(done)) => {
                self.session.consume_output(done.written);
                match done.read {
                    None => {}
                    Some(0) => self.session.transport_closed(),
                    Some(read) => {
                        let taken = self.session.receive(&self.buffer[..read], self.began.elapsed());
                        debug_assert!(taken == read, "all complete PDUs were taken out before");
                    }
                }
            }
        }
    }
}

/// The message that a final receipt is for; `None` if it is no such receipt.
fn receipt_of<'a>(deliver: &DeliverSm<'a>) -> Option<std::borrow::Cow<'a, [u8]>> {
    if deliver.message_type() != MessageType::Receipt {
        return None;
    }
    if let Some(id) = deliver.tlvs.get(Tag::RECEIPTED_MESSAGE_ID) {
        return Some(id.text().into());
    }
    let id = sms::receipt::parse(deliver.user_data())?.id?;
    Some(id.into_owned().into_bytes().into())
}
