//! Characters that the GSM alphabet lacks, written with ones that it has.
//!
//! Only done where it was asked for. What is replaced:
//!
//! - typography: curly quotes, dashes, ellipsis, bullets, special spaces, the backtick,
//! - what cannot be seen: zero-width characters, soft hyphens, byte order marks, variation
//!   selectors, and combining accents (a decomposed "é" loses its accent),
//! - Latin letters with marks become the bare letter, ligatures are spelled out,
//! - Greek and Cyrillic letters that look the same as one of the alphabet.
//!
//! Nothing is spelled phonetically, and emoji stay what they are: such a text goes out in UCS-2,
//! untouched.

/// What to write for a character; `None` if there is no fair replacement. Every replacement is
/// itself in the GSM 7-bit default alphabet.
pub fn transliteration(character: char) -> Option<&'static str> {
    typographic(character).or_else(|| latin(character)).or_else(|| look_alike(character))
}

fn typographic(character: char) -> Option<&'static str> {
    Some(match character {
        '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' | '`' | '´' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ˈ' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '〝' | '〞' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⁃' | '﹣' | '－' => "-",
        '…' => "...",
        '‥' => "..",
        '•' | '‣' | '◦' | '∙' | '·' | '●' => "*",
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\t' => " ",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "\n",
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' => "",
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => "",
        '\u{300}'..='\u{36F}' | '\u{FE00}'..='\u{FE0F}' => "",
        '©' => "(c)",
        '®' => "(r)",
        '™' => "(tm)",
        '℠' => "(sm)",
        '№' => "No",
        '×' | '✕' | '✖' => "x",
        '÷' | '⁄' | '∕' => "/",
        '±' => "+/-",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '¼' => "1/4",
        '½' => "1/2",
        '¾' => "3/4",
        '¹' => "1",
        '²' => "2",
        '³' => "3",
        'ª' => "a",
        'º' => "o",
        '¨' => "\"",
        '¸' => ",",
        '¦' => "|",
        '⁓' | '∼' | '˜' | '～' => "~",
        'ˆ' => "^",
        '¢' => "c",
        'µ' => "u",
        '！' => "!",
        '？' => "?",
        '，' => ",",
        '．' => ".",
        '：' => ":",
        '；' => ";",
        '（' => "(",
        '）' => ")",
        _ => return None,
    })
}

/// Letters of Latin-1, Latin Extended-A and -B, Vietnamese.
fn latin(character: char) -> Option<&'static str> {
    Some(match character {
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' | 'Ạ' | 'Ả' | 'Ấ' | 'Ầ' | 'Ẩ' | 'Ẫ' | 'Ậ' | 'Ắ' | 'Ằ' | 'Ẳ'
        | 'Ẵ' | 'Ặ' => "A",
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' | 'ắ' | 'ằ' | 'ẳ' | 'ẵ'
        | 'ặ' => "a",
        'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' | 'Ẹ' | 'Ẻ' | 'Ẽ' | 'Ế' | 'Ề' | 'Ể' | 'Ễ' | 'Ệ' => {
            "E"
        }
        'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => {
            "e"
        }
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' | 'Ǐ' | 'Ỉ' | 'Ị' => "I",
        'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ỉ' | 'ị' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' | 'ĸ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'Ń' | 'Ņ' | 'Ň' | 'Ŋ' => "N",
        'ń' | 'ņ' | 'ň' | 'ŋ' => "n",
        'ŉ' => "'n",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ŏ' | 'Ő' | 'Ǒ' | 'Ơ' | 'Ọ' | 'Ỏ' | 'Ố' | 'Ồ' | 'Ổ' | 'Ỗ' | 'Ộ' | 'Ớ' | 'Ờ'
        | 'Ở' | 'Ỡ' | 'Ợ' => "O",
        'ó' | 'ô' | 'õ' | 'ō' | 'ŏ' | 'ő' | 'ǒ' | 'ơ' | 'ọ' | 'ỏ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ' | 'ớ' | 'ờ' | 'ở'
        | 'ỡ' | 'ợ' => "o",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' | 'ſ' => "s",
        'ẞ' => "ß",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' | 'Ǔ' | 'Ư' | 'Ụ' | 'Ủ' | 'Ứ' | 'Ừ' | 'Ử' | 'Ữ' | 'Ự' => {
            "U"
        }
        'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ǔ' | 'ư' | 'ụ' | 'ủ' | 'ứ' | 'ừ' | 'ử' | 'ữ' | 'ự' => {
            "u"
        }
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ý' | 'Ŷ' | 'Ÿ' | 'Ỳ' | 'Ỵ' | 'Ỷ' | 'Ỹ' => "Y",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        'Þ' => "Th",
        'þ' => "th",
        'Œ' => "OE",
        'œ' => "oe",
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        _ => return None,
    })
}

/// Greek and Cyrillic letters that a reader cannot tell from the replacement.
fn look_alike(character: char) -> Option<&'static str> {
    Some(match character {
        'Α' | 'А' => "A",
        'Β' | 'В' => "B",
        'С' => "C",
        'Ε' | 'Е' => "E",
        'Η' | 'Н' => "H",
        'Ι' | 'І' | 'Ӏ' => "I",
        'Ј' => "J",
        'Κ' | 'К' => "K",
        'Μ' | 'М' => "M",
        'Ν' => "N",
        'Ο' | 'О' => "O",
        'Ρ' | 'Р' => "P",
        'Ѕ' => "S",
        'Τ' | 'Т' => "T",
        'Χ' | 'Х' => "X",
        'Υ' | 'Ү' => "Y",
        'Ζ' => "Z",
        'Г' => "Γ",
        'П' => "Π",
        'Ф' => "Φ",
        'а' => "a",
        'с' => "c",
        'е' => "e",
        'і' => "i",
        'ј' => "j",
        'ο' | 'о' => "o",
        'р' => "p",
        'ѕ' => "s",
        'у' => "y",
        'х' => "x",
        '\u{2126}' => "Ω",
        '\u{212B}' => "Å",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shift, encode_gsm7};

    #[test]
    fn every_replacement_is_in_the_alphabet_and_nothing_in_it_is_replaced() {
        for character in (0..=0xFFFF).filter_map(char::from_u32) {
            if let Some(replacement) = transliteration(character) {
                assert!(encode_gsm7(replacement, Shift::default()).is_ok(), "{character:?}");
                assert_eq!(Shift::default().width(character), 0, "{character:?}");
            }
        }
    }

    #[test]
    fn typical_text_becomes_plain() {
        let text = "“L’été” – ça coûte 5\u{A0}€… Łódź";
        let mut plain = String::new();
        for character in text.chars() {
            match Shift::default().width(character) {
                0 => plain.push_str(transliteration(character).expect("a replacement")),
                _ => plain.push(character),
            }
        }
        assert_eq!(plain, "\"L'été\" - ca coute 5 €... Lodz");
    }
}
