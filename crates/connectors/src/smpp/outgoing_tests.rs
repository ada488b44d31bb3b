use std::sync::Arc;

use model::message::Tlv;
use model::resources::Connector;
use model::{Address, Body, Content, Encoding, PassedOn, Timestamp};
use smpp::{CommandStatus, Tag, encode};

use super::Outgoing;
use super::samples::{connector, text};

/// What of a submit_sm a test looks at.
#[derive(Debug, PartialEq)]
struct Sent {
    esm_class: u8,
    data_coding: u8,
    short_message: Vec<u8>,
    payload: Option<Vec<u8>>,
    validity: String,
    tlvs: Vec<(u16, Vec<u8>)>,
}

fn sent(connector: &Connector, body: &Body, part: u8, parts: u8) -> Result<Sent, String> {
    let mut outgoing = Outgoing::new();
    let now = Timestamp::from_millis(1_795_378_496_000);
    let body = Arc::new(body.clone());
    let pdu = outgoing.submit_sm(connector, &body, (part, parts), now).map_err(|reason| reason.detail.to_string())?;
    Ok(Sent {
        esm_class: pdu.esm_class.0,
        data_coding: pdu.data_coding.0,
        short_message: pdu.short_message.to_vec(),
        payload: pdu.tlvs.get(Tag::MESSAGE_PAYLOAD).map(|tlv| tlv.value.to_vec()),
        validity: String::from_utf8(pdu.validity_period.to_vec()).unwrap(),
        tlvs: pdu.tlvs.iter().map(|tlv| (tlv.tag.0, tlv.value.to_vec())).collect(),
    })
}

fn gsm(settings: &str, content: &str) -> Sent {
    sent(&connector(settings), &text(content, Encoding::Gsm7), 0, 1).unwrap()
}

#[test]
fn the_plain_case_byte_for_byte() {
    let mut outgoing = Outgoing::new();
    let connector = connector("service_type = \"CMT\"\nprotocol_id = 65");
    let body = Arc::new(text("hi @", Encoding::Gsm7));
    let pdu = outgoing.submit_sm(&connector, &body, (0, 1), body.created_at).unwrap();
    let mut wire = Vec::new();
    encode(&pdu, 1, CommandStatus::ROK, &mut wire).unwrap();
    let mut expected = vec![0, 0, 0, 62, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1];
    expected.extend_from_slice(b"CMT\0\x05\0SHOP\0\x01\x01447700900123\0");
    // esm_class, protocol_id, priority, schedule, validity, registered, replace, coding, default id.
    expected.extend_from_slice(&[0, 65, 1, 0, 0, 1, 0, 0, 0, 4]);
    expected.extend_from_slice(b"hi \0");
    expected[3] = expected.len() as u8;
    assert_eq!(wire, expected);
}

#[test]
fn what_the_application_says_to_the_carrier_goes_along() {
    let said = PassedOn {
        protocol_id: Some(0x41),
        service_type: Some("VMN".into()),
        reply_path: true,
        replace_if_present: true,
        priority_flag: Some(4),
    };
    let body = Arc::new(Body { passed_on: said.boxed(), ..text(&"a".repeat(200), Encoding::Gsm7) });
    let told = |settings: &str, parts| {
        let (connector, mut outgoing) = (connector(settings), Outgoing::new());
        let pdu = outgoing.submit_sm(&connector, &body, (0, parts), body.created_at).unwrap();
        let service = String::from_utf8(pdu.service_type.to_vec()).unwrap();
        (service, pdu.esm_class.0, pdu.protocol_id, pdu.priority_flag, pdu.replace_if_present_flag)
    };
    assert_eq!(told("", 2), ("VMN".into(), 0xC0, 0x41, 4, 0), "the parts would take each other's place");
    assert_eq!(told("long_messages = \"payload\"", 1), ("VMN".into(), 0x80, 0x41, 4, 1));
    assert_eq!(told("service_type = \"CMT\"\nprotocol_id = 65", 2).0, "CMT");
    for (udh, flag) in [(&[5, 0, 3, 9, 2, 1][..], 0), (&[6, 5, 4, 0, 1, 0, 2], 1)] {
        let content = Content::Binary { data: b"x"[..].into(), udh: udh.into(), dcs: 4 };
        let body = Arc::new(Body { content, encoding: Encoding::Binary, ..Body::clone(&body) });
        let (connector, mut outgoing) = (connector(""), Outgoing::new());
        let pdu = outgoing.submit_sm(&connector, &body, (0, 1), body.created_at).unwrap();
        assert_eq!(pdu.replace_if_present_flag, flag, "a part that the application has cut itself is one, too");
    }
}

