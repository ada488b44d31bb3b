//! Lists fields by the names of the standard, for people and for JSON.

use super::content::Content;
use super::list::Addresses;
use crate::hex::Hex;
use crate::secret::Secret;
use crate::xser::Xsers;

/// The value of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// A number.
    Integer(u32),
    /// Characters as they stand on the wire.
    Text(&'a [u8]),
    /// What the wire writes in hexadecimal.
    Octets(Hex<'a>),
}

/// Calls back once a field that is not empty, in wire order. Lists give repeated names.
pub(super) struct Visitor<'v> {
    visit: &'v mut dyn FnMut(&str, FieldValue<'_>),
}

impl<'v> Visitor<'v> {
    pub(super) fn new(visit: &'v mut dyn FnMut(&str, FieldValue<'_>)) -> Self {
        Self { visit }
    }

    pub(super) fn text(&mut self, field: &str, _max: usize, text: &[u8]) {
        if !text.is_empty() {
            (self.visit)(field, FieldValue::Text(text));
        }
    }

    pub(super) fn number<T: Into<u16>>(&mut self, field: &str, _width: usize, number: Option<T>) {
        if let Some(number) = number {
            (self.visit)(field, FieldValue::Integer(u32::from(number.into())));
        }
    }

    pub(super) fn digit<T: Into<u8>>(&mut self, field: &str, digit: Option<T>) {
        self.number(field, 1, digit.map(|digit| u16::from(digit.into())));
    }

    pub(super) fn hex(&mut self, field: &str, _max: usize, octets: Hex<'_>) {
        if !octets.is_empty() {
            (self.visit)(field, FieldValue::Octets(octets));
        }
    }

    pub(super) fn secret(&mut self, field: &str, secret: Secret<'_>) {
        self.hex(field, 0, secret.0);
    }

    pub(super) fn content(&mut self, _has_bits: bool, content: Content<'_>) {
        self.digit("MT", content.mt());
        match content {
            Content::Absent => {}
            Content::Numeric(digits) => self.text("NMsg", 0, digits),
            Content::Alphanumeric(data) => self.hex("AMsg", 0, data),
            Content::Transparent { bits, data } => {
                self.number("NB", 4, Some(bits));
                self.hex("TMsg", 0, data);
            }
            Content::Other { message, .. } => self.text("Msg", 0, message),
        }
    }

    pub(super) fn addresses(&mut self, field: &str, list: Addresses<'_>) {
        self.number("NPL", 2, Some(list.count()));
        for address in list.iter() {
            (self.visit)(field, FieldValue::Text(address));
        }
    }

    pub(super) fn xsers(&mut self, field: &str, services: Xsers<'_>) {
        self.text(field, 0, services.well_formed());
    }
}
