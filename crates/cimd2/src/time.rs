//! Times on the wire: `YYMMDDhhmmss` in the SMSC's own zone, and periods in the steps of 3GPP 23.040 §9.2.3.12.1.
//! Plain numbers: no clock, no calendar.

use std::fmt;

use thiserror::Error;

/// A date and time of day where the SMSC is; the wire knows no zone. Ask the SMSC for its time
/// ([`Get`](crate::Get) with [`SMSC_TIME`](crate::Tag::SMSC_TIME)) to know how far it is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsoluteTime {
    /// 1990–2089; the wire has two digits.
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
}

/// The peer's or the user's text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimeError {
    /// It does not have 12 characters.
    #[error("a CIMD2 time has 12 digits, not {0}")]
    Length(usize),
    /// A character is not a digit.
    #[error("character {0} of the CIMD2 time is not a digit")]
    Digit(usize),
    /// A number is out of its range.
    #[error("the {0} of the CIMD2 time is out of range")]
    Range(&'static str),
}

impl AbsoluteTime {
    /// Reads the 12 digits.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &[u8]) -> Result<Self, TimeError> {
        let digits: &[u8; 12] = text.try_into().map_err(|_| TimeError::Length(text.len()))?;
        let mut values = [0; 6];
        for (at, (value, pair)) in values.iter_mut().zip(digits.chunks_exact(2)).enumerate() {
            for (offset, octet) in pair.iter().enumerate() {
                if !octet.is_ascii_digit() {
                    return Err(TimeError::Digit(at * 2 + offset));
                }
                *value = *value * 10 + (octet - b'0');
            }
        }
        let [year, month, day, hour, minute, second] = values;
        let year = if year >= 90 { 1900 } else { 2000 } + u16::from(year);
        Self { year, month, day, hour, minute, second }.checked()
    }

    /// The 12 digits.
    ///
    /// # Errors
    /// When a number is out of its range.
    pub fn to_wire(&self) -> Result<[u8; 12], TimeError> {
        let time = self.checked()?;
        let year = u8::try_from(time.year % 100).unwrap_or(0);
        let mut wire = [0; 12];
        let values = [year, time.month, time.day, time.hour, time.minute, time.second];
        for (place, value) in wire.chunks_exact_mut(2).zip(values) {
            place.copy_from_slice(&[b'0' + value / 10, b'0' + value % 10]);
        }
        Ok(wire)
    }

    fn checked(self) -> Result<Self, TimeError> {
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year.is_multiple_of(4) => 29,
            2 => 28,
            _ => 31,
        };
        let checks = [
            ("year", (1990..2090).contains(&self.year)),
            ("month", (1..=12).contains(&self.month)),
            ("day", (1..=days).contains(&self.day)),
            ("hour", self.hour < 24),
            ("minute", self.minute < 60),
            ("second", self.second < 60),
        ];
        match checks.iter().find(|(_, good)| !good) {
            Some((what, _)) => Err(TimeError::Range(what)),
            None => Ok(self),
        }
    }
}

impl fmt::Display for AbsoluteTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// A period from now (050, 053): −1 for a single attempt, 0–255 in the steps of 3GPP 23.040 §9.2.3.12.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelativeTime(pub i16);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

impl RelativeTime {
    /// One attempt, and no more.
    pub const SINGLE_ATTEMPT: Self = Self(-1);
    /// The longest: 63 weeks.
    pub const LONGEST: Self = Self(255);

    /// Whether the wire can carry it.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 >= -1 && self.0 <= 255
    }

    /// How long it is, in seconds; `None` for a single attempt and for what is no period.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        let code = u64::try_from(self.0).ok()?;
        Some(match code {
            0..=143 => (code + 1) * 5 * MINUTE,
            144..=167 => 12 * HOUR + (code - 143) * 30 * MINUTE,
            168..=196 => (code - 166) * DAY,
            197..=255 => (code - 192) * WEEK,
            _ => return None,
        })
    }

    /// The shortest period that is at least as long; the longest if there is none.
    #[must_use]
    pub fn at_least(seconds: u64) -> Self {
        let code = match seconds {
            0..=43_200 => seconds.div_ceil(5 * MINUTE).saturating_sub(1),
            43_201..=86_400 => 143 + (seconds - 12 * HOUR).div_ceil(30 * MINUTE),
            86_401..=2_592_000 => 166 + seconds.div_ceil(DAY),
            _ => (192 + seconds.div_ceil(WEEK)).min(255),
        };
        Self(i16::try_from(code).unwrap_or(255))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        for text in [b"261122183420", b"991013134107", b"240229235959"] {
            let time = AbsoluteTime::parse(text).unwrap();
            assert_eq!(time.to_wire().unwrap(), *text, "{time}");
        }
        assert_eq!(AbsoluteTime::parse(b"991013134107").unwrap().to_string(), "1999-10-13 13:41:07");
    }

    #[test]
    fn refuses_what_is_no_time() {
        assert_eq!(AbsoluteTime::parse(b""), Err(TimeError::Length(0)));
        assert_eq!(AbsoluteTime::parse(b"26112218342x"), Err(TimeError::Digit(11)));
        assert_eq!(AbsoluteTime::parse(b"250229000000"), Err(TimeError::Range("day")));
        assert_eq!(AbsoluteTime::parse(b"250228240000"), Err(TimeError::Range("hour")));
        let far = AbsoluteTime { year: 2090, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        assert_eq!(far.to_wire(), Err(TimeError::Range("year")));
    }

    #[test]
    fn periods_are_long_enough_and_no_longer() {
        let known = [(0, 300), (143, 43_200), (144, 45_000), (167, 86_400), (168, 172_800), (197, 5 * WEEK)];
        for (code, seconds) in known {
            assert_eq!(RelativeTime(code).seconds(), Some(seconds));
        }
        for code in 0..=255 {
            let seconds = RelativeTime(code).seconds().unwrap();
            assert_eq!(RelativeTime::at_least(seconds), RelativeTime(code), "{seconds}");
            let more = RelativeTime::at_least(seconds + 1);
            assert_eq!(more.0, (code + 1).min(255), "{}", seconds + 1);
        }
        assert_eq!(RelativeTime::at_least(0), RelativeTime(0));
        assert_eq!(RelativeTime::at_least(u64::MAX), RelativeTime::LONGEST);
        assert_eq!((RelativeTime::SINGLE_ATTEMPT.seconds(), RelativeTime(256).seconds()), (None, None));
        assert!(!RelativeTime(256).is_valid() && RelativeTime(-1).is_valid() && !RelativeTime(-2).is_valid());
    }
}
