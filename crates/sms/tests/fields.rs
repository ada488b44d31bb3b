//! Fields of TPDUs: data coding schemes, addresses, time stamps, validity periods, headers.

mod common;

use std::time::Duration;

use common::{hex, hex_field, list, number_field, text_field, vectors};
use sms::dcs::WaitingKind;
use sms::tpdu::{Address, EnhancedValidity, Submit, Timestamp, Tpdu, UserData, Validity, join_smsc, split_smsc};
use sms::{Coding, Dcs, DcsGroup, Udh, UdhBuilder};

#[test]
fn every_data_coding_scheme() {
    let file = vectors("tpdu_fields");
    assert_eq!(list(&file, "dcs").len(), 256);
    for entry in list(&file, "dcs") {
        let octet = hex_field(entry, "dcs").expect("an octet")[0];
        let dcs = Dcs::decode(octet);
        let (coding, reserved) = match text_field(entry, "alphabet").expect("an alphabet") {
            "7bit" => (Coding::Gsm7, false),
            "8bit" => (Coding::Octets, false),
            "ucs2" => (Coding::Ucs2, false),
            _ => (Coding::Gsm7, true),
        };
        let group = match text_field(entry, "group").expect("a group") {
            "general" => DcsGroup::General,
            "auto-delete" => DcsGroup::AutomaticDeletion,
            "reserved" => DcsGroup::Reserved,
            "class" => DcsGroup::Class,
            waiting => DcsGroup::Waiting {
                store: waiting != "mwi-discard",
                active: entry["mwi_active"] == true,
                kind: match text_field(entry, "mwi_type") {
                    Some("voicemail") => WaitingKind::Voicemail,
                    Some("fax") => WaitingKind::Fax,
                    Some("email") => WaitingKind::Email,
                    _ => WaitingKind::Other,
                },
            },
        };
        let class = number_field(entry, "class").map(|class| class as u8);
        let compressed = entry["compressed"] == true;
        assert_eq!(
            (dcs.coding, dcs.reserved, dcs.group, dcs.class.map(|class| class.number()), dcs.compressed),
            (coding, reserved, group, class, compressed),
            "{octet:02X}"
        );
    }
}

/// Puts a TP address into a SUBMIT, for only whole TPDUs are read.
fn read_address(octets: &[u8]) -> Address {
    let tpdu = [&[0x01, 0x00], octets, &[0x00, 0x00, 0x00]].concat();
    Submit::decode(&tpdu).expect("a SUBMIT").destination
}

fn write_address(address: Address) -> Vec<u8> {
    let tpdu = Submit::new(address, 0, UserData::default()).encode();
    tpdu[2..tpdu.len() - 3].to_vec()
}

