//! Where an encoded text is cut into parts.
//!
//! A part has room for 140 octets less its header (3GPP 23.040 §9.2.3.24.1). A cut never falls
//! between an escape and its septet, nor between two surrogates; the part before it stays one
//! unit short instead.

use crate::Alphabet;
use crate::alphabet::ESCAPE;
use crate::alphabet::pack::header_septets;

/// Octets of user data in one short message.
pub(crate) const USER_DATA_OCTETS: usize = 140;

/// Septets of user data in one short message.
const USER_DATA_SEPTETS: usize = 160;

/// Octets of a concatenation element.
pub(crate) const fn concat_octets(wide: bool) -> usize {
    if wide { 6 } else { 5 }
}

/// How many units fit beside header elements of so many octets (without the length octet, which
/// is only there if they are).
pub(crate) const fn capacity(alphabet: Alphabet, elements: usize) -> usize {
    let header = if elements == 0 { 0 } else { elements + 1 };
    match alphabet {
        Alphabet::Gsm7 { .. } => USER_DATA_SEPTETS.saturating_sub(header_septets(header)),
        Alphabet::Ucs2 => USER_DATA_OCTETS.saturating_sub(header) / 2,
        Alphabet::Latin1 | Alphabet::Octets => USER_DATA_OCTETS.saturating_sub(header),
    }
}

/// The octet positions after which a text is cut, for parts of `capacity` units.
///
/// `capacity` must be 2 or more where characters may take two units.
pub(crate) fn cuts(alphabet: Alphabet, octets: &[u8], capacity: usize) -> Vec<u32> {
    let step = capacity * alphabet.unit_octets();
    let mut cuts = Vec::with_capacity(octets.len() / step.max(1));
    let mut start = 0;
    while octets.len() - start > step {
        let end = start + step;
        start = if splits_character(alphabet, octets, end) { end - alphabet.unit_octets() } else { end };
        cuts.push(start as u32);
    }
    cuts
}

/// Whether a cut before `end` would part an escape pair or a surrogate pair.
fn splits_character(alphabet: Alphabet, octets: &[u8], end: usize) -> bool {
    match alphabet {
        Alphabet::Gsm7 { .. } => octets[end - 1] == ESCAPE,
        Alphabet::Ucs2 => octets[end - 2] & 0xFC == 0xD8,
        Alphabet::Latin1 | Alphabet::Octets => false,
    }
}

/// Counts parts without encoding: fed with the width of each character.
pub(crate) struct PartCounter {
    capacity: usize,
    parts: usize,
    used: usize,
}

impl PartCounter {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self { capacity, parts: 1, used: 0 }
    }

    pub(crate) const fn add(&mut self, width: usize) {
        self.used += width;
        if self.used > self.capacity {
            self.parts += 1;
            self.used = width;
        }
    }

    pub(crate) const fn parts(&self) -> usize {
        self.parts
    }
}
