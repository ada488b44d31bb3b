//! What holds for all frames: writing and reading are inverse, no octets whatever make a panic, and how a stream
//! is cut into pieces makes no difference.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ucp::*;

fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![b'0'..=b'9', b' '..=b'.', b':'..=b'~'], 0..=max)
}

#[derive(Debug, Clone)]
struct Parts {
    texts: Vec<Vec<u8>>,
    digits: [Option<u8>; 8],
    numbers: [Option<u16>; 4],
    octets: Vec<u8>,
    kind: u8,
    services: XserBuf,
    list: AddressesBuf,
}

fn parts() -> impl Strategy<Value = Parts> {
    let texts = [16, 22, 16, 16, 12, 12, 4].map(text);
    let digits = std::array::from_fn::<_, 8, _>(|_| option::of(0u8..10));
    let numbers = std::array::from_fn::<_, 4, _>(|_| option::of(0u16..10_000));
    let services = vec((any::<u8>(), vec(any::<u8>(), 0..20)), 0..5).prop_map(|list| {
        let mut buf = XserBuf::new();
        for (kind, value) in list {
            buf.push(XserType(kind), &value).unwrap();
        }
        buf
    });
    let list = vec(text(16), 0..12).prop_map(|list| {
        let mut buf = AddressesBuf::new();
        for address in list {
            buf.push(&address).unwrap();
        }
        buf
    });
    (texts.prop_map(Vec::from), digits, numbers, vec(any::<u8>(), 0..=160), 0u8..4, services, list).prop_map(
        |(texts, digits, numbers, octets, kind, services, list)| Parts {
            texts,
            digits,
            numbers,
            octets,
            kind,
            services,
            list,
        },
    )
}

/// One operation of each kind, made of the same parts.
fn all_operations(p: &Parts) -> Vec<Operation<'_>> {
    let [adc, oadc, ac, other, time, long_time, vers] = &p.texts[..] else { unreachable!("seven texts") };
    let d = p.digits;
    let [n1, n2, n3, _] = p.numbers;
    let content = match p.kind {
        0 => Content::Absent,
        1 => Content::Numeric(adc),
        2 => Content::alphanumeric(&p.octets),
        _ => Content::transparent(&p.octets),
    };
    let old_content = if p.kind == 3 { Content::Absent } else { content };
    let pid = n1.map(Pid);
    let message = ShortMessage {
        adc,
        oadc,
        ac,
        nrq: d[0],
        nadc: other,
        nt: d[1].map(NotificationType),
        npid: pid,
        lrq: d[2],
        lrad: other,
        lpid: n2.map(Pid),
        dd: d[3],
        ddt: time,
        vp: time,
        rpid: n3,
        scts: long_time,
        dst: d[4].map(DeliveryStatus),
        rsn: n3.map(|number| Reason(number % 1_000)),
        dscts: long_time,
        content,
        mms: d[5],
        pr: d[6],
        dcs: d[7],
        mcls: d[0],
        rpi: d[1],
        cpg: d[2],
        rply: d[3],
        otoa: n2.map(AddressType),
        hplmn: other,
        xser: p.services.as_xsers(),
        res4: ac,
        res5: other,
    };
    let session = SessionManagement {
        oadc,
        oton: d[0].map(Ton),
        onpi: d[1].map(Npi),
        styp: d[2].map(SessionType),
        pwd: Secret(Hex::octets(&p.octets[..p.octets.len().min(64)])),
        npwd: Secret(Hex::octets(&p.octets[..p.octets.len().min(16)])),
        vers,
        ladc: adc,
        lton: d[3].map(Ton),
        lnpi: d[4].map(Npi),
        opid: vers,
        res1: ac,
    };
    vec![
        Operation::CallInput(CallInput { adc, oadc, ac, content: old_content }),
        Operation::MultipleCallInput(MultipleCallInput { rad: p.list.as_addresses(), oadc, ac, content: old_content }),
        Operation::SupplementaryCallInput(SupplementaryCallInput {
            rad: adc,
            oadc,
            ac,
            ga: p.list.as_addresses(),
            rp: d[0],
            pr: d[1],
            lpr: ac,
            ur: d[2],
            lur: other,
            rc: d[3],
            lrc: ac,
            dd: d[4],
            ddt: time,
            content: old_content,
        }),
        Operation::MessageTransfer(MessageTransfer {
            adc,
            oadc,
            ac,
            nrq: d[0],
            nadc: other,
            npid: pid,
            dd: d[1],
            ddt: time,
            vp: time,
            amsg: Hex::octets(&p.octets),
        }),
        Operation::Alert(Alert { adc, pid }),
        Operation::Submit(message),
        Operation::Deliver(message),
        Operation::Notify(message),
        Operation::Modify(message),
        Operation::Inquire(message),
        Operation::Delete(message),
        Operation::InquiryResponse(message),
        Operation::DeleteResponse(message),
        Operation::Session(session),
        Operation::List(ListManagement {
            oadc,
            oton: d[0].map(Ton),
            styp: d[2].map(ListType),
            vers,
            ladc: adc,
            res2: other,
            ..ListManagement::default()
        }),
        Operation::Unknown { ot: OperationType(59), data: b"any/thing//" },
    ]
}

