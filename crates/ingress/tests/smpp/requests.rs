use model::{ReceiptState, Status};
use serde_json::json;
use smpp::*;

use crate::client::{Client, Seen, config, message};
use crate::gateway::{Gateway, shop};

#[tokio::test]
async fn a_message_is_asked_about_by_its_id() {
    let gateway = Gateway::start(shop(json!({ "message_id": "hex" }))).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::bind(gateway.address, BindMode::Transmitter).await;
    client.request(&message(b"hello"));
    let id = client.answer().await.1;
    let short = &id[24..];
    for (asked, state, final_date) in [(&id[..], 1, false), (short, 1, false), (&id[..], 2, true)] {
        if final_date {
            carrier.accept(1).await;
            carrier.receipt("c1", ReceiptState::Delivered, "DELIVRD", "000").await;
        }
        client.request(&QuerySm { message_id: asked.as_bytes(), ..QuerySm::default() });
        let Seen::Query { status, id, state: told, final_date: date } = client.next().await else { panic!() };
        assert_eq!((status, id.as_str(), told), (CommandStatus::ROK, asked, state));
        assert_eq!(SmppTime::parse(date.as_bytes()).is_ok(), final_date, "{date}");
    }
    for unknown in ["", "x", "00000000", "01900000000070008000000000000001"] {
        client.request(&QuerySm { message_id: unknown.as_bytes(), ..QuerySm::default() });
        assert!(matches!(client.next().await, Seen::Query { status: CommandStatus::RINVMSGID, .. }), "{unknown}");
    }
}

#[tokio::test]
async fn what_waits_is_canceled_by_id_or_by_addresses() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transmitter).await;
    let mut ids = Vec::new();
    for text in [b"1", b"2", b"3"] {
        client.request(&message(text));
        ids.push(client.answer().await.1);
    }
    let addresses = CancelSm {
        source: Address::alphanumeric(b"SHOP"),
        destination: Address::international(b"447700900123"),
        ..CancelSm::default()
    };
    let one = CancelSm { message_id: ids[0].as_bytes(), ..addresses };
    for (cancel, status) in [
        (one, CommandStatus::ROK),
        (one, CommandStatus::RCANCELFAIL),
        (CancelSm { message_id: b"x", ..addresses }, CommandStatus::RINVMSGID),
        (addresses, CommandStatus::ROK),
        (addresses, CommandStatus::RCANCELFAIL),
    ] {
        client.request(&cancel);
        assert_eq!(client.answer().await.0, status);
    }
    assert!(gateway.messages().await.iter().all(|message| message.progress.status == Status::Canceled));
}

#[tokio::test]
async fn what_waits_is_replaced() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut client = Client::bind(gateway.address, BindMode::Transmitter).await;
    client.request(&message(b"hello"));
    let id = client.answer().await.1;
    let source = Address::alphanumeric(b"SHOP");
    let plain = ReplaceSm { message_id: id.as_bytes(), source, short_message: b"other", ..ReplaceSm::default() };
    let later = ReplaceSm { schedule_delivery_time: b"000000010000000R", short_message: b"", ..plain };
    for (replace, status) in [
        (ReplaceSm { message_id: b"x", ..plain }, CommandStatus::RINVMSGID),
        (ReplaceSm { source: Address::alphanumeric(b"OTHER"), ..plain }, CommandStatus::RINVSRCADR),
        (ReplaceSm { source: Address::default(), ..plain }, CommandStatus::RINVSRCADR),
        (ReplaceSm { sm_default_msg_id: 1, ..plain }, CommandStatus::RINVDFTMSGID),
        (ReplaceSm { schedule_delivery_time: b"x", ..plain }, CommandStatus::RINVSCHED),
        (ReplaceSm { validity_period: b"200101000000000+", ..plain }, CommandStatus::RINVEXPIRY),
        (later, CommandStatus::ROK),
        (ReplaceSm { registered_delivery: RegisteredDelivery::FAILURE, ..plain }, CommandStatus::ROK),
    ] {
        client.request(&replace);
        assert_eq!(client.answer().await.0, status, "{replace:?}");
    }
    let waits = gateway.messages().await.remove(0);
    assert_eq!((waits.progress.status, waits.body.content.text()), (Status::Scheduled, Some("other")));
    assert_eq!(waits.body.receipt, model::ReceiptWish::Failure);
    // At once, and in UCS-2 when that is what it was in.
    client.request(&ReplaceSm { schedule_delivery_time: b"200101000000000+", short_message: b"last", ..plain });
    assert_eq!(client.answer().await.0, CommandStatus::ROK);
    let ucs2 = SubmitSm { data_coding: DataCoding::UCS2, short_message: b"\x04\x1f", ..message(b"") };
    client.request(&ucs2);
    let second = client.answer().await.1;
    client.request(&ReplaceSm { message_id: second.as_bytes(), short_message: b"\x04\x20\0a", ..plain });
    assert_eq!(client.answer().await.0, CommandStatus::ROK);
    let sent = gateway.carrier().accept(2).await;
    let mut texts: Vec<_> = sent.iter().map(|job| job.body.content.text().unwrap()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["last", "Рa"]);
    client.request(&plain);
    assert_eq!(client.answer().await.0, CommandStatus::RREPLACEFAIL);
}

#[tokio::test]
async fn one_message_to_many_has_one_id_for_all_its_receipts() {
    let gateway = Gateway::start(shop(json!({}))).await;
    let mut carrier = gateway.carrier();
    let mut client = Client::connect(gateway.address, config(BindMode::Transceiver)).await;
    client.next().await;
    let mut destinations = DestinationBuf::new();
    for number in [&b"447700900123"[..], b"1", b"447700900124"] {
        destinations.push(Destination::Sme(Address::international(number))).unwrap();
    }
    destinations.push(Destination::List(b"friends")).unwrap();
    let plain = message(b"hello");
    let multi = SubmitMulti {
        source: plain.source,
        destinations: destinations.as_list(),
        registered_delivery: plain.registered_delivery,
        short_message: plain.short_message,
        ..SubmitMulti::default()
    };
    client.request(&multi);
    let Seen::Multi { id, failures } = client.next().await else { panic!() };
    let expected = [("1", CommandStatus::RINVDSTADR), ("friends", CommandStatus::RINVDLNAME)];
    assert_eq!(failures, expected.map(|(addr, status)| (addr.to_owned(), status)));
    carrier.accept(2).await;
    carrier.receipt("c1", ReceiptState::Delivered, "DELIVRD", "000").await;
    carrier.receipt("c2", ReceiptState::Delivered, "DELIVRD", "000").await;
    let mut phones = Vec::new();
    for _ in 0..2 {
        let receipt = client.deliver().await;
        assert!(receipt.text().starts_with(&format!("id:{id} ")), "{}", receipt.text());
        phones.push(receipt.from.clone());
        client.respond(receipt.sequence, CommandStatus::ROK);
    }
    phones.sort();
    assert_eq!(phones, ["447700900123", "447700900124"]);
    client.request(&SubmitMulti { short_message: b"x", ..SubmitMulti::default() });
    assert!(matches!(client.next().await, Seen::Multi { id, .. } if id.is_empty()));
}
