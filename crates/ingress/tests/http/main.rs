//! The HTTP API over real sockets, on an engine with a store in memory. Every answer that the
//! tests get is also held against the OpenAPI document: its status, content type, headers and
//! schema must be declared there.

mod accounts;
mod batches;
mod carriers;
mod contract;
mod gateway;
mod groups;
mod idempotency;
mod inbound_rules;
mod jasmin;
mod kannel;
mod limits;
mod messages;
mod money;
mod operation;
mod ozeki;
mod problems;
mod random;
mod resources;
mod schedules;
mod streams;
mod tls;
mod webhooks;
