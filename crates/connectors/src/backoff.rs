//! How long to wait before connecting again.

use std::time::Duration;

use model::resources::Reconnect;

/// Carriers lock accounts that try wrong passwords too fast.
const CREDENTIALS_MIN: Duration = Duration::from_secs(60);

/// Waits that double from one failure to the next, with jitter.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait. `random` is uniform in 0..1.
    pub(crate) fn next(&mut self, reconnect: Reconnect, credentials: bool, random: f64) -> Duration {
        let min = Duration::from_millis(reconnect.min_ms.max(1).into());
        let max = Duration::from_millis(reconnect.max_ms.into()).max(min);
        let whole = min.saturating_mul(1 << self.failures.min(20)).min(max);
        self.failures = self.failures.saturating_add(1);
        // Half of it is random, so that many sessions don't come at once.
        let wait = whole.mul_f64(0.5 + random / 2.0);
        if credentials { wait.max(CREDENTIALS_MIN) } else { wait }
    }

    /// The session was of use: the next failure is the first again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_within_bounds() {
        let reconnect = Reconnect { min_ms: 1000, max_ms: 60_000 };
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..8).map(|_| backoff.next(reconnect, false, 1.0).as_millis()).collect();
        assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
        backoff.reset();
        assert_eq!(backoff.next(reconnect, false, 0.0).as_millis(), 500);
        assert_eq!(backoff.next(reconnect, true, 0.0).as_secs(), 60);
        for _ in 0..100 {
            backoff.next(reconnect, true, 0.5);
        }
    }
}
