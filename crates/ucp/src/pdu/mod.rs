//! Every operation and result as a borrowed value, from bytes and to bytes.

mod account;
mod answer;
mod call;
mod content;
mod fields;
mod list;
mod message;
mod read;
mod table;
mod write;

pub use account::{ListManagement, SessionManagement};
pub use answer::{Answer, Identity};
pub use call::{Alert, CallInput, MessageTransfer, MultipleCallInput, SupplementaryCallInput};
pub use content::Content;
pub use fields::FieldValue;
pub use list::{Addresses, AddressesBuf};
pub use message::ShortMessage;

use crate::error::{DecodeError, EncodeError};
use crate::frame::{CHECKSUM_LEN, ETX, Frame, Header, Kind, STX, Trn, checksum};
use crate::hex;
use crate::ot::OperationType;
use fields::Visitor;
use read::Reader;
use table::Body;
use write::Writer;

/// What is in a frame.
// An event holds one for a moment, and boxing it would be an allocation a message.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pdu<'a> {
    /// An operation.
    Operation(Operation<'a>),
    /// The result of one.
    Answer(OperationType, Answer<'a>),
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($body:ident) = $ot:ident,)*) => {
        /// Any operation, with fields that borrow the buffer it came in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation<'a> {
            $($(#[$doc])* $name($body<'a>),)*
            /// An operation that is not known here.
            Unknown {
                /// Its type.
                ot: OperationType,
                /// Its fields as they came, each with the `/` behind it.
                data: &'a [u8],
            },
        }

        impl<'a> Operation<'a> {
            /// Reads the fields of an operation.
            ///
            /// # Errors
            /// When it can't be understood.
            #[inline]
            pub fn decode(ot: OperationType, data: &'a [u8]) -> Result<Self, DecodeError> {
                let reader = &mut Reader::new(ot, data);
                Ok(match ot {
                    $(OperationType::$ot => Self::$name(Body::read(reader)?),)*
                    _ => Self::Unknown { ot, data },
                })
            }

            /// Which operation it is.
            #[must_use]
            pub fn ot(&self) -> OperationType {
                match self {
                    $(Self::$name(_) => OperationType::$ot,)*
                    Self::Unknown { ot, .. } => *ot,
                }
            }

            /// Calls `visit` with the name and value of each field that is not empty, in wire order. Names are
            /// those of the standard; lists give repeated names.
            pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) {
                let visitor = &mut Visitor::new(visit);
                match self {
                    $(Self::$name(body) => body.visit(visitor),)*
                    Self::Unknown { data, .. } => visitor.text("data", 0, data),
                }
            }

            #[inline]
            fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(body) => body.write(writer),)*
                    Self::Unknown { data, .. } => writer.raw(data),
                }
            }
        }
    };
}

operations! {
    /// 01: a message in either direction.
    CallInput(CallInput) = CALL_INPUT,
    /// 02: a message to many.
    MultipleCallInput(MultipleCallInput) = MULTIPLE_CALL_INPUT,
    /// 03: a message with supplementary services.
    SupplementaryCallInput(SupplementaryCallInput) = SUPPLEMENTARY_CALL_INPUT,
    /// 30: a short message, the plain way.
    MessageTransfer(MessageTransfer) = MESSAGE_TRANSFER,
    /// 31: a terminal is there.
    Alert(Alert) = ALERT,
    /// 51: a short message to the SMSC.
    Submit(ShortMessage) = SUBMIT,
    /// 52: a short message from the SMSC.
    Deliver(ShortMessage) = DELIVER,
    /// 53: what became of a message.
    Notify(ShortMessage) = NOTIFY,
    /// 54: change a message that waits in the SMSC.
    Modify(ShortMessage) = MODIFY,
    /// 55: which messages wait?
    Inquire(ShortMessage) = INQUIRE,
    /// 56: take messages back.
    Delete(ShortMessage) = DELETE,
    /// 57: what an inquiry has found.
    InquiryResponse(ShortMessage) = INQUIRY_RESPONSE,
    /// 58: what was taken back.
    DeleteResponse(ShortMessage) = DELETE_RESPONSE,
    /// 60: the login, for one.
    Session(SessionManagement) = SESSION,
    /// 61: who may send to, or get from, an account.
    List(ListManagement) = LIST,
}

