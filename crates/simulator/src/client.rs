//! A client that loads an SMSC: binds, submits as fast as the window (or a rate) allows, and counts
//! answers and receipts.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smpp::{
    Address, BindMode, ClientConfig, CloseReason, CommandStatus, ConfigError, DeliverSmResp, Event, InterfaceVersion,
    MessageType, Npi, Pdu, RegisteredDelivery, Session, SessionConfig, SubmitError, SubmitSm, Ton,
};
use tokio::net::TcpStream;

use crate::id::write_digits;
use crate::latency::Latencies;
use crate::wire;

/// Octets read at a time.
const READ_SIZE: usize = 64 * 1024;

/// What to load with.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// The SMSC.
    pub address: SocketAddr,
    /// Who binds.
    pub system_id: String,
    /// Its password.
    pub password: String,
    /// The version that it binds with; before 3.4 as a transmitter, without receipts.
    pub version: InterfaceVersion,
    /// Submissions that may be unanswered.
    pub window: usize,
    /// How many messages are submitted.
    pub messages: u64,
    /// The number of the first: it is part of text and recipient, so loads at the same time differ.
    pub first: u64,
    /// Messages a second at the most.
    pub rate: Option<u32>,
    /// The sender, a name.
    pub source: String,
    /// The beginning of the recipients; nine digits follow.
    pub destination: String,
    /// The beginning of the texts, in ASCII; the message's number follows.
    pub text: String,
    /// Whether receipts are asked for.
    pub receipts: bool,
    /// How long to wait for another receipt after the last one.
    pub patience: Duration,
}

impl LoadSettings {
    /// 1,000 messages with receipts over a window of 100.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            system_id: "load".into(),
            password: "secret".into(),
            version: InterfaceVersion::V3_4,
            window: 100,
            messages: 1000,
            first: 0,
            rate: None,
            source: "LOAD".into(),
            destination: "4477".into(),
            text: "load message number".into(),
            receipts: true,
            patience: Duration::from_secs(10),
        }
    }
}

/// How it went.
#[derive(Clone, Debug, Default)]
pub struct LoadReport {
    /// Messages that were submitted.
    pub submitted: u64,
    /// Messages that were accepted.
    pub accepted: u64,
    /// Messages that were refused, throttled ones too.
    pub refused: u64,
    /// Messages that were refused with ESME_RTHROTTLED or ESME_RMSGQFUL.
    pub throttled: u64,
    /// Messages that were not answered.
    pub unanswered: u64,
    /// Receipts that came.
    pub receipts: u64,
    /// Other messages that came.
    pub incoming: u64,
    /// From the first submission to the last answer.
    pub submitting: Duration,
    /// From the first submission to the last receipt.
    pub whole: Duration,
    /// From submissions to their answers.
    pub latencies: Latencies,
    /// Why the session ended before everything was done.
    pub ended: Option<CloseReason>,
}

/// A load that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The settings can't work.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// A message can't be sent as the settings have it.
    #[error("the message can't be sent: {0}")]
    Message(SubmitError),
    /// The SMSC can't be reached, or the connection broke before the bind.
    #[error("no connection: {0}")]
    Connection(#[from] io::Error),
    /// The SMSC did not let us in.
    #[error("not bound: {0}")]
    NotBound(CloseReason),
}

/// Runs a load over one session.
///
/// # Errors
/// When it could not begin. A session that ends early is told in the report.
pub async fn load(settings: &LoadSettings) -> Result<LoadReport, LoadError> {
    let mut stream = TcpStream::connect(settings.address).await?;
    stream.set_nodelay(true)?;
    let mut run = Run::new(settings)?;
    let mut buffer = vec![0; READ_SIZE];
    loop {
        let now = run.now();
        run.turn(now)?;
        if let Some(reason) = run.closed {
            if !run.was_bound {
                return Err(LoadError::NotBound(reason));
            }
            run.report.ended = Some(reason).filter(|reason| *reason != CloseReason::WeUnbound);
            run.report.unanswered += run.session.drain_outstanding().count() as u64;
            return Ok(run.report);
        }
        let deadline = run.deadline(now);
        let input = (!run.session.output_is_full()).then_some(&mut buffer[..]);
        tokio::select! {
            step = wire::step(&mut stream, run.session.output(), input) => match step {
                Ok(step) => {
                    run.session.consume_output(step.written);
                    match step.read {
                        None => {}
                        Some(0) => run.session.transport_closed(),
                        Some(read) => {
                            let taken = run.session.receive(&buffer[..read], run.now());
                            debug_assert!(taken == read, "all complete PDUs were taken out before");
                        }
                    }
                }
                Err(_) => run.session.transport_closed(),
            },
            () = tokio::time::sleep(deadline.saturating_sub(now)) => {}
        }
    }
}

struct Run<'s> {
    settings: &'s LoadSettings,
    began: Instant,
    session: Session,
    was_bound: bool,
    /// When the first message was submitted.
    first_submit: Option<Duration>,
    last_receipt: Duration,
    /// When each unanswered submission was sent, by token.
    sent: Vec<Duration>,
    free: Vec<u64>,
    to_answer: Vec<u32>,
    text: Vec<u8>,
    destination: Vec<u8>,
    report: LoadReport,
    closed: Option<CloseReason>,
}