fn only_frame(wire: &[u8]) -> Frame<'_> {
    let next = next_frame(wire, &FrameRules::default());
    assert_eq!((next.used, next.junk), (wire.len(), 0));
    next.found.unwrap().unwrap()
}

/// Octets that often look like parts of frames.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let alert = || Just(b"\x0207/00027/O/31/12345/0539/FD\x03".to_vec());
    let login = || Just(b"\x0200/00046/O/60/12345/6/5/1/626172//0100//////93\x03".to_vec());
    let piece = prop_oneof![
        3 => alert(),
        2 => login(),
        1 => Just(b"\x0207/00027/O/31/12345/0539/11\x03".to_vec()),
        1 => Just(b"\x0207/00099/O/31/12345/0539/0B\x03".to_vec()),
        2 => vec(prop_oneof![Just(2u8), Just(3), Just(b'/'), Just(b'0'), any::<u8>()], 0..20),
        1 => vec(Just(b'x'), 0..200),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Reads a whole stream that comes in pieces.
fn read_all(stream: &[u8], chunk: usize, rules: &FrameRules) -> (Vec<String>, usize) {
    let (mut seen, mut junk, mut buffer) = (Vec::new(), 0, Vec::new());
    for piece in stream.chunks(chunk) {
        buffer.extend_from_slice(piece);
        loop {
            let next = next_frame(&buffer, rules);
            junk += next.junk;
            assert!(next.junk <= next.used && next.used <= buffer.len());
            let found = next.found.map(|found| format!("{found:?}"));
            buffer.drain(..next.used);
            match found {
                Some(found) => seen.push(found),
                None => break,
            }
        }
        assert!(buffer.len() < rules.max_len, "what is kept is bounded");
    }
    (seen, junk)
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_same(parts in parts(), trn in 0u8..100) {
        let trn = Trn::new(trn).unwrap();
        for operation in all_operations(&parts) {
            let mut wire = b"before".to_vec();
            encode(&operation, trn, &mut wire).unwrap();
            let frame = only_frame(&wire[6..]);
            prop_assert_eq!((frame.header.trn, frame.header.ot), (trn, operation.ot()));
            prop_assert_eq!(frame.header.kind, Kind::Operation);
            prop_assert_eq!(frame.decode(), Ok(Pdu::Operation(operation)));
        }
    }

    #[test]
    fn reading_an_answer_that_was_written_gives_the_same(
        ot in 0u8..100, ack: bool, mvp in "([0-9]{10})?", sm in text(40), code in 0u8..100,
    ) {
        let ot = OperationType(ot);
        let mvp = if ot.has_mvp() { mvp.as_bytes() } else { b"" };
        let answer = if ack { Answer::Ack { mvp, sm: &sm } } else { Answer::Nack { code: ErrorCode(code), sm: &sm } };
        let mut wire = Vec::new();
        encode_answer(ot, &answer, Trn::default(), &mut wire).unwrap();
        prop_assert_eq!(only_frame(&wire).decode(), Ok(Pdu::Answer(ot, answer)));
    }

    #[test]
    fn any_fields_are_read_or_refused_and_then_written_the_same(
        ot in prop_oneof![prop::sample::select(OperationType::ALL), (0u8..100).prop_map(OperationType)],
        result: bool,
        data in vec(prop_oneof![4 => Just(b'/'), 4 => b'0'..=b'9', 1 => b'A'..=b'F', 1 => any::<u8>()], 0..200),
    ) {
        let kind = if result { Kind::Result } else { Kind::Operation };
        let Ok(pdu) = Pdu::decode(kind, ot, &data) else { return Ok(()) };
        pdu.fields(&mut |name, _| assert!(!name.is_empty()));
        let _ = format!("{pdu:?}");
        let mut wire = b"kept".to_vec();
        let written = match &pdu {
            Pdu::Operation(operation) => encode(operation, Trn::default(), &mut wire),
            Pdu::Answer(ot, answer) => encode_answer(*ot, answer, Trn::default(), &mut wire),
        };
        match written {
            Ok(()) if !matches!(pdu, Pdu::Operation(Operation::Unknown { .. })) => {
                prop_assert_eq!(only_frame(&wire[4..]).decode(), Ok(pdu));
            }
            Ok(()) => {}
            // Fields may be longer than we would send.
            Err(_) => prop_assert_eq!(&wire, b"kept"),
        }
    }

    #[test]
    fn how_a_stream_is_cut_makes_no_difference(stream in stream(), chunk in 1usize..60, check: bool, max_len in 10usize..150) {
        let rules = FrameRules { max_len, check_length: check, check_checksum: check };
        let (seen, junk) = read_all(&stream, chunk, &rules);
        let (whole, all_junk) = read_all(&stream, stream.len().max(1), &rules);
        prop_assert_eq!((seen, junk), (whole, all_junk));
    }

    #[test]
    fn a_good_frame_is_found_behind_anything(before in stream(), chunk in 1usize..60) {
        let mut stream = before;
        stream.extend_from_slice(b"\x0242/00027/O/31/12345/0539/FC\x03");
        let (seen, _) = read_all(&stream, chunk, &FrameRules { max_len: 100, ..FrameRules::default() });
        prop_assert!(seen.last().is_some_and(|last| last.contains("trn: 42")), "{seen:?}");
    }

    #[test]
    fn any_text_is_a_time_or_not(text in vec(prop_oneof![9 => b'0'..=b'3', 1 => any::<u8>()], 0..14)) {
        if let Ok(time) = UcpTime::parse(&text) {
            prop_assert_eq!(&*time.to_wire().unwrap(), &text[..]);
        }
    }

    #[test]
    fn any_text_is_a_name_or_not(text in vec(prop_oneof![9 => b'0'..=b'9', 1 => any::<u8>()], 0..40)) {
        if let Some(name) = unpack_name(&text) {
            prop_assert!(name.iter().all(|&septet| septet < 0x80));
        }
    }

    #[test]
    fn names_are_read_as_they_were_written(septets in vec(0u8..0x80, 0..=11)) {
        // The eighth of eight may be padding, if it is @.
        prop_assume!(septets.len() != 8 || septets[7] != 0);
        prop_assert_eq!(&*unpack_name(&pack_name(&septets).unwrap()).unwrap(), &septets[..]);
    }
}

#[test]
fn writing_is_strict_and_leaves_nothing_behind() {
    let mut out = b"kept".to_vec();
    let mut refused = |message: ShortMessage<'_>| {
        let refused = encode(&Operation::Submit(message), Trn::default(), &mut out).unwrap_err();
        assert_eq!(out, b"kept");
        refused
    };
    let none = ShortMessage::default();
    let too_long = |field, length, max| EncodeError::TooLong { field, length, max };
    assert_eq!(refused(ShortMessage { adc: &[b'1'; 17], ..none }), too_long("AdC", 17, 16));
    assert_eq!(refused(ShortMessage { nrq: Some(10), ..none }), too_long("NRq", 2, 1));
    assert_eq!(refused(ShortMessage { npid: Some(Pid(12_345)), ..none }), too_long("NPID", 5, 4));
    assert_eq!(refused(ShortMessage { content: Content::transparent(&[0; 176]), ..none }), too_long("TMsg", 176, 175));
    let character = |field, octet| EncodeError::Character { field, octet };
    assert_eq!(refused(ShortMessage { oadc: b"12/3", ..none }), character("OAdC", b'/'));
    assert_eq!(refused(ShortMessage { ac: b"\x03", ..none }), character("AC", 3));
    assert_eq!(refused(ShortMessage { vp: "é".as_bytes(), ..none }), character("VP", 0xC3));
    // What was read is not trusted either.
    let read = Operation::decode(OperationType::MULTIPLE_CALL_INPUT, b"1/1\x022/3/").unwrap();
    let mut list = Vec::new();
    assert_eq!(encode(&read, Trn::default(), &mut list), Err(character("RAd", 2)));
    let other = Content::Other { mt: Some(7), message: b"" };
    assert_eq!(refused(ShortMessage { content: other, ..none }), EncodeError::MessageType);
    let mut services = XserBuf::new();
    services.push(XserType::BILLING, &[0; 199]).unwrap();
    assert_eq!(refused(ShortMessage { xser: services.as_xsers(), ..none }), too_long("XSer", 402, 400));
}

