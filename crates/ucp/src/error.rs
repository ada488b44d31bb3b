//! What can be wrong with the fields of a frame: the peer's octets ([`DecodeError`]) or our values
//! ([`EncodeError`]). What can be wrong with the frame itself is a [`FrameError`](crate::FrameError).

use thiserror::Error;

use crate::code::ErrorCode;

/// The peer's fault: a frame whose fields can't be read. The session goes on; answer an operation with
/// [`code`](Self::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A number has other characters than digits, or too many of them.
    #[error("the peer's {field} is no number, or too large a one")]
    NotANumber {
        /// The field.
        field: &'static str,
    },
    /// A field that is written in hexadecimal has other characters, or an odd number of them.
    #[error("the peer's {field} is not written in pairs of hexadecimal digits")]
    NotHex {
        /// The field.
        field: &'static str,
    },
    /// A list says that it has more entries than there are fields.
    #[error("the peer's NPL is {claimed}, but {available} fields are left")]
    ListLength {
        /// What NPL says.
        claimed: u16,
        /// How many fields the frame has left.
        available: usize,
    },
    /// A result is neither `A` nor `N`: nobody can say what became of the operation.
    #[error("the peer's result is neither positive nor negative")]
    NeitherAckNorNack,
}

impl DecodeError {
    /// The error code to answer with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::SYNTAX
    }
}

/// Our fault: a value that the wire can't carry. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The value is longer than its field.
    #[error("{field} has {length} characters, the protocol allows {max}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// How many characters (of text), digits (of a number) or octets (of hexadecimal) the value has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// Something else than printable ASCII, or the `/` that separates fields.
    #[error("{field} contains {octet:#04x}, which a field cannot carry")]
    Character {
        /// The field.
        field: &'static str,
        /// The first such octet.
        octet: u8,
    },
    /// The message is of a type that is not known here.
    #[error("a message of an unknown type cannot be sent")]
    MessageType,
}