#[test]
fn addresses() {
    let file = vectors("tpdu_fields");
    let mut checked = 0;
    for entry in list(&file, "addresses") {
        let octets = hex_field(entry, "hex").expect("octets");
        match text_field(entry, "kind").expect("a kind") {
            "TP-address" => {
                let address = read_address(&octets);
                let Some(value) = text_field(entry, "value") else {
                    // An odd number of digits without a filler is tolerated: the count decides.
                    assert_eq!(address.text(), "61409865629");
                    continue;
                };
                assert_eq!(address.text(), value.trim_start_matches('+'), "{entry}");
                // "Vodafone" and "a[]{}€" come back as they were, so the lengths agree too.
                assert_eq!(write_address(address), octets, "{entry}");
            }
            "semi-octets" => {
                let address = Address::number(text_field(entry, "value").expect("digits")).expect("a number");
                assert_eq!(write_address(address)[2..], octets, "{entry}");
            }
            _ => {
                let (smsc, rest) = split_smsc(&octets).expect("an SMSC address");
                let smsc = smsc.expect("it is not empty");
                assert_eq!((smsc.to_string().as_str(), rest), (text_field(entry, "value").expect("a value"), &b""[..]));
                assert_eq!(join_smsc(Some(&smsc), b""), octets);
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 9);
}

fn with_zone(stamp: &Timestamp) -> String {
    let minutes = i32::from(stamp.offset_quarters) * 15;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", stamp.local, minutes.abs() / 60, minutes.abs() % 60)
}

#[test]
fn time_stamps() {
    let file = vectors("tpdu_fields");
    for entry in list(&file, "timestamps") {
        let octets = hex_field(entry, "hex").expect("octets");
        let stamp = <&[u8; 7]>::try_from(octets.as_slice()).ok().and_then(Timestamp::decode);
        assert_eq!(stamp.as_ref().map(with_zone).as_deref(), text_field(entry, "value"), "{entry}");
        if let Some(stamp) = stamp {
            assert_eq!(stamp.encode().as_slice(), octets, "{entry}");
        }
    }
}

#[test]
fn validity_periods() {
    let file = vectors("tpdu_fields");
    for entry in list(&file, "validity") {
        let described = text_field(entry, "duration").expect("a duration");
        let (number, unit) = described.split_once(' ').unwrap_or((described, ""));
        let seconds = |unit: u64| number.parse::<u64>().ok().map(|number| Duration::from_secs(number * unit));
        let expected = match unit.split(' ').next() {
            Some("w") => seconds(7 * 86_400),
            Some("d") => seconds(86_400),
            Some("h") => seconds(3600),
            Some("min") => seconds(60),
            Some("octet") => Some(Duration::from_secs(0xFF)),
            _ => None,
        };
        match number_field(entry, "tp_vp") {
            Some(octet) => {
                let validity = Validity::Relative(octet as u8);
                assert_eq!(validity.duration(), expected, "{entry}");
                assert_eq!(Validity::relative(expected.expect("a duration")), validity, "{entry}");
            }
            None => {
                let octets = hex_field(entry, "hex").expect("octets").try_into().expect("seven octets");
                assert_eq!(EnhancedValidity(octets).duration(), expected, "{entry}");
            }
        }
    }
}

#[test]
fn headers() {
    let file = vectors("tpdu_fields");
    for entry in list(&file, "udh") {
        if let Some(octets) = hex_field(entry, "short_message_hex") {
            let (udh, rest) = Udh::split(&octets).expect("a header");
            assert_eq!(Some(udh.octets().to_vec()), hex_field(entry, "udh_hex"));
            assert_eq!(Some(rest.to_vec()), hex_field(entry, "user_data_hex"));
        } else if let Some(octets) = hex_field(entry, "udh_hex") {
            let elements = Udh::split(&octets).map(|(udh, _)| udh.elements().map(|e| e.identifier).collect::<Vec<_>>());
            match text_field(entry, "expected").expect("a description") {
                "underflow error" => assert!(elements.is_err()),
                "IEs 1,1,2" => assert_eq!(elements, Ok(vec![1, 1, 2])),
                _ => assert_eq!(elements, Ok(vec![1])),
            }
        } else {
            let builder = UdhBuilder::new();
            let header = match hex_field(entry, "ie_hex") {
                Some(element) => builder.raw_elements(&element),
                None => {
                    let identifier = number_field(entry, "iei").expect("an identifier") as u8;
                    builder.element(identifier, &hex_field(entry, "data_hex").expect("data"))
                }
            }
            .finish();
            let expected = [&entry["expected_concat"], &entry["expected"]["concat8"], &entry["expected"]["concat16"]]
                .into_iter()
                .find(|expected| expected.is_object())
                .map(|expected| (expected["ref"].as_u64(), expected["max"].as_u64(), expected["seq"].as_u64()));
            let concat = Udh::split(&header).expect("a header").0.concat();
            let found = concat
                .map(|concat| (Some(concat.reference.into()), Some(concat.total.into()), Some(concat.sequence.into())));
            assert_eq!(found, expected, "{entry}");
        }
    }
}

#[test]
fn a_submit_in_hand_is_a_tpdu_in_general() {
    let tpdu = hex("0001000B914316565811F9000004E8373B0C");
    let (smsc, rest) = split_smsc(&tpdu).expect("an empty SMSC address");
    assert_eq!(smsc, None);
    let decoded = Tpdu::decode(rest, sms::tpdu::Direction::FromPhone).expect("a SUBMIT");
    assert_eq!(join_smsc(None, &decoded.encode()), tpdu);
}
