//! What a client asks for beside handing one message in. Each is read while its packet is there, and answered
//! when the engine has.

use std::time::Duration;

use cimd2::{
    Answer, Cancel, DeliveryRequestResp, EnquireStatus, EnquireStatusResp, ErrorCode, Get, GetResp, Packet,
    ParameterBuf, Session, Set, SubmitResp, Tag,
};
use engine::{Caller, CancelError, CancelRefused, Engine};
use model::{Address, Message, SessionProtocol, Status, Submission};
use store::MessageFilter;

use super::answer::{code_of, said};
use super::deliver::{status_error, status_of};
use super::submission::Name;
use crate::named::{Clock, Digits, Named, find};

/// Messages that are looked through for those that wait.
const LOOKED_AT: usize = 500;

/// A request, without its packet.
pub(crate) enum Request {
    Many(Vec<(Submission, Name)>),
    Enquire(Named),
    Cancel(Named),
    /// All that wait to this number.
    CancelAll(Box<str>),
    /// How many deliveries wait.
    Waiting,
    /// They come by themselves.
    Deliver,
    /// What the clock says.
    Time(Clock),
}

/// What a client is answered.
pub(crate) enum Reply {
    Many { taken: Vec<(Name, Result<(), ErrorCode>)>, text: String },
    Enquired { named: Named, found: Box<Message>, clock: Clock },
    Canceled,
    Waiting(u16),
    Time([u8; 12]),
    Refused(ErrorCode),
}

impl Request {
    /// Reads everything but submissions; `None` for what no application asks for.
    pub fn read(packet: &Packet<'_>, clock: &Clock) -> Option<Result<Self, ErrorCode>> {
        Some(match packet {
            Packet::EnquireStatus(body) => enquire(body, clock),
            Packet::Cancel(body) => cancel(body, clock),
            Packet::DeliveryRequest(body) => match body.mode {
                None | Some(0) => Ok(Self::Waiting),
                Some(1 | 2) => Ok(Self::Deliver),
                Some(_) => Err(ErrorCode::DELIVERY_REQUEST_MODE),
            },
            Packet::Set(Set { password, .. }) => match password.0.is_empty() {
                true => Err(ErrorCode::UNSUPPORTED_PARAMETER),
                false => Err(ErrorCode::SET_PASSWORD_NOT_ALLOWED),
            },
            Packet::Get(Get { parameter: Some(Tag::SMSC_TIME), .. }) => Ok(Self::Time(clock.clone())),
            Packet::Get(_) => Err(ErrorCode::GET_UNSUPPORTED),
            _ => return None,
        })
    }

    /// Has it answered by the engine.
    pub async fn answer(self, engine: &Engine, caller: &Caller, clock: Clock) -> Reply {
        match self {
            Self::Many(messages) => submit_many(engine, caller, messages).await,
            Self::Enquire(named) => match known(engine, caller, &named).await {
                Ok(found) => Reply::Enquired { named, found: Box::new(found), clock },
                Err(code) => Reply::Refused(code),
            },
            Self::Cancel(named) => match known(engine, caller, &named).await {
                Ok(message) => canceled(cancel_one(engine, caller, &message).await),
                Err(code) => Reply::Refused(code),
            },
            Self::CancelAll(to) => canceled(cancel_all(engine, caller, &to).await),
            Self::Waiting => {
                let lane = caller.account.lane(SessionProtocol::Cimd2);
                let views = engine.outbox().view();
                let view = views.iter().find(|view| view.endpoint == *lane);
                let waiting = view.map_or(0, |view| view.waiting + view.under_way + view.retrying);
                Reply::Waiting(u16::try_from(waiting).unwrap_or(u16::MAX).min(999))
            }
            Self::Deliver => Reply::Canceled,
            Self::Time(clock) => Reply::Time(clock.digits(engine.now(), Digits::YearFirst)),
        }
    }
}

impl Reply {
    /// Answers the request of this number, which was for this operation.
    pub fn send(&self, sequence: u16, of: Operation, session: &mut Session, now: Duration) {
        // A session that has ended takes no answer, and needs none.
        let _ = match (self, of) {
            (Self::Refused(code), _) => session.refuse(sequence, *code, b"", now),
            (Self::Many { taken, text }, _) => return send_many(taken, text, sequence, session, now),
            (Self::Enquired { named, found, clock }, _) => {
                let progress = &found.progress;
                let err = progress.reason.as_ref().and_then(|reason| reason.receipt_err.as_deref());
                let discharged = progress.final_at.map(|at| clock.digits(at, Digits::YearFirst));
                let answer = EnquireStatusResp {
                    destination: named.to.as_bytes(),
                    timestamp: named.at.as_bytes(),
                    status: Some(status_of(progress.status)),
                    status_error: status_error(progress.status, err),
                    discharge_time: discharged.as_ref().map_or(&[], |digits| digits),
                    ..EnquireStatusResp::default()
                };
                session.respond(sequence, &answer, now)
            }
            (Self::Waiting(count), _) => {
                let answer = DeliveryRequestResp { count: Some(*count), ..DeliveryRequestResp::default() };
                session.respond(sequence, &answer, now)
            }
            (Self::Time(digits), _) => {
                session.respond(sequence, &GetResp { smsc_time: digits, ..GetResp::default() }, now)
            }
            (Self::Canceled, Operation::Cancel) => {
                session.respond(sequence, &Packet::CancelResp(Answer::default()), now)
            }
            (Self::Canceled, Operation::Other) => session.respond(sequence, &DeliveryRequestResp::default(), now),
        };
    }
}

