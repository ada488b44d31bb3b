//! Schedule: one [`Lane`] a connector. It holds what is to be sent over it: a bounded active set in
//! memory, the rest in the store, so that memory does not grow with the backlog.
//!
//! The recorder offers what it has committed; sessions take; a refill task reads on from the store
//! when what is in memory runs low or something becomes due. Accounts share a connector by weight, in
//! memory ([`ready`]) and in what is read from the store.

mod active;
mod backlog;
mod lane;
mod pace;
mod pacing;
mod pause;
mod ready;
mod refill;
mod status;
mod sweep;
mod vitals;

pub use lane::RunsHere;
pub(crate) use lane::{End, Lane};
pub(crate) use pace::{Of, Owner, PaceRule, Paces, Turn};
pub(crate) use ready::Shares;
pub(crate) use refill::refill;
pub use status::SessionView;
pub(crate) use sweep::Sweep;
pub use vitals::HealthView;
