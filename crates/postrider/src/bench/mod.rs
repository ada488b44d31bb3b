//! `postrider bench`: load from outside, against any gateway that speaks one of the dialects.
//!
//! One process makes the load and takes the call-backs; what it prints is one JSON object, so that
//! scripts can compare gateways side by side. It speaks HTTP by hand over plain sockets: on a small
//! machine a full client would cost more than the gateway that is measured.

mod args;
mod dialect;
mod http;
mod load;
mod progress;
mod sink;
mod smpp;
mod stats;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use crate::outcome::{Failure, Outcome};
pub use args::{BenchArgs, BenchCommand, HttpArgs};
use load::Load;
use progress::Far;
use sink::Sink;
use stats::Latencies;

/// The runtime for a load.
pub fn runtime(args: &BenchArgs) -> std::io::Result<tokio::runtime::Runtime> {
    use tokio::runtime::Builder;
    let mut builder = match args.threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(usize::from(args.threads)).enable_all().build()
}

/// Runs the load and prints its summary. It fails if messages were lost or refused.
pub async fn run(args: BenchArgs) -> Outcome {
    match args.command {
        BenchCommand::Http(args) => over_http(args).await,
        BenchCommand::Smpp(args) => smpp::run(args).await,
    }
}

async fn over_http(args: HttpArgs) -> Outcome {
    let sink = match &args.sink {
        Some(address) => Some(Sink::listen(address, args.messages).await.context("the sink can't listen")?),
        None => None,
    };
    let load = Arc::new(Load::new(&args, sink.as_ref().map(Sink::url))?);
    let begin = Instant::now();
    let far = || Far {
        messages: load.messages(),
        settled: load.accepted() + load.refused(),
        refused: load.refused(),
        receipts: sink.as_ref().map(Sink::distinct),
    };
    let latencies = progress::shown(far, begin, load.run(begin)).await?;
    let accepting = begin.elapsed();
    let (accepted, refused) = (load.accepted(), load.refused());
    let mut summary = json!({
        "dialect": args.dialect.as_str(),
        "messages": args.messages,
        "connections": args.connections,
        "batch": args.batch,
        "accepted": accepted,
        "refused": refused,
        "refusals": load.refusals(),
        "accept_seconds": accepting.as_secs_f64(),
        "accept_per_second": per_second(accepted, accepting),
        "accept_latency_ms": Latencies::new(latencies).percentiles(),
    });
    let mut whole = refused == 0;
    if let Some(sink) = &sink {
        let receipts = sink.wait(accepted, Duration::from_secs(args.patience));
        progress::shown(far, begin, receipts).await;
        let taken = sink.summary(begin, &load.started());
        let lost = accepted.saturating_sub(taken.distinct);
        whole &= lost == 0;
        summary["end_to_end_seconds"] = json!(taken.last.as_secs_f64());
        summary["end_to_end_per_second"] = json!(per_second(taken.distinct, taken.last));
        summary["end_to_end_latency_ms"] = json!(taken.latencies.percentiles());
        summary["receipts"] = json!(taken.distinct);
        summary["lost"] = json!(lost);
        summary["duplicated"] = json!(taken.repeated);
    }
    println!("{summary}");
    if whole { Ok(()) } else { Err(Failure::Told) }
}

fn per_second(count: u64, time: Duration) -> f64 {
    (count as f64 / time.as_secs_f64()).round()
}
