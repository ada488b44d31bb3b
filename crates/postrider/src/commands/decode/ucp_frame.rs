//! UCP frames as JSON: the fields of the standard by their names, as far as they are not empty.
//!
//! Numbers are numbers, what the wire writes in hexadecimal is hexadecimal digits, and all else is strings. What
//! people want to read besides stands under names that the standard has not: `operation`, `error`, `delivery`,
//! `reason`, `originator`, `services`, `udh`, `text`.

use serde_json::{Map, Value, json};
use sms::{Body, Described, Shift, decode_gsm7, decode_user_data};
use ucp::{
    Answer, Content, ETX, FieldValue, Frame, FrameRules, Hex, Operation, Pdu, STX, ShortMessage, Xsers, next_frame,
};

use crate::hex::{from_hex, to_hex};

/// TP-DCS of octets, which is what a transparent message without extra services holds.
const OCTETS: u8 = 0x04;

/// The octets of a line: hexadecimal digits, or a frame as it is, with or without what encloses it.
pub fn octets_of(line: &str) -> Result<Vec<u8>, String> {
    if !line.contains('/') {
        return from_hex(line);
    }
    Ok(line.bytes().collect())
}

/// Every frame in `octets`, and what is none.
pub fn decode_all(octets: &[u8]) -> Vec<Result<Value, String>> {
    let mut answers = Vec::new();
    let enclosed = if octets.contains(&STX) { octets.to_vec() } else { [&[STX], octets, &[ETX]].concat() };
    let mut rest = &enclosed[..];
    loop {
        let next = next_frame(rest, &FrameRules::default());
        rest = rest.get(next.used..).unwrap_or_default();
        match next.found {
            Some(Ok(frame)) => answers.push(decode(&frame)),
            Some(Err(error)) => answers.push(Err(error.to_string())),
            None if !rest.is_empty() => {
                answers.push(Err(format!("the frame has no end: {} octets are there", rest.len())));
                return answers;
            }
            None => return answers,
        }
    }
}

fn decode(frame: &Frame<'_>) -> Result<Value, String> {
    let header = &frame.header;
    let pdu = frame.decode().map_err(|error| format!("{error} ({}, TRN {})", header.ot, header.trn))?;
    let mut fields = Map::new();
    fields.insert("operation".into(), header.ot.name().into());
    let mut add = |name: &str, value: FieldValue<'_>| {
        let value = match value {
            FieldValue::Integer(number) => number.into(),
            FieldValue::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
            FieldValue::Octets(octets) => hex(octets),
        };
        match fields.get_mut(name) {
            Some(Value::Array(list)) => list.push(value),
            // Addresses of a list.
            None if matches!(name, "RAd" | "GA") => drop(fields.insert(name.to_owned(), json!([value]))),
            _ => drop(fields.insert(name.to_owned(), value)),
        }
    };
    header.fields(&mut add);
    pdu.fields(&mut add);
    describe(&pdu, &mut fields);
    Ok(Value::Object(fields))
}

/// Adds what people want to read.
fn describe(pdu: &Pdu<'_>, fields: &mut Map<String, Value>) {
    match pdu {
        Pdu::Answer(_, Answer::Nack { code, .. }) => drop(fields.insert("error".into(), code.meaning().into())),
        Pdu::Answer(..) => {}
        Pdu::Operation(operation) => match operation {
            Operation::CallInput(call) => describe_text(call.content, Xsers::default(), fields),
            Operation::MultipleCallInput(call) => describe_text(call.content, Xsers::default(), fields),
            Operation::SupplementaryCallInput(call) => describe_text(call.content, Xsers::default(), fields),
            Operation::MessageTransfer(transfer) => {
                describe_text(Content::Alphanumeric(transfer.amsg), Xsers::default(), fields);
            }
            Operation::Submit(message)
            | Operation::Deliver(message)
            | Operation::Notify(message)
            | Operation::Modify(message)
            | Operation::Inquire(message)
            | Operation::Delete(message)
            | Operation::InquiryResponse(message)
            | Operation::DeleteResponse(message) => describe_message(message, fields),
            Operation::Alert(_) | Operation::Session(_) | Operation::List(_) | Operation::Unknown { .. } => {}
        },
    }
}

fn describe_message(message: &ShortMessage<'_>, fields: &mut Map<String, Value>) {
    if let Some(name) = message.name() {
        fields.insert("originator".into(), decode_gsm7(&name, Shift::default()).into());
    }
    if let Some(status) = message.dst {
        fields.insert("delivery".into(), status.name().into());
        // With a delivery the reason is 000, and means nothing.
        if status != ucp::DeliveryStatus::DELIVERED {
            fields.insert("reason".into(), message.rsn.and_then(ucp::Reason::meaning).into());
        }
    }
    if !message.xser.is_empty() {
        let services = message.xser.iter().map(|service| {
            json!({ "type": service.kind.to_string(), "name": service.kind.name(), "value": hex(service.value) })
        });
        fields.insert("services".into(), services.collect());
    }
    describe_text(message.content, message.xser, fields);
}

