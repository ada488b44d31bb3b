//! Parameters: `PPP:value` and a TAB, in any order, some of them repeated.

use std::fmt;

use crate::error::EncodeError;
use crate::frame::TAB;
use crate::values::Octets;

/// The number of a parameter as on the wire, 0–999. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Tag(pub u16);

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// A decimal number; leading zeros mean nothing.
    Integer,
    /// Characters.
    Text,
    /// The digits of an address; some peers put a `+` before them.
    Address,
    /// `YYMMDDhhmmss`, see [`AbsoluteTime`](crate::AbsoluteTime).
    Time,
    /// Octets as hexadecimal digits.
    Hex,
    /// The text of a message in its special notation, see [`septets`](crate::septets).
    UserData,
}

macro_rules! tags {
    ($($name:ident = $number:literal, $text:literal, $kind:ident, $max:literal;)*) => {
        impl Tag {
            $(#[doc = concat!("`", $text, "`, at most ", $max, " characters")]
            pub const $name: Self = Self($number);)*

            /// What the parameter is called; `None` for unknown numbers.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// What its values are made of; text for unknown numbers.
            #[must_use]
            pub fn kind(self) -> TagKind {
                match self.0 {
                    $($number => TagKind::$kind,)*
                    _ => TagKind::Text,
                }
            }

            /// How many characters its value may have; there is no limit for unknown numbers.
            #[must_use]
            pub fn max_len(self) -> usize {
                match self.0 {
                    $($number => $max,)*
                    _ => usize::MAX,
                }
            }
        }
    };
}

tags! {
    USER = 10, "user_identity", Text, 32;
    PASSWORD = 11, "password", Text, 32;
    SUBADDRESS = 12, "subaddress", Integer, 3;
    WINDOW = 19, "window_size", Integer, 3;
    DESTINATION = 21, "destination_address", Address, 20;
    ORIGINATOR = 23, "originating_address", Address, 20;
    ORIGINATOR_IMSI = 26, "originating_imsi", Address, 20;
    ALPHA_ORIGINATOR = 27, "alphanumeric_originating_address", Text, 11;
    VISITED_MSC = 28, "originated_visited_msc_address", Address, 20;
    DCS = 30, "data_coding_scheme", Integer, 3;
    HEADER = 32, "user_data_header", Hex, 280;
    TEXT = 33, "user_data", UserData, 480;
    BINARY = 34, "user_data_binary", Hex, 280;
    MORE_MESSAGES = 44, "more_messages_to_send", Integer, 1;
    VALIDITY_RELATIVE = 50, "validity_period_relative", Integer, 3;
    VALIDITY_ABSOLUTE = 51, "validity_period_absolute", Time, 12;
    PROTOCOL_ID = 52, "protocol_identifier", Integer, 3;
    FIRST_DELIVERY_RELATIVE = 53, "first_delivery_time_relative", Integer, 3;
    FIRST_DELIVERY_ABSOLUTE = 54, "first_delivery_time_absolute", Time, 12;
    REPLY_PATH = 55, "reply_path", Integer, 1;
    STATUS_REPORTS = 56, "status_report_request", Integer, 2;
    CANCEL_ENABLED = 58, "cancel_enabled", Integer, 1;
    CANCEL_MODE = 59, "cancel_mode", Integer, 1;
    TIMESTAMP = 60, "service_center_time_stamp", Time, 12;
    STATUS = 61, "status_code", Integer, 2;
    STATUS_ERROR = 62, "status_error_code", Integer, 3;
    DISCHARGE_TIME = 63, "discharge_time", Time, 12;
    TARIFF_CLASS = 64, "tariff_class", Integer, 2;
    SERVICE_DESCRIPTION = 65, "service_description", Integer, 2;
    MESSAGE_COUNT = 66, "message_count", Integer, 3;
    PRIORITY = 67, "priority", Integer, 1;
    DELIVERY_REQUEST_MODE = 68, "delivery_request_mode", Integer, 1;
    SERVICE_CENTER = 69, "service_center_address", Address, 20;
    GET_PARAMETER = 500, "get_parameter", Integer, 3;
    SMSC_TIME = 501, "smsc_time", Time, 12;
    ERROR = 900, "error_code", Integer, 3;
    ERROR_TEXT = 901, "error_text", Text, 64;
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:03}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Which.
    pub tag: Tag,
    /// Its value without the TAB.
    pub value: &'a [u8],
}