#[test]
fn data_coding_0_means_what_the_connector_says() {
    assert_eq!(gsm("", "à_@").short_message, [0x7F, 0x11, 0x00]);
    assert_eq!(gsm("default_alphabet = \"latin1\"", "à_@").short_message, [0xE0, b'_', b'@']);
    assert_eq!(gsm("default_alphabet = \"ascii\"", "a_@").short_message, b"a_@");
    assert_eq!(gsm("default_alphabet = \"utf8\"", "à€").short_message, "à€".as_bytes());
    assert_eq!(gsm("default_alphabet = \"gsm7-packed\"", "hello").short_message, b"\xE8\x32\x9B\xFD\x06");
    // The euro sign is in GSM 7-bit and not in Latin-1: such a text goes as UCS-2.
    let euro = gsm("default_alphabet = \"latin1\"", "5 €");
    assert_eq!((euro.data_coding, euro.short_message), (8, vec![0, b'5', 0, b' ', 0x20, 0xAC]));
}

#[test]
fn what_latin_1_lacks_is_refused_when_it_does_not_fit_ucs_2() {
    let long = format!("{}€", "a".repeat(100));
    let refused = sent(&connector("default_alphabet = \"latin1\""), &text(&long, Encoding::Gsm7), 0, 1);
    assert!(refused.unwrap_err().contains("too long for UCS-2"));
}

#[test]
fn long_texts_take_every_form() {
    let body = text(&"a".repeat(161), Encoding::Gsm7);
    let udh = sent(&connector(""), &body, 1, 2).unwrap();
    assert_eq!((udh.esm_class, &udh.short_message[..7]), (0x40, &[5, 0, 3, 0x34, 2, 2, b'a'][..]));
    let wide = Body { wide_reference: true, ..body.clone() };
    let wide = sent(&connector("long_messages = \"udh16\""), &wide, 0, 2).unwrap();
    assert_eq!(&wide.short_message[..8], [6, 8, 4, 0x12, 0x34, 2, 1, b'a']);
    let sar = sent(&connector("long_messages = \"sar\""), &body, 1, 2).unwrap();
    assert_eq!((sar.esm_class, sar.short_message), (0, vec![b'a'; 8]));
    assert_eq!(sar.tlvs, [(0x020C, vec![0x12, 0x34]), (0x020E, vec![2]), (0x020F, vec![2])]);
    let payload = sent(&connector("long_messages = \"payload\""), &body, 0, 1).unwrap();
    assert_eq!((payload.esm_class, payload.short_message.len(), payload.payload), (0, 0, Some(vec![b'a'; 161])));
    let packed = sent(&connector("default_alphabet = \"gsm7-packed\""), &body, 1, 2).unwrap();
    // One fill bit after six octets of header, then eight septets.
    assert_eq!(packed.short_message[6..], sms::pack(&[b'a'; 8], 1));
}

#[test]
fn flash_and_classes_are_marked_in_every_way() {
    let flash = |settings: &str, encoding, content| {
        let sent = sent(&connector(settings), &Body { class: Some(0), ..text(content, encoding) }, 0, 1).unwrap();
        (sent.data_coding, sent.tlvs)
    };
    assert_eq!(flash("", Encoding::Gsm7, "a"), (0x10, vec![]));
    assert_eq!(flash("", Encoding::Ucs2, "ж"), (0x18, vec![]));
    assert_eq!(flash("flash = \"class-group\"", Encoding::Gsm7, "a"), (0xF0, vec![]));
    assert_eq!(flash("flash = \"class-group\"", Encoding::Ucs2, "ж"), (0x18, vec![]));
    assert_eq!(flash("flash = \"subunit\"", Encoding::Gsm7, "a"), (0, vec![(5, vec![1])]));
    assert_eq!(flash("", Encoding::Latin1, "é"), (3, vec![(5, vec![1])]));
}

#[test]
fn other_alphabets_and_octets() {
    let ucs2 = sent(&connector(""), &text("ж", Encoding::Ucs2), 0, 1).unwrap();
    assert_eq!((ucs2.data_coding, ucs2.short_message), (8, vec![4, 0x36]));
    let latin1 = sent(&connector(""), &text("é", Encoding::Latin1), 0, 1).unwrap();
    assert_eq!((latin1.data_coding, latin1.short_message), (3, vec![0xE9]));
    let octets = |dcs, class| {
        let udh = Box::new([6, 5, 4, 0x0B, 0x84, 0x23, 0xF0]);
        let content = Content::Binary { data: Box::new([1, 2]), udh, dcs };
        sent(&connector(""), &Body { content, class, ..text("", Encoding::Binary) }, 0, 1).unwrap()
    };
    let push = octets(0x04, None);
    assert_eq!((push.esm_class, push.data_coding), (0x40, 4));
    assert_eq!(push.short_message, [6, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 1, 2]);
    assert_eq!(octets(0xF5, None).data_coding, 0xF5);
    assert_eq!(octets(0x04, Some(1)).data_coding, 0x15);
}

