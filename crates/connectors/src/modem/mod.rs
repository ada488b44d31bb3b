//! GSM modems: sessions of a connector over a serial line or TCP, and what is said over them.

mod answer;
mod dialogue;
mod incoming;
mod line;
mod meter;
mod names;
mod outgoing;
mod ports;
mod search;
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
    /// What its messages are called.
    pub(crate) names: Arc<names::Names>,
    /// The devices that are in use.
    pub(crate) ports: Ports,
    /// Which of them were asked whether they are the modem.
    pub(crate) rounds: Arc<search::Rounds>,
}
