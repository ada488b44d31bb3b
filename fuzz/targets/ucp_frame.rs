//! Any octets as a stream of frames: they are read or refused without a panic, nothing is passed twice, and what
//! was read is written and read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucp::{
    Frame, FrameRules, Kind, Operation, OperationType, Pdu, Trn, UcpTime, Xsers, encode, encode_answer, next_frame,
    unpack_name,
};

fuzz_target!(|octets: &[u8]| {
    let strict = FrameRules { max_len: 500, ..FrameRules::default() };
    let lenient = FrameRules { check_length: false, check_checksum: false, ..strict };
    for rules in [strict, lenient] {
        let mut rest = octets;
        loop {
            let next = next_frame(rest, &rules);
            assert!(next.junk <= next.used && next.used <= rest.len());
            rest = &rest[next.used..];
            match next.found {
                Some(Ok(frame)) => check_frame(&frame, next.used - next.junk),
                Some(Err(fault)) => assert!(next.used > next.junk, "{fault} without octets"),
                None => break,
            }
        }
        assert!(rest.len() < rules.max_len);
    }
    // The same octets as the fields of whatever their first two say.
    if let Some((&[kind, ot], data)) = octets.split_first_chunk::<2>() {
        let kind = if kind & 1 == 0 { Kind::Operation } else { Kind::Result };
        check_fields(kind, OperationType(ot % 100), data);
    }
    if let Ok(time) = UcpTime::parse(octets) {
        assert_eq!(&*time.to_wire().expect("it was read"), octets);
    }
    if let Some(name) = unpack_name(octets) {
        assert!(name.len() <= 17 && name.iter().all(|&septet| septet < 0x80));
    }
});

fn check_frame(frame: &Frame<'_>, len: usize) {
    assert_eq!(frame.data.len() + 18, len);
    let described = frame.fields(&mut |name, _| assert!(!name.is_empty()));
    assert_eq!(described.is_ok(), frame.decode().is_ok());
    check_fields(frame.header.kind, frame.header.ot, frame.data);
}

fn check_fields(kind: Kind, ot: OperationType, data: &[u8]) {
    let Ok(pdu) = Pdu::decode(kind, ot, data) else {
        let notifies = kind == Kind::Operation && ot == OperationType::NOTIFY;
        assert!(!notifies, "a notification was refused");
        return;
    };
    let mut wire = b"kept".to_vec();
    let written = match &pdu {
        Pdu::Operation(operation) => {
            if let Operation::Submit(message) | Operation::Deliver(message) = operation {
                check_services(&message.xser, data.len());
            }
            encode(operation, Trn::default(), &mut wire)
        }
        Pdu::Answer(ot, answer) => encode_answer(*ot, answer, Trn::default(), &mut wire),
    };
    if written.is_err() {
        assert_eq!(wire, b"kept", "a refusal leaves nothing behind");
        return;
    }
    let rules = FrameRules { max_len: usize::MAX, ..FrameRules::default() };
    let again = next_frame(&wire[4..], &rules).found.expect("a whole frame").expect("a good one");
    // What is not known gets the `/` behind its last field if that was missing.
    if !matches!(pdu, Pdu::Operation(Operation::Unknown { .. })) {
        assert_eq!(again.decode(), Ok(pdu));
    }
}

fn check_services(services: &Xsers<'_>, available: usize) {
    let inside: usize = services.iter().map(|service| service.value.len() * 2 + 4).sum();
    assert!(inside <= available);
    let _ = (services.udh(), services.dcs());
}
