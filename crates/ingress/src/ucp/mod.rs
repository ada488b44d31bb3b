//! The UCP/EMI server: applications log in, submit messages, and are given notifications and incoming
//! messages. What it has in common with other protocols' is in [`crate::sessions`].
//!
//! ```text
//! dialogue    logins, and what a session's events mean
//! submission  from 51, 30, 01, 02 and 03 to Submissions
//! requests    54, 55, 56, and 02 to many
//! answer      refusals as error codes, and names of messages
//! deliver     from what an account is owed to 52, 53 and 57
//! ```
//!
//! Error 04 is the answer to accounts that are over their limits, never to a full window.

mod answer;
mod deliver;
mod dialogue;
mod requests;
mod submission;

use std::sync::Arc;

use engine::Engine;

use crate::sessions::{Server, SessionSettings};

/// A UCP server of `engine`.
#[must_use]
pub fn server(engine: Engine, settings: Arc<SessionSettings>) -> Server {
    Server::of::<dialogue::UcpDialogue>(engine, settings)
}
