//! The SMPP server: applications bind, submit messages, and are given receipts and incoming
//! messages. What it has in common with other protocols' is in [`crate::sessions`].
//!
//! ```text
//! dialogue    binds, and what a session's events mean
//! action      what is to be done about a PDU
//! submission  from a PDU to a Submission
//! requests    submit_multi, query_sm, cancel_sm
//! answer      message ids, and refusals as command_status
//! deliver     from what an account is owed to deliver_sm
//! ```
//!
//! ESME_RTHROTTLED is the answer to accounts that are over their limits, never to a full window.

mod action;
mod answer;
mod deliver;
mod dialogue;
mod replace;
mod requests;
mod submission;

use std::sync::Arc;

use engine::Engine;

use crate::sessions::{Server, SessionSettings};

/// An SMPP server of `engine`.
#[must_use]
pub fn server(engine: Engine, settings: Arc<SessionSettings>) -> Server {
    Server::of::<dialogue::SmppDialogue>(engine, settings)
}