#[test]
fn reading_bears_what_peers_do() {
    let read = |ot: u8, data: &'static [u8]| Operation::decode(OperationType(ot), data);
    // Fields that miss are empty, those that are too many are ignored.
    let Ok(Operation::Submit(short)) = read(51, b"123/456/") else { panic!() };
    assert_eq!((short.adc, short.oadc, short.content), (&b"123"[..], &b"456"[..], Content::Absent));
    let Ok(Operation::Alert(alert)) = read(31, b"12345/0539/more/and/more/") else { panic!() };
    assert_eq!(alert, Alert { adc: b"12345", pid: Some(Pid::PC_TCP) });
    // A message to be sent must be right; what an SMSC delivers is taken if its text can be read.
    let bad_number = b"1/2/////////////////3//41/x/////////////";
    assert_eq!(read(51, bad_number), Err(DecodeError::NotANumber { field: "MMS" }));
    assert!(matches!(read(52, bad_number), Ok(Operation::Deliver(ShortMessage { mms: None, .. }))));
    let bad_text = b"1/2/////////////010125000000/2/107/010125000000/3//41424x/////////////";
    assert_eq!(read(52, bad_text), Err(DecodeError::NotHex { field: "AMsg" }));
    let Ok(Operation::Notify(notification)) = read(53, bad_text) else { panic!() };
    assert_eq!(notification.dst, Some(DeliveryStatus::NOT_DELIVERED));
    assert_eq!(notification.rsn, Some(Reason::ABSENT_SUBSCRIBER));
    assert_eq!(notification.content, Content::alphanumeric(b"AB"));
    // More digits than there should be.
    let Ok(Operation::Alert(alert)) = read(31, b"1/00539/") else { panic!() };
    assert_eq!(alert.pid, Some(Pid::PC_TCP));
    assert_eq!(read(31, b"1/99999/"), Err(DecodeError::NotANumber { field: "PID" }));
    // A list that says it is longer than it is.
    let refused = read(2, b"5/1/2/3/");
    assert_eq!(refused, Err(DecodeError::ListLength { claimed: 5, available: 3 }));
    assert_eq!(refused.unwrap_err().code(), ErrorCode::SYNTAX);
    // NB is left out, or what can't be.
    for (data, octets) in [(&b"1/2/////////////////4//0041/"[..], 2), (b"1/2/////////////////4/0099/0041/", 2)] {
        let Ok(Operation::Submit(message)) = read(51, data) else { panic!() };
        assert_eq!(message.content.octets().unwrap().len(), octets);
    }
}
