//! Texts in the charsets that applications send them in.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, WINDOWS_1252};

/// A charset that is not known, or octets that are no text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// The text that `octets` are in the charset of this name. Without a name they are UTF-8, or what is not
/// is taken for Windows' Latin alphabet, as applications of that age wrote it.
pub(crate) fn text(octets: &[u8], charset: Option<&str>) -> Result<String, Unreadable> {
    let Some(name) = charset.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(match std::str::from_utf8(octets) {
            Ok(text) => text.to_owned(),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
        });
    };
    let encoding = named(name).ok_or(Unreadable)?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(octets).ok_or(Unreadable)?;
    Ok(text.into_owned())
}

/// The text that `octets` are in UTF-16, big-endian.
pub(crate) fn utf16be(octets: &[u8]) -> Result<String, Unreadable> {
    let text = UTF_16BE.decode_without_bom_handling_and_without_replacement(octets).ok_or(Unreadable)?;
    Ok(text.into_owned())
}

fn named(name: &str) -> Option<&'static Encoding> {
    // Names that iconv knows and the web does not.
    match name.to_ascii_uppercase().as_str() {
        "UCS-2" | "UCS2" | "UCS-2BE" | "UTF16" | "UTF-16" | "ISO-10646-UCS-2" => Some(UTF_16BE),
        "LATIN-1" | "LATIN1" => Some(WINDOWS_1252),
        "UTF8" => Some(UTF_8),
        name => Encoding::for_label(name.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_known_by_their_names() {
        for (octets, charset, expected) in [
            (&b"caf\xc3\xa9"[..], None, "café"),
            (b"caf\xe9", None, "café"),
            (b"caf\xe9", Some("ISO-8859-1"), "café"),
            (b"caf\xe9", Some("latin1"), "café"),
            (b"\xa4", Some("iso-8859-15"), "€"),
            (b"\x80", Some("windows-1252"), "€"),
            (b"\x20\xac", Some("UCS-2"), "€"),
            (b"\x20\xac", Some("utf-16be"), "€"),
            (b"\xd0\xb6", Some("UTF-8"), "ж"),
            (b"\xd6", Some("koi8-r"), "ж"),
        ] {
            assert_eq!(text(octets, charset).as_deref(), Ok(expected), "{charset:?}");
        }
        assert_eq!(text(b"x", Some("klingon")), Err(Unreadable));
        assert_eq!(text(b"\xff", Some("utf-8")), Err(Unreadable));
        assert_eq!(utf16be(b"\x20"), Err(Unreadable));
    }
}
