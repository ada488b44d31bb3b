use smpp::{Npi, TlvBuf};

use super::*;

/// 2026-11-22T20:14:56Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);

fn login(more: &str) -> SmppLogin {
    serde_json::from_str(&format!("{{\"system_id\":\"shop\"{more}}}")).unwrap()
}

fn message<'a>() -> SubmitSm<'a> {
    SubmitSm {
        source: Address::alphanumeric(b"SHOP"),
        destination: Address::international(b"447700900123"),
        short_message: b"hello",
        ..SubmitSm::default()
    }
}

fn read_with(pdu: &SubmitSm<'_>, more: &str) -> Result<Submission, CommandStatus> {
    of_submit_sm(pdu, &login(more), NOW)
}

fn read(pdu: &SubmitSm<'_>) -> Result<Submission, CommandStatus> {
    read_with(pdu, "")
}

fn octets(submission: &Submission) -> (Vec<u8>, Vec<u8>, u32) {
    let binary = submission.binary.as_ref().unwrap();
    let read = |text: &str| STANDARD.decode(text).unwrap();
    (read(&binary.data), read(binary.udh.as_deref().unwrap_or_default()), binary.dcs.unwrap())
}

#[test]
fn a_plain_message() {
    let submission = read(&message()).unwrap();
    let expected = Submission {
        to: "+447700900123".into(),
        from: Some("SHOP".into()),
        text: Some("hello".into()),
        priority: Some(1),
        receipt: ReceiptWish::None,
        ingress: Ingress::Smpp,
        ..Submission::default()
    };
    assert_eq!(submission, expected);
}

#[test]
fn addresses_by_their_type_of_number() {
    let from = |ton, addr| read(&SubmitSm { source: Address::new(ton, Npi::ISDN, addr), ..message() });
    assert_eq!(from(Ton::INTERNATIONAL, b"447700900123").unwrap().from.unwrap(), "+447700900123");
    assert_eq!(from(Ton::INTERNATIONAL, b"60777").unwrap().from.unwrap(), "60777");
    assert_eq!(from(Ton::NATIONAL, b"07700900123").unwrap().from.unwrap(), "07700900123");
    assert_eq!(from(Ton::UNKNOWN, b"").unwrap().from, None);
    assert_eq!(from(Ton::ALPHANUMERIC, b"\xff"), Err(CommandStatus::RINVSRCADR));
    let to = SubmitSm { destination: Address::international(b"\xff"), ..message() };
    assert_eq!(read(&to), Err(CommandStatus::RINVDSTADR));
}

#[test]
fn texts_by_their_data_coding() {
    let text = |coding, short_message, more: &str| {
        let submission = read_with(&SubmitSm { data_coding: DataCoding(coding), short_message, ..message() }, more);
        let submission = submission.unwrap();
        (submission.text.unwrap(), submission.encoding, submission.class)
    };
    use EncodingChoice::{Auto, Latin1, Ucs2};
    assert_eq!(text(0, b"\x00\x1be", ""), ("@€".into(), Auto, None));
    assert_eq!(text(0, b"@\xe9", ",\"default_alphabet\":\"latin1\""), ("@é".into(), Auto, None));
    assert_eq!(text(0, "ж".as_bytes(), ",\"default_alphabet\":\"utf8\""), ("ж".into(), Auto, None));
    assert_eq!(text(1, b"a@", ""), ("a@".into(), Auto, None));
    assert_eq!(text(3, b"\xe9", ""), ("é".into(), Latin1, None));
    assert_eq!(text(8, &[4, 0x36, 0xD8, 0x3D, 0xDE, 0x00], ""), ("ж😀".into(), Ucs2, None));
    assert_eq!(text(0xF0, b"a", ""), ("a".into(), Auto, Some(0)));
    assert_eq!(text(0x18, &[4, 0x36], ""), ("ж".into(), Ucs2, Some(0)));
}

#[test]
fn octets_stay_octets() {
    for (coding, kept) in [(2, 4), (4, 4), (0xF5, 0xF5)] {
        let pdu = SubmitSm { data_coding: DataCoding(coding), short_message: &[0, 255], ..message() };
        assert_eq!(octets(&read(&pdu).unwrap()), (vec![0, 255], vec![], kept));
    }
    // A message waiting indication is more than its text.
    let waiting = SubmitSm { data_coding: DataCoding(0xC8), short_message: b"a", ..message() };
    assert_eq!(octets(&read(&waiting).unwrap()), (b"a".to_vec(), vec![], 0xC8));
}

