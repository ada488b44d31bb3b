//! Message ids: one number, written in the style of an SMSC.

use crate::settings::{IdForm, IdStyle};

/// Longest id that is written: a UUID or a padded one (SMPP 3.4 §5.2.23 allows 64 characters).
const MAX: usize = 64;

/// Appends the id as the answer to the submission has it.
pub(crate) fn write_id(number: u64, style: IdStyle, out: &mut Vec<u8>) {
    match style {
        IdStyle::Hex => write_digits::<16>(number, 8, out),
        IdStyle::Decimal => write_digits::<10>(number, 1, out),
        IdStyle::Uuid => write_uuid(number, out),
    }
}

/// Appends the id as a receipt has it.
pub(crate) fn write_receipt_id(number: u64, style: IdStyle, form: IdForm, out: &mut Vec<u8>) {
    match (form, style) {
        (IdForm::HexToDec, IdStyle::Hex) => write_digits::<10>(number, 10, out),
        (IdForm::DecToHex, IdStyle::Decimal) => write_digits::<16>(number, 1, out),
        (IdForm::Upper, _) => {
            let start = out.len();
            write_id(number, style, out);
            out[start..].make_ascii_uppercase();
        }
        (IdForm::Padded(width), _) => {
            let start = out.len();
            write_id(number, style, out);
            let missing = width.min(MAX).saturating_sub(out.len() - start);
            out.splice(start..start, std::iter::repeat_n(b'0', missing));
        }
        (IdForm::Same | IdForm::HexToDec | IdForm::DecToHex, _) => write_id(number, style, out),
    }
}

/// Appends a number in a base of at most 16, with at least `width` digits (of at most 20).
pub(crate) fn write_digits<const BASE: u64>(mut number: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while number > 0 {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(number % BASE) as usize];
        number /= BASE;
    }
    out.extend_from_slice(&digits[at.min(digits.len() - width.min(20))..]);
}

/// A UUID that looks random and is made of the number alone.
fn write_uuid(number: u64, out: &mut Vec<u8>) {
    let high = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut hex = Vec::with_capacity(32);
    write_digits::<16>(high, 16, &mut hex);
    write_digits::<16>(number, 16, &mut hex);
    for (group, range) in [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().enumerate() {
        if group > 0 {
            out.push(b'-');
        }
        out.extend_from_slice(&hex[range]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(number: u64, style: IdStyle) -> String {
        let mut out = Vec::new();
        write_id(number, style, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn receipt(number: u64, style: IdStyle, form: IdForm) -> String {
        let mut out = b"id:".to_vec();
        write_receipt_id(number, style, form, &mut out);
        String::from_utf8(out.split_off(3)).unwrap()
    }

    #[test]
    fn ids_are_written_in_every_style() {
        assert_eq!(answer(0x60ed_c86a, IdStyle::Hex), "60edc86a");
        assert_eq!(answer(0xF, IdStyle::Hex), "0000000f");
        assert_eq!(answer(u64::MAX, IdStyle::Hex), "ffffffffffffffff");
        assert_eq!(answer(u64::MAX, IdStyle::Decimal), "18446744073709551615");
        assert_eq!(answer(0, IdStyle::Decimal), "0");
        let uuid = answer(7, IdStyle::Uuid);
        assert_eq!((uuid.len(), uuid.matches('-').count()), (36, 4));
        assert_ne!(uuid, answer(8, IdStyle::Uuid));
    }

    #[test]
    fn receipts_write_them_differently() {
        assert_eq!(receipt(0x60ed_c86a, IdStyle::Hex, IdForm::HexToDec), "1626196074");
        assert_eq!(receipt(0x0abc_def0, IdStyle::Hex, IdForm::HexToDec), "0180150000");
        assert_eq!(receipt(1_626_196_074, IdStyle::Decimal, IdForm::DecToHex), "60edc86a");
        assert_eq!(receipt(0xabc, IdStyle::Hex, IdForm::Upper), "00000ABC");
        assert_eq!(receipt(77, IdStyle::Decimal, IdForm::Padded(10)), "0000000077");
        assert_eq!(receipt(77, IdStyle::Decimal, IdForm::Same), "77");
    }
}
