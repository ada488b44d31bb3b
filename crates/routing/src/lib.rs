//! Rules to decisions, and why: pure functions over the resources.
//!
//! [`RouteTable`] decides which connector takes a message that goes out, [`InboundTable`] which
//! account gets one that came in. Both are compiled once when resources change and then only
//! read. Rules are ordered and the first that matches decides; a rule that was passed over is
//! remembered with the reason, so that every decision can be asked about.

mod inbound;
mod outbound;

pub use inbound::{InboundTable, Incoming};
pub use outbound::{Decision, Outgoing, RouteTable, Tried};
