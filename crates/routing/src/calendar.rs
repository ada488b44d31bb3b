//! Days and months by the clock of a time zone.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::Timestamp;

use crate::error::RuleProblem;

/// A clock on the wall somewhere.
#[derive(Clone, Debug)]
pub struct Calendar(TimeZone);

/// A day or a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Rises from one to the next: days since 1970-01-01, or twelve a year and the month.
    pub number: i64,
    /// When the next one begins.
    pub end: Timestamp,
}

impl Calendar {
    /// Of an IANA time zone; `None` is UTC.
    pub fn new(zone: Option<&str>) -> Result<Self, RuleProblem> {
        let Some(name) = zone.filter(|name| *name != "UTC") else { return Ok(Self(TimeZone::UTC)) };
        let unknown = || RuleProblem::Unknown { what: "time zone", name: name.to_owned() };
        TimeZoneDatabase::bundled().get(name).map(Self).map_err(|_| unknown())
    }

    /// The day that `now` lies in. It has 23 or 25 hours when the clocks change.
    #[must_use]
    pub fn day(&self, now: Timestamp) -> Period {
        let today = self.date(now);
        let number = today.duration_since(jiff::civil::date(1970, 1, 1)).as_hours() / 24;
        Period { number, end: self.midnight(today.tomorrow().unwrap_or(today)) }
    }

    /// The month that `now` lies in.
    #[must_use]
    pub fn month(&self, now: Timestamp) -> Period {
        let today = self.date(now);
        let next = today.first_of_month().checked_add(1.month()).unwrap_or(today);
        Period { number: i64::from(today.year()) * 12 + i64::from(today.month()), end: self.midnight(next) }
    }

    /// The day and the time as people write them: `2026-01-31` and `14:05`.
    #[must_use]
    pub fn written(&self, now: Timestamp) -> (String, String) {
        let point = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
        let wall = self.0.to_datetime(point);
        (wall.date().to_string(), format!("{:02}:{:02}", wall.hour(), wall.minute()))
    }

    fn date(&self, now: Timestamp) -> Date {
        let point = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
        self.0.to_datetime(point).date()
    }

    fn midnight(&self, date: Date) -> Timestamp {
        let point = date.to_zoned(self.0.clone()).map(|zoned| zoned.timestamp().as_millisecond());
        Timestamp::from_millis(point.unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_end_at_midnight_of_their_zone() {
        let berlin = Calendar::new(Some("Europe/Berlin")).unwrap();
        let utc = Calendar::new(None).unwrap();
        let late = at("2026-07-31T22:30:00Z");
        assert_eq!(berlin.day(late).end, at("2026-08-01T22:00:00Z"));
        assert_eq!(utc.day(late).end, at("2026-08-01T00:00:00Z"));
        assert_eq!(berlin.day(late).number, utc.day(late).number + 1);
        assert_eq!(
            (utc.day(at("1970-01-01T00:00:00Z")).number, utc.day(at("2026-11-23T01:02:03Z")).number),
            (0, 20_780)
        );
        assert_eq!(berlin.month(late).number, utc.month(late).number + 1);
        assert_eq!(berlin.written(late), ("2026-08-01".into(), "00:30".into()));
        assert_eq!(
            (utc.month(late).end, berlin.month(late).end),
            (at("2026-08-01T00:00:00Z"), at("2026-08-31T22:00:00Z"))
        );
        assert_eq!(utc.month(at("2026-12-31T23:59:59Z")).end, at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn a_day_on_which_the_clocks_change_is_one_day() {
        let berlin = Calendar::new(Some("Europe/Berlin")).unwrap();
        for (morning, end) in
            [("2026-03-29T00:30:00Z", "2026-03-29T22:00:00Z"), ("2026-10-25T00:30:00Z", "2026-10-25T23:00:00Z")]
        {
            let day = berlin.day(at(morning));
            assert_eq!(day.end, at(end));
            assert_eq!(berlin.day(day.end).number, day.number + 1);
            assert_eq!(berlin.day(day.end.plus_millis(-1)).number, day.number);
        }
    }

    #[test]
    fn no_time_and_no_zone_is_too_much() {
        assert!(Calendar::new(Some("Europe/Atlantis")).is_err());
        let utc = Calendar::new(Some("UTC")).unwrap();
        for millis in [i64::MIN, -1, i64::MAX] {
            let _ = (utc.day(Timestamp::from_millis(millis)), utc.month(Timestamp::from_millis(millis)));
        }
    }
}
