//! Parts as submissions, and what the SMSC sends as what it means.

use std::sync::Arc;

use cimd2::{Deliver, ErrorCode, Octets, Operation, StatusCode, StatusError, StatusReport, Submit, encode};
use engine::dispatch::{Incoming, MobileOriginated, Outcome};
use model::id::Uuid;
use model::resources::Connector;
use model::{Address, Body, Content, Encoding, MessageId, ReceiptState, ReceiptWish, Timestamp};
use sms::Concat;

use super::answer::{class, detail};
use super::incoming;
use super::outgoing::Outgoing;
use crate::identity::Identities;
use crate::verdict::Verdicts;

/// A connector with these settings, as TOML.
fn connector(more: &str) -> Connector {
    toml::from_str(&format!("id = 'cimd'\nprotocol = 'cimd2'\naddress = 'h:1'\nsystem_id = 'shop'\n{more}")).unwrap()
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

/// The parameters of what is sent after the addresses, or why it can't be.
fn sent(more: &str, body: &Body, part: u8) -> String {
    let all = all_sent(more, body, part);
    all.strip_prefix("021:447700900123 023:4477009001 ").map_or(all.clone(), str::to_owned)
}

fn all_sent(more: &str, body: &Body, part: u8) -> String {
    let connector = connector(more);
    let mut outgoing = Outgoing::new(&connector);
    match outgoing.submission(&connector, &Arc::new(body.clone()), part, body.created_at) {
        Ok(submit) => parameters(&submit),
        Err(reason) => reason.detail.into(),
    }
}

/// As on the wire, with spaces for tabs.
fn parameters(operation: &impl Operation) -> String {
    let mut packet = Vec::new();
    encode(operation, 1, false, &mut packet).unwrap();
    let text = String::from_utf8(packet).unwrap();
    text.trim_start_matches("\u{2}03:001\t").trim_end_matches("\t\u{3}").replace('\t', " ")
}

#[test]
fn texts_go_in_the_alphabet_that_they_need() {
    assert_eq!(sent("", &text("hé[", Encoding::Gsm7), 0), "033:h_e'_XX< 056:62");
    assert_eq!(sent("", &text("hΨ€", Encoding::Ucs2), 0), "030:8 034:006803A820AC 056:62");
    let flash = Body { class: Some(0), ..text("a", Encoding::Gsm7) };
    assert_eq!(sent("", &flash, 0), "030:16 033:a 056:62");
    let flash = Body { class: Some(0), ..text("Ψ", Encoding::Ucs2) };
    assert_eq!(sent("", &flash, 0), "030:24 034:03A8 056:62");
    // CIMD2 has no Latin-1.
    assert_eq!(sent("", &text("é", Encoding::Latin1), 0), "033:_e' 056:62");
    assert_eq!(sent("", &text("ê", Encoding::Latin1), 0), "030:8 034:00EA 056:62");
    assert!(sent("", &text(&"ê".repeat(100), Encoding::Latin1), 0).contains("too long for UCS-2"));
    assert!(sent("", &text("", Encoding::Gsm7), 0).contains("drop empty texts"));
}

#[test]
fn parts_have_their_header() {
    let long = text(&"a".repeat(200), Encoding::Gsm7);
    assert_eq!(sent("", &long, 1), format!("032:050003340202 033:{} 056:62", "a".repeat(47)));
    let wide = Body { wide_reference: true, ..text(&"Ψ".repeat(71), Encoding::Ucs2) };
    assert!(sent("", &wide, 1).starts_with("030:8 032:06080412340202 034:03A8"), "{}", sent("", &wide, 1));
    assert!(sent("", &long, 2).contains("part 2 was asked for"));
}

#[test]
fn octets_go_as_they_are() {
    assert_eq!(sent("", &binary(&[1, 2], &[], 0x04), 0), "030:4 034:0102 056:62");
    let port = [6, 5, 4, 0x15, 0x8A, 0, 0];
    assert_eq!(sent("", &binary(&[1], &port, 0xF5), 0), "030:245 032:060504158A0000 034:01 056:62");
    // Septets that somebody has coded already.
    assert_eq!(sent("", &binary(&[0x1B, 0x65], &[], 0), 0), "033:_XXe 056:62");
}

#[test]
fn addresses_by_kind_and_by_configuration() {
    let with = |more: &str, from: &str, to: &str| {
        let (from, to) = (Address::sender(from, None).unwrap(), Address::from_carrier(to, false));
        all_sent(more, &Body { from, to, receipt: ReceiptWish::None, ..text("a", Encoding::Gsm7) }, 0)
    };
    assert_eq!(with("", "60777", "+4912"), "021:4912 023:60777 033:a 056:0");
    assert_eq!(with("", "Shop_1", "60888"), "021:60888 027:Shop_--1 033:a 056:0");
    assert_eq!(with("cimd2 = { international_prefix = '+' }", "60777", "+4912"), "021:+4912 023:60777 033:a 056:0");
    assert_eq!(with("cimd2 = { originator = false }", "60777", "+4912"), "021:4912 033:a 056:0");
    assert_eq!(with("cimd2 = { own_number = '607' }", "60777", "+4912"), "021:4912 023:77 033:a 056:0");
    assert_eq!(with("", "60777", "SHOP"), "a recipient of CIMD2 is a number");
}

#[test]
fn what_else_a_message_says() {
    let body = Body { receipt: ReceiptWish::All, priority: 3, validity_given: true, ..text("a", Encoding::Gsm7) };
    let more = "protocol_id = 65\ncimd2 = { priority = true, cancel_enabled = true, tariff_class = 7, \
                service_description = 2, status_reports = 14 }";
    let hours = (body.expires_at.as_millis() - body.created_at.as_millis()) / 3_600_000;
    assert_eq!(hours, 1);
    // Twelve times five minutes, counted from 0 (3GPP 23.040 §9.2.3.12.1).
    assert_eq!(sent(more, &body, 0), "033:a 050:11 052:65 056:15 058:1 064:7 065:2 067:1");
    let absolute = "validity = 'absolute'\ncimd2 = { time_zone = 'Europe/Helsinki' }";
    assert_eq!(sent(absolute, &body, 0), "033:a 051:261122231456 056:63");
    assert!(!sent("validity = 'none'", &body, 0).contains("05:"));
    let ordinary = Body { priority: 1, ..text("a", Encoding::Gsm7) };
    assert_eq!(sent("cimd2 = { priority = true }", &ordinary, 0), "033:a 056:62");
}

#[test]
fn what_is_sent_can_be_read_again() {
    let connector = connector("");
    let mut outgoing = Outgoing::new(&connector);
    let body = text("€ [{@", Encoding::Gsm7);
    let submit: Submit<'_> = outgoing.submission(&connector, &Arc::new(body.clone()), 0, body.created_at).unwrap();
    let septets: Vec<u8> = cimd2::septets(submit.text.unwrap()).collect();
    assert_eq!(sms::decode_gsm7(&septets, sms::Shift::default()), "€ [{@");
}

fn mo(message: &Deliver<'_>) -> MobileOriginated {
    match incoming::message(message, "") {
        Incoming::Mo(mo) => *mo,
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_from_phones() {
    let plain = Deliver {
        destination: b"60777",
        originator: b"447700900123",
        text: Some(b"h_e' _XXe \xE4 ]"),
        timestamp: b"261122183520",
        ..Deliver::default()
    };
    let read = mo(&plain);
    assert_eq!((read.from.as_str(), read.to.as_str()), ("+447700900123", "60777"));
    assert_eq!((read.content.text(), read.encoding, read.concat), (Some("hé € ä Å"), Encoding::Gsm7, None));
    for (originator, from) in [("07700900123", "07700900123"), ("+4912345678", "+4912345678"), ("4567", "4567")] {
        assert_eq!(mo(&Deliver { originator: originator.as_bytes(), ..plain }).from.as_str(), from);
    }
    let prefixed = match incoming::message(&Deliver { originator: b"00447700900123", ..plain }, "00") {
        Incoming::Mo(mo) => mo.from,
        other => panic!("{other:?}"),
    };
    assert_eq!(prefixed.as_str(), "+447700900123");
    let ucs2 = Deliver { dcs: Some(8), text: None, binary: Octets::new(&[0x03, 0xA8]), ..plain };
    assert_eq!((mo(&ucs2).content.text(), mo(&ucs2).encoding), (Some("Ψ"), Encoding::Ucs2));
    let part = Deliver { header: Octets::new(&[5, 0, 3, 7, 2, 1]), text: Some(b"one"), ..plain };
    let concat = Concat { reference: 7, total: 2, sequence: 1, wide: false };
    assert_eq!((mo(&part).content.text(), mo(&part).concat), (Some("one"), Some(concat)));
    let data = Deliver { dcs: Some(0xF5), text: None, binary: Octets::new(&[1, 2]), ..part };
    let content = Content::Binary { data: [1, 2].into(), udh: [5, 0, 3, 7, 2, 1].into(), dcs: 0xF5 };
    assert_eq!(mo(&data).content, content);
    // Some pack texts of the default alphabet: "hellohello" (3GPP 23.038 §6.1.2.1).
    let packed = [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37];
    assert_eq!(mo(&Deliver { text: None, binary: Octets::new(&packed), ..plain }).content.text(), Some("hellohello"));
    assert_eq!(mo(&Deliver { text: Some(b""), ..plain }).content.text(), Some(""));
    assert_eq!(mo(&Deliver::default()).content.text(), Some(""));
}

#[test]
fn reports_say_what_became_of_it() {
    let told = |status: Option<u8>, error: u16| {
        let report = StatusReport {
            destination: b"447700900123",
            originator: b"60777",
            timestamp: b"261122201456",
            status: status.map(StatusCode),
            status_error: Some(StatusError(error)),
            ..StatusReport::default()
        };
        match incoming::report(&report, &Identities::default()) {
            Incoming::Receipt { remote_ids, receipt, addresses } => {
                assert_eq!(remote_ids, [Box::from("447700900123:261122201456")]);
                assert_eq!(addresses, [Box::from("447700900123"), "60777".into()]);
                (receipt.state, receipt.summary())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(Some(4), 0), (ReceiptState::Delivered, "delivered".into()));
    assert_eq!(told(Some(2), 0), (ReceiptState::Expired, "validity period expired".into()));
    assert_eq!(told(Some(3), 29), (ReceiptState::Undelivered, "delivery failed err 029".into()));
    for status in [6, 7, 8, 9] {
        assert_eq!(told(Some(status), 0).0, ReceiptState::Undelivered, "{status}");
    }
    for status in [Some(0), Some(1), Some(5), Some(77), None] {
        assert_eq!(told(status, 0).0, ReceiptState::Intermediate, "{status:?}");
    }
}

#[test]
fn error_codes_become_outcomes() {
    let refused = |more: &str, code: u16| {
        let code = ErrorCode(code);
        let message = MessageId(Uuid::nil());
        Verdicts::new(&connector(more)).refused(message, code.0.into(), class(code), detail(code, b"No such"))
    };
    let Outcome::Refused(reason) = refused("", 300) else { panic!("not refused") };
    assert_eq!((&*reason.code, reason.permanent), ("carrier_refused", true));
    assert_eq!(&*reason.detail, "error 300 (destination address is invalid): No such");
    assert!(matches!(refused("", 10), Outcome::Throttled(_)));
    for temporary in [4, 5, 6, 9] {
        assert!(matches!(refused("", temporary), Outcome::Retry { .. }), "{temporary}");
    }
    let more = "status_overrides = { '300' = 'temporary', '9' = 'permanent', '306' = 'accepted' }";
    assert!(matches!(refused(more, 300), Outcome::Retry { .. }));
    assert!(matches!(refused(more, 9), Outcome::Refused(_)));
    assert_eq!(refused(more, 306), Outcome::Sent { remote_id: "".into() });
}
