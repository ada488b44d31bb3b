//! Kannel's escapes: a URL with `%p`, `%d`, `%A` … becomes one that can be called.

use std::fmt::Write as _;

use model::Timestamp;

/// What escapes stand for. A text that is not given fills nothing in.
#[derive(Clone, Debug, Default)]
pub(super) struct Escapes<'a> {
    /// The message's octets, or what is said of it (`%a %A %b %k %s %S %r`).
    pub text: &'a [u8],
    /// The phone (`%p`, `%q`).
    pub phone: &'a str,
    /// Our end (`%P`, `%Q`).
    pub other: &'a str,
    /// When it happened (`%t`, `%T`).
    pub at: Timestamp,
    /// The event of a receipt (`%d`), −1 for none.
    pub event: i32,
    /// The gateway's id (`%I`).
    pub id: &'a str,
    /// The carrier's id (`%F`).
    pub remote_id: &'a str,
    /// The connector (`%i`).
    pub connector: &'a str,
    /// The service or user (`%n`).
    pub service: &'a str,
    /// `%o`
    pub account: &'a str,
    /// `%B`
    pub binfo: &'a str,
    /// `?group?key=value&key=value?group?…` (`%D`, `%#group#key#`).
    pub meta_data: &'a str,
    /// The URL itself before anything was filled in (`%R`), for receipts.
    pub dlr_url: &'a str,
    /// 0 for 7-bit, 1 for octets, 2 for UCS-2 (`%c`, `%C`, `%O`).
    pub coding: u8,
    /// Message class (`%m`, `%O`).
    pub class: Option<u8>,
    /// Message waiting indication (`%M`).
    pub waiting: Option<u8>,
    /// The user data header (`%u`).
    pub udh: &'a [u8],
    /// Minutes that are left of the validity (`%v`).
    pub validity: Option<i64>,
    /// Minutes until it is due (`%V`).
    pub deferred: Option<i64>,
}

/// `pattern` with its escapes filled in: always a text that may stand in a request line.
pub(super) fn fill(pattern: &str, with: &Escapes<'_>) -> Box<str> {
    let words: Vec<&[u8]> = with.text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let mut out = String::with_capacity(pattern.len() + with.text.len() + 64);
    // The word that `%s` means next; the first is the keyword.
    let mut next = 1;
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        push_plain(&rest[..at], &mut out);
        let escape = &rest[at + 1..];
        let Some(letter) = escape.chars().next() else {
            // A `%` at the end stands for itself, and can't stand so in a URL.
            out.push_str("%25");
            rest = "";
            break;
        };
        rest = &escape[letter.len_utf8()..];
        match letter {
            '#' => rest = push_meta_data(rest, with.meta_data, &mut out),
            's' | 'S' => {
                if let Some(word) = words.get(next) {
                    push_word(word, letter == 'S', &mut out);
                    next += 1;
                }
            }
            'r' => push_words(words.get(next..).unwrap_or_default(), &mut out),
            'a' => push_words(&words, &mut out),
            'k' => push_words(words.get(..1).unwrap_or_default(), &mut out),
            letter => push_field(letter, with, &mut out),
        }
    }
    push_plain(rest, &mut out);
    out.into()
}

