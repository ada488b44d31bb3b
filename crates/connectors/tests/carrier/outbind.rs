//! Carriers that connect by themselves.

use std::net::SocketAddr;
use std::time::Duration;

use engine::dispatch::{Desired, SessionState};
use model::Status;
use simulator::{Mo, SmscSettings};
use smpp::{CommandId, CommandStatus, Outbind, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::bench::{Bench, is_bound};

fn more(listen: &str, allow: &str, rest: &str) -> String {
    format!(r#""outbind":{{"listen":"{listen}","system_id":"centre","password":"knock","allow":["{allow}"]}}{rest}"#)
}

async fn start(rest: &str) -> Bench {
    let smsc = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smsc = simulator::Smsc::start(smsc, SmscSettings::default());
    Bench::start_at(smsc, "", &more("127.0.0.1:0", "127.0.0.0/8", rest)).await
}

/// Where the connector listens, once it does.
async fn door(bench: &Bench) -> SocketAddr {
    bench
        .until_states(|states| {
            states
                .iter()
                .any(|state| matches!(state, SessionState::Down { reason, .. } if reason.starts_with("waits on ")))
        })
        .await;
    let listens = bench.states().await.into_iter().find_map(|state| match state {
        SessionState::Down { reason, .. } => reason.split(' ').nth(2)?.parse().ok(),
        _ => None,
    });
    listens.expect("the address is in the state")
}

/// Sends octets, and reads until the gateway closes or says something.
async fn knock(door: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(door).await.unwrap();
    // It may be closed at once.
    let _ = stream.write_all(octets).await;
    let mut came = vec![0; 1024];
    let read =
        tokio::time::timeout(Duration::from_secs(20), stream.read(&mut came)).await.expect("an answer or an end");
    came.truncate(read.unwrap_or(0));
    came
}

fn outbind(password: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let outbind = Outbind { system_id: b"centre", password: password.as_bytes() };
    encode(&outbind, 1, CommandStatus::ROK, &mut octets).unwrap();
    octets
}

#[tokio::test]
async fn the_carrier_connects_and_messages_go_both_ways() {
    let bench = start("").await;
    let door = door(&bench).await;
    bench.smsc.outbind(door, "centre", "knock").await.unwrap();
    bench.until_states(|states| states.iter().all(is_bound)).await;
    let id = bench.text("over its own connection").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.inject_mo(&Mo::text("+447700900123", "60777", "hello")).unwrap(), 1);
    bench.until_counted(|counters| counters.mo_acked == 1).await;
    // It may come again as soon as it has gone.
    bench.smsc.close_all();
    self::door(&bench).await;
    bench.smsc.outbind(door, "centre", "knock").await.unwrap();
    let id = bench.text("and again").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().binds, 2);
    bench.stop().await;
}

#[tokio::test]
async fn a_receiver_takes_several_connections() {
    let bench = start(r#","bind":"receiver","sessions":2"#).await;
    let door = door(&bench).await;
    for _ in 0..2 {
        bench.smsc.outbind(door, "centre", "knock").await.unwrap();
    }
    bench.until_states(|states| states.len() == 2 && states.iter().all(is_bound)).await;
    assert_eq!(bench.smsc.counters().binds, 2);
}

#[tokio::test]
async fn wrong_credentials_get_no_bind_and_have_to_wait() {
    let bench = start("").await;
    let door = door(&bench).await;
    assert!(knock(door, &outbind("guess")).await.is_empty());
    // Now even the right ones are turned away, until the time is over.
    let mut turned_away = 0;
    loop {
        let came = knock(door, &outbind("knock")).await;
        if came.is_empty() {
            turned_away += 1;
            tokio::task::yield_now().await;
            continue;
        }
        assert_eq!(came.get(4..8), Some(&CommandId::BIND_TRANSCEIVER.0.to_be_bytes()[..]));
        break;
    }
    assert!(turned_away > 0);
}

#[tokio::test]
async fn only_an_outbind_leads_to_a_bind() {
    let bench = start("").await;
    let door = door(&bench).await;
    let mut deliver = Vec::new();
    encode(&smpp::DeliverSm::default(), 7, CommandStatus::ROK, &mut deliver).unwrap();
    let answer = knock(door, &deliver).await;
    assert_eq!(answer.get(4..12), Some(&[0x80, 0, 0, 5, 0, 0, 0, 4][..]), "{answer:?}");
    assert!(knock(door, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.is_empty());
}

#[tokio::test]
async fn other_networks_are_turned_away() {
    let bench = start("").await;
    bench.change("", &more("127.0.0.1:0", "192.0.2.0/24", "")).await;
    let first = door(&bench).await;
    // The old door may still be the one in the state.
    let mut door = first;
    while !knock(door, &outbind("knock")).await.is_empty() {
        door = self::door(&bench).await;
    }
    assert_eq!(bench.smsc.counters().binds, 0);
}

#[tokio::test]
async fn the_port_is_free_when_the_connector_does_not_run() {
    let bench = start("").await;
    let door = door(&bench).await;
    bench.engine.want("a", Desired::Stopped);
    let freed = async {
        while TcpListener::bind(door).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), freed).await.expect("the port to be free");
    bench.engine.want("a", Desired::Running);
    let again = self::door(&bench).await;
    bench.smsc.outbind(again, "centre", "knock").await.unwrap();
    bench.until_states(|states| states.iter().all(is_bound)).await;
    // Other credentials on the same port.
    let other = more(&again.to_string(), "127.0.0.0/8", "").replace("knock", "other");
    bench.change("", &other).await;
    bench.until_states(|states| !states.iter().any(is_bound)).await;
    assert_eq!(self::door(&bench).await, again);
    bench.smsc.outbind(again, "centre", "other").await.unwrap();
    bench.until_states(|states| states.iter().all(is_bound)).await;
    bench.stop().await;
    assert!(TcpListener::bind(again).await.is_ok());
}
