//! Rolling the ledger up: old charges and refunds become one entry of each day, in transactions small
//! enough that commits of messages hardly wait for them.

use std::collections::BTreeMap;

use model::{LedgerEntry, LedgerId, LedgerKind, Name, Sum, Timestamp};
use rusqlite::OptionalExtension;
use store::{StoreError, Tally};

use crate::days;
use crate::error::Failure;
use crate::read::Readers;
use crate::write::{Desk, Writer};
use store::encoding::{LEDGER_KINDS, number};

/// Entries that one transaction takes together.
const CHUNK: usize = 500;
/// Those of an account that are to become part of their day's entry.
const OLD: &str = "FROM ledger WHERE account = ?1 AND id < ?2 AND kind <> ?3 AND message IS NOT NULL";

/// Puts charges and refunds of days before `before`'s into one entry of each day, account and kind; at most
/// `limit`, and returns how many.
pub(crate) async fn ledger(
    writer: &Writer,
    readers: &Readers,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let end = LedgerId::first_at(Timestamp::from_millis(days::unit_start(before.day(), 0)));
    let mut rolled = 0;
    for account in accounts(readers, end).await? {
        loop {
            let wanted = CHUNK.min(limit - rolled);
            let step = account.clone();
            let count = if wanted == 0 { 0 } else { writer.run(move |desk| roll(desk, &step, end, wanted)).await? };
            rolled += count;
            if count < CHUNK {
                break;
            }
        }
    }
    Ok(rolled as u64)
}

/// Accounts that have something to roll up. Found by reading, so that the writer does not look for it.
async fn accounts(readers: &Readers, end: LedgerId) -> Result<Vec<Name>, StoreError> {
    readers
        .run(move |reader| {
            let mut owners = reader.db.prepare_cached("SELECT owner FROM tally WHERE tally = ?1 ORDER BY owner")?;
            let owners = owners.query_map([number(&Tally::ALL, &Tally::Balance)], |row| row.get::<_, String>(0))?;
            let mut old = reader.db.prepare_cached(&format!("SELECT 1 {OLD} LIMIT 1"))?;
            let mut found = Vec::new();
            for owner in owners {
                let owner = owner?;
                if old.exists((&owner, end.as_bytes().as_slice(), number(&LEDGER_KINDS, &LedgerKind::Credit)))? {
                    found.push(owner.as_str().into());
                }
            }
            Ok(found)
        })
        .await
}

/// One step: everything of it happens, or nothing.
fn roll(desk: &mut Desk<'_>, account: &Name, end: LedgerId, limit: usize) -> Result<usize, Failure> {
    let mut sums: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let mut gone = Vec::new();
    let mut old = desk.db.prepare_cached(&format!("SELECT id, kind, amount {OLD} ORDER BY id LIMIT ?4"))?;
    let (credit, limit) = (number(&LEDGER_KINDS, &LedgerKind::Credit), i64::try_from(limit).unwrap_or(i64::MAX));
    let mut rows = old.query((account.as_ref(), end.as_bytes().as_slice(), credit, limit))?;
    while let Some(row) = rows.next()? {
        let id: Vec<u8> = row.get(0)?;
        let broken = || Failure::Corrupt(format!("table ledger, row {id:02x?}: the id can't be read"));
        let day = LedgerId::from_slice(&id).ok_or_else(broken)?.made_at().day();
        let sum = sums.entry((day, row.get(1)?)).or_default();
        *sum = sum.checked_add(row.get(2)?).ok_or_else(too_large)?;
        gone.push(id);
    }
    let mut kept = desk.db.prepare_cached("SELECT amount FROM ledger WHERE account = ?1 AND id = ?2")?;
    let mut put = desk
        .db
        .prepare_cached("INSERT OR REPLACE INTO ledger(account, id, at, kind, amount) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for ((day, kind), sum) in sums {
        let of_kind = usize::try_from(kind).ok().and_then(|place| LEDGER_KINDS.get(place).copied());
        let of_kind = of_kind.ok_or_else(|| Failure::Corrupt(format!("table ledger: there is no kind {kind}")))?;
        let entry = LedgerEntry::of_day(account.clone(), day, of_kind, Sum::from_micros(sum));
        let id = entry.id.as_bytes().as_slice();
        let before: Option<i64> = kept.query_row((account.as_ref(), id), |row| row.get(0)).optional()?;
        let sum = sum.checked_add(before.unwrap_or(0)).ok_or_else(too_large)?;
        put.execute((account.as_ref(), id, entry.at.as_millis(), kind, sum))?;
    }
    let mut drop = desk.db.prepare_cached("DELETE FROM ledger WHERE account = ?1 AND id = ?2")?;
    for id in &gone {
        drop.execute((account.as_ref(), id.as_slice()))?;
    }
    Ok(gone.len())
}

/// Nine million million units of a currency in a day.
fn too_large() -> Failure {
    Failure::Corrupt("table ledger: a day's sum is beyond what can be counted".to_owned())
}
