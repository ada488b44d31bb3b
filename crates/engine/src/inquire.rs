//! Inquire: what is asked of a carrier about parts that it has: to take one back, to send another text in
//! its place, or what became of it.
//!
//! A session that can ask says so with [`LinkSession::serve_inquiries`], and gets [`Inquiry`]s between
//! its parts. Nothing of an inquiry is durable: if the process ends, whoever wanted to know asks again.
//! Only that a carrier is asked to replace something is written down before it is, for without its answer
//! nobody can say which text goes out.
//! What the carrier answers is a fact like any other, and is recorded even when nobody waits for it
//! any more: a part that was taken back must not look as if it were on its way.
//!
//! [`LinkSession::serve_inquiries`]: crate::dispatch::LinkSession::serve_inquiries

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use model::message::Status;
use model::resources::{Connector, Protocol};
use model::{Body, Message, MessageId, Name, PartStatus, Reason, Receipt, ReceiptWish, Timestamp};
use serde::{Deserialize, Serialize};
use store::StoreError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::access::Caller;
use crate::engine::Engine;
use crate::facts::{CancelRefused, Fact};

/// Inquiries that may wait for one session.
const WAITING_MAX: usize = 32;
/// Messages that are asked about at a time.
const UNDER_WAY_MAX: usize = 256;
/// How long the one who wants to know waits.
const CALLER_WAITS: Duration = Duration::from_secs(10);
/// How long an answer is awaited beyond the carrier's own time, and at the most.
const GRACE: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(300);

/// What is asked about a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// To take it back.
    Cancel,
    /// What became of it.
    State,
    /// To send this in its place. Only of carriers whose protocol [can](Protocol::can_replace), and of
    /// messages of one part that stay so.
    Replace(Arc<Body>),
}

impl Ask {
    const fn word(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::State => "query",
            Self::Replace(_) => "replace",
        }
    }

    /// Why a connector does not ask that, if it does not.
    fn not_by(&self, settings: &Connector) -> Option<CarrierError> {
        let asks = match self {
            Self::Cancel => settings.cancel,
            Self::State => settings.query,
            Self::Replace(_) if !settings.protocol.can_replace() => {
                return Some(CarrierError::NoOperation(settings.id.as_str().into(), settings.protocol));
            }
            Self::Replace(_) => settings.replace,
        };
        (!asks).then(|| CarrierError::NotAsked(settings.id.as_str().into()))
    }
}

/// A question to the carrier about a part that it has. Dropping it means that there was no answer.
#[derive(Debug)]
pub struct Inquiry {
    /// What is asked.
    pub ask: Ask,
    /// The message that the part is of.
    pub body: Arc<Body>,
    /// Which part, counted from 0.
    pub part: u8,
    /// The carrier's id for it, as it was written.
    pub remote_id: Box<str>,
    /// When it was asked.
    pub at: Timestamp,
    reply: oneshot::Sender<Told>,
}

/// What the carrier answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The part is taken back.
    Canceled,
    /// It says what it was asked to say now.
    Replaced,
    /// This became of it.
    State(Receipt),
    /// It would not, or could not; nothing changed.
    Refused(Reason),
}

impl Inquiry {
    /// Does anybody still wait for the answer?
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    /// Hands over the carrier's answer.
    pub fn answer(self, told: Told) {
        // Whoever asked may have given up.
        let _ = self.reply.send(told);
    }
}

/// Why a carrier's answer could not be had, or is not what was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CarrierError {
    /// The connector is set not to.
    #[error("the connector {0} is set not to ask its carrier that")]
    NotAsked(Name),
    /// Its protocol has no way to.
    #[error("the connector {0} can't ask its carrier that: there is no such operation over {word}", word = .1.as_str())]
    NoOperation(Name, Protocol),
    /// Nobody is connected who could ask.
    #[error("no session of the connector {0} is bound that could ask its carrier")]
    NoSession(Name),
    /// Too much is asked already.
    #[error("too many questions to carriers are open")]
    Busy,
    /// No answer yet. What comes later is recorded all the same.
    #[error("the carrier of the connector {0} did not answer in time")]
    NoAnswer(Name),
    /// It refused.
    #[error("the carrier refused it for part {part}: {}", reason.detail)]
    Refused {
        /// The first such part, counted from 1.
        part: u8,
        /// What it said.
        reason: Box<Reason>,
    },
    /// It took some parts back and kept others.
    #[error("the carrier took back {canceled} of {of} parts; {why}")]
    Partly {
        /// Parts that were taken back.
        canceled: usize,
        /// Parts that it was asked about.
        of: usize,
        /// Why not the others.
        why: Box<str>,
    },
}

