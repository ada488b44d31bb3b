//! Digits of a number, packed into one word so that they sort and compare as text does.

/// Most digits that are looked at; prefixes are shorter (ITU-T E.164 §6.2.1 allows 15).
pub(crate) const DIGITS_MAX: usize = 16;

/// The leading digits of a text: four bits each, first digit in the highest, digit plus one so
/// that nothing (0) sorts before 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digits(u64);

impl Digits {
    /// The digits that `text` begins with, at most [`DIGITS_MAX`].
    pub fn leading(text: &str) -> Self {
        let mut packed = 0;
        let mut shift = 64;
        for octet in text.bytes().take(DIGITS_MAX).take_while(u8::is_ascii_digit) {
            shift -= 4;
            packed |= u64::from(octet - b'0' + 1) << shift;
        }
        Self(packed)
    }

    /// A prefix: 1 to 15 digits and nothing else.
    pub fn prefix(text: &str) -> Option<Self> {
        let fits = (1..=model::resources::PREFIX_MAX).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| Self::leading(text))
    }

    /// How many there are.
    pub fn len(self) -> usize {
        DIGITS_MAX - self.0.trailing_zeros() as usize / 4
    }

    /// The first `count` of them.
    pub fn first(self, count: usize) -> Self {
        match count {
            0 => Self(0),
            DIGITS_MAX.. => self,
            _ => Self(self.0 & (u64::MAX << (64 - 4 * count))),
        }
    }

    /// The digit at `at` plus one; 0 behind the end.
    pub fn nibble(self, at: usize) -> u8 {
        if at >= DIGITS_MAX { 0 } else { (self.0 >> (60 - 4 * at)) as u8 & 15 }
    }

    /// Those from `at` on, moved to the front.
    pub fn after(self, at: usize) -> Self {
        if at >= DIGITS_MAX { Self(0) } else { Self(self.0 << (4 * at)) }
    }

    /// The first eight of them, in half a word.
    pub fn head(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// How many digits both begin with.
    pub fn common(self, other: Self) -> usize {
        let same = (self.0 ^ other.0).leading_zeros() as usize / 4;
        same.min(self.len()).min(other.len())
    }
}

/// Prefixes of one rule, to be asked without the index.
#[derive(Debug, Default)]
pub(crate) struct PrefixSet(Box<[Digits]>);

impl PrefixSet {
    /// Sorts `prefixes` and drops what shorter ones hold.
    pub fn new(mut prefixes: Vec<Digits>) -> Self {
        prefixes.sort_unstable();
        prefixes.dedup_by(|next, kept| next.first(kept.len()) == *kept);
        Self(prefixes.into())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Digits> + '_ {
        self.0.iter().copied()
    }

    /// Does the number begin with one of them?
    pub fn holds(&self, number: Digits) -> bool {
        // None of them is the beginning of another, so only the one next below can fit.
        let above = self.0.partition_point(|prefix| *prefix <= number);
        above.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|prefix| number.first(prefix.len()) == *prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_digits_sort_as_text() {
        let mut texts = ["", "0", "00", "01", "1", "10", "123456789012345", "2", "9999999999999999"];
        texts.sort_unstable();
        let packed: Vec<Digits> = texts.iter().map(|t| Digits::leading(t)).collect();
        assert!(packed.is_sorted());
        for (text, digits) in texts.iter().zip(&packed) {
            assert_eq!(digits.len(), text.len());
        }
        assert_eq!(Digits::leading("44x7"), Digits::leading("44"));
        assert_eq!(Digits::leading("447").common(Digits::leading("4478")), 3);
    }

    #[test]
    fn a_prefix_is_digits_only() {
        for bad in ["", "+44", "4 4", "1234567890123456", "x"] {
            assert_eq!(Digits::prefix(bad), None, "{bad}");
        }
        assert!(Digits::prefix("123456789012345").is_some());
    }

    proptest::proptest! {
        #[test]
        fn a_set_holds_what_begins_with_one_of_it(
            prefixes in proptest::collection::vec("[0-3]{1,5}", 0..12), number in "[0-3]{0,8}"
        ) {
            let set = PrefixSet::new(prefixes.iter().filter_map(|p| Digits::prefix(p)).collect());
            let expected = prefixes.iter().any(|p| number.starts_with(p.as_str()));
            assert_eq!(set.holds(Digits::leading(&number)), expected);
        }
    }
}
