//! Ask: what somebody wants of a message that another node writes is asked of that node, by mail.
//!
//! Nothing of a question is durable beyond its letter: a node that ends meanwhile does not answer, and whoever
//! asked is told so and asks again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::submission::Fault;
use model::{Message, MessageId, Name, Replacement};
use serde::{Deserialize, Serialize};
use store::StoreError;
use tokio::sync::oneshot;

use super::letter::Letter;
use super::slots::Slot;
use crate::engine::Engine;
use crate::facts::{CancelRefused, Fact};
use crate::inquire::{CarrierError, QueryError};
use crate::refusal::Refusal;
use crate::replace::ReplaceError;
use crate::services::CancelError;

/// How long an answer is waited for.
const WAITS: Duration = Duration::from_secs(12);
/// Questions that may be open.
const OPEN_MAX: usize = 1024;
/// A message that moves while it is asked for is asked for so often.
const TRIES: u32 = 3;

/// A question, and where the answer goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The node that asks.
    from: Name,
    ticket: u64,
    wish: Wish,
}

/// What is wanted of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    Cancel,
    Replace(Box<Replacement>),
    /// The carrier is to be asked.
    Query,
}

/// What came of it. With success, the message is in the store as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RemoteAnswer {
    Done,
    NoSuchMessage,
    TooLate,
    Carrier(CarrierError),
    InParts(usize),
    BalanceTooLow(Name),
    NoRoute,
    /// Another refusal, in words.
    Refused(String),
    Away(String),
}

/// Questions that wait for answers.
#[derive(Default)]
pub(super) struct Questions {
    open: Mutex<(u64, HashMap<u64, oneshot::Sender<RemoteAnswer>>)>,
}

impl Questions {
    fn open(&self) -> Option<(u64, oneshot::Receiver<RemoteAnswer>)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.1.retain(|_, waiting| !waiting.is_closed());
        if open.1.len() >= OPEN_MAX {
            return None;
        }
        open.0 += 1;
        let (ticket, (sender, receiver)) = (open.0, oneshot::channel());
        open.1.insert(ticket, sender);
        Some((ticket, receiver))
    }

    fn close(&self, ticket: u64, answer: RemoteAnswer) {
        let waiting = self.open.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&ticket);
        if let Some(waiting) = waiting {
            // Whoever asked may have given up.
            let _ = waiting.send(answer);
        }
    }
}

impl Engine {
    /// Is a message another node's to write?
    pub(crate) fn is_elsewhere(&self, message: &Message) -> bool {
        self.inner.fleet.as_ref().is_some_and(|member| member.foreign(message).is_some())
    }

    pub(crate) async fn cancel_elsewhere(&self, id: MessageId) -> Result<Message, CancelError> {
        match self.ask_elsewhere(id, Wish::Cancel).await? {
            (RemoteAnswer::Done, Some(message)) => Ok(message),
            (RemoteAnswer::NoSuchMessage | RemoteAnswer::Done, _) => Err(CancelRefused::NoSuchMessage.into()),
            (RemoteAnswer::TooLate, _) => Err(CancelRefused::TooLate.into()),
            (RemoteAnswer::Carrier(error), _) => Err(error.into()),
            (other, _) => Err(other.away().into()),
        }
    }

    pub(crate) async fn replace_elsewhere(
        &self,
        id: MessageId,
        replacement: Replacement,
    ) -> Result<Message, ReplaceError> {
        Err(match self.ask_elsewhere(id, Wish::Replace(replacement.into())).await? {
            (RemoteAnswer::Done, Some(message)) => return Ok(message),
            (RemoteAnswer::NoSuchMessage | RemoteAnswer::Done, _) => ReplaceError::NoSuchMessage,
            (RemoteAnswer::TooLate, _) => ReplaceError::TooLate,
            (RemoteAnswer::InParts(parts), _) => ReplaceError::InParts(parts),
            (RemoteAnswer::Carrier(error), _) => error.into(),
            (RemoteAnswer::BalanceTooLow(account), _) => Refusal::BalanceTooLow(account).into(),
            (RemoteAnswer::NoRoute, _) => Refusal::NoRoute.into(),
            (RemoteAnswer::Refused(why), _) => Refusal::Invalid(vec![Fault::new("", why)]).into(),
            (other, _) => other.away().into(),
        })
    }

    pub(crate) async fn query_elsewhere(&self, id: MessageId) -> Result<Message, QueryError> {
        match self.ask_elsewhere(id, Wish::Query).await? {
            (RemoteAnswer::Done, Some(message)) => Ok(message),
            (RemoteAnswer::Carrier(error), _) => Err(error.into()),
            (RemoteAnswer::NoSuchMessage | RemoteAnswer::Done, _) => Err(QueryError::NoSuchMessage),
            (other, _) => Err(other.away().into()),
        }
    }

