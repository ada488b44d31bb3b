//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::colour::Colour;
use crate::commands::{
    apply, check, connector, decode, demo, encode, explain, export, import, later, replay, send, serve, simulate, token,
};
use crate::outcome::{Failure, Outcome};

/// An SMS gateway in one program.
///
/// Start with `postrider demo` to see it at work, and `postrider serve` to run it.
#[derive(Debug, Parser)]
#[command(name = "postrider", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// When to colour what people read
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed, or stopped at once by a second SIGTERM or SIGINT; 2 usage; 78 configuration";

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything in one process, with simulated carriers and live traffic
    Demo(demo::DemoArgs),
    /// Run the gateway
    Serve(serve::ServeArgs),
    /// Validate configuration and resources without starting
    Check(check::CheckArgs),
    /// Make the stored resources those of a file, and show what changes
    Apply(apply::ApplyArgs),
    /// Show what `apply` would change
    Diff(apply::FileArgs),
    /// Print the stored resources as a file
    Export(export::ExportArgs),
    /// Turn another gateway's configuration into a resources file
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Make tokens for the API
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Send one message and show its timeline until it ends
    Send(send::SendArgs),
    /// Show what a text comes to over the air
    Encode(encode::EncodeArgs),
    /// Show what octets of a protocol say
    Decode(decode::DecodeArgs),
    /// Be a carrier to test against
    #[command(subcommand)]
    Simulate(simulate::SimulateCommand),
    /// Load a gateway from outside and measure it
    Bench(crate::bench::BenchArgs),
    /// See and control the links to carriers
    #[command(subcommand)]
    Connector(connector::ConnectorCommand),
    /// Show every rule tried for a message, and the outcome
    Explain(explain::ExplainArgs),
    /// Show what a draft of routes would have changed for messages that were sent
    Replay(replay::ReplayArgs),
    /// See and change what waits to be sent (not supported yet)
    Queue(later::Rest),
    /// Watch the traffic in numbers (not supported yet)
    Top(later::Rest),
    /// Watch messages as they come (not supported yet)
    Tail(later::Rest),
    /// Look for what is wrong with an installation (not supported yet)
    Doctor(later::Rest),
    /// Copy the store while the gateway runs (not supported yet)
    Backup(later::Rest),
    /// Put a copy of the store back (not supported yet)
    Restore(later::Rest),
    /// Print the commented default configuration file
    DefaultConfig,
}

/// Reads the command line, does what it says, and gives the exit code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command, cli.color) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn dispatch(command: Command, colour: Colour) -> Outcome {
    match command {
        Command::Demo(args) => runtime()?.block_on(demo::run(args, colour)),
        Command::Serve(args) => runtime()?.block_on(serve::run(args, colour)),
        Command::Check(args) => check::run(&args),
        Command::Apply(args) => runtime()?.block_on(apply::apply(args)),
        Command::Diff(args) => runtime()?.block_on(apply::diff(args)),
        Command::Export(args) => runtime()?.block_on(export::run(args)),
        Command::Import(command) => import::run(&command),
        Command::Token(command) => runtime()?.block_on(token::run(command)),
        Command::Send(args) => send::run(&args, colour),
        Command::Encode(args) => encode::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Simulate(command) => runtime()?.block_on(simulate::run(command)),
        Command::Bench(args) => crate::bench::runtime(&args)?.block_on(crate::bench::run(args)),
        Command::Connector(command) => connector::run(&command),
        Command::Explain(args) => explain::run(&args),
        Command::Replay(args) => runtime()?.block_on(replay::run(args)),
        Command::Queue(_) => Err(Failure::not_yet("queue")),
        Command::Top(_) => Err(Failure::not_yet("top")),
        Command::Tail(_) => Err(Failure::not_yet("tail")),
        Command::Doctor(_) => Err(Failure::not_yet("doctor")),
        Command::Backup(_) => Err(Failure::not_yet("backup")),
        Command::Restore(_) => Err(Failure::not_yet("restore")),
        Command::DefaultConfig => crate::outcome::say(crate::config::DEFAULT_FILE.trim_end()),
    }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
