//! Any octets as the body of `POST /v1/messages`, and any text as a phone number or a sender: what is
//! read is written and read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Address, Submission, country};

fuzz_target!(|octets: &[u8]| {
    if let Ok(submission) = serde_json::from_slice::<Submission>(octets) {
        let written = serde_json::to_string(&submission).expect("plain values");
        assert_eq!(serde_json::from_str::<Submission>(&written).expect("what was written can be read"), submission);
        check_address(&submission.to);
    }
    if let Ok(text) = str::from_utf8(octets) {
        check_address(text);
    }
});

fn check_address(text: &str) {
    for country in [None, country::find("GB"), country::find("US"), country::find("IT")] {
        if let Ok(recipient) = Address::recipient(text, country) {
            // Once it is normal it stays as it is, wherever it is read.
            assert_eq!(Address::recipient(recipient.as_str(), None), Ok(recipient));
        }
        if let Ok(sender) = Address::sender(text, country) {
            assert_eq!(Address::sender(sender.as_str(), None), Ok(sender));
        }
    }
}
