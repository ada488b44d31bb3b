//! Leaving an endpoint alone that fails again and again. Pure; the clock comes in.

use model::Timestamp;

/// Failures in a row after which an endpoint is left alone.
const FAILURES_MAX: u32 = 20;
/// The first suspension; each further one is twice as long.
const MILLIS_MIN: i64 = 1000;
/// The longest suspension.
const MILLIS_MAX: i64 = 300_000;

/// How an endpoint has fared.
#[derive(Debug, Default)]
pub(super) struct Suspension {
    failures: u32,
    /// Set while suspended: nothing is tried before.
    until: Option<Timestamp>,
    /// How long this suspension is.
    millis: i64,
    /// The one attempt that shows whether the endpoint is back is under way.
    probing: bool,
}

impl Suspension {
    /// May an attempt begin?
    pub fn allows(&self, now: Timestamp) -> bool {
        match self.until {
            None => true,
            Some(_) if self.probing => false,
            // A clock that was set back must not make it longer.
            Some(until) => until <= now || until.millis_since(now) > self.millis,
        }
    }

    /// An attempt begins: is it the probe of a suspended endpoint?
    pub fn begin(&mut self) -> bool {
        self.probing |= self.until.is_some();
        self.probing
    }

    /// An attempt failed. `true` if the endpoint is suspended from now on.
    pub fn failed(&mut self, probe: bool, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(1);
        match self.until {
            None if self.failures >= FAILURES_MAX => {
                self.millis = MILLIS_MIN;
                self.until = Some(now.plus_millis(self.millis));
                true
            }
            Some(_) if probe => {
                self.probing = false;
                self.millis = (self.millis * 2).min(MILLIS_MAX);
                self.until = Some(now.plus_millis(self.millis));
                false
            }
            // One that began before the suspension says nothing new.
            _ => false,
        }
    }

    /// An attempt succeeded: all is well.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// An attempt ended without saying anything of the endpoint.
    pub fn unknown(&mut self, probe: bool) {
        self.probing &= !probe;
    }

    pub fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// When the next probe may begin.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    fn suspended() -> Suspension {
        let mut suspension = Suspension::default();
        for n in 1..=FAILURES_MAX {
            assert!(suspension.allows(at(0)));
            assert!(!suspension.begin());
            assert_eq!(suspension.failed(false, at(0)), n == FAILURES_MAX);
        }
        suspension
    }

    #[test]
    fn twenty_failures_in_a_row_suspend_and_a_success_between_them_does_not() {
        let mut suspension = Suspension::default();
        for _ in 0..5 {
            for _ in 1..FAILURES_MAX {
                suspension.failed(false, at(0));
            }
            suspension.succeeded();
        }
        assert!(suspension.allows(at(0)));
        assert!(!suspended().allows(at(999)));
        assert!(suspended().allows(at(1000)));
    }

    #[test]
    fn one_probe_at_a_time_and_each_failure_doubles_the_wait_up_to_five_minutes() {
        let mut suspension = suspended();
        let (mut now, mut waits) = (at(1000), Vec::new());
        for _ in 0..10 {
            assert!(suspension.allows(now));
            assert!(suspension.begin(), "a probe");
            assert!(!suspension.allows(now), "only one");
            suspension.failed(true, now);
            let until = suspension.until().unwrap();
            waits.push(until.millis_since(now) / 1000);
            assert!(!suspension.allows(until.plus_millis(-1)));
            now = until;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        suspension.begin();
        suspension.succeeded();
        assert!(suspension.allows(now) && !suspension.is_on());
    }

    #[test]
    fn failures_of_attempts_from_before_do_not_make_it_longer() {
        let mut suspension = suspended();
        for _ in 0..64 {
            suspension.failed(false, at(900));
        }
        assert!(suspension.allows(at(1000)));
        assert!(suspension.allows(at(-1_000_000)), "the clock was set back");
    }

    #[test]
    fn a_probe_that_came_to_nothing_may_be_repeated() {
        let mut suspension = suspended();
        assert!(suspension.begin());
        suspension.unknown(true);
        assert!(suspension.allows(at(1000)));
    }
}