/// Which answer a request without parameters in it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Cancel,
    Other,
}

fn named(to: &[u8], at: &[u8], clock: &Clock, faults: [ErrorCode; 2]) -> Result<Named, ErrorCode> {
    let [of_address, of_time] = faults;
    let to = std::str::from_utf8(to).ok().filter(|to| !to.is_empty()).ok_or(of_address)?;
    let moment = clock.moment(at, Digits::YearFirst).ok_or(of_time)?;
    Ok(Named { to: to.into(), at: String::from_utf8_lossy(at).into(), moment: Some(moment) })
}

fn enquire(body: &EnquireStatus<'_>, clock: &Clock) -> Result<Request, ErrorCode> {
    let faults = [ErrorCode::ENQUIRE_ADDRESS, ErrorCode::ENQUIRE_TIMESTAMP];
    named(body.destination, body.timestamp, clock, faults).map(Request::Enquire)
}

fn cancel(body: &Cancel<'_>, clock: &Clock) -> Result<Request, ErrorCode> {
    if body.mode.is_some_and(|mode| mode > 2) {
        return Err(ErrorCode::CANCEL_MODE);
    }
    if !body.timestamp.is_empty() {
        let faults = [ErrorCode::CANCEL_ADDRESS, ErrorCode::CANCEL_TIMESTAMP];
        return named(body.destination, body.timestamp, clock, faults).map(Request::Cancel);
    }
    match std::str::from_utf8(body.destination) {
        Ok(to) if !to.is_empty() && body.mode == Some(0) => Ok(Request::CancelAll(to.into())),
        _ => Err(ErrorCode::CANCEL_COMBINATION),
    }
}

async fn known(engine: &Engine, caller: &Caller, named: &Named) -> Result<Message, ErrorCode> {
    let found = find(engine, caller, SessionProtocol::Cimd2, named).await;
    found.map_err(|_| ErrorCode::SYSTEM_ERROR)?.ok_or(ErrorCode::NOT_FOUND)
}

fn canceled(done: Result<(), ErrorCode>) -> Reply {
    done.err().map_or(Reply::Canceled, Reply::Refused)
}

async fn cancel_one(engine: &Engine, caller: &Caller, message: &Message) -> Result<(), ErrorCode> {
    match engine.cancel(caller, message.body.id).await {
        Ok(_) => Ok(()),
        Err(CancelError::Refused(CancelRefused::NoSuchMessage)) => Err(ErrorCode::NOT_FOUND),
        // It is with the carrier, or has come to its end.
        Err(CancelError::Refused(CancelRefused::TooLate) | CancelError::Carrier(_)) => Err(ErrorCode::FAILED),
        Err(CancelError::Store(_)) => Err(ErrorCode::SYSTEM_ERROR),
    }
}

async fn cancel_all(engine: &Engine, caller: &Caller, to: &str) -> Result<(), ErrorCode> {
    let to = Address::recipient(to, caller.account.country).map_err(|_| ErrorCode::CANCEL_ADDRESS)?;
    let filter = MessageFilter { to: Some(to.as_str().into()), ..MessageFilter::default() };
    let found = engine.search(caller, filter, None, LOOKED_AT).await;
    let (found, _) = found.map_err(|_| ErrorCode::SYSTEM_ERROR)?;
    let waits = |message: &&Message| {
        matches!(message.progress.status, Status::Scheduled | Status::Queued)
            && message.body.ingress == SessionProtocol::Cimd2.ingress()
    };
    let mut done = Err(ErrorCode::NOT_FOUND);
    for message in found.iter().filter(waits) {
        if cancel_one(engine, caller, message).await.is_ok() {
            done = Ok(());
        }
    }
    done
}

async fn submit_many(engine: &Engine, caller: &Caller, messages: Vec<(Submission, Name)>) -> Reply {
    let (submissions, names): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
    let results = engine.submit_each(caller, submissions).await;
    let first = results.iter().find_map(|result| result.as_ref().err());
    let text = first.map(|refusal| said(&refusal.told())).unwrap_or_default();
    let taken = names.into_iter().zip(&results);
    let taken = taken.map(|(name, result)| (name, result.as_ref().map(drop).map_err(code_of))).collect();
    Reply::Many { taken, text }
}

/// Each destination with its time stamp, or with the error that it has. Where none was taken, it is one error.
fn send_many(taken: &[(Name, Result<(), ErrorCode>)], text: &str, sequence: u16, session: &mut Session, now: Duration) {
    let refused = taken.iter().find_map(|(_, result)| result.err());
    if let Some(code) = refused.filter(|_| taken.iter().all(|(_, result)| result.is_err())) {
        let _ = session.refuse(sequence, code, text.as_bytes(), now);
        return;
    }
    let mut each = ParameterBuf::default();
    for (name, result) in taken {
        let stamp = match result {
            Ok(()) => (Tag::TIMESTAMP, name.at.to_vec()),
            Err(code) => (Tag::ERROR, code.0.to_string().into_bytes()),
        };
        // What came in a packet goes into one.
        let _ = each.push(Tag::DESTINATION, &name.to).and_then(|()| each.push(stamp.0, &stamp.1));
    }
    let answer = SubmitResp { extra: each.as_parameters(), ..SubmitResp::default() };
    let _ = session.respond(sequence, &answer, now);
}
