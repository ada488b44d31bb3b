//! How stores that keep rows write what is no plain column: JSON for parts, events, tags and what is
//! rare, numbers for words. One form for all of them, so that a row means the same in each.
//!
//! JSON is written by hand into buffers that are used again: a message costs no allocation here.

mod date;
mod read;
mod write;

pub use date::date;
pub use read::{Names, Plain, events, parts, tags};
pub use write::{
    DELIVERY_STATES, DIRECTIONS, ENCODINGS, Extra, LEDGER_KINDS, RECEIPTS, STYLES, events as write_events, number,
    parts as write_parts, reason as write_reason, status_number, tags as write_tags,
};
