use model::ReceiptState;
use serde_json::json;
use smpp::*;

use crate::client::{Client, Deliver, Seen, config, message};
use crate::gateway::{Carrier, Gateway, shop};

/// Submits a message with this text that the carrier takes; its id.
async fn sent(client: &mut Client, carrier: &mut Carrier, text: &[u8]) -> String {
    client.request(&message(text));
    let (status, id) = client.answer().await;
    assert_eq!(status, CommandStatus::ROK);
    carrier.accept(1).await;
    id
}

#[tokio::test]
async fn a_receipt_comes_back_to_who_submitted() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    let mut tlvs = TlvBuf::new();
    tlvs.push_u16(Tag::USER_MESSAGE_REFERENCE, 77);
    client.request(&SubmitSm { tlvs: tlvs.as_tlvs(), ..message(b"Hello there, how are you?") });
    let id = client.answer().await.1;
    carrier.accept(1).await;
    carrier.receipt("c1", ReceiptState::Undelivered, "UNDELIV", "011").await;
    let receipt = client.deliver().await;
    assert_eq!((receipt.from.as_str(), receipt.to.as_str(), receipt.esm_class), ("447700900123", "SHOP", 4));
    let text = receipt.text();
    assert!(text.starts_with(&format!("id:{id} sub:001 dlvrd:000 submit date:")), "{text}");
    assert!(text.ends_with("stat:UNDELIV err:011 text:Hello there, how are"), "{text}");
    let parsed = sms::receipt::parse(&receipt.text).unwrap();
    assert_eq!(parsed.state(), Some(sms::receipt::ReceiptState::Undeliverable));
    assert_eq!(receipt.tlv(Tag::RECEIPTED_MESSAGE_ID), Some([id.as_bytes(), &[0]].concat().as_slice()));
    assert_eq!(receipt.tlv(Tag::MESSAGE_STATE), Some(&[5][..]));
    assert_eq!(receipt.tlv(Tag::NETWORK_ERROR_CODE), Some(&[3, 0, 11][..]));
    assert_eq!(receipt.tlv(Tag::USER_MESSAGE_REFERENCE), Some(&[0, 77][..]));
    client.respond(receipt.sequence, CommandStatus::ROK);
    client.unbind();
    assert_eq!(client.next().await, Seen::Closed(CloseReason::WeUnbound));
}

#[tokio::test]
async fn only_the_outcomes_that_were_asked_for_are_told() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    let (failure, success) = (RegisteredDelivery::FAILURE, RegisteredDelivery::SUCCESS);
    let all = RegisteredDelivery(RegisteredDelivery::ALWAYS.0 | RegisteredDelivery::INTERMEDIATE);
    let mut ids = Vec::new();
    for registered_delivery in [failure, success, failure, success, all] {
        client.request(&SubmitSm { registered_delivery, ..message(b"hello") });
        ids.push(client.answer().await.1);
    }
    carrier.accept(5).await;
    for (remote_id, state, stat) in [
        ("c1", ReceiptState::Delivered, "DELIVRD"),
        ("c2", ReceiptState::Undelivered, "UNDELIV"),
        ("c3", ReceiptState::Undelivered, "UNDELIV"),
        ("c4", ReceiptState::Delivered, "DELIVRD"),
        ("c5", ReceiptState::Delivered, "DELIVRD"),
    ] {
        carrier.receipt(remote_id, state, stat, "000").await;
    }
    let mut told = Vec::new();
    for _ in 0..4 {
        let receipt = client.deliver().await;
        let id = receipt.tlv(Tag::RECEIPTED_MESSAGE_ID).unwrap();
        let id = ids.iter().position(|one| one.as_bytes() == &id[..id.len() - 1]).unwrap();
        told.push((id, receipt.esm_class, receipt.tlv(Tag::MESSAGE_STATE).unwrap()[0]));
        client.respond(receipt.sequence, CommandStatus::ROK);
    }
    told.sort_unstable();
    assert_eq!(told, [(2, 0x04, 5), (3, 0x04, 2), (4, 0x04, 2), (4, 0x20, 1)]);
}

#[tokio::test]
async fn what_comes_while_nobody_is_bound_waits_and_keeps_its_order() {
    let gateway = Gateway::start(shop(json!({ "window": 5 }))).await;
    let mut carrier = gateway.carrier();
    for n in 0..40 {
        carrier.mo(&format!("message {n}")).await;
    }
    assert_eq!(gateway.engine.outbox().view(), [], "nothing of it is in memory");
    let _transmitter = Client::bind(gateway.address, BindMode::Transmitter).await;
    let mut client = Client::bind(gateway.address, BindMode::Receiver).await;
    for n in 0..20 {
        let deliver = client.deliver().await;
        assert_eq!(
            (deliver.text(), deliver.from.as_str(), deliver.to.as_str()),
            (&*format!("message {n}"), "447700900123", "60777")
        );
        client.respond(deliver.sequence, CommandStatus::ROK);
    }
    client.flush().await;
    client.unbind();
    // What is on its way to the client is answered before the end.
    let mut more = 0;
    loop {
        match client.next().await {
            Seen::Deliver(deliver) => {
                assert_eq!(deliver.text(), format!("message {}", 20 + more));
                client.respond(deliver.sequence, CommandStatus::ROK);
                more += 1;
            }
            Seen::Closed(_) => break,
            other => panic!("{other:?}"),
        }
    }
    let mut client = Client::bind(gateway.address, BindMode::Receiver).await;
    for n in 20 + more..40 {
        let deliver = client.deliver().await;
        assert_eq!(deliver.text(), format!("message {n}"));
        client.respond(deliver.sequence, CommandStatus::ROK);
    }
    client.unbind();
    assert_eq!(client.next().await, Seen::Closed(CloseReason::WeUnbound));
}

