//! The SMPP server: applications bind, submit messages, and are given receipts and incoming
//! messages.
//!
//! ```text
//! server      accept a socket, limits of connections, TLS, the end
//! connection  the loop round a session of the smpp crate: octets, binds, answers, timers
//! gate        who may bind: credentials, lock-out, binds at a time
//! submission  from a PDU to a Submission
//! requests    submit_multi, query_sm, cancel_sm
//! answer      message ids, and refusals as command_status
//! handover    deliveries taken, sent and answered
//! deliver     from what an account is owed to deliver_sm
//! ```
//!
//! One task serves a connection. Submissions that were read together become one group of the
//! engine, and many groups are under way at once; each message is answered when its commit is on
//! disk. So the throughput of a session is its window over the time of a commit, however slow the
//! disk is.
//!
//! **A full window** stops the reading: octets stay in the socket until answers have gone out. That
//! loses nothing, needs nothing of the client, and lasts as long as a commit does, for when the
//! store can't be written submissions are refused at once. ESME_RTHROTTLED would make every client
//! that has no window of its own (there are many) lose messages that the gateway could have taken.
//! It is the answer to accounts that are over their limits.
//!
//! **What an account is owed** waits in the store while nobody can take it; see
//! [`engine::Receiver`]. A session takes as much as its window holds, and what it has not got an
//! answer for when it ends goes to the next one.

mod action;
mod answer;
mod binds;
mod connection;
mod deliver;
mod gate;
mod handover;
mod lockout;
mod metrics;
mod replace;
mod requests;
mod server;
mod settings;
mod stream;
mod submission;

pub use binds::{BindView, Binds};
pub use metrics::SmppMetrics;
pub use server::{Listener, Server};
pub use settings::{SmppLimits, SmppSettings};
