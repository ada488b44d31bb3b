//! Whole TPDUs, against what Wireshark reads in them.

mod common;

use common::{hex_field, list, number_field, text_field, vectors};
use serde_json::Value;
use sms::tpdu::{Address, Direction, Timestamp, Tpdu, TpduError, UserData, Validity, join_smsc, split_smsc};
use sms::{Body, Udh};

/// What is no TPDU, though a modem or a test suite gave it for one, and why it is refused.
const REFUSED: &[(&str, TpduError)] = &[
    // A DELIVER whose message type says SUBMIT, so its sender stands where the reference should.
    ("tpdu-086", TpduError::AddressTooLong { field: "TP-DA", length: 129 }),
    // A STATUS-REPORT that ends after eleven octets of time stamps.
    ("tpdu-087", TpduError::Truncated { field: "TP-DT" }),
    // Erased storage: nothing but FF.
    ("tpdu-088", TpduError::AddressTooLong { field: "TP-OA", length: 255 }),
    // The second half of a WAP push, without its TPDU.
    ("tpdu-091", TpduError::AddressTooLong { field: "TP-OA", length: 105 }),
];

/// Odd numbers of digits with a twelfth digit in place of the filler. The count says eleven, and
/// eleven are read; Wireshark shows the twelfth.
const WITHOUT_FILLER: &[&str] = &["tpdu-300", "tpdu-301", "tpdu-302"];

/// TPDUs with something after their end, or a field that says nothing, which is not written back.
const WRITTEN_OTHERWISE: &[&str] = &[
    "tpdu-062", // One UCS-2 character more than TP-UDL says.
    "tpdu-077", // A status report filled up with FF.
    "tpdu-083", // More text than TP-UDL says.
    "tpdu-313", // The zone A0 is no decimal, so the time stamps are unknown.
];

/// The vectors that are TPDUs, decoded.
fn decoded(file: &Value) -> impl Iterator<Item = (&str, &Value, Tpdu)> {
    list(file, "vectors").iter().filter_map(|entry| {
        let id = text_field(entry, "id").expect("an id");
        let octets = hex_field(entry, "tpdu_hex").expect("octets");
        match Tpdu::decode(&octets, Direction::Either) {
            Ok(tpdu) => Some((id, entry, tpdu)),
            Err(fault) => {
                assert!(REFUSED.contains(&(id, fault)), "{id}: {fault}");
                None
            }
        }
    })
}

fn check_number(entry: &Value, key: &str, found: impl Into<i64>) {
    if let Some(expected) = number_field(&entry["expected"], key) {
        assert_eq!(found.into(), expected, "{} {key}", entry["id"]);
    }
}

fn check_address(entry: &Value, key: &str, address: &Address) {
    check_number(entry, "dis_field_addr.num_type", address.type_of_address() >> 4 & 7);
    check_number(entry, "dis_field_addr.num_plan", address.numbering_plan());
    if let Some(expected) = text_field(&entry["expected"], key) {
        let filler = WITHOUT_FILLER.iter().any(|&id| entry["id"] == id);
        let expected = if filler { &expected[..11] } else { expected };
        assert_eq!(address.text(), expected, "{} {key}", entry["id"]);
    }
}

fn check_stamp(entry: &Value, stamp: Option<Timestamp>) {
    // Every DELIVER here has a time stamp that is a date.
    let stamp = stamp.unwrap_or_else(|| panic!("{}: no time stamp", entry["id"]));
    check_number(entry, "scts.year", stamp.local.year() % 100);
    check_number(entry, "scts.month", stamp.local.month());
    check_number(entry, "scts.day", stamp.local.day());
    check_number(entry, "scts.hour", stamp.local.hour());
    check_number(entry, "scts.minutes", stamp.local.minute());
    check_number(entry, "scts.seconds", stamp.local.second());
    // Only the amount is listed there, without its sign.
    check_number(entry, "scts.timezone", stamp.offset_quarters.unsigned_abs());
}

