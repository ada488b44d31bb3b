//! Binding rows to statements: the numbers of the places are those of `statements.rs`.

use model::{Body, Content, Delivery, Progress};
use rusqlite::Statement;
use rusqlite::types::Null;
use store::QueueEntry;

use super::Buffers;
use store::encoding::{self, DIRECTIONS, ENCODINGS, Extra, RECEIPTS, number, status_number};

type Bound = rusqlite::Result<()>;

/// A body, at places 1 to 17.
pub(super) fn bind_body(s: &mut Statement<'_>, body: &Body, buffers: &mut Buffers) -> Bound {
    s.raw_bind_parameter(1, body.id.as_bytes().as_slice())?;
    s.raw_bind_parameter(2, body.account.as_ref())?;
    s.raw_bind_parameter(3, number(&DIRECTIONS, &body.direction))?;
    s.raw_bind_parameter(4, body.to.as_str())?;
    s.raw_bind_parameter(5, body.from.as_str())?;
    match &body.content {
        Content::Text(text) => s.raw_bind_parameter(6, text.as_ref())?,
        Content::Binary { data, .. } => s.raw_bind_parameter(6, data.as_ref())?,
    }
    s.raw_bind_parameter(7, number(&ENCODINGS, &body.encoding))?;
    s.raw_bind_parameter(8, body.priority)?;
    s.raw_bind_parameter(9, number(&RECEIPTS, &body.receipt))?;
    s.raw_bind_parameter(10, body.reference)?;
    s.raw_bind_parameter(11, body.created_at.as_millis())?;
    s.raw_bind_parameter(12, body.send_at.map(|t| t.as_millis()))?;
    s.raw_bind_parameter(13, body.expires_at.as_millis())?;
    s.raw_bind_parameter(14, body.client_ref.as_deref())?;
    s.raw_bind_parameter(15, body.batch.as_ref().map(|b| b.as_bytes().as_slice()))?;
    if body.tags.is_empty() {
        s.raw_bind_parameter(16, Null)?;
    } else {
        buffers.tags.clear();
        encoding::write_tags(&mut buffers.tags, &body.tags);
        s.raw_bind_parameter(16, buffers.tags.as_str())?;
    }
    s.raw_bind_parameter(17, Extra::of(body))
}

/// What a new message has besides its body, its progress and its key, at places 18 and 28 to 30.
pub(super) fn bind_new(s: &mut Statement<'_>, slot: i64, place: Option<&QueueEntry>) -> Bound {
    s.raw_bind_parameter(18, slot)?;
    bind_place(s, 28, place)
}

/// Where a message waits, at three places from `at` on.
pub(super) fn bind_place(s: &mut Statement<'_>, at: usize, place: Option<&QueueEntry>) -> Bound {
    s.raw_bind_parameter(at, place.map(|e| e.connector.as_ref()))?;
    s.raw_bind_parameter(at + 1, place.map(|e| e.shard))?;
    s.raw_bind_parameter(at + 2, place.map(|e| e.due.as_millis()))
}

/// Progress, at nine places from `at` on.
pub(super) fn bind_progress(s: &mut Statement<'_>, at: usize, progress: &Progress, buffers: &mut Buffers) -> Bound {
    s.raw_bind_parameter(at, status_number(progress.status))?;
    s.raw_bind_parameter(at + 1, progress.connector.as_deref())?;
    s.raw_bind_parameter(at + 2, progress.due.map(|t| t.as_millis()))?;
    s.raw_bind_parameter(at + 3, progress.submitted_at.map(|t| t.as_millis()))?;
    s.raw_bind_parameter(at + 4, progress.final_at.map(|t| t.as_millis()))?;
    s.raw_bind_parameter(at + 5, progress.attempts)?;
    s.raw_bind_parameter(at + 6, progress.reason.as_deref().map(encoding::write_reason))?;
    buffers.parts.clear();
    encoding::write_parts(&mut buffers.parts, &progress.parts);
    s.raw_bind_parameter(at + 7, buffers.parts.as_str())?;
    buffers.events.clear();
    encoding::write_events(&mut buffers.events, &progress.events);
    let size = progress_size(progress, buffers);
    let room = ROOM.saturating_add(ROOM_A_PART.saturating_mul(progress.parts.len().min(PARTS_WITH_ROOM)));
    let padded = buffers.events.len() + room.saturating_sub(size);
    while buffers.events.len() < padded {
        let missing = (padded - buffers.events.len()).min(SPACES.len());
        buffers.events.push_str(&SPACES[..missing]);
    }
    s.raw_bind_parameter(at + 8, buffers.events.as_str())
}

