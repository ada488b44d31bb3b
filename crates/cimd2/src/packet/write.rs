//! Writes the parameters of a packet one after the other, and checks that the wire can carry them.

use crate::error::EncodeError;
use crate::frame::TAB;
use crate::parameter::{Parameters, Tag, put, put_tag};
use crate::values::Octets;

/// Where parameters are written to.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    #[inline]
    pub(super) fn value(&mut self, tag: Tag, value: &[u8]) -> Result<(), EncodeError> {
        let max = match tag {
            // Carriers hand out longer ones than the protocol allows, so what was configured is sent whole.
            Tag::USER | Tag::PASSWORD => 255,
            tag => tag.max_len(),
        };
        put(self.out, tag, value, max)
    }

    #[inline]
    pub(super) fn hex(&mut self, tag: Tag, octets: &Octets<'_>) -> Result<(), EncodeError> {
        let (length, max) = (octets.len() * 2, tag.max_len());
        if length > max {
            return Err(EncodeError::TooLong { tag, length, max });
        }
        put_tag(self.out, tag)?;
        octets.write_hex(self.out);
        self.out.push(TAB);
        Ok(())
    }

    /// A number, padded with zeros to so many digits.
    #[inline]
    pub(super) fn number(&mut self, tag: Tag, number: u32, min_digits: usize) -> Result<(), EncodeError> {
        let mut digits = [b'0'; 10];
        let (mut rest, mut used) = (number, 0);
        for place in digits.iter_mut().rev() {
            if rest == 0 && used >= min_digits.max(1) {
                break;
            }
            *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            used += 1;
        }
        if used > tag.max_len() {
            return Err(EncodeError::Range { tag });
        }
        put_tag(self.out, tag)?;
        self.out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
        self.out.push(TAB);
        Ok(())
    }

    #[inline]
    pub(super) fn extra(&mut self, parameters: Parameters<'_>) -> Result<(), EncodeError> {
        parameters.iter().try_for_each(|parameter| self.value(parameter.tag, parameter.value))
    }
}
