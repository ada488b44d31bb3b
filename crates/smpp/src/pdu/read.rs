//! Takes the fields of a body one after the other. Each method matches a kind of field in the tables
//! of PDUs; [`write`](super::write) and [`fields`](super::fields) have the same methods.

use super::address::{Address, AddressNames};
use super::multi::{Destinations, Failures};
use crate::error::DecodeError;
use crate::tlv::Tlvs;

/// Octets of a C-octet string that even a lenient reader takes, without the NUL.
const LONGEST_STRING: usize = 254;

pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// In responses whatever is missing is empty or zero, because a response that is dropped over
    /// its body would leave its message in doubt.
    lenient: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8], lenient: bool) -> Self {
        Self { rest: body, lenient }
    }

    /// A C-octet string. Longer ones than the standard allows are taken, and at the end of the PDU
    /// the NUL may be missing.
    #[inline]
    pub(super) fn string(&mut self, field: &'static str, _max: usize) -> Result<&'a [u8], DecodeError> {
        if self.rest.is_empty() && !self.lenient {
            return Err(DecodeError::Truncated { field });
        }
        let end = self.rest.iter().position(|&octet| octet == 0);
        let text = self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or_default();
        if text.len() > LONGEST_STRING && !self.lenient {
            return Err(DecodeError::StringTooLong { field });
        }
        self.rest = self.rest.get(text.len() + 1..).unwrap_or_default();
        Ok(text)
    }

    /// A string of a bind request, see [`Writer::credential`](super::write::Writer::credential).
    #[inline]
    pub(super) fn credential(&mut self, field: &'static str, max: usize) -> Result<&'a [u8], DecodeError> {
        self.string(field, max)
    }

    /// A message_id in the answer to a submission.
    #[inline]
    pub(super) fn issued_id(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        self.string(field, 65)
    }

    #[inline]
    pub(super) fn byte<T: From<u8>>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        match self.rest.split_first() {
            Some((&octet, rest)) => {
                self.rest = rest;
                Ok(T::from(octet))
            }
            None if self.lenient => Ok(T::from(0)),
            None => Err(DecodeError::Truncated { field }),
        }
    }

    #[inline]
    pub(super) fn address(
        &mut self,
        _field: &'static str,
        names: &AddressNames,
        max: usize,
    ) -> Result<Address<'a>, DecodeError> {
        Ok(Address { ton: self.byte(names.ton)?, npi: self.byte(names.npi)?, addr: self.string(names.addr, max)? })
    }

    /// sm_length and short_message.
    #[inline]
    pub(super) fn message(&mut self, _field: &'static str) -> Result<&'a [u8], DecodeError> {
        let claimed: u8 = self.byte("sm_length")?;
        match self.rest.split_at_checked(usize::from(claimed)) {
            Some((message, rest)) => {
                self.rest = rest;
                Ok(message)
            }
            None => Err(DecodeError::MessageLength { claimed, available: self.rest.len() }),
        }
    }

    pub(super) fn destinations(&mut self, _field: &'static str) -> Result<Destinations<'a>, DecodeError> {
        let count: u8 = self.byte("number_of_dests")?;
        let start = self.rest;
        for _ in 0..count {
            self.destination()?;
        }
        Ok(Destinations::trusted(count, self.consumed(start)))
    }

    /// One entry of the destination list, which is also how the list is iterated.
    pub(super) fn destination(&mut self) -> Result<super::Destination<'a>, DecodeError> {
        match self.byte::<u8>("dest_flag")? {
            1 => Ok(super::Destination::Sme(self.address("destination", &super::address::DESTINATION, 21)?)),
            2 => Ok(super::Destination::List(self.string("dl_name", 21)?)),
            flag => Err(DecodeError::DestinationFlag { flag }),
        }
    }

    /// Failed destinations of a response: as many as are really there.
    pub(super) fn failures(&mut self, _field: &'static str) -> Result<Failures<'a>, DecodeError> {
        let claimed: u8 = self.byte("no_unsuccess")?;
        let start = self.rest;
        let mut count = 0;
        while count < claimed && self.failure().is_some() {
            count += 1;
        }
        Ok(Failures::trusted(count, self.consumed(start)))
    }

    pub(super) fn failure(&mut self) -> Option<super::Failure<'a>> {
        let (&[ton, npi], rest) = self.rest.split_first_chunk::<2>()?;
        let end = rest.iter().position(|&octet| octet == 0)?;
        let (addr, rest) = rest.split_at_checked(end)?;
        let (&status, rest) = rest.get(1..)?.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(super::Failure {
            address: Address { ton: ton.into(), npi: npi.into(), addr },
            status: crate::CommandStatus(u32::from_be_bytes(status)),
        })
    }

    #[inline]
    pub(super) fn tlvs(&mut self, _field: &'static str) -> Result<Tlvs<'a>, DecodeError> {
        Ok(Tlvs::from_raw(std::mem::take(&mut self.rest)))
    }

    fn consumed(&self, start: &'a [u8]) -> &'a [u8] {
        start.get(..start.len() - self.rest.len()).unwrap_or_default()
    }
}