    /// Asks the node that writes a message, and waits for its answer. With the message as it is then.
    async fn ask_elsewhere(&self, id: MessageId, wish: Wish) -> Result<(RemoteAnswer, Option<Message>), StoreError> {
        let away = |why: &str| StoreError::Unavailable(why.to_owned());
        let Some(member) = &self.inner.fleet else { return Err(away("the gateway has stopped")) };
        for _ in 0..TRIES {
            let Some(message) = self.inner.store.messages(&[id]).await?.pop() else {
                return Ok((RemoteAnswer::NoSuchMessage, None));
            };
            // It has just come here, or comes: whoever asked is told the same as in any moment of a move.
            let Some(slot) = member.foreign(&message) else {
                tokio::task::yield_now().await;
                continue;
            };
            let (ticket, answer) =
                member.questions.open().ok_or_else(|| away("too much is asked of other nodes already"))?;
            let asked = Asked { from: member.name().clone(), ticket, wish: wish.clone() };
            let letter = Letter::Ask { message: id, asked };
            self.report(Fact::Post { slot, letter }).await?;
            let answer = tokio::time::timeout(WAITS, answer).await;
            let answer = answer.ok().and_then(Result::ok).ok_or_else(|| away("another node does not answer"))?;
            return Ok((answer, self.inner.store.messages(&[id]).await?.pop()));
        }
        Err(away("the message is moving between nodes"))
    }

    /// Does what another node asks for, and answers it. Never blocks.
    pub(crate) fn answer(&self, message: MessageId, asked: Asked) {
        let engine = self.clone();
        tokio::spawn(async move {
            let Asked { from, ticket, wish } = asked;
            let answer = engine.fulfil(message, wish).await;
            let letter = Letter::Answer { ticket, answer };
            if let Err(error) = engine.report(Fact::Post { slot: Slot::Node(from), letter }).await {
                tracing::debug!(%error, "another node can't be answered");
            }
        });
    }

    async fn fulfil(&self, id: MessageId, wish: Wish) -> RemoteAnswer {
        match wish {
            Wish::Cancel => match self.cancel_here(id).await {
                Ok(Some(_)) => RemoteAnswer::Done,
                Ok(None) => RemoteAnswer::moved(),
                Err(CancelError::Refused(CancelRefused::NoSuchMessage)) => RemoteAnswer::NoSuchMessage,
                Err(CancelError::Refused(CancelRefused::TooLate)) => RemoteAnswer::TooLate,
                Err(CancelError::Carrier(error)) => RemoteAnswer::Carrier(error),
                Err(CancelError::Store(error)) => RemoteAnswer::Away(error.to_string()),
            },
            Wish::Replace(replacement) => match self.replace_for_other(id, *replacement).await {
                Ok(Some(_)) => RemoteAnswer::Done,
                Ok(None) => RemoteAnswer::moved(),
                Err(ReplaceError::NoSuchMessage) => RemoteAnswer::NoSuchMessage,
                Err(ReplaceError::TooLate) => RemoteAnswer::TooLate,
                Err(ReplaceError::InParts(parts)) => RemoteAnswer::InParts(parts),
                Err(ReplaceError::Carrier(error)) => RemoteAnswer::Carrier(error),
                Err(ReplaceError::Refused(Refusal::BalanceTooLow(account))) => RemoteAnswer::BalanceTooLow(account),
                Err(ReplaceError::Refused(Refusal::NoRoute)) => RemoteAnswer::NoRoute,
                Err(ReplaceError::Refused(Refusal::StoreAway(why))) => RemoteAnswer::Away(why),
                Err(ReplaceError::Refused(refusal)) => RemoteAnswer::Refused(refusal.to_string()),
            },
            Wish::Query => match self.query_here(id).await {
                Ok(_) => RemoteAnswer::Done,
                Err(QueryError::NoSuchMessage) => RemoteAnswer::NoSuchMessage,
                Err(QueryError::Carrier(error)) => RemoteAnswer::Carrier(error),
                Err(QueryError::Store(error)) => RemoteAnswer::Away(error.to_string()),
            },
        }
    }

    /// An answer has come.
    pub(crate) fn answered_elsewhere(&self, ticket: u64, answer: RemoteAnswer) {
        if let Some(member) = &self.inner.fleet {
            member.questions.close(ticket, answer);
        }
    }
}

impl RemoteAnswer {
    fn moved() -> Self {
        Self::Away("the message has just moved to another node".into())
    }

    /// What can only be tried again.
    fn away(self) -> StoreError {
        StoreError::Unavailable(match self {
            Self::Away(why) | Self::Refused(why) => why,
            other => format!("another node answered {other:?}"),
        })
    }
}
