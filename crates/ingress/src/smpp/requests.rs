//! What a client asks for beside handing a message in: submit_multi, query_sm, cancel_sm, and replace_sm,
//! which has a [file](super::replace) of its own.
//! Each is read into a [`Request`] while its PDU is there, and answered when the engine has.

use engine::{Caller, CancelError, CancelRefused, Engine};
use model::submission::Fault;
use model::{Message, Status, Submission, Timestamp};
use smpp::{
    AbsoluteTime, CancelSm, CommandStatus, Destination, Failure, FailureBuf, MessageState, Pdu, QuerySm, QuerySmResp,
    ReplaceSm, Session, SmppTime, SubmitMulti, SubmitMultiResp,
};
use std::time::Duration;
use store::MessageFilter;

use super::answer::{read_id, short_id, status_of, write_id};
use super::replace::Replace;
use super::submission;
use model::resources::SmppLogin;

/// Messages that are looked through for a short id, or for a pair of addresses.
const LOOKED_AT: usize = 500;

/// A request, without its PDU.
pub(crate) enum Request {
    Multi { submissions: Vec<Result<Submission, CommandStatus>>, to: Vec<OwnAddress> },
    Query { id: Box<[u8]> },
    Cancel { id: Box<[u8]>, from: String, to: String },
    Replace(Box<Replace>),
}

/// An address as a client wrote it.
pub(crate) struct OwnAddress {
    ton: smpp::Ton,
    npi: smpp::Npi,
    addr: Box<[u8]>,
}

/// What a client is answered.
pub(crate) struct Reply {
    pub status: CommandStatus,
    kind: Kind,
}

enum Kind {
    Multi { id: String, failures: FailureBuf },
    Query { id: Box<[u8]>, state: MessageState, final_date: Option<[u8; 16]>, error: u8 },
    Cancel,
    Replace,
}

impl Request {
    /// Reads a submit_multi (SMPP 3.4 §4.5.1).
    pub fn multi(pdu: &SubmitMulti<'_>, login: &SmppLogin, now: Timestamp) -> Result<Self, CommandStatus> {
        if pdu.destinations.count() == 0 {
            return Err(CommandStatus::RINVNUMDESTS);
        }
        let common = submission::of_submit_multi(pdu, login, now)?;
        let (mut submissions, mut to) = (Vec::new(), Vec::new());
        for destination in pdu.destinations {
            let (address, submission) = match destination {
                Destination::Sme(address) => {
                    let to = submission::recipient(address);
                    (address, to.map(|to| Submission { to, ..common.clone() }))
                }
                // There are no distribution lists here.
                Destination::List(name) => {
                    let address = smpp::Address { addr: name, ..smpp::Address::default() };
                    (address, Err(CommandStatus::RINVDLNAME))
                }
            };
            submissions.push(submission);
            to.push(OwnAddress { ton: address.ton, npi: address.npi, addr: address.addr.into() });
        }
        Ok(Self::Multi { submissions, to })
    }

    /// Reads a query_sm (SMPP 3.4 §4.8.1).
    pub fn query(pdu: &QuerySm<'_>) -> Self {
        Self::Query { id: pdu.message_id.into() }
    }

    /// Reads a cancel_sm (SMPP 3.4 §4.9.1).
    pub fn cancel(pdu: &CancelSm<'_>) -> Result<Self, CommandStatus> {
        let id: Box<[u8]> = pdu.message_id.into();
        let from = submission::sender(pdu.source)?.unwrap_or_default();
        Ok(Self::Cancel { id, from, to: submission::recipient(pdu.destination)? })
    }

    /// Reads a replace_sm (SMPP 3.4 §4.10.1).
    pub fn replace(pdu: &ReplaceSm<'_>, now: Timestamp) -> Result<Self, CommandStatus> {
        Replace::read(pdu, now).map(|replace| Self::Replace(Box::new(replace)))
    }

