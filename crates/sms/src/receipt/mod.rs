//! The text of SMPP delivery receipts (SMPP 3.4 Appendix B), as SMSCs really write it.
//!
//! The appendix gives a format and calls it vendor specific, and vendors took it at its word.
//! [`parse`] therefore reads whatever fields are there, in any order, and only borrows;
//! [`format()`] writes the one form that every reader takes.

mod dates;
mod format;
mod parse;
mod state;

pub use dates::{ReceiptDate, parse_date};
pub use format::{ReceiptFields, format};
pub use parse::{ReceiptText, looks_like_receipt, parse};
pub use state::ReceiptState;