impl<'a> Parameter<'a> {
    /// The value as a number; `None` if it is not one of at most nine digits. Only −1 is taken of the negative ones.
    #[must_use]
    pub fn integer(&self) -> Option<i32> {
        match self.value {
            b"-1" => Some(-1),
            value => unsigned(value).and_then(|number| i32::try_from(number).ok()),
        }
    }

    /// The octets that the value's hexadecimal digits stand for; `None` if it has others.
    #[must_use]
    pub fn octets(&self) -> Option<Octets<'a>> {
        Octets::from_hex(self.value)
    }
}

impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tag == Tag::PASSWORD {
            return write!(f, "{}: …", self.tag);
        }
        write!(f, "{}: {:?}", self.tag, String::from_utf8_lossy(self.value))
    }
}

/// A decimal number of one to nine digits.
pub(crate) fn unsigned(value: &[u8]) -> Option<u32> {
    if value.is_empty() || value.len() > 9 {
        return None;
    }
    value.iter().try_fold(0, |number, octet| octet.is_ascii_digit().then(|| number * 10 + u32::from(octet - b'0')))
}

/// The parameters of a packet, read when they are asked for, in the order of the wire.
///
/// In the typed operations this is what no field of theirs has taken.
#[derive(Clone, Copy, Default)]
pub struct Parameters<'a> {
    raw: &'a [u8],
    /// Left out, because fields of their own hold them.
    without: &'static [Tag],
}

impl<'a> Parameters<'a> {
    /// Every parameter of a body.
    #[must_use]
    pub(crate) const fn from_raw(raw: &'a [u8]) -> Self {
        Self { raw, without: &[] }
    }

    /// The same without those that fields hold.
    pub(crate) const fn without(self, without: &'static [Tag]) -> Self {
        Self { raw: self.raw, without }
    }

    /// The parameters that can be read.
    #[must_use]
    pub fn iter(&self) -> ParameterIter<'a> {
        ParameterIter { rest: self.raw, without: self.without }
    }

    /// The value of the first parameter with this number.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&'a [u8]> {
        self.iter().find(|parameter| parameter.tag == tag).map(|parameter| parameter.value)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Their octets on the wire, those left out included.
    pub(crate) const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Every piece between TABs: a parameter, or what is none.
    #[inline]
    pub(crate) fn pieces(&self) -> Pieces<'a> {
        Pieces { rest: self.raw }
    }
}

impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Parameters<'_> {}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Parameters<'a> {
    type Item = Parameter<'a>;
    type IntoIter = ParameterIter<'a>;

    fn into_iter(self) -> ParameterIter<'a> {
        self.iter()
    }
}

/// Goes through [`Parameters`].
#[derive(Debug, Clone)]
pub struct ParameterIter<'a> {
    rest: &'a [u8],
    without: &'static [Tag],
}

impl<'a> Iterator for ParameterIter<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        let mut pieces = Pieces { rest: self.rest };
        let found = pieces.by_ref().flatten().find(|parameter| !self.without.contains(&parameter.tag));
        self.rest = pieces.rest;
        found
    }
}

/// Goes through what stands between TABs; `Err` holds what is no parameter.
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Parameter<'a>, &'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = self.rest.iter().position(|&octet| octet == TAB).unwrap_or(self.rest.len());
            let piece = self.rest.get(..end).unwrap_or_default();
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            // Two TABs in a row have nothing between them to complain about.
            if !piece.is_empty() {
                return Some(parameter(piece).ok_or(piece));
            }
        }
    }
}

#[inline]
fn parameter(piece: &[u8]) -> Option<Parameter<'_>> {
    let (&[a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b':'], value) = piece.split_first_chunk::<4>()? else {
        return None;
    };
    let [a, b, c] = [a, b, c].map(|digit| u16::from(digit - b'0'));
    Some(Parameter { tag: Tag(a * 100 + b * 10 + c), value })
}

