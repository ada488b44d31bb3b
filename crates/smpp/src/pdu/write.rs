//! Writes the fields of a body one after the other, and checks that the wire can carry them.

use super::address::{Address, AddressNames};
use super::multi::{Destinations, Failures};
use crate::error::EncodeError;
use crate::tlv::{Tag, Tlvs};

/// Where a body is written to.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// False in SMPP 3.3 sessions: TLVs are left out.
    with_tlvs: bool,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>, with_tlvs: bool) -> Self {
        Self { out, with_tlvs }
    }

    /// A C-octet string of at most `max` octets with its NUL.
    #[inline]
    pub(super) fn string(&mut self, field: &'static str, text: &[u8], max: usize) -> Result<(), EncodeError> {
        if text.len() >= max {
            return Err(EncodeError::TooLong { field, length: text.len(), max: max - 1 });
        }
        if text.contains(&0) {
            return Err(EncodeError::Nul { field });
        }
        self.out.extend_from_slice(text);
        self.out.push(0);
        Ok(())
    }

    /// A string of a bind request. Carriers hand out longer passwords than the standard allows, so
    /// what was configured is sent whole.
    pub(super) fn credential(&mut self, field: &'static str, text: &[u8], max: usize) -> Result<(), EncodeError> {
        self.string(field, text, max.max(255))
    }

    /// A message_id in the answer to a submission: SMPP 3.3 has room for 8 characters only.
    #[inline]
    pub(super) fn issued_id(&mut self, field: &'static str, id: &[u8]) -> Result<(), EncodeError> {
        self.string(field, id, if self.with_tlvs { 65 } else { 9 })
    }

    #[inline]
    pub(super) fn byte<T: Into<u8>>(&mut self, _field: &'static str, value: T) -> Result<(), EncodeError> {
        self.out.push(value.into());
        Ok(())
    }

    #[inline]
    pub(super) fn address(
        &mut self,
        _field: &'static str,
        address: Address<'_>,
        names: &AddressNames,
        max: usize,
    ) -> Result<(), EncodeError> {
        self.out.extend_from_slice(&[address.ton.0, address.npi.0]);
        self.string(names.addr, address.addr, max)
    }

    #[inline]
    pub(super) fn message(&mut self, field: &'static str, message: &[u8]) -> Result<(), EncodeError> {
        let Ok(length) = u8::try_from(message.len()) else {
            return Err(EncodeError::TooLong { field, length: message.len(), max: 255 });
        };
        self.out.push(length);
        self.out.extend_from_slice(message);
        Ok(())
    }

    pub(super) fn destinations(&mut self, _field: &'static str, list: Destinations<'_>) -> Result<(), EncodeError> {
        self.out.push(list.count());
        self.out.extend_from_slice(list.raw());
        Ok(())
    }

    pub(super) fn failures(&mut self, _field: &'static str, list: Failures<'_>) -> Result<(), EncodeError> {
        self.out.push(list.count());
        self.out.extend_from_slice(list.raw());
        Ok(())
    }

    pub(super) fn raw(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    #[inline]
    pub(super) fn tlvs(&mut self, _field: &'static str, tlvs: Tlvs<'_>) -> Result<(), EncodeError> {
        if self.with_tlvs {
            self.out.extend_from_slice(tlvs.well_formed());
        } else if tlvs.get(Tag::MESSAGE_PAYLOAD).is_some() {
            // Leaving this one out would lose the text.
            return Err(EncodeError::PayloadWithoutTlvs);
        }
        Ok(())
    }
}