impl<'a> Pdu<'a> {
    /// Reads the fields of a frame.
    ///
    /// # Errors
    /// When they can't be understood.
    #[inline]
    pub fn decode(kind: Kind, ot: OperationType, data: &'a [u8]) -> Result<Self, DecodeError> {
        match kind {
            Kind::Operation => Operation::decode(ot, data).map(Self::Operation),
            Kind::Result => Answer::decode(ot, data).map(|answer| Self::Answer(ot, answer)),
        }
    }

    /// Calls `visit` with the name and value of each field that is not empty, in wire order.
    pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) {
        match self {
            Self::Operation(operation) => operation.fields(visit),
            Self::Answer(_, answer) => answer.fields(visit),
        }
    }
}

/// Appends a whole frame with an operation to `out`, STX and ETX included.
///
/// # Errors
/// When the wire can't carry a value; then `out` is as it was.
#[inline]
pub fn encode(operation: &Operation<'_>, trn: Trn, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_frame(Kind::Operation, operation.ot(), trn, out, |writer| operation.write(writer))
}

/// Appends a whole frame with the result of an operation to `out`.
///
/// # Errors
/// When the wire can't carry a value; then `out` is as it was.
#[inline]
pub fn encode_answer(ot: OperationType, answer: &Answer<'_>, trn: Trn, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_frame(Kind::Result, ot, trn, out, |writer| answer.write(ot, writer))
}

/// Octets to have ready before a frame is written, so that most need one check of the capacity.
const TYPICAL_FRAME: usize = 512;
/// LEN has five digits.
const LEN_MAX: u32 = 99_999;

#[inline]
fn encode_frame(
    kind: Kind,
    ot: OperationType,
    trn: Trn,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    out.reserve(TYPICAL_FRAME);
    let [trn, ot] = [trn.get(), ot.0 % 100].map(|number| [b'0' + number / 10, b'0' + number % 10]);
    let kind = if kind == Kind::Operation { b'O' } else { b'R' };
    out.extend_from_slice(&[
        STX, trn[0], trn[1], b'/', b'0', b'0', b'0', b'0', b'0', b'/', kind, b'/', ot[0], ot[1], b'/',
    ]);
    let written = write(&mut Writer::new(out));
    let length = out.len() - start - 1 + CHECKSUM_LEN;
    let length = u32::try_from(length).ok().filter(|&length| length <= LEN_MAX).ok_or(EncodeError::TooLong {
        field: "LEN",
        length,
        max: LEN_MAX as usize,
    });
    match written.and(length) {
        Ok(length) => {
            put_length(out.get_mut(start + 4..start + 9).unwrap_or_default(), length);
            let sum = checksum(out.get(start + 1..).unwrap_or_default());
            let [high, low] = hex::pair(sum);
            out.extend_from_slice(&[high, low, ETX]);
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

fn put_length(place: &mut [u8], length: u32) {
    let mut left = length;
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
}

impl Header {
    /// Calls `visit` with the fields of the header.
    pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) {
        visit("TRN", FieldValue::Integer(u32::from(self.trn.get())));
        visit("LEN", FieldValue::Integer(self.length));
        visit("O/R", FieldValue::Text(if self.kind == Kind::Operation { b"O" } else { b"R" }));
        visit("OT", FieldValue::Integer(u32::from(self.ot.0)));
    }
}

impl Frame<'_> {
    /// Calls `visit` with the fields of the header and, if they can be read, with those that follow.
    ///
    /// # Errors
    /// When those can't be read; the header's have been visited.
    pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) -> Result<(), DecodeError> {
        self.header.fields(visit);
        self.decode()?.fields(visit);
        Ok(())
    }
}
