use engine::dispatch::{Incoming, MobileOriginated};
use model::{Content, Encoding, Receipt, ReceiptState};
use smpp::{Address, DataSm, DeliverSm, EsmClass, Npi, Tag, TlvBuf, Ton};

use super::Rules;
use super::samples::connector;

const TEXT: &[u8] =
    b"id:0123 sub:001 dlvrd:001 submit date:2611222014 done date:2611222015 stat:DELIVRD err:000 text:hi";

fn deliver<'a>(esm_class: u8, short_message: &'a [u8], tlvs: &'a TlvBuf) -> DeliverSm<'a> {
    DeliverSm {
        source: Address::international(b"447700900123"),
        destination: Address::alphanumeric(b"SHOP"),
        esm_class: EsmClass(esm_class),
        short_message,
        tlvs: tlvs.as_tlvs(),
        ..DeliverSm::default()
    }
}

fn receipt(settings: &str, pdu: DeliverSm<'_>) -> (Vec<String>, ReceiptState, String, Option<String>) {
    match Rules::new(&connector(settings)).read(pdu) {
        Incoming::Receipt { remote_ids, receipt: Receipt { state, stat, err }, addresses } => {
            assert_eq!(addresses, ["447700900123".into(), "SHOP".into()]);
            let ids = remote_ids.into_iter().map(String::from).collect();
            (ids, state, stat.into(), err.map(String::from))
        }
        other => panic!("not a receipt: {other:?}"),
    }
}

fn message(settings: &str, pdu: DeliverSm<'_>) -> MobileOriginated {
    match Rules::new(&connector(settings)).read(pdu) {
        Incoming::Mo(mo) => *mo,
        receipt => panic!("not a message: {receipt:?}"),
    }
}

fn tlvs(build: impl FnOnce(&mut TlvBuf)) -> TlvBuf {
    let mut tlvs = TlvBuf::new();
    build(&mut tlvs);
    tlvs
}

#[test]
fn receipts_are_known_by_class_by_tlv_and_by_look() {
    let none = TlvBuf::new();
    let all = (vec!["0123".to_owned()], ReceiptState::Delivered, "DELIVRD".to_owned(), Some("000".to_owned()));
    for class in [0x04, 0x08, 0x24, 0x00, 0x03] {
        assert_eq!(receipt("", deliver(class, TEXT, &none)), all, "{class:#x}");
    }
    assert_eq!(receipt("", deliver(0x20, TEXT, &none)).1, ReceiptState::Intermediate);
    let with_header = [b"\x05\0\x03\x01\x01\x01", TEXT].concat();
    assert_eq!(receipt("", deliver(0x44, &with_header, &none)), all);
    let ucs2 = sms::encode_ucs2(std::str::from_utf8(TEXT).unwrap());
    assert_eq!(receipt("", DeliverSm { data_coding: 8.into(), ..deliver(4, &ucs2, &none) }), all);
    let look = "receipt_by_look = false";
    assert!(matches!(message(look, deliver(0, TEXT, &none)).content, Content::Text(_)));
    let by_tlv = tlvs(|tlvs| tlvs.push_text(Tag::RECEIPTED_MESSAGE_ID, b"abc").unwrap());
    assert_eq!(receipt("", deliver(0, b"", &by_tlv)).0, ["abc"]);
}

#[test]
fn tlvs_win_unless_the_text_is_to() {
    let both = tlvs(|tlvs| {
        tlvs.push(Tag::RECEIPTED_MESSAGE_ID, b"7b").unwrap();
        tlvs.push_u8(Tag::MESSAGE_STATE, 5);
        tlvs.push(Tag::NETWORK_ERROR_CODE, &[3, 0, 27]).unwrap();
    });
    let (ids, state, stat, err) = receipt("", deliver(4, TEXT, &both));
    assert_eq!(
        (ids, state, &*stat, err.as_deref()),
        (vec!["7b".into(), "0123".into()], ReceiptState::Undelivered, "UNDELIV", Some("027"))
    );
    let (ids, state, stat, err) = receipt("receipt_text_first = true", deliver(4, TEXT, &both));
    assert_eq!(
        (ids, state, &*stat, err.as_deref()),
        (vec!["0123".into(), "7b".into()], ReceiptState::Delivered, "DELIVRD", Some("000"))
    );
    let digits = tlvs(|tlvs| tlvs.push(Tag::NETWORK_ERROR_CODE, b"011").unwrap());
    assert_eq!(receipt("", deliver(4, b"id:1 stat:EXPIRED", &digits)).3.as_deref(), Some("011"));
}

