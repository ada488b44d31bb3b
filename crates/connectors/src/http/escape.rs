//! How values are written where they stand. Pure.

use model::resources::http::HttpDigest;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a form, or a parameter of a URL: percent-encoded (RFC 3986 §2.1).
    Url,
    /// In the path of a URL: likewise, but what stands around it is a path already.
    Path,
    /// In a string of JSON (RFC 8259 §7).
    Json,
    /// In the text of an XML element or an attribute (XML 1.0 §2.4).
    Xml,
    /// As it is.
    Plain,
}

/// Writes `value` as it has to be written there.
pub(super) fn write(place: Place, value: &[u8], out: &mut Vec<u8>) {
    match place {
        Place::Url | Place::Path => percent_encode(value, out),
        Place::Json => json(&String::from_utf8_lossy(value), out),
        Place::Xml => xml(&String::from_utf8_lossy(value), out),
        Place::Plain => out.extend_from_slice(value),
    }
}

/// Leaves what is unreserved (RFC 3986 §2.3).
pub(super) fn percent_encode(octets: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for octet in octets {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(octet) {
            out.push(*octet);
        } else {
            let [high, low] = [octet >> 4, octet & 15].map(|digit| DIGITS[usize::from(digit)]);
            out.extend_from_slice(&[b'%', high, low]);
        }
    }
}

fn json(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn xml(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\'' => out.extend_from_slice(b"&apos;"),
            // What XML can't hold (XML 1.0 §2.2).
            c if c < ' ' && !matches!(c, '\t' | '\n' | '\r') => {}
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Octets as text.
pub(super) fn digest(form: HttpDigest, octets: &[u8]) -> String {
    use base64::Engine as _;
    match form {
        HttpDigest::Hex => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
        HttpDigest::Base64 => base64::engine::general_purpose::STANDARD.encode(octets),
    }
}

/// Text as octets; `None` if it is not written so.
pub(super) fn undigest(form: HttpDigest, text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    match form {
        HttpDigest::Base64 => base64::engine::general_purpose::STANDARD.decode(text.trim()).ok(),
        HttpDigest::Hex => {
            let digits = text.trim().as_bytes();
            let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let all = digits.iter().all(u8::is_ascii_hexdigit) && digits.len().is_multiple_of(2);
            all.then(|| digits.chunks(2).map(pair).collect())?
        }
    }
}

/// The fields of a form or of a URL's parameters. A `%` without two digits stands for itself; what is no
/// UTF-8 is replaced.
pub(super) fn parse_form(text: &[u8]) -> impl Iterator<Item = (String, String)> {
    text.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(at);
        (decoded(name), decoded(value.get(1..).unwrap_or_default()))
    })
}

fn decoded(text: &[u8]) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                octets.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(place: Place, text: &str) -> String {
        let mut out = Vec::new();
        write(place, text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_can_not_leave_their_place() {
        assert_eq!(written(Place::Url, "a b&c=é+"), "a%20b%26c%3D%C3%A9%2B");
        assert_eq!(written(Place::Json, "\"}\\\n\u{1}é"), "\\\"}\\\\\\n\\u0001é");
        assert_eq!(written(Place::Xml, "<a b='\"&\u{1}'>"), "&lt;a b=&apos;&quot;&amp;&apos;&gt;");
    }

    #[test]
    fn digests_are_read_back_or_refused() {
        assert_eq!(undigest(HttpDigest::Hex, "00ffA0"), Some(vec![0, 255, 160]));
        for bad in ["0", "0x", "+1", "é1"] {
            assert_eq!(undigest(HttpDigest::Hex, bad), None, "{bad}");
        }
        assert_eq!(undigest(HttpDigest::Base64, "AP+g"), Some(vec![0, 255, 160]));
    }

    proptest! {
        #[test]
        fn forms_come_back(pairs in proptest::collection::vec((".{1,8}", ".{0,8}"), 0..5)) {
            let mut out = Vec::new();
            for (name, value) in &pairs {
                out.push(b'&');
                percent_encode(name.as_bytes(), &mut out);
                out.push(b'=');
                percent_encode(value.as_bytes(), &mut out);
            }
            prop_assert_eq!(parse_form(&out).collect::<Vec<_>>(), pairs);
        }

        #[test]
        fn strings_of_json_come_back(text in ".*") {
            let json = format!("\"{}\"", written(Place::Json, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            parse_form(&octets).for_each(drop);
            undigest(HttpDigest::Hex, &String::from_utf8_lossy(&octets));
        }
    }
}