#[test]
fn a_long_text_is_in_the_payload() {
    let text = vec![b'a'; 1000];
    let mut tlvs = TlvBuf::new();
    tlvs.push(Tag::MESSAGE_PAYLOAD, &text).unwrap();
    let submission = read(&SubmitSm { short_message: b"", tlvs: tlvs.as_tlvs(), ..message() }).unwrap();
    assert_eq!(submission.text.unwrap().len(), 1000);
    assert_eq!(submission.tlvs, []);
    let data =
        DataSm { destination: Address::international(b"447700900123"), tlvs: tlvs.as_tlvs(), ..DataSm::default() };
    assert_eq!(of_data_sm(&data, &login(""), NOW).unwrap().text.unwrap().len(), 1000);
}

#[test]
fn a_part_keeps_its_header() {
    let header = [5, 0, 3, 7, 2, 1];
    let short_message = [&header[..], &[0x61; 153]].concat();
    let pdu = SubmitSm { esm_class: EsmClass(0x40), short_message: &short_message, ..message() };
    assert_eq!(octets(&read(&pdu).unwrap()), (vec![0x61; 153], header.to_vec(), 0));
    let latin1 = SubmitSm { short_message: &[5, 0, 3, 7, 2, 1, b'@', 0xE9], ..pdu };
    let recoded = read_with(&latin1, ",\"default_alphabet\":\"latin1\"").unwrap();
    assert_eq!(octets(&recoded), (vec![0, 5], header.to_vec(), 0));
    let overrun = SubmitSm { short_message: &[9, 0], ..pdu };
    assert_eq!(read(&overrun), Err(CommandStatus::RINVESMCLASS));
}

#[test]
fn sar_makes_a_header() {
    let with = |reference, total, sequence| {
        let mut tlvs = TlvBuf::new();
        tlvs.push_u16(Tag::SAR_MSG_REF_NUM, reference);
        tlvs.push_u8(Tag::SAR_TOTAL_SEGMENTS, total);
        tlvs.push_u8(Tag::SAR_SEGMENT_SEQNUM, sequence);
        read(&SubmitSm { tlvs: tlvs.as_tlvs(), ..message() })
    };
    assert_eq!(octets(&with(7, 2, 1).unwrap()).1, [5, 0, 3, 7, 2, 1]);
    assert_eq!(octets(&with(0x107, 2, 2).unwrap()).1, [6, 8, 4, 1, 7, 2, 2]);
    assert_eq!(with(7, 1, 1).unwrap().text.unwrap(), "hello");
    assert_eq!(with(7, 2, 3), Err(CommandStatus::RINVTLVVAL));
    let mut tlvs = TlvBuf::new();
    tlvs.push_u16(Tag::SAR_MSG_REF_NUM, 7);
    assert_eq!(read(&SubmitSm { tlvs: tlvs.as_tlvs(), ..message() }), Err(CommandStatus::RMISSINGTLV));
}

#[test]
fn times_absolute_and_relative() {
    let times = |schedule, validity| {
        let pdu = SubmitSm { schedule_delivery_time: schedule, validity_period: validity, ..message() };
        read(&pdu).map(|submission| (submission.send_at, submission.validity_seconds))
    };
    let at = |text: &str| Some(text.to_owned());
    assert_eq!(times(b"", b"000000011000000R"), Ok((None, Some(4200))));
    assert_eq!(times(b"", b"261122201556000+"), Ok((None, Some(60))));
    assert_eq!(times(b"", b"261122211556004+"), Ok((None, Some(60))), "an hour ahead of UTC");
    assert_eq!(times(b"", b"000000000000000R"), Ok((None, None)));
    assert_eq!(times(b"000000000100000R", b"000000000200000R"), Ok((at("2026-11-22T20:15:56.000Z"), Some(60))));
    assert_eq!(times(b"261122201456000+", b""), Ok((None, None)), "now is at once");
    assert_eq!(times(b"x", b""), Err(CommandStatus::RINVSCHED));
    assert_eq!(times(b"", b"261122201455000+"), Err(CommandStatus::RINVEXPIRY));
    assert_eq!(times(b"", b"99"), Err(CommandStatus::RINVEXPIRY));
}

