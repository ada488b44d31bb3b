//! Takes fields one after the other. Each method matches a kind of field in the tables of operations;
//! [`write`](super::write) and [`fields`](super::fields) have the same methods.
//!
//! Fields that are missing at the end are empty, and those behind the last are ignored: peers do both.

use super::content::{Content, bits_of};
use super::list::Addresses;
use crate::error::DecodeError;
use crate::hex::Hex;
use crate::ot::OperationType;
use crate::secret::Secret;
use crate::xser::Xsers;

pub(super) struct Reader<'a> {
    /// Fields, each with the `/` behind it.
    rest: &'a [u8],
    /// Numbers that can't be read are absent: what an SMSC delivers is not refused over them.
    forgives_numbers: bool,
    /// Texts end where they can't be read any more: a notification says what it says without its text.
    forgives_texts: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(ot: OperationType, data: &'a [u8]) -> Self {
        let notifies =
            matches!(ot, OperationType::NOTIFY | OperationType::INQUIRY_RESPONSE | OperationType::DELETE_RESPONSE);
        Self { rest: data, forgives_numbers: notifies || ot == OperationType::DELIVER, forgives_texts: notifies }
    }

    /// The next field as it is.
    #[inline]
    pub(super) fn next(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|&octet| octet == b'/').unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest.get(1..).unwrap_or_default();
        field
    }

    /// Whether all fields have been taken.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn text(&mut self, _field: &'static str, _max: usize) -> Result<&'a [u8], DecodeError> {
        Ok(self.next())
    }

    /// A number of any width.
    #[inline]
    pub(super) fn number<T: From<u16>>(
        &mut self,
        field: &'static str,
        _width: usize,
    ) -> Result<Option<T>, DecodeError> {
        match (self.next(), self.forgives_numbers) {
            (b"", _) => Ok(None),
            (text, true) => Ok(parse(text).map(T::from)),
            (text, false) => parse(text).map(|number| Some(T::from(number))).ok_or(DecodeError::NotANumber { field }),
        }
    }

    /// A number of one digit; more are taken.
    #[inline]
    pub(super) fn digit<T: From<u8>>(&mut self, field: &'static str) -> Result<Option<T>, DecodeError> {
        match self.rest {
            // Most are absent, or as they should be.
            [b'/', rest @ ..] => {
                self.rest = rest;
                Ok(None)
            }
            [digit @ b'0'..=b'9', b'/', rest @ ..] => {
                self.rest = rest;
                Ok(Some(T::from(digit - b'0')))
            }
            _ => match (self.number::<u16>(field, 1)?.map(u8::try_from), self.forgives_numbers) {
                (Some(Ok(number)), _) => Ok(Some(T::from(number))),
                (None, _) | (_, true) => Ok(None),
                (Some(Err(_)), false) => Err(DecodeError::NotANumber { field }),
            },
        }
    }

    #[inline]
    pub(super) fn hex(&mut self, field: &'static str, _max: usize) -> Result<Hex<'a>, DecodeError> {
        let digits = self.next();
        if self.forgives_texts {
            return Ok(Hex::from_good_digits(digits));
        }
        Hex::from_digits(digits).ok_or(DecodeError::NotHex { field })
    }

    pub(super) fn secret(&mut self, field: &'static str) -> Result<Secret<'a>, DecodeError> {
        self.hex(field, 0).map(Secret)
    }

    /// MT, NB and the message.
    #[inline]
    pub(super) fn content(&mut self, has_bits: bool) -> Result<Content<'a>, DecodeError> {
        let mt = self.digit::<u8>("MT")?;
        let bits = if has_bits { self.number::<u16>("NB", 4)? } else { None };
        match mt {
            Some(2) => Ok(Content::Numeric(self.next())),
            Some(3) => Ok(Content::Alphanumeric(self.hex("AMsg", 0)?)),
            Some(4) => {
                let data = self.hex("TMsg", 0)?;
                Ok(Content::Transparent { bits: bits.unwrap_or(bits_of(data.len())), data })
            }
            mt => match (mt, self.next()) {
                (None, b"") => Ok(Content::Absent),
                (mt, message) => Ok(Content::Other { mt, message }),
            },
        }
    }

    /// NPL and as many addresses.
    pub(super) fn addresses(&mut self, _field: &'static str) -> Result<Addresses<'a>, DecodeError> {
        let count = self.number::<u16>("NPL", 2)?.unwrap_or_default();
        let start = self.rest;
        let available = start.iter().filter(|&&octet| octet == b'/').count();
        if usize::from(count) > available {
            return Err(DecodeError::ListLength { claimed: count, available });
        }
        for _ in 0..count {
            self.next();
        }
        let raw = start.get(..start.len() - self.rest.len()).unwrap_or_default();
        Ok(Addresses::trusted(count, raw))
    }

    #[inline]
    pub(super) fn xsers(&mut self, _field: &'static str) -> Result<Xsers<'a>, DecodeError> {
        Ok(Xsers::from_digits(self.next()))
    }
}

/// A number of at most five digits.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 5 {
        return None;
    }
    let number =
        text.iter().try_fold(0u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))?;
    u16::try_from(number).ok()
}
