//! Percentiles.

use serde_json::{Value, json};

/// Latencies in microseconds.
#[derive(Debug)]
pub struct Latencies {
    sorted: Vec<u32>,
}

impl Latencies {
    pub fn new(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self { sorted: micros }
    }

    /// The usual percentiles in milliseconds; null when there is nothing.
    pub fn percentiles(&self) -> Value {
        let at = |permille: usize| {
            let place = (self.sorted.len() * permille).div_ceil(1000).saturating_sub(1);
            self.sorted.get(place).map(|micros| f64::from(*micros) / 1000.0)
        };
        json!({ "p50": at(500), "p90": at(900), "p99": at(990), "p999": at(999), "max": at(1000) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let stats = Latencies::new((1..=1000).rev().map(|n| n * 1000).collect());
        let expected = json!({ "p50": 500.0, "p90": 900.0, "p99": 990.0, "p999": 999.0, "max": 1000.0 });
        assert_eq!(stats.percentiles(), expected);
        assert_eq!(Latencies::new(vec![]).percentiles()["p50"], Value::Null);
    }
}
