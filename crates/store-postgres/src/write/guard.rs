//! What must hold for a commit to be made: leases, idempotency keys, revisions of schedules, claims.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::{Schedule, ScheduleId, Timestamp};
use store::{Changes, CommitError, IdempotencyAnswer, IdempotencyKey, Settled, StoreError, settle};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Stop;
use super::accounts::Books;
use crate::Inner;
use crate::decode::each;
use crate::error::Failure;
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::read;
use crate::sql::Sql;
use crate::text::Text;

/// Leases that must be held until this is committed.
pub(super) fn fences<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    if changes.fences.is_empty() {
        return;
    }
    let names: Vec<_> = changes.fences.iter().map(|fence| Text(&*fence.name)).collect();
    let epochs: Vec<_> = changes.fences.iter().map(|fence| fence.epoch.cast_signed()).collect();
    steps.push(Step::new(Sql::Fences, values![names, epochs]));
}

/// Answers under keys that must be free. Returns the places of keys that the commit itself has twice, if
/// there are any answers.
pub(super) fn answers<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes, now: Timestamp) -> Option<Vec<usize>> {
    if changes.answers.is_empty() {
        return None;
    }
    let mut first: BTreeMap<&IdempotencyKey, &IdempotencyAnswer> = BTreeMap::new();
    let mut again = Vec::new();
    for (place, (key, answer)) in changes.answers.iter().enumerate() {
        if first.contains_key(key) {
            again.push(place);
        } else {
            first.insert(key, answer);
        }
    }
    let accounts: Vec<_> = first.keys().map(|key| Text(&*key.account)).collect();
    let keys: Vec<_> = first.keys().map(|key| Text(&*key.key)).collect();
    let fingerprints: Vec<_> = first.values().map(|answer| answer.fingerprint.as_slice()).collect();
    let statuses: Vec<_> = first.values().map(|answer| i32::from(answer.status)).collect();
    let bodies: Vec<_> = first.values().map(|answer| Text(&*answer.body)).collect();
    let expiries: Vec<_> = first.values().map(|answer| answer.expires_at.as_millis()).collect();
    let wanted = i64::try_from(changes.answers.len()).unwrap_or(i64::MAX);
    let values = values![accounts, keys, fingerprints, statuses, bodies, expiries, now.as_millis(), wanted];
    steps.push(Step::new(Sql::Answers, values));
    Some(again)
}

/// Says which keys are taken, after a commit that they stopped.
pub(super) async fn taken(store: &Inner, changes: &Changes, again: Vec<usize>) -> Stop {
    let now = store.now();
    let kept = match kept_answers(store, changes).await {
        Ok(kept) => kept,
        Err(error) => return Stop::Refused(CommitError::Store(error)),
    };
    let mut places: BTreeSet<usize> = again.into_iter().collect();
    places.extend(kept.into_iter().filter(|(_, answer)| answer.expires_at > now).map(|(place, _)| place));
    if places.is_empty() {
        // Its time was up in between.
        return Stop::Failed(Failure::Away("an idempotency key was taken and is free again".into()));
    }
    Stop::Refused(CommitError::KeysTaken(places.into_iter().collect()))
}

async fn kept_answers(store: &Inner, changes: &Changes) -> Result<Vec<(usize, IdempotencyAnswer)>, StoreError> {
    let keys: Vec<&IdempotencyKey> = changes.answers.iter().map(|(key, _)| key).collect();
    store.kept_answers(&keys).await
}

/// Was this very commit made already? Then its messages are there, and its keys and schedules are as it put
/// them: they hold ids that nobody else makes.
pub(super) async fn was_made(store: &Inner, changes: &Changes) -> Result<bool, StoreError> {
    if changes.insert.is_empty() {
        return Ok(false);
    }
    let ids: Vec<_> = changes.insert.iter().map(|new| new.message.body.id).collect();
    let wanted: HashSet<_> = ids.iter().collect();
    if store.known(&ids).await? < wanted.len() {
        return Ok(false);
    }
    let kept: HashMap<usize, IdempotencyAnswer> = kept_answers(store, changes).await?.into_iter().collect();
    let answered = changes.answers.iter().enumerate().all(|(place, (_, answer))| kept.get(&place) == Some(answer));
    let ids: Vec<ScheduleId> = changes.schedules.iter().map(|change| change.id).collect();
    let there = store.schedules_by_id(&ids).await?;
    let there: HashMap<ScheduleId, Schedule> = there.into_iter().map(|schedule| (schedule.id, schedule)).collect();
    Ok(answered && changes.schedules.iter().all(|change| there.get(&change.id) == change.put.as_ref()))
}

/// Begins the transaction and decides what the server can't: afterwards everything that the decision stands
/// on is locked.
pub(super) async fn decide<'c>(
    connection: &Connection,
    changes: &'c Changes,
    repeated: bool,
    mut steps: Vec<Step<'c>>,
) -> Result<Settled, Stop> {
    let before = steps.len();
    let asks_schedules = !changes.schedules.is_empty() && !repeated;
    if asks_schedules {
        let ids: BTreeSet<Uuid> = changes.schedules.iter().map(|change| change.id.0).collect();
        steps.push(Step::new(Sql::LockSchedules, values![ids.into_iter().collect::<Vec<_>>()]));
    }
    let asked = Books::ask(&mut steps, changes);
    let rows = connection.run(Around::Begin, &steps).await.map_err(Stop::Failed)?;
    let mut rows = rows.into_iter().skip(before);
    if asks_schedules {
        let moved = schedules_moved(changes, &rows.next().unwrap_or_default())?;
        if !moved.is_empty() {
            return Err(Stop::Refused(CommitError::SchedulesMoved(moved)));
        }
    }
    let books = Books::of(asked, rows)?;
    match settle(changes, books)? {
        Ok(settled) => Ok(settled),
        Err(short) => Err(Stop::Refused(CommitError::Short(short))),
    }
}

/// Places of changes whose schedule has another revision than was seen.
fn schedules_moved(changes: &Changes, rows: &[Row]) -> Result<Vec<usize>, Failure> {
    let there: HashMap<ScheduleId, u64> =
        each("schedule", rows, read::schedule)?.into_iter().map(|schedule| (schedule.id, schedule.revision)).collect();
    let mut seen = HashSet::new();
    let moved =
        changes.schedules.iter().enumerate().filter(|(_, change)| {
            !seen.insert(change.id) || there.get(&change.id).copied().unwrap_or(0) != change.seen
        });
    Ok(moved.map(|(place, _)| place).collect())
}
