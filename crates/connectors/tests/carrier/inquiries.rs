//! cancel_sm, query_sm and replace_sm for parts that the SMSC has.

use std::time::Duration;

use engine::{CancelError, CarrierError, QueryError, ReplaceError};
use model::{PartStatus, Status};
use simulator::{ReceiptsFor, SmscSettings};
use smpp::CommandStatus;

use crate::bench::{Bench, is_bound};

/// An SMSC that keeps messages for an hour.
fn slow() -> SmscSettings {
    let mut settings = SmscSettings::default();
    settings.receipts.delay = (Duration::from_secs(3600), Duration::from_secs(3600));
    settings
}

/// One that never sends a receipt.
fn silent() -> SmscSettings {
    let mut settings = SmscSettings::default();
    settings.receipts.send = ReceiptsFor::Nothing;
    settings
}

#[tokio::test]
async fn every_part_is_taken_back_with_the_addresses_of_its_submission() {
    for more in
        ["", r#""plus_sign":true,"source":{"ton":5,"npi":0},"service_type":"CMT""#, r#""bind":"transmitter+receiver""#]
    {
        let bench = Bench::start(slow(), more).await;
        let id = bench.text(&"a".repeat(400)).await;
        bench.until(id, Status::Sent).await;
        let canceled = bench.cancel(id).await.unwrap();
        assert_eq!(canceled.progress.status, Status::Canceled, "{more}");
        assert_eq!(bench.smsc.counters().canceled, 3);
        bench.stop().await;
    }
}

#[tokio::test]
async fn what_the_smsc_keeps_goes_on_to_the_phone() {
    let bench = Bench::start(SmscSettings { refuse_cancels: Some(CommandStatus::RCANCELFAIL), ..slow() }, "").await;
    let id = bench.text("too late").await;
    bench.until(id, Status::Sent).await;
    let error = bench.cancel(id).await.unwrap_err();
    assert!(error.to_string().contains("0x00000011 ESME_RCANCELFAIL"), "{error}");
    assert_eq!(bench.until(id, Status::Sent).await.progress.parts[0].status, PartStatus::Sent);
}

#[tokio::test]
async fn an_smsc_without_these_operations_loses_nothing_but_the_answer() {
    let unknown = Some(CommandStatus::RINVCMDID);
    let bench = Bench::start(SmscSettings { refuse_cancels: unknown, refuse_queries: unknown, ..slow() }, "").await;
    let id = bench.text("old").await;
    bench.until(id, Status::Sent).await;
    let refused =
        |error: &CarrierError| matches!(error, CarrierError::Refused { reason, .. } if reason.smpp_status == Some(3));
    let Err(CancelError::Carrier(error)) = bench.cancel(id).await else { panic!("canceled") };
    assert!(refused(&error), "{error}");
    let Err(QueryError::Carrier(error)) = bench.query(id).await else { panic!("known") };
    assert!(refused(&error), "{error}");
    assert_eq!(bench.smsc.counters().binds, 1);
}

#[tokio::test]
async fn an_smsc_that_never_answers_them_keeps_its_session() {
    let settings = SmscSettings { ignore_inquiries: true, ..slow() };
    let bench = Bench::start(settings, r#""response_timeout_seconds":1,"window":2"#).await;
    let ids = bench.texts(3).await;
    bench.until_all(&ids, Status::Sent).await;
    let no_answer = |error: CancelError| assert_eq!(error, CancelError::Carrier(CarrierError::NoAnswer("a".into())));
    let (one, two) = tokio::join!(bench.cancel(ids[0]), bench.cancel(ids[1]));
    no_answer(one.unwrap_err());
    no_answer(two.unwrap_err());
    assert_eq!((bench.smsc.counters().inquiries, bench.smsc.counters().binds), (2, 1));
    bench.smsc.change(|settings| settings.ignore_inquiries = false);
    assert_eq!(bench.cancel(ids[2]).await.unwrap().progress.status, Status::Canceled);
    assert_eq!(bench.smsc.counters().binds, 1);
}

#[tokio::test]
async fn a_receipt_that_never_comes_is_asked_for() {
    let bench = Bench::start(silent(), "").await;
    let id = bench.text(&"a".repeat(200)).await;
    bench.until(id, Status::Sent).await;
    let known = bench.query(id).await.unwrap();
    assert_eq!(known.progress.status, Status::Delivered);
    assert!(known.progress.events.iter().any(|event| &*event.what == "query"));
    assert_eq!(bench.smsc.counters().inquiries, 2);
    // What has ended is not asked about again.
    bench.query(id).await.unwrap();
    assert_eq!(bench.smsc.counters().inquiries, 2);
}

#[tokio::test]
async fn the_connector_asks_by_itself_after_a_while() {
    let bench = Bench::start(silent(), r#""query_after_seconds":1"#).await;
    let id = bench.text(&"a".repeat(200)).await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().inquiries, 2);
}

#[tokio::test]
async fn a_receiver_can_ask_nobody() {
    let bench = Bench::start(slow(), "").await;
    let id = bench.text("sent by another bind").await;
    bench.until(id, Status::Sent).await;
    let address = bench.smsc.address().to_string();
    bench.change(&address, r#""bind":"receiver""#).await;
    bench.until_counted(|counters| counters.binds == 2).await;
    bench.until_states(|states| states.iter().all(is_bound) && !states.is_empty()).await;
    assert_eq!(bench.cancel(id).await, Err(CancelError::Carrier(CarrierError::NoSession("a".into()))));
}

#[tokio::test]
async fn the_smsc_sends_another_text_until_another_end() {
    for more in ["", r#""plus_sign":true,"source":{"ton":5,"npi":0}"#] {
        let bench = Bench::start(slow(), more).await;
        let id = bench.text("good morning").await;
        bench.until(id, Status::Sent).await;
        let replaced = bench.replace(id, r#"{"text":"good évening","validity_seconds":7200}"#).await.unwrap();
        assert_eq!(replaced.body.content.text(), Some("good évening"), "{more}");
        let [seen] = &bench.smsc.seen()[..] else { panic!("not one message") };
        assert_eq!((&*seen.text, bench.smsc.counters().replaced), ("good évening", 1), "{more}");
        assert!(seen.validity.starts_with("0000000"), "two hours are left: {}", seen.validity);
        bench.stop().await;
    }
}

#[tokio::test]
async fn receipts_are_those_of_the_other_text() {
    let mut settings = SmscSettings::default();
    settings.receipts.delay = (Duration::from_millis(500), Duration::from_millis(500));
    let bench = Bench::start(settings, "").await;
    let id = bench.submit(r#"{"to":"+447700900123","text":"one","receipt":"none"}"#).await;
    bench.until(id, Status::Sent).await;
    // A machine that is slow may be too late.
    if bench.replace(id, r#"{"text":"two","receipt":"final"}"#).await.is_ok() {
        assert_eq!(bench.until(id, Status::Delivered).await.body.content.text(), Some("two"));
    }
}

#[tokio::test]
async fn what_replace_sm_can_not_say_is_not_said() {
    let bench = Bench::start(SmscSettings { refuse_replaces: Some(CommandStatus::RREPLACEFAIL), ..slow() }, "").await;
    let id = bench.text("plain").await;
    bench.until(id, Status::Sent).await;
    let why = |error| match error {
        ReplaceError::Carrier(CarrierError::Refused { reason, .. }) => *reason,
        error => panic!("{error}"),
    };
    let another_alphabet = why(bench.replace(id, r#"{"text":"漢字"}"#).await.unwrap_err());
    assert!(another_alphabet.detail.contains("alphabet"), "{}", another_alphabet.detail);
    assert_eq!(bench.smsc.counters().inquiries, 0);
    assert_eq!(why(bench.replace(id, r#"{"text":"other"}"#).await.unwrap_err()).smpp_status, Some(0x13));
    assert_eq!(bench.until(id, Status::Sent).await.body.content.text(), Some("plain"));
}
