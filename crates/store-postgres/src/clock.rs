//! The store's clock: the server's, so that nodes whose own clocks are set apart agree.
//!
//! It is asked for now and then, and told from this machine's steady clock in between. Half of the time that
//! an answer took is how far it may be off.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use model::Timestamp;

use crate::error::Failure;
use crate::link::Connection;

/// Questions of one look, of which the one that was answered soonest counts.
const ASKED: usize = 3;
/// Up to this much the clock stands still instead of going back: what was seen is not undone.
const STANDS_STILL_MAX: i64 = 2_000;

/// What time it is at the server.
pub(crate) struct Clock {
    origin: Instant,
    /// The server's time at `origin`, in microseconds of Unix time.
    base: AtomicI64,
    /// What was told last.
    told: AtomicI64,
}

impl Clock {
    /// A clock that knows nothing yet.
    pub fn new() -> Self {
        Self { origin: Instant::now(), base: AtomicI64::new(0), told: AtomicI64::new(i64::MIN) }
    }

    /// The time, never earlier than it was told before.
    pub fn now(&self) -> Timestamp {
        let millis = self.base.load(Ordering::Relaxed).saturating_add(micros(self.origin.elapsed())).div_euclid(1000);
        let told = self.told.fetch_max(millis, Ordering::Relaxed);
        Timestamp::from_millis(told.max(millis))
    }

    /// Looks at the server's clock.
    pub async fn look(&self, connection: &Connection) -> Result<(), Failure> {
        let mut best: Option<(Duration, i64)> = None;
        for _ in 0..ASKED {
            let asked = self.origin.elapsed();
            let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
            let rows = connection.rows(sql, vec![]).await?;
            let answered = self.origin.elapsed();
            let Some(row) = rows.first() else { continue };
            let (took, time) = (answered.saturating_sub(asked), row.try_get::<_, i64>(0)?);
            let base = time.saturating_sub(micros(asked + took / 2));
            if best.is_none_or(|(least, _)| took < least) {
                best = Some((took, base));
            }
        }
        if let Some((_, base)) = best {
            self.set(base);
        }
        Ok(())
    }

    fn set(&self, base: i64) {
        let before = self.base.swap(base, Ordering::Relaxed);
        let back = before.saturating_sub(base) / 1000;
        if before != 0 && back > STANDS_STILL_MAX {
            tracing::warn!(millis = back, "the clock of PostgreSQL was set back");
            let now = base.saturating_add(micros(self.origin.elapsed())).div_euclid(1000);
            self.told.store(now, Ordering::Relaxed);
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock_at(micros: i64) -> Clock {
        let clock = Clock::new();
        clock.set(micros);
        clock
    }

    #[test]
    fn it_goes_on_from_what_the_server_said() {
        let clock = clock_at(1_795_376_096_007_000);
        let first = clock.now();
        assert!(first.as_millis() >= 1_795_376_096_007);
        assert!(clock.now() >= first);
    }

    #[test]
    fn it_stands_still_rather_than_to_go_back_a_little() {
        let clock = clock_at(1_795_376_096_007_000);
        let first = clock.now();
        clock.set(1_795_376_095_007_000);
        assert_eq!(clock.now(), first);
    }

    #[test]
    fn it_follows_a_server_whose_clock_was_wrong_by_far() {
        let clock = clock_at(1_795_376_096_007_000);
        clock.now();
        clock.set(1_795_370_000_000_000);
        let back = clock.now().as_millis();
        assert!((1_795_370_000_000..1_795_376_000_000).contains(&back), "{back}");
    }
}
