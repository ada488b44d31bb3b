//! When something that comes again comes next, by the clock of a time zone.
//!
//! Clocks change. What has hours of its own happens once a day at each of them: a time that the clocks
//! leave out moves to the moment at which they go on, and one that they show twice counts the first time.
//! What wants every hour (`*/15 * * * *`) goes by the hours that pass: in none of those that are left out,
//! and in both of those that come twice.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp as Point, ToSpan};
use model::Timestamp;

use crate::cron::Cron;
use crate::error::RuleProblem;

/// Days that are looked at. 29 February falls on one day of the week at least once in forty years.
const DAYS_MAX: usize = 41 * 366;
/// Zones are apart from UTC by multiples of this, so a day begins at one of them.
const QUARTER: i64 = 15 * 60;
const MINUTE: i64 = 60;
/// Steps of a quarter of an hour or a minute until a day begins that is less than two days off, and through
/// it.
const STEPS_MAX: usize = 4 * 24 * 4 + 26 * 60;

/// A cron expression by the clock of a place.
#[derive(Clone, Debug)]
pub struct Recurrence {
    cron: Cron,
    zone: TimeZone,
}

impl Recurrence {
    /// By the clock of an IANA time zone.
    pub fn new(cron: Cron, zone: &str) -> Result<Self, RuleProblem> {
        let unknown = |_| RuleProblem::Unknown { what: "time zone", name: zone.to_owned() };
        Ok(Self { cron, zone: TimeZoneDatabase::bundled().get(zone).map_err(unknown)? })
    }

