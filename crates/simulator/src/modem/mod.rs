//! A GSM modem with its SIM and a network that delivers, fails and reports.
//!
//! `device` is the modem, without I/O: `commands` and `storage` say what it is told, `text` how messages are written, `sim` and
//! `network` what it is told about. `handle` is what a test has in its hand, and the lines.

mod commands;
mod device;
mod handle;
mod network;
mod settings;
mod sim;
mod storage;
mod terminal;
#[cfg(test)]
mod tests;
mod text;

pub use handle::SimModem;
pub use network::ModemSeen;
pub use settings::{ModemFault, ModemFaultKind, ModemSettings};
