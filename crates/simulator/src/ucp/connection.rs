//! One connection of a UCP SMSC: the loop round its session.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use ucp::{
    Answer, DeliveryStatus, ErrorCode, Event, NotificationType, Operation, ServerConfig, Session, SessionConfig,
    ShortMessage, Trn,
};

use super::ledger::Name;
use super::outbox::{Delivery, Outbox, What};
use super::settings::UcpSmscSettings;
use super::smsc::Shared;
use super::submission::Submission;
use crate::counters::Counters;
use crate::directory::Inbox;
use crate::record::Taken;
use crate::settings::{FaultKind, ReceiptsFor};
use crate::timeline::Timeline;
use crate::wire;

/// Octets read at a time.
const READ_SIZE: usize = 64 * 1024;

/// An answer that is due later, and what follows from it.
#[derive(Debug)]
struct Reply {
    trn: Trn,
    outcome: Result<Box<[u8]>, ErrorCode>,
    /// A notification, and how long after the answer.
    note: Option<(Duration, Delivery)>,
}

struct Connection {
    shared: Arc<Shared>,
    settings: Arc<UcpSmscSettings>,
    number: u64,
    session: Session,
    account: Box<str>,
    inbox: Arc<Inbox<Delivery>>,
    entered: bool,
    replies: Timeline<Reply>,
    outbox: Outbox,
    counters: Counters,
    taken: Taken<super::UcpSeen>,
    random: fastrand::Rng,
    submits: u64,
    fault: Option<FaultKind>,
}

/// Serves a connection until it ends.
pub(super) async fn serve(mut stream: TcpStream, shared: Arc<Shared>, number: u64) {
    let settings = shared.settings();
    let config = ServerConfig {
        login_required: settings.login_required,
        session: SessionConfig {
            window: settings.window.clamp(1, Trn::COUNT),
            response_timeout: settings.response_timeout,
            ..SessionConfig::default()
        },
    };
    let Ok(session) = Session::server(config, shared.now()) else {
        tracing::error!("the simulator's settings make no session");
        return;
    };
    let mut connection = Connection {
        random: fastrand::Rng::with_seed(settings.seed.wrapping_add(number)),
        settings,
        number,
        session,
        account: Box::default(),
        inbox: Arc::default(),
        entered: false,
        replies: Timeline::new(),
        outbox: Outbox::new(),
        counters: Counters::default(),
        taken: Taken::default(),
        submits: 0,
        fault: None,
        shared,
    };
    connection.run(&mut stream).await;
    connection.leave();
    if let Some(fault) = connection.fault {
        let mut closing = connection.shared.closing();
        tokio::select! {
            () = strike(&mut stream, fault, connection.session.output()) => {}
            _ = closing.changed() => {}
        }
    }
}

impl Connection {
    /// Returns when the connection is to be closed, or a fault strikes it.
    async fn run(&mut self, stream: &mut TcpStream) {
        let mut buffer = vec![0; READ_SIZE];
        let mut closing = self.shared.closing();
        let inbox = self.inbox.clone();
        loop {
            let now = self.shared.now();
            self.turn(now);
            if self.fault.is_some() || (self.session.is_closed() && self.session.output().is_empty()) {
                return;
            }
            let due = [self.session.next_deadline(), self.replies.next(), self.outbox.next(&self.session)];
            let due = due.into_iter().flatten().min();
            // While the output is full the session takes no octets: it reads on when the client does.
            let input = (!self.session.output_is_full()).then_some(&mut buffer[..]);
            tokio::select! {
                step = wire::step(stream, self.session.output(), input) => match step {
                    Ok(step) => {
                        self.session.consume_output(step.written);
                        match step.read {
                            None => {}
                            Some(0) => self.session.transport_closed(),
                            Some(read) => {
                                let taken = self.session.receive(&buffer[..read], self.shared.now());
                                debug_assert!(taken == read, "all complete frames were taken out before");
                            }
                        }
                    }
                    Err(_) => return,
                },
                () = self.shared.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
                () = inbox.news() => {}
                _ = closing.changed() => return,
            }
        }
    }

    /// Deals with everything that has come or become due.
    fn turn(&mut self, now: Duration) {
        self.settings = self.shared.settings();
        for (at, delivery) in self.inbox.take() {
            self.outbox.push(at, now, delivery);
        }
        self.hear(now);
        while let Some(reply) = self.replies.pop(now) {
            self.give(reply, now);
        }
        if self.fault.is_none() && self.session.is_open() {
            let scts = self.shared.scts(now);
            let shared = self.shared.clone();
            self.outbox.send(&mut self.session, &mut shared.ledger(), &scts, now, &mut self.counters);
        }
        self.publish();
    }

