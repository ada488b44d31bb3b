//! Limits: how fast an account may hand messages in. What is counted is in memory only, and is
//! carried over when resources change.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What of an account's limits is used up just now.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// When the parts taken so far would all have been due at the account's rate.
    due: Mutex<Option<Instant>>,
}

impl Meter {
    /// Counts `parts` that come at `now` against `per_second` parts a second; otherwise tells how
    /// long to wait.
    ///
    /// It is the generic cell rate algorithm (ITU-T I.371) with a burst of one second's worth. What
    /// comes together is taken whole as soon as the account is within its rate, so that a long
    /// text and a batch can pass, and is paid back before anything else is taken.
    pub fn take_rate(&self, per_second: u32, parts: u32, now: Instant) -> Result<(), Duration> {
        let part = Duration::from_secs(1) / per_second.max(1);
        let mut due = self.due();
        let from = due.map_or(now, |due| due.max(now));
        let early = from.duration_since(now);
        let burst = part * per_second.saturating_sub(1);
        if early > burst {
            return Err(early - burst);
        }
        *due = Some(from + part * parts);
        Ok(())
    }

    fn due(&self) -> MutexGuard<'_, Option<Instant>> {
        // A point in time is whole whatever panicked beside it.
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_second_s_worth_may_come_at_once_and_the_rate_holds_after_that() {
        for rate in [1, 10, 100, 5000] {
            let meter = Meter::default();
            let start = Instant::now();
            let taken = |at| std::iter::from_fn(|| meter.take_rate(rate, 1, at).ok()).take(20_000).count();
            assert_eq!(taken(start), rate as usize);
            let later: usize = (1..=100).map(|n| taken(start + ms(n * 100))).sum();
            let allowed = rate as usize * 10;
            assert!((allowed - 1..=allowed).contains(&later), "{later} of {allowed} in ten seconds");
        }
    }

    #[test]
    fn what_is_refused_is_told_when_to_come_again() {
        let meter = Meter::default();
        let now = Instant::now();
        assert_eq!(meter.take_rate(10, 10, now), Ok(()));
        let wait = meter.take_rate(10, 1, now).unwrap_err();
        assert_eq!(wait, ms(100));
        assert!(meter.take_rate(10, 1, now + wait - ms(1)).is_err());
        assert_eq!(meter.take_rate(10, 1, now + wait), Ok(()));
    }

    #[test]
    fn what_is_larger_than_the_rate_passes_whole_and_is_paid_back() {
        let meter = Meter::default();
        let now = Instant::now();
        assert_eq!(meter.take_rate(10, 100, now), Ok(()));
        assert_eq!(meter.take_rate(10, 1, now), Err(ms(9_100)));
        assert_eq!(meter.take_rate(10, 1, now + ms(9_100)), Ok(()));
    }

    #[test]
    fn a_pause_is_not_saved_up() {
        let meter = Meter::default();
        let now = Instant::now();
        assert_eq!(meter.take_rate(10, 1, now), Ok(()));
        let later = now + ms(60_000);
        let burst = std::iter::from_fn(|| meter.take_rate(10, 1, later).ok()).take(1000).count();
        assert_eq!(burst, 10);
    }

    #[test]
    fn any_number_of_parts_can_be_counted() {
        let meter = Meter::default();
        let now = Instant::now();
        assert_eq!(meter.take_rate(1, u32::MAX, now), Ok(()));
        assert!(meter.take_rate(1, 1, now).is_err());
        assert_eq!(Meter::default().take_rate(u32::MAX, u32::MAX, now), Ok(()));
    }
}
