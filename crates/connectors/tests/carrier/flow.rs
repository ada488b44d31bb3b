//! Messages out, receipts and messages in.

use std::time::Duration;

use model::{Status, Timestamp};
use simulator::{IdForm, IdStyle, Mo, SmscSettings};
use smpp::CommandStatus;

use crate::bench::Bench;

#[tokio::test]
async fn a_message_goes_out_and_its_receipt_comes_back() {
    let bench = Bench::start(SmscSettings::default(), "").await;
    let id = bench.text("hello @ home").await;
    let message = bench.until(id, Status::Delivered).await;
    let [seen] = &bench.smsc.seen()[..] else { panic!("not one message") };
    assert_eq!((&*seen.text, seen.registered_delivery), ("hello @ home", 1));
    assert_eq!(seen.source, (5, 0, "SHOP".into()));
    assert_eq!(message.progress.parts[0].remote_id.as_deref(), Some(&*seen.message_id));
    bench.until_counted(|counters| counters.receipts_acked == 1).await;
    bench.stop().await.stop().await;
}

#[tokio::test]
async fn long_texts_arrive_in_parts_and_are_delivered_whole() {
    let bench = Bench::start(SmscSettings::default(), r#""window":2"#).await;
    let text = "ž".repeat(300);
    let id = bench.text(&text).await;
    assert_eq!(bench.until(id, Status::Delivered).await.progress.parts.len(), 5);
    let mut seen = bench.smsc.seen();
    seen.sort_by_key(|part| part.concat.map(|concat| concat.sequence));
    assert_eq!(seen.iter().map(|part| &*part.text).collect::<String>(), text);
    assert!(seen.iter().all(|part| part.concat.is_some_and(|concat| concat.total == 5)));
}

#[tokio::test]
async fn receipts_before_their_answers_with_other_ids_find_their_messages() {
    let mut settings = SmscSettings::sloppy();
    settings.fail.clear();
    settings.queue_full_every = None;
    settings.ids = IdStyle::Hex;
    settings.receipts.id = IdForm::HexToDec;
    settings.receipts.delay = (Duration::ZERO, Duration::ZERO);
    settings.receipts.states = vec![(sms::receipt::ReceiptState::Delivered, 1.0)];
    let bench = Bench::start(settings, r#""receipt_id":"hex-to-dec","window":50"#).await;
    let ids = bench.texts(60).await;
    bench.until_all(&ids, Status::Delivered).await;
    bench.until_counted(|counters| counters.receipts_acked == 120).await;
    assert_eq!(bench.smsc.counters().duplicates, 0);
}

#[tokio::test]
async fn messages_from_phones_are_kept_before_they_are_acknowledged() {
    let bench = Bench::start(SmscSettings::default(), "").await;
    bench.until_counted(|counters| counters.binds == 1).await;
    let mo = Mo { system_id: Some("shop".into()), ..Mo::text("+447700900123", "60777", &"zażółć ".repeat(30)) };
    assert_eq!(bench.smsc.inject_mo(&mo), Ok(4));
    bench.until_counted(|counters| counters.mo_acked == 4).await;
    assert_eq!(bench.smsc.counters().mo_sent, 4);
}

#[tokio::test]
async fn refusals_end_messages_and_busy_carriers_are_asked_again() {
    let bench = Bench::start(SmscSettings { refuse_binds: None, ..SmscSettings::default() }, "").await;
    bench.smsc.change(|settings| settings.fail = vec![(CommandStatus::RINVDSTADR, 1.0)]);
    let id = bench.text("refused").await;
    let reason = bench.until(id, Status::Rejected).await.progress.reason.unwrap();
    assert_eq!((&*reason.code, reason.smpp_status, reason.permanent), ("carrier_refused", Some(0x0B), true));
    bench.smsc.change(|settings| settings.fail = vec![(CommandStatus::RTHROTTLED, 1.0)]);
    let id = bench.text("throttled").await;
    bench.until_counted(|counters| counters.throttled >= 2).await;
    bench.smsc.change(|settings| settings.fail.clear());
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.times_seen("447700900123", b"throttled"), 1);
}

#[tokio::test]
async fn temporary_refusals_are_tried_again_later() {
    let bench =
        Bench::start(SmscSettings { fail: vec![(CommandStatus::RSYSERR, 1.0)], ..SmscSettings::default() }, "").await;
    let id = bench.text("later").await;
    bench.until_counted(|counters| counters.refused == 1).await;
    bench.smsc.change(|settings| settings.fail.clear());
    let message = bench.until(id, Status::Delivered).await;
    assert_eq!(message.progress.attempts, 1);
}

#[tokio::test]
async fn the_window_is_never_exceeded() {
    let settings = SmscSettings { resp_delay: Duration::from_millis(3), ..SmscSettings::default() };
    let bench = Bench::start(settings, r#""window":7"#).await;
    let ids = bench.texts(50).await;
    bench.until_all(&ids, Status::Delivered).await;
    assert!((1..=7).contains(&bench.smsc.most_unanswered()), "{}", bench.smsc.most_unanswered());
}

#[tokio::test]
async fn validity_and_timestamps_reach_the_carrier() {
    let bench = Bench::start(SmscSettings::default(), "").await;
    let id = bench.submit(r#"{"to":"+447700900123","text":"soon","validity_seconds":3600,"receipt":"all"}"#).await;
    let message = bench.until(id, Status::Delivered).await;
    assert!(message.progress.submitted_at > Some(Timestamp::default()));
    let seen = &bench.smsc.seen()[0];
    assert_eq!(seen.registered_delivery, 0x11);
    assert!(&*seen.validity == "000000010000000R" || seen.validity.starts_with("00000000595"), "{}", seen.validity);
}
