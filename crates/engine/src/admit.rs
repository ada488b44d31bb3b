//! Admit: may this account send this, and now? The answer is the account's limits, whatever way the
//! message came in.

use std::fmt;
use std::time::{Duration, Instant};

use model::{Body, Message, Name};

use crate::accept::Refusal;
use crate::world::AccountView;

/// A limit of an account that is used up for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Parts a second.
    Throughput,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Throughput => "the throughput",
        })
    }
}

/// Is this message one that the account may send at all?
pub(crate) fn check(account: &AccountView, body: &Body) -> Result<(), Refusal> {
    let Some(admission) = &account.admission else { return Ok(()) };
    if !admission.allows_sender(&body.from) {
        return Err(Refusal::SenderNotAllowed(body.from.clone()));
    }
    admission.check_country(&body.to).map_err(Refusal::CountryNotAllowed)
}

/// Counts what is accepted together against the account's limits, if there are any.
pub(crate) fn admit(account: &AccountView, messages: &[Message], now: Instant) -> Result<(), Refusal> {
    let (Some(meter), Some(per_second)) = (&account.meter, account.account.throughput) else { return Ok(()) };
    let parts = u32::try_from(messages.iter().map(|m| m.progress.parts.len()).sum::<usize>()).unwrap_or(u32::MAX);
    meter.take_rate(per_second, parts, now).map_err(|wait| limited(Limit::Throughput, &account.id, wait))
}

fn limited(limit: Limit, account: &Name, wait: Duration) -> Refusal {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
    Refusal::Limited { limit, account: account.clone(), retry_after_seconds: seconds }
}
