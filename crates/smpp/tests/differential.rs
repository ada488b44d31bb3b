//! Two other codecs must read our octets as the same fields, and write the same octets again.

use proptest::collection::vec;
use proptest::prelude::*;
use rusmpp_core::command::borrowed::Command;
use rusmpp_core::decode::borrowed::DecodeWithLength;
use rusmpp_core::encode::Encode;
use rusmpp_core::pdus::borrowed::Pdu as Rusmpp;
use smpp::*;

const SEQUENCE: u32 = 0x0102_0304;

fn text(max: usize) -> impl Strategy<Value = String> {
    vec(0x20u8..0x7F, 0..=max).prop_map(|text| String::from_utf8(text).unwrap())
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("250228113000004+".into()), Just("000001000000000R".into())]
}

#[derive(Debug, Clone)]
struct Parts {
    service_type: String,
    from: String,
    to: String,
    time: String,
    id: String,
    bytes: [u8; 10],
    message: Vec<u8>,
    tlvs: TlvBuf,
}

fn parts() -> impl Strategy<Value = Parts> {
    let tlvs = (any::<[bool; 5]>(), any::<u16>(), text(60), vec(any::<u8>(), 0..300)).prop_map(
        |([reference, state, id, payload, vendor], number, text, octets)| {
            let mut buf = TlvBuf::new();
            if reference {
                buf.push_u16(Tag::USER_MESSAGE_REFERENCE, number);
            }
            if state {
                buf.push_u8(Tag::MESSAGE_STATE, number.to_be_bytes()[0]);
            }
            if id {
                buf.push_text(Tag::RECEIPTED_MESSAGE_ID, text.as_bytes()).unwrap();
            }
            if payload {
                buf.push(Tag::MESSAGE_PAYLOAD, &octets).unwrap();
            }
            if vendor {
                buf.push(Tag(0x1403), &octets).unwrap();
            }
            buf
        },
    );
    let strings = (text(5), text(20), text(20), time(), text(64));
    // smpp34 allows 254 octets of text.
    (strings, any::<[u8; 10]>(), vec(any::<u8>(), 0..=254), tlvs).prop_map(
        |((service_type, from, to, time, id), bytes, message, tlvs)| Parts {
            service_type,
            from,
            to,
            time,
            id,
            bytes,
            message,
            tlvs,
        },
    )
}

impl Parts {
    fn source(&self) -> Address<'_> {
        Address::new(Ton(self.bytes[0]), Npi(self.bytes[1]), self.from.as_bytes())
    }

    fn destination(&self) -> Address<'_> {
        Address::new(Ton(self.bytes[2]), Npi(self.bytes[3]), self.to.as_bytes())
    }

    fn submit(&self) -> SubmitSm<'_> {
        SubmitSm {
            service_type: self.service_type.as_bytes(),
            source: self.source(),
            destination: self.destination(),
            esm_class: EsmClass(self.bytes[4]),
            protocol_id: self.bytes[5],
            priority_flag: self.bytes[6],
            schedule_delivery_time: self.time.as_bytes(),
            validity_period: b"",
            registered_delivery: RegisteredDelivery(self.bytes[7]),
            replace_if_present_flag: self.bytes[8],
            data_coding: DataCoding(self.bytes[9]),
            sm_default_msg_id: self.bytes[0],
            short_message: &self.message,
            tlvs: self.tlvs.as_tlvs(),
        }
    }

    fn deliver(&self) -> DeliverSm<'_> {
        DeliverSm {
            source: self.source(),
            destination: self.destination(),
            esm_class: EsmClass(self.bytes[4]),
            data_coding: DataCoding(self.bytes[9]),
            short_message: &self.message,
            tlvs: self.tlvs.as_tlvs(),
            ..Default::default()
        }
    }

    fn data(&self) -> DataSm<'_> {
        DataSm {
            service_type: self.service_type.as_bytes(),
            source: self.source(),
            destination: self.destination(),
            esm_class: EsmClass(self.bytes[4]),
            registered_delivery: RegisteredDelivery(self.bytes[7]),
            data_coding: DataCoding(self.bytes[9]),
            tlvs: self.tlvs.as_tlvs(),
        }
    }

    fn bind(&self) -> Bind<'_> {
        Bind {
            system_id: &self.from.as_bytes()[..self.from.len().min(15)],
            password: &self.to.as_bytes()[..self.to.len().min(8)],
            system_type: self.service_type.as_bytes(),
            interface_version: InterfaceVersion::V3_4,
            address_range: self.source(),
        }
    }
}

