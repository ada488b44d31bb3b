//! Times that come again, as crontab writes them: five fields for minute, hour, day of the month, month
//! and day of the week.

use std::str::FromStr;

use jiff::civil::Date;

/// Names of months and of days of the week, as they may be written instead of numbers.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Days of each month in a leap year.
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// Sunday as the seventh day of the week.
const SUNDAY_AGAIN: u64 = 1 << 7;
/// Most characters that are looked at: enough for every number of every field.
const LENGTH_MAX: usize = 512;

/// A cron expression, ready to be asked.
///
/// Each field is `*` or numbers, ranges (`9-17`) and steps (`*/15`, `8-18/2`), joined by commas. Months and
/// days of the week may be named by three letters; Sunday is 0 and 7. `L` is the last day of a month. If
/// both the day of the month and the day of the week are restricted, a day that fits either of them counts,
/// as POSIX says of crontab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    last_day: bool,
    months: u64,
    weekdays: u64,
    /// Which of the two kinds of day say anything.
    by: DaysBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DaysBy {
    Both,
    Either,
}

/// What is wrong with a cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error("must have five fields, minute, hour, day of the month, month and day of the week; this has {0}")]
    Fields(usize),
    /// Longer than any expression has to be.
    #[error("is longer than {LENGTH_MAX} characters")]
    TooLong,
    /// What stands in a field is not understood.
    #[error(
        "\"{text}\" is no {field}: write {first} to {last}, or a range such as {first}-{last}, with a step as in */2"
    )]
    Field {
        /// Which field.
        field: &'static str,
        /// What stands there.
        text: String,
        /// The least that may.
        first: u32,
        /// The most that may.
        last: u32,
    },
    /// There is no such day.
    #[error("never comes: none of these months has such a day")]
    Never,
}

/// What a field may hold.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day of the month", first: 1, last: 31, names: &[] },
    Field { name: "month", first: 1, last: 12, names: &MONTHS },
    Field { name: "day of the week", first: 0, last: 7, names: &DAYS },
];

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        if text.len() > LENGTH_MAX {
            return Err(CronError::TooLong);
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(CronError::Fields(fields.len()));
        };
        let [minute, hour, day, month, weekday] = &FIELDS;
        let (numbers, last_day) = without_last(days);
        let mut sundays = weekday.read(weekdays)?;
        if sundays & SUNDAY_AGAIN != 0 {
            sundays = sundays & !SUNDAY_AGAIN | 1;
        }
        let cron = Self {
            minutes: minute.read(minutes)?,
            hours: hour.read(hours)?,
            days: if numbers.is_empty() && last_day { 0 } else { day.read(&numbers)? },
            last_day,
            months: month.read(months)?,
            weekdays: sundays,
            by: if days.starts_with('*') || weekdays.starts_with('*') { DaysBy::Both } else { DaysBy::Either },
        };
        if cron.ever_comes() { Ok(cron) } else { Err(CronError::Never) }
    }
}

impl Cron {
    /// Is this one of its days?
    pub(crate) fn has_day(&self, date: Date) -> bool {
        if !has(self.months, date.month()) {
            return false;
        }
        let in_month = has(self.days, date.day()) || self.last_day && date.day() == date.days_in_month();
        let in_week = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        match self.by {
            DaysBy::Both => in_month && in_week,
            DaysBy::Either => in_month || in_week,
        }
    }

    /// Is this one of its times of day?
    pub(crate) fn has_time(&self, hour: i8, minute: i8) -> bool {
        has(self.hours, hour) && has(self.minutes, minute)
    }

    /// Its times of day, in order.
    pub(crate) fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let hours = (0..24).filter(|hour| has(self.hours, *hour));
        hours.flat_map(|hour| (0..60).filter(|minute| has(self.minutes, *minute)).map(move |minute| (hour, minute)))
    }

    /// Does it want every hour, and so no hour of its own?
    pub(crate) fn is_hourly(&self) -> bool {
        self.hours == (1 << 24) - 1
    }

    /// Is there a month that has such a day? A day of the week comes in every month.
    fn ever_comes(&self) -> bool {
        let of_month = |month: u32| {
            let longest = LONGEST.get(month as usize - 1).copied().unwrap_or(31);
            (1..=longest).any(|day| self.days & 1 << day != 0) || self.last_day
        };
        let any = (1..=12).filter(|month| self.months & 1 << month != 0).any(of_month);
        match self.by {
            DaysBy::Both => any,
            DaysBy::Either => any || self.weekdays != 0,
        }
    }
}

