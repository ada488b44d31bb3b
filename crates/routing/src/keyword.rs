//! The first word of a text, compared in any case and language.

use std::borrow::Cow;
use std::collections::HashSet;

/// The first word of `text`, without the signs round it: `stop` of ` "Stop!" please`. A word of
/// nothing but signs stays as it is.
pub(crate) fn first_word(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    Some(if bare.is_empty() { word } else { bare })
}

/// What follows the first word of `text`.
pub(crate) fn rest(text: &str) -> &str {
    text.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
}

/// The form in which words are the same: `ΣΤΟΠ` and `στοπ`, `STRASSE` and `straße`, `INFO`, `İnfo`
/// and `ınfo`.
pub(crate) fn folded(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return match word.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(word.to_ascii_lowercase()),
            false => Cow::Borrowed(word),
        };
    }
    // Through capitals, for ß, ς and ı have them in common with ss, σ and i. The dot that İ leaves
    // behind is taken off.
    let lower = word.to_uppercase().to_lowercase();
    Cow::Owned(lower.replace('\u{307}', ""))
}

/// Words that a whole text may be, in any case and language, whatever signs stand round them.
#[derive(Debug, Default)]
pub struct Words(HashSet<Box<str>>);

/// Longest text that is looked at as a word, in octets.
const WHOLE_MAX: usize = 256;

impl Words {
    /// These.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self(words.into_iter().map(whole).filter(|word| !word.is_empty()).collect())
    }

    /// Is `text` one of them?
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        text.len() <= WHOLE_MAX && self.0.contains(&whole(text))
    }
}

fn whole(text: &str) -> Box<str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    folded(words.join(" ").trim_matches(|c: char| !c.is_alphanumeric())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_any_case() {
        for (one, other) in [
            ("STOP", "stop"),
            ("СТОП", "стоп"),
            ("ΣΤΟΠΣ", "στοπς"),
            ("STRASSE", "straße"),
            ("İNFO", "info"),
            ("ınfo", "INFO"),
            ("ARRÊT", "arrêt"),
            ("توقف", "توقف"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("стоп"), folded("stop"));
    }

    #[test]
    fn a_text_is_a_word_when_there_is_nothing_else_in_it() {
        let words = Words::new(["STOP ALL", "Arrêt", "", "!"]);
        assert!(words.is(" stop  all. ") && words.is("ARRÊT"));
        assert!(!words.is("stop all now") && !words.is("") && !words.is("!") && !words.is(&"x".repeat(300)));
    }

    #[test]
    fn the_first_word_is_without_signs() {
        assert_eq!(first_word("  \"Stop!\" please"), Some("Stop"));
        assert_eq!(first_word("stop"), Some("stop"));
        assert_eq!(first_word("? what"), Some("?"));
        assert_eq!(first_word("\u{a0} \n"), None);
        assert_eq!((rest(" Stop!  it now "), rest("stop"), rest(" ")), ("it now", "", ""));
    }
}
