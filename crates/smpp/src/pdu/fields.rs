//! Lists a PDU's fields by the names of the standard, for people and for JSON.

use super::address::{Address, AddressNames};
use super::multi::{Destination, Destinations, Failures};
use crate::tlv::{TagKind, Tlvs};

/// The value of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// A number of one to four octets.
    Integer(u32),
    /// A string without its NUL; usually ASCII.
    Text(&'a [u8]),
    /// Octets whose meaning depends on other fields.
    Octets(&'a [u8]),
}

/// Calls back once a field, in wire order. Lists (destinations, repeated TLVs) give repeated names.
pub(super) struct Visitor<'v> {
    visit: &'v mut dyn FnMut(&str, FieldValue<'_>),
}

impl<'v> Visitor<'v> {
    pub(super) fn new(visit: &'v mut dyn FnMut(&str, FieldValue<'_>)) -> Self {
        Self { visit }
    }

    pub(super) fn string(&mut self, field: &'static str, text: &[u8], _max: usize) {
        (self.visit)(field, FieldValue::Text(text));
    }

    pub(super) fn credential(&mut self, field: &'static str, text: &[u8], max: usize) {
        self.string(field, text, max);
    }

    pub(super) fn issued_id(&mut self, field: &'static str, id: &[u8]) {
        self.string(field, id, 65);
    }

    pub(super) fn byte<T: Into<u8>>(&mut self, field: &'static str, value: T) {
        self.integer(field, u32::from(value.into()));
    }

    pub(super) fn address(&mut self, _field: &'static str, address: Address<'_>, names: &AddressNames, max: usize) {
        self.byte(names.ton, address.ton);
        self.byte(names.npi, address.npi);
        self.string(names.addr, address.addr, max);
    }

    pub(super) fn message(&mut self, field: &'static str, message: &[u8]) {
        self.integer("sm_length", u32::try_from(message.len()).unwrap_or(u32::MAX));
        (self.visit)(field, FieldValue::Octets(message));
    }

    pub(super) fn destinations(&mut self, _field: &'static str, list: Destinations<'_>) {
        self.byte("number_of_dests", list.count());
        for destination in list {
            match destination {
                Destination::Sme(address) => {
                    self.byte("dest_flag", 1);
                    self.address("destination", address, &super::address::DESTINATION, 21);
                }
                Destination::List(name) => {
                    self.byte("dest_flag", 2);
                    self.string("dl_name", name, 21);
                }
            }
        }
    }

    pub(super) fn failures(&mut self, _field: &'static str, list: Failures<'_>) {
        self.byte("no_unsuccess", list.count());
        for failure in list {
            self.address("destination", failure.address, &super::address::DESTINATION, 21);
            self.integer("error_status_code", failure.status.0);
        }
    }

    pub(super) fn tlvs(&mut self, _field: &'static str, tlvs: Tlvs<'_>) {
        for tlv in tlvs {
            let value = match (tlv.tag.kind(), tlv.integer()) {
                (TagKind::Integer, Some(number)) => FieldValue::Integer(number),
                (TagKind::Text, _) => FieldValue::Text(tlv.text()),
                _ => FieldValue::Octets(tlv.value),
            };
            match tlv.tag.name() {
                Some(name) => (self.visit)(name, value),
                None => (self.visit)(&tlv.tag.to_string(), value),
            }
        }
    }

    pub(super) fn octets(&mut self, field: &str, value: &[u8]) {
        (self.visit)(field, FieldValue::Octets(value));
    }

    fn integer(&mut self, field: &'static str, value: u32) {
        (self.visit)(field, FieldValue::Integer(value));
    }
}
