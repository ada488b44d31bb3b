//! Load over SMPP: transceivers that submit as their windows allow, or at a rate, and take the receipts.
//! Receipts are matched by the ids that the server gave, whichever session of the account they come by.

mod ledger;
mod load;
mod session;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::args::SmppArgs;
use super::stats::Latencies;
use super::{per_second, progress};
use crate::outcome::{Failure, Outcome};
use load::Load;
use session::{Link, Seen};

/// Between two looks at how far the run is.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the load and prints its summary. It fails if messages were lost, refused or not answered.
pub async fn run(args: SmppArgs) -> Outcome {
    let patience = Duration::from_secs(args.patience);
    let mut links = Vec::with_capacity(args.sessions.into());
    for n in 0..usize::from(args.sessions) {
        let account = n % args.system_id.len();
        let name = (account, &*args.system_id[account]);
        links.push(Link::bind(&args.address, name, &args.password, args.window, patience).await?);
    }
    let begin = Instant::now();
    let load = Arc::new(Load::new(&args, begin));
    let stop = watch::Sender::new(false);
    let mut sessions = JoinSet::new();
    for link in links {
        let (load, stop) = (load.clone(), stop.subscribe());
        sessions.spawn(async move { link.run(&load, stop).await });
    }
    let mut seen = Vec::new();
    progress::shown(|| load.far(), begin, wait(&load, &mut sessions, &mut seen, patience)).await;
    stop.send_replace(true);
    while let Some(ended) = sessions.join_next().await {
        seen.extend(ended);
    }
    tell(&args, &load, seen)
}

/// Waits until all is done that was waited for, nothing has come for `patience`, or no session is left.
async fn wait(load: &Load, sessions: &mut JoinSet<Seen>, seen: &mut Vec<Seen>, patience: Duration) {
    let mut last = (0, Instant::now());
    while !load.is_done() {
        tokio::select! {
            ended = sessions.join_next() => match ended {
                Some(ended) => seen.extend(ended),
                None => return,
            },
            () = tokio::time::sleep(LOOK) => {}
        }
        let far = load.far();
        // What is not sent yet may be due much later, and what is unanswered has a timer.
        let now = far.settled + far.receipts.unwrap_or(0);
        if now != last.0 || far.settled < far.messages {
            last = (now, Instant::now());
        } else if last.1.elapsed() >= patience {
            return;
        }
    }
}

fn tell(args: &SmppArgs, load: &Load, seen: Vec<Seen>) -> Outcome {
    let ended: Vec<&String> = seen.iter().filter_map(|seen| seen.ended.as_ref()).collect();
    let all =
        |of: fn(&Seen) -> &Vec<u32>| Latencies::new(seen.iter().flat_map(|seen| of(seen).iter().copied()).collect());
    let (accepted, far) = (load.accepted(), load.far());
    let answered = load.last_answer();
    let mut summary = json!({
        "dialect": "smpp",
        "messages": args.messages,
        "accounts": args.system_id.len(),
        "sessions": args.sessions,
        "window": args.window,
        "accepted": accepted,
        "refused": far.refused,
        "refusals": load.refusals(),
        "unanswered": load.lost_answers(),
        "accept_seconds": answered.as_secs_f64(),
        "accept_per_second": per_second(accepted, answered),
        "accept_latency_ms": all(|seen| &seen.answers).percentiles(),
        "other_deliveries": seen.iter().map(|seen| seen.others).sum::<u64>(),
        "ended_early": ended,
    });
    let mut whole = accepted == args.messages && ended.is_empty();
    if let Some(receipts) = far.receipts {
        let last = load.last_receipt();
        let lost = accepted.saturating_sub(receipts);
        whole &= lost == 0;
        summary["end_to_end_seconds"] = json!(last.as_secs_f64());
        summary["end_to_end_per_second"] = json!(per_second(receipts, last));
        summary["end_to_end_latency_ms"] = json!(all(|seen| &seen.receipts).percentiles());
        summary["receipts"] = json!(receipts);
        summary["receipt_states"] = json!(load.receipt_states());
        summary["lost"] = json!(lost);
        summary["duplicated"] = json!(load.repeated());
        summary["unknown_receipts"] = json!(load.strange());
    }
    println!("{summary}");
    if whole { Ok(()) } else { Err(Failure::Told) }
}
