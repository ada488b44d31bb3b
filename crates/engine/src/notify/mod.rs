//! Notify: the durable queue of what applications are owed, by webhook and over sessions.
//!
//! The rows of the store are the queue; what is here is the part of it that is in memory. Each
//! [`Delivery`](model::Delivery) belongs to one endpoint (a webhook, or the origin of a
//! `callback_url`), and each endpoint has a [`lane::Lane`] of its own, so that a slow or dead one
//! holds up nobody else. [`lanes::Lanes`] has them all, and shares out calls and memory between
//! them. Both are pure: the clock comes in, and what is to be written comes out.
//!
//! [`Outbox`] is what the rest sees. The recorder offers what it has committed; a caller asks for
//! the [`next`](Outbox::next) delivery, makes the call and [finishes](Call::finish) it; a keeper
//! task reads on from the store and minds the timers.
//!
//! What goes over sessions (SMPP, UCP, CIMD2), and to MQTT brokers, waits in the same queue, in one lane for
//! each account and protocol. A session that can receive is its [`Receiver`]; while there is none, the lane is
//! closed.
//!
//! What holds:
//!
//! * A delivery that is in memory, or whose end is on its way to the store, is never loaded again.
//! * Of one message and endpoint one delivery is attempted at a time, in the order of their ids
//!   ([`order`]). One that has to wait for an earlier one's retry is put off in the store until
//!   then, so it takes up no memory.
//! * An endpoint that fails again and again is left alone for a while ([`suspension`]), and what
//!   is not attempted uses up no attempts.
//! * Memory is bounded: per lane, over all lanes, and in the number of lanes. What has no room is
//!   found in the store later ([`paging`]).

mod call;
mod callbacks;
mod escapes;
mod event;
#[cfg(test)]
mod fixtures;
mod lane;
mod lanes;
mod order;
mod outbox;
mod paging;
mod receiver;
mod redeliver;
mod restore;
mod retry;
mod session;
mod suspension;
mod target;

pub use call::{Call, CallResult};
pub(crate) use escapes::push_encoded;
pub(crate) use event::{between, owed, owed_because};
pub(crate) use lanes::is_received;
pub use lanes::{CALLS_MAX, EndpointView};
pub use outbox::Outbox;
pub use receiver::Receiver;
pub use redeliver::RedeliverError;
pub(crate) use restore::restore;
pub use session::{Owed, OwedMessage, OwedName, OwedReceipt};
pub(crate) use target::origin;
pub use target::{AnswerWish, Target};