fn wire(operation: &impl Operation) -> Vec<u8> {
    let mut out = Vec::new();
    encode(operation, SEQUENCE, CommandStatus::ROK, &mut out).unwrap();
    out
}

/// Has rusmpp read a PDU and write it again, and looks at what it read.
fn through_rusmpp(wire: &[u8], look: impl FnOnce(&Rusmpp<'_, 8>) -> bool) {
    let body = &wire[4..];
    let (command, used) = Command::<'_, 8>::decode(body, body.len()).expect("rusmpp reads it");
    assert_eq!((used, command.sequence_number()), (body.len(), SEQUENCE));
    assert!(look(command.pdu().unwrap()), "{command:?}");
    let mut again = vec![0; body.len()];
    assert_eq!(command.encode(&mut again), body.len());
    assert_eq!(again, body);
}

fn header(wire: &[u8]) -> smpp34::CommandHeader {
    let header = smpp34::CommandHeader::decode(wire).expect("smpp34 reads the header");
    assert_eq!(header.sequence_number, SEQUENCE);
    header
}

fn same_tlvs(theirs: &[smpp34::Tlv], ours: Tlvs<'_>) {
    let ours: Vec<_> = ours.iter().map(|tlv| (tlv.tag.0, tlv.value.to_vec())).collect();
    let theirs: Vec<_> = theirs.iter().map(|tlv| (tlv.tag, tlv.value.clone())).collect();
    assert_eq!(ours, theirs);
}

proptest! {
    #[test]
    fn submit_sm(parts in parts()) {
        let ours = parts.submit();
        let wire = wire(&ours);
        through_rusmpp(&wire, |pdu| {
            let Rusmpp::SubmitSm(theirs) = pdu else { return false };
            theirs.source_addr.as_str() == parts.from
                && theirs.destination_addr.as_str() == parts.to
                && theirs.short_message().bytes() == &parts.message[..]
                && u8::from(theirs.source_addr_ton) == parts.bytes[0]
                && u8::from(theirs.dest_addr_npi) == parts.bytes[3]
                && theirs.protocol_id == parts.bytes[5]
                && u8::from(theirs.data_coding) == parts.bytes[9]
                && theirs.tlvs().len() == ours.tlvs.iter().count()
        });
        let theirs = smpp34::submit_sm::decode(header(&wire), &wire).unwrap();
        prop_assert_eq!(&theirs.service_type, &parts.service_type);
        prop_assert_eq!((theirs.source_addr_ton, theirs.source_addr_npi), (parts.bytes[0], parts.bytes[1]));
        prop_assert_eq!((theirs.dest_addr_ton, theirs.dest_addr_npi), (parts.bytes[2], parts.bytes[3]));
        prop_assert_eq!((&theirs.source_addr, &theirs.destination_addr), (&parts.from, &parts.to));
        prop_assert_eq!(&[theirs.esm_class, theirs.protocol_id, theirs.priority_flag], &parts.bytes[4..7]);
        prop_assert_eq!((&theirs.schedule_delivery_time, &theirs.validity_period[..]), (&parts.time, ""));
        prop_assert_eq!(
            &[theirs.registered_delivery, theirs.replace_if_present_flag, theirs.data_coding],
            &parts.bytes[7..]
        );
        prop_assert_eq!(theirs.sm_default_msg_id, parts.bytes[0]);
        prop_assert_eq!(&theirs.short_message, &parts.message);
        same_tlvs(&theirs.tlvs, ours.tlvs);
        let again = theirs.encode();
        prop_assert_eq!(&again, &wire);
        let frame = next_frame(&again, DEFAULT_MAX_PDU).unwrap().unwrap();
        prop_assert_eq!(frame.decode(), Ok(Pdu::SubmitSm(ours)));
    }

    #[test]
    fn deliver_sm(parts in parts()) {
        let ours = parts.deliver();
        let wire = wire(&ours);
        through_rusmpp(&wire, |pdu| {
            let Rusmpp::DeliverSm(theirs) = pdu else { return false };
            theirs.source_addr.as_str() == parts.from && theirs.short_message().bytes() == &parts.message[..]
        });
        let theirs = smpp34::deliver_sm::decode(header(&wire), &wire).unwrap();
        prop_assert_eq!((&theirs.source_addr, &theirs.destination_addr), (&parts.from, &parts.to));
        prop_assert_eq!((theirs.esm_class, theirs.data_coding), (parts.bytes[4], parts.bytes[9]));
        prop_assert_eq!(&theirs.short_message, &parts.message);
        same_tlvs(&theirs.tlvs, ours.tlvs);
        prop_assert_eq!(theirs.encode(), wire);
    }

    #[test]
    fn data_sm(parts in parts()) {
        let ours = parts.data();
        let wire = wire(&ours);
        through_rusmpp(&wire, |pdu| {
            let Rusmpp::DataSm(theirs) = pdu else { return false };
            theirs.source_addr.as_str() == parts.from && theirs.destination_addr.as_str() == parts.to
        });
        let theirs = smpp34::data_sm::decode(header(&wire), &wire).unwrap();
        prop_assert_eq!((&theirs.source_addr, &theirs.destination_addr), (&parts.from, &parts.to));
        prop_assert_eq!((theirs.registered_delivery, theirs.data_coding), (parts.bytes[7], parts.bytes[9]));
        same_tlvs(&theirs.tlvs, ours.tlvs);
        prop_assert_eq!(theirs.encode(), wire);
    }

    #[test]
    fn the_other_requests(parts in parts()) {
        let id = parts.id.as_bytes();
        let (source, destination) = (parts.source(), parts.destination());

        let query = wire(&QuerySm { message_id: id, source });
        through_rusmpp(&query, |pdu| matches!(pdu, Rusmpp::QuerySm(_)));
        let theirs = smpp34::query_sm::decode(header(&query), &query).unwrap();
        prop_assert_eq!((&theirs.message_id, &theirs.source_addr), (&parts.id, &parts.from));
        prop_assert_eq!(theirs.encode(), query);

        let cancel =
            wire(&CancelSm { service_type: parts.service_type.as_bytes(), message_id: id, source, destination });
        through_rusmpp(&cancel, |pdu| matches!(pdu, Rusmpp::CancelSm(_)));
        // This one wants the body only.
        let theirs = smpp34::cancel_sm::decode(header(&cancel), &cancel[16..]).unwrap();
        prop_assert_eq!((&theirs.message_id, &theirs.destination_addr), (&parts.id, &parts.to));
        prop_assert_eq!(theirs.encode(), cancel);

        let replace = wire(&ReplaceSm { message_id: id, source, short_message: &parts.message, ..Default::default() });
        through_rusmpp(&replace, |pdu| matches!(pdu, Rusmpp::ReplaceSm(_)));
        let theirs = smpp34::replace_sm::decode(header(&replace), &replace).unwrap();
        prop_assert_eq!((&theirs.message_id, &theirs.short_message), (&parts.id, &parts.message));
        prop_assert_eq!(theirs.encode(), replace);
    }

    #[test]
    fn submit_multi(parts in parts(), lists in vec((any::<bool>(), text(20)), 1..5)) {
        let mut to = DestinationBuf::new();
        for (list, name) in &lists {
            let name = name.as_bytes();
            to.push(if *list { Destination::List(name) } else { Destination::Sme(Address::international(name)) })
                .unwrap();
        }
        let source = parts.source();
        let ours = SubmitMulti { source, destinations: to.as_list(), short_message: &parts.message, ..Default::default() };
        let wire = wire(&ours);
        through_rusmpp(&wire, |pdu| matches!(pdu, Rusmpp::SubmitMulti(_)));
        let theirs = smpp34::submit_sm_multi::decode(header(&wire), &wire).unwrap();
        let wanted: Vec<_> = lists
            .iter()
            .map(|(list, name)| match list {
                true => smpp34::DestAddress::distribution_list(name.clone()),
                false => smpp34::DestAddress::sme(name.clone()),
            })
            .collect();
        prop_assert_eq!(&theirs.dest_addresses, &wanted);
        prop_assert_eq!(&theirs.short_message, &parts.message);
        prop_assert_eq!(theirs.encode(), wire);
    }

    #[test]
    fn binds(parts in parts()) {
        let bind = parts.bind();
        let wire_of = |mode| wire(&Pdu::Bind(mode, bind));
        for mode in [BindMode::Receiver, BindMode::Transmitter, BindMode::Transceiver] {
            through_rusmpp(&wire_of(mode), |pdu| match mode {
                BindMode::Receiver => matches!(pdu, Rusmpp::BindReceiver(_)),
                BindMode::Transmitter => matches!(pdu, Rusmpp::BindTransmitter(_)),
                BindMode::Transceiver => matches!(pdu, Rusmpp::BindTransceiver(_)),
            });
        }
        let octets = wire_of(BindMode::Transceiver);
        let theirs = smpp34::bind_transceiver::decode(header(&octets), &octets).unwrap();
        prop_assert_eq!(theirs.system_id.as_bytes(), bind.system_id);
        prop_assert_eq!(theirs.password.as_bytes(), bind.password);
        prop_assert_eq!(theirs.system_type.as_bytes(), bind.system_type);
        prop_assert_eq!(theirs.interface_version, 0x34);
        prop_assert_eq!((theirs.addr_ton, theirs.addr_npi), (parts.bytes[0], parts.bytes[1]));
        prop_assert_eq!(theirs.address_range.as_bytes(), bind.address_range.addr);
        prop_assert_eq!(theirs.encode(), octets);

        let mut tlvs = TlvBuf::new();
        tlvs.push_u8(Tag::SC_INTERFACE_VERSION, 0x34);
        let answer = BindResp { system_id: bind.system_id, tlvs: tlvs.as_tlvs() };
        let octets = wire(&Pdu::BindResp(BindMode::Transceiver, answer));
        through_rusmpp(&octets, |pdu| matches!(pdu, Rusmpp::BindTransceiverResp(_)));
        let theirs = smpp34::bind_transceiver_resp::decode(header(&octets), &octets).unwrap();
        prop_assert_eq!(theirs.sc_interface_version, Some(0x34));
        prop_assert_eq!(theirs.encode(), octets);
    }

    #[test]
    fn responses(parts in parts(), state in 0u8..10) {
        let message_id = parts.id.as_bytes();
        let submitted = wire(&SubmitSmResp { message_id, ..Default::default() });
        through_rusmpp(&submitted, |pdu| {
            let Rusmpp::SubmitSmResp(theirs) = pdu else { return false };
            theirs.message_id().as_str() == parts.id
        });
        let theirs = smpp34::submit_sm_resp::decode(header(&submitted), &submitted).unwrap();
        prop_assert_eq!(theirs.message_id.as_ref(), Some(&parts.id));
        prop_assert_eq!(theirs.encode(), submitted);

        let delivered = wire(&DeliverSmResp::default());
        through_rusmpp(&delivered, |pdu| matches!(pdu, Rusmpp::DeliverSmResp(_)));
        let theirs = smpp34::deliver_sm_resp::decode(header(&delivered), &delivered).unwrap();
        prop_assert_eq!(theirs.encode(), delivered);

        let queried = wire(&QuerySmResp {
            message_id,
            final_date: parts.time.as_bytes(),
            message_state: MessageState(state),
            error_code: parts.bytes[0],
        });
        through_rusmpp(&queried, |pdu| matches!(pdu, Rusmpp::QuerySmResp(_)));
        let theirs = smpp34::query_sm_resp::decode(header(&queried), &queried).unwrap();
        prop_assert_eq!((&theirs.message_id, &theirs.final_date), (&parts.id, &parts.time));
        prop_assert_eq!((theirs.message_state, theirs.error_code), (state, parts.bytes[0]));
        prop_assert_eq!(theirs.encode(), queried);
    }
}

/// rusmpp alone knows SMPP 5.0.
#[test]
fn bare_pdus_and_broadcasts() {
    for pdu in [Pdu::EnquireLink, Pdu::EnquireLinkResp, Pdu::Unbind, Pdu::UnbindResp, Pdu::GenericNack] {
        through_rusmpp(&wire(&pdu), |_| true);
    }
    let source = Address::alphanumeric(b"alerts");
    let mut tlvs = TlvBuf::new();
    // Not broadcast_rep_num: rusmpp reads one octet where SMPP 5.0 §4.8.4.14 has two.
    tlvs.push_u16(Tag::USER_MESSAGE_REFERENCE, 3);
    let broadcast = BroadcastSm { source, message_id: b"7", tlvs: tlvs.as_tlvs(), ..Default::default() };
    through_rusmpp(&wire(&broadcast), |pdu| matches!(pdu, Rusmpp::BroadcastSm(_)));
    let query = QueryBroadcastSm { message_id: b"7", source, tlvs: tlvs.as_tlvs() };
    through_rusmpp(&wire(&query), |pdu| matches!(pdu, Rusmpp::QueryBroadcastSm(_)));
    let cancel = CancelBroadcastSm { message_id: b"7", source, ..Default::default() };
    through_rusmpp(&wire(&cancel), |pdu| matches!(pdu, Rusmpp::CancelBroadcastSm(_)));
}
