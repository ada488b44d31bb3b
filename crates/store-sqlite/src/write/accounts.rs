//! What accounts have and use, as rows.

use model::{LedgerId, MessageId, Name, OptOut, OptOutKey};
use store::{AccountRows, Changes, Settled, Tally};

use super::Desk;
use super::apply::is_under;
use super::statements::Sql;
use crate::error::Failure;
use crate::key;
use store::encoding::{LEDGER_KINDS, number};

impl AccountRows for &mut Desk<'_> {
    type Error = Failure;

    fn tally(&mut self, owner: &Name, tally: Tally) -> Result<Option<(i64, i64)>, Failure> {
        let statement = self.statements.get(Sql::Tally)?;
        let mut rows = statement.query((owner.as_ref(), number(&Tally::ALL, &tally)))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some((row.get(0)?, row.get(1)?)))
    }

    fn has_message(&mut self, id: MessageId) -> Result<bool, Failure> {
        let Some(day) = self.statements.day(id.made_at().day())? else { return Ok(false) };
        for key in key::places(key::of_message(id)) {
            if let it @ (Some(true) | None) = is_under(&mut day.is_under, key, id)? {
                return Ok(it.is_some());
            }
        }
        Ok(false)
    }

    fn queued(&mut self, account: &Name) -> Result<u64, Failure> {
        Ok(self.queued.of(self.db, account)?)
    }

    fn has_entry(&mut self, account: &Name, id: LedgerId) -> Result<bool, Failure> {
        let statement = self.statements.get(Sql::HasEntry)?;
        Ok(statement.exists((account.as_ref(), id.as_bytes().as_slice()))?)
    }
}

impl Desk<'_> {
    pub(super) fn put_opt_outs(&mut self, changes: &Changes) -> Result<(), Failure> {
        fn sender(key: &OptOutKey) -> &str {
            key.sender.as_ref().map_or("", |sender| sender.as_str())
        }
        for key in &changes.opt_outs_done {
            let statement = self.statements.get(Sql::DropOptOut)?;
            statement.execute((key.account.as_ref(), key.phone.as_str(), sender(key)))?;
        }
        for OptOut { id, key, created_at, message } in &changes.opt_outs {
            self.statements.get(Sql::PutOptOut)?.execute((
                key.account.as_ref(),
                key.phone.as_str(),
                sender(key),
                id.as_bytes().as_slice(),
                created_at.as_millis(),
                message.as_ref().map(|id| id.as_bytes().as_slice()),
            ))?;
        }
        Ok(())
    }

    /// Writes what was decided.
    pub(super) fn put_settled(&mut self, settled: &Settled) -> Result<(), Failure> {
        for row in &settled.tallies {
            let tally = number(&Tally::ALL, &row.tally);
            self.statements.get(Sql::PutTally)?.execute((row.owner.as_ref(), tally, row.period, row.value))?;
        }
        for entry in &settled.entries {
            self.statements.get(Sql::PutEntry)?.execute((
                entry.account.as_ref(),
                entry.id.as_bytes().as_slice(),
                entry.at.as_millis(),
                number(&LEDGER_KINDS, &entry.kind),
                entry.amount.micros(),
                entry.message.as_ref().map(|id| id.as_bytes().as_slice()),
                entry.note.as_deref(),
            ))?;
        }
        Ok(())
    }
}
