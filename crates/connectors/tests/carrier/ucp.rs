//! The same over UCP/EMI.

use std::time::Duration;

use model::{Encoding, Status};
use simulator::{Fault, FaultKind, UcpSmscSettings};
use ucp::{DeliveryStatus, ErrorCode, OperationType, Reason};

use crate::bench::{Bench, is_bound};

const ALERT: &str = r#""ucp":{"alert_address":"12345"}"#;

#[tokio::test]
async fn a_message_goes_out_and_its_notification_comes_back() {
    let settings =
        UcpSmscSettings { account: Some("shop".into()), password: Some("secret".into()), ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, ALERT).await;
    let id = bench.text("hello @ home").await;
    let message = bench.until(id, Status::Delivered).await;
    let [seen] = &bench.smsc.seen()[..] else { panic!("not one message") };
    assert_eq!((&*seen.text, &*seen.from, &*seen.to), ("hello @ home", "SHOP", "00447700900123"));
    assert_eq!((seen.ot, &*seen.account), (OperationType::SUBMIT, "shop"));
    let remote_id = message.progress.parts[0].remote_id.as_deref().unwrap();
    assert_eq!(Some(remote_id), seen.identity.strip_prefix("00"));
    bench.until_counted(|counters| counters.receipts_acked == 1).await;
    bench.stop().await.stop().await;
}

