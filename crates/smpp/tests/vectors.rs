//! PDUs and times collected from other projects' tests. The expected fields of the PDUs are those that
//! Wireshark shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smpp::{
    CommandId, CommandStatus, DEFAULT_MAX_PDU, DecodeError, FieldValue, Pdu, RelativeTime, SmppTime, TimeError, encode,
    next_frame,
};

type Fields = BTreeMap<String, Vec<Value>>;

#[test]
fn every_pdu_field_by_field() {
    let file: Value = serde_json::from_str(include_str!("vectors/smpp_pdus.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 90);
    let mut checked = 0;
    for vector in vectors {
        let id = vector["id"].as_str().unwrap();
        let mut bytes = unhex(vector["input_hex"].as_str().unwrap());
        let Some(expected) = vector["expected"].as_object() else {
            // No PDU at all: the first is a body without its header, the second has a length of 900 MB.
            assert!(next_frame(&bytes, DEFAULT_MAX_PDU).is_err(), "{id}");
            continue;
        };
        match id {
            // 255 octets of text were left out of the vector.
            "smpp-023" => {
                assert_eq!(next_frame(&bytes, DEFAULT_MAX_PDU), Ok(None), "{id}");
                bytes.resize(304, b'x');
            }
            // command_length says 253 but 29 octets are there; Wireshark reads those, and so do we
            // once the length is put right.
            "smpp-074" => {
                assert_eq!(next_frame(&bytes, DEFAULT_MAX_PDU), Ok(None), "{id}");
                bytes[3] = 29;
            }
            _ => {}
        }
        let frame = next_frame(&bytes, DEFAULT_MAX_PDU).unwrap().unwrap();
        let mut fields = Fields::new();
        let read = frame.fields(&mut |name, value| fields.entry(name.to_owned()).or_default().push(to_json(value)));
        // A broadcast_sm that ends behind its source address. Wireshark shows what is there.
        if id == "smpp-160" {
            assert_eq!(read, Err(DecodeError::Truncated { field: "message_id" }));
            continue;
        }
        // sm_length says 16 and 8 octets are left. Wireshark shows the fields before; we refuse it all.
        if id == "smpp-052" {
            assert_eq!(read, Err(DecodeError::MessageLength { claimed: 16, available: 8 }));
            continue;
        }
        assert_eq!(read, Ok(()), "{id}");
        for (name, value) in expected {
            if id == "smpp-074" && name == "command_length" {
                continue;
            }
            check(id, name, value, &fields, &frame.decode().unwrap());
            checked += 1;
        }
    }
    assert!(checked > 900, "{checked} fields were checked");
}

/// Writing what was read gives the same octets, but for the tolerated faults.
#[test]
fn every_pdu_is_written_as_it_was_read() {
    let file: Value = serde_json::from_str(include_str!("vectors/smpp_pdus.json")).unwrap();
    let mut same = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        let bytes = unhex(vector["input_hex"].as_str().unwrap());
        let Ok(Some(frame)) = next_frame(&bytes, DEFAULT_MAX_PDU) else {
            continue;
        };
        let Ok(pdu) = frame.decode() else {
            continue;
        };
        let mut written = Vec::new();
        encode(&pdu, frame.header.sequence_number, frame.header.command_status, &mut written).unwrap();
        let as_sent = &bytes[..frame.wire_len()];
        let tolerated = match id {
            // A deliver_sm_resp without its empty message id.
            "smpp-041" => written[16..] == [0],
            // A junk octet behind an unbind.
            "smpp-073" => written == as_sent[..16].iter().map(|&b| if b == 17 { 16 } else { b }).collect::<Vec<_>>(),
            // Half a TLV at the end, which is left out.
            "smpp-076" => written[16..] == as_sent[16..as_sent.len() - 3],
            // A refused bind with an empty name, which we send without a body.
            "smpp-092" => written.len() == 16,
            // A query_sm_resp without its last field.
            "smpp-163" => written[16..] == [0, 0, 0, 0],
            _ => {
                same += 1;
                written == as_sent
            }
        };
        assert!(tolerated, "{id}: {written:02x?}");
    }
    assert!(same > 75, "{same} were the same");
}

#[test]
fn times() {
    let file: Value = serde_json::from_str(include_str!("vectors/smpp_receipts_times.json")).unwrap();
    let times = file["smpp_times"].as_array().unwrap();
    assert_eq!(times.len(), 7);
    for vector in times {
        let text = vector["text"].as_str().unwrap();
        let expected = &vector["expected"];
        let time = SmppTime::parse(text.as_bytes());
        if expected.get("error").is_some() {
            assert_eq!(time, Err(TimeError::Length(15)), "{text}");
            continue;
        }
        match time.unwrap() {
            SmppTime::Relative(time) => {
                let unit = |name: &str| u8::try_from(expected["relative"][name].as_u64().unwrap_or(0)).unwrap();
                let wanted = RelativeTime {
                    years: unit("years"),
                    months: unit("months"),
                    days: unit("days"),
                    hours: unit("hours"),
                    minutes: unit("minutes"),
                    seconds: unit("seconds"),
                    tenths: unit("tenths"),
                };
                assert_eq!(time, wanted, "{text}");
            }
            SmppTime::Absolute(time) => {
                let offset = match time.offset_quarters {
                    0 => String::new(),
                    quarters => {
                        let minutes = i32::from(quarters) * 15;
                        format!("{:+03}:{:02}", minutes / 60, minutes.abs() % 60)
                    }
                };
                let shown = format!(
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}{offset}",
                    time.year, time.month, time.day, time.hour, time.minute, time.second, time.tenth
                );
                assert_eq!(shown, expected["absolute"].as_str().unwrap(), "{text}");
            }
        }
    }
}

