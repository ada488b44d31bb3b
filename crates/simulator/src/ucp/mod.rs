//! An SMSC that speaks UCP/EMI: as [`Smsc`](crate::Smsc) does for SMPP, it answers, delays, throttles,
//! loses, breaks, notifies, and remembers what it took.
//!
//! One task a connection, round a sans-I/O [`ucp::Session`]. What is owed to an account outlives its
//! connections, as there.

mod connection;
mod outbox;
mod settings;
mod smsc;
mod submission;

pub use settings::UcpSmscSettings;
pub use smsc::UcpSmsc;
pub use submission::UcpSeen;
