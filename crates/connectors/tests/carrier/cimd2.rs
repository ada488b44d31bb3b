//! The same over CIMD2.

use std::time::Duration;

use cimd2::{ErrorCode, StatusCode, StatusError, StatusReports};
use engine::dispatch::SmscOutcome;
use model::{Encoding, Status};
use simulator::{Cimd2SmscSettings, Fault, FaultKind};

use crate::bench::{Bench, is_bound};

#[tokio::test]
async fn a_message_goes_out_and_its_report_comes_back() {
    let settings = Cimd2SmscSettings {
        user: Some("shop".into()),
        password: Some("secret".into()),
        ..Cimd2SmscSettings::default()
    };
    let bench = Bench::start_cimd2(settings, "").await;
    let id = bench.text("hello @ home").await;
    let message = bench.until(id, Status::Delivered).await;
    let [seen] = &bench.smsc.seen()[..] else { panic!("not one message") };
    assert_eq!((&*seen.text, &*seen.from, &*seen.to), ("hello @ home", "SHOP", "447700900123"));
    assert_eq!((seen.status_reports, &*seen.user), (StatusReports::FINAL, "shop"));
    let remote_id = message.progress.parts[0].remote_id.as_deref().unwrap();
    assert_eq!(remote_id, format!("447700900123:{}", seen.timestamp));
    bench.until_counted(|counters| counters.receipts_acked == 1).await;
    bench.stop().await.stop().await;
}