    /// Has it answered by the engine.
    pub async fn answer(self, engine: &Engine, caller: &Caller, login: &SmppLogin, short: bool) -> Reply {
        match self {
            Self::Multi { submissions, to } => submit_multi(engine, caller, login, short, submissions, to).await,
            Self::Query { id } => query(engine, caller, id).await,
            Self::Cancel { id, from, to } => {
                let status = cancel(engine, caller, &id, from, to).await;
                Reply { status, kind: Kind::Cancel }
            }
            Self::Replace(replace) => {
                let status = replace.done(engine, caller, login).await.err().unwrap_or_default();
                Reply { status, kind: Kind::Replace }
            }
        }
    }
}

impl Reply {
    /// Answers the request of this sequence number.
    pub fn send(&self, sequence: u32, session: &mut Session, now: Duration) {
        let pdu = match &self.kind {
            Kind::Multi { id, failures } => Pdu::SubmitMultiResp(SubmitMultiResp {
                message_id: id.as_bytes(),
                failures: failures.as_list(),
                ..SubmitMultiResp::default()
            }),
            Kind::Query { id, state, final_date, error } => Pdu::QuerySmResp(QuerySmResp {
                message_id: id,
                final_date: final_date.as_ref().map_or(&[], |date| date),
                message_state: *state,
                error_code: *error,
            }),
            Kind::Cancel => Pdu::CancelSmResp,
            Kind::Replace => Pdu::ReplaceSmResp,
        };
        // A session that has ended takes no answer, and needs none.
        let _ = session.respond(sequence, self.status, &pdu, now);
    }
}

/// All destinations are one batch, whose id is the answer: receipts for its messages name it too,
/// and are told apart by the phone, as everywhere (SMPP 3.4 §4.5.2).
async fn submit_multi(
    engine: &Engine,
    caller: &Caller,
    login: &SmppLogin,
    short: bool,
    submissions: Vec<Result<Submission, CommandStatus>>,
    to: Vec<OwnAddress>,
) -> Reply {
    let mut statuses: Vec<CommandStatus> =
        submissions.iter().map(|s| s.as_ref().err().copied().unwrap_or_default()).collect();
    let submissions = submissions.into_iter().map(|s| s.map_err(|_| Fault::new("/to", "is wrong"))).collect();
    let mut id = String::new();
    match engine.submit_batch(caller, submissions, None, |_| (202, "".into())).await {
        Ok(engine::Accepted::New(taken, _)) => {
            for (index, refusal) in &taken.rejected {
                if let Some(status) = statuses.get_mut(*index).filter(|status| status.is_ok()) {
                    *status = status_of(refusal);
                }
            }
            if taken.batch.accepted > 0 {
                write_id(model::MessageId(taken.batch.id.0), login.message_id, short, &mut id);
            }
        }
        // Without a key nothing can have been answered before.
        Ok(engine::Accepted::Replayed(_)) => statuses.fill(CommandStatus::RSYSERR),
        Err(refusal) => statuses.fill(status_of(&refusal)),
    }
    let first = statuses.iter().copied().find(|status| !status.is_ok()).unwrap_or_default();
    let mut failures = FailureBuf::new();
    for (status, OwnAddress { ton, npi, addr }) in statuses.iter().zip(&to).filter(|(status, _)| !status.is_ok()) {
        // One that is too long to be written back was no address.
        let _ = failures.push(Failure { address: smpp::Address::new(*ton, *npi, addr), status: *status });
    }
    let status = if id.is_empty() { first } else { CommandStatus::ROK };
    Reply { status, kind: Kind::Multi { id, failures } }
}

async fn query(engine: &Engine, caller: &Caller, id: Box<[u8]>) -> Reply {
    let reply =
        |status, id, state, final_date, error| Reply { status, kind: Kind::Query { id, state, final_date, error } };
    match find(engine, caller, &id).await {
        Ok(Some(message)) => {
            let progress = &message.progress;
            let error = progress.reason.as_ref().and_then(|r| r.receipt_err.as_ref()?.parse().ok()).unwrap_or(0);
            let final_date = progress.final_at.and_then(wire_time);
            reply(CommandStatus::ROK, id, state_of(progress.status), final_date, error)
        }
        Ok(None) => reply(CommandStatus::RINVMSGID, id, MessageState::UNKNOWN, None, 0),
        Err(status) => reply(status, id, MessageState::UNKNOWN, None, 0),
    }
}

