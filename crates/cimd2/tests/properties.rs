//! What holds for all packets: writing and reading are inverse, and no octets whatever make a panic.

use cimd2::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// What a value may consist of.
fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>().prop_filter("no separators", |octet| !matches!(octet, 0 | 2 | 3 | 9)), 0..=max)
}

#[derive(Debug, Clone)]
struct Parts {
    strings: Vec<Vec<u8>>,
    numbers: [Option<u8>; 6],
    flags: [Option<bool>; 3],
    octets: Vec<u8>,
    text: Option<Vec<u8>>,
    relative: Option<i16>,
    extra: Vec<(u16, Vec<u8>)>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let strings = (text(11), text(20), text(12), text(12)).prop_map(|(a, b, c, d)| vec![a, b, c, d]);
    let numbers = (any::<[Option<u8>; 6]>(), any::<[Option<bool>; 3]>());
    let extra = vec((200u16..500, text(30)), 0..4);
    (strings, numbers, vec(any::<u8>(), 0..140), prop::option::of(text(480)), prop::option::of(-1i16..=255), extra)
        .prop_map(|(strings, (numbers, flags), octets, text, relative, extra)| Parts {
            strings,
            numbers,
            flags,
            octets,
            text,
            relative,
            extra,
        })
}

/// One packet of each kind, made of the same parts.
fn all_packets<'a>(p: &'a Parts, extra: Parameters<'a>, to: &'a [&'a [u8]]) -> Vec<Packet<'a>> {
    let [name, address, time, other_time] = &p.strings[..] else { unreachable!("four strings") };
    let [n0, n1, n2, n3, n4, n5] = p.numbers;
    let small = |number: Option<u8>| number.map(|number| number % 10);
    let (error, binary) = (ErrorCode(n0.map_or(0, u16::from)), Octets::new(&p.octets));
    let text = p.text.as_deref();
    let relative = p.relative.map(RelativeTime);
    let submit = Submit {
        destinations: Values::many(to),
        originator: address,
        alpha_originator: name,
        dcs: n0,
        header: binary,
        text,
        binary,
        more_messages: p.flags[0],
        validity: relative,
        valid_until: time,
        protocol_id: n1,
        first_delivery: relative,
        first_delivery_at: other_time,
        reply_path: p.flags[1],
        status_reports: n2.map(|bits| StatusReports(bits & 63)),
        cancel_enabled: p.flags[2],
        tariff_class: small(n3),
        service_description: small(n4),
        priority: small(n5),
        extra,
    };
    let deliver = Deliver {
        destination: address,
        originator: address,
        originator_imsi: address,
        visited_msc: address,
        dcs: n0,
        header: binary,
        text,
        binary,
        protocol_id: n1,
        timestamp: time,
        extra,
    };
    let status = small(n2).map(StatusCode);
    let status_error = n3.map(|code| StatusError(code.into()));
    let report = StatusReport {
        destination: address,
        originator: address,
        timestamp: time,
        status,
        status_error,
        discharge_time: other_time,
        text,
        extra,
    };
    let enquired = EnquireStatusResp {
        destination: address,
        timestamp: time,
        status,
        status_error,
        discharge_time: other_time,
        error,
        error_text: name,
        extra,
    };
    let answer = Answer { error, error_text: name, extra };
    let login = Login {
        user: name,
        password: Secret(address),
        subaddress: n0.map(u16::from),
        window: n1.map(u16::from),
        extra,
    };
    vec![
        login.into(),
        submit.into(),
        deliver.into(),
        report.into(),
        enquired.into(),
        SubmitResp { destination: address, timestamp: time, error, error_text: name, extra }.into(),
        EnquireStatus { destination: address, timestamp: time, extra }.into(),
        DeliveryRequest { mode: small(n0), extra }.into(),
        DeliveryRequestResp { count: n0.map(u16::from), error, error_text: name, extra }.into(),
        Cancel { mode: small(n0), destination: address, timestamp: time, extra }.into(),
        Set { password: Secret(name), extra }.into(),
        Get { parameter: n0.map(|tag| Tag(tag.into())), extra }.into(),
        GetResp { smsc_time: time, error, error_text: name, extra }.into(),
        Packet::LoginResp(answer),
        Packet::LogoutResp(answer),
        Packet::CancelResp(answer),
        Packet::SetResp(answer),
        Packet::DeliverResp(answer),
        Packet::StatusReportResp(answer),
        Packet::AliveResp(answer),
        Packet::GeneralError(answer),
        Packet::Logout,
        Packet::Alive,
        Packet::Nack,
        Packet::Unknown { code: OperationCode(33), parameters: extra },
    ]
}

fn the_frame(octets: &[u8]) -> Result<Frame<'_>, TestCaseError> {
    match next_piece(octets, usize::MAX) {
        Some(Piece::Frame(frame)) => Ok(frame),
        other => Err(TestCaseError::fail(format!("{other:?}"))),
    }
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_same(parts in parts(), sequence in 0u16..1000, with_checksum: bool) {
        let mut extra = ParameterBuf::new();
        for (tag, value) in &parts.extra {
            extra.push(Tag(*tag), value).unwrap();
        }
        let to: Vec<&[u8]> = parts.strings[..2].iter().map(Vec::as_slice).collect();
        for packet in all_packets(&parts, extra.as_parameters(), &to) {
            let mut wire = b"before".to_vec();
            encode(&packet, sequence, with_checksum, &mut wire).unwrap();
            let frame = the_frame(&wire[6..])?;
            prop_assert_eq!(frame.wire_len(), wire.len() - 6);
            prop_assert_eq!(frame.header, Header { operation: packet.code(), sequence });
            prop_assert_eq!(frame.checksum, if with_checksum { Checksum::Right } else { Checksum::Absent });
            prop_assert_eq!(frame.error(), packet.error());
            prop_assert_eq!(frame.decode(), Ok(packet));
        }
    }

    #[test]
    fn any_body_is_read_or_refused_and_then_written_the_same(
        code in 0u8..100,
        parameters in vec((prop_oneof![10u16..70, 500u16..502, 900u16..902, 0u16..1000], text(14), any::<bool>()), 0..8),
        junk in prop::option::of(text(9)),
    ) {
        let mut wire = format!("\x02{code:02}:007\t").into_bytes();
        for (tag, value, number) in &parameters {
            wire.extend_from_slice(format!("{tag:03}:").as_bytes());
            match number {
                true => wire.extend_from_slice(value.len().to_string().as_bytes()),
                false => wire.extend_from_slice(value),
            }
            wire.push(TAB);
        }
        wire.extend(junk.unwrap_or_default());
        wire.extend_from_slice(b"\t\x03");
        let frame = the_frame(&wire)?;
        let read = frame.decode();
        prop_assert!(read.is_ok() || !frame.header.operation.is_response());
        let packet = match read {
            Ok(packet) => packet,
            Err(error) => {
                prop_assert!(!error.error_code(frame.header.operation).is_ok());
                return Ok(());
            }
        };
        let _ = format!("{packet:?}");
        // Values may be longer than we would send.
        let mut again = b"kept".to_vec();
        if encode(&packet, 7, true, &mut again).is_ok() {
            prop_assert_eq!(the_frame(&again[4..])?.decode(), Ok(packet));
        } else {
            prop_assert_eq!(again, b"kept");
        }
    }

    #[test]
    fn any_octets_are_taken_apart_without_rest(
        bytes in vec(prop_oneof![Just(2u8), Just(3), Just(9), b'0'..=b':', any::<u8>()], 0..200),
        max in 0usize..60,
    ) {
        let mut rest = &bytes[..];
        while let Some(piece) = next_piece(rest, max) {
            let length = piece.wire_len();
            prop_assert!((1..=rest.len()).contains(&length));
            if let Piece::Frame(frame) = piece {
                prop_assert!(length <= max);
                let _ = (frame.decode(), frame.error());
            }
            rest = &rest[length..];
        }
        prop_assert!(rest.len() < max.max(1));
    }

    #[test]
    fn any_text_is_septets(octets in vec(any::<u8>(), 0..100)) {
        let gsm: Vec<u8> = septets(&octets).collect();
        prop_assert!(gsm.len() <= octets.len() && gsm.iter().all(|septet| *septet < 128));
        let mut out = Vec::new();
        write_text(&gsm, &mut out);
        prop_assert_eq!(septets(&out).collect::<Vec<_>>(), gsm);
    }

    #[test]
    fn any_text_is_a_time_or_not(text in vec(prop_oneof![b'0'..=b'9', any::<u8>()], 0..14)) {
        if let Ok(time) = AbsoluteTime::parse(&text) {
            let wire = time.to_wire().unwrap();
            prop_assert_eq!(AbsoluteTime::parse(&wire), Ok(time));
        }
    }
}

