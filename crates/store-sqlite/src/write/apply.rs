//! A commit as rows.

use foldhash::{HashMap, HashSet, HashSetExt};
use model::{Body, Delivery, Message, MessageId, Name, Timestamp};
use rusqlite::{OptionalExtension, Statement};
use store::{
    BatchPhase, Changes, CommitError, IdempotencyAnswer, IdempotencyKey, MoPart, NewMessage, QueueEntry, RemoteId,
    settle,
};

use super::Desk;
use super::rows::{bind_body, bind_delivery, bind_entry, bind_new, bind_place, bind_progress};
use super::statements::{DayStatements, Sql};
use crate::error::Failure;
use crate::{days, key};
use store::encoding::number;

/// Writes `changes`, or says why not before anything is written. `now` is the store's clock.
pub(crate) fn commit(
    desk: &mut Desk<'_>,
    changes: &Changes,
    now: Timestamp,
) -> Result<Result<(), CommitError>, Failure> {
    if let Some(lost) = desk.lost_fence(changes)? {
        return Ok(Err(CommitError::Fenced(lost)));
    }
    let taken = desk.taken_keys(&changes.answers, now)?;
    if !taken.is_empty() {
        return Ok(Err(CommitError::KeysTaken(taken)));
    }
    let moved = desk.schedules_moved(&changes.schedules)?;
    if !moved.is_empty() {
        return Ok(Err(CommitError::SchedulesMoved(moved)));
    }
    if changes.touches_accounts() {
        match settle(changes, &mut *desk)? {
            Ok(settled) => desk.put_settled(&settled)?,
            Err(short) => return Ok(Err(CommitError::Short(short))),
        }
    }
    desk.put_answers(changes)?;
    desk.put_schedules(changes)?;
    // In the order of their keys, so that they are added at the end of their table.
    let mut new: Vec<&NewMessage> = changes.insert.iter().collect();
    new.sort_unstable_by_key(|new| new.message.body.id);
    for new in new {
        desk.insert(new)?;
    }
    desk.put_bodies(&changes.bodies)?;
    desk.update_and_queue(changes)?;
    desk.put_remote_ids(changes)?;
    desk.put_deliveries(changes)?;
    desk.put_parked(changes)?;
    desk.put_mo_parts(changes)?;
    desk.put_opt_outs(changes)?;
    desk.put_groups(changes)?;
    Ok(Ok(()))
}

impl DayStatements<'_> {
    /// Runs `insert`, which is bound but for its key. Returns `false` if the message is there already.
    fn insert_under_free_key(&mut self, id: MessageId) -> Result<bool, Failure> {
        for key in key::places(key::of_message(id)) {
            self.insert.raw_bind_parameter(31, key)?;
            if self.insert.raw_execute()? > 0 {
                return Ok(true);
            }
            if is_under(&mut self.is_under, key, id)? == Some(true) {
                return Ok(false);
            }
        }
        Err(Failure::crowded(&id))
    }
}

/// Runs `change`, which returns how many rows it changed, on the key that the message lies under.
/// One that is not there is left alone: retention may have taken it.
pub(super) fn under_key_of(
    id: MessageId,
    holder: &mut Statement<'_>,
    mut change: impl FnMut(i64) -> rusqlite::Result<usize>,
) -> Result<(), Failure> {
    for key in key::places(key::of_message(id)) {
        if change(key)? > 0 || is_under(holder, key, id)? != Some(false) {
            break;
        }
    }
    Ok(())
}

/// Is the row under `key` the one of `id`? `None` if nothing lies there.
pub(super) fn is_under(statement: &mut Statement<'_>, key: i64, id: MessageId) -> Result<Option<bool>, Failure> {
    Ok(statement.query_row((key, id.as_bytes().as_slice()), |row| row.get(0)).optional()?)
}