async fn cancel(engine: &Engine, caller: &Caller, id: &[u8], from: String, to: String) -> CommandStatus {
    if !id.is_empty() {
        return match find(engine, caller, id).await {
            Ok(Some(message)) => cancel_one(engine, caller, &message).await,
            Ok(None) => CommandStatus::RINVMSGID,
            Err(status) => status,
        };
    }
    // Without an id: all that wait between these addresses (SMPP 3.4 §4.9.1).
    let account = &caller.account;
    let (Ok(to), Ok(from)) =
        (model::Address::recipient(&to, account.country), model::Address::sender(&from, account.country))
    else {
        return CommandStatus::RCANCELFAIL;
    };
    let filter =
        MessageFilter { to: Some(to.as_str().into()), from: Some(from.as_str().into()), ..MessageFilter::default() };
    let Ok((found, _)) = engine.search(caller, filter, None, LOOKED_AT).await else { return CommandStatus::RSYSERR };
    let waiting = |message: &&Message| matches!(message.progress.status, Status::Scheduled | Status::Queued);
    let mut status = CommandStatus::RCANCELFAIL;
    for message in found.iter().filter(waiting) {
        if cancel_one(engine, caller, message).await.is_ok() {
            status = CommandStatus::ROK;
        }
    }
    status
}

async fn cancel_one(engine: &Engine, caller: &Caller, message: &Message) -> CommandStatus {
    match engine.cancel(caller, message.body.id).await {
        Ok(_) => CommandStatus::ROK,
        Err(CancelError::Refused(CancelRefused::NoSuchMessage)) => CommandStatus::RINVMSGID,
        Err(CancelError::Refused(CancelRefused::TooLate) | CancelError::Carrier(_)) => CommandStatus::RCANCELFAIL,
        Err(CancelError::Store(_)) => CommandStatus::RSYSERR,
    }
}

/// The message that a client means. A short id is looked for among the newest.
pub(super) async fn find(engine: &Engine, caller: &Caller, id: &[u8]) -> Result<Option<Message>, CommandStatus> {
    let away = |_| CommandStatus::RSYSERR;
    if let Some(id) = read_id(id) {
        return engine.message(caller, id).await.map_err(away);
    }
    let Some(wanted) = short_id(id) else { return Ok(None) };
    let (newest, _) = engine.search(caller, MessageFilter::default(), None, LOOKED_AT).await.map_err(away)?;
    Ok(newest.into_iter().find(|message| message.body.id.0.as_u128() as u32 == wanted))
}

/// SMPP 3.4 §5.2.28.
fn state_of(status: Status) -> MessageState {
    match status {
        Status::Scheduled | Status::Queued | Status::Sent => MessageState::ENROUTE,
        Status::Delivered => MessageState::DELIVERED,
        Status::Expired => MessageState::EXPIRED,
        Status::Canceled => MessageState::DELETED,
        Status::Undelivered | Status::Failed => MessageState::UNDELIVERABLE,
        Status::Rejected => MessageState::REJECTED,
        Status::Unknown => MessageState::UNKNOWN,
        Status::Received => MessageState::ACCEPTED,
    }
}

fn wire_time(at: Timestamp) -> Option<[u8; 16]> {
    let civil = at.civil()?;
    let unit = |value: i8| u8::try_from(value).unwrap_or(0);
    let time = AbsoluteTime {
        year: u16::try_from(civil.year()).ok()?,
        month: unit(civil.month()),
        day: unit(civil.day()),
        hour: unit(civil.hour()),
        minute: unit(civil.minute()),
        second: unit(civil.second()),
        tenth: 0,
        offset_quarters: 0,
    };
    SmppTime::Absolute(time).to_wire().ok()
}
