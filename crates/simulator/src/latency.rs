//! How long answers take: a histogram of fixed size.

use std::time::Duration;

/// Steps for each doubling: the error of a percentile is below 7 %.
const STEPS: usize = 16;
/// Doublings from 1 µs to beyond an hour.
const DOUBLINGS: usize = 33;

/// Latencies, counted in classes.
#[derive(Clone, Debug)]
pub struct Latencies {
    classes: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { classes: vec![0; STEPS * DOUBLINGS], count: 0, max: Duration::ZERO }
    }
}

impl Latencies {
    /// Counts one.
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
        let doubling = micros.ilog2() as usize;
        let step = ((u128::from(micros) * STEPS as u128) >> doubling) as usize - STEPS;
        let last = self.classes.len() - 1;
        self.classes[(doubling * STEPS + step).min(last)] += 1;
        self.count += 1;
        self.max = self.max.max(latency);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The latency that `share` (0 to 1) of all do not exceed, as the upper end of its class.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut sum = 0;
        for (class, count) in self.classes.iter().enumerate() {
            sum += count;
            if sum >= wanted && sum > 0 {
                let upper = ((STEPS + class % STEPS + 1) as f64 / STEPS as f64) * ((class / STEPS) as f64).exp2();
                return Duration::from_secs_f64(upper / 1e6).min(self.max);
            }
        }
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_near_the_truth() {
        let mut latencies = Latencies::default();
        for millis in 1..=1000 {
            latencies.add(Duration::from_millis(millis));
        }
        for (share, millis) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = latencies.percentile(share).as_secs_f64() * 1e3;
            assert!((found / millis - 1.0).abs() < 0.07, "{share}: {found}");
        }
        assert_eq!((latencies.count(), latencies.max()), (1000, Duration::from_secs(1)));
        latencies.add(Duration::from_secs(1_000_000));
        latencies.add(Duration::ZERO);
    }
}
