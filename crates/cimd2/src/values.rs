//! The values of parameters that are more than a number or a string.

use std::fmt;
use std::ops::BitOr;

use crate::parameter::{ParameterIter, Parameters, Tag};

/// Octets that travel as hexadecimal digits: as they came, or as they are to be sent. Empty is the same as absent.
#[derive(Clone, Copy, Default)]
pub struct Octets<'a> {
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Plain(&'a [u8]),
    /// An even number of digits, all hexadecimal.
    Hex(&'a [u8]),
}

impl Default for Source<'_> {
    fn default() -> Self {
        Self::Plain(b"")
    }
}

impl<'a> Octets<'a> {
    /// Octets to be sent.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { source: Source::Plain(octets) }
    }

    /// Octets that digits of either case stand for; `None` if there is anything else, or an odd number of digits.
    #[must_use]
    pub fn from_hex(digits: &'a [u8]) -> Option<Self> {
        let good = digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
        good.then_some(Self { source: Source::Hex(digits) })
    }

    /// How many octets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.source {
            Source::Plain(octets) => octets.len(),
            Source::Hex(digits) => digits.len() / 2,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets one by one.
    pub fn iter(&self) -> impl Iterator<Item = u8> + 'a {
        let (plain, digits) = match self.source {
            Source::Plain(octets) => (octets, &b""[..]),
            Source::Hex(digits) => (&b""[..], digits),
        };
        let pairs = digits.chunks_exact(2).map(|pair| match pair {
            [high, low] => hex_value(*high) << 4 | hex_value(*low),
            _ => 0,
        });
        plain.iter().copied().chain(pairs)
    }

    /// The octets together.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.iter().collect()
    }

    /// Appends upper-case digits.
    pub(crate) fn write_hex(&self, out: &mut Vec<u8>) {
        match self.source {
            Source::Plain(octets) => out.extend(octets.iter().flat_map(|&octet| hex_digits(octet))),
            Source::Hex(digits) => out.extend_from_slice(digits),
        }
    }
}

impl PartialEq for Octets<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Octets<'_> {}

impl fmt::Debug for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// The value of one hexadecimal digit; 0 for anything else.
fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// Two upper-case digits.
pub(crate) fn hex_digits(octet: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]
}

/// The number that two hexadecimal digits stand for.
pub(crate) fn hex_pair(digits: &[u8]) -> Option<u8> {
    match digits {
        [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some(hex_value(*high) << 4 | hex_value(*low))
        }
        _ => None,
    }
}

/// The values of a parameter that may be repeated: the destinations of a submission.
#[derive(Clone, Copy, Default)]
pub struct Values<'a> {
    list: List<'a>,
}

#[derive(Clone, Copy, Default)]
enum List<'a> {
    #[default]
    None,
    One(&'a [u8]),
    Many(&'a [&'a [u8]]),
    Wire(Parameters<'a>, Tag),
}

impl<'a> Values<'a> {
    /// A single value, which is how it usually is.
    #[must_use]
    pub const fn one(value: &'a [u8]) -> Self {
        Self { list: List::One(value) }
    }

    /// Several values.
    #[must_use]
    pub const fn many(values: &'a [&'a [u8]]) -> Self {
        Self { list: List::Many(values) }
    }

    pub(crate) const fn from_wire(all: Parameters<'a>, tag: Tag) -> Self {
        Self { list: List::Wire(all, tag) }
    }

    /// The first value; empty if there is none.
    #[must_use]
    pub fn first(&self) -> &'a [u8] {
        self.iter().next().unwrap_or_default()
    }

    /// Every value.
    #[must_use]
    pub fn iter(&self) -> ValueIter<'a> {
        match self.list {
            List::None => ValueIter { plain: None, many: [].iter(), wire: None },
            List::One(value) => ValueIter { plain: Some(value), many: [].iter(), wire: None },
            List::Many(values) => ValueIter { plain: None, many: values.iter(), wire: None },
            List::Wire(all, tag) => ValueIter { plain: None, many: [].iter(), wire: Some((all.iter(), tag)) },
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'a> IntoIterator for Values<'a> {
    type Item = &'a [u8];
    type IntoIter = ValueIter<'a>;

    fn into_iter(self) -> ValueIter<'a> {
        self.iter()
    }
}

impl PartialEq for Values<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Values<'_> {}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// Goes through [`Values`].
#[derive(Debug, Clone)]
pub struct ValueIter<'a> {
    plain: Option<&'a [u8]>,
    many: std::slice::Iter<'a, &'a [u8]>,
    wire: Option<(ParameterIter<'a>, Tag)>,
}

impl<'a> Iterator for ValueIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if let Some((parameters, tag)) = &mut self.wire {
            return parameters.find(|parameter| parameter.tag == *tag).map(|parameter| parameter.value);
        }
        self.plain.take().or_else(|| self.many.next().copied())
    }
}

/// A password, which is not shown.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Secret<'a>(pub &'a [u8]);

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Which ends of a message a status report is wanted for (056): a sum of bits. 0 asks for none, where the account's
/// profile would otherwise have some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct StatusReports(pub u8);

impl StatusReports {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// An attempt has failed, and more will be made.
    pub const TEMPORARY_ERROR: Self = Self(1);
    /// The validity period is over.
    pub const EXPIRED: Self = Self(2);
    /// The delivery has failed for good.
    pub const FAILED: Self = Self(4);
    /// It was delivered.
    pub const DELIVERED: Self = Self(8);
    /// It was cancelled.
    pub const CANCELLED: Self = Self(16);
    /// An operator has deleted it.
    pub const DELETED: Self = Self(32);
    /// Every way in which a message can end.
    pub const FINAL: Self = Self(62);
    /// All that there are.
    pub const ALL: Self = Self(63);

    /// Whether all of these are asked for.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl BitOr for StatusReports {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_the_same_however_they_are_written() {
        let wire = Octets::from_hex(b"00fFa1").unwrap();
        assert_eq!(wire, Octets::new(&[0, 255, 0xA1]));
        assert_eq!((wire.len(), wire.to_vec()), (3, vec![0, 255, 0xA1]));
        let mut out = Vec::new();
        Octets::new(&[0, 0xAB]).write_hex(&mut out);
        assert_eq!((&out[..], format!("{wire:?}").as_str()), (&b"00AB"[..], "00FFA1"));
        assert_eq!((Octets::from_hex(b"0"), Octets::from_hex(b"0x")), (None, None));
    }

    #[test]
    fn values_come_from_anywhere() {
        let raw = Parameters::from_raw(b"021:1\t023:9\t021:22\t");
        let wire = Values::from_wire(raw, Tag::DESTINATION);
        assert_eq!(wire, Values::many(&[b"1", b"22"]));
        assert_eq!((wire.len(), wire.first()), (2, &b"1"[..]));
        assert_eq!(Values::one(b"5").iter().collect::<Vec<_>>(), [b"5"]);
        assert!(Values::default().is_empty() && Values::default().first().is_empty());
    }

    #[test]
    fn reports_are_bits() {
        assert_eq!(StatusReports::EXPIRED | StatusReports::FAILED | StatusReports::DELIVERED, StatusReports(14));
        assert!(StatusReports::FINAL.contains(StatusReports(14)) && !StatusReports(14).contains(StatusReports::FINAL));
    }
}
