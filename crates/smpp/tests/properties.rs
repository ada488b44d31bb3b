//! What holds for all PDUs: writing and reading are inverse, and no octets whatever make a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use smpp::*;

fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 0..=max)
}

fn tlvs() -> impl Strategy<Value = TlvBuf> {
    vec((any::<u16>(), vec(any::<u8>(), 0..40)), 0..5).prop_map(|list| {
        let mut buf = TlvBuf::new();
        for (tag, value) in list {
            buf.push(Tag(tag), &value).unwrap();
        }
        buf
    })
}

#[derive(Debug, Clone)]
struct Parts {
    strings: Vec<Vec<u8>>,
    bytes: [u8; 12],
    message: Vec<u8>,
    tlvs: TlvBuf,
    destinations: Vec<(bool, Vec<u8>)>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let strings = (text(5), text(20), text(20), text(16), text(16), text(64));
    let strings = strings.prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f]);
    let destinations = vec((any::<bool>(), text(20)), 0..4);
    (strings, any::<[u8; 12]>(), vec(any::<u8>(), 0..=255), tlvs(), destinations)
        .prop_map(|(strings, bytes, message, tlvs, destinations)| Parts { strings, bytes, message, tlvs, destinations })
}

/// One PDU of each kind, made of the same parts.
fn all_pdus<'a>(p: &'a Parts, to: &'a DestinationBuf, failed: &'a FailureBuf) -> Vec<Pdu<'a>> {
    let [service_type, from, dest, schedule, validity, id] = &p.strings[..] else { unreachable!("six strings") };
    let b = &p.bytes;
    let tlvs = p.tlvs.as_tlvs();
    let source = Address::new(Ton(b[0]), Npi(b[1]), from);
    let destination = Address::new(Ton(b[2]), Npi(b[3]), dest);
    let submit = SubmitSm {
        service_type,
        source,
        destination,
        esm_class: EsmClass(b[4]),
        protocol_id: b[5],
        priority_flag: b[6],
        schedule_delivery_time: schedule,
        validity_period: validity,
        registered_delivery: RegisteredDelivery(b[7]),
        replace_if_present_flag: b[8],
        data_coding: DataCoding(b[9]),
        sm_default_msg_id: b[10],
        short_message: &p.message,
        tlvs,
    };
    let deliver = DeliverSm { source, destination, short_message: &p.message, tlvs, ..Default::default() };
    let multi =
        SubmitMulti { source, destinations: to.as_list(), short_message: &p.message, tlvs, ..Default::default() };
    let multi_resp = SubmitMultiResp { message_id: id, failures: failed.as_list(), tlvs };
    let (registered_delivery, data_coding) = (submit.registered_delivery, submit.data_coding);
    let bind = Bind {
        system_id: from,
        password: dest,
        system_type: service_type,
        interface_version: InterfaceVersion(b[4]),
        address_range: source,
    };
    let mut pdus = vec![
        submit.into(),
        deliver.into(),
        multi.into(),
        multi_resp.into(),
        SubmitSmResp { message_id: id, tlvs }.into(),
        DeliverSmResp { message_id: id, tlvs }.into(),
        DataSm { service_type, source, destination, esm_class: EsmClass(b[4]), registered_delivery, data_coding, tlvs }
            .into(),
        DataSmResp { message_id: id, tlvs }.into(),
        QuerySm { message_id: id, source }.into(),
        QuerySmResp { message_id: id, final_date: schedule, message_state: MessageState(b[4]), error_code: b[5] }
            .into(),
        CancelSm { service_type, message_id: id, source, destination }.into(),
        ReplaceSm { message_id: id, source, short_message: &p.message, tlvs, ..Default::default() }.into(),
        AlertNotification { source, esme: destination, tlvs }.into(),
        Outbind { system_id: from, password: dest }.into(),
        BroadcastSm { service_type, source, message_id: id, data_coding, tlvs, ..Default::default() }.into(),
        BroadcastSmResp { message_id: id, tlvs }.into(),
        QueryBroadcastSm { message_id: id, source, tlvs }.into(),
        QueryBroadcastSmResp { message_id: id, tlvs }.into(),
        CancelBroadcastSm { service_type, message_id: id, source, tlvs }.into(),
        Pdu::CancelSmResp,
        Pdu::ReplaceSmResp,
        Pdu::CancelBroadcastSmResp,
        Pdu::EnquireLink,
        Pdu::EnquireLinkResp,
        Pdu::Unbind,
        Pdu::UnbindResp,
        Pdu::GenericNack,
        Pdu::Unknown { id: CommandId(0x0001_0200), body: &p.message },
    ];
    for mode in [BindMode::Receiver, BindMode::Transmitter, BindMode::Transceiver] {
        pdus.push(Pdu::Bind(mode, bind));
        pdus.push(Pdu::BindResp(mode, BindResp { system_id: from, tlvs }));
    }
    pdus
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_same(parts in parts(), sequence: u32, status in 0u32..0x500) {
        let mut to = DestinationBuf::new();
        let mut failed = FailureBuf::new();
        for (list, name) in &parts.destinations {
            let address = Address::international(name);
            to.push(if *list { Destination::List(name) } else { Destination::Sme(address) }).unwrap();
            failed.push(Failure { address, status: CommandStatus(status) }).unwrap();
        }
        for pdu in all_pdus(&parts, &to, &failed) {
            let mut wire = b"before".to_vec();
            encode(&pdu, sequence, CommandStatus(status), &mut wire).unwrap();
            let frame = next_frame(&wire[6..], DEFAULT_MAX_PDU).unwrap().unwrap();
            prop_assert_eq!(frame.wire_len(), wire.len() - 6);
            prop_assert_eq!(frame.header.sequence_number, sequence);
            prop_assert_eq!(frame.header.command_status, CommandStatus(status));
            prop_assert_eq!(frame.header.command_id, pdu.command_id());
            prop_assert_eq!(frame.decode(), Ok(pdu));
        }
    }

    #[test]
    fn any_body_is_read_or_refused_and_then_written_the_same(
        id in prop_oneof![0u32..0x30, 0x100u32..0x120, any::<u32>()],
        response: bool,
        body in vec(prop_oneof![Just(0u8), 0u8..4, any::<u8>()], 0..300),
    ) {
        let id = if response { CommandId(id).response() } else { CommandId(id) };
        let read = Pdu::decode(id, &body);
        if id.is_response() {
            prop_assert!(read.is_ok());
        }
        let Ok(pdu) = read else { return Ok(()) };
        pdu.fields(&mut |_, _| {});
        let _ = format!("{pdu:?}");
        let mut wire = Vec::new();
        // Strings may be longer than we would send.
        if encode(&pdu, 1, CommandStatus::ROK, &mut wire).is_ok() {
            let again = next_frame(&wire, usize::MAX).unwrap().unwrap();
            prop_assert_eq!(again.decode(), Ok(pdu));
        } else {
            prop_assert!(wire.is_empty());
        }
    }

    #[test]
    fn any_octets_are_a_frame_or_not(bytes in vec(any::<u8>(), 0..64), max in 16usize..100) {
        if let Ok(Some(frame)) = next_frame(&bytes, max) {
            prop_assert!(frame.wire_len() <= bytes.len() && frame.wire_len() <= max);
        }
    }

    #[test]
    fn any_text_is_a_time_or_not(text in vec(prop_oneof![b'0'..=b'9', any::<u8>()], 0..20)) {
        let _ = SmppTime::parse_lenient(&text);
        if let Ok(time) = SmppTime::parse(&text) {
            let wire = time.to_wire().unwrap();
            prop_assert_eq!(SmppTime::parse(&wire), Ok(time));
        }
    }
}

