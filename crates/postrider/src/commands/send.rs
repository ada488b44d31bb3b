//! `send`: one message over the HTTP API, and its timeline until it ends.

use std::io::stdout;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::encode::Encoding;
use crate::api::{Api, Target};
use crate::colour::{Colour, Paint};
use crate::config::Span;
use crate::outcome::{Failure, Outcome, say};
use crate::timeline::{has_ended, lines};

/// How often to look what has happened.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What to send.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The recipient
    #[arg(long)]
    to: String,
    /// The text
    #[arg(long)]
    text: String,
    /// The sender; without, the account's
    #[arg(long)]
    from: Option<String>,
    /// The alphabet
    #[arg(long, value_enum, default_value_t = Encoding::Auto)]
    encoding: Encoding,
    /// Show it at once and do not store it
    #[arg(long)]
    flash: bool,
    /// Ask for no receipt: it ends when the carrier has taken it
    #[arg(long)]
    no_receipt: bool,
    /// How long to wait for its end
    #[arg(long, default_value = "60s")]
    timeout: Span,
    /// Print the message as JSON at its end, and no timeline
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Sends; fails if the message was not delivered, or not sent where no receipt was asked for.
pub fn run(args: &SendArgs, colour: Colour) -> Outcome {
    let api = args.target.api()?;
    let message = api.post("/v1/messages", &body(args))?;
    let id = message["id"].as_str().unwrap_or_default().to_owned();
    if !args.json {
        let (to, encoding) =
            (message["to"].as_str().unwrap_or(&args.to), message["encoding"].as_str().unwrap_or_default());
        let parts = message["parts"].as_array().map_or(1, Vec::len);
        say(format_args!("{id}  to {to}  {encoding}, {parts} {}", if parts == 1 { "part" } else { "parts" }))?;
    }
    let message = follow(&api, &id, args, colour.on(&stdout()))?;
    if args.json {
        say(&message)?;
    }
    let status = message["status"].as_str().unwrap_or_default();
    if status == "delivered" || (args.no_receipt && status == "sent") { Ok(()) } else { Err(Failure::Told) }
}

fn body(args: &SendArgs) -> Value {
    let encoding = match args.encoding {
        Encoding::Auto => "auto",
        Encoding::Gsm7 => "gsm7",
        Encoding::Ucs2 => "ucs2",
        Encoding::Latin1 => "latin1",
    };
    let mut body = json!({ "to": args.to, "text": args.text, "encoding": encoding });
    if let Some(from) = &args.from {
        body["from"] = from.as_str().into();
    }
    if args.flash {
        body["class"] = 0.into();
    }
    if args.no_receipt {
        body["receipt"] = "none".into();
    }
    body
}

/// Shows events as they come, and gives the message at its end.
fn follow(api: &Api, id: &str, args: &SendArgs, paint: Paint) -> Outcome<Value> {
    let started = Instant::now();
    let mut shown = 0;
    loop {
        // The message first: its events are then at least as new as its status.
        let message = api.get(&format!("/v1/messages/{id}"))?;
        let events = api.get(&format!("/v1/messages/{id}/events"))?;
        let events = events["data"].as_array().cloned().unwrap_or_default();
        if !args.json {
            let parts = message["parts"].as_array().map_or(1, Vec::len);
            for line in lines(&events, parts, shown, paint) {
                say(line)?;
            }
        }
        shown = shown.max(events.len());
        let status = message["status"].as_str().unwrap_or_default();
        if has_ended(status) || (args.no_receipt && status == "sent") {
            return Ok(message);
        }
        if started.elapsed() >= args.timeout.0 {
            return Err(Failure::failed(format_args!("the message is still {status} after {:?}", args.timeout)));
        }
        sleep(LOOK_EVERY);
    }
}
