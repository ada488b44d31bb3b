//! `explain`: what would become of a message, and why; the same as `POST /v1/explain` answers. With
//! `--inbound` it is a message from a phone, and the answer that of `POST /v1/explain-inbound`.

mod inbound;

use clap::Args;
use serde_json::{Value, json};

use crate::api::Target;
use crate::outcome::{Outcome, say};

/// Which message, and which gateway.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// It is a message from a phone: which inbound rule takes it, and what is done about it
    #[arg(long, requires = "from", conflicts_with_all = ["account", "priority", "ingress", "tags"])]
    inbound: bool,
    /// With --inbound: the connector that it would come over
    #[arg(long, requires = "inbound")]
    connector: Option<String>,
    /// The account that would send it; the token's own if it is left out
    #[arg(long)]
    account: Option<String>,
    /// The recipient
    #[arg(long)]
    to: String,
    /// The sender; the account's default if it is left out
    #[arg(long)]
    from: Option<String>,
    /// The text; without one, routes that look at texts don't match
    #[arg(long)]
    text: Option<String>,
    /// 0 to 3
    #[arg(long)]
    priority: Option<u8>,
    /// The way in that it would come by, such as smpp
    #[arg(long)]
    ingress: Option<String>,
    /// A tag, as key=value; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Really ask the account's policy service
    #[arg(long)]
    ask: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

