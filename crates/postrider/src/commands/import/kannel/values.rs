//! Values as Kannel reads them.

/// A whole number as C's `strtol` reads one of base 0: what follows the digits is not looked at.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = match hexadecimal {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_hexdigit()) => (16, rest),
        _ if text.starts_with('0') => (8, text),
        _ => (10, text),
    };
    let end = text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len());
    i64::from_str_radix(&text[..end], radix).ok().map(|number| sign * number)
}

/// A switch; a word that is none counts as on.
pub fn switch(text: &str) -> bool {
    !["false", "no", "off", "0"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// A list with semicolons.
pub fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_does() {
        for (text, number) in
            [("10", 10), ("0x1F", 31), ("010", 8), ("30s", 30), ("-1", -1), (" 7", 7), ("0", 0), ("0x", 0)]
        {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for none in ["", "x", "-", "99999999999999999999"] {
            assert_eq!(integer(none), None, "{none}");
        }
    }

    #[test]
    fn strange_switches_are_on() {
        assert!(switch("yes") && switch("TRUE") && switch("maybe") && !switch("No") && !switch("off"));
    }
}
