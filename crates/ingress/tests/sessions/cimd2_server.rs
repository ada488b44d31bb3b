use std::sync::Arc;

use cimd2::*;
use model::{ReceiptState, SessionProtocol, Status};
use serde_json::{Value, json};
use store::{MemoryStore, StoreError};

use crate::cimd2_client::{Client, Seen, message};
use crate::gateway::Gateway;
use crate::{new_store, shop};

async fn start(more: Value) -> Gateway {
    start_on(&new_store(), more).await
}

async fn start_on(store: &Arc<MemoryStore>, more: Value) -> Gateway {
    crate::start(SessionProtocol::Cimd2, store, more).await
}

/// What a login is answered with.
async fn login(gateway: &Gateway, user: &str, password: &str) -> Seen {
    Client::connect(gateway.address, user, password, 1).await.next().await
}

fn reported() -> Packet<'static> {
    Packet::StatusReportResp(Answer::default())
}

fn delivered() -> Packet<'static> {
    Packet::DeliverResp(Answer::default())
}

#[tokio::test]
async fn logins_are_judged_as_everywhere() {
    let gateway = start(json!({})).await;
    assert_eq!(login(&gateway, "60777", "wrong").await, Seen::Refused(ErrorCode::LOGIN_INVALID));
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Refused(ErrorCode::LOGIN_REFUSED), "locked out");
    let gateway = start(json!({ "allow": ["192.0.2.0/24"] })).await;
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Refused(ErrorCode::LOGIN_ACCESS_TYPE));
    gateway.change(shop(SessionProtocol::Cimd2, json!({ "max_sessions": 1 }))).await;
    let _first = Client::login(gateway.address, 1).await;
    assert_eq!(login(&gateway, "60777", "secret").await, Seen::Refused(ErrorCode::LOGIN_TOO_MANY));
    assert_eq!(gateway.binds.of("shop")[0].protocol, "cimd2");
}

#[tokio::test]
async fn a_report_comes_until_it_is_acknowledged() {
    let gateway = start(json!({})).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::login(gateway.address, 1).await;
    let first = client.submit(&message(b"one")).await;
    let second = client.submit(&message(b"two")).await;
    assert_ne!(first, second, "in the same second");
    assert_eq!(gateway.messages().await.len(), 2, "durable when it is answered");
    carrier.accept(2).await;
    carrier.receipt("c2", ReceiptState::Undelivered, "UNDELIV", "029").await;
    let report = |sequence, at: &str, outcome| Seen::Report {
        sequence,
        to: "447700900123".into(),
        from: "60777".into(),
        at: at.into(),
        outcome,
    };
    assert_eq!(client.next().await, report(0, &second, (3, Some(29))));
    // It goes away without an answer.
    drop(client);
    let mut client = Client::login(gateway.address, 1).await;
    assert_eq!(client.next().await, report(0, &second, (3, Some(29))));
    client.acknowledge(0, &reported()).await;
    carrier.receipt("c1", ReceiptState::Delivered, "DELIVRD", "000").await;
    assert_eq!(client.next().await, report(2, &first, (4, None)));
    client.acknowledge(2, &reported()).await;
    assert_eq!(client.ask(&DeliveryRequest::default()).await.0, ErrorCode::OK);
}

#[tokio::test]
async fn messages_from_phones_keep_to_the_window_of_the_login() {
    let gateway = start(json!({})).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::login(gateway.address, 1).await;
    carrier.mo(&"a@".repeat(100)).await;
    carrier.mo("Жук").await;
    let first = client.came().await;
    assert_eq!((first.to.as_str(), first.from.as_str(), first.text.len()), ("60777", "447700900123", 153));
    assert_eq!((first.dcs, &first.header[4..]), (None, &[2, 1][..]));
    client.acknowledge(first.sequence, &delivered()).await;
    let second = client.came().await;
    assert_eq!((second.text.len(), &second.header[4..]), (47, &[2, 2][..]));
    client.acknowledge(second.sequence, &delivered()).await;
    let third = client.came().await;
    assert_eq!((third.dcs, third.octets), (Some(8), vec![4, 0x16, 4, 0x43, 4, 0x3A]));
    drop(client);
    // With a window of its own it is given more at once.
    let mut client = Client::login(gateway.address, 5).await;
    carrier.mo("another").await;
    assert_eq!(client.came().await.dcs, Some(8));
    assert_eq!(client.came().await.text, "another");
}

