//! Octets as hexadecimal digits, as PDUs stand on the line.

/// Octets as digits in upper case, which every modem takes.
#[must_use]
pub fn to_hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase();
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// Digits as octets; `None` if they are none, or an odd number.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let value = |octet: u8| char::from(octet).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::try_from(value(*pair.first()?)? * 16 + value(*pair.get(1)?)?).ok()).collect()
}
