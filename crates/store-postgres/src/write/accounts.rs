//! What accounts have and use: read under locks, settled, and written.
//!
//! Locks are taken in the order of owner and tally by every node, and before anything else is read: whoever
//! comes second sees what the first has written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::{LedgerId, MessageId, Name};
use store::encoding::{LEDGER_KINDS, number};
use store::{AccountRows, Changes, Settled, Tally};
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::small;
use super::messages::by_day;
use crate::decode::each;
use crate::error::Failure;
use crate::pipeline::Step;
use crate::schema::QUEUED_LOCK;
use crate::sql::Sql;
use crate::text::Text;

/// Which rows were asked for, in the order of the answers.
#[derive(Default)]
pub(super) struct Asked {
    limits: bool,
    tallies: bool,
    days: usize,
    entries: bool,
    queued: bool,
}

/// The rows that the decision stands on.
#[derive(Default)]
pub(super) struct Books {
    tallies: HashMap<(Name, Tally), (i64, i64)>,
    /// Tallies that were not there before this transaction.
    new: HashSet<(Name, Tally)>,
    messages: HashSet<MessageId>,
    entries: HashSet<(Name, LedgerId)>,
    queued: HashMap<Name, u64>,
}

impl Books {
    /// Asks for everything that [`store::settle`] may want to know.
    pub fn ask<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) -> Asked {
        let mut asked = Asked::default();
        let mut tallies: BTreeSet<(&Name, Tally)> = BTreeSet::new();
        let mut entries: BTreeSet<(&Name, Uuid)> = BTreeSet::new();
        let mut limited: BTreeSet<&Name> = BTreeSet::new();
        let mut counted: BTreeSet<&Name> = BTreeSet::new();
        for entry in &changes.entries {
            tallies.insert((&entry.account, Tally::Balance));
            entries.insert((&entry.account, entry.id.0));
        }
        for claim in &changes.claims {
            tallies.extend(claim.quotas.iter().map(|quota| (&quota.account, quota.tally)));
            for queue in &claim.queues {
                limited.insert(&queue.account);
                counted.extend(queue.of.iter());
            }
            if let Some(charge) = &claim.charge {
                tallies.insert((&charge.account, Tally::Balance));
                let id = |message: MessageId| claim.more.map_or(message.0, |more| more.0);
                entries.extend(charge.each.iter().map(|(message, _)| (&charge.account, id(*message))));
            }
        }
        asked.limits = !limited.is_empty();
        if asked.limits {
            let names: Vec<_> = limited.iter().map(|name| Text(&***name)).collect();
            steps.push(Step::new(Sql::LockQueued, values![names, QUEUED_LOCK]));
        }
        asked.tallies = !tallies.is_empty();
        if asked.tallies {
            let keys = || -> (Vec<Text<&'c str>>, Vec<i16>) {
                tallies.iter().map(|(owner, tally)| (Text(&***owner), small(&Tally::ALL, tally))).unzip()
            };
            let ((owners, kinds), (lock_owners, lock_kinds)) = (keys(), keys());
            steps.push(Step::new(Sql::MakeTallies, values![owners, kinds]));
            steps.push(Step::new(Sql::LockTallies, values![lock_owners, lock_kinds]));
        }
        let claimed = changes.claims.iter().filter(|claim| claim.more.is_none()).map(|claim| claim.message);
        let days = by_day(claimed.map(|id| (id.made_at().day(), id.0)));
        // A day that the commit writes to has a table by now.
        for (day, ids) in days {
            steps.push(Step::on_day(Sql::HasMessages, day, values![ids]));
            asked.days += 1;
        }
        asked.entries = !entries.is_empty();
        if asked.entries {
            let (accounts, ids): (Vec<_>, Vec<_>) = entries.iter().map(|(name, id)| (Text(&***name), *id)).unzip();
            steps.push(Step::new(Sql::HasEntries, values![accounts, ids]));
        }
        asked.queued = !counted.is_empty();
        if asked.queued {
            let names: Vec<_> = counted.iter().map(|name| Text(&***name)).collect();
            steps.push(Step::new(Sql::Queued, values![names]));
        }
        asked
    }

    /// What was answered, after the rows of the steps before.
    pub fn of(asked: Asked, mut rows: impl Iterator<Item = Vec<Row>>) -> Result<Self, Failure> {
        let mut books = Self::default();
        let mut next = || rows.next().unwrap_or_default();
        let Asked { limits, tallies, days, entries, queued } = asked;
        if limits {
            next();
        }
        if tallies {
            let owners = each("tally", &next(), |columns| Ok((columns.name(0)?, columns.one_of(1, &Tally::ALL)?)))?;
            books.new = owners.into_iter().collect();
            let kept = each("tally", &next(), |columns| {
                let key = (columns.name(0)?, columns.one_of(1, &Tally::ALL)?);
                Ok((key, (columns.get(2)?, columns.get(3)?)))
            })?;
            books.tallies = kept.into_iter().collect();
        }
        for _ in 0..days {
            books.messages.extend(each("message", &next(), |columns| Ok(MessageId(columns.get(0)?)))?);
        }
        if entries {
            let there = each("ledger", &next(), |columns| Ok((columns.name(0)?, LedgerId(columns.get(1)?))))?;
            books.entries = there.into_iter().collect();
        }
        if queued {
            let counts = each("queue", &next(), |columns| Ok((columns.name(0)?, columns.big(1)?)))?;
            books.queued = counts.into_iter().collect();
        }
        Ok(books)
    }
}

