//! UCP/EMI 3.x–5.x: reading and writing frames, and sessions of both sides, without any I/O.
//!
//! # Frames
//!
//! [`next_frame`] finds the next frame in a buffer, past whatever lies between frames; [`Frame::decode`] reads it
//! as a [`Pdu`]: an [`Operation`] or the [`Answer`] to one. Their fields borrow the buffer: what is hexadecimal on
//! the wire is a [`Hex`], which is read octet by octet or made of octets; extra services are a lazy list
//! ([`Xsers`]); nothing is allocated. [`encode`] and [`encode_answer`] append a frame to a `Vec`. Each operation
//! is a struct of plain fields with the names of the standard, made from one table that its reader, its writer and
//! its description ([`Operation::fields`]) share. Those of the 50 series all have the same fields:
//! [`ShortMessage`].
//!
//! Reading is as tolerant as the field demands, writing is strict. Fields that miss at the end are empty, further
//! ones are ignored, hexadecimal may be in lower case. An operation that can't be understood gives a
//! [`DecodeError`], and octets that are no frame a [`FrameError`]; both know the code to answer with. What an SMSC
//! notifies of (53) is never refused. A result that is neither positive nor negative is none: its operation stays
//! open, and times out.
//!
//! Text stays octets here: an alphanumeric message is codes of the GSM alphabet, one an octet, a name
//! ([`pack_name`], [`unpack_name`]) is septets. Alphabets and user data headers are not UCP's. Neither are clocks:
//! a [`UcpTime`] is numbers, in the SMSC's own time.
//!
//! What the SMSC calls a message is [`Identity`]: recipient and time stamp, from the result of 51, and from OAdC and
//! SCTS of the 53 that reports on it.
//!
//! # Sessions
//!
//! [`Session`] is one connection of either side, an application's or an SMSC's. It is a plain struct:
//! bytes, commands and the time go in; events, bytes and the next deadline come out. It owns no socket,
//! no task and no clock; times are [`Duration`](std::time::Duration)s since any moment that the caller
//! likes. So whole lives of sessions can be tested in memory, and one loop serves TCP and TLS alike.
//!
//! - **Which side** is which has nothing to do with who connects: an SMSC that connects to an application to
//!   deliver messages meets a client session without a login.
//! - **Input**: [`receive`](Session::receive) copies octets into a buffer of at most one frame and a read;
//!   [`next_event`](Session::next_event) takes frames out of it one by one. Events borrow the buffer. Octets that
//!   are no frame are skipped, up to a limit.
//! - **Output** gathers in one `Vec`, which the caller writes and consumes. When it is
//!   [full](Session::output_is_full), no more input is taken: a peer that does not read can't make us
//!   buffer without end.
//! - **Operations** carry a token of the caller's choice, which comes back exactly once: in `Response` or
//!   `TimedOut`, or, after `Closed`, from [`drain_outstanding`](Session::drain_outstanding): those are in doubt.
//! - **TRNs** go round, so that one is used again as late as can be; one whose operation timed out rests before it
//!   is, or a late result would be taken for that of another message.
//! - **The link**: an alert (31) goes out after an interval of silence, and any octet counts as life. The peer's
//!   alerts are always answered, before the login too.
//! - **The end**: UCP has no word for it. [`finish`](Session::finish) awaits open results for a limited time and
//!   leaves the peer's further operations unanswered, so that they come again.
//! - Operations that come before the login is settled wait until it is. What is not allowed is answered with error
//!   04, what is unknown with 03, what is garbled with 01 or 02.
//!
//! ```
//! use std::time::Duration;
//! use ucp::{Answer, ClientConfig, Content, Event, Login, Operation, ServerConfig, Session, ShortMessage};
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
//!                 Event::LoginRequest { login } => {
//!                     assert!(login.pwd.is(b"secret"));
//!                     session.accept_login(b"", now).unwrap();
//!                 }
//!                 Event::Request { trn, operation: Operation::Submit(message) } => {
//!                     assert_eq!(message.content, Content::alphanumeric(b"hello"));
//!                     answers.push(trn);
//!                 }
//!                 Event::Response { token, answer, .. } => {
//!                     assert_eq!(token, 42);
//!                     assert_eq!(answer.identity().unwrap().scts, b"221026183639");
//!                 }
//!                 _ => {}
//!             }
//!         }
//!         for trn in answers {
//!             session.respond(trn, &Answer::ack(b"4915123456789:221026183639"), now).unwrap();
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
//! let login = Login { oadc: b"60777".to_vec(), password: b"secret".to_vec(), ..Login::default() };
//! let mut client = Session::client(ClientConfig { login: Some(login), ..ClientConfig::default() }, now)?;
//! let mut server = Session::server(ServerConfig::default(), now)?;
//! let login = turn(&mut client, b"", now);
//! assert_eq!(login, b"\x0200/00052/O/60/60777/6/5/1/736563726574//0100//////E1\x03");
//! let result = turn(&mut server, &login, now);
//! turn(&mut client, &result, now);
//! assert!(client.is_open() && server.is_open());
//!
//! let message = ShortMessage {
//!     adc: b"4915123456789",
//!     oadc: b"60777",
//!     content: Content::alphanumeric(b"hello"),
//!     ..ShortMessage::default()
//! };
//! client.submit(&message, 42, now).unwrap();
//! let submit = turn(&mut client, b"", now);
//! let answer = turn(&mut server, &submit, now);
//! turn(&mut client, &answer, now);
//! assert_eq!(client.outstanding(), 0);
//! # Ok::<(), ucp::ConfigError>(())
//! ```
//!
//! # Map
//! `frame` boundaries, header and checksum · `ot`, `code`, `reason`, `values`, `time` the words of the protocol ·
//! `hex`, `secret`, `address`, `xser` what fields are made of · `pdu` operations and results, their tables, reader,
//! writer and description · `session` the state machine: `incoming` judges frames, `timers` acts on silence,
//! `outstanding` keeps our window and `peers` the other's.

mod address;
mod code;
mod error;
mod frame;
mod hex;
mod ot;
mod pdu;
mod reason;
mod secret;
mod session;
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
pub use session::{
    ClientConfig, CloseReason, ConfigError, Counters, Event, Fault, FrameCount, KeepAlive, Login, RespondError,
    ServerConfig, Session, SessionConfig, SubmitError,
};
pub use time::{TimeDigits, TimeError, UcpTime};
pub use values::{AddressType, ListType, NotificationType, Npi, Pid, SessionType, Ton};
pub use xser::{Xser, XserBuf, XserIter, XserType, Xsers};
