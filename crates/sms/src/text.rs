//! From a text to parts: which alphabet, how many parts, and what each holds.

use crate::alphabet::{Shift, Unencodable, push_septets};
use crate::split::{self, PartCounter};
use crate::transliterate::transliteration;
use crate::{Language, TextPlan, decode_latin1, encode_latin1, encode_ucs2};

/// How the octets of a part are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// GSM 7-bit, one septet an octet, with the default tables or national ones.
    Gsm7 {
        /// Language of the locking shift table.
        locking: Option<Language>,
        /// Language of the single shift table.
        single: Option<Language>,
    },
    /// ISO 8859-1.
    Latin1,
    /// UTF-16, big-endian.
    Ucs2,
    /// Not text.
    Octets,
}

impl Alphabet {
    /// The plain GSM 7-bit alphabet.
    pub const GSM7: Self = Self::Gsm7 { locking: None, single: None };

    /// Octets of one unit: what parts are counted in (septets, octets, UTF-16 code units).
    pub const fn unit_octets(self) -> usize {
        match self {
            Self::Ucs2 => 2,
            Self::Gsm7 { .. } | Self::Latin1 | Self::Octets => 1,
        }
    }

    /// The national tables; the default ones for other alphabets.
    pub const fn shift(self) -> Shift {
        match self {
            Self::Gsm7 { locking, single } => Shift { locking, single },
            _ => Shift { locking: None, single: None },
        }
    }

    const fn gsm7(shift: Shift) -> Self {
        Self::Gsm7 { locking: shift.locking, single: shift.single }
    }
}

/// Which alphabet the sender wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Choice {
    /// GSM 7-bit if the text fits, else UCS-2.
    #[default]
    Auto,
    /// GSM 7-bit or nothing.
    Gsm7,
    /// ISO 8859-1 or nothing.
    Latin1,
    /// UCS-2 even if the text would fit GSM 7-bit.
    Ucs2,
}

/// How a text may be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions<'a> {
    /// The alphabet wanted.
    pub choice: Choice,
    /// Whether characters that GSM 7-bit lacks may be [replaced](transliteration).
    pub transliterate: bool,
    /// National tables that may be used; usually none, for few carriers take them.
    pub languages: &'a [Language],
    /// 16-bit references: fewer collisions, one septet or octet less in each part.
    pub wide_reference: bool,
    /// More parts are refused; 0 allows none, 255 is what the standard allows.
    pub max_parts: u8,
}

impl Default for TextOptions<'_> {
    /// Any alphabet, no replacements, no national tables, 8-bit references, at most 255 parts.
    fn default() -> Self {
        Self { choice: Choice::Auto, transliterate: false, languages: &[], wide_reference: false, max_parts: 255 }
    }
}

/// Why a text cannot be sent as asked. All of these are the sender's to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text needs more parts than are allowed.
    #[error("the text takes {parts} parts, and {max} are allowed")]
    TooManyParts {
        /// Parts that it would take.
        parts: usize,
        /// Parts allowed.
        max: u8,
    },
    /// The alphabet asked for lacks a character.
    #[error("{character:?} at byte {position} is not in the alphabet asked for")]
    NotInAlphabet {
        /// The first character that does not fit.
        character: char,
        /// Where it starts in the text, in bytes.
        position: usize,
    },
    /// The user's header is not one: its length octet disagrees with its length.
    #[error("the user data header has {present} octets, and its length octet says {claimed}")]
    BadHeader {
        /// Octets by the length octet, itself included.
        claimed: usize,
        /// Octets given.
        present: usize,
    },
    /// Header and data exceed one message, and the header leaves no room to split the data, has a
    /// concatenation element of its own, or an element that overruns it.
    #[error("the data does not fit beside its header of {header} octets and cannot be split")]
    CannotSplit {
        /// Octets of the header.
        header: usize,
    },
}

impl From<Unencodable> for TextError {
    fn from(unencodable: Unencodable) -> Self {
        let Unencodable { character, position } = unencodable;
        Self::NotInAlphabet { character, position }
    }
}

