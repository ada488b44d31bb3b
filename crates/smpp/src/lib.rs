//! SMPP 3.3, 3.4 and 5.0: reading and writing PDUs, and sessions of both sides, without any I/O.
//!
//! # PDUs
//!
//! [`next_frame`] finds the next PDU in a buffer; [`Frame::decode`] reads its body as a [`Pdu`], whose
//! fields borrow the buffer: strings are `&[u8]` without their NUL, optional parameters are a lazy list
//! ([`Tlvs`]), and nothing is allocated. [`encode`] appends a PDU to a `Vec`. Each operation is a struct
//! of plain fields, made from one table that its reader, its writer and its description
//! ([`Pdu::fields`]) share.
//!
//! Reading is as tolerant as the field demands, writing is strict. A request that can't be understood
//! gives a [`DecodeError`], which knows the status to answer with. **Responses are never refused**:
//! whatever is missing in them is empty or zero, because dropping one would leave its message in
//! doubt. Only a broken command_length ([`FrameError`]) ends a session.
//!
//! Text stays octets here. Alphabets, user data headers and the texts of receipts are not SMPP's.
//!
//! # Sessions
//!
//! [`Session`] is one connection of either side, an ESME's or a message centre's. It is a plain struct:
//! bytes, commands and the time go in; events, bytes and the next deadline come out. It owns no socket,
//! no task and no clock; times are [`Duration`](std::time::Duration)s since any moment that the caller
//! likes. So whole lives of sessions can be tested in memory, and one loop serves TCP and TLS alike.
//!
//! - **Input**: [`receive`](Session::receive) copies octets into a buffer of at most one PDU and a read;
//!   [`next_event`](Session::next_event) takes PDUs out of it one by one. Events borrow the buffer.
//! - **Output** gathers in one `Vec`, which the caller writes and consumes. When it is
//!   [full](Session::output_is_full), no more input is taken: a peer that does not read can't make us
//!   buffer without end.
//! - **Requests** carry a token of the caller's choice, which comes back exactly once: in `Response`,
//!   `Nacked` or `TimedOut`, or, after `Closed`, from
//!   [`drain_outstanding`](Session::drain_outstanding): those are in doubt.
//! - **The link**: enquire_link goes out after an interval of silence, and any octet counts as life.
//!   enquire_link is always answered, before the bind too.
//! - **The end**: either side's unbind first lets open answers through, for a limited time.
//! - Requests that come before the bind is settled wait until it is. What is not allowed is answered
//!   with ESME_RINVBNDSTS, what is unknown with generic_nack, and what exceeds
//!   [`max_unanswered`](SessionConfig::max_unanswered) with ESME_RTHROTTLED.
//!
//! ```
//! use std::time::Duration;
//! use smpp::{Address, ClientConfig, CommandStatus, Event, Pdu, Session, SessionConfig, SubmitSm, SubmitSmResp};
//!
//! /// One side of the loop: hands over what was read, deals with events, gives what is to be written.
//! fn turn(session: &mut Session, mut read: &[u8], now: Duration) -> Vec<u8> {
//!     let mut write = Vec::new();
//!     loop {
//!         let taken = session.receive(read, now);
//!         read = &read[taken..];
//!         let mut answers = Vec::new();
//!         while let Some(event) = session.next_event(now) {
//!             match event {
//!                 Event::BindRequest { .. } => {
//!                     // A real server looks at the credentials first.
//!                     session.accept_bind(b"centre", now).unwrap();
//!                 }
//!                 Event::Request { sequence, pdu: Pdu::SubmitSm(message) } => {
//!                     assert_eq!(message.user_data(), b"hello");
//!                     answers.push(sequence);
//!                 }
//!                 Event::Response { token, status, .. } => assert_eq!((token, status), (42, CommandStatus::ROK)),
//!                 _ => {}
//!             }
//!         }
//!         for sequence in answers {
//!             let response = SubmitSmResp { message_id: b"1", ..Default::default() };
//!             session.respond(sequence, CommandStatus::ROK, &response, now).unwrap();
//!         }
//!         // A real loop writes `output` to its socket here, and waits until `next_deadline` at most.
//!         write.extend_from_slice(session.output());
//!         session.consume_output(session.output().len());
//!         if read.is_empty() {
//!             return write;
//!         }
//!     }
//! }
//!
//! let now = Duration::ZERO;
//! let mut client = Session::client(ClientConfig { system_id: b"shop".to_vec(), ..Default::default() }, now)?;
//! let mut server = Session::server(SessionConfig::default(), now)?;
//! let bind = turn(&mut client, b"", now);
//! let bind_resp = turn(&mut server, &bind, now);
//! turn(&mut client, &bind_resp, now);
//! assert!(client.is_bound() && server.is_bound());
//!
//! let message = SubmitSm {
//!     destination: Address::international(b"4915123456789"),
//!     short_message: b"hello",
//!     ..Default::default()
//! };
//! client.submit(&message, 42, now).unwrap();
//! let submit = turn(&mut client, b"", now);
//! let answer = turn(&mut server, &submit, now);
//! turn(&mut client, &answer, now);
//! assert_eq!(client.outstanding(), 0);
//! # Ok::<(), smpp::ConfigError>(())
//! ```
//!
//! # Map
//! `frame` boundaries of PDUs · `command`, `status`, `values`, `time` the words of the protocol · `tlv`
//! optional parameters · `pdu` operations, their tables, reader, writer and description · `session` the
//! state machine: `incoming` judges PDUs, `timers` acts on silence, `outstanding` keeps the window.

mod command;
mod error;
mod frame;
mod pdu;
mod session;
mod status;
mod time;
mod tlv;
mod values;

pub use command::CommandId;
pub use error::{DecodeError, EncodeError};
pub use frame::{DEFAULT_MAX_PDU, Frame, FrameError, HEADER_LEN, Header, next_frame};
pub use pdu::{
    Address, AlertNotification, Bind, BindMode, BindResp, BroadcastSm, BroadcastSmResp, CancelBroadcastSm, CancelSm,
    DataSm, DataSmResp, DeliverSm, DeliverSmResp, Destination, DestinationBuf, DestinationIter, Destinations, Failure,
    FailureBuf, FailureIter, Failures, FieldValue, Operation, Outbind, Pdu, QueryBroadcastSm, QueryBroadcastSmResp,
    QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp, Writer, encode, encode_with,
};
pub use session::{
    ClientConfig, CloseReason, ConfigError, Counters, Event, OutbindCredentials, PduCount, RespondError, Session,
    SessionConfig, SubmitError,
};
pub use status::{CommandStatus, StatusClass};
pub use time::{AbsoluteTime, RelativeTime, SmppTime, TimeError};
pub use tlv::{Tag, TagKind, Tlv, TlvBuf, TlvIter, Tlvs};
pub use values::{DataCoding, EsmClass, InterfaceVersion, MessageState, MessageType, Npi, RegisteredDelivery, Ton};
