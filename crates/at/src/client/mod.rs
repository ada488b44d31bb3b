//! One session with a modem as a struct without I/O: octets, commands and the time in; octets, events and the
//! next deadline out.

mod body;
mod choose;
mod config;
mod event;
mod hear;
mod inbox;
mod reading;
mod recover;
mod setup;
mod step;
mod text;

use std::collections::VecDeque;
use std::time::Duration;

use sms::tpdu::{Submit, join_smsc};

pub use config::{Calls, ClientConfig, Mode, Pin};
pub use event::{CloseReason, Event, Received, Status};

use crate::hex::to_hex;
use crate::line::Lines;
use inbox::Inbox;
use setup::Setup;
use step::{Outgoing, Running, Step};

/// Messages that wait for the modem; it sends one at a time.
const WAITING_MAX: usize = 2;
/// Longest code that is sent by USSD (3GPP 23.038 §5).
const USSD_MAX: usize = 182;

/// A session with one modem. All times are measured from any one moment of the caller's choice.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    phase: Phase,
    lines: Lines,
    output: Vec<u8>,
    written: usize,
    running: Option<Running>,
    events: VecDeque<Event>,
    status: Status,
    waiting: VecDeque<Outgoing>,
    inbox: Inbox,
    ussd: Ussd,
    call: Option<Call>,
    hang_up: bool,
    /// A message is to follow in the next line, if it comes by then; whether it is a report.
    follows: Option<(bool, Duration)>,
    /// A quoted text that goes on in the next line.
    joining: Option<(String, Duration)>,
    /// The text of a message that is being read, where it may look like anything else.
    body: Option<body::Body>,
    /// What looks like the end of an answer, while more of a text may follow.
    perhaps_over: Option<body::PerhapsOver>,
    /// Until when the SIM, or a network, is waited for.
    patience: Option<Duration>,
    pin_entered: bool,
    /// The network waits for acknowledgements (`+CSMS: 1`).
    acknowledges: bool,
    /// Texts are written in hexadecimal UCS-2.
    ucs2: bool,
    /// Headers of texts tell all there is to tell (`+CSDH: 1`).
    details: bool,
    packed_ussd: bool,
    /// The store that messages come to, and the one that is selected.
    store: Option<String>,
    selected: Option<String>,
    /// Ways of telling of messages that may work, and the one that does.
    indications: Vec<(u8, u8, u8)>,
    indication: Option<(u8, u8, u8)>,
    next_poll: Duration,
    /// The store is to be looked at as soon as can be.
    look_soon: bool,
    next_status: Duration,
    /// Questions about the status that are still to be asked.
    status_steps: Vec<step::Step>,
    /// Not before this the next command is written.
    not_before: Option<Duration>,
    /// Failures in a row that speak of a modem in trouble.
    trouble: u8,
    resets: u8,
    /// The connection has ended.
    ended: bool,
    /// Ready was told.
    told_ready: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Is anybody there? So often it was asked.
    Probing(u8),
    Setup(Setup),
    Waiting {
        until: Duration,
        then: Setup,
    },
    Ready,
    Resetting {
        until: Duration,
    },
    Finishing {
        deadline: Duration,
    },
    Closed,
}

#[derive(Debug, Default)]
enum Ussd {
    #[default]
    Idle,
    Asked(String),
    /// The command is written.
    Asking,
    Waiting {
        deadline: Duration,
    },
    /// It is to be told that nobody waits any more.
    Ending,
}

#[derive(Debug)]
struct Call {
    from: Option<String>,
    rang: Duration,
    /// When it is told of, unless it was.
    tell_at: Option<Duration>,
}

/// A command that can't be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The session is not ready, or has too much to do.
    #[error("the modem is busy")]
    Busy,
    /// It can't be written as this modem wants it.
    #[error("the message can't be written as text, and the modem has no PDU mode")]
    Unwritable,
    /// It is no code.
    #[error("a USSD code has 1 to 182 characters of 0-9 * # + A-Z a-z and space")]
    BadCode,
}

