//! Addresses in TPDUs: semi-octet digits or packed letters (3GPP 23.040 §9.1.2.5).

use std::fmt;

use super::TpduError;
use super::reader::Reader;
use crate::alphabet::pack::{pack, unpack};
use crate::{Shift, decode_gsm7, encode_gsm7};

/// What the digits of semi-octets are, by value; 15 is the filler.
const DIGITS: &[u8; 15] = b"0123456789*#abc";
const FILLER: u8 = 0x0F;

const LONGEST_NUMBER: usize = 20;
const LONGEST_NAME: usize = 11;
const LONGEST_SMSC: u8 = 12;

const INTERNATIONAL: u8 = 0x91;
const UNKNOWN: u8 = 0x81;
const ALPHANUMERIC: u8 = 0xD0;

/// An address with its type octet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    type_of_address: u8,
    text: String,
}

/// Type of number, bits 6 to 4 of the type octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The names are those of the standard.
pub enum TypeOfNumber {
    Unknown,
    International,
    National,
    NetworkSpecific,
    Subscriber,
    Alphanumeric,
    Abbreviated,
    Reserved,
}

/// Why a text cannot be an address in a TPDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// More than 20 digits, or more than 11 septets.
    #[error("the address is longer than {limit}")]
    TooLong {
        /// Digits or septets that are allowed.
        limit: usize,
    },
    /// Not a digit, `*`, `#`, `a`, `b` or `c`, or not in the GSM alphabet.
    #[error("{0:?} cannot stand in an address")]
    BadCharacter(char),
}

impl Address {
    /// A number in the telephone numbering plan; international if it begins with `+`.
    pub fn number(number: &str) -> Result<Self, AddressError> {
        let (type_of_address, digits) = match number.strip_prefix('+') {
            Some(digits) => (INTERNATIONAL, digits),
            None => (UNKNOWN, number),
        };
        Self::with_type(type_of_address, digits)
    }

    /// A name of at most 11 septets in the GSM 7-bit alphabet.
    pub fn alphanumeric(name: &str) -> Result<Self, AddressError> {
        Self::with_type(ALPHANUMERIC, name)
    }

    /// An address with any type octet, for digits without `+` or a name as the type says. The
    /// highest bit of the octet is set, as it always is.
    pub fn with_type(type_of_address: u8, text: &str) -> Result<Self, AddressError> {
        let address = Self { type_of_address: type_of_address | 0x80, text: text.to_owned() };
        if address.is_alphanumeric() {
            let septets =
                encode_gsm7(text, Shift::default()).map_err(|bad| AddressError::BadCharacter(bad.character))?;
            if septets.len() > LONGEST_NAME {
                return Err(AddressError::TooLong { limit: LONGEST_NAME });
            }
        } else {
            if let Some(bad) = text.chars().find(|&character| semi_octet(character).is_none()) {
                return Err(AddressError::BadCharacter(bad));
            }
            if text.len() > LONGEST_NUMBER {
                return Err(AddressError::TooLong { limit: LONGEST_NUMBER });
            }
        }
        Ok(address)
    }

    /// The digits without `+`, or the name.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The type octet: 0x91 international, 0x81 unknown, 0xD0 alphanumeric, …
    pub const fn type_of_address(&self) -> u8 {
        self.type_of_address
    }

    /// Type of number.
    pub const fn type_of_number(&self) -> TypeOfNumber {
        match self.type_of_address >> 4 & 7 {
            0 => TypeOfNumber::Unknown,
            1 => TypeOfNumber::International,
            2 => TypeOfNumber::National,
            3 => TypeOfNumber::NetworkSpecific,
            4 => TypeOfNumber::Subscriber,
            5 => TypeOfNumber::Alphanumeric,
            6 => TypeOfNumber::Abbreviated,
            _ => TypeOfNumber::Reserved,
        }
    }

    /// Numbering plan, bits 3 to 0 of the type octet; 1 is the telephone plan.
    pub const fn numbering_plan(&self) -> u8 {
        self.type_of_address & 0x0F
    }

    fn is_alphanumeric(&self) -> bool {
        self.type_of_number() == TypeOfNumber::Alphanumeric
    }

    /// Reads a TP address, whose length counts semi-octets.
    pub(super) fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, TpduError> {
        let length = reader.octet(field)?;
        let semi_octets = usize::from(length);
        // Names are sometimes counted in whole octets, so 22 semi-octets occur.
        if semi_octets > LONGEST_NUMBER + 2 {
            return Err(TpduError::AddressTooLong { field, length });
        }
        let type_of_address = reader.octet(field)?;
        let octets = reader.slice(semi_octets.div_ceil(2), field)?;
        let mut address = Self { type_of_address, text: String::new() };
        address.text =
            if address.is_alphanumeric() { read_name(octets, semi_octets) } else { read_digits(octets, semi_octets) };
        Ok(address)
    }

    pub(super) fn write(&self, octets: &mut Vec<u8>) {
        if self.is_alphanumeric() {
            let septets = self.septets();
            octets.extend_from_slice(&[(septets.len() * 7).div_ceil(4) as u8, self.type_of_address]);
            octets.extend_from_slice(&pack(&septets, 0));
        } else {
            octets.extend_from_slice(&[self.text.len() as u8, self.type_of_address]);
            write_digits(&self.text, octets);
        }
    }

