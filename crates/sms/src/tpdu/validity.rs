//! How long the SMSC should try (3GPP 23.040 §9.2.3.12).

use std::time::Duration;

use super::TpduError;
use super::reader::Reader;
use super::time::{Timestamp, swap, swapped};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// TP-VP, in each of its formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Validity {
    /// Not given: as the SMSC likes.
    #[default]
    Unspecified,
    /// From the moment that the SMSC has it, as one octet; see [`Validity::duration`].
    Relative(u8),
    /// Until a moment; `None` if the octets were no date.
    Absolute(Option<Timestamp>),
    /// The enhanced format.
    Enhanced(EnhancedValidity),
}

/// The enhanced format, kept as its seven octets (§9.2.3.12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedValidity(pub [u8; 7]);

impl Validity {
    /// The longest relative period that does not exceed a duration: 5 minutes at least, 63 weeks
    /// at most.
    pub const fn relative(duration: Duration) -> Self {
        let seconds = duration.as_secs();
        let octet = if seconds < 5 * MINUTE {
            0
        } else if seconds < 12 * HOUR + 30 * MINUTE {
            at_most(seconds / (5 * MINUTE) - 1, 143)
        } else if seconds < 2 * DAY {
            at_most(143 + (seconds - 12 * HOUR) / (30 * MINUTE), 167)
        } else if seconds < 5 * WEEK {
            at_most(166 + seconds / DAY, 196)
        } else {
            at_most(192 + seconds / WEEK, 255)
        };
        Self::Relative(octet as u8)
    }

    /// How long it is, for formats that count from the SMSC's taking the message; `None` for
    /// absolute and unspecified ones.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Unspecified | Self::Absolute(_) => None,
            Self::Relative(octet) => Some(relative_duration(*octet)),
            Self::Enhanced(enhanced) => enhanced.duration(),
        }
    }

    /// TP-VPF, in the bits 4 and 3 where the first octet has them.
    pub(super) const fn format_bits(&self) -> u8 {
        match self {
            Self::Unspecified => 0x00,
            Self::Enhanced(_) => 0x08,
            Self::Relative(_) => 0x10,
            Self::Absolute(_) => 0x18,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, first_octet: u8) -> Result<Self, TpduError> {
        const FIELD: &str = "TP-VP";
        Ok(match first_octet & 0x18 {
            0x00 => Self::Unspecified,
            0x08 => Self::Enhanced(EnhancedValidity(reader.array(FIELD)?)),
            0x10 => Self::Relative(reader.octet(FIELD)?),
            _ => Self::Absolute(Timestamp::decode(&reader.array(FIELD)?)),
        })
    }

    pub(super) fn write(&self, octets: &mut Vec<u8>) {
        match self {
            Self::Unspecified => {}
            Self::Relative(octet) => octets.push(*octet),
            Self::Absolute(stamp) => octets.extend_from_slice(&Timestamp::encode_optional(stamp.as_ref())),
            Self::Enhanced(EnhancedValidity(enhanced)) => octets.extend_from_slice(enhanced),
        }
    }
}

impl EnhancedValidity {
    /// A period in seconds; beyond 255 in hours, minutes and seconds, up to 99:59:59.
    pub fn new(duration: Duration) -> Self {
        let seconds = duration.as_secs();
        if let Ok(octet) = u8::try_from(seconds) {
            return Self([2, octet, 0, 0, 0, 0, 0]);
        }
        let seconds = seconds.min(99 * HOUR + 59 * MINUTE + 59);
        let (hours, minutes) = ((seconds / HOUR) as u8, (seconds / MINUTE % 60) as u8);
        Self([3, swap(hours), swap(minutes), swap((seconds % 60) as u8), 0, 0, 0])
    }

    /// The period; `None` if none is given, or in a reserved format.
    pub fn duration(&self) -> Option<Duration> {
        let Self([indicator, one, two, three, ..]) = *self;
        match indicator & 7 {
            1 => Some(relative_duration(one)),
            2 => Some(Duration::from_secs(one.into())),
            3 => {
                let (hours, minutes, seconds) = (swapped(one)?, swapped(two)?, swapped(three)?);
                let total = u64::from(hours) * HOUR + u64::from(minutes) * MINUTE + u64::from(seconds);
                Some(Duration::from_secs(total))
            }
            _ => None,
        }
    }

    /// Whether the SMSC should try once only.
    pub const fn single_shot(&self) -> bool {
        self.0[0] & 0x40 != 0
    }
}

const fn at_most(value: u64, limit: u64) -> u64 {
    if value < limit { value } else { limit }
}

fn relative_duration(octet: u8) -> Duration {
    let value = u64::from(octet);
    Duration::from_secs(match octet {
        0..=143 => (value + 1) * 5 * MINUTE,
        144..=167 => 12 * HOUR + (value - 143) * 30 * MINUTE,
        168..=196 => (value - 166) * DAY,
        197..=255 => (value - 192) * WEEK,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_comes_back_from_its_duration() {
        for octet in 0..=255 {
            let duration = Validity::Relative(octet).duration().expect("a duration");
            assert_eq!(Validity::relative(duration), Validity::Relative(octet));
            if octet > 0 {
                let shorter = duration - Duration::from_secs(1);
                assert_eq!(Validity::relative(shorter), Validity::Relative(octet - 1));
            }
        }
        assert_eq!(Validity::relative(Duration::ZERO), Validity::Relative(0));
        assert_eq!(Validity::relative(Duration::MAX), Validity::Relative(255));
    }

    #[test]
    fn enhanced_periods_come_back() {
        for seconds in [0, 30, 255, 256, 3 * HOUR + 25, 99 * HOUR] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(EnhancedValidity::new(duration).duration(), Some(duration));
        }
        assert_eq!(EnhancedValidity([1, 1, 0, 0, 0, 0, 0]).duration(), Some(Duration::from_secs(600)));
        assert_eq!(EnhancedValidity([0; 7]).duration(), None);
        assert_eq!(EnhancedValidity([3, 0xAA, 0, 0, 0, 0, 0]).duration(), None);
    }
}
