//! Binding: kinds, refusals, changes, drains.

use engine::dispatch::{Desired, SessionState};
use model::Status;
use simulator::SmscSettings;
use smpp::CommandStatus;

use crate::bench::{Bench, is_bound};

#[tokio::test]
async fn a_pair_of_binds_is_one_session() {
    let bench = Bench::start(SmscSettings::default(), r#""bind":"transmitter+receiver""#).await;
    let id = bench.text("over two").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.states().await.len(), 1);
    assert_eq!(bench.smsc.counters().binds, 2);
    // Losing one loses both, and both come back.
    bench.smsc.close_all();
    bench.until_counted(|counters| counters.binds >= 4).await;
    let id = bench.text("again").await;
    bench.until(id, Status::Delivered).await;
}

#[tokio::test]
async fn a_transmitter_sends_only_and_a_receiver_takes_nothing() {
    let bench = Bench::start(SmscSettings::default(), r#""bind":"transmitter""#).await;
    let id = bench.text("no receipt").await;
    bench.until(id, Status::Sent).await;
    let address = bench.smsc.address().to_string();
    bench.change(&address, r#""bind":"receiver""#).await;
    // The receipt waited for a bind that can receive.
    bench.until(id, Status::Delivered).await;
    bench.until_counted(|counters| counters.binds == 2).await;
}

#[tokio::test]
async fn version_3_3_works_with_a_pair() {
    let more = r#""bind":"transmitter+receiver","interface_version":"3.3""#;
    let bench = Bench::start(SmscSettings::default(), more).await;
    let id = bench.text("old").await;
    bench.until(id, Status::Delivered).await;
}

#[tokio::test]
async fn wrong_credentials_are_tried_slowly() {
    let bench = Bench::start(SmscSettings { password: Some("other".into()), ..SmscSettings::default() }, "").await;
    bench
        .until_states(|states| {
            states.iter().any(|state| match state {
                SessionState::Down { reason, retry_at: Some(at) } => {
                    let wait = at.millis_since(bench.engine.now());
                    reason.contains("password is wrong") && wait > 50_000
                }
                _ => false,
            })
        })
        .await;
    assert_eq!(bench.smsc.counters().binds_refused, 1);
    bench.stop().await;
}

#[tokio::test]
async fn already_bound_is_tried_again_soon() {
    let settings = SmscSettings { refuse_binds: Some(CommandStatus::RALYBND), ..SmscSettings::default() };
    let bench = Bench::start(settings, "").await;
    bench.until_counted(|counters| counters.binds_refused >= 3).await;
    bench.smsc.change(|settings| settings.refuse_binds = None);
    bench.until_states(|states| states.iter().all(is_bound) && !states.is_empty()).await;
}

#[tokio::test]
async fn only_bind_settings_bind_again() {
    let bench = Bench::start(SmscSettings::default(), "").await;
    bench.until_counted(|counters| counters.binds == 1).await;
    let address = bench.smsc.address().to_string();
    bench.change(&address, r#""service_type":"CMT","long_messages":"sar""#).await;
    let id = bench.text(&"a".repeat(161)).await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().binds, 1);
    assert!(bench.smsc.seen().iter().all(|part| part.esm_class == 0 && !part.tlvs.is_empty()));
    bench.change(&address, r#""window":3"#).await;
    bench.until_counted(|counters| counters.binds == 2).await;
    let id = bench.text("after").await;
    bench.until(id, Status::Delivered).await;
}

#[tokio::test]
async fn drained_and_started_again() {
    let bench = Bench::start(SmscSettings::default(), "").await;
    bench.until_counted(|counters| counters.binds == 1).await;
    assert!(bench.engine.want("a", Desired::Draining));
    let down = |state: &SessionState| matches!(state, SessionState::Down { retry_at: None, .. });
    bench.until_states(|states| !states.is_empty() && states.iter().all(down)).await;
    let id = bench.text("waits").await;
    assert_eq!(bench.smsc.counters().submits, 0);
    bench.engine.want("a", Desired::Running);
    bench.until(id, Status::Delivered).await;
    let smsc = bench.stop().await;
    assert_eq!(smsc.bound(), 0);
}
