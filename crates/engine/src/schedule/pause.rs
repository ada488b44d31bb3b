//! A carrier that is busy is left alone for a while, and for longer each time.

use std::time::{Duration, Instant};

/// The first pause after a carrier said that it is busy; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);
/// One that pauses for so long takes nothing in pools: it has been busy for some time.
const LONG: Duration = Duration::from_secs(8);

/// How long a lane pauses, and why.
#[derive(Debug, Default)]
pub(super) struct Pause {
    until: Option<Instant>,
    length: Duration,
    reason: Option<Box<str>>,
}

impl Pause {
    /// When it ends, unless it has.
    pub fn end(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }

    /// Why the lane pauses, if it does.
    pub fn reason(&self, now: Instant) -> Option<&str> {
        self.end(now).and(self.reason.as_deref())
    }

    /// Has the carrier been busy for some time?
    pub fn is_long(&self, now: Instant) -> bool {
        self.length >= LONG && self.end(now).is_some()
    }

    /// The carrier is busy, as `reason` says. All of a window is refused at once: that is one pause, not
    /// many. Returns whether this began one.
    pub fn busy(&mut self, reason: &str, now: Instant) -> bool {
        if self.end(now).is_some() {
            return false;
        }
        let length = (self.length * 2).clamp(FIRST, LONGEST);
        *self = Self { until: Some(now + length), length, reason: Some(reason.into()) };
        true
    }

    /// The carrier took something: the next pause is short again.
    pub fn flowing(&mut self, now: Instant) {
        if self.length > Duration::ZERO && self.end(now).is_none() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_the_carrier_stays_busy_and_are_short_again_once_it_takes_something() {
        let (mut pause, mut now) = (Pause::default(), Instant::now());
        let mut lengths = Vec::new();
        for _ in 0..10 {
            assert!(pause.busy("throttled", now));
            assert!(!pause.busy("throttled", now), "one pause for all of a window");
            let end = pause.end(now).unwrap();
            lengths.push((end - now).as_millis());
            pause.flowing(now);
            assert_eq!(pause.reason(now), Some("throttled"), "what was answered before does not end it");
            now = end;
        }
        assert_eq!(lengths, [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!((pause.end(now), pause.reason(now), pause.is_long(now)), (None, None, false));
        pause.flowing(now);
        assert!(pause.busy("throttled", now));
        assert_eq!(pause.end(now), Some(now + FIRST));
    }
}
