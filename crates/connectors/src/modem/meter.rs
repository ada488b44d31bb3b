//! What a SIM has sent, and how much it may.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use model::resources::SimLimits;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Numbers that are remembered with a limit on recipients; a limit beyond is none.
const RECIPIENTS_MAX: usize = 1_000_000;

/// What is known of a connector's SIM beyond one session.
#[derive(Debug, Default)]
pub(crate) struct Sim(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What was sent before the gateway was started is counted.
    caught_up: bool,
    /// When parts of the last day were sent, in milliseconds since 1970.
    day: VecDeque<i64>,
    /// The month since 1970, and parts that were sent in it.
    month: (i64, u64),
    /// When each number was sent to last.
    recipients: HashMap<Box<str>, i64>,
    /// PINs that were refused: they are not tried again.
    refused_pins: Vec<i64>,
}

/// Why nothing more is sent, and until when.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Full {
    pub(super) reason: String,
    pub(super) until: Timestamp,
}

impl Sim {
    /// Is what was sent earlier still to be counted?
    pub(super) fn is_caught_up(&self) -> bool {
        self.lock().caught_up
    }

    /// Counts what was sent earlier, in any order, and is done with that.
    pub(super) fn catch_up(&self, sent: impl Iterator<Item = (Timestamp, Box<str>)>) {
        let mut known = self.lock();
        let mut sent: Vec<_> = sent.collect();
        sent.sort_unstable_by_key(|(at, _)| *at);
        for (at, to) in sent {
            known.count(at, to);
        }
        known.caught_up = true;
    }

    /// A part was handed to the modem.
    pub(super) fn sent(&self, at: Timestamp, to: &str) {
        self.lock().count(at, to.into());
    }

    /// Why nothing more may be sent now.
    pub(super) fn full(&self, limits: &SimLimits, now: Timestamp) -> Option<Full> {
        if limits.is_none() {
            return None;
        }
        let mut known = self.lock();
        let now = now.as_millis();
        known.forget(now);
        if limits.recipients_per_day.is_some() {
            known.recipients.retain(|_, at| *at > now - DAY);
        }
        let within = |span: i64, limit: Option<u32>, what: &str| {
            let limit = limit? as usize;
            let first = known.day.partition_point(|at| *at <= now - span);
            let sent = known.day.len() - first;
            // As many as are too much have to be over.
            let oldest = known.day.get(first + sent.checked_sub(limit)?)?;
            Some(Full {
                reason: format!("the SIM's limit of {limit} parts {what} is reached"),
                until: Timestamp::from_millis(oldest + span + 1),
            })
        };
        let hour = within(HOUR, limits.per_hour, "an hour");
        let day = within(DAY, limits.per_day, "a day");
        let month =
            limits.per_month.filter(|limit| known.month.0 == month_of(now) && known.month.1 >= u64::from(*limit));
        let month = month.map(|limit| Full {
            reason: format!("the SIM's limit of {limit} parts a month is reached"),
            until: Timestamp::from_millis(begin_of(month_of(now) + 1)),
        });
        let recipients = limits.recipients_per_day.filter(|limit| known.recipients.len() >= *limit as usize);
        let recipients = recipients.map(|limit| {
            let mut last: Vec<i64> = known.recipients.values().copied().collect();
            last.sort_unstable();
            let frees = last.get(last.len() - limit as usize).copied().unwrap_or(now);
            Full {
                reason: format!("the SIM's limit of {limit} different recipients a day is reached"),
                until: Timestamp::from_millis(frees + DAY + 1),
            }
        });
        [hour, day, month, recipients].into_iter().flatten().max_by_key(|full| full.until)
    }

    /// Was this PIN refused before?
    pub(super) fn is_refused(&self, pin: i64) -> bool {
        self.lock().refused_pins.contains(&pin)
    }

