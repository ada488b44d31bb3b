//! Octets that the wire writes as two hexadecimal digits each: texts, passwords, extra services.

use std::fmt;

/// Octets, either as they came in hexadecimal digits or as a sender has them: neither way needs a copy. Two of
/// them are equal when their octets are.
#[derive(Clone, Copy)]
pub struct Hex<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// An even number of hexadecimal digits, checked.
    Digits(&'a [u8]),
    Octets(&'a [u8]),
}

impl<'a> Hex<'a> {
    /// Octets to be sent.
    #[must_use]
    pub const fn octets(octets: &'a [u8]) -> Self {
        Self(Form::Octets(octets))
    }

    /// Digits as on the wire, of either case; `None` if they are no pairs of hexadecimal digits.
    #[inline]
    #[must_use]
    pub fn from_digits(digits: &'a [u8]) -> Option<Self> {
        let all = digits.iter().fold(0, |all, &digit| all | VALUES[usize::from(digit)]);
        (all & 0xF0 == 0 && digits.len().is_multiple_of(2)).then_some(Self(Form::Digits(digits)))
    }

    /// As much of the digits as are pairs of hexadecimal digits.
    #[must_use]
    pub fn from_good_digits(digits: &'a [u8]) -> Self {
        let good = digits.iter().take_while(|digit| digit.is_ascii_hexdigit()).count();
        Self(Form::Digits(digits.get(..good & !1).unwrap_or_default()))
    }

    /// How many octets there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.0 {
            Form::Digits(digits) => digits.len() / 2,
            Form::Octets(octets) => octets.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u8> + Clone + use<'a> {
        let (digits, octets) = match self.0 {
            Form::Digits(digits) => (digits.as_chunks::<2>().0, &[][..]),
            Form::Octets(octets) => (&[][..], octets),
        };
        Octets { digits: digits.iter(), octets: octets.iter() }
    }

    /// Appends the octets.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Digits(digits) => out.extend(digits.as_chunks::<2>().0.iter().map(octet)),
            Form::Octets(octets) => out.extend_from_slice(octets),
        }
    }

    /// The octets.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.len());
        self.append_to(&mut octets);
        octets
    }

    /// Octets `from` to `to`, fewer if there are not so many.
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        match self.0 {
            Form::Digits(digits) => Self(Form::Digits(digits.get(from * 2..to * 2).unwrap_or_default())),
            Form::Octets(octets) => Self(Form::Octets(octets.get(from..to).unwrap_or_default())),
        }
    }

    /// Appends the digits: upper case, or as they came.
    #[inline]
    pub(crate) fn write_digits(&self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Digits(digits) => out.extend_from_slice(digits),
            Form::Octets(octets) => {
                let start = out.len();
                out.resize(start + octets.len() * 2, 0);
                let places = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<2>().0;
                for (place, &octet) in places.iter_mut().zip(octets) {
                    *place = pair(octet);
                }
            }
        }
    }
}

impl Default for Hex<'_> {
    fn default() -> Self {
        Self::octets(b"")
    }
}

impl PartialEq for Hex<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Hex<'_> {}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// The two upper-case digits of an octet.
#[inline]
pub(crate) fn pair(octet: u8) -> [u8; 2] {
    [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]
}

/// The octet that two digits of either case stand for; `None` if they are none.
#[inline]
pub(crate) fn from_pair(pair: &[u8; 2]) -> Option<u8> {
    let [high, low] = pair.map(|digit| VALUES[usize::from(digit)]);
    (high != NONE && low != NONE).then_some(high << 4 | low)
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
/// What is no digit: it has the high bits set, which no value of a digit has.
const NONE: u8 = 0xFF;
static VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        let digit = DIGITS[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_lowercase() as usize] = value;
        value += 1;
    }
    values
}

/// Of digits that were checked.
#[inline]
fn octet(pair: &[u8; 2]) -> u8 {
    VALUES[usize::from(pair[0])] << 4 | VALUES[usize::from(pair[1])] & 15
}

/// One of the two is empty.
#[derive(Clone)]
struct Octets<'a> {
    digits: std::slice::Iter<'a, [u8; 2]>,
    octets: std::slice::Iter<'a, u8>,
}

impl Iterator for Octets<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        match self.digits.next() {
            Some(pair) => Some(octet(pair)),
            None => self.octets.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.digits.len() + self.octets.len();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Octets<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same() {
        let digits = Hex::from_digits(b"00fF1b65").unwrap();
        let octets = Hex::octets(&[0, 0xFF, 0x1B, 0x65]);
        assert_eq!(digits, octets);
        assert_eq!(digits.to_vec(), octets.to_vec());
        assert_eq!((digits.slice(1, 3), digits.slice(3, 9)), (octets.slice(1, 3), Hex::octets(&[0x65])));
        assert_eq!(digits.slice(7, 2), Hex::default());
        let mut out = Vec::new();
        octets.write_digits(&mut out);
        assert_eq!(out, b"00FF1B65");
        assert_eq!(format!("{digits:?}"), "00FF1B65");
    }

    #[test]
    fn only_pairs_of_digits_are_taken() {
        for bad in [&b"0"[..], b"0G", b"12 4", b"\xFF\xFF", b"000"] {
            assert_eq!(Hex::from_digits(bad), None, "{bad:?}");
        }
        assert_eq!(Hex::from_digits(b""), Some(Hex::default()));
        assert_eq!(Hex::from_good_digits(b"41424"), Hex::octets(b"AB"));
        assert_eq!(Hex::from_good_digits(b"4142-3"), Hex::octets(b"AB"));
        assert_eq!(from_pair(b"aF"), Some(0xAF));
        assert_eq!((from_pair(b"g0"), from_pair(b"0 ")), (None, None));
        for octet in 0..=255 {
            assert_eq!(from_pair(&pair(octet)), Some(octet));
        }
    }
}
