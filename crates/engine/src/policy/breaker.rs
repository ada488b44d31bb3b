//! A breaker: what fails again and again is not tried for a while, so that nobody waits for it. Pure; the
//! clock comes in.

use std::time::{Duration, Instant};

/// Failures in a row after which it opens.
const FAILURES_MAX: u32 = 5;
/// How long it stays open at first; twice as long each time that the one call which is let through fails.
const FIRST: Duration = Duration::from_secs(1);
/// The longest that it stays open.
const LONGEST: Duration = Duration::from_secs(60);

/// Says whether a call may be made.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// In a row.
    failures: u32,
    /// It is open until then, and then one call is let through at a time.
    open_until: Option<Instant>,
    wait: Duration,
    /// That call is under way.
    probing: bool,
}

impl Breaker {
    /// May a call be made now? [`called`](Self::called) must follow if so; a call whose end is never told
    /// is forgotten when the next is due.
    pub fn may_call(&mut self, now: Instant) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                // The others wait for what becomes of this one.
                self.open_until = Some(now + self.wait);
                self.probing = true;
                true
            }
        }
    }

    /// Would a call be made now? Nothing is counted, and nobody waits for it.
    pub fn would_call(&self, now: Instant) -> bool {
        self.open_until.is_none_or(|until| now >= until)
    }

    /// A call has ended.
    pub fn called(&mut self, well: bool, now: Instant) {
        if well {
            *self = Self::default();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        match self.open_until {
            None if self.failures < FAILURES_MAX => {}
            None => self.open(FIRST, now),
            Some(_) if self.probing => self.open((self.wait * 2).min(LONGEST), now),
            // It was under way already when the breaker opened.
            Some(_) => {}
        }
    }

    fn open(&mut self, wait: Duration, now: Instant) {
        (self.wait, self.open_until, self.probing) = (wait, Some(now + wait), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_through_at_a_time() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut breaker = Breaker::default();
        for n in 0..FAILURES_MAX {
            assert!(breaker.may_call(at(0)), "{n}");
            breaker.called(n == 1, at(0));
        }
        assert!(breaker.may_call(at(1)), "one of them went well");
        breaker.called(false, at(1));
        breaker.called(false, at(1));
        assert!(!breaker.may_call(at(2)) && !breaker.may_call(at(1000)));
        assert!(breaker.may_call(at(1001)) && !breaker.may_call(at(1002)), "one at a time");
        breaker.called(false, at(1100));
        assert!(!breaker.may_call(at(3099)) && breaker.may_call(at(3100)), "twice as long");
        breaker.called(true, at(3150));
        assert!(breaker.may_call(at(3151)) && breaker.may_call(at(3151)));
    }

    #[test]
    fn it_never_stays_open_for_longer_than_a_minute() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        let mut now = start;
        for _ in 0..40 {
            while !breaker.may_call(now) {
                now += Duration::from_secs(1);
            }
            breaker.called(false, now);
        }
        let closed = (0..).map(|n| now + Duration::from_secs(n)).find(|at| breaker.may_call(*at)).unwrap();
        assert_eq!(closed - now, LONGEST);
    }
}