#[test]
fn septets_with_a_header_of_their_own_are_coded_as_the_connector_wants() {
    let septets = |settings: &str, data: &[u8], dcs| {
        let udh = Box::new([5, 0, 3, 7, 2, 1]);
        let body = Body { content: Content::Binary { data: data.into(), udh, dcs }, ..text("", Encoding::Gsm7) };
        sent(&connector(settings), &body, 0, 1).unwrap()
    };
    // 153 of them fit beside a concatenation, and stay one part.
    let full = septets("", &[0x61; 153], 0);
    assert_eq!((full.esm_class, full.data_coding, full.short_message.len()), (0x40, 0, 159));
    assert_eq!(septets("", &[0], 0xF0).data_coding, 0xF0);
    let latin1 = septets("default_alphabet = \"latin1\"", &[0, 5], 0);
    assert_eq!(latin1.short_message, [5, 0, 3, 7, 2, 1, b'@', 0xE9]);
    let packed = septets("default_alphabet = \"gsm7-packed\"", &[0x61; 153], 0);
    assert_eq!(packed.short_message.len(), 140);
}

#[test]
fn addresses_by_kind_and_by_configuration() {
    let types = |settings: &str, from: &str| {
        let body = Arc::new(Body { from: Address::sender(from, None).unwrap(), ..text("a", Encoding::Gsm7) });
        let (connector, mut outgoing) = (connector(settings), Outgoing::new());
        let pdu = outgoing.submit_sm(&connector, &body, (0, 1), body.created_at).unwrap();
        let shown = |a: smpp::Address<'_>| format!("{}/{} {}", a.ton.0, a.npi.0, String::from_utf8_lossy(a.addr));
        (shown(pdu.source), shown(pdu.destination))
    };
    assert_eq!(types("", "60777"), ("0/0 60777".into(), "1/1 447700900123".into()));
    assert_eq!(types("", "+4477009001").0, "1/1 4477009001");
    let forms = "plus_sign = true\nsource = { ton = 3, npi = 9 }\ndestination = { ton = 2, npi = 8 }";
    assert_eq!(types(forms, "60777"), ("3/9 60777".into(), "2/8 +447700900123".into()));
    assert_eq!(types(forms, "SHOP").0, "5/0 SHOP");
}

#[test]
fn validity_is_told_when_the_application_named_one() {
    let validity = |settings: &str, seconds| {
        let mut body = Body { validity_given: true, ..text("a", Encoding::Gsm7) };
        body.expires_at = body.created_at.plus_seconds(seconds);
        sent(&connector(settings), &body, 0, 1).unwrap().validity
    };
    assert_eq!(gsm("", "a").validity, "");
    assert_eq!(validity("", 4205), "000000011005000R");
    assert_eq!(validity("", 100 * 86_400), "270302201456000+");
    assert_eq!(validity("validity = \"absolute\"", 4), "261122201500000+");
    assert_eq!(validity("validity = \"none\"", 4), "");
    assert_eq!(validity("", -5), "000000000001000R");
}

#[test]
fn tlvs_are_passed_on_and_oversized_text_goes_to_the_payload() {
    let tlvs = vec![Tlv { tag: 0x1403, value: Box::new([1, 2]) }];
    let sent_with = sent(&connector(""), &Body { tlvs, ..text("a", Encoding::Gsm7) }, 0, 1).unwrap();
    assert_eq!(sent_with.tlvs, [(0x1403, vec![1, 2])]);
    // 160 characters of two octets each.
    let utf8 = gsm("default_alphabet = \"utf8\"", &"é".repeat(160));
    assert_eq!((utf8.short_message.len(), utf8.payload.unwrap().len()), (0, 320));
}

#[test]
fn a_message_that_was_replaced_says_the_new_text() {
    let (connector, mut outgoing) = (connector(""), Outgoing::new());
    for content in ["first", "second"] {
        let body = Arc::new(text(content, Encoding::Gsm7));
        let pdu = outgoing.submit_sm(&connector, &body, (0, 1), body.created_at).unwrap();
        assert_eq!(pdu.short_message, content.as_bytes(), "its id is the one that it had");
    }
}
