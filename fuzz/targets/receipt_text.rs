//! Any octets as the text of a receipt: fields are read without a panic, and what the text says to be
//! an id has the form of one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::receipt::{looks_like_receipt, parse, parse_date};

fuzz_target!(|octets: &[u8]| {
    let arrival = octets.first_chunk::<8>().map_or(0, |first| i64::from_be_bytes(*first));
    for arrival in [arrival, 0, 1_800_000_000, i64::MAX, i64::MIN] {
        if let Some(date) = parse_date(octets, arrival) {
            let _ = (date.unix_seconds(0), date.unix_seconds(i32::MAX), date.unix_seconds(i32::MIN));
        }
    }
    let receipt = parse(octets);
    assert!(receipt.is_some() || !looks_like_receipt(octets));
    let Some(receipt) = receipt else { return };
    assert!(receipt.id.as_deref().is_none_or(|id| !id.is_empty() && !id.contains(' ')));
    assert!(receipt.text.is_none_or(|text| text.len() <= octets.len() && !text.ends_with(&[0])));
    let _ = (receipt.state(), receipt.submitted_at(arrival), receipt.done_at(arrival));
});
