//! Parts as operations, and operations as what they mean.

use std::sync::Arc;

use engine::dispatch::{Incoming, MobileOriginated};
use model::resources::Connector;
use model::{Address, Body, Content, Encoding, ReceiptState, ReceiptWish, Timestamp};
use sms::Concat;
use ucp::{AddressType, DeliveryStatus, FieldValue, Hex, Reason, ShortMessage, XserBuf};

use super::incoming;
use super::outgoing::Outgoing;
use crate::identity::Identities;

/// A connector with these settings, as TOML.
pub(super) fn connector(more: &str) -> Connector {
    toml::from_str(&format!("id = 'emi'\nprotocol = 'ucp'\naddress = 'h:1'\nsystem_id = '12345'\n{more}")).unwrap()
}

/// A text from +4477009001 to +447700900123, accepted at 2026-11-22T20:14:56Z.
fn text(text: &str, encoding: Encoding) -> Body {
    let at = Timestamp::from_millis(1_795_378_496_000);
    let from = Address::sender("+4477009001", None).unwrap();
    Body { from, content: Content::Text(text.into()), encoding, reference: 0x1234, ..model::samples::body(at) }
}

fn binary(data: &[u8], udh: &[u8], dcs: u8) -> Body {
    let content = Content::Binary { data: data.into(), udh: udh.into(), dcs };
    Body { content, ..text("", Encoding::Binary) }
}

/// The fields of what is sent after the addresses, `Name=value` each, or why it can't be.
fn sent(more: &str, body: &Body, (part, parts): (u8, u8)) -> String {
    let fields = all_fields(more, body, (part, parts));
    let addresses = "AdC=00447700900123 OAdC=4477009001 ";
    fields.strip_prefix(addresses).map_or(fields.clone(), str::to_owned)
}

fn all_fields(more: &str, body: &Body, (part, parts): (u8, u8)) -> String {
    let (connector, mut fields) = (connector(more), Vec::new());
    match Outgoing::new(&connector).submission(&connector, &Arc::new(body.clone()), (part, parts)) {
        Ok(operation) => operation.fields(&mut |name, value| {
            let value = match value {
                FieldValue::Text(text) => String::from_utf8_lossy(text).into_owned(),
                FieldValue::Integer(value) => value.to_string(),
                FieldValue::Octets(hex) => hex.iter().map(|octet| format!("{octet:02X}")).collect(),
            };
            fields.push(format!("{name}={value}"));
        }),
        Err(reason) => return reason.detail.into(),
    }
    fields.join(" ")
}

#[test]
fn texts_go_in_the_alphabet_that_they_need() {
    assert_eq!(sent("", &text("hé[", Encoding::Gsm7), (0, 1)), "NRq=1 NT=3 MT=3 AMsg=68051B3C OTOA=1139");
    assert_eq!(
        sent("", &text("hΨ€", Encoding::Ucs2), (0, 1)),
        "NRq=1 NT=3 MT=4 NB=48 TMsg=006803A820AC OTOA=1139 XSer=020108"
    );
    let flash = Body { class: Some(0), ..text("a", Encoding::Gsm7) };
    assert_eq!(sent("", &flash, (0, 1)), "NRq=1 NT=3 MT=3 AMsg=61 MCLs=0 OTOA=1139");
    let flash = Body { class: Some(0), ..text("Ψ", Encoding::Ucs2) };
    assert_eq!(sent("", &flash, (0, 1)), "NRq=1 NT=3 MT=4 NB=16 TMsg=03A8 MCLs=0 OTOA=1139 XSer=020118");
    // UCP has no Latin-1.
    assert_eq!(sent("", &text("é", Encoding::Latin1), (0, 1)), "NRq=1 NT=3 MT=3 AMsg=05 OTOA=1139");
    assert_eq!(sent("", &text("ê", Encoding::Latin1), (0, 1)), "NRq=1 NT=3 MT=4 NB=16 TMsg=00EA OTOA=1139 XSer=020108");
    assert!(sent("", &text(&"ê".repeat(100), Encoding::Latin1), (0, 1)).contains("too long for UCS-2"));
}