#[tokio::test]
async fn parts_of_one_second_are_told_apart() {
    let bench = Bench::start_cimd2(Cimd2SmscSettings::default(), r#""window":2"#).await;
    let text = "ž".repeat(300);
    let id = bench.text(&text).await;
    let message = bench.until(id, Status::Delivered).await;
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
    let bench = Bench::start_cimd2(Cimd2SmscSettings::default(), "").await;
    bench.until_states(|states| states.iter().any(is_bound)).await;
    assert_eq!(bench.smsc.inject_mo("447700900123", "60777", &"zażółć ".repeat(30), 7), Ok(4));
    bench.until_counted(|counters| counters.mo_acked == 4).await;
    assert_eq!(bench.smsc.counters().mo_sent, 4);
    let [mo] = &bench.received().await[..] else { panic!("not one message") };
    assert_eq!(mo.body.content.text(), Some(&*"zażółć ".repeat(30)));
    assert_eq!((mo.body.from.as_str(), mo.body.to.as_str()), ("+447700900123", "60777"));
    assert_eq!(mo.body.encoding, Encoding::Ucs2);
}

#[tokio::test]
async fn an_account_that_must_ask_for_its_messages_asks() {
    let settings = Cimd2SmscSettings { querying: true, ..Cimd2SmscSettings::default() };
    let bench = Bench::start_cimd2(settings, r#""cimd2":{"delivery_request":true}"#).await;
    bench.until_states(|states| states.iter().any(is_bound)).await;
    bench.smsc.inject_mo("447700900123", "60777", "hello", 1).unwrap();
    let id = bench.text("hello").await;
    bench.until(id, Status::Delivered).await;
    bench.until_counted(|counters| counters.mo_acked == 1).await;
}

#[tokio::test]
async fn refusals_end_messages_and_busy_carriers_are_asked_again() {
    let bench = Bench::start_cimd2(Cimd2SmscSettings::default(), "").await;
    bench.smsc.change(|settings| settings.fail = vec![(ErrorCode::SUBMIT_DESTINATION, 1.0)]);
    let id = bench.text("refused").await;
    let reason = bench.until(id, Status::Rejected).await.progress.reason.unwrap();
    assert_eq!((&*reason.code, reason.permanent), ("carrier_refused", true));
    assert!(reason.detail.starts_with("error 300"), "{}", reason.detail);
    for code in [ErrorCode::CONGESTION, ErrorCode::FAILED] {
        let before = bench.smsc.counters().refused;
        bench.smsc.change(|settings| settings.fail = vec![(code, 1.0)]);
        let id = bench.text(&format!("busy {code}")).await;
        bench.until_counted(|counters| counters.refused >= before + 2).await;
        bench.smsc.change(|settings| settings.fail.clear());
        bench.until(id, Status::Delivered).await;
    }
    assert_eq!(bench.smsc.counters().duplicates, 0);
}

#[tokio::test]
async fn what_is_not_delivered_says_why() {
    let outcomes = vec![((StatusCode::FAILED, StatusError::ABSENT), 1.0)];
    let bench = Bench::start_cimd2(Cimd2SmscSettings { outcomes, ..Cimd2SmscSettings::default() }, "").await;
    let id = bench.text("nobody there").await;
    let reason = bench.until(id, Status::Undelivered).await.progress.reason.unwrap();
    assert_eq!(reason.receipt_err.as_deref(), Some("029"));
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_nothing_is_lost() {
    let faults = [FaultKind::Close, FaultKind::CloseMidPdu, FaultKind::Garbage];
    for kind in faults {
        let faults = vec![Fault { kind, at_submit: 3, times: 2 }];
        let more = r#""window":4,"response_timeout_seconds":1"#;
        let bench = Bench::start_cimd2(Cimd2SmscSettings { faults, ..Cimd2SmscSettings::default() }, more).await;
        let ids = bench.texts(30).await;
        bench.until_all(&ids, Status::Delivered).await;
        for number in 0..30 {
            let times = bench.smsc.times_seen("447700900123", format!("message {number}").as_bytes());
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
    let more = r#""enquire_link_seconds":1,"response_timeout_seconds":1"#;
    let bench = Bench::start_cimd2(Cimd2SmscSettings { faults, ..Cimd2SmscSettings::default() }, more).await;
    let id = bench.text("hello").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().connections, 2);
}

#[tokio::test]
async fn a_refused_login_is_told_and_tried_again_slowly() {
    let settings = Cimd2SmscSettings { password: Some("other".into()), ..Cimd2SmscSettings::default() };
    let bench = Bench::start_cimd2(settings, "").await;
    bench.until_states(|states| states.iter().any(|state| format!("{state:?}").contains("login is invalid"))).await;
    assert_eq!(bench.smsc.counters().binds_refused, 1);
}

#[tokio::test]
async fn an_smsc_that_wants_to_hear_of_no_window_does_not_hear_of_it_again() {
    for (max_window, sessions) in [(None, 1), (Some(5), 2)] {
        let settings = Cimd2SmscSettings { max_window, ..Cimd2SmscSettings::default() };
        let bench = Bench::start_cimd2(settings, &format!(r#""window":10,"sessions":{sessions}"#)).await;
        let ids = bench.texts(10).await;
        bench.until_all(&ids, Status::Delivered).await;
        assert!((1..=sessions).contains(&bench.smsc.counters().binds_refused), "{:?}", bench.smsc.counters());
        bench.stop().await.stop().await;
    }
}

#[tokio::test]
async fn a_message_that_the_smsc_keeps_can_be_asked_about_and_taken_back() {
    let receipt_delay = (Duration::from_secs(600), Duration::from_secs(600));
    let settings = Cimd2SmscSettings { receipt_delay, ..Cimd2SmscSettings::default() };
    let bench = Bench::start_cimd2(settings, "").await;
    let id = bench.text("later").await;
    bench.until(id, Status::Sent).await;
    bench.query(id).await.unwrap();
    assert_eq!(bench.smsc.counters().inquiries, 1);
    let canceled = bench.cancel(id).await.unwrap();
    assert_eq!(canceled.progress.status, Status::Canceled);
    assert_eq!(bench.smsc.counters().canceled, 1);
}

#[tokio::test]
async fn parameters_are_set_and_asked_for_before_anything_goes_out() {
    let tells = vec![(69, "358401000".to_owned())];
    let settings = Cimd2SmscSettings { refuse_sets: vec![64], tells, ..Cimd2SmscSettings::default() };
    let more = r#""cimd2":{"delivery_request":true,"set":{"056":"10","064":"7"},"get":[501,69,56,777]}"#;
    let bench = Bench::start_cimd2(settings, more).await;
    let id = bench.text("hello").await;
    bench.until(id, Status::Delivered).await;
    let status = bench.engine.connectors().await.unwrap().remove(0);
    let answers = status.smsc.expect("answers").answers.clone();
    let asked: Vec<_> = answers.iter().map(|answer| (answer.operation, answer.parameter, answer.name)).collect();
    let reports = Some("status_report_request");
    assert_eq!(asked[..2], [("set", 56, reports), ("set", 64, Some("tariff_class"))]);
    assert_eq!(
        asked[2..],
        [
            ("get", 501, Some("smsc_time")),
            ("get", 69, Some("service_center_address")),
            ("get", 56, reports),
            ("get", 777, None),
        ]
    );
    let outcomes: Vec<_> = answers.into_iter().map(|answer| answer.outcome).collect();
    let is = |value: &str| SmscOutcome::Is(value.into());
    assert_eq!([&outcomes[0], &outcomes[3], &outcomes[4]], [&is("10"), &is("358401000"), &is("10")]);
    assert!(matches!(&outcomes[2], SmscOutcome::Is(time) if time.len() == 12), "{outcomes:?}");
    for (refused, code) in [(1, "error 3"), (5, "error 900")] {
        assert!(matches!(&outcomes[refused], SmscOutcome::Refused(error) if error.starts_with(code)), "{outcomes:?}");
    }
    assert_eq!(bench.smsc.counters().binds, 1, "a refusal is no reason to leave");
    let metrics = bench.engine.metrics_text();
    for (ask, outcome, times) in [("set", "refused", 1), ("set", "answered", 1), ("get", "answered", 3)] {
        let line = format!(r#"postrider_inquiries_total{{connector="a",ask="{ask}",outcome="{outcome}"}} {times}"#);
        assert!(metrics.contains(&line), "{line}");
    }
}