/// The carrier could not be asked what became of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// There is no such message.
    #[error("there is no such message")]
    NoSuchMessage,
    /// The carrier did not say.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of asking about a message's parts.
#[derive(Debug)]
pub(crate) struct Answers {
    /// The message with the answers in it, durably.
    pub message: Message,
    /// Parts with their answers; the others have none.
    pub told: Vec<(u8, Told)>,
}

/// Where sessions can be asked, by connector.
#[derive(Debug)]
pub(crate) struct Desks {
    open: Mutex<HashMap<Name, Vec<mpsc::Sender<Inquiry>>>>,
    under_way: Arc<Semaphore>,
    /// Messages that carriers are asked to replace: one answer at a time says what a message says.
    replacing: Arc<Mutex<HashSet<MessageId>>>,
    /// What SMSCs have answered after logins.
    pub smsc: Mutex<HashMap<Name, Arc<crate::smsc::SmscView>>>,
    /// Where modems can be asked.
    pub ussd: crate::modem::UssdDesks,
}

impl Default for Desks {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            replacing: Arc::default(),
            smsc: Mutex::default(),
            ussd: Default::default(),
        }
    }
}

impl Desks {
    /// Begins to send inquiries to a session, until it drops the receiver.
    pub fn open(&self, connector: &Name) -> mpsc::Receiver<Inquiry> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let desks = open.entry(connector.clone()).or_default();
        desks.retain(|desk| !desk.is_closed());
        desks.push(sender);
        receiver
    }

    /// The session of a connector that has the least to do.
    fn find(&self, connector: &Name) -> Option<mpsc::Sender<Inquiry>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let desks = open.get(connector)?.iter().filter(|desk| !desk.is_closed());
        desks.max_by_key(|desk| desk.capacity()).cloned()
    }
}

/// The only one who has a message replaced, until it is dropped.
#[derive(Debug)]
pub(crate) struct OnlyOne(MessageId, Arc<Mutex<HashSet<MessageId>>>);

impl Desks {
    /// Whoever wants to have a message replaced; `None` while somebody else has.
    pub fn only_one(&self, message: MessageId) -> Option<OnlyOne> {
        let new = self.replacing.lock().unwrap_or_else(PoisonError::into_inner).insert(message);
        new.then(|| OnlyOne(message, self.replacing.clone()))
    }
}

impl Drop for OnlyOne {
    fn drop(&mut self) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

impl Engine {
    /// Asks the carrier what became of the parts that it has, and takes its answers as receipts.
    /// Where it has none, or all is known, the message is given as it is.
    pub async fn query(&self, caller: &Caller, id: MessageId) -> Result<Message, QueryError> {
        let message = self.message(caller, id).await?.ok_or(QueryError::NoSuchMessage)?;
        match self.is_elsewhere(&message) {
            true => self.query_elsewhere(id).await,
            false => self.query_message(message).await,
        }
    }

    /// The same of a message that this node writes, for another one.
    pub(crate) async fn query_here(&self, id: MessageId) -> Result<Message, QueryError> {
        let message = self.inner.store.messages(&[id]).await?.pop();
        self.query_message(message.ok_or(QueryError::NoSuchMessage)?).await
    }

    /// [`query`](Self::query) by a connector itself, for a message that it has sent and whose final
    /// receipt has not come. Gives whether it is still awaited.
    pub async fn query_again(&self, id: MessageId) -> Result<bool, QueryError> {
        let message = self.inner.store.messages(&[id]).await?.into_iter().next();
        let message = message.ok_or(QueryError::NoSuchMessage)?;
        if message.progress.status.is_final() || message.body.receipt == ReceiptWish::None {
            return Ok(false);
        }
        Ok(!self.query_message(message).await?.progress.status.is_final())
    }

