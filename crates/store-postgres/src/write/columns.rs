//! Messages as columns: one array for each, as statements take them.

use model::{Body, Content, Progress};
use store::QueueEntry;
use store::encoding::{
    DIRECTIONS, ENCODINGS, Extra, RECEIPTS, number, status_number, write_events, write_parts, write_reason, write_tags,
};
use uuid::Uuid;

use crate::pipeline::Value;
use crate::text::Text;

/// The number of a word as a small column.
pub(crate) fn small<T: PartialEq>(all: &[T], one: &T) -> i16 {
    i16::try_from(number(all, one)).unwrap_or(-1)
}

/// A JSON column.
pub(super) fn json(write: impl FnOnce(&mut String)) -> Text<String> {
    let mut text = String::with_capacity(128);
    write(&mut text);
    Text(text)
}

/// The values of a body, 18 of them, each through `$wrap`: alone for one row, in arrays for many.
macro_rules! body_columns {
    ($($field:ident: $type:ty = $of:expr;)*) => {
        /// Bodies, in the order of the columns of `message`.
        #[derive(Default)]
        pub(super) struct Bodies<'a> { $($field: Vec<$type>,)* }

        impl<'a> Bodies<'a> {
            pub fn push(&mut self, body: &'a Body) {
                $(let of: fn(&'a Body) -> $type = $of; self.$field.push(of(body));)*
            }

            /// Each column an array.
            pub fn arrays(self) -> Vec<Value<'a>> {
                values![$(self.$field),*]
            }
        }

        /// The columns of one body.
        pub(super) fn one_body(body: &Body) -> Vec<Value<'_>> {
            fn of<'a>(body: &'a Body) -> Vec<Value<'a>> {
                $(let $field: fn(&'a Body) -> $type = $of;)*
                values![$($field(body)),*]
            }
            of(body)
        }
    };
}

body_columns! {
    id: Uuid = |body| body.id.0;
    account: Text<&'a str> = |body| Text(&*body.account);
    direction: i16 = |body| small(&DIRECTIONS, &body.direction);
    to: Text<&'a str> = |body| Text(body.to.as_str());
    from: Text<&'a str> = |body| Text(body.from.as_str());
    content: Option<Text<&'a str>> = |body| body.content.text().map(Text);
    octets: Option<&'a [u8]> = |body| octets(&body.content);
    encoding: i16 = |body| small(&ENCODINGS, &body.encoding);
    priority: i16 = |body| i16::from(body.priority);
    receipt: i16 = |body| small(&RECEIPTS, &body.receipt);
    reference: i32 = |body| i32::from(body.reference);
    created_at: i64 = |body| body.created_at.as_millis();
    send_at: Option<i64> = |body| body.send_at.map(|at| at.as_millis());
    expires_at: i64 = |body| body.expires_at.as_millis();
    client_ref: Option<Text<&'a str>> = |body| body.client_ref.as_deref().map(Text);
    batch: Option<Uuid> = |body| body.batch.map(|batch| batch.0);
    tags: Option<Text<String>> = |body| (!body.tags.is_empty()).then(|| json(|out| write_tags(out, &body.tags)));
    extra: Option<Text<std::borrow::Cow<'static, str>>> = |body| Extra::of(body).map(Text);
}

/// What is no text.
pub(super) fn octets(content: &Content) -> Option<&[u8]> {
    match content {
        Content::Text(_) => None,
        Content::Binary { data, .. } => Some(data),
    }
}

/// Progress, in the order of the columns of `message`.
#[derive(Default)]
pub(super) struct Courses<'a> {
    status: Vec<i16>,
    connector: Vec<Option<Text<&'a str>>>,
    due: Vec<Option<i64>>,
    submitted_at: Vec<Option<i64>>,
    final_at: Vec<Option<i64>>,
    attempts: Vec<i32>,
    reason: Vec<Option<Text<String>>>,
    parts: Vec<Text<String>>,
    events: Vec<Text<String>>,
}

impl<'a> Courses<'a> {
    pub fn push(&mut self, progress: &'a Progress) {
        self.status.push(status_number(progress.status) as i16);
        self.connector.push(progress.connector.as_deref().map(Text));
        self.due.push(progress.due.map(|at| at.as_millis()));
        self.submitted_at.push(progress.submitted_at.map(|at| at.as_millis()));
        self.final_at.push(progress.final_at.map(|at| at.as_millis()));
        self.attempts.push(i32::from(progress.attempts));
        self.reason.push(progress.reason.as_deref().map(|reason| Text(write_reason(reason))));
        self.parts.push(json(|out| write_parts(out, &progress.parts)));
        self.events.push(json(|out| write_events(out, &progress.events)));
    }

    pub fn arrays(self) -> Vec<Value<'a>> {
        let Self { status, connector, due, submitted_at, final_at, attempts, reason, parts, events } = self;
        values![status, connector, due, submitted_at, final_at, attempts, reason, parts, events]
    }
}

/// Places in the queue: connector, shard, priority, account and due time. A message may have none.
#[derive(Default)]
pub(super) struct Places<'a> {
    connector: Vec<Option<Text<&'a str>>>,
    shard: Vec<Option<i32>>,
    priority: Vec<Option<i16>>,
    account: Vec<Option<Text<&'a str>>>,
    due: Vec<Option<i64>>,
}

impl<'a> Places<'a> {
    pub fn push(&mut self, entry: Option<&'a QueueEntry>) {
        self.connector.push(entry.map(|entry| Text(&*entry.connector)));
        self.shard.push(entry.map(|entry| i32::from(entry.shard)));
        self.priority.push(entry.map(|entry| i16::from(entry.priority)));
        self.account.push(entry.map(|entry| Text(&*entry.account)));
        self.due.push(entry.map(|entry| entry.due.as_millis()));
    }

    pub fn arrays(self) -> Vec<Value<'a>> {
        let Self { connector, shard, priority, account, due } = self;
        values![connector, shard, priority, account, due]
    }

    /// The columns of whole entries, with their ids.
    pub fn of(entries: &[&'a QueueEntry]) -> Vec<Value<'a>> {
        let mut places = Self::default();
        entries.iter().for_each(|entry| places.push(Some(entry)));
        let mut values = places.arrays();
        values.push(Box::new(entries.iter().map(|entry| entry.id.0).collect::<Vec<_>>()));
        values
    }
}
