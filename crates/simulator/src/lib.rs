//! An SMSC to test against: it answers, delays, throttles, loses, sends receipts in every dialect,
//! and breaks in every way that real ones were seen to break. And a client that loads an SMSC.
//!
//! # The SMSC
//!
//! [`Smsc::start`] serves SMPP on a listener by the rules in [`SmscSettings`], which may be changed
//! while it runs. The returned handle tells what it has seen: [`Counters`], and a memory of every
//! message ([`Memory`]), so that a test can count what was lost and what came twice.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use simulator::{LoadSettings, Smsc, SmscSettings};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let smsc = Smsc::start(listener, SmscSettings::fast());
//! let load = LoadSettings { messages: 100, ..LoadSettings::new(smsc.address()) };
//! let report = simulator::load(&load).await?;
//! assert_eq!((report.accepted, report.receipts), (100, 100));
//! assert_eq!(smsc.counters().distinct, 100);
//! smsc.stop().await;
//! # Ok(()) }
//! ```
//!
//! # How it works
//!
//! One task a connection, round a sans-I/O [`smpp::Session`]. A turn of its loop reads what has
//! come, decides about each submission ([`desk`]), sends what is due, and writes once. Answers and
//! receipts that are due later lie in a [`timeline`] of the connection: there are no tasks and no
//! timers for single messages, so one core does several 100,000 messages a second.
//!
//! What is owed to a client (receipts, messages from phones) outlives its connection: it is handed
//! to the [`directory`], and goes out over the next connection of the same system id until it is
//! acknowledged. So a gateway that was killed finds its receipts when it comes back.
//!
//! # Map
//! `core` what SMSCs of all protocols have in common: the handle, what connections share, their loop,
//! `wire` its I/O · `settings`, `presets` what it should do · `smsc`, `connection` what is SMPP's ·
//! `desk` what becomes of a submission · `outbox` what goes to the client · `receipt`,
//! `id`, `mo` what it looks like · `directory` who is bound · `record`, `counters` what was seen ·
//! `ledger` what may be asked about · `ucp`, `cimd2` the other protocols · `client`, `latency` the load
//! client.

mod cimd2;
mod client;
mod connection;
mod core;
mod counters;
mod desk;
mod directory;
mod http;
mod id;
mod latency;
mod ledger;
mod mo;
mod modem;
mod outbox;
mod presets;
mod receipt;
mod record;
mod settings;
mod smsc;
mod timeline;
mod ucp;
mod wire;

pub use self::cimd2::{Cimd2Seen, Cimd2Smsc, Cimd2SmscSettings};
pub use self::http::{HttpApi, HttpProvider, HttpProviderSettings, HttpSeen};
pub use self::ucp::{UcpSeen, UcpSmsc, UcpSmscSettings};
pub use client::{LoadError, LoadReport, LoadSettings, load};
pub use counters::Counters;
pub use latency::Latencies;
pub use mo::{Mo, MoContent, MoForm};
pub use modem::{ModemFault, ModemFaultKind, ModemSeen, ModemSettings, SimModem};
pub use record::SeenMessage;
pub use settings::{
    DateForm, Fault, FaultKind, IdForm, IdStyle, Memory, ReceiptForm, ReceiptSettings, ReceiptsFor, SmscSettings,
};
pub use smsc::Smsc;
pub use wire::{Step, step};
