//! `check`: everything that can be wrong before a start, all at once.

use std::path::PathBuf;

use clap::Args;

use crate::boot::{certificates, read_resources};
use crate::config::{Sources, load};
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
}

/// Tells every fault, or what is sound.
pub fn run(args: &CheckArgs) -> Outcome {
    let mut faults = Vec::new();
    let config = note(load(&args.sources), &mut faults)?;
    let mut vault = None;
    if let Some(config) = &config {
        note(certificates(config), &mut faults)?;
        vault = note(existing_vault(config), &mut faults)?.flatten();
    }
    let set = match &args.resources {
        None => None,
        Some(file) => {
            let secrets = SecretCheck { vault: vault.as_ref(), references: true };
            note(read_resources(file, secrets), &mut faults)?
        }
    };
    if !faults.is_empty() {
        return Err(Failure::Configuration(faults));
    }
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

/// Keeps faults of the configuration for later; other failures end the command.
fn note<T>(outcome: Outcome<T>, faults: &mut Vec<String>) -> Outcome<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Configuration(more)) => {
            faults.extend(more);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
