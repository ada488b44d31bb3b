//! Writing: a commit is one transaction, in one piece to the server wherever nothing has to be read first.
//!
//! What must hold is looked at by the server itself, which ends the transaction if it does not. Only claims
//! on accounts and changes of schedules are decided here: they lock the rows that they look at, so they
//! take two pieces.
//!
//! **An unknown outcome.** When the connection goes while a commit is under way, nobody knows whether it was
//! made. It is then made again over a new connection, until the server is back: rows that are there already are left
//! as they are, and keys that it finds taken by itself are its own.

mod accounts;
mod columns;
mod groups;
mod guard;
mod leases;
mod messages;
mod resources;
mod rest;

use std::time::{Duration, Instant};

use store::{Changes, CommitError};

use crate::Inner;
use crate::error::{FENCED, Failure, KEYS_TAKEN};
use crate::link::Connection;
use crate::pipeline::{Around, Step};
pub(crate) use columns::small;
pub(crate) use leases::{release_lease, take_lease};
pub(crate) use resources::change_resources;

/// How often a commit is made again that met others, who wanted the same rows in another order.
const ATTEMPTS: u32 = 8;
/// How long a commit whose outcome nobody knows is made again: as long as a server takes to come back from a
/// crash, or another to take its place. Who is told sooner that it failed may be told wrong.
const UNKNOWN_MAX: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);
const AWAY_PAUSE: Duration = Duration::from_millis(100);

/// Why an attempt came to nothing.
enum Stop {
    /// It must not be made.
    Refused(CommitError),
    /// The store failed.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

/// Makes a commit.
pub(crate) async fn commit(store: &Inner, changes: &Changes) -> Result<(), CommitError> {
    let mut attempts = 0;
    let mut unknown_since: Option<Instant> = None;
    let mut repeated = false;
    loop {
        let mut sent = false;
        let failure = match attempt(store, changes, repeated, &mut sent).await {
            Ok(()) => return Ok(()),
            Err(Stop::Refused(error @ (CommitError::KeysTaken(_) | CommitError::SchedulesMoved(_)))) if !repeated => {
                if !guard::was_made(store, changes).await? {
                    return Err(error);
                }
                repeated = true;
                continue;
            }
            Err(Stop::Refused(error)) => return Err(error),
            Err(Stop::Failed(failure)) => failure,
        };
        if failure.is_transient() && attempts < ATTEMPTS {
            attempts += 1;
            store.days.forget();
            tokio::time::sleep(PAUSE * 2_u32.pow(attempts.min(5)) + jitter()).await;
        } else if failure.is_lost_connection() && (sent || unknown_since.is_some()) {
            let since = *unknown_since.get_or_insert_with(Instant::now);
            if since.elapsed() > UNKNOWN_MAX {
                return Err(CommitError::Store(failure.into()));
            }
            tokio::time::sleep(AWAY_PAUSE).await;
        } else {
            return Err(CommitError::Store(failure.into()));
        }
    }
}

/// One attempt. `sent` tells whether the server may have heard of its end.
async fn attempt(store: &Inner, changes: &Changes, repeated: bool, sent: &mut bool) -> Result<(), Stop> {
    let borrowed = store.writers.borrow().await?;
    let limit = store.writers.limit();
    match tokio::time::timeout(limit, transaction(store, &borrowed.connection, changes, repeated, sent)).await {
        Ok(Ok(())) => {
            borrowed.give_back();
            Ok(())
        }
        Ok(Err(Stop::Failed(failure))) if failure.is_lost_connection() => Err(Stop::Failed(failure)),
        Ok(Err(stop)) => {
            borrowed.give_back();
            Err(stop)
        }
        Err(_) => Err(Stop::Failed(Failure::Away(format!("PostgreSQL has not answered for {} s", limit.as_secs())))),
    }
}

async fn transaction(
    store: &Inner,
    connection: &Connection,
    changes: &Changes,
    repeated: bool,
    sent: &mut bool,
) -> Result<(), Stop> {
    let plan = messages::Plan::of(store, connection, changes).await?;
    let mut steps: Vec<Step<'_>> = Vec::new();
    guard::fences(&mut steps, changes);
    let answers = if repeated { None } else { guard::answers(&mut steps, changes, store.now()) };
    let decides = !changes.claims.is_empty() || !changes.entries.is_empty() || !changes.schedules.is_empty();
    let around = if decides {
        let outcome = guard::decide(connection, changes, repeated, std::mem::take(&mut steps)).await;
        let settled = match outcome {
            Ok(settled) => settled,
            Err(stop) => {
                connection.roll_back().await?;
                return Err(named(store, stop, changes, answers).await);
            }
        };
        accounts::put(&mut steps, settled);
        Around::Commit
    } else {
        accounts::put_tallies(&mut steps, changes);
        Around::Whole
    };
    rest::put_batches(&mut steps, changes);
    rest::put_schedules(&mut steps, changes);
    plan.put(&mut steps, changes);
    rest::put_receipts(&mut steps, changes);
    rest::put_deliveries(&mut steps, changes);
    groups::put_opt_outs(&mut steps, changes);
    groups::put_groups(&mut steps, changes);
    rest::put_mail(&mut steps, changes);
    *sent = true;
    match connection.run(around, &steps).await {
        Ok(_) => Ok(()),
        Err(failure) => {
            if around == Around::Commit && !failure.is_lost_connection() {
                connection.roll_back().await?;
            }
            Err(named(store, Stop::Failed(failure), changes, answers).await)
        }
    }
}

/// A refusal of the server's in the words of the trait.
async fn named(store: &Inner, stop: Stop, changes: &Changes, answers: Option<Vec<usize>>) -> Stop {
    let Stop::Failed(failure) = stop else { return stop };
    if let Some(name) = failure.refused(FENCED) {
        let name = crate::text::unescaped(name).unwrap_or_default();
        return Stop::Refused(CommitError::Fenced(name.as_ref().into()));
    }
    if failure.refused(KEYS_TAKEN).is_some() {
        return guard::taken(store, changes, answers.unwrap_or_default()).await;
    }
    Stop::Failed(failure)
}

/// A little time at random, so that two who met don't meet again.
fn jitter() -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    Duration::from_micros(RandomState::new().hash_one(0_u8) % 10_000)
}