#[test]
fn writing_is_strict_and_leaves_nothing_behind() {
    let mut out = b"kept".to_vec();
    let mut refused = |packet: Packet<'_>, error: EncodeError| {
        assert_eq!(encode(&packet, 1, true, &mut out), Err(error));
        assert_eq!(out, b"kept");
    };
    let long = Submit { text: Some(&[b'x'; 481]), ..Default::default() };
    refused(long.into(), EncodeError::TooLong { tag: Tag::TEXT, length: 481, max: 480 });
    let long = Submit { binary: Octets::new(&[0; 141]), ..Default::default() };
    refused(long.into(), EncodeError::TooLong { tag: Tag::BINARY, length: 282, max: 280 });
    let tab = Submit { originator: b"1\t2", ..Default::default() };
    refused(tab.into(), EncodeError::Character { tag: Tag::ORIGINATOR, octet: 9 });
    let urgent = Submit { priority: Some(10), ..Default::default() };
    refused(urgent.into(), EncodeError::Range { tag: Tag::PRIORITY });
    let endless = Submit { validity: Some(RelativeTime(256)), ..Default::default() };
    refused(endless.into(), EncodeError::Range { tag: Tag::VALIDITY_RELATIVE });
    let unknown = Packet::Unknown { code: OperationCode(100), parameters: Parameters::default() };
    refused(unknown, EncodeError::Header { operation: 100, sequence: 1 });
    // What carriers hand out is sent whole.
    let login = Login { user: &[b'u'; 40], password: Secret(&[b'p'; 255]), ..Default::default() };
    assert_eq!(encode(&login, 1, true, &mut out), Ok(()));
}

