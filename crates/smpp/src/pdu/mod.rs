//! Every operation as a borrowed value, from bytes and to bytes.

mod address;
mod bind;
mod broadcast;
mod fields;
mod message;
mod multi;
mod query;
mod read;
mod table;
mod write;

pub use address::Address;
pub use bind::{Bind, BindMode, BindResp, Outbind};
pub use broadcast::{BroadcastSm, BroadcastSmResp, CancelBroadcastSm, QueryBroadcastSm, QueryBroadcastSmResp};
pub use fields::FieldValue;
pub use message::{
    DataSm, DataSmResp, DeliverSm, DeliverSmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp,
};
pub use multi::{
    Destination, DestinationBuf, DestinationIter, Destinations, Failure, FailureBuf, FailureIter, Failures,
};
pub use query::{AlertNotification, CancelSm, QuerySm, QuerySmResp};
pub use write::Writer;

use crate::command::CommandId;
use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, HEADER_LEN};
use crate::status::CommandStatus;
use fields::Visitor;
use read::Reader;
use table::Body;

/// Something that has a command id and a body: every struct here but the binds, and [`Pdu`] itself.
/// The structs are the short way for a sender; `Pdu` is for those that handle several operations.
pub trait Operation {
    /// Which operation it is.
    fn command_id(&self) -> CommandId;

