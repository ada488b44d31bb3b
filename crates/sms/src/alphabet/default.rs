//! The GSM 7-bit default alphabet and its extension table (3GPP 23.038 §6.2.1).

/// The escape septet: the next septet is read in the extension (single shift) table.
pub(crate) const ESCAPE: u8 = 0x1B;

/// What [`code`] says of a character that is not in the alphabet. The escape itself is never a
/// character, so its septet is free to mean this.
pub(crate) const NONE: u8 = ESCAPE;

/// Marks a code as the second septet of an escape pair.
pub(crate) const EXTENDED: u8 = 0x80;

/// Character of each septet; the escape stands for itself.
#[rustfmt::skip]
pub(crate) const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// Septet after the escape, and its character. 0x0D is the control position CR2, read as CR.
#[rustfmt::skip]
pub(crate) const EXTENSION: &[(usize, u16)] = &[
    (0x0A, 0x000C), (0x0D, 0x000D), (0x14, 0x005E), (0x28, 0x007B), (0x29, 0x007D), (0x2F, 0x005C),
    (0x3C, 0x005B), (0x3D, 0x007E), (0x3E, 0x005D), (0x40, 0x007C), (0x65, 0x20AC),
];

/// Every character but the euro lies below this code point, so encoding is one array access.
const BOUND: usize = 0x400;

static CODES: [u8; BOUND] = codes();

/// The septet of a character, with [`EXTENDED`] set if it follows an escape; [`NONE`] if absent.
#[inline]
pub(crate) fn code(character: char) -> u8 {
    match CODES.get(character as usize) {
        Some(&code) => code,
        None if character == '€' => EXTENDED | 0x65,
        None => NONE,
    }
}

const fn codes() -> [u8; BOUND] {
    let mut codes = [NONE; BOUND];
    let mut entry = 0;
    while entry < EXTENSION.len() {
        let (septet, character) = EXTENSION[entry];
        if (character as usize) < BOUND {
            codes[character as usize] = EXTENDED | septet as u8;
        }
        entry += 1;
    }
    let mut septet = 0;
    while septet < DEFAULT.len() {
        if septet != ESCAPE as usize {
            // The main table comes last: a character of both (CR) takes one septet.
            codes[DEFAULT[septet] as usize] = septet as u8;
        }
        septet += 1;
    }
    codes
}
