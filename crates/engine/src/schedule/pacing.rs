//! Pacing: so many a second, evenly, by the generic cell rate algorithm (ITU-T I.371).
//!
//! The state is one point in time, the clock comes in as an argument, and a limit that changes
//! takes effect at once.

use std::time::{Duration, Instant};

/// A limit of so many parts a second, with a burst of a twentieth of a second's worth.
#[derive(Debug)]
pub(crate) struct Pacing {
    per_second: u32,
    /// How much of that is for here: so many of so many shares.
    share: (u32, u32),
    /// When the parts let through so far would all have been due.
    due: Option<Instant>,
}

impl Pacing {
    /// `per_second` parts a second; `None` is no limit.
    pub fn new(per_second: Option<u32>) -> Self {
        Self { per_second: per_second.unwrap_or(0), share: (1, 1), due: None }
    }

    /// Changes the limit; what was let through still counts.
    pub fn set(&mut self, per_second: Option<u32>) {
        self.per_second = per_second.unwrap_or(0);
    }

    /// Only `here` of `all` equal shares of the limit are for here.
    pub fn set_share(&mut self, here: u32, all: u32) {
        self.share = (here.clamp(1, all.max(1)), all.max(1));
    }

    /// When the next part may go: `None` is now.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        if self.per_second == 0 {
            return None;
        }
        let allowed = self.due?.checked_sub(self.burst())?;
        (allowed > now).then_some(allowed)
    }

    /// Counts one part that goes now.
    pub fn count(&mut self, now: Instant) {
        if self.per_second > 0 {
            let from = self.due.map_or(now, |due| due.max(now));
            self.due = Some(from + self.interval());
        }
    }

    fn interval(&self) -> Duration {
        let (here, all) = self.share;
        Duration::from_secs(1) * all / here / self.per_second
    }

    fn burst(&self) -> Duration {
        let (here, all) = self.share;
        let burst = u64::from(self.per_second) * u64::from(here) / u64::from(all) / 20;
        self.interval() * u32::try_from(burst).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of an eager sender's parts go in `seconds`, on a clock that moves by `step`.
    fn sent(per_second: u32, seconds: u64, step: Duration) -> u64 {
        let mut pacing = Pacing::new(Some(per_second));
        let start = Instant::now();
        let (mut now, mut count) = (start, 0);
        while now < start + Duration::from_secs(seconds) {
            while pacing.next(now).is_none() {
                pacing.count(now);
                count += 1;
            }
            now += step;
        }
        count
    }

    #[test]
    fn the_rate_is_kept_whatever_the_clock_steps() {
        for step in [Duration::from_micros(100), Duration::from_millis(7), Duration::from_millis(49)] {
            for rate in [1, 7, 100, 10_000] {
                let sent = sent(rate, 10, step);
                let allowed = u64::from(rate) * 10 + u64::from(rate / 20) + 1;
                assert!(sent <= allowed, "{sent} sent at {rate} a second by steps of {step:?}");
            }
        }
        let sent = sent(1000, 10, Duration::from_millis(7));
        assert!(sent >= 9_900, "only {sent} of 10000 went");
    }

    #[test]
    fn a_pause_is_not_saved_up() {
        let mut pacing = Pacing::new(Some(100));
        let start = Instant::now();
        pacing.count(start);
        let later = start + Duration::from_secs(60);
        let burst = (0..1000).take_while(|_| pacing.next(later).is_none() && (pacing.count(later), true).1).count();
        assert!(burst <= 6, "{burst} went at once");
    }

    #[test]
    fn no_limit_is_no_limit() {
        let mut pacing = Pacing::new(None);
        let now = Instant::now();
        pacing.count(now);
        assert_eq!(pacing.next(now), None);
    }
}
