//! One connection of a CIMD2 SMSC: what its session is told.

use std::sync::Arc;
use std::time::Duration;

use cimd2::{
    Answer, DeliveryRequestResp, EnquireStatusResp, ErrorCode, Event, GetResp, Login, Packet, ParameterBuf,
    RespondError, Session, SessionConfig, StatusCode, StatusError, StatusReports, SubmitResp, Tag,
};
use tokio::net::TcpStream;

use super::outbox::{What, is_wanted, send};
use super::settings::Cimd2SmscSettings;
use super::smsc::Shared;
use super::submission::Submission;
use crate::core::{Answered, Broken, Conversation, Delivery, Name, Outbox, between, converse, one_of, struck};
use crate::counters::Counters;
use crate::directory::Inbox;
use crate::record::Taken;
use crate::settings::{FaultKind, ReceiptsFor};
use crate::timeline::Timeline;

/// Requests of a client that may be unanswered, those that never will be among them.
const UNANSWERED_MAX: usize = 10_000;

/// An answer that is due later, and what follows from it.
#[derive(Debug)]
struct Reply {
    sequence: u16,
    outcome: Result<Name, ErrorCode>,
    /// Status reports, and how long after the answer.
    reports: Vec<(Duration, Delivery<What>)>,
}

struct Connection {
    shared: Arc<Shared>,
    settings: Arc<Cimd2SmscSettings>,
    number: u64,
    session: Session,
    user: Box<str>,
    inbox: Arc<Inbox<Delivery<What>>>,
    entered: bool,
    replies: Timeline<Reply>,
    outbox: Outbox<What>,
    /// How many messages and reports the client has asked for, where it must ask.
    asked_for: usize,
    counters: Counters,
    taken: Taken<super::Cimd2Seen>,
    random: fastrand::Rng,
    submits: u64,
    fault: Option<FaultKind>,
}

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) {
    let settings = shared.settings();
    let config = SessionConfig {
        window: settings.window.clamp(1, 127),
        response_timeout: settings.response_timeout,
        send_checksum: settings.checksum,
        max_unanswered: UNANSWERED_MAX,
        ..SessionConfig::default()
    };
    let Ok(mut session) = Session::server(config, shared.now()) else {
        tracing::error!("the simulator's settings make no session");
        return;
    };
    if let Some(greeting) = &settings.greeting {
        let greeted = session.greet(greeting.as_bytes());
        debug_assert!(greeted.is_ok(), "nobody has logged in yet");
    }
    let mut connection = Connection {
        random: fastrand::Rng::with_seed(settings.seed.wrapping_add(number)),
        settings,
        number,
        session,
        user: Box::default(),
        inbox: Arc::default(),
        entered: false,
        replies: Timeline::new(),
        outbox: Outbox::new(),
        asked_for: 0,
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

    const BROKEN: Broken = Broken { half: b"\x0253:001\t021:", huge: b"\x0220:000\t033:" };

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
        if self.fault.is_none() && self.session.is_logged_in() {
            let (clock, most) = (self.shared.clock(now), self.may_send());
            let shared = self.shared.clone();
            let (session, counters) = (&mut self.session, &mut self.counters);
            let sent = send(&mut self.outbox, session, &mut shared.ledger(), &clock, (now, most), counters);
            self.asked_for = self.asked_for.saturating_sub(sent);
        }
        self.publish();
    }

    fn due(&self) -> Option<Duration> {
        let can_send = self.may_send() > 0 && self.session.window_room() > 0 && !self.session.output_is_full();
        [self.replies.next(), self.outbox.next().filter(|_| can_send)].into_iter().flatten().min()
    }

    fn fault(&self) -> Option<FaultKind> {
        self.fault
    }

    fn unbind(&mut self, now: Duration) -> bool {
        self.session.logout(now);
        true
    }
}

