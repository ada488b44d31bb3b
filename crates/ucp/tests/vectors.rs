//! Frames collected from other projects' tests and from traffic between other programs. The expected fields are
//! those that their sources or Wireshark give.

use std::collections::BTreeMap;

use serde_json::Value;
use ucp::{
    Answer, FieldValue, FrameError, FrameRules, Identity, Operation, OperationType, Pdu, UcpTime, encode,
    encode_answer, next_frame, pack_name, unpack_name,
};

/// What differs when a frame is written again: NB has four digits then, and 61 its last field, RES2.
const WRITTEN_OTHERWISE: [&str; 3] = ["ucp-043", "ucp-053", "ucp-060"];

fn file() -> Value {
    serde_json::from_str(include_str!("vectors/ucp_frames.json")).unwrap()
}

fn wire(vector: &Value) -> Vec<u8> {
    match vector["frame"].as_str() {
        Some(frame) => format!("\x02{frame}\x03").into_bytes(),
        None => unhex(vector["wire_hex"].as_str().unwrap()),
    }
}

#[test]
fn every_frame_field_by_field() {
    let file = file();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 38);
    let (mut checked, mut compared) = (0, 0);
    for vector in vectors {
        let id = vector["id"].as_str().unwrap();
        let wire = wire(vector);
        let found = next_frame(&wire, &FrameRules::default()).found;
        let Some(expected) = vector["expected"].as_object() else {
            match id {
                // ETX where STX should be.
                "ucp-055" => assert_eq!(found, None),
                "ucp-058" => assert!(matches!(found, Some(Err(FrameError::Checksum { claimed: 0xD2, .. })))),
                other => panic!("{other} is not known to be wrong"),
            }
            continue;
        };
        let frame = found.unwrap().unwrap_or_else(|error| panic!("{id}: {error}"));
        let mut fields = BTreeMap::new();
        frame.fields(&mut |name, value| assert_eq!(fields.insert(name.to_owned(), shown(name, value)), None)).unwrap();
        let is_unknown = frame.header.ot == OperationType(59) && vector["expected"]["type"] == "O";
        for (name, value) in expected.iter().filter(|(_, value)| **value != "" && !is_unknown) {
            let wanted = value.as_str().unwrap();
            match name.as_str() {
                "type" => assert_eq!(fields["O/R"], wanted, "{id}"),
                "ack" => assert_eq!(fields.get("ACK").or(fields.get("NACK")).unwrap(), wanted, "{id}"),
                "Msg" => {
                    let text = ["NMsg", "AMsg", "TMsg"].iter().find_map(|name| fields.get(*name));
                    assert_eq!(text.unwrap(), wanted, "{id}");
                }
                "Msg_text_gsm_octets" => {
                    let text = String::from_utf8(unhex(&fields["AMsg"])).unwrap();
                    assert_eq!(text, wanted, "{id}");
                }
                name => assert_eq!(fields.get(name).map(String::as_str), Some(wanted), "{id} {name}"),
            }
            checked += 1;
        }
        // Wireshark does not show the fields of 59, and reads LNPI of 61 as a character.
        for (name, value) in vector["wireshark"].as_object().unwrap() {
            let wanted = value.as_str().unwrap().trim_matches('\'');
            let Some(ours) = fields.get(name).filter(|_| !(id == "ucp-053" && name == "LNPI")) else { continue };
            match name.as_str() {
                "SCTS" | "DSCTS" | "DDT" => {
                    let time = UcpTime::parse(ours.as_bytes()).unwrap();
                    let clock = format!("{:02}:{:02}:{:02}.", time.hour, time.minute, time.second.unwrap_or(0));
                    assert!(wanted.contains(&format!(" {}, {} ", time.day, time.year).replace("  ", " ")), "{wanted}");
                    assert!(wanted.contains(&clock), "{id} {name}: {wanted}");
                }
                // It stops at the first octet that is 0.
                "AMsg" | "PWD" => assert!(String::from_utf8(unhex(ours)).unwrap().starts_with(wanted), "{id} {name}"),
                // As the number of its character.
                "MMS" => assert_eq!(ours.as_bytes(), [wanted.parse::<u8>().unwrap()]),
                _ => assert_eq!(ours.trim_start_matches('0'), wanted.trim_start_matches('0'), "{id} {name}"),
            }
            compared += 1;
        }
    }
    assert!(checked > 250 && compared > 200, "{checked} fields, {compared} of Wireshark's");
}

