//! Letters: what one node writes to whoever has a slot. JSON, for nodes of two versions may read each other's.

use model::{BatchId, DeliveryId, MessageId, Name, OptOutKey, Receipt, Timestamp};
use serde::{Deserialize, Serialize};
use store::{PartRef, QueueEntry, RemoteKey};

use super::ask::{Asked, RemoteAnswer};
use super::slots::Slot;
use crate::batches::Step;
use crate::facts::Fact;

/// One thing to be done by who has the slot that it is written to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Letter {
    /// These wait in the slice now.
    Queued(Vec<Queued>),
    /// This is owed to an endpoint now, as due time and id.
    Owed(Name, Vec<(Timestamp, DeliveryId)>),
    /// A receipt came for a message of the slice.
    Receipt { connector: Name, id: Box<str>, message: MessageId, part: u8, receipt: Receipt },
    /// A message's deadline has passed.
    Overdue(MessageId),
    /// What is wanted of its batch, for a message.
    OfBatch(MessageId, Step),
    /// A newer message stands for one of the slice.
    Superseded { message: MessageId, by: MessageId },
    /// Messages of these batches have ended.
    Ended(Vec<BatchId>),
    /// Something is to be done with a message of the slice, and to be answered.
    Ask { message: MessageId, asked: Asked },
    /// The answer.
    Answer { ticket: u64, answer: RemoteAnswer },
    /// A phone wants nothing more, or wants it again.
    OptOut { key: OptOutKey, out: bool },
}

/// A message that waits in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub priority: u8,
    pub account: Name,
    pub due: Timestamp,
    pub id: MessageId,
}

impl From<&QueueEntry> for Queued {
    fn from(entry: &QueueEntry) -> Self {
        let QueueEntry { priority, account, due, id, .. } = entry;
        Self { priority: *priority, account: account.clone(), due: *due, id: *id }
    }
}

impl Letter {
    /// What was written to `slot`, as facts.
    pub fn into_fact(self, slot: &Slot) -> Option<Fact> {
        Some(match (self, slot) {
            (Self::Queued(places), Slot::Queue { shard, connector }) => {
                let entry = |Queued { priority, account, due, id }| {
                    let (connector, shard) = (connector.clone(), *shard);
                    QueueEntry { connector, shard, priority, account, due, id }
                };
                Fact::Queued { places: places.into_iter().map(entry).collect() }
            }
            (Self::Owed(endpoint, places), _) => Fact::OwedElsewhere { endpoint, places },
            (Self::Receipt { connector, id, message, part, receipt }, _) => {
                let key = RemoteKey { connector, id: id.into() };
                Fact::Receipt { key, part: PartRef { message, part }, receipt }
            }
            (Self::Overdue(message), _) => Fact::Overdue { message },
            (Self::OfBatch(message, step), _) => Fact::OfBatch { message, step },
            (Self::Superseded { message, by }, _) => Fact::Superseded { message, by },
            (Self::Ended(batches), _) => Fact::Ended { batches },
            (Self::Ask { message, asked }, _) => Fact::Asked { message, asked },
            (Self::Answer { ticket, answer }, _) => Fact::AnsweredElsewhere { ticket, answer },
            (Self::OptOut { key, out }, _) => Fact::OptedElsewhere { key, out },
            (Self::Queued(_), _) => return None,
        })
    }

    /// A fact about a message that another node writes, as that node is told of it. `None` is one that is
    /// nobody else's to know.
    pub fn of(fact: &Fact) -> Option<Self> {
        Some(match fact {
            Fact::Receipt { key, part, receipt } => Self::Receipt {
                connector: key.connector.clone(),
                id: (&*key.id).into(),
                message: part.message,
                part: part.part,
                receipt: receipt.clone(),
            },
            Fact::Overdue { message } => Self::Overdue(*message),
            Fact::OfBatch { message, step } => Self::OfBatch(*message, *step),
            Fact::Asked { message, asked } => Self::Ask { message: *message, asked: asked.clone() },
            Fact::Superseded { message, by } => Self::Superseded { message: *message, by: *by },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ReceiptState;

    #[test]
    fn a_letter_is_read_as_it_was_written() {
        let at = Timestamp::from_millis(1_750_000_000_000);
        let id = MessageId::first_at(at);
        let receipt = Receipt { state: ReceiptState::Delivered, err: None, stat: "DELIVRD".into() };
        let queued = Queued { priority: 3, account: "shop".into(), due: at, id };
        let letters = vec![
            Letter::Queued(vec![queued]),
            Letter::Owed("orders".into(), vec![(at, DeliveryId(id.0))]),
            Letter::Receipt { connector: "a".into(), id: "60ab".into(), message: id, part: 2, receipt },
            Letter::Overdue(id),
            Letter::OfBatch(id, Step::Cancel),
            Letter::Superseded { message: id, by: id },
            Letter::Ended(vec![BatchId(id.0)]),
        ];
        let json = serde_json::to_vec(&letters).unwrap();
        assert_eq!(serde_json::from_slice::<Vec<Letter>>(&json).unwrap(), letters);
        let slot = Slot::Queue { shard: 3, connector: "a".into() };
        for letter in letters {
            let again = letter.clone().into_fact(&slot).unwrap();
            if let Some(written) = Letter::of(&again) {
                assert_eq!(written, letter);
            }
        }
    }
}
