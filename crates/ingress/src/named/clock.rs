//! Times without a zone: those of the account's.

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::Timestamp;
use model::resources::{Account, SessionLogin};

/// The clock that an account's times are told by.
#[derive(Clone, Debug)]
pub(crate) struct Clock(TimeZone);

/// Which order the numbers of a time are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digits {
    /// `DDMMYYhhmmss`, as UCP has it.
    DayFirst,
    /// `YYMMDDhhmmss`, as CIMD2 has it.
    YearFirst,
}

impl Clock {
    /// The clock of a login: in its own zone, that of its account, or UTC.
    pub fn of(login: &SessionLogin, account: &Account) -> Self {
        let name = login.time_zone.as_deref().or(account.time_zone.as_deref());
        // What is none was told when the settings were checked.
        Self(name.and_then(|name| TimeZoneDatabase::bundled().get(name).ok()).unwrap_or(TimeZone::UTC))
    }

    /// Twelve digits for a moment; zeros for one that has none.
    pub fn digits(&self, at: Timestamp, order: Digits) -> [u8; 12] {
        let mut digits = [b'0'; 12];
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.as_millis()) else { return digits };
        let civil = self.0.to_datetime(moment);
        let (year, day) = (i64::from(civil.year()).rem_euclid(100), i64::from(civil.day()));
        let (first, third) = match order {
            Digits::DayFirst => (day, year),
            Digits::YearFirst => (year, day),
        };
        let rest = [civil.hour(), civil.minute(), civil.second()].map(i64::from);
        let pairs = [first, civil.month().into(), third].into_iter().chain(rest);
        for (place, value) in digits.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
            let value = u8::try_from(value).unwrap_or_default();
            *place = [b'0' + value / 10, b'0' + value % 10];
        }
        digits
    }

    /// The moment that ten or twelve digits say; `None` if they say none. Where the clock was put back,
    /// the first of the two.
    pub fn moment(&self, digits: &[u8], order: Digits) -> Option<Timestamp> {
        if !matches!(digits.len(), 10 | 12) || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut pairs = digits.as_chunks::<2>().0.iter().map(|[tens, ones]| ((tens - b'0') * 10 + (ones - b'0')) as i8);
        let mut pair = || pairs.next().unwrap_or_default();
        let (first, month, third, hour, minute, second) = (pair(), pair(), pair(), pair(), pair(), pair());
        let (year, day) = match order {
            Digits::DayFirst => (third, first),
            Digits::YearFirst => (first, third),
        };
        let year = i16::from(year) + if year < 70 { 2000 } else { 1900 };
        let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        let zoned = self.0.to_ambiguous_zoned(civil).compatible().ok()?;
        Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(zone: &str) -> Clock {
        let login = serde_json::from_str(&format!(r#"{{"user":"a","time_zone":"{zone}"}}"#)).unwrap();
        Clock::of(&login, &serde_json::from_str(r#"{"id":"a","time_zone":"Asia/Tokyo"}"#).unwrap())
    }

    /// 2026-11-22T20:14:56Z.
    const AT: Timestamp = Timestamp::from_millis(1_795_378_496_000);

    #[test]
    fn times_are_written_and_read_in_the_zone_of_the_login() {
        let berlin = clock("Europe/Berlin");
        assert_eq!(&berlin.digits(AT, Digits::DayFirst), b"221126211456");
        assert_eq!(&berlin.digits(AT, Digits::YearFirst), b"261122211456");
        for order in [Digits::DayFirst, Digits::YearFirst] {
            assert_eq!(berlin.moment(&berlin.digits(AT, order), order), Some(AT));
        }
        assert_eq!(berlin.moment(b"2211262114", Digits::DayFirst), Some(Timestamp::from_millis(1_795_378_440_000)));
        let login = serde_json::from_str(r#"{"user":"a"}"#).unwrap();
        let account = serde_json::from_str(r#"{"id":"a","time_zone":"Asia/Tokyo"}"#).unwrap();
        assert_eq!(&Clock::of(&login, &account).digits(AT, Digits::DayFirst), b"231126051456");
        assert_eq!(&Clock(TimeZone::UTC).digits(AT, Digits::DayFirst), b"221126201456");
    }

    #[test]
    fn what_is_no_time_is_none() {
        let utc = Clock(TimeZone::UTC);
        for text in ["", "22112620145", "22112620145x", "321126201456", "221326201456", "221126241456"] {
            assert_eq!(utc.moment(text.as_bytes(), Digits::DayFirst), None, "{text}");
        }
        assert!(utc.digits(Timestamp::from_millis(i64::MAX), Digits::DayFirst).iter().all(|digit| *digit == b'0'));
    }
}
