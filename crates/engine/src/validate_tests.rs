use super::*;
use crate::world::World;
use model::id::Uuid;
use model::resources::{Account, ResourceSet};
use std::sync::Arc;

fn account(json: &str) -> Arc<AccountView> {
    let account: Account = serde_json::from_str(json).unwrap();
    let id = account.id.clone();
    let world = World::compile(1, ResourceSet { accounts: vec![account], ..ResourceSet::default() });
    world.account(&id).unwrap().clone()
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn check(json: &str) -> Result<(Body, Size), Vec<String>> {
    let account = account(r#"{"id":"shop","default_sender":"SHOP","default_country":"GB"}"#);
    let submission: Submission = serde_json::from_str(json).unwrap();
    let choice = submission.encoding;
    let pointers = |faults: Vec<Fault>| faults.into_iter().map(|f| f.pointer).collect::<Vec<_>>();
    let valid = validate(submission, &account, MessageId(Uuid::from_u128(7)), now()).map_err(pointers)?;
    valid.sized(choice, &account, LongForm::Udh).map_err(pointers)
}

#[test]
fn a_plain_message_gets_the_accounts_defaults() {
    let (body, size) = check(r#"{"to":"07700 900123","text":"hello"}"#).unwrap();
    assert_eq!((body.to.as_str(), body.from.as_str()), ("+447700900123", "SHOP"));
    assert_eq!((body.encoding, size.parts, body.priority), (Encoding::Gsm7, 1, 1));
    assert_eq!(body.expires_at, now().plus_seconds(3 * 86_400));
    assert!(!body.validity_given);
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = check(
        r#"{"to":"Bob","from":"TwelveLetter","class":4,"priority":9,"max_parts":0,"send_at":"soon",
            "validity_seconds":0,"callback_url":"ftp://x","tlvs":[{"tag":99999,"hex":""},{"tag":1,"hex":"0g"}]}"#,
    );
    let expected = [
        "/to",
        "/from",
        "/text",
        "/class",
        "/priority",
        "/max_parts",
        "/send_at",
        "/validity_seconds",
        "/callback_url",
        "/tlvs/0/tag",
        "/tlvs/1/hex",
    ];
    assert_eq!(faults.unwrap_err(), expected);
}

#[test]
fn a_text_is_counted_and_held_to_its_limit() {
    let long = "x".repeat(161);
    assert_eq!(check(&format!(r#"{{"to":"+447700900123","text":"{long}"}}"#)).unwrap().1.parts, 2);
    let limited = format!(r#"{{"to":"+447700900123","text":"{long}","max_parts":1}}"#);
    assert_eq!(check(&limited).unwrap_err(), ["/text"]);
    let (body, size) = check(r#"{"to":"+447700900123","text":"Привет"}"#).unwrap();
    assert_eq!((body.encoding, size.parts), (Encoding::Ucs2, 1));
    assert_eq!(check(r#"{"to":"+447700900123","text":"Привет","encoding":"gsm7"}"#).unwrap_err(), ["/text"]);
    let (body, _) = check(r#"{"to":"+447700900123","text":"“quoted”","transliterate":true}"#).unwrap();
    assert_eq!(body.encoding, Encoding::Gsm7);
}

#[test]
fn octets_come_as_base64_with_their_header() {
    let (body, size) =
        check(r#"{"to":"+447700900123","binary":{"data":"AQID","udh":"BgUEFYEAAA==","dcs":245}}"#).unwrap();
    assert_eq!(size.parts, 1);
    assert!(matches!(&body.content, Content::Binary { data, dcs: 245, .. } if **data == [1, 2, 3]));
    assert_eq!(check(r#"{"to":"+447700900123","binary":{"data":"%"}}"#).unwrap_err(), ["/binary/data"]);
    assert_eq!(check(r#"{"to":"+447700900123","text":"x","binary":{"data":""}}"#).unwrap_err(), ["/binary"]);
}

#[test]
fn a_time_that_has_passed_is_due_at_once() {
    let past = check(r#"{"to":"+447700900123","text":"x","send_at":"2025-12-31T00:00:00Z"}"#).unwrap().0;
    assert_eq!(past.send_at, None);
    let ahead = check(r#"{"to":"+447700900123","text":"x","send_at":"2026-01-02T00:00:00Z","validity_seconds":60}"#);
    let ahead = ahead.unwrap().0;
    assert_eq!(ahead.expires_at.millis_since(ahead.send_at.unwrap()), 60_000);
}

#[test]
fn successive_messages_have_different_references() {
    let mut maker = model::IdMaker::default();
    let references: std::collections::HashSet<u16> =
        (0..200).map(|_| reference_of(MessageId(maker.next(now(), 0)))).collect();
    assert_eq!(references.len(), 200);
    let low: std::collections::HashSet<u8> = references.iter().map(|r| *r as u8).collect();
    assert_eq!(low.len(), 200, "8-bit references use the low octet");
}