    /// Reads an RP address, whose length counts octets and includes the type; `None` if empty.
    pub(super) fn read_smsc(reader: &mut Reader<'_>) -> Result<Option<Self>, TpduError> {
        let field = "the SMSC address";
        let length = reader.octet(field)?;
        if length > LONGEST_SMSC {
            return Err(TpduError::AddressTooLong { field, length });
        }
        let Some((&type_of_address, digits)) = reader.slice(length.into(), field)?.split_first() else {
            return Ok(None);
        };
        Ok(Some(Self { type_of_address, text: read_digits(digits, digits.len() * 2) }))
    }

    pub(super) fn write_smsc(&self, octets: &mut Vec<u8>) {
        let digits = self.text.len().div_ceil(2);
        octets.extend_from_slice(&[digits as u8 + 1, self.type_of_address]);
        write_digits(&self.text, octets);
    }

    fn septets(&self) -> Vec<u8> {
        let mut septets = encode_gsm7(&self.text, Shift::default()).unwrap_or_default();
        septets.truncate(LONGEST_NAME);
        septets
    }
}

impl fmt::Display for Address {
    /// The number with `+` if it is international, or the name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plus = if self.type_of_number() == TypeOfNumber::International { "+" } else { "" };
        write!(formatter, "{plus}{}", self.text)
    }
}

/// A name. Encoders that count whole octets leave a zero septet at the end, which is no "@"; they
/// never count an odd number of semi-octets.
fn read_name(octets: &[u8], semi_octets: usize) -> String {
    let mut septets = unpack(octets, 0, semi_octets * 4 / 7);
    let whole_octets = semi_octets.is_multiple_of(2) && semi_octets * 4 == septets.len() * 7;
    let spare = whole_octets || (septets.len() * 7).div_ceil(4) < semi_octets;
    if spare && septets.last() == Some(&0) {
        septets.pop();
    }
    decode_gsm7(&septets, Shift::default())
}

/// Digits, low half first. Fillers are left out wherever they stand.
fn read_digits(octets: &[u8], semi_octets: usize) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet & 0x0F, octet >> 4])
        .take(semi_octets)
        .filter_map(|value| DIGITS.get(usize::from(value)))
        .map(|&digit| char::from(digit))
        .collect()
}

fn write_digits(digits: &str, octets: &mut Vec<u8>) {
    for pair in digits.as_bytes().chunks(2) {
        let value = |index: usize| pair.get(index).and_then(|&digit| semi_octet(digit.into())).unwrap_or(FILLER);
        octets.push(value(0) | value(1) << 4);
    }
}

fn semi_octet(digit: char) -> Option<u8> {
    DIGITS.iter().position(|&known| char::from(known) == digit).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(address: &Address) -> Vec<u8> {
        let mut octets = Vec::new();
        address.write(&mut octets);
        octets
    }

    fn read(octets: &[u8]) -> Result<Address, TpduError> {
        Address::read(&mut Reader::new(octets), "TP-OA")
    }

    #[test]
    fn names_count_useful_semi_octets() {
        let name = Address::alphanumeric("sipgate").expect("a name");
        assert_eq!(written(&name), b"\x0D\xD0\xF3\x34\xFC\x1C\xA6\x97\x01");
        assert_eq!(read(&written(&name)), Ok(name.clone()));
        // The same, counted in whole octets.
        assert_eq!(read(b"\x0E\xD0\xF3\x34\xFC\x1C\xA6\x97\x01"), Ok(name));
    }

    #[test]
    fn a_name_that_ends_in_an_at_sign_keeps_it_where_the_count_is_plain() {
        for text in ["abc@", "ab@", "abcde@"] {
            let name = Address::alphanumeric(text).expect("a name");
            assert_eq!(read(&written(&name)), Ok(name));
        }
    }

    #[test]
    fn smsc_addresses_count_octets() {
        let smsc = Address::number("+447785016005").expect("a number");
        let octets = super::super::join_smsc(Some(&smsc), b"tpdu");
        assert_eq!(octets, b"\x07\x91\x44\x77\x58\x10\x06\x50tpdu");
        assert_eq!(super::super::split_smsc(&octets), Ok((Some(smsc), &b"tpdu"[..])));
        assert_eq!(super::super::split_smsc(b"\0tpdu"), Ok((None, &b"tpdu"[..])));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(Address::number("123456789012345678901"), Err(AddressError::TooLong { limit: 20 }));
        assert_eq!(Address::number("+44 7"), Err(AddressError::BadCharacter(' ')));
        assert_eq!(Address::alphanumeric("twelve chars"), Err(AddressError::TooLong { limit: 11 }));
        assert_eq!(Address::alphanumeric("Жук"), Err(AddressError::BadCharacter('Ж')));
        assert_eq!(read(b"\xFF\x91"), Err(TpduError::AddressTooLong { field: "TP-OA", length: 255 }));
        assert_eq!(read(b"\x05\x91\x21"), Err(TpduError::Truncated { field: "TP-OA" }));
    }
}
