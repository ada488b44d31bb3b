use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cimd2::{Octets, Packet, Piece, Values, next_piece};
use model::ReceiptWish;
use model::resources::{Account, SessionLogin};
use model::submission::EncodingChoice;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

/// 2026-11-22T20:14:56Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);

fn read_with(submit: &Submit<'_>, names: &AccountNames) -> Result<Vec<(Submission, Name)>, ErrorCode> {
    let login: SessionLogin = serde_json::from_str(r#"{"user":"60777","time_zone":"Europe/Berlin"}"#).unwrap();
    let account: Account = serde_json::from_str(r#"{"id":"shop"}"#).unwrap();
    read(submit, Reading { clock: &Clock::of(&login, &account), names, now: NOW })
}

fn one(submit: &Submit<'_>) -> Result<Submission, ErrorCode> {
    read_with(submit, &AccountNames::default()).map(|mut messages| messages.pop().unwrap().0)
}

fn message<'a>() -> Submit<'a> {
    Submit {
        destinations: Values::one(b"447700900123"),
        originator: b"60777",
        text: Some(b"hello"),
        ..Default::default()
    }
}

fn terms(submission: &Submission) -> NamedTerms {
    submission.dialect.as_ref().unwrap().name().unwrap().clone()
}

#[test]
fn a_plain_message_has_a_name_of_its_own() {
    let names = AccountNames::default();
    let (submission, name) = read_with(&message(), &names).unwrap().pop().unwrap();
    assert_eq!((submission.to.as_str(), submission.from.as_deref()), ("447700900123", Some("60777")));
    assert_eq!((submission.text.as_deref(), submission.ingress), (Some("hello"), Ingress::Cimd2));
    assert_eq!((submission.receipt, submission.priority), (ReceiptWish::None, Some(1)));
    // In the clock of the login.
    assert_eq!(name, Name { to: b"447700900123"[..].into(), at: *b"261122211456" });
    let named = NamedTerms { to: "447700900123".into(), from: "60777".into(), at: "261122211456".into(), wish: 0 };
    assert_eq!(terms(&submission), named);
    assert_eq!(&read_with(&message(), &names).unwrap()[0].1.at, b"261122211457", "in the same second");
}

#[test]
fn there_may_be_many_destinations() {
    let destinations = [&b"447700900123"[..], b"+447700900124"];
    let read = read_with(&Submit { destinations: Values::many(&destinations), ..message() }, &AccountNames::default());
    let to: Vec<String> = read.unwrap().into_iter().map(|(submission, _)| submission.to).collect();
    assert_eq!(to, ["447700900123", "+447700900124"]);
    for bad in [&b""[..], b"+", b"44x", b"123456789012345678901"] {
        let submit = Submit { destinations: Values::one(bad), ..message() };
        assert_eq!(one(&submit), Err(ErrorCode::SUBMIT_DESTINATION));
    }
    assert_eq!(one(&Submit { destinations: Values::default(), ..message() }), Err(ErrorCode::SUBMIT_DESTINATION));
}

#[test]
fn senders_are_numbers_or_names() {
    let from = |originator, alpha_originator| one(&Submit { originator, alpha_originator, ..message() }).unwrap().from;
    assert_eq!(from(b"", b""), None);
    assert_eq!(from(b"", b"SHOP_Oa").as_deref(), Some("SHOP@"));
    assert_eq!(from(b"447700900123", b"").as_deref(), Some("447700900123"));
}

#[test]
fn texts_and_octets_as_they_are_described() {
    let text = |submit: Submit<'_>| {
        let read = one(&submit).unwrap();
        (read.text.unwrap(), read.encoding, read.class)
    };
    use EncodingChoice::{Auto, Ucs2};
    assert_eq!(text(Submit { text: Some(b"_Oa_XXe_a\""), ..message() }), ("@€ä".into(), Auto, None));
    assert_eq!(text(Submit { dcs: Some(0xF0), ..message() }), ("hello".into(), Auto, Some(0)));
    let binary = |dcs, octets| Submit { text: None, dcs, binary: Octets::new(octets), ..message() };
    assert_eq!(text(binary(Some(8), &[4, 0x36])), ("ж".into(), Ucs2, None));
    let packed = sms::pack(b"1234567", 0);
    assert_eq!(text(binary(None, &packed)), ("1234567".into(), Auto, None), "packed");
    let octets = |submit: Submit<'_>| {
        let binary = one(&submit).unwrap().binary.unwrap();
        let read = |text: &str| STANDARD.decode(text).unwrap();
        (read(&binary.data), read(binary.udh.as_deref().unwrap_or_default()), binary.dcs.unwrap())
    };
    assert_eq!(octets(binary(Some(0xF5), &[0, 255])), (vec![0, 255], vec![], 0xF5));
    let header = [5, 0, 3, 7, 2, 1];
    let part = Submit { header: Octets::new(&header), ..message() };
    assert_eq!(octets(part), (b"hello".to_vec(), header.to_vec(), 0));
    for (submit, code) in [
        (Submit { binary: Octets::new(&[1]), ..message() }, ErrorCode::SUBMIT_COMBINATION),
        (Submit { dcs: Some(8), ..message() }, ErrorCode::SUBMIT_DCS),
        (Submit { header: Octets::new(&[9, 0]), ..message() }, ErrorCode::SUBMIT_USER_DATA),
    ] {
        assert_eq!(one(&submit), Err(code));
    }
}

