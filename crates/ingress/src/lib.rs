//! The ways in for applications: each turns its dialect into a [`model::Submission`], hands it to
//! the engine, and says in its dialect what became of it.
//!
//! [`http`] is the HTTP API; [`smpp`] is the SMPP server, [`ucp`] the UCP server and [`cimd2`] the CIMD2 server,
//! which stand on [`sessions`]; [`mqtt`] has the bridges to MQTT brokers; [`webhook`] brings applications their
//! events. An ingress keeps no
//! state of its own: what it answers with comes from the engine, and an answer that says "accepted"
//! is given only after the engine's commit is on disk. Everything that comes from outside has a
//! limit here, and whatever it holds, the answer is one that the API's documents name.

mod charset;
pub mod cimd2;
pub mod http;
pub mod mqtt;
mod named;
pub mod sessions;
pub mod smpp;
pub mod ucp;
pub mod webhook;
