//! Octets as hexadecimal digits, and back.

use std::fmt::Write;

/// Lower-case hexadecimal digits.
pub fn to_hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Octets of hexadecimal digits of either case. Spaces, colons, hyphens and a leading `0x` are
/// passed over, as other programs print them.
pub fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut octets = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for character in text.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-')) {
        let digit = character.to_digit(16).ok_or_else(|| format!("{character:?} is no hexadecimal digit"))? as u8;
        match high.take() {
            None => high = Some(digit),
            Some(high) => octets.push(high << 4 | digit),
        }
    }
    match high {
        Some(_) => Err("the number of hexadecimal digits is odd".into()),
        None => Ok(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_however_they_are_grouped() {
        assert_eq!(from_hex(" 0x00FF 1a:2B-3c\n"), Ok(vec![0, 255, 0x1a, 0x2b, 0x3c]));
        assert_eq!(to_hex(&[0, 255, 0x1a]), "00ff1a");
        assert!(from_hex("abc").unwrap_err().contains("odd"));
        assert!(from_hex("0g").unwrap_err().contains("'g'"));
        assert_eq!(from_hex(""), Ok(vec![]));
    }
}
