//! CIMD2: sessions of a connector, and what its operations mean.

mod answer;
mod dialogue;
mod incoming;
mod inquiries;
mod outgoing;
mod preparation;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use dialogue::Cimd2Dialogue;
pub(crate) use settings::same_login;
