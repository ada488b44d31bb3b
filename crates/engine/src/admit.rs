//! Admit: may this account send this, and now? The answer is the account's limits and those of the
//! accounts above it, whatever way the message came in.
//!
//! What is counted in memory is decided here. What must survive, quotas and money, goes along with
//! the messages as a [`Claim`], and is decided by the store in the commit that makes them durable.
//! Messages that come together are admitted together: a batch is taken whole or not at all.

use std::fmt;
use std::time::{Duration, Instant};

use model::{Address, Body, Message, Name, Sum, Timestamp};
use store::{ChargeClaim, Claim, QueueClaim, QuotaClaim, Short, Tally};

use crate::accept::Refusal;
use crate::world::AccountView;

/// When to come again to a full queue. It may take longer, or less.
const QUEUE_WAIT: Duration = Duration::from_secs(1);

/// A limit of an account that is used up for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Parts a second.
    Throughput,
    /// Parts a day.
    DailyQuota,
    /// Parts a month.
    MonthlyQuota,
    /// Messages that are queued.
    Queue,
}

impl Limit {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Limit::Throughput => "throughput",
            Limit::DailyQuota => "daily_quota",
            Limit::MonthlyQuota => "monthly_quota",
            Limit::Queue => "max_queue",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Throughput => "the throughput",
            Limit::DailyQuota => "the daily quota",
            Limit::MonthlyQuota => "the monthly quota",
            Limit::Queue => "the room in the queue",
        })
    }
}

/// What does not hold for a message that the gateway sends by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exempt {
    /// It goes to those who opted out, too.
    pub opt_outs: bool,
    /// It goes in quiet hours, too.
    pub quiet_hours: bool,
}

/// Is this message one that the account may send at all?
pub(crate) fn check(account: &AccountView, body: &Body) -> Result<(), Refusal> {
    check_ends(account, &body.from, &body.to)?;
    match &body.plan {
        None => Ok(()),
        Some(_) => check_ends(account, body.routed_from(), body.routed_to()),
    }
}

fn check_ends(account: &AccountView, from: &Address, to: &Address) -> Result<(), Refusal> {
    for account in account.chain() {
        let Some(admission) = &account.admission else { continue };
        if !admission.allows_sender(from) {
            return Err(Refusal::SenderNotAllowed(from.clone()));
        }
        admission.check_country(to).map_err(Refusal::CountryNotAllowed)?;
    }
    Ok(())
}

/// Counts what is accepted together against the limits of its account, if there are any. What the
/// store has to decide is given back.
pub(crate) fn admit(
    account: &AccountView,
    messages: &[Message],
    now: Timestamp,
    instant: Instant,
) -> Result<Option<Box<Claim>>, Refusal> {
    if !account.is_limited() {
        return Ok(None);
    }
    let parts: usize = messages.iter().map(|message| message.progress.parts.len()).sum();
    let claim = claim_of(account, messages, parts as u64, now);
    if let Some(claim) = &claim {
        for (account, meter) in account.meters() {
            let short = meter.known_short(|tally| cost(claim, &account.id, tally), instant);
            short.map_or(Ok(()), |tally| Err(refusal(account, &account.id, tally, now)))?;
        }
    }
    let parts = u32::try_from(parts).unwrap_or(u32::MAX);
    let mut counted = Vec::new();
    for (account, meter) in account.meters() {
        let Some(per_second) = account.account.throughput else { continue };
        if let Err(wait) = meter.take_rate(per_second, parts, instant) {
            counted.iter().for_each(|(meter, rate): &(&crate::limits::Meter, u32)| meter.give_back_rate(*rate, parts));
            return Err(limited(Limit::Throughput, &account.id, wait));
        }
        counted.push((meter, per_second));
    }
    Ok(claim.map(Box::new))
}

/// Why messages of an account, of a part each at the least, would be refused by what is known now.
/// Nothing is counted.
pub(crate) fn known_refusal(account: &AccountView, messages: u64, now: Timestamp, instant: Instant) -> Option<Refusal> {
    let count = i64::try_from(messages).unwrap_or(i64::MAX);
    // What they cost is not known yet.
    let least = |tally| if tally == Tally::Balance { 0 } else { count };
    account.meters().find_map(|(account, meter)| {
        if let Some(tally) = meter.known_short(least, instant) {
            return Some(refusal(account, &account.id, tally, now));
        }
        let wait = meter.rate_wait(account.account.throughput?, instant)?;
        Some(limited(Limit::Throughput, &account.id, wait))
    })
}

