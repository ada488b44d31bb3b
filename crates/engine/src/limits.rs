//! Limits: what of an account's limits is used up, as far as it is counted in memory. It is carried
//! over when resources change, and gone after a restart.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::Tally;

/// For how long it is believed that an account is short of something: an application that goes on
/// trying then costs one commit in so long that has to be made twice.
const SHORT_FOR: Duration = Duration::from_secs(1);
/// The same for room in queues, which comes as messages go.
const FULL_FOR: Duration = Duration::from_millis(20);

/// What of an account's limits is used up just now.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// When the parts taken so far would all have been due at the account's rate.
    due: Mutex<Option<Instant>>,
    /// What the store could not give lately.
    short: Mutex<Vec<Shortage>>,
}

#[derive(Debug)]
struct Shortage {
    tally: Tally,
    /// So much was too much.
    cost: i64,
    until: Instant,
}

impl Meter {
    /// Counts `parts` that come at `now` against `per_second` parts a second; otherwise tells how
    /// long to wait.
    ///
    /// It is the generic cell rate algorithm (ITU-T I.371) with a burst of one second's worth. What
    /// comes together is taken whole as soon as the account is within its rate, so that a long
    /// text and a batch can pass, and is paid back before anything else is taken.
    pub fn take_rate(&self, per_second: u32, parts: u32, now: Instant) -> Result<(), Duration> {
        let mut due = self.due();
        if let Some(wait) = wait_for(*due, per_second, now) {
            return Err(wait);
        }
        *due = Some(due.map_or(now, |due| due.max(now)) + part_of(per_second) * parts);
        Ok(())
    }

    /// How long [`take_rate`](Self::take_rate) would have one wait who comes at `now`; nothing is counted.
    pub fn rate_wait(&self, per_second: u32, now: Instant) -> Option<Duration> {
        wait_for(*self.due(), per_second, now)
    }

    /// Takes back what was counted by [`take_rate`](Self::take_rate).
    pub fn give_back_rate(&self, per_second: u32, parts: u32) {
        let back = part_of(per_second) * parts;
        let mut due = self.due();
        *due = due.and_then(|due| due.checked_sub(back));
    }

    /// The store could not give `cost` of `tally`.
    pub fn note_short(&self, tally: Tally, cost: i64, now: Instant) {
        let mut short = self.short();
        short.retain(|known| known.tally != tally && known.until > now);
        let long = if tally == Tally::Queued { FULL_FOR } else { SHORT_FOR };
        short.push(Shortage { tally, cost, until: now + long });
    }

    /// What is known to be too little, so that the store need not be asked.
    pub fn known_short(&self, cost: impl Fn(Tally) -> i64, now: Instant) -> Option<Tally> {
        let short = self.short();
        short.iter().find(|known| known.until > now && cost(known.tally) >= known.cost).map(|known| known.tally)
    }

    /// The account may have got more of what it was short of.
    pub fn forget_short(&self) {
        self.short().clear();
    }

    fn short(&self) -> MutexGuard<'_, Vec<Shortage>> {
        self.short.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> MutexGuard<'_, Option<Instant>> {
        // A point in time is whole whatever panicked beside it.
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of a part.
fn part_of(per_second: u32) -> Duration {
    Duration::from_secs(1) / per_second.max(1)
}

/// How far `due` is ahead of `now` beyond a burst.
fn wait_for(due: Option<Instant>, per_second: u32, now: Instant) -> Option<Duration> {
    let early = due?.saturating_duration_since(now);
    early.checked_sub(part_of(per_second) * per_second.saturating_sub(1)).filter(|wait| !wait.is_zero())
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
        meter.give_back_rate(10, 100);
        assert_eq!(meter.take_rate(10, 10, now), Ok(()));
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
    fn what_was_too_much_is_known_for_a_while() {
        let meter = Meter::default();
        let now = Instant::now();
        meter.note_short(Tally::Balance, 50, now);
        let short = |cost, at| meter.known_short(|tally| if tally == Tally::Balance { cost } else { 0 }, at);
        assert_eq!((short(49, now), short(50, now)), (None, Some(Tally::Balance)));
        assert_eq!(short(50, now + SHORT_FOR), None);
        meter.forget_short();
        assert_eq!(short(50, now), None);
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
