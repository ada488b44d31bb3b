//! Times on the wire: `YYMMDDhhmmsstnnp` (SMPP 3.4 §7.1.1). Plain numbers: no clock, no calendar.

use std::fmt;

use thiserror::Error;

/// A schedule_delivery_time, validity_period or final_date that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmppTime {
    /// A date and time, with the offset of its zone.
    Absolute(AbsoluteTime),
    /// A time from now.
    Relative(RelativeTime),
}

/// A date and time of day somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AbsoluteTime {
    /// 2000–2099; the wire has two digits.
    pub year: u16,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    /// 0–23.
    pub hour: u8,
    /// 0–59.
    pub minute: u8,
    /// 0–59.
    pub second: u8,
    /// 0–9 tenths of a second.
    pub tenth: u8,
    /// Quarters of an hour that the time is ahead of UTC, −48–48.
    pub offset_quarters: i8,
}

/// A duration in calendar units, each 0–99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RelativeTime {
    /// Years.
    pub years: u8,
    /// Months.
    pub months: u8,
    /// Days.
    pub days: u8,
    /// Hours.
    pub hours: u8,
    /// Minutes.
    pub minutes: u8,
    /// Seconds.
    pub seconds: u8,
    /// 0–9 tenths of a second; the standard wants 0.
    pub tenths: u8,
}

/// The peer's or the user's text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimeError {
    /// It does not have 16 characters (or in a lenient reading 10 to 16).
    #[error("an SMPP time has 16 characters, not {0}")]
    Length(usize),
    /// A character is not a digit where one must be.
    #[error("character {0} of the SMPP time is not a digit")]
    Digit(usize),
    /// The last character is not `+`, `-` or `R`.
    #[error("an SMPP time ends with +, - or R")]
    Direction,
    /// A number is out of its range.
    #[error("the {0} of the SMPP time is out of range")]
    Range(&'static str),
}

impl SmppTime {
    /// Reads the 16 characters of the standard.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &[u8]) -> Result<Self, TimeError> {
        let Some((digits, &[direction])) = text.split_first_chunk::<15>() else {
            return Err(TimeError::Length(text.len()));
        };
        let [years, months, days, hours, minutes, seconds] = pairs(digits)?;
        let tenth = digit(digits, 12)?;
        let quarters = digit(digits, 13)? * 10 + digit(digits, 14)?;
        let offset = match direction {
            b'+' => 1,
            b'-' => -1,
            b'R' => {
                let tenths = tenth;
                return Ok(Self::Relative(RelativeTime { years, months, days, hours, minutes, seconds, tenths }));
            }
            _ => return Err(TimeError::Direction),
        };
        if quarters > 48 {
            return Err(TimeError::Range("offset"));
        }
        AbsoluteTime {
            year: 2000 + u16::from(years),
            month: months,
            day: days,
            hour: hours,
            minute: minutes,
            second: seconds,
            tenth,
            offset_quarters: i8::try_from(quarters).unwrap_or(i8::MAX) * offset,
        }
        .checked()
        .map(Self::Absolute)
    }

    /// Also reads the shorter forms that some peers send, `YYMMDDhhmm` and longer, as UTC.
    ///
    /// # Errors
    /// When the text is not even that.
    pub fn parse_lenient(text: &[u8]) -> Result<Self, TimeError> {
        if !(10..16).contains(&text.len()) {
            return Self::parse(text);
        }
        let mut full = *b"000000000000000+";
        let (given, offset) = text.split_at(text.len().min(13));
        full[..given.len()].copy_from_slice(given);
        if let Some(at) = offset.iter().position(|octet| !octet.is_ascii_digit()) {
            return Err(TimeError::Digit(13 + at));
        }
        Self::parse(&full)
    }

    /// The 16 characters, without the NUL.
    ///
    /// # Errors
    /// When a number is out of its range.
    pub fn to_wire(&self) -> Result<[u8; 16], TimeError> {
        let (pairs, tenth, quarters, direction) = match *self {
            Self::Absolute(time) => {
                let time = time.checked()?;
                let year = u8::try_from(time.year - 2000).map_err(|_| TimeError::Range("year"))?;
                let direction = if time.offset_quarters < 0 { b'-' } else { b'+' };
                let pairs = [year, time.month, time.day, time.hour, time.minute, time.second];
                (pairs, time.tenth, time.offset_quarters.unsigned_abs(), direction)
            }
            Self::Relative(time) => {
                let pairs = [time.years, time.months, time.days, time.hours, time.minutes, time.seconds];
                if pairs.iter().any(|&unit| unit > 99) || time.tenths > 9 {
                    return Err(TimeError::Range("duration"));
                }
                (pairs, time.tenths, 0, b'R')
            }
        };
        let mut wire = [direction; 16];
        for (place, value) in wire.chunks_exact_mut(2).zip(pairs) {
            place.copy_from_slice(&[b'0' + value / 10, b'0' + value % 10]);
        }
        wire[12] = b'0' + tenth;
        wire[13] = b'0' + quarters / 10;
        wire[14] = b'0' + quarters % 10;
        Ok(wire)
    }
}

