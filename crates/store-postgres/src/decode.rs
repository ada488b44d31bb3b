//! Messages out of rows.

use std::sync::Arc;

use model::{Address, Body, Content, Message, MessageId, Name, Progress, Status, Timestamp};
use store::encoding::{self, DIRECTIONS, ENCODINGS, Extra, Names, Plain, RECEIPTS};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::Failure;
use crate::text::unescaped;

/// What a read of a row came to.
pub(crate) type Read<T> = Result<T, Failure>;

/// The columns of a body, beginning with the id, as [`Columns::body`] wants them.
pub(crate) const BODY_COLUMNS: &str = "id, account, direction, recipient, sender, content, octets, encoding, priority, \
     receipt, reference, created_at, send_at, expires_at, client_ref, batch, tags, extra";
/// How many there are.
pub(crate) const BODY_COUNT: usize = 18;

/// The columns of a message's progress, as [`Columns::message`] wants them after those of the body.
pub(crate) const PROGRESS_COLUMNS: &str =
    "status, connector, due, submitted_at, final_at, attempts, reason, parts, events";

/// A row with what is needed to say where it is broken.
pub(crate) struct Columns<'r> {
    pub row: &'r Row,
    pub table: &'r str,
    pub names: &'r Names,
}

/// Every row through `read`.
pub(crate) fn each<T>(table: &str, rows: &[Row], mut read: impl FnMut(&Columns<'_>) -> Read<T>) -> Read<Vec<T>> {
    let names = Names::default();
    rows.iter().map(|row| read(&Columns { row, table, names: &names })).collect()
}

impl<'r> Columns<'r> {
    /// The complaint that column `at` can't be read.
    pub fn broken(&self, at: usize) -> Failure {
        let column = self.row.columns().get(at).map_or("?", |column| column.name());
        let id = self.row.try_get::<_, Uuid>(0).map(|id| id.to_string());
        let id = id.or_else(|_| self.row.try_get::<_, String>(0)).unwrap_or_else(|_| "?".into());
        Failure::Corrupt(format!("table {}, row {id}: column {column} can't be read", self.table))
    }

    /// A column as the driver reads it.
    pub fn get<T: FromSql<'r>>(&self, at: usize) -> Read<T> {
        self.row.try_get(at).map_err(|_| self.broken(at))
    }

    pub fn text(&self, at: usize) -> Read<std::borrow::Cow<'r, str>> {
        unescaped(self.get(at)?).ok_or_else(|| self.broken(at))
    }

    pub fn text_or_null(&self, at: usize) -> Read<Option<std::borrow::Cow<'r, str>>> {
        self.get::<Option<&str>>(at)?.map(|text| unescaped(text).ok_or_else(|| self.broken(at))).transpose()
    }

    pub fn small<T: TryFrom<i16>>(&self, at: usize) -> Read<T> {
        T::try_from(self.get::<i16>(at)?).map_err(|_| self.broken(at))
    }

    pub fn int<T: TryFrom<i32>>(&self, at: usize) -> Read<T> {
        T::try_from(self.get::<i32>(at)?).map_err(|_| self.broken(at))
    }

    pub fn big<T: TryFrom<i64>>(&self, at: usize) -> Read<T> {
        T::try_from(self.get::<i64>(at)?).map_err(|_| self.broken(at))
    }

    pub fn time(&self, at: usize) -> Read<Timestamp> {
        Ok(Timestamp::from_millis(self.get(at)?))
    }

    pub fn time_or_null(&self, at: usize) -> Read<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>(at)?.map(Timestamp::from_millis))
    }

    pub fn name(&self, at: usize) -> Read<Name> {
        Ok(self.names.get(&self.text(at)?))
    }

    pub fn name_or_null(&self, at: usize) -> Read<Option<Name>> {
        Ok(self.text_or_null(at)?.map(|text| self.names.get(&text)))
    }

    pub fn boxed_or_null(&self, at: usize) -> Read<Option<Box<str>>> {
        Ok(self.text_or_null(at)?.map(Into::into))
    }

    pub fn digest_or_null(&self, at: usize) -> Read<Option<[u8; 32]>> {
        let octets = self.get::<Option<&[u8]>>(at)?;
        octets.map(|octets| octets.try_into().map_err(|_| self.broken(at))).transpose()
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self, at: usize) -> Read<T> {
        serde_json::from_str(&self.text(at)?).map_err(|_| self.broken(at))
    }

    pub fn one_of<T: Copy>(&self, at: usize, all: &[T]) -> Read<T> {
        all.get(self.small::<usize>(at)?).copied().ok_or_else(|| self.broken(at))
    }

    pub fn address(&self, at: usize) -> Read<Address> {
        use serde::Deserialize as _;
        use serde::de::IntoDeserializer as _;
        let text = self.text(at)?;
        let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = (*text).into_deserializer();
        Address::deserialize(text).map_err(|_| self.broken(at))
    }

    /// A message: [`BODY_COLUMNS`], then [`PROGRESS_COLUMNS`], from column `at` on.
    pub fn message(&self, at: usize) -> Read<Message> {
        Ok(Message { body: Arc::new(self.body(at)?), progress: self.progress(at + BODY_COUNT)? })
    }

    /// A body, from column `at` on.
    pub fn body(&self, at: usize) -> Read<Body> {
        let extra = Extra::read(self.text_or_null(at + 17)?.as_deref()).ok_or_else(|| self.broken(at + 17))?;
        let plain = Plain {
            id: MessageId(self.get(at)?),
            account: self.name(at + 1)?,
            direction: self.one_of(at + 2, &DIRECTIONS)?,
            to: self.address(at + 3)?,
            from: self.address(at + 4)?,
            content: self.content(at + 5)?,
            encoding: self.one_of(at + 7, &ENCODINGS)?,
            priority: self.small(at + 8)?,
            receipt: self.one_of(at + 9, &RECEIPTS)?,
            reference: self.int(at + 10)?,
            created_at: self.time(at + 11)?,
            send_at: self.time_or_null(at + 12)?,
            expires_at: self.time(at + 13)?,
            client_ref: self.boxed_or_null(at + 14)?,
            batch: self.get::<Option<Uuid>>(at + 15)?.map(model::BatchId),
            tags: match self.text_or_null(at + 16)? {
                None => Vec::new(),
                Some(tags) => encoding::tags(&tags).ok_or_else(|| self.broken(at + 16))?,
            },
        };
        extra.body(plain).ok_or_else(|| self.broken(at + 17))
    }

    /// A text, or octets in the column after it.
    fn content(&self, at: usize) -> Read<Content> {
        match self.get::<Option<&[u8]>>(at + 1)? {
            Some(data) => Ok(Content::Binary { data: data.into(), udh: Box::default(), dcs: 0 }),
            None => Ok(Content::Text((&*self.text(at)?).into())),
        }
    }

    fn progress(&self, at: usize) -> Read<Progress> {
        Ok(Progress {
            status: self.one_of(at, &Status::ALL)?,
            connector: self.name_or_null(at + 1)?,
            due: self.time_or_null(at + 2)?,
            submitted_at: self.time_or_null(at + 3)?,
            final_at: self.time_or_null(at + 4)?,
            attempts: self.int(at + 5)?,
            reason: match self.get::<Option<&str>>(at + 6)? {
                None => None,
                Some(_) => Some(Box::new(self.json(at + 6)?)),
            },
            parts: encoding::parts(&self.text(at + 7)?).ok_or_else(|| self.broken(at + 7))?,
            events: encoding::events(&self.text(at + 8)?).ok_or_else(|| self.broken(at + 8))?,
        })
    }
}
