//! What accounts have and use, and what a commit takes of it.
//!
//! The decision is the store's, in the commit itself, so that several nodes can't give the same
//! money out twice: [`settle`] is that decision, the same for every store, over a few rows that a
//! store reads for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::resources::Amount;
use model::{LedgerEntry, LedgerId, LedgerKind, MessageId, Name, Sum, Timestamp};

use crate::{Changes, QueueEntry};

/// A number that is kept of an account, of a token, or of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tally {
    /// Parts that an account handed in today; the period is its day.
    Daily,
    /// Parts that an account handed in this month; the period is its month.
    Monthly,
    /// What an account has, in millionths: the sum of its ledger.
    Balance,
    /// 1 when an account was told that its balance is low, until it is not.
    LowTold,
    /// When a token was used last, in milliseconds of Unix time.
    TokenUsed,
    /// A hash of the PIN that the SIM of a connector's modem has refused.
    PinRefused,
    /// Messages in queues. Never kept: the queue itself is what is counted.
    Queued,
}

impl Tally {
    /// Every tally that is kept, in the order of their numbers in the store.
    pub const ALL: [Tally; 6] =
        [Tally::Daily, Tally::Monthly, Tally::Balance, Tally::LowTold, Tally::TokenUsed, Tally::PinRefused];
}

/// A number as it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TallyRow {
    /// The account, the token, or the connector.
    pub owner: Name,
    /// Which number.
    pub tally: Tally,
    /// The day or month that it counts in; 0 for the others.
    pub period: i64,
    /// The number.
    pub value: i64,
}

/// What messages that are accepted together take of accounts: all of it or, if any of it does not
/// suffice, nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// One of the messages. If the store has it already, so it has this claim: the commit is
    /// repeated. Not so with [`more`](Self::more).
    pub message: MessageId,
    /// Set where the message is there already and takes more than it did: the id of the entry of what
    /// it costs more. Nobody repeats such a commit.
    pub more: Option<LedgerId>,
    /// When it was decided.
    pub at: Timestamp,
    /// Parts of quotas.
    pub quotas: Vec<QuotaClaim>,
    /// Room in queues.
    pub queues: Vec<QueueClaim>,
    /// Money.
    pub charge: Option<ChargeClaim>,
}

/// Parts of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaClaim {
    /// Whose.
    pub account: Name,
    /// [`Tally::Daily`] or [`Tally::Monthly`].
    pub tally: Tally,
    /// The day or month. What was counted in an earlier one is forgotten.
    pub period: i64,
    /// How many.
    pub parts: u64,
    /// How many there are in a period.
    pub limit: u64,
}

/// Room for messages in the queues of connectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueClaim {
    /// Whose limit it is.
    pub account: Name,
    /// The accounts whose messages count, in order.
    pub of: Arc<[Name]>,
    /// How many messages are to be added.
    pub messages: u64,
    /// How many there may be, of all these accounts and in all queues together, those that are due later
    /// among them.
    pub limit: u64,
}

/// Money of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeClaim {
    /// Who pays.
    pub account: Name,
    /// The balance may not go below this.
    pub floor: Sum,
    /// What each message costs.
    pub each: Vec<(MessageId, Amount)>,
}

/// A claim that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    /// Its place in [`Changes::claims`].
    pub claim: usize,
    /// Who has too little.
    pub account: Name,
    /// Of what.
    pub tally: Tally,
}

/// The rows that [`settle`] looks at.
pub trait AccountRows {
    /// What stops a row from being read.
    type Error;

    /// The period and value of a tally.
    fn tally(&mut self, owner: &Name, tally: Tally) -> Result<Option<(i64, i64)>, Self::Error>;
    /// Is this message there?
    fn has_message(&mut self, id: MessageId) -> Result<bool, Self::Error>;
    /// How many messages of this account are in queues, before the commit?
    fn queued(&mut self, account: &Name) -> Result<u64, Self::Error>;
    /// Is this entry there?
    fn has_entry(&mut self, account: &Name, id: LedgerId) -> Result<bool, Self::Error>;
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Tallies with their new values, by owner and tally.
    pub tallies: Vec<TallyRow>,
    /// Entries of the ledger that are new.
    pub entries: Vec<LedgerEntry>,
}

/// Decides what `changes` do to accounts: entries and tallies come first, then claims, each in its
/// order. If a claim is not met, nothing is to be written, and every such claim is told; those
/// that are told take nothing from the others.
pub fn settle<R: AccountRows>(changes: &Changes, rows: R) -> Result<Result<Settled, Vec<Short>>, R::Error> {
    let (values, queued) = (BTreeMap::new(), BTreeMap::new());
    let mut books = Books { rows, changes, values, queued, entries: Vec::new(), new: BTreeSet::new() };
    for entry in &changes.entries {
        books.enter(entry.clone())?;
    }
    for row in &changes.tallies {
        books.values.insert((row.owner.clone(), row.tally), (row.period, row.value));
    }
    let mut short = Vec::new();
    for (place, claim) in changes.claims.iter().enumerate() {
        if claim.more.is_none() && books.rows.has_message(claim.message)? {
            continue;
        }
        match books.shortage(claim)? {
            Some((account, tally)) => short.push(Short { claim: place, account, tally }),
            None => books.take(claim)?,
        }
    }
    if !short.is_empty() {
        return Ok(Err(short));
    }
    let row = |((owner, tally), (period, value))| TallyRow { owner, tally, period, value };
    let changed = books.values.into_iter().map(row).collect();
    Ok(Ok(Settled { tallies: changed, entries: books.entries }))
}

