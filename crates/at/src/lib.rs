//! GSM modems: AT commands (3GPP 27.005, 27.007) of both sides, without any I/O.
//!
//! # The client
//!
//! [`Client`] is a session with one modem. It is a plain struct: octets, commands and the time go in; events,
//! octets and the next deadline come out. It owns no port, no task and no clock; times are
//! [`Duration`](std::time::Duration)s since any moment that the caller likes. So whole lives of modems can be tested
//! in memory, and one loop serves serial lines and TCP alike.
//!
//! - **Setting up**: it asks whether anybody is there, turns the echo off, enters the PIN (once, and never with one
//!   try left), finds out what the modem can do, chooses where messages are stored and how it is told of them, and
//!   waits for a network. What a modem refuses and can live without is left out.
//! - **Sending**: one message at a time ([`Client::send`]), as a PDU or, where the modem has no PDU mode, as text. Its
//!   token comes back exactly once: sent, refused, certainly unsent, or in doubt. In doubt is only what was written at
//!   the prompt and not answered.
//! - **Receiving**: what is told of (`+CMTI`, `+CDSI`), what is found by looking (`AT+CMGL`), and what comes directly
//!   (`+CMT`, `+CDS`). It stays in the modem until it is [acknowledged](Client::acknowledge); then it is deleted from
//!   the store, or acknowledged to the network (`AT+CNMA`). Never more is read than the caller takes.
//! - **Recovery**: a command without an answer is given up, the modem asked whether it is there, and set up anew; after
//!   some of those it is reset, and if that does not help either, the session is over. A modem that starts by itself
//!   is set up anew, too.
//! - **Limits**: lines, answers, and everything that waits is bounded, whatever comes over the line.
//!
//! ```
//! use std::time::Duration;
//! use at::{Client, ClientConfig, Event, ModemLine, Request};
//!
//! let (mut client, mut modem) = (Client::new(ClientConfig::default(), Duration::ZERO), ModemLine::new());
//! let mut now = Duration::ZERO;
//! loop {
//!     match client.next_event(now) {
//!         Some(Event::Ready) => break,
//!         Some(_) => continue,
//!         None => {}
//!     }
//!     // A real loop writes `output` to its port here, and waits until `next_deadline` at most.
//!     modem.receive(client.output());
//!     client.consume_output(client.output().len());
//!     let Some(Request::Command(command)) = modem.next_request() else {
//!         now = client.next_deadline().unwrap();
//!         continue;
//!     };
//!     if command == "AT+CREG?" {
//!         modem.line("+CREG: 0,1");
//!     }
//!     modem.line("OK");
//!     client.receive(modem.output());
//!     modem.consume_output(modem.output().len());
//! }
//! assert_eq!(client.room(), 1);
//! ```
//!
//! # The modem
//!
//! [`ModemLine`] is the other end of the line: it tells command lines from texts of messages, echoes, and writes
//! answers. What commands mean is its caller's to know.
//!
//! # Map
//! `line` octets to lines · `fields`, `answer`, `urc`, `ussd`, `error`, `hex` what lines say · `client` the session:
//! `setup` before messages flow, `choose` what is done next, `hear` what the modem says, `recover` when it says nothing,
//! `inbox` and `reading` what comes in, `text` messages in text mode and `body` where they end · `modem` the other side.

mod answer;
mod client;
mod error;
mod fields;
mod hex;
mod line;
mod modem;
mod urc;
mod ussd;

pub use answer::Registration;
pub use client::{Calls, Client, ClientConfig, CloseReason, CommandError, Event, Mode, Pin, Received, Status};
pub use error::{CmeError, CmsError, ErrorClass, Failure};
pub use hex::{from_hex, to_hex};
pub use line::{LINE_MAX, Lines, Token};
pub use modem::{ModemLine, Request, commands};
pub use ussd::{UssdAnswer, UssdState, read_ussd};