    /// This PIN was refused.
    pub(super) fn refuse(&self, pin: i64) {
        let mut known = self.lock();
        if !known.refused_pins.contains(&pin) && known.refused_pins.len() < 100 {
            known.refused_pins.push(pin);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn count(&mut self, at: Timestamp, to: Box<str>) {
        let at = at.as_millis();
        let at = self.day.back().map_or(at, |last| at.max(*last));
        self.forget(at);
        self.day.push_back(at);
        let month = month_of(at);
        self.month = if self.month.0 == month { (month, self.month.1 + 1) } else { (month, 1) };
        if self.recipients.len() < RECIPIENTS_MAX || self.recipients.contains_key(&to) {
            self.recipients.insert(to, at);
        }
    }

    fn forget(&mut self, now: i64) {
        while self.day.front().is_some_and(|at| *at <= now - DAY) {
            self.day.pop_front();
        }
    }
}

/// The first moment that may count for any of the limits.
pub(super) fn since(limits: &SimLimits, now: Timestamp) -> Timestamp {
    let day = now.as_millis() - DAY;
    let month = if limits.per_month.is_some() { begin_of(month_of(now.as_millis())) } else { day };
    Timestamp::from_millis(day.min(month))
}

/// Months since January of year 0, of a moment in milliseconds since 1970.
fn month_of(at: i64) -> i64 {
    let date = sms::DateTime::from_unix(at.div_euclid(1000));
    date.map_or(0, |date| i64::from(date.year()) * 12 + i64::from(date.month()) - 1)
}

fn begin_of(month: i64) -> i64 {
    let year = u16::try_from(month.div_euclid(12)).unwrap_or(1970);
    let of_year = u8::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
    sms::DateTime::new(year, of_year, 1, 0, 0, 0).map_or(0, |date| date.unix_seconds() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        // 23 November 2026, noon.
        Timestamp::from_millis(1_795_435_200_000 + minutes * 60_000)
    }

    #[test]
    fn so_many_go_in_any_hour_and_day() {
        let sim = Sim::default();
        let limits = SimLimits { per_hour: Some(2), per_day: Some(3), ..SimLimits::default() };
        assert_eq!(sim.full(&limits, at(0)), None);
        sim.sent(at(0), "1");
        sim.sent(at(30), "1");
        let full = sim.full(&limits, at(31)).unwrap();
        assert_eq!(
            (full.until, full.reason.contains("an hour")),
            (Timestamp::from_millis(at(60).as_millis() + 1), true)
        );
        assert_eq!(sim.full(&limits, full.until), None);
        sim.sent(at(61), "1");
        let full = sim.full(&limits, at(200)).unwrap();
        assert_eq!(full.until, Timestamp::from_millis(at(24 * 60).as_millis() + 1));
    }

    #[test]
    fn months_begin_on_their_first_day() {
        let sim = Sim::default();
        let limits = SimLimits { per_month: Some(2), ..SimLimits::default() };
        sim.catch_up([(at(-60 * 24 * 30), "1".into()), (at(0), "1".into()), (at(-9), "1".into())].into_iter());
        let full = sim.full(&limits, at(1)).unwrap();
        assert_eq!(full.until.as_millis(), 1_796_083_200_000, "1 December 2026");
        assert_eq!(sim.full(&limits, full.until), None);
        assert_eq!(since(&limits, at(0)).as_millis(), 1_793_491_200_000, "1 November 2026");
        assert!(sim.is_caught_up());
    }

    #[test]
    fn so_many_different_numbers_get_something_in_a_day() {
        let sim = Sim::default();
        let limits = SimLimits { recipients_per_day: Some(2), ..SimLimits::default() };
        for (minute, to) in [(0, "1"), (1, "1"), (2, "2")] {
            assert_eq!(sim.full(&limits, at(minute)), None);
            sim.sent(at(minute), to);
        }
        let full = sim.full(&limits, at(3)).unwrap();
        assert_eq!(full.until, Timestamp::from_millis(at(24 * 60 + 1).as_millis() + 1));
        assert_eq!(sim.full(&limits, full.until), None);
    }
}