fn check_user_data(entry: &Value, dcs: u8, user_data: &UserData) {
    check_number(entry, "tp-udhi", user_data.udhi);
    check_number(entry, "tp.user_data_length", user_data.length);
    let received = user_data.decode(dcs);
    if let (Some(expected), Body::Text(text)) = (text_field(&entry["expected"], "text"), &received.body) {
        assert_eq!(text, expected, "{}", entry["id"]);
    }
    if let Some(concat) = received.udh.and_then(|udh: Udh<'_>| udh.concat()) {
        check_number(entry, "udh.mm.msg_id", concat.reference);
        check_number(entry, "udh.mm.msg_parts", concat.total);
        check_number(entry, "udh.mm.msg_part", concat.sequence);
    }
    if let Some(ports) = received.udh.and_then(|udh| udh.ports()) {
        check_number(entry, "destination_port", ports.destination);
        check_number(entry, "originator_port", ports.originator);
    }
}

#[test]
fn every_field_is_read() {
    let file = vectors("tpdu");
    let mut checked = 0;
    for (id, entry, tpdu) in decoded(&file) {
        checked += 1;
        match (tpdu, text_field(entry, "type")) {
            (Tpdu::Submit(submit), Some("submit")) => {
                check_number(entry, "tp-rd", submit.reject_duplicates);
                check_number(entry, "tp-srr", submit.status_report);
                check_number(entry, "tp-rp", submit.reply_path);
                check_number(entry, "tp-mr", submit.reference);
                check_number(entry, "tp-pid", submit.protocol);
                check_number(entry, "tp-dcs", submit.coding);
                check_address(entry, "tp-da", &submit.destination);
                if let Validity::Relative(octet) = submit.validity {
                    check_number(entry, "vp.validity_period", octet);
                }
                check_user_data(entry, submit.coding, &submit.user_data);
            }
            (Tpdu::Deliver(deliver), Some("deliver")) => {
                check_number(entry, "tp-mms", !deliver.more_messages);
                check_number(entry, "tp-lp", deliver.loop_prevention);
                check_number(entry, "tp-sri", deliver.status_report);
                check_number(entry, "tp-rp", deliver.reply_path);
                check_number(entry, "tp-pid", deliver.protocol);
                check_number(entry, "tp-dcs", deliver.coding);
                check_address(entry, "tp-oa", &deliver.originator);
                check_stamp(entry, deliver.timestamp);
                check_user_data(entry, deliver.coding, &deliver.user_data);
            }
            (Tpdu::StatusReport(report), Some("status-report")) => {
                check_number(entry, "tp-mms", !report.more_messages);
                check_number(entry, "tp-lp", report.loop_prevention);
                check_number(entry, "tp-srq", report.answers_command);
                check_number(entry, "tp-mr", report.reference);
                check_address(entry, "tp-ra", &report.recipient);
                // The keys of the time stamps hold those of both, mixed.
                check_number(entry, "dis.field_st_reason", report.status & 0x1F);
            }
            (other, kind) => panic!("{id}: {other:?} is no {kind:?}"),
        }
    }
    assert_eq!(checked, list(&file, "vectors").len() - REFUSED.len());
}

#[test]
fn encoding_gives_back_the_octets() {
    let file = vectors("tpdu");
    for (id, entry, tpdu) in decoded(&file) {
        let same = Some(tpdu.encode()) == hex_field(entry, "tpdu_hex");
        let excepted = WRITTEN_OTHERWISE.contains(&id) || WITHOUT_FILLER.contains(&id);
        assert_eq!(same, !excepted, "{id}");
    }
}

#[test]
fn smsc_addresses_come_off_and_go_back() {
    let file = vectors("tpdu");
    let prefixed = |entry: &&Value| text_field(entry, "smsc_prefix_hex") != Some("");
    for entry in list(&file, "vectors").iter().filter(prefixed) {
        let whole = hex_field(entry, "input_hex").expect("octets");
        let (smsc, tpdu) = split_smsc(&whole).expect("an SMSC address");
        assert_eq!(Some(tpdu.to_vec()), hex_field(entry, "tpdu_hex"), "{}", entry["id"]);
        assert_eq!(join_smsc(smsc.as_ref(), tpdu), whole, "{}", entry["id"]);
    }
}
