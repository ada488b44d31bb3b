//! What a session tells its caller.

use thiserror::Error;

use crate::code::ErrorCode;
use crate::error::{DecodeError, EncodeError};
use crate::frame::{FrameError, Header, Trn};
use crate::ot::OperationType;
use crate::pdu::{Alert, Answer, Operation, SessionManagement};

/// Something that happened. It borrows the session's receive buffer: use it before the next call.
// It lives for a moment, and boxing the operation would be an allocation a message.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The session is open: the SMSC took our login, or none is needed.
    Opened {
        /// What the SMSC says about it, if anything.
        sm: &'a [u8],
    },
    /// Client: the SMSC refused our login. `Closed` follows.
    LoginRefused {
        /// Why.
        code: ErrorCode,
        /// What it says about it, if anything.
        sm: &'a [u8],
    },
    /// Server: an application wants in. Call `accept_login` or `refuse_login`; its operations wait until then.
    LoginRequest {
        /// Who.
        login: SessionManagement<'a>,
    },
    /// The peer asks for something. Call `respond` with this TRN.
    Request {
        /// To answer with.
        trn: Trn,
        /// What it asks for.
        operation: Operation<'a>,
    },
    /// The peer answered one of our operations.
    Response {
        /// Which.
        token: u64,
        /// What it was.
        ot: OperationType,
        /// How it went.
        answer: Answer<'a>,
    },
    /// The peer did not answer one of our operations in time. What it did with it is in doubt.
    TimedOut {
        /// Which.
        token: u64,
    },
    /// The peer says that a terminal is there, or asks whether we are. It was answered already. On links without
    /// a login this is how an application says who it is.
    Alert(Alert<'a>),
    /// The peer sent a frame that can't be understood. If it was an operation and its TRN could be read, it was
    /// answered already. If it was a result, its operation stays open.
    Malformed {
        /// How the frame starts, if that could be read.
        header: Option<Header>,
        /// What is wrong with it.
        error: Fault,
    },
    /// The session is over. Write what output is left, close the connection, and take what is in
    /// doubt with `drain_outstanding`.
    Closed(CloseReason),
}

/// What is wrong with a frame of the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Its fields can't be read.
    #[error(transparent)]
    Fields(#[from] DecodeError),
}

impl Fault {
    /// The error code to answer with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Frame(error) => error.code(),
            Self::Fields(error) => error.code(),
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// We finished it.
    #[error("we closed the session")]
    WeClosed,
    /// The connection ended, which is how UCP sessions do.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The login was refused: by the SMSC if we are the client, by us if we are the server.
    #[error("the login was refused: {0}")]
    LoginRefused(ErrorCode),
    /// No login, or no answer to it, in time.
    #[error("no login in time")]
    LoginTimeout,
    /// The peer stayed silent after an alert.
    #[error("the peer did not answer an alert")]
    KeepAliveTimeout,
    /// Nothing but alerts for too long.
    #[error("no messages for too long")]
    Inactivity,
    /// The peer's octets are no UCP.
    #[error("the peer sent {0} octets without a good frame")]
    Junk(usize),
}

/// An operation was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// As many operations are unanswered as the window and the TRNs allow. Wait for a result, or the next deadline.
    #[error("the window is full")]
    WindowFull,
    /// More output waits to be written than is allowed. Write it.
    #[error("the output is full")]
    OutputFull,
    /// The session is not open (yet, or any more).
    #[error("the session is not open")]
    NotOpen,
    /// The operation goes the other way, or is not known.
    #[error("operation {0} does not go from this side to the other")]
    WrongDirection(OperationType),
    /// Logging in is up to the session itself.
    #[error("a session is opened by its configuration")]
    Login,
    /// A value can't be sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// A result was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RespondError {
    /// No operation under this TRN waits, the session is over, or no login waits for a decision.
    #[error("there is nothing to answer")]
    NothingToAnswer,
    /// A value can't be sent. The operation still waits for its result.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