/// What a text would take, without its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The alphabet it would be sent in.
    pub alphabet: Alphabet,
    /// Parts; 1 for an empty text.
    pub parts: usize,
    /// Units (septets, octets, UTF-16 code units) of the whole text, headers not counted.
    pub units: usize,
}

/// At most so many forcing characters are listed.
const FORCING_LIMIT: usize = 20;

/// Chooses the alphabet and splits the text.
///
/// GSM 7-bit tables are tried in this order, and the first is taken that replaces the fewest
/// characters, then makes the fewest parts, then the fewest septets: the default tables, then for
/// each language its single shift, its locking shift, both. Where no table holds the text,
/// [`Choice::Auto`] sends it in UCS-2, unchanged.
pub fn plan(text: &str, options: &TextOptions<'_>) -> Result<TextPlan, TextError> {
    let wide = options.wide_reference;
    match options.choice {
        Choice::Ucs2 => plan_ucs2(text, options, Vec::new()),
        Choice::Latin1 => {
            let octets = encode_permitted_latin1(text, options)?;
            TextPlan::new(Alphabet::Latin1, octets, wide).limited(options.max_parts)
        }
        Choice::Auto | Choice::Gsm7 => {
            if let Some(octets) = encode_default(text) {
                return TextPlan::new(Alphabet::GSM7, octets, wide).limited(options.max_parts);
            }
            if let Some(fit) = best_fit(text, options) {
                let octets = encode_fit(text, &fit);
                let plan = TextPlan::new(Alphabet::gsm7(fit.shift), octets, wide);
                return plan.with_replaced(fit.replaced).limited(options.max_parts);
            }
            let forcing = forcing_characters(text, options);
            match options.choice {
                Choice::Gsm7 => Err(first_unencodable(&forcing)),
                _ => plan_ucs2(text, options, forcing),
            }
        }
    }
}

/// What [`plan`] would say, without encoding; part limits do not apply.
pub fn count(text: &str, options: &TextOptions<'_>) -> Result<Count, TextError> {
    let wide = options.wide_reference;
    match options.choice {
        Choice::Ucs2 => Ok(count_units(text, Alphabet::Ucs2, wide, char::len_utf16)),
        Choice::Latin1 => {
            let decoded = decode_latin1(&encode_permitted_latin1(text, options)?);
            Ok(count_units(&decoded, Alphabet::Latin1, wide, |_| 1))
        }
        Choice::Auto | Choice::Gsm7 => match best_fit(text, options) {
            Some(fit) => Ok(Count { alphabet: Alphabet::gsm7(fit.shift), parts: fit.parts, units: fit.septets }),
            None if options.choice == Choice::Auto => Ok(count_units(text, Alphabet::Ucs2, wide, char::len_utf16)),
            None => Err(first_unencodable(&forcing_characters(text, options))),
        },
    }
}

fn plan_ucs2(text: &str, options: &TextOptions<'_>, forcing: Vec<(char, usize)>) -> Result<TextPlan, TextError> {
    TextPlan::new(Alphabet::Ucs2, encode_ucs2(text), options.wide_reference)
        .with_forcing(forcing)
        .limited(options.max_parts)
}

/// The common case in one pass: the text is in the default alphabet.
fn encode_default(text: &str) -> Option<Vec<u8>> {
    let shift = Shift::default();
    let mut octets = Vec::with_capacity(text.len() + text.len() / 8);
    text.chars().all(|character| push_septets(&mut octets, shift, character)).then_some(octets)
}

/// How a text fits a pair of tables.
struct Fit {
    shift: Shift,
    replaced: usize,
    parts: usize,
    septets: usize,
}

