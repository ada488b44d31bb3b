//! What a session tells its caller.

use thiserror::Error;

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::frame::FrameError;
use crate::operation::OperationCode;
use crate::packet::{Login, Packet};

/// Something that happened. It borrows the session's buffers: use it before the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Client: the line that the SMSC has sent before anything else. It names the session to the SMSC's operator; many
    /// SMSCs send none.
    Greeting {
        /// The line, without its end and without control characters.
        text: &'a [u8],
    },
    /// Client: the SMSC took our login.
    LoggedIn,
    /// Client: the SMSC refused our login. `Closed` follows.
    LoginRefused {
        /// Why.
        error: ErrorCode,
        /// What it says to it, often nothing.
        text: &'a [u8],
    },
    /// Server: an application wants in. Call `accept_login` or `refuse_login`; its requests wait until then.
    LoginRequest {
        /// Who.
        login: Login<'a>,
    },
    /// The peer asks for something. Call `respond` or `refuse` with this number. A request that the peer repeats
    /// comes only once.
    Request {
        /// To answer with.
        sequence: u16,
        /// What it asks for.
        packet: Packet<'a>,
    },
    /// The peer answered one of our requests.
    Response {
        /// Which.
        token: u64,
        /// How it went.
        error: ErrorCode,
        /// The answer: of the kind that belongs to the request, or a general error.
        packet: Packet<'a>,
    },
    /// The peer answered one of our requests with nacks only, and has not taken it. `Closed` follows.
    Nacked {
        /// Which.
        token: u64,
    },
    /// The peer did not answer one of our requests in time. What it did with it is in doubt.
    TimedOut {
        /// Which.
        token: u64,
    },
    /// The peer sent a request that can't be understood. It was answered already.
    Malformed {
        /// Its packet number.
        sequence: u16,
        /// Which operation.
        operation: OperationCode,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// What the peer sent began as a packet and was none. There is nothing to answer.
    Broken(FrameError),
    /// The peer wants to end the session: nothing can be sent any more but answers.
    PeerLoggingOut,
    /// The session is over. Write what output is left, close the connection, and take what is in
    /// doubt with `drain_outstanding`.
    Closed(CloseReason),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// The peer logged out.
    #[error("the peer logged out")]
    PeerLoggedOut,
    /// We logged out, or as a server ended the session.
    #[error("we logged out")]
    WeLoggedOut,
    /// The connection ended without logout.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The login was refused: by the SMSC if we are the client, by us if we are the server.
    #[error("the login was refused: {0}")]
    LoginRefused(ErrorCode),
    /// No login, or no answer to it, in time.
    #[error("no login in time")]
    LoginTimeout,
    /// The SMSC stayed silent after an alive.
    #[error("the peer did not answer alive")]
    AliveTimeout,
    /// The peer stayed silent for too long.
    #[error("the peer was silent for too long")]
    Silence,
    /// The peer answers with nacks, however often a request is repeated.
    #[error("the peer expects other packet numbers, or takes our checksums for wrong")]
    OutOfStep,
}

/// A request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// As many requests are unanswered as the window allows, or the next packet number is still in use. Wait for a
    /// response.
    #[error("the window is full")]
    WindowFull,
    /// More output waits to be written than is allowed. Write it.
    #[error("the output is full")]
    OutputFull,
    /// Nobody is logged in (yet, or any more).
    #[error("the session is not logged in")]
    NotLoggedIn,
    /// The operation is for the other side to send.
    #[error("{0} goes in the other direction")]
    WrongDirection(OperationCode),
    /// The packet is a response, or belongs to the session itself (login, logout, alive).
    #[error("{0} cannot be sent as a request")]
    NotARequest(OperationCode),
    /// A value can't be sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// An answer was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RespondError {
    /// The session is over, no login waits for a decision, or no request with this number for an answer.
    #[error("there is nothing to answer")]
    NothingToAnswer,
    /// The packet is not the answer that belongs to the request.
    #[error("{0} does not answer the request")]
    NotItsAnswer(OperationCode),
    /// A value can't be sent. The request still waits for an answer.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
