//! UCP/EMI
mod address;
mod code;
mod error;
mod frame;
mod hex;
mod ot;
mod pdu;
mod reason;
mod secret;
mod time;
mod values;
mod xser;

pub use address::{NAME_MAX, NameDigits, NameSeptets, pack_name, unpack_name};
pub use code::{ErrorClass, ErrorCode};
pub use error::{DecodeError, EncodeError};
pub use frame::{
    DEFAULT_MAX_FRAME, ETX, Frame, FrameError, FrameRules, HEADER_LEN, Header, Kind, NextFrame, STX, Trn, next_frame,
};
pub use hex::Hex;
pub use ot::OperationType;
pub use pdu::{
    Addresses, AddressesBuf, Alert, Answer, CallInput, Content, FieldValue, Identity, ListManagement, MessageTransfer,
    MultipleCallInput, Operation, Pdu, SessionManagement, ShortMessage, SupplementaryCallInput, encode, encode_answer,
};
pub use reason::{DeliveryStatus, Reason};
pub use secret::Secret;
pub use time::{TimeDigits, TimeError, UcpTime};
pub use values::{AddressType, ListType, NotificationType, Npi, Pid, SessionType, Ton};
pub use xser::{Xser, XserBuf, XserIter, XserType, Xsers};
