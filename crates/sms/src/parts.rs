//! A planned text or octet message: its parts and their headers.

use std::ops::Range;

use crate::split::{self, capacity, concat_octets, cuts};
use crate::udh::{Concat, Udh, UdhBuilder};
use crate::{Alphabet, TextError};

/// A message cut into parts. One allocation holds the octets of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPlan {
    alphabet: Alphabet,
    octets: Vec<u8>,
    /// Where parts after the first begin in `octets`; empty for a single part.
    cuts: Vec<u32>,
    /// Elements that every part carries, without the length octet.
    elements: Vec<u8>,
    wide_reference: bool,
    replaced: usize,
    forced_by: Vec<(char, usize)>,
}

/// One part of a [`TextPlan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    plan: &'a TextPlan,
    index: usize,
}

/// Plans a message that is not text, with the user's own header (its length octet included; empty
/// for none).
///
/// If both fit one message they stay as they are. Else a concatenation element is added to the
/// header, which must not have one yet, and the whole header is repeated in every part.
pub fn plan_octets(data: &[u8], udh: &[u8], wide_reference: bool, max_parts: u8) -> Result<TextPlan, TextError> {
    with_header(Alphabet::Octets, data, udh, wide_reference, max_parts)
}

/// The same for text in the GSM 7-bit default alphabet, one septet an octet, with the user's own
/// header: 160 septets fit a message without one, and 153 one with a concatenation.
pub fn plan_septets(septets: &[u8], udh: &[u8], wide_reference: bool, max_parts: u8) -> Result<TextPlan, TextError> {
    with_header(Alphabet::Gsm7 { locking: None, single: None }, septets, udh, wide_reference, max_parts)
}

fn with_header(
    alphabet: Alphabet,
    data: &[u8],
    udh: &[u8],
    wide_reference: bool,
    max_parts: u8,
) -> Result<TextPlan, TextError> {
    let elements = header_elements(udh)?;
    let single = capacity(alphabet, elements.len());
    if data.len() > single {
        // An element behind one that overruns the header would never be read.
        let extensible = Udh::split(udh).is_ok_and(|(header, _)| {
            let whole: usize = header.elements().map(|element| element.data.len() + 2).sum();
            whole == elements.len() && header.concat().is_none()
        });
        let room = capacity(alphabet, elements.len() + concat_octets(wide_reference));
        if room == 0 || !(extensible || udh.is_empty()) {
            return Err(TextError::CannotSplit { header: udh.len() });
        }
    }
    if elements.len() + 1 > split::USER_DATA_OCTETS {
        return Err(TextError::CannotSplit { header: udh.len() });
    }
    TextPlan::with_elements(alphabet, data.to_vec(), elements, wide_reference).limited(max_parts)
}

/// The elements of a user's header, without the length octet. A header that has none says nothing,
/// so its message goes out without one.
fn header_elements(udh: &[u8]) -> Result<&[u8], TextError> {
    if udh.is_empty() {
        return Ok(&[]);
    }
    let bad = |claimed| TextError::BadHeader { claimed, present: udh.len() };
    match Udh::split(udh) {
        Ok((header, [])) => Ok(&header.octets()[1..]),
        Ok((header, _)) => Err(bad(header.octets().len())),
        Err(fault) => Err(bad(fault.claimed)),
    }
}

impl TextPlan {
    pub(crate) fn new(alphabet: Alphabet, octets: Vec<u8>, wide_reference: bool) -> Self {
        let shift = alphabet.shift();
        if shift == Default::default() {
            return Self::with_elements(alphabet, octets, &[], wide_reference);
        }
        let header = UdhBuilder::new().shift(shift).finish();
        Self::with_elements(alphabet, octets, &header[1..], wide_reference)
    }

    fn with_elements(alphabet: Alphabet, octets: Vec<u8>, elements: &[u8], wide_reference: bool) -> Self {
        let mut plan = Self {
            alphabet,
            octets,
            cuts: Vec::new(),
            elements: elements.to_vec(),
            wide_reference,
            replaced: 0,
            forced_by: Vec::new(),
        };
        if plan.units() > capacity(alphabet, elements.len()) {
            let room = capacity(alphabet, elements.len() + concat_octets(wide_reference));
            plan.cuts = cuts(alphabet, &plan.octets, room);
        }
        plan
    }

    pub(crate) fn with_replaced(mut self, replaced: usize) -> Self {
        self.replaced = replaced;
        self
    }

