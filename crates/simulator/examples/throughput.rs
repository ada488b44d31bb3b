//! How fast the SMSC is: one client over loopback, both on one thread.
//! `cargo run --release -p simulator --example throughput [MESSAGES] [WINDOW]`

use simulator::{LoadSettings, Smsc, SmscSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let messages = numbers.next().transpose()?.unwrap_or(1_000_000);
    let window = numbers.next().transpose()?.unwrap_or(1000) as usize;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let smsc = Smsc::start(listener, SmscSettings::fast());
    let report = simulator::load(&LoadSettings { messages, window, ..LoadSettings::new(smsc.address()) }).await?;
    let rate = |seconds: f64| messages as f64 / seconds;
    println!(
        "{} accepted, {} receipts: {:.0}/s submitted, {:.0}/s with receipts; p50 {:?}, p99 {:?}",
        report.accepted,
        report.receipts,
        rate(report.submitting.as_secs_f64()),
        rate(report.whole.as_secs_f64()),
        report.latencies.percentile(0.5),
        report.latencies.percentile(0.99),
    );
    println!("{:?}", smsc.counters());
    smsc.stop().await;
    Ok(())
}
