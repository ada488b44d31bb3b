//! The CIMD2 server: applications log in, submit messages, and are given status reports and incoming
//! messages. What it has in common with other protocols' is in [`crate::sessions`].
//!
//! ```text
//! dialogue    logins, and what a session's events mean
//! submission  from submit to Submissions
//! requests    enquire, cancel, delivery request, set, get, and submissions to many
//! answer      refusals as error codes
//! deliver     from what an account is owed to deliver message and deliver status report
//! ```
//!
//! Error 10 is the answer to accounts that are over their limits, never to a full window.

mod answer;
mod deliver;
mod dialogue;
mod requests;
mod submission;

use std::sync::Arc;

use engine::Engine;

use crate::sessions::{Server, SessionSettings};

/// A CIMD2 server of `engine`.
#[must_use]
pub fn server(engine: Engine, settings: Arc<SessionSettings>) -> Server {
    Server::of::<dialogue::Cimd2Dialogue>(engine, settings)
}
