use std::collections::HashSet;
use std::time::Duration;

use ingress::sessions::SessionSettings;
use model::SessionProtocol;
use model::{Content, Ingress, ReceiptWish};
use serde_json::json;
use smpp::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, Seen, config, message};
use crate::gateway::{Gateway, shop};

#[tokio::test]
async fn a_message_is_durable_when_it_is_answered() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    client.request(&message(b"hello"));
    let (status, id) = client.answer().await;
    assert_eq!(status, CommandStatus::ROK);
    let messages = gateway.messages().await;
    assert_eq!(messages.len(), 1);
    let body = &messages[0].body;
    assert_eq!((body.id.to_string(), body.to.as_str(), body.from.as_str()), (id, "+447700900123", "SHOP"));
    assert_eq!((body.content.text(), body.ingress, body.receipt), (Some("hello"), Ingress::Smpp, ReceiptWish::Final));
}

#[tokio::test]
async fn many_are_under_way_at_once_and_each_has_its_own_answer() {
    let gateway = Gateway::start(shop(json!({ "window": 10 }))).await;
    let mut wide = config(BindMode::Transceiver);
    wide.session.window = 1000;
    let mut client = Client::connect(gateway.address, wide).await;
    assert!(matches!(client.next().await, Seen::Bound { .. }));
    // More than the window: what is beyond it waits in the socket, and nothing is refused.
    let tokens: HashSet<u64> = (0..500).map(|_| client.request(&message(b"hello"))).collect();
    let bad = client.request(&SubmitSm { destination: Address::international(b"1"), ..message(b"hello") });
    let (mut answered, mut ids) = (HashSet::new(), HashSet::new());
    for _ in 0..501 {
        let Seen::Answer { token, status, id } = client.next().await else { panic!("no answer") };
        if token == bad {
            assert_eq!(status, CommandStatus::RINVDSTADR);
            continue;
        }
        assert_eq!(status, CommandStatus::ROK);
        assert!(answered.insert(token) && ids.insert(id));
    }
    assert_eq!(answered, tokens);
    assert_eq!(gateway.messages().await.len(), 500);
    let metrics = gateway.engine.metrics_text();
    assert!(metrics.contains("postrider_smpp_window_full_total{account=\"shop\"}"), "{metrics}");
    assert!(
        metrics.contains("postrider_smpp_submissions_total{account=\"shop\",status=\"ESME_ROK\"} 500"),
        "{metrics}"
    );
}

#[tokio::test]
async fn ids_have_the_form_that_the_account_and_the_version_want() {
    let gateway = Gateway::start(shop(json!({ "message_id": "decimal" }))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transmitter).await;
    client.request(&message(b"a"));
    let decimal = client.answer().await.1;
    let id = gateway.messages().await[0].body.id;
    assert_eq!(decimal, id.0.as_u128().to_string());
    let mut old = config(BindMode::Transmitter);
    old.session.version = InterfaceVersion::V3_3;
    let mut client = Client::connect(gateway.address, old).await;
    client.next().await;
    client.request(&message(b"b"));
    let short = client.answer().await.1;
    let id = gateway.messages().await[0].body.id.to_string();
    assert!(id.ends_with(&short) && short.len() == 8, "{short} {id}");
}

#[tokio::test]
async fn a_part_of_a_long_message_is_a_message_of_its_own() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    for n in [1, 2] {
        let short_message = [&[5, 0, 3, 9, 2, n][..], &[0x61; 153]].concat();
        client.request(&SubmitSm { esm_class: EsmClass(0x40), ..message(&short_message) });
        assert_eq!(client.answer().await.0, CommandStatus::ROK);
    }
    let mut carrier = gateway.carrier();
    let jobs = carrier.accept(2).await;
    for (n, job) in jobs.iter().enumerate() {
        let Content::Binary { udh, data, dcs: 0 } = &job.body.content else { panic!("{:?}", job.body) };
        assert_eq!((udh[5] as usize, data.len(), job.parts), (n + 1, 153, 1));
    }
}

#[tokio::test]
async fn refusals_have_their_status() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    let long = vec![b'a'; 2000];
    let mut payload = TlvBuf::new();
    payload.push(Tag::MESSAGE_PAYLOAD, &long).unwrap();
    for (pdu, status) in [
        (SubmitSm { source: Address::alphanumeric(b""), ..message(b"x") }, CommandStatus::RINVSRCADR),
        (SubmitSm { destination: Address::default(), ..message(b"x") }, CommandStatus::RINVDSTADR),
        (SubmitSm { validity_period: b"nonsense", ..message(b"x") }, CommandStatus::RINVEXPIRY),
        (SubmitSm { tlvs: payload.as_tlvs(), ..message(b"") }, CommandStatus::RINVMSGLEN),
        (SubmitSm { sm_default_msg_id: 3, ..message(b"x") }, CommandStatus::RINVDFTMSGID),
    ] {
        client.request(&pdu);
        assert_eq!(client.answer().await, (status, String::new()));
    }
    assert!(gateway.messages().await.is_empty());
}

