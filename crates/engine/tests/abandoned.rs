//! Messages whose connector is taken out of the resources: they go elsewhere, and are in one hand only.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::time::Instant;

use engine::dispatch::SessionState;
use model::Status;
use support::*;

const TO_UK: &str = r#"{"to":"07700 900123","text":"hello"}"#;

/// Brings resources with these connectors into force, of which `to` sends everything.
async fn apply(bench: &Bench, connectors: &[&str], to: &str) {
    let connectors: Vec<String> = connectors.iter().map(|id| connector(id)).collect();
    let connectors: Vec<&str> = connectors.iter().map(String::as_str).collect();
    let wanted = resources(&connectors, &[], &[&format!(r#"{{"id":"r","to":"{to}"}}"#)]);
    engine::resources::apply(&*bench.store, &engine::Vault::new(&[1; 32]), &wanted).await.unwrap();
    assert!(bench.engine.reload().await.unwrap());
}

/// The message, once it was moved to `to`: whoever held the lane that is gone may still be letting go.
async fn moved_to(bench: &Bench, id: model::MessageId, to: &str) -> model::Message {
    let moving = async {
        loop {
            bench.engine.rehome_now().await.unwrap();
            let message = bench.engine.message(&bench.caller, id).await.unwrap().unwrap();
            if message.progress.connector.as_deref() == Some(to) {
                return message;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), moving).await.expect("it is moved")
}

async fn start_over(to: &str) -> Bench {
    let connectors = ["a", "b"].map(connector);
    let route = format!(r#"{{"id":"r","to":"{to}"}}"#);
    start_with(&connectors.each_ref().map(String::as_str), &[], &[&route]).await
}

#[tokio::test]
async fn what_waits_goes_where_the_routes_lead_now() {
    let bench = start_over("a").await;
    let message = bench.submit(TO_UK).await.unwrap();
    assert_eq!(message.progress.connector.as_deref(), Some("a"));
    assert_eq!(bench.engine.rehome_now().await.unwrap(), 0, "its connector is there, if down");

    apply(&bench, &["b"], "b").await;
    let moved = moved_to(&bench, message.body.id, "b").await;
    let event = moved.progress.events.last().unwrap();
    assert_eq!((&*event.what, event.detail.as_deref()), ("moved", Some("a to b: it is gone")));
    let mut b = bench.session_of("b");
    let job = take(&mut b, 1).await.remove(0);
    sent(&mut b, &job, "R1").await;
    bench.until(message.body.id, Status::Sent).await;
    assert_eq!(store::Store::queue_depths(&*bench.store).await.unwrap(), []);
}

#[tokio::test]
async fn what_a_session_still_holds_stays_until_it_has_ended() {
    let bench = start_over("a").await;
    let (held, waits) = (bench.submit(TO_UK).await.unwrap(), bench.submit(TO_UK).await.unwrap());
    let mut a = bench.session_of("a");
    let job = take(&mut a, 1).await.remove(0);
    assert_eq!(job.body.id, held.body.id);

    apply(&bench, &["b"], "b").await;
    assert_eq!(bench.engine.rehome_now().await.unwrap(), 0, "a session stands");
    sent(&mut a, &job, "R1").await;
    bench.until(held.body.id, Status::Sent).await;
    bench.engine.link("b").unwrap().set_state(0, SessionState::Down { reason: "gone".into(), retry_at: None });
    drop(a);

    moved_to(&bench, waits.body.id, "b").await;
    assert_eq!(bench.engine.message(&bench.caller, held.body.id).await.unwrap().unwrap().progress.status, Status::Sent);
}

#[tokio::test]
async fn a_part_in_doubt_of_a_connector_that_is_gone_is_recorded() {
    let bench = start_over("a").await;
    let message = bench.submit(TO_UK).await.unwrap();
    let mut a = bench.session_of("a");
    take(&mut a, 1).await;
    apply(&bench, &["b"], "b").await;
    // It falls over with the part in its hands.
    drop(a);
    bench.engine.rehome_now().await.unwrap();
    let doubted = |m: &model::Message| m.progress.events.iter().any(|event| event.what == "in_doubt");
    bench.until_that(message.body.id, doubted).await;
}

#[tokio::test]
async fn a_connector_that_is_put_back_has_what_it_had() {
    let bench = start_over("a").await;
    let (held, waits) = (bench.submit(TO_UK).await.unwrap(), bench.submit(TO_UK).await.unwrap());
    let mut a = bench.session_of("a");
    let job = take(&mut a, 1).await.remove(0);
    apply(&bench, &["b"], "b").await;
    apply(&bench, &["a", "b"], "a").await;

    let mut again = bench.session_of("a");
    let jobs = take(&mut again, 1).await;
    assert_eq!(jobs[0].body.id, waits.body.id, "the other one is in the hands of the first session");
    assert!(again.take(10, Instant::now()).is_empty());
    sent(&mut a, &job, "R1").await;
    bench.until(held.body.id, Status::Sent).await;
}
