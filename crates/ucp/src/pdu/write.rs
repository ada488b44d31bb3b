//! Writes fields one after the other, and checks that the wire can carry them.

use super::content::Content;
use super::list::Addresses;
use crate::error::EncodeError;
use crate::hex::Hex;
use crate::secret::Secret;
use crate::xser::{self, Xsers};

/// Octets of the longest alphanumeric message.
const ALPHANUMERIC_MAX: usize = 320;
/// Octets of the longest transparent message: 1,400 bits.
const TRANSPARENT_MAX: usize = 175;
/// Digits of the longest numeric message.
const NUMERIC_MAX: usize = 160;
/// Characters of an address in a list.
pub(super) const ADDRESS_MAX: usize = 16;
/// Octets of the longest password. The standard has 16 characters, SMSCs do not keep to it.
const SECRET_MAX: usize = 64;

pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    #[inline]
    pub(super) fn text(&mut self, field: &'static str, max: usize, text: &[u8]) -> Result<(), EncodeError> {
        if !text.is_empty() {
            check_text(field, max, text)?;
            self.out.extend_from_slice(text);
        }
        self.end();
        Ok(())
    }

    /// A number with zeros in front.
    #[inline]
    pub(super) fn number<T: Into<u16>>(
        &mut self,
        field: &'static str,
        width: usize,
        number: Option<T>,
    ) -> Result<(), EncodeError> {
        if let Some(number) = number {
            self.put_number(field, width, number.into())?;
        }
        self.end();
        Ok(())
    }

    #[inline]
    pub(super) fn digit<T: Into<u8>>(&mut self, field: &'static str, digit: Option<T>) -> Result<(), EncodeError> {
        match digit.map(Into::into) {
            Some(digit @ 0..=9) => self.out.extend_from_slice(&[b'0' + digit, b'/']),
            Some(10..) => return Err(EncodeError::TooLong { field, length: 2, max: 1 }),
            None => self.end(),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn hex(&mut self, field: &'static str, max: usize, octets: Hex<'_>) -> Result<(), EncodeError> {
        if octets.len() > max {
            return Err(EncodeError::TooLong { field, length: octets.len(), max });
        }
        octets.write_digits(self.out);
        self.end();
        Ok(())
    }

    pub(super) fn secret(&mut self, field: &'static str, secret: Secret<'_>) -> Result<(), EncodeError> {
        self.hex(field, SECRET_MAX, secret.0)
    }

    #[inline]
    pub(super) fn content(&mut self, has_bits: bool, content: Content<'_>) -> Result<(), EncodeError> {
        self.digit("MT", content.mt())?;
        if has_bits {
            let bits = match content {
                Content::Transparent { bits, .. } => Some(bits),
                _ => None,
            };
            self.number("NB", 4, bits)?;
        }
        match content {
            Content::Absent => self.end(),
            Content::Numeric(digits) => self.text("NMsg", NUMERIC_MAX, digits)?,
            Content::Alphanumeric(data) => self.hex("AMsg", ALPHANUMERIC_MAX, data)?,
            Content::Transparent { data, .. } => self.hex("TMsg", TRANSPARENT_MAX, data)?,
            Content::Other { .. } => return Err(EncodeError::MessageType),
        }
        Ok(())
    }

    pub(super) fn addresses(&mut self, field: &'static str, list: Addresses<'_>) -> Result<(), EncodeError> {
        let width = if list.count() > 9 { 2 } else { 1 };
        self.number("NPL", width, Some(list.count()))?;
        // One that was read may hold anything.
        list.iter().try_for_each(|address| self.text(field, ADDRESS_MAX, address))
    }

    #[inline]
    pub(super) fn xsers(&mut self, field: &'static str, services: Xsers<'_>) -> Result<(), EncodeError> {
        let digits = services.well_formed();
        if digits.len() > xser::DIGITS_MAX {
            return Err(EncodeError::TooLong { field, length: digits.len(), max: xser::DIGITS_MAX });
        }
        self.out.extend_from_slice(digits);
        self.end();
        Ok(())
    }

    /// Fields of an operation that is not known, each with its `/`.
    pub(super) fn raw(&mut self, data: &[u8]) -> Result<(), EncodeError> {
        for field in data.split(|&octet| octet == b'/') {
            check_text("data", usize::MAX, field)?;
        }
        self.out.extend_from_slice(data);
        if data.last().is_some_and(|&last| last != b'/') {
            self.end();
        }
        Ok(())
    }

    /// A number that ends without a `/`.
    fn put_number(&mut self, field: &'static str, width: usize, number: u16) -> Result<(), EncodeError> {
        let mut digits = [0; 5];
        let mut left = number;
        for place in digits.iter_mut().rev() {
            *place = b'0' + u8::try_from(left % 10).unwrap_or_default();
            left /= 10;
        }
        let (surplus, used) = digits.split_at_checked(digits.len().saturating_sub(width)).unwrap_or_default();
        if surplus.iter().any(|&digit| digit != b'0') {
            let length = 5 - digits.iter().take_while(|&&digit| digit == b'0').count();
            return Err(EncodeError::TooLong { field, length, max: width });
        }
        self.out.extend_from_slice(used);
        Ok(())
    }

    #[inline]
    fn end(&mut self) {
        self.out.push(b'/');
    }
}

/// Whether a field can carry a text.
#[inline]
pub(super) fn check_text(field: &'static str, max: usize, text: &[u8]) -> Result<(), EncodeError> {
    if text.len() > max {
        return Err(EncodeError::TooLong { field, length: text.len(), max });
    }
    match text.iter().find(|&&octet| !matches!(octet, b' '..=b'~') || octet == b'/') {
        Some(&octet) => Err(EncodeError::Character { field, octet }),
        None => Ok(()),
    }
}
