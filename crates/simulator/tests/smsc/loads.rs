//! The load client against the SMSC.

use std::time::Duration;

use simulator::{LoadError, LoadSettings, Memory, ReceiptsFor, SmscSettings};
use smpp::{CloseReason, CommandStatus, InterfaceVersion};

use crate::peer::start;

#[tokio::test]
async fn every_message_is_answered_and_receipted() {
    let smsc = start(SmscSettings::fast()).await;
    let report =
        simulator::load(&LoadSettings { messages: 20_000, ..LoadSettings::new(smsc.address()) }).await.unwrap();
    assert_eq!((report.submitted, report.accepted, report.receipts), (20_000, 20_000, 20_000));
    assert_eq!((report.ended, report.unanswered, report.latencies.count()), (None, 0, 20_000));
    smsc.wait_until(|counters| counters.receipts_acked == 20_000).await;
    let counters = smsc.counters();
    assert_eq!((counters.distinct, counters.duplicates, counters.receipts_sent), (20_000, 0, 20_000));
    assert_eq!(smsc.times_seen("4477000000007", b"load message number 7"), 1);
    assert_eq!(smsc.times_seen("4477000000007", b"load message number 8"), 0);
    smsc.stop().await;
}

#[tokio::test]
async fn a_second_load_of_the_same_messages_is_all_duplicates() {
    let smsc = start(SmscSettings { memory: Memory::Hashes, ..SmscSettings::default() }).await;
    let settings = LoadSettings { messages: 50, receipts: false, ..LoadSettings::new(smsc.address()) };
    for _ in 0..2 {
        assert_eq!(simulator::load(&settings).await.unwrap().receipts, 0);
    }
    simulator::load(&LoadSettings { first: 49, ..settings }).await.unwrap();
    let counters = smsc.counters();
    assert_eq!((counters.accepted, counters.distinct, counters.duplicates), (150, 99, 51));
    assert!(smsc.seen().is_empty());
}

#[tokio::test]
async fn failures_are_drawn_as_configured() {
    let fail = vec![(CommandStatus::RINVDSTADR, 0.2)];
    let mut settings = SmscSettings { fail, queue_full_every: Some(10), ..SmscSettings::default() };
    settings.receipts.send = ReceiptsFor::Everything;
    let smsc = start(settings).await;
    let load = LoadSettings { messages: 2000, receipts: false, ..LoadSettings::new(smsc.address()) };
    let report = simulator::load(&load).await.unwrap();
    assert_eq!((report.throttled, report.accepted + report.refused), (200, 2000));
    assert!((450..=670).contains(&report.refused), "{}", report.refused);
    smsc.wait_until(|counters| counters.receipts_sent >= report.accepted).await;
    assert_eq!(smsc.counters().accepted, report.accepted);
}

#[tokio::test]
async fn binds_are_refused_with_the_reason() {
    let smsc = start(SmscSettings { password: Some("right".into()), ..SmscSettings::default() }).await;
    let load = LoadSettings::new(smsc.address());
    let refused = |error| match error {
        LoadError::NotBound(CloseReason::BindRefused(status)) => status,
        other => panic!("{other}"),
    };
    let status = refused(simulator::load(&load).await.unwrap_err());
    assert_eq!(status, CommandStatus::RINVPASWD);
    smsc.change(|settings| settings.system_id = Some("other".into()));
    assert_eq!(refused(simulator::load(&load).await.unwrap_err()), CommandStatus::RINVSYSID);
    assert_eq!((smsc.counters().binds, smsc.counters().binds_refused), (0, 2));
}

#[tokio::test]
async fn version_3_3_has_short_ids_and_no_tlvs() {
    let smsc = start(SmscSettings { ids: simulator::IdStyle::Uuid, ..SmscSettings::default() }).await;
    let load = LoadSettings { messages: 3, version: InterfaceVersion::V3_3, ..LoadSettings::new(smsc.address()) };
    let report = simulator::load(&LoadSettings { patience: Duration::from_millis(1), ..load }).await.unwrap();
    assert_eq!((report.accepted, report.receipts), (3, 0));
    assert!(smsc.seen().iter().all(|message| message.message_id.len() == 8));
}