fn best_fit(text: &str, options: &TextOptions<'_>) -> Option<Fit> {
    let plain = measure(text, Shift::default(), options);
    if options.languages.is_empty() || plain.as_ref().is_some_and(|fit| fit.replaced == 0) {
        return plain;
    }
    let national = options.languages.iter().flat_map(|&language| {
        let single = Some(language);
        let locking = language.has_locking_table().then_some(language);
        [
            Some(Shift { locking: None, single }),
            locking.map(|_| Shift { locking, single: None }),
            locking.map(|_| Shift { locking, single }),
        ]
    });
    let measured = national.flatten().filter_map(|shift| measure(text, shift, options));
    plain.into_iter().chain(measured).min_by_key(|fit| (fit.replaced, fit.parts, fit.septets))
}

/// Measures a text in some tables; `None` if it has a character that they lack.
fn measure(text: &str, shift: Shift, options: &TextOptions<'_>) -> Option<Fit> {
    let alphabet = Alphabet::gsm7(shift);
    let tables = shift_octets(shift);
    let concat = split::concat_octets(options.wide_reference);
    let mut counter = PartCounter::new(split::capacity(alphabet, tables + concat));
    let (mut replaced, mut septets) = (0, 0);
    for character in text.chars() {
        let width = shift.width(character);
        if width > 0 {
            septets += width;
            counter.add(width);
            continue;
        }
        if !options.transliterate {
            return None;
        }
        replaced += 1;
        for substitute in transliteration(character)?.chars() {
            let width = match shift.width(substitute) {
                0 => return None,
                width => width,
            };
            septets += width;
            counter.add(width);
        }
    }
    let parts = match septets <= split::capacity(alphabet, tables) {
        true => 1,
        false => counter.parts(),
    };
    Some(Fit { shift, replaced, parts, septets })
}

fn encode_fit(text: &str, fit: &Fit) -> Vec<u8> {
    let mut octets = Vec::with_capacity(fit.septets);
    for character in text.chars() {
        if !push_septets(&mut octets, fit.shift, character) {
            for substitute in transliteration(character).unwrap_or_default().chars() {
                push_septets(&mut octets, fit.shift, substitute);
            }
        }
    }
    octets
}

/// Octets of the elements that name national tables.
fn shift_octets(shift: Shift) -> usize {
    3 * (usize::from(shift.locking.is_some()) + usize::from(shift.single.is_some()))
}

fn encode_permitted_latin1(text: &str, options: &TextOptions<'_>) -> Result<Vec<u8>, TextError> {
    match encode_latin1(text) {
        Err(_) if options.transliterate => {}
        encoded => return Ok(encoded?),
    }
    let mut octets = Vec::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let replacement = match u8::try_from(u32::from(character)) {
            Ok(octet) => {
                octets.push(octet);
                continue;
            }
            Err(_) => transliteration(character).and_then(|replacement| encode_latin1(replacement).ok()),
        };
        octets.extend(replacement.ok_or(TextError::NotInAlphabet { character, position })?);
    }
    Ok(octets)
}

/// A text that fits no table has a character that the default one lacks, so `forcing` has a first.
fn first_unencodable(forcing: &[(char, usize)]) -> TextError {
    let (character, position) = forcing.first().copied().unwrap_or_default();
    TextError::NotInAlphabet { character, position }
}

/// The first characters that no default table or permitted replacement can write.
fn forcing_characters(text: &str, options: &TextOptions<'_>) -> Vec<(char, usize)> {
    let missing = |&(_, character): &(usize, char)| {
        Shift::default().width(character) == 0 && !(options.transliterate && transliteration(character).is_some())
    };
    text.char_indices().filter(missing).take(FORCING_LIMIT).map(|(position, character)| (character, position)).collect()
}

fn count_units(text: &str, alphabet: Alphabet, wide: bool, width: fn(char) -> usize) -> Count {
    let mut counter = PartCounter::new(split::capacity(alphabet, split::concat_octets(wide)));
    let mut units = 0;
    for character in text.chars() {
        units += width(character);
        counter.add(width(character));
    }
    let parts = if units <= split::capacity(alphabet, 0) { 1 } else { counter.parts() };
    Count { alphabet, parts, units }
}