#[test]
fn times_are_relative_or_those_of_the_login() {
    let of = |submit: Submit<'_>| one(&submit).map(|read| (read.send_at, read.validity_seconds));
    assert_eq!(of(Submit { validity: Some(RelativeTime(11)), ..message() }), Ok((None, Some(3600))));
    assert_eq!(of(Submit { valid_until: b"261122211600", ..message() }), Ok((None, Some(64))));
    let due = Some("2026-11-22T20:16:00.000Z".to_owned());
    let both = Submit { first_delivery_at: b"261122211600", valid_until: b"261122211700", ..message() };
    assert_eq!(of(both), Ok((due, Some(60))));
    let later = Submit { first_delivery: Some(RelativeTime(0)), ..message() };
    assert_eq!(of(later), Ok((Some("2026-11-22T20:19:56.000Z".into()), None)));
    for (submit, code) in [
        (Submit { validity: Some(RelativeTime::SINGLE_ATTEMPT), ..message() }, ErrorCode::SUBMIT_VALIDITY),
        (Submit { valid_until: b"261122211400", ..message() }, ErrorCode::SUBMIT_VALIDITY),
        (Submit { first_delivery_at: b"x", ..message() }, ErrorCode::SUBMIT_FIRST_DELIVERY),
    ] {
        assert_eq!(of(submit), Err(code));
    }
}

#[test]
fn status_reports_and_priorities() {
    let of = |reports, priority| {
        let submit = Submit { status_reports: Some(StatusReports(reports)), priority, ..message() };
        one(&submit).map(|read| (terms(&read).wish, read.receipt, read.priority.unwrap()))
    };
    use named_wish::{BUFFERED, CANCELED, DELIVERED, EXPIRED, FAILED};
    assert_eq!(of(0, None), Ok((0, ReceiptWish::None, 1)));
    assert_eq!(of(14, Some(1)), Ok((EXPIRED | FAILED | DELIVERED, ReceiptWish::Final, 3)));
    assert_eq!(of(8, Some(9)), Ok((DELIVERED, ReceiptWish::Success, 0)));
    assert_eq!(of(63, Some(5)), Ok((BUFFERED | EXPIRED | FAILED | DELIVERED | CANCELED, ReceiptWish::All, 1)));
    assert_eq!(of(0, Some(10)), Err(ErrorCode::SUBMIT_PRIORITY));
    let read = one(&Submit { protocol_id: Some(65), reply_path: Some(true), ..message() }).unwrap();
    assert_eq!((read.protocol_id, read.reply_path), (Some(65), true));
}

/// Parameters as clients may write them.
fn parameter() -> impl Strategy<Value = String> {
    let tag = prop_oneof![
        Just("021"),
        Just("023"),
        Just("027"),
        Just("030"),
        Just("032"),
        Just("033"),
        Just("034"),
        Just("050"),
        Just("051"),
        Just("052"),
        Just("053"),
        Just("054"),
        Just("055"),
        Just("056"),
        Just("059"),
        Just("060"),
        Just("067"),
        Just("068"),
        Just("500")
    ];
    let value = prop_oneof!["[0-9]{0,20}", "[0-9A-F]{0,40}", "[ -~]{0,20}", "-1", "0?[0-8]", "261122[0-2][0-9]{5}"];
    (tag, value).prop_map(|(tag, value)| format!("{tag}:{value}\t"))
}

proptest! {
    #[test]
    fn whatever_is_submitted_is_read_or_refused(operation in 3u8..=9, parameters in vec(parameter(), 0..20)) {
        let octets = format!("\x02{operation:02}:003\t{}\x03", parameters.concat());
        let Some(Piece::Frame(frame)) = next_piece(octets.as_bytes(), 16_384) else { return Ok(()) };
        if let Ok(packet) = frame.decode() {
            let login: SessionLogin = serde_json::from_str(r#"{"user":"60777"}"#).unwrap();
            let clock = Clock::of(&login, &serde_json::from_str(r#"{"id":"shop"}"#).unwrap());
            if let Packet::Submit(submit) = packet
                && let Ok(messages) = read_with(&submit, &AccountNames::default())
            {
                for (message, name) in messages {
                    prop_assert!(message.text.is_some() != message.binary.is_some());
                    prop_assert_eq!(&*name.to, message.to.as_bytes());
                }
            }
            let _ = crate::cimd2::requests::Request::read(&packet, &clock);
        }
    }
}
