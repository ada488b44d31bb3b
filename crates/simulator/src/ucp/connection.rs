//! One connection of a UCP SMSC: the loop round its session.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use ucp::{
    Answer, DeliveryStatus, ErrorCode, Event, NotificationType, Operation, Reason, ServerConfig, Session,
    SessionConfig, ShortMessage, Trn,
};

use super::outbox::{What, send};
use super::settings::UcpSmscSettings;
use super::smsc::Shared;
use super::submission::Submission;
use crate::core::{Answered, Broken, Conversation, Delivery, Name, Outbox, between, converse, one_of, struck};
use crate::counters::Counters;
use crate::directory::Inbox;
use crate::record::Taken;
use crate::settings::{FaultKind, ReceiptsFor};
use crate::timeline::Timeline;

/// An answer that is due later, and what follows from it.
#[derive(Debug)]
struct Reply {
    trn: Trn,
    outcome: Result<Box<[u8]>, ErrorCode>,
    /// A notification, and how long after the answer.
    note: Option<(Duration, Delivery<What>)>,
}

struct Connection {
    shared: Arc<Shared>,
    settings: Arc<UcpSmscSettings>,
    number: u64,
    session: Session,
    account: Box<str>,
    inbox: Arc<Inbox<Delivery<What>>>,
    entered: bool,
    replies: Timeline<Reply>,
    outbox: Outbox<What>,
    counters: Counters,
    taken: Taken<super::UcpSeen>,
    random: fastrand::Rng,
    submits: u64,
    fault: Option<FaultKind>,
}

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) {
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
    let (shared, inbox) = (connection.shared.clone(), connection.inbox.clone());
    converse(&mut connection, stream, &shared, &inbox).await;
}

impl Conversation for Connection {
    type Wire = Session;

    const BROKEN: Broken = Broken { half: b"\x0200/00043/R/51/A//", huge: b"\x0200/99999/O/52/" };

    fn wire(&mut self) -> &mut Session {
        &mut self.session
    }

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
            send(&mut self.outbox, &mut self.session, &mut shared.ledger(), &scts, now, &mut self.counters);
        }
        self.publish();
    }

    fn due(&self) -> Option<Duration> {
        let can_send = self.session.window_room() > 0 && !self.session.output_is_full();
        [self.replies.next(), self.outbox.next().filter(|_| can_send)].into_iter().flatten().min()
    }

    fn fault(&self) -> Option<FaultKind> {
        self.fault
    }

    fn unbind(&mut self, _: Duration) -> bool {
        // Closing is how UCP sessions end.
        false
    }
}

impl Connection {
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
                    Some(submission) if !matches!(operation, Operation::Modify(_)) => {
                        self.submitted(trn, submission, now);
                    }
                    _ => {
                        let asked = Asked::read(&operation);
                        self.asked(trn, asked, now);
                    }
                },
                Event::Response { token, answer, .. } => {
                    let taken = answer.is_ack();
                    self.acknowledged(token, taken, now);
                }
                Event::TimedOut { token } => self.acknowledged(token, false, now),
                _ => {}
            }
        }
    }

    fn acknowledged(&mut self, token: u64, taken: bool, now: Duration) {
        match self.outbox.answered(token, taken, now) {
            Answered::Taken(What::Note { .. }) => self.counters.receipts_acked += 1,
            Answered::Taken(What::Mo(_)) => self.counters.mo_acked += 1,
            Answered::Taken(What::State { .. }) | Answered::Open => {}
            Answered::GivenUp => self.counters.deliveries_refused += 1,
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
        struck(&self.settings.fail, &mut self.random)
    }

    fn take(&mut self, submission: &Submission, now: Duration) -> Name {
        self.counters.accepted += 1;
        let name: Name = (submission.adc.clone(), self.shared.scts(now));
        let waiting = (DeliveryStatus::BUFFERED, Reason(0));
        self.shared.ledger().taken(&name, waiting, self.settings.ledger);
        let identity = [&name.0, &b":"[..], &name.1].concat();
        self.taken.remember(self.settings.memory, &submission.adc, &submission.user_data, || {
            submission.seen(&self.account, self.number, now, &identity)
        });
        name
    }

    /// The notification that the client asked for.
    fn note(&mut self, submission: &Submission, name: &Name) -> Option<(Duration, Delivery<What>)> {
        let outcome = one_of(&self.settings.outcomes, &mut self.random)?;
        let (dst, _) = outcome;
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
        let delay = between(self.settings.receipt_delay, &mut self.random);
        let what = What::Note { name: name.clone(), to: submission.notify.clone(), outcome };
        wanted.then(|| (delay, Delivery::new(what)))
    }

    fn asked(&mut self, trn: Trn, asked: Asked, now: Duration) {
        self.counters.inquiries += 1;
        let refused = self.settings.refuse_inquiries.filter(|_| !matches!(asked, Asked::Other));
        let answer = match asked {
            _ if refused.is_some() => Answer::nack(refused.unwrap_or(ErrorCode::SYSTEM)),
            Asked::Modify { name, submission, ddt } => match self.modify(&name, &submission, &ddt, now) {
                Ok(()) => Answer::ACK,
                Err(code) => Answer::nack(code),
            },
            Asked::State { name, to } => match self.shared.ledger().state(&name) {
                Some(outcome) => {
                    if !self.settings.mute {
                        self.outbox.push(now, now, Delivery::new(What::State { name, to, outcome }));
                    }
                    Answer::ACK
                }
                None => Answer::nack(ErrorCode::NOT_FOUND),
            },
            Asked::Delete { name } => {
                match self.shared.ledger().delete(&name, (DeliveryStatus::NOT_DELIVERED, Reason::OPERATION_BARRED)) {
                    true => {
                        self.counters.canceled += 1;
                        Answer::ACK
                    }
                    false => Answer::nack(ErrorCode::NOT_FOUND),
                }
            }
            Asked::Other => Answer::nack(ErrorCode::NOT_SUPPORTED),
        };
        let answered = self.session.respond(trn, &answer, now);
        debug_assert!(answered.is_ok(), "a request waits for its answer");
    }

    fn modify(&mut self, name: &Name, other: &Submission, ddt: &[u8], now: Duration) -> Result<(), ErrorCode> {
        let not_before = match ddt {
            b"" => None,
            ddt => Some(self.shared.moment(ddt).ok_or(ErrorCode::TIME_PERIOD_INVALID)?),
        };
        if !self.shared.ledger().keep(name, not_before) {
            return Err(ErrorCode::NOT_FOUND);
        }
        self.counters.replaced += 1;
        // What came in this very turn has to be known to be changed.
        self.publish();
        let identity = [&name.0, &b":"[..], &name.1].concat();
        let identity = String::from_utf8_lossy(&identity);
        let other_seen = other.seen(&self.account, self.number, now, &[]);
        let is = |seen: &super::UcpSeen| *seen.identity == *identity;
        self.shared.record().change(is, |seen| seen.replace(other_seen, !other.user_data.is_empty()));
        Ok(())
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
    Modify { name: Name, submission: Box<Submission>, ddt: Box<[u8]> },
    State { name: Name, to: Box<[u8]> },
    Delete { name: Name },
    Other,
}

impl Asked {
    fn read(operation: &Operation<'_>) -> Self {
        let name = |message: &ShortMessage<'_>| (message.adc.into(), message.scts.into());
        match operation {
            Operation::Modify(message) => match Submission::read(operation) {
                Some(submission) => {
                    Self::Modify { name: name(message), submission: submission.into(), ddt: message.ddt.into() }
                }
                None => Self::Other,
            },
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
