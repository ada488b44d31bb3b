//! When a delivery that failed is tried again.

use std::time::Duration;

use model::delivery::RETRY_SECONDS;

/// The longest wait that an endpoint may ask for with `Retry-After`.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Waits are spread by so many thousandths to either side, so that what failed together does not
/// come back together.
const JITTER_PER_MILLE: i64 = 150;

/// Milliseconds until the next attempt after `attempts` were made; `None` when that was the last.
/// `random` is any number. The endpoint's own wish is kept to if it is later.
pub(super) fn wait_millis(attempts: u16, retry_after: Option<Duration>, random: u64) -> Option<i64> {
    let seconds = RETRY_SECONDS.get(usize::from(attempts).checked_sub(1)?)?;
    let spread = (random % (2 * JITTER_PER_MILLE as u64 + 1)) as i64 - JITTER_PER_MILLE;
    let wished = retry_after.map_or(0, |after| after.min(RETRY_AFTER_MAX).as_millis() as i64);
    Some((seconds * (1000 + spread)).max(wished))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_the_schedule_and_end_with_it() {
        let middle = JITTER_PER_MILLE as u64;
        let waits: Vec<_> = (1..=10).map(|n| wait_millis(n, None, middle)).collect();
        let schedule: Vec<_> = RETRY_SECONDS.iter().map(|s| Some(s * 1000)).chain([None]).collect();
        assert_eq!(waits, schedule);
        assert_eq!(wait_millis(0, None, 0), None, "nothing was attempted");
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_uses_them() {
        let waits: Vec<i64> = (0..10_000).filter_map(|random| wait_millis(2, None, random)).collect();
        assert_eq!(waits.iter().min(), Some(&255_000));
        assert_eq!(waits.iter().max(), Some(&345_000));
    }

    #[test]
    fn the_endpoints_wish_counts_when_it_is_later_up_to_a_day() {
        let wished = |seconds| wait_millis(1, Some(Duration::from_secs(seconds)), 150);
        assert_eq!(wished(1), Some(5000));
        assert_eq!(wished(120), Some(120_000));
        assert_eq!(wished(u64::MAX), Some(86_400_000));
    }
}
