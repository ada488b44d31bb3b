//! What accounts have and have used: to be read, to be topped up, and to be warned of.

use std::sync::Arc;
use std::time::Duration;

use model::resources::Currency;
use model::{DeliveryId, LedgerEntry, LedgerId, LedgerKind, Name, Sum, Timestamp};
use store::{StoreError, Tally, TallyRow};
use tokio::sync::oneshot;

use crate::accept::{Accepted, Answer, Begun, Idempotency, Refusal};
use crate::access::Caller;
use crate::announce;
use crate::engine::Engine;
use crate::facts::{Acceptance, Fact, Facts};
use crate::families::families;
use crate::world::AccountView;

/// The most that is put in or taken out at a time, in units: sums of very many of them are still exact.
pub const CREDIT_MAX: i64 = 1_000_000_000;
/// Balances are looked at for warnings so often at the most.
const WARNINGS_EVERY: Duration = Duration::from_millis(100);

/// What an account has and has used, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What it has, if it is prepaid.
    pub balance: Option<(Sum, Currency)>,
    /// Parts of the daily quota, if it has one.
    pub daily: Option<QuotaUsed>,
    /// Parts of the monthly quota, if it has one.
    pub monthly: Option<QuotaUsed>,
}

/// How much of a quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaUsed {
    /// Parts that there are.
    pub limit: u64,
    /// Parts that were handed in.
    pub used: u64,
    /// When it begins anew.
    pub resets_at: Timestamp,
}

impl Engine {
    /// The account that a caller may look at and send for under this id: its own, one below its own,
    /// or, for an operator, any.
    #[must_use]
    pub fn account_of(&self, caller: &Caller, id: &str) -> Option<Arc<AccountView>> {
        let account = self.world().account(id).cloned()?;
        let below = account.chain().any(|above| above.id == caller.account.id);
        (below || caller.is_admin()).then_some(account)
    }

    /// What accounts have and have used, in the order of `accounts`.
    pub async fn usage(&self, accounts: &[Arc<AccountView>]) -> Result<Vec<Usage>, StoreError> {
        let owners: Vec<Name> = accounts.iter().filter(|a| a.is_limited()).map(|a| a.id.clone()).collect();
        let rows = if owners.is_empty() { Vec::new() } else { self.inner.store.tallies(&owners).await? };
        let now = self.now();
        Ok(accounts.iter().map(|account| usage_of(account, &rows, now)).collect())
    }

    /// How many messages of an account, and of those below it, are in queues.
    pub async fn queued(&self, account: &str) -> Result<u64, StoreError> {
        let world = self.world();
        let family = families(&world.set.accounts, |any| any.id == account).remove(account).unwrap_or_default();
        Ok(self.inner.store.queued(&family).await?.into_iter().sum())
    }

    /// The movements of an account's money, newest first, strictly older than `before`.
    pub async fn ledger(
        &self,
        account: &AccountView,
        before: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.inner.store.ledger(&account.id, before, limit).await
    }

    /// Puts money into an account, or takes it out where `amount` is below zero; durably when this
    /// returns. A request that is repeated under the same key moves nothing.
    pub async fn credit(
        &self,
        caller: &Caller,
        account: &AccountView,
        amount: Sum,
        note: Option<Box<str>>,
        idempotency: Option<Idempotency<'_>>,
        render: impl FnOnce(&LedgerEntry) -> Answer,
    ) -> Result<Accepted<LedgerEntry>, Refusal> {
        let begun = match self.begin(caller, idempotency).await? {
            Begun::Before(answer) => return Ok(Accepted::Replayed(answer)),
            Begun::Now(begun) => begun,
        };
        let entry = LedgerEntry {
            id: LedgerId(self.next_id(begun.now).0),
            account: account.id.clone(),
            at: begun.now,
            kind: LedgerKind::Credit,
            amount,
            message: None,
            note,
        };
        let answer = render(&entry);
        let (reply, committed) = oneshot::channel();
        let (answer_kept, entry_made) = (begun.kept(&answer), Some(entry.clone()));
        let moved = Acceptance { answer: answer_kept, entry: entry_made, ..Acceptance::of(Vec::new(), reply) };
        self.accepted(caller, moved, committed).await?;
        if let Some((_, meter)) = account.meters().find(|(view, _)| view.id == account.id) {
            meter.forget_short();
        }
        Ok(Accepted::New(entry, answer))
    }
}

fn usage_of(account: &AccountView, rows: &[TallyRow], now: Timestamp) -> Usage {
    let row = |tally| rows.iter().find(move |row| row.owner == account.id && row.tally == tally);
    let quota = |tally, limit: Option<u64>, period: Option<routing::Period>| {
        let (limit, period) = (limit?, period?);
        let used = row(tally).filter(|row| row.period >= period.number).map_or(0, |row| row.value.max(0) as u64);
        Some(QuotaUsed { limit, used, resets_at: period.end })
    };
    let limits = account.account.quota.unwrap_or_default();
    let calendar = account.calendar();
    let balance = Sum::from_micros(row(Tally::Balance).map_or(0, |row| row.value));
    Usage {
        balance: account.account.prepaid.as_ref().map(|prepaid| (balance, prepaid.currency)),
        daily: quota(Tally::Daily, limits.daily, calendar.map(|calendar| calendar.day(now))),
        monthly: quota(Tally::Monthly, limits.monthly, calendar.map(|calendar| calendar.month(now))),
    }
}

/// Tells accounts once when their balance falls below what they want to be warned at. That it was
/// told is kept with what is owed, so a restart neither forgets nor repeats it.
pub(crate) async fn watch_balances(engine: Engine) {
    let mut worlds = engine.watch_world();
    loop {
        if let Err(error) = warn(&engine).await {
            tracing::debug!(%error, "balances can't be read");
        }
        tokio::time::sleep(WARNINGS_EVERY).await;
        tokio::select! {
            () = engine.inner.money_moved.notified() => {}
            changed = worlds.changed() => if changed.is_err() { return },
        }
    }
}

async fn warn(engine: &Engine) -> Result<(), StoreError> {
    let world = engine.world();
    let accounts = world.set.accounts.iter().filter(|a| a.prepaid.as_ref().is_some_and(|p| p.warn_below.is_some()));
    let accounts: Vec<&Arc<AccountView>> = accounts.filter_map(|account| world.account(&account.id)).collect();
    if accounts.is_empty() {
        return Ok(());
    }
    let owners: Vec<Name> = accounts.iter().map(|account| account.id.clone()).collect();
    let rows = engine.inner.store.tallies(&owners).await?;
    let mut facts = Vec::new();
    for account in accounts {
        let Some(prepaid) = &account.account.prepaid else { continue };
        let value = |tally| rows.iter().find(|r| r.owner == account.id && r.tally == tally).map(|r| r.value);
        // One that never had anything has not lost it.
        let Some(balance) = value(Tally::Balance).map(Sum::from_micros) else { continue };
        let told = value(Tally::LowTold).is_some_and(|told| told != 0);
        let low = prepaid.warn_below.is_some_and(|least| balance < Sum::from(least));
        if low != told {
            let now = engine.now();
            let next_id = || DeliveryId(engine.next_id(now).0);
            let owed = if low { announce::of_balance(account, prepaid, balance, now, next_id) } else { Vec::new() };
            facts.push(Fact::BalanceLow { account: account.id.clone(), told: low, owed });
        }
    }
    if !facts.is_empty() && engine.inner.facts.send(Facts { facts, acknowledge: None }).await.is_ok() {
        // Looked at again only when this is in the store.
        crate::persist::flush(&engine.inner.facts).await;
    }
    Ok(())
}
