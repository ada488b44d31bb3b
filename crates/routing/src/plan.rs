//! What a routing decision says.

use std::sync::Arc;

use model::resources::Money;
use model::{Address, AddressError, Name};

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is sent.
    Send(RoutePlan),
    /// This route refuses it: the application is told.
    Reject {
        /// The route.
        route: Name,
        /// What the application is told, if the route says.
        reason: Option<Arc<str>>,
    },
    /// It is accepted, and this route sends nothing.
    Drop {
        /// The route.
        route: Name,
        /// Copies that earlier routes send of it all the same.
        copies: Vec<RoutePlan>,
    },
    /// The route, be it one that copies, makes something of an address that is none: the
    /// operator's fault, and nothing is sent from or to a wrong one.
    Unfit {
        /// The route.
        route: Name,
        /// Which of its fields: `rewrite.from` or `rewrite.to`.
        field: &'static str,
        /// Why.
        error: AddressError,
    },
    /// No route matches it.
    NoRoute,
}

/// Where a message goes, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePlan {
    /// The route; `None` when there are no routes and only one connector.
    pub route: Option<Name>,
    /// The pool that the connectors are of, if the route names one.
    pub pool: Option<Name>,
    /// The connectors in the order in which they are to be tried; never empty.
    pub connectors: Vec<Name>,
    /// How many of them, from the front, are usable now. With 0 the message has to wait.
    pub usable: usize,
    /// The new recipient, if the route changes it.
    pub to: Option<Address>,
    /// The new sender, if the route changes it.
    pub from: Option<Address>,
    /// What is put at the end of a text.
    pub text_append: Option<Arc<str>>,
    /// What the account pays for a part.
    pub price: Option<Money>,
    /// Copies that earlier routes send, at most [`COPIES_MAX`]; they have none of their own.
    pub copies: Vec<RoutePlan>,
}

/// Most copies of one message. Routes that would send more are passed over.
pub const COPIES_MAX: usize = 8;

/// A rule that was looked at, and why it did not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The route.
    pub route: Name,
    /// The field that stood against it; `None` if the route matches. The last that matches
    /// decides, those before it send copies.
    pub against: Option<&'static str>,
}

/// What becomes of a message, in short: the first connector and nothing of how the message changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This route sends it over this connector.
    Send {
        /// The route; `None` when there are no routes and only one connector.
        route: Option<Name>,
        /// The connector.
        connector: Name,
    },
    /// This route refuses it, or drops it.
    Reject {
        /// The route.
        route: Name,
    },
    /// No route matches it.
    NoRoute,
}