    /// The first time that is later than `after`; `None` if there is none that can be told.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = Point::from_millisecond(after.as_millis()).ok()?;
        let next = if self.cron.is_hourly() { self.next_passing(after) } else { self.next_on_clock(after) };
        Some(Timestamp::from_millis(next?.as_millisecond()))
    }

    /// Times of day become points in time, in the order of the clock.
    fn next_on_clock(&self, after: Point) -> Option<Point> {
        let mut day = self.zone.to_datetime(after).date();
        for _ in 0..DAYS_MAX {
            day = self.day_from(day)?;
            let points = self.cron.times().filter_map(|(hour, minute)| self.point(day.at(hour, minute, 0, 0)));
            if let Some(found) = points.into_iter().find(|point| *point > after) {
                return Some(found);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Points in time become times of day, as they pass.
    fn next_passing(&self, after: Point) -> Option<Point> {
        let mut at = round_up(after, MINUTE)?;
        for _ in 0..DAYS_MAX {
            let today = self.zone.to_datetime(at).date();
            let day = self.day_from(today)?;
            // The day before may be shown again.
            if let Ok(before) = day.yesterday()
                && before > today
            {
                at = self.point(before.at(0, 0, 0, 0))?;
            }
            for _ in 0..STEPS_MAX {
                let shown = self.zone.to_datetime(at);
                if shown.date() > day {
                    break;
                }
                if self.cron.has_day(shown.date()) {
                    if self.cron.has_time(shown.hour(), shown.minute()) {
                        return Some(at);
                    }
                    at = round_up(at, MINUTE)?;
                } else {
                    at = round_up(at, QUARTER)?;
                }
            }
        }
        None
    }

    /// The first of its days that is not before `day`.
    fn day_from(&self, day: Date) -> Option<Date> {
        let mut day = day;
        for _ in 0..DAYS_MAX {
            if self.cron.has_day(day) {
                return Some(day);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// When the clock shows this for the first time; if it never does, when it goes on behind it.
    fn point(&self, shown: DateTime) -> Option<Point> {
        match self.zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(shown).ok()
            }
            AmbiguousOffset::Gap { after, .. } => {
                // By the clock as it is afterwards this is just before it was changed.
                let before = after.to_timestamp(shown).ok()?;
                self.zone.following(before).next().map(|change| change.timestamp())
            }
        }
    }
}

/// The next multiple of `seconds` that is later.
fn round_up(at: Point, seconds: i64) -> Option<Point> {
    let rest = at.as_second().rem_euclid(seconds);
    let floor = Point::from_second(at.as_second() - rest).ok()?;
    floor.checked_add(seconds.seconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn recurrence(cron: &str, zone: &str) -> Recurrence {
        Recurrence::new(cron.parse().unwrap(), zone).unwrap()
    }

    /// The next times after `after`, as many as are expected.
    fn assert_times(cron: &str, zone: &str, after: &str, expected: &[&str]) {
        let recurrence = recurrence(cron, zone);
        let mut at: Timestamp = after.parse().unwrap();
        for expected in expected {
            at = recurrence.next(at).unwrap();
            assert_eq!(at, expected.parse().unwrap(), "{cron} in {zone} after {after}");
        }
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let days = ["2026-11-24T08:00:00Z", "2026-11-25T08:00:00Z"];
        assert_times("0 9 * * *", "Europe/Berlin", "2026-11-23T08:00:00Z", &days);
        assert_times("0 9 * * *", "America/New_York", "2026-11-23T08:00:00Z", &["2026-11-23T14:00:00Z"]);
        assert_times("45 8 * * *", "Asia/Kathmandu", "2026-11-23T02:59:59.999Z", &["2026-11-23T03:00:00Z"]);
    }

    #[test]
    fn quarters_of_an_hour_come_one_after_the_other() {
        let expected = ["2026-11-23T08:15:00Z", "2026-11-23T08:30:00Z", "2026-11-23T08:45:00Z", "2026-11-23T09:00:00Z"];
        assert_times("*/15 * * * *", "Europe/Berlin", "2026-11-23T08:00:00Z", &expected);
        assert_times("*/15 * * * *", "Asia/Kathmandu", "2026-11-23T08:14:59.999Z", &expected);
        // Every hour of one day a week only.
        assert_times("30 * * * mon", "UTC", "2026-11-23T23:30:00Z", &["2026-11-30T00:30:00Z", "2026-11-30T01:30:00Z"]);
    }

    #[test]
    fn working_days_and_month_ends() {
        // 2026-11-27 is a Friday.
        let expected = ["2026-11-27T09:30:00Z", "2026-11-30T09:30:00Z", "2026-12-01T09:30:00Z"];
        assert_times("30 9 * * mon-fri", "UTC", "2026-11-27T00:00:00Z", &expected);
        let ends = ["2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z", "2026-03-31T12:00:00Z", "2026-04-30T12:00:00Z"];
        assert_times("0 12 L * *", "UTC", "2026-01-01T00:00:00Z", &ends);
        let with_31 = ["2026-01-31T12:00:00Z", "2026-03-31T12:00:00Z", "2026-05-31T12:00:00Z"];
        assert_times("0 12 31 * *", "UTC", "2026-01-01T00:00:00Z", &with_31);
        // Both restricted: either counts. 2026-02-13 is a Friday.
        let either = ["2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-15T00:00:00Z", "2026-02-20T00:00:00Z"];
        assert_times("0 0 15 2 fri", "UTC", "2026-02-01T00:00:00Z", &either);
    }

    #[test]
    fn the_29th_of_february_comes_in_leap_years() {
        assert_times("0 8 29 2 *", "UTC", "2026-11-23T00:00:00Z", &["2028-02-29T08:00:00Z", "2032-02-29T08:00:00Z"]);
        assert_times("0 8 29 2 *", "UTC", "2096-03-01T00:00:00Z", &["2104-02-29T08:00:00Z"]);
        assert_times("0 8 29 2 */7", "UTC", "2026-11-23T00:00:00Z", &["2032-02-29T08:00:00Z", "2060-02-29T08:00:00Z"]);
        assert_times("30 * 29 2 *", "UTC", "2026-11-23T00:00:00Z", &["2028-02-29T00:30:00Z", "2028-02-29T01:30:00Z"]);
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_moves_to_the_next_there_is() {
        // 2 to 3 on 29 March in Berlin, 2 to 3 on 8 March in New York.
        for time in ["30 2 * * *", "0 2 * * *", "59 2 * * *", "0,30 2 * * *", "0 2,3 * * *"] {
            let next = recurrence(time, "Europe/Berlin").next("2026-03-28T12:00:00Z".parse().unwrap()).unwrap();
            assert_eq!(next, "2026-03-29T01:00:00Z".parse().unwrap(), "{time}");
            let second = recurrence(time, "Europe/Berlin").next(next).unwrap();
            assert!(second >= "2026-03-30T00:00:00Z".parse().unwrap(), "{time}: {second}");
        }
        let new_york = ["2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"];
        assert_times("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", &new_york);
        // Samoa left out a whole day.
        let samoa = ["2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z"];
        assert_times("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", &samoa);
    }

    #[test]
    fn a_time_that_comes_twice_happens_once() {
        // 2 to 3 again on 25 October in Berlin, 1 to 2 on 1 November in New York.
        let berlin = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        assert_times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &berlin);
        assert_times("30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", &berlin[1..]);
        let new_york = ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"];
        assert_times("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", &new_york);
    }

    #[test]
    fn what_wants_every_hour_goes_by_the_hours_that_pass() {
        let spring = ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"];
        assert_times("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &spring);
        let autumn = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"];
        assert_times("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", &autumn);
    }

    #[test]
    fn no_time_and_no_zone_is_too_much() {
        assert!(Recurrence::new("0 9 * * *".parse().unwrap(), "Europe/Atlantis").is_err());
        for millis in [i64::MIN, -1, 253_402_207_199_999, i64::MAX] {
            for cron in ["0 9 29 2 *", "* * * * *", "59 23 31 12 *"] {
                let _ = recurrence(cron, "Pacific/Auckland").next(Timestamp::from_millis(millis));
            }
        }
    }

    proptest! {
        /// Nothing that a clock shows once is left out, and nothing comes that it does not show.
        #[test]
        fn the_next_time_is_the_first_that_fits(
            minute in 0i8..60, hour in 0i8..24, step in 1u8..30, hourly: bool,
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC",
                "America/Santiago", "Asia/Kathmandu", "Africa/Casablanca", "Atlantic/Azores"]),
            after in 1_700_000_000_000_i64..2_000_000_000_000,
        ) {
            let text = if hourly { format!("*/{step} * * * *") } else { format!("{minute} {hour} * * *") };
            let recurrence = recurrence(&text, zone);
            let next = recurrence.next(Timestamp::from_millis(after)).unwrap();
            prop_assert!(next > Timestamp::from_millis(after));
            let fits = |point: Point| {
                let shown = recurrence.zone.to_datetime(point);
                recurrence.cron.has_time(shown.hour(), shown.minute())
            };
            let (first, last) = (after.div_euclid(60_000) + 1, next.as_millis() / 60_000);
            let between = (first..last).filter(|minute| fits(Point::from_second(minute * 60).unwrap())).count();
            if hourly {
                prop_assert_eq!(between, 0);
                prop_assert!(fits(Point::from_millisecond(next.as_millis()).unwrap()));
            } else {
                // Left out is only a time that is shown for the second time.
                prop_assert!(between <= 1 && last - first < 26 * 60, "{} between, {} minutes", between, last - first);
                let shown = recurrence.zone.to_datetime(Point::from_millisecond(next.as_millis()).unwrap());
                let moved = (shown.hour(), shown.minute()) != (hour, minute);
                let wanted = shown.date().at(hour, minute, 0, 0);
                let gap = recurrence.zone.to_ambiguous_timestamp(wanted).offset();
                prop_assert_eq!(moved, matches!(gap, AmbiguousOffset::Gap { .. }));
            }
        }
    }
}