fn push_field(letter: char, with: &Escapes<'_>, out: &mut String) {
    // Writing to a string can't fail.
    let _ = match letter {
        'A' | 'b' => return push_encoded(with.text, out),
        'p' => return push_encoded(with.phone.as_bytes(), out),
        'P' => return push_encoded(with.other.as_bytes(), out),
        'q' => return push_number(with.phone, out),
        'Q' => return push_number(with.other, out),
        'I' => return push_encoded(with.id.as_bytes(), out),
        'F' => return push_encoded(with.remote_id.as_bytes(), out),
        'i' => return push_encoded(with.connector.as_bytes(), out),
        'n' => return push_encoded(with.service.as_bytes(), out),
        'o' => return push_encoded(with.account.as_bytes(), out),
        'B' => return push_encoded(with.binfo.as_bytes(), out),
        'D' => return push_encoded(with.meta_data.as_bytes(), out),
        'R' => return push_encoded(with.dlr_url.as_bytes(), out),
        'u' => return push_encoded(with.udh, out),
        // The SMSC's own number is not known.
        'f' => Ok(()),
        'C' => {
            out.push_str(["UTF-8", "8-BIT", "UTF-16BE"].get(usize::from(with.coding)).unwrap_or(&"UTF-8"));
            Ok(())
        }
        'c' => write!(out, "{}", with.coding),
        'd' => write!(out, "{}", with.event),
        'm' => write!(out, "{}", with.class.map_or(-1, i32::from)),
        'M' => write!(out, "{}", with.waiting.map_or(-1, i32::from)),
        'O' => write!(out, "{:02}", dcs(with)),
        't' => push_time(with.at, out),
        'T' => write!(out, "{}", with.at.as_seconds()),
        'v' => with.validity.map_or(Ok(()), |minutes| write!(out, "{minutes}")),
        'V' => with.deferred.map_or(Ok(()), |minutes| write!(out, "{minutes}")),
        '%' => {
            out.push('%');
            Ok(())
        }
        unknown => {
            out.push('%');
            let mut octets = [0; 4];
            push_plain(unknown.encode_utf8(&mut octets), out);
            Ok(())
        }
    };
}

fn push_time(at: Timestamp, out: &mut String) -> std::fmt::Result {
    let Some(civil) = at.civil() else { return Ok(()) };
    let (year, month, day) = (civil.year(), civil.month(), civil.day());
    write!(out, "{year:04}-{month:02}-{day:02}+{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second())
}

/// The data coding scheme (3GPP 23.038 §4).
fn dcs(with: &Escapes<'_>) -> u8 {
    let coding = with.coding.min(2) << 2;
    match (with.waiting, with.class) {
        // Kinds from 4 on are the same, switched off.
        (Some(waiting), _) => {
            let group = if with.coding == 2 { 0xe0 } else { 0xd0 };
            group | (if waiting < 4 { 8 } else { 0 }) | (waiting & 3)
        }
        (None, Some(class)) => coding | 0x10 | class & 3,
        (None, None) => coding,
    }
}

/// `#group#key#`, of which the first `#` is behind us; what follows it.
fn push_meta_data<'p>(pattern: &'p str, meta_data: &str, out: &mut String) -> &'p str {
    let Some((group, after)) = pattern.split_once('#') else { return pattern };
    let Some((key, after)) = after.split_once('#') else { return after };
    if let Some(value) = meta_value(meta_data, group, key) {
        push_encoded(&percent_decoded(value), out);
    }
    after
}

/// A value of `?group?key=value&key=value?group?…`, still encoded.
fn meta_value<'m>(meta_data: &'m str, group: &str, key: &str) -> Option<&'m str> {
    let mut pieces = meta_data.strip_prefix('?')?.split('?');
    while let (Some(name), Some(pairs)) = (pieces.next(), pieces.next()) {
        if name.eq_ignore_ascii_case(group) {
            return pairs.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v);
        }
    }
    None
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| octet == b'%').and_then(|d| std::str::from_utf8(d).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = if value.is_some() { after.get(2..).unwrap_or_default() } else { after };
        octets.push(value.unwrap_or(if octet == b'+' { b' ' } else { octet }));
    }
    octets
}

/// An international number with `+`, whether it was written with that or with `00`.
fn push_number(number: &str, out: &mut String) {
    if let Some(rest) = number.strip_prefix("00") {
        out.push_str("%2B");
        push_encoded(rest.as_bytes(), out);
    } else {
        push_encoded(number.as_bytes(), out);
    }
}

fn push_words(words: &[&[u8]], out: &mut String) {
    for (n, word) in words.iter().enumerate() {
        if n > 0 {
            out.push('+');
        }
        push_encoded(word, out);
    }
}

/// A word; as `%S` it may bring signs that have a meaning in the URL, with `~` for `*`.
fn push_word(word: &[u8], raw: bool, out: &mut String) {
    if raw {
        push_plain(&String::from_utf8_lossy(word).replace('*', "~"), out);
    } else {
        push_encoded(word, out);
    }
}

