//! What can be wrong with parameters: the peer's octets ([`DecodeError`]) or our values ([`EncodeError`]).

use thiserror::Error;

use crate::error_code::ErrorCode;
use crate::operation::OperationCode;
use crate::parameter::Tag;

/// The peer's fault: a request whose parameters can't be read. The session goes on; answer with
/// [`error_code`](Self::error_code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Something between two TABs is no parameter: three digits, a colon and a value.
    #[error("the peer's packet has something between two TABs that is no parameter")]
    Syntax,
    /// A value is not what its parameter is made of, or out of its range.
    #[error("the peer's {tag} has a value that it cannot have")]
    Value {
        /// The parameter.
        tag: Tag,
    },
}

impl DecodeError {
    /// The error code to answer such a request with.
    #[must_use]
    pub fn error_code(&self, operation: OperationCode) -> ErrorCode {
        use OperationCode as Op;
        let Self::Value { tag } = *self else {
            return ErrorCode::SYNTAX;
        };
        match (operation, tag) {
            (Op::LOGIN, Tag::WINDOW) => ErrorCode::LOGIN_WINDOW,
            (Op::LOGIN, Tag::SUBADDRESS) => ErrorCode::LOGIN_SUBADDRESS,
            (Op::SUBMIT, _) => of_submit(tag),
            (Op::ENQUIRE_STATUS, Tag::DESTINATION) => ErrorCode::ENQUIRE_ADDRESS,
            (Op::ENQUIRE_STATUS, Tag::TIMESTAMP) => ErrorCode::ENQUIRE_TIMESTAMP,
            (Op::DELIVERY_REQUEST, Tag::DELIVERY_REQUEST_MODE) => ErrorCode::DELIVERY_REQUEST_MODE,
            (Op::CANCEL, Tag::CANCEL_MODE) => ErrorCode::CANCEL_MODE,
            (Op::GET, _) => ErrorCode::GET_UNSUPPORTED,
            _ => ErrorCode::PARAMETER_FORMAT,
        }
    }
}

fn of_submit(tag: Tag) -> ErrorCode {
    match tag {
        Tag::DCS => ErrorCode::SUBMIT_DCS,
        Tag::HEADER | Tag::BINARY => ErrorCode::SUBMIT_USER_DATA,
        Tag::MORE_MESSAGES => ErrorCode::SUBMIT_MORE_MESSAGES,
        Tag::VALIDITY_RELATIVE => ErrorCode::SUBMIT_VALIDITY,
        Tag::PROTOCOL_ID => ErrorCode::SUBMIT_PROTOCOL_ID,
        Tag::FIRST_DELIVERY_RELATIVE => ErrorCode::SUBMIT_FIRST_DELIVERY,
        Tag::REPLY_PATH => ErrorCode::SUBMIT_REPLY_PATH,
        Tag::STATUS_REPORTS => ErrorCode::SUBMIT_STATUS_REPORTS,
        Tag::CANCEL_ENABLED => ErrorCode::SUBMIT_CANCEL_ENABLED,
        Tag::TARIFF_CLASS => ErrorCode::SUBMIT_TARIFF,
        Tag::SERVICE_DESCRIPTION => ErrorCode::SUBMIT_SERVICE_DESCRIPTION,
        Tag::PRIORITY => ErrorCode::SUBMIT_PRIORITY,
        _ => ErrorCode::PARAMETER_FORMAT,
    }
}

/// Our fault: a value that the wire can't carry. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The value is longer than its parameter.
    #[error("{tag} has {length} characters, the protocol allows {max}")]
    TooLong {
        /// The parameter.
        tag: Tag,
        /// How many characters the value has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// NUL, STX, ETX and TAB would end the value or the packet early.
    #[error("{tag} contains the octet {octet}, which separates packets or parameters")]
    Character {
        /// The parameter.
        tag: Tag,
        /// Which octet.
        octet: u8,
    },
    /// The number is out of the parameter's range.
    #[error("{tag} has a number out of its range")]
    Range {
        /// The parameter.
        tag: Tag,
    },
    /// A parameter number has three digits.
    #[error("a parameter number has three digits, which {tag} has not")]
    Tag {
        /// The parameter.
        tag: Tag,
    },
    /// An operation code has two digits and a packet number three.
    #[error("operation {operation} with packet number {sequence} cannot be written")]
    Header {
        /// The operation code.
        operation: u8,
        /// The packet number.
        sequence: u16,
    },
}
