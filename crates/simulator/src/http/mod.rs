//! Providers with an HTTP API, to test against: each speaks as its documents say, checks who calls,
//! answers, delays, throttles, fails, loses, calls back with receipts, and brings messages from phones.
//!
//! [`HttpProvider`] is the handle, as [`Smsc`](crate::Smsc) is for SMPP. `server` takes requests, `apis` know
//! what each provider's look like, `callbacks` are what goes to the client, `tokens` who may ask.

mod apis;
mod callbacks;
mod fields;
mod provider;
mod server;
mod tokens;

pub use apis::HttpApi;
pub use provider::{HttpProvider, HttpProviderSettings, HttpSeen};
