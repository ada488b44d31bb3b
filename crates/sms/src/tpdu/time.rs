//! Time stamps of seven octets: swapped digits and a zone (3GPP 23.040 §9.2.3.11).

use crate::DateTime;

/// A local time and how far it is ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// Local date and time of the SMSC. Years 70 to 99 are of the 20th century.
    pub local: DateTime,
    /// Quarters of an hour ahead of UTC, -79 to 79.
    pub offset_quarters: i8,
}

impl Timestamp {
    /// Decodes the octets; `None` if they are no decimal digits or no date that exists.
    pub fn decode(octets: &[u8; 7]) -> Option<Self> {
        let &[year, month, day, hour, minute, second, zone] = octets;
        let local = DateTime::new(
            DateTime::year_of_two_digits(swapped(year)?),
            swapped(month)?,
            swapped(day)?,
            swapped(hour)?,
            swapped(minute)?,
            swapped(second)?,
        )?;
        // Bit 3 is the sign, which belongs to the tens.
        let quarters = swapped(zone & !0x08)? as i8;
        Some(Self { local, offset_quarters: if zone & 0x08 == 0 { quarters } else { -quarters } })
    }

    /// Encodes it. The year keeps its last two digits, and the offset is held within ±79.
    pub fn encode(&self) -> [u8; 7] {
        let local = self.local;
        let quarters = self.offset_quarters.unsigned_abs().min(79);
        let sign = if self.offset_quarters < 0 { 0x08 } else { 0 };
        [
            swap((local.year() % 100) as u8),
            swap(local.month()),
            swap(local.day()),
            swap(local.hour()),
            swap(local.minute()),
            swap(local.second()),
            swap(quarters) | sign,
        ]
    }

    /// Seconds since 1970.
    pub fn unix_seconds(&self) -> i64 {
        self.local.unix_seconds() - i64::from(self.offset_quarters) * 900
    }

    /// The octets of a stamp that may be unknown; unknown is all zeros.
    pub(super) fn encode_optional(stamp: Option<&Self>) -> [u8; 7] {
        stamp.map_or([0; 7], Self::encode)
    }
}

/// Two decimal digits, the first in the low half.
pub(super) fn swapped(octet: u8) -> Option<u8> {
    let (tens, ones) = (octet & 0x0F, octet >> 4);
    (tens <= 9 && ones <= 9).then_some(tens * 10 + ones)
}

/// The opposite, for values up to 99.
pub(super) const fn swap(value: u8) -> u8 {
    (value / 10) | ((value % 10) << 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_count_quarters_with_a_sign() {
        let quarters = |zone| Timestamp::decode(&[0x51, 0x11, 0x72, 0, 0, 0, zone]).map(|stamp| stamp.offset_quarters);
        assert_eq!(quarters(0x40), Some(4));
        assert_eq!(quarters(0x8A), Some(-28));
        assert_eq!(quarters(0x0A), Some(-20));
        assert_eq!(quarters(0xA0), None);
    }

    #[test]
    fn unix_seconds_account_for_the_zone() {
        let stamp = Timestamp::decode(&[0x51, 0x11, 0x72, 0x20, 0, 0, 0x80]).expect("a stamp");
        let utc = DateTime::new(2015, 11, 27, 0, 0, 0).expect("a date");
        assert_eq!(stamp.unix_seconds(), utc.unix_seconds());
    }
}
