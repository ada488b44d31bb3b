//! UCS-2 (3GPP 23.038 §6.2.3), which every phone reads and writes as UTF-16.

/// Encodes a text as UTF-16, big-endian, without a byte order mark.
pub fn encode_ucs2(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() * 2);
    for unit in text.encode_utf16() {
        octets.extend_from_slice(&unit.to_be_bytes());
    }
    octets
}

/// Decodes big-endian UTF-16. A byte order mark is taken off, and a reversed one turns the octets
/// round; lone surrogates become U+FFFD; an odd last octet is ignored.
pub fn decode_ucs2(octets: &[u8]) -> String {
    let (pairs, _) = octets.as_chunks::<2>();
    match pairs {
        [[0xFF, 0xFE], rest @ ..] => units_to_text(rest, u16::from_le_bytes),
        [[0xFE, 0xFF], rest @ ..] => units_to_text(rest, u16::from_be_bytes),
        _ => units_to_text(pairs, u16::from_be_bytes),
    }
}

fn units_to_text(pairs: &[[u8; 2]], unit: fn([u8; 2]) -> u16) -> String {
    char::decode_utf16(pairs.iter().map(|&pair| unit(pair)))
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_are_obeyed_and_not_shown() {
        assert_eq!(decode_ucs2(b"\xFE\xFF\x04\x16"), "Ж");
        assert_eq!(decode_ucs2(b"\xFF\xFE\x16\x04"), "Ж");
        assert_eq!(decode_ucs2(b"\x04\x16"), "Ж");
    }

    #[test]
    fn damaged_text_is_shown_as_far_as_it_goes() {
        assert_eq!(decode_ucs2(b"\x00A\xD8\x3D\x00B\x00"), "A\u{FFFD}B");
        assert_eq!(decode_ucs2(b"\x00"), "");
    }

    #[test]
    fn emoji_take_two_units() {
        assert_eq!(encode_ucs2("😀"), b"\xD8\x3D\xDE\x00");
        assert_eq!(decode_ucs2(b"\xD8\x3D\xDE\x00"), "😀");
    }
}