    fn hear(&mut self, now: Duration) {
        while self.fault.is_none() {
            let Some(event) = self.session.next_event(now) else { return };
            match event {
                Event::Opened { .. } => self.enter(),
                Event::LoginRequest { login } => {
                    let account: Box<str> = String::from_utf8_lossy(login.oadc).into();
                    let refused = judge(&self.settings, &account, &login.pwd.0.to_vec());
                    self.log_in(account, refused, now);
                }
                Event::Request { trn, operation } => match Submission::read(&operation) {
                    Some(submission) => self.submitted(trn, submission, now),
                    None => {
                        let asked = Asked::read(&operation);
                        self.asked(trn, asked, now);
                    }
                },
                Event::Response { token, answer, .. } => {
                    self.outbox.answered(token, answer.is_ack(), now, &mut self.counters);
                }
                Event::TimedOut { token } => self.outbox.answered(token, false, now, &mut self.counters),
                _ => {}
            }
        }
    }

    fn log_in(&mut self, account: Box<str>, refused: Option<ErrorCode>, now: Duration) {
        let done = match refused {
            None => {
                self.counters.binds += 1;
                self.account = account;
                self.enter();
                self.session.accept_login(b"", now)
            }
            Some(code) => {
                self.counters.binds_refused += 1;
                self.session.refuse_login(code, now)
            }
        };
        debug_assert!(done.is_ok(), "a login waits for its answer");
    }

    fn enter(&mut self) {
        if !self.entered {
            self.entered = self.shared.directory.enter(&self.account, self.number, Some(&self.inbox), None);
        }
    }

    fn submitted(&mut self, trn: Trn, submission: Submission, now: Duration) {
        self.counters.submits += 1;
        self.submits += 1;
        let fault = self.shared.fault(&self.settings, self.submits);
        let dropped = self.random.f64() < self.settings.drop;
        let refused = self.refusal(now);
        let outcome = match refused {
            Some(code) => {
                self.counters.refused += 1;
                Err(code)
            }
            None => Ok(self.take(&submission, now)),
        };
        if let Some(fault) = fault {
            self.counters.faults += 1;
            self.fault = Some(fault);
            return;
        }
        if dropped && outcome.is_ok() {
            self.counters.dropped += 1;
            return;
        }
        let note = outcome.as_ref().ok().and_then(|name| self.note(&submission, name));
        let outcome = outcome.map(|(adc, scts)| [&adc, &b":"[..], &scts].concat().into());
        let jitter = self.settings.resp_jitter.mul_f64(self.random.f64());
        self.replies.push(now + self.settings.resp_delay + jitter, now, Reply { trn, outcome, note });
    }

    fn refusal(&mut self, now: Duration) -> Option<ErrorCode> {
        if self.settings.throttle.is_some_and(|limit| !self.shared.admit(limit, now)) {
            self.counters.throttled += 1;
            return Some(ErrorCode::NOT_ALLOWED);
        }
        let settings = self.settings.clone();
        settings.fail.iter().find(|(_, probability)| self.random.f64() < *probability).map(|(code, _)| *code)
    }

    fn take(&mut self, submission: &Submission, now: Duration) -> Name {
        self.counters.accepted += 1;
        let name: Name = (submission.adc.clone(), self.shared.scts(now));
        self.shared.ledger().taken(&name, self.settings.ledger);
        let identity = [&name.0, &b":"[..], &name.1].concat();
        self.taken.remember(self.settings.memory, &submission.adc, &submission.user_data, || {
            submission.seen(&self.account, self.number, now, &identity)
        });
        name
    }

    /// The notification that the client asked for.
    fn note(&mut self, submission: &Submission, name: &Name) -> Option<(Duration, Delivery)> {
        let total: f64 = self.settings.outcomes.iter().map(|(.., weight)| weight).sum();
        let mut chosen = self.random.f64() * total;
        let (dst, rsn, _) = *self.settings.outcomes.iter().find(|(.., weight)| {
            chosen -= weight;
            chosen < 0.0
        })?;
        let kind = match dst {
            DeliveryStatus::DELIVERED => NotificationType::DELIVERED,
            DeliveryStatus::BUFFERED => NotificationType::BUFFERED,
            _ => NotificationType::NOT_DELIVERED,
        };
        let wanted = match self.settings.receipts {
            ReceiptsFor::Nothing => false,
            ReceiptsFor::Asked => submission.wanted.includes(kind),
            ReceiptsFor::Everything => true,
        };
        let (least, most) = self.settings.receipt_delay;
        let delay = least + most.saturating_sub(least).mul_f64(self.random.f64());
        let what = What::Note { name: name.clone(), to: submission.notify.clone(), outcome: (dst, rsn) };
        wanted.then(|| (delay, Delivery::new(what)))
    }

