//! Reading a receipt text.

use std::borrow::Cow;

use super::{ReceiptDate, ReceiptState, parse_date};

/// The fields of a receipt text. What the text lacks, or leaves empty, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptText<'a> {
    /// `id:` as written: decimal, hexadecimal, a UUID, anything.
    pub id: Option<Cow<'a, str>>,
    /// `sub:`, how many messages were submitted.
    pub submitted: Option<u32>,
    /// `dlvrd:`, how many were delivered.
    pub delivered: Option<u32>,
    /// `submit date:` as written.
    pub submit_date: Option<&'a [u8]>,
    /// `done date:` as written.
    pub done_date: Option<&'a [u8]>,
    /// `stat:` as written.
    pub stat: Option<Cow<'a, str>>,
    /// `err:` as written: digits, hexadecimal, letters, a dash.
    pub error: Option<Cow<'a, str>>,
    /// What follows `text:`, without trailing NULs; not necessarily text.
    pub text: Option<&'a [u8]>,
}

impl ReceiptText<'_> {
    /// The state; `None` if `stat:` is missing or its word is not known.
    pub fn state(&self) -> Option<ReceiptState> {
        self.stat.as_deref().and_then(ReceiptState::from_word)
    }

    /// When the SMSC took the message; see [`parse_date`] for `arrival`.
    pub fn submitted_at(&self, arrival: i64) -> Option<ReceiptDate> {
        parse_date(self.submit_date?, arrival)
    }

    /// When it reached its state; see [`parse_date`] for `arrival`.
    pub fn done_at(&self, arrival: i64) -> Option<ReceiptDate> {
        parse_date(self.done_date?, arrival)
    }
}

/// Reads a receipt text, given as octets, for `text:` may hold anything.
///
/// Keys may stand in any order and case, and any may be missing. A value ends at the next key that
/// is known, and except for `text:` it is one word of it. Everything after `text:` is text, unless
/// `stat:` has not come yet and the text begins with another key. `None` if no key is found.
pub fn parse(octets: &[u8]) -> Option<ReceiptText<'_>> {
    let mut receipt = ReceiptText::default();
    let mut found = false;
    let mut next = find_key(octets, 0);
    while let Some(label) = next {
        found = true;
        let value = &octets[label.value..];
        if label.key == Key::Text {
            receipt.text.get_or_insert_with(|| trim_nuls(value));
            let leading = value.len() - value.trim_ascii_start().len();
            next = key_at(octets, label.value + leading).filter(|_| receipt.stat.is_none());
            if next.is_some() {
                receipt.text = Some(&[]);
            }
            continue;
        }
        next = find_key(octets, label.value);
        let end = next.as_ref().map_or(octets.len(), |next| next.start);
        receipt.set(label.key, first_word(&octets[label.value..end]));
    }
    found.then_some(receipt)
}

/// Whether octets that nobody marked as a receipt are one all the same: they begin with `id:` and
/// have a `stat:`. For links whose SMSC sends receipts with `esm_class` 0.
pub fn looks_like_receipt(octets: &[u8]) -> bool {
    let start = octets.len() - octets.trim_ascii_start().len();
    let begins_with_id = key_at(octets, start).is_some_and(|label| label.key == Key::Id);
    begins_with_id && {
        let mut labels = std::iter::successors(find_key(octets, start), |label| find_key(octets, label.value));
        labels.any(|label| label.key == Key::Stat)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    Sub,
    Dlvrd,
    SubmitDate,
    DoneDate,
    Stat,
    Err,
    Text,
}

const KEYS: &[(&[u8], Key)] = &[
    (b"id:", Key::Id),
    (b"sub:", Key::Sub),
    (b"dlvrd:", Key::Dlvrd),
    (b"submit date:", Key::SubmitDate),
    (b"submit_date:", Key::SubmitDate),
    (b"submitdate:", Key::SubmitDate),
    (b"done date:", Key::DoneDate),
    (b"done_date:", Key::DoneDate),
    (b"donedate:", Key::DoneDate),
    (b"stat:", Key::Stat),
    (b"err:", Key::Err),
    (b"text:", Key::Text),
];

/// A key found in the text: where it starts, and where its value does.
struct Label {
    key: Key,
    start: usize,
    value: usize,
}

impl<'a> ReceiptText<'a> {
    /// Takes a value; of a repeated key the first one counts.
    fn set(&mut self, key: Key, value: Option<&'a [u8]>) {
        let Some(value) = value else { return };
        let word = |field: &mut Option<Cow<'a, str>>| {
            field.get_or_insert_with(|| readable(value));
        };
        match key {
            Key::Id => word(&mut self.id),
            Key::Stat => word(&mut self.stat),
            Key::Err => word(&mut self.error),
            Key::Sub => self.submitted = self.submitted.or_else(|| number(value)),
            Key::Dlvrd => self.delivered = self.delivered.or_else(|| number(value)),
            Key::SubmitDate => self.submit_date = self.submit_date.or(Some(value)),
            Key::DoneDate => self.done_date = self.done_date.or(Some(value)),
            Key::Text => {}
        }
    }
}

