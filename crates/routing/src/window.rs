//! Stretches of the week in some time zone.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{ToSpan, civil};
use model::Timestamp;
use model::resources::{Day, TimeWindow};

use crate::error::{Faults, RuleProblem};

const DAY_MINUTES: u16 = 24 * 60;

/// A [`TimeWindow`], ready to be asked.
#[derive(Debug)]
pub(crate) struct Window {
    zone: TimeZone,
    span: Span,
}

/// A stretch of some days of the week, by whatever clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes since midnight; one at or after `to` makes the window end on the next day.
    from: u16,
    to: u16,
}

impl Window {
    pub fn compile(window: &TimeWindow, n: usize, zones: &TimeZoneDatabase, faults: &mut Faults<'_>) -> Option<Self> {
        let mut time = |key: &str, text: &Option<String>, default: u16| match text {
            Some(text) => {
                let minutes = minutes(text).ok_or_else(|| RuleProblem::NotATime(text.clone()));
                faults.keep("time", format!("match.time.{n}.{key}"), minutes)
            }
            None => Some(default),
        };
        let (from, to) = (time("from", &window.from, 0), time("to", &window.to, DAY_MINUTES));
        let zone = match window.zone.as_deref() {
            None | Some("UTC") => Ok(TimeZone::UTC),
            Some(name) => {
                zones.get(name).map_err(|_| RuleProblem::Unknown { what: "time zone", name: name.to_owned() })
            }
        };
        let zone = faults.keep("time", format!("match.time.{n}.zone"), zone);
        Some(Self { zone: zone?, span: Span::new(&window.days, from?, to?) })
    }

    /// Is `now` in it?
    pub fn holds(&self, now: Timestamp) -> bool {
        let Ok(point) = jiff::Timestamp::from_millisecond(now.as_millis()) else { return false };
        self.span.days_to_end(self.zone.to_datetime(point)).is_some()
    }
}

impl Span {
    /// Of days on which it begins, empty being every day, and of minutes since midnight; with `to` at or
    /// before `from` it ends on the next day.
    pub fn new(days: &[Day], from: u16, to: u16) -> Self {
        let days = days.iter().fold(0, |days, day| days | 1 << *day as u8);
        Self { days: if days == 0 { 0x7f } else { days }, from, to }
    }

    /// When it ends by this clock, if `now` is in it.
    pub fn end(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let point = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
        let local = zone.to_datetime(point);
        let days = self.days_to_end(local)? + i64::from(self.to / DAY_MINUTES);
        let date = local.date().checked_add(days.days()).ok()?;
        let minute = self.to % DAY_MINUTES;
        let end = zone.to_ambiguous_timestamp(date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0));
        let first = end.compatible().ok()?;
        // When the clocks are put back a time comes twice.
        let end = if first > point { first } else { end.later().ok().filter(|end| *end > point)? };
        Some(Timestamp::from_millis(end.as_millisecond()))
    }

    /// Is this minute of this day, counted from Monday, in it?
    pub fn holds(&self, day: i8, minute: u16) -> bool {
        self.ends_after(day, minute).is_some()
    }

    fn days_to_end(&self, local: civil::DateTime) -> Option<i64> {
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        self.ends_after(local.weekday().to_monday_zero_offset(), minute)
    }

    /// In how many days it ends, if it has begun.
    fn ends_after(&self, today: i8, minute: u16) -> Option<i64> {
        let begins_on = |day: i8| self.days & 1 << day != 0;
        if self.from < self.to {
            return (begins_on(today) && (self.from..self.to).contains(&minute)).then_some(0);
        }
        match minute {
            _ if minute < self.to && begins_on((today + 6) % 7) => Some(0),
            _ if minute >= self.from && begins_on(today) => Some(1),
            _ => None,
        }
    }
}

/// Minutes since midnight of `HH:MM`, up to 24:00.
pub(crate) fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str, max: u16| {
        let two_digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|n: &u16| two_digits && *n <= max)
    };
    let minutes = number(hours, 24)? * 60 + number(minutes, 59)?;
    (minutes <= DAY_MINUTES).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::resources::{Day, Kind};

    fn window(days: &[Day], from: &str, to: &str, zone: &str) -> Result<Window, Vec<String>> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let window = TimeWindow { days: days.to_vec(), from: text(from), to: text(to), zone: text(zone) };
        let mut errors = Vec::new();
        let mut faults = Faults { kind: Kind::Route, id: "r", errors: &mut errors, first: None };
        let compiled = Window::compile(&window, 0, &TimeZoneDatabase::bundled(), &mut faults);
        compiled.ok_or_else(|| errors.iter().map(ToString::to_string).collect())
    }

    fn holds(window: &Window, at: &str) -> bool {
        window.holds(at.parse().unwrap())
    }

    #[test]
    fn hours_are_those_of_the_zone_in_summer_and_winter() {
        let office = window(&[Day::Mon], "09:00", "17:00", "Europe/London").unwrap();
        // 2026-07-06 and 2026-12-07 are Mondays; London is an hour ahead in summer.
        assert!(holds(&office, "2026-07-06T08:00:00Z") && !holds(&office, "2026-07-06T07:59:59Z"));
        assert!(!holds(&office, "2026-07-06T16:00:00Z"), "the end is not in it");
        assert!(!holds(&office, "2026-12-07T08:59:59Z") && holds(&office, "2026-12-07T09:00:00Z"));
        assert!(!holds(&office, "2026-07-07T10:00:00Z"), "that is a Tuesday");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = window(&[Day::Sun], "22:00", "06:00", "").unwrap();
        assert!(holds(&night, "2026-07-05T22:00:00Z") && holds(&night, "2026-07-06T05:59:00Z"));
        assert!(!holds(&night, "2026-07-06T06:00:00Z") && !holds(&night, "2026-07-06T22:00:00Z"));
        let whole = window(&[Day::Sun], "22:00", "22:00", "").unwrap();
        assert!(holds(&whole, "2026-07-06T21:59:00Z") && !holds(&whole, "2026-07-06T22:00:00Z"));
        let always = window(&[], "", "", "").unwrap();
        assert!(holds(&always, "2026-07-06T23:59:59Z"));
        assert!(!always.holds(Timestamp::from_millis(i64::MAX)));
    }

    #[test]
    fn what_is_no_time_and_no_zone_is_told() {
        let told = window(&[], "9:00", "24:01", "Europe/Londn").unwrap_err();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], "route \"r\": match.time.0.from: \"9:00\" is no time of day such as 08:30");
        assert!(told[2].contains("match.time.0.zone: there is no time zone \"Europe/Londn\""));
    }
}
