//! Connectors: the ends of the gateway that face carriers.
//!
//! # The contract
//!
//! A connector is configured as a resource and run by [`run`], which follows the resources: it
//! starts what is new, binds again what has new bind settings, and drains what is gone. Everything
//! else about a connector takes effect while it is bound.
//!
//! A session takes parts from its [`engine::dispatch::LinkSession`] when its window has room, and
//! brings each to exactly one end:
//!
//! - *sent*, with the id that the carrier gave it,
//! - *refused*, with the carrier's reason,
//! - *retry*, when the carrier refused it for now,
//! - *throttled*: the connector pauses, and the part goes first after it,
//! - *in doubt*, when the answer did not come; whether it is sent again is the connector's policy,
//! - or it is *given back*, if it certainly was not sent.
//!
//! It never blocks the engine and never drops anything: a session that ends, even by a panic,
//! leaves what it had taken in doubt. What comes from the carrier is acknowledged only when it is on
//! disk. While the store can't be written a session neither reads nor takes.
//!
//! # A session
//!
//! Each session is one task: a loop round a sans-I/O protocol session. A turn of it reads what has
//! come, deals with every PDU, takes what the window allows, and writes once; there are no tasks and
//! no timers for single messages. Three pure functions do the translation: [`smpp::Outgoing`] from
//! part to submit_sm, [`smpp::Answers`] from status to outcome, [`smpp::Rules`] from deliver_sm to
//! receipt or message.
//!
//! # Map
//! [`manager`] who runs · `session` what all protocols have in common: `slot` one session's life, `bound`
//! its loop, `leg` one connection of it · `backoff` when to try again · `transport` TCP and TLS ·
//! `follow_up` asking for receipts that don't come · `verdict`, `patience` what refusals mean · `air` parts as
//! the network carries them · `identity`, `lasting` what outlives sessions ·
//! [`smpp`], and in the same way [`ucp`] and `cimd2`: `dialogue` what is said and heard, `outbind` where carriers connect that do so themselves,
//! `inquiries` what the engine asks about, `outgoing`, `answer`, `incoming` the translation. · [`mod@http`] providers
//! whose API is described as data: no byte-stream session, but requests of one task.

mod air;
mod backoff;
mod cimd2;
mod follow_up;
pub mod http;
mod identity;
mod lasting;
pub mod manager;
mod modem;
mod patience;
mod plans;
mod session;
pub mod smpp;
mod transport;
pub mod ucp;
mod verdict;

pub use manager::run;
pub use transport::ConnectError;
