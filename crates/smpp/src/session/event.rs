//! What a session tells its caller.

use thiserror::Error;

use crate::command::CommandId;
use crate::error::{DecodeError, EncodeError};
use crate::frame::FrameError;
use crate::pdu::{Bind, BindMode, Pdu};
use crate::status::CommandStatus;
use crate::values::InterfaceVersion;

/// Something that happened. It borrows the session's receive buffer: use it before the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Client: the MC took our bind.
    Bound {
        /// The MC's name.
        system_id: &'a [u8],
        /// The version it says it speaks; many say nothing.
        version: Option<InterfaceVersion>,
    },
    /// Client: the MC refused our bind. `Closed` follows.
    BindRefused {
        /// Why.
        status: CommandStatus,
    },
    /// Server: an ESME wants in. Call `accept_bind` or `refuse_bind`; its requests wait until then.
    BindRequest {
        /// Which directions.
        mode: BindMode,
        /// Who.
        bind: Bind<'a>,
    },
    /// The peer asks for something. Call `respond` with this sequence number; nothing is to be
    /// answered if the PDU is an `AlertNotification`.
    Request {
        /// To answer with.
        sequence: u32,
        /// What it asks for.
        pdu: Pdu<'a>,
    },
    /// The peer answered one of our requests.
    Response {
        /// Which.
        token: u64,
        /// How it went.
        status: CommandStatus,
        /// The answer; usually but not always of the kind that belongs to the request.
        pdu: Pdu<'a>,
    },
    /// The peer answered one of our requests with a generic_nack.
    Nacked {
        /// Which.
        token: u64,
        /// Why.
        status: CommandStatus,
    },
    /// The peer did not answer one of our requests in time. What it did with it is in doubt.
    TimedOut {
        /// Which.
        token: u64,
    },
    /// The peer sent a request that can't be understood. It was answered already.
    Malformed {
        /// Its sequence number.
        sequence: u32,
        /// Which operation.
        id: CommandId,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The peer wants to end the session: nothing can be sent any more but answers.
    PeerUnbinding,
    /// The session is over. Write what output is left, close the connection, and take what is in
    /// doubt with `drain_outstanding`.
    Closed(CloseReason),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// The peer sent unbind.
    #[error("the peer unbound")]
    PeerUnbound,
    /// We sent unbind.
    #[error("we unbound")]
    WeUnbound,
    /// The connection ended without unbind.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The bind was refused: by the MC if we are the client, by us if we are the server.
    #[error("the bind was refused: {0}")]
    BindRefused(CommandStatus),
    /// No bind, or no answer to it, in time.
    #[error("no bind in time")]
    BindTimeout,
    /// The peer stayed silent after an enquire_link.
    #[error("the peer did not answer enquire_link")]
    EnquireTimeout,
    /// Nothing but enquire_link for too long.
    #[error("no messages for too long")]
    Inactivity,
    /// The peer's octets are no SMPP.
    #[error(transparent)]
    Framing(FrameError),
    /// The MC's outbind has the wrong credentials.
    #[error("the peer's outbind has wrong credentials")]
    OutbindRefused,
}

/// A request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// As many requests are unanswered as the window allows. Wait for a response.
    #[error("the window is full")]
    WindowFull,
    /// More output waits to be written than is allowed. Write it.
    #[error("the output is full")]
    OutputFull,
    /// The session is not bound (yet, or any more).
    #[error("the session is not bound")]
    NotBound,
    /// The session was bound for the other direction only.
    #[error("the session is bound for the other direction")]
    WrongDirection,
    /// The session's SMPP version does not have this operation.
    #[error("{0} is not in the session's SMPP version")]
    NotInVersion(CommandId),
    /// The PDU is a response, or belongs to the session itself (binds, unbind, enquire_link).
    #[error("{0} cannot be sent as a request")]
    NotARequest(CommandId),
    /// A value can't be sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// An answer was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RespondError {
    /// The session is over, or no bind is waiting for a decision.
    #[error("there is nothing to answer")]
    NothingToAnswer,
    /// The PDU is a request.
    #[error("{0} is not a response")]
    NotAResponse(CommandId),
    /// A value can't be sent. The request still waits for an answer.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
