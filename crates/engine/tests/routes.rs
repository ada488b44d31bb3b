//! Routes in force: what they make of messages, from acceptance to the rows that are left and the
//! parts that sessions get.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::Refusal;
use model::Status;
use support::*;

const TO_UK: &str = r#"{"to":"07700 900123","text":"hello"}"#;

fn pool(strategy: &str) -> String {
    format!(r#"{{"id":"p","strategy":"{strategy}","members":[{{"connector":"a","weight":3}},{{"connector":"b"}}]}}"#)
}

/// An engine with connectors `a` and `b`, this pool of both, and these routes.
async fn with(pool: &str, routes: &[&str]) -> Bench {
    start_with(&[CONNECTOR, &connector("b")], &[pool], routes).await
}

/// How many of so many messages go to each connector.
async fn shares(bench: &Bench, count: usize) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..count {
        let message = bench.submit(TO_UK).await.unwrap();
        *shares.entry(message.progress.connector.unwrap().to_string()).or_default() += 1;
    }
    shares
}

#[tokio::test]
async fn a_pool_takes_turns() {
    let bench = with(&pool("round-robin"), &[r#"{"id":"r","to":"p"}"#]).await;
    let (_a, _b) = (bench.session_of("a"), bench.session_of("b"));
    assert_eq!(shares(&bench, 10).await, BTreeMap::from([("a".into(), 5), ("b".into(), 5)]));
}

#[tokio::test]
async fn the_parts_that_an_application_cut_go_one_way() {
    let bench = with(&pool("round-robin"), &[r#"{"id":"r","to":"p"}"#]).await;
    let (_a, _b) = (bench.session_of("a"), bench.session_of("b"));
    let mut ways = BTreeMap::new();
    for reference in 0u8..24 {
        for sequence in 1..=3 {
            let udh = STANDARD.encode([5, 0, 3, reference, 3, sequence]);
            let part = format!(r#"{{"to":"07700 900123","binary":{{"data":"QUJD","udh":"{udh}"}}}}"#);
            let message = bench.submit(&part).await.unwrap();
            let way = message.progress.connector.unwrap().to_string();
            assert_eq!(*ways.entry(reference).or_insert_with(|| way.clone()), way, "part {sequence} of {reference}");
        }
    }
    let used: std::collections::BTreeSet<&String> = ways.values().collect();
    assert_eq!(used.len(), 2, "long messages are shared out: {ways:?}");
}

#[tokio::test]
async fn a_pool_keeps_to_weights() {
    let bench = with(&pool("weighted"), &[r#"{"id":"r","to":"p"}"#]).await;
    let (_a, _b) = (bench.session_of("a"), bench.session_of("b"));
    let shares = shares(&bench, 400).await;
    // 300 expected; a hundred below or above is more than ten deviations off.
    assert!((200..400).contains(&shares["a"]), "{shares:?}");
}

#[tokio::test]
async fn the_least_busy_is_the_one_with_the_shortest_queue() {
    let bench = with(&pool("least-busy").replace(",\"weight\":3", ""), &[r#"{"id":"r","to":"p"}"#]).await;
    let (mut a, _b) = (bench.session_of("a"), bench.session_of("b"));
    assert_eq!(shares(&bench, 10).await, BTreeMap::from([("a".into(), 5), ("b".into(), 5)]));
    for job in take(&mut a, 5).await {
        sent(&mut a, &job, &format!("R{}", job.ticket)).await;
        bench.until(job.body.id, Status::Sent).await;
    }
    assert_eq!(shares(&bench, 5).await, BTreeMap::from([("a".into(), 5)]), "it had nothing left to send");
}

#[tokio::test]
async fn a_queue_that_was_there_before_the_start_counts() {
    let (connectors, pool) = ([CONNECTOR, &connector("b")], pool("least-busy").replace(",\"weight\":3", ""));
    let route = r#"{"id":"r","to":"p"}"#;
    let bench = start_with(&connectors, &[&pool], &[r#"{"id":"r","to":"a"}"#]).await;
    shares(&bench, 3).await;
    let store = bench.stop().await;
    let bench = restart_with(store, &connectors, &[&pool], &[route]).await;
    let (_a, _b) = (bench.session_of("a"), bench.session_of("b"));
    assert_eq!(shares(&bench, 3).await, BTreeMap::from([("b".into(), 3)]));
}

#[tokio::test]
async fn the_cheapest_is_chosen_by_what_carriers_take() {
    let cost = |id: &str, uk: &str| {
        let cost = format!(r#""cost":{{"currency":"EUR","default":"0.01","prefixes":{{"44":"{uk}"}}}},"id""#);
        connector(id).replace("\"id\"", &cost)
    };
    let bench =
        start_with(&[&cost("a", "0.03"), &cost("b", "0.02")], &[&pool("least-cost")], &[r#"{"id":"r","to":"p"}"#])
            .await;
    let (_a, _b) = (bench.session_of("a"), bench.session_of("b"));
    assert_eq!(shares(&bench, 4).await, BTreeMap::from([("b".into(), 4)]));
}

#[tokio::test]
async fn who_is_not_bound_comes_last_and_the_plan_is_kept() {
    let routes = [r#"{"id":"r","to":"p","price":{"currency":"EUR","default":"0.05"}}"#];
    let bench = with(&pool("failover"), &routes).await;
    let _b = bench.session_of("b");
    let long = format!(r#"{{"to":"+447700900123","text":"{}"}}"#, "x".repeat(400));
    let message = bench.submit(&long).await.unwrap();
    assert_eq!((message.progress.connector.as_deref(), message.progress.route()), (Some("b"), Some("r")));
    let plan = message.body.plan.as_deref().unwrap();
    assert_eq!(plan.pool.as_deref(), Some("p"));
    assert_eq!(plan.connectors.iter().map(|c| &**c).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(message.body.price().unwrap().to_string(), "0.15 EUR", "three parts");
    let kept = bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap();
    assert_eq!(kept.body, message.body);
}

#[tokio::test]
async fn a_plain_route_leaves_nothing_but_its_name() {
    let bench = with(&pool("failover"), &[r#"{"id":"r","to":"a"}"#]).await;
    let message = bench.submit(TO_UK).await.unwrap();
    assert_eq!((message.body.plan.as_ref(), message.progress.route(), message.body.price()), (None, Some("r"), None));
}

#[tokio::test]
async fn what_is_rewritten_is_sent_and_its_receipt_is_found() {
    let rewrite = r#"{"to":{"replace":"^44","with":"33"},"from":{"alphanumeric":{"*":"60777"}},"text_append":" STOP"}"#;
    let bench = with(&pool("failover"), &[&format!(r#"{{"id":"r","to":"a","rewrite":{rewrite}}}"#)]).await;
    let message = bench.submit(TO_UK).await.unwrap();
    assert_eq!((message.body.to.as_str(), message.body.from.as_str()), ("+447700900123", "SHOP"));
    let mut session = bench.session();
    let job = take(&mut session, 1).await.remove(0);
    assert_eq!((job.body.sent_to().as_str(), job.body.sent_from().as_str()), ("+337700900123", "60777"));
    assert_eq!(job.body.sent_text().as_deref(), Some("hello STOP"));
    sent(&mut session, &job, "60EDC86A").await;
    // In decimal, and from the number that the carrier knows: an id of that form alone is not enough.
    let mut report = delivered("1626196074");
    if let engine::dispatch::Incoming::Receipt { addresses, .. } = &mut report {
        *addresses = ["337700900123".into(), "60777".into()];
    }
    incoming(&mut session, report).await;
    bench.until(message.body.id, Status::Delivered).await;
}

#[tokio::test]
async fn what_a_route_appends_counts() {
    let bench = with(&pool("failover"), &[r#"{"id":"r","to":"a","rewrite":{"text_append":"0123456789"}}"#]).await;
    let text = |length: usize, more: &str| format!(r#"{{"to":"+447700900123","text":"{}"{more}}}"#, "x".repeat(length));
    assert_eq!(bench.submit(&text(150, "")).await.unwrap().progress.parts.len(), 1);
    assert_eq!(bench.submit(&text(151, "")).await.unwrap().progress.parts.len(), 2);
    let refused = bench.submit(&text(151, ",\"max_parts\":1")).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Invalid(faults) if faults[0].pointer == "/text"), "{refused:?}");
    let binary = bench.submit(r#"{"to":"+447700900123","binary":{"data":"AAAA"}}"#).await.unwrap();
    assert_eq!(binary.body.plan, None, "nothing is put behind octets");
}

#[tokio::test]
async fn a_route_that_makes_no_address_refuses() {
    let bench = with(&pool("failover"), &[r#"{"id":"r","to":"a","rewrite":{"from":{"replace":".*"}}}"#]).await;
    let refused = bench.submit(TO_UK).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Misrouted { field: "rewrite.from", .. }), "{refused:?}");
}

#[tokio::test]
async fn a_reason_reaches_the_application() {
    let bench = with(&pool("failover"), &[r#"{"id":"r","action":"reject","reason":"not to there"}"#]).await;
    let refused = bench.submit(TO_UK).await.unwrap_err();
    assert_eq!(refused.to_string(), "the route r refuses this message: not to there");
}

#[tokio::test]
async fn what_is_dropped_is_accepted_and_never_sent() {
    let bench = with(&pool("failover"), &[r#"{"id":"r","action":"drop"}"#]).await;
    let message = bench.submit(TO_UK).await.unwrap();
    let kept = bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap();
    assert_eq!((kept.progress.status, kept.progress.route()), (Status::Canceled, Some("r")));
    assert_eq!(kept.progress.reason.map(|r| r.code), Some("dropped".into()));
    assert_eq!(store::Store::queue_depths(&*bench.store).await.unwrap(), []);
}

#[tokio::test]
async fn copies_go_beside_the_message_and_belong_to_nobody() {
    let routes =
        [r#"{"id":"c","action":"copy","to":"b","rewrite":{"to":{"force":"+447700900999"}}}"#, r#"{"id":"r","to":"a"}"#];
    let bench = with(&pool("failover"), &routes).await;
    let message = bench.submit(r#"{"to":"07700 900123","text":"hello","client_ref":"x"}"#).await.unwrap();
    // Both wait in the store, and are found there.
    let bench = restart_with(bench.stop().await, &[CONNECTOR, &connector("b")], &[&pool("failover")], &routes).await;
    let (mut a, mut b) = (bench.session_of("a"), bench.session_of("b"));
    let (main, copy) = (take(&mut a, 1).await.remove(0), take(&mut b, 1).await.remove(0));
    assert_eq!(main.body.id, message.body.id);
    assert_eq!(copy.body.sent_to().as_str(), "+447700900999");
    assert_eq!(copy.body.plan.as_ref().unwrap().copy_of, Some(message.body.id));
    assert_eq!((&*copy.body.account, copy.body.client_ref.as_deref(), copy.body.price()), ("", None, None));
    assert_ne!(copy.body.id, message.body.id);
    assert!(bench.engine.message(&bench.caller, copy.body.id).await.unwrap().is_none(), "it is not the account's");
    sent(&mut b, &copy, "C1").await;
    sent(&mut a, &main, "M1").await;
    bench.until(message.body.id, Status::Sent).await;
    let owed = bench.engine.deliveries(&bench.caller, store::DeliveryFilter::default(), None, 10).await.unwrap();
    assert_eq!(owed.len(), 1, "nobody is told of the copy: {owed:?}");
}

#[tokio::test]
async fn every_condition_is_looked_at() {
    const LONG: &str = "This text is longer than the one hundred and sixty characters that fit into one short message, \
        so that it takes two of them, and a route that asks for that many has something to look at.";
    let to_gb = |fields: &str| format!(r#"{{"to":"+447700900123",{fields}}}"#);
    let hello = |fields: &str| to_gb(&format!(r#""text":"hello"{fields}"#));
    for (condition, matching, other) in [
        (r#""priority":[3]"#, hello(r#","priority":3"#), hello("")),
        (r#""encoding":["ucs2"]"#, to_gb(r#""text":"漢""#), hello("")),
        (r#""parts":{"min":2}"#, to_gb(&format!("\"text\":\"{LONG}\"")), hello("")),
        (r#""tags":{"kind":["otp"]}"#, hello(r#","tags":{"kind":"otp"}"#), hello(r#","tags":{"kind":"ad"}"#)),
        (r#""from_prefix":["SH"]"#, hello(""), hello(r#","from":"60777""#)),
        (r#""from_regex":"^S.{3}$""#, hello(""), hello(r#","from":"SHOPS""#)),
        (r#""text":"(?i)HELLO""#, hello(""), to_gb(r#""text":"other""#)),
        (r#""to_country":["gb"]"#, hello(""), r#"{"to":"+33612345678","text":"hello"}"#.to_owned()),
        (r#""ingress":["http"],"priority":[3]"#, hello(r#","priority":3"#), hello("")),
        // The only hour of its day in which such a message is due.
        (
            r#""time":[{"from":"11:00","to":"12:00","zone":"Europe/London"}]"#,
            hello(&format!(r#","send_at":"{}T11:30:00Z""#, a_winter_day())),
            hello(&format!(r#","send_at":"{}T12:00:00Z""#, a_winter_day())),
        ),
    ] {
        let no = format!(r#"{{"id":"no","action":"reject","match":{{{condition}}}}}"#);
        let bench = with(&pool("failover"), &[&no, r#"{"id":"r","to":"a"}"#]).await;
        let refused = bench.submit(&matching).await;
        assert!(matches!(refused, Err(Refusal::Rejected { .. })), "{condition}: {refused:?}");
        let taken = bench.submit(&other).await;
        assert!(taken.is_ok(), "{condition}: {taken:?}");
    }
}

/// A day within the next year on which London's clocks show UTC.
fn a_winter_day() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = model::Timestamp::from_millis(now.as_millis() as i64).civil().unwrap();
    let year = if (now.month(), now.day()) < (1, 20) { now.year() } else { now.year() + 1 };
    format!("{year}-01-20")
}
