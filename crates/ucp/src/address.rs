//! Originators that are names: GSM septets, packed, in hexadecimal, behind an octet that tells how many
//! semi-octets are of use (OTOA 5039).
//!
//! Only the packing is done here. Which character a septet stands for belongs to the GSM alphabet, not to UCP.

use crate::error::EncodeError;
use crate::hex::{Hex, from_pair, pair};

/// Septets of the longest name.
pub const NAME_MAX: usize = 11;
/// Octets of a packed name with its length in front: what is read is bounded by this.
const PACKED_MAX: usize = 16;
/// Septets that the longest packed name can hold.
const SEPTETS_MAX: usize = (PACKED_MAX - 1) * 8 / 7;

/// A name as it stands in OAdC, ready to be put into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameDigits {
    digits: [u8; PACKED_MAX * 2],
    len: usize,
}

impl std::ops::Deref for NameDigits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

/// A name's septets, one an octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameSeptets {
    septets: [u8; SEPTETS_MAX],
    len: usize,
}

impl std::ops::Deref for NameSeptets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.septets.get(..self.len).unwrap_or_default()
    }
}

/// Packs a name for OAdC. `septets` are codes of the GSM alphabet, one an octet; send it with
/// [`AddressType::ALPHANUMERIC`](crate::AddressType::ALPHANUMERIC).
///
/// ```
/// assert_eq!(&*ucp::pack_name(b"KANNEL")?, b"0BCBA0D3596402");
/// # Ok::<(), ucp::EncodeError>(())
/// ```
///
/// # Errors
/// When there are more than [`NAME_MAX`] septets, or one has its eighth bit set.
pub fn pack_name(septets: &[u8]) -> Result<NameDigits, EncodeError> {
    const FIELD: &str = "OAdC";
    if septets.len() > NAME_MAX {
        return Err(EncodeError::TooLong { field: FIELD, length: septets.len(), max: NAME_MAX });
    }
    if let Some(&octet) = septets.iter().find(|&&septet| septet > 0x7F) {
        return Err(EncodeError::Character { field: FIELD, octet });
    }
    let bits = septets.iter().rev().fold(0u128, |bits, &septet| bits << 7 | u128::from(septet));
    let octets = (septets.len() * 7).div_ceil(8);
    let semi_octets = u8::try_from((septets.len() * 7).div_ceil(4)).unwrap_or_default();
    let mut name = NameDigits { digits: [0; PACKED_MAX * 2], len: (octets + 1) * 2 };
    let values = std::iter::once(semi_octets).chain(bits.to_le_bytes());
    for (place, octet) in name.digits.as_chunks_mut::<2>().0.iter_mut().zip(values) {
        *place = pair(octet);
    }
    Ok(name)
}

/// Reads a packed name; `None` if it is none. Senders differ about the length in front (twice the octets instead
/// of the semi-octets of use), so the octets count, and an `@` that only their padding makes is left out.
#[must_use]
pub fn unpack_name(oadc: &[u8]) -> Option<NameSeptets> {
    let (length, packed) = oadc.split_first_chunk::<2>()?;
    let length = usize::from(from_pair(length)?);
    let packed = Hex::from_digits(packed).filter(|packed| packed.len() < PACKED_MAX)?;
    // At most 15 octets, the first the lowest.
    let bits = packed.iter().enumerate().fold(0, |bits, (at, octet)| bits | u128::from(octet) << (at * 8));
    let mut name = NameSeptets { septets: [0; SEPTETS_MAX], len: packed.len() * 8 / 7 };
    for (at, place) in name.septets.iter_mut().enumerate() {
        *place = u8::try_from(bits >> (at * 7) & 0x7F).unwrap_or_default();
    }
    // Seven septets fill seven octets but for seven bits: those look like an eighth.
    let may_be_padding = packed.len().is_multiple_of(7) && name.last() == Some(&0);
    if may_be_padding && (length * 4 / 7 < name.len || length == packed.len() * 2) {
        name.len -= 1;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_both_directions() {
        // Codes of the GSM alphabet: @ is 0.
        for (septets, digits) in [
            (&b"ALPHA\0NUM"[..], "10412614190438AB4D"),
            (b"abcdefg", "0D61F1985C369F01"),
            (b"KANNEL", "0BCBA0D3596402"),
            (b"", "00"),
            (b"A", "0241"),
        ] {
            assert_eq!(&*pack_name(septets).unwrap(), digits.as_bytes());
            assert_eq!(&*unpack_name(digits.as_bytes()).unwrap(), septets);
        }
        for length in 0..=NAME_MAX {
            let septets: Vec<u8> = (1..=length as u8).map(|at| 0x7F - at).collect();
            assert_eq!(&*unpack_name(&pack_name(&septets).unwrap()).unwrap(), septets);
        }
    }

    #[test]
    fn lengths_that_others_write_are_borne() {
        assert_eq!(&*unpack_name(b"0E61F1985C369F01").unwrap(), b"abcdefg");
        assert_eq!(&*unpack_name(b"0E61f1985c369f01").unwrap(), b"abcdefg");
        // Eight that do not end with @.
        let eight = pack_name(b"abcdefgh").unwrap();
        assert_eq!((&eight[..2], &*unpack_name(&eight).unwrap()), (&b"0E"[..], &b"abcdefgh"[..]));
        // A length that counts characters.
        assert_eq!(&*unpack_name(b"06CBA0D3596402").unwrap(), b"KANNEL");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [&b""[..], b"0", b"0G41", b"02411", b"02zz", &[b'0'; 34]] {
            assert_eq!(unpack_name(bad), None, "{bad:?}");
        }
        assert!(unpack_name(&[b'0'; 32]).is_some());
        assert_eq!(pack_name(b"abcdefghijkl"), Err(EncodeError::TooLong { field: "OAdC", length: 12, max: 11 }));
        assert_eq!(pack_name(&[0x80]), Err(EncodeError::Character { field: "OAdC", octet: 0x80 }));
    }
}
