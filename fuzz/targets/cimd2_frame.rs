//! Any octets as a stream of CIMD2 packets: they are taken apart without a rest, read or refused without a panic,
//! responses are never refused, and what was read is written and read as the same. The same octets as a text come to
//! septets, and those to a text again.

#![no_main]

use cimd2::{
    AbsoluteTime, Checksum, DEFAULT_MAX_PACKET, Frame, Piece, RelativeTime, encode, next_piece, septets, write_text,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    for max_len in [DEFAULT_MAX_PACKET, 40] {
        let mut rest = octets;
        while let Some(piece) = next_piece(rest, max_len) {
            let length = piece.wire_len();
            assert!((1..=rest.len()).contains(&length));
            if let Piece::Frame(frame) = &piece {
                assert!(length <= max_len);
                check_frame(frame);
            }
            rest = &rest[length..];
        }
        assert!(rest.len() < max_len, "no more than the longest packet is ever waited for");
    }
    check_text(octets);
    if let Ok(time) = AbsoluteTime::parse(octets) {
        let wire = time.to_wire().expect("what was read is in range");
        assert_eq!(AbsoluteTime::parse(&wire), Ok(time));
    }
    if let Some(code) = octets.first_chunk::<2>() {
        let period = RelativeTime(i16::from_be_bytes(*code));
        if let Some(seconds) = period.seconds() {
            assert_eq!(RelativeTime::at_least(seconds), period);
        }
    }
});

fn check_frame(frame: &Frame<'_>) {
    let read = frame.decode();
    let operation = frame.header.operation;
    assert!(read.is_ok() || !operation.is_response(), "a response was refused");
    let packet = match read {
        Ok(packet) => packet,
        Err(fault) => {
            assert!(!fault.error_code(operation).is_ok(), "a fault must be answered with an error");
            return;
        }
    };
    for parameter in frame.parameters.iter() {
        let _ = (parameter.integer(), parameter.octets(), format!("{parameter:?}"));
        assert!(frame.parameters.get(parameter.tag).is_some());
    }
    let mut wire = b"kept".to_vec();
    if encode(&packet, frame.header.sequence, true, &mut wire).is_ok() {
        let Some(Piece::Frame(again)) = next_piece(&wire[4..], usize::MAX) else { panic!("a whole packet") };
        assert_eq!((again.header, again.checksum), (frame.header, Checksum::Right));
        assert_eq!(again.decode(), Ok(packet));
    } else {
        assert_eq!(wire, b"kept", "a refusal leaves nothing behind");
    }
}

fn check_text(octets: &[u8]) {
    let gsm: Vec<u8> = septets(octets).collect();
    assert!(gsm.len() <= octets.len() && gsm.iter().all(|septet| *septet < 128));
    let mut text = Vec::new();
    write_text(&gsm, &mut text);
    assert!(text.len() <= gsm.len() * 3);
    // Any of these would end a value or a packet.
    assert!(text.iter().all(|octet| !matches!(octet, 0 | 2 | 3 | 9)));
    assert_eq!(septets(&text).collect::<Vec<_>>(), gsm);
}
