//! Packets and texts recorded from other implementations and collected from their tests.

use cimd2::{
    Checksum, DEFAULT_MAX_PACKET, DecodeError, Frame, Octets, OperationCode, Packet, Piece, Tag, encode, next_piece,
    septets, write_text,
};
use serde_json::Value;

fn file() -> Value {
    serde_json::from_str(include_str!("vectors/cimd2.json")).unwrap()
}

/// The packet in some octets, with noise round it.
fn packet(octets: &[u8]) -> Frame<'_> {
    let mut rest = octets;
    loop {
        match next_piece(rest, DEFAULT_MAX_PACKET) {
            Some(Piece::Frame(frame)) => return frame,
            Some(piece) => rest = &rest[piece.wire_len()..],
            None => panic!("no packet in {octets:02x?}"),
        }
    }
}

#[test]
fn every_packet_parameter_by_parameter() {
    let file = file();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 27);
    let mut refused = 0;
    for vector in vectors {
        let id = vector["id"].as_str().unwrap();
        let octets = unhex(vector["wire_hex"].as_str().unwrap());
        let frame = packet(&octets);
        let expected = &vector["expected"];
        if expected.get("error").is_some() {
            // A parameter without a colon, and one with four digits.
            assert_eq!(frame.decode(), Err(DecodeError::Syntax), "{id}");
            refused += 1;
            continue;
        }
        assert_eq!(u64::from(frame.header.operation.0), expected["operation"].as_u64().unwrap(), "{id}");
        assert_eq!(u64::from(frame.header.sequence), expected["sequence"].as_u64().unwrap(), "{id}");
        let wanted = expected["parameters"].as_array().unwrap();
        assert_eq!(frame.parameters.iter().count(), wanted.len(), "{id}");
        for (parameter, wanted) in frame.parameters.iter().zip(wanted) {
            assert_eq!(u64::from(parameter.tag.0), wanted[0].as_u64().unwrap(), "{id}");
            // Values are ISO Latin-1; the vectors show them as text, and some octets of one of them not at all.
            let latin1: String = parameter.value.iter().map(|octet| char::from(*octet)).collect();
            if (id, parameter.tag) != ("cimd2-051", Tag::TEXT) {
                assert_eq!(latin1, wanted[1].as_str().unwrap(), "{id} {}", parameter.tag);
            }
        }
        let sum = vector["checksum"] == "absent (optional for applications)";
        assert_eq!(frame.checksum, if sum { Checksum::Absent } else { Checksum::Right }, "{id}");
    }
    assert_eq!(refused, 2);
}

/// Writing what was read gives the same parameters, though in another order, and a checksum that fits.
#[test]
fn every_packet_is_written_as_it_was_read() {
    for vector in file()["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        let octets = unhex(vector["wire_hex"].as_str().unwrap());
        let frame = packet(&octets);
        let Ok(read) = frame.decode() else {
            continue;
        };
        let mut written = Vec::new();
        encode(&read, frame.header.sequence, frame.checksum == Checksum::Right, &mut written).unwrap();
        let again = packet(&written);
        assert_eq!((again.header, again.checksum, again.decode()), (frame.header, frame.checksum, Ok(read)), "{id}");
        // Kannel sends an empty originating address, which is the same as none.
        let mut wanted: Vec<_> = frame.parameters.iter().filter(|parameter| !parameter.value.is_empty()).collect();
        let mut found: Vec<_> = again.parameters.iter().collect();
        wanted.sort_by_key(|parameter| parameter.tag);
        found.sort_by_key(|parameter| parameter.tag);
        assert_eq!(found, wanted, "{id}");
    }
}

