//! The first word of a text, compared in any case and language.

use std::borrow::Cow;

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
    fn the_first_word_is_without_signs() {
        assert_eq!(first_word("  \"Stop!\" please"), Some("Stop"));
        assert_eq!(first_word("stop"), Some("stop"));
        assert_eq!(first_word("? what"), Some("?"));
        assert_eq!(first_word("\u{a0} \n"), None);
        assert_eq!((rest(" Stop!  it now "), rest("stop"), rest(" ")), ("it now", "", ""));
    }
}
