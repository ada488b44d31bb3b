//! The dates in receipts: 10 digits by the standard, 12, 14 or 16 characters in the field.

use crate::DateTime;

/// A date of a receipt. SMSCs write their local time, and nearly always without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReceiptDate {
    /// The date and time as written.
    pub local: DateTime,
    /// Quarters of an hour that it is ahead of UTC, where the text says so.
    pub offset_quarters: Option<i8>,
}

impl ReceiptDate {
    /// Seconds since 1970, with the SMSC's offset in seconds for dates that give none.
    pub fn unix_seconds(&self, smsc_offset: i32) -> i64 {
        let offset = match self.offset_quarters {
            Some(quarters) => i64::from(quarters) * 900,
            None => i64::from(smsc_offset),
        };
        self.local.unix_seconds() - offset
    }
}

/// Reads a date:
///
/// - 10 digits: `YYMMDDhhmm`,
/// - 12 digits: `YYMMDDhhmmss` or `CCYYMMDDhhmm`; where both exist, the one nearer to `arrival`,
///   the moment that the receipt came, in seconds since 1970,
/// - 14 digits: `CCYYMMDDhhmmss`,
/// - 16 characters: SMPP absolute time, `YYMMDDhhmmsstnnp` (SMPP 3.4 §7.1.1).
///
/// `None` for anything else, and for dates that the calendar lacks, like ten zeros.
pub fn parse_date(text: &[u8], arrival: i64) -> Option<ReceiptDate> {
    let text = text.trim_ascii();
    if let &[ref time @ .., tenths, n1, n0, sign @ (b'+' | b'-')] = text {
        let offset = two_digits(n1, n0).filter(|&quarters| quarters <= 48 && tenths.is_ascii_digit())? as i8;
        let offset_quarters = Some(if sign == b'-' { -offset } else { offset });
        let local = read(Layout::ShortYear, time, 6)?;
        return Some(ReceiptDate { local, offset_quarters });
    }
    let local = match text.len() {
        10 => read(Layout::ShortYear, text, 5),
        12 => nearer(read(Layout::ShortYear, text, 6), read(Layout::LongYear, text, 6), arrival),
        14 => read(Layout::LongYear, text, 7),
        _ => None,
    }?;
    Some(ReceiptDate { local, offset_quarters: None })
}

#[derive(Clone, Copy)]
enum Layout {
    ShortYear,
    LongYear,
}

/// Reads exactly `pairs` pairs of digits; fields beyond them are zero.
fn read(layout: Layout, text: &[u8], pairs: usize) -> Option<DateTime> {
    let (chunks, rest) = text.as_chunks::<2>();
    if chunks.len() != pairs || !rest.is_empty() {
        return None;
    }
    let mut fields = [0; 7];
    for (field, &[high, low]) in fields.iter_mut().zip(chunks) {
        *field = two_digits(high, low)?;
    }
    let [a, b, c, d, e, f, g] = fields;
    match layout {
        Layout::ShortYear => DateTime::new(DateTime::year_of_two_digits(a), b, c, d, e, f),
        Layout::LongYear => DateTime::new(u16::from(a) * 100 + u16::from(b), c, d, e, f, g),
    }
}

fn nearer(one: Option<DateTime>, other: Option<DateTime>, arrival: i64) -> Option<DateTime> {
    let distance = |date: &DateTime| date.unix_seconds().abs_diff(arrival);
    one.into_iter().chain(other).min_by_key(distance)
}

fn two_digits(high: u8, low: u8) -> Option<u8> {
    (high.is_ascii_digit() && low.is_ascii_digit()).then(|| (high - b'0') * 10 + low - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, arrival: &str) -> Option<String> {
        let arrival = parse_date(arrival.as_bytes(), 0).expect("an arrival").unix_seconds(0);
        parse_date(text.as_bytes(), arrival).map(|date| date.local.to_string())
    }

    #[test]
    fn every_length_is_read() {
        let arrival = "20150620164500";
        assert_eq!(shown("1506201641", arrival).as_deref(), Some("2015-06-20T16:41:00"));
        assert_eq!(shown("150620164103", arrival).as_deref(), Some("2015-06-20T16:41:03"));
        assert_eq!(shown("20150620164103", arrival).as_deref(), Some("2015-06-20T16:41:03"));
        assert_eq!(shown("7001010000", arrival).as_deref(), Some("1970-01-01T00:00:00"));
    }

    #[test]
    fn twelve_digits_are_read_as_the_nearer_date() {
        assert_eq!(shown("201206201641", "20120620170000").as_deref(), Some("2012-06-20T16:41:00"));
        assert_eq!(shown("201206201641", "20201206201700").as_deref(), Some("2020-12-06T20:16:41"));
        // Only one of the readings has a month that exists.
        assert_eq!(shown("201506201641", "20200101000000").as_deref(), Some("2015-06-20T16:41:00"));
    }

    #[test]
    fn absolute_times_bring_their_offset() {
        let date = parse_date(b"111019080000704-", 0).expect("a date");
        assert_eq!(date.offset_quarters, Some(-4));
        assert_eq!(date.unix_seconds(7200), DateTime::new(2011, 10, 19, 9, 0, 0).expect("a date").unix_seconds());
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "0000000000", "20150620", "abcdefghij", "1513201641", "020610233429000R", "150620164103x00+"] {
            assert_eq!(parse_date(text.as_bytes(), 0), None, "{text}");
        }
    }
}