/// The next key at or after a position; keys begin the text or follow white space.
fn find_key(octets: &[u8], from: usize) -> Option<Label> {
    let begins_word = |&at: &usize| at == 0 || octets[at - 1].is_ascii_whitespace() || octets[at - 1] == 0;
    (from..octets.len()).filter(begins_word).find_map(|at| key_at(octets, at))
}

fn key_at(octets: &[u8], at: usize) -> Option<Label> {
    let rest = octets.get(at..)?;
    // Most words begin as none of the keys does.
    if !matches!(rest.first()? | 0x20, b'd' | b'e' | b'i' | b's' | b't') {
        return None;
    }
    let matches = |name: &[u8]| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (name, key) = KEYS.iter().find(|(name, _)| matches(name))?;
    Some(Label { key: *key, start: at, value: at + name.len() })
}

fn first_word(value: &[u8]) -> Option<&[u8]> {
    value.split(|&octet| octet.is_ascii_whitespace() || octet == 0).find(|word| !word.is_empty())
}

fn readable(word: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(word) {
        Ok(word) => Cow::Borrowed(word),
        Err(_) => Cow::Owned(crate::decode_latin1(word)),
    }
}

fn number(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn trim_nuls(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_form_is_borrowed() {
        let text = b"id:0123456789 sub:002 dlvrd:001 submit date:1005232039 done date:1005242339 \
                     stat:DELIVRD err:012 text:This is a sample mes";
        let receipt = parse(text).expect("a receipt");
        assert!(matches!(receipt.id, Some(Cow::Borrowed("0123456789"))));
        assert_eq!((receipt.submitted, receipt.delivered), (Some(2), Some(1)));
        assert_eq!(receipt.state(), Some(ReceiptState::Delivered));
        assert_eq!(receipt.done_at(0).expect("a date").local.to_string(), "2010-05-24T23:39:00");
        assert_eq!(receipt.text, Some(&b"This is a sample mes"[..]));
        assert!(looks_like_receipt(text));
    }

    #[test]
    fn keys_in_the_text_are_text() {
        let receipt = parse(b"id:1 stat:EXPIRED text:my id:2 stat:DELIVRD").expect("a receipt");
        assert_eq!(receipt.id.as_deref(), Some("1"));
        assert_eq!(receipt.state(), Some(ReceiptState::Expired));
        assert_eq!(receipt.text, Some(&b"my id:2 stat:DELIVRD"[..]));
    }

    #[test]
    fn empty_values_are_missing_ones() {
        let receipt = parse(b"ID: SUB: submit_date: donedate:x STAT: undeliv Err:- text:").expect("a receipt");
        assert_eq!((receipt.id.as_deref(), receipt.submitted, receipt.submit_date), (None, None, None));
        assert_eq!((receipt.done_date, receipt.done_at(0)), (Some(&b"x"[..]), None));
        assert_eq!(receipt.state(), Some(ReceiptState::Undeliverable));
        assert_eq!((receipt.error.as_deref(), receipt.text), (Some("-"), Some(&b""[..])));
    }

    #[test]
    fn other_texts_are_no_receipts() {
        assert_eq!(parse(b"Hello, my identity: none"), None);
        assert_eq!(parse(b""), None);
        assert!(!looks_like_receipt(b"My id:5 and stat:x"));
        assert!(!looks_like_receipt(b"id:5 without a state"));
        assert!(looks_like_receipt(b" ID:5 Stat:X"));
    }

    #[test]
    fn a_word_that_is_not_utf8_is_read_as_latin1() {
        let receipt = parse(b"id:\xE9 stat:DELIVRD").expect("a receipt");
        assert_eq!(receipt.id.as_deref(), Some("é"));
    }
}