    /// Writes the body without the header.
    ///
    /// # Errors
    /// When the wire can't carry a value. Something may have been written then.
    fn write_body(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError>;

    /// Whether every field is empty or zero.
    fn is_blank(&self) -> bool;
}

/// Appends a whole PDU to `out`. A response with an error status and a blank body is sent as a bare
/// header, as the standard wants (SMPP 3.4 §4.4.2).
///
/// # Errors
/// When the wire can't carry a value; then `out` is as it was.
#[inline]
pub fn encode(
    operation: &impl Operation,
    sequence: u32,
    status: CommandStatus,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    encode_with(operation, sequence, status, true, out)
}

/// Like [`encode`], with the choice to leave TLVs out for a peer that speaks SMPP 3.3.
///
/// # Errors
/// As [`encode`], and when leaving out message_payload would lose the text.
#[inline]
pub fn encode_with(
    operation: &impl Operation,
    sequence: u32,
    status: CommandStatus,
    with_tlvs: bool,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let id = operation.command_id();
    let start = out.len();
    out.reserve(TYPICAL_PDU);
    let mut header = [0; HEADER_LEN];
    header[4..8].copy_from_slice(&id.0.to_be_bytes());
    header[8..12].copy_from_slice(&status.0.to_be_bytes());
    header[12..].copy_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&header);
    let bare = !status.is_ok() && id.is_response() && operation.is_blank();
    let written = if bare { Ok(()) } else { operation.write_body(&mut Writer::new(out, with_tlvs)) };
    let length = u32::try_from(out.len() - start).map_err(|_| EncodeError::TooLong {
        field: "command_length",
        length: usize::MAX,
        max: u32::MAX as usize,
    });
    match written.and(length) {
        Ok(length) => {
            if let Some(place) = out.get_mut(start..start + 4) {
                place.copy_from_slice(&length.to_be_bytes());
            }
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// Octets to have ready before a PDU is written, so that most need one check of the capacity.
const TYPICAL_PDU: usize = 256;

macro_rules! pdus {
    (
        bodies { $($(#[$doc:meta])* $name:ident = $id:ident,)* }
        bare { $($(#[$bare_doc:meta])* $bare:ident = $bare_id:ident,)* }
    ) => {
        /// Any PDU, with fields that borrow the buffer it came in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Pdu<'a> {
            /// One of the three binds.
            Bind(BindMode, Bind<'a>),
            /// The answer to one of the three binds.
            BindResp(BindMode, BindResp<'a>),
            $($(#[$doc])* $name($name<'a>),)*
            $($(#[$bare_doc])* $bare,)*
            /// An operation that is not known here, such as those of vendors.
            Unknown {
                /// Its command id.
                id: CommandId,
                /// Its body as it came.
                body: &'a [u8],
            },
        }

        impl<'a> Pdu<'a> {
            /// Reads a body. Octets behind the last field that are no TLVs are ignored, and so are
            /// the bodies of operations that have none. Responses are never refused.
            ///
            /// # Errors
            /// When the peer's request can't be understood.
            #[inline]
            pub fn decode(id: CommandId, body: &'a [u8]) -> Result<Self, DecodeError> {
                let reader = &mut Reader::new(body, id.is_response());
                Ok(match id {
                    $(CommandId::$id => Self::$name(Body::read(reader)?),)*
                    $(CommandId::$bare_id => Self::$bare,)*
                    CommandId::BIND_RECEIVER => Self::Bind(BindMode::Receiver, Body::read(reader)?),
                    CommandId::BIND_TRANSMITTER => Self::Bind(BindMode::Transmitter, Body::read(reader)?),
                    CommandId::BIND_TRANSCEIVER => Self::Bind(BindMode::Transceiver, Body::read(reader)?),
                    CommandId::BIND_RECEIVER_RESP => Self::BindResp(BindMode::Receiver, Body::read(reader)?),
                    CommandId::BIND_TRANSMITTER_RESP => Self::BindResp(BindMode::Transmitter, Body::read(reader)?),
                    CommandId::BIND_TRANSCEIVER_RESP => Self::BindResp(BindMode::Transceiver, Body::read(reader)?),
                    _ => Self::Unknown { id, body },
                })
            }

            /// Calls `visit` with the name and value of each field of the body, in wire order. Names are
            /// those of the standard; TLVs without one are called by their tag, as `0x1403`. Lists give
            /// repeated names.
            pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) {
                let visitor = &mut Visitor::new(visit);
                match self {
                    Self::Bind(_, body) => body.visit(visitor),
                    Self::BindResp(_, body) => body.visit(visitor),
                    $(Self::$name(body) => body.visit(visitor),)*
                    $(Self::$bare => {})*
                    Self::Unknown { body, .. } => visitor.octets("body", body),
                }
            }
        }

        impl Operation for Pdu<'_> {
            fn command_id(&self) -> CommandId {
                match self {
                    Self::Bind(BindMode::Receiver, _) => CommandId::BIND_RECEIVER,
                    Self::Bind(BindMode::Transmitter, _) => CommandId::BIND_TRANSMITTER,
                    Self::Bind(BindMode::Transceiver, _) => CommandId::BIND_TRANSCEIVER,
                    Self::BindResp(BindMode::Receiver, _) => CommandId::BIND_RECEIVER_RESP,
                    Self::BindResp(BindMode::Transmitter, _) => CommandId::BIND_TRANSMITTER_RESP,
                    Self::BindResp(BindMode::Transceiver, _) => CommandId::BIND_TRANSCEIVER_RESP,
                    $(Self::$name(_) => CommandId::$id,)*
                    $(Self::$bare => CommandId::$bare_id,)*
                    Self::Unknown { id, .. } => *id,
                }
            }

            #[inline]
            fn write_body(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                match self {
                    Self::Bind(_, body) => body.write(writer),
                    Self::BindResp(_, body) => body.write(writer),
                    $(Self::$name(body) => body.write(writer),)*
                    $(Self::$bare => Ok(()),)*
                    Self::Unknown { body, .. } => {
                        writer.raw(body);
                        Ok(())
                    }
                }
            }

            fn is_blank(&self) -> bool {
                match self {
                    Self::Bind(_, body) => Body::is_blank(body),
                    Self::BindResp(_, body) => Body::is_blank(body),
                    $(Self::$name(body) => Body::is_blank(body),)*
                    $(Self::$bare => true,)*
                    Self::Unknown { body, .. } => body.is_empty(),
                }
            }
        }

        $(
            impl Operation for $name<'_> {
                fn command_id(&self) -> CommandId {
                    CommandId::$id
                }

                #[inline]
                fn write_body(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                    self.write(writer)
                }

                fn is_blank(&self) -> bool {
                    Body::is_blank(self)
                }
            }

            impl<'a> From<$name<'a>> for Pdu<'a> {
                fn from(body: $name<'a>) -> Self {
                    Self::$name(body)
                }
            }
        )*
    };
}

pdus! {
    bodies {
        /// A message from the ESME.
        SubmitSm = SUBMIT_SM,
        /// Its answer.
        SubmitSmResp = SUBMIT_SM_RESP,
        /// A message or receipt from the MC.
        DeliverSm = DELIVER_SM,
        /// Its answer.
        DeliverSmResp = DELIVER_SM_RESP,
        /// A message in either direction.
        DataSm = DATA_SM,
        /// Its answer.
        DataSmResp = DATA_SM_RESP,
        /// One message to many.
        SubmitMulti = SUBMIT_MULTI,
        /// Its answer.
        SubmitMultiResp = SUBMIT_MULTI_RESP,
        /// What became of a message?
        QuerySm = QUERY_SM,
        /// Its answer.
        QuerySmResp = QUERY_SM_RESP,
        /// Stop a message.
        CancelSm = CANCEL_SM,
        /// A new text for a message.
        ReplaceSm = REPLACE_SM,
        /// A subscriber can be reached again; has no answer.
        AlertNotification = ALERT_NOTIFICATION,
        /// The MC asks the ESME to bind; has no answer.
        Outbind = OUTBIND,
        /// A message to an area.
        BroadcastSm = BROADCAST_SM,
        /// Its answer.
        BroadcastSmResp = BROADCAST_SM_RESP,
        /// What became of a broadcast?
        QueryBroadcastSm = QUERY_BROADCAST_SM,
        /// Its answer.
        QueryBroadcastSmResp = QUERY_BROADCAST_SM_RESP,
        /// Stop a broadcast.
        CancelBroadcastSm = CANCEL_BROADCAST_SM,
    }
    bare {
        /// The answer to a cancel_sm.
        CancelSmResp = CANCEL_SM_RESP,
        /// The answer to a replace_sm.
        ReplaceSmResp = REPLACE_SM_RESP,
        /// The answer to a cancel_broadcast_sm.
        CancelBroadcastSmResp = CANCEL_BROADCAST_SM_RESP,
        /// Are you there?
        EnquireLink = ENQUIRE_LINK,
        /// Yes.
        EnquireLinkResp = ENQUIRE_LINK_RESP,
        /// The end of a session.
        Unbind = UNBIND,
        /// Its answer.
        UnbindResp = UNBIND_RESP,
        /// The answer to what can't be answered otherwise.
        GenericNack = GENERIC_NACK,
    }
}

impl Frame<'_> {
    /// Calls `visit` with the fields of the header and, if the body can be read, of the body.
    ///
    /// # Errors
    /// When the body can't be read; the header's fields have been visited.
    pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) -> Result<(), DecodeError> {
        visit("command_length", FieldValue::Integer(self.header.command_length));
        visit("command_id", FieldValue::Integer(self.header.command_id.0));
        visit("command_status", FieldValue::Integer(self.header.command_status.0));
        visit("sequence_number", FieldValue::Integer(self.header.sequence_number));
        self.decode()?.fields(visit);
        Ok(())
    }
}
