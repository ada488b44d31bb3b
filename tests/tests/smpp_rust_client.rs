//! An application made of `rusmppc`, a client library that others have written: it cuts long texts itself, and
//! two carriers share them.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use futures::StreamExt;
use rusmpp::extra::concatenation::SubmitSmMultipartExt;
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::types::COctetString;
use rusmpp::values::RegisteredDelivery;
use rusmpp::{Command, Pdu};
use rusmppc::{Client, ConnectionBuilder, Event};
use scenarios::carrier::Carrier;
use scenarios::{Gateway, PATIENCE, Place, Sink, ask_until, connector, resources_with_smpp};
use simulator::SmscSettings;
use tokio::sync::mpsc;

const POOL: &str = "[[pool]]\nid = \"both\"\nstrategy = \"round-robin\"\n\
    members = [{ connector = \"a\" }, { connector = \"b\" }]\n";
const TEXT: &str = "One hundred and fifty three characters fit beside a header. ";
const LONG_TEXTS: u8 = 12;

#[test]
fn a_rust_application_cuts_long_texts_and_each_goes_one_way() {
    let carriers = [Carrier::start(SmscSettings::default()), Carrier::start(SmscSettings::default())];
    let sink = Sink::start();
    let connectors = connector("a", carriers[0].address(), "") + &connector("b", carriers[1].address(), "") + POOL;
    let mut gateway = Place::new(&resources_with_smpp(&sink, "both", &connectors, "")).into_gateway();
    // A carrier that is not there yet would get none, and half of what comes while it binds.
    for id in ["a", "b"] {
        ask_until("bind", || {
            let bound = format!("postrider_connector_sessions{{connector=\"{id}\",state=\"bound\"}} 1");
            gateway.client().get("/metrics").body.contains(&bound).then_some(())
        });
    }
    let ids = carriers[0].block_on(async { tokio::time::timeout(PATIENCE, application(&gateway)).await });
    assert_eq!(ids.expect("all receipts come").len(), usize::from(LONG_TEXTS) * 3);
    assert!(gateway.stop().success());

    let mut ways: BTreeMap<u16, BTreeSet<usize>> = BTreeMap::new();
    let mut parts = 0;
    for (way, carrier) in carriers.iter().enumerate() {
        for message in carrier.seen() {
            let concat = message.concat.expect("its header goes with it");
            assert_eq!(concat.total, 3);
            ways.entry(concat.reference).or_default().insert(way);
            parts += 1;
        }
    }
    assert_eq!((ways.len(), parts), (usize::from(LONG_TEXTS), usize::from(LONG_TEXTS) * 3));
    assert!(ways.values().all(|ways| ways.len() == 1), "each long text keeps together: {ways:?}");
    assert_eq!(ways.values().flatten().collect::<BTreeSet<_>>().len(), 2, "both carriers get some: {ways:?}");
}

/// Binds, submits long texts in parts, and waits for the receipt of each part. The answer is their ids.
async fn application(gateway: &Gateway) -> BTreeSet<String> {
    let connection = ConnectionBuilder::new().enquire_link_interval(Duration::from_secs(3600));
    let (client, events) = connection.connect(format!("smpp://{}", gateway.smpp())).await.expect("it listens");
    let login = BindTransceiver::builder().system_id(octets("shop")).password(octets("secret")).build();
    client.bind_transceiver(login).await.expect("the bind is right");
    let (receipts, mut received) = mpsc::unbounded_channel();
    let answering = tokio::spawn(answer(client.clone(), Box::pin(events), receipts));

    let mut ids = BTreeSet::new();
    for reference in 0..LONG_TEXTS {
        let whole = SubmitSm::builder()
            .source_addr(octets("SHOP"))
            .destination_addr(octets("447700900123"))
            .registered_delivery(RegisteredDelivery::from(1))
            .build();
        let text = TEXT.repeat(6);
        let parts = whole.multipart(&text).reference_u8(reference).gsm7bit_unpacked().build().expect("three parts");
        for part in parts {
            let answer = client.submit_sm(part).await.expect("it is taken");
            ids.insert(answer.message_id().to_string());
        }
    }
    let mut told = BTreeSet::new();
    while told.len() < ids.len() {
        let receipt: String = received.recv().await.expect("the client lives");
        let id = receipt.strip_prefix("id:").and_then(|rest| rest.split(' ').next()).expect("a receipt");
        assert!(ids.contains(id) && receipt.contains(" stat:DELIVRD "), "{receipt}");
        assert!(told.insert(id.to_owned()), "told twice: {receipt}");
    }
    client.unbind().await.expect("it is answered");
    // The gateway closes the connection once it has answered; that may be before this does.
    let _ = client.close().await;
    client.closed().await;
    answering.await.expect("no panic");
    ids
}

/// Takes what the gateway sends, and passes the texts on.
async fn answer(
    client: Client,
    mut events: impl futures::Stream<Item = Event> + Unpin,
    receipts: mpsc::UnboundedSender<String>,
) {
    while let Some(event) = events.next().await {
        let Event::Incoming(command) = event else { continue };
        if let Some(deliver) = deliver_sm(&command) {
            let text = String::from_utf8_lossy(deliver.short_message().as_ref()).into_owned();
            client.deliver_sm_resp(command.sequence_number(), DeliverSmResp::default()).await.expect("it is open");
            // Whoever waits may have all that it wants.
            let _ = receipts.send(text);
        }
    }
}

fn deliver_sm(command: &Command) -> Option<&DeliverSm> {
    match command.pdu()? {
        Pdu::DeliverSm(deliver) => Some(deliver),
        _ => None,
    }
}

fn octets<const MIN: usize, const MAX: usize>(text: &str) -> COctetString<MIN, MAX> {
    COctetString::from_str(text).expect("it is short enough")
}
