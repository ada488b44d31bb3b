//! The national language shift tables (3GPP 23.038 Annex A), in both directions.

mod locking;
mod single;

use super::default::{ESCAPE, NONE};
use super::language::Language;

/// One table of 128 positions, and its inverse sorted by character for a binary search.
pub(super) struct Table {
    characters: [u16; 128],
    sorted: [(u16, u8); 128],
    filled: usize,
}

impl Table {
    /// The character at a septet; `None` where the table is reserved (or has its escape).
    pub(super) fn character(&self, septet: u8) -> Option<char> {
        match self.characters.get(usize::from(septet)) {
            Some(0) | None => None,
            Some(_) if septet == ESCAPE => None,
            Some(&character) => char::from_u32(u32::from(character)),
        }
    }

    /// The septet of a character; [`NONE`] if the table lacks it.
    pub(super) fn septet(&self, character: char) -> u8 {
        let Ok(wanted) = u16::try_from(u32::from(character)) else {
            return NONE;
        };
        let entries = &self.sorted[..self.filled];
        match entries.binary_search_by_key(&wanted, |&(character, _)| character) {
            Ok(found) => entries[found].1,
            Err(_) => NONE,
        }
    }

    /// Builds the inverse; of two positions with the same character the lower one is used.
    const fn new(characters: [u16; 128]) -> Self {
        let mut sorted = [(0, 0); 128];
        let mut filled = 0;
        let mut septet = 0;
        while septet < 128 {
            let character = characters[septet];
            if character != 0 && septet != ESCAPE as usize {
                let mut place = filled;
                while place > 0 && sorted[place - 1].0 > character {
                    place -= 1;
                }
                if place == 0 || sorted[place - 1].0 != character {
                    let mut moved = filled;
                    while moved > place {
                        sorted[moved] = sorted[moved - 1];
                        moved -= 1;
                    }
                    sorted[place] = (character, septet as u8);
                    filled += 1;
                }
            }
            septet += 1;
        }
        Self { characters, sorted, filled }
    }
}

/// The locking shift table of a language; Spanish has none and keeps the default alphabet.
pub(super) fn locking(language: Language) -> Option<&'static Table> {
    LOCKING.get(index(language)).and_then(Option::as_ref)
}

/// The single shift table of a language.
pub(super) fn single(language: Language) -> &'static Table {
    &SINGLE[index(language)]
}

fn index(language: Language) -> usize {
    // Identifiers run from 1 to 13 without a gap.
    usize::from(language.identifier()) - 1
}

static LOCKING: [Option<Table>; 13] = [
    Some(Table::new(locking::TURKISH)),
    None,
    Some(Table::new(locking::PORTUGUESE)),
    Some(Table::new(locking::BENGALI)),
    Some(Table::new(locking::GUJARATI)),
    Some(Table::new(locking::HINDI)),
    Some(Table::new(locking::KANNADA)),
    Some(Table::new(locking::MALAYALAM)),
    Some(Table::new(locking::ORIYA)),
    Some(Table::new(locking::PUNJABI)),
    Some(Table::new(locking::TAMIL)),
    Some(Table::new(locking::TELUGU)),
    Some(Table::new(locking::URDU)),
];

static SINGLE: [Table; 13] = [
    Table::new(single::TURKISH),
    Table::new(single::SPANISH),
    Table::new(single::PORTUGUESE),
    Table::new(single::BENGALI),
    Table::new(single::GUJARATI),
    Table::new(single::HINDI),
    Table::new(single::KANNADA),
    Table::new(single::MALAYALAM),
    Table::new(single::ORIYA),
    Table::new(single::PUNJABI),
    Table::new(single::TAMIL),
    Table::new(single::TELUGU),
    Table::new(single::URDU),
];
