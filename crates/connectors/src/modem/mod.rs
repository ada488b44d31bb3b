//! GSM modems: sessions of a connector over a serial line or TCP, and what is said over them.

mod answer;
mod dialogue;
mod incoming;
mod line;
mod meter;
mod outgoing;
mod ports;
mod settings;

use std::sync::Arc;

pub(crate) use dialogue::ModemDialogue;
pub(crate) use ports::Ports;
pub(crate) use settings::same_modem;

/// What a modem's sessions know beyond themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// What the SIM has done.
    pub(crate) sim: Arc<meter::Sim>,
    /// The devices that are in use.
    pub(crate) ports: Ports,
}
