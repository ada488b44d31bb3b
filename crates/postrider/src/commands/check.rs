//! `check`: everything that can be wrong before a start, all at once.

use std::path::PathBuf;

use clap::Args;
use model::SessionProtocol;
use model::resources::ResourceSet;
use serde_json::{Value, json};

use crate::boot::read_resources;
use crate::config::{Sources, load};
use crate::fault::Fault;
use crate::listeners::{Sessions, certificates, interface_certificates};
use crate::outcome::{Failure, Outcome, say};
use crate::resources_file::SecretCheck;
use crate::storage::existing_vault;

/// What to check.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    sources: Sources,
    /// A resources file
    #[arg(long, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// Print one JSON object: whether all is sound, and each fault with file, line, column, key, message and cure
    #[arg(long)]
    json: bool,
}

/// Tells every fault, or what is sound.
pub fn run(args: &CheckArgs) -> Outcome {
    let mut faults = Vec::new();
    let set = check(args, &mut faults)?;
    match (args.json, faults.is_empty()) {
        (false, true) => praise(args, set.as_ref()),
        (false, false) => Err(Failure::Configuration(faults)),
        (true, sound) => {
            say(report(args, set.as_ref(), &faults))?;
            if sound { Ok(()) } else { Err(Failure::ToldConfiguration) }
        }
    }
}

/// Notes every fault, and gives the resources if they could be read.
fn check(args: &CheckArgs, faults: &mut Vec<Fault>) -> Outcome<Option<ResourceSet>> {
    let config = note(load(&args.sources), faults)?;
    let mut vault = None;
    if let Some(config) = &config {
        note(certificates(config), faults)?;
        note(interface_certificates(config), faults)?;
        for protocol in SessionProtocol::ALL {
            note(Sessions::of(config, protocol).certificates(), faults)?;
        }
        vault = note(existing_vault(config), faults)?.flatten();
    }
    match &args.resources {
        None => Ok(None),
        Some(file) => {
            let secrets = SecretCheck { vault: vault.as_ref(), references: true };
            note(read_resources(file, secrets), faults)
        }
    }
}

/// Keeps faults of the configuration for later; other failures end the command.
fn note<T>(outcome: Outcome<T>, faults: &mut Vec<Fault>) -> Outcome<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Configuration(more)) => {
            faults.extend(more);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn praise(args: &CheckArgs, set: Option<&ResourceSet>) -> Outcome {
    say(match &args.sources.config {
        Some(file) => format!("{}: sound", file.display()),
        None => "the default configuration: sound".to_owned(),
    })?;
    if let (Some(file), Some(set)) = (&args.resources, set) {
        let (accounts, connectors, routes) = (set.accounts.len(), set.connectors.len(), set.routes.len());
        say(format_args!(
            "{}: sound ({accounts} accounts, {connectors} connectors, {routes} routes, {} inbound rules)",
            file.display(),
            set.inbound.len()
        ))?;
    }
    Ok(())
}

fn report(args: &CheckArgs, set: Option<&ResourceSet>, faults: &[Fault]) -> Value {
    let counts = |set: &ResourceSet| {
        json!({
            "accounts": set.accounts.len(),
            "connectors": set.connectors.len(),
            "routes": set.routes.len(),
            "inbound": set.inbound.len(),
        })
    };
    json!({
        "sound": faults.is_empty(),
        "config": args.sources.config.as_ref().map(|file| file.display().to_string()),
        "resources": args.resources.as_ref().map(|file| file.display().to_string()),
        "counts": set.map(counts),
        "faults": faults.iter().map(Fault::json).collect::<Vec<_>>(),
    })
}