impl Desk<'_> {
    fn lost_fence(&mut self, changes: &Changes) -> Result<Option<Name>, Failure> {
        for fence in &changes.fences {
            let statement = self.statements.get(Sql::Epoch)?;
            let mut rows = statement.query([fence.name.as_ref()])?;
            let epoch: Option<u64> = rows.next()?.map(|row| row.get(0)).transpose()?;
            if epoch != Some(fence.epoch) {
                return Ok(Some(fence.name.clone()));
            }
        }
        Ok(None)
    }

    fn taken_keys(
        &mut self,
        answers: &[(IdempotencyKey, IdempotencyAnswer)],
        now: Timestamp,
    ) -> Result<Vec<usize>, Failure> {
        let mut seen = HashSet::new();
        let mut taken = Vec::new();
        for (place, (key, _)) in answers.iter().enumerate() {
            let statement = self.statements.get(Sql::AnswerExpiry)?;
            let mut rows = statement.query([key.account.as_ref(), key.key.as_ref()])?;
            let expiry: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
            if !seen.insert(key) || expiry.is_some_and(|at| at > now.as_millis()) {
                taken.push(place);
            }
        }
        Ok(taken)
    }

    fn put_answers(&mut self, changes: &Changes) -> Result<(), Failure> {
        for (key, answer) in &changes.answers {
            self.statements.get(Sql::PutAnswer)?.execute((
                key.account.as_ref(),
                key.key.as_ref(),
                answer.fingerprint.as_slice(),
                answer.status,
                answer.body.as_ref(),
                answer.expires_at.as_millis(),
            ))?;
        }
        for batch in &changes.batches {
            self.statements.get(Sql::PutBatch)?.execute((
                batch.id.as_bytes().as_slice(),
                batch.account.as_ref(),
                batch.accepted.cast_signed(),
                batch.rejected.cast_signed(),
                batch.created_at.as_millis(),
                number(&BatchPhase::ALL, &batch.phase),
                batch.finished_at.map(|at| at.as_millis()),
                batch.complete,
                batch.digest.as_ref().map(<[u8; 32]>::as_slice),
            ))?;
        }
        for (id, at) in &changes.batches_finished {
            self.statements.get(Sql::FinishBatch)?.execute((id.as_bytes().as_slice(), at.as_millis()))?;
        }
        for (id, phase) in &changes.batch_phases {
            let phase = number(&BatchPhase::ALL, phase);
            self.statements.get(Sql::PutPhase)?.execute((id.as_bytes().as_slice(), phase))?;
        }
        Ok(())
    }

    /// One whose id is there already is left as it is, and its place in the queue too: it may have
    /// been sent since.
    fn insert(&mut self, new: &NewMessage) -> Result<(), Failure> {
        let body = &new.message.body;
        let day = self.statements.day_or_new(body.id.made_at().day())?;
        let unit = days::unit_of(body.id.made_at().as_millis());
        let slot = match day.slots.take(unit) {
            Some(slot) => slot,
            None => day.slot_of.query_row([unit], |row| row.get(0))?,
        };
        let statement = &mut day.insert;
        bind_body(statement, body, &mut self.buffers)?;
        bind_progress(statement, 19, &new.message.progress, &mut self.buffers)?;
        bind_new(statement, slot, new.queue.as_ref())?;
        if !day.insert_under_free_key(body.id)? {
            return Ok(());
        }
        if std::mem::take(&mut day.texts_forgotten) {
            self.statements.get(Sql::TextsAgain)?.execute([body.id.made_at().day()])?;
        }
        if !new.message.progress.status.is_final() {
            let statement = self.statements.get(Sql::PutDeadline)?;
            statement.raw_bind_parameter(1, body.expires_at.as_millis())?;
            statement.raw_bind_parameter(2, body.id.as_bytes().as_slice())?;
            statement.raw_execute()?;
            self.latest(Sql::PutLatest, body)?;
        }
        match &new.queue {
            Some(entry) => self.put_entry(entry),
            None => Ok(()),
        }
    }

    /// Progress and the queue together: a message that gets another place in the commit that
    /// changes it is written once.
    fn update_and_queue(&mut self, changes: &Changes) -> Result<(), Failure> {
        let mut places: HashMap<MessageId, &QueueEntry> = changes.enqueue.iter().map(|e| (e.id, e)).collect();
        for message in &changes.update {
            let place = if places.is_empty() { None } else { places.remove(&message.body.id) };
            self.update(message, place)?;
        }
        for entry in &changes.dequeue {
            self.take_entry(entry)?;
        }
        for entry in &changes.enqueue {
            self.put_entry(entry)?;
            if let Some(entry) = places.remove(&entry.id)
                && let Some(day) = self.statements.day(entry.id.made_at().day())?
            {
                day.place.raw_bind_parameter(1, entry.id.as_bytes().as_slice())?;
                bind_place(&mut day.place, 3, Some(entry))?;
                under_key_of(entry.id, &mut day.is_under, |key| {
                    day.place.raw_bind_parameter(2, key)?;
                    day.place.raw_execute()
                })?;
            }
        }
        Ok(())
    }

    fn update(&mut self, message: &Message, place: Option<&QueueEntry>) -> Result<(), Failure> {
        let id = message.body.id;
        let Some(day) = self.statements.day(id.made_at().day())? else { return Ok(()) };
        let statement = if place.is_some() { &mut day.update_and_place } else { &mut day.update };
        statement.raw_bind_parameter(1, id.as_bytes().as_slice())?;
        bind_progress(statement, 2, &message.progress, &mut self.buffers)?;
        if place.is_some() {
            bind_place(statement, 12, place)?;
        }
        under_key_of(id, &mut day.is_under, |key| {
            statement.raw_bind_parameter(11, key)?;
            statement.raw_execute()
        })?;
        if message.progress.status.is_final() {
            let statement = self.statements.get(Sql::DropDeadline)?;
            statement.raw_bind_parameter(1, message.body.expires_at.as_millis())?;
            statement.raw_bind_parameter(2, id.as_bytes().as_slice())?;
            statement.raw_execute()?;
            self.latest(Sql::DropLatest, &message.body)?;
        }
        Ok(())
    }

    /// What few messages have: a key under which the newest takes the place of the one before.
    fn latest(&mut self, sql: Sql, body: &Body) -> Result<(), Failure> {
        let Some(key) = &body.supersede_key else { return Ok(()) };
        let id = body.id.as_bytes().as_slice();
        self.statements.get(sql)?.execute((body.account.as_ref(), key.as_ref(), body.to.as_str(), id))?;
        Ok(())
    }

    fn put_entry(&mut self, entry: &QueueEntry) -> Result<(), Failure> {
        let rows = self.entry(Sql::Enqueue, entry)?;
        self.queued.put(&entry.account, rows);
        Ok(())
    }

    fn take_entry(&mut self, entry: &QueueEntry) -> Result<(), Failure> {
        let rows = self.entry(Sql::Dequeue, entry)?;
        self.queued.taken(&entry.account, rows);
        Ok(())
    }

    fn entry(&mut self, sql: Sql, entry: &QueueEntry) -> Result<usize, Failure> {
        let statement = self.statements.get(sql)?;
        bind_entry(statement, entry)?;
        Ok(statement.raw_execute()?)
    }

    fn put_remote_ids(&mut self, changes: &Changes) -> Result<(), Failure> {
        for RemoteId { key, part, expires_at } in &changes.remote_ids {
            let statement = self.statements.get(Sql::PutRemoteId)?;
            statement.raw_bind_parameter(1, key.connector.as_ref())?;
            statement.raw_bind_parameter(2, key.id.as_ref())?;
            statement.raw_bind_parameter(3, part.message.as_bytes().as_slice())?;
            statement.raw_bind_parameter(4, part.part)?;
            statement.raw_bind_parameter(5, expires_at.as_millis())?;
            statement.raw_execute()?;
        }
        for key in &changes.remote_ids_done {
            let statement = self.statements.get(Sql::DropRemoteId)?;
            statement.raw_bind_parameter(1, key.connector.as_ref())?;
            statement.raw_bind_parameter(2, key.id.as_ref())?;
            statement.raw_execute()?;
        }
        Ok(())
    }

    fn put_deliveries(&mut self, changes: &Changes) -> Result<(), Failure> {
        for done in &changes.deliveries_done {
            let statement = self.statements.get(Sql::DropDelivery)?;
            statement.raw_bind_parameter(2, done.id.as_bytes().as_slice())?;
            statement.raw_bind_parameter(3, done.due.as_millis())?;
            statement.raw_bind_parameter(4, done.endpoint.as_ref())?;
            for key in key::places(key::of_delivery(done.id)) {
                statement.raw_bind_parameter(1, key)?;
                if statement.raw_execute()? > 0 {
                    break;
                }
            }
        }
        for delivery in &changes.deliveries {
            self.put_delivery(delivery)?;
        }
        Ok(())
    }

    fn put_delivery(&mut self, delivery: &Delivery) -> Result<(), Failure> {
        bind_delivery(self.statements.get(Sql::PutDelivery)?, delivery)?;
        for key in key::places(key::of_delivery(delivery.id)) {
            if self.insert_delivery_under(key)? {
                return Ok(());
            }
            // The key is taken: by the delivery itself as it was before, or by another one's.
            let own = self.statements.get(Sql::ReplaceDelivery)?;
            if own.execute((key, delivery.id.as_bytes().as_slice()))? > 0 {
                self.insert_delivery_under(key)?;
                return Ok(());
            }
        }
        Err(Failure::crowded(&delivery.id))
    }

    fn insert_delivery_under(&mut self, key: i64) -> Result<bool, Failure> {
        let statement = self.statements.get(Sql::PutDelivery)?;
        statement.raw_bind_parameter(13, key)?;
        Ok(statement.raw_execute()? > 0)
    }

    fn put_parked(&mut self, changes: &Changes) -> Result<(), Failure> {
        for receipt in &changes.parked_done {
            self.statements.get(Sql::DropParked)?.execute([receipt.id.as_bytes().as_slice()])?;
        }
        for parked in &changes.parked {
            self.statements.get(Sql::PutParked)?.execute((
                parked.id.as_bytes().as_slice(),
                parked.key.connector.as_ref(),
                parked.key.id.as_ref(),
                parked.remote_id.as_ref(),
                serde_json::to_string(&parked.receipt).expect("words and strings only"),
                parked.phone.as_ref(),
                parked.received_at.as_millis(),
                parked.expires_at.as_millis(),
            ))?;
        }
        Ok(())
    }

    fn put_mo_parts(&mut self, changes: &Changes) -> Result<(), Failure> {
        for key in &changes.mo_parts_done {
            self.statements.get(Sql::DropMoPart)?.execute((
                key.connector.as_ref(),
                key.addresses.as_ref(),
                key.reference,
                key.total,
                key.sequence,
            ))?;
        }
        for MoPart { key, body, expires_at } in &changes.mo_parts {
            let statement = self.statements.get(Sql::PutMoPart)?;
            bind_body(statement, body, &mut self.buffers)?;
            statement.raw_bind_parameter(18, key.connector.as_ref())?;
            statement.raw_bind_parameter(19, key.addresses.as_ref())?;
            statement.raw_bind_parameter(20, key.reference)?;
            statement.raw_bind_parameter(21, key.total)?;
            statement.raw_bind_parameter(22, key.sequence)?;
            statement.raw_bind_parameter(23, expires_at.as_millis())?;
            statement.raw_execute()?;
        }
        Ok(())
    }
}
