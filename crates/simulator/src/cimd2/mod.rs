//! An SMSC that speaks CIMD2: as [`Smsc`](crate::Smsc) does for SMPP, it answers, delays, throttles,
//! loses, breaks, reports, and remembers what it took.

mod connection;
mod outbox;
mod settings;
mod smsc;
mod submission;

pub use settings::Cimd2SmscSettings;
pub use smsc::Cimd2Smsc;
pub use submission::Cimd2Seen;