#[test]
fn receipts_and_priorities() {
    let of = |registered, priority_flag| {
        let registered_delivery = RegisteredDelivery(registered);
        read(&SubmitSm { registered_delivery, priority_flag, ..message() }).map(|s| (s.receipt, s.priority.unwrap()))
    };
    assert_eq!(of(0, 0), Ok((ReceiptWish::None, 1)));
    assert_eq!(of(1, 1), Ok((ReceiptWish::Final, 2)));
    assert_eq!(of(0x11, 4), Ok((ReceiptWish::All, 3)));
    assert_eq!(of(2, 0), Ok((ReceiptWish::Failure, 1)));
    assert_eq!(of(3, 0), Ok((ReceiptWish::Success, 1)));
    assert_eq!(of(0x12, 0), Ok((ReceiptWish::All, 1)));
    assert_eq!(of(1, 5), Err(CommandStatus::RINVPRTFLG));
}

#[test]
fn tlvs_go_along_but_for_those_that_carry_the_text() {
    let mut tlvs = TlvBuf::new();
    tlvs.push_u16(Tag::USER_MESSAGE_REFERENCE, 7);
    tlvs.push(Tag(0x1401), &[0xAB]).unwrap();
    tlvs.push_u8(Tag::MORE_MESSAGES_TO_SEND, 1);
    let tlvs = read(&SubmitSm { tlvs: tlvs.as_tlvs(), ..message() }).unwrap().tlvs;
    let expected = [(0x0204, "0007"), (0x1401, "ab")];
    assert_eq!(tlvs, expected.map(|(tag, hex)| TlvSubmission { tag, hex: hex.into() }));
}

#[test]
fn acknowledgements_between_applications_are_messages_like_others() {
    let plain = read(&message());
    for kind in [0x08, 0x10] {
        assert_eq!(read(&SubmitSm { esm_class: EsmClass(kind), ..message() }), plain);
    }
}

#[test]
fn what_carriers_are_to_be_told_goes_along() {
    let plain = read(&message()).unwrap();
    assert_eq!((plain.protocol_id, plain.service_type, plain.priority_flag), (None, None, None));
    let pdu = SubmitSm {
        service_type: b"CMT",
        esm_class: EsmClass(0x80),
        protocol_id: 0x41,
        priority_flag: 3,
        replace_if_present_flag: 1,
        ..message()
    };
    let said = read(&pdu).unwrap();
    assert_eq!(
        (said.protocol_id, said.service_type.as_deref(), said.priority_flag),
        (Some(0x41), Some("CMT"), Some(3))
    );
    assert!(said.reply_path && said.replace_if_present);
    assert_eq!(said.supersede_key.as_deref(), Some("replace_if_present:CMT:SHOP"));
    let part = SubmitSm { esm_class: EsmClass(0x40), short_message: &[5, 0, 3, 7, 2, 1, b'a'], ..pdu };
    let part = read(&part).unwrap();
    assert!(part.replace_if_present && part.supersede_key.is_none(), "parts don't take each other's place");
    assert_eq!(read(&SubmitSm { service_type: b"\xff", ..message() }), Err(CommandStatus::RINVSERTYP));
}

#[test]
fn what_would_become_something_else_is_refused() {
    let plain = message();
    for (pdu, status) in [
        (SubmitSm { esm_class: EsmClass(0x04), ..plain }, CommandStatus::RINVESMCLASS),
        (SubmitSm { esm_class: EsmClass(0x20), ..plain }, CommandStatus::RINVESMCLASS),
        (SubmitSm { service_type: b"USSD", ..plain }, CommandStatus::RINVSERTYP),
        (SubmitSm { sm_default_msg_id: 1, ..plain }, CommandStatus::RINVDFTMSGID),
        (SubmitSm { replace_if_present_flag: 2, ..plain }, CommandStatus::RINVREPFLAG),
    ] {
        assert_eq!(read(&pdu), Err(status));
    }
}