    async fn query_message(&self, message: Message) -> Result<Message, QueryError> {
        let open = |status| matches!(status, PartStatus::Sent | PartStatus::Unknown | PartStatus::Expired);
        let Some(connector) = message.progress.connector.clone() else { return Ok(message) };
        let parts = with_remote_id(&message, open);
        if parts.is_empty() {
            return Ok(message);
        }
        let answers = self.inquire(&connector, message, parts, Ask::State, None).await?;
        let known = answers.told.iter().any(|(_, told)| matches!(told, Told::State(_)));
        match first_refusal(&answers.told) {
            Some((part, reason)) if !known => Err(CarrierError::Refused { part, reason: reason.clone().into() }.into()),
            _ => Ok(answers.message),
        }
    }

    /// Asks the carrier to take back a message that it has whole.
    pub(crate) async fn withdraw(&self, message: Message) -> Result<Message, crate::CancelError> {
        let too_late = Err(CancelRefused::TooLate.into());
        let Some(connector) = message.progress.connector.clone() else { return too_late };
        let parts = with_remote_id(&message, |status| status == PartStatus::Sent);
        if message.progress.status != Status::Sent || parts.is_empty() {
            return too_late;
        }
        let of = message.progress.parts.iter().filter(|part| part.status == PartStatus::Sent).count();
        let asked = parts.len();
        let Answers { message, told } = self.inquire(&connector, message, parts, Ask::Cancel, None).await?;
        if message.progress.status == Status::Canceled {
            return Ok(message);
        }
        let canceled = told.iter().filter(|(_, told)| *told == Told::Canceled).count();
        let error = match first_refusal(&told) {
            Some((part, reason)) if canceled == 0 => CarrierError::Refused { part, reason: reason.clone().into() },
            Some((part, reason)) => {
                let why = format!("it refused part {part}: {}", reason.detail).into();
                CarrierError::Partly { canceled, of, why }
            }
            None if told.len() < asked => {
                CarrierError::Partly { canceled, of, why: "it did not answer for the others in time".into() }
            }
            None if asked < of => {
                CarrierError::Partly { canceled, of, why: "it gave the others no id to ask by".into() }
            }
            // The receipt that says "deleted" came before the answer.
            None if message.progress.status == Status::Undelivered => return Ok(message),
            // Another receipt was quicker.
            None => return too_late,
        };
        Err(error.into())
    }

    /// Asks for what the carrier has of a message that was canceled on its way out; nobody waits.
    pub(crate) fn withdraw_rest(&self, message: &Message) {
        let parts = with_remote_id(message, |status| status == PartStatus::Sent);
        let Some(connector) = message.progress.connector.clone().filter(|_| !parts.is_empty()) else { return };
        let (engine, message) = (self.clone(), message.clone());
        tokio::spawn(async move {
            let id = message.body.id;
            if let Err(error) = engine.inquire(&connector, message, parts, Ask::Cancel, None).await {
                tracing::info!(message = %id, %connector, %error, "parts that were sent can't be taken back");
            }
        });
    }