impl Field {
    /// The set of numbers that a field's text means.
    fn read(&self, text: &str) -> Result<u64, CronError> {
        let mut set = 0;
        for item in text.split(',') {
            let (from, to, step) = self.item(item).ok_or_else(|| CronError::Field {
                field: self.name,
                text: item.to_owned(),
                first: self.first,
                last: self.last,
            })?;
            (from..=to).step_by(step).for_each(|number| set |= 1 << number);
        }
        Ok(set)
    }

    /// First, last and step of one item of a field's list.
    fn item(&self, item: &str) -> Option<(u32, u32, usize)> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            // A step from one number to nowhere is not in POSIX, and means different things to different crons.
            None if step.is_some() => return None,
            None => (self.number(range)?, self.number(range)?),
        };
        let step = match step {
            Some(step) => digits(step).filter(|step| *step > 0)? as usize,
            None => 1,
        };
        (from <= to).then_some((from, to, step))
    }

    fn number(&self, text: &str) -> Option<u32> {
        if let Some(place) = self.names.iter().position(|name| text.eq_ignore_ascii_case(name)) {
            return Some(place as u32 + self.first);
        }
        digits(text).filter(|number| (self.first..=self.last).contains(number))
    }
}

/// A number of one or two digits.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// The days of a month without `L`, and whether that stood among them.
fn without_last(days: &str) -> (String, bool) {
    let (last, numbers): (Vec<&str>, Vec<&str>) = days.split(',').partition(|item| item.eq_ignore_ascii_case("l"));
    (numbers.join(","), !last.is_empty())
}

fn has(set: u64, number: i8) -> bool {
    u32::try_from(number).is_ok_and(|number| set >> number & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cron(text: &str) -> Result<Cron, String> {
        text.parse().map_err(|error: CronError| error.to_string())
    }

    fn set(numbers: impl IntoIterator<Item = u32>) -> u64 {
        numbers.into_iter().fold(0, |set, number| set | 1 << number)
    }

    #[test]
    fn fields_are_lists_ranges_and_steps() {
        let cron = cron(" 0,30-35\t8-18/2 1,L */3 Mon-fri ").unwrap();
        assert_eq!(cron.minutes, set([0, 30, 31, 32, 33, 34, 35]));
        assert_eq!(cron.hours, set([8, 10, 12, 14, 16, 18]));
        assert_eq!((cron.days, cron.last_day), (set([1]), true));
        assert_eq!(cron.months, set([1, 4, 7, 10]));
        assert_eq!(cron.weekdays, set(1..=5));
        assert_eq!(cron.by, DaysBy::Either);
    }

    #[test]
    fn sunday_is_zero_and_seven() {
        for text in ["0 9 * * 0", "0 9 * * 7", "0 9 * * SUN", "0 9 * * 7,0"] {
            assert_eq!(cron(text).unwrap().weekdays, 1, "{text}");
        }
        assert_eq!(cron("0 9 * * 5-7").unwrap().weekdays, set([0, 5, 6]));
        assert_eq!(cron("0 9 * * *").unwrap().weekdays, set(0..=6));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        for (text, field) in [
            ("60 * * * *", "minute"),
            ("* 24 * * *", "hour"),
            ("* * 0 * *", "day of the month"),
            ("* * L-2 * *", "day of the month"),
            ("* * * 13 *", "month"),
            ("* * * * 8", "day of the week"),
            ("*/0 * * * *", "minute"),
            ("5/10 * * * *", "minute"),
            ("9-5 * * * *", "minute"),
            ("1,, * * * *", "minute"),
            ("+1 * * * *", "minute"),
            ("001 * * * *", "minute"),
            ("* * * * monday", "day of the week"),
            ("* * ? * *", "day of the month"),
        ] {
            let told = cron(text).unwrap_err();
            assert!(told.contains(&format!("is no {field}:")), "{text}: {told}");
        }
        assert!(cron("@daily").unwrap_err().ends_with("this has 1"));
        assert!(cron("0 0 * * * *").unwrap_err().ends_with("this has 6"));
        assert!(cron(&"1,".repeat(300)).unwrap_err().contains("512"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "\\PC{0,40}", fields in "([*0-9a-zA-Z,/-]{1,6} ?){0,7}") {
            let _ = (text.parse::<Cron>(), fields.parse::<Cron>());
        }
    }

    #[test]
    fn a_day_that_never_comes_is_a_fault() {
        for text in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30-31 feb *"] {
            assert_eq!(cron(text).unwrap_err(), CronError::Never.to_string(), "{text}");
        }
        for text in ["0 0 29 2 *", "0 0 31 2,3 *", "0 0 30 2 mon", "0 0 L 2 *"] {
            cron(text).unwrap();
        }
    }
}
