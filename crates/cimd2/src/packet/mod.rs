//! Every operation as a borrowed value, from bytes and to bytes.

mod field;
mod message;
mod session;
mod table;
mod write;

pub use message::{
    Cancel, Deliver, DeliveryRequest, DeliveryRequestResp, EnquireStatus, EnquireStatusResp, StatusReport, Submit,
    SubmitResp,
};
pub use session::{Answer, Get, GetResp, Login, Set};
pub use write::Writer;

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::frame::{ETX, STX, TAB};
use crate::operation::OperationCode;
use crate::parameter::{Parameters, Tag};
use crate::values::hex_digits;
use table::Body;

/// Something that has an operation code and parameters: the structs that belong to one operation, and [`Packet`]
/// itself. The structs are the short way for a sender; `Packet` is for those that handle several operations.
pub trait Operation {
    /// Which operation it is.
    fn code(&self) -> OperationCode;

    /// Writes the parameters without the header.
    ///
    /// # Errors
    /// When the wire can't carry a value. Something may have been written then.
    fn write_parameters(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError>;

    /// The error code of an answer; `OK` for requests.
    fn error(&self) -> ErrorCode;
}

/// Octets to have ready before a packet is written, so that most need one check of the capacity.
const TYPICAL_PACKET: usize = 384;

/// Appends a whole packet to `out`.
///
/// # Errors
/// When the wire can't carry a value; then `out` is as it was.
#[inline]
pub fn encode(
    operation: &impl Operation,
    sequence: u16,
    with_checksum: bool,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let code = operation.code().0;
    if code > 99 || sequence > 999 {
        return Err(EncodeError::Header { operation: code, sequence });
    }
    let start = out.len();
    out.reserve(TYPICAL_PACKET);
    let digit = |number: u16| b'0' + u8::try_from(number % 10).unwrap_or(0);
    let [tens, ones] = [u16::from(code) / 10, u16::from(code)].map(digit);
    let number = [sequence / 100, sequence / 10, sequence].map(digit);
    out.extend_from_slice(&[STX, tens, ones, b':', number[0], number[1], number[2], TAB]);
    if let Err(error) = operation.write_parameters(&mut Writer::new(out)) {
        out.truncate(start);
        return Err(error);
    }
    if with_checksum {
        let sum = out.iter().skip(start).fold(0, |sum: u8, octet| sum.wrapping_add(*octet));
        out.extend_from_slice(&hex_digits(sum));
    }
    out.push(ETX);
    Ok(())
}

macro_rules! packets {
    (
        own { $($(#[$doc:meta])* $name:ident = $code:ident,)* }
        shared { $($(#[$shared_doc:meta])* $shared:ident = $shared_code:ident,)* }
        bare { $($(#[$bare_doc:meta])* $bare:ident = $bare_code:ident,)* }
    ) => {
        /// Any packet, with fields that borrow the buffer it came in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Packet<'a> {
            $($(#[$doc])* $name($name<'a>),)*
            $($(#[$shared_doc])* $shared(Answer<'a>),)*
            $($(#[$bare_doc])* $bare,)*
            /// An operation that is not known here.
            Unknown {
                /// Its code.
                code: OperationCode,
                /// Its parameters as they came.
                parameters: Parameters<'a>,
            },
        }

        impl<'a> Packet<'a> {
            /// Reads parameters. Those of operations that have none are ignored. Responses are never refused.
            ///
            /// # Errors
            /// When the peer's request can't be understood.
            #[inline]
            pub fn decode(code: OperationCode, parameters: Parameters<'a>) -> Result<Self, DecodeError> {
                let lenient = code.is_response();
                Ok(match code {
                    $(OperationCode::$code => Self::$name(Body::read(parameters, lenient)?),)*
                    $(OperationCode::$shared_code => Self::$shared(Body::read(parameters, lenient)?),)*
                    $(OperationCode::$bare_code => Self::$bare,)*
                    _ => Self::Unknown { code, parameters },
                })
            }
        }

        impl Operation for Packet<'_> {
            fn code(&self) -> OperationCode {
                match self {
                    $(Self::$name(_) => OperationCode::$code,)*
                    $(Self::$shared(_) => OperationCode::$shared_code,)*
                    $(Self::$bare => OperationCode::$bare_code,)*
                    Self::Unknown { code, .. } => *code,
                }
            }

            #[inline]
            fn write_parameters(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(body) => body.write(writer),)*
                    $(Self::$shared(body) => body.write(writer),)*
                    $(Self::$bare => Ok(()),)*
                    Self::Unknown { parameters, .. } => writer.extra(*parameters),
                }
            }

            fn error(&self) -> ErrorCode {
                self.outcome().0
            }
        }

        $(
            impl Operation for $name<'_> {
                fn code(&self) -> OperationCode {
                    OperationCode::$code
                }

                #[inline]
                fn write_parameters(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                    self.write(writer)
                }

                fn error(&self) -> ErrorCode {
                    Packet::from(*self).outcome().0
                }
            }

            impl<'a> From<$name<'a>> for Packet<'a> {
                fn from(body: $name<'a>) -> Self {
                    Self::$name(body)
                }
            }
        )*
    };
}

packets! {
    own {
        /// Let me in.
        Login = LOGIN,
        /// A message from the application.
        Submit = SUBMIT,
        /// Its answer.
        SubmitResp = SUBMIT_RESP,
        /// What became of a message?
        EnquireStatus = ENQUIRE_STATUS,
        /// Its answer.
        EnquireStatusResp = ENQUIRE_STATUS_RESP,
        /// Give me what waits.
        DeliveryRequest = DELIVERY_REQUEST,
        /// Its answer.
        DeliveryRequestResp = DELIVERY_REQUEST_RESP,
        /// Stop a message.
        Cancel = CANCEL,
        /// Change the account.
        Set = SET,
        /// Ask the SMSC for its time.
        Get = GET,
        /// Its answer.
        GetResp = GET_RESP,
        /// A message from a phone.
        Deliver = DELIVER,
        /// What became of a message.
        StatusReport = STATUS_REPORT,
    }
    shared {
        /// The answer to a login.
        LoginResp = LOGIN_RESP,
        /// The answer to a logout.
        LogoutResp = LOGOUT_RESP,
        /// The answer to a cancel.
        CancelResp = CANCEL_RESP,
        /// The answer to a set.
        SetResp = SET_RESP,
        /// The answer to a deliver.
        DeliverResp = DELIVER_RESP,
        /// The answer to a status report.
        StatusReportResp = STATUS_REPORT_RESP,
        /// The answer to an alive.
        AliveResp = ALIVE_RESP,
        /// A packet was not understood.
        GeneralError = GENERAL_ERROR,
    }
    bare {
        /// The end of a session.
        Logout = LOGOUT,
        /// Are you there?
        Alive = ALIVE,
        /// A checksum or a packet number was wrong: the packet's own number is the one that was expected.
        Nack = NACK,
    }
}

impl<'a> Packet<'a> {
    /// The error code and text of a response; `OK` for requests and where there is none.
    #[must_use]
    pub fn outcome(&self) -> (ErrorCode, &'a [u8]) {
        match self {
            Self::SubmitResp(answer) => (answer.error, answer.error_text),
            Self::EnquireStatusResp(answer) => (answer.error, answer.error_text),
            Self::DeliveryRequestResp(answer) => (answer.error, answer.error_text),
            Self::GetResp(answer) => (answer.error, answer.error_text),
            Self::LoginResp(answer)
            | Self::LogoutResp(answer)
            | Self::CancelResp(answer)
            | Self::SetResp(answer)
            | Self::DeliverResp(answer)
            | Self::StatusReportResp(answer)
            | Self::AliveResp(answer) => (answer.error, answer.error_text),
            // Whatever it says, it is not success.
            Self::GeneralError(answer) if answer.error.is_ok() => (ErrorCode::SYNTAX, answer.error_text),
            Self::GeneralError(answer) => (answer.error, answer.error_text),
            Self::Unknown { code, parameters } if code.is_response() => {
                let error = parameters.get(Tag::ERROR).map_or(ErrorCode::OK, ErrorCode::from_wire);
                (error, parameters.get(Tag::ERROR_TEXT).unwrap_or_default())
            }
            _ => (ErrorCode::OK, b""),
        }
    }
}