#[tokio::test]
async fn parts_of_one_second_are_told_apart() {
    let bench = Bench::start_ucp(UcpSmscSettings::default(), &format!(r#""window":2,{ALERT}"#)).await;
    let text = "ž".repeat(300);
    let id = bench.text(&text).await;
    let message = bench.until(id, Status::Delivered).await;
    assert_eq!(message.progress.parts.len(), 5);
    let mut ids: Vec<_> = message.progress.parts.iter().map(|part| part.remote_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let mut seen = bench.smsc.seen();
    seen.sort_by_key(|part| part.concat.map(|concat| concat.sequence));
    assert_eq!(seen.iter().map(|part| &*part.text).collect::<String>(), text);
    assert!(seen.iter().all(|part| part.concat.is_some_and(|concat| concat.total == 5)));
}

#[tokio::test]
async fn messages_from_phones_are_kept_before_they_are_acknowledged() {
    let bench = Bench::start_ucp(UcpSmscSettings::default(), ALERT).await;
    bench.until_states(|states| states.iter().any(is_bound)).await;
    assert_eq!(bench.smsc.inject_mo("+447700900123", "60777", &"zażółć ".repeat(30), 7), Ok(4));
    bench.until_counted(|counters| counters.mo_acked == 4).await;
    assert_eq!(bench.smsc.counters().mo_sent, 4);
    let [mo] = &bench.received().await[..] else { panic!("not one message") };
    assert_eq!(mo.body.content.text(), Some(&*"zażółć ".repeat(30)));
    assert_eq!((mo.body.from.as_str(), mo.body.to.as_str()), ("+447700900123", "60777"));
    assert_eq!(mo.body.encoding, Encoding::Ucs2);
}

#[tokio::test]
async fn refusals_end_messages_and_busy_carriers_are_asked_again() {
    let bench = Bench::start_ucp(UcpSmscSettings::default(), ALERT).await;
    bench.smsc.change(|settings| settings.fail = vec![(ErrorCode::ADC_INVALID, 1.0)]);
    let id = bench.text("refused").await;
    let reason = bench.until(id, Status::Rejected).await.progress.reason.unwrap();
    assert_eq!((&*reason.code, reason.permanent), ("carrier_refused", true));
    assert!(reason.detail.starts_with("error 06"), "{}", reason.detail);
    bench.smsc.change(|settings| settings.fail = vec![(ErrorCode::NOT_ALLOWED, 1.0)]);
    let id = bench.text("busy").await;
    bench.until_counted(|counters| counters.refused >= 2).await;
    bench.smsc.change(|settings| settings.fail.clear());
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.times_seen("00447700900123", b"busy"), 1);
}

#[tokio::test]
async fn what_is_not_delivered_says_why() {
    let outcomes = vec![((DeliveryStatus::NOT_DELIVERED, Reason::ABSENT_SUBSCRIBER), 1.0)];
    let bench = Bench::start_ucp(UcpSmscSettings { outcomes, ..UcpSmscSettings::default() }, ALERT).await;
    let id = bench.text("nobody there").await;
    let reason = bench.until(id, Status::Undelivered).await.progress.reason.unwrap();
    assert_eq!(reason.receipt_err.as_deref(), Some("107"));
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_nothing_is_lost() {
    let faults = [FaultKind::Close, FaultKind::CloseMidPdu, FaultKind::Garbage];
    for kind in faults {
        let faults = vec![Fault { kind, at_submit: 3, times: 2 }];
        let more = format!(r#""window":4,"response_timeout_seconds":1,{ALERT}"#);
        let bench = Bench::start_ucp(UcpSmscSettings { faults, ..UcpSmscSettings::default() }, &more).await;
        let ids = bench.texts(30).await;
        bench.until_all(&ids, Status::Delivered).await;
        for number in 0..30 {
            let times = bench.smsc.times_seen("00447700900123", format!("message {number}").as_bytes());
            assert!((1..=3).contains(&times), "{kind:?}: message {number} was taken {times} times");
        }
        // What was unanswered when it broke may have been taken twice: a window each time.
        assert!(bench.smsc.counters().duplicates <= 8, "{kind:?}: {:?}", bench.smsc.counters());
        bench.stop().await.stop().await;
    }
}

#[tokio::test]
async fn an_smsc_that_falls_silent_is_left() {
    let faults = vec![Fault { kind: FaultKind::Hang, at_submit: 1, times: 1 }];
    let more = format!(r#""enquire_link_seconds":1,"response_timeout_seconds":1,{ALERT}"#);
    let bench = Bench::start_ucp(UcpSmscSettings { faults, ..UcpSmscSettings::default() }, &more).await;
    let id = bench.text("hello").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().connections, 2);
}

#[tokio::test]
async fn a_refused_login_is_told_and_tried_again_slowly() {
    let settings = UcpSmscSettings { password: Some("other".into()), ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, ALERT).await;
    bench
        .until_states(|states| states.iter().any(|state| format!("{state:?}").contains("authentication failure")))
        .await;
    assert_eq!(bench.smsc.counters().binds_refused, 1);
}

#[tokio::test]
async fn links_that_are_known_by_their_address_need_no_login() {
    let settings = UcpSmscSettings { login_required: false, ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, r#""ucp":{"login":false,"alert_address":"12345"}"#).await;
    let id = bench.text("hello").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().binds, 0);
}

#[tokio::test]
async fn older_operations_carry_plain_texts() {
    for (submit, ot, status) in
        [("30", OperationType::MESSAGE_TRANSFER, Status::Delivered), ("01", OperationType::CALL_INPUT, Status::Sent)]
    {
        let more = format!(r#""ucp":{{"submit":"{submit}","alert":false}}"#);
        let bench = Bench::start_ucp(UcpSmscSettings::default(), &more).await;
        let id = bench.submit(r#"{"to":"+447700900123","from":"60777","text":"hello"}"#).await;
        bench.until(id, status).await;
        assert_eq!(bench.smsc.seen()[0].ot, ot);
    }
}

#[tokio::test]
async fn a_message_that_the_smsc_keeps_can_be_asked_about_and_taken_back() {
    let receipt_delay = (Duration::from_secs(600), Duration::from_secs(600));
    let settings = UcpSmscSettings { receipt_delay, ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, ALERT).await;
    let id = bench.text("later").await;
    bench.until(id, Status::Sent).await;
    bench.query(id).await.unwrap();
    assert_eq!(bench.smsc.counters().inquiries, 1);
    let canceled = bench.cancel(id).await.unwrap();
    assert_eq!(canceled.progress.status, Status::Canceled);
    assert_eq!(bench.smsc.counters().canceled, 1);
}

#[tokio::test]
async fn an_smsc_that_never_answers_an_inquiry_can_be_asked_other_things() {
    let receipt_delay = (Duration::from_secs(600), Duration::from_secs(600));
    let settings = UcpSmscSettings { receipt_delay, mute: true, ..UcpSmscSettings::default() };
    let more = format!(r#""window":2,"response_timeout_seconds":1,{ALERT}"#);
    let bench = Bench::start_ucp(settings, &more).await;
    let id = bench.text("later").await;
    bench.until(id, Status::Sent).await;
    bench.query(id).await.expect_err("nobody answers");
    assert_eq!(bench.smsc.counters().inquiries, 1);
    assert_eq!(bench.cancel(id).await.unwrap().progress.status, Status::Canceled);
}

#[tokio::test]
async fn a_message_that_the_smsc_keeps_says_something_else() {
    let hour = Duration::from_secs(3600);
    let settings = UcpSmscSettings { receipt_delay: (hour, hour), ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, ALERT).await;
    let id = bench.text("good morning").await;
    bench.until(id, Status::Sent).await;
    // Its alphabet goes along.
    let replaced = bench.replace(id, r#"{"text":"dobrý večer","validity_seconds":7200}"#).await.unwrap();
    assert_eq!((replaced.body.content.text(), replaced.body.encoding), (Some("dobrý večer"), Encoding::Ucs2));
    let [seen] = &bench.smsc.seen()[..] else { panic!("not one message") };
    assert_eq!((&*seen.text, seen.validity.len()), ("dobrý večer", 10));
    assert_eq!(bench.smsc.counters().replaced, 1);
    // An SMSC that has delivered it knows it no more.
    bench.smsc.change(|settings| settings.refuse_inquiries = Some(ErrorCode::FORWARDED));
    let error = bench.replace(id, r#"{"text":"too late"}"#).await.unwrap_err();
    assert!(error.to_string().contains("error 38"), "{error}");
    assert_eq!(bench.until(id, Status::Sent).await.body.content.text(), Some("dobrý večer"));
}

#[tokio::test]
async fn of_messages_with_one_name_none_is_changed() {
    let hour = Duration::from_secs(3600);
    let settings = UcpSmscSettings { receipt_delay: (hour, hour), ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, ALERT).await;
    // More messages than seconds pass: two of them have one name.
    let ids = bench.texts(20).await;
    bench.until_all(&ids, Status::Sent).await;
    let mut shared = Vec::new();
    for id in ids {
        let message = bench.until(id, Status::Sent).await;
        if message.progress.parts[0].remote_id.as_deref().is_some_and(|remote_id| remote_id.contains('/')) {
            shared.push(id);
        }
    }
    let error = bench.replace(shared[0], r#"{"text":"for one of them"}"#).await.unwrap_err();
    assert!(error.to_string().contains("one name for several messages"), "{error}");
    assert_eq!(bench.smsc.counters().replaced, 0);
}

#[tokio::test]
async fn parts_and_messages_of_one_second_are_asked_about_and_taken_back_each() {
    let hour = Duration::from_secs(3600);
    let settings = UcpSmscSettings { receipt_delay: (hour, hour), ..UcpSmscSettings::default() };
    let bench = Bench::start_ucp(settings, ALERT).await;
    let id = bench.text(&"a".repeat(700)).await;
    let other = bench.submit(r#"{"to":"+447700900124","text":"to another phone"}"#).await;
    bench.until_all(&[id, other], Status::Sent).await;
    let (known, other) = tokio::join!(bench.query(id), bench.query(other));
    let asked = |message: &model::Message| message.progress.events.iter().filter(|event| event.what == "query").count();
    assert_eq!([&known.unwrap(), &other.unwrap()].map(asked), [5, 1]);
    assert_eq!(bench.cancel(id).await.unwrap().progress.status, Status::Canceled);
    assert_eq!(bench.smsc.counters().canceled, 5);
}