#[tokio::test]
async fn messages_are_asked_about_and_taken_back() {
    let gateway = start(json!({})).await;
    let mut client = Client::login(gateway.address, 1).await;
    let stamp = client.submit(&message(b"hello")).await;
    let about = EnquireStatus { destination: b"447700900123", timestamp: stamp.as_bytes(), ..EnquireStatus::default() };
    let (error, packet, _) = client.ask(&about).await;
    assert_eq!(error, ErrorCode::OK);
    assert!(packet.contains("status: Some(1 (in process))"), "{packet}");
    let cancel = Cancel { destination: b"447700900123", timestamp: stamp.as_bytes(), ..Cancel::default() };
    assert_eq!(client.ask(&cancel).await.0, ErrorCode::OK);
    match client.next().await {
        Seen::Report { sequence, outcome: (9, None), at, .. } if at == stamp => {
            client.acknowledge(sequence, &reported()).await;
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(gateway.messages().await[0].progress.status, Status::Canceled);
    assert_eq!(client.ask(&cancel).await.0, ErrorCode::FAILED, "too late");
    let unknown = EnquireStatus { timestamp: b"010101000000", ..about };
    assert_eq!(client.ask(&unknown).await.0, ErrorCode::NOT_FOUND);
    assert_eq!(client.ask(&EnquireStatus { timestamp: b"x", ..about }).await.0, ErrorCode::ENQUIRE_TIMESTAMP);

    let silent = Submit { status_reports: None, ..message(b"hello") };
    client.submit(&silent).await;
    client.submit(&silent).await;
    let all = Cancel { mode: Some(0), destination: b"447700900123", ..Cancel::default() };
    assert_eq!(client.ask(&all).await.0, ErrorCode::OK);
    assert!(gateway.messages().await.iter().all(|message| message.progress.status == Status::Canceled));
    assert_eq!(client.ask(&Cancel { mode: Some(1), ..Cancel::default() }).await.0, ErrorCode::CANCEL_COMBINATION);
}

#[tokio::test]
async fn an_application_asks_for_the_time_and_for_what_waits() {
    let gateway = start(json!({ "time_zone": "Europe/Berlin" })).await;
    let mut client = Client::login(gateway.address, 1).await;
    let time = client.ask(&Get { parameter: Some(Tag::SMSC_TIME), ..Get::default() }).await;
    assert!(AbsoluteTime::parse(time.2.as_bytes()).is_ok(), "{time:?}");
    assert_eq!(client.ask(&Get::default()).await.0, ErrorCode::GET_UNSUPPORTED);
    assert_eq!(
        client.ask(&Set { password: Secret(b"new"), ..Set::default() }).await.0,
        ErrorCode::SET_PASSWORD_NOT_ALLOWED
    );
    let waiting = client.ask(&DeliveryRequest { mode: Some(0), ..DeliveryRequest::default() }).await;
    assert!(waiting.1.contains("count: Some(0)"), "{waiting:?}");
    assert_eq!(client.ask(&DeliveryRequest { mode: Some(2), ..DeliveryRequest::default() }).await.0, ErrorCode::OK);
    let bad = DeliveryRequest { mode: Some(3), ..DeliveryRequest::default() };
    assert_eq!(client.ask(&bad).await.0, ErrorCode::DELIVERY_REQUEST_MODE);
}

#[tokio::test]
async fn one_message_to_many_has_a_stamp_for_each() {
    let gateway = start(json!({})).await;
    let mut client = Client::login(gateway.address, 1).await;
    let to = [&b"447700900123"[..], b"447700900124", b"0044"];
    let (error, packet, _) = client.ask(&Submit { destinations: Values::many(&to), ..message(b"hello") }).await;
    assert_eq!(error, ErrorCode::SUBMIT_DESTINATION, "of the last: {packet}");
    assert_eq!(gateway.messages().await.len(), 2);
    let (error, packet, _) = client.ask(&Submit { destinations: Values::many(&to[..2]), ..message(b"hello") }).await;
    assert_eq!(error, ErrorCode::OK, "{packet}");
    assert_eq!(gateway.messages().await.len(), 4);
    let heard = String::from_utf8_lossy(&client.heard);
    let stamp = |to: &str| heard.rsplit_once(&format!("\t021:{to}\t060:")).is_some_and(|(_, rest)| rest.len() > 12);
    assert!(stamp("447700900123") && stamp("447700900124"), "{heard:?}");
}

#[tokio::test]
async fn refusals_have_their_codes_and_a_full_store_acknowledges_nothing() {
    let store = new_store();
    let gateway = start_on(&store, json!({})).await;
    let mut client = Client::login(gateway.address, 1).await;
    let bad = Submit { destinations: Values::one(b"0044"), ..message(b"hello") };
    assert_eq!(client.ask(&bad).await.0, ErrorCode::SUBMIT_DESTINATION);
    store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
    let (error, packet, _) = client.ask(&message(b"hello")).await;
    assert_eq!(error, ErrorCode::SYSTEM_ERROR, "{packet}");
    store.fail_with(None);
    assert_eq!(gateway.messages().await, []);
}
