//! SMPP: sessions of a connector, and what its PDUs mean.

mod answer;
mod bound;
mod incoming;
#[cfg(test)]
mod incoming_tests;
mod inquiries;
mod leg;
mod outbind;
mod outgoing;
#[cfg(test)]
mod outgoing_tests;
#[cfg(test)]
mod samples;
mod settings;
mod slot;

pub use answer::{Answers, Verdict};
pub use incoming::{Delivered, Rules};
pub(crate) use outbind::OpenDoor;
pub use outgoing::Outgoing;
pub use settings::same_bind;
pub(crate) use slot::{Slot, run};