    fn asked(&mut self, trn: Trn, asked: Asked, now: Duration) {
        self.counters.inquiries += 1;
        let answer = match asked {
            Asked::State { name, to } => match self.shared.ledger().state(&name) {
                Some(outcome) => {
                    if !self.settings.mute {
                        self.outbox.push(now, now, Delivery::new(What::State { name, to, outcome }));
                    }
                    Answer::ACK
                }
                None => Answer::nack(ErrorCode::NOT_FOUND),
            },
            Asked::Delete { name } => match self.shared.ledger().delete(&name) {
                true => {
                    self.counters.canceled += 1;
                    Answer::ACK
                }
                false => Answer::nack(ErrorCode::NOT_FOUND),
            },
            Asked::Other => Answer::nack(ErrorCode::NOT_SUPPORTED),
        };
        let answered = self.session.respond(trn, &answer, now);
        debug_assert!(answered.is_ok(), "a request waits for its answer");
    }

    fn give(&mut self, reply: Reply, now: Duration) {
        let answer = match &reply.outcome {
            Ok(identity) => Answer::ack(identity),
            Err(code) => Answer::nack(*code),
        };
        self.counters.responses += 1;
        // A session that is over needs no answers; what follows is owed all the same.
        let _ = self.session.respond(reply.trn, &answer, now);
        if let Some((delay, note)) = reply.note {
            self.outbox.push(now + delay, now, note);
        }
    }

    fn publish(&mut self) {
        if !self.taken.is_empty() {
            let (new, again) = self.shared.record().add(&mut self.taken);
            self.counters.distinct += new;
            self.counters.duplicates += again;
        }
        self.shared.count(&mut self.counters);
    }

    /// Keeps what is owed for the client's next connection.
    fn leave(&mut self) {
        self.publish();
        if self.entered {
            self.entered = false;
            let mut owed = self.outbox.drain();
            owed.extend(self.replies.drain().filter_map(|(at, reply)| {
                let (delay, note) = reply.note?;
                Some((at + delay, note))
            }));
            self.shared.directory.leave(&self.account, self.number, owed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A question about messages.
enum Asked {
    State { name: Name, to: Box<[u8]> },
    Delete { name: Name },
    Other,
}

impl Asked {
    fn read(operation: &Operation<'_>) -> Self {
        let name = |message: &ShortMessage<'_>| (message.adc.into(), message.scts.into());
        match operation {
            Operation::Inquire(message) => Self::State { name: name(message), to: message.oadc.into() },
            Operation::Delete(message) => Self::Delete { name: name(message) },
            _ => Self::Other,
        }
    }
}

fn judge(settings: &UcpSmscSettings, account: &str, password: &[u8]) -> Option<ErrorCode> {
    if settings.refuse_logins.is_some() {
        return settings.refuse_logins;
    }
    let wrong_name = settings.account.as_ref().is_some_and(|wanted| wanted != account);
    let wrong_password = settings.password.as_ref().is_some_and(|wanted| wanted.as_bytes() != password);
    (wrong_name || wrong_password).then_some(ErrorCode::AUTHENTICATION)
}

/// Breaks the connection. What the session had to say goes out before nonsense does.
async fn strike(stream: &mut TcpStream, fault: FaultKind, output: &[u8]) {
    let nonsense: &[u8] = match fault {
        FaultKind::Close | FaultKind::Unbind => return,
        FaultKind::CloseMidPdu => {
            let cut = output.len().saturating_sub(5);
            let half = if cut == 0 { &b"\x0200/00043/R/51/A//"[..] } else { &output[..cut] };
            let _ = stream.write_all(half).await;
            return;
        }
        FaultKind::Garbage => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        FaultKind::HugeLength => b"\x0200/99999/O/52/",
        FaultKind::Hang => return std::future::pending().await,
    };
    let mut whole = output.to_vec();
    whole.extend_from_slice(nonsense);
    if stream.write_all(&whole).await.is_ok() {
        // It is for the client to close.
        let mut buffer = [0; 4096];
        while let Ok(1..) = tokio::io::AsyncReadExt::read(stream, &mut buffer).await {}
    }
}
