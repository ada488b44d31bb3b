//! Text as PostgreSQL takes it: all of Unicode but the character NUL.
//!
//! Carriers and clients send NUL, so it is written as U+0001 U+0001, and U+0001 as U+0001 U+0002. That
//! keeps the order octet by octet, and hardly any text has either of them.

use std::borrow::Cow;
use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A text as the value of a statement.
#[derive(Debug)]
pub(crate) struct Text<S>(pub S);

impl<S: AsRef<str> + std::fmt::Debug> ToSql for Text<S> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(escaped(self.0.as_ref()).as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }

    to_sql_checked!();
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.bytes().fold(false, |found, octet| found | (octet < 2)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => out.push_str("\u{1}\u{1}"),
            '\u{1}' => out.push_str("\u{1}\u{2}"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// The text that a column stands for; `None` if nobody can have written it.
pub(crate) fn unescaped(column: &str) -> Option<Cow<'_, str>> {
    if !column.bytes().fold(false, |found, octet| found | (octet == 1)) {
        return Some(Cow::Borrowed(column));
    }
    let mut out = String::with_capacity(column.len());
    let mut characters = column.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\u{1}' => match characters.next()? {
                '\u{1}' => '\0',
                '\u{2}' => '\u{1}',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 9] = ["", "\0", "\0\0", "\u{1}", "\u{1}\0a", "\u{1}\u{2}", "\u{2}", "plain", "é\0漢\u{1}😀"];

    #[test]
    fn every_text_comes_back() {
        for text in TEXTS {
            let column = escaped(text);
            assert!(!column.contains('\0'));
            assert_eq!(unescaped(&column).as_deref(), Some(text));
        }
    }

    #[test]
    fn the_order_stays() {
        for (a, b) in TEXTS.iter().flat_map(|a| TEXTS.iter().map(move |b| (a, b))) {
            assert_eq!(escaped(a).cmp(&escaped(b)), a.cmp(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_nobody_wrote_is_not_read() {
        assert_eq!(unescaped("\u{1}"), None);
        assert_eq!(unescaped("\u{1}x"), None);
    }
}
