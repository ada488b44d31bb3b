//! Any octets as a stream of PDUs: they are read or refused without a panic, responses are never
//! refused, and what was read is written and read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp::{CommandStatus, DEFAULT_MAX_PDU, DeliverSm, Frame, Pdu, SubmitSm, Tlvs, encode, next_frame};

fuzz_target!(|octets: &[u8]| {
    let mut rest = octets;
    while let Ok(Some(frame)) = next_frame(rest, DEFAULT_MAX_PDU) {
        check_frame(&frame, rest.len());
        rest = &rest[frame.wire_len()..];
    }
    // The same octets as the body of whatever their first four say.
    if let Some((id, body)) = octets.split_first_chunk::<4>() {
        check_body(smpp::CommandId(u32::from_be_bytes(*id)), body);
    }
});

fn check_frame(frame: &Frame<'_>, available: usize) {
    assert!(frame.wire_len() <= available && frame.wire_len() <= DEFAULT_MAX_PDU);
    let described = frame.fields(&mut |name, _| assert!(!name.is_empty()));
    assert_eq!(described.is_ok(), frame.decode().is_ok());
    check_body(frame.header.command_id, frame.body);
}

fn check_body(id: smpp::CommandId, body: &[u8]) {
    let read = Pdu::decode(id, body);
    assert!(read.is_ok() || !id.is_response(), "a response was refused");
    let pdu = match read {
        Ok(pdu) => pdu,
        Err(fault) => {
            assert!(!fault.status().is_ok(), "a fault must be answered with an error");
            return;
        }
    };
    match pdu {
        Pdu::SubmitSm(SubmitSm { tlvs, .. }) | Pdu::DeliverSm(DeliverSm { tlvs, .. }) => check_tlvs(&tlvs, body.len()),
        _ => {}
    }
    let mut wire = b"kept".to_vec();
    if encode(&pdu, 1, CommandStatus::ROK, &mut wire).is_ok() {
        let again = next_frame(&wire[4..], usize::MAX).expect("a good length").expect("a whole PDU");
        assert_eq!(again.decode(), Ok(pdu));
    } else {
        assert_eq!(wire, b"kept", "a refusal leaves nothing behind");
    }
}

fn check_tlvs(tlvs: &Tlvs<'_>, available: usize) {
    let inside: usize = tlvs.iter().map(|tlv| tlv.value.len() + 4).sum();
    assert!(inside <= available);
    for tlv in tlvs.iter() {
        let _ = (tlv.integer(), tlv.text(), tlv.tag);
        assert!(tlvs.get(tlv.tag).is_some());
    }
}