impl RelativeTime {
    /// Days, hours, minutes and seconds only, since MCs differ about the length of a month. `None`
    /// above 99 days: send an absolute time then.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        let days = u8::try_from(seconds / 86_400).ok().filter(|&days| days <= 99)?;
        let unit = |value: u64| u8::try_from(value).unwrap_or(0);
        Some(Self {
            days,
            hours: unit(seconds / 3600 % 24),
            minutes: unit(seconds / 60 % 60),
            seconds: unit(seconds % 60),
            ..Self::default()
        })
    }
}

impl AbsoluteTime {
    fn checked(self) -> Result<Self, TimeError> {
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year.is_multiple_of(4) => 29,
            2 => 28,
            _ => 31,
        };
        let checks = [
            ("year", (2000..=2099).contains(&self.year)),
            ("month", (1..=12).contains(&self.month)),
            ("day", (1..=days).contains(&self.day)),
            ("hour", self.hour < 24),
            ("minute", self.minute < 60),
            ("second", self.second < 60),
            ("tenth", self.tenth < 10),
            ("offset", (-48..=48).contains(&self.offset_quarters)),
        ];
        match checks.iter().find(|(_, good)| !good) {
            Some((what, _)) => Err(TimeError::Range(what)),
            None => Ok(self),
        }
    }
}

impl fmt::Display for SmppTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_wire() {
            Ok(wire) => wire.iter().try_for_each(|&octet| write!(f, "{}", char::from(octet))),
            Err(error) => write!(f, "({error})"),
        }
    }
}

fn pairs(digits: &[u8; 15]) -> Result<[u8; 6], TimeError> {
    let mut values = [0; 6];
    for (at, value) in values.iter_mut().enumerate() {
        *value = digit(digits, at * 2)? * 10 + digit(digits, at * 2 + 1)?;
    }
    Ok(values)
}

fn digit(digits: &[u8; 15], at: usize) -> Result<u8, TimeError> {
    match digits.get(at) {
        Some(octet @ b'0'..=b'9') => Ok(octet - b'0'),
        _ => Err(TimeError::Digit(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        for text in ["991231235959948+", "111019080000704-", "020610233429000R", "240229000000000+"] {
            assert_eq!(SmppTime::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        let day = RelativeTime::from_seconds(86_400).unwrap();
        assert_eq!(SmppTime::Relative(day).to_string(), "000001000000000R");
        let mixed = RelativeTime::from_seconds(70 * 60 + 5).unwrap();
        assert_eq!(SmppTime::Relative(mixed).to_string(), "000000011005000R");
        assert_eq!(RelativeTime::from_seconds(100 * 86_400), None);
    }

    #[test]
    fn refuses_what_is_no_time() {
        assert_eq!(SmppTime::parse(b""), Err(TimeError::Length(0)));
        assert_eq!(SmppTime::parse(b"250229000000000+"), Err(TimeError::Range("day")));
        assert_eq!(SmppTime::parse(b"250228000000049+"), Err(TimeError::Range("offset")));
        assert_eq!(SmppTime::parse(b"2502280000000x0+"), Err(TimeError::Digit(13)));
        assert_eq!(SmppTime::parse(b"250228000000000Z"), Err(TimeError::Direction));
    }

    #[test]
    fn lenient_reading_takes_short_forms() {
        let full = SmppTime::parse(b"250228113000000+");
        assert_eq!(SmppTime::parse_lenient(b"2502281130"), full);
        assert_eq!(SmppTime::parse_lenient(b"250228113000"), full);
        assert_eq!(SmppTime::parse_lenient(b"250228113000000"), full);
        assert_eq!(SmppTime::parse_lenient(b"25022811"), Err(TimeError::Length(8)));
        assert_eq!(SmppTime::parse_lenient(b"25022811300000+"), Err(TimeError::Digit(14)));
    }
}
