//! Any octets as an SMPP time: what is read strictly is written and read as the same, and a lenient
//! reading never refuses what a strict one takes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp::SmppTime;

fuzz_target!(|octets: &[u8]| {
    let lenient = SmppTime::parse_lenient(octets);
    if let Ok(time) = lenient {
        let wire = time.to_wire().expect("what was read is in range");
        assert_eq!(SmppTime::parse(&wire).map(|again| again.to_wire()), Ok(Ok(wire)));
    }
    if let Ok(time) = SmppTime::parse(octets) {
        assert_eq!(lenient, Ok(time));
        assert_eq!(time.to_string().len(), 16);
    }
});
