//! Rolling the ledger up: old charges and refunds become one entry of each day, in small transactions.

use std::collections::BTreeMap;

use model::{LedgerEntry, LedgerId, LedgerKind, Name, Sum, Timestamp};
use store::encoding::LEDGER_KINDS;
use store::{StoreError, Tally};

use crate::Inner;
use crate::days;
use crate::decode::{Read, each};
use crate::error::Failure;
use crate::link::Connection;
use crate::read::limit as sql_limit;
use crate::text::Text;
use crate::write::small;

/// Entries that one transaction takes together.
const CHUNK: usize = 500;
/// Those of an account that are to become part of their day's entry.
const OLD: &str = "FROM ledger WHERE account = $1 AND id < $2 AND kind <> $3 AND message IS NOT NULL";

/// Puts charges and refunds of days before `before`'s into one entry of each day, account and kind; at most
/// `limit`, and returns how many.
pub(crate) async fn ledger(store: &Inner, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
    let end = LedgerId::first_at(days::start(before.day()));
    let owners: Vec<Name> = store
        .writing(|connection| async move {
            let sql = "SELECT owner FROM tally WHERE tally = $1 ORDER BY owner";
            let rows = connection.rows(sql, values![small(&Tally::ALL, &Tally::Balance)]).await?;
            each("tally", &rows, |columns| columns.name(0))
        })
        .await?;
    let mut rolled = 0;
    for account in &owners {
        loop {
            let wanted = CHUNK.min(limit - rolled);
            let count = match wanted {
                0 => 0,
                wanted => {
                    store.writing(|connection| async move { roll(&connection, account, end, wanted).await }).await?
                }
            };
            rolled += count;
            if count < CHUNK {
                break;
            }
        }
    }
    Ok(rolled as u64)
}

/// One step: everything of it happens, or nothing.
async fn roll(connection: &Connection, account: &Name, end: LedgerId, limit: usize) -> Read<usize> {
    let credit = small(&LEDGER_KINDS, &LedgerKind::Credit);
    connection.client.batch_execute("BEGIN").await?;
    let sql = format!(
        "DELETE FROM ledger WHERE account = $1 AND id = ANY(ARRAY(SELECT id {OLD} ORDER BY id LIMIT $4))
            RETURNING id, kind, amount"
    );
    let gone = connection.rows(&sql, values![Text(&**account), end.0, credit, sql_limit(limit)]).await?;
    let mut sums: BTreeMap<(i64, usize), i64> = BTreeMap::new();
    for (id, kind, amount) in each("ledger", &gone, |columns| {
        Ok((LedgerId(columns.get(0)?), columns.small::<usize>(1)?, columns.get::<i64>(2)?))
    })? {
        let sum = sums.entry((id.made_at().day(), kind)).or_default();
        *sum = sum.checked_add(amount).ok_or_else(too_large)?;
    }
    for ((day, kind), sum) in sums {
        let of_kind = LEDGER_KINDS.get(kind).copied();
        let of_kind = of_kind.ok_or_else(|| Failure::Corrupt(format!("table ledger: there is no kind {kind}")))?;
        let entry = LedgerEntry::of_day(account.clone(), day, of_kind, Sum::from_micros(sum));
        let put = "INSERT INTO ledger AS kept(account, id, at, kind, amount) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (account, id) DO UPDATE SET amount = kept.amount + excluded.amount";
        let kind = small(&LEDGER_KINDS, &of_kind);
        let values = values![Text(&**account), entry.id.0, entry.at.as_millis(), kind, sum];
        connection.rows(put, values).await?;
    }
    connection.client.batch_execute("COMMIT").await?;
    Ok(gone.len())
}

/// Nine million million units of a currency in a day.
fn too_large() -> Failure {
    Failure::Corrupt("table ledger: a day's sum is beyond what can be counted".to_owned())
}