struct Books<'c, R> {
    rows: R,
    changes: &'c Changes,
    /// Tallies that were looked at, as they will be.
    values: BTreeMap<(Name, Tally), (i64, i64)>,
    /// What was counted for a limit on queues, as it will be.
    queued: BTreeMap<Name, i64>,
    entries: Vec<LedgerEntry>,
    new: BTreeSet<(Name, LedgerId)>,
}

impl<R: AccountRows> Books<'_, R> {
    fn value(&mut self, owner: &Name, tally: Tally, period: i64) -> Result<i64, R::Error> {
        let key = (owner.clone(), tally);
        let (kept, value) = match self.values.get(&key) {
            Some(known) => *known,
            None => {
                let found = self.rows.tally(owner, tally)?.unwrap_or((period, 0));
                self.values.insert(key, found);
                found
            }
        };
        // A clock that went back a little counts on in the later period.
        Ok(if kept >= period { value } else { 0 })
    }

    fn add(&mut self, owner: &Name, tally: Tally, period: i64, more: i64) -> Result<(), R::Error> {
        let value = self.value(owner, tally, period)?.saturating_add(more);
        let row = self.values.entry((owner.clone(), tally)).or_insert((period, 0));
        *row = (row.0.max(period), value);
        Ok(())
    }

    /// How many messages count against a limit. What leaves queues in this commit leaves them first, and
    /// what only moves is no more than it was.
    fn queued(&mut self, claim: &QueueClaim) -> Result<i64, R::Error> {
        if let Some(known) = self.queued.get(&claim.account) {
            return Ok(*known);
        }
        let theirs = |entry: &&QueueEntry| claim.of.binary_search(&entry.account).is_ok();
        let count = |entries: &[QueueEntry]| i64::try_from(entries.iter().filter(theirs).count()).unwrap_or(i64::MAX);
        let mut queued = count(&self.changes.enqueue) - count(&self.changes.dequeue);
        for account in claim.of.iter() {
            queued = queued.saturating_add_unsigned(self.rows.queued(account)?);
        }
        self.queued.insert(claim.account.clone(), queued);
        Ok(queued)
    }

    /// What a claim lacks.
    fn shortage(&mut self, claim: &Claim) -> Result<Option<(Name, Tally)>, R::Error> {
        for quota in &claim.quotas {
            let used = self.value(&quota.account, quota.tally, quota.period)?;
            let wanted = i128::from(used) + i128::from(quota.parts);
            if wanted > i128::from(quota.limit) {
                return Ok(Some((quota.account.clone(), quota.tally)));
            }
        }
        for queue in &claim.queues {
            let wanted = i128::from(self.queued(queue)?) + i128::from(queue.messages);
            if wanted > i128::from(queue.limit) {
                return Ok(Some((queue.account.clone(), Tally::Queued)));
            }
        }
        if let Some(charge) = &claim.charge {
            let cost: i128 = charge.each.iter().map(|(_, amount)| i128::from(amount.micros())).sum();
            let left = i128::from(self.value(&charge.account, Tally::Balance, 0)?) - cost;
            // What is free is free for those who owe, too.
            if cost > 0 && left < i128::from(charge.floor.micros()) {
                return Ok(Some((charge.account.clone(), Tally::Balance)));
            }
        }
        Ok(None)
    }

    fn take(&mut self, claim: &Claim) -> Result<(), R::Error> {
        for quota in &claim.quotas {
            let parts = i64::try_from(quota.parts).unwrap_or(i64::MAX);
            self.add(&quota.account, quota.tally, quota.period, parts)?;
        }
        for queue in &claim.queues {
            if let Some(queued) = self.queued.get_mut(&queue.account) {
                *queued = queued.saturating_add_unsigned(queue.messages);
            }
        }
        let Some(charge) = &claim.charge else { return Ok(()) };
        for (message, amount) in charge.each.iter().filter(|(_, amount)| amount.micros() > 0) {
            self.enter(LedgerEntry {
                id: claim.more.unwrap_or(LedgerId(message.0)),
                account: charge.account.clone(),
                at: claim.at,
                kind: LedgerKind::Charge,
                amount: Sum::from(*amount).negative(),
                message: Some(*message),
                note: None,
            })?;
        }
        Ok(())
    }

    /// Enters what is not there yet, and moves the balance with it.
    fn enter(&mut self, entry: LedgerEntry) -> Result<(), R::Error> {
        let key = (entry.account.clone(), entry.id);
        if self.new.contains(&key) || self.rows.has_entry(&entry.account, entry.id)? {
            return Ok(());
        }
        self.new.insert(key);
        self.add(&entry.account, Tally::Balance, 0, entry.amount.micros())?;
        self.entries.push(entry);
        Ok(())
    }
}