    pub(crate) fn with_forcing(mut self, forced_by: Vec<(char, usize)>) -> Self {
        self.forced_by = forced_by;
        self
    }

    pub(crate) fn limited(self, max: u8) -> Result<Self, TextError> {
        let parts = self.part_count();
        if parts > usize::from(max) {
            return Err(TextError::TooManyParts { parts, max });
        }
        Ok(self)
    }

    /// The alphabet of every part.
    pub const fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// The parts, in order; at least one.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = Part<'_>> + use<'_> {
        (0..self.part_count()).map(|index| Part { plan: self, index })
    }

    /// The part of an index from 0.
    pub fn part(&self, index: usize) -> Option<Part<'_>> {
        (index < self.part_count()).then_some(Part { plan: self, index })
    }

    /// How many parts there are, from 1 to 255.
    pub const fn part_count(&self) -> usize {
        self.cuts.len() + 1
    }

    /// Units (septets, octets, UTF-16 code units) of the whole text, headers not counted.
    pub const fn units(&self) -> usize {
        self.octets.len() / self.alphabet.unit_octets()
    }

    /// Units that a part of this plan holds: of a single part, or of each of several.
    pub const fn units_per_part(&self) -> usize {
        let concat = match self.cuts.is_empty() {
            true => 0,
            false => concat_octets(self.wide_reference),
        };
        capacity(self.alphabet, self.elements.len() + concat)
    }

    /// Units still free in the last part.
    pub fn units_left(&self) -> usize {
        let last = self.range(self.cuts.len());
        self.units_per_part().saturating_sub(last.len() / self.alphabet.unit_octets())
    }

    /// How many characters were replaced by transliteration.
    pub const fn replaced(&self) -> usize {
        self.replaced
    }

    /// The characters that kept the text out of the GSM alphabet, and the byte positions where
    /// they start in the text; the first 20. Empty if UCS-2 was asked for.
    pub fn forced_by(&self) -> &[(char, usize)] {
        &self.forced_by
    }

    /// The encoded text of all parts, without headers.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn range(&self, index: usize) -> Range<usize> {
        let cut = |index: usize| self.cuts.get(index).map(|&cut| cut as usize);
        let start = index.checked_sub(1).and_then(cut).unwrap_or(0);
        start..cut(index).unwrap_or(self.octets.len())
    }
}

impl<'a> Part<'a> {
    /// Which part this is, from 1.
    pub const fn number(&self) -> u8 {
        // Plans of more than 255 parts are refused.
        (self.index + 1) as u8
    }

    /// The alphabet of its octets.
    pub const fn alphabet(&self) -> Alphabet {
        self.plan.alphabet
    }

    /// Where its units lie in the whole encoded text.
    pub fn units(&self) -> Range<usize> {
        let range = self.plan.range(self.index);
        let unit = self.plan.alphabet.unit_octets();
        range.start / unit..range.end / unit
    }

    /// Its text: septets one an octet, Latin-1, UTF-16BE or the data, without a header.
    pub fn octets(&self) -> &'a [u8] {
        &self.plan.octets[self.plan.range(self.index)]
    }

    /// Its place among the others; `None` for a single part, which never says "1 of 1".
    pub const fn concat(&self, reference: u16) -> Option<Concat> {
        if self.plan.cuts.is_empty() {
            return None;
        }
        Some(Concat {
            reference,
            total: self.plan.part_count() as u8,
            sequence: self.number(),
            wide: self.plan.wide_reference,
        })
    }

    /// The header of the part, its length octet included; `None` if it needs none. `reference` is
    /// common to all parts of the message; its low 8 bits are used unless references are wide.
    pub fn udh(&self, reference: u16) -> Option<Vec<u8>> {
        let concat = self.concat(reference);
        if concat.is_none() && self.plan.elements.is_empty() {
            return None;
        }
        let header = UdhBuilder::new().raw_elements(&self.plan.elements);
        Some(match concat {
            Some(concat) => header.concat(concat).finish(),
            None => header.finish(),
        })
    }

    /// The header and the text in one, as SMPP's `short_message` has them (septets unpacked, no
    /// fill bits), and whether a header stands in front.
    pub fn user_data(&self, reference: u16) -> (Vec<u8>, bool) {
        match self.udh(reference) {
            None => (self.octets().to_vec(), false),
            Some(mut octets) => {
                octets.extend_from_slice(self.octets());
                (octets, true)
            }
        }
    }
}
