//! CIMD2 packets as JSON: the parameters by their names, unknown ones by their numbers.
//!
//! Numbers are numbers, what the wire writes in hexadecimal is hexadecimal digits, and all else is strings. What
//! people want to read besides stands under names that the protocol has not: `operation`, `checksum`, `error`,
//! `status`, `status_error`, `text`.

use cimd2::{
    Checksum, DEFAULT_MAX_PACKET, ETX, ErrorCode, Frame, Octets, Packet, Parameter, Piece, STX, StatusCode,
    StatusError, TAB, TagKind, next_piece, septets,
};
use serde_json::{Map, Value, json};
use sms::{Body, Described, decode_latin1, decode_user_data};

use crate::hex::{from_hex, to_hex};

/// The octets of a line: hexadecimal digits, or a packet as it is, with or without what encloses it. What can't be
/// seen may be written as `<STX>`, `<TAB>` and `<ETX>`.
pub fn octets_of(line: &str) -> Result<Vec<u8>, String> {
    let mut plain = line.to_owned();
    for (name, octet) in [("<STX>", STX), ("<TAB>", TAB), ("<ETX>", ETX)] {
        plain = plain.replace(name, &char::from(octet).to_string());
    }
    if !plain.contains([char::from(STX), char::from(TAB)]) {
        return from_hex(line);
    }
    if !plain.contains(char::from(STX)) {
        plain = format!("{}{plain}{}", char::from(STX), char::from(ETX));
    }
    // Texts are ISO 8859-1; what has come as UTF-8 is put back.
    plain.chars().map(|character| u8::try_from(character).map_err(|_| not_latin1(character))).collect()
}

fn not_latin1(character: char) -> String {
    format!("{character:?} can't be in a packet")
}

/// Every packet in `octets`, and what is none. What stands between packets is passed over.
pub fn decode_all(octets: &[u8]) -> Vec<Result<Value, String>> {
    let mut answers = Vec::new();
    let mut rest = octets;
    while let Some(piece) = next_piece(rest, DEFAULT_MAX_PACKET) {
        rest = rest.get(piece.wire_len()..).unwrap_or_default();
        match piece {
            Piece::Stray(_) => {}
            Piece::Frame(frame) => answers.push(decode(&frame)),
            Piece::Broken { error, .. } => answers.push(Err(error.to_string())),
        }
    }
    if !rest.is_empty() {
        answers.push(Err(format!("the packet has no end: {} octets are there", rest.len())));
    } else if answers.is_empty() {
        answers.push(Err(format!("{} octets are no packet: none of them is STX", octets.len())));
    }
    answers
}

fn decode(frame: &Frame<'_>) -> Result<Value, String> {
    let header = &frame.header;
    let packet =
        frame.decode().map_err(|error| format!("{error} ({}, packet number {})", header.operation, header.sequence))?;
    let mut fields = Map::new();
    fields.insert("operation".into(), header.operation.to_string().into());
    fields.insert("operation_code".into(), header.operation.0.into());
    fields.insert("packet_number".into(), header.sequence.into());
    fields.insert("checksum".into(), checksum(frame.checksum)?);
    for parameter in frame.parameters {
        add(&mut fields, &parameter.tag.to_string(), value(parameter));
    }
    describe(&packet, &mut fields);
    Ok(Value::Object(fields))
}

fn checksum(checksum: Checksum) -> Result<Value, String> {
    match checksum {
        Checksum::Absent => Ok(Value::Null),
        Checksum::Right => Ok("right".into()),
        Checksum::Wrong { sent, computed } => {
            Err(format!("the checksum is {sent:02X}, but the octets come to {computed:02X}"))
        }
    }
}

/// A name that comes again makes a list.
fn add(fields: &mut Map<String, Value>, name: &str, value: Value) {
    match fields.get_mut(name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = json!([first.take(), value]),
        None => drop(fields.insert(name.to_owned(), value)),
    }
}

fn value(parameter: Parameter<'_>) -> Value {
    let known = match parameter.tag.kind() {
        TagKind::Integer => parameter.integer().map(Value::from),
        TagKind::Hex => parameter.octets().map(|octets| to_hex(&octets.to_vec()).into()),
        TagKind::Text | TagKind::Address | TagKind::Time | TagKind::UserData => None,
    };
    known.unwrap_or_else(|| decode_latin1(parameter.value).into())
}

