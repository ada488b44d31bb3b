//! Receipt texts from public suites and from the field.

mod common;

use common::{list, text_field, vectors};
use sms::DateTime;
use sms::receipt::{ReceiptState, looks_like_receipt, parse};

/// When the receipts came. Twelve digits are read as the date nearer to it, and the only vector
/// that has them with a century is of the day before.
fn arrival() -> i64 {
    DateTime::new(2015, 6, 21, 0, 0, 0).expect("a date").unix_seconds()
}

#[test]
fn every_receipt_is_read() {
    let file = vectors("smpp_receipts_times");
    let mut checked = 0;
    for entry in list(&file, "receipts") {
        let id = &entry["id"];
        let text = text_field(entry, "text").expect("a text");
        if text.is_empty() {
            // dlr-024 has its data in TLVs only.
            assert_eq!(parse(text.as_bytes()), None);
            continue;
        }
        // The texts are octets; the vectors hold none above U+007F.
        assert!(text.is_ascii());
        let receipt = parse(text.as_bytes()).unwrap_or_else(|| panic!("{id} is a receipt"));
        let expected = &entry["expected"];
        checked += 1;
        // dlr-025: the TLV's id wins over the text's, which is not known here.
        if *id != "dlr-025" && expected.get("id").is_some() {
            assert_eq!(receipt.id.as_deref(), text_field(expected, "id"), "{id}");
        }
        if let Some(stat) = text_field(expected, "stat") {
            assert_eq!(receipt.stat.as_deref(), Some(stat), "{id}");
        }
        // dlr-022: that suite fills "0" up to "000"; here it stays as written.
        if let Some(error) = text_field(expected, "err").filter(|_| *id != "dlr-022") {
            assert_eq!(receipt.error.as_deref(), Some(error), "{id}");
        }
        if let Some(text) = text_field(expected, "text") {
            assert_eq!(receipt.text, Some(text.as_bytes()), "{id}");
        }
        for (key, value) in [("sub", receipt.submitted), ("dlvrd", receipt.delivered)] {
            let wanted = expected[key].as_u64().or_else(|| expected[key].as_str().and_then(|n| n.parse().ok()));
            if wanted.is_some() {
                assert_eq!(value.map(u64::from), wanted, "{id} {key}");
            }
        }
        if let Some(raw) = text_field(expected, "submit_raw") {
            assert_eq!(receipt.submit_date, Some(raw.as_bytes()), "{id}");
        }
        for (key, date) in [("submit", receipt.submitted_at(arrival())), ("done", receipt.done_at(arrival()))] {
            if let Some(wanted) = text_field(expected, key) {
                let wanted = wanted.split(' ').next().expect("a date");
                let read = date.unwrap_or_else(|| panic!("{id} {key} is a date")).local.to_string();
                assert!(read.starts_with(wanted), "{id} {key}: {read}");
            }
        }
    }
    assert_eq!(checked, 21);
}

#[test]
fn a_missing_field_does_not_hide_the_others() {
    // dlr-004: "su:" is no key, so it belongs to nothing, and the id is still the id.
    let file = vectors("smpp_receipts_times");
    let entry = list(&file, "receipts").iter().find(|entry| entry["id"] == "dlr-004").expect("dlr-004");
    let receipt = parse(text_field(entry, "text").expect("a text").as_bytes()).expect("a receipt");
    assert_eq!((receipt.id.as_deref(), receipt.submitted, receipt.delivered), (Some("0123456789"), None, Some(1)));
    assert_eq!(receipt.state(), Some(ReceiptState::Delivered));
}

#[test]
fn unmarked_receipts_are_recognised() {
    let file = vectors("smpp_receipts_times");
    for entry in list(&file, "receipts") {
        let text = text_field(entry, "text").expect("a text");
        let expected = text.starts_with("id:") && text.contains("stat:");
        assert_eq!(looks_like_receipt(text.as_bytes()), expected, "{}", entry["id"]);
    }
}
