//! What happens at random.

use std::time::Duration;

use fastrand::Rng;

/// The first of some mishaps that happens, each with its probability.
pub(crate) fn struck<T: Copy>(mishaps: &[(T, f64)], random: &mut Rng) -> Option<T> {
    mishaps.iter().find(|(_, probability)| random.f64() < *probability).map(|(mishap, _)| *mishap)
}

/// One of some outcomes, by their weights.
pub(crate) fn one_of<T: Copy>(outcomes: &[(T, f64)], random: &mut Rng) -> Option<T> {
    let total: f64 = outcomes.iter().map(|(_, weight)| weight).sum();
    let mut chosen = random.f64() * total;
    let found = outcomes.iter().find(|(_, weight)| {
        chosen -= weight;
        chosen < 0.0
    });
    found.map(|(outcome, _)| *outcome)
}

/// A time between two, the second not before the first.
pub(crate) fn between((least, most): (Duration, Duration), random: &mut Rng) -> Duration {
    least + most.saturating_sub(least).mul_f64(random.f64())
}
