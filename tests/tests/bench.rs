//! `postrider bench smpp`: what it counts is what has happened, at a carrier and at the gateway.

use std::net::SocketAddr;

use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, command, connector, resources_with_smpp};
use serde_json::{Value, json};
use simulator::{ReceiptSettings, SmscSettings};
use smpp::CommandStatus;

/// The summary of a run, and whether it was a success.
fn bench(address: SocketAddr, options: &[&str]) -> (Value, bool) {
    let mut bench = command();
    let output = bench.args(["bench", "smpp", "--address", &address.to_string()]).args(options).output();
    let output = output.expect("it starts");
    let summary = serde_json::from_slice(&output.stdout);
    (summary.unwrap_or_else(|_| panic!("no summary: {output:?}")), output.status.success())
}

#[test]
fn every_message_is_counted_once_at_its_answer_and_once_at_its_receipt() {
    let carrier = Carrier::start(SmscSettings::default());
    let options = ["--messages", "500", "--sessions", "3", "--window", "20", "--system-id", "one,two"];
    let (summary, good) = bench(carrier.address(), &options);
    assert!(good, "{summary}");
    for (key, wanted) in [("accepted", 500), ("receipts", 500), ("refused", 0), ("lost", 0), ("duplicated", 0)] {
        assert_eq!(summary[key], wanted, "{key} of {summary}");
    }
    assert_eq!((&summary["accounts"], &summary["sessions"]), (&json!(2), &json!(3)));
    assert_eq!(summary["receipt_states"], json!({ "DELIVERED": 500 }));
    assert!(summary["end_to_end_latency_ms"]["p50"].is_number() && summary["end_to_end_per_second"].is_number());
    assert_eq!(carrier.counters().distinct, 500);
}

#[test]
fn refusals_repeated_receipts_and_missing_answers_are_told() {
    let carrier = Carrier::start(SmscSettings {
        receipts: ReceiptSettings { twice: true, elsewhere: true, before_response: true, ..ReceiptSettings::default() },
        queue_full_every: Some(10),
        ..SmscSettings::default()
    });
    let (summary, good) = bench(carrier.address(), &["--messages", "200", "--rate", "5000"]);
    assert!(!good);
    let number = |key: &str| summary[key].as_u64().expect("a number");
    let refused = number("refused");
    assert!(
        refused > 0 && number("accepted") + refused == 200 && number("accepted") == number("receipts"),
        "{summary}"
    );
    assert_eq!(summary["refusals"], json!({ "ESME_RMSGQFUL": refused }));
    // The second of the last pairs may still be on their way.
    assert!((1..=number("accepted")).contains(&number("duplicated")), "{summary}");

    carrier.change(|settings| settings.drop = 1.0);
    let (summary, good) = bench(carrier.address(), &["--messages", "5", "--patience", "1", "--no-receipts"]);
    assert!(!good);
    assert_eq!((&summary["unanswered"], &summary["accepted"]), (&json!(5), &json!(0)));
    assert_eq!(summary.get("receipts"), None);

    carrier.change(|settings| settings.refuse_binds = Some(CommandStatus::RINVPASWD));
    let mut refused = command();
    let refused =
        refused.args(["bench", "smpp", "--address", &carrier.address().to_string()]).output().expect("it starts");
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("ESME_RINVPASWD"),
        "{refused:?}"
    );
}

#[test]
fn a_gateway_gives_every_receipt_to_the_account_that_submitted() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let connector = connector("carrier", carrier.address(), "window = 50");
    let place = Place::new(&resources_with_smpp(&sink, "carrier", &connector, ""));
    let mut gateway = place.start();
    let options = ["--system-id", "shop", "--password", "secret", "--messages", "1000", "--sessions", "3"];
    let (summary, good) = bench(gateway.smpp(), &options);
    assert!(good, "{summary}");
    assert_eq!((&summary["receipts"], &summary["duplicated"]), (&json!(1000), &json!(0)));
    assert_eq!(carrier.counters().distinct, 1000);
    assert!(gateway.stop().success());
}
