//! Times on the wire: `DDMMYYhhmm` and `DDMMYYhhmmss`, day first. Plain numbers: no clock, no calendar, and no
//! zone: it is the SMSC's local time.

use std::fmt;

use thiserror::Error;

/// A time of either length: DDT, VP and MVP have no seconds; SCTS and DSCTS do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UcpTime {
    /// 1970–2069; the wire has two digits.
    pub year: u16,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    /// 0–23.
    pub hour: u8,
    /// 0–59.
    pub minute: u8,
    /// 0–59; `None` in times of ten digits.
    pub second: Option<u8>,
}

/// The peer's or the user's text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimeError {
    /// It has neither 10 nor 12 characters.
    #[error("a UCP time has 10 or 12 digits, not {0}")]
    Length(usize),
    /// A character is not a digit.
    #[error("character {0} of the UCP time is not a digit")]
    Digit(usize),
    /// A number is out of its range.
    #[error("the {0} of the UCP time is out of range")]
    Range(&'static str),
}

/// The digits of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeDigits {
    digits: [u8; 12],
    len: usize,
}

impl std::ops::Deref for TimeDigits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

impl UcpTime {
    /// Reads 10 or 12 digits, whichever field they are in. Years 70–99 are those before 2000.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &[u8]) -> Result<Self, TimeError> {
        if !matches!(text.len(), 10 | 12) {
            return Err(TimeError::Length(text.len()));
        }
        if let Some(at) = text.iter().position(|octet| !octet.is_ascii_digit()) {
            return Err(TimeError::Digit(at));
        }
        let mut pairs = text.as_chunks::<2>().0.iter().map(|[tens, ones]| (tens - b'0') * 10 + (ones - b'0'));
        let mut pair = || pairs.next().unwrap_or_default();
        let (day, month, year, hour, minute) = (pair(), pair(), u16::from(pair()), pair(), pair());
        let year = year + if year < 70 { 2000 } else { 1900 };
        Self { year, month, day, hour, minute, second: pairs.next() }.checked()
    }

    /// Twelve digits, or ten if there are no seconds.
    ///
    /// # Errors
    /// When a number is out of its range.
    pub fn to_wire(self) -> Result<TimeDigits, TimeError> {
        let time = self.checked()?;
        let year = u8::try_from(time.year % 100).unwrap_or_default();
        let pairs = [time.day, time.month, year, time.hour, time.minute, time.second.unwrap_or_default()];
        let mut digits = [b'0'; 12];
        for (place, value) in digits.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
            *place = [b'0' + value / 10, b'0' + value % 10];
        }
        Ok(TimeDigits { digits, len: if time.second.is_some() { 12 } else { 10 } })
    }

    fn checked(self) -> Result<Self, TimeError> {
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year.is_multiple_of(4) => 29,
            2 => 28,
            _ => 31,
        };
        let checks = [
            ("year", (1970..=2069).contains(&self.year)),
            ("month", (1..=12).contains(&self.month)),
            ("day", (1..=days).contains(&self.day)),
            ("hour", self.hour < 24),
            ("minute", self.minute < 60),
            ("second", self.second.is_none_or(|second| second < 60)),
        ];
        match checks.iter().find(|(_, good)| !good) {
            Some((what, _)) => Err(TimeError::Range(what)),
            None => Ok(self),
        }
    }
}

impl fmt::Display for UcpTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")?;
        self.second.map_or(Ok(()), |second| write!(f, ":{second:02}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_in_both_directions() {
        for (text, shown) in [
            ("120396111055", "1996-03-12T11:10:55"),
            ("0808971800", "1997-08-08T18:00"),
            ("290224000000", "2024-02-29T00:00:00"),
            ("3112692359", "2069-12-31T23:59"),
        ] {
            let time = UcpTime::parse(text.as_bytes()).unwrap();
            assert_eq!(time.to_string(), shown);
            assert_eq!(&*time.to_wire().unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        assert_eq!(UcpTime::parse(b""), Err(TimeError::Length(0)));
        assert_eq!(UcpTime::parse(b"01019700001"), Err(TimeError::Length(11)));
        assert_eq!(UcpTime::parse(b"0101970x00"), Err(TimeError::Digit(7)));
        assert_eq!(UcpTime::parse(b"2902250000"), Err(TimeError::Range("day")));
        assert_eq!(UcpTime::parse(b"0113250000"), Err(TimeError::Range("month")));
        assert_eq!(UcpTime::parse(b"010125000060"), Err(TimeError::Range("second")));
        let far = UcpTime { year: 2070, month: 1, day: 1, hour: 0, minute: 0, second: None };
        assert_eq!(far.to_wire(), Err(TimeError::Range("year")));
    }
}
