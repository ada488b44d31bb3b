//! What accounts have and use.

use model::{LedgerEntry, LedgerId, LedgerKind, MessageId, Name, Sum};
use store::{Tally, TallyRow};

use super::Reader;
use super::rest::limit;
use crate::decode::Read;

/// Every tally of `owners`, by owner and tally.
pub(crate) fn tallies(reader: &Reader, owners: &[Name]) -> Read<Vec<TallyRow>> {
    let sql = "SELECT owner, tally, period, value FROM tally WHERE owner = ?1";
    let mut found = Vec::new();
    for owner in owners {
        found.extend(reader.all("tally", sql, [owner.as_ref()], |columns| {
            Ok(TallyRow {
                owner: owner.clone(),
                tally: columns.one_of(1, &Tally::ALL)?,
                period: columns.int(2)?,
                value: columns.int(3)?,
            })
        })?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// An account's movements of money, newest first.
pub(crate) fn ledger(reader: &Reader, account: &str, before: Option<LedgerId>, count: usize) -> Read<Vec<LedgerEntry>> {
    let sql = "SELECT id, at, kind, amount, message, note FROM ledger WHERE account = ?1 AND id < ?2
        ORDER BY id DESC LIMIT ?3";
    let below = before.map_or(vec![0xff; 17], |id| id.as_bytes().to_vec());
    reader.all("ledger", sql, (account, below, limit(count)), |columns| {
        Ok(LedgerEntry {
            id: LedgerId(columns.id(0)?),
            account: account.into(),
            at: columns.time(1)?,
            kind: columns.one_of(2, &LedgerKind::ALL)?,
            amount: Sum::from_micros(columns.int(3)?),
            message: columns.id_or_null(4)?.map(MessageId),
            note: columns.text_or_null(5)?.map(Into::into),
        })
    })
}
