//! What can be wrong with a body: the peer's octets ([`DecodeError`]) or our values ([`EncodeError`]).

use thiserror::Error;

use crate::status::CommandStatus;

/// The peer's fault: a request whose body can't be read. The session goes on; answer with [`status`](Self::status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The body ends before a mandatory field.
    #[error("the peer's PDU ends before {field}")]
    Truncated {
        /// The first field that is missing.
        field: &'static str,
    },
    /// A C-octet string is longer than even a lenient reader takes (254 octets).
    #[error("the peer's {field} is longer than 254 octets")]
    StringTooLong {
        /// The field.
        field: &'static str,
    },
    /// sm_length runs over the end of the PDU.
    #[error("the peer's sm_length is {claimed}, but {available} octets are left")]
    MessageLength {
        /// What sm_length says.
        claimed: u8,
        /// How many octets the PDU has left.
        available: usize,
    },
    /// A dest_flag of submit_multi is neither 1 nor 2.
    #[error("the peer's dest_flag is {flag}")]
    DestinationFlag {
        /// What it is.
        flag: u8,
    },
}

impl DecodeError {
    /// The command_status to answer with.
    #[must_use]
    pub fn status(&self) -> CommandStatus {
        match self {
            Self::Truncated { .. } => CommandStatus::RINVCMDLEN,
            Self::MessageLength { .. } => CommandStatus::RINVMSGLEN,
            Self::DestinationFlag { .. } => CommandStatus::RINVDESTFLAG,
            Self::StringTooLong { field } => match *field {
                "source_addr" => CommandStatus::RINVSRCADR,
                "destination_addr" => CommandStatus::RINVDSTADR,
                "message_id" => CommandStatus::RINVMSGID,
                "system_id" => CommandStatus::RINVSYSID,
                "password" => CommandStatus::RINVPASWD,
                "system_type" => CommandStatus::RINVSYSTYP,
                "service_type" => CommandStatus::RINVSERTYP,
                "schedule_delivery_time" => CommandStatus::RINVSCHED,
                "validity_period" => CommandStatus::RINVEXPIRY,
                "dl_name" => CommandStatus::RINVDLNAME,
                _ => CommandStatus::RINVCMDLEN,
            },
        }
    }
}

/// Our fault: a value that the wire can't carry. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The value is longer than its field.
    #[error("{field} has {length} octets, the protocol allows {max}")]
    TooLong {
        /// The field or TLV.
        field: &'static str,
        /// How many octets the value has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// A NUL octet would end the C-octet string early.
    #[error("{field} contains a NUL octet")]
    Nul {
        /// The field.
        field: &'static str,
    },
    /// The text is in message_payload, yet the session's version (3.3) has no TLVs.
    #[error("message_payload cannot be sent in an SMPP 3.3 session")]
    PayloadWithoutTlvs,
}
