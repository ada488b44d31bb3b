//! The words of the gateway as types: what flows through it and what it is configured with.
//!
//! Everything here is data and pure functions over it; nothing does I/O, reads a clock or rolls
//! dice. An ingress turns what it was given into a [`Submission`]; the engine makes a [`Message`]
//! of it; connectors report what happened to its parts, and [`Message::apply`] moves it forward.
//!
//! * [`id`], [`time`], [`address`], [`country`], [`url`]: the small words.
//! * [`submission`]: what an application asks for, before anybody looked at it.
//!   [`form`]: how its fields are read.
//! * [`message`]: a message, its parts, its timeline; [`body`]: what was asked for. [`transition`]: its state machine.
//!   [`receipt`]: what carriers say of parts.
//! * [`plan`]: what a route made of a message.
//! * [`delivery`]: what is owed to an account.
//! * [`recurring`]: messages that an account wants sent again and again.
//! * [`group`]: lists of phones.
//! * [`resources`]: accounts, connectors, routes and webhooks as an operator writes them.

pub mod address;
pub mod body;
pub mod country;
pub mod delivery;
pub mod dialect;
pub mod form;
pub mod group;
pub mod id;
pub mod ingress;
pub mod ledger;
mod marks;
pub mod message;
mod moves;
pub mod opt_out;
pub mod passed_on;
pub mod plan;
pub mod receipt;
pub mod recurring;
pub mod replacement;
pub mod resources;
#[doc(hidden)]
pub mod samples;
pub mod submission;
pub mod time;
pub mod transition;
pub mod url;

pub use address::{Address, AddressError, AddressKind};
pub use delivery::Delivery;
pub use dialect::{CallbackStyle, Dialect, NamedTerms};
pub use group::{
    GROUP_MEMBERS_MAX, GROUPS_MAX, Group, GroupAction, GroupChange, GroupKey, GroupTask, Member, MemberKey,
};
pub use id::{BatchId, DeliveryId, IdMaker, LedgerId, MessageId, Name, OptOutId, ScheduleId};
pub use ingress::SessionProtocol;
pub use ledger::{Charge, LedgerEntry, LedgerKind, Sum};
pub use message::{
    Body, Content, Direction, Encoding, Ingress, Message, Part, PartStatus, Progress, Reason, ReceiptWish, Status,
};
pub use opt_out::{OptOut, OptOutKey};
pub use passed_on::PassedOn;
pub use plan::Plan;
pub use receipt::{Receipt, ReceiptPolicy, ReceiptState};
pub use recurring::{Schedule, ScheduleState};
pub use replacement::{REPLACE_ASKED, REPLACE_REFUSED, Replacement};
pub use submission::Submission;
pub use time::Timestamp;
pub use transition::{Applied, Change, DoubtPolicy};
