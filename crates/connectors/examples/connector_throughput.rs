//! How fast one session is: an engine on a store in memory, a connector, and a simulated SMSC, all
//! on one thread. `cargo run --release -p connectors --example connector_throughput [MESSAGES] [WINDOW]`

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::{Engine, Retention, Settings, Vault};
use model::resources::ResourceSet;
use model::{Submission, Timestamp};
use simulator::{Smsc, SmscSettings};
use store::MemoryStore;

fn clock() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<usize>());
    let messages = numbers.next().transpose()?.unwrap_or(100_000);
    let window = numbers.next().transpose()?.unwrap_or(500);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let smsc = Smsc::start(listener, SmscSettings::fast());
    let store = Arc::new(MemoryStore::new(clock));
    let connector =
        format!(r#"{{"id":"a","protocol":"smpp","address":"{}","system_id":"x","window":{window}}}"#, smsc.address());
    let wanted = ResourceSet {
        accounts: vec![serde_json::from_str(r#"{"id":"shop","api_token":"secret","default_sender":"SHOP"}"#)?],
        connectors: vec![serde_json::from_str(&connector)?],
        ..ResourceSet::default()
    };
    engine::resources::apply(&*store, &Vault::new(&[1; 32]), &wanted).await?;
    let settings = Settings {
        vault: Vault::new(&[1; 32]),
        retention: Retention::default(),
        webhook_concurrency: 1,
        watch_resources: Duration::from_secs(3600),
        authority: None,
        node: None,
    };
    let engine = Engine::start(store, settings).await?;
    let caller = engine.authenticate("secret")?;
    let began = Instant::now();
    for first in (0..messages).step_by(5000) {
        let batch = (first..messages.min(first + 5000)).map(|number| Submission {
            to: format!("+4477{number:09}"),
            text: Some(format!("message number {number}")),
            ..Submission::default()
        });
        let batch = batch.map(Ok).collect();
        engine
            .submit_batch(&caller, batch, None, |_| (202, "".into()))
            .await
            .map_err(|refusal| format!("{refusal:?}"))?;
    }
    let accepted = began.elapsed();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let connectors = tokio::spawn(connectors::run(engine.clone(), async move {
        let _ = stopped.await;
    }));
    let began = Instant::now();
    smsc.wait_until(|counters| counters.accepted >= messages as u64).await;
    let sent = began.elapsed();
    smsc.wait_until(|counters| counters.receipts_acked >= messages as u64).await;
    let whole = began.elapsed();
    let rate = |time: Duration| messages as f64 / time.as_secs_f64();
    println!("accepted {:.0}/s, sent {:.0}/s, with receipts {:.0}/s", rate(accepted), rate(sent), rate(whole));
    println!("{:?}", smsc.counters());
    let _ = stop.send(());
    connectors.await?;
    engine.stop().await;
    smsc.stop().await;
    Ok(())
}