#[test]
fn what_typed_fields_hold() {
    let file = file();
    let octets = |id: &str| {
        let vectors = file["vectors"].as_array().unwrap();
        let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
        unhex(vector["wire_hex"].as_str().unwrap())
    };
    let binary = octets("cimd2-042");
    let Ok(Packet::Submit(submit)) = packet(&binary).decode() else { panic!("a submission") };
    assert_eq!((submit.destinations.first(), submit.dcs), (&b"123456789"[..], Some(245)));
    assert_eq!(submit.header, Octets::from_hex(b"0B0504158115810003000201").unwrap());
    assert_eq!(submit.binary.to_vec(), [0x02, 0x4A, 0x39, 0x95, 0xB1, 0xB1]);
    assert!(submit.text.is_none() && submit.extra.is_empty());

    let kannel = octets("cimd2-052");
    let Ok(Packet::Submit(submit)) = packet(&kannel).decode() else { panic!("a submission") };
    assert_eq!((submit.originator, submit.text), (&b""[..], Some(&b"No service specified"[..])));
    assert_eq!((submit.reply_path, submit.more_messages), (Some(false), Some(false)));
    assert_eq!(submit.status_reports.map(|bits| bits.0), Some(0));

    let delivered = octets("cimd2-077");
    let Ok(Packet::Deliver(message)) = packet(&delivered).decode() else { panic!("a message") };
    assert_eq!((message.destination, message.originator), (&b"123"[..], &b"456"[..]));
    assert_eq!((message.timestamp, message.text), (&b"261122183522"[..], Some(&b"hello, world #0"[..])));

    let logged_out = octets("cimd2-073");
    assert_eq!(packet(&logged_out).header.operation, OperationCode::LOGOUT_RESP);
}

#[test]
fn every_combination() {
    let file = file();
    let list = |name: &str| file[name].as_array().unwrap().clone();
    let read = |text: &str| septets(text.as_bytes()).collect::<Vec<_>>();
    let specials = list("special_combinations");
    assert_eq!(specials.len(), 43);
    for entry in &specials {
        let (text, septet) = (entry["combination"].as_str().unwrap(), unhex(entry["gsm"].as_str().unwrap()));
        assert_eq!(read(text), septet, "{text}");
        assert_eq!(written(&septet), text);
    }
    for entry in list("single_character_mappings") {
        let text = entry["latin1_char"].as_str().unwrap();
        assert_eq!(read(text), unhex(entry["gsm"].as_str().unwrap()), "{text}");
    }
    // The second table of the alphabet.
    let extension = [
        ("|", 0x40),
        ("^", 0x14),
        ("€", 0x65),
        ("{", 0x28),
        ("}", 0x29),
        ("[", 0x3C),
        ("]", 0x3E),
        ("~", 0x3D),
        ("\\", 0x2F),
        ("form feed", 0x0A),
    ];
    let entries = list("extension_combinations");
    assert_eq!(entries.len(), extension.len());
    for entry in entries {
        let (_, septet) = extension.iter().find(|(name, _)| entry["char"] == *name).unwrap();
        let text = entry["cimd"].as_str().unwrap().replace(" + LF", "\n");
        assert_eq!(read(&text), [0x1B, *septet], "{text:?}");
        assert_eq!(written(&[0x1B, *septet]), text);
    }
}

/// What another gateway has made of a text with most of what is special.
#[test]
fn a_text_as_another_writes_it() {
    let file = file();
    let entry = &file["text"][0];
    assert_eq!(entry["text"], "Hello € [kannel] @ $ _ ñ Å ^ ~ \\ {x} | \"q\"");
    let gsm = b"Hello \x1Be \x1B<kannel\x1B> \x00 \x02 \x11 \x7D \x0E \x1B\x14 \x1B= \x1B/ \x1B(x\x1B) \x1B\x40 \"q\"";
    let text = entry["cimd_user_data"].as_str().unwrap();
    assert_eq!(written(gsm), text);
    assert_eq!(septets(text.as_bytes()).collect::<Vec<_>>(), gsm);
}

fn written(gsm: &[u8]) -> String {
    let mut out = Vec::new();
    write_text(gsm, &mut out);
    String::from_utf8(out).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
