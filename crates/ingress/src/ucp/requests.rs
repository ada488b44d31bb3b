//! What a client asks for beside handing one message in: 02 to many, 54, 55 and 56. Each is read while its
//! operation is there, and answered when the engine has.

use engine::{Caller, CancelError, CancelRefused, Engine, Refusal, ReplaceError};
use model::{Dialect, Message, Replacement, SessionProtocol, Submission, Timestamp};
use ucp::{Answer, ErrorCode, Operation, ShortMessage, Trn};

use super::answer::{code_of, said};
use super::deliver::State;
use super::submission::{Reading, VALIDITY_SECONDS_MAX, of_short_message, recipient};
use crate::named::{Clock, Digits, Named, find};

/// A request, without its operation.
pub(crate) enum Request {
    Many(Vec<(Submission, Box<[u8]>)>),
    Inquire(Named),
    Delete(Named),
    Modify(Named, Box<Change>),
}

/// What a 54 wants to be different.
pub(crate) struct Change {
    content: Option<Submission>,
    send_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// What a client is answered.
pub(crate) struct Reply {
    pub trn: Trn,
    pub code: Option<ErrorCode>,
    pub sm: String,
    /// What is told after it.
    pub state: Option<Box<super::deliver::State>>,
}

impl Request {
    /// Reads 54, 55 and 56; `None` for anything else.
    pub fn read(operation: &Operation<'_>, reading: Reading<'_>) -> Option<Result<Self, ErrorCode>> {
        Some(match operation {
            Operation::Inquire(message) => named(message, reading.clock).map(Self::Inquire),
            Operation::Delete(message) => named(message, reading.clock).map(Self::Delete),
            Operation::Modify(message) => named(message, reading.clock).and_then(|named| {
                let change = Change::read(message, reading.clock)?;
                Ok(Self::Modify(named, Box::new(change)))
            }),
            _ => return None,
        })
    }

    /// Has it answered by the engine.
    pub async fn answer(self, trn: Trn, engine: &Engine, caller: &Caller) -> Reply {
        let done = match self {
            Self::Many(messages) => return submit_many(trn, engine, caller, messages).await,
            Self::Inquire(named) => match known(engine, caller, &named).await {
                Ok(message) => {
                    let state = Some(Box::new(state_of(&message)));
                    return Reply { trn, code: None, sm: name_of(&message), state };
                }
                Err(code) => Err(code),
            },
            Self::Delete(named) => match known(engine, caller, &named).await {
                Ok(message) => delete(engine, caller, &message).await.map(|()| name_of(&message)),
                Err(code) => Err(code),
            },
            Self::Modify(named, change) => match known(engine, caller, &named).await {
                Ok(message) => modify(engine, caller, &message, *change).await.map(|()| name_of(&message)),
                Err(code) => Err(code),
            },
        };
        match done {
            Ok(sm) => Reply { trn, code: None, sm, state: None },
            Err(code) => Reply { trn, code: Some(code), sm: String::new(), state: None },
        }
    }
}

impl Reply {
    /// The result.
    pub fn result(&self) -> Answer<'_> {
        match self.code {
            None => Answer::ack(self.sm.as_bytes()),
            Some(code) => Answer::Nack { code, sm: self.sm.as_bytes() },
        }
    }
}

impl Change {
    fn read(message: &ShortMessage<'_>, clock: &Clock) -> Result<Self, ErrorCode> {
        let moment = |digits: &[u8]| {
            let read = |digits| clock.moment(digits, Digits::DayFirst).ok_or(ErrorCode::TIME_PERIOD_INVALID);
            (!digits.is_empty()).then(|| read(digits)).transpose()
        };
        let content = match message.content {
            ucp::Content::Absent => None,
            _ => {
                let mut content = Submission::default();
                of_short_message(message)?.put(&mut content).map_err(|_| ErrorCode::SYNTAX)?;
                Some(content)
            }
        };
        Ok(Self { content, send_at: moment(message.ddt)?, expires_at: moment(message.vp)? })
    }