#[test]
fn parts_have_their_header() {
    let long = text(&"a".repeat(200), Encoding::Gsm7);
    let second = sent("", &long, (1, 2));
    let header = "XSer=0106050003340202";
    assert_eq!(second, format!("NRq=1 NT=3 MT=3 AMsg={} OTOA=1139 {header}", "61".repeat(47)));
    let wide = Body { wide_reference: true, ..text(&"Ψ".repeat(71), Encoding::Ucs2) };
    assert!(sent("", &wide, (1, 2)).ends_with("XSer=010706080412340202020108"), "{}", sent("", &wide, (1, 2)));
    assert!(sent("", &long, (2, 2)).contains("part 2 was asked for"));
}

#[test]
fn octets_go_as_they_are() {
    assert_eq!(sent("", &binary(&[1, 2], &[], 0x04), (0, 1)), "NRq=1 NT=3 MT=4 NB=16 TMsg=0102 OTOA=1139 XSer=020104");
    let port = [6, 5, 4, 0x15, 0x8A, 0, 0];
    assert_eq!(
        sent("", &binary(&[1], &port, 0xF5), (0, 1)),
        "NRq=1 NT=3 MT=4 NB=8 TMsg=01 OTOA=1139 XSer=0107060504158A00000201F5"
    );
    assert_eq!(sent("", &binary(&[0x1B, 0x65], &[], 0), (0, 1)), "NRq=1 NT=3 MT=3 AMsg=1B65 OTOA=1139");
}

#[test]
fn addresses_by_kind_and_by_configuration() {
    let with = |more: &str, from: &str, to: &str| {
        let (from, to) = (Address::sender(from, None).unwrap(), Address::from_carrier(to, false));
        all_fields(more, &Body { from, to, receipt: ReceiptWish::None, ..text("a", Encoding::Gsm7) }, (0, 1))
    };
    assert_eq!(with("", "60777", "+4912"), "AdC=004912 OAdC=60777 MT=3 AMsg=61");
    assert_eq!(with("", "KANNEL", "60888"), "AdC=60888 OAdC=0BCBA0D3596402 MT=3 AMsg=61 OTOA=5039");
    assert_eq!(with("ucp = { international_prefix = '' }", "60777", "+4912"), "AdC=4912 OAdC=60777 MT=3 AMsg=61");
    assert_eq!(with("", "60777", "SHOP"), "a recipient of UCP is a number");
}

#[test]
fn what_else_a_message_says() {
    let body = Body { receipt: ReceiptWish::All, priority: 3, validity_given: true, ..text("a", Encoding::Gsm7) };
    let more = "protocol_id = 65\nucp = { time_zone = 'Europe/Berlin', authentication_code = '77', \
                notification_address = '12345', notification_pid = '0539' }";
    assert_eq!(
        sent(more, &body, (0, 1)),
        "AC=77 NRq=1 NAdC=12345 NT=7 NPID=539 VP=2211262214 RPID=65 MT=3 AMsg=61 PR=1 OTOA=1139"
    );
    assert!(!sent("validity = 'none'", &body, (0, 1)).contains("VP="));
    let silent = Body { receipt: ReceiptWish::None, ..text("a", Encoding::Gsm7) };
    assert_eq!(sent("ucp = { notification_address = '1' }", &silent, (0, 1)), "MT=3 AMsg=61 OTOA=1139");
}

#[test]
fn older_operations_carry_plain_texts() {
    let plain = text("a", Encoding::Gsm7);
    assert_eq!(sent("ucp = { submit = '30' }", &plain, (0, 1)), "NRq=1 AMsg=61");
    assert_eq!(sent("ucp = { submit = '01' }", &plain, (0, 1)), "MT=3 AMsg=61");
    for body in [text("Ψ", Encoding::Ucs2), text(&"a".repeat(200), Encoding::Gsm7)] {
        assert!(sent("ucp = { submit = '30' }", &body, (0, 2)).contains("plain texts of one part only"));
    }
    let named = Body { from: Address::sender("SHOP", None).unwrap(), ..plain };
    assert!(sent("ucp = { submit = '01' }", &named, (0, 1)).contains("numbers as senders only"));
}

