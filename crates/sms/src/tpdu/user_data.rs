//! TP-UDL and TP-UD (3GPP 23.040 §9.2.3.16, §9.2.3.24).

use super::TpduError;
use super::reader::Reader;
use crate::alphabet::pack::{fill_bits, header_septets, pack};
use crate::dcs::{Coding, Dcs};
use crate::{Alphabet, Described, Part, Received, decode_user_data};

const LONGEST: usize = 140;
const LONGEST_SEPTETS: usize = 160;

/// The user data of a TPDU, packed as it travels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserData {
    /// Whether a header stands in front (TP-UDHI).
    pub udhi: bool,
    /// TP-UDL: septets for GSM 7-bit text (header and fill included), else octets. A received one
    /// may claim more than there is.
    pub length: u8,
    /// TP-UD, header included.
    pub octets: Vec<u8>,
}

/// Header and text exceed 140 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user data takes {0} units, more than fit one message")]
pub struct UserDataTooLong(
    /// Septets or octets that header and text take.
    pub usize,
);

impl UserData {
    /// Packs septets behind a header (with its length octet; empty for none).
    pub fn gsm7(header: &[u8], septets: &[u8]) -> Result<Self, UserDataTooLong> {
        let length = header_septets(header.len()) + septets.len();
        if length > LONGEST_SEPTETS {
            return Err(UserDataTooLong(length));
        }
        let mut octets = header.to_vec();
        octets.extend_from_slice(&pack(septets, fill_bits(header.len())));
        octets.truncate((length * 7).div_ceil(8));
        Ok(Self { udhi: !header.is_empty(), length: length as u8, octets })
    }

    /// Octets, of UCS-2 text or of anything, behind a header (empty for none).
    pub fn octets(header: &[u8], data: &[u8]) -> Result<Self, UserDataTooLong> {
        let length = header.len() + data.len();
        if length > LONGEST {
            return Err(UserDataTooLong(length));
        }
        Ok(Self { udhi: !header.is_empty(), length: length as u8, octets: [header, data].concat() })
    }

    /// The user data of a planned part; Latin-1 goes as octets, which no phone reads as text.
    pub fn from_part(part: &Part<'_>, reference: u16) -> Result<Self, UserDataTooLong> {
        let header = part.udh(reference).unwrap_or_default();
        match part.alphabet() {
            Alphabet::Gsm7 { .. } => Self::gsm7(&header, part.octets()),
            Alphabet::Latin1 | Alphabet::Ucs2 | Alphabet::Octets => Self::octets(&header, part.octets()),
        }
    }

    /// Reads it under the TP-DCS that came with it.
    pub fn decode(&self, dcs: u8) -> Received<'_> {
        decode_user_data(&self.octets, self.udhi, Described::Tpdu { dcs, length: self.length })
    }

    pub(super) fn read(reader: &mut Reader<'_>, udhi: bool, dcs: u8) -> Result<Self, TpduError> {
        let length = reader.octet("TP-UDL")?;
        let octets = match Dcs::decode(dcs) {
            Dcs { coding: Coding::Gsm7, compressed: false, .. } => (usize::from(length) * 7).div_ceil(8),
            _ => usize::from(length),
        };
        Ok(Self { udhi, length, octets: reader.available(octets).to_vec() })
    }

    pub(super) fn write(&self, octets: &mut Vec<u8>) {
        octets.push(self.length);
        octets.extend_from_slice(&self.octets);
    }

    /// TP-UDHI where the first octet has it.
    pub(super) const fn header_bit(&self) -> u8 {
        if self.udhi { 0x40 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, TextOptions, plan};

    #[test]
    fn text_behind_a_header_starts_on_a_septet_boundary() {
        let data = UserData::gsm7(&[5, 0, 3, 0x17, 3, 1], b"hello").expect("it fits");
        assert_eq!((data.length, data.udhi), (12, true));
        assert_eq!(data.octets, b"\x05\x00\x03\x17\x03\x01\xD0\x65\x36\xFB\x0D");
        assert_eq!(data.decode(0).body, Body::Text("hello".into()));
    }

    #[test]
    fn a_full_message_takes_140_octets() {
        let full = UserData::gsm7(&[], &[0x41; 160]).expect("it fits");
        assert_eq!((full.length, full.octets.len()), (160, 140));
        assert_eq!(UserData::gsm7(&[], &[0x41; 161]), Err(UserDataTooLong(161)));
        assert_eq!(UserData::octets(&[0], &[0; 140]), Err(UserDataTooLong(141)));
    }

    #[test]
    fn planned_parts_fit_and_read_back() {
        let text = "a€".repeat(200);
        let plan = plan(&text, &TextOptions::default()).expect("a plan");
        let mut joined = String::new();
        for part in plan.parts() {
            let data = UserData::from_part(&part, 7).expect("it fits");
            match data.decode(0).body {
                Body::Text(text) => joined.push_str(&text),
                Body::Octets(_) => panic!("not text"),
            }
        }
        assert_eq!(joined, text);
    }
}
