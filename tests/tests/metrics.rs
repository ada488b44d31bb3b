//! What `/metrics` shows, and that docs/metrics.md tells of all of it.

use std::collections::BTreeSet;

use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, ask_until, command, connector, resources};
use serde_json::json;
use simulator::SmscSettings;

const PAGE: &str = include_str!("../../docs/metrics.md");

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// Names in the page's table, as they stand in the text.
fn told() -> BTreeSet<String> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(|name| name.trim_end_matches("_total").to_owned()).collect()
}

fn shown(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn what_happens_is_counted_and_told_of() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
    let any = r#"["127.0.0.1:0"]"#;
    let gateway = place.start_with(command().env("POSTRIDER_UCP__LISTEN", any).env("POSTRIDER_CIMD2__LISTEN", any));
    let mut client = gateway.client();
    let id = client.send(&json!({ "to": "+447700900001", "text": "hello" }));
    sink.wait_event(&id, "message.delivered");
    // The sink has it before the caller has counted.
    let taken = r#"postrider_webhook_calls_total{webhook="shop-1",outcome="taken"}"#;
    let text = ask_until("count of both calls", || {
        let text = client.get("/metrics").body;
        value(&text, taken).is_some_and(|calls| calls >= 2.0).then_some(text)
    });
    let calls = value(&text, taken).unwrap_or_default();
    let counted = [
        (r#"postrider_messages_accepted_total{account="shop"}"#, 1.0),
        (r#"postrider_messages_moved_total{connector="carrier",status="delivered"}"#, 1.0),
        (r#"postrider_receipts_total{connector="carrier",status="delivered"}"#, 1.0),
        (r#"postrider_connector_sessions{connector="carrier",state="bound"}"#, 1.0),
        (r#"postrider_webhook_call_duration_seconds_count{webhook="shop-1"}"#, calls),
    ];
    for (series, wanted) in counted {
        assert_eq!(value(&text, series), Some(wanted), "{series} in\n{text}");
    }
    let untold: Vec<_> = shown(&text).difference(&told()).cloned().collect();
    assert!(untold.is_empty(), "docs/metrics.md does not tell of {untold:?}");
    assert!(shown(&text).contains("postrider_ucp_connections") && shown(&text).contains("postrider_cimd2_connections"));
}
