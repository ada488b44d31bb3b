//! The GSM 7-bit alphabet (3GPP 23.038 §6.2.1): characters to septets and back.
//!
//! A septet is held in the low seven bits of an octet ("unpacked"); [`pack`](crate::pack) squeezes
//! eight of them into seven octets. Which tables a message is read with is its [`Shift`].

mod default;
mod language;
mod national;
pub(crate) mod pack;

pub use language::{Language, UnknownLanguage};

pub(crate) use default::ESCAPE;
use default::{DEFAULT, EXTENDED, EXTENSION, NONE, code};

/// The tables that a GSM 7-bit text is written with; `Shift::default()` is the plain alphabet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shift {
    /// Takes the place of the default alphabet. Spanish has no such table and changes nothing.
    pub locking: Option<Language>,
    /// Takes the place of the extension table, which is reached by the escape.
    pub single: Option<Language>,
}

/// A character that the chosen alphabet cannot write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{character:?} at byte {position} is not in the alphabet")]
pub struct Unencodable {
    /// The character.
    pub character: char,
    /// Where it starts in the UTF-8 text, in bytes.
    pub position: usize,
}

/// Encodes a text, one septet an octet; extension characters take two.
pub fn encode_gsm7(text: &str, shift: Shift) -> Result<Vec<u8>, Unencodable> {
    let mut septets = Vec::with_capacity(text.len() + text.len() / 8);
    for (position, character) in text.char_indices() {
        if !push_septets(&mut septets, shift, character) {
            return Err(Unencodable { character, position });
        }
    }
    Ok(septets)
}

/// Decodes unpacked septets. Nothing is refused:
///
/// - an escape pair that the extension table lacks shows the main table's character (§6.2.1.1),
/// - two escapes show a space, an escape at the very end is dropped,
/// - reserved positions of national tables show a space,
/// - octets above 0x7F, which are no septets, show U+FFFD.
pub fn decode_gsm7(septets: &[u8], shift: Shift) -> String {
    let mut text = String::with_capacity(septets.len() + septets.len() / 8);
    let mut rest = septets.iter();
    while let Some(&septet) = rest.next() {
        if septet != ESCAPE {
            text.push(shift.main_character(septet));
            continue;
        }
        match rest.next() {
            Some(&ESCAPE) => text.push(' '),
            Some(&second) => {
                text.push(shift.extension_character(second).unwrap_or_else(|| shift.main_character(second)))
            }
            None => {}
        }
    }
    text
}

/// Appends the septets of one character; `false` if the tables lack it.
#[inline]
pub(crate) fn push_septets(septets: &mut Vec<u8>, shift: Shift, character: char) -> bool {
    let code = shift.code(character);
    if code < EXTENDED {
        if code == NONE {
            return false;
        }
        septets.push(code);
    } else {
        septets.extend_from_slice(&[ESCAPE, code & !EXTENDED]);
    }
    true
}

impl Shift {
    /// How many septets a character takes: 1, 2, or 0 if the tables lack it.
    #[inline]
    pub fn width(self, character: char) -> usize {
        match self.code(character) {
            NONE => 0,
            code if code < EXTENDED => 1,
            _ => 2,
        }
    }

    #[inline]
    fn code(self, character: char) -> u8 {
        match self {
            Self { locking: None, single: None } => code(character),
            _ => self.national_code(character),
        }
    }

    fn national_code(self, character: char) -> u8 {
        let main = match self.locking.and_then(national::locking) {
            Some(table) => table.septet(character),
            None => code(character),
        };
        if main < EXTENDED && main != NONE {
            return main;
        }
        let second = match self.single {
            Some(language) => national::single(language).septet(character),
            None => extension_septet(character),
        };
        if second == NONE { NONE } else { EXTENDED | second }
    }

    fn main_character(self, septet: u8) -> char {
        match self.locking.and_then(national::locking) {
            Some(table) if septet < 0x80 => table.character(septet).unwrap_or(' '),
            _ => DEFAULT.get(usize::from(septet)).copied().unwrap_or('\u{FFFD}'),
        }
    }

    fn extension_character(self, septet: u8) -> Option<char> {
        match self.single {
            Some(language) => national::single(language).character(septet),
            None => EXTENSION
                .iter()
                .find(|&&(position, _)| position == usize::from(septet))
                .and_then(|&(_, character)| char::from_u32(u32::from(character))),
        }
    }
}

/// The default extension table alone: a locking table may lack what the default alphabet has,
/// and the other way round, so the joint inverse cannot be asked.
fn extension_septet(character: char) -> u8 {
    EXTENSION
        .iter()
        .find(|&&(_, extension)| u32::from(extension) == u32::from(character))
        .map_or(NONE, |&(position, _)| position as u8)
}
