//! The SMPP server over real sockets: binds, submissions, deliveries, the end.

mod binding;
mod client;
mod delivering;
mod gateway;
mod requests;
mod submitting;
