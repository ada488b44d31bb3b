//! Refusal: why a submission was not accepted, in whichever way it came.

use std::sync::Arc;

use model::resources::Currency;
use model::submission::Fault;
use model::{Address, Name, Timestamp};
use store::StoreError;

use crate::admit::Limit;

/// Why a submission was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Fields are wrong.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<Fault>),
    /// No route takes it.
    #[error("no route takes this message")]
    NoRoute,
    /// A route refuses it.
    #[error("the route {route} refuses this message{}", .reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default())]
    Rejected {
        /// The route.
        route: Name,
        /// What the operator has the application told.
        reason: Option<Arc<str>>,
    },
    /// A route makes something of an address that is none: the operator's fault.
    #[error("the route {route} can't send this message: its {field} makes an address of it that {why}")]
    Misrouted {
        /// The route.
        route: Name,
        /// Which of its fields.
        field: &'static str,
        /// What is wrong with what it made.
        why: String,
    },
    /// The account may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The account may not use this sender.
    #[error("the account may not use the sender {0}")]
    SenderNotAllowed(Address),
    /// The account may not send to the recipient's country; `None` is a number of no country.
    #[error("the account may not send to {}", .0.unwrap_or("numbers of no known country"))]
    CountryNotAllowed(Option<&'static str>),
    /// The recipient wants nothing more from the account.
    #[error("{0} has opted out of messages from this account")]
    OptedOut(Address),
    /// It comes in quiet hours, and may not or can't wait for their end.
    #[error("the quiet hours of the account {account} end at {until}{}", if *.expires { ", when the message has expired" } else { "" })]
    QuietHours {
        /// Whose they are.
        account: Name,
        /// When they end.
        until: Timestamp,
        /// It would wait, but expires before that.
        expires: bool,
    },
    /// The account's policy service refuses it.
    #[error("the policy of the account refuses this message{}", .0.as_deref().map(|why| format!(": {why}")).unwrap_or_default())]
    PolicyRejects(Option<Arc<str>>),
    /// The policy service of this account does not answer, and nothing is sent without it.
    #[error("the policy service of the account {0} does not answer")]
    PolicyAway(Name),
    /// The account pays before it sends, and there is no price for this recipient.
    #[error("there is no price for {} in {}", .0, .1.as_str())]
    NoPrice(Address, Currency),
    /// The account, or the one above it that pays, has too little.
    #[error("the balance of the account {0} is too low")]
    BalanceTooLow(Name),
    /// A limit of the account, or of one above it, is used up for now.
    #[error("{limit} of the account {account} is used up")]
    Limited {
        /// Which.
        limit: Limit,
        /// Whose limit it is.
        account: Name,
        /// When it may be tried again.
        retry_after_seconds: u32,
    },
    /// A request with this idempotency key is being answered now.
    #[error("a request with this idempotency key is being answered")]
    KeyInUse,
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Draining,
    /// The store can't be written.
    #[error("the store can't be written now: {0}")]
    StoreAway(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::StoreAway(error.to_string())
    }
}

impl Refusal {
    /// The code that it has in every interface, in events and in logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Invalid(_) => "invalid",
            Refusal::NoRoute => "no_route",
            Refusal::Rejected { .. } => "route_rejects",
            Refusal::Misrouted { .. } => "route_unfit",
            Refusal::Forbidden(_) => "not_allowed",
            Refusal::SenderNotAllowed(_) => "sender_not_allowed",
            Refusal::CountryNotAllowed(_) => "country_not_allowed",
            Refusal::OptedOut(_) => "opted_out",
            Refusal::QuietHours { .. } => "quiet_hours",
            Refusal::PolicyRejects(_) => "policy_rejects",
            Refusal::PolicyAway(_) => "policy_unavailable",
            Refusal::NoPrice(..) => "no_price",
            Refusal::BalanceTooLow(_) => "balance_too_low",
            Refusal::Limited { limit: Limit::Throughput, .. } => "throughput_exceeded",
            Refusal::Limited { limit: Limit::Queue, .. } => "queue_full",
            Refusal::Limited { limit: Limit::DailyQuota | Limit::MonthlyQuota, .. } => "quota_exceeded",
            Refusal::KeyInUse => "idempotency_key_in_use",
            Refusal::KeyReused => "idempotency_key_reused",
            Refusal::Draining => "draining",
            Refusal::StoreAway(_) => "store_unavailable",
        }
    }

    /// All that it says, in one sentence.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Refusal::Invalid(faults) => {
                let told = |fault: &Fault| format!("{} {}", fault.pointer.trim_start_matches('/'), fault.detail);
                faults.iter().map(told).collect::<Vec<_>>().join("; ")
            }
            refusal => refusal.to_string(),
        }
    }
}