#[test]
fn every_frame_is_written_as_it_was_read() {
    let mut same = 0;
    for vector in file()["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        let wire = wire(vector);
        let Some(Ok(frame)) = next_frame(&wire, &FrameRules::default()).found else { continue };
        let mut again = Vec::new();
        match frame.decode().unwrap() {
            Pdu::Operation(operation) => encode(&operation, frame.header.trn, &mut again).unwrap(),
            Pdu::Answer(ot, answer) => encode_answer(ot, &answer, frame.header.trn, &mut again).unwrap(),
        }
        if WRITTEN_OTHERWISE.contains(&id) {
            assert_ne!(again, wire, "{id}");
            let reread = next_frame(&again, &FrameRules::default()).found.unwrap().unwrap();
            assert_eq!(reread.decode(), frame.decode(), "{id}");
        } else {
            assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&wire), "{id}");
            same += 1;
        }
    }
    assert_eq!(same, 33);
}

#[test]
fn identities_and_extra_services_are_found() {
    let file = file();
    let by_id = |id: &str| {
        let vectors = file["vectors"].as_array().unwrap();
        wire(vectors.iter().find(|vector| vector["id"] == id).unwrap())
    };
    let octets = by_id("ucp-075");
    let frame = next_frame(&octets, &FrameRules::default()).found.unwrap().unwrap();
    let Pdu::Answer(_, answer @ Answer::Ack { .. }) = frame.decode().unwrap() else { panic!("{frame:?}") };
    assert_eq!(answer.identity().unwrap().scts, b"221026183639");

    let octets = by_id("ucp-073");
    let frame = next_frame(&octets, &FrameRules::default()).found.unwrap().unwrap();
    let Pdu::Operation(Operation::Submit(message)) = frame.decode().unwrap() else { panic!("{frame:?}") };
    assert_eq!(message.xser.udh().unwrap().to_vec(), [5, 0, 3, 2, 2, 2]);
    assert_eq!(message.content.octets().unwrap().to_vec(), [b'L'; 47]);

    let octets = by_id("ucp-070");
    let frame = next_frame(&octets, &FrameRules::default()).found.unwrap().unwrap();
    let Pdu::Operation(Operation::Submit(message)) = frame.decode().unwrap() else { panic!("{frame:?}") };
    assert_eq!(&*message.name().unwrap(), b"KANNEL");
}

/// A message and the notification of it, as two other programs exchanged them.
#[test]
fn a_notification_finds_its_message() {
    let file = file();
    let vectors = file["vectors"].as_array().unwrap();
    let octets = wire(vectors.iter().find(|vector| vector["id"] == "ucp-076").unwrap());
    let frame = next_frame(&octets, &FrameRules::default()).found.unwrap().unwrap();
    let Pdu::Operation(Operation::Notify(report)) = frame.decode().unwrap() else { panic!("{frame:?}") };
    assert_eq!(report.reported(), Identity { adc: b"447700900124", scts: b"221026183639" });
    let mut sm = Vec::new();
    report.echo().append_to(&mut sm).unwrap();
    assert_eq!(sm, b"12345:221026183639");
}

#[test]
fn names() {
    for vector in file()["oadc_alphanumeric"].as_array().unwrap() {
        // @ is 0 in the GSM alphabet; all others in these names are as in ASCII.
        let septets = vector["text"].as_str().unwrap().replace('@', "\0");
        let digits = vector["hex"].as_str().unwrap();
        assert_eq!(&*unpack_name(digits.as_bytes()).unwrap(), septets.as_bytes(), "{digits}");
        // One of the sources writes twice the octets in front.
        if digits != "0E61F1985C369F01" {
            assert_eq!(&*pack_name(septets.as_bytes()).unwrap(), digits.as_bytes());
        }
    }
}

/// A field as it stands on the wire.
fn shown(name: &str, value: FieldValue<'_>) -> String {
    match (name, value) {
        ("TRN" | "OT" | "EC", FieldValue::Integer(number)) => format!("{number:02}"),
        ("LEN", FieldValue::Integer(number)) => format!("{number:05}"),
        ("Rsn", FieldValue::Integer(number)) => format!("{number:03}"),
        ("NPID" | "LPID" | "PID" | "RPID" | "OTOA", FieldValue::Integer(number)) => format!("{number:04}"),
        (_, FieldValue::Integer(number)) => number.to_string(),
        (_, FieldValue::Text(text)) => String::from_utf8(text.to_vec()).unwrap(),
        (_, FieldValue::Octets(octets)) => format!("{octets:?}"),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    ucp::Hex::from_digits(hex.as_bytes()).unwrap().to_vec()
}
