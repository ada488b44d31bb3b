//! What accounts have and use, and who wants to hear nothing more.

use model::{Address, LedgerEntry, LedgerId, LedgerKind, MessageId, Name, OptOut, OptOutId, OptOutKey, Sum};
use store::{OptOutFilter, Tally, TallyRow};
use uuid::Uuid;

use super::{Question, limit};
use crate::decode::{Read, each};
use crate::link::Connection;
use crate::text::Text;

/// Every tally of `owners`, by owner and tally.
pub(crate) async fn tallies(connection: &Connection, owners: &[Name]) -> Read<Vec<TallyRow>> {
    let sql = "SELECT owner, tally, period, value FROM tally WHERE owner = ANY($1::text[]) ORDER BY owner, tally";
    let owners: Vec<_> = owners.iter().map(|owner| Text(&**owner)).collect();
    let mut found = each("tally", &connection.rows(sql, values![owners]).await?, |columns| {
        Ok(TallyRow {
            owner: columns.name(0)?,
            tally: columns.one_of(1, &Tally::ALL)?,
            period: columns.get(2)?,
            value: columns.get(3)?,
        })
    })?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// An account's movements of money, newest first.
pub(crate) async fn ledger(
    connection: &Connection,
    account: &str,
    before: Option<LedgerId>,
    count: usize,
) -> Read<Vec<LedgerEntry>> {
    let mut question = Question::new("SELECT id, at, kind, amount, message, note FROM ledger WHERE true");
    question.push(" AND account = ?", Text(account));
    question.only(" AND id < ?", before.map(|id| id.0));
    question.push(" ORDER BY id DESC LIMIT ?", limit(count));
    each("ledger", &question.rows(connection).await?, |columns| {
        Ok(LedgerEntry {
            id: LedgerId(columns.get(0)?),
            account: account.into(),
            at: columns.time(1)?,
            kind: columns.one_of(2, &LedgerKind::ALL)?,
            amount: Sum::from_micros(columns.get(3)?),
            message: columns.get::<Option<Uuid>>(4)?.map(MessageId),
            note: columns.text_or_null(5)?.map(Into::into),
        })
    })
}

/// Opt-outs that pass `filter`, newest first.
pub(crate) async fn opt_outs(
    connection: &Connection,
    filter: &OptOutFilter,
    before: Option<OptOutId>,
    count: usize,
) -> Read<Vec<OptOut>> {
    let mut question = Question::new("SELECT id, account, phone, sender, created_at, message FROM opt_out WHERE true");
    question.only(" AND id < ?", before.map(|id| id.0));
    question.only(" AND id = ?", filter.id.map(|id| id.0));
    question.only(" AND account = ?", filter.account.as_deref().map(Text));
    question.only(" AND phone = ?", filter.phone.as_ref().map(|phone| Text(phone.as_str())));
    question.push(" ORDER BY id DESC LIMIT ?", limit(count));
    each("opt_out", &question.rows(connection).await?, |columns| {
        let address = |text: &str| Address::from_carrier(text, false);
        Ok(OptOut {
            id: OptOutId(columns.get(0)?),
            key: OptOutKey {
                account: columns.name(1)?,
                phone: address(&columns.text(2)?),
                sender: Some(columns.text(3)?).filter(|text| !text.is_empty()).map(|text| address(&text)),
            },
            created_at: columns.time(4)?,
            message: columns.get::<Option<Uuid>>(5)?.map(MessageId),
        })
    })
}
