//! `connector`: the links to carriers of a running gateway.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::Target;
use crate::outcome::{Failure, Outcome, say};

/// How long the network of a modem may take: the gateway waits for two minutes.
const USSD: Duration = Duration::from_secs(130);

/// What to do with connectors.
#[derive(Debug, Subcommand)]
pub enum ConnectorCommand {
    /// Show them all
    List(ListArgs),
    /// Connect and send
    Start(OneArgs),
    /// Disconnect at once; what waits stays in the queue
    Stop(OneArgs),
    /// Finish what is unanswered, then disconnect
    Drain(OneArgs),
    /// Ask the network of a modem something by USSD, such as *100# for what is left on the SIM
    Ussd(UssdArgs),
}

/// Which gateway.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Which connector.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// The connector's id
    id: String,
    #[command(flatten)]
    list: ListArgs,
}

/// Which modem, and what its network is asked.
#[derive(Debug, Args)]
pub struct UssdArgs {
    /// The connector's id
    id: String,
    /// The code, or the choice from a menu that the network has answered with
    code: String,
    #[command(flatten)]
    list: ListArgs,
}

/// Does it, and shows how the connectors are then. Needs a token with the scope `admin`.
pub fn run(command: &ConnectorCommand) -> Outcome {
    let (args, path) = match command {
        ConnectorCommand::List(args) => {
            let answer = args.target.api()?.get("/v1/connectors")?;
            return show(args, answer["data"].as_array().map_or(&[], Vec::as_slice));
        }
        ConnectorCommand::Start(args) => (args, "start"),
        ConnectorCommand::Stop(args) => (args, "stop"),
        ConnectorCommand::Drain(args) => (args, "drain"),
        ConnectorCommand::Ussd(args) => return ussd(args),
    };
    let answer = args.list.target.api()?.post(&format!("/v1/connectors/{}/{path}", args.id), &json!({}))?;
    show(&args.list, &[answer])
}

/// Shows what the network answers.
fn ussd(args: &UssdArgs) -> Outcome {
    let path = format!("/v1/connectors/{}/ussd", args.id);
    let answer = args.list.target.api()?.post_and_wait(&path, &json!({ "code": args.code }), USSD)?;
    if args.list.json {
        return say(&answer);
    }
    let text = answer["text"].as_str().unwrap_or_default();
    if !text.is_empty() {
        say(text)?;
    }
    match answer["state"].as_str().unwrap_or_default() {
        "reply_expected" => {
            eprintln!("the network expects a reply: give it in the same way, instead of the code");
            Ok(())
        }
        "not_supported" => Err(Failure::failed("the network knows no such code")),
        "timed_out" => Err(Failure::failed("the network did not answer in time")),
        _ => Ok(()),
    }
}

fn show(args: &ListArgs, connectors: &[Value]) -> Outcome {
    if args.json {
        return connectors.iter().try_for_each(say);
    }
    say(format_args!("{:<20} {:<12} {:<10} {:>8}  {:>8}  {}", "ID", "STATE", "WANTED", "SESSIONS", "QUEUED", "NOTE"))?;
    for connector in connectors {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let status = &connector["status"];
        let sessions = status["sessions"].as_array().map_or(&[][..], Vec::as_slice);
        let bound = sessions.iter().filter(|session| session["state"] == "bound").count();
        let note = status["paused"].as_str().or_else(|| sessions.iter().find_map(|session| session["reason"].as_str()));
        say(format_args!(
            "{:<20} {:<12} {:<10} {:>8}  {:>8}  {}",
            text(&connector["id"]),
            text(&status["state"]),
            text(&status["desired"]),
            format!("{bound}/{}", connector["sessions"].as_u64().unwrap_or(1)),
            status["queued"].as_u64().unwrap_or_default(),
            note.unwrap_or_default()
        ))?;
    }
    Ok(())
}
