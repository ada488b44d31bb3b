//! Reading the vector files.
#![allow(dead_code)] // Every test file uses a part of it.

use serde_json::Value;

/// A vector file of `tests/vectors`.
pub fn vectors(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{path}: {fault}"));
    serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// The entries of a list in it.
pub fn list<'a>(file: &'a Value, key: &str) -> &'a [Value] {
    file[key].as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("no list {key}"))
}

/// The octets of a hexadecimal string.
pub fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "bad hex {text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits")).collect()
}

/// The octets of a hexadecimal field; `None` if it is not there.
pub fn hex_field(entry: &Value, key: &str) -> Option<Vec<u8>> {
    entry[key].as_str().map(hex)
}

/// A text field; `None` if it is not there.
pub fn text_field<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry[key].as_str()
}

/// A number field; `None` if it is not there.
pub fn number_field(entry: &Value, key: &str) -> Option<i64> {
    entry[key].as_i64()
}
