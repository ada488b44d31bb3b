//! How the values of parameters become the fields of operations, and back: one rule for each type of field.

use super::write::Writer;
use crate::error::EncodeError;
use crate::error_code::ErrorCode;
use crate::parameter::{Parameter, Parameters, Tag, unsigned};
use crate::status::{StatusCode, StatusError};
use crate::time::RelativeTime;
use crate::values::{Octets, Secret, StatusReports, Values};

/// A field that one parameter fills. Of a repeated parameter the first counts, unless the field is a list.
pub(super) trait Field<'a> {
    /// Takes the value; false if it is not what the field is made of. An empty number is none.
    fn take(&mut self, parameter: Parameter<'a>, all: Parameters<'a>) -> bool;

    /// Writes the parameter, if there is something to write.
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError>;
}

/// Characters; empty is absent.
impl<'a> Field<'a> for &'a [u8] {
    #[inline]
    fn take(&mut self, parameter: Parameter<'a>, _: Parameters<'a>) -> bool {
        if self.is_empty() {
            *self = parameter.value;
        }
        true
    }

    #[inline]
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.is_empty() { Ok(()) } else { writer.value(tag, self) }
    }
}

/// Characters, where it matters whether they are absent or empty.
impl<'a> Field<'a> for Option<&'a [u8]> {
    #[inline]
    fn take(&mut self, parameter: Parameter<'a>, _: Parameters<'a>) -> bool {
        self.get_or_insert(parameter.value);
        true
    }

    #[inline]
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.map_or(Ok(()), |value| writer.value(tag, value))
    }
}

impl<'a> Field<'a> for Secret<'a> {
    fn take(&mut self, parameter: Parameter<'a>, all: Parameters<'a>) -> bool {
        self.0.take(parameter, all)
    }

    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.0.put(tag, writer)
    }
}

impl<'a> Field<'a> for Octets<'a> {
    #[inline]
    fn take(&mut self, parameter: Parameter<'a>, _: Parameters<'a>) -> bool {
        let Some(octets) = parameter.octets() else {
            return false;
        };
        if self.is_empty() {
            *self = octets;
        }
        true
    }

    #[inline]
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.is_empty() { Ok(()) } else { writer.hex(tag, self) }
    }
}

impl<'a> Field<'a> for Values<'a> {
    #[inline]
    fn take(&mut self, parameter: Parameter<'a>, all: Parameters<'a>) -> bool {
        *self = Values::from_wire(all, parameter.tag);
        true
    }

    #[inline]
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.iter().try_for_each(|value| writer.value(tag, value))
    }
}

/// Numbers that may be absent: the type, how it comes out of a number, how it becomes one, and the digits that it is
/// padded to.
macro_rules! numbers {
    ($($type:ty: $read:expr, $number:expr, $digits:literal;)*) => {
        $(impl<'a> Field<'a> for Option<$type> {
            #[inline]
            fn take(&mut self, parameter: Parameter<'a>, _: Parameters<'a>) -> bool {
                if parameter.value.is_empty() {
                    return true;
                }
                let read = unsigned(parameter.value).and_then($read);
                *self = self.or(read);
                read.is_some()
            }

            #[inline]
            fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                self.map_or(Ok(()), |value| writer.number(tag, $number(value), $digits))
            }
        })*
    };
}

numbers! {
    u8: |number| u8::try_from(number).ok(), u32::from, 1;
    u16: |number| u16::try_from(number).ok(), u32::from, 1;
    bool: |number| (number < 2).then_some(number == 1), u32::from, 1;
    Tag: |number| u16::try_from(number).ok().map(Tag), |tag: Tag| u32::from(tag.0), 3;
    StatusReports: |number| u8::try_from(number).ok().map(StatusReports), |bits: StatusReports| u32::from(bits.0), 1;
    StatusCode: |number| u8::try_from(number).ok().map(StatusCode), |code: StatusCode| u32::from(code.0), 1;
    StatusError: |number| u16::try_from(number).ok().map(StatusError), |code: StatusError| u32::from(code.0), 1;
}

impl<'a> Field<'a> for ErrorCode {
    #[inline]
    fn take(&mut self, parameter: Parameter<'a>, _: Parameters<'a>) -> bool {
        if self.is_ok() {
            *self = Self::from_wire(parameter.value);
        }
        true
    }

    #[inline]
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.is_ok() { Ok(()) } else { writer.number(tag, u32::from(self.0), 3) }
    }
}

impl<'a> Field<'a> for Option<RelativeTime> {
    #[inline]
    fn take(&mut self, parameter: Parameter<'a>, _: Parameters<'a>) -> bool {
        if parameter.value.is_empty() {
            return true;
        }
        let read = parameter.integer().and_then(|number| i16::try_from(number).ok()).map(RelativeTime);
        let read = read.filter(|period| period.is_valid());
        *self = self.or(read);
        read.is_some()
    }

    #[inline]
    fn put(&self, tag: Tag, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            None => Ok(()),
            Some(RelativeTime::SINGLE_ATTEMPT) => writer.value(tag, b"-1"),
            Some(RelativeTime(code @ 0..=255)) => writer.number(tag, u32::from(code.unsigned_abs()), 1),
            Some(_) => Err(EncodeError::Range { tag }),
        }
    }
}