/// Parameters to be sent, put together one by one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterBuf {
    raw: Vec<u8>,
}

impl ParameterBuf {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { raw: Vec::new() }
    }

    /// Adds one.
    ///
    /// # Errors
    /// When the wire can't carry it; nothing was added then.
    pub fn push(&mut self, tag: Tag, value: &[u8]) -> Result<(), EncodeError> {
        put(&mut self.raw, tag, value, tag.max_len())
    }

    /// What was put together, for the field `extra` of an operation.
    #[must_use]
    pub fn as_parameters(&self) -> Parameters<'_> {
        Parameters::from_raw(&self.raw)
    }
}

/// Writes a parameter and its TAB.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, tag: Tag, value: &[u8], max: usize) -> Result<(), EncodeError> {
    if value.len() > max {
        return Err(EncodeError::TooLong { tag, length: value.len(), max });
    }
    if let Some(&octet) = value.iter().find(|&&octet| matches!(octet, 0 | 2 | 3 | TAB)) {
        return Err(EncodeError::Character { tag, octet });
    }
    put_tag(out, tag)?;
    out.extend_from_slice(value);
    out.push(TAB);
    Ok(())
}

/// Writes what stands before a value.
#[inline]
pub(crate) fn put_tag(out: &mut Vec<u8>, tag: Tag) -> Result<(), EncodeError> {
    if tag.0 > 999 {
        return Err(EncodeError::Tag { tag });
    }
    let digit = |number: u16| b'0' + u8::try_from(number % 10).unwrap_or(0);
    out.extend_from_slice(&[digit(tag.0 / 100), digit(tag.0 / 10), digit(tag.0), b':']);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_can_be_read() {
        let all = Parameters::from_raw(b"021:123\t\tjunk\t0210:x\t900:1\t021:\t777:a:b");
        let seen: Vec<_> = all.iter().map(|parameter| (parameter.tag.0, parameter.value)).collect();
        assert_eq!(seen, [(21, &b"123"[..]), (900, b"1"), (21, b""), (777, b"a:b")]);
        let faults: Vec<_> = all.pieces().filter_map(Result::err).collect();
        assert_eq!(faults, [&b"junk"[..], b"0210:x"]);
        let rest = all.without(&[Tag::DESTINATION]);
        assert_eq!(rest.iter().count(), 2);
        assert_eq!((rest.get(Tag::DESTINATION), rest.get(Tag::ERROR)), (None, Some(&b"1"[..])));
        assert_ne!(rest, all);
    }

    #[test]
    fn values_that_would_break_a_packet_are_not_written() {
        let mut buf = ParameterBuf::new();
        for octet in [0, 2, 3, 9] {
            let fault = Err(EncodeError::Character { tag: Tag(777), octet });
            assert_eq!(buf.push(Tag(777), &[b'a', octet]), fault);
        }
        let fault = EncodeError::TooLong { tag: Tag::DESTINATION, length: 21, max: 20 };
        assert_eq!(buf.push(Tag::DESTINATION, &[b'1'; 21]), Err(fault));
        assert_eq!(buf.push(Tag(1000), b""), Err(EncodeError::Tag { tag: Tag(1000) }));
        assert!(buf.as_parameters().is_empty());
        buf.push(Tag(7), b"x").unwrap();
        assert_eq!(buf.raw, b"007:x\t");
    }

    #[test]
    fn numbers() {
        let integer = |value: &'static [u8]| Parameter { tag: Tag::ERROR, value }.integer();
        let read = [&b"9"[..], b"009", b"-1", b"", b"-2", b"1x", b"1234567890"].map(integer);
        assert_eq!(read, [Some(9), Some(9), Some(-1), None, None, None, None]);
    }

    #[test]
    fn passwords_are_not_shown() {
        let all = Parameters::from_raw(b"010:shop\t011:secret\t");
        let shown = format!("{all:?}");
        assert!(shown.contains("shop") && !shown.contains("secret"), "{shown}");
    }
}