fn check(id: &str, name: &str, value: &Value, fields: &Fields, pdu: &Pdu<'_>) {
    let found = |name: &str| Value::from(fields.get(name).cloned().unwrap_or_default());
    let listed = if value.is_array() { value.clone() } else { json!([value]) };
    let (actual, wanted) = match name {
        // The names and forms that Wireshark has of its own.
        "service_type" if value == "(Default)" => (found("service_type"), json!([""])),
        "message" => (found("short_message"), listed),
        // What the octets say in their alphabet is not this crate's business.
        "message_text" => return,
        "SC_interface_version" => (found("sc_interface_version"), listed),
        "schedule_delivery_time_r" | "validity_period_r" if value == "273906.000000000" => {
            // Wireshark leaves out the years and months of 010203040506000R.
            let text = fields["validity_period"][0].as_str().unwrap().to_owned();
            let Ok(SmppTime::Relative(time)) = SmppTime::parse(text.as_bytes()) else {
                panic!("{id}: {text} is not relative");
            };
            assert_eq!((time.years, time.months), (1, 2));
            let seconds = ((u32::from(time.days) * 24 + u32::from(time.hours)) * 60 + u32::from(time.minutes)) * 60
                + u32::from(time.seconds);
            (json!(format!("{seconds}.000000000")), value.clone())
        }
        // submit_multi: Wireshark shows both times under the first name.
        "schedule_delivery_time_r" if value.is_array() => {
            assert_eq!(value, &json!(["0.000000000", "0.000000000"]));
            (json!([found("schedule_delivery_time"), found("validity_period")]), json!([[""], [""]]))
        }
        "schedule_delivery_time_r" => {
            assert_eq!(value, "0.000000000");
            (found("schedule_delivery_time"), json!([""]))
        }
        "validity_period_r" => {
            assert_eq!(value, "0.000000000");
            (found("validity_period"), json!([""]))
        }
        "schedule_delivery_time" => {
            // Wireshark shows UTC.
            assert_eq!(value, "Feb  3, 2015 02:05:06.700000000 UTC");
            (found("schedule_delivery_time"), json!(["150203040506708+"]))
        }
        "opt_param_tag" => (tlvs(pdu, |tlv| json!(tlv.tag.0)), listed),
        "opt_param_len" => (tlvs(pdu, |tlv| json!(tlv.value.len())), listed),
        "source_subaddress" | "dest_subaddress" => (found(name), json!([value.as_str().unwrap().replace(':', "")])),
        "vendor_op" => {
            let vendor = fields.iter().filter(|(name, _)| name.starts_with("0x14"));
            let mut values: Vec<Value> = vendor.flat_map(|(_, values)| values.clone()).collect();
            let mut wanted = listed.as_array().unwrap().clone();
            values.sort_by_key(Value::to_string);
            wanted.sort_by_key(Value::to_string);
            (Value::from(values), Value::from(wanted))
        }
        "network_error.type" | "network_error.code" => {
            let octets = unhex(fields["network_error_code"][0].as_str().unwrap());
            let number = match name {
                "network_error.type" => u32::from(octets[0]),
                _ => u32::from(octets[1]) << 8 | u32::from(octets[2]),
            };
            (json!([number]), listed)
        }
        // The two flags of submit_multi in between are the list's own.
        _ => (found(name), listed),
    };
    // The vectors leave some empty strings and the numbers of lists out; what they name must match.
    assert_eq!(actual, wanted, "{id} {name}");
}

