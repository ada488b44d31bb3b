//! cancel_sm and query_sm.

use std::time::Duration;

use simulator::{ReceiptsFor, SmscSettings};
use smpp::{BindMode, CommandStatus};

use crate::peer::{Peer, start};

const ENROUTE: u8 = 1;
const DELIVERED: u8 = 2;
const DELETED: u8 = 4;

#[tokio::test]
async fn a_message_is_on_its_way_until_it_is_taken_back() {
    let mut settings = SmscSettings::default();
    settings.receipts.delay = (Duration::from_secs(3600), Duration::from_secs(3600));
    let smsc = start(settings).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(1, "hello");
    let (_, _, id) = peer.answer().await;
    assert_eq!(peer.query(&id).await, (CommandStatus::ROK, ENROUTE));
    assert_eq!(peer.cancel(&id).await, CommandStatus::ROK);
    assert_eq!(peer.cancel(&id).await, CommandStatus::RCANCELFAIL);
    assert_eq!(peer.query(&id).await, (CommandStatus::ROK, DELETED));
    assert_eq!((smsc.counters().canceled, smsc.counters().inquiries), (1, 4));
}

#[tokio::test]
async fn what_has_ended_is_known_without_a_receipt_and_stays() {
    let mut settings = SmscSettings::default();
    settings.receipts.send = ReceiptsFor::Nothing;
    let smsc = start(settings).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(1, "hello");
    let (_, _, id) = peer.answer().await;
    assert_eq!(peer.query(&id).await, (CommandStatus::ROK, DELIVERED));
    assert_eq!(peer.cancel(&id).await, CommandStatus::RCANCELFAIL);
    assert_eq!(peer.query("none").await.0, CommandStatus::RQUERYFAIL);
}

#[tokio::test]
async fn the_receipt_of_a_message_that_was_taken_back_says_so() {
    let mut settings = SmscSettings::default();
    settings.receipts.delay = (Duration::from_millis(300), Duration::from_millis(300));
    let smsc = start(settings).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(1, "hello");
    let (_, _, id) = peer.answer().await;
    if peer.cancel(&id).await.is_ok() {
        let receipt = String::from_utf8(peer.deliver().await.text).unwrap();
        assert!(receipt.contains("stat:DELETED"), "{receipt}");
    }
}

#[tokio::test]
async fn both_may_be_refused() {
    let smsc = start(SmscSettings {
        refuse_cancels: Some(CommandStatus::RINVCMDID),
        refuse_queries: Some(CommandStatus::RSYSERR),
        ..SmscSettings::default()
    })
    .await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    assert_eq!(peer.cancel("1").await, CommandStatus::RINVCMDID);
    assert_eq!(peer.query("1").await.0, CommandStatus::RSYSERR);
}
