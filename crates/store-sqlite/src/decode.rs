//! Messages out of rows.

use std::sync::Arc;

use model::{Address, Body, Content, Message, MessageId, Name, Progress, Status, Timestamp};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use store::encoding::{self, DIRECTIONS, ENCODINGS, Extra, Names, Plain, RECEIPTS};

use crate::error::Failure;

/// What a read of a row came to.
pub(crate) type Read<T> = Result<T, Failure>;

/// The columns of a body, beginning with the id, as [`Columns::body`] wants them.
pub(crate) const BODY_COLUMNS: &str = "id, account, direction, recipient, sender, content, encoding, priority, receipt, \
     reference, created_at, send_at, expires_at, client_ref, batch, tags, extra";
/// How many there are.
pub(crate) const BODY_COUNT: usize = 17;

/// The columns of a message's progress, as [`Columns::message`] wants them after those of the body.
pub(crate) const PROGRESS_COLUMNS: &str =
    "status, connector, due, submitted_at, final_at, attempts, reason, parts, events";

/// A row with what is needed to say where it is broken.
pub(crate) struct Columns<'r> {
    pub row: &'r Row<'r>,
    pub table: &'r str,
    pub names: &'r Names,
}

impl<'r> Columns<'r> {
    /// The complaint that column `at` can't be read.
    pub fn broken(&self, at: usize) -> Failure {
        let statement: &rusqlite::Statement<'_> = self.row.as_ref();
        let column = statement.column_name(at).unwrap_or("?");
        let id = match self.row.get_ref(0) {
            Ok(ValueRef::Blob(octets)) => match MessageId::from_slice(octets) {
                Some(id) => id.to_string(),
                None => format!("{octets:02x?}"),
            },
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        };
        Failure::Corrupt(format!("table {}, row {id}: column {column} can't be read", self.table))
    }

    pub fn text(&self, at: usize) -> Read<&'r str> {
        self.row.get_ref(at)?.as_str().map_err(|_| self.broken(at))
    }

    pub fn text_or_null(&self, at: usize) -> Read<Option<&'r str>> {
        self.row.get_ref(at)?.as_str_or_null().map_err(|_| self.broken(at))
    }

    pub fn int<T: TryFrom<i64>>(&self, at: usize) -> Read<T> {
        let value = self.row.get_ref(at)?.as_i64().map_err(|_| self.broken(at))?;
        T::try_from(value).map_err(|_| self.broken(at))
    }

    pub fn int_or_null<T: TryFrom<i64>>(&self, at: usize) -> Read<Option<T>> {
        let value = self.row.get_ref(at)?.as_i64_or_null().map_err(|_| self.broken(at))?;
        value.map(|value| T::try_from(value).map_err(|_| self.broken(at))).transpose()
    }

    pub fn time(&self, at: usize) -> Read<Timestamp> {
        Ok(Timestamp::from_millis(self.int(at)?))
    }

    pub fn time_or_null(&self, at: usize) -> Read<Option<Timestamp>> {
        let value = self.row.get_ref(at)?.as_i64_or_null().map_err(|_| self.broken(at))?;
        Ok(value.map(Timestamp::from_millis))
    }

    pub fn name(&self, at: usize) -> Read<Name> {
        Ok(self.names.get(self.text(at)?))
    }

    pub fn name_or_null(&self, at: usize) -> Read<Option<Name>> {
        Ok(self.text_or_null(at)?.map(|text| self.names.get(text)))
    }

    pub fn id(&self, at: usize) -> Read<uuid::Uuid> {
        self.id_or_null(at)?.ok_or_else(|| self.broken(at))
    }

    pub fn id_or_null(&self, at: usize) -> Read<Option<uuid::Uuid>> {
        match self.row.get_ref(at)?.as_blob_or_null().map_err(|_| self.broken(at))? {
            None => Ok(None),
            Some(octets) => uuid::Uuid::from_slice(octets).map(Some).map_err(|_| self.broken(at)),
        }
    }

    pub fn digest_or_null(&self, at: usize) -> Read<Option<[u8; 32]>> {
        match self.row.get_ref(at)?.as_blob_or_null().map_err(|_| self.broken(at))? {
            None => Ok(None),
            Some(octets) => octets.try_into().map(Some).map_err(|_| self.broken(at)),
        }
    }

    pub fn json<T: Deserialize<'r>>(&self, at: usize) -> Read<T> {
        serde_json::from_str(self.text(at)?).map_err(|_| self.broken(at))
    }

    pub fn one_of<T: Copy>(&self, at: usize, all: &[T]) -> Read<T> {
        all.get(self.int::<usize>(at)?).copied().ok_or_else(|| self.broken(at))
    }

    /// A message: [`BODY_COLUMNS`], then [`PROGRESS_COLUMNS`], from the first column on.
    pub fn message(&self) -> Read<Message> {
        Ok(Message { body: Arc::new(self.body(0)?), progress: self.progress(BODY_COUNT)? })
    }

    /// A body, from column `at` on.
    pub fn body(&self, at: usize) -> Read<Body> {
        let extra = Extra::read(self.text_or_null(at + 16)?).ok_or_else(|| self.broken(at + 16))?;
        let plain = Plain {
            id: MessageId(self.id(at)?),
            account: self.name(at + 1)?,
            direction: self.one_of(at + 2, &DIRECTIONS)?,
            to: self.address(at + 3)?,
            from: self.address(at + 4)?,
            content: self.content(at + 5)?,
            encoding: self.one_of(at + 6, &ENCODINGS)?,
            priority: self.int(at + 7)?,
            receipt: self.one_of(at + 8, &RECEIPTS)?,
            reference: self.int(at + 9)?,
            created_at: self.time(at + 10)?,
            send_at: self.time_or_null(at + 11)?,
            expires_at: self.time(at + 12)?,
            client_ref: self.text_or_null(at + 13)?.map(Into::into),
            batch: self.id_or_null(at + 14)?.map(model::BatchId),
            tags: match self.text_or_null(at + 15)? {
                None => Vec::new(),
                Some(tags) => encoding::tags(tags).ok_or_else(|| self.broken(at + 15))?,
            },
        };
        extra.body(plain).ok_or_else(|| self.broken(at + 16))
    }

    fn address(&self, at: usize) -> Read<Address> {
        let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = self.text(at)?.into_deserializer();
        Address::deserialize(text).map_err(|_| self.broken(at))
    }

    fn content(&self, at: usize) -> Read<Content> {
        match self.row.get_ref(at)? {
            ValueRef::Text(_) => Ok(Content::Text(self.text(at)?.into())),
            ValueRef::Blob(data) => Ok(Content::Binary { data: data.into(), udh: Box::default(), dcs: 0 }),
            _ => Err(self.broken(at)),
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
            reason: match self.text_or_null(at + 6)? {
                None => None,
                Some(_) => Some(Box::new(self.json(at + 6)?)),
            },
            parts: encoding::parts(self.text(at + 7)?).ok_or_else(|| self.broken(at + 7))?,
            events: encoding::events(self.text(at + 8)?).ok_or_else(|| self.broken(at + 8))?,
        })
    }
}
