//! Connections that break: nothing is lost, and what is doubtful is at most the window.

use std::time::Duration;

use model::Status;
use simulator::{Fault, FaultKind, SmscSettings};

use crate::bench::{Bench, is_bound};

/// Sends messages over an SMSC that breaks once; all must arrive, and all must be delivered.
async fn survives(kind: FaultKind, more: &str) -> simulator::Counters {
    let settings = SmscSettings { faults: vec![Fault { kind, at_submit: 15, times: 2 }], ..SmscSettings::default() };
    let bench = Bench::start(settings, more).await;
    let ids = bench.texts(60).await;
    bench.until_all(&ids, Status::Delivered).await;
    for number in 0..60 {
        let text = format!("message {number}");
        assert!(bench.smsc.times_seen("447700900123", text.as_bytes()) >= 1, "{text} was lost");
    }
    let counters = bench.smsc.counters();
    assert!(counters.faults >= 1 && counters.binds > counters.faults);
    bench.stop().await.stop().await;
    counters
}

#[tokio::test]
async fn closed_without_a_word() {
    let counters = survives(FaultKind::Close, r#""window":5"#).await;
    assert!(counters.duplicates <= 10, "{counters:?}");
}

#[tokio::test]
async fn closed_in_the_middle_of_a_pdu() {
    let counters = survives(FaultKind::CloseMidPdu, r#""window":5"#).await;
    assert!(counters.duplicates <= 10, "{counters:?}");
}

#[tokio::test]
async fn garbage() {
    survives(FaultKind::Garbage, "").await;
}

#[tokio::test]
async fn a_pdu_of_four_gigabytes() {
    survives(FaultKind::HugeLength, "").await;
}

#[tokio::test]
async fn the_smsc_unbinds() {
    let counters = survives(FaultKind::Unbind, r#""window":5"#).await;
    assert_eq!(counters.duplicates, 0);
}

#[tokio::test]
async fn the_smsc_hangs() {
    survives(FaultKind::Hang, r#""response_timeout_seconds":1,"enquire_link_seconds":1"#).await;
}

#[tokio::test]
async fn an_answer_that_never_comes_puts_the_part_in_doubt() {
    let settings = SmscSettings { drop: 1.0, ..SmscSettings::default() };
    let bench = Bench::start(settings, r#""response_timeout_seconds":1,"in_doubt":"fail""#).await;
    let id = bench.text("doubtful").await;
    let message = bench.until(id, Status::Unknown).await;
    assert!(message.progress.events.iter().any(|event| event.what == "in_doubt"), "{message:?}");
    assert_eq!(bench.smsc.times_seen("447700900123", b"doubtful"), 1);
    bench.until_counted(|counters| counters.binds == 2).await;
}

#[tokio::test]
async fn answers_out_of_order_over_several_sessions() {
    let resp_jitter = Duration::from_millis(5);
    let mut settings = SmscSettings { out_of_order: true, resp_jitter, ..SmscSettings::default() };
    settings.receipts.elsewhere = true;
    settings.receipts.delay = (Duration::from_millis(100), Duration::from_millis(150));
    let bench = Bench::start(settings, r#""sessions":3,"window":20"#).await;
    bench.until_states(|states| states.len() == 3 && states.iter().all(is_bound)).await;
    let ids = bench.texts(200).await;
    bench.until_all(&ids, Status::Delivered).await;
    let counters = bench.smsc.counters();
    assert_eq!((counters.binds, counters.accepted, counters.duplicates), (3, 200, 0));
}

#[tokio::test]
async fn a_cut_cable_while_traffic_flows() {
    let bench =
        Bench::start(SmscSettings { resp_delay: Duration::from_millis(2), ..SmscSettings::default() }, "").await;
    let ids = bench.texts(100).await;
    bench.until_counted(|counters| counters.accepted >= 20).await;
    bench.smsc.close_all();
    bench.until_all(&ids, Status::Delivered).await;
    let counters = bench.smsc.counters();
    assert_eq!(counters.distinct, 100);
    assert!(counters.duplicates <= 10, "{counters:?}");
}
