//! Extra services (XSer): type, length, value, all in hexadecimal. Reading is lazy and borrows; writing goes
//! through [`XserBuf`], which a sender keeps and clears for the next message.

mod kind;

use std::fmt;

pub use kind::XserType;

use crate::error::EncodeError;
use crate::hex::Hex;

/// Digits that the field may have.
pub(crate) const DIGITS_MAX: usize = 400;

/// One extra service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xser<'a> {
    /// Which one.
    pub kind: XserType,
    /// Its value, uninterpreted.
    pub value: Hex<'a>,
}

/// The extra services of a message, as they came. Order and unknown types are kept; what can't be read as a
/// service any more (other characters, a length over the end) is left out.
#[derive(Clone, Copy, Default)]
pub struct Xsers<'a> {
    digits: &'a [u8],
}

impl<'a> Xsers<'a> {
    /// Reads digits as a list of services.
    #[must_use]
    pub const fn from_digits(digits: &'a [u8]) -> Self {
        Self { digits }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// All services in their order.
    #[must_use]
    pub fn iter(&self) -> XserIter<'a> {
        XserIter { rest: self.digits }
    }

    /// The value of the first service of this type.
    #[must_use]
    pub fn get(&self, kind: XserType) -> Option<Hex<'a>> {
        self.iter().find(|service| service.kind == kind).map(|service| service.value)
    }

    /// The value of the first service of this type, if it is one octet.
    #[must_use]
    pub fn octet(&self, kind: XserType) -> Option<u8> {
        let value = self.get(kind)?;
        value.iter().next().filter(|_| value.len() == 1)
    }

    /// The user data header, its length octet included (type 01).
    #[must_use]
    pub fn udh(&self) -> Option<Hex<'a>> {
        self.get(XserType::UDH)
    }

    /// The data coding scheme (type 02). It counts for more than the field DCs.
    #[must_use]
    pub fn dcs(&self) -> Option<u8> {
        self.octet(XserType::DCS)
    }

    /// The well-formed digits.
    #[must_use]
    pub fn well_formed(&self) -> &'a [u8] {
        let junk = self.junk().len();
        self.digits.get(..self.digits.len().saturating_sub(junk)).unwrap_or_default()
    }

    /// The characters at the end that are no service. Worth one warning a session; not worth a refusal.
    #[must_use]
    pub fn junk(&self) -> &'a [u8] {
        let mut iter = self.iter();
        while iter.next().is_some() {}
        iter.rest
    }
}

impl PartialEq for Xsers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Xsers<'_> {}

impl fmt::Debug for Xsers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Xsers<'a> {
    type Item = Xser<'a>;
    type IntoIter = XserIter<'a>;

    fn into_iter(self) -> XserIter<'a> {
        self.iter()
    }
}

/// Iterator over [`Xsers`].
#[derive(Debug, Clone)]
pub struct XserIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for XserIter<'a> {
    type Item = Xser<'a>;

    fn next(&mut self) -> Option<Xser<'a>> {
        let (head, rest) = self.rest.split_first_chunk::<4>()?;
        let mut head = Hex::from_digits(head)?.iter();
        let (kind, length) = (head.next()?, head.next()?);
        let (value, rest) = rest.split_at_checked(usize::from(length) * 2)?;
        let value = Hex::from_digits(value)?;
        self.rest = rest;
        Some(Xser { kind: XserType(kind), value })
    }
}

/// A list of extra services under construction.
///
/// ```
/// use ucp::XserBuf;
/// let mut services = XserBuf::new();
/// services.push_udh(&[0x05, 0x00, 0x03, 0x02, 0x02, 0x01])?;
/// services.push_dcs(0x08);
/// assert_eq!(services.as_xsers().well_formed(), b"0106050003020201020108");
/// # Ok::<(), ucp::EncodeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XserBuf {
    digits: Vec<u8>,
}

impl XserBuf {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { digits: Vec::new() }
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.digits.clear();
    }

    /// Adds a service.
    ///
    /// # Errors
    /// When the value is longer than 255 octets.
    pub fn push(&mut self, kind: XserType, value: &[u8]) -> Result<(), EncodeError> {
        let Ok(length) = u8::try_from(value.len()) else {
            let field = kind.name().unwrap_or("XSer");
            return Err(EncodeError::TooLong { field, length: value.len(), max: usize::from(u8::MAX) });
        };
        Hex::octets(&[kind.0, length]).write_digits(&mut self.digits);
        Hex::octets(value).write_digits(&mut self.digits);
        Ok(())
    }

    /// Adds a user data header, which begins with its length octet (type 01).
    ///
    /// # Errors
    /// When it is longer than 255 octets.
    pub fn push_udh(&mut self, udh: &[u8]) -> Result<(), EncodeError> {
        self.push(XserType::UDH, udh)
    }

    /// Adds a data coding scheme (type 02).
    pub fn push_dcs(&mut self, dcs: u8) {
        Hex::octets(&[XserType::DCS.0, 1, dcs]).write_digits(&mut self.digits);
    }

    /// What was built, ready to be put into a message.
    #[must_use]
    pub fn as_xsers(&self) -> Xsers<'_> {
        Xsers::from_digits(&self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_in_their_order() {
        let services = Xsers::from_digits(b"0106050003020201020108FF00");
        assert_eq!(services.udh(), Some(Hex::octets(&[5, 0, 3, 2, 2, 1])));
        assert_eq!((services.dcs(), services.octet(XserType::UDH)), (Some(8), None));
        let kinds: Vec<_> = services.iter().map(|service| service.kind.0).collect();
        assert_eq!(kinds, [1, 2, 0xFF]);
        assert!(services.junk().is_empty());
        assert_eq!(format!("{:?}", XserType::DCS), "02(GSM data coding scheme)");
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for junk in [&b"0"[..], b"0106", b"01060500", b"0G0100", b"zz", b"010!"] {
            let digits = [b"020108", junk].concat();
            let services = Xsers::from_digits(&digits);
            assert_eq!((services.junk(), services.dcs()), (junk, Some(8)), "{junk:?}");
            assert_eq!(services.well_formed(), b"020108");
            assert_eq!(services, Xsers::from_digits(b"020108"));
        }
    }

    #[test]
    fn too_long_a_value_is_refused() {
        let mut services = XserBuf::new();
        assert!(services.push(XserType::BILLING, &[0; 256]).is_err());
        assert!(services.as_xsers().is_empty());
        services.push(XserType::BILLING, &[0x41; 255]).unwrap();
        assert_eq!(services.as_xsers().get(XserType::BILLING).unwrap().len(), 255);
    }
}
