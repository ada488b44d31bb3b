use std::sync::Arc;

use ingress::sessions::SessionSettings;
use model::{ReceiptState, SessionProtocol, Status};
use serde_json::{Value, json};
use store::{MemoryStore, StoreError};
use ucp::*;

use crate::gateway::Gateway;
use crate::ucp_client::{Client, Seen, message};
use crate::{new_store, shop};

async fn start(more: Value) -> Gateway {
    start_on(&new_store(), more).await
}

async fn start_on(store: &Arc<MemoryStore>, more: Value) -> Gateway {
    crate::start(SessionProtocol::Ucp, store, more).await
}

/// What a login is answered with.
async fn login(gateway: &Gateway, user: &str, password: &str) -> Seen {
    Client::connect(gateway.address, user, password).await.next().await
}

#[tokio::test]
async fn names_and_passwords_are_not_told_apart_and_failures_lock_out() {
    let gateway = start(json!({})).await;
    assert_eq!(login(&gateway, "60777", "wrong").await, Seen::Refused(ErrorCode::AUTHENTICATION));
    // Now the address has to wait a second, and its password is not even looked at.
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Refused(ErrorCode::NOT_ALLOWED));
    let gateway = start(json!({})).await;
    assert_eq!(login(&gateway, "nobody", "secret").await, Seen::Refused(ErrorCode::AUTHENTICATION));
    let metrics = gateway.engine.metrics_text();
    assert!(metrics.contains("postrider_ucp_logins_refused_total{reason=\"system_id\"} 1"), "{metrics}");
}

#[tokio::test]
async fn networks_and_numbers_of_sessions_are_limited() {
    let gateway = start(json!({ "allow": ["192.0.2.0/24"] })).await;
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Refused(ErrorCode::NOT_ALLOWED));
    gateway.change(shop(SessionProtocol::Ucp, json!({ "max_sessions": 1 }))).await;
    let mut first = Client::login(gateway.address).await;
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Refused(ErrorCode::NOT_ALLOWED));
    let sessions = gateway.binds.of("shop");
    assert_eq!((sessions.len(), sessions[0].protocol, sessions[0].version), (1, "ucp", None));
    gateway.change(shop(SessionProtocol::Ucp, json!({ "password": "other" }))).await;
    assert_eq!(first.next().await, Seen::Closed, "its login is not right any more");
}

#[tokio::test]
async fn a_notification_comes_until_it_is_acknowledged() {
    let store = new_store();
    let gateway = start_on(&store, json!({ "time_zone": "Europe/Berlin" })).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::login(gateway.address).await;
    let first = client.submit(&message(b"one")).await;
    let second = client.submit(&message(b"two")).await;
    assert_ne!(first, second, "in the same second");
    assert_eq!(gateway.messages().await.len(), 2, "durable when it is answered");
    carrier.accept(2).await;
    carrier.receipt("c2", ReceiptState::Undelivered, "UNDELIV", "101").await;
    let came = client.came().await;
    assert_eq!((came.ot, came.outcome), (OperationType::NOTIFY, Some((2, 101))));
    assert_eq!((came.adc.as_str(), came.oadc.as_str(), &came.scts), ("60777", "00447700900123", &second));
    assert!(
        came.text.starts_with(&format!("Message for 00447700900123, with identification {second}, has")),
        "{came:?}"
    );
    // It goes away without an answer.
    drop(client);
    carrier.receipt("c1", ReceiptState::Delivered, "DELIVRD", "000").await;
    let mut client = Client::login(gateway.address).await;
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let came = client.came().await;
        client.acknowledge(came.trn).await;
        outcomes.push((came.scts, came.outcome));
    }
    outcomes.sort();
    let mut expected = [(first, Some((0, 0))), (second, Some((2, 101)))];
    expected.sort();
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn what_waits_is_told_to_the_next_process_and_names_go_on() {
    let store = new_store();
    let gateway = start_on(&store, json!({})).await;
    let mut client = Client::login(gateway.address).await;
    let mut names: Vec<String> = Vec::new();
    for _ in 0..5 {
        names.push(client.submit(&message(b"hello")).await);
    }
    drop(client);
    // Another process on the same store, in the same second.
    gateway.engine.stop().await;
    let gateway = start_on(&store, json!({})).await;
    let mut client = Client::login(gateway.address).await;
    names.push(client.submit(&message(b"hello")).await);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6, "no two have one name");
    let mut carrier = gateway.carrier();
    carrier.accept(6).await;
    for n in 1..=6 {
        carrier.receipt(&format!("c{n}"), ReceiptState::Delivered, "DELIVRD", "000").await;
    }
    let mut told = Vec::new();
    for _ in 0..6 {
        let came = client.came().await;
        client.acknowledge(came.trn).await;
        told.push(came.scts);
    }
    told.sort();
    assert_eq!(told, names);
}

#[tokio::test]
async fn a_long_message_from_a_phone_keeps_to_the_window() {
    let gateway = start(json!({ "window": 1 })).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::login(gateway.address).await;
    carrier.mo(&"a".repeat(200)).await;
    carrier.mo("short").await;
    let first = client.came().await;
    assert_eq!((first.ot, first.adc.as_str(), first.oadc.as_str()), (OperationType::DELIVER, "60777", "447700900123"));
    assert_eq!((first.otoa, first.text.len(), first.more), (Some(AddressType::INTERNATIONAL), 153, true));
    assert_eq!((first.udh.len(), first.udh[4..].to_vec()), (6, vec![2, 1]));
    client.acknowledge(first.trn).await;
    let second = client.came().await;
    assert_eq!((second.text.len(), second.udh[4..].to_vec(), second.more), (47, vec![2, 2], false));
    client.acknowledge(second.trn).await;
    assert_eq!(client.came().await.text, "short");
}