#[tokio::test]
async fn a_stopping_gateway_answers_what_it_has_and_unbinds() {
    let mut gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    client.request(&message(b"hello"));
    assert_eq!(client.answer().await.0, CommandStatus::ROK);
    gateway.ask_to_stop();
    assert_eq!(client.next().await, Seen::Closed(CloseReason::PeerUnbound));
    drop(client);
    gateway.stopped().await;
}

#[tokio::test]
async fn answers_are_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let log = ingress::http::AccessLog::open(&path).unwrap();
    let settings = SessionSettings { access_log: Some(log.clone()), ..SessionSettings::new(SessionProtocol::Smpp) };
    let gateway = Gateway::start_with(shop(json!({})), settings).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    client.request(&message(b"hello"));
    let id = client.answer().await.1;
    client.request(&SubmitSm { destination: Address::international(b"1"), ..message(b"hello") });
    assert_eq!(client.answer().await.0, CommandStatus::RINVDSTADR);
    log.flush();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(
        (&lines[0]["message"], &lines[0]["account"], &lines[0]["status"]),
        (&json!(id), &json!("shop"), &json!(0))
    );
    assert_eq!((&lines[1]["code"], &lines[1]["method"]), (&json!("ESME_RINVDSTADR"), &json!("submit_sm")));
    assert!(!text.contains("447700900123"), "{text}");
}

#[tokio::test]
async fn a_full_queue_is_told_and_takes_more_when_there_is_room() {
    let mut account = shop(json!({}));
    account["max_queue"] = json!(2);
    let gateway = Gateway::start(account).await;
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    for _ in 0..3 {
        client.request(&message(b"hello"));
    }
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(client.answer().await.0);
    }
    answers.sort_unstable_by_key(|status| status.0);
    assert_eq!(answers, [CommandStatus::ROK, CommandStatus::ROK, CommandStatus::RMSGQFUL]);
    gateway.carrier().accept(2).await;
    let trying = async {
        loop {
            client.request(&message(b"hello"));
            match client.answer().await.0 {
                CommandStatus::ROK => break,
                status => assert_eq!(status, CommandStatus::RMSGQFUL),
            }
        }
    };
    // Only a hang takes so long.
    tokio::time::timeout(Duration::from_secs(60), trying).await.expect("there is room again");
    assert_eq!(gateway.messages().await.len(), 3);
}

/// The commands and sequence numbers of so many PDUs that come next.
async fn heard(stream: &mut TcpStream, octets: &mut Vec<u8>, count: usize) -> Vec<(CommandId, u32)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        if let Some(frame) = next_frame(octets, 1024).unwrap() {
            assert_eq!(frame.header.command_status, CommandStatus::ROK);
            seen.push((frame.header.command_id, frame.header.sequence_number));
            let length = frame.wire_len();
            octets.drain(..length);
        } else {
            let reading = tokio::time::timeout(Duration::from_secs(60), stream.read_buf(octets));
            assert_ne!(reading.await.expect("only a hang takes so long").unwrap(), 0);
        }
    }
    seen
}

#[tokio::test]
async fn a_client_whose_window_is_full_is_told_that_the_link_is_alive() {
    let gateway = Gateway::start(shop(json!({ "window": 2 }))).await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    let mut octets = Vec::new();
    let mut put = |pdu: &Pdu<'_>, sequence| encode(pdu, sequence, CommandStatus::ROK, &mut octets).unwrap();
    put(&Pdu::Bind(BindMode::Transceiver, Bind { system_id: b"shop", password: b"secret", ..Bind::default() }), 1);
    (2..22).for_each(|sequence| put(&Pdu::SubmitSm(message(b"hello")), sequence));
    put(&Pdu::EnquireLink, 22);
    gateway.store.hold(true);
    stream.write_all(&octets).await.unwrap();
    let mut octets = Vec::new();
    let first = heard(&mut stream, &mut octets, 2).await;
    assert_eq!(first, [(CommandId::BIND_TRANSCEIVER_RESP, 1), (CommandId::ENQUIRE_LINK_RESP, 22)]);
    gateway.store.hold(false);
    let answers = heard(&mut stream, &mut octets, 20).await;
    assert_eq!(answers, Vec::from_iter((2..22).map(|sequence| (CommandId::SUBMIT_SM_RESP, sequence))));
    assert_eq!(gateway.messages().await.len(), 20);
}
