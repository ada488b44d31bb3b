//! A civil date and time, and its distance from the Unix epoch. No clock is read here.

use std::fmt;

/// A date and time of day in the Gregorian calendar, in some zone that is told elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

const SECONDS_OF_DAY: i64 = 86_400;

impl DateTime {
    /// `None` unless all of it exists in the calendar: year 1 to 9999, and no leap seconds.
    pub const fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let date = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1;
        if !date || day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self { year, month, day, hour, minute, second })
    }

    /// The date and time in UTC of a moment, in seconds since 1970; `None` outside years 1 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let days = seconds.div_euclid(SECONDS_OF_DAY);
        let rest = seconds.rem_euclid(SECONDS_OF_DAY);
        // Days are counted from 1 March of year 0, in eras of 400 years, so that leap days come last.
        let shifted = days.checked_add(719_468)?;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(
            u16::try_from(year).ok()?,
            month as u8,
            day as u8,
            (rest / 3600) as u8,
            (rest / 60 % 60) as u8,
            (rest % 60) as u8,
        )
    }

    /// Seconds since 1970, taking this for UTC.
    pub const fn unix_seconds(self) -> i64 {
        let march_year = self.year as i64 - (self.month <= 2) as i64;
        let march_month = (self.month as i64 + 9) % 12;
        let era = march_year.div_euclid(400);
        let year_of_era = march_year.rem_euclid(400);
        let day_of_year = (153 * march_month + 2) / 5 + self.day as i64 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        days * SECONDS_OF_DAY + self.hour as i64 * 3600 + self.minute as i64 * 60 + self.second as i64
    }

    /// Year, 1 to 9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// Month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Hour, 0 to 23.
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// Minute, 0 to 59.
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// Second, 0 to 59.
    pub const fn second(self) -> u8 {
        self.second
    }

    /// The year that two digits mean: 70 to 99 are of the 20th century, as the field reads them.
    pub(crate) const fn year_of_two_digits(digits: u8) -> u16 {
        if digits >= 70 { 1900 + digits as u16 } else { 2000 + digits as u16 }
    }
}

impl fmt::Display for DateTime {
    /// As in RFC 3339, without an offset.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

const fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        let moment = DateTime::new(2015, 11, 27, 23, 2, 43).expect("a date");
        assert_eq!(moment.unix_seconds(), 1_448_665_363);
        assert_eq!(DateTime::from_unix(1_448_665_363), Some(moment));
        assert_eq!(DateTime::from_unix(0).expect("the epoch").to_string(), "1970-01-01T00:00:00");
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        let start = DateTime::new(1899, 12, 31, 0, 0, 0).expect("a date").unix_seconds();
        for day in 0..150_000 {
            let seconds = start + day * SECONDS_OF_DAY + day % SECONDS_OF_DAY;
            let date = DateTime::from_unix(seconds).expect("in range");
            assert_eq!(date.unix_seconds(), seconds);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        assert_eq!(DateTime::new(2023, 2, 29, 0, 0, 0), None);
        assert!(DateTime::new(2024, 2, 29, 0, 0, 0).is_some());
        assert_eq!(DateTime::new(2024, 13, 1, 0, 0, 0), None);
        assert_eq!(DateTime::new(2024, 1, 1, 24, 0, 0), None);
        assert_eq!(DateTime::from_unix(i64::MAX), None);
        assert_eq!(DateTime::from_unix(i64::MIN), None);
    }
}