fn tlvs(pdu: &Pdu<'_>, show: impl Fn(&smpp::Tlv<'_>) -> Value) -> Value {
    let tlvs = match pdu {
        Pdu::SubmitSm(body) => body.tlvs,
        Pdu::DeliverSm(body) => body.tlvs,
        Pdu::DataSm(body) => body.tlvs,
        Pdu::BindResp(_, body) => body.tlvs,
        other => panic!("no TLVs are expected in {other:?}"),
    };
    tlvs.iter().map(|tlv| show(&tlv)).collect()
}

fn to_json(value: FieldValue<'_>) -> Value {
    match value {
        FieldValue::Integer(number) => json!(number),
        FieldValue::Text(text) => json!(String::from_utf8_lossy(text)),
        FieldValue::Octets(octets) => json!(octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>()),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn a_long_text_that_runs_over_the_end_is_answered_with_its_status() {
    let mut bytes = Vec::new();
    let message = smpp::SubmitSm { short_message: b"hello", ..Default::default() };
    encode(&message, 1, CommandStatus::ROK, &mut bytes).unwrap();
    let at = bytes.len() - 6;
    bytes[at] = 6;
    let error = next_frame(&bytes, DEFAULT_MAX_PDU).unwrap().unwrap().decode().unwrap_err();
    assert_eq!(error, DecodeError::MessageLength { claimed: 6, available: 5 });
    assert_eq!(error.status(), CommandStatus::RINVMSGLEN);
}

#[test]
fn tolerances() {
    // A message id without its NUL, and none at all.
    assert!(matches!(
        Pdu::decode(CommandId::SUBMIT_SM_RESP, b"abc"),
        Ok(Pdu::SubmitSmResp(body)) if body.message_id == b"abc"
    ));
    assert!(matches!(
        Pdu::decode(CommandId::DATA_SM_RESP, b""),
        Ok(Pdu::DataSmResp(body)) if body.message_id.is_empty()
    ));
    // A version TLV without a value.
    assert!(matches!(
        Pdu::decode(CommandId::BIND_TRANSCEIVER_RESP, b"MC\0\x02\x10\0\0"),
        Ok(Pdu::BindResp(_, body)) if body.version().is_none() && body.system_id == b"MC"
    ));
    // An address of 30 digits where 20 are allowed, but not of 255.
    let mut query = b"id\0\x01\x01".to_vec();
    query.extend_from_slice(&[b'1'; 30]);
    assert!(matches!(
        Pdu::decode(CommandId::QUERY_SM, &query),
        Ok(Pdu::QuerySm(body)) if body.source.addr.len() == 30
    ));
    query.resize(5 + 255, b'1');
    let error = Pdu::decode(CommandId::QUERY_SM, &query).unwrap_err();
    assert_eq!(error, DecodeError::StringTooLong { field: "source_addr" });
    assert_eq!(error.status(), CommandStatus::RINVSRCADR);
    // A destination that is neither address nor list.
    let error = Pdu::decode(CommandId::SUBMIT_MULTI, b"\0\0\0\0\x01\x03rest").unwrap_err();
    assert_eq!(error.status(), CommandStatus::RINVDESTFLAG);
    // More failures claimed than there are.
    let body = b"id\0\x02\x01\x01123\0\0\0\0\x14";
    let Ok(Pdu::SubmitMultiResp(answer)) = Pdu::decode(CommandId::SUBMIT_MULTI_RESP, body) else {
        panic!("responses are never refused");
    };
    let failures: Vec<_> = answer.failures.iter().map(|failure| failure.status).collect();
    assert_eq!((answer.failures.count(), failures), (1, vec![CommandStatus::RMSGQFUL]));
}
