//! The HTTP API under `/v1`, with its probes, its OpenAPI document and a page to try it.
//!
//! It stands on hyper directly. A request takes this way:
//!
//! ```text
//! server   accept a socket, TLS, header timeout, limits of connections and headers; unreadable
//!          answers what is no HTTP
//! service  find the operation (route), check the token and its scope, run the handler under a
//!          time limit, write the access log, count (metrics), turn a Reply or a Problem into a response
//! request  read the body under a limit; json and query turn it into values
//! compat   the interfaces of other gateways, where a listener serves them
//! messages, batches, encode, connectors, resources, tokens, webhooks, deliveries, pages
//!          one file for each part of the API: call the engine, write the answer
//! ```
//!
//! `POST /v1/messages` is the hot path: its route is found first, its body is parsed once and in
//! place, and its answer is written once, by the engine, into the string that is sent.
//!
//! Invariants:
//!
//! * whatever is not a success is a [`problem::Problem`] with a code of its catalogue;
//! * what the router knows is what the OpenAPI document declares: a test compares them;
//! * no answer and no log line holds a secret, but for the answer to its creation.

mod access_log;
mod accounts;
mod batches;
mod compat;
mod connectors;
mod deliveries;
mod draft;
pub mod encode;
mod explain;
mod explain_inbound;
mod fleet;
mod groups;
pub(crate) mod json;
mod lines;
mod linger;
mod messages;
mod metrics;
mod openapi;
mod opt_outs;
mod pages;
pub mod problem;
mod query;
mod redact;
pub mod replay;
mod reply;
mod request;
mod resources;
mod route;
mod schedules;
mod secrets;
mod server;
mod service;
mod settings;
mod stream;
mod tls;
mod tokens;
mod unreadable;
mod webhooks;

pub(crate) use access_log::Line as AccessLine;
pub use access_log::{AccessLog, NumberRedaction};
pub use metrics::HttpMetrics;
pub use server::serve;
pub use settings::{HttpLimits, HttpSettings, Interfaces};
pub use tls::{Certificates, TlsError};