    fn replacement(self, message: &Message, now: Timestamp) -> Result<Replacement, ErrorCode> {
        let due = self.send_at.or(message.body.send_at).map_or(now, |at| at.max(now));
        let validity_seconds = match self.expires_at.map(|at| at.millis_since(due) / 1000) {
            None => None,
            Some(..1) => return Err(ErrorCode::TIME_PERIOD_INVALID),
            Some(seconds) => Some(seconds.min(VALIDITY_SECONDS_MAX) as u64),
        };
        let changed = self.content.is_some();
        let content = self.content.unwrap_or_default();
        Ok(Replacement {
            text: content.text,
            binary: content.binary,
            encoding: changed.then_some(content.encoding),
            send_at: self.send_at.map(|at| at.to_string()),
            validity_seconds,
            receipt: None,
            max_parts: None,
        })
    }
}

fn named(message: &ShortMessage<'_>, clock: &Clock) -> Result<Named, ErrorCode> {
    let to = recipient(message.adc)?.into();
    let moment = clock.moment(message.scts, Digits::DayFirst).ok_or(ErrorCode::NOT_FOUND)?;
    Ok(Named { to, at: String::from_utf8_lossy(message.scts).into(), moment: Some(moment) })
}

async fn known(engine: &Engine, caller: &Caller, named: &Named) -> Result<Message, ErrorCode> {
    let found = find(engine, caller, SessionProtocol::Ucp, named).await;
    found.map_err(|_| ErrorCode::SYSTEM)?.ok_or(ErrorCode::NOT_FOUND)
}

/// `AdC:SCTS`.
fn name_of(message: &Message) -> String {
    let terms = message.body.dialect.as_deref().and_then(Dialect::name);
    terms.map(|terms| format!("{}:{}", terms.to, terms.at)).unwrap_or_default()
}

fn state_of(message: &Message) -> State {
    let terms = message.body.dialect.as_deref().and_then(Dialect::name).cloned().unwrap_or_default();
    let progress = &message.progress;
    State {
        to: terms.to,
        from: terms.from,
        at: terms.at,
        status: progress.status,
        err: progress.reason.as_ref().and_then(|reason| reason.receipt_err.clone()),
        since: progress.final_at.or(progress.submitted_at).unwrap_or(message.body.created_at),
    }
}

async fn delete(engine: &Engine, caller: &Caller, message: &Message) -> Result<(), ErrorCode> {
    match engine.cancel(caller, message.body.id).await {
        Ok(_) => Ok(()),
        Err(CancelError::Refused(CancelRefused::NoSuchMessage)) => Err(ErrorCode::NOT_FOUND),
        // It is with the carrier, or has come to its end.
        Err(CancelError::Refused(CancelRefused::TooLate) | CancelError::Carrier(_)) => Err(ErrorCode::FORWARDED),
        Err(CancelError::Store(_)) => Err(ErrorCode::SYSTEM),
    }
}

async fn modify(engine: &Engine, caller: &Caller, message: &Message, change: Change) -> Result<(), ErrorCode> {
    let replacement = change.replacement(message, engine.now())?;
    match engine.replace(caller, message.body.id, replacement).await {
        Ok(_) => Ok(()),
        Err(ReplaceError::NoSuchMessage) => Err(ErrorCode::NOT_FOUND),
        // As for a message that is to be taken back.
        Err(ReplaceError::TooLate | ReplaceError::InParts(_) | ReplaceError::Carrier(_)) => Err(ErrorCode::FORWARDED),
        Err(ReplaceError::Refused(refusal)) => Err(code_of(&refusal)),
    }
}

/// The result of a 02 names what was taken; where that is not all of it, the code says so.
async fn submit_many(trn: Trn, engine: &Engine, caller: &Caller, messages: Vec<(Submission, Box<[u8]>)>) -> Reply {
    let (submissions, names): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
    let results = engine.submit_each(caller, submissions).await;
    let first = results.iter().find_map(|result| result.as_ref().err());
    let (refused, told) = (first.map(code_of), first.map(Refusal::told));
    let taken: Vec<String> = results
        .iter()
        .zip(&names)
        .filter(|(result, _)| result.is_ok())
        .map(|(_, name)| String::from_utf8_lossy(name).into_owned())
        .collect();
    let code = refused.map(|code| if taken.is_empty() { code } else { ErrorCode::PARTLY_SUCCESSFUL });
    let sm = if taken.is_empty() { said(&told.unwrap_or_default()) } else { taken.join(",") };
    Reply { trn, code, sm, state: None }
}
