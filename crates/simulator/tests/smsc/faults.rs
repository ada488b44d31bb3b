//! How connections break.

use simulator::{Fault, FaultKind, SmscSettings};
use smpp::{BindMode, CloseReason, CommandStatus};

use crate::peer::{Came, Peer, start};

async fn end_of(kind: FaultKind) -> (CloseReason, u64) {
    let smsc =
        start(SmscSettings { faults: vec![Fault { kind, at_submit: 2, times: 1 }], ..SmscSettings::default() }).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(1, "first");
    assert_eq!(peer.answer().await.0, 1);
    peer.submit(2, "second");
    let reason = loop {
        match peer.next().await {
            Came::Closed(reason) => break reason,
            Came::Deliver(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((smsc.counters().accepted, smsc.counters().faults), (2, 1));
    // It strikes once, so the next connection lives.
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    for token in 1..=2 {
        peer.submit(token, "again");
        while !matches!(peer.next().await, Came::Answer { .. }) {}
    }
    (reason, smsc.counters().duplicates)
}

#[tokio::test]
async fn connections_end_abruptly() {
    assert_eq!(end_of(FaultKind::Close).await, (CloseReason::PeerClosed, 1));
    assert_eq!(end_of(FaultKind::CloseMidPdu).await, (CloseReason::PeerClosed, 1));
}

#[tokio::test]
async fn nonsense_comes() {
    let (CloseReason::Framing(error), _) = end_of(FaultKind::Garbage).await else { panic!("no framing error") };
    assert_eq!(error.command_length, u32::from_be_bytes(*b"HTTP"));
    let (CloseReason::Framing(error), _) = end_of(FaultKind::HugeLength).await else { panic!("no framing error") };
    assert_eq!(error.command_length, u32::MAX);
}

#[tokio::test]
async fn a_connection_that_hangs_can_be_cut() {
    let fault = Fault { kind: FaultKind::Hang, at_submit: 1, times: 1 };
    let smsc = start(SmscSettings { faults: vec![fault], ..SmscSettings::default() }).await;
    let mut peer = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    peer.submit(1, "lost");
    let closed = async { peer.next().await };
    let cut = async {
        smsc.wait_until(|counters| counters.faults == 1).await;
        smsc.close_all();
    };
    assert_eq!(tokio::join!(closed, cut).0, Came::Closed(CloseReason::PeerClosed));
}

#[tokio::test]
async fn binds_are_limited_and_an_ended_one_makes_room() {
    let smsc = start(SmscSettings { max_binds: Some(1), ..SmscSettings::default() }).await;
    let mut first = Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
    let mut second = Peer::connect(&smsc, BindMode::Transceiver, "shop").await;
    assert_eq!(second.next().await, Came::Closed(CloseReason::BindRefused(CommandStatus::RALYBND)));
    let _other_client = Peer::bound(&smsc, BindMode::Transceiver, "bank").await;
    smsc.unbind_all();
    assert_eq!(first.next().await, Came::Closed(CloseReason::PeerUnbound));
    drop(first);
    while smsc.bound() > 0 {
        tokio::task::yield_now().await;
    }
    Peer::bound(&smsc, BindMode::Transceiver, "shop").await;
}
