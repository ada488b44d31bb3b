//! Receipts and messages from phones: when, where and how they come.

use std::time::Duration;

use simulator::{IdForm, Mo, MoContent, MoForm, ReceiptForm, SmscSettings};
use smpp::{BindMode, CommandStatus};

use crate::peer::{Came, Peer, start};

#[tokio::test]
async fn a_receipt_may_come_before_its_answer_and_twice() {
    let mut settings = SmscSettings::default();
    settings.receipts.before_response = true;
    settings.receipts.twice = true;
    settings.receipts.id = IdForm::HexToDec;
    settings.receipts.esm_class = 0;
    settings.first_id = 0x60ed_c86a;
    let smsc = start(settings).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(5, "hello");
    let (first, second) = (peer.deliver().await, peer.deliver().await);
    assert_eq!((first.text.clone(), first.esm_class), (second.text, 0));
    assert!(first.text.starts_with(b"id:1626196074 sub:001 dlvrd:001 submit date:"));
    assert_eq!(first.tlv_id.as_deref(), Some(&b"1626196074"[..]));
    assert_eq!((&first.from[..], &first.to[..]), (&b"447700900123"[..], &b"SHOP"[..]));
    assert_eq!(peer.answer().await, (5, CommandStatus::ROK, "60edc86a".into()));
}

#[tokio::test]
async fn a_receipt_follows_its_answer_even_when_both_are_late() {
    let (resp_delay, resp_jitter) = (Duration::from_millis(3), Duration::from_millis(5));
    let mut settings = SmscSettings { resp_delay, resp_jitter, ..SmscSettings::default() };
    settings.receipts.form = ReceiptForm::Tlvs;
    let smsc = start(settings).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(1, "hello");
    let (_, _, id) = peer.answer().await;
    let receipt = peer.deliver().await;
    assert_eq!((receipt.text, receipt.tlv_id), (Vec::new(), Some(id.into_bytes())));
}

#[tokio::test]
async fn a_transmitters_receipts_wait_for_a_receiver() {
    let smsc = start(SmscSettings::default()).await;
    let mut transmitter = Peer::bound(&smsc, BindMode::Transmitter, "shop").await;
    let mut stranger = Peer::bound(&smsc, BindMode::Receiver, "other").await;
    transmitter.submit(1, "hello");
    let (_, _, id) = transmitter.answer().await;
    let mut receiver = Peer::bound(&smsc, BindMode::Receiver, "shop").await;
    assert_eq!(receiver.deliver().await.tlv_id, Some(id.into_bytes()));
    // The stranger gets nothing but what is meant for it.
    let mo = Mo { system_id: Some("other".into()), ..Mo::text("+4477", "60777", "for you") };
    assert_eq!(smsc.inject_mo(&mo), Ok(1));
    assert_eq!(stranger.deliver().await.text, b"for you");
}

#[tokio::test]
async fn receipts_can_go_over_another_connection() {
    let mut settings = SmscSettings::default();
    settings.receipts.elsewhere = true;
    let smsc = start(settings).await;
    let mut one = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    one.submit(1, "alone");
    assert!(matches!(one.next().await, Came::Answer { .. }));
    assert!(one.deliver().await.text.ends_with(b"text:alone"));
    let mut two = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    one.submit(2, "not alone");
    one.answer().await;
    assert!(two.deliver().await.text.ends_with(b"text:not alone"));
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_over_the_next_connection() {
    let smsc = start(SmscSettings::default()).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.answers = false;
    peer.submit(1, "hello");
    let (_, _, id) = peer.answer().await;
    assert_eq!(peer.deliver().await.tlv_id.unwrap(), id.as_bytes());
    drop(peer);
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    assert_eq!(peer.deliver().await.tlv_id.unwrap(), id.as_bytes());
    smsc.close_all();
    while !matches!(peer.next().await, Came::Closed(_)) {}
    assert_eq!((smsc.counters().receipts_sent, smsc.counters().accepted), (2, 1));
}

#[tokio::test]
async fn messages_from_phones_come_in_parts() {
    let smsc = start(SmscSettings::default()).await;
    assert_eq!(smsc.inject_mo(&Mo::text("+4477", "60777", "nobody is there")), Ok(0));
    let mut peer = Peer::bound(&smsc, BindMode::Receiver, "shop").await;
    let text = "ž".repeat(71);
    let content = MoContent::Text { text, form: MoForm::Udh, reference: 9 };
    assert_eq!(smsc.inject_mo(&Mo { content, ..Mo::text("+4477", "60777", "") }), Ok(2));
    let (one, two) = (peer.deliver().await, peer.deliver().await);
    assert_eq!((one.esm_class, one.data_coding, one.text.len()), (0x40, 8, 140));
    assert_eq!(two.text, [5, 0, 3, 9, 2, 2, 1, 0x7E, 1, 0x7E, 1, 0x7E, 1, 0x7E]);
    smsc.wait_until(|counters| counters.mo_acked == 2).await;
}