#[test]
fn states_are_understood_or_not_final() {
    let state = |text: &[u8]| {
        let (_, state, stat, _) =
            receipt("receipt_states = { DND = \"rejected\", DELIVRD = \"unknown\" }", deliver(4, text, &TlvBuf::new()));
        (state, stat)
    };
    assert_eq!(state(b"id:1 stat:ACCEPTD"), (ReceiptState::Intermediate, "ACCEPTD".into()));
    assert_eq!(state(b"id:1 stat:DELETED"), (ReceiptState::Undelivered, "DELETED".into()));
    assert_eq!(state(b"id:1 stat:dnd"), (ReceiptState::Rejected, "dnd".into()));
    assert_eq!(state(b"id:1 stat:DELIVRD"), (ReceiptState::Unknown, "DELIVRD".into()));
    assert_eq!(state(b"id:1 stat:WHATEVER"), (ReceiptState::Intermediate, "WHATEVER".into()));
    assert_eq!(state(b"id:1"), (ReceiptState::Intermediate, "(none)".into()));
    assert_eq!(receipt("", deliver(4, b"nonsense", &TlvBuf::new())).0, Vec::<String>::new());
}

#[test]
fn messages_come_in_every_alphabet() {
    let none = TlvBuf::new();
    let text = |settings: &str, coding: u8, octets: &[u8]| {
        let mo = message(settings, DeliverSm { data_coding: coding.into(), ..deliver(0, octets, &none) });
        (mo.content, mo.encoding)
    };
    let is = |text: &str, encoding| (Content::Text(text.into()), encoding);
    assert_eq!(text("", 0, b"\x00\x11a"), is("@_a", Encoding::Gsm7));
    assert_eq!(text("default_alphabet = \"utf8\"", 0, "ж".as_bytes()), is("ж", Encoding::Ucs2));
    assert_eq!(text("", 3, b"\xE9"), is("é", Encoding::Latin1));
    assert_eq!(text("", 8, b"\x04\x36"), is("ж", Encoding::Ucs2));
    assert_eq!(text("", 6, b"\xD6"), is("ж", Encoding::Ucs2));
    let binary = Content::Binary { data: Box::new([1, 2]), udh: Box::new([]), dcs: 4 };
    assert_eq!(text("", 2, &[1, 2]), (binary, Encoding::Binary));
    let mo = message("", DeliverSm { data_coding: 0x10.into(), ..deliver(0, b"a", &none) });
    assert_eq!((mo.class, mo.from.as_str(), mo.to.as_str()), (Some(0), "+447700900123", "SHOP"));
}

#[test]
fn parts_are_known_by_header_and_by_tlvs() {
    let none = TlvBuf::new();
    let concat = message("", deliver(0x40, b"\x05\0\x03\x34\x02\x01abc", &none)).concat.unwrap();
    assert_eq!((concat.reference, concat.total, concat.sequence, concat.wide), (0x34, 2, 1, false));
    let sar = |total, sequence| {
        tlvs(|tlvs| {
            tlvs.push_u16(Tag::SAR_MSG_REF_NUM, 0x1234);
            tlvs.push_u8(Tag::SAR_TOTAL_SEGMENTS, total);
            tlvs.push_u8(Tag::SAR_SEGMENT_SEQNUM, sequence);
        })
    };
    let concat = message("", deliver(0, b"abc", &sar(3, 2))).concat.unwrap();
    assert_eq!((concat.reference, concat.total, concat.sequence, concat.wide), (0x1234, 3, 2, true));
    assert_eq!(message("", deliver(0, b"abc", &sar(1, 1))).concat, None);
    assert_eq!(message("", deliver(0, b"abc", &sar(3, 4))).concat, None);
}

#[test]
fn data_sm_is_read_like_deliver_sm() {
    let payload = tlvs(|tlvs| tlvs.push(Tag::MESSAGE_PAYLOAD, TEXT).unwrap());
    let data = DataSm {
        source: Address::new(Ton::UNKNOWN, Npi::UNKNOWN, b"60777"),
        esm_class: EsmClass(4),
        tlvs: payload.as_tlvs(),
        ..DataSm::default()
    };
    let Incoming::Receipt { remote_ids, .. } = Rules::new(&connector("")).read(data) else { panic!("not a receipt") };
    assert_eq!(remote_ids, ["0123".into()]);
    let Incoming::Mo(mo) =
        Rules::new(&connector("")).read(DataSm { esm_class: EsmClass(0), tlvs: Default::default(), ..data })
    else {
        panic!("not a message")
    };
    assert_eq!((mo.from.as_str(), mo.content.text()), ("60777", Some("")));
}
