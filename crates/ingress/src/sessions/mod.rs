//! What the servers of all protocols have in common whose clients log in and stay: SMPP, UCP, CIMD2.
//!
//! ```text
//! server      accept a socket, limits of connections, TLS, the end
//! connection  the loop round a protocol's session: octets, logins, answers, timers
//! dialogue    what a protocol brings: its session, and what its operations mean
//! gate        who may log in: credentials, lock-out, sessions at a time
//! handover    deliveries taken, sent and answered
//! ```
//!
//! One task serves a connection. Submissions that were read together become one group of the
//! engine, and many groups are under way at once; each message is answered when its commit is on
//! disk. So the throughput of a session is its window over the time of a commit, however slow the
//! disk is.
//!
//! **A full window** stops the reading: octets stay in the socket until answers have gone out. That
//! loses nothing, needs nothing of the client, and lasts as long as a commit does, for when the
//! store can't be written submissions are refused at once. To refuse what is beyond it would make every
//! client that has no window of its own (there are many) lose messages that the gateway could have taken.
//!
//! **What an account is owed** waits in the store while nobody can take it; see
//! [`engine::Receiver`]. A session takes as much as its window holds, and what it has not got an
//! answer for when it ends goes to the next one.

mod binds;
mod connection;
mod dialogue;
mod gate;
mod handover;
mod lockout;
mod metrics;
mod server;
mod settings;
mod stream;
mod wires;

pub use binds::{BindView, Binds};
pub(crate) use dialogue::{Action, Dialogue, NotSent, PART_BITS, Sent, Turn};
pub(crate) use gate::{Attempt, Denied};
pub(crate) use metrics::Counts;
pub use metrics::SessionMetrics;
pub use server::{Listener, Server};
pub use settings::{SessionLimits, SessionSettings};
