//! CIMD2, the protocol of Nokia's SMSCs: reading and writing packets, and sessions of both sides, without any I/O.
//!
//! # Packets
//!
//! [`next_piece`] finds what lies at the start of a buffer: a [`Frame`] between STX and ETX, octets between frames
//! that mean nothing, or what began as a frame and is none; the next STX begins another, so no octets whatever end a
//! session. [`Frame::decode`] reads the parameters as a [`Packet`], whose fields borrow the buffer, and nothing is
//! allocated. [`encode`] appends a packet to a `Vec`. Each operation is a struct of plain fields, made from one table
//! that its reader and its writer share; parameters without a field of their own are kept in `extra`, in both
//! directions.
//!
//! Reading is as tolerant as the field demands, writing is strict. A request that can't be understood
//! gives a [`DecodeError`], which knows the error code to answer with. **Responses are never refused**:
//! whatever is missing or unreadable in them is as if absent, because dropping one would leave its message in
//! doubt. Which parameters a request needs is not checked here: that is the SMSC's business.
//!
//! Text stays in its notation. [`septets`] and [`write_text`] turn it into septets of the GSM default alphabet and
//! back; what these look like, and user data headers and data coding schemes, are not CIMD2's.
//!
//! # Sessions
//!
//! [`Session`] is one connection of either side, an application's or an SMSC's. It is a plain struct:
//! bytes, commands and the time go in; events, bytes and the next deadline come out. It owns no socket,
//! no task and no clock; times are [`Duration`](std::time::Duration)s since any moment that the caller
//! likes. So whole lives of sessions can be tested in memory, and one loop serves TCP and TLS alike.
//!
//! - **Input**: [`receive`](Session::receive) copies octets into a buffer of at most one packet and a read;
//!   [`next_event`](Session::next_event) takes packets out of it one by one. Events borrow the buffer.
//! - **Output** gathers in one `Vec`, which the caller writes and consumes. When it is
//!   [full](Session::output_is_full), no more input is taken: a peer that does not read can't make us
//!   buffer without end.
//! - **Requests** carry a token of the caller's choice, which comes back exactly once: in `Response`,
//!   `Nacked` or `TimedOut`, or, after `Closed`, from
//!   [`drain_outstanding`](Session::drain_outstanding): those are in doubt.
//! - **Numbers** of ours go round after 128 packets. One whose answer never came is passed over when its turn comes
//!   again, so that a late answer is not taken for that of another message. The peer's may be anything.
//! - **nack** means that the peer has not taken a request: it is sent again, if need be with the number that the peer
//!   expects. After [`max_nacks`](SessionConfig::max_nacks) the session ends.
//! - **Repeated requests** of the peer, the same in number, operation and parameters as one of its last 64, are
//!   answered as before and not told again, unless they were refused.
//! - **The link**: a client sends alive after an interval of silence, and any octet counts as life.
//!   alive is always answered, before the login too.
//! - **The end**: either side's logout first lets open answers through, for a limited time.
//! - Requests that come before the login is settled wait until it is. What is not allowed is answered
//!   with error 1, what is unknown with a general error, and what exceeds
//!   [`max_unanswered`](SessionConfig::max_unanswered) with error 10.
//!
//! ```
//! use std::time::Duration;
//! use cimd2::{ClientConfig, ErrorCode, Event, Packet, Session, SessionConfig, Submit, SubmitResp, Values};
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
//!                 Event::LoginRequest { .. } => {
//!                     // A real server looks at the credentials first.
//!                     session.accept_login(now).unwrap();
//!                 }
//!                 Event::Request { sequence, packet: Packet::Submit(message) } => {
//!                     assert_eq!(message.text, Some(&b"hello"[..]));
//!                     answers.push(sequence);
//!                 }
//!                 Event::Response { token, error, packet: Packet::SubmitResp(answer) } => {
//!                     // These two together are the message's identity.
//!                     assert_eq!((answer.destination, answer.timestamp), (&b"4915123456789"[..], &b"261122183420"[..]));
//!                     assert_eq!((token, error), (42, ErrorCode::OK));
//!                 }
//!                 _ => {}
//!             }
//!         }
//!         for sequence in answers {
//!             let answer =
//!                 SubmitResp { destination: b"4915123456789", timestamp: b"261122183420", ..Default::default() };
//!             session.respond(sequence, &answer, now).unwrap();
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
//! let mut client = Session::client(ClientConfig { user: b"shop".to_vec(), ..Default::default() }, now)?;
//! let mut server = Session::server(SessionConfig::default(), now)?;
//! let login = turn(&mut client, b"", now);
//! let answer = turn(&mut server, &login, now);
//! turn(&mut client, &answer, now);
//! assert!(client.is_logged_in() && server.is_logged_in());
//!
//! let message = Submit {
//!     destinations: Values::one(b"4915123456789"),
//!     text: Some(b"hello"),
//!     ..Default::default()
//! };
//! client.submit(&message, 42, now).unwrap();
//! let submit = turn(&mut client, b"", now);
//! let answer = turn(&mut server, &submit, now);
//! turn(&mut client, &answer, now);
//! assert_eq!(client.outstanding(), 0);
//! # Ok::<(), cimd2::ConfigError>(())
//! ```
//!
//! # Map
//! `frame` boundaries of packets · `operation`, `parameter`, `error_code`, `status`, `values`, `time`, `text` the words
//! of the protocol · `packet` operations, their tables, reader and writer · `session` the state machine: `incoming`
//! judges packets, `timers` acts on silence, `outstanding` keeps the window, `numbers` ours and `handled` the peer's,
//! `nacks` what has to be said again.

mod error;
mod error_code;
mod frame;
mod operation;
mod packet;
mod parameter;
mod session;
mod status;
mod text;
mod time;
mod values;

pub use error::{DecodeError, EncodeError};
pub use error_code::{ErrorClass, ErrorCode};
pub use frame::{Checksum, DEFAULT_MAX_PACKET, ETX, Frame, FrameError, Header, Piece, STX, TAB, next_piece};
pub use operation::OperationCode;
pub use packet::{
    Answer, Cancel, Deliver, DeliveryRequest, DeliveryRequestResp, EnquireStatus, EnquireStatusResp, Get, GetResp,
    Login, Operation, Packet, Set, StatusReport, Submit, SubmitResp, Writer, encode,
};
pub use parameter::{Parameter, ParameterBuf, ParameterIter, Parameters, Tag, TagKind};
pub use session::{
    ClientConfig, CloseReason, ConfigError, Counters, Event, PacketCount, RespondError, Session, SessionConfig,
    SubmitError,
};
pub use status::{StatusCode, StatusError};
pub use text::{Septets, septets, write_text};
pub use time::{AbsoluteTime, RelativeTime, TimeError};
pub use values::{Octets, Secret, StatusReports, ValueIter, Values};
