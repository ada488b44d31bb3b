use std::sync::Arc;

use model::message::{Progress, Tlv};
use model::{MessageId, Status};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn plain() -> Message {
    let at = Timestamp::from_millis(1_795_378_496_007);
    let id = MessageId(model::id::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
    let body = Body { id, content: Content::Text("Your code is 123456".into()), ..model::samples::body(at) };
    Message { body: Arc::new(body), progress: Progress::accepted(Status::Queued, Some("a".into()), 1, at) }
}

fn rendered(message: &Message) -> Value {
    let mut out = String::new();
    message_json(message, &mut out);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
}

#[test]
fn a_plain_message_has_the_usual_fields_and_no_others() {
    let expected = json!({
        "id": "01900000-0000-7000-8000-000000000001", "direction": "mt", "ingress": "http", "status": "queued", "reason": null,
        "to": "+447700900123", "from": "SHOP", "text": "Your code is 123456", "encoding": "gsm7",
        "transliterate": false, "priority": 1, "receipt": "final", "client_ref": null,
        "parts": [{"n": 1, "status": "queued", "remote_id": null, "submitted_at": null, "final_at": null}],
        "connector": "a", "route": null, "price": null, "created_at": "2026-11-22T20:14:56.007Z", "submitted_at": null,
        "final_at": null, "expires_at": "2026-11-22T21:14:56.007Z",
    });
    assert_eq!(rendered(&plain()), expected);
}

#[test]
fn what_was_asked_for_comes_back() {
    let mut message = plain();
    let body = Arc::make_mut(&mut message.body);
    let at = body.created_at;
    body.content = Content::Binary { data: Box::new([0, 255, 7]), udh: Box::new([5, 0, 3, 1, 2, 1]), dcs: 245 };
    body.encoding = Encoding::Binary;
    body.ingress = model::Ingress::Smpp;
    body.transliterate = true;
    body.class = Some(0);
    body.priority = 3;
    body.receipt = model::ReceiptWish::All;
    body.client_ref = Some("order \"7\"".into());
    body.tags = vec![("a".into(), "1".into()), ("b".into(), "ü\u{0}".into())];
    body.callback_url = Some("https://example.com/cb?x=1&y=2".into());
    body.tlvs = vec![Tlv { tag: 0x1401, value: Box::new([0xde, 0xad]) }, Tlv { tag: 65_535, value: Box::new([]) }];
    body.batch = Some(model::BatchId(model::id::Uuid::from_u128(7)));
    body.send_at = Some(at.plus_seconds(60));
    body.expires_at = at.plus_seconds(60 + 90);
    body.validity_given = true;
    let progress = &mut message.progress;
    progress.status = Status::Rejected;
    progress.reason = Some(Box::new(Reason { smpp_status: Some(0x45), ..Reason::new("carrier_refused", "no", true) }));
    progress.submitted_at = Some(at);
    progress.final_at = Some(at.plus_millis(993));
    progress.parts[0] = Part {
        status: PartStatus::InDoubt,
        remote_id: Some("0a\\1".into()),
        submitted_at: Some(at),
        final_at: Some(at),
    };
    let value = rendered(&message);
    assert_eq!(value["binary"], json!({"data": "AP8H", "udh": "BQADAQIB", "dcs": 245}));
    assert_eq!(value.get("text"), None);
    assert_eq!(value["ingress"], "smpp");
    assert_eq!(value["class"], 0);
    assert_eq!(value["priority"], 3);
    assert_eq!(value["transliterate"], true);
    assert_eq!(value["receipt"], "all");
    assert_eq!(value["client_ref"], "order \"7\"");
    assert_eq!(value["tags"], json!({"a": "1", "b": "ü\u{0}"}));
    assert_eq!(value["callback_url"], "https://example.com/cb?x=1&y=2");
    assert_eq!(value["tlvs"], json!([{"tag": 0x1401, "hex": "dead"}, {"tag": 65_535, "hex": ""}]));
    assert_eq!(value["batch_id"], "00000000-0000-0000-0000-000000000007");
    assert_eq!(value["send_at"], "2026-11-22T20:15:56.007Z");
    assert_eq!(value["validity_seconds"], 90);
    assert_eq!(value["status"], "rejected");
    let reason = json!({
        "code": "carrier_refused", "detail": "no", "smpp_status": 69, "receipt_stat": null, "receipt_err": null,
        "permanent": true,
    });
    assert_eq!(value["reason"], reason);
    let part = json!({
        "n": 1, "status": "in_doubt", "remote_id": "0a\\1", "submitted_at": "2026-11-22T20:14:56.007Z",
        "final_at": "2026-11-22T20:14:56.007Z",
    });
    assert_eq!(value["parts"], json!([part]));
    assert_eq!(value["final_at"], "2026-11-22T20:14:57.000Z");
}

#[test]
fn what_a_route_made_of_it_is_shown_where_it_differs() {
    let mut message = plain();
    message.progress.taken_by("uk");
    let body = Arc::make_mut(&mut message.body);
    let money = serde_json::from_value(json!({ "amount": "0.07", "currency": "EUR" })).unwrap();
    body.plan = Plan { price: Some(money), ..Plan::default() }.boxed();
    let value = rendered(&message);
    assert_eq!((&value["route"], &value["price"]), (&json!("uk"), &json!({ "amount": "0.07", "currency": "EUR" })));
    for few in ["pool", "connectors", "sent_as", "copy_of"] {
        assert_eq!(value.get(few), None);
    }
    let body = Arc::make_mut(&mut message.body);
    body.plan = Plan {
        pool: Some("europe".into()),
        connectors: vec!["a".into(), "b".into()],
        from: Some(Address::from_carrier("60777", false)),
        text_append: Some(" \"STOP\"".into()),
        copy_of: Some(MessageId(model::id::Uuid::from_u128(7))),
        ..Plan::default()
    }
    .boxed();
    let value = rendered(&message);
    assert_eq!(
        (&value["from"], &value["pool"], &value["connectors"]),
        (&json!("SHOP"), &json!("europe"), &json!(["a", "b"]))
    );
    assert_eq!(value["sent_as"], json!({ "from": "60777", "text_append": " \"STOP\"" }));
    assert_eq!(value["copy_of"], "00000000-0000-0000-0000-000000000007");
}

#[test]
fn every_status_of_a_part_has_the_word_that_the_store_uses() {
    use PartStatus::*;
    for status in [Queued, InDoubt, Sent, Delivered, Undelivered, Expired, Rejected, Unknown, Failed, Canceled] {
        let mut message = plain();
        message.progress.parts[0].status = status;
        assert_eq!(rendered(&message)["parts"][0]["status"], serde_json::to_value(status).unwrap());
    }
}

#[test]
fn timeline_entries_leave_out_what_they_do_not_have() {
    let at = Timestamp::from_millis(1_795_378_496_007);
    let mut out = String::new();
    event_json(&Event { at, what: "accepted".into(), part: None, detail: None }, &mut out);
    assert_eq!(out, r#"{"at":"2026-11-22T20:14:56.007Z","event":"accepted"}"#);
    out.clear();
    event_json(&Event { at, what: "sent".into(), part: Some(255), detail: Some("a \"b\"".into()) }, &mut out);
    assert_eq!(out, r#"{"at":"2026-11-22T20:14:56.007Z","event":"sent","part":255,"detail":"a \"b\""}"#);
}

proptest! {
    #[test]
    fn any_text_is_escaped_as_json(text in any::<String>()) {
        let mut out = String::new();
        push_text(&text, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn control_characters_are_escaped_as_json(text in "[\\x00-\\x7f\"\\\\\u{80}-\u{9f}\u{2028}\u{10ffff}]{0,64}") {
        let mut out = String::new();
        push_text(&text, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn times_are_written_as_everywhere_else(millis in any::<i64>(), near in -70_000_000_000_000i64..260_000_000_000_000) {
        for at in [millis, near].map(Timestamp::from_millis) {
            let mut out = String::new();
            push_time(at, &mut out);
            if at.civil().is_some_and(|t| (0..=9999).contains(&t.year())) {
                assert_eq!(out, format!("\"{at}\""));
            }
            assert!(serde_json::from_str::<String>(&out).is_ok());
        }
    }

    #[test]
    fn numbers_are_written_in_decimal(value in any::<u64>()) {
        let mut out = String::new();
        push_number(value, &mut out);
        assert_eq!(out, value.to_string());
    }
}
