//! The text of messages (033): septets of the GSM default alphabet in a notation of ISO Latin-1 characters.
//!
//! What a septet looks like to people is not this protocol's business; here are only the two notations of the same
//! septets: one an octet as in 3GPP 23.038, and CIMD2's, in which whatever is not the same in ASCII is an underscore
//! and two characters. The second table of the alphabet needs nothing of its own: it is the escape (`_XX`) and a septet.

/// The septet of an underscore by itself.
const UNDERSCORE: u8 = 0x11;

/// Every combination: the two characters behind the underscore, and the septet.
const COMBINATIONS: [(&[u8; 2], u8); 43] = [
    (b"Oa", 0x00),
    (b"L-", 0x01),
    (b"Y-", 0x03),
    (b"e`", 0x04),
    (b"e'", 0x05),
    (b"u`", 0x06),
    (b"i`", 0x07),
    (b"o`", 0x08),
    (b"C,", 0x09),
    (b"O/", 0x0B),
    (b"o/", 0x0C),
    (b"A*", 0x0E),
    (b"a*", 0x0F),
    (b"gd", 0x10),
    (b"--", UNDERSCORE),
    (b"gf", 0x12),
    (b"gg", 0x13),
    (b"gl", 0x14),
    (b"go", 0x15),
    (b"gp", 0x16),
    (b"gi", 0x17),
    (b"gs", 0x18),
    (b"gt", 0x19),
    (b"gx", 0x1A),
    (b"XX", 0x1B),
    (b"AE", 0x1C),
    (b"ae", 0x1D),
    (b"ss", 0x1E),
    (b"E'", 0x1F),
    (b"qq", 0x22),
    (b"ox", 0x24),
    (b"!!", 0x40),
    (b"A\"", 0x5B),
    (b"O\"", 0x5C),
    (b"N~", 0x5D),
    (b"U\"", 0x5E),
    (b"so", 0x5F),
    (b"??", 0x60),
    (b"a\"", 0x7B),
    (b"o\"", 0x7C),
    (b"n~", 0x7D),
    (b"u\"", 0x7E),
    (b"a`", 0x7F),
];

/// The combination of each septet; those without one are the same in ASCII, but for the dollar.
const NOTATION: [Option<[u8; 3]>; 128] = {
    let mut table = [None; 128];
    let mut at = 0;
    while at < COMBINATIONS.len() {
        let (&[first, second], septet) = COMBINATIONS[at];
        table[septet as usize] = Some([b'_', first, second]);
        at += 1;
    }
    table
};

/// Appends the notation of septets, one an octet, the highest bit ignored. Only ASCII comes out of it, which every link
/// carries, and at most three characters a septet.
pub fn write_text(septets: &[u8], out: &mut Vec<u8>) {
    out.reserve(septets.len());
    for septet in septets {
        let septet = septet & 0x7F;
        match NOTATION.get(usize::from(septet)) {
            Some(Some(combination)) => out.extend_from_slice(combination),
            _ if septet == 0x02 => out.push(b'$'),
            _ => out.push(septet),
        }
    }
}

/// The septets that a peer's text stands for, one an octet. Everything is taken: an unknown combination stays as it
/// is, and a character that the alphabet does not have becomes a question mark.
pub fn septets(text: &[u8]) -> Septets<'_> {
    Septets { rest: text }
}

/// Goes through the septets of a text, see [`septets`].
#[derive(Debug, Clone)]
pub struct Septets<'a> {
    rest: &'a [u8],
}

impl Iterator for Septets<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if first != b'_' {
            return Some(single(first));
        }
        let known = rest.split_first_chunk::<2>().and_then(|(pair, behind)| {
            let (_, septet) = COMBINATIONS.iter().find(|(combination, _)| *combination == pair)?;
            Some((*septet, behind))
        });
        let Some((septet, behind)) = known else {
            return Some(UNDERSCORE);
        };
        self.rest = behind;
        Some(septet)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest.len() / 3, Some(self.rest.len()))
    }
}

/// The septet of a character by itself.
fn single(character: u8) -> u8 {
    match character {
        b'@' => 0x00,
        b'$' => 0x02,
        b']' => 0x0E,
        b'}' => 0x0F,
        // The same by their codes, though some look different: a bracket is displayed as Ä.
        0x00..=0x7F => character,
        0xA3 => 0x01,
        0xA5 => 0x03,
        0xE8 => 0x04,
        0xE9 => 0x05,
        0xF9 => 0x06,
        0xEC => 0x07,
        0xF2 => 0x08,
        0xC7 => 0x09,
        0xD8 => 0x0B,
        0xF8 => 0x0C,
        0xC5 => 0x0E,
        0xE5 => 0x0F,
        0xC6 => 0x1C,
        0xE6 => 0x1D,
        0xDF => 0x1E,
        0xC9 => 0x1F,
        0xA4 => 0x24,
        0xA1 => 0x40,
        0xC4 => 0x5B,
        0xD6 => 0x5C,
        0xD1 => 0x5D,
        0xDC => 0x5E,
        0xA7 => 0x5F,
        0xBF => 0x60,
        0xE4 => 0x7B,
        0xF6 => 0x7C,
        0xF1 => 0x7D,
        0xFC => 0x7E,
        0xE0 => 0x7F,
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<u8> {
        septets(text).collect()
    }

    #[test]
    fn every_septet_there_and_back() {
        let all: Vec<u8> = (0..128).collect();
        let mut text = Vec::new();
        write_text(&all, &mut text);
        assert_eq!(read(&text), all);
        assert!(text.iter().all(|octet| octet.is_ascii() && !matches!(octet, 0 | 2 | 3 | 9)));
    }

    #[test]
    fn what_peers_write() {
        assert_eq!(read(b"a_XXe_XX<"), [b'a', 0x1B, 0x65, 0x1B, 0x3C]);
        // An underscore by itself, an unknown combination, and one that is cut off.
        assert_eq!(read(b"_zz _"), [0x11, b'z', b'z', b' ', 0x11]);
        assert_eq!(read(b"_a"), [0x11, b'a']);
        // Latin-1 letters, some of which the alphabet lacks.
        assert_eq!(read(b"\xE9\xF1\xC4\xA9\xE7"), [0x05, 0x7D, 0x5B, b'?', b'?']);
        assert_eq!(read(b"[@$]}"), [0x5B, 0x00, 0x02, 0x0E, 0x0F]);
    }
}