#[tokio::test]
async fn messages_are_asked_about_changed_and_taken_back() {
    let gateway = start(json!({})).await;
    let mut client = Client::login(gateway.address).await;
    let scts = client.submit(&message(b"hello")).await;
    let named =
        |content| ShortMessage { adc: b"00447700900123", scts: scts.as_bytes(), content, ..ShortMessage::default() };
    let about = named(Content::Absent);

    let (code, sm) = client.ask(&Operation::Inquire(about)).await;
    assert_eq!((code, sm), (None, format!("00447700900123:{scts}")));
    let state = client.came().await;
    assert_eq!((state.ot, state.outcome, &state.scts), (OperationType::INQUIRY_RESPONSE, Some((1, 105)), &scts));
    client.acknowledge(state.trn).await;

    let other = named(Content::alphanumeric(b"other"));
    assert_eq!(client.ask(&Operation::Modify(other)).await.0, None);
    assert_eq!(gateway.messages().await[0].body.content.text(), Some("other"));

    assert_eq!(client.ask(&Operation::Delete(about)).await.0, None);
    let deleted = client.came().await;
    assert_eq!((deleted.ot, deleted.outcome), (OperationType::NOTIFY, Some((2, 108))));
    client.acknowledge(deleted.trn).await;
    assert_eq!(gateway.messages().await[0].progress.status, Status::Canceled);
    assert_eq!(client.ask(&Operation::Delete(about)).await.0, Some(ErrorCode::FORWARDED));
    let unknown = ShortMessage { scts: b"010101000000", ..about };
    assert_eq!(client.ask(&Operation::Inquire(unknown)).await.0, Some(ErrorCode::NOT_FOUND));
}

#[tokio::test]
async fn refusals_have_their_codes_and_a_full_store_acknowledges_nothing() {
    let store = new_store();
    let gateway = start_on(&store, json!({})).await;
    let mut client = Client::login(gateway.address).await;
    let bad = ShortMessage { adc: b"SHOP", ..message(b"hello") };
    assert_eq!(client.ask(&Operation::Submit(bad)).await.0, Some(ErrorCode::ADC_INVALID));
    let (code, said) = client.ask(&Operation::Submit(ShortMessage { adc: b"0044", ..message(b"hello") })).await;
    assert_eq!((code, said.starts_with("to ")), (Some(ErrorCode::ADC_INVALID), true), "{said}");
    let list = ListManagement { oadc: b"60777", vers: b"0100", ..ListManagement::default() };
    assert_eq!(client.ask(&Operation::List(list)).await.0, Some(ErrorCode::NOT_SUPPORTED));
    let password = SessionManagement { oadc: b"60777", styp: Some(SessionType::CHANGE_PASSWORD), ..Default::default() };
    assert_eq!(client.ask(&Operation::Session(password)).await.0, Some(ErrorCode::NOT_SUPPORTED));
    store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
    let (code, said) = client.ask(&Operation::Submit(message(b"hello"))).await;
    assert_eq!(code, Some(ErrorCode::SYSTEM), "{said}");
    store.fail_with(None);
    assert_eq!(gateway.messages().await, []);
}

#[tokio::test]
async fn one_message_to_many_names_each() {
    let gateway = start(json!({})).await;
    let mut client = Client::login(gateway.address).await;
    let mut rad = AddressesBuf::new();
    for address in [&b"447700900123"[..], b"447700900124"] {
        rad.push(address).unwrap();
    }
    let many = MultipleCallInput {
        rad: rad.as_addresses(),
        oadc: b"60777",
        content: Content::alphanumeric(b"hello"),
        ..MultipleCallInput::default()
    };
    let (code, sm) = client.ask(&Operation::MultipleCallInput(many)).await;
    let named: Vec<_> = Identity::parse_list(sm.as_bytes()).map(|identity| identity.adc.to_vec()).collect();
    assert_eq!((code, named), (None, vec![b"447700900123".to_vec(), b"447700900124".to_vec()]));
    assert_eq!(gateway.messages().await.len(), 2);
}

#[tokio::test]
async fn a_stopping_gateway_answers_what_it_has() {
    let mut gateway = start(json!({})).await;
    let mut client = Client::login(gateway.address).await;
    for n in 0..10 {
        client.request(&Operation::Submit(message(format!("message {n}").as_bytes())));
    }
    assert!(matches!(client.next().await, Seen::Answer { code: None, .. }));
    gateway.ask_to_stop();
    let mut accepted = 1;
    loop {
        match client.next().await {
            Seen::Answer { code: None, .. } => accepted += 1,
            Seen::Answer { .. } => {}
            Seen::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    gateway.stopped().await;
    assert_eq!(gateway.messages().await.len(), accepted);
}

#[tokio::test]
async fn so_many_may_connect() {
    let mut settings = SessionSettings::new(SessionProtocol::Ucp);
    settings.limits.connections_per_address = 1;
    let account = shop(SessionProtocol::Ucp, json!({}));
    let gateway = Gateway::start_by(SessionProtocol::Ucp, new_store(), account, settings).await;
    let _first = Client::login(gateway.address).await;
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Closed);
}