impl<'s> Run<'s> {
    fn new(settings: &'s LoadSettings) -> Result<Self, LoadError> {
        let with_receipts = settings.version.has_tlvs();
        let config = ClientConfig {
            mode: if with_receipts { BindMode::Transceiver } else { BindMode::Transmitter },
            system_id: settings.system_id.clone().into_bytes(),
            password: settings.password.clone().into_bytes(),
            session: SessionConfig {
                version: settings.version,
                window: settings.window,
                max_unanswered: usize::MAX,
                ..SessionConfig::default()
            },
            ..ClientConfig::default()
        };
        Ok(Self {
            settings,
            began: Instant::now(),
            session: Session::client(config, Duration::ZERO)?,
            was_bound: false,
            first_submit: None,
            last_receipt: Duration::ZERO,
            sent: vec![Duration::ZERO; settings.window],
            free: (0..settings.window as u64).rev().collect(),
            to_answer: Vec::new(),
            text: Vec::new(),
            destination: Vec::new(),
            report: LoadReport::default(),
            closed: None,
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn turn(&mut self, now: Duration) -> Result<(), LoadError> {
        self.read_events(now);
        for sequence in self.to_answer.drain(..) {
            // A session that has ended takes no answers, and needs none.
            let _ = self.session.respond(sequence, CommandStatus::ROK, &DeliverSmResp::default(), now);
        }
        self.submit(now)?;
        if self.is_done(now) {
            self.session.unbind(now);
            self.read_events(now);
        }
        Ok(())
    }

    fn read_events(&mut self, now: Duration) {
        while let Some(event) = self.session.next_event(now) {
            match event {
                Event::Bound { .. } => self.was_bound = true,
                Event::Response { token, status, .. } | Event::Nacked { token, status } => {
                    let began = self.first_submit.unwrap_or_default();
                    if let Some(sent) = self.sent.get(token as usize) {
                        self.report.latencies.add(now.saturating_sub(*sent));
                    }
                    self.free.push(token);
                    self.report.submitting = now.saturating_sub(began);
                    match status {
                        CommandStatus::ROK => self.report.accepted += 1,
                        status => {
                            let busy = [CommandStatus::RTHROTTLED, CommandStatus::RMSGQFUL].contains(&status);
                            self.report.refused += 1;
                            self.report.throttled += u64::from(busy);
                        }
                    }
                    self.last_receipt = now;
                }
                Event::TimedOut { token } => {
                    self.free.push(token);
                    self.report.unanswered += 1;
                }
                Event::Request { sequence, pdu: Pdu::DeliverSm(deliver) } => {
                    let receipt = deliver.message_type() == MessageType::Receipt
                        || sms::receipt::looks_like_receipt(deliver.user_data());
                    if receipt {
                        self.report.receipts += 1;
                        self.report.whole = now.saturating_sub(self.first_submit.unwrap_or_default());
                        self.last_receipt = now;
                    } else {
                        self.report.incoming += 1;
                    }
                    self.to_answer.push(sequence);
                }
                Event::Closed(reason) => self.closed = Some(reason),
                _ => {}
            }
        }
    }

    fn submit(&mut self, now: Duration) -> Result<(), LoadError> {
        let allowed = self.allowed(now);
        while self.report.submitted < allowed && self.session.window_room() > 0 && !self.session.output_is_full() {
            let Some(token) = self.free.pop() else { break };
            let number = self.settings.first + self.report.submitted;
            self.text.clear();
            self.text.extend_from_slice(self.settings.text.as_bytes());
            self.text.push(b' ');
            write_digits::<10>(number, 1, &mut self.text);
            self.destination.clear();
            self.destination.extend_from_slice(self.settings.destination.as_bytes());
            write_digits::<10>(number % 1_000_000_000, 9, &mut self.destination);
            let message = SubmitSm {
                source: Address::new(Ton::ALPHANUMERIC, Npi::UNKNOWN, self.settings.source.as_bytes()),
                destination: Address::international(&self.destination),
                registered_delivery: RegisteredDelivery(u8::from(self.settings.receipts)),
                short_message: &self.text,
                ..SubmitSm::default()
            };
            self.session.submit(&message, token, now).map_err(LoadError::Message)?;
            self.first_submit.get_or_insert(now);
            if let Some(sent) = self.sent.get_mut(token as usize) {
                *sent = now;
            }
            self.report.submitted += 1;
        }
        Ok(())
    }

    /// How many messages may have been submitted by now.
    fn allowed(&self, now: Duration) -> u64 {
        match (self.settings.rate, self.first_submit) {
            (Some(rate), Some(began)) => {
                let due = now.saturating_sub(began).as_secs_f64() * f64::from(rate);
                self.settings.messages.min(due as u64 + 1)
            }
            (Some(_), None) => self.settings.messages.min(1),
            (None, _) => self.settings.messages,
        }
    }

    fn is_done(&self, now: Duration) -> bool {
        if !self.session.is_bound() || self.report.submitted < self.settings.messages || self.session.outstanding() > 0
        {
            return false;
        }
        let awaits =
            self.settings.receipts && self.settings.version.has_tlvs() && self.report.receipts < self.report.accepted;
        !awaits || now.saturating_sub(self.last_receipt) >= self.settings.patience
    }

    /// When the next turn is needed if nothing comes.
    fn deadline(&self, now: Duration) -> Duration {
        let session = self.session.next_deadline().unwrap_or(now + self.settings.patience);
        let impatient = Some(self.last_receipt + self.settings.patience).filter(|&at| at > now);
        let mut deadline = session.min(impatient.unwrap_or(session));
        if let Some(rate) = self.settings.rate
            && self.report.submitted < self.settings.messages
            && self.session.window_room() > 0
        {
            deadline = deadline.min(now + Duration::from_secs_f64(1.0 / f64::from(rate.max(1))));
        }
        deadline
    }
}
