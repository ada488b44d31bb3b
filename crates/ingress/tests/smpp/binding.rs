use ingress::sessions::{SessionLimits, SessionSettings};
use model::SessionProtocol;
use serde_json::json;
use smpp::*;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::{Client, Seen, config, message};
use crate::gateway::{Gateway, shop};

/// What a bind is answered with.
async fn bound(gateway: &Gateway, config: ClientConfig) -> Seen {
    Client::connect(gateway.address, config).await.next().await
}

#[tokio::test]
async fn an_application_binds_in_every_mode_and_version() {
    let gateway = Gateway::start(shop(json!({}))).await;
    for (mode, version, answered) in [
        (BindMode::Transceiver, InterfaceVersion::V3_4, Some(InterfaceVersion::V3_4)),
        (BindMode::Transceiver, InterfaceVersion::V5_0, Some(InterfaceVersion::V5_0)),
        (BindMode::Transmitter, InterfaceVersion::V3_3, None),
        (BindMode::Receiver, InterfaceVersion::V3_4, Some(InterfaceVersion::V3_4)),
    ] {
        let mut config = config(mode);
        config.session.version = version;
        let mut client = Client::connect(gateway.address, config).await;
        assert_eq!(client.next().await, Seen::Bound { system_id: "Postrider".into(), version: answered });
        assert_eq!(gateway.binds.of("shop").len(), 1);
        client.unbind();
        assert_eq!(client.next().await, Seen::Closed(CloseReason::WeUnbound));
        // The connection is closed only after the place is given back.
    }
}

#[tokio::test]
async fn names_and_passwords_are_not_told_apart_and_failures_lock_out() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let wrong = ClientConfig { password: b"wrong".to_vec(), ..config(BindMode::Transceiver) };
    let nobody = ClientConfig { system_id: b"nobody".to_vec(), ..config(BindMode::Transceiver) };
    assert_eq!(bound(&gateway, wrong).await, Seen::BindRefused(CommandStatus::RINVPASWD));
    // Now the address has to wait a second, and its password is not even looked at.
    let right = config(BindMode::Transceiver);
    assert_eq!(bound(&gateway, right).await, Seen::BindRefused(CommandStatus::RBINDFAIL));
    let gateway = Gateway::start(shop(json!({}))).await;
    assert_eq!(bound(&gateway, nobody).await, Seen::BindRefused(CommandStatus::RINVPASWD));
    let metrics = gateway.engine.metrics_text();
    assert!(metrics.contains("postrider_smpp_binds_refused_total{reason=\"system_id\"} 1"), "{metrics}");
}

#[tokio::test]
async fn networks_and_numbers_of_binds_are_limited() {
    let gateway = Gateway::start(shop(json!({ "allow": ["192.0.2.0/24"] }))).await;
    let right = || config(BindMode::Transceiver);
    assert_eq!(bound(&gateway, right()).await, Seen::BindRefused(CommandStatus::RBINDFAIL));
    gateway.change(shop(json!({ "max_binds": 1 }))).await;
    let _first = Client::bind(gateway.address, BindMode::Transceiver).await;
    assert_eq!(bound(&gateway, right()).await, Seen::BindRefused(CommandStatus::RBINDFAIL));
    let limits = SessionLimits { connections_per_address: 1, ..SessionLimits::new(SessionProtocol::Smpp) };
    let gateway =
        Gateway::start_with(shop(json!({})), SessionSettings { limits, ..SessionSettings::new(SessionProtocol::Smpp) })
            .await;
    let _first = Client::bind(gateway.address, BindMode::Transceiver).await;
    let mut second = TcpStream::connect(gateway.address).await.unwrap();
    assert_eq!(second.read(&mut [0; 16]).await.unwrap(), 0, "closed at once");
}

#[tokio::test]
async fn a_login_that_is_changed_ends_its_sessions_and_a_window_does_not() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    gateway.change(shop(json!({ "window": 7, "max_binds": 9 }))).await;
    client.request(&message(b"hello"));
    assert_eq!(client.answer().await.0, CommandStatus::ROK);
    gateway.change(shop(json!({ "password": "another" }))).await;
    assert_eq!(client.next().await, Seen::Closed(CloseReason::PeerUnbound));
    // The client hears of the end a moment before its place is given back.
    while !gateway.binds.of("shop").is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_account_that_is_switched_off_takes_those_below_it_along() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut child = shop(json!({}));
    child["parent"] = json!("chain");
    gateway.change(json!([{ "id": "chain" }, child])).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    gateway.change(json!([{ "id": "chain", "enabled": false }, child])).await;
    assert_eq!(client.next().await, Seen::Closed(CloseReason::PeerUnbound));
    assert_eq!(bound(&gateway, config(BindMode::Transceiver)).await, Seen::BindRefused(CommandStatus::RBINDFAIL));
}

#[tokio::test]
async fn a_receiver_can_not_submit_and_what_is_unknown_is_nacked() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    let mut octets = Vec::new();
    let bind = Bind { system_id: b"shop", password: b"secret", ..Bind::default() };
    encode(&Pdu::Bind(BindMode::Receiver, bind), 1, CommandStatus::ROK, &mut octets).unwrap();
    encode(&message(b"x"), 2, CommandStatus::ROK, &mut octets).unwrap();
    encode(&Pdu::Unknown { id: CommandId(0x77), body: b"" }, 3, CommandStatus::ROK, &mut octets).unwrap();
    encode(&Pdu::EnquireLink, 4, CommandStatus::ROK, &mut octets).unwrap();
    encode(&Pdu::Unbind, 5, CommandStatus::ROK, &mut octets).unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &octets).await.unwrap();
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).await.unwrap();
    let (mut rest, mut seen) = (answers.as_slice(), Vec::new());
    while let Some(frame) = next_frame(rest, 1024).unwrap() {
        seen.push((frame.header.command_id, frame.header.command_status, frame.header.sequence_number));
        rest = &rest[frame.wire_len()..];
    }
    let expected = [
        (CommandId::BIND_RECEIVER_RESP, CommandStatus::ROK, 1),
        (CommandId::SUBMIT_SM_RESP, CommandStatus::RINVBNDSTS, 2),
        (CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, 3),
        (CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, 4),
        (CommandId::UNBIND_RESP, CommandStatus::ROK, 5),
    ];
    assert_eq!(seen, expected);
}
