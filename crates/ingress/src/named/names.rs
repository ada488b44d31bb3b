//! What messages are called: a recipient, and a second that no other message of the account to it has.
//!
//! Several messages to one phone within a second are usual: they are the parts of a long one. Each has the
//! next second that is free, so that its receipt finds it; the name is kept with the message, in the same
//! commit. Which seconds are taken is only remembered until they have passed. After a restart what was
//! taken ahead of the clock is found in the store, once for each account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{Caller, Engine};
use futures_util::future::BoxFuture;
use model::{Dialect, Direction, Name, SessionProtocol, Timestamp};
use store::MessageFilter;

use super::clock::{Clock, Digits};

/// How far names may run ahead of the clock, in seconds; from then on they repeat.
pub(super) const AHEAD_MAX: i64 = 300;
/// Recipients that are remembered before those are forgotten whose seconds have passed.
const ROOM_MIN: usize = 256;
/// Messages that are read at a time.
const PAGE: usize = 500;

/// The names of all accounts, by one protocol. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// When this process began to give any.
    began: Instant,
    accounts: Arc<Mutex<HashMap<Name, Arc<AccountNames>>>>,
}

/// The names that one account has taken.
#[derive(Debug, Default)]
pub(crate) struct AccountNames {
    taken: Mutex<Taken>,
    /// Held by whoever finds out what an earlier process has taken.
    seeding: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Those of an earlier process are known.
    seeded: bool,
    /// The last second of each recipient.
    last: HashMap<Box<[u8]>, i64>,
    room: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self { began: Instant::now(), accounts: Arc::default() }
    }
}

impl Names {
    /// Those of an account.
    pub fn of(&self, account: &Name) -> Arc<AccountNames> {
        let mut names = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        names.entry(account.clone()).or_default().clone()
    }

    /// Those of an account, if some of an earlier process may lie ahead that are not known yet.
    pub fn unknown_of(&self, account: &Name) -> Option<Arc<AccountNames>> {
        let all_have_passed = self.began.elapsed() > Duration::from_secs(AHEAD_MAX.unsigned_abs() + 1);
        Some(self.of(account)).filter(|names| !all_have_passed && !names.is_seeded())
    }
}

impl AccountNames {
    /// The next free second to a recipient.
    pub fn next(&self, to: &[u8], now: Timestamp) -> Timestamp {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_millis().div_euclid(1000);
        if taken.last.len() >= taken.room.max(ROOM_MIN) {
            taken.last.retain(|_, last| *last >= now);
            taken.room = taken.last.len() * 2;
        }
        let key = bare(to);
        let next = match taken.last.get(key) {
            Some(last) => (*last + 1).clamp(now, now + AHEAD_MAX),
            None => now,
        };
        match taken.last.get_mut(key) {
            Some(last) => *last = next,
            None => {
                taken.last.insert(key.into(), next);
            }
        }
        Timestamp::from_millis(next * 1000)
    }

    fn is_seeded(&self) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).seeded
    }

    fn seed(&self, found: impl Iterator<Item = (Box<[u8]>, i64)>) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for (to, second) in found {
            let last = taken.last.entry(bare(&to).into()).or_insert(second);
            *last = (*last).max(second);
        }
        taken.seeded = true;
    }
}

/// Finds the names that messages of an account have that may lie ahead of the clock.
pub(crate) fn seed(
    names: Arc<AccountNames>,
    (engine, caller): (&Engine, &Caller),
    protocol: SessionProtocol,
    (clock, order): (Clock, Digits),
) -> BoxFuture<'static, Result<(), String>> {
    let (engine, caller) = (engine.clone(), caller.clone());
    // It goes on if the session that waits for it does not live so long: its client comes again.
    let work = tokio::spawn(async move {
        let _alone = names.seeding.lock().await;
        if names.is_seeded() {
            return Ok(());
        }
        let found = taken_before(&engine, &caller, protocol, &(clock, order)).await?;
        names.seed(found.into_iter());
        Ok(())
    });
    Box::pin(async move { work.await.map_err(|error| error.to_string())? })
}

/// The names that an earlier process may have taken ahead of the clock.
async fn taken_before(
    engine: &Engine,
    caller: &Caller,
    protocol: SessionProtocol,
    (clock, order): &(Clock, Digits),
) -> Result<Vec<(Box<[u8]>, i64)>, String> {
    let since = engine.now().plus_seconds(-AHEAD_MAX);
    let filter =
        MessageFilter { created_after: Some(since), direction: Some(Direction::Mt), ..MessageFilter::default() };
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = engine.search(caller, filter.clone(), cursor, PAGE).await;
        let (page, more) = page.map_err(|error| error.to_string())?;
        found.extend(page.iter().filter(|message| message.body.ingress == protocol.ingress()).filter_map(|message| {
            let terms = message.body.dialect.as_deref().and_then(Dialect::name)?;
            let at = clock.moment(terms.at.as_bytes(), *order)?;
            Some((terms.to.as_bytes().into(), at.as_millis().div_euclid(1000)))
        }));
        match more {
            Some(_) => cursor = more,
            None => return Ok(found),
        }
    }
}

/// A recipient without what stands for its `+`: clients take one way of writing it for another.
pub(super) fn bare(to: &[u8]) -> &[u8] {
    to.strip_prefix(b"+").or_else(|| to.strip_prefix(b"00")).unwrap_or(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000 + 345)
    }

    fn second(at: Timestamp) -> i64 {
        assert_eq!(at.as_millis() % 1000, 0);
        at.as_millis() / 1000
    }

    #[test]
    fn no_two_messages_to_one_phone_have_one_name() {
        let names = AccountNames::default();
        let next = |to: &str, now| second(names.next(to.as_bytes(), at(now)));
        assert_eq!((next("1", 100), next("1", 100), next("001", 100), next("2", 100)), (100, 101, 102, 100));
        assert_eq!((next("1", 101), next("1", 200)), (103, 200));
        assert_eq!(next("1", 199), 201, "the clock was put back");
    }

    #[test]
    fn names_do_not_run_away_from_the_clock() {
        let names = AccountNames::default();
        let last = (0..1000).map(|_| second(names.next(b"1", at(100)))).last();
        assert_eq!(last, Some(100 + AHEAD_MAX));
    }

    #[test]
    fn what_has_passed_is_forgotten_when_there_is_no_room() {
        let names = AccountNames::default();
        for n in 0..100_000_u32 {
            names.next(&n.to_be_bytes(), at(i64::from(n / 100)));
        }
        assert!(names.taken.lock().unwrap().last.len() <= ROOM_MIN * 2);
    }

    #[test]
    fn those_of_an_earlier_process_are_passed_over() {
        let names = AccountNames::default();
        assert!(!names.is_seeded());
        names.next(b"1", at(100));
        names.seed([(b"1"[..].into(), 103), (b"+1"[..].into(), 102), (b"2"[..].into(), 90)].into_iter());
        assert!(names.is_seeded());
        assert_eq!((second(names.next(b"1", at(100))), second(names.next(b"2", at(100)))), (104, 100));
    }
}