/// Adds what people want to read.
fn describe(packet: &Packet<'_>, fields: &mut Map<String, Value>) {
    let (error, _) = packet.outcome();
    if error != ErrorCode::OK {
        fields.insert("error".into(), error.meaning().into());
    }
    let (status, status_error) = match packet {
        Packet::StatusReport(report) => (report.status, report.status_error),
        Packet::EnquireStatusResp(answer) => (answer.status, answer.status_error),
        _ => (None, None),
    };
    if let Some(status) = status {
        fields.insert("status".into(), status.meaning().into());
    }
    // Of a message that was delivered it means nothing.
    if let Some(error) =
        status_error.filter(|error| *error != StatusError::NONE && status != Some(StatusCode::DELIVERED))
    {
        fields.insert("status_error".into(), error.meaning().into());
    }
    let text = match packet {
        Packet::Submit(message) => text(message.text, message.binary, message.header, message.dcs),
        Packet::Deliver(message) => text(message.text, message.binary, message.header, message.dcs),
        Packet::StatusReport(report) => text(report.text, Octets::default(), Octets::default(), None),
        _ => None,
    };
    if let Some(text) = text {
        fields.insert("text".into(), text.into());
    }
}

/// What a message says, if it is text.
fn text(text: Option<&[u8]>, binary: Octets<'_>, header: Octets<'_>, dcs: Option<u8>) -> Option<String> {
    let mut user_data = header.to_vec();
    let described = match text {
        Some(text) => {
            user_data.extend(septets(text));
            Described::Unpacked { dcs: 0 }
        }
        None if binary.is_empty() => return None,
        None => {
            user_data.extend(binary.iter());
            // GSM 7-bit text in binary user data is packed.
            let length = match sms::Dcs::decode(dcs.unwrap_or(0)).coding {
                sms::Coding::Gsm7 => user_data.len() * 8 / 7,
                _ => user_data.len(),
            };
            Described::Tpdu { dcs: dcs.unwrap_or(0), length: u8::try_from(length).ok()? }
        }
    };
    match decode_user_data(&user_data, !header.is_empty(), described).body {
        Body::Text(text) => Some(text),
        Body::Octets(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_one(line: &str) -> Value {
        let answers = decode_all(&octets_of(line).unwrap());
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers[0].clone().unwrap()
    }

    #[test]
    fn the_parameters_of_a_submission_are_told() {
        let answer = decode_one(
            "<STX>03:021<TAB>021:123456789<TAB>032:0B0504158115810003000201<TAB>034:024A3995B1B1<TAB>030:245<TAB><ETX>",
        );
        let expected = json!({
            "operation": "submit", "operation_code": 3, "packet_number": 21, "checksum": null,
            "destination_address": "123456789", "user_data_header": "0b0504158115810003000201",
            "user_data_binary": "024a3995b1b1", "data_coding_scheme": 245,
        });
        assert_eq!(answer, expected);
        let hex =
            to_hex(b"junk\r\n\x0203:021\t021:123456789\t032:0B0504158115810003000201\t034:024A3995B1B1\t030:245\t\x03");
        assert_eq!(decode_one(&hex), expected);
    }

    #[test]
    fn texts_are_shown_as_people_read_them() {
        let text = decode_one("03:003\t021:1\t033:_XXe5 _n~ \u{e9} _XX<x_XX>\t777:?\t");
        assert_eq!((&text["text"], &text["user_data"]), (&json!("€5 ñ é [x]"), &json!("_XXe5 _n~ é _XX<x_XX>")));
        assert_eq!(text["777"], "?");
        let unicode = decode_one("20:000\t034:041F0440\t030:8\t");
        assert_eq!(unicode["text"], "Пр");
        let packed = decode_one("20:000\t034:C8329BFD06\t");
        assert_eq!(packed["text"], "Hello");
        let part = decode_one("20:000\t032:050003010201\t033:part\t021:1\t021:2\t");
        assert_eq!((&part["text"], &part["destination_address"]), (&json!("part"), &json!(["1", "2"])));
    }

    #[test]
    fn outcomes_are_told_in_words() {
        let refused = decode_one("53:003\t900:9\t901:no\t");
        assert_eq!((&refused["error"], &refused["error_code"]), (&json!("requested operation failed"), &json!(9)));
        let report = decode_one("23:000\t061:3\t062:29\t");
        assert_eq!(
            (&report["status"], &report["status_error"]),
            (&json!("delivery failed"), &json!("absent subscriber"))
        );
        assert_eq!(report["status_error_code"], 29);
    }

    #[test]
    fn faults_are_told() {
        let fault = |octets: &[u8]| decode_all(octets).pop().unwrap().unwrap_err();
        assert_eq!(fault(b"hello"), "5 octets are no packet: none of them is STX");
        assert_eq!(fault(b"\x0203:001\t"), "the packet has no end: 8 octets are there");
        assert_eq!(fault(b"\x0203:001\t00\x03"), "the checksum is 00, but the octets come to 39");
        assert!(fault(b"\x0203:001\t030:x\t\x03").contains("submit, packet number 1"));
        assert!(octets_of("033:€\t").is_err() && octets_of("zz").is_err());
        let both = decode_all(b"\x0203\x0240:001\t\x03");
        assert!(both[0].is_err() && both[1].is_ok());
    }
}