/// What to do about a request, once it no longer borrows the session.
enum Asked {
    Submit(Vec<Submission>),
    State(Name),
    Cancel(Name),
    Deliveries(Option<u8>),
    Get(u16),
    Set(Vec<(u16, Box<[u8]>)>),
    Nothing(ErrorCode),
}

impl Connection {
    fn hear(&mut self, now: Duration) {
        while self.fault.is_none() {
            let reports = self.default_reports();
            let Some(event) = self.session.next_event(now) else { return };
            match event {
                Event::LoginRequest { login } => {
                    let user: Box<str> = String::from_utf8_lossy(login.user).into();
                    let refused = judge(&self.settings, &user, &login);
                    self.log_in(user, refused, now);
                }
                Event::Request { sequence, packet } => {
                    let asked = Asked::read(&packet, reports);
                    self.asked(sequence, asked, now);
                }
                Event::Response { token, error, .. } => {
                    let taken = error.is_ok();
                    self.acknowledged(token, taken, now);
                }
                Event::TimedOut { token } | Event::Nacked { token } => self.acknowledged(token, false, now),
                _ => {}
            }
        }
    }

    fn log_in(&mut self, user: Box<str>, refused: Option<ErrorCode>, now: Duration) {
        let refused = refused.or_else(|| {
            let max = self.settings.max_sessions;
            self.entered = self.shared.directory.enter(&user, self.number, Some(&self.inbox), max);
            (!self.entered).then_some(ErrorCode::LOGIN_TOO_MANY)
        });
        let done = match refused {
            None => {
                self.counters.binds += 1;
                self.user = user;
                self.session.accept_login(now)
            }
            Some(code) => {
                self.counters.binds_refused += 1;
                self.session.refuse_login(code, b"", now)
            }
        };
        debug_assert!(done.is_ok(), "a login waits for its answer");
    }

    fn asked(&mut self, sequence: u16, asked: Asked, now: Duration) {
        let refused = self.settings.refuse_inquiries.filter(|_| matches!(asked, Asked::State(_) | Asked::Cancel(_)));
        let answered = match asked {
            _ if refused.is_some() => {
                self.counters.inquiries += 1;
                self.session.refuse(sequence, refused.unwrap_or(ErrorCode::SYSTEM_ERROR), b"", now)
            }
            Asked::Submit(submissions) => return self.submitted(sequence, &submissions, now),
            Asked::State(name) => {
                self.counters.inquiries += 1;
                let state = self.shared.ledger().state(&name);
                let told = match state {
                    Some((status, error)) => EnquireStatusResp {
                        destination: &name.0,
                        timestamp: &name.1,
                        status: Some(status),
                        status_error: (error.0 > 0).then_some(error),
                        ..EnquireStatusResp::default()
                    },
                    None => EnquireStatusResp::failed(ErrorCode::NOT_FOUND),
                };
                self.session.respond(sequence, &told, now)
            }
            Asked::Cancel(name) => {
                self.counters.inquiries += 1;
                let canceled = self.shared.ledger().delete(&name, (StatusCode::DELETED_BY_CANCEL, StatusError::NONE));
                self.counters.canceled += u64::from(canceled);
                match canceled {
                    true => self.session.respond(sequence, &Packet::CancelResp(Answer::default()), now),
                    false => self.session.refuse(sequence, ErrorCode::NOT_FOUND, b"", now),
                }
            }
            Asked::Deliveries(mode) => {
                let mut told = DeliveryRequestResp::default();
                match mode {
                    Some(0) => told.count = Some(u16::try_from(self.outbox.len()).unwrap_or(u16::MAX)),
                    Some(2) => self.asked_for = usize::MAX,
                    _ => self.asked_for = self.asked_for.saturating_add(1),
                }
                self.session.respond(sequence, &told, now)
            }
            Asked::Get(parameter) => self.tell(sequence, parameter, now),
            Asked::Set(parameters) => {
                let refused = parameters.iter().find(|(number, _)| self.settings.refuse_sets.contains(number));
                match refused {
                    Some(_) => self.session.refuse(sequence, ErrorCode::UNSUPPORTED_PARAMETER, b"", now),
                    None => {
                        self.shared.set(&self.user, parameters);
                        self.session.respond(sequence, &Packet::SetResp(Answer::default()), now)
                    }
                }
            }
            Asked::Nothing(code) => self.session.refuse(sequence, code, b"", now),
        };
        debug_assert!(answered.is_ok(), "a request waits for its answer");
    }