/// Octets that the progress of a message comes to in the end, when nothing special happens to it.
/// The timeline is filled up with spaces to this, so that updates write rows of the size that they
/// have already: SQLite then overwrites them in place and splits no pages.
const ROOM: usize = 130;
const ROOM_A_PART: usize = 180;
/// Longer messages are rare, and may split pages.
const PARTS_WITH_ROOM: usize = 10;

const SPACES: &str = "                                                                ";

/// What a message's progress takes of its row, as SQLite's record format has it (Database File
/// Format §2.1).
fn progress_size(progress: &Progress, buffers: &Buffers) -> usize {
    let small = |n: i64| usize::from(n > 1) + usize::from(n > 127);
    let times = [progress.due, progress.submitted_at, progress.final_at];
    let reason = progress.reason.as_ref().map_or(0, |r| 100 + r.detail.len());
    small(status_number(progress.status))
        + small(i64::from(progress.attempts))
        + progress.connector.as_ref().map_or(0, |name| name.len())
        + 6 * times.iter().flatten().count()
        + reason
        + buffers.parts.len()
        // The length of a text of more than 57 octets takes one octet more.
        + usize::from(buffers.parts.len() > 57)
        + buffers.events.len()
}

/// A whole place in the queue, at places 1 to 6.
pub(super) fn bind_entry(s: &mut Statement<'_>, entry: &QueueEntry) -> Bound {
    s.raw_bind_parameter(1, entry.connector.as_ref())?;
    s.raw_bind_parameter(2, entry.shard)?;
    s.raw_bind_parameter(3, entry.priority)?;
    s.raw_bind_parameter(4, entry.account.as_ref())?;
    s.raw_bind_parameter(5, entry.due.as_millis())?;
    s.raw_bind_parameter(6, entry.id.as_bytes().as_slice())
}

/// A delivery, at places 1 to 12, 14 and 15; its key is at 13.
pub(super) fn bind_delivery(s: &mut Statement<'_>, delivery: &Delivery) -> Bound {
    s.raw_bind_parameter(1, delivery.id.as_bytes().as_slice())?;
    s.raw_bind_parameter(2, delivery.endpoint.as_ref())?;
    s.raw_bind_parameter(3, delivery.due.as_millis())?;
    s.raw_bind_parameter(4, delivery.account.as_ref())?;
    s.raw_bind_parameter(5, delivery.message.as_ref().map(|id| id.as_bytes().as_slice()))?;
    s.raw_bind_parameter(6, delivery.url.as_deref())?;
    s.raw_bind_parameter(7, delivery.event.as_ref())?;
    s.raw_bind_parameter(8, delivery.created_at.as_millis())?;
    s.raw_bind_parameter(9, delivery.attempts)?;
    s.raw_bind_parameter(10, number(&store::encoding::DELIVERY_STATES, &delivery.state))?;
    s.raw_bind_parameter(11, delivery.last_error.as_deref())?;
    s.raw_bind_parameter(12, if delivery.restorable { "" } else { delivery.payload.as_ref() })?;
    s.raw_bind_parameter(14, number(&store::encoding::STYLES, &delivery.style))?;
    s.raw_bind_parameter(15, delivery.restorable)
}
