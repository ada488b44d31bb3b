//! Messages out of columns.

use std::borrow::Cow;
use std::cell::RefCell;

use model::message::{Event, Part, Tlv};
use model::{
    Address, BatchId, Body, Content, Direction, Encoding, Ingress, MessageId, Name, PartStatus, ReceiptWish, Timestamp,
};
use serde::{Deserialize, Deserializer};

use super::write::{BY_SMPP, Extra, unhex};

/// Names that were read lately: rows that follow each other share most of theirs.
#[derive(Debug, Default)]
pub struct Names(RefCell<Vec<Name>>);

impl Names {
    const KEPT: usize = 16;

    /// The name of this text, shared with earlier rows where it can be.
    #[must_use]
    pub fn get(&self, text: &str) -> Name {
        let mut kept = self.0.borrow_mut();
        if let Some(name) = kept.iter().find(|name| name.as_ref() == text) {
            return name.clone();
        }
        let name: Name = text.into();
        if kept.len() == Self::KEPT {
            kept.remove(0);
        }
        kept.push(name.clone());
        name
    }
}

/// Those columns of a body that are read as they are.
#[derive(Debug)]
pub struct Plain {
    /// Column `id`.
    pub id: MessageId,
    /// Column `account`.
    pub account: Name,
    /// Column `direction`.
    pub direction: Direction,
    /// Column `recipient`.
    pub to: Address,
    /// Column `sender`.
    pub from: Address,
    /// A text, or octets whose coding and header are still to come.
    pub content: Content,
    /// Column `encoding`.
    pub encoding: Encoding,
    /// Column `priority`.
    pub priority: u8,
    /// Column `receipt`.
    pub receipt: ReceiptWish,
    /// Column `reference`.
    pub reference: u16,
    /// Column `created_at`.
    pub created_at: Timestamp,
    /// Column `send_at`.
    pub send_at: Option<Timestamp>,
    /// Column `expires_at`.
    pub expires_at: Timestamp,
    /// Column `client_ref`.
    pub client_ref: Option<Box<str>>,
    /// Column `batch`.
    pub batch: Option<BatchId>,
    /// Column `tags`.
    pub tags: Vec<(Box<str>, Box<str>)>,
}

impl Extra {
    /// What a column says; `None` if it can't be read.
    #[must_use]
    pub fn read(column: Option<&str>) -> Option<Self> {
        match column {
            None => Some(Self::default()),
            Some(BY_SMPP) => Some(Self { ingress: Ingress::Smpp, ..Self::default() }),
            Some(text) => serde_json::from_str(text).ok(),
        }
    }

    /// The body that it belongs to; `None` if its octets can't be read.
    #[must_use]
    pub fn body(self, plain: Plain) -> Option<Body> {
        let content = match plain.content {
            Content::Binary { data, .. } => {
                Content::Binary { data, udh: unhex(&self.udh)?, dcs: self.dcs.unwrap_or(0) }
            }
            text @ Content::Text(_) => text,
        };
        let tlv = |(tag, value): &(u16, String)| Some(Tlv { tag: *tag, value: unhex(value)? });
        Some(Body {
            id: plain.id,
            account: plain.account,
            direction: plain.direction,
            to: plain.to,
            from: plain.from,
            content,
            encoding: plain.encoding,
            priority: plain.priority,
            receipt: plain.receipt,
            reference: plain.reference,
            created_at: plain.created_at,
            send_at: plain.send_at,
            expires_at: plain.expires_at,
            client_ref: plain.client_ref,
            batch: plain.batch,
            tags: plain.tags,
            tlvs: self.tlvs.iter().map(tlv).collect::<Option<_>>()?,
            ingress: self.ingress,
            class: self.class,
            transliterate: self.transliterate,
            validity_given: self.validity_given,
            charge: self.charge,
            supersede_key: self.supersede_key,
            ignore_quiet_hours: self.ignore_quiet_hours,
            wide_reference: self.wide_reference,
            shift: self.shift.unwrap_or_default(),
            callback_url: self.callback_url,
            plan: self.plan,
            dialect: self.dialect,
            passed_on: self.passed_on,
        })
    }
}

/// The tags of a column, in the order in which they were written.
#[must_use]
pub fn tags(column: &str) -> Option<Vec<(Box<str>, Box<str>)>> {
    serde_json::from_str::<Pairs>(column).ok().map(|pairs| pairs.0)
}

/// The parts of a column.
#[must_use]
pub fn parts(column: &str) -> Option<Vec<Part>> {
    type Row<'a> = (PartStatus, Option<Box<str>>, Option<i64>, Option<i64>);
    let part = |(status, remote_id, submitted_at, final_at): Row| Part {
        status,
        remote_id,
        submitted_at: submitted_at.map(Timestamp::from_millis),
        final_at: final_at.map(Timestamp::from_millis),
    };
    Some(serde_json::from_str::<Vec<Row>>(column).ok()?.into_iter().map(part).collect())
}

/// The events of a column, oldest first.
#[must_use]
pub fn events(column: &str) -> Option<Vec<Event>> {
    Some(serde_json::from_str::<Vec<EventRow>>(column).ok()?.into_iter().map(|row| row.0).collect())
}

/// `{"key":"value",…}` in the order in which it was written.
struct Pairs(Vec<(Box<str>, Box<str>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

struct EventRow(Event);

impl<'de> Deserialize<'de> for EventRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, what, part, detail) = <(i64, Word, Option<u8>, Option<Box<str>>)>::deserialize(deserializer)?;
        Ok(EventRow(Event { at: Timestamp::from_millis(at), what: what.0, part, detail }))
    }
}

/// The word of an event; those of the engine are not allocated.
struct Word(Cow<'static, str>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const KNOWN: [&str; 10] = [
            "accepted",
            "sent",
            "receipt",
            "delivered",
            "retry",
            "in_doubt",
            "refused",
            "expired",
            "undelivered",
            "rejected",
        ];
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Word;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a word")
            }

            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                let known = KNOWN.into_iter().find(|word| *word == text);
                Ok(Word(known.map_or_else(|| Cow::Owned(text.into()), Cow::Borrowed)))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