    /// Which reports are sent for messages that say nothing of them.
    fn default_reports(&self) -> StatusReports {
        let set = self.shared.setting(&self.user, Tag::STATUS_REPORTS.0);
        let number = set.and_then(|digits| std::str::from_utf8(&digits).ok()?.parse().ok());
        number.map_or(StatusReports::NONE, StatusReports)
    }

    fn tell(&mut self, sequence: u16, parameter: u16, now: Duration) -> Result<(), RespondError> {
        if parameter == Tag::SMSC_TIME.0 {
            let clock = self.shared.clock(now);
            return self.session.respond(sequence, &GetResp { smsc_time: &clock, ..GetResp::default() }, now);
        }
        let known = self.settings.tells.iter().find(|(number, _)| *number == parameter);
        let set = self.shared.setting(&self.user, parameter);
        let value = set.or_else(|| known.map(|(_, value)| value.as_bytes().into()));
        let mut told = ParameterBuf::new();
        match value.and_then(|value| told.push(Tag(parameter), &value).ok()) {
            Some(()) => {
                self.session.respond(sequence, &GetResp { extra: told.as_parameters(), ..GetResp::default() }, now)
            }
            None => self.session.refuse(sequence, ErrorCode::GET_UNSUPPORTED, b"", now),
        }
    }

    fn submitted(&mut self, sequence: u16, submissions: &[Submission], now: Duration) {
        self.counters.submits += 1;
        self.submits += 1;
        let fault = self.shared.fault(&self.settings, self.submits);
        let dropped = self.random.f64() < self.settings.drop;
        let mut reports = Vec::new();
        let outcome = match self.refusal(submissions, now) {
            Some(code) => {
                self.counters.refused += 1;
                Err(code)
            }
            None => {
                let names: Vec<Name> = submissions.iter().map(|submission| self.take(submission, now)).collect();
                for (submission, name) in submissions.iter().zip(&names) {
                    reports.extend(self.report(submission, name));
                }
                // An answer has room for one.
                names.into_iter().next().ok_or(ErrorCode::SUBMIT_DESTINATIONS)
            }
        };
        if let Some(fault) = fault {
            self.counters.faults += 1;
            self.fault = Some(fault);
        } else if dropped && outcome.is_ok() {
            self.counters.dropped += 1;
        } else {
            let jitter = self.settings.resp_jitter.mul_f64(self.random.f64());
            let reply = Reply { sequence, outcome, reports };
            self.replies.push(now + self.settings.resp_delay + jitter, now, reply);
        }
    }

    fn refusal(&mut self, submissions: &[Submission], now: Duration) -> Option<ErrorCode> {
        if submissions.is_empty() {
            return Some(ErrorCode::SUBMIT_DESTINATIONS);
        }
        if self.settings.throttle.is_some_and(|limit| !self.shared.admit(limit, now)) {
            self.counters.throttled += 1;
            return Some(ErrorCode::CONGESTION);
        }
        struck(&self.settings.fail, &mut self.random)
    }

    fn take(&mut self, submission: &Submission, now: Duration) -> Name {
        self.counters.accepted += 1;
        let name: Name = (submission.to.clone(), self.shared.clock(now).into());
        self.shared.ledger().taken(&name, (StatusCode::IN_PROCESS, StatusError::NONE), self.settings.ledger);
        self.taken.remember(self.settings.memory, &submission.to, &submission.user_data, || {
            submission.seen(&self.user, self.number, now, &name.1)
        });
        name
    }