impl Client {
    /// A session over a connection that has just begun.
    #[must_use]
    pub fn new(config: ClientConfig, now: Duration) -> Self {
        Self {
            config,
            phase: Phase::Probing(0),
            lines: Lines::default(),
            output: Vec::new(),
            written: 0,
            running: None,
            events: VecDeque::new(),
            status: Status::default(),
            waiting: VecDeque::new(),
            inbox: Inbox::default(),
            ussd: Ussd::Idle,
            call: None,
            hang_up: false,
            follows: None,
            joining: None,
            body: None,
            perhaps_over: None,
            patience: None,
            pin_entered: false,
            acknowledges: false,
            ucs2: false,
            details: false,
            packed_ussd: false,
            store: None,
            selected: None,
            indications: Vec::new(),
            indication: None,
            next_poll: now,
            look_soon: false,
            next_status: now,
            status_steps: Vec::new(),
            not_before: None,
            trouble: 0,
            resets: 0,
            ended: false,
            told_ready: false,
        }
    }

    /// Hands over octets that were read, and says how many were taken: all, if events are taken out.
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        if self.is_closed() { octets.len() } else { self.lines.fill(octets) }
    }

    /// The connection has ended. Events tell what had come before, then `Closed`.
    pub fn transport_closed(&mut self) {
        self.ended = true;
    }

    /// What happened next. Call it until it gives `None` after each `receive`, and when the deadline has come.
    pub fn next_event(&mut self, now: Duration) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.is_closed() {
                return None;
            }
            let prompt_awaited = self.running.as_ref().is_some_and(Running::awaits_prompt);
            let token = match self.body {
                Some(_) => self.lines.next_of_text(),
                None => self.lines.next(prompt_awaited),
            };
            if let Some(token) = token {
                self.hear(token, now);
            } else if self.ended {
                self.close(CloseReason::Gone);
            } else if !self.look_at_clock(now) && !self.go_on(now) {
                return None;
            }
        }
    }

    /// When `next_event` must be called even if nothing is read.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let phase = match self.phase {
            Phase::Waiting { until, .. } | Phase::Resetting { until } => Some(until),
            Phase::Finishing { deadline } => Some(deadline),
            Phase::Ready => Some(self.next_poll.min(self.next_status)),
            Phase::Probing(_) | Phase::Setup(_) | Phase::Closed => None,
        };
        let running = self.running.as_ref().map(|running| running.deadline);
        let pause = self.not_before.filter(|_| self.running.is_none());
        let ussd = match self.ussd {
            Ussd::Waiting { deadline } => Some(deadline),
            _ => None,
        };
        let call = self.call.as_ref().and_then(|call| call.tell_at);
        let follows = self.follows.map(|(_, until)| until);
        let text = self.body.as_ref().map(|body| body.until);
        let over = self.perhaps_over.as_ref().map(|over| over.until);
        // While a command runs nothing else is begun: a phase that is due waits for it.
        let phase = phase.filter(|_| running.is_none() || matches!(self.phase, Phase::Finishing { .. }));
        let patience = self.lost_patience();
        [phase, running, pause, ussd, call, follows, text, over, patience].into_iter().flatten().min()
    }

    /// Octets to write to the modem. Call [`consume_output`](Self::consume_output) with what was written.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.get(self.written..).unwrap_or_default()
    }

    /// Forgets octets that were written.
    pub fn consume_output(&mut self, written: usize) {
        self.written = self.written.saturating_add(written).min(self.output.len());
        if self.written == self.output.len() {
            self.output.clear();
            self.written = 0;
        }
    }

    /// How many messages may be handed over now.
    #[must_use]
    pub fn room(&self) -> usize {
        let flowing = self.phase == Phase::Ready && self.status.registration.is_registered();
        let under_way = self.running.as_ref().is_some_and(|running| running.outgoing.is_some());
        if flowing { (WAITING_MAX - 1).saturating_sub(self.waiting.len() + usize::from(under_way)) } else { 0 }
    }

    /// Sends a message; its token comes back in one event. `more` says that others follow at once.
    ///
    /// # Errors
    /// When there is no [`room`](Self::room), or it can't be written.
    pub fn send(&mut self, submit: &Submit, more: bool, token: u64, now: Duration) -> Result<(), CommandError> {
        if self.phase != Phase::Ready || self.waiting.len() >= WAITING_MAX {
            return Err(CommandError::Busy);
        }
        let outgoing = if self.status.text_mode {
            let written = text::write(submit, self.ucs2).ok_or(CommandError::Unwritable)?;
            Outgoing {
                token,
                parameters: Some(written.parameters),
                more,
                argument: written.address,
                body: written.body,
            }
        } else {
            let tpdu = submit.encode();
            let argument = tpdu.len().to_string();
            Outgoing { token, parameters: None, more, argument, body: to_hex(&join_smsc(None, &tpdu)) }
        };
        self.waiting.push_back(outgoing);
        self.go_on(now);
        Ok(())
    }

    /// What was received under `ack` is safe: it is deleted from the modem, or acknowledged to the network.
    pub fn acknowledge(&mut self, ack: u64, now: Duration) {
        self.inbox.acknowledge(ack, self.acknowledges);
        self.go_on(now);
    }

    /// Asks the network something by USSD, or answers what it asked.
    ///
    /// # Errors
    /// When something was asked and is not answered, or it is no code.
    pub fn ussd(&mut self, code: &str, now: Duration) -> Result<(), CommandError> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '#' | '+' | ' ');
        if code.is_empty() || code.len() > USSD_MAX || !code.chars().all(good) {
            return Err(CommandError::BadCode);
        }
        if self.phase != Phase::Ready || !matches!(self.ussd, Ussd::Idle) {
            return Err(CommandError::Busy);
        }
        self.ussd = Ussd::Asked(code.to_owned());
        self.go_on(now);
        Ok(())
    }

    /// Ends the session: what is under way is awaited for a while.
    pub fn finish(&mut self, now: Duration) {
        match self.phase {
            Phase::Ready => {
                self.give_back_waiting();
                self.phase = Phase::Finishing { deadline: now.saturating_add(self.config.drain_timeout) };
            }
            Phase::Finishing { .. } | Phase::Closed => {}
            _ => self.close(CloseReason::Finished),
        }
    }

    /// Whether messages may flow: the modem is set up, and was registered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether the session is over. Output may be left to write.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// What is known of the modem.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// A number or text as the modem wants it on its line.
    fn written(&self, text: &str) -> String {
        if self.ucs2 { text::ucs2_hex(text) } else { text.to_owned() }
    }

    fn ready(&mut self, now: Duration) {
        self.phase = Phase::Ready;
        self.next_poll = now;
        self.next_status = now.saturating_add(self.config.status);
        if !self.told_ready {
            self.told_ready = true;
            self.events.push_back(Event::Ready);
        }
        self.events.push_back(Event::Status);
    }

    fn give_back_waiting(&mut self) {
        let waiting = self.waiting.drain(..).map(|outgoing| Event::Unsent { token: outgoing.token });
        self.events.extend(waiting);
    }

    /// What was under way ends without an answer.
    fn give_up_running(&mut self) {
        let Some(outgoing) = self.running.as_mut().and_then(|running| running.outgoing.take()) else {
            return self.running = None;
        };
        let token = outgoing.token;
        let written = self.running.take().is_some_and(|running| running.body_written);
        // As long as the octets are still here they are nowhere else.
        let gone = written && self.output().len() < outgoing.body.len() + 1;
        if !gone {
            self.output.clear();
            self.written = 0;
        }
        self.events.push_back(if gone { Event::InDoubt { token } } else { Event::Unsent { token } });
    }

    fn close(&mut self, reason: CloseReason) {
        if self.phase == Phase::Closed {
            return;
        }
        if self.running.as_ref().is_some_and(|running| running.step == Step::Setup(Setup::Pin)) {
            // Nobody knows whether it was right, and each try counts.
            self.events.push_back(Event::PinRefused);
        }
        self.give_up_running();
        self.give_back_waiting();
        if !matches!(self.ussd, Ussd::Idle) {
            self.ussd = Ussd::Idle;
            self.events.push_back(Event::UssdFailed(crate::Failure::TimedOut));
        }
        self.phase = Phase::Closed;
        self.events.push_back(Event::Closed(reason));
    }
}