    /// Asks about parts of a message, and records the answers. `only` is kept until that is done.
    pub(crate) async fn inquire(
        &self,
        connector: &Name,
        message: Message,
        parts: Vec<u8>,
        ask: Ask,
        only: Option<OnlyOne>,
    ) -> Result<Answers, InquireError> {
        let world = self.world();
        let settings = world.connector(connector).ok_or_else(|| CarrierError::NoSession(connector.clone()))?;
        if let Some(error) = ask.not_by(settings) {
            return Err(error.into());
        }
        let desk = self.inner.desks.find(connector).ok_or_else(|| CarrierError::NoSession(connector.clone()))?;
        let permit = self.inner.desks.under_way.clone().try_acquire_owned().map_err(|_| CarrierError::Busy)?;
        let carriers_time = Duration::from_secs(settings.response_timeout_seconds.into());
        let deadline = Instant::now() + (carriers_time + GRACE).min(ANSWER_MAX);
        let (engine, name) = (self.clone(), connector.clone());
        // It goes on when the one who wanted to know has gone: see above.
        let task = tokio::spawn(async move {
            let _held = (permit, only);
            let asked = parts.len();
            if let (Ask::Replace(_), [part]) = (&ask, parts.as_slice()) {
                engine.record_asking(message.body.id, *part).await?;
            }
            let told = ask_all(&desk, &message, parts, (&ask, engine.now()), deadline).await;
            engine.count_answers(&name, &ask, asked, &told);
            if told.is_empty() {
                return Err(InquireError::Carrier(CarrierError::NoAnswer(name)));
            }
            let message = engine.record_answers(name, message.body.id, ask, told.clone()).await?;
            Ok(Answers { message, told })
        });
        match timeout(CALLER_WAITS, task).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) | Err(_) => Err(CarrierError::NoAnswer(connector.clone()).into()),
        }
    }

    fn count_answers(&self, connector: &Name, ask: &Ask, asked: usize, told: &[(u8, Told)]) {
        let refused = told.iter().filter(|(_, told)| matches!(told, Told::Refused(_))).count();
        let counts = [
            ("answered", told.len() - refused),
            ("refused", refused),
            ("unanswered", asked.saturating_sub(told.len())),
        ];
        for (outcome, parts) in counts.into_iter().filter(|(_, parts)| *parts > 0) {
            self.inner.metrics.inquired(connector, ask.word(), outcome, parts);
        }
    }

    /// The timeline tells that something is asked for before it is.
    async fn record_asking(&self, message: MessageId, part: u8) -> Result<(), StoreError> {
        let (reply, recorded) = oneshot::channel();
        self.report(Fact::Asking { message, part, reply }).await?;
        recorded.await.map_err(|_| StoreError::Unavailable("the gateway has stopped".into()))
    }

    async fn record_answers(
        &self,
        connector: Name,
        message: MessageId,
        ask: Ask,
        told: Vec<(u8, Told)>,
    ) -> Result<Message, StoreError> {
        let (reply, recorded) = oneshot::channel();
        self.report(Fact::Told { connector, message, ask, told, reply }).await?;
        let gone = || StoreError::Unavailable("the message is gone".into());
        recorded.await.map_err(|_| gone())?.map_err(|_| gone())
    }
}

/// Why nothing came of asking.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InquireError {
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InquireError> for QueryError {
    fn from(error: InquireError) -> Self {
        match error {
            InquireError::Carrier(error) => error.into(),
            InquireError::Store(error) => error.into(),
        }
    }
}

impl From<InquireError> for crate::CancelError {
    fn from(error: InquireError) -> Self {
        match error {
            InquireError::Carrier(error) => error.into(),
            InquireError::Store(error) => error.into(),
        }
    }
}

/// Puts one inquiry for each part, and collects what is answered until `deadline`.
async fn ask_all(
    desk: &mpsc::Sender<Inquiry>,
    message: &Message,
    parts: Vec<u8>,
    (ask, at): (&Ask, Timestamp),
    deadline: Instant,
) -> Vec<(u8, Told)> {
    let mut waiting = Vec::with_capacity(parts.len());
    for part in parts {
        let remote_id = message.progress.parts.get(usize::from(part)).and_then(|p| p.remote_id.clone());
        let (reply, told) = oneshot::channel();
        let (ask, body) = (ask.clone(), message.body.clone());
        let inquiry = Inquiry { ask, body, part, remote_id: remote_id.unwrap_or_default(), at, reply };
        // A session that ended in the meantime answers nothing.
        let Ok(Ok(())) = timeout_at(deadline, desk.send(inquiry)).await else { break };
        waiting.push((part, told));
    }
    let mut answers = Vec::with_capacity(waiting.len());
    for (part, told) in waiting {
        if let Ok(Ok(told)) = timeout_at(deadline, told).await {
            answers.push((part, told));
        }
    }
    answers
}

/// Parts in a state for which `wanted` says yes, and which the carrier has a name for.
fn with_remote_id(message: &Message, wanted: impl Fn(PartStatus) -> bool) -> Vec<u8> {
    let named = |id: &Option<Box<str>>| id.as_ref().is_some_and(|id| !id.is_empty());
    let parts = (0u8..=u8::MAX).zip(&message.progress.parts);
    parts.filter(|(_, part)| wanted(part.status) && named(&part.remote_id)).map(|(n, _)| n).collect()
}

/// The first part that was refused, counted from 1.
pub(crate) fn first_refusal(told: &[(u8, Told)]) -> Option<(u8, &Reason)> {
    told.iter().find_map(|(part, told)| match told {
        Told::Refused(reason) => Some((part.saturating_add(1), reason)),
        _ => None,
    })
}