#[test]
fn requests_that_cannot_be_understood_have_their_answer() {
    let refused = |octets: &[u8], code: u16| {
        let frame = the_frame(octets).unwrap();
        let error = frame.decode().unwrap_err();
        assert_eq!(error.error_code(frame.header.operation), ErrorCode(code), "{}", String::from_utf8_lossy(octets));
    };
    refused(b"\x0203:001\tjunk\t\x03", 2);
    refused(b"\x0203:001\t030:256\t\x03", 304);
    refused(b"\x0203:001\t034:0\t\x03", 302);
    refused(b"\x0203:001\t032:xy\t\x03", 302);
    refused(b"\x0203:001\t050:256\t\x03", 305);
    refused(b"\x0203:001\t055:2\t\x03", 309);
    refused(b"\x0201:001\t019:x\t\x03", 104);
    refused(b"\x0205:001\t068:x\t\x03", 501);
    refused(b"\x0206:001\t059:x\t\x03", 602);
    refused(b"\x0209:001\t500:x\t\x03", 900);
    refused(b"\x0220:000\t030:x\t\x03", 8);
    // The same in a response is as if absent, but an error is an error.
    let frame = the_frame(b"\x0254:001\t061:x\tjunk\t900:\t\x03").unwrap();
    let Ok(Packet::EnquireStatusResp(answer)) = frame.decode() else { panic!("responses are never refused") };
    assert_eq!((answer.status, answer.error), (None, ErrorCode::SYSTEM_ERROR));
}