fn mo(message: &ShortMessage<'_>) -> MobileOriginated {
    match incoming::message(message, "00") {
        Incoming::Mo(mo) => *mo,
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_from_phones() {
    let plain = ShortMessage {
        adc: b"60777",
        oadc: b"00447700900123",
        content: ucp::Content::alphanumeric(&[0x68, 0x05, 0x1B, 0x65]),
        ..ShortMessage::default()
    };
    let read = mo(&plain);
    assert_eq!((read.from.as_str(), read.to.as_str()), ("+447700900123", "60777"));
    assert_eq!((read.content.text(), read.encoding, read.concat), (Some("hé€"), Encoding::Gsm7, None));
    let international = ShortMessage { oadc: b"447700900123", otoa: Some(AddressType::INTERNATIONAL), ..plain };
    assert_eq!(mo(&international).from.as_str(), "+447700900123");
    let national = ShortMessage { oadc: b"07700900123", ..plain };
    assert_eq!(mo(&national).from.as_str(), "07700900123");
    let named = ShortMessage { oadc: b"0BCBA0D3596402", otoa: Some(AddressType::ALPHANUMERIC), ..plain };
    assert_eq!(mo(&named).from.as_str(), "KANNEL");
    let digits = ShortMessage { content: ucp::Content::Numeric(b"123"), ..plain };
    assert_eq!(mo(&digits).content.text(), Some("123"));
    assert_eq!(mo(&ShortMessage { content: ucp::Content::Absent, ..plain }).content.text(), Some(""));
}

#[test]
fn messages_from_phones_with_extra_services() {
    let (mut xser, mut udh) = (XserBuf::new(), XserBuf::new());
    xser.push_dcs(8);
    let ucs2 = ShortMessage {
        content: ucp::Content::transparent(&[0x03, 0xA8]),
        xser: xser.as_xsers(),
        mcls: Some(1),
        ..ShortMessage::default()
    };
    let read = mo(&ucs2);
    assert_eq!((read.content.text(), read.encoding, read.class), (Some("Ψ"), Encoding::Ucs2, Some(1)));
    udh.push_udh(&[5, 0, 3, 7, 2, 1]).unwrap();
    let part =
        ShortMessage { content: ucp::Content::alphanumeric(b"one"), xser: udh.as_xsers(), ..ShortMessage::default() };
    let read = mo(&part);
    let concat = Concat { reference: 7, total: 2, sequence: 1, wide: false };
    assert_eq!((read.content.text(), read.concat), (Some("one"), Some(concat)));
    let octets = mo(&ShortMessage { content: ucp::Content::transparent(&[1, 2]), xser: udh.as_xsers(), ..part });
    assert_eq!(octets.content, Content::Binary { data: [1, 2].into(), udh: [5, 0, 3, 7, 2, 1].into(), dcs: 4 });
    let junk = ShortMessage { content: ucp::Content::Alphanumeric(Hex::from_good_digits(b"6Z")), ..part };
    assert_eq!(mo(&junk).content.text(), Some(""));
}

#[test]
fn notifications_say_what_became_of_it() {
    let told = |dst: u8, rsn: u16| {
        let message = ShortMessage {
            adc: b"60777",
            oadc: b"447700900123",
            scts: b"221126201456",
            dst: Some(DeliveryStatus(dst)),
            rsn: Some(Reason(rsn)),
            ..ShortMessage::default()
        };
        match incoming::notification(&message, &Identities::default()) {
            Incoming::Receipt { remote_ids, receipt, addresses } => {
                assert_eq!(remote_ids, [Box::from("447700900123:221126201456")]);
                assert_eq!(addresses, [Box::from("447700900123"), "60777".into()]);
                (receipt.state, receipt.summary())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(0, 0), (ReceiptState::Delivered, "delivered".into()));
    assert_eq!(told(1, 107), (ReceiptState::Intermediate, "buffered err 107".into()));
    assert_eq!(told(2, 0), (ReceiptState::Undelivered, "not delivered err 000".into()));
    assert_eq!(told(7, 1), (ReceiptState::Intermediate, "Dst 7 err 001".into()));
}