impl AccountRows for Books {
    type Error = Failure;

    fn tally(&mut self, owner: &Name, tally: Tally) -> Result<Option<(i64, i64)>, Failure> {
        let key = (owner.clone(), tally);
        if self.new.contains(&key) {
            return Ok(None);
        }
        // One that was not asked for is not locked: nothing may be decided by it.
        let unasked = || Failure::Corrupt(format!("table tally: {owner} was decided on without a lock"));
        self.tallies.get(&key).copied().map(Some).ok_or_else(unasked)
    }

    fn has_message(&mut self, id: MessageId) -> Result<bool, Failure> {
        Ok(self.messages.contains(&id))
    }

    fn queued(&mut self, account: &Name) -> Result<u64, Failure> {
        Ok(self.queued.get(account).copied().unwrap_or(0))
    }

    fn has_entry(&mut self, account: &Name, id: LedgerId) -> Result<bool, Failure> {
        Ok(self.entries.contains(&(account.clone(), id)))
    }
}

/// Writes what was decided.
pub(super) fn put(steps: &mut Vec<Step<'_>>, settled: Settled) {
    if !settled.tallies.is_empty() {
        let owners: Vec<_> = settled.tallies.iter().map(|row| Text(row.owner.to_string())).collect();
        let kinds: Vec<_> = settled.tallies.iter().map(|row| small(&Tally::ALL, &row.tally)).collect();
        let periods: Vec<_> = settled.tallies.iter().map(|row| row.period).collect();
        let numbers: Vec<_> = settled.tallies.iter().map(|row| row.value).collect();
        steps.push(Step::new(Sql::PutTallies, values![owners, kinds, periods, numbers]));
    }
    if !settled.entries.is_empty() {
        let mut entries = settled.entries;
        entries.sort_by(|a, b| (&a.account, a.id).cmp(&(&b.account, b.id)));
        let accounts: Vec<_> = entries.iter().map(|entry| Text(entry.account.to_string())).collect();
        let ids: Vec<_> = entries.iter().map(|entry| entry.id.0).collect();
        let times: Vec<_> = entries.iter().map(|entry| entry.at.as_millis()).collect();
        let kinds: Vec<_> = entries.iter().map(|entry| number(&LEDGER_KINDS, &entry.kind) as i16).collect();
        let amounts: Vec<_> = entries.iter().map(|entry| entry.amount.micros()).collect();
        let messages: Vec<_> = entries.iter().map(|entry| entry.message.map(|id| id.0)).collect();
        let notes: Vec<_> = entries.into_iter().map(|entry| entry.note.map(Text)).collect();
        steps.push(Step::new(Sql::PutEntries, values![accounts, ids, times, kinds, amounts, messages, notes]));
    }
}

/// Writes numbers that are put as they are, where nothing is to be decided.
pub(super) fn put_tallies<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    // Of two for one number the last counts.
    let rows: BTreeMap<(&Name, Tally), (i64, i64)> =
        changes.tallies.iter().map(|row| ((&row.owner, row.tally), (row.period, row.value))).collect();
    if rows.is_empty() {
        return;
    }
    let owners: Vec<_> = rows.keys().map(|(owner, _)| Text(&***owner)).collect();
    let kinds: Vec<_> = rows.keys().map(|(_, tally)| small(&Tally::ALL, tally)).collect();
    let periods: Vec<_> = rows.values().map(|(period, _)| *period).collect();
    let numbers: Vec<_> = rows.values().map(|(_, value)| *value).collect();
    steps.push(Step::new(Sql::PutTallies, values![owners, kinds, periods, numbers]));
}