fn tag(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Asks the gateway, and tells what it says.
pub fn run(args: &ExplainArgs) -> Outcome {
    if args.inbound {
        let body = json!({ "connector": args.connector, "from": args.from, "to": args.to, "text": args.text });
        let answer = args.target.api()?.post("/v1/explain-inbound", &body)?;
        return if args.json { say(&answer) } else { inbound::told(&answer).iter().try_for_each(say) };
    }
    let tags: serde_json::Map<String, Value> = args.tags.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
    let body = json!({
        "account": args.account, "to": args.to, "from": args.from, "text": args.text, "priority": args.priority,
        "ingress": args.ingress, "tags": tags, "ask": args.ask,
    });
    let answer = args.target.api()?.post("/v1/explain", &body)?;
    if args.json {
        return say(&answer);
    }
    told(&answer).iter().try_for_each(say)
}

/// The answer for people, line by line.
fn told(answer: &Value) -> Vec<String> {
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    let policy = &answer["policy"];
    if let Some(outcome) = policy["outcome"].as_str() {
        let took = policy["milliseconds"].as_f64().map_or_else(String::new, |took| format!(" in {took:.0} ms"));
        let detail = policy["detail"].as_str().filter(|detail| !detail.is_empty());
        let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
        lines.push(format!("policy of {}: {outcome}{took}{detail}", text(&policy["account"])));
    }
    for route in list("routes") {
        let (id, action) = (text(&route["route"]), text(&route["action"]));
        lines.push(match (route["against"].as_str(), &route["wanted"]) {
            (None, _) => format!("+ {id}: matches, {action}"),
            (Some(field), Value::Null) => format!("- {id}: {field}"),
            (Some(field), wanted) => format!("- {id}: {field} is {wanted}"),
        });
    }
    let message = &answer["message"];
    match answer["outcome"].as_str() {
        Some("send") => {
            let parts = message["parts"].as_array().map_or(0, Vec::len);
            lines.push(format!("sent as {} to {}", shown(message, "from"), shown(message, "to")));
            lines.push(format!("{parts} part{}, {}", if parts == 1 { "" } else { "s" }, text(&message["encoding"])));
            if let Some(due) = waits_until(&answer["due_at"], message) {
                lines.push(due);
            }
            if let Some(amount) = message["price"]["amount"].as_str() {
                lines.push(format!("price {amount} {}", text(&message["price"]["currency"])));
            }
        }
        Some("drop") => lines.push("accepted, and nothing is sent".into()),
        _ => lines.push(format!(
            "refused: {} ({})",
            answer["problem"]["detail"].as_str().or(answer["problem"]["title"].as_str()).unwrap_or_default(),
            text(&answer["problem"]["code"])
        )),
    }
    let clocks: Vec<String> = list("quiet_hours_of").iter().map(text).collect();
    if !clocks.is_empty() {
        lines.push(format!("quiet hours of {}", clocks.join(", ")));
    }
    if let Some(until) = answer["paced_until"].as_str() {
        lines.push(format!("paced until {until}"));
    }
    for (n, connector) in list("connectors").iter().enumerate() {
        lines.push(format!("{}. {}", n + 1, of_connector(connector)));
    }
    for copy in list("copies") {
        lines.push(format!("copy over {} to {}", text(&copy["connector"]), shown(&copy, "to")));
    }
    lines
}

/// When a message is due that does not go at once, and why.
fn waits_until(due: &Value, message: &Value) -> Option<String> {
    let due = due.as_str().filter(|_| message["status"] == "scheduled")?;
    let why = message["reason"]["detail"].as_str().map(|why| format!(": {why}"));
    Some(format!("waits until {due}{}", why.unwrap_or_default()))
}

/// An address as it is sent, with the one that was asked for where it differs.
fn shown(message: &Value, key: &str) -> String {
    let asked = message[key].as_str().unwrap_or_default();
    message["sent_as"][key].as_str().map_or_else(|| asked.to_owned(), |sent| format!("{sent} (for {asked})"))
}

fn of_connector(connector: &Value) -> String {
    let mut told = format!("{}: ", connector["connector"].as_str().unwrap_or_default());
    told += match (connector["usable"].as_bool(), connector["health"]["state"].as_str()) {
        (Some(true), Some("well")) => "takes messages",
        (Some(true), _) => "is let back gently",
        (_, Some("sick")) => "is sick",
        _ => "is not connected",
    };
    for key in ["weight", "priority"] {
        if let Some(number) = connector[key].as_u64() {
            told += &format!(", {key} {number}");
        }
    }
    if let Some(amount) = connector["cost"]["amount"].as_str() {
        told += &format!(", costs {amount} {}", connector["cost"]["currency"].as_str().unwrap_or_default());
    }
    told += &format!(", {} queued", connector["queued"].as_u64().unwrap_or_default());
    if let Some(seconds) = connector["wait_seconds"].as_f64().filter(|seconds| *seconds > 0.0) {
        told += &format!(", about {seconds:.1} s to wait");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_told_in_lines() {
        let answer = json!({
            "outcome": "send",
            "routes": [
                { "route": "de", "action": "send", "matches": false, "against": "match.to_prefix", "wanted": ["49"] },
                { "route": "uk", "action": "send", "matches": true },
            ],
            "message": {
                "from": "SHOP", "to": "+447700900123", "sent_as": { "from": "60777" }, "parts": [{}, {}],
                "encoding": "gsm7", "price": { "amount": "0.07", "currency": "EUR" },
            },
            "connectors": [
                { "connector": "a", "usable": true, "health": { "state": "well" }, "queued": 5, "wait_seconds": 2.5, "weight": 3 },
                { "connector": "b", "usable": false, "health": { "state": "sick" }, "queued": 0, "wait_seconds": null },
            ],
            "copies": [],
        });
        let expected = [
            "- de: match.to_prefix is [\"49\"]",
            "+ uk: matches, send",
            "sent as 60777 (for SHOP) to +447700900123",
            "2 parts, gsm7",
            "price 0.07 EUR",
            "1. a: takes messages, weight 3, 5 queued, about 2.5 s to wait",
            "2. b: is sick, 0 queued",
        ];
        assert_eq!(told(&answer), expected);
        let waits = json!({
            "outcome": "send", "routes": [], "connectors": [], "due_at": "2026-01-01T08:00:00.000Z",
            "quiet_hours_of": ["Europe/London"], "paced_until": "2026-01-01T08:00:01.000Z",
            "message": { "from": "SHOP", "to": "+447700900123", "parts": [{}], "encoding": "gsm7", "status": "scheduled",
                "reason": { "detail": "the quiet hours end" } },
        });
        let told_of_it = told(&waits);
        assert_eq!(
            told_of_it[2..],
            [
                "waits until 2026-01-01T08:00:00.000Z: the quiet hours end",
                "quiet hours of Europe/London",
                "paced until 2026-01-01T08:00:01.000Z"
            ]
        );
        let asked = json!({
            "outcome": "refuse", "routes": [], "problem": { "title": "No", "code": "policy_rejects" },
            "policy": { "account": "shop", "outcome": "rejected", "milliseconds": 12.3, "detail": "reject: no" },
        });
        assert_eq!(told(&asked), ["policy of shop: rejected in 12 ms: reject: no", "refused: No (policy_rejects)"]);
        let refused = json!({ "outcome": "refuse", "routes": [], "problem": { "title": "No", "code": "no_route" } });
        assert_eq!(told(&refused), ["refused: No (no_route)"]);
    }
}