#[test]
fn writing_is_strict_and_leaves_nothing_behind() {
    let mut out = b"kept".to_vec();
    let long = SubmitSm { short_message: &[0; 256], ..Default::default() };
    let refused = encode(&long, 1, CommandStatus::ROK, &mut out);
    assert_eq!(refused, Err(EncodeError::TooLong { field: "short_message", length: 256, max: 255 }));
    let far = SubmitSm { destination: Address::international(&[b'1'; 21]), ..Default::default() };
    let refused = encode(&far, 1, CommandStatus::ROK, &mut out);
    assert_eq!(refused, Err(EncodeError::TooLong { field: "destination_addr", length: 21, max: 20 }));
    let nul = SubmitSm { source: Address::alphanumeric(b"a\0b"), ..Default::default() };
    assert_eq!(encode(&nul, 1, CommandStatus::ROK, &mut out), Err(EncodeError::Nul { field: "source_addr" }));
    assert_eq!(out, b"kept");
    // A refusal is a bare header, an acceptance is not.
    encode(&SubmitSmResp::default(), 1, CommandStatus::RTHROTTLED, &mut out).unwrap();
    assert_eq!(out.len(), 4 + 16);
    encode(&DeliverSmResp::default(), 1, CommandStatus::ROK, &mut out).unwrap();
    assert_eq!(out.len(), 4 + 16 + 17);
}
