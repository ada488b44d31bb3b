//! SMPP: sessions of a connector, and what its PDUs mean.

mod answer;
mod dialogue;
mod incoming;
#[cfg(test)]
mod incoming_tests;
mod inquiries;
mod outbind;
mod outgoing;
#[cfg(test)]
mod outgoing_tests;
mod replacing;
#[cfg(test)]
mod samples;
mod settings;

pub use answer::{Answers, Verdict};
pub(crate) use dialogue::SmppDialogue;
pub use incoming::{Delivered, Rules};
pub(crate) use outbind::{Door, OpenDoor};
pub use outgoing::Outgoing;
pub use settings::same_bind;
