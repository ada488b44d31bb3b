//! Septets packed into octets, eight into seven (3GPP 23.038 §6.1.2).

const CARRIAGE_RETURN: u8 = 0x0D;

/// How many zero bits stand between a header and the septets after it, so that they start on a
/// septet boundary (3GPP 23.040 §9.2.3.24). `header` counts octets and includes the UDHL octet.
pub const fn fill_bits(header: usize) -> u8 {
    // The remainder is below 7.
    ((7 - (header * 8) % 7) % 7) as u8
}

/// How many septets of a user data field a header of so many octets takes, fill included.
pub const fn header_septets(header: usize) -> usize {
    (header * 8).div_ceil(7)
}

/// Packs septets after `fill_bits` (0 to 6) zero bits. Bits above the seventh are ignored, and
/// spare bits at the end are zero.
pub fn pack(septets: &[u8], fill_bits: u8) -> Vec<u8> {
    let bits = usize::from(fill_bits % 7) + septets.len() * 7;
    let mut octets = Vec::with_capacity(bits.div_ceil(8));
    let mut pending = 0u16;
    let mut held = u32::from(fill_bits % 7);
    for &septet in septets {
        pending |= u16::from(septet & 0x7F) << held;
        held += 7;
        if held >= 8 {
            octets.push(pending as u8);
            pending >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        octets.push(pending as u8);
    }
    octets
}

/// Unpacks at most `count` septets that begin after `fill_bits` (0 to 6) bits; fewer come back
/// where the octets end before.
pub fn unpack(octets: &[u8], fill_bits: u8, count: usize) -> Vec<u8> {
    let fill = usize::from(fill_bits % 7);
    let held = (octets.len() * 8).saturating_sub(fill) / 7;
    let count = count.min(held);
    let mut septets = Vec::with_capacity(count);
    for index in 0..count {
        let bit = fill + index * 7;
        let low = u16::from(octets[bit / 8]);
        let high = octets.get(bit / 8 + 1).map_or(0, |&octet| u16::from(octet));
        septets.push(((low | high << 8) >> (bit % 8)) as u8 & 0x7F);
    }
    septets
}

/// Packs where no count of septets travels along (USSD, cell broadcast, packed SMPP text): a spare
/// last septet holds CR, and a text that ends in CR on an octet boundary gets a second one
/// (3GPP 23.038 §6.1.2.3.1).
pub fn pack_with_cr(septets: &[u8]) -> Vec<u8> {
    let ambiguous =
        septets.len() % 8 == 7 || (septets.len().is_multiple_of(8) && septets.last() == Some(&CARRIAGE_RETURN));
    if !ambiguous {
        return pack(septets, 0);
    }
    let mut padded = Vec::with_capacity(septets.len() + 1);
    padded.extend_from_slice(septets);
    padded.push(CARRIAGE_RETURN);
    pack(&padded, 0)
}

/// Unpacks what [`pack_with_cr`] packed: a CR that only fills the last octet is taken off, and so
/// is the zero septet ("@") that other senders leave there.
pub fn unpack_with_cr(octets: &[u8]) -> Vec<u8> {
    let mut septets = unpack(octets, 0, usize::MAX);
    let padding = match septets.as_slice() {
        [.., CARRIAGE_RETURN | 0] if septets.len().is_multiple_of(8) => true,
        [.., CARRIAGE_RETURN, CARRIAGE_RETURN] => septets.len() % 8 == 1,
        _ => false,
    };
    if padding {
        septets.pop();
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_six_octets_needs_one_fill_bit_and_seven_needs_none() {
        let fills: Vec<u8> = (1..=13).map(fill_bits).collect();
        assert_eq!(fills, [6, 5, 4, 3, 2, 1, 0, 6, 5, 4, 3, 2, 1]);
        let taken: Vec<usize> = (1..=13).map(header_septets).collect();
        assert_eq!(taken, [2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn eight_septets_fit_seven_octets() {
        assert_eq!(pack(b"hellohello", 0), b"\xE8\x32\x9B\xFD\x46\x97\xD9\xEC\x37");
        assert_eq!(pack(b"hello", 0), b"\xE8\x32\x9B\xFD\x06");
        assert_eq!(unpack(b"\xE8\x32\x9B\xFD\x06", 0, 5), b"hello");
        assert_eq!(pack(&[], 3), [0]);
    }

    #[test]
    fn unpacking_stops_where_the_octets_end() {
        assert_eq!(unpack(b"\xE8\x32", 0, 160).len(), 2);
        assert_eq!(unpack(&[], 6, 160), []);
    }

    #[test]
    fn a_spare_septet_holds_a_carriage_return() {
        assert_eq!(pack_with_cr(b"pattern").last(), Some(&0x1B));
        assert_eq!(unpack_with_cr(&pack_with_cr(b"pattern")), b"pattern");
        assert_eq!(pack_with_cr(b"pattern\r"), b"\xF0\x30\x9D\x5E\x96\xBB\x1B\x0D");
        assert_eq!(unpack_with_cr(&pack_with_cr(b"pattern\r")), b"pattern\r");
        assert_eq!(unpack_with_cr(&pack(b"pattern", 0)), b"pattern");
    }
}
