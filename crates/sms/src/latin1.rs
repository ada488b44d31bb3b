//! ISO 8859-1, in which an octet is the code point.

use crate::Unencodable;

/// Encodes a text as Latin-1; characters above U+00FF are refused.
pub fn encode_latin1(text: &str) -> Result<Vec<u8>, Unencodable> {
    text.char_indices()
        .map(|(position, character)| {
            u8::try_from(u32::from(character)).map_err(|_| Unencodable { character, position })
        })
        .collect()
}

/// Decodes Latin-1; every octet is a character.
pub fn decode_latin1(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}