/// Octets as a form writes them: a space is `+`, and only letters, digits and `-_.!~*'()` stay.
pub(crate) fn push_encoded(octets: &[u8], out: &mut String) {
    for &octet in octets {
        match octet {
            b' ' => out.push('+'),
            octet if octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet) => out.push(char::from(octet)),
            octet => {
                let _ = write!(out, "%{octet:02X}");
            }
        }
    }
}

/// A piece of a URL as it is, but for what can't stand in one (RFC 3986 §2).
fn push_plain(text: &str, out: &mut String) {
    for octet in text.bytes() {
        match octet {
            b' ' => out.push('+'),
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | ..=0x20 | 0x7f.. => {
                let _ = write!(out, "%{octet:02X}");
            }
            octet => out.push(char::from(octet)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Escapes<'static> {
        Escapes {
            text: b"INFO  two three* four",
            phone: "+447700900123",
            other: "0060777",
            at: Timestamp::from_millis(1_795_378_496_007),
            event: 8,
            id: "0192-id",
            remote_id: "a/b",
            connector: "carrier a",
            service: "shop",
            account: "acc&1",
            binfo: "b=1",
            meta_data: "?smpp?my_param=a%26b&other=1?orig?x=y",
            dlr_url: "http://x/?%d",
            ..Escapes::default()
        }
    }

    #[test]
    fn every_escape_is_filled_in() {
        let at = "2026-11-22+20:14:56";
        for (pattern, expected) in [
            ("%p|%P", "%2B447700900123%7C0060777"),
            ("%q,%Q", "%2B447700900123,%2B60777"),
            ("%a", "INFO+two+three*+four"),
            ("%b", "INFO++two+three*+four"),
            ("%A", "INFO++two+three*+four"),
            ("%k-%s-%S-%r-%s-%s", "INFO-two-three~-four-four-"),
            ("%t/%T", &format!("{at}/1795378496")),
            ("%d %i %I %F %n", "8+carrier+a+0192-id+a%2Fb+shop"),
            ("%o&%B&%D", "acc%261&b%3D1&%3Fsmpp%3Fmy_param%3Da%2526b%26other%3D1%3Forig%3Fx%3Dy"),
            ("%#smpp#my_param#+%#orig#x#+%#none#x#.", "a%26b+y+."),
            ("%c%C%m%M%O%f%u%v%V", "0UTF-8-1-100"),
            ("%R", "http%3A%2F%2Fx%2F%3F%25d"),
            ("100%%&%z&%", "100%&%z&%25"),
            ("%#open", "open"),
            ("%#a#open", "open"),
        ] {
            assert_eq!(&*fill(pattern, &example()), expected, "{pattern}");
        }
    }

    #[test]
    fn a_binary_message_has_its_coding_and_header() {
        let binary = Escapes {
            text: &[0, 255, b'a'],
            coding: 1,
            class: Some(1),
            udh: &[5, 0, 3],
            validity: Some(10),
            deferred: Some(-1),
            ..Escapes::default()
        };
        assert_eq!(&*fill("%b %c %C %m %O %u %v %V", &binary), "%00%FFa+1+8-BIT+1+21+%05%00%03+10+-1");
        let waiting = Escapes { waiting: Some(0), ..Escapes::default() };
        assert_eq!(&*fill("%M %O", &waiting), "0+216");
    }

    proptest! {
        #[test]
        fn whatever_is_filled_in_can_stand_in_a_request(pattern in ".{0,60}", text: Vec<u8>, meta in ".{0,40}") {
            let filled = fill(&pattern, &Escapes { text: &text, meta_data: &meta, ..example() });
            prop_assert!(filled.bytes().all(|b| (0x21..0x7f).contains(&b)), "{}", filled);
        }

        #[test]
        fn what_is_encoded_is_decoded_again(octets: Vec<u8>) {
            let mut out = String::new();
            push_encoded(&octets, &mut out);
            prop_assert_eq!(percent_decoded(&out), octets);
        }
    }
}