    /// The status report that the client asked for.
    fn report(&mut self, submission: &Submission, name: &Name) -> Option<(Duration, Delivery<What>)> {
        let outcome = one_of(&self.settings.outcomes, &mut self.random)?;
        let wanted = match self.settings.receipts {
            ReceiptsFor::Nothing => false,
            ReceiptsFor::Asked => is_wanted(outcome.0, submission.wanted),
            ReceiptsFor::Everything => true,
        };
        let delay = between(self.settings.receipt_delay, &mut self.random);
        let what = What::Report { name: name.clone(), from: submission.from.clone(), outcome };
        wanted.then(|| (delay, Delivery::new(what)))
    }

    fn give(&mut self, reply: Reply, now: Duration) {
        self.counters.responses += 1;
        // A session that is over needs no answers; what follows is owed all the same.
        let _ = match &reply.outcome {
            Ok((destination, timestamp)) => {
                let answer = SubmitResp { destination, timestamp, ..SubmitResp::default() };
                self.session.respond(reply.sequence, &answer, now)
            }
            Err(code) => self.session.refuse(reply.sequence, *code, b"", now),
        };
        for (delay, report) in reply.reports {
            self.outbox.push(now + delay, now, report);
        }
    }

    fn acknowledged(&mut self, token: u64, taken: bool, now: Duration) {
        match self.outbox.answered(token, taken, now) {
            Answered::Taken(What::Report { .. }) => self.counters.receipts_acked += 1,
            Answered::Taken(What::Mo(_)) => self.counters.mo_acked += 1,
            Answered::Open => {}
            Answered::GivenUp => self.counters.deliveries_refused += 1,
        }
    }

    /// How many messages and reports may be sent now, as far as the client has asked for them.
    fn may_send(&self) -> usize {
        if self.settings.querying { self.asked_for } else { usize::MAX }
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
            for (at, reply) in self.replies.drain() {
                owed.extend(reply.reports.into_iter().map(|(delay, report)| (at + delay, report)));
            }
            self.shared.directory.leave(&self.user, self.number, owed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Asked {
    /// `reports` are those of messages that say nothing of them.
    fn read(packet: &Packet<'_>, reports: StatusReports) -> Self {
        match packet {
            Packet::Submit(message) => Self::Submit(Submission::read(message, reports)),
            Packet::EnquireStatus(about) => Self::State((about.destination.into(), about.timestamp.into())),
            Packet::Cancel(about) => Self::Cancel((about.destination.into(), about.timestamp.into())),
            Packet::DeliveryRequest(request) => Self::Deliveries(request.mode),
            Packet::Get(get) => get.parameter.map_or(Self::Nothing(ErrorCode::GET_UNSUPPORTED), |tag| Self::Get(tag.0)),
            Packet::Set(set) if !set.password.0.is_empty() => Self::Nothing(ErrorCode::SET_PASSWORD_NOT_ALLOWED),
            Packet::Set(set) => Self::Set(set.extra.iter().map(|one| (one.tag.0, one.value.into())).collect()),
            _ => Self::Nothing(ErrorCode::UNEXPECTED_OPERATION),
        }
    }
}

/// Why a login is refused.
fn judge(settings: &Cimd2SmscSettings, user: &str, login: &Login<'_>) -> Option<ErrorCode> {
    if settings.refuse_logins.is_some() {
        return settings.refuse_logins;
    }
    let wrong_name = settings.user.as_ref().is_some_and(|wanted| wanted != user);
    let wrong_password = settings.password.as_ref().is_some_and(|wanted| wanted.as_bytes() != login.password.0);
    match (login.window, settings.max_window) {
        _ if wrong_name || wrong_password => Some(ErrorCode::LOGIN_INVALID),
        (Some(_), None) => Some(ErrorCode::LOGIN_WINDOWING_DISABLED),
        (Some(window), Some(max)) if window > max || window == 0 => Some(ErrorCode::LOGIN_WINDOW),
        _ => None,
    }
}