/// What the store could not give.
pub(crate) fn refused(
    account: &AccountView,
    claim: &Claim,
    short: &Short,
    now: Timestamp,
    instant: Instant,
) -> Refusal {
    let lacking = account.meters().find(|(account, _)| account.id == short.account);
    if let Some((_, meter)) = lacking {
        meter.note_short(short.tally, cost(claim, &short.account, short.tally), instant);
    }
    refusal(account, &short.account, short.tally, now)
}

fn claim_of(account: &AccountView, messages: &[Message], parts: u64, now: Timestamp) -> Option<Claim> {
    let message = messages.first()?.body.id;
    let quotas = quotas_of(account, parts, now);
    let claim = |account: &AccountView| {
        let limit = account.account.max_queue?;
        let (messages, of) = (messages.len() as u64, account.queue_of.clone());
        Some(QueueClaim { account: account.id.clone(), of, messages, limit })
    };
    let queues: Vec<QueueClaim> = account.chain().filter_map(claim).collect();
    let charge = account.payer().map(|(payer, prepaid)| ChargeClaim {
        account: payer.id.clone(),
        floor: Sum::from(prepaid.overdraft).negative(),
        each: messages.iter().filter_map(|m| Some((m.body.id, m.body.charge.as_ref()?.price.amount))).collect(),
    });
    let any = !quotas.is_empty() || !queues.is_empty() || charge.is_some();
    any.then_some(Claim { message, more: None, at: now, quotas, queues, charge })
}

/// Parts of every quota that holds for an account.
pub(crate) fn quotas_of(account: &AccountView, parts: u64, now: Timestamp) -> Vec<QuotaClaim> {
    let mut quotas = Vec::new();
    for account in account.chain() {
        let (Some(quota), Some(calendar)) = (&account.account.quota, account.calendar()) else { continue };
        let mut add = |tally, period: routing::Period, limit: Option<u64>| {
            let claim = |limit| QuotaClaim { account: account.id.clone(), tally, period: period.number, parts, limit };
            quotas.extend(limit.map(claim));
        };
        add(Tally::Daily, calendar.day(now), quota.daily);
        add(Tally::Monthly, calendar.month(now), quota.monthly);
    }
    quotas
}

/// What a claim wants of one tally.
fn cost(claim: &Claim, account: &Name, tally: Tally) -> i64 {
    let parts = claim.quotas.iter().filter(|quota| quota.account == *account && quota.tally == tally);
    let queues = claim.queues.iter().filter(|queue| queue.account == *account && tally == Tally::Queued);
    let counts = parts.map(|quota| quota.parts).chain(queues.map(|queue| queue.messages));
    let money = claim.charge.iter().filter(|charge| charge.account == *account && tally == Tally::Balance);
    let micros = money.flat_map(|charge| &charge.each).map(|(_, amount)| amount.micros());
    micros.chain(counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX))).fold(0, i64::saturating_add)
}

fn refusal(account: &AccountView, short: &Name, tally: Tally, now: Timestamp) -> Refusal {
    let calendar = account.chain().find(|account| account.id == *short).and_then(AccountView::calendar);
    let until = |limit, end: Option<Timestamp>| {
        let millis = end.map_or(0, |end| end.millis_since(now));
        limited(limit, short, Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    };
    match tally {
        Tally::Daily => until(Limit::DailyQuota, calendar.map(|calendar| calendar.day(now).end)),
        Tally::Monthly => until(Limit::MonthlyQuota, calendar.map(|calendar| calendar.month(now).end)),
        Tally::Queued => limited(Limit::Queue, short, QUEUE_WAIT),
        Tally::Balance | Tally::LowTold | Tally::TokenUsed | Tally::PinRefused => Refusal::BalanceTooLow(short.clone()),
    }
}

fn limited(limit: Limit, account: &Name, wait: Duration) -> Refusal {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
    Refusal::Limited { limit, account: account.clone(), retry_after_seconds: seconds }
}
