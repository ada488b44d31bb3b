//! Every alphabet table, position by position, against 3GPP 23.038 as data.

mod common;

use common::vectors;
use serde_json::Value;
use sms::{Language, Shift, decode_gsm7, encode_gsm7};

const ESCAPE: u8 = 0x1B;

fn character(table: &Value, septet: u8) -> Option<char> {
    let code_point = table[format!("{septet:02X}")].as_str()?.strip_prefix("U+")?;
    char::from_u32(u32::from_str_radix(code_point, 16).expect("a code point"))
}

fn check_main(table: &Value, shift: Shift) {
    for septet in (0..=0x7F).filter(|&septet| septet != ESCAPE) {
        // Reserved positions show a space.
        let expected = character(table, septet).unwrap_or(' ');
        assert_eq!(decode_gsm7(&[septet], shift), expected.to_string(), "{shift:?} {septet:02X}");
        let encoded = encode_gsm7(&expected.to_string(), shift).expect("it is in the table");
        assert_eq!(decode_gsm7(&encoded, shift), expected.to_string());
        assert_eq!(encoded.len(), 1, "{shift:?} {septet:02X}");
    }
}

fn check_extension(table: &Value, main: &Value, shift: Shift) {
    for second in (0..=0x7F).filter(|&septet| septet != ESCAPE) {
        let expected = match character(table, second) {
            // CR2 is listed as LF in some tables; it is a control position, and read as CR here.
            Some('\n') if second == 0x0D => '\r',
            Some(character) => character,
            // What the extension lacks shows the main table's character.
            None => character(main, second).unwrap_or(' '),
        };
        assert_eq!(decode_gsm7(&[ESCAPE, second], shift), expected.to_string(), "{shift:?} {second:02X}");
        if character(table, second).is_some() && shift.width(expected) == 2 {
            let encoded = encode_gsm7(&expected.to_string(), shift).expect("it is in the table");
            assert_eq!(decode_gsm7(&encoded, shift), expected.to_string());
        }
        assert!(character(table, second).is_none() || shift.width(expected) > 0, "{shift:?} {second:02X}");
    }
}

#[test]
fn default_alphabet_and_extension() {
    let file = vectors("gsm7_tables");
    check_main(&file["default"], Shift::default());
    check_extension(&file["default_extension"], &file["default"], Shift::default());
}

#[test]
fn twelve_locking_shift_tables() {
    let file = vectors("gsm7_tables");
    let mut checked = 0;
    for language in Language::ALL {
        let table = &file["locking_shift"][language.identifier().to_string()];
        assert_eq!(table.is_object(), language.has_locking_table(), "{language}");
        let main = if table.is_object() { table } else { &file["default"] };
        let shift = Shift { locking: Some(language), single: None };
        check_main(main, shift);
        check_extension(&file["default_extension"], main, shift);
        checked += usize::from(table.is_object());
    }
    assert_eq!(checked, 12);
}

#[test]
fn thirteen_single_shift_tables() {
    let file = vectors("gsm7_tables");
    for language in Language::ALL {
        let name = &file["national_language_identifier"][language.identifier().to_string()];
        assert_eq!(name.as_str(), Some(language.name()));
        let table = &file["single_shift"][language.identifier().to_string()];
        assert!(table.is_object(), "{language}");
        check_extension(table, &file["default"], Shift { locking: None, single: Some(language) });
        let locking = &file["locking_shift"][language.identifier().to_string()];
        let main = if locking.is_object() { locking } else { &file["default"] };
        check_extension(table, main, Shift { locking: Some(language), single: Some(language) });
    }
}
