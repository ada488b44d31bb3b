//! `replay`: stored messages through the routes of a draft. It reads the store itself, also beside a
//! running gateway, and writes nothing.

use std::path::PathBuf;

use clap::Args;
use engine::replay::{ReplayError, ReplayPeriod, replay};
use ingress::http::replay::Report;
use model::Timestamp;
use serde_json::Value;

use crate::boot::read_resources;
use crate::config::{Sources, Span, load};
use crate::outcome::{Failure, Outcome, say};
use crate::resources_file::SecretCheck;
use crate::storage::Storage;

/// Which draft, and which messages.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The resources file with the draft; everything in it counts, as with `apply`
    #[arg(long, value_name = "FILE")]
    resources: PathBuf,
    /// The beginning of the period: how long ago, such as 12h, or a time as RFC 3339 writes it
    #[arg(long, default_value = "1d", value_parser = Moment::parse)]
    since: Moment,
    /// The end of the period; now if it is left out
    #[arg(long, value_parser = Moment::parse)]
    until: Option<Moment>,
    /// Most messages, the newest first
    #[arg(long, default_value_t = 100_000)]
    limit: usize,
    /// How many differences to show one by one
    #[arg(long, default_value_t = 20)]
    differences: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sources: Sources,
}

/// A point in time, or how long ago it was.
#[derive(Clone, Copy, Debug)]
enum Moment {
    At(Timestamp),
    Ago(Span),
}

impl Moment {
    fn parse(text: &str) -> Result<Self, String> {
        let at = text.parse::<Timestamp>().map(Self::At).ok();
        let why = || "must be how long ago, such as 12h, or a time such as 2026-01-31T09:00:00Z".to_owned();
        at.or_else(|| text.parse::<Span>().map(Self::Ago).ok()).ok_or_else(why)
    }

    fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(Span(span)) => now.plus_millis(-i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

/// Replays, and tells what would change.
pub async fn run(args: ReplayArgs) -> Outcome {
    let config = load(&args.sources)?;
    let storage = Storage::open_existing(&config).await?;
    let vault = storage.vault();
    let mut draft = read_resources(&args.resources, SecretCheck { vault: Some(&vault), references: false })?;
    for (n, route) in draft.routes.iter_mut().enumerate().filter(|(_, route)| route.order == 0) {
        route.order = n as i64;
    }
    let now = storage.store.now();
    let period = ReplayPeriod {
        since: args.since.before(now),
        until: args.until.map_or(now, |until| until.before(now)),
        limit: args.limit,
        differences: args.differences,
    };
    let report = replay(&*storage.store, &draft, period).await.map_err(|error| match error {
        ReplayError::Faults(_) | ReplayError::Store(_) => Failure::failed(error),
    })?;
    let report = serde_json::to_value(Report::from(report))?;
    if args.json {
        return say(&report);
    }
    told(&report).iter().try_for_each(say)
}

/// The report for people, line by line.
fn told(report: &Value) -> Vec<String> {
    let number = |key: &str| report[key].as_u64().unwrap_or_default();
    let list = |key: &str| report[key].as_array().cloned().unwrap_or_default();
    let mut lines = vec![format!("{} of {} messages would change", number("changed"), number("messages"))];
    if number("passed_over") > 0 {
        lines.push(format!("{} more had no route: they named their connector themselves", number("passed_over")));
    }
    if report["complete"] != true {
        lines.push("there are more of that period; raise --limit to see them".into());
    }
    for key in ["outcomes", "routes", "connectors"] {
        for count in list(key).iter().filter(|count| count["before"] != count["after"]) {
            let id = count["id"].as_str().unwrap_or_default();
            lines.push(format!("{} {id}: {} -> {}", key.trim_end_matches('s'), count["before"], count["after"]));
        }
    }
    for price in list("prices") {
        let text = |key: &str| price[key].as_str().unwrap_or_default().to_owned();
        lines.push(format!("price in {}: {} -> {}", text("currency"), text("before"), text("after")));
    }
    for difference in list("differences") {
        let text = |key: &str| difference[key].as_str().unwrap_or_default().to_owned();
        let (before, after) = (side(&difference["before"]), side(&difference["after"]));
        lines.push(format!("{} {} to {}: {before} -> {after}", text("id"), text("from"), text("to")));
    }
    lines
}

fn side(side: &Value) -> String {
    let text = |key: &str| side[key].as_str().unwrap_or_default();
    let mut told = format!("{} by {}", text("outcome"), side["route"].as_str().unwrap_or("no route"));
    let connectors: Vec<&str> = side["connectors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !connectors.is_empty() {
        told += &format!(" over {} as {} to {}", connectors.join(", "), text("sent_from"), text("sent_to"));
    }
    if let Some(amount) = side["price"]["amount"].as_str() {
        told += &format!(" for {amount} {}", side["price"]["currency"].as_str().unwrap_or_default());
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let side = |route: &str, connector: &str| json!({ "outcome": "send", "route": route, "connectors": [connector], "price": null, "sent_to": "+44", "sent_from": "S" });
        let report = json!({
            "messages": 3, "changed": 1, "passed_over": 0, "complete": true,
            "outcomes": [{ "id": "send", "before": 3, "after": 3 }],
            "routes": [], "connectors": [{ "id": "a", "before": 3, "after": 2 }, { "id": "b", "before": 0, "after": 1 }],
            "prices": [{ "currency": "EUR", "before": "0.3", "after": "0.25" }],
            "differences": [{ "id": "m1", "to": "+44", "from": "S", "before": side("r", "a"), "after": side("q", "b") }],
        });
        let expected = [
            "1 of 3 messages would change",
            "connector a: 3 -> 2",
            "connector b: 0 -> 1",
            "price in EUR: 0.3 -> 0.25",
            "m1 S to +44: send by r over a as S to +44 -> send by q over b as S to +44",
        ];
        assert_eq!(told(&report), expected);
    }

    #[test]
    fn a_period_begins_at_a_time_or_so_long_ago() {
        let now = "2026-01-31T09:00:00Z".parse().unwrap();
        let begins = |text: &str| Moment::parse(text).unwrap().before(now).to_string();
        assert_eq!(begins("12h"), "2026-01-30T21:00:00.000Z");
        assert_eq!(begins("2026-01-01T00:00:00Z"), "2026-01-01T00:00:00.000Z");
        assert!(Moment::parse("yesterday").is_err());
    }
}