/// Adds `udh` and `text`, if there are.
fn describe_text(content: Content<'_>, services: Xsers<'_>, fields: &mut Map<String, Value>) {
    let Some(octets) = content.octets().filter(|octets| !octets.is_empty()) else { return };
    let by_type = if matches!(content, Content::Transparent { .. }) { OCTETS } else { 0 };
    let mut user_data = services.udh().unwrap_or_default().to_vec();
    let has_udh = !user_data.is_empty();
    octets.append_to(&mut user_data);
    let described = Described::Unpacked { dcs: services.dcs().unwrap_or(by_type) };
    let received = decode_user_data(&user_data, has_udh, described);
    if let Some(header) = received.udh {
        fields.insert("udh".into(), to_hex(header.octets()).into());
    }
    if let Body::Text(text) = received.body {
        fields.insert("text".into(), text.into());
    }
}

fn hex(octets: Hex<'_>) -> Value {
    to_hex(&octets.to_vec()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> Vec<Value> {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/ucp_frames.json")).unwrap();
        vectors["vectors"].as_array().unwrap().clone()
    }

    fn decode_one(frame: &str) -> Value {
        let answers = decode_all(&octets_of(frame).unwrap());
        assert_eq!(answers.len(), 1);
        answers[0].clone().unwrap()
    }

    #[test]
    fn the_fields_of_every_vector_are_told() {
        const TEXTS: [&str; 11] = ["AdC", "OAdC", "SM", "VERS", "XSer", "SCTS", "DSCTS", "DDT", "LAdC", "NAdC", "LRAd"];
        let mut compared = 0;
        for vector in vectors() {
            let Some(expected) = vector["expected"].as_object() else { continue };
            // Not known: its fields are told in one piece.
            if expected["OT"] == "59" {
                continue;
            }
            let answer = decode_one(vector["frame"].as_str().unwrap());
            let digits = to_hex(format!("\r\n\x02{}\x03", vector["frame"].as_str().unwrap()).as_bytes());
            assert_eq!(decode_one(&digits), answer, "hexadecimal and plain are the same");
            for (name, value) in expected.iter().filter(|(_, value)| **value != "") {
                let wanted = value.as_str().unwrap();
                match name.as_str() {
                    name if TEXTS.contains(&name) => assert_eq!(answer[name], wanted, "{}", vector["id"]),
                    "TRN" | "LEN" | "OT" | "NRq" | "NT" | "MT" | "NB" | "DCs" | "MCLs" | "Dst" | "Rsn" | "OTOA" => {
                        assert_eq!(answer[name], wanted.parse::<u32>().unwrap(), "{} {name}", vector["id"]);
                    }
                    "PWD" => assert_eq!(answer[name], wanted.to_lowercase()),
                    _ => continue,
                }
                compared += 1;
            }
        }
        assert!(compared > 170, "only {compared} fields were compared");
    }

    #[test]
    fn what_people_want_to_read_is_there() {
        let of = |id: &str| decode_one(vectors().iter().find(|v| v["id"] == id).unwrap()["frame"].as_str().unwrap());
        let kannel = of("ucp-070");
        assert_eq!((&kannel["operation"], &kannel["originator"]), (&json!("submit short message"), &json!("KANNEL")));
        assert!(kannel["text"].as_str().unwrap().starts_with("Hello € [kannel] @ $ _"), "{}", kannel["text"]);
        let part = of("ucp-073");
        assert_eq!((&part["udh"], part["text"].as_str().unwrap().len()), (&json!("050003020202"), 47));
        assert_eq!(part["services"][0]["name"], "GSM user data header");
        assert_eq!(of("ucp-002")["error"], "syntax error");
        let failed = of("ucp-076");
        assert_eq!((&failed["delivery"], &failed["text"]), (&json!("not delivered"), &json!("PONG")));
        let list = decode_one("00/00051/O/02/2/012345/054321/0789//3/53484F5254/C5");
        assert_eq!((&list["RAd"], &list["text"]), (&json!(["012345", "054321"]), &json!("SHORT")));
    }

    #[test]
    fn garbage_is_a_fault_and_not_a_panic() {
        assert!(octets_of("zz").is_err());
        assert!(decode_all(b"\x0200/00022/R").remove(0).unwrap_err().contains("no end"));
        assert!(decode_all(b"00/00022/R/53/N/02//08").remove(0).unwrap_err().contains("checksum"));
        for vector in vectors() {
            let Some(frame) = vector["frame"].as_str() else { continue };
            for cut in 0..frame.len() {
                decode_all(&frame.as_bytes()[..cut]);
            }
        }
    }
}