#[tokio::test]
async fn what_a_lost_session_has_not_answered_goes_to_the_next() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut carrier = gateway.carrier();
    let mut first = Client::bind(gateway.address, BindMode::Transceiver).await;
    for text in ["one", "two", "three"] {
        carrier.mo(text).await;
    }
    let one = first.deliver().await;
    first.deliver().await;
    first.respond(one.sequence, CommandStatus::ROK);
    first.flush().await;
    drop(first);
    let mut second = Client::bind(gateway.address, BindMode::Transceiver).await;
    // "one" may come again, for its answer may not have been read; the others must.
    let mut texts = Vec::new();
    while texts.last().map(String::as_str) != Some("three") {
        let deliver = second.deliver().await;
        texts.push(deliver.text().to_owned());
        second.respond(deliver.sequence, CommandStatus::ROK);
    }
    texts.retain(|text| text != "one");
    assert_eq!(texts, ["two", "three"]);
}

#[tokio::test]
async fn a_refusal_is_kept_for_a_person_and_does_not_hold_up_others() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    carrier.mo("bad").await;
    carrier.mo("good").await;
    for (text, status) in [("bad", CommandStatus::RX_P_APPN), ("good", CommandStatus::ROK)] {
        let deliver = client.deliver().await;
        assert_eq!(deliver.text(), text);
        client.respond(deliver.sequence, status);
    }
    client.flush().await;
    let failed = loop {
        let filter = store::DeliveryFilter::default();
        let all = store::Store::deliveries(&*gateway.store, &filter, None, 10).await.unwrap();
        if let [one] = all.as_slice()
            && one.state == model::delivery::DeliveryState::Failed
        {
            break one.clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(&*failed.endpoint, "smpp:shop");
    assert_eq!(failed.last_error.as_deref(), Some("ESME_RX_P_APPN"));
    gateway.engine.outbox().redeliver(failed.id).await.unwrap();
    assert_eq!(client.deliver().await.text(), "bad");
}

#[tokio::test]
async fn an_old_client_gets_short_ids_and_parts() {
    let gateway = Gateway::start(shop(json!({ "receipt_format": "seconds" }))).await;
    let mut carrier = gateway.carrier();
    let bind = |mode| {
        let mut old = config(mode);
        old.session.version = InterfaceVersion::V3_3;
        old
    };
    let mut transmitter = Client::connect(gateway.address, bind(BindMode::Transmitter)).await;
    let mut receiver = Client::connect(gateway.address, bind(BindMode::Receiver)).await;
    transmitter.next().await;
    receiver.next().await;
    let id = sent(&mut transmitter, &mut carrier, b"hello").await;
    carrier.receipt("c1", ReceiptState::Delivered, "DELIVRD", "000").await;
    let receipt = receiver.deliver().await;
    assert!(receipt.text().starts_with(&format!("id:{id} sub:001 dlvrd:001 ")), "{}", receipt.text());
    assert_eq!(receipt.tlvs, []);
    let submit = receipt.text().split("submit date:").nth(1).unwrap();
    assert_eq!(submit.split(' ').next().unwrap().len(), 12);
    receiver.respond(receipt.sequence, CommandStatus::ROK);
    carrier.mo(&"0123456789".repeat(30)).await;
    let parts: [Deliver; 2] = [receiver.deliver().await, receiver.deliver().await];
    assert!(parts.iter().all(|part| part.esm_class == 0x40));
    let text: Vec<u8> = parts.iter().flat_map(|part| part.text[6..].to_vec()).collect();
    assert_eq!(text, "0123456789".repeat(30).into_bytes());
    for part in parts {
        receiver.respond(part.sequence, CommandStatus::ROK);
    }
}

#[tokio::test]
async fn messages_go_to_webhooks_that_want_them_unless_the_login_says_otherwise() {
    let with_hook = |incoming: &str| {
        let mut account = shop(json!({ "incoming": incoming }));
        account["webhooks"] = json!([{ "url": "http://127.0.0.1:1/", "events": ["message.received"] }]);
        account
    };
    let gateway = Gateway::start(with_hook("auto")).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::bind(gateway.address, BindMode::Transceiver).await;
    carrier.mo("for the webhook").await;
    gateway.change(with_hook("always")).await;
    carrier.mo("for both").await;
    let deliver = client.deliver().await;
    assert_eq!(deliver.text(), "for both");
    client.respond(deliver.sequence, CommandStatus::ROK);
    gateway.change(with_hook("never")).await;
    carrier.mo("for the webhook").await;
    let long = "ж".repeat(200);
    gateway.change(shop(json!({}))).await;
    carrier.mo(&long).await;
    let deliver = client.deliver().await;
    assert_eq!((deliver.data_coding, sms::decode_ucs2(&deliver.text)), (8, long));
    assert!(deliver.tlv(Tag::MESSAGE_PAYLOAD).is_some());
}
